/** Plans of one registry that were made document by document, put together. */
import { addressOf, collectionId } from "./address.ts"
import { judged } from "./guard/allowance.ts"
import { sortedBy } from "./lists.ts"
import type { AnyOperation } from "./operation.ts"
import { type Extra, leftId, noticeText, type TargetPlan } from "./target-plan.ts"

const address = ({ key, kind }: Extra): string => addressOf(kind, key)

/** The documents own different collections, so their operations never need each other. */
export const mergeTargets = <Op extends AnyOperation>(
  target: { readonly registry: string; readonly url: string },
  plans: ReadonlyArray<TargetPlan<Op>>
): TargetPlan<Op> => {
  const all = <A>(listOf: (plan: TargetPlan<Op>) => ReadonlyArray<A>, textOf: (value: A) => string) =>
    sortedBy(plans.flatMap(listOf), textOf)
  const gates = all(
    (plan) => plan.gates ?? [],
    (it) => it.id
  )
  const merged = {
    ...target,
    ...(gates.length === 0 ? {} : { gates }),
    scope: all((plan) => plan.scope, collectionId),
    operations: all(
      (plan) => plan.operations,
      (it) => it.id
    ),
    extras: all((plan) => plan.extras, address),
    stuck: all((plan) => plan.stuck, address),
    notices: all((plan) => plan.notices, noticeText),
    left: all((plan) => plan.left, leftId),
    verdicts: plans.flatMap((plan) => plan.verdicts),
    unchanged: plans.reduce((total, plan) => total + plan.unchanged, 0)
  }
  return judged(merged)
}
