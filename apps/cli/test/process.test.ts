/** What only a process shows: arguments, streams that are closed, signals, exit codes, the clone's entries. */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { acquireLock } from "quaymaster"
import { createSimulator, serveSimulator } from "quaymaster/simulator"
import { afterEach, beforeEach, expect, test } from "vitest"
import { ACME, makeWorld, type World } from "./host.ts"

const TIMEOUT = 90_000
const root = fileURLToPath(new URL("../../..", import.meta.url))
const bin = (name: string) => join(root, "apps/cli/src/bin", `${name}.ts`)
const exec = promisify(execFile)

let world: World
beforeEach(async () => {
  world = await makeWorld()
  await world.write("acme.yaml", ACME)
})
afterEach(() => world[Symbol.asyncDispose]())

/** The environment without what the runner of these tests brings along. */
const env = (more: Readonly<Record<string, string>> = {}) => {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|QUAY_)/.test(name))
  return { ...Object.fromEntries(kept), ...more }
}

const start = (name: string, args: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, [bin(name), ...args], { cwd: world.folder, env: env(more) })
  const out = { stdout: "", stderr: "" }
  child.stdout.on("data", (chunk) => {
    out.stdout += String(chunk)
  })
  child.stderr.on("data", (chunk) => {
    out.stderr += String(chunk)
  })
  const closed = once(child, "close").then(([code]): unknown => code)
  const until = async (of: "stdout" | "stderr", pattern: RegExp) => {
    while (!pattern.test(out[of])) await once(child[of], "data")
  }
  return { child, out, closed, until }
}

test("arguments, streams and the exit code", { timeout: TIMEOUT }, async () => {
  const args = ["--registry", "sim:./quay.json", "--json", "--detailed-exitcode", "acme.yaml"]
  const { closed, out } = start("quay-plan", args)
  expect(await closed).toBe(2)
  expect(out.stderr).toBe("")
  expect(JSON.parse(out.stdout)).toMatchObject({ summary: { create: 12 } })
})

test("a reader that has had enough is no error", { timeout: TIMEOUT }, async () => {
  const script = 'set -o pipefail; "$0" "$1" --completions bash | head -n 1'
  const { stderr, stdout } = await exec("bash", ["-c", script, process.execPath, bin("quaymaster")], { env: env() })
  expect(stderr).toBe("")
  expect(stdout.split("\n")).toHaveLength(2)
})

test("from a clone's script, paths start where the user is", { timeout: TIMEOUT }, async () => {
  const args = [bin("quaymaster"), "validate", "--registry", "sim:", "acme.yaml"]
  const script = { INIT_CWD: world.folder, npm_lifecycle_event: "quaymaster" }
  const { stdout } = await exec(process.execPath, args, { cwd: root, env: env(script) })
  expect(stdout).toContain("Valid. 1 file")
  const other = exec(process.execPath, args, { cwd: root, env: env({ ...script, npm_lifecycle_event: "build" }) })
  await expect(other).rejects.toMatchObject({ code: 1 })
})

/** A slow registry, and a file that wants many teams of it. */
const slow = async (costPerRequest = 40) => {
  const simulator = createSimulator({
    users: [{ name: "admin", superuser: true }],
    tokens: [{ token: "ADMINADMINADMIN", user: "admin" }],
    costPerRequest,
    workers: 2
  })
  const served = await serveSimulator(simulator)
  const teams = Array.from({ length: 80 }, (_, i) => `  t${i}: { role: member }`).join("\n")
  await world.write("many.yaml", `organization: many\nteams:\n${teams}\n`)
  const environment = { QUAY_URL: served.url, QUAY_TOKEN: "ADMINADMINADMIN" }
  const made = () => Object.keys(simulator.snapshot().organizations["many"]?.teams ?? {}).length
  return { simulator, environment, made, [Symbol.asyncDispose]: () => served.close() }
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`${signal} lets finish what runs, and the report is printed`, { timeout: TIMEOUT }, async () => {
    await using registry = await slow()
    const args = ["--yes", "--lock", "apply lock", "many.yaml"]
    const { child, closed, out, until } = start("quay-apply", args, registry.environment)
    await until("stderr", /✓ \+ team /)
    child.kill(signal)
    expect(await closed).toBe(130)
    expect(out.stderr).toMatch(/^Stopping/m)
    expect(out.stdout).toMatch(/Applied \d+ of 81 changes: \d+ created, \d+ not started/)
    // What was said to be done is done, and nothing else: the organization, its owners, and the teams.
    expect(out.stdout).toContain(`Applied ${registry.made()} of 81 changes`)
    expect(out.stdout.trimEnd().split("\n").at(-1)).toBe(
      "What is done stays done. Resume with  quay-apply --yes --lock 'apply lock' many.yaml"
    )
    expect(await readdir(world.folder)).not.toContain("apply lock")
  })

test("a second signal leaves at once, and says what is uncertain", { timeout: TIMEOUT }, async () => {
  await using registry = await slow()
  registry.simulator.faults.add({ on: "PUT", skip: 4, effect: { kind: "time-out" } })
  const args = ["--yes", "-o", "plan.json", "--lock", "lock", "--journal", "journal.ndjson", "many.yaml"]
  const { child, closed, out, until } = start("quay-apply", args, registry.environment)
  await until("stderr", /✓ \+ team /)
  child.kill("SIGINT")
  await until("stderr", /^Stopping/m)
  await new Promise((resolve) => setTimeout(resolve, 500))
  child.kill("SIGTERM")
  expect(await closed).toBe(130)
  expect(out.stderr).toMatch(
    /^Left at once. It is not known whether \d+ operations happened:\n {2}\? \+ team many\/t\d+$/m
  )
  const resume = "quay-apply --journal journal.ndjson --lock lock plan.json"
  expect(out.stderr.trimEnd().split("\n").at(-1)).toBe(`What is done stays done. Resume with  ${resume}`)
  expect((await readdir(world.folder)).sort()).toEqual(["acme.yaml", "journal.ndjson", "many.yaml", "plan.json"])

  registry.simulator.faults.clear()
  const again = start("quay-apply", resume.split(" ").slice(1), registry.environment)
  expect(await again.closed).toBe(0)
  expect(again.out.stderr).toMatch(/^The apply before broke off with \d+ operations under way/m)
  expect(registry.made()).toBe(81)
})

test("a signal while the registry is read changes nothing, and ends it", { timeout: TIMEOUT }, async () => {
  await using registry = await slow(0)
  registry.simulator.faults.add({ on: "GET /api/v1/organization/{orgname}", effect: { kind: "time-out" } })
  const { child, closed, out } = start("quay-apply", ["--yes", "many.yaml"], registry.environment)
  await expect
    .poll(() => registry.simulator.requests.of("GET /api/v1/organization/{orgname}"), { timeout: 20_000 })
    .toBe(1)
  child.kill("SIGTERM")
  expect(await closed).toBe(130)
  expect(out.stderr).toContain("Interrupted. Nothing was changed.")
  expect(out.stdout).toBe("")
})

test("a signal while a saved plan is checked ends it with a report of nothing done", { timeout: TIMEOUT }, async () => {
  await using registry = await slow(0)
  const planned = start("quay-plan", ["-o", "plan.json", "many.yaml"], registry.environment)
  expect(await planned.closed).toBe(0)
  registry.simulator.requests.reset()
  registry.simulator.faults.add({ on: "GET /api/v1/organization/{orgname}", effect: { kind: "time-out" } })
  const { child, closed, out } = start("quay-apply", ["plan.json"], registry.environment)
  await expect
    .poll(() => registry.simulator.requests.of("GET /api/v1/organization/{orgname}"), { timeout: 20_000 })
    .toBe(1)
  child.kill("SIGINT")
  expect(await closed).toBe(130)
  expect(out.stdout).toMatch(/Applied 0 of 81 changes: 81 not started/)
  expect(out.stdout).toMatch(/Resume with {2}quay-apply plan.json\n$/)
})

test("a killed apply is gone on with by its journal", { timeout: TIMEOUT }, async () => {
  await using registry = await slow()
  const flags = ["--lock", "lock", "--journal", "journal.ndjson"]
  expect(await start("quay-plan", ["-o", "plan.json", "many.yaml"], registry.environment).closed).toBe(0)
  const first = start("quay-apply", [...flags, "plan.json"], registry.environment)
  await first.until("stderr", /✓ \+ team /)
  first.child.kill("SIGKILL")
  await first.closed
  const second = start("quay-apply", [...flags, "plan.json"], registry.environment)
  expect(await second.closed).toBe(0)
  expect(second.out.stderr).toMatch(/^The apply before broke off with \d+ operations? under way/m)
  expect(second.out.stdout).toMatch(/Applied 81 of 81 changes/)
  expect(registry.made()).toBe(81)
})

test("who comes second to a lock is told who has it, or waits", { timeout: TIMEOUT }, async () => {
  await using registry = await slow(0)
  const lock = await acquireLock("lock", { cwd: world.folder })
  const args = ["--yes", "--lock", "lock", "many.yaml"]
  const refused = start("quay-apply", args, registry.environment)
  expect(await refused.closed).toBe(1)
  expect(refused.out.stderr).toMatch(
    new RegExp(`^error: lock is locked by process ${process.pid} on .+ since .+\\.\nWait for it with --lock-timeout`)
  )
  const waiting = new RegExp(`^Waiting for lock, which process ${process.pid} on .+ has\\.$`, "m")
  const left = start("quay-apply", ["--lock-timeout", "1m", ...args], registry.environment)
  await left.until("stderr", waiting)
  left.child.kill("SIGINT")
  expect(await left.closed).toBe(130)
  expect(left.out.stderr).toContain("Interrupted. Nothing was changed.")
  const patient = start("quay-apply", ["--lock-timeout", "1m", ...args], registry.environment)
  await patient.until("stderr", waiting)
  expect(registry.simulator.requests.total).toBe(0)
  await lock.release()
  expect(await patient.closed).toBe(0)
  expect(registry.made()).toBe(81)
  expect(await readdir(world.folder)).not.toContain("lock")
})

test("a simulated registry answers, and ends when it is told to", { timeout: TIMEOUT }, async () => {
  const flags = ["--port", "0", "--superuser", "root:ROOTROOTROOT", "--token", "bob:BOBBOBBOB:repo:read,user:read"]
  const { child, closed, out, until } = start("quaymaster", ["simulate", ...flags])
  await until("stdout", /\n/)
  const url = out.stdout.trim()
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const user = async (token: string) => {
    const answer = await fetch(`${url}/api/v1/user/`, { headers: { authorization: `Bearer ${token}` } })
    return answer.json()
  }
  expect(await user("ROOTROOTROOT")).toMatchObject({ username: "root", super_user: true })
  expect(await user("BOBBOBBOB")).toMatchObject({ username: "bob" })
  child.kill("SIGTERM")
  expect(await closed).toBe(0)
  expect(out.stderr).toBe("")
})
