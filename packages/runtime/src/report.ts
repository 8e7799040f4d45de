/** What became of each operation of an apply: exactly, and for all of them. */
import type { Outcome } from "./event.ts"

export interface Result {
  readonly id: string
  readonly outcome: Outcome
  /** What the registry said, for a person. */
  readonly error?: string
  /** The name of the error: `Forbidden`, `TransportError`. */
  readonly tag?: string
  /** Whether the operation may have happened although it counts as failed. */
  readonly uncertain?: boolean
  /** Whether a part of it was done, of several writes, although it counts as failed. The same plan does the rest. */
  readonly partly?: boolean
  /** The operation that it waited for in vain. */
  readonly because?: string
}

/** Why an apply went no further. */
export type Stopped =
  /** It was told to. */
  | "interrupted"
  /** The token is worth nothing any more, or not what it was. */
  | "unauthenticated"
  /** The registry failed too often in a row, or could not be reached. */
  | "unavailable"
  /** What was to be done could not be recorded. */
  | "unrecorded"

export interface TargetReport {
  readonly registry: string
  readonly url: string
  /** In the order of the plan. */
  readonly results: ReadonlyArray<Result>
  /** Why no further operations were started, if some were left. */
  readonly stopped?: Stopped
  /** The same for a person, where there is more to say. */
  readonly reason?: string
}

const good: ReadonlySet<Outcome> = new Set(["applied", "already", "by-registry"])

/** Whether the operation's wanted state holds now. */
export const succeeded = (result: Result): boolean => good.has(result.outcome)

export const isWhole = (report: TargetReport): boolean => report.results.every(succeeded)

/** How many operations came to which outcome. */
export const tally = (results: ReadonlyArray<Result>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
