/**
 * Plans one registry: part by part, several side by side, so that what is held in memory is a few organizations and not all
 * of them. Who we are is checked again after the reading, before anything that was read is believed.
 */
import {
  type Desired,
  indexKinds,
  mergeTargets,
  type Notice,
  needsOffers,
  type Operation,
  PlanRefused,
  planTarget,
  preflight,
  split,
  type TargetPlan
} from "@quaymaster/engine"
import { Quay } from "@quaymaster/kinds"
import { type Failure, type Kind, read, type Services, type Uniform } from "@quaymaster/runtime"
import type { QuayError } from "@quaymaster/sdk"
import * as Effect from "effect/Effect"
import type { Connection, ConnectionFailed, IdentityChanged } from "./connection.ts"

/** Parts that are read and planned side by side. */
const SIDE_BY_SIDE = 4

/**
 * What is to be done to the registry for it to be as desired.
 * Fails with `PlanRefused` and every problem, if what is wanted contradicts itself or what is there.
 */
export const planRegistry = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  connection: Connection,
  desired: Desired<K>
): Effect.Effect<
  TargetPlan<Operation<K>>,
  E | PlanRefused | ConnectionFailed | IdentityChanged | QuayError,
  Exclude<R, Quay>
> => {
  const { caller, quay, registry, stillUs } = connection
  const target = { registry: registry.name, url: registry.url }
  const planPart = (part: Desired<K>) =>
    Effect.flatMap(read<K, E, R>(kinds, { scope: part.scope, declared: declaredKeys(kinds, part), caller }), (actual) =>
      Effect.try({ try: () => planTarget<K>(kinds, target, part, actual), catch: (error) => error }).pipe(
        Effect.catch((error) => (error instanceof PlanRefused ? Effect.succeed(error) : Effect.die(error)))
      )
    )
  return Effect.gen(function* () {
    const absent = needsOffers(kinds, desired) ? preflight<K>(kinds, desired, yield* quay.server) : []
    if (absent.length > 0) return yield* Effect.fail(new PlanRefused(absent))
    const planned = yield* Effect.forEach(split<K>(kinds, desired), planPart, { concurrency: SIDE_BY_SIDE })
    yield* stillUs
    const problems = planned.flatMap((it) => (it instanceof PlanRefused ? it.problems : []))
    if (problems.length > 0) return yield* Effect.fail(new PlanRefused(problems))
    const plan = mergeTargets(
      target,
      planned.flatMap((it) => (it instanceof PlanRefused ? [] : [it]))
    )
    return caller === undefined ? { ...plan, notices: [unnamed(registry.name), ...plan.notices] } : plan
  }).pipe(Effect.provideService(Quay, quay))
}

const unnamed = (registry: string): Notice => ({
  kind: "registry",
  key: registry,
  message:
    "the token may not say whose it is, so owners and administrators that are not in the files are left alone; " +
    "give it the scope user:read to have them managed"
})

const declaredKeys = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  desired: Desired<K>
): ReadonlyMap<string, ReadonlySet<string>> => {
  const known = indexKinds<Kind>(kinds)
  const keys = new Map<string, Set<string>>()
  const declarations: Desired["declarations"] = desired.declarations
  for (const { item, kind: name } of declarations) {
    const kind = known.get(name)
    if (kind !== undefined) keys.set(name, (keys.get(name) ?? new Set()).add(kind.key(item)))
  }
  return keys
}
