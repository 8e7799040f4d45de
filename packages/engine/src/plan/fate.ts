/**
 * What becomes of each declared object, found by comparing it with what is there. What its kind cannot do narrows the
 * choice: without an update a difference is a replacement, and a field that never changes leaves the object stuck.
 */

import { requested } from "../by-hand.ts"
import { type Change, diff, overlay, unseen } from "../diff.ts"
import type { Item } from "../kind.ts"
import type { Stuck } from "../target-plan.ts"
import { needsOf, refersTo, type Situation, type Wanted } from "./situation.ts"

export type Fate =
  /** Not there: it is created. */
  | { readonly state: "missing"; readonly want: Wanted }
  /** Not there, and nothing can be done. */
  | { readonly state: "unmade"; readonly want: Wanted; readonly stuck: Stuck }
  | { readonly state: "same"; readonly want: Wanted; readonly before: Item }
  /** `changes` are made by an update. What no update can change is `stuck`. */
  | (Different & { readonly state: "changed"; readonly stuck: Stuck | undefined })
  /** Deleted, and created again. */
  | (Different & { readonly state: "replaced" })
  /** Different, and nothing can be done. */
  | { readonly state: "stuck"; readonly want: Wanted; readonly before: Item; readonly stuck: Stuck }
  /** Goes along when the object at `root` is deleted or replaced, and is created again. */
  | { readonly state: "lost"; readonly want: Wanted; readonly root: string }

interface Different {
  readonly want: Wanted
  readonly before: Item
  readonly changes: ReadonlyArray<Change>
}

/** By address. */
export type Fates = ReadonlyMap<string, Fate>

const UNMADE = "the registry offers no way to create it"
const IMMUTABLE = "the registry offers no way to change or to replace it"

export const compare = ({ requests, resend, there, wanted }: Situation): Fates => {
  const fates = new Map<string, Fate>()
  for (const [address, want] of wanted) {
    const before = there.byAddress.get(address)?.item
    const item = requested(want.kind, want.item, before, address, requests)
    fates.set(address, fateOf({ ...want, item }, before, resend.has(address)))
  }
  return fates
}

/**
 * The fates without those of what lives in an object that is held back. Nothing is planned for these, whatever they would be
 * found to be now.
 */
export const withheld = (fates: Fates): Fates => {
  const held = new Set<string>()
  for (const [address, fate] of fates)
    if ("before" in fate && fate.want.kind.holdsBack?.(fate.want.item, fate.before) === true) held.add(address)
  if (held.size === 0) return fates
  const left = new Map(fates)
  for (let before = 0; before !== left.size; ) {
    before = left.size
    for (const [address, { want }] of left) {
      const inside = needsOf(want.kind, want.item).some((ref) => ref.cascades === true && held.has(refersTo(ref)))
      if (inside && left.delete(address)) held.add(address)
    }
  }
  return left
}

const fateOf = (want: Wanted, before: Item | undefined, resend: boolean): Fate => {
  const { item, kind } = want
  if (before === undefined)
    return kind.create === undefined
      ? { state: "unmade", want, stuck: stuckAt(want, [], kind.madeElsewhere ?? UNMADE) }
      : { state: "missing", want }
  const told = diff(kind, before, item)
  const untold = resend ? unseen(kind, item).filter(({ field }) => !told.some((it) => it.field === field)) : []
  const changes = [...told, ...untold]
  if (changes.length === 0) return { state: "same", want, before }
  const fixed = changes.filter((change) => fixedBecause(want, change.field) !== undefined)
  const open = changes.filter((change) => fixedBecause(want, change.field) === undefined)
  const why = fixed.map(({ field }) => `${field} cannot change after creation: ${fixedBecause(want, field)}`)
  if (kind.update !== undefined && open.length > 0) {
    const stuck = fixed.length === 0 ? undefined : stuckAt(want, fixed, why.join("; "))
    return { state: "changed", want, before, changes: open, stuck }
  }
  if (kind.delete !== undefined && fixed.length === 0) return { state: "replaced", want, before, changes }
  const reasons = open.length === 0 ? why : [...why, IMMUTABLE]
  return { state: "stuck", want, before, stuck: stuckAt(want, changes, reasons.join("; ")) }
}

export const stuckAt = ({ key, kind, origin }: Wanted, changes: ReadonlyArray<Change>, reason: string): Stuck => ({
  kind: kind.kind,
  key,
  changes,
  reason,
  ...origin
})

/** Whether the object is created, for the first time or again. */
export const isMade = ({ state }: Fate): boolean => state === "missing" || state === "replaced" || state === "lost"

/** The object when all is done, if there is one. What is not declared, and what cannot change, stays as it is unless the object is made. */
export const outcome = (fate: Fate): Item | undefined => {
  switch (fate.state) {
    case "missing":
    case "replaced":
    case "lost":
      return fate.want.item
    case "unmade":
      return undefined
    case "changed":
      return overlay(fate.before, changeable(fate.want))
    case "same":
    case "stuck":
      return fate.before
  }
}

/** What of a declared object can be given to one that is there. */
const changeable = (want: Wanted): Item =>
  Object.fromEntries(Object.entries(want.item).filter(([field]) => fixedBecause(want, field) === undefined))

/** Why a field cannot change after creation, if it cannot. `path` may lead into the field. */
const fixedBecause = ({ item, kind }: Wanted, path: string): string | undefined => {
  const { fixed } = kind
  const field = path.split(".")[0] ?? path
  if (kind.renews?.(item) === true) return undefined
  return fixed !== undefined && Object.hasOwn(fixed, field) ? fixed[field] : undefined
}
