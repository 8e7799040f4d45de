/**
 * Keeps the organizations of a company's squads with the library: plans, goes on only if the guard has nothing against it, applies
 * with progress, and plans again. Ctrl-C starts nothing new and lets running writes finish.
 *
 *   node main.ts [REGISTRY]      a URL, or sim: for a simulated registry (the default); the token is in QUAY_TOKEN
 */
import { apply, ConfigError, ConnectionFailed, PlanBlocked, plan, QuayError } from "quaymaster"
import { organizationOf, squads } from "./company.ts"

const registry = process.argv[2] ?? "sim:"
const stop = new AbortController()
process.once("SIGINT", () => stop.abort())

const options = { organizations: squads.map(organizationOf), registry, signal: stop.signal }

try {
  const planned = await plan(options)
  const { create, delete: deletions, destroys, replace, update } = planned.summary
  console.log(
    `${create} to create, ${update} to update, ${deletions + replace} to delete or replace, ${destroys} of them for good`
  )

  const report = await apply(planned, {
    registry,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === "operation-finished" && event.outcome === "failed") console.log(`${event.id}: ${event.error}`)
    }
  })
  console.log(`apply: ${report.outcome}`)
  if (report.outcome !== "applied") process.exit(report.outcome === "interrupted" ? 130 : 4)

  const left = await plan(options)
  console.log(`left to do: ${left.targets.flatMap((target) => target.operations).length}`)
} catch (error) {
  // Planning ends at once; applying does not reject, its report says that it was interrupted.
  if (stop.signal.aborted) process.exit(130)
  if (error instanceof QuayError || error instanceof ConnectionFailed) {
    console.log(`${registry}: ${error.message}`)
    process.exit(1)
  }
  if (error instanceof PlanBlocked) {
    console.log(`The guard is against this plan, and a person should look at it:\n${error.message}`)
    process.exit(3)
  }
  if (!(error instanceof ConfigError)) throw error
  for (const { message, path } of error.problems) console.log(`${path.join(".")}: ${message}`)
  process.exit(1)
}
