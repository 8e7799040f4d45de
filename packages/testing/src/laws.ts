// How often laws are tried, and with what chance. Every run prints the seed it begins with (vitest.config.ts); LAW_SEED
// repeats that one, and LAW_RUNS tries more cases, or fewer.

/** What the environment says as a whole number, if it does. */
export const setting = (name: string): number | undefined => {
  const text = process.env[name]
  if (text === undefined || text === "") return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Error(`${name} is no whole number: ${text}`)
  return value
}

/** Fewer would not meet what is rare. */
const CASES = 1000

const seed = setting("LAW_SEED")

/** For fast-check's `assert`. Cases that contradict themselves are drawn again. */
export const lawful = {
  numRuns: setting("LAW_RUNS") ?? CASES,
  maxSkipsPerRun: 20,
  ...(seed === undefined ? {} : { seed })
}

/** Time for all of that, in milliseconds: one that hangs is a failure. */
export const LAW_TIMEOUT = Math.max(180_000, lawful.numRuns * 1000)
