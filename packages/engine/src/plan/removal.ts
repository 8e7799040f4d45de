/**
 * What a deletion takes along, and what stands in its way. Both follow from the references of what is there; whether a
 * deletion is wanted is decided elsewhere.
 */
import { byText, type Ref } from "../address.ts"
import type { Kind } from "../kind.ts"
import { append } from "../lists.ts"
import type { Found } from "../state.ts"
import { needsOf, refersTo } from "./situation.ts"

export interface Removals {
  /** Each object that goes along, with the deletion that takes it: the topmost, where they are nested. */
  readonly doomed: ReadonlyMap<string, string>
  /** Each deletion that cannot be, with the address of what stays, and is or needs something that it would take. */
  readonly blocked: ReadonlyMap<string, string>
}

/** What refers to something without going along with it. */
export interface Dependent {
  readonly address: string
  readonly found: Found
  readonly ref: Ref
}

/**
 * @param gone what is to be deleted
 * @param again what is to be deleted and made again
 * @param holds whether an object that stays will still need what it refers to; asked of references that do not cascade
 * @param stays whether objects of a kind are not to be taken along
 */
export const removals = (
  kinds: ReadonlyMap<string, Kind>,
  there: ReadonlyMap<string, Found>,
  gone: Iterable<string>,
  again: ReadonlySet<string>,
  holds: (dependent: Dependent, root: string) => boolean,
  stays: (kind: string) => boolean
): Removals => {
  const blocked = new Map<string, string>()
  const roots = new Set([...gone, ...again].sort(byText))
  if (roots.size === 0) return { doomed: new Map(), blocked }
  const cascading = new Map<string, Array<string>>()
  const holding = new Map<string, Array<Dependent>>()
  for (const [address, found] of there) {
    for (const ref of needsOf(kinds.get(found.kind), found.item)) {
      const needed = refersTo(ref)
      if (ref.cascades === true) append(cascading, needed, address)
      else append(holding, needed, { address, found, ref })
    }
  }
  const block = (root: string, address: string) => {
    const first = blocked.get(root)
    if (first === undefined || byText(address, first) < 0) blocked.set(root, address)
  }
  // What is blocked stays, and by that may block others: until no more is.
  for (;;) {
    const doomed = takenAlong(cascading, [...roots])
    const before = blocked.size
    for (const [needed, dependents] of holding) {
      const root = doomed.get(needed) ?? (roots.has(needed) ? needed : undefined)
      if (root === undefined) continue
      for (const dependent of dependents) {
        const { address } = dependent
        const leaves = doomed.has(address) || (roots.has(address) && !again.has(address))
        if (leaves || address === root || !holds(dependent, root)) continue
        block(root, address)
      }
    }
    for (const [address, root] of doomed) if (stays(there.get(address)?.kind ?? "")) block(root, address)
    if (blocked.size === before) return { doomed, blocked }
    for (const root of blocked.keys()) roots.delete(root)
  }
}

const takenAlong = (
  dependents: ReadonlyMap<string, ReadonlyArray<string>>,
  roots: ReadonlyArray<string>
): ReadonlyMap<string, string> => {
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
  // A root that another root takes along is none: first find those, then start again from the topmost.
  for (const root of roots) take(root)
  const topmost = roots.filter((root) => !taken.has(root))
  taken.clear()
  for (const root of topmost) take(root)
  return taken
}
