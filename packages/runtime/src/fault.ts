/**
 * What the runtime wants to know of an error, whoever made it: whether repeating can help, and whether a write may have
 * happened all the same. Errors tell it by fields of these names; one without them is taken for final.
 */
import { fieldOf } from "@quaymaster/engine"

export interface Fault {
  /** `Unauthenticated` stops an apply; `Exists` and `Missing` are looked into before they count as failures. */
  readonly tag: string
  /** What was asked for when it happened. */
  readonly operation: string
  /** For a person. */
  readonly message: string
  /** Whether the same request may succeed later. */
  readonly transient: boolean
  /** Whether the registry may have done what was asked although no answer says so. */
  readonly mayHaveHappened: boolean
  /** How long the registry asks to be left alone, in milliseconds. */
  readonly retryAfter: number | undefined
  /** Whether the registry said that it is asked too much. */
  readonly throttled: boolean
  /** Whether the registry itself failed, or could not be reached. */
  readonly broken: boolean
}

export const faultOf = (error: unknown): Fault => {
  const tag = fieldOf(error, "_tag")
  const message = fieldOf(error, "message")
  const operation = fieldOf(error, "operation")
  const retryAfter = fieldOf(error, "retryAfter")
  const status = fieldOf(error, "status")
  return {
    tag: typeof tag === "string" ? tag : error instanceof Error ? error.name : "Error",
    operation: typeof operation === "string" ? operation : "request",
    message: typeof message === "string" && message !== "" ? message : String(error),
    transient: fieldOf(error, "transient") === true,
    mayHaveHappened: fieldOf(error, "mayHaveHappened") === true,
    retryAfter: typeof retryAfter === "number" && Number.isFinite(retryAfter) ? retryAfter : undefined,
    throttled: status === 429 || status === 503,
    broken: tag === "TransportError" || (typeof status === "number" && status >= 500)
  }
}
