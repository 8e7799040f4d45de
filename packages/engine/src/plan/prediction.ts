/**
 * What the registry will do by itself: creating a repository also grants what the default permissions say, and a mirror changes
 * the state of its repository. Foreseen from what will be there when all that is planned is done, not from what is there now.
 */
import { addressOf, type Collection, collectionId } from "../address.ts"
import type { Implied, Item } from "../kind.ts"
import { sortedBy } from "../lists.ts"
import { collectionOf, groupByPlace, type World } from "../state.ts"
import type { Decisions } from "./decision.ts"
import { keptBecause } from "./extras.ts"
import { type Fate, type Fates, isMade, outcome } from "./fate.ts"
import { isImplicit, needsOf, type Resource, refersTo, resourceOf, type Situation } from "./situation.ts"

export interface Prediction extends Resource {
  /** The address of what is made or changed, and makes or changes this. */
  readonly cause: string
  /** As it is before that, where there is one already: what the registry does may leave it so. */
  readonly was: Item | undefined
  /** Whether it is not there before anything is done. */
  readonly foreseen: boolean
  /** Whether it is to be taken away again: no file declares it, and its collection is owned. */
  readonly unwanted: boolean
}

/** By address. */
export type Predictions = ReadonlyMap<string, Prediction>

export const predict = (situation: Situation, decisions: Decisions): Predictions => {
  const { kinds, there } = situation
  const predictions = new Map<string, Prediction>()
  const world = worldOf(situation, decisions, predictions)
  const matters = relevance(situation, decisions)
  const isThere = (address: string) => there.byAddress.has(address) && !decisions.doomed.has(address)
  for (const [cause, fate] of inTurn(decisions.fates)) {
    for (const { item, kind: name } of impliedBy(fate, world)) {
      const kind = kinds.get(name)
      if (kind === undefined) continue
      const made = resourceOf(kind, item)
      if (!matters(made)) continue
      const was = world.found({ kind: name, key: made.key })
      const foreseen = !isThere(made.address)
      predictions.set(made.address, { ...made, cause, was, foreseen, unwanted: isUnwanted(situation, made) })
    }
  }
  return predictions
}

/** Of all that the registry makes, which can be very much, only what somebody has to do with is foreseen. */
const relevance = ({ absent, owned, there, wanted }: Situation, { fates }: Decisions) => {
  const needed = new Set([...fates.values()].flatMap(({ want }) => needsOf(want.kind, want.item).map(refersTo)))
  return ({ address, item, kind }: Resource): boolean =>
    wanted.has(address) ||
    absent.has(address) ||
    needed.has(address) ||
    there.byAddress.has(address) ||
    owned.has(collectionId(collectionOf(kind, item)))
}

/** What kinds may look at. */
export const worldOf = (situation: Situation, decisions: Decisions, predictions: Predictions): World => ({
  caller: situation.caller,
  collection: foreseen(situation, decisions),
  found: ({ key, kind }) => {
    const address = addressOf(kind, key)
    const found = decisions.doomed.has(address) ? undefined : situation.there.byAddress.get(address)
    return predictions.get(address)?.item ?? found?.item
  }
})

const impliedBy = (fate: Fate, world: World): ReadonlyArray<Implied> => {
  const { item, kind } = fate.want
  if (isMade(fate)) return kind.implies?.(item, world) ?? []
  return fate.state === "changed" ? (kind.impliesOnUpdate?.(item, fate.before, world) ?? []) : []
}

/** What is made or changed, each after what it needs: of what several of them would make, the last one decides. */
const inTurn = (fates: Fates): ReadonlyMap<string, Fate> => {
  const turns = new Map<string, Fate>()
  const causes = [...fates].filter(([, fate]) => {
    const { implies, impliesOnUpdate } = fate.want.kind
    return isMade(fate) ? implies !== undefined : fate.state === "changed" && impliesOnUpdate !== undefined
  })
  const waiting = new Map(sortedBy(causes, ([address]) => address))
  const take = (address: string, fate: Fate) => {
    if (!waiting.delete(address)) return
    for (const ref of needsOf(fate.want.kind, fate.want.item)) {
      const needed = waiting.get(refersTo(ref))
      if (needed !== undefined) take(refersTo(ref), needed)
    }
    turns.set(address, fate)
  }
  for (const [address, fate] of [...waiting]) take(address, fate)
  return turns
}

const isUnwanted = (situation: Situation, made: Resource): boolean => {
  if (situation.absent.has(made.address)) return true
  if (situation.wanted.has(made.address) || isImplicit(situation, made)) return false
  if (situation.ignoredBy(made.kind, made.item) !== undefined) return false
  const entry = situation.owned.get(collectionId(collectionOf(made.kind, made.item)))
  return entry !== undefined && keptBecause(made.kind, entry) === undefined
}

/** What a collection will have when all that is planned for it is done, in the order of the keys. Asked for often. */
const foreseen = ({ kinds, there }: Situation, { doomed, fates, removed }: Decisions): World["collection"] => {
  const found = groupByPlace(there.byAddress.values(), ({ item, kind: name }) => {
    const kind = kinds.get(name)
    return kind === undefined ? undefined : collectionOf(kind, item)
  })
  const declared = groupByPlace(fates.values(), ({ want }) => collectionOf(want.kind, want.item))
  const answers = new Map<string, ReadonlyArray<Item>>()
  const look = (of: Collection): ReadonlyArray<Item> => {
    const id = collectionId(of)
    const kind = kinds.get(of.kind)
    if (kind === undefined) return []
    const items = new Map<string, Item>()
    for (const { item } of found.get(id) ?? []) {
      const { address, key } = resourceOf(kind, item)
      if (!removed.has(address) && !doomed.has(address)) items.set(key, item)
    }
    for (const fate of declared.get(id) ?? []) {
      const item = outcome(fate)
      if (item !== undefined) items.set(fate.want.key, item)
    }
    return sortedBy(items, ([key]) => key).map(([, item]) => item)
  }
  return (of) => {
    const id = collectionId(of)
    const items = answers.get(id) ?? look(of)
    answers.set(id, items)
    return items
  }
}
