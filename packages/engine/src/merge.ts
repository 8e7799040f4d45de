/** Plans of one registry that were made document by document, put together. */
import { addressOf, byText, collectionId } from "./address.ts"
import type { AnyOperation } from "./operation.ts"
import type { Extra, TargetPlan } from "./plan.ts"

const byAddress = (a: Extra, b: Extra): number => byText(addressOf(a.kind, a.key), addressOf(b.kind, b.key))

/** The documents own different collections, so their operations never need each other. */
export const mergeTargets = <Op extends AnyOperation>(
  target: { readonly registry: string; readonly url: string },
  plans: ReadonlyArray<TargetPlan<Op>>
): TargetPlan<Op> => ({
  ...target,
  scope: plans.flatMap((plan) => plan.scope).sort((a, b) => byText(collectionId(a), collectionId(b))),
  operations: plans.flatMap((plan) => plan.operations).sort((a, b) => byText(a.id, b.id)),
  extras: plans.flatMap((plan) => plan.extras).sort(byAddress),
  stuck: plans.flatMap((plan) => plan.stuck).sort(byAddress),
  unchanged: plans.reduce((total, plan) => total + plan.unchanged, 0)
})
