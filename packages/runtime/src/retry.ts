/**
 * Repeats a request that may succeed later: with growing, jittered pauses, honouring how long the registry asks to be left
 * alone. A request that must not happen twice is repeated only if it surely did not happen; the walker reads back otherwise.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { emit } from "./event.ts"
import { faultOf } from "./fault.ts"

export interface RetryOptions {
  /** Whether asking twice is as good as asking once. */
  readonly repeatable: boolean
}

const TIMES = 5

export const retrying =
  (options: RetryOptions) =>
  <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let attempt = 0
      const schedule = Schedule.exponential("250 millis").pipe(
        Schedule.jittered,
        Schedule.upTo({ times: TIMES }),
        Schedule.setInputType<E>(),
        Schedule.while(({ input }) => {
          const fault = faultOf(input)
          return fault.transient && (options.repeatable || !fault.mayHaveHappened)
        }),
        Schedule.modifyDelay(({ duration, input }) => {
          const fault = faultOf(input)
          const delay = Duration.max(duration, Duration.millis(fault.retryAfter ?? 0))
          attempt++
          const told = emit({
            type: "request-retried",
            operation: fault.operation,
            attempt,
            delay: Math.round(Duration.toMillis(delay)),
            error: fault.message
          })
          return Effect.as(told, delay)
        })
      )
      return Effect.retry(request, schedule)
    })
