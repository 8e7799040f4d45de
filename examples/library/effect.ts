/**
 * The same with Effect: failures are in the types and handled one by one, and the connection lives as long as its scope.
 *
 *   node effect.ts [REGISTRY]
 */
import * as Effect from "effect/Effect"
import { connect, loadProject, planRegistry, quayKinds, walkRegistry } from "quaymaster/effect"
import { organizationOf, squads } from "./company.ts"

const registry = process.argv[2] ?? "sim:"
const project = await loadProject(quayKinds, { organizations: squads.map(organizationOf), registry })

const keep = Effect.forEach(project.targets, (target) =>
  Effect.gen(function* () {
    const connection = yield* connect(target.registry)
    const planned = yield* planRegistry(quayKinds, connection, target.desired)
    console.log(`${planned.registry}: ${planned.operations.length} operations as ${connection.caller ?? "somebody"}`)
    const report = yield* walkRegistry(quayKinds, connection, planned)
    const failed = report.results.filter((result) => result.outcome === "failed")
    console.log(`${report.results.length - failed.length} of ${report.results.length} hold now`)
    const left = yield* planRegistry(quayKinds, connection, target.desired)
    console.log(`left to do: ${left.operations.length}`)
    return failed.length === 0
  })
).pipe(
  Effect.scoped,
  Effect.catchTags({
    Unauthenticated: (error) => Effect.succeed([told(`The token is not valid: ${error.message}`)]),
    NotAdministrator: (error) => Effect.succeed([told(error.message)]),
    PlanRefused: (error) => Effect.succeed([told(error.message)])
  })
)

/** Says what went wrong; it counts as not done. */
const told = (message: string): boolean => {
  console.log(message)
  return false
}

const done = await Effect.runPromise(keep)
process.exitCode = done.every((it) => it) ? 0 : 1
