/**
 * One limiter for each registry, which every request passes, retries too. It lets as many requests run side by side as the
 * registry answers without slowing down: one more while answers come about as fast as the best seen, fewer when they get
 * slow, half when the registry says that it is asked too much. Now and then it asks half as much for a moment to learn what
 * is best: a registry that got slower for good is not spared for ever, and one whose queue we make is not filled further.
 * It knows nothing of HTTP.
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
const NEAR = 1.3
/** Less than two: requests that are answered twice as fast when half as many run do nothing but wait for each other. */
const SLOW = 1.8
const NOISE = 20
/** So many answers, or as many as run side by side, are judged together by the fastest: some requests cost more than others. */
const ROUND = 8
/** After so many rounds it is found out anew what is best. */
const ROUNDS = 20
const FIRST_PAUSE = 1_000

const millisecondsOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

export const makeLimiter = (options: LimiterOptions = {}): Limiter => {
  const most = Math.max(1, Math.floor(options.parallelism ?? 16))
  const spacing = options.rps === undefined || options.rps <= 0 ? 0 : 1_000 / options.rps
  const waiters = new Set<Deferred.Deferred<void>>()
  let oldest = waiters.values()
  let limit = Math.min(START, most)
  let running = 0
  let begun = 0
  let halvedAt = Number.NEGATIVE_INFINITY
  let pausedUntil = Number.NEGATIVE_INFINITY
  let nextStart = Number.NEGATIVE_INFINITY

  let best = Number.POSITIVE_INFINITY
  /** Whether half as many run, to find out what is best. */
  let checking = false
  /** Requests up to this one began before a check began or ended. They tell nothing of how it is now. */
  let since = 0
  let rounds = 0
  let answers = 0
  let fastest = Number.POSITIVE_INFINITY
  let waited = false

  const allowed = () => (checking ? Math.max(1, Math.floor(limit / 2)) : limit)
  /** Who waits longest. The iterator goes on where it was; a new one would pass again all who have left. */
  const first = (): Deferred.Deferred<void> | undefined => {
    const next = oldest.next()
    if (next.done !== true) return next.value
    oldest = waiters.values()
    return oldest.next().value
  }
  const admit = () => {
    while (running < allowed()) {
      const waiter = first()
      if (waiter === undefined) return
      waiters.delete(waiter)
      running++
      Deferred.doneUnsafe(waiter, Effect.void)
    }
  }
  const release = () => {
    running--
    admit()
  }
  /** Takes a place. Only the waiting can be interrupted: a place once taken is always given back. */
  const acquire = (restore: <A>(waiting: Effect.Effect<A>) => Effect.Effect<A>) =>
    Effect.suspend(() => {
      if (waiters.size === 0 && running < allowed()) {
        running++
        return Effect.void
      }
      const waiter = Deferred.makeUnsafe<void>()
      waiters.add(waiter)
      waited = true
      const leave = Effect.sync(() => {
        // Interrupted just after it was admitted, it gives its place to the next.
        if (!waiters.delete(waiter)) release()
      })
      return Effect.onInterrupt(restore(Deferred.await(waiter)), () => leave)
    })

  /** Waits for the end of a pause, and for this request's slot in the second. */
  const turn = (clock: Clock.Clock): Effect.Effect<void> =>
    Effect.suspend(() => {
      const now = millisecondsOf(clock)
      const start = Math.max(now, pausedUntil, nextStart)
      nextStart = start + spacing
      if (start <= now) return Effect.void
      return Effect.flatMap(Effect.sleep(Math.ceil(start - now)), () =>
        pausedUntil > millisecondsOf(clock) ? turn(clock) : Effect.void
      )
    })

  const check = (begins: boolean) => {
    checking = begins
    since = begun
  }
  const judge = () => {
    if (checking) {
      best = fastest
      check(false)
    } else if (waited) {
      if (limit === 1) best = fastest
      if (fastest <= best * NEAR + NOISE) limit = Math.min(most, limit + 1)
      else if (fastest > best * SLOW + NOISE) limit--
      if (++rounds % ROUNDS === 0) check(true)
    }
  }
  const answered = (request: number, milliseconds: number) => {
    if (request <= since) return
    best = Math.min(best, milliseconds)
    fastest = Math.min(fastest, milliseconds)
    if (++answers < Math.max(ROUND, allowed())) return
    judge()
    answers = 0
    fastest = Number.POSITIVE_INFINITY
    // Where nobody has to wait, the limit makes no difference, and the next round tells nothing of it.
    waited = waiters.size > 0
  }
  const refused = (began: number, now: number, retryAfter: number | undefined) => {
    pausedUntil = Math.max(pausedUntil, now + (retryAfter ?? FIRST_PAUSE))
    // Requests that were under way together are refused together: they halve the limit once.
    if (began <= halvedAt) return
    halvedAt = now
    limit = Math.max(1, Math.floor(limit / 2))
  }

  const run = <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const clock = yield* Clock.Clock
        yield* acquire(restore)
        let number = 0
        let began = 0
        const exit = yield* restore(
          Effect.andThen(
            turn(clock),
            Effect.suspend(() => {
              number = ++begun
              began = millisecondsOf(clock)
              return request
            })
          )
        ).pipe(Effect.exit)
        const now = millisecondsOf(clock)
        if (Exit.isSuccess(exit)) answered(number, now - began)
        else {
          const error = Exit.findErrorOption(exit)
          const fault = error._tag === "Some" ? faultOf(error.value) : undefined
          if (fault?.throttled === true) refused(began, now, fault.retryAfter)
        }
        release()
        return yield* exit
      })
    )

  return { run, state: () => ({ limit: allowed(), running, waiting: waiters.size }) }
}
