/** Runs effects under a clock that tests move, so that pauses cost no time. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

/** Runs an effect while the clock goes on by a day: whatever sleeps wakes up in its turn. */
export const inTestTime = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(effect)
      yield* TestClock.adjust("1 day")
      return yield* Fiber.join(fiber)
    }).pipe(Effect.provide(TestClock.layer()))
  )

/** The milliseconds that the clock shows. */
export const now: Effect.Effect<number> = Effect.clockWith((clock) => clock.currentTimeMillis)
