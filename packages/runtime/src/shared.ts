/**
 * Answers that several kinds need are asked for once. What is shared lives as long as one reading of a registry, so that
 * nothing old is ever taken for new; outside a reading every call asks again.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** One reading of one registry. Its identity is all that counts. */
export class Reading {}

export const CurrentReading = Context.Reference<Reading | undefined>("@quaymaster/runtime/CurrentReading", {
  defaultValue: () => undefined
})

/** How asking ended; undefined if whoever asked was interrupted, so that somebody else has to. */
type Answer<A, E> = Deferred.Deferred<Exit.Exit<A, E> | undefined>

/** Makes a reader whose answers, failures too, are shared by key within a reading. */
export const shared = <A, E, R>(
  ask: (key: string) => Effect.Effect<A, E, R>
): ((key: string) => Effect.Effect<A, E, R>) => {
  const readings = new WeakMap<Reading, Map<string, Answer<A, E>>>()
  const within = (reading: Reading, key: string): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) => {
      const answers = readings.get(reading) ?? new Map<string, Answer<A, E>>()
      readings.set(reading, answers)
      const known = answers.get(key)
      if (known !== undefined)
        return Effect.flatMap(restore(Deferred.await(known)), (exit) => exit ?? restore(within(reading, key)))
      const answer: Answer<A, E> = Deferred.makeUnsafe()
      answers.set(key, answer)
      return Effect.onExit(restore(Effect.suspend(() => ask(key))), (exit) =>
        Effect.sync(() => {
          const abandoned = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
          if (abandoned) answers.delete(key)
          Deferred.doneUnsafe(answer, Effect.succeed(abandoned ? undefined : exit))
        })
      )
    })
  return (key) => Effect.flatMap(CurrentReading, (reading) => (reading === undefined ? ask(key) : within(reading, key)))
}
