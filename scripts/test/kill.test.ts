/**
 * Applies of some five hundred operations that are killed at random moments, as often as QUAYMASTER_KILLS says, and resumed by
 * the same plan: in the end all is there, and nothing was made twice. The commands run as processes, from a bundle as it is
 * published. QUAYMASTER_SEED repeats a run as far as processes can be repeated.
 */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { createSimulator, type Simulator, serveSimulator } from "@quaymaster/simulator"
import { registryState } from "@quaymaster/testing"
import { afterAll, beforeAll, expect, test } from "vitest"

const KILLS = Number(process.env["QUAYMASTER_KILLS"] ?? 10)
const SEED = Number(process.env["QUAYMASTER_SEED"] ?? Math.floor(Math.random() * 2 ** 32))
/** Applies that go on side by side. */
const LANES = 2
/** What each request takes, in milliseconds, so that an apply takes about a second. */
const LATENCY = 30
const TOKEN = "KILLKILLKILL"

const cli = fileURLToPath(new URL("../../apps/cli", import.meta.url))
let folder = ""

/** The published package, made anew, so that what is tested is what is here. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quaymaster-kill-"))
  for (const part of ["bin", "package.json"]) await cp(join(cli, part), join(folder, part), { recursive: true })
  const bundler = [join(cli, "node_modules/rolldown/bin/cli.mjs"), "-c", "rolldown.config.ts"]
  await promisify(execFile)(process.execPath, [...bundler, "-d", join(folder, "dist")], { cwd: cli })
}, 60_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

const names = (what: string, count: number) => Array.from({ length: count }, (_, i) => `${what}${i}`)

const each = <A>(what: string, count: number, entry: (i: number) => A): Record<string, A> =>
  Object.fromEntries(names(what, count).map((name, i) => [name, entry(i)]))

/** An organization with all that there could be two of by mistake: rules, notifications, applications, policies. */
const ORGANIZATION = {
  organization: "acme",
  teams: each("team", 30, () => ({ role: "member", members: { users: ["alice", "bob"] } })),
  robots: each("robot", 40, (i) => ({ description: `Robot ${i}` })),
  default_permissions: names("team", 30).map((team) => ({ role: "read", team })),
  applications: each("app", 30, (i) => ({ description: `Application ${i}` })),
  auto_prune: names("pr-", 10).map((prefix) => ({ method: "number_of_tags", value: 5, tag_pattern: `^${prefix}-` })),
  immutability: names("v", 10).map((prefix) => ({ tag_pattern: `${prefix}.*` })),
  quota: { limit: "1GiB", warning: [50, 60, 70, 80], reject: 100 },
  repositories: each("repo", 60, (i) => ({
    description: `Repository ${i}`,
    permissions: { users: { alice: "read" }, robots: { [`robot${i % 40}`]: "write" } },
    notifications: [
      { event: "repo_push", method: "quay_notification", config: { target: { kind: "user", name: "bob" } } }
    ]
  }))
}

const newRegistry = (): Simulator =>
  createSimulator({
    users: [{ name: "admin", superuser: true }, { name: "alice" }, { name: "bob" }],
    tokens: [{ token: TOKEN, user: "admin" }],
    faults: [{ effect: { kind: "latency", ms: LATENCY } }],
    now: () => 0
  })

interface Lane {
  readonly url: string
  /** Puts an empty registry in the place of the one before, and gives it. */
  readonly renew: () => Simulator
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** One address, behind which there is one registry after another. */
const openLane = async (): Promise<Lane> => {
  let current = newRegistry()
  const served = await serveSimulator({ ...current, answer: (incoming) => current.answer(incoming) })
  return {
    url: served.url,
    renew: () => {
      current = newRegistry()
      return current
    },
    [Symbol.asyncDispose]: served.close
  }
}

const start = (name: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [join(folder, "bin", `${name}.js`), ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], QUAY_TOKEN: TOKEN, NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"]
  })
  let talk = ""
  child.stderr.on("data", (chunk) => {
    talk += String(chunk)
  })
  const ended = once(child, "close").then(([code]): unknown => code)
  return { child, ended, talk: () => talk }
}

const run = async (name: string, ...args: ReadonlyArray<string>): Promise<void> => {
  const { ended, talk } = start(name, ...args)
  expect(await ended, talk()).toBe(0)
}

/** Mulberry32: the same numbers for the same seed. */
const random = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`an apply that is killed ${KILLS} times ends as one that is not`, {
  timeout: 60_000 + KILLS * 10_000
}, async () => {
  let kills = 0
  let applies = 0
  let landed = 0
  const lane = async (number: number): Promise<void> => {
    await using registry = await openLane()
    const next = random(SEED + number)
    const plan = `plan-${number}.json`
    registry.renew()
    await run("quay-plan", "--quiet", "--registry", registry.url, "-o", plan, "acme.yaml")

    const whole = registry.renew()
    const began = performance.now()
    await run("quay-apply", "--quiet", plan)
    const took = performance.now() - began
    const wanted = registryState(whole)

    while (kills < KILLS) {
      const simulator = registry.renew()
      applies++
      for (let whole = false; !whole; ) {
        const { child, ended, talk } = start("quay-apply", "--quiet", plan)
        const reached = await Promise.race([
          ended,
          sleep(kills < KILLS ? took * next() : took * 100, "late", { ref: false })
        ])
        if (reached === "late") {
          kills++
          const before = simulator.requests.total
          child.kill("SIGKILL")
          await ended
          if (before > 10) landed++
        } else {
          expect(reached, talk()).toBe(0)
          whole = true
        }
      }
      expect(registryState(simulator)).toEqual(wanted)
    }
  }
  await writeFile(join(folder, "acme.yaml"), JSON.stringify(ORGANIZATION))
  process.stdout.write(`kill -9: QUAYMASTER_SEED=${SEED}\n`)
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i)))
  process.stdout.write(`kill -9: ${kills} times in ${applies} applies, ${landed} of them while writing\n`)
  expect(landed).toBeGreaterThan(0)
})
