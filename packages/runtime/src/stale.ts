/**
 * Whether a plan is still true: the collections that its operations touch are read again, and each operation is still to be
 * done, done already, or in conflict with what is there now.
 */
import {
  type Actual,
  type AnyOperation,
  addressOf,
  type Collection,
  classify,
  collectionId,
  collectionOf,
  type Item,
  indexActual,
  indexKinds,
  itemOf,
  type Operation,
  type Standing,
  type TargetPlan
} from "@quaymaster/engine"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Failure, Kind, Services, Uniform } from "./kind.ts"
import { read } from "./read.ts"

export interface Conflict {
  readonly id: string
  readonly reason: string
}

/** The registry is no longer as the plan found it. Nothing was changed. */
export class PlanStale extends Data.TaggedError("PlanStale")<{
  readonly registry: string
  readonly conflicts: ReadonlyArray<Conflict>
}> {
  override get message(): string {
    const lines = this.conflicts.map(({ id, reason }) => `${id}: ${reason}`)
    return `${this.registry} is no longer as the plan found it:\n${lines.join("\n")}`
  }
}

/** An operation's standing, and the object as it is now. */
export interface Checked {
  readonly standing: Standing
  readonly now: Item | undefined
}

/** Reads the collections that the operations touch, in bulk. */
export const readTouched = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  operations: ReadonlyArray<AnyOperation>,
  caller: string | undefined
): Effect.Effect<Actual, E, R> =>
  Effect.suspend(() => {
    const known = indexKinds(kinds)
    const scope = new Map<string, Collection>()
    const declared = new Map<string, Set<string>>()
    const wanted = new Map<string, Map<string, Item>>()
    for (const operation of operations) {
      const kind: Kind | undefined = known.get(operation.kind)
      if (kind === undefined) continue
      const collection = collectionOf(kind, itemOf(operation))
      scope.set(collectionId(collection), collection)
      const keys = declared.get(operation.kind) ?? new Set()
      declared.set(operation.kind, keys.add(operation.key))
      if (operation.action === "delete") continue
      const items = wanted.get(operation.kind) ?? new Map<string, Item>()
      wanted.set(operation.kind, items.set(operation.key, operation.after))
    }
    return read(kinds, { scope: [...scope.values()], declared, wanted, caller, alone: true })
  })

/** Reads what the operations touch, and tells for each where it stands. */
export const check = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  operations: ReadonlyArray<AnyOperation>,
  caller: string | undefined
): Effect.Effect<ReadonlyMap<string, Checked>, E, R> =>
  Effect.map(readTouched(kinds, operations, caller), (actual) => {
    const known = indexKinds(kinds)
    const index = indexActual(known, actual)
    const checked = new Map<string, Checked>()
    for (const operation of operations) {
      const kind = known.get(operation.kind)
      if (kind === undefined) continue
      const now = index.byAddress.get(addressOf(operation.kind, operation.key))?.item
      checked.set(operation.id, { standing: classify(kind, operation, now), now })
    }
    return checked
  })

/**
 * Where each operation of a plan stands. What the registry is to do by itself is left for later.
 * @returns a failure with every conflict if there is one.
 */
export const recheck = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  target: TargetPlan<Operation<K>>,
  caller: string | undefined
): Effect.Effect<ReadonlyMap<string, Checked>, E | PlanStale, R> => {
  const operations: ReadonlyArray<AnyOperation> = target.operations
  const own = operations.filter((operation) => operation.impliedBy === undefined)
  return Effect.flatMap(check(kinds, own, caller), (checked) => {
    const conflicts = [...checked].flatMap(([id, { standing }]) =>
      standing.state === "conflict" ? [{ id, reason: conflictReason(standing) }] : []
    )
    return conflicts.length === 0
      ? Effect.succeed(checked)
      : Effect.fail(new PlanStale({ registry: target.registry, conflicts }))
  })
}

/** What is otherwise than the plan says, for a person. */
export const conflictReason = (conflict: Standing & { readonly state: "conflict" }): string => {
  const changes = conflict.changes.map(
    ({ after, before, field }) => `${field} is ${JSON.stringify(before)}, expected ${JSON.stringify(after)}`
  )
  return changes.length === 0 ? conflict.reason : `${conflict.reason} (${changes.join("; ")})`
}
