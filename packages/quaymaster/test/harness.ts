// What the tests of the library share: a registry over HTTP, a directory of files, and the options that lead from one to
// the other. In texts and values `$org` is the test's organization, `$me` the token's user, and a name that begins with `$`
// one that no other test has.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Simulator, SimulatorOptions } from "@quaymaster/simulator"
import { simulatedOnly, simulatorTest, type TestRegistry, testRegistry } from "@quaymaster/testing"
import { expect, test } from "vitest"
import { type Allowances, type ApplyOptions, type ApplyReport, apply, type LibraryPlan, plan } from "../src/index.ts"

export interface Scene {
  readonly registry: TestRegistry
  readonly org: string
  readonly directory: string
  readonly real: (text: string) => string
  /** Writes a file with the real names in it, and gives its name. */
  readonly file: (name: string, text: string) => Promise<string>
  /** For `plan`, `apply` and `validate`. */
  readonly options: {
    readonly cwd: string
    readonly registry: string
    readonly token: string
    readonly env: Record<string, string>
  }
  readonly plan: (organization: object) => Promise<LibraryPlan>
  /** `allow` has `$org` and other names in it, as values have. */
  readonly apply: (plan: LibraryPlan, allow?: Allowances, more?: ApplyOptions) => Promise<ApplyReport>
  /** Plans, applies, and holds that all of it was done and nothing is left. */
  readonly reach: (organization: object, allow?: Allowances) => Promise<LibraryPlan>
  /** An organization's value with the real names in it. */
  readonly value: (organization: object) => object
}

const sceneOf = (registry: TestRegistry, directory: string): Scene => {
  const org = registry.name("acme")
  const real = (text: string): string =>
    text
      .replace(/\$org\b/g, org)
      .replace(/\$me\b/g, registry.caller)
      .replaceAll("$", registry.prefix)
  const value = (organization: object): object => {
    const made: unknown = JSON.parse(real(JSON.stringify({ organization: "$org", ...organization })))
    return typeof made === "object" && made !== null ? made : {}
  }
  const options = { cwd: directory, registry: registry.url, token: registry.token, env: {} }
  const planned: Scene["plan"] = (organization) => plan({ ...options, organizations: [value(organization)] })
  const applied: Scene["apply"] = (made, allow = {}, more = {}) => {
    const named = Object.fromEntries(Object.entries(allow).map(([name, texts]) => [name, texts.map(real)]))
    return apply(made, { ...options, ...more, allow: named })
  }
  return {
    registry,
    org,
    directory,
    real,
    file: async (name, text) => {
      await mkdir(dirname(join(directory, name)), { recursive: true })
      await writeFile(join(directory, name), real(text))
      return name
    },
    options,
    value,
    plan: planned,
    apply: applied,
    reach: async (organization, allow) => {
      const made = await planned(organization)
      expect((await applied(made, allow)).outcome).toBe("applied")
      expect((await planned(organization)).summary).toMatchObject({ create: 0, update: 0, replace: 0, delete: 0 })
      return made
    }
  }
}

const within = async (run: (scene: Scene) => Promise<unknown>, options: SimulatorOptions): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), "quaymaster-"))
  await using registry = await testRegistry(options)
  try {
    for (const user of ["alice", "bob"]) await registry.user(user)
    await run(sceneOf(registry, directory))
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** A test with a registry of its own. */
export const scene = (name: string, run: (scene: Scene) => Promise<unknown>): void => test(name, () => within(run, {}))

/** Skipped on a real Quay, and named so. */
export const simulated = (
  name: string,
  run: (scene: Scene & { readonly simulator: Simulator }) => Promise<unknown>,
  options: SimulatorOptions = {}
): void =>
  // Most of them wait for what is repeated after a pause, each with a registry of its own.
  test.skipIf(simulatedOnly)(simulatorTest(name), { concurrent: true }, () =>
    within(async (made) => {
      const { simulator } = made.registry
      if (simulator !== undefined) await run({ ...made, simulator })
    }, options)
  )

/** What a promise rejects with; fails if it resolves. */
export const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error })
  )
  if ("error" in outcome) return outcome.error
  throw new Error(`resolved to ${JSON.stringify(outcome.value)}`)
}
