/** What is wrong with what is wanted, once it is known what would be done. Nothing is planned while anything is wrong. */
import { collectionId, type Ref } from "../address.ts"
import { findCycle, type Needs } from "../graph.ts"
import type { AnyOperation } from "../operation.ts"
import type { Problem } from "../target-plan.ts"
import type { Decisions } from "./decision.ts"
import type { Draft } from "./draft.ts"
import type { Predictions } from "./prediction.ts"
import { needsOf, refersTo, type Situation } from "./situation.ts"

/** Declared objects that a deletion would take along. What a replacement takes along is made again, and no mistake. */
export const lostObjects = ({ doomed, fates }: Decisions): ReadonlyArray<Problem> =>
  [...doomed].flatMap(([address, root]) => {
    const want = fates.get(address)?.want
    if (want === undefined || fates.get(root)?.state === "replaced") return []
    const message = `${want.kind.kind} ${want.key} would be lost with ${root}, which this plan deletes.`
    return [{ message, ...want.origin }]
  })

/** References of declared objects to what will not be there. */
export const brokenReferences = (
  situation: Situation,
  decisions: Decisions,
  predictions: Predictions
): ReadonlyArray<Problem> =>
  [...situation.wanted.values()].flatMap(({ item, key, kind, origin }) =>
    needsOf(kind, item).flatMap((ref) => {
      const fault = faultOf(ref, situation, decisions, predictions)
      return fault === undefined
        ? []
        : [{ message: `${kind.kind} ${key} needs ${ref.kind} ${ref.key}, ${fault}.`, ...origin }]
    })
  )

const faultOf = (
  ref: Ref,
  { there, wanted }: Situation,
  { doomed, removed }: Decisions,
  predictions: Predictions
): string | undefined => {
  const address = refersTo(ref)
  if (wanted.has(address)) return undefined
  const prediction = predictions.get(address)
  const deleted = removed.has(address) || (prediction === undefined ? doomed.has(address) : prediction.unwanted)
  if (deleted) return "which this plan deletes"
  if (prediction !== undefined || there.byAddress.has(address)) return undefined
  // Of a collection that was not read, nothing is known.
  const read = there.read.has(collectionId({ kind: ref.kind, parent: ref.parent }))
  return read ? "which is neither declared nor there" : undefined
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
