/**
 * The planner: desired state, actual state and scope in, operations out. No clock, no I/O: the same input gives the same
 * bytes. What it leaves out: whether the plan is allowed (a matter of policy), and whether it is still true when it is applied.
 */
import { addressOf, byText, type Collection, collectionId, type Ref } from "./address.ts"
import { type Change, diff } from "./diff.ts"
import { findCycle } from "./graph.ts"
import { type Implied, type Item, indexKinds, type Kind } from "./kind.ts"
import { type AnyOperation, isOperationOf, type Operation } from "./operation.ts"
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
  for (const entry of desired.scope) owned.set(collectionId(entry), entry)

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
      if (kind.delete === undefined) extras.push({ kind: found.kind, key, reason: UNDELETABLE })
      else if (kind.extras === "keep" && entry.prune !== true) extras.push({ kind: found.kind, key, reason: KEPT })
      else removed.set(address, found)
    }
  }

  // Differences of what is wanted and there.
  const stuck: Array<Stuck> = []
  const changed = new Map<string, ReadonlyArray<Change>>()
  const replaced = new Set<string>()
  const same = new Set<string>()
  for (const [address, { item, key, kind, source }] of wanted) {
    const found = index.byAddress.get(address)
    if (found === undefined) continue
    const changes = diff(kind, found.item, item)
    const fixed = changes.filter((change) => fixedReason(kind, change) !== undefined)
    const open = changes.filter((change) => fixedReason(kind, change) === undefined)
    const inPlace = kind.update !== undefined
    const reason =
      fixed.length > 0
        ? fixed.map((change) => `${change.field} cannot change after creation: ${fixedReason(kind, change)}`).join("; ")
        : open.length > 0 && !inPlace && kind.delete === undefined
          ? "the registry offers no way to change or to replace it"
          : undefined
    if (reason !== undefined) {
      const about = fixed.length > 0 ? fixed : open
      stuck.push({ kind: kind.kind, key, changes: about, reason, ...(source === undefined ? {} : { source }) })
    }
    if (open.length > 0 && inPlace) changed.set(address, open)
    else if (open.length > 0 && kind.delete !== undefined && fixed.length === 0) {
      changed.set(address, open)
      replaced.add(address)
    } else if (changes.length === 0) same.add(address)
  }

  // What goes along with a deletion, by way of the references that cascade.
  const doomed = cascades(known, index.byAddress, [...removed.keys(), ...replaced])
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
      replaced.delete(address)
    } else report(`${lost.kind.kind} ${lost.key} would be lost with ${root}, which this plan deletes.`, lost.source)
  }

  const gone = (address: string): boolean => removed.has(address) || doomed.has(address)
  const drafts = new Map<string, Draft>()
  const creates = new Map<string, Draft>()
  const deletes = new Map<string, Draft>()
  const add = (operation: AnyOperation): Draft => {
    const draft: Draft = { operation, needs: new Set(operation.impliedBy === undefined ? [] : [operation.impliedBy]) }
    drafts.set(operation.id, draft)
    return draft
  }

  const implied = predict(known, wanted, owned, index.byCollection, actual.caller, (address) => {
    const there = index.byAddress.has(address) && !gone(address) && !replaced.has(address)
    return !there
  })

  for (const [address, { item, key, kind, source }] of wanted) {
    const origin = source === undefined ? {} : { source }
    const found = index.byAddress.get(address)
    const changes = changed.get(address)
    if (found === undefined || gone(address)) {
      const prediction = implied.get(address)
      const asWanted = prediction !== undefined && diff(kind, prediction.implied.item, item).length === 0
      const by = asWanted ? { impliedBy: `create:${prediction.cause}`, reason: "made by the registry itself" } : {}
      const draft = add({
        id: `create:${address}`,
        action: "create",
        kind: kind.kind,
        key,
        after: item,
        needs: [],
        ...origin,
        ...by
      })
      // What the registry makes first and differently is made right afterwards.
      if (prediction !== undefined) draft.needs.add(`create:${prediction.cause}`)
      creates.set(address, draft)
    } else if (changes !== undefined && replaced.has(address)) {
      const loss = kind.destroys === undefined ? {} : { destroys: kind.destroys }
      const along = (folded.get(address) ?? []).sort(byText)
      const common = { kind: kind.kind, key, before: found.item, after: item, changes, needs: [] }
      const draft = add({ id: `replace:${address}`, action: "replace", ...common, cascades: along, ...loss, ...origin })
      creates.set(address, draft)
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
    deletes.set(address, add({ id: `delete:${address}`, action: "delete", ...common, reason, ...loss, ...by }))
  }
  for (const [address, found] of removed) {
    const kind = known.get(found.kind)
    if (kind !== undefined) remove(address, kind, found.item, "not in the file")
  }
  for (const [address, { cause, implied: made }] of implied) {
    const kind = known.get(made.kind)
    if (kind === undefined || wanted.has(address) || implicit(kind, made.item)) continue
    const entry = owned.get(collectionId(collectionOf(kind, made.item)))
    if (entry === undefined || kind.delete === undefined || (kind.extras === "keep" && entry.prune !== true)) continue
    remove(address, kind, made.item, "made by the registry itself; not in the file", `create:${cause}`)
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
        const maker = creates.get(addressOf(ref.kind, ref.key))
        if (maker !== undefined) draft.needs.add(maker.operation.id)
      }
    }
    if (operation.action === "create" || operation.action === "replace") {
      for (const collection of kind.follows?.(operation.after) ?? [])
        for (const earlier of together.get(collectionId(collection)) ?? []) draft.needs.add(earlier.operation.id)
    }
    if (operation.action !== "create") {
      for (const ref of kind.needs?.(operation.before) ?? []) {
        const end = deletes.get(addressOf(ref.kind, ref.key))
        if (end !== undefined) end.needs.add(operation.id)
      }
    }
    if (operation.action === "delete" && kind.grantsFirst === true) {
      for (const other of together.get(collectionId(collectionOf(kind, operation.before))) ?? [])
        if (other.operation.action !== "delete") draft.needs.add(other.operation.id)
    }
  }

  for (const { item, kind, key, source } of wanted.values()) {
    for (const ref of kind.needs?.(item) ?? []) {
      const fault = missing(ref, wanted, index.byAddress, index.read, implied, gone)
      if (fault !== undefined) report(`${kind.kind} ${key} needs ${ref.kind} ${ref.key}, ${fault}.`, source)
    }
  }
  const cycle = findCycle(new Map([...drafts].map(([id, draft]) => [id, draft.needs])))
  if (cycle !== undefined) report(`These operations need each other: ${cycle.join(" → ")}.`, undefined)
  if (problems.length > 0) throw new PlanRefused(problems)

  const operations = [...drafts.values()]
    .map(
      ({ needs, operation }): AnyOperation => ({
        ...operation,
        needs: [...needs].filter((id) => drafts.has(id)).sort(byText)
      })
    )
    .sort((a, b) => byText(a.id, b.id))
    .filter(isOperationOf(known))

  return {
    ...target,
    scope: [...owned.values()]
      .map(({ kind, parent, part }) => {
        const collection = part === undefined ? { kind, parent } : { kind, parent, part }
        return { ...collection, existing: index.byCollection.get(collectionId(collection))?.length ?? 0 }
      })
      .sort((a, b) => byText(collectionId(a), collectionId(b))),
    operations,
    extras: extras.sort((a, b) => byText(addressOf(a.kind, a.key), addressOf(b.kind, b.key))),
    stuck: stuck.sort((a, b) => byText(addressOf(a.kind, a.key), addressOf(b.kind, b.key))),
    unchanged: same.size
  }
}

export const itemOf = (operation: AnyOperation): Item =>
  operation.action === "delete" ? operation.before : operation.after

const fixedReason = (kind: Kind, change: Change): string | undefined => {
  const field = change.field.split(".")[0] ?? change.field
  return kind.fixed !== undefined && Object.hasOwn(kind.fixed, field) ? kind.fixed[field] : undefined
}

const missing = (
  ref: Ref,
  wanted: ReadonlyMap<string, Wanted>,
  there: ReadonlyMap<string, Found>,
  read: ReadonlySet<string>,
  implied: ReadonlyMap<string, unknown>,
  gone: (address: string) => boolean
): string | undefined => {
  const address = addressOf(ref.kind, ref.key)
  if (wanted.has(address) || implied.has(address)) return undefined
  if (there.has(address)) return gone(address) ? "which this plan deletes" : undefined
  return read.has(collectionId({ kind: ref.kind, parent: ref.parent }))
    ? "which is neither declared nor there"
    : undefined
}

/** Each object that goes along with a deletion, with the deletion that takes it: the topmost, where they are nested. */
const cascades = (
  kinds: ReadonlyMap<string, Kind>,
  there: ReadonlyMap<string, Found>,
  roots: ReadonlyArray<string>
): ReadonlyMap<string, string> => {
  if (roots.length === 0) return new Map()
  const dependents = new Map<string, Array<string>>()
  for (const [address, found] of there) {
    for (const ref of kinds.get(found.kind)?.needs?.(found.item) ?? []) {
      if (ref.cascades !== true) continue
      const needed = addressOf(ref.kind, ref.key)
      const list = dependents.get(needed)
      if (list === undefined) dependents.set(needed, [address])
      else list.push(address)
    }
  }
  const taken = new Map<string, string>()
  const take = (root: string) => {
    const open = [root]
    for (let address = open.pop(); address !== undefined; address = open.pop()) {
      for (const dependent of dependents.get(address) ?? []) {
        if (taken.has(dependent) || dependent === root) continue
        taken.set(dependent, root)
        open.push(dependent)
      }
    }
  }
  const sorted = [...roots].sort(byText)
  // A root that another root takes along is none: first find those, then start again from the topmost.
  for (const root of sorted) take(root)
  const topmost = sorted.filter((root) => !taken.has(root))
  taken.clear()
  for (const root of topmost) take(root)
  return taken
}

interface Prediction {
  readonly cause: string
  readonly implied: Implied
}

/** What the registry will make by itself when the missing objects are created, by address. */
const predict = (
  kinds: ReadonlyMap<string, Kind>,
  wanted: ReadonlyMap<string, Wanted>,
  owned: ReadonlyMap<string, Owned>,
  there: ReadonlyMap<string, ReadonlyArray<Found>>,
  caller: string | undefined,
  toCreate: (address: string) => boolean
): ReadonlyMap<string, Prediction> => {
  const declared = new Map<string, Array<Item>>()
  for (const { item, kind } of wanted.values()) {
    const id = collectionId(collectionOf(kind, item))
    const list = declared.get(id)
    if (list === undefined) declared.set(id, [item])
    else list.push(item)
  }
  const final = new Map<string, ReadonlyArray<Item>>()
  const world: World = {
    caller,
    collection: (collection) => {
      const id = collectionId(collection)
      const known = final.get(id)
      if (known !== undefined) return known
      const kind = kinds.get(collection.kind)
      const entry = owned.get(id)
      const ours = declared.get(id) ?? []
      const all = [...ours]
      if (kind !== undefined) {
        const keys = new Set(ours.map((item) => kind.key(item)))
        const kept =
          entry === undefined || kind.delete === undefined || (kind.extras === "keep" && entry.prune !== true)
        for (const { item } of there.get(id) ?? [])
          if (!keys.has(kind.key(item)) && (kept || kind.implicit?.(item, caller) === true)) all.push(item)
      }
      final.set(id, all)
      return all
    }
  }
  const predictions = new Map<string, Prediction>()
  for (const [address, { item, kind }] of wanted) {
    if (kind.implies === undefined || !toCreate(address)) continue
    for (const implied of kind.implies(item, world)) {
      const made = kinds.get(implied.kind)
      if (made !== undefined)
        predictions.set(addressOf(implied.kind, made.key(implied.item)), { cause: address, implied })
    }
  }
  return predictions
}
