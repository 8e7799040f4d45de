/** What only a process shows: arguments, streams that are closed, signals, exit codes, the clone's entries. */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { createSimulator, serveSimulator } from "quaymaster/simulator"
import { afterEach, beforeEach, expect, test } from "vitest"
import { ACME, makeWorld, type World } from "./host.ts"

const TIMEOUT = 30_000
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

test("SIGINT lets finish what runs, and the report is printed", { timeout: TIMEOUT }, async () => {
  const simulator = createSimulator({
    users: [{ name: "admin", superuser: true }],
    tokens: [{ token: "ADMINADMINADMIN", user: "admin" }],
    costPerRequest: 40,
    workers: 2
  })
  await using served = await serveSimulator(simulator)
  const teams = Array.from({ length: 80 }, (_, i) => `  t${i}: { role: member }`).join("\n")
  await world.write("many.yaml", `organization: many\nteams:\n${teams}\n`)
  const environment = { QUAY_URL: served.url, QUAY_TOKEN: "ADMINADMINADMIN" }
  const { child, closed, out, until } = start("quay-apply", ["--yes", "many.yaml"], environment)
  await until("stderr", /✓ \+ team /)
  child.kill("SIGINT")
  expect(await closed).toBe(130)
  expect(out.stderr).toMatch(/^Stopping/m)
  expect(out.stdout).toMatch(/Applied \d+ of 81 changes: \d+ created, \d+ not started/)
  const made = Object.keys(simulator.snapshot().organizations["many"]?.teams ?? {}).length
  // What was said to be done is done, and nothing else: the organization, its owners, and the teams.
  expect(out.stdout).toContain(`Applied ${made} of 81 changes`)
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
