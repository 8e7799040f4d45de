/**
 * Where planning starts: what is wanted, what is owned and what is there, each looked up and indexed once. Every later step
 * is given this, and none changes it.
 */
import { addressOf, collectionId, type Ref } from "../address.ts"
import { type AddressPattern, patternFinder } from "../address-pattern.ts"
import { defaultPolicy, type Policy } from "../guard/policy.ts"
import type { Item, Kind } from "../kind.ts"
import { type Actual, type ActualIndex, type Desired, indexActual, type Owned, type Spared } from "../state.ts"
import type { Problem } from "../target-plan.ts"

/** An object, with its kind looked up and its names made. */
export interface Resource {
  readonly address: string
  readonly kind: Kind
  readonly key: string
  readonly item: Item
}

export const resourceOf = (kind: Kind, item: Item): Resource => {
  const key = kind.key(item)
  return { address: addressOf(kind.kind, key), kind, key, item }
}

/** A declared object. `origin` is spread into whatever tells of it. */
export interface Wanted extends Resource {
  readonly origin: { readonly source?: string }
}

export interface Situation {
  readonly kinds: ReadonlyMap<string, Kind>
  /** What is declared, by address. */
  readonly wanted: ReadonlyMap<string, Wanted>
  /** What is declared absent, by address. */
  readonly absent: ReadonlyMap<string, Wanted>
  /** The collections that files own, by their id. */
  readonly owned: ReadonlyMap<string, Owned>
  readonly there: ActualIndex
  readonly caller: string | undefined
  /** Objects whose secrets are sent again, by address. */
  readonly resend: ReadonlySet<string>
  /** What is asked of objects by hand: their addresses, by its name. */
  readonly requests: ReadonlyMap<string, ReadonlySet<string>>
  /** Kinds whose objects stay. */
  readonly spared: Spared | undefined
  /** The ids of the collections that the files managed before; undefined where that is not known. */
  readonly managed: ReadonlySet<string> | undefined
  readonly policy: Policy
  readonly protect: ReadonlyArray<AddressPattern>
  readonly ignore: ReadonlyArray<AddressPattern>
  /** The pattern by which an object is somebody else's, or what it lives in is. */
  readonly ignoredBy: (kind: Kind, item: Item) => AddressPattern | undefined
}

/** Looks everything up. What is declared twice, or of no known kind, is told, and left out. */
export const survey = (
  kinds: ReadonlyMap<string, Kind>,
  desired: Desired,
  actual: Actual
): { readonly situation: Situation; readonly problems: ReadonlyArray<Problem> } => {
  const { absent, wanted, problems } = indexWanted(kinds, desired.declarations)
  const there = indexActual(kinds, actual)
  const { ignore = [], protect = [] } = desired
  const unknown = desired.scope.filter((entry) => !kinds.has(entry.kind))
  return {
    situation: {
      kinds,
      wanted,
      absent,
      owned: indexOwned(desired.scope),
      there,
      caller: actual.caller,
      resend: desired.resend ?? new Set(),
      requests: desired.requests ?? new Map(),
      spared: desired.spared,
      managed: desired.base === undefined ? undefined : new Set(desired.base.scope.map(collectionId)),
      policy: desired.policy ?? defaultPolicy,
      protect,
      ignore,
      ignoredBy: ignoring(kinds, there, ignore)
    },
    problems: [...problems, ...unknown.map((entry) => ({ message: noSuchKind(entry.kind) }))]
  }
}

const indexWanted = (kinds: ReadonlyMap<string, Kind>, declarations: Desired["declarations"]) => {
  const wanted = new Map<string, Wanted>()
  const absent = new Map<string, Wanted>()
  const problems: Array<Problem> = []
  for (const { absent: isAbsent, item, kind: name, source } of declarations) {
    const origin = source === undefined ? {} : { source }
    const kind = kinds.get(name)
    if (kind === undefined) {
      problems.push({ message: noSuchKind(name), ...origin })
      continue
    }
    const want = { ...resourceOf(kind, item), origin }
    const first = wanted.get(want.address) ?? absent.get(want.address)
    if (first === undefined) (isAbsent === true ? absent : wanted).set(want.address, want)
    else {
      const where = first.origin.source === undefined ? "" : `, first at ${first.origin.source}`
      problems.push({ message: `${name} ${want.key} is declared twice${where}.`, ...origin })
    }
  }
  return { wanted, absent, problems }
}

const indexOwned = (scope: ReadonlyArray<Owned>): ReadonlyMap<string, Owned> => {
  const owned = new Map<string, Owned>()
  for (const entry of scope) {
    const id = collectionId(entry)
    // Several files may own one collection: it is pruned if any of them says so, whichever comes first.
    if (owned.get(id)?.prune !== true) owned.set(id, entry)
  }
  return owned
}

const ignoring = (
  kinds: ReadonlyMap<string, Kind>,
  { byAddress }: ActualIndex,
  patterns: ReadonlyArray<AddressPattern>
): Situation["ignoredBy"] => {
  const find = patternFinder(patterns)
  const ignoredBy: Situation["ignoredBy"] = (kind, item) => {
    const own = find(kind.kind, kind.key(item))
    const holder = kinds.get(kind.section.under)
    if (own !== undefined || holder === undefined) return own
    const { parent } = kind.collection(item)
    const found = byAddress.get(addressOf(holder.kind, parent))
    return found === undefined ? find(holder.kind, parent) : ignoredBy(holder, found.item)
  }
  return patterns.length === 0 ? () => undefined : ignoredBy
}

const noSuchKind = (name: string): string => `There is no kind named "${name}".`

/** What an object refers to. An object of a kind that is not known refers to nothing. */
export const needsOf = (kind: Kind | undefined, item: Item): ReadonlyArray<Ref> => kind?.needs?.(item) ?? []

/** Whether the object is there without anybody having asked for it. */
export const isImplicit = ({ caller }: Situation, { item, kind }: Resource): boolean =>
  kind.implicit?.(item, caller) ?? false

/** The address that a reference leads to. */
export const refersTo = (ref: Ref): string => addressOf(ref.kind, ref.key)
