// A stateful Quay in one process: a fetch handler, an HTTP server, and registries kept in a file.

export type { Incoming } from "./call.ts"
export type { Reply } from "./errors.ts"
export type { Fault, FaultEffect, Faults } from "./faults.ts"
export { DEFAULT_FEATURES, type Features } from "./features.ts"
export { StateError } from "./json.ts"
export { type LdapOptions, readLdap } from "./ldap.ts"
export type { Mail } from "./mail.ts"
export { type OpenedSimulator, type OpenOptions, openSimulator, SimulatorFileError } from "./open.ts"
export { type Push, PushRefused } from "./push.ts"
export { type RandomSource, seededRandom } from "./random.ts"
export { type ServedSimulator, ServeError, serveSimulator } from "./server.ts"
export {
  ConnectionDropped,
  createSimulator,
  type NewUser,
  type RequestCounts,
  type Simulator,
  type SimulatorOptions
} from "./simulator.ts"
export { FORMAT, SCOPES, type Scope, type SimulatorState } from "./state.ts"
