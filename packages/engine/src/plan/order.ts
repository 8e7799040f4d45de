/**
 * What comes before what. A reference counts in both directions: what is needed is made before, and deleted after. Beyond
 * that, a kind may ask that its objects follow a collection, or that in its collections giving comes before taking away: many
 * that wait for the same many. A gate stands between them, so that there is no edge for each pair of them; to order them by way of
 * an operation would let the failure of that one hold up others that do not depend on it.
 */
import { type Collection, collectionId, type Ref } from "../address.ts"
import { type GateWord, gateId, isGate } from "../gate.ts"
import type { Needs } from "../graph.ts"
import { collectionOf, groupByPlace } from "../state.ts"
import type { Decisions } from "./decision.ts"
import { type Draft, makerOf } from "./draft.ts"
import type { Predictions } from "./prediction.ts"
import { needsOf, refersTo, type Situation } from "./situation.ts"

/** For each operation, and each gate, what must be done before it. */
export const order = (
  situation: Situation,
  decisions: Decisions,
  predictions: Predictions,
  drafts: ReadonlyArray<Draft>
): Needs => {
  const index = indexDrafts(decisions, predictions, drafts)
  const needs = new Map<string, Set<string>>()
  for (const draft of drafts) {
    const { id, needs: causes } = draft.operation
    needs.set(id, new Set([...causes, ...makersOfNeeded(index, draft)]))
  }
  wait(
    needs,
    queues(drafts, (draft) => followed(index, draft))
  )
  for (const draft of drafts) {
    const { id } = draft.operation
    // What needs a replaced object is done after the replacement, which then cannot wait for it.
    for (const end of endsOfNeeded(index, draft)) if (!waits(needs, id, end)) needs.get(end)?.add(id)
  }
  wait(
    needs,
    queues(drafts, (draft) => grantsBefore(index, draft))
  )
  for (const [end, taker] of takersBeforeEnds(index, situation, decisions)) needs.get(end)?.add(taker)
  for (const draft of drafts) for (const freed of freedBy(index, draft)) needs.get(freed)?.add(draft.operation.id)
  return needs
}

/** Operations that wait for all of the same others, by the id of the gate between them. */
interface Queue {
  readonly first: ReadonlyArray<string>
  readonly later: Array<string>
}

/** What is waited for, worded as the id of a gate, and the operations that this is. */
interface Crowd {
  readonly id: string
  readonly members: () => ReadonlyArray<string>
}

const queues = (
  drafts: ReadonlyArray<Draft>,
  crowdsBefore: (draft: Draft) => ReadonlyArray<Crowd>
): ReadonlyMap<string, Queue> => {
  const found = new Map<string, Queue>()
  for (const draft of drafts) {
    for (const { id, members } of crowdsBefore(draft)) {
      const queue = found.get(id) ?? { first: members(), later: [] }
      found.set(id, queue)
      queue.later.push(draft.operation.id)
    }
  }
  return found
}

const wait = (needs: Map<string, Set<string>>, queues: ReadonlyMap<string, Queue>): void => {
  for (const [gate, { first, later }] of queues) {
    const isCrowded = first.length > 1 && later.length > 1
    if (isCrowded) needs.set(gate, new Set(first))
    for (const id of later) for (const it of isCrowded ? [gate] : first) needs.get(id)?.add(it)
  }
}

/** Whether an operation waits for another one, by itself or at a gate. */
const waits = (needs: Needs, id: string, other: string): boolean =>
  [...(needs.get(id) ?? [])].some((it) => it === other || (isGate(it) && needs.get(it)?.has(other) === true))

/** The ids of the operations, by what is asked of them. */
interface DraftIndex {
  /** What makes an object, on purpose or by itself, by the object's address. */
  readonly makers: ReadonlyMap<string, string>
  /** What ends an object, by its address. A replacement makes and ends. */
  readonly ends: ReadonlyMap<string, string>
  readonly byCollection: ReadonlyMap<string, ReadonlyArray<Draft>>
}

const indexDrafts = ({ fates }: Decisions, predictions: Predictions, drafts: ReadonlyArray<Draft>): DraftIndex => {
  const makers = new Map<string, string>()
  const ends = new Map<string, string>()
  for (const [address, { cause }] of predictions) makers.set(address, makerOf(cause, fates))
  for (const { on, operation } of drafts) {
    const { action, id } = operation
    if (action === "create" || action === "replace") makers.set(on.address, id)
    if (action === "delete" || action === "replace") ends.set(on.address, id)
  }
  return { makers, ends, byCollection: groupByPlace(drafts, ({ on }) => collectionOf(on.kind, on.item)) }
}

/** The operations under the addresses that references lead to. */
const under = (ids: ReadonlyMap<string, string>, refs: ReadonlyArray<Ref>): ReadonlyArray<string> =>
  refs.map((ref) => ids.get(refersTo(ref))).filter((id) => id !== undefined)

const inCollection = ({ byCollection }: DraftIndex, collection: Collection): ReadonlyArray<Draft> =>
  byCollection.get(collectionId(collection)) ?? []

/** An object is made, or changed, after what it will need. */
const makersOfNeeded = ({ makers }: DraftIndex, { on, operation }: Draft): ReadonlyArray<string> =>
  operation.action === "delete" ? [] : under(makers, needsOf(on.kind, operation.after))

/** What an object needed ends after the object is gone, or has let go. */
const endsOfNeeded = ({ ends }: DraftIndex, { on, operation }: Draft): ReadonlyArray<string> =>
  operation.action === "create" ? [] : under(ends, needsOf(on.kind, operation.before))

/**
 * An object is made after all that is planned for the collections that it follows. Of its own collection that is what is
 * deleted from it: some have no room for the new before the old is gone.
 */
const followed = (index: DraftIndex, { on, operation }: Draft): ReadonlyArray<Crowd> => {
  if (operation.action !== "create" && operation.action !== "replace") return []
  return (on.kind.follows?.(operation.after) ?? []).map((collection) => {
    const isOwn = collection.kind === on.kind.kind
    return crowd(index, isOwn ? "gone" : "done", collection, ({ action }) => !isOwn || action === "delete")
  })
}

/** Nothing is taken away before what is new has been given, where the kind asks for that. */
const grantsBefore = (index: DraftIndex, { on, operation }: Draft): ReadonlyArray<Crowd> => {
  if (operation.action !== "delete" || on.kind.grantsFirst !== true) return []
  return [crowd(index, "given", collectionOf(on.kind, on.item), ({ action }) => action !== "delete")]
}

const crowd = (
  index: DraftIndex,
  what: GateWord,
  collection: Collection,
  counts: (operation: Draft["operation"]) => boolean
): Crowd => ({
  id: gateId(what, collectionId(collection)),
  members: () => inCollection(index, collection).flatMap(({ operation }) => (counts(operation) ? [operation.id] : []))
})

/** What is done in collections that an object kept everybody out of is done when that object is gone. */
const freedBy = (index: DraftIndex, { on, operation }: Draft): ReadonlyArray<string> => {
  if (operation.action !== "delete") return []
  const collections = on.kind.excludes?.(operation.before) ?? []
  return collections.flatMap((collection) => inCollection(index, collection)).map((later) => later.operation.id)
}

/** What goes along needs things as well, and is gone only when what takes it along is done. */
const takersBeforeEnds = (
  { ends }: DraftIndex,
  { kinds, there }: Situation,
  { doomed }: Decisions
): ReadonlyArray<readonly [end: string, taker: string]> =>
  [...doomed].flatMap(([address, root]) => {
    const found = there.byAddress.get(address)
    const taker = ends.get(root)
    if (found === undefined || taker === undefined) return []
    const refs = needsOf(kinds.get(found.kind), found.item).filter((ref) => ref.cascades !== true)
    return under(ends, refs)
      .filter((end) => end !== taker)
      .map((end): readonly [string, string] => [end, taker])
  })
