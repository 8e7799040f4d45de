/** What planning and applying with the built-in kinds, and kinds made with `defineKind`, can fail with. */
import type { PlanBlocked, PlanRefused } from "@quaymaster/engine"
import type { DeliveryFailed, KindFailed, ReadError, SecretUnavailable } from "@quaymaster/kinds"
import type { PlanStale } from "@quaymaster/runtime"
import type { ConnectionFailed, IdentityChanged } from "./connection.ts"
import type { JournalFailed } from "./journal.ts"

export type Failure =
  | ReadError
  | SecretUnavailable
  | DeliveryFailed
  | KindFailed
  | PlanRefused
  | PlanBlocked
  | PlanStale
  | ConnectionFailed
  | IdentityChanged
  | JournalFailed
