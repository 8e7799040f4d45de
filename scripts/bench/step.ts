/** One step of the benchmark in a process of its own: plans, or plans and applies, and tells how long it took and its memory. */
import { apply, plan } from "quaymaster"
import { organizations } from "./organizations.ts"

const [what, url, size = "{}"] = process.argv.slice(2)
const options = { organizations: organizations(JSON.parse(size)), registry: url, token: "bench-token" }
const began = performance.now()
const planned = await plan(options)
const report = what === "apply" ? await apply(planned, { token: "bench-token", fresh: true }) : undefined
process.send?.({
  milliseconds: performance.now() - began,
  operations: planned.targets.reduce((total, target) => total + target.operations.length, 0),
  outcome: report?.outcome ?? "planned",
  kibibytes: process.resourceUsage().maxRSS
})
process.disconnect?.()
