/**
 * What the registry will do by itself: creating a repository also grants what the default permissions say. Foreseen from
 * what will be there when all that is planned is done, not from what is there now.
 */
import { type Collection, collectionId } from "../address.ts"
import type { Item } from "../kind.ts"
import { groupBy, sortedBy } from "../lists.ts"
import { collectionOf, type World } from "../state.ts"
import type { Decisions } from "./decision.ts"
import { keptBecause } from "./extras.ts"
import { isMade, outcome } from "./fate.ts"
import { isImplicit, type Resource, resourceOf, type Situation } from "./situation.ts"

export interface Prediction extends Resource {
  /** The address of what is made, and makes this. */
  readonly cause: string
  /** Whether it is to be taken away again: no file declares it, and its collection is owned. */
  readonly unwanted: boolean
}

/** By address. */
export type Predictions = ReadonlyMap<string, Prediction>

export const predict = (situation: Situation, decisions: Decisions): Predictions => {
  const { caller, kinds } = situation
  const world: World = { caller, collection: foreseen(situation, decisions) }
  const predictions = new Map<string, Prediction>()
  const causes = [...decisions.fates].filter(([, fate]) => fate.want.kind.implies !== undefined && isMade(fate))
  // In the order of their addresses, so that the cause of what several of them would make is always the same.
  for (const [cause, { want }] of sortedBy(causes, ([address]) => address)) {
    for (const { item, kind: name } of want.kind.implies?.(want.item, world) ?? []) {
      const kind = kinds.get(name)
      if (kind === undefined) continue
      const made = resourceOf(kind, item)
      if (predictions.has(made.address)) continue
      predictions.set(made.address, { ...made, cause, unwanted: isUnwanted(situation, made) })
    }
  }
  return predictions
}

const isUnwanted = (situation: Situation, made: Resource): boolean => {
  if (situation.absent.has(made.address)) return true
  if (situation.wanted.has(made.address) || isImplicit(situation, made)) return false
  const entry = situation.owned.get(collectionId(collectionOf(made.kind, made.item)))
  return entry !== undefined && keptBecause(made.kind, entry) === undefined
}

/** What a collection will have when all that is planned for it is done, in the order of the keys. Asked for often. */
const foreseen = ({ kinds, there }: Situation, { doomed, fates, removed }: Decisions): World["collection"] => {
  const declared = groupBy(fates.values(), ({ want }) => collectionId(collectionOf(want.kind, want.item)))
  const answers = new Map<string, ReadonlyArray<Item>>()
  const look = (of: Collection): ReadonlyArray<Item> => {
    const id = collectionId(of)
    const kind = kinds.get(of.kind)
    if (kind === undefined) return []
    const items = new Map<string, Item>()
    for (const { item } of there.byCollection.get(id) ?? []) {
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
