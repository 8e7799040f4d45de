/**
 * The guard: what is against a plan, found from the plan, from what is there, and from the policy. A rule is a name and a
 * function; adding one is a line in `rules`. Whether a person allows what is found is decided afterwards.
 */
import { sortedBy } from "../lists.ts"
import { accessRule } from "./access.ts"
import { destroysRule } from "./destroys.ts"
import type { Facts } from "./facts.ts"
import { ignoredRule, protectedRule } from "./held.ts"
import { newlyManagedRule } from "./newly-managed.ts"
import { renameRule } from "./rename.ts"
import { emptiedRule, shareRule } from "./share.ts"
import { type Finding, verdictText } from "./verdict.ts"

export type Rule = (facts: Facts) => ReadonlyArray<Finding>

const rules: ReadonlyArray<Rule> = [
  destroysRule,
  shareRule,
  emptiedRule,
  newlyManagedRule,
  protectedRule,
  ignoredRule,
  renameRule,
  accessRule
]

export const inspect = (facts: Facts): ReadonlyArray<Finding> =>
  sortedBy(
    rules.flatMap((rule) => rule(facts)),
    verdictText
  )
