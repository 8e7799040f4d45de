/** What is wrong with what is wanted, once it is known what would be done. Nothing is planned while anything is wrong. */
import { collectionId, type Ref } from "../address.ts"
import { findCycle, type Needs } from "../graph.ts"
import type { AnyOperation } from "../operation.ts"
import type { Problem } from "../target-plan.ts"
import type { Decisions } from "./decision.ts"
import type { Draft } from "./draft.ts"
import { type Predictions, worldOf } from "./prediction.ts"
import { needsOf, refersTo, type Situation, type Wanted } from "./situation.ts"

/** Declared objects that a deletion would take along. What a replacement takes along is made again, if it can be, and no mistake. */
export const lostObjects = ({ doomed, fates }: Decisions): ReadonlyArray<Problem> =>
  [...doomed].flatMap(([address, root]) => {
    const want = fates.get(address)?.want
    if (want === undefined) return []
    const isReplaced = fates.get(root)?.state === "replaced"
    if (isReplaced && want.kind.create !== undefined) return []
    const what = isReplaced ? "which this plan replaces, and cannot be created again" : "which this plan deletes"
    const message = `${want.kind.kind} ${want.key} would be lost with ${root}, ${what}.`
    return [{ message, ...want.origin }]
  })

/** What cannot be as declared, in view of what is there and of what will be. */
export const refusals = (
  situation: Situation,
  decisions: Decisions,
  predictions: Predictions
): ReadonlyArray<Problem> => {
  const world = worldOf(situation, decisions, predictions)
  return [...decisions.fates.values()].flatMap((fate) => {
    const { item, key, kind, origin } = fate.want
    const reason = kind.refuses?.(item, "before" in fate ? fate.before : undefined, world)
    return reason === undefined ? [] : [{ message: `${kind.kind} ${key}: ${reason}`, ...origin }]
  })
}

/** What would be deleted, and cannot be as it is. */
export const stubbornObjects = ({ removed }: Decisions): ReadonlyArray<Problem> =>
  [...removed.values()].flatMap(({ item, key, kind, origin }) => {
    const reason = kind.lasts?.(item)
    return reason === undefined ? [] : [{ message: `${kind.kind} ${key} cannot be deleted: ${reason}`, ...origin }]
  })

/** What is declared absent, is there, and stays. */
export const lastingObjects = (
  { absent, there }: Situation,
  { doomed, kept, removed }: Decisions
): ReadonlyArray<Problem> =>
  [...absent].flatMap(([address, { key, kind, origin }]) => {
    if (!there.byAddress.has(address) || removed.has(address) || doomed.has(address)) return []
    const reason = kept.find((extra) => extra.kind === kind.kind && extra.key === key)?.reason
    const why = reason ?? "the registry offers no way to delete it"
    return [{ message: `${kind.kind} ${key} is declared absent, and stays: ${why}.`, ...origin }]
  })

/** References of declared objects to what will not be there. */
export const brokenReferences = (
  situation: Situation,
  decisions: Decisions,
  predictions: Predictions
): ReadonlyArray<Problem> =>
  [...decisions.fates.values()].flatMap(({ want: { item, key, kind, origin } }) =>
    needsOf(kind, item).flatMap((ref) => {
      const fault = faultOf(ref, situation, decisions, predictions)
      return fault === undefined
        ? []
        : [{ message: `${kind.kind} ${key} needs ${ref.kind} ${ref.key}, ${fault}.`, ...origin }]
    })
  )

const faultOf = (
  ref: Ref,
  { absent, there, wanted }: Situation,
  { doomed, fates, removed }: Decisions,
  predictions: Predictions
): string | undefined => {
  const address = refersTo(ref)
  if (fates.get(address)?.state === "unmade") return "which is not there, and cannot be created here"
  if (wanted.has(address)) return undefined
  const prediction = predictions.get(address)
  const deleted = removed.has(address) || (prediction === undefined ? doomed.has(address) : prediction.unwanted)
  if (deleted) return "which this plan deletes"
  if (absent.has(address)) return "which is declared absent"
  if (prediction !== undefined || there.byAddress.has(address)) return undefined
  // Of a collection that was not read, nothing is known.
  const read = there.read.has(collectionId({ kind: ref.kind, parent: ref.parent }))
  return read ? "which is neither declared nor there" : undefined
}

/** Collections that files own, and that an object which is there, or will be, leaves nobody to fill. */
export const excludedCollections = (situation: Situation, decisions: Decisions): ReadonlyArray<Problem> =>
  objectsToBe(situation, decisions).flatMap(({ item, key, kind, origin }) =>
    (kind.excludes?.(item) ?? []).flatMap((collection) => {
      if (!situation.owned.has(collectionId(collection))) return []
      const { kind: name, parent, part } = collection
      const place = [situation.kinds.get(name)?.section.name ?? name, ...(part === undefined ? [] : [part])].join(".")
      return [{ message: `${place} of ${parent} cannot be managed while there is ${kind.kind} ${key}.`, ...origin }]
    })
  )

/** All that will be there and can exclude something, with where it is declared. */
const objectsToBe = (
  { kinds, there, wanted }: Situation,
  { doomed, fates, removed }: Decisions
): ReadonlyArray<Omit<Wanted, "address">> => {
  const found = [...there.byAddress].flatMap(([address, { item, kind: name }]) => {
    const kind = kinds.get(name)
    if (kind?.excludes === undefined || wanted.has(address) || removed.has(address) || doomed.has(address)) return []
    return [{ item, key: kind.key(item), kind, origin: {} }]
  })
  return [...[...fates.values()].map(({ want }) => want), ...found]
}

/** Objects that do not have the shape their kind asks for. */
export const misfits = (
  drafts: ReadonlyArray<Draft>,
  fits: (operation: AnyOperation) => boolean
): ReadonlyArray<Problem> =>
  drafts
    .map(({ operation }) => operation)
    .filter((operation) => !fits(operation))
    .map(({ key, kind, source }) => ({
      message: `${kind} ${key} is not what the kind "${kind}" says it is.`,
      ...(source === undefined ? {} : { source })
    }))

export const cycles = (needs: Needs): ReadonlyArray<Problem> => {
  const cycle = findCycle(needs)
  return cycle === undefined ? [] : [{ message: `These operations need each other: ${cycle.join(" → ")}.` }]
}
