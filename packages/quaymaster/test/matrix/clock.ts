// A clock that waits for nobody: when every request is answered and all that is left to do is to sleep, it goes on to the
// next time at which somebody wakes.
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface SwiftClock {
  readonly clock: Clock.Clock
  readonly now: () => number
  /** Runs something at a later time. */
  readonly later: (milliseconds: number, run: () => void) => void
  /** The clock stands still until what it gives is called. */
  readonly hold: () => () => void
}

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export const swiftClock = (): SwiftClock => {
  let now = 0
  let held = 0
  let ticking = false
  const sleepers = new Set<Sleeper>()

  const tick = () => {
    ticking = false
    if (held > 0 || sleepers.size === 0) return
    const [first] = [...sleepers].sort((a, b) => a.at - b.at)
    if (first === undefined) return
    sleepers.delete(first)
    now = Math.max(now, first.at)
    first.wake()
    tickSoon()
  }
  /** Whoever was woken comes first to what it does next. */
  const tickSoon = () => {
    if (ticking) return
    ticking = true
    setImmediate(() => setImmediate(tick))
  }
  const later: SwiftClock["later"] = (milliseconds, run) => {
    sleepers.add({ at: now + milliseconds, wake: run })
    tickSoon()
  }
  const nanoseconds = () => BigInt(Math.round(now * 1_000_000))
  return {
    now: () => now,
    later,
    hold: () => {
      held++
      return () => {
        held--
        tickSoon()
      }
    },
    clock: {
      currentTimeMillisUnsafe: () => now,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanosUnsafe: nanoseconds,
      currentTimeNanos: Effect.sync(nanoseconds),
      monotonicTimeNanosUnsafe: nanoseconds,
      monotonicTimeNanos: Effect.sync(nanoseconds),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          const sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
          sleepers.add(sleeper)
          tickSoon()
          return Effect.sync(() => void sleepers.delete(sleeper))
        })
    }
  }
}
