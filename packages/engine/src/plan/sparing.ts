/**
 * The plan without removals: objects of spared kinds are neither deleted nor replaced, and what waits for that is left out as
 * well. It is made from the start, not cut out of the whole plan: what stays is there when the registry does things by
 * itself. What the whole plan has beyond it is told.
 */
import { collectionId } from "../address.ts"
import { isGate } from "../gate.ts"
import type { Needs } from "../graph.ts"
import { append, sortedBy } from "../lists.ts"
import { collectionOf } from "../state.ts"
import { type Left, leftId } from "../target-plan.ts"
import type { Draft } from "./draft.ts"
import type { Extras } from "./extras.ts"
import { type Fates, stuckAt } from "./fate.ts"
import { type Outline, outline } from "./outline.ts"
import { needsOf, refersTo, type Situation } from "./situation.ts"

export interface Sparing {
  readonly drafts: ReadonlyArray<Draft>
  readonly needs: Needs
  readonly left: ReadonlyArray<Left>
}

/** `whole` is the plan in which nothing is spared. */
export const spare = (situation: Situation, compared: Fates, extras: Extras, whole: Outline): Sparing => {
  const { spared } = situation
  if (spared === undefined) return { drafts: whole.drafts, needs: whole.needs, left: [] }
  const stays = (kind: string): boolean => spared === "all" || spared.has(kind)
  const gentle = outline(situation, lasting(compared, stays), kept(extras, stays), stays)
  const ids = new Set(gentle.drafts.map(({ operation }) => operation.id))
  // What goes along with a replacement and is made again stays as it is without one.
  const undone = whole.drafts.filter(
    ({ on, operation }) => !ids.has(operation.id) && whole.decisions.fates.get(on.address)?.state !== "lost"
  )
  const reasons = new Map(undone.map((it) => [it.operation.id, reasonOf(it, gentle)]))
  // What the registry makes by itself, and nobody wants.
  const unwanted = new Set(
    gentle.drafts.filter(({ on, operation }) => operation.action === "delete" && stays(on.kind.kind))
  )
  for (const { operation } of unwanted) reasons.set(operation.id, operation.reason ?? "")
  const held = heldUp(gentle, undone, unwanted)
  for (const [id, because] of held) reasons.set(id, `waits for ${because}`)
  const isLeft = ({ operation }: Draft): boolean => reasons.has(operation.id)
  // What goes along with something that is left is left with it.
  const ending = new Set([...whole.decisions.doomed.keys(), ...removedBy(undone)])
  const goesAlong = ({ on }: Draft): boolean =>
    needsOf(on.kind, on.item).some((ref) => ref.cascades === true && ending.has(refersTo(ref)))
  const told = gentle.drafts.filter((it) => isLeft(it) && !(unwanted.has(it) && goesAlong(it)))
  const left = [...undone, ...told].map(
    ({ operation: { action, id, key, kind } }): Left => ({ action, kind, key, reason: reasons.get(id) ?? "" })
  )
  return {
    drafts: gentle.drafts.filter((it) => !isLeft(it)),
    needs: gentle.needs,
    left: sortedBy(left, leftId)
  }
}

const removedBy = (drafts: ReadonlyArray<Draft>): ReadonlyArray<string> =>
  drafts.flatMap(({ on, operation: { action } }) => (action === "delete" || action === "replace" ? [on.address] : []))

/** What would be replaced stays as it is. */
const lasting = (compared: Fates, stays: (kind: string) => boolean): Fates => {
  const fates = new Map(compared)
  for (const [address, fate] of compared) {
    if (fate.state !== "replaced" || !stays(fate.want.kind.kind)) continue
    const { before, changes, want } = fate
    fates.set(address, { state: "stuck", want, before, stuck: stuckAt(want, changes, "") })
  }
  return fates
}

const kept = (extras: Extras, stays: (kind: string) => boolean): Extras => ({
  ...extras,
  removed: new Map([...extras.removed].filter(([, { kind }]) => !stays(kind.kind)))
})

const reasonOf = ({ on, operation }: Draft, { decisions }: Outline): string => {
  const holder = decisions.blocked.get(on.address)
  if (holder !== undefined) return `${holder} needs it, and stays`
  if (operation.action !== "replace") return operation.reason ?? ""
  return `the registry offers no way to change ${operation.changes.map(({ field }) => field).join(" and ")} in place`
}

/** What cannot be done while something stays, by its id, with the id of what it waits for. */
const heldUp = (
  gentle: Outline,
  undone: ReadonlyArray<Draft>,
  unwanted: ReadonlySet<Draft>
): ReadonlyMap<string, string> => {
  const barriers = barriersOf(undone)
  const held = new Map<string, string>()
  const stopped = new Set([...unwanted].map(({ operation }) => operation.id))
  for (const draft of gentle.drafts) {
    const because = waitsFor(draft, barriers)
    if (because !== undefined && !stopped.has(draft.operation.id)) held.set(draft.operation.id, because)
  }
  // What waits for what waits, until no more does.
  const dependents = dependentsOf(gentle.needs)
  const open = [...stopped, ...held.keys()]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const dependent of dependents.get(id) ?? []) {
      if (held.has(dependent) || stopped.has(dependent)) continue
      held.set(dependent, isGate(id) ? (held.get(id) ?? id) : id)
      open.push(dependent)
    }
  }
  return held
}

/** Removals that are left out, by what they stand in the way of. The values are their ids. */
interface Barriers {
  /** What is not made anew, by its address. */
  readonly replaced: ReadonlyMap<string, string>
  /** Collections that are closed while an object is there. */
  readonly closed: ReadonlyMap<string, string>
  /** What stays, by its collection. */
  readonly staying: ReadonlyMap<string, string>
}

const barriersOf = (undone: ReadonlyArray<Draft>): Barriers => {
  const replaced = new Map<string, string>()
  const closed = new Map<string, string>()
  const staying = new Map<string, string>()
  for (const { on, operation } of sortedBy(undone, (it) => it.operation.id)) {
    const { action, id } = operation
    if (action !== "delete" && action !== "replace") continue
    staying.set(collectionId(collectionOf(on.kind, operation.before)), id)
    if (action === "replace") replaced.set(on.address, id)
    else for (const it of on.kind.excludes?.(operation.before) ?? []) closed.set(collectionId(it), id)
  }
  return { replaced, closed, staying }
}

const waitsFor = ({ on, operation }: Draft, { closed, replaced, staying }: Barriers): string | undefined => {
  const own = collectionOf(on.kind, on.item)
  const outside = closed.get(collectionId(own))
  if (outside !== undefined || operation.action === "delete") return outside
  const anew = needsOf(on.kind, operation.after).map((ref) => replaced.get(refersTo(ref)))
  // What a kind consults it reckons with; what it only follows has to be gone first.
  const consulted = new Set(on.kind.consults?.(own).map(collectionId))
  const followed = operation.action === "create" ? (on.kind.follows?.(operation.after) ?? []) : []
  const before = followed.map(collectionId).filter((id) => !consulted.has(id))
  return [...anew, ...before.map((id) => staying.get(id))].find((id) => id !== undefined)
}

const dependentsOf = (needs: Needs): ReadonlyMap<string, ReadonlyArray<string>> => {
  const dependents = new Map<string, Array<string>>()
  for (const [id, needed] of needs) for (const it of needed) append(dependents, it, id)
  return dependents
}
