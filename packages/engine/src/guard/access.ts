/**
 * Who administers what, before a plan and after it. Nobody is to lock themselves out, nothing is to be left without anybody who
 * may administer it, and those who have to be there are. What kinds say of their objects (`access`) is put together here; of a
 * group that nobody looked into it is not known who is in it.
 */
import { addressOf, type Collection, collectionId, partsOf } from "../address.ts"
import { overlay } from "../diff.ts"
import { type Item, indexKinds, type Kind } from "../kind.ts"
import { append, groupBy, sortedBy } from "../lists.ts"
import { type Actual, collectionOf } from "../state.ts"
import type { Facts } from "./facts.ts"
import type { Finding } from "./verdict.ts"

/** Objects by address. */
type State = ReadonlyMap<string, { readonly kind: string; readonly item: Item }>

/** Who administers an object. */
interface Administrators {
  readonly names: ReadonlySet<string>
  /** The objects by which somebody may, of whom nobody knows. */
  readonly unseen: ReadonlySet<string>
  /** The groups whose people do. */
  readonly groups: ReadonlyArray<Collection>
}

const nobody: Administrators = { names: new Set(), unseen: new Set(), groups: [] }

/** What is there, as far as kinds say that it is about access. */
const before = ({ kinds, there }: Facts): State => {
  const state = new Map<string, { readonly kind: string; readonly item: Item }>()
  for (const [address, { item, kind }] of there.byAddress)
    if (kinds.get(kind)?.access !== undefined) state.set(address, { kind, item })
  return state
}

/** The same when all is done. */
const after = ({ kinds, operations, predicted }: Facts, start: State): State => {
  const state = new Map(start)
  const isAbout = (kind: string) => kinds.get(kind)?.access !== undefined
  for (const operation of operations) {
    if (operation.action !== "delete" && operation.action !== "replace") continue
    for (const address of [addressOf(operation.kind, operation.key), ...operation.cascades]) state.delete(address)
  }
  for (const operation of operations) {
    if (operation.action === "delete" || !isAbout(operation.kind)) continue
    const item = operation.action === "update" ? overlay(operation.before, operation.after) : operation.after
    state.set(addressOf(operation.kind, operation.key), { kind: operation.kind, item })
  }
  for (const [address, { item, kind }] of predicted)
    if (isAbout(kind) && !state.has(address)) state.set(address, { kind, item })
  return state
}

/** Of each object that anybody administers, who does. */
const administrators = ({ kinds, there }: Facts, state: State): ReadonlyMap<string, Administrators> => {
  const people = new Map<string, Array<string>>()
  const entries = [...state].flatMap(([address, { item, kind: name }]) => {
    const kind = kinds.get(name)
    const access = kind?.access?.(item)
    if (kind === undefined || access === undefined) return []
    if (access.to === undefined && access.who !== undefined)
      append(people, collectionId(collectionOf(kind, item)), access.who)
    return [{ address, access }]
  })
  const all = new Map<string, { names: Set<string>; unseen: Set<string>; groups: Array<Collection> }>()
  for (const { access, address } of entries) {
    if (access.to === undefined) continue
    const one = all.get(access.to) ?? { names: new Set<string>(), unseen: new Set<string>(), groups: [] }
    all.set(access.to, one)
    if (access.who !== undefined) one.names.add(access.who)
    if (access.through === undefined) continue
    const { kind, parent } = access.through
    const seen =
      there.read.has(collectionId(access.through)) ||
      there.read.has(collectionId({ kind, parent })) ||
      !there.byAddress.has(address)
    one.groups.push(access.through)
    for (const name of people.get(collectionId(access.through)) ?? []) one.names.add(name)
    if (!seen) one.unseen.add(address)
  }
  return all
}

interface Change {
  /** The address of what is administered. */
  readonly to: string
  readonly was: Administrators
  readonly will: Administrators
  /** The operations that take from somebody what they had. */
  readonly operations: ReadonlyArray<string>
}

/** What changes in who administers what is there before and after. */
const changesOf = (facts: Facts): ReadonlyArray<Change> => {
  const { kinds, operations, there } = facts
  const start = before(facts)
  const was = administrators(facts, start)
  const will = administrators(facts, after(facts, start))
  const gone = new Set(
    operations.flatMap((it) => (it.action === "delete" ? [addressOf(it.kind, it.key), ...it.cascades] : []))
  )
  /** What an object is about: what it gives access to, or the group that somebody is in by it. */
  const about = (address: string): string | undefined => {
    const { kind: name } = partsOf(address)
    const kind = kinds.get(name)
    const item = there.byAddress.get(address)?.item
    if (kind === undefined || item === undefined) return undefined
    const access = kind.access?.(item)
    return access?.to ?? (access === undefined ? undefined : collectionId(collectionOf(kind, item)))
  }
  const touched = operations.flatMap((operation): ReadonlyArray<readonly [string | undefined, string]> => {
    if (operation.action === "create") return []
    const along = operation.action === "update" ? [] : operation.cascades
    return [addressOf(operation.kind, operation.key), ...along].map((address) => [about(address), operation.id])
  })
  const taking = groupBy(touched, ([id]) => id ?? "")
  return sortedBy(new Set([...was.keys(), ...will.keys()]), (to) => to).flatMap((to) => {
    if (gone.has(to)) return []
    const [one, other] = [was.get(to) ?? nobody, will.get(to) ?? nobody]
    const ids = [to, ...[...one.groups, ...other.groups].map(collectionId)]
    const touching = ids.flatMap((id) => (taking.get(id) ?? []).map(([, operation]) => operation))
    return [{ to, was: one, will: other, operations: sortedBy(new Set(touching), (id) => id) }]
  })
}

const finding = (rule: string, { operations, to }: Change, message: string): Finding => ({
  rule,
  ...partsOf(to),
  operations,
  message
})

/** What a plan does to those who administer: the caller among them, the last of them, and those that have to be there. */
export const accessRule = (facts: Facts): ReadonlyArray<Finding> => {
  const changes = changesOf(facts)
  return [...ownAccess(facts, changes), ...lastAdministrator(changes), ...requiredAdministrators(facts, changes)]
}

/** The caller's own access is taken away, or may be. */
const ownAccess = ({ caller }: Facts, changes: ReadonlyArray<Change>): ReadonlyArray<Finding> => {
  if (caller === undefined) return []
  return changes.flatMap((change) => {
    const { to, was, will } = change
    if (will.names.has(caller)) return []
    const name = toText(to)
    if (was.names.has(caller))
      return [allowable("own-access", change, `${caller}, whose token this is, would no longer administer ${name}`)]
    const lost = [...was.unseen].filter((address) => !will.unseen.has(address))
    if (lost.length === 0) return []
    const by = lost.map(toText).join(" and ")
    const message = `${caller}, whose token this is, may administer ${name} by ${by}, and would not any more; who else does was not read`
    return [allowable("own-access", change, message)]
  })
}

/** Nobody is left who administers it. */
const lastAdministrator = (changes: ReadonlyArray<Change>): ReadonlyArray<Finding> =>
  changes.flatMap((change) => {
    const { to, was, will } = change
    if (was.names.size + was.unseen.size === 0 || will.names.size + will.unseen.size > 0) return []
    return [allowable("last-administrator", change, `nobody would be left who administers ${toText(to)}`)]
  })

/** Those who have to administer what is managed do not, or too few do. */
const requiredAdministrators = (
  { owned, policy: { administrators: policy } }: Facts,
  changes: ReadonlyArray<Change>
): ReadonlyArray<Finding> => {
  if (policy === undefined) return []
  return changes.flatMap((change) => {
    const { to, will } = change
    const managed = will.groups.some((group) => owned.has(collectionId(group)))
    // Those who are in what nobody looked into may be the ones.
    if (!managed || will.unseen.size > 0) return []
    const missing = policy.required.filter((name) => !will.names.has(name))
    const few = will.names.size < policy.atLeast
    if (missing.length === 0 && !few) return []
    const what = [
      ...(missing.length === 0 ? [] : [`${missing.join(" and ")} would not administer ${toText(to)}, and has to`]),
      ...(few
        ? [`${toText(to)} would have ${will.names.size} of the ${policy.atLeast} administrators that it has to have`]
        : [])
    ]
    return [finding("required-administrators", change, what.join("; "))]
  })
}

const allowable = (rule: string, change: Change, message: string): Finding => ({
  ...finding(rule, change, message),
  allowance: "lockout"
})

const toText = (address: string): string => {
  const { key, kind } = partsOf(address)
  return `${kind} ${key}`
}

/** Groups by which people administer something, and that nobody has looked into. */
export const unseenGroups = (kinds: ReadonlyArray<Kind>, actual: Actual): ReadonlyArray<Collection> => {
  const known = indexKinds(kinds)
  const groups = new Map<string, Collection>()
  for (const { item, kind } of actual.found) {
    const through = known.get(kind)?.access?.(item)?.through
    if (through !== undefined) groups.set(collectionId(through), through)
  }
  for (const collection of actual.read) groups.delete(collectionId(collection))
  return [...groups.values()]
}
