/** Retries: how often, after which pauses, and what must not be repeated. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { describe, expect, it } from "vitest"
import { EventSink, makeLimiter, type RegistryEvent, type RetryOptions, retrying, Stop } from "../src/index.ts"
import { inTestTime, now } from "./clock.ts"

interface Failing {
  readonly _tag: string
  readonly message: string
  readonly operation: string
  readonly transient: boolean
  readonly mayHaveHappened?: boolean
  readonly retryAfter?: number
  readonly status?: number
}

const failure = (fields: Partial<Failing> = {}): Failing => ({
  _tag: "ServerError",
  message: "busy",
  operation: "listTeams",
  transient: true,
  ...fields
})

/** A request that fails so often, then succeeds. It tells when each attempt was made. */
const request = (failures: number, error: Failing) => {
  const attempts: Array<number> = []
  const ask = Effect.gen(function* () {
    attempts.push(yield* now)
    if (attempts.length <= failures) return yield* Effect.fail(error)
    return "answer"
  })
  return { ask, attempts, gaps: () => attempts.slice(1).map((at, i) => at - (attempts[i] ?? 0)) }
}

const repeatable: RetryOptions = { repeatable: true }
const once: RetryOptions = { repeatable: false }

describe("what may succeed later", () => {
  it("is repeated until it does", async () => {
    const { ask, attempts } = request(3, failure())
    expect(await inTestTime(retrying(repeatable)(ask))).toBe("answer")
    expect(attempts.length).toBe(4)
  })

  it("is given up after six attempts, with the last error", async () => {
    const { ask, attempts } = request(99, failure())
    expect(await inTestTime(Effect.exit(retrying(repeatable)(ask)))).toEqual(Exit.fail(failure()))
    expect(attempts.length).toBe(6)
  })

  it("is not repeated once it is to stop, not even after a pause that has begun", async () => {
    const early = request(99, failure())
    const stopped = Effect.provideService(Effect.exit(retrying(repeatable)(early.ask)), Stop, AbortSignal.abort())
    expect(await inTestTime(stopped)).toEqual(Exit.fail(failure()))
    expect(early.attempts.length).toBe(1)

    const late = request(99, failure({ retryAfter: 60_000 }))
    const stop = new AbortController()
    const exit = await inTestTime(
      Effect.gen(function* () {
        const asked = Effect.provideService(Effect.exit(retrying(repeatable)(late.ask)), Stop, stop.signal)
        const fiber = yield* Effect.forkChild(asked)
        yield* Effect.sleep(1_000)
        stop.abort()
        return yield* Fiber.join(fiber)
      })
    )
    expect(exit).toEqual(Exit.fail(failure({ retryAfter: 60_000 })))
    expect(late.attempts.length).toBe(1)
  })

  it("is repeated after pauses that double, give or take a fifth, and never reach five seconds", async () => {
    const seen: Array<ReadonlyArray<number>> = []
    for (let i = 0; i < 40; i++) {
      const { ask, gaps } = request(99, failure())
      await inTestTime(Effect.exit(retrying(repeatable)(ask)))
      seen.push(gaps())
    }
    for (const gaps of seen)
      gaps.forEach((gap, i) => {
        expect(gap).toBeGreaterThanOrEqual(250 * 2 ** i * 0.8 - 1)
        expect(gap).toBeLessThanOrEqual(250 * 2 ** i * 1.2 + 1)
        expect(gap).toBeLessThan(5_000)
      })
    expect(new Set(seen.map(([first]) => first)).size).toBeGreaterThan(10)
  })

  it("is repeated no sooner than the registry asks, and later if the pause is longer anyway", async () => {
    const long = request(2, failure({ retryAfter: 30_000 }))
    await inTestTime(retrying(repeatable)(long.ask))
    expect(long.gaps()).toEqual([30_000, 30_000])
    const short = request(1, failure({ retryAfter: 1 }))
    await inTestTime(retrying(repeatable)(short.ask))
    expect(short.gaps()[0]).toBeGreaterThanOrEqual(200)
  })

  it("starts counting anew when the same effect is run again", async () => {
    const { ask, attempts } = request(99, failure())
    const effect = Effect.exit(retrying(repeatable)(ask))
    await inTestTime(Effect.all([effect, effect]))
    expect(attempts.length).toBe(12)
    expect((attempts[7] ?? 0) - (attempts[6] ?? 0)).toBeLessThanOrEqual(301)
  })

  it("passes the limiter with each attempt, and holds no place while it pauses", async () => {
    const limiter = makeLimiter({ parallelism: 1 })
    const { ask, attempts } = request(1, failure({ retryAfter: 5_000 }))
    const other = await inTestTime(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(retrying(repeatable)(limiter.run(ask)))
        yield* Effect.sleep(1)
        const at = yield* limiter.run(now)
        yield* Fiber.join(fiber)
        return at
      })
    )
    expect(other).toBe(1)
    expect(attempts).toEqual([0, 5_000])
  })
})

describe("what must not happen twice", () => {
  it("is not repeated where it may have happened", async () => {
    const { ask, attempts } = request(1, failure({ mayHaveHappened: true }))
    expect(Exit.isFailure(await inTestTime(Effect.exit(retrying(once)(ask))))).toBe(true)
    expect(attempts.length).toBe(1)
  })

  it("is repeated where it surely did not happen", async () => {
    const { ask, attempts } = request(1, failure({ status: 429 }))
    expect(await inTestTime(retrying(once)(ask))).toBe("answer")
    expect(attempts.length).toBe(2)
  })

  it("stops at the first attempt that may have happened", async () => {
    let attempts = 0
    const ask = Effect.suspend(() => Effect.fail(failure({ mayHaveHappened: ++attempts === 3 })))
    await inTestTime(Effect.exit(retrying(once)(ask)))
    expect(attempts).toBe(3)
  })

  it("is repeated whatever happened if twice is as good as once", async () => {
    const { ask, attempts } = request(2, failure({ mayHaveHappened: true }))
    expect(await inTestTime(retrying(repeatable)(ask))).toBe("answer")
    expect(attempts.length).toBe(3)
  })
})

describe("what cannot succeed", () => {
  it.each([repeatable, once])("fails at once with %o", async (options) => {
    const { ask, attempts } = request(99, failure({ transient: false, retryAfter: 1_000 }))
    const [exit, at] = await inTestTime(Effect.all([Effect.exit(retrying(options)(ask)), now]))
    expect(exit).toEqual(Exit.fail(failure({ transient: false, retryAfter: 1_000 })))
    expect([attempts.length, at]).toEqual([1, 0])
  })

  it("fails at once where the error says nothing of it, or is a defect", async () => {
    for (const ending of [Effect.fail("no"), Effect.fail(undefined), Effect.die(failure())]) {
      let attempts = 0
      const ask = Effect.suspend(() => {
        attempts++
        return ending
      })
      await inTestTime(Effect.exit(retrying(repeatable)(ask)))
      expect(attempts).toBe(1)
    }
  })
})

describe("each repetition", () => {
  it("is told with what is asked, the attempt, the pause and the reason", async () => {
    const events: Array<RegistryEvent> = []
    const { ask, gaps } = request(2, failure({ retryAfter: 2_000 }))
    await inTestTime(
      Effect.provideService(retrying(repeatable)(ask), EventSink, (event) => {
        events.push(event)
      })
    )
    const told = { type: "request-retried", operation: "listTeams", error: "busy", delay: 2_000 }
    expect(events).toEqual([
      { ...told, attempt: 1 },
      { ...told, attempt: 2 }
    ])
    expect(gaps()).toEqual([2_000, 2_000])
  })

  it("is told only if it comes", async () => {
    const events: Array<RegistryEvent> = []
    const { ask } = request(99, failure())
    await inTestTime(
      Effect.provideService(Effect.exit(retrying(repeatable)(ask)), EventSink, (event) => {
        events.push(event)
      })
    )
    expect(events.length).toBe(5)
  })

  it("can be interrupted while it waits", async () => {
    const { ask, attempts } = request(99, failure({ retryAfter: 60_000 }))
    await inTestTime(Effect.timeoutOption(retrying(repeatable)(ask), 1_000))
    expect(attempts.length).toBe(1)
  })
})
