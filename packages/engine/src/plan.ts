/**
 * The planner: desired state, actual state and scope in, operations out. No clock, no I/O: the same input gives the same
 * bytes. What it leaves out: whether the plan is allowed (a matter of policy), and whether it is still true when it is applied.
 */
import { addressOf, byText, type Collection, collectionId, type Ref } from "./address.ts"
import { type Change, diff, overlay } from "./diff.ts"
import { findCycle } from "./graph.ts"
import { type Implied, type Item, indexKinds, type Kind } from "./kind.ts"
import { type AnyOperation, isOperationOf, type Operation } from "./operation.ts"
import { removals } from "./removal.ts"
import { type Actual, collectionOf, type Desired, type Found, indexActual, type Owned, type World } from "./state.ts"

/** A mistake in what is wanted. `source` is where, as people write it. */
export interface Problem {
  readonly message: string
  readonly source?: string
}

/** The wanted state cannot be planned. All the problems at once. */
export class PlanRefused extends Error {
  override readonly name = "PlanRefused"
  readonly _tag = "PlanRefused"
  readonly problems: ReadonlyArray<Problem>
  constructor(problems: ReadonlyArray<Problem>) {
    super(problems.map((it) => (it.source === undefined ? it.message : `${it.source}: ${it.message}`)).join("\n"))
    this.problems = problems
  }
}

/** An object in an owned collection that no file declares, and that stays. */
export interface Extra {
  readonly kind: string
  readonly key: string
  readonly reason: string
}

/** A declared object whose difference the registry offers no way to mend. */
export interface Stuck {
  readonly kind: string
  readonly key: string
  readonly changes: ReadonlyArray<Change>
  readonly reason: string
  readonly source?: string
}

/** What is to be done to one registry. */
export interface TargetPlan<Op = AnyOperation> {
  /** The name that files and configuration give the registry. */
  readonly registry: string
  readonly url: string
  readonly scope: ReadonlyArray<Collection & { readonly existing: number }>
  readonly operations: ReadonlyArray<Op>
  readonly extras: ReadonlyArray<Extra>
  readonly stuck: ReadonlyArray<Stuck>
  /** How many declared objects are as they should be. */
  readonly unchanged: number
}

/** An operation while its needs are still being collected. */
interface Draft {
  readonly operation: AnyOperation
  readonly needs: Set<string>
}

interface Wanted {
  readonly kind: Kind
  readonly key: string
  readonly item: Item
  readonly source: string | undefined
}

const KEPT = "not in the file; kept unless the file prunes it"
const UNDELETABLE = "not in the file; the registry offers no way to delete it"
const UNREAD = "not in the file; kept because its collection was not read whole"
const IMMUTABLE = "the registry offers no way to change or to replace it"

/**
 * Plans one registry.
 * @throws {PlanRefused} if something is declared twice, needs what is not there, or needs itself.
 */
export const planTarget = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  target: { readonly registry: string; readonly url: string },
  desired: Desired,
  actual: Actual
): TargetPlan<Operation<K>> => {
  const known = indexKinds<K>(kinds)
  const index = indexActual(known, actual)
  const problems: Array<Problem> = []
  const report = (message: string, source: string | undefined) =>
    problems.push(source === undefined ? { message } : { message, source })

  const implicit = (kind: Kind, item: Item): boolean => kind.implicit?.(item, actual.caller) ?? false

  const wanted = new Map<string, Wanted>()
  for (const { item, kind: name, source } of desired.declarations) {
    const kind = known.get(name)
    if (kind === undefined) {
      report(`There is no kind named "${name}".`, source)
      continue
    }
    const key = kind.key(item)
    const address = addressOf(name, key)
    const first = wanted.get(address)
    if (first === undefined) wanted.set(address, { kind, key, item, source })
    else
      report(
        `${name} ${key} is declared twice${first.source === undefined ? "" : `, first at ${first.source}`}.`,
        source
      )
  }

  const owned = new Map<string, Owned>()
  for (const entry of desired.scope) {
    const id = collectionId(entry)
    if (!known.has(entry.kind)) report(`There is no kind named "${entry.kind}".`, undefined)
    // Several files may own one collection: it is pruned if any of them says so, whichever comes first.
    if (owned.get(id)?.prune !== true) owned.set(id, entry)
  }

  // Extras: what lives in an owned collection and is not wanted.
  const extras: Array<Extra> = []
  const removed = new Map<string, Found>()
  for (const [id, entry] of owned) {
    const kind = known.get(entry.kind)
    if (kind === undefined) continue
    for (const found of index.byCollection.get(id) ?? []) {
      const key = kind.key(found.item)
      const address = addressOf(found.kind, key)
      if (wanted.has(address) || implicit(kind, found.item)) continue
      const reason = keptBecause(kind, entry) ?? (wasRead(index.read, entry) ? undefined : UNREAD)
      if (reason === undefined) removed.set(address, found)
      else extras.push({ kind: found.kind, key, reason })
    }
  }

  // Differences of what is wanted and there.
  const stuck = new Map<string, Stuck>()
  const changed = new Map<string, ReadonlyArray<Change>>()
  const replaced = new Set<string>()
  const same = new Set<string>()
  const stick = (address: string, { key, kind, source }: Wanted, changes: ReadonlyArray<Change>, reason: string) =>
    stuck.set(address, { kind: kind.kind, key, changes, reason, ...(source === undefined ? {} : { source }) })
  for (const [address, want] of wanted) {
    const { item, kind } = want
    const found = index.byAddress.get(address)
    if (found === undefined) continue
    const changes = diff(kind, found.item, item)
    if (changes.length === 0) {
      same.add(address)
      continue
    }
    const fixed = changes.filter((change) => fixedReason(kind, change) !== undefined)
    const open = changes.filter((change) => fixedReason(kind, change) === undefined)
    const why = fixed.map((change) => `${change.field} cannot change after creation: ${fixedReason(kind, change)}`)
    if (kind.update !== undefined) {
      if (open.length > 0) changed.set(address, open)
      if (fixed.length > 0) stick(address, want, fixed, why.join("; "))
    } else if (kind.delete !== undefined && fixed.length === 0) {
      changed.set(address, changes)
      replaced.add(address)
    } else stick(address, want, changes, [...why, ...(open.length === 0 ? [] : [IMMUTABLE])].join("; "))
  }

  /** A wanted object as it will be, with what is not declared and what cannot change as they are. */
  const afterwards = (address: string, { item, kind }: Wanted): Item => {
    const found = index.byAddress.get(address)
    if (found === undefined || replaced.has(address)) return item
    return changed.has(address) ? overlay(found.item, changeable(kind, item)) : found.item
  }

  // What goes along with a deletion, by way of the references that cascade, and what cannot go because it is still needed.
  const { blocked, doomed } = removals(known, index.byAddress, removed.keys(), replaced, (dependent, root) => {
    const { address, found, ref } = dependent
    const needed = addressOf(ref.kind, ref.key)
    const want = wanted.get(address)
    const names = (item: Item) =>
      known
        .get(found.kind)
        ?.needs?.(item)
        .some((it) => addressOf(it.kind, it.key) === needed)
    if (want === undefined) return true
    // To declare what needs an object and to have that object deleted is a mistake in the files, reported below.
    if (removed.has(root) && names(want.item) === true) return false
    return names(afterwards(address, want)) === true
  })
  for (const [root, holder] of blocked) {
    const want = wanted.get(root)
    const found = removed.get(root)
    const kind = found && known.get(found.kind)
    if (found !== undefined && kind !== undefined)
      extras.push({
        kind: found.kind,
        key: kind.key(found.item),
        reason: `not in the file; kept because ${holder} needs it`
      })
    else if (want !== undefined)
      stick(root, want, changed.get(root) ?? [], `the registry offers no way to change it, and ${holder} needs it`)
    removed.delete(root)
    replaced.delete(root)
    changed.delete(root)
  }
  const folded = new Map<string, Array<string>>()
  for (const [address, root] of doomed) {
    removed.delete(address)
    const list = folded.get(root)
    if (list === undefined) folded.set(root, [address])
    else list.push(address)
    const lost = wanted.get(address)
    if (lost === undefined) continue
    if (replaced.has(root)) {
      changed.delete(address)
      same.delete(address)
      stuck.delete(address)
      replaced.delete(address)
    } else report(`${lost.kind.kind} ${lost.key} would be lost with ${root}, which this plan deletes.`, lost.source)
  }

  const gone = (address: string): boolean => removed.has(address) || doomed.has(address)
  const drafts = new Map<string, Draft>()
  /** What makes an object, and what ends one, by address. A replacement is both. */
  const creates = new Map<string, Draft>()
  const ends = new Map<string, Draft>()
  const add = (operation: AnyOperation): Draft => {
    const draft: Draft = { operation, needs: new Set(operation.impliedBy === undefined ? [] : [operation.impliedBy]) }
    drafts.set(operation.id, draft)
    return draft
  }

  const isMade = (address: string): boolean => !index.byAddress.has(address) || gone(address) || replaced.has(address)
  const makerOf = (address: string): string => `${replaced.has(address) ? "replace" : "create"}:${address}`
  const declared = new Map<string, Array<Wanted>>()
  for (const want of wanted.values()) {
    const id = collectionId(collectionOf(want.kind, want.item))
    const list = declared.get(id)
    if (list === undefined) declared.set(id, [want])
    else list.push(want)
  }
  /** What a collection will have when everything planned for it is done, sorted. */
  const resulting = (collection: Collection): ReadonlyArray<Item> => {
    const id = collectionId(collection)
    const kind = known.get(collection.kind)
    if (kind === undefined) return []
    const items = new Map<string, Item>()
    for (const { item } of index.byCollection.get(id) ?? []) {
      const key = kind.key(item)
      if (!gone(addressOf(kind.kind, key))) items.set(key, item)
    }
    for (const want of declared.get(id) ?? []) {
      const address = addressOf(kind.kind, want.key)
      items.set(want.key, gone(address) ? want.item : afterwards(address, want))
    }
    return [...items].sort(([a], [b]) => byText(a, b)).map(([, item]) => item)
  }
  const implied = predict(known, wanted, isMade, actual.caller, resulting)

  for (const [address, { item, key, kind, source }] of wanted) {
    const origin = source === undefined ? {} : { source }
    const found = index.byAddress.get(address)
    const changes = changed.get(address)
    const root = doomed.get(address)
    if (found === undefined || root !== undefined) {
      const prediction = implied.get(address)
      const asWanted = prediction !== undefined && diff(kind, prediction.implied.item, item).length === 0
      const cause = prediction?.cause ?? root
      const reason =
        prediction === undefined
          ? `lost with ${root}, and made again`
          : asWanted
            ? "made by the registry itself"
            : "made by the registry itself, but differently"
      const by = cause === undefined ? {} : { impliedBy: makerOf(cause), reason }
      const common = { kind: kind.kind, key, after: item, needs: [] }
      const draft = add({ id: `create:${address}`, action: "create", ...common, ...origin, ...by })
      if (root !== undefined) draft.needs.add(makerOf(root))
      creates.set(address, draft)
    } else if (changes !== undefined && replaced.has(address)) {
      const loss = kind.destroys === undefined ? {} : { destroys: kind.destroys }
      const along = (folded.get(address) ?? []).sort(byText)
      const common = { kind: kind.kind, key, before: found.item, after: item, changes, needs: [] }
      const draft = add({ id: `replace:${address}`, action: "replace", ...common, cascades: along, ...loss, ...origin })
      creates.set(address, draft)
      ends.set(address, draft)
    } else if (changes !== undefined) {
      const common = { kind: kind.kind, key, before: found.item, after: item, changes, needs: [] }
      add({ id: `update:${address}`, action: "update", ...common, ...origin })
    }
  }
  const remove = (address: string, kind: Kind, item: Item, reason: string, impliedBy?: string) => {
    const loss = kind.destroys === undefined ? {} : { destroys: kind.destroys }
    const by = impliedBy === undefined ? {} : { impliedBy }
    const along = (folded.get(address) ?? []).sort(byText)
    const common = { kind: kind.kind, key: kind.key(item), before: item, cascades: along, needs: [] }
    ends.set(address, add({ id: `delete:${address}`, action: "delete", ...common, reason, ...loss, ...by }))
  }
  for (const [address, found] of removed) {
    const kind = known.get(found.kind)
    if (kind !== undefined) remove(address, kind, found.item, "not in the file")
  }
  for (const [address, { cause, implied: made }] of implied) {
    const kind = known.get(made.kind)
    if (kind === undefined || wanted.has(address) || implicit(kind, made.item)) continue
    const entry = owned.get(collectionId(collectionOf(kind, made.item)))
    if (entry === undefined || keptBecause(kind, entry) !== undefined) continue
    // One that is there as well is deleted once, after the registry could make it again.
    const earlier = ends.get(address)
    if (earlier === undefined)
      remove(address, kind, made.item, "made by the registry itself; not in the file", makerOf(cause))
    else earlier.needs.add(makerOf(cause))
  }

  // What each operation needs, in both directions.
  const together = new Map<string, Array<Draft>>()
  for (const draft of drafts.values()) {
    const kind = known.get(draft.operation.kind)
    if (kind === undefined) continue
    const id = collectionId(collectionOf(kind, itemOf(draft.operation)))
    const list = together.get(id)
    if (list === undefined) together.set(id, [draft])
    else list.push(draft)
  }
  for (const draft of drafts.values()) {
    const { operation } = draft
    const kind = known.get(operation.kind)
    if (kind === undefined) continue
    if (operation.action !== "delete") {
      for (const ref of kind.needs?.(operation.after) ?? []) {
        const needed = addressOf(ref.kind, ref.key)
        const maker = creates.get(needed)
        const prediction = implied.get(needed)
        if (maker !== undefined) draft.needs.add(maker.operation.id)
        else if (prediction !== undefined) draft.needs.add(makerOf(prediction.cause))
      }
    }
    if (operation.action === "create" || operation.action === "replace") {
      for (const collection of kind.follows?.(operation.after) ?? [])
        for (const earlier of together.get(collectionId(collection)) ?? []) draft.needs.add(earlier.operation.id)
    }
    if (operation.action !== "create") {
      for (const ref of kind.needs?.(operation.before) ?? []) {
        const end = ends.get(addressOf(ref.kind, ref.key))
        if (end !== undefined && !draft.needs.has(end.operation.id)) end.needs.add(operation.id)
      }
    }
    if (operation.action === "delete" && kind.grantsFirst === true) {
      for (const other of together.get(collectionId(collectionOf(kind, operation.before))) ?? [])
        if (other.operation.action !== "delete") draft.needs.add(other.operation.id)
    }
  }

  // What goes along needed things as well, and is gone only when what takes it along is done.
  for (const [address, root] of doomed) {
    const found = index.byAddress.get(address)
    const taker = ends.get(root)
    if (found === undefined || taker === undefined) continue
    for (const ref of known.get(found.kind)?.needs?.(found.item) ?? []) {
      const end = ends.get(addressOf(ref.kind, ref.key))
      if (end !== undefined && end !== taker && ref.cascades !== true) end.needs.add(taker.operation.id)
    }
  }

  const missing = (ref: Ref): string | undefined => {
    const address = addressOf(ref.kind, ref.key)
    if (wanted.has(address)) return undefined
    if (ends.has(address) || (doomed.has(address) && !implied.has(address))) return "which this plan deletes"
    if (implied.has(address) || index.byAddress.has(address)) return undefined
    return index.read.has(collectionId({ kind: ref.kind, parent: ref.parent }))
      ? "which is neither declared nor there"
      : undefined
  }
  for (const { item, kind, key, source } of wanted.values()) {
    for (const ref of kind.needs?.(item) ?? []) {
      const fault = missing(ref)
      if (fault !== undefined) report(`${kind.kind} ${key} needs ${ref.kind} ${ref.key}, ${fault}.`, source)
    }
  }
  const fits = isOperationOf(known)
  for (const { operation } of drafts.values())
    if (!fits(operation))
      report(
        `${operation.kind} ${operation.key} is not what the kind "${operation.kind}" says it is.`,
        operation.source
      )
  const cycle = findCycle(new Map([...drafts].map(([id, draft]) => [id, draft.needs])))
  if (cycle !== undefined) report(`These operations need each other: ${cycle.join(" → ")}.`, undefined)
  if (problems.length > 0) throw new PlanRefused(problems)

  const operations = [...drafts.values()]
    .map(({ needs, operation }): AnyOperation => ({ ...operation, needs: [...needs].sort(byText) }))
    .sort((a, b) => byText(a.id, b.id))
    .filter(fits)

  return {
    ...target,
    scope: [...owned.values()]
      .map(({ kind, parent, part }) => {
        const collection = part === undefined ? { kind, parent } : { kind, parent, part }
        return { ...collection, existing: index.byCollection.get(collectionId(collection))?.length ?? 0 }
      })
      .sort((a, b) => byText(collectionId(a), collectionId(b))),
    operations,
    extras: extras
      .filter((it) => !doomed.has(addressOf(it.kind, it.key)))
      .sort((a, b) => byText(addressOf(a.kind, a.key), addressOf(b.kind, b.key))),
    stuck: [...stuck.values()].sort((a, b) => byText(addressOf(a.kind, a.key), addressOf(b.kind, b.key))),
    unchanged: same.size
  }
}

export const itemOf = (operation: AnyOperation): Item =>
  operation.action === "delete" ? operation.before : operation.after

const fixedReason = (kind: Kind, change: Change): string | undefined => {
  const field = change.field.split(".")[0] ?? change.field
  return kind.fixed !== undefined && Object.hasOwn(kind.fixed, field) ? kind.fixed[field] : undefined
}

/** Why an object in an owned collection stays although no file declares it, if it does. */
const keptBecause = (kind: Kind, entry: Owned): string | undefined =>
  kind.delete === undefined ? UNDELETABLE : kind.extras === "keep" && entry.prune !== true ? KEPT : undefined

const wasRead = (read: ReadonlySet<string>, { kind, parent, part }: Collection): boolean =>
  read.has(collectionId({ kind, parent })) || (part !== undefined && read.has(collectionId({ kind, parent, part })))

/** What of a declared object can be given to one that is there. */
const changeable = (kind: Kind, item: Item): Item =>
  Object.fromEntries(Object.entries(item).filter(([field]) => fixedReason(kind, { field }) === undefined))

interface Prediction {
  readonly cause: string
  readonly implied: Implied
}

/** What the registry will make by itself when what is missing is made, by address. */
const predict = (
  kinds: ReadonlyMap<string, Kind>,
  wanted: ReadonlyMap<string, Wanted>,
  isMade: (address: string) => boolean,
  caller: string | undefined,
  resulting: (collection: Collection) => ReadonlyArray<Item>
): ReadonlyMap<string, Prediction> => {
  const known = new Map<string, ReadonlyArray<Item>>()
  const collection = (of: Collection): ReadonlyArray<Item> => {
    const id = collectionId(of)
    const items = known.get(id) ?? resulting(of)
    known.set(id, items)
    return items
  }
  const world: World = { caller, collection }
  const predictions = new Map<string, Prediction>()
  const causes = [...wanted].filter(([address, { kind }]) => kind.implies !== undefined && isMade(address))
  // In the order of their addresses, so that the cause of what several of them would make is always the same.
  for (const [cause, { item, kind }] of causes.sort(([a], [b]) => byText(a, b))) {
    for (const implied of kind.implies?.(item, world) ?? []) {
      const made = kinds.get(implied.kind)
      const address = made && addressOf(implied.kind, made.key(implied.item))
      if (address !== undefined && !predictions.has(address)) predictions.set(address, { cause, implied })
    }
  }
  return predictions
}
