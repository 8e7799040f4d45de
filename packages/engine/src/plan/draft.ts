/**
 * The operations, as far as each can be told by itself: one for each object that something is done to. Of what an operation
 * needs, only what brings it about is known here; the rest is a matter of order.
 */
import { byText } from "../address.ts"
import { type Change, diff, overlay } from "../diff.ts"
import type { Item } from "../kind.ts"
import { groupBy } from "../lists.ts"
import type { Action, AnyOperation, Delete } from "../operation.ts"
import type { Decisions } from "./decision.ts"
import type { Fate, Fates } from "./fate.ts"
import type { Prediction, Predictions } from "./prediction.ts"
import type { Resource, Wanted } from "./situation.ts"

/** An operation, and what it is done to. */
export interface Draft {
  readonly on: Resource
  readonly operation: AnyOperation
}

type FateThatIs<State extends Fate["state"]> = Extract<Fate, { readonly state: State }>

export const draft = ({ doomed, fates, removed }: Decisions, predictions: Predictions): ReadonlyArray<Draft> => {
  const taken = groupBy(doomed, ([, root]) => root)
  const cascades = (root: string) => (taken.get(root) ?? []).map(([address]) => address).sort(byText)
  const drafts: Array<Draft> = []
  const add = (on: Resource, operation: AnyOperation) => drafts.push({ on, operation })

  const deletionOfMade = (on: Resource, { cause, foreseen, was }: Prediction, reason: string): AnyOperation => {
    const isLeft = was !== undefined && diff(on.kind, was, on.item).length > 0
    return {
      ...deletion(on, cascades(on.address), reason),
      ...by(makerOf(cause, fates)),
      ...(isLeft ? { was } : {}),
      ...(foreseen ? { foreseen } : {})
    }
  }

  // To what is the same, or stuck, nothing is done.
  for (const [address, fate] of fates) {
    const { want } = fate
    const prediction = predictions.get(address)
    if (fate.state === "missing" || fate.state === "lost") add(want, creation(fate, fates, prediction))
    else if (fate.state === "replaced") add(want, replacement(fate, cascades(address)))
    else if (fate.state === "changed" || fate.state === "same") {
      const operation = prediction === undefined ? ownUpdate(fate) : updateOfMade(fate, prediction, fates)
      if (operation !== undefined) add(want, operation)
    }
  }
  for (const [address, extra] of removed) {
    const prediction = predictions.get(address)
    // What the registry could make again, or change, is deleted after it could.
    const own =
      prediction === undefined
        ? deletion(extra, cascades(address), extra.reason)
        : deletionOfMade({ ...extra, item: overlay(extra.item, prediction.item) }, prediction, extra.reason)
    add(extra, { ...own, ...extra.origin })
  }
  for (const [address, prediction] of predictions) {
    if (!prediction.unwanted || removed.has(address)) continue
    const reason = "made by the registry itself; not in the file"
    add(prediction, deletionOfMade(prediction, prediction, reason))
  }
  return drafts
}

/** The id of the operation that makes an object, or that changes one. */
export const makerOf = (address: string, fates: Fates): string => {
  const state = fates.get(address)?.state
  const action = state === "replaced" ? "replace" : state === "changed" ? "update" : "create"
  return `${action}:${address}`
}

/** What is to be done depends on what another operation leaves. */
const by = (id: string) => ({ needs: [id], impliedBy: id })

const creation = (
  fate: FateThatIs<"missing" | "lost">,
  fates: Fates,
  prediction: Prediction | undefined
): AnyOperation => {
  const { want } = fate
  const create = (needs: ReadonlyArray<string>, by: { readonly impliedBy?: string; readonly reason?: string }) => ({
    ...head("create", want),
    after: want.item,
    needs,
    ...want.origin,
    ...by
  })
  const taker = fate.state === "lost" ? [makerOf(fate.root, fates)] : []
  if (prediction !== undefined) {
    const impliedBy = makerOf(prediction.cause, fates)
    const asWanted = diff(want.kind, prediction.item, want.item).length === 0
    const reason = asWanted ? "made by the registry itself" : "made by the registry itself, but differently"
    return create([impliedBy, ...taker], { impliedBy, reason })
  }
  if (fate.state === "missing") return create([], {})
  return create(taker, { impliedBy: makerOf(fate.root, fates), reason: `lost with ${fate.root}, and made again` })
}

const ownUpdate = (fate: FateThatIs<"changed" | "same">): AnyOperation | undefined =>
  fate.state === "changed" ? update(fate.want, fate.before, fate.changes) : undefined

/** Of what is there, and the registry changes: as it is wanted in the end, whatever it was before that. */
const updateOfMade = (
  fate: FateThatIs<"changed" | "same">,
  prediction: Prediction,
  fates: Fates
): AnyOperation | undefined => {
  const { before, want } = fate
  const made = overlay(before, prediction.item)
  const left = diff(want.kind, made, want.item)
  if (fate.state === "same" && (left.length === 0 || want.kind.update === undefined)) return undefined
  const operation = fate.state === "changed" ? update(want, before, fate.changes) : update(want, made, left)
  const reason = left.length === 0 ? "made by the registry itself" : "changed by the registry itself"
  return { ...operation, ...by(makerOf(prediction.cause, fates)), reason }
}

const update = (want: Wanted, before: Item, changes: ReadonlyArray<Change>): AnyOperation => ({
  ...head("update", want),
  before,
  after: want.item,
  changes,
  needs: [],
  ...want.origin
})

const replacement = (
  { before, changes, want }: FateThatIs<"replaced">,
  cascades: ReadonlyArray<string>
): AnyOperation => ({
  ...head("replace", want),
  before,
  after: want.item,
  changes,
  needs: [],
  cascades,
  ...lossOf(want),
  ...want.origin
})

const deletion = (on: Resource, cascades: ReadonlyArray<string>, reason: string): Delete<string, Item> => ({
  ...head("delete", on),
  before: on.item,
  cascades,
  needs: [],
  reason,
  ...lossOf(on)
})

/** What every operation begins with. */
const head = <A extends Action>(action: A, { address, key, kind }: Resource) => ({
  id: `${action}:${address}`,
  action,
  kind: kind.kind,
  key
})

const lossOf = ({ kind }: Resource) => (kind.destroys === undefined ? {} : { destroys: kind.destroys })
