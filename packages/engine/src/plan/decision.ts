/**
 * What is to be done, decided for every object: the deletions take along what lives in what they delete, and some cannot be,
 * because what stays still needs what they would take.
 */
import { addressOf } from "../address.ts"
import type { Item } from "../kind.ts"
import type { Extra } from "../target-plan.ts"
import type { Extras, Removed } from "./extras.ts"
import { type Fates, outcome, stuckAt } from "./fate.ts"
import { type Dependent, type Removals, removals } from "./removal.ts"
import { needsOf, refersTo, type Situation } from "./situation.ts"

export interface Decisions {
  /** Of what is declared. */
  readonly fates: Fates
  /** What is not declared, or declared absent, and is deleted by an operation of its own, by address. */
  readonly removed: ReadonlyMap<string, Removed>
  /** What goes along, declared or not: its address, and the address of what is deleted or replaced. */
  readonly doomed: ReadonlyMap<string, string>
  /** What cannot be deleted, with what stays and needs something that would go along: both addresses. */
  readonly blocked: ReadonlyMap<string, string>
  /** What is not declared, and stays. */
  readonly kept: ReadonlyArray<Extra>
}

/** `stays`: whether objects of a kind are not to be taken along. */
export const decide = (
  situation: Situation,
  compared: Fates,
  extras: Extras,
  stays: (kind: string) => boolean = () => false
): Decisions => {
  const { blocked, doomed } = takenAlong(situation, compared, extras, stays)
  const fates = new Map(compared)
  const removed = new Map(extras.removed)
  const kept = [...extras.kept]
  // What cannot be deleted stays: an extra is kept, and what would be replaced is stuck.
  for (const [address, holder] of blocked) {
    const extra = removed.get(address)
    const fate = fates.get(address)
    if (extra !== undefined) {
      removed.delete(address)
      const reason = situation.absent.has(address)
        ? `${holder} needs it`
        : `not in the file; kept because ${holder} needs it`
      kept.push({ kind: extra.kind.kind, key: extra.key, reason })
    } else if (fate?.state === "replaced") {
      const { before, changes, want } = fate
      const reason = `the registry offers no way to change it, and ${holder} needs it`
      fates.set(address, { state: "stuck", want, before, stuck: stuckAt(want, changes, reason) })
    }
  }
  // What goes along is not deleted by itself, is not kept, and is made again where it is declared.
  for (const [address, root] of doomed) {
    const fate = fates.get(address)
    removed.delete(address)
    if (fate !== undefined) fates.set(address, { state: "lost", want: fate.want, root })
  }
  return { fates, removed, doomed, blocked, kept: kept.filter((it) => !doomed.has(addressOf(it.kind, it.key))) }
}

const takenAlong = (
  { kinds, there }: Situation,
  fates: Fates,
  extras: Extras,
  stays: (kind: string) => boolean
): Removals => {
  const replaced = new Set<string>()
  for (const [address, { state }] of fates) if (state === "replaced") replaced.add(address)
  return removals(kinds, there.byAddress, extras.removed.keys(), replaced, stillNeeded(fates, extras), stays)
}

/** Whether an object will still need what it refers to now. */
const stillNeeded =
  (fates: Fates, { removed }: Extras) =>
  ({ address, ref }: Dependent, root: string): boolean => {
    const fate = fates.get(address)
    if (fate === undefined) return true
    const needed = refersTo(ref)
    const names = (item: Item): boolean => needsOf(fate.want.kind, item).some((it) => refersTo(it) === needed)
    // To declare what needs an object and to have that object deleted is a mistake in the files, and reported as one.
    if (removed.has(root) && names(fate.want.item)) return false
    const then = outcome(fate)
    return then !== undefined && names(then)
  }
