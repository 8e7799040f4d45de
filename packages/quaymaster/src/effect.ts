/**
 * The library for Effect users: the same steps with typed failures and services. A connection is opened in a scope; kinds of
 * one's own may need services, and those show in the types.
 */
export {
  type Allowances,
  allowing,
  assemble,
  decodePlan,
  encodePlan,
  PlanBlocked,
  type PlanOf,
  type TargetPlan,
  type Verdict
} from "@quaymaster/engine"
export { Quay, type QuayKind, quayKinds } from "@quaymaster/kinds"
export { type Event, EventSink, type Kind, PlanStale, type TargetReport } from "@quaymaster/runtime"
export { checkRegistry, type Standings, type WalkRegistryOptions, walkRegistry } from "./apply.ts"
export { type Connection, ConnectionFailed, type ConnectionOptions, connect, IdentityChanged } from "./connection.ts"
export {
  type Exported,
  type ExportedRegistry,
  ExportFailed,
  type ExportRegistryOptions,
  exportRegistry,
  type Skipped
} from "./export.ts"
export type { Failure } from "./failure.ts"
export { planRegistry } from "./plan.ts"
export { loadProject, type Project, type ProjectOptions } from "./project.ts"
