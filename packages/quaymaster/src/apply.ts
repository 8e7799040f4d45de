/** Applying a plan to one registry, in its two steps: is it still true, and then the walk. */
import {
  type AnyOperation,
  blockingOf,
  indexKinds,
  type Operation,
  PlanBlocked,
  secretsIn,
  type TargetPlan
} from "@quaymaster/engine"
import { Quay, type SecretUnavailable } from "@quaymaster/kinds"
import {
  type Checked,
  type Failure,
  type Kind,
  type PlanStale,
  type Recorder,
  recheck,
  type Services,
  type TargetReport,
  type Uniform,
  walk
} from "@quaymaster/runtime"
import type { QuayFailure } from "@quaymaster/sdk"
import * as Effect from "effect/Effect"
import type { Connection, ConnectionFailed, IdentityChanged } from "./connection.ts"

/** Where each operation of a plan stands. */
export type Standings = ReadonlyMap<string, Checked>

/**
 * Reads again what the operations touch. Fails with `PlanStale` and every conflict if anything is neither as the plan found
 * it nor as it wants it.
 */
export const checkRegistry = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  connection: Connection,
  target: TargetPlan<Operation<K>>
): Effect.Effect<Standings, E | PlanStale | ConnectionFailed | IdentityChanged | QuayFailure, Exclude<R, Quay>> =>
  recheck<K, E, R>(kinds, target, connection.caller).pipe(
    Effect.tap(() => connection.stillUs),
    Effect.provideService(Quay, connection.quay)
  )

/**
 * Looks up every secret that the operations will send, before any of them starts: one that is missing is told while nothing
 * has been changed. Fails with `SecretUnavailable`.
 */
export const checkSecrets = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  connection: Connection,
  target: TargetPlan<Operation<K>>
): Effect.Effect<void, SecretUnavailable> => {
  const known = indexKinds<Kind>(kinds)
  const operations: ReadonlyArray<AnyOperation> = target.operations
  const references = operations.flatMap((operation) => {
    const kind = known.get(operation.kind)
    if (kind === undefined || operation.action === "delete") return []
    return secretsIn(kind.schema, operation.after)
  })
  return Effect.forEach(references, connection.quay.secret, { discard: true })
}

export interface WalkRegistryOptions {
  /** Where the operations stand; those that are done are left out. Undefined: the plan was made just now. */
  readonly checked?: Standings | undefined
  /** Operations under way side by side. Default 16; the limiter decides how many requests. */
  readonly workers?: number | undefined
  /** When it aborts, no further operation starts, and those under way finish. */
  readonly stop?: AbortSignal | undefined
  /** After so many operations in a row that failed because the registry did, no further one starts. Default 5. */
  readonly breaker?: number | undefined
  /**
   * For how many milliseconds a write is looked for whose answer was lost, where sending it again could make a second object:
   * a notification, a default permission, an application, an invitation. It is never sent again by the same apply.
   * Default: as long as one request may take.
   */
  readonly patience?: number | undefined
  /** Is told of each operation before it starts and when it has ended. What cannot be recorded is not done. */
  readonly recorder?: Recorder | undefined
  /** Operations that an earlier apply may have done, and how many milliseconds ago it began them. */
  readonly unsettled?: ReadonlyMap<string, number> | undefined
}

const WORKERS = 16

/**
 * Does what the plan says. What became of each operation is in the report. Fails with `PlanBlocked`, before anything is done, if
 * the guard is against it and nobody allowed it: `assemble` and `allowing` take what is allowed.
 */
export const walkRegistry = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  connection: Connection,
  target: TargetPlan<Operation<K>>,
  options: WalkRegistryOptions = {}
): Effect.Effect<TargetReport, PlanBlocked, Exclude<R, Quay>> => {
  const blocking = blockingOf([target])
  if (blocking.length > 0) return Effect.fail(new PlanBlocked(blocking))
  return walk<K, E, R>(kinds, target, {
    workers: options.workers ?? WORKERS,
    caller: connection.caller,
    stillUs: connection.stillUs,
    // A server that is given so long for an answer may be as long behind with what it was asked for.
    patience: options.patience ?? connection.timeout,
    breaker: options.breaker,
    recorder: options.recorder,
    unsettled: options.unsettled,
    stop: options.stop,
    ...(options.checked === undefined ? {} : { checked: options.checked })
  }).pipe(Effect.provideService(Quay, connection.quay))
}
