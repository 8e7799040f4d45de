/**
 * Plans one registry: part by part, several side by side, so that what is held in memory is a few organizations and not all
 * of them. Who we are is checked again after the reading, before anything that was read is believed.
 */
import { expandRules, ruledCollections, standIns } from "@quaymaster/config"
import {
  type Actual,
  type AnyOperation,
  type Collection,
  type Desired,
  type Item,
  indexBase,
  indexKinds,
  itemOf,
  mergeTargets,
  type Notice,
  needsOffers,
  type Operation,
  PlanRefused,
  type Problem,
  planTarget,
  preflight,
  split,
  type TargetPlan,
  unseenGroups
} from "@quaymaster/engine"
import { Quay } from "@quaymaster/kinds"
import { type Failure, type Kind, Reading, read, type Services, type Uniform } from "@quaymaster/runtime"
import type { QuayFailure } from "@quaymaster/sdk"
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
  E | PlanRefused | ConnectionFailed | IdentityChanged | QuayFailure,
  Exclude<R, Quay>
> => {
  const { caller, quay, registry, stillUs } = connection
  const target = { registry: registry.name, url: registry.url }
  const baseOf = desired.base === undefined ? undefined : indexBase<K>(kinds, desired.base)
  /** What the files said before of what was read. */
  const before = (actual: Actual): Pick<Desired<K>, "base"> =>
    baseOf === undefined ? {} : { base: expandRules(kinds, baseOf(actual.read), actual.found).desired }
  const planPart = (part: Desired<K>) =>
    Effect.gen(function* () {
      const reading = new Reading()
      const known = (scope: ReadonlyArray<Collection>, desired: Desired<K>, alone: boolean) =>
        read<K, E, R>(kinds, { scope, ...declaredIn(kinds, desired), caller, reading, alone })
      // Rules speak of whatever is there, so who is there is read first. It is read no second time.
      const ruled = ruledCollections(part)
      const { found } = ruled.length === 0 ? { found: [] } : yield* known(ruled, part, true)
      const { clashes, desired } = expandRules(kinds, part, found)
      if (clashes.length > 0)
        return new PlanRefused(
          clashes.map(({ message, rules }) => ({ message: `${message}.`, source: rules[1].source }))
        )
      const scope = [...desired.scope, ...ruled]
      const actual = yield* known(scope, desired, false)
      const first = yield* planned({ ...desired, ...before(actual) }, actual)
      // Whether somebody is locked out is worth a second look, at groups that the plan itself has no need of.
      const groups = first instanceof PlanRefused || !isAboutAccess(first, desired) ? [] : unseenGroups(kinds, actual)
      if (groups.length === 0) return first
      const more = yield* known([...scope, ...groups], desired, false)
      return yield* planned({ ...desired, ...before(more) }, more)
    })
  const planned = (desired: Desired<K>, actual: Actual) =>
    Effect.try({ try: () => planTarget<K>(kinds, target, desired, actual), catch: (error) => error }).pipe(
      Effect.catch((error) => (error instanceof PlanRefused ? Effect.succeed(error) : Effect.die(error)))
    )
  return Effect.gen(function* () {
    // What rules may ask of the registry is known before it is known of whom they speak.
    const wanted = expandRules(kinds, desired, standIns(kinds, desired)).desired
    const absent = needsOffers(kinds, wanted) ? preflight<K>(kinds, wanted, yield* quay.server) : []
    if (absent.length > 0) return yield* Effect.fail(new PlanRefused(absent))
    const parts = yield* Effect.forEach(split<K>(kinds, desired), planPart, { concurrency: SIDE_BY_SIDE })
    yield* stillUs
    const problems = parts.flatMap((it) => (it instanceof PlanRefused ? it.problems : []))
    if (problems.length > 0) return yield* Effect.fail(new PlanRefused(problems))
    const plan = mergeTargets(
      target,
      parts.flatMap((it) => (it instanceof PlanRefused ? [] : [it]))
    )
    const forbidden = yield* withoutRight(kinds, plan.operations, quay.whyNot)
    if (forbidden.length > 0) return yield* Effect.fail(new PlanRefused(forbidden))
    return caller === undefined ? { ...plan, notices: [unnamed(registry.name), ...plan.notices] } : plan
  }).pipe(Effect.provideService(Quay, quay))
}

const DONE = { create: "created", update: "changed", replace: "replaced", delete: "deleted" }

/** What is planned and not allowed. */
const withoutRight = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  operations: ReadonlyArray<AnyOperation>,
  whyNot: Quay["Service"]["whyNot"]
): Effect.Effect<ReadonlyArray<Problem>, QuayFailure> => {
  const known = indexKinds<Kind>(kinds)
  const needed = operations.flatMap((operation) => {
    const changes = operation.action === "update" ? operation.changes : []
    const rights = known.get(operation.kind)?.rights?.(itemOf(operation), operation.action, changes) ?? []
    return rights.map((right) => ({ operation, right }))
  })
  return Effect.map(
    Effect.forEach(needed, ({ operation: { action, key, kind, source }, right }) =>
      Effect.map(whyNot(right), (reason) =>
        reason === undefined
          ? []
          : [
              {
                message: `${kind} ${key} cannot be ${DONE[action]}: ${reason}.`,
                ...(source === undefined ? {} : { source })
              }
            ]
      )
    ),
    (problems) => problems.flat()
  )
}

const unnamed = (registry: string): Notice => ({
  kind: "registry",
  key: registry,
  message:
    "the token may not say whose it is, so owners and administrators that are not in the files are left alone; " +
    "give it the scope user:read to have them managed"
})

/** Whether it matters who is in groups that administer something. */
const isAboutAccess = <K extends Kind>({ scope, verdicts }: TargetPlan, { policy }: Desired<K>): boolean =>
  verdicts.some(({ allowance }) => allowance === "lockout") ||
  (policy?.administrators !== undefined && scope.length > 0)

/** What kinds are told of what is declared, and of what is said of that. */
const declaredIn = <K extends Kind>(kinds: ReadonlyArray<K>, desired: Desired<K>) => {
  const wanted = wantedOf(kinds, desired)
  return { wanted, declared: new Map([...wanted].map(([kind, items]) => [kind, new Set(items.keys())])) }
}

/** What is declared, by kind and key. */
const wantedOf = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  desired: Desired<K>
): ReadonlyMap<string, ReadonlyMap<string, Item>> => {
  const known = indexKinds<Kind>(kinds)
  const wanted = new Map<string, Map<string, Item>>()
  const declarations: Desired["declarations"] = desired.declarations
  for (const { item, kind: name } of declarations) {
    const kind = known.get(name)
    if (kind !== undefined) wanted.set(name, (wanted.get(name) ?? new Map()).set(kind.key(item), item))
  }
  return wanted
}
