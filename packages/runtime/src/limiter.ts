/**
 * One limiter for each registry, which every request passes, retries too. It lets as many requests run side by side as the
 * registry answers without slowing down: one more while answers come about as fast as the best seen, fewer when they get
 * slow, half when the registry says that it is asked too much. It knows nothing of HTTP.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { faultOf } from "./fault.ts"

export interface LimiterOptions {
  /** The most requests side by side. Default 16. */
  readonly parallelism?: number
  /** The most requests a second. Default: no limit of its own. */
  readonly rps?: number
}

export interface Limiter {
  readonly run: <A, E, R>(request: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** How many may run side by side now, how many do, and how many wait. */
  readonly state: () => { readonly limit: number; readonly running: number; readonly waiting: number }
}

const START = 4
/** Answers this much slower than the best seen still count as near it: a share, and an allowance for noise in ms. */
const NEAR = 1.5
const SLOW = 2.5
const NOISE = 20
/** How much the latest answer counts in the smoothed time. */
const SMOOTHING = 0.2
/** The best time seen is forgotten slowly, so that a registry which got slower for good is not throttled for ever. */
const FORGETTING = 1.002
const FIRST_PAUSE = 1_000

export const makeLimiter = (options: LimiterOptions = {}): Limiter => {
  const most = Math.max(1, options.parallelism ?? 16)
  const waiters = new Set<Deferred.Deferred<void>>()
  let limit = Math.min(START, most)
  let running = 0
  let best = Number.POSITIVE_INFINITY
  let smoothed = 0
  let halvedAt = Number.NEGATIVE_INFINITY
  let pausedUntil = 0
  let nextStart = 0

  const admit = () => {
    for (const waiter of waiters) {
      if (running >= Math.floor(limit)) return
      waiters.delete(waiter)
      running++
      Deferred.doneUnsafe(waiter, Effect.void)
    }
  }
  const release = () => {
    running--
    admit()
  }
  const acquire = Effect.suspend(() => {
    if (waiters.size === 0 && running < Math.floor(limit)) {
      running++
      return Effect.void
    }
    const waiter = Deferred.makeUnsafe<void>()
    waiters.add(waiter)
    const leave = Effect.sync(() => {
      // Interrupted just after it was admitted, it gives its place to the next.
      if (!waiters.delete(waiter)) release()
    })
    return Effect.onInterrupt(Deferred.await(waiter), () => leave)
  })

  /** Waits for the end of a pause, then for this request's slot in the second. */
  const turn = Effect.flatMap(Clock.Clock, (clock) =>
    Effect.suspend(() => {
      const now = clock.currentTimeMillisUnsafe()
      const start = Math.max(now, pausedUntil, nextStart)
      if (options.rps !== undefined) nextStart = start + 1_000 / options.rps
      return start > now ? Effect.sleep(start - now) : Effect.void
    })
  )

  const answered = (milliseconds: number) => {
    best = Math.min(best * FORGETTING, milliseconds)
    smoothed = smoothed === 0 ? milliseconds : smoothed + SMOOTHING * (milliseconds - smoothed)
    if (smoothed <= best * NEAR + NOISE) limit = Math.min(most, limit + 1 / limit)
    else if (smoothed > best * SLOW + NOISE) limit = Math.max(1, limit - 1 / limit)
  }
  const refused = (now: number, retryAfter: number | undefined) => {
    pausedUntil = Math.max(pausedUntil, now + (retryAfter ?? FIRST_PAUSE))
    // Requests that were under way together are refused together: they halve the limit once.
    if (now - halvedAt < FIRST_PAUSE) return
    halvedAt = now
    limit = Math.max(1, limit / 2)
  }

  const run = <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const clock = yield* Clock.Clock
        yield* restore(acquire)
        let began = 0
        const exit = yield* restore(
          Effect.andThen(
            turn,
            Effect.suspend(() => {
              began = clock.currentTimeMillisUnsafe()
              return request
            })
          )
        ).pipe(Effect.exit)
        const now = clock.currentTimeMillisUnsafe()
        if (Exit.isSuccess(exit)) answered(now - began)
        else {
          const error = Exit.findErrorOption(exit)
          const fault = error._tag === "Some" ? faultOf(error.value) : undefined
          if (fault?.throttled === true) refused(now, fault.retryAfter)
        }
        release()
        return yield* exit
      })
    )

  return { run, state: () => ({ limit: Math.floor(limit), running, waiting: waiters.size }) }
}
