/** Runs effects under a clock that tests move, so that pauses cost no time. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

/** Runs an effect while the clock goes on: whatever sleeps wakes up in its turn. One that never ends is a defect. */
export const inTestTime = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(effect)
      for (let day = 0; fiber.pollUnsafe() === undefined; day++) {
        if (day > 100) return yield* Effect.die(new RangeError("It does not end."))
        // Lets it come to its first sleep before the clock moves; from there on the clock waits for it.
        yield* Effect.repeat(Effect.yieldNow, { times: 20 })
        yield* TestClock.adjust("1 day")
      }
      return yield* Fiber.join(fiber)
    }).pipe(Effect.provide(TestClock.layer()))
  )

/** The milliseconds that the clock shows. */
export const now: Effect.Effect<number> = Effect.clockWith((clock) => clock.currentTimeMillis)
