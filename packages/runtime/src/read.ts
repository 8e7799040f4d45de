/**
 * Reads a scope: the collections that files own, and those that planning them consults. Kinds are asked side by side, each
 * for all of its collections at once. A collection that cannot be read is a failure, never an absence.
 */
import { type Actual, type Collection, collectionId, type Found, type Item, indexKinds } from "@quaymaster/engine"
import type { TObject } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { emit } from "./event.ts"
import type { Failure, Kind, Services, Uniform } from "./kind.ts"
import { CurrentReading, Reading } from "./shared.ts"

export interface ReadRequest {
  readonly scope: ReadonlyArray<Collection>
  /** The keys that files declare, by kind. */
  readonly declared: ReadonlyMap<string, ReadonlySet<string>>
  /** What files say of them, by kind and key. */
  readonly wanted?: ReadonlyMap<string, ReadonlyMap<string, Item>>
  readonly caller?: string | undefined
  /** Reads the scope alone, without what planning it would consult. */
  readonly alone?: boolean
  /** Answers are shared with all that is read in the same one. Default: one of its own. */
  readonly reading?: Reading
}

const nothing: ReadonlySet<string> = new Set()

/** The scope and all that it consults, by kind, each collection once. */
const closure = (
  kinds: ReadonlyMap<string, Kind>,
  { alone, scope }: ReadRequest
): ReadonlyMap<string, ReadonlyMap<string, Collection>> => {
  const byKind = new Map<string, Map<string, Collection>>()
  const open = [...scope]
  for (let collection = open.pop(); collection !== undefined; collection = open.pop()) {
    const { kind: name, parent, part } = collection
    const kind = kinds.get(name)
    if (kind === undefined) continue
    const known = byKind.get(name) ?? new Map<string, Collection>()
    byKind.set(name, known)
    const id = collectionId(collection)
    if (known.has(id)) continue
    known.set(id, part === undefined ? { kind: name, parent } : { kind: name, parent, part })
    if (alone !== true) open.push(...(kind.consults?.(collection) ?? []))
  }
  return byKind
}

/** What planning consults only because something that files declare is not there yet. */
const consultedToCreate = (
  kinds: ReadonlyMap<string, Kind>,
  wanted: ReturnType<typeof closure>,
  found: ReadonlyArray<Found>,
  { alone, declared }: ReadRequest
): ReadonlyMap<string, ReadonlyMap<string, Collection>> => {
  const more = new Map<string, Map<string, Collection>>()
  const isRead = ({ kind, parent }: Collection) =>
    [...(wanted.get(kind)?.values() ?? [])].some((collection) => collection.parent === parent)
  for (const [name, own] of wanted) {
    const kind = kinds.get(name)
    if (alone === true || kind?.consultsToCreate === undefined) continue
    const missing = new Set(declared.get(name))
    for (const it of found) if (it.kind === name) missing.delete(kind.key(it.item))
    if (missing.size === 0) continue
    for (const collection of [...own.values()].flatMap((it) => kind.consultsToCreate?.(it) ?? []))
      if (!isRead(collection))
        more.set(
          collection.kind,
          (more.get(collection.kind) ?? new Map<string, Collection>()).set(collectionId(collection), collection)
        )
  }
  return more
}

export const read = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  request: ReadRequest
): Effect.Effect<Actual, E, R> => {
  const known = indexKinds(kinds)
  const listed = (wanted: ReturnType<typeof closure>): Effect.Effect<ReadonlyArray<Found>, E, R> =>
    Effect.map(
      Effect.forEach(
        [...wanted],
        ([name, own]): Effect.Effect<ReadonlyArray<Found>, E, R> => {
          const kind: Kind<string, TObject, E, R> | undefined = known.get(name)
          if (kind === undefined) return Effect.succeed([])
          const items = kind.list([...own.values()], request.declared.get(name) ?? nothing, request.wanted?.get(name))
          return Effect.map(items, (list) => list.map((item): Found => ({ kind: name, item })))
        },
        { concurrency: "unbounded" }
      ),
      (lists) => lists.flat()
    )
  const collectionsOf = (wanted: ReturnType<typeof closure>) => [...wanted.values()].flatMap((it) => [...it.values()])
  const reading = Effect.gen(function* () {
    const wanted = closure(known, request)
    const collections = collectionsOf(wanted)
    yield* emit({ type: "read-started", collections: collections.length })
    const first = yield* listed(wanted)
    const more = consultedToCreate(known, wanted, first, request)
    const found = [...first, ...(yield* listed(more))]
    yield* emit({ type: "read-finished", objects: found.length })
    const caller = request.caller === undefined ? {} : { caller: request.caller }
    return { found, read: [...collections, ...collectionsOf(more)], ...caller }
  })
  return Effect.suspend(() => Effect.provideService(reading, CurrentReading, request.reading ?? new Reading()))
}
