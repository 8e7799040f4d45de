// How tests that throw random damage at us are run, and their corpus: small inputs in files that every run replays, whatever
// the seed. A run begins with the seed of the laws, which is printed.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setting } from "./laws.ts"

/** For fast-check's `assert`: as many runs as FUZZ_RUNS says, else `runs`. */
export const fuzzing = (runs: number) => {
  const seed = setting("LAW_SEED")
  return { numRuns: setting("FUZZ_RUNS") ?? runs, verbose: 1, ...(seed === undefined ? {} : { seed }) } as const
}

/** Time for all of that, in milliseconds. */
export const fuzzTime = (runs: number): number => Math.max(120_000, (setting("FUZZ_RUNS") ?? runs) * 500)

/** The files of a folder, by name, with their texts. */
export const corpus = (folder: string): ReadonlyArray<readonly [name: string, text: string]> =>
  readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), "utf8")])
