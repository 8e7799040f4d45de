/**
 * Answers that several kinds need are asked for once. What is shared lives as long as one reading of a registry, so that
 * nothing old is ever taken for new; outside a reading every call asks again.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** One reading of one registry. Its identity is all that counts. */
export class Reading {}

export const CurrentReading = Context.Reference<Reading | undefined>("@quaymaster/runtime/CurrentReading", {
  defaultValue: () => undefined
})

/** Makes a reader whose answers, failures too, are shared by key within a reading. */
export const shared = <A, E, R>(
  ask: (key: string) => Effect.Effect<A, E, R>
): ((key: string) => Effect.Effect<A, E, R>) => {
  const readings = new WeakMap<Reading, Map<string, Deferred.Deferred<A, E>>>()
  return (key) =>
    Effect.flatMap(CurrentReading, (reading) => {
      if (reading === undefined) return ask(key)
      const answers = readings.get(reading) ?? new Map<string, Deferred.Deferred<A, E>>()
      readings.set(reading, answers)
      const known = answers.get(key)
      if (known !== undefined) return Deferred.await(known)
      const answer = Deferred.makeUnsafe<A, E>()
      answers.set(key, answer)
      return Effect.andThen(Deferred.into(ask(key), answer), Deferred.await(answer))
    })
}
