/**
 * What can go wrong with a call, as one class for each meaning. All extend `QuayError`; `_tag` tells them apart where
 * `instanceof` does not reach. How an answer becomes one of them is in problem.ts. A call that its caller aborts rejects with
 * the signal's reason instead, which is none of these.
 */

export interface QuayErrorInfo {
  /** `GET`, `PUT` … */
  readonly method: string
  /** The path with its parameters in braces, as in the OpenAPI document. */
  readonly path: string
  /** Quay's name for the operation; `METHOD path` where it has none. */
  readonly operation?: string | undefined
  /** The HTTP status, if there was an answer. */
  readonly status?: number | undefined
  /** More than the message says, in the server's words. */
  readonly detail?: string | undefined
  /** How long the server asks to wait, in milliseconds; never more than five minutes. */
  readonly retryAfter?: number | undefined
  /** Whether the same call may succeed later. */
  readonly transient?: boolean | undefined
  /** Whether a write may have been done although its answer says otherwise or was lost. */
  readonly mayHaveHappened?: boolean | undefined
  readonly cause?: unknown
}

/** What every failure of a call carries. No message holds the token, or a secret that was sent. */
export abstract class QuayError extends Error {
  abstract readonly _tag: string
  readonly operation: string
  readonly method: string
  readonly path: string
  readonly status: number | undefined
  readonly detail: string | undefined
  /** Milliseconds. */
  readonly retryAfter: number | undefined
  readonly transient: boolean
  readonly mayHaveHappened: boolean

  constructor(message: string, info: QuayErrorInfo) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.operation = info.operation ?? `${info.method} ${info.path}`
    this.method = info.method
    this.path = info.path
    this.status = info.status
    this.detail = info.detail
    this.retryAfter = info.retryAfter
    this.transient = info.transient ?? false
    this.mayHaveHappened = info.mayHaveHappened ?? false
  }

  override get name(): string {
    return this._tag
  }
}

/** Nobody is signed in: no token, a wrong one, an expired one, or one that may not say whose it is. */
export class Unauthenticated extends QuayError {
  readonly _tag = "Unauthenticated"
}

/** The user or the token may not do this. Quay says so of organizations that do not exist, too. */
export class Forbidden extends QuayError {
  readonly _tag = "Forbidden"
}

/** It is not there, or what the request names is not. For a DELETE the two are one: there is nothing to delete. */
export class Missing extends QuayError {
  readonly _tag = "Missing"
}

/** It is there already. */
export class Exists extends QuayError {
  readonly _tag = "Exists"
}

/** Refused: the request is wrong, or what is there does not allow it. */
export class Invalid extends QuayError {
  readonly _tag = "Invalid"
}

/** This registry does not serve the operation: its feature is off, or its release is older. */
export class FeatureOff extends QuayError {
  readonly _tag = "FeatureOff"
}

/** Too many requests. */
export class RateLimited extends QuayError {
  readonly _tag = "RateLimited"
}

/** The server broke, or does not take writes. */
export class ServerError extends QuayError {
  readonly _tag = "ServerError"
}

/** The registry points elsewhere. Redirects are not followed: the token is for this registry alone. */
export class Redirected extends QuayError {
  readonly _tag = "Redirected"
  /** Where it points, without query. */
  readonly location: string

  constructor(message: string, info: QuayErrorInfo & { readonly location: string }) {
    super(message, info)
    this.location = info.location
  }
}

export type TransportReason = "refused" | "reset" | "dns" | "tls" | "timeout" | "other"

/** No answer came. */
export class TransportError extends QuayError {
  readonly _tag = "TransportError"
  readonly reason: TransportReason

  constructor(message: string, info: QuayErrorInfo & { readonly reason: TransportReason }) {
    super(message, info)
    this.reason = info.reason
  }
}

/** An answer came that is not Quay's: a page where data should be, broken JSON, too much, pages that repeat. */
export class DecodeError extends QuayError {
  readonly _tag = "DecodeError"
}

/** Every failure of a call, for an exhaustive `switch` on `_tag`. */
export type QuayFailure =
  | Unauthenticated
  | Forbidden
  | Missing
  | Exists
  | Invalid
  | FeatureOff
  | RateLimited
  | ServerError
  | Redirected
  | TransportError
  | DecodeError

const TAGS: ReadonlySet<unknown> = new Set<QuayFailure["_tag"]>([
  ...(["Unauthenticated", "Forbidden", "Missing", "Exists", "Invalid", "FeatureOff"] as const),
  ...(["RateLimited", "ServerError", "Redirected", "TransportError", "DecodeError"] as const)
])

/** Whether something is a failure of a call, of this copy of the SDK or of another one that a plugin brought along. */
export const isQuayFailure = (error: unknown): error is QuayFailure =>
  error instanceof QuayError ||
  (error instanceof Error && "_tag" in error && TAGS.has(error._tag) && "operation" in error && "transient" in error)
