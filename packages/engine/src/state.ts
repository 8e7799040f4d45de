/**
 * The two states a plan is made of: what the files want, with the scope that they own, and what the registry has.
 * Both are plain values; who reads them is not known here.
 */
import { type Address, addressOf, type Collection, collectionId } from "./address.ts"
import type { AddressPattern } from "./address-pattern.ts"
import type { Base } from "./base.ts"
import type { ByHand } from "./by-hand.ts"
import type { Policy } from "./guard/policy.ts"
import type { Item, ItemOf, Kind } from "./kind.ts"
import { append } from "./lists.ts"

/**
 * One declared object. `source` is where, as people write it: `acme.yaml:14`. An object that is declared absent is to be
 * deleted if it is there, whatever its kind does with extras; of its item only the identity counts.
 */
export type Declaration<K extends Kind = Kind> = K extends Kind
  ? { readonly kind: K["kind"]; readonly item: ItemOf<K>; readonly source?: string; readonly absent?: true }
  : never

/** A collection that is owned: all that lives in it and is not declared is an extra. */
export interface Owned extends Collection {
  /** Extras are deleted even if the kind keeps them by default. */
  readonly prune?: boolean
}

/**
 * What a file says of every object of a collection whose name matches, those that the registry made by itself among them. It is
 * data that `@quaymaster/config` turns into declarations and scope as soon as it is known who is there; the planner never
 * sees it.
 */
export interface Rule {
  /** The collection that it is over. */
  readonly kind: string
  readonly parent: string
  /** Patterns of names. */
  readonly match: string
  readonly except: ReadonlyArray<string>
  readonly source: string
  /** The fields of the entry, as the kind's section reads them. */
  readonly entry: unknown
  readonly sections: ReadonlyArray<RuleSection>
}

/** A section that a rule has, and for each object that is read from it where it is written, and what stands in its entry. */
export interface RuleSection {
  readonly kind: string
  readonly node: unknown
  readonly prune: boolean
  readonly entries: ReadonlyArray<{ readonly source: string; readonly sections: ReadonlyArray<RuleSection> }>
}

export interface Desired<K extends Kind = Kind> extends ByHand {
  readonly declarations: ReadonlyArray<Declaration<K>>
  readonly scope: ReadonlyArray<Owned>
  /** What is said of objects that may not be known yet. */
  readonly rules?: ReadonlyArray<Rule>
  /** What the files said before, where that is to be compared. */
  readonly base?: Base<K>
  /** Kinds whose objects stay: what would be deleted or replaced of them is told instead. */
  readonly spared?: Spared
  /** What is not to be deleted or replaced, whatever is allowed. */
  readonly protect?: ReadonlyArray<AddressPattern>
  /** What is somebody else's, with all that lives in it: no extra, and not to be deleted. */
  readonly ignore?: ReadonlyArray<AddressPattern>
  /** From how much on the guard speaks up. Default: `defaultPolicy`. */
  readonly policy?: Policy
}

/** All kinds, or some by their names. */
export type Spared = "all" | ReadonlySet<string>

/** One object as the registry has it. */
export interface Found {
  readonly kind: string
  readonly item: Item
}

/** What was read, whole: a collection that is not in `read` is unknown, not empty. */
export interface Actual {
  readonly found: ReadonlyArray<Found>
  readonly read: ReadonlyArray<Collection>
  /** The user that reads and writes, if it could be told. */
  readonly caller?: string
}

/** What a kind may look at to predict what the registry does by itself. */
export interface World {
  readonly caller: string | undefined
  /** The objects that a collection, or any part of it if none is named, will have when everything planned for it is done. */
  collection(collection: Collection): ReadonlyArray<Item>
  /** An object as it is until then: as it was read, or as the registry will have made it. Undefined if it is not known. */
  found(address: Address): Item | undefined
}

/** One of which nothing is known. */
export const unknownWorld: World = { caller: undefined, collection: () => [], found: () => undefined }

/** The actual state, indexed by address and by collection. */
export interface ActualIndex {
  readonly byAddress: ReadonlyMap<string, Found>
  readonly byCollection: ReadonlyMap<string, ReadonlyArray<Found>>
  readonly read: ReadonlySet<string>
}

export const collectionOf = (kind: Kind, item: Item): Collection => ({ kind: kind.kind, ...kind.collection(item) })

/** By the ids of the collections that things are in, and of the whole of which one is a part. */
export const groupByPlace = <A>(
  things: Iterable<A>,
  placeOf: (thing: A) => Collection | undefined
): ReadonlyMap<string, ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const thing of things) {
    const place = placeOf(thing)
    if (place === undefined) continue
    const { kind, parent, part } = place
    append(groups, collectionId({ kind, parent }), thing)
    if (part !== undefined) append(groups, collectionId(place), thing)
  }
  return groups
}

export const indexActual = (kinds: ReadonlyMap<string, Kind>, actual: Actual): ActualIndex => {
  const byAddress = new Map<string, Found>()
  const byCollection = new Map<string, Array<Found>>()
  for (const found of actual.found) {
    const kind = kinds.get(found.kind)
    if (kind === undefined) continue
    const address = addressOf(found.kind, kind.key(found.item))
    // Pages that shift while they are read can tell of one object twice.
    if (byAddress.has(address)) continue
    byAddress.set(address, found)
    append(byCollection, collectionId(collectionOf(kind, found.item)), found)
  }
  return { byAddress, byCollection, read: new Set(actual.read.map(collectionId)) }
}
