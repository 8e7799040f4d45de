/**
 * The benchmark: `pnpm bench`. Plans, applies and plans again many organizations against a simulated registry at a simulated
 * cost per request, and prints what each step asked, took and held; then how long the built commands take to say `--help`.
 * The counts of requests are exact; times and memory depend on the machine.
 */
import { fork, spawnSync } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Size } from "./organizations.ts"

const { values: flags } = parseArgs({
  options: {
    organizations: { type: "string", default: "20" },
    repositories: { type: "string", default: "50" },
    teams: { type: "string", default: "3" },
    robots: { type: "string", default: "4" },
    cost: { type: "string", default: "5" },
    workers: { type: "string", default: "2" },
    runs: { type: "string", default: "15" }
  }
})
const size: Size = {
  organizations: Number(flags.organizations),
  repositories: Number(flags.repositories),
  teams: Number(flags.teams),
  robots: Number(flags.robots)
}
const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const field = (message: unknown, name: string): unknown =>
  typeof message === "object" && message !== null ? Reflect.get(message, name) : undefined

const server = fork(beside("server.ts"), [flags.cost, flags.workers])
const [ready] = await once(server, "message")
const url = String(field(ready, "url"))

const counts = async (): Promise<ReadonlyArray<readonly [string, number]>> => {
  server.send("counts")
  const [message] = await once(server, "message")
  return Object.entries(field(message, "counts") ?? {})
    .map(([operation, count]): [string, number] => [operation, Number(count)])
    .sort(([, a], [, b]) => b - a)
}

/** Who we are, and what the registry offers: asked for a registry, however many organizations it has. */
const ONCE = new Set(["GET /api/v1/user/", "GET /config"])

/** Runs a step and prints its figures; gives the number of requests and operations. */
const step = async (title: string, what: "plan" | "apply") => {
  const child = fork(beside("step.ts"), [what, url, JSON.stringify(size)])
  const [message] = await once(child, "message")
  const asked = await counts()
  const total = asked.reduce((sum, [, count]) => sum + count, 0)
  const seconds = (Number(field(message, "milliseconds")) / 1_000).toFixed(2)
  const mebibytes = Math.round(Number(field(message, "kibibytes")) / 1_024)
  const operations = Number(field(message, "operations"))
  console.log(
    `\n${title}: ${field(message, "outcome")}, ${operations} operations, ${total} requests, ${seconds} s, peak ${mebibytes} MiB`
  )
  for (const [operation, count] of asked) console.log(`  ${String(count).padStart(6)}  ${operation}`)
  const shared = asked.reduce((sum, [operation, count]) => sum + (ONCE.has(operation) ? count : 0), 0)
  return { operations, shared, total }
}

console.log(
  `${size.organizations} organizations × ${size.repositories} repositories × ${size.teams} teams × ${size.robots} robots, ` +
    `two robots and one team on each repository; ${flags.cost} ms a request, ${flags.workers} server workers`
)
await step("plan", "plan")
await step("plan and apply", "apply")
const second = await step("second plan", "plan")
server.disconnect()

// T and B count the teams and robots with any repository; nobody but the caller has a permission of their own, so D is 0.
const budget = 6 + Math.ceil(size.repositories / 100) + size.teams + size.robots
const each = (second.total - second.shared) / size.organizations
console.log(
  `\nsecond plan: ${each.toFixed(2)} requests an organization, at most ${budget} are allowed (6 + ⌈R/100⌉ + T + B + D), ` +
    `and ${second.shared} for the registry; ` +
    `${second.operations} operations, none are allowed`
)

const median = (numbers: ReadonlyArray<number>): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0
const timed = (args: ReadonlyArray<string>): number => {
  const began = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: "ignore" })
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}`)
  return performance.now() - began
}
const commands = ["quay-plan", "quay-apply", "quaymaster"].map((name) => ({
  name,
  args: [beside(`../../apps/cli/bin/${name}.js`), "--help"]
}))
const bare: Array<number> = []
const helped = new Map<string, Array<number>>(commands.map(({ name }) => [name, []]))
for (let run = 0; run < Number(flags.runs); run++) {
  bare.push(timed(["-e", "0"]))
  for (const { args, name } of commands) helped.get(name)?.push(timed(args))
}
console.log(`\n--help of the built commands over node -e 0 (median of ${flags.runs}); at most 150 ms are allowed`)
console.log(`  node -e 0  ${median(bare).toFixed(0)} ms`)
for (const [name, times] of helped)
  console.log(`  ${name}  ${median(times).toFixed(0)} ms, ${(median(times) - median(bare)).toFixed(0)} ms more`)
if (second.operations > 0 || each > budget) process.exitCode = 1
