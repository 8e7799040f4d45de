/** Shared answers: asked for once in a reading, never kept longer, and never lost with whoever asked first. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CurrentReading, Reading, shared } from "../src/index.ts"
import { inTestTime } from "./clock.ts"

const reading = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(effect, CurrentReading, new Reading()))

/** Answers with the key and how often it has been asked for anything. */
const asked = (milliseconds = 10) => {
  const keys: Array<string> = []
  const answer = shared((key: string) =>
    Effect.suspend(() => {
      keys.push(key)
      return Effect.as(Effect.sleep(milliseconds), `${key} ${keys.length}`)
    })
  )
  return { answer, keys }
}

describe("a shared answer", () => {
  it("is asked for once in a reading, one after the other or at once", async () => {
    const { answer, keys } = asked()
    const answers = await inTestTime(
      reading(
        Effect.all([
          answer("acme"),
          Effect.all([answer("acme"), answer("beta"), answer("beta")], { concurrency: "unbounded" }),
          answer("beta")
        ])
      )
    )
    expect(answers).toEqual(["acme 1", ["acme 1", "beta 2", "beta 2"], "beta 2"])
    expect(keys).toEqual(["acme", "beta"])
  })

  it("is asked for again in the next reading", async () => {
    const { answer, keys } = asked()
    await inTestTime(Effect.all([reading(answer("acme")), reading(answer("acme"))]))
    expect(keys).toEqual(["acme", "acme"])
  })

  it("is not shared between readings at the same time", async () => {
    const { answer } = asked()
    const both = Effect.all([reading(answer("acme")), reading(answer("acme"))], { concurrency: "unbounded" })
    expect(await inTestTime(both)).toEqual(["acme 1", "acme 2"])
  })

  it("is not shared outside a reading", async () => {
    const { answer, keys } = asked()
    await inTestTime(Effect.all([answer("acme"), answer("acme")], { concurrency: "unbounded" }))
    expect(keys).toEqual(["acme", "acme"])
  })

  it("is each reader's own", async () => {
    const one = asked()
    const other = asked()
    await inTestTime(reading(Effect.all([one.answer("acme"), other.answer("acme")])))
    expect([one.keys, other.keys]).toEqual([["acme"], ["acme"]])
  })

  it.each([
    ["failure", Effect.fail("no"), Exit.fail("no")],
    ["defect", Effect.die("broken"), Exit.die("broken")]
  ])("that is a %s is shared within one reading, and asked for again in the next", async (_, ending, exit) => {
    let count = 0
    const answer = shared(() =>
      Effect.suspend(() => {
        count++
        return Effect.andThen(Effect.sleep(10), ending)
      })
    )
    const thrice = Effect.all(
      [1, 2, 3].map(() => Effect.exit(answer("acme"))),
      { concurrency: "unbounded" }
    )
    expect(await inTestTime(reading(thrice))).toEqual([exit, exit, exit])
    expect(count).toBe(1)
    await inTestTime(reading(thrice))
    expect(count).toBe(2)
  })

  it("that cannot even be asked for is a defect for all", async () => {
    const answer = shared((): Effect.Effect<string> => {
      throw new RangeError("bad key")
    })
    const exits = await inTestTime(reading(Effect.all([Effect.exit(answer("a")), Effect.exit(answer("a"))])))
    expect(exits.map(Exit.isFailure)).toEqual([true, true])
  })
})

describe("whoever asks first", () => {
  it("may be interrupted: the next one asks instead, and the rest share that answer", async () => {
    const { answer, keys } = asked(100)
    const answers = await inTestTime(
      reading(
        Effect.gen(function* () {
          const first = yield* Effect.forkChild(answer("acme"))
          const others = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(answer("acme")))
          yield* Effect.sleep(50)
          yield* Fiber.interrupt(first)
          const late = yield* Effect.forkChild(answer("acme"))
          return yield* Effect.forEach([...others, late], Fiber.join)
        })
      )
    )
    expect(answers).toEqual(["acme 2", "acme 2", "acme 2", "acme 2"])
    expect(keys).toEqual(["acme", "acme"])
  })

  it("may be interrupted with nobody else there: who comes later asks again", async () => {
    const { answer } = asked(100)
    const later = await inTestTime(
      reading(
        Effect.gen(function* () {
          const first = yield* Effect.forkChild(answer("acme"))
          yield* Effect.sleep(50)
          yield* Fiber.interrupt(first)
          return yield* answer("acme")
        })
      )
    )
    expect(later).toBe("acme 2")
  })

  it("stops asking when it is interrupted", async () => {
    let stopped = false
    const answer = shared(() =>
      Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          stopped = true
        })
      )
    )
    await inTestTime(reading(Effect.timeoutOption(answer("acme"), 10)))
    expect(stopped).toBe(true)
  })

  it("leaves nobody hanging, whoever is interrupted when", async () => {
    const idle = (turns: number): Effect.Effect<void> => Effect.repeat(Effect.yieldNow, { times: turns })
    const asker = fc.record({ comes: fc.nat(5), leaves: fc.option(fc.nat(8), { nil: undefined }) })
    await fc.assert(
      fc.asyncProperty(fc.array(asker, { maxLength: 12 }), async (askers) => {
        let asking = 0
        const answer = shared((key: string) =>
          Effect.gen(function* () {
            expect(++asking).toBe(1)
            yield* idle(6)
            return key
          }).pipe(
            Effect.ensuring(
              Effect.sync(() => {
                asking--
              })
            )
          )
        )
        const exits = await Effect.runPromise(
          reading(
            Effect.forEach(
              askers,
              ({ comes, leaves }) =>
                Effect.gen(function* () {
                  yield* idle(comes)
                  const fiber = yield* Effect.forkChild(answer("acme"))
                  if (leaves !== undefined) {
                    yield* idle(leaves)
                    yield* Fiber.interrupt(fiber)
                  }
                  return yield* Fiber.await(fiber)
                }),
              { concurrency: "unbounded" }
            )
          )
        )
        askers.forEach(({ leaves }, i) => {
          if (leaves === undefined) expect(exits[i]).toEqual(Exit.succeed("acme"))
        })
      }),
      { numRuns: 200 }
    )
  })
})
