/**
 * Repeats a request that may succeed later: with growing, jittered pauses, honouring how long the registry asks to be left
 * alone. A request that must not happen twice is repeated only if it surely did not happen; the walker reads back otherwise.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { emit } from "./event.ts"
import { faultOf } from "./fault.ts"

export interface RetryOptions {
  /** Whether asking twice is as good as asking once. */
  readonly repeatable: boolean
}

/** When it aborts, nothing is repeated any more. By default all is repeated that can be. */
export const Stop = Context.Reference<AbortSignal | undefined>("@quaymaster/runtime/Stop", {
  defaultValue: () => undefined
})

/** Whether a request is not repeated that may have happened, although it could be: what comes next must not come before it. */
export const Unrepeated = Context.Reference<boolean>("@quaymaster/runtime/Unrepeated", { defaultValue: () => false })

/**
 * Called by who sends a write when it was carried out, or may have been. It is how a walk knows that an operation which failed
 * did something all the same. Requests that nobody tells of are judged by their error alone.
 */
export const Wrote = Context.Reference<() => void>("@quaymaster/runtime/Wrote", { defaultValue: () => () => {} })

const TIMES = 5

export const retrying =
  (options: RetryOptions) =>
  <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.all([Stop, Unrepeated]), ([stop, unrepeated]) => {
      const repeatable = options.repeatable && !unrepeated
      let attempt = 0
      const schedule = Schedule.exponential("250 millis").pipe(
        Schedule.jittered,
        Schedule.upTo({ times: TIMES }),
        Schedule.setInputType<E>(),
        Schedule.while(({ input }) => {
          const fault = faultOf(input)
          return stop?.aborted !== true && fault.transient && (repeatable || !fault.mayHaveHappened)
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
      let last: { readonly error: E } | undefined
      // What came to its end during the pause is not repeated after it.
      const unlessStopped = Effect.suspend(() =>
        last !== undefined && stop?.aborted === true ? Effect.fail(last.error) : request
      )
      return Effect.retry(
        Effect.tapError(unlessStopped, (error) =>
          Effect.sync(() => {
            last = { error }
          })
        ),
        schedule
      )
    })
