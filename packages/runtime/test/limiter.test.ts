/** The limiter against model registries: how many requests run side by side, in which order, at which pace, and that no place is lost. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Limiter, type LimiterOptions, makeLimiter } from "../src/index.ts"
import { inTestTime, now } from "./clock.ts"

/** A registry that works on so many requests at once, each for so long; the others queue. */
const registry = (workers: number, milliseconds: () => number) => {
  const semaphore = Semaphore.makeUnsafe(workers)
  return Effect.suspend(() => Semaphore.withPermit(semaphore, Effect.sleep(milliseconds())))
}

/** One whose workers share their time among all that is asked: it never answers quickly while it is busy. */
const sharing = (workers: number, milliseconds: number) => {
  let running = 0
  const step = 10
  return Effect.gen(function* () {
    running++
    for (let done = 0; done < milliseconds; done += step * Math.min(1, workers / running)) yield* Effect.sleep(step)
    running--
  })
}

const times = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

/** Sends requests, many more of them than may run, and tells the limit after each answer, and how long all took. */
const load = (limiter: Limiter, count: number, request: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const began = yield* now
    const limits: Array<number> = []
    yield* Effect.forEach(
      times(count),
      () => Effect.map(limiter.run(request), () => limits.push(limiter.state().limit)),
      { concurrency: 100, discard: true }
    )
    return { limits, took: (yield* now) - began }
  })

const mean = (numbers: ReadonlyArray<number>): number => numbers.reduce((sum, it) => sum + it, 0) / numbers.length

const refusal = (retryAfter?: number) => ({ _tag: "RateLimited", message: "slow down", status: 429, retryAfter })

/** Runs requests one by one until so many may run side by side. */
const grown = (options: LimiterOptions, limit: number) =>
  Effect.gen(function* () {
    const limiter = makeLimiter(options)
    while (limiter.state().limit < limit) yield* load(limiter, 50, Effect.sleep(100))
    return limiter
  })

describe("how many run side by side", () => {
  it("is never more than the cap", async () => {
    let running = 0
    let most = 0
    const limiter = makeLimiter({ parallelism: 5 })
    const request = Effect.gen(function* () {
      most = Math.max(most, ++running)
      yield* Effect.sleep(10)
      running--
    })
    await inTestTime(load(limiter, 500, request))
    expect(most).toBe(5)
    expect(limiter.state()).toEqual({ limit: 5, running: 0, waiting: 0 })
  })

  it("is one at the least, whatever the cap", async () => {
    for (const parallelism of [1, 0, -3, 0.5]) {
      const limiter = makeLimiter({ parallelism })
      const { took } = await inTestTime(load(limiter, 10, Effect.sleep(10)))
      expect(took).toBe(100)
    }
  })

  it("grows up to the cap where answers do not get slower", async () => {
    const { limits } = await inTestTime(load(makeLimiter(), 500, Effect.sleep(200)))
    expect(limits[0]).toBe(4)
    expect(Math.max(...limits)).toBe(16)
    expect(mean(limits.slice(-200))).toBeGreaterThan(14)
  })

  it.each([1, 2, 4, 8])("settles near the number of workers of a registry that queues, here %i", async (workers) => {
    const limiter = makeLimiter({ parallelism: 64 })
    const { limits, took } = await inTestTime(
      load(
        limiter,
        3_000,
        registry(workers, () => 200)
      )
    )
    const settled = limits.slice(300)
    expect(mean(settled)).toBeGreaterThanOrEqual(workers)
    expect(mean(settled)).toBeLessThan(2.3 * workers + 1)
    expect(Math.max(...settled)).toBeLessThan(3 * workers + 2)
    // And the workers are kept busy meanwhile.
    expect(took).toBeLessThan(((3_000 * 200) / workers) * 1.05)
  })

  it.each([1, 2])(
    "settles there too where all that is asked at once shares the time of %i workers",
    async (workers) => {
      const limiter = makeLimiter({ parallelism: 64 })
      const { limits } = await inTestTime(load(limiter, 2_000, sharing(workers, 200)))
      expect(mean(limits.slice(500))).toBeLessThan(2.5 * workers + 1)
    }
  )

  it("stays useful where some requests cost ten times as much as others", async () => {
    const costs = [20, 20, 200, 20, 100]
    let i = 0
    const limiter = makeLimiter()
    const { limits } = await inTestTime(
      load(
        limiter,
        1_000,
        Effect.suspend(() => Effect.sleep(costs[i++ % 5] ?? 0))
      )
    )
    expect(mean(limits.slice(200))).toBeGreaterThan(12)
  })

  it("shrinks when the registry gets slow, and recovers when it stays as slow", async () => {
    let cost = 100
    const limiter = makeLimiter({ parallelism: 16 })
    const { after, before } = await inTestTime(
      Effect.gen(function* () {
        const fast = yield* load(
          limiter,
          500,
          registry(16, () => cost)
        )
        cost = 800
        const slow = yield* load(
          limiter,
          2_000,
          registry(16, () => cost)
        )
        return { before: fast.limits, after: slow.limits }
      })
    )
    expect(mean(before.slice(-100))).toBeGreaterThan(12)
    expect(Math.min(...after)).toBeLessThan(12)
    expect(mean(after.slice(-200))).toBeGreaterThan(12)
  })

  it("does not grow while nobody waits", async () => {
    const limiter = makeLimiter()
    await inTestTime(Effect.forEach(times(300), () => limiter.run(Effect.sleep(50)), { discard: true }))
    expect(limiter.state().limit).toBe(4)
  })

  it("is not misled by failures that come quickly", async () => {
    const limiter = makeLimiter()
    const request = (i: number) =>
      i % 2 === 0 ? Effect.sleep(200) : Effect.ignore(limiter.run(Effect.fail({ _tag: "Missing" })))
    await inTestTime(
      Effect.forEach(times(600), (i) => (i % 2 === 0 ? limiter.run(request(i)) : request(i)), {
        concurrency: 50,
        discard: true
      })
    )
    expect(limiter.state().limit).toBeGreaterThan(12)
  })
})

describe("a registry that is asked too much", () => {
  it("halves the limit once for all that were under way together, however long their refusals take to come", async () => {
    const limiter = await inTestTime(grown({}, 16))
    await inTestTime(
      Effect.forEach(
        times(16),
        (i) => Effect.ignore(limiter.run(Effect.andThen(Effect.sleep(i * 400), Effect.fail(refusal(0))))),
        { concurrency: "unbounded", discard: true }
      )
    )
    expect(limiter.state().limit).toBe(8)
  })

  it("halves it again when it goes on refusing, and never below one", async () => {
    const limiter = await inTestTime(grown({}, 16))
    const limits: Array<number> = []
    await inTestTime(
      Effect.forEach(
        times(6),
        () =>
          Effect.map(Effect.ignore(limiter.run(Effect.andThen(Effect.sleep(1), Effect.fail(refusal())))), () =>
            limits.push(limiter.state().limit)
          ),
        { discard: true }
      )
    )
    expect(limits).toEqual([8, 4, 2, 1, 1, 1])
  })

  it.each([429, 503])("pauses all requests after %i, for as long as it asks", async (status) => {
    const limiter = makeLimiter()
    const starts: Array<number> = []
    const request = (i: number) =>
      limiter.run(
        Effect.gen(function* () {
          starts.push(yield* now)
          yield* Effect.sleep(10)
          if (i === 0) yield* Effect.fail({ ...refusal(5_000), status })
        })
      )
    await inTestTime(
      Effect.forEach(times(10), (i) => Effect.ignore(request(i)), { concurrency: "unbounded", discard: true })
    )
    expect(starts.slice(0, 4)).toEqual([0, 0, 0, 0])
    expect(Math.min(...starts.slice(4))).toBe(5_010)
  })

  it("keeps those waiting for the end of a pause when the pause gets longer", async () => {
    const limiter = makeLimiter()
    const starts: Array<number> = []
    const refused = (after: number, retryAfter: number) =>
      Effect.ignore(limiter.run(Effect.andThen(Effect.sleep(after), Effect.fail(refusal(retryAfter)))))
    await inTestTime(
      Effect.all(
        [
          refused(10, 1_000),
          refused(500, 4_000),
          // Has its place already, and waits for the first pause to end.
          Effect.andThen(
            Effect.sleep(100),
            limiter.run(
              Effect.map(now, (at) => {
                starts.push(at)
              })
            )
          )
        ],
        { concurrency: "unbounded" }
      )
    )
    expect(starts).toEqual([4_500])
  })

  it("pauses for a second where it does not say how long", async () => {
    const limiter = makeLimiter()
    const at = await inTestTime(Effect.andThen(Effect.ignore(limiter.run(Effect.fail(refusal()))), limiter.run(now)))
    expect(at).toBe(1_000)
  })
})

describe("requests a second", () => {
  const starts = (options: LimiterOptions, count: number, failing = -1) => {
    const limiter = makeLimiter(options)
    const seen: Array<number> = []
    return inTestTime(
      Effect.as(
        Effect.forEach(
          times(count),
          (i) =>
            Effect.ignore(
              limiter.run(
                Effect.flatMap(now, (at) => {
                  seen.push(at)
                  return i === failing ? Effect.fail(refusal(2_000)) : Effect.sleep(1)
                })
              )
            ),
          { concurrency: "unbounded", discard: true }
        ),
        seen
      )
    )
  }

  it("are spaced evenly", async () => {
    expect(await starts({ rps: 10 }, 5)).toEqual([0, 100, 200, 300, 400])
  })

  it("keep the pace where a second cannot be divided into whole milliseconds", async () => {
    const seen = await starts({ rps: 300 }, 301)
    expect(seen[300]).toBeGreaterThanOrEqual(1_000)
    expect(seen[300]).toBeLessThan(1_010)
  })

  it("keep their distance after a pause", async () => {
    const seen = await starts({ rps: 10, parallelism: 8 }, 9, 2)
    const distances = seen.slice(1).map((at, i) => at - (seen[i] ?? 0))
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(100)
    expect(seen[3]).toBeGreaterThanOrEqual(2_200)
  })

  it("have no limit of their own if none is given, or none that makes sense", async () => {
    expect(await starts({ rps: 0 }, 4)).toEqual([0, 0, 0, 0])
    expect(await starts({}, 4)).toEqual([0, 0, 0, 0])
  })
})

describe("waiting", () => {
  it("is first come, first served", async () => {
    const limiter = makeLimiter({ parallelism: 2 })
    const order: Array<number> = []
    await inTestTime(
      Effect.forEach(
        times(100),
        (i) =>
          limiter.run(
            Effect.suspend(() => {
              order.push(i)
              return Effect.sleep(1 + ((i * 7) % 5))
            })
          ),
        { concurrency: "unbounded", discard: true }
      )
    )
    expect(order).toEqual(times(100))
  })

  it("costs about as much for each of many as for each of few", { retry: 2 }, async () => {
    const each = async (count: number) => {
      const limiter = makeLimiter()
      const began = performance.now()
      await Effect.runPromise(
        Effect.forEach(times(count), () => limiter.run(Effect.yieldNow), { concurrency: "unbounded", discard: true })
      )
      return (performance.now() - began) / count
    }
    await each(2_000)
    const few = await each(4_000)
    expect(await each(32_000)).toBeLessThan(6 * few)
  })

  it("that is interrupted lets the next one through", async () => {
    const limiter = makeLimiter({ parallelism: 1 })
    const state = await inTestTime(
      Effect.gen(function* () {
        const running = yield* Effect.forkChild(limiter.run(Effect.sleep(100)))
        const waiting = yield* Effect.forkChild(limiter.run(Effect.never))
        const last = yield* Effect.forkChild(limiter.run(now))
        yield* Effect.sleep(1)
        yield* Fiber.interrupt(waiting)
        expect(limiter.state()).toEqual({ limit: 1, running: 1, waiting: 1 })
        yield* Fiber.join(running)
        expect(yield* Fiber.join(last)).toBe(100)
        return limiter.state()
      })
    )
    expect(state).toEqual({ limit: 1, running: 0, waiting: 0 })
  })
})

describe("what passes through", () => {
  it("keeps its answer, its failure and its defect, and gives its place back", async () => {
    const limiter = makeLimiter({ parallelism: 1 })
    const [answer, failure, defect] = await inTestTime(
      Effect.all([
        Effect.exit(limiter.run(Effect.succeed(1))),
        Effect.exit(limiter.run(Effect.fail("no"))),
        Effect.exit(limiter.run(Effect.die("broken")))
      ])
    )
    expect([answer, failure, defect]).toEqual([Exit.succeed(1), Exit.fail("no"), Exit.die("broken")])
    expect(limiter.state()).toEqual({ limit: 1, running: 0, waiting: 0 })
  })

  it("can be interrupted while it runs", async () => {
    const limiter = makeLimiter()
    let stopped = false
    await inTestTime(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(
          limiter.run(
            Effect.onInterrupt(Effect.never, () =>
              Effect.sync(() => {
                stopped = true
              })
            )
          )
        )
        yield* Effect.sleep(1)
        yield* Fiber.interrupt(fiber)
      })
    )
    expect(stopped).toBe(true)
    expect(limiter.state().running).toBe(0)
  })

  it("loses no place, whoever is interrupted when", async () => {
    const step = fc.record({
      wait: fc.nat(6),
      lasts: fc.nat(12),
      ends: fc.constantFrom("well", "badly", "refused", "broken"),
      interrupted: fc.option(fc.nat(12), { nil: undefined })
    })
    const idle = (turns: number): Effect.Effect<void> => Effect.repeat(Effect.yieldNow, { times: turns })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, parallelism) => {
          const limiter = makeLimiter({ parallelism })
          let running = 0
          let most = 0
          const request = ({ ends, lasts }: (typeof steps)[number]) =>
            Effect.gen(function* () {
              most = Math.max(most, ++running)
              yield* idle(lasts)
              if (ends === "badly") yield* Effect.fail("no")
              if (ends === "refused") yield* Effect.fail(refusal(0))
              if (ends === "broken") yield* Effect.die("broken")
            }).pipe(
              Effect.ensuring(
                Effect.sync(() => {
                  running--
                })
              )
            )
          await Effect.runPromise(
            Effect.forEach(
              steps,
              (it) =>
                Effect.gen(function* () {
                  yield* idle(it.wait)
                  const fiber = yield* Effect.forkChild(limiter.run(request(it)))
                  if (it.interrupted === undefined) return yield* Effect.asVoid(Fiber.await(fiber))
                  yield* idle(it.interrupted)
                  yield* Fiber.interrupt(fiber)
                }),
              { concurrency: "unbounded", discard: true }
            )
          )
          expect(most).toBeLessThanOrEqual(parallelism)
          expect(limiter.state()).toMatchObject({ running: 0, waiting: 0 })
          // And all the places are there.
          await Effect.runPromise(limiter.run(Effect.void))
        }
      ),
      { numRuns: 150 }
    )
  })

  it("loses no place while it waits for a pause or for its slot either", async () => {
    const limiter = makeLimiter({ rps: 1 })
    await Effect.runPromise(
      Effect.gen(function* () {
        const fibers = yield* Effect.forEach(times(8), () => Effect.forkChild(limiter.run(Effect.never)))
        yield* TestClock.adjust(1_500)
        for (const fiber of fibers) yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(TestClock.layer()))
    )
    expect(limiter.state()).toEqual({ limit: 4, running: 0, waiting: 0 })
  })
})
