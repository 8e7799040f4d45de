/**
 * Whether an operation mends what differed from the files already, or does what the files say since: planning what they said
 * before tells. That it might not have been possible as a whole does not matter here.
 */
import type { Base } from "../base.ts"
import type { Change } from "../diff.ts"
import { equal } from "../json.ts"
import type { Kind } from "../kind.ts"
import type { AnyOperation, Origin } from "../operation.ts"
import type { Actual } from "../state.ts"
import { findExtras } from "./extras.ts"
import { compare, withheld } from "./fate.ts"
import { outline } from "./outline.ts"
import { survey } from "./situation.ts"

/** The operations, each with its origin. */
export const withOrigins = (
  kinds: ReadonlyMap<string, Kind>,
  base: Base,
  actual: Actual,
  operations: ReadonlyArray<AnyOperation>
): ReadonlyArray<AnyOperation> => {
  const { situation } = survey(kinds, base, actual)
  const { drafts } = outline(situation, withheld(compare(situation)), findExtras(situation))
  const before = new Map(drafts.map(({ operation }) => [operation.id, operation]))
  return operations.map((it) => ({ ...it, origin: originOf(it, before.get(it.id)) }))
}

const originOf = (operation: AnyOperation, before: AnyOperation | undefined): Origin => {
  if (before === undefined) return "change"
  switch (operation.action) {
    case "create":
      return before.action === "create" && equal(before.after, operation.after) ? "drift" : "change"
    case "update":
    case "replace":
      return "changes" in before && operation.changes.every((it) => within(before.changes, it)) ? "drift" : "change"
    case "delete":
      return "drift"
  }
}

const within = (changes: ReadonlyArray<Change>, change: Change): boolean =>
  changes.some((it) => it.field === change.field && equal(it.after, change.after))
