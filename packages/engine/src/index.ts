export * from "./address.ts"
export { type AddressPattern, type PatternFinder, patternFinder } from "./address-pattern.ts"
export * from "./base.ts"
export * from "./by-hand.ts"
export * from "./classify.ts"
export * from "./compare.ts"
export * from "./diff.ts"
export * from "./document.ts"
export * from "./gate.ts"
export * from "./graph.ts"
export { unseenGroups } from "./guard/access.ts"
export { additiveOnly } from "./guard/additive.ts"
export {
  AllowanceInvalid,
  type AllowanceName,
  type Allowances,
  allowanceFault,
  allowanceNames,
  checkAllowances
} from "./guard/allowance.ts"
export { type AdministratorsPolicy, defaultPolicy, type Policy, type Thresholds } from "./guard/policy.ts"
export { type Blocking, blockingOf, isBlocking, PlanBlocked, type Verdict } from "./guard/verdict.ts"
export * from "./journal.ts"
export * from "./json.ts"
export * from "./kind.ts"
export { groupBy } from "./lists.ts"
export * from "./merge.ts"
export { bySpecificity, namesLike } from "./name-pattern.ts"
export * from "./operation.ts"
export * from "./plan.ts"
export * from "./preflight.ts"
export * from "./secret.ts"
export * from "./section.ts"
export * from "./split.ts"
export * from "./state.ts"
