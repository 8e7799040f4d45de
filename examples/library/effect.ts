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

/** Aborts at Ctrl-C for as long as the scope lasts: what is under way is seen to its end, and nothing new begins. */
const interrupted = Effect.acquireRelease(
  Effect.sync(() => {
    const controller = new AbortController()
    const abort = () => controller.abort()
    process.once("SIGINT", abort)
    return { signal: controller.signal, forget: () => process.off("SIGINT", abort) }
  }),
  ({ forget }) => Effect.sync(forget)
)

/** Says what went wrong, and gives the exit code for it. */
const told = (code: number, message: string): Effect.Effect<number> =>
  Effect.sync(() => {
    console.log(message)
    return code
  })

const keep = Effect.forEach(project.targets, (target) =>
  Effect.gen(function* () {
    const connection = yield* connect(target.registry)
    const planned = yield* planRegistry(quayKinds, connection, target.desired)
    console.log(`${planned.registry}: ${planned.operations.length} operations as ${connection.caller ?? "somebody"}`)
    const { signal } = yield* interrupted
    const report = yield* walkRegistry(quayKinds, connection, planned, { stop: signal })
    const failed = report.results.filter((result) => result.outcome === "failed")
    for (const { error, id } of failed) console.log(`${id}: ${error}`)
    if (report.stopped === "interrupted") return yield* told(130, "Interrupted: run it again to go on.")
    const left = yield* planRegistry(quayKinds, connection, target.desired)
    return yield* told(failed.length === 0 ? 0 : 4, `left to do: ${left.operations.length}`)
  })
).pipe(
  Effect.scoped,
  Effect.map((codes) => Math.max(0, ...codes)),
  Effect.catchTag("Unauthenticated", (error) => told(1, `The token is not valid: ${error.message}`)),
  Effect.catchTag("ConnectionFailed", (error) => told(1, `This cannot be connected to: ${error.message}`)),
  Effect.catchTag("NotAdministrator", (error) => told(1, error.message)),
  Effect.catchTag("PlanBlocked", (error) => told(3, `A person should look at this:\n${error.message}`)),
  Effect.catchTag("PlanRefused", (error) => told(1, error.message)),
  // What is left: the other answers that Quay can give. A mistake in this program is no failure, and still throws.
  Effect.catch((error) => told(1, `${error._tag}: ${error.message}`))
)

process.exitCode = await Effect.runPromise(keep)
