/** What a plan takes away: the objects that operations delete, and those that go along with them. */
import { addressOf, partsOf } from "../address.ts"
import { type AnyOperation, isForeseen } from "../operation.ts"

export interface Deletion {
  readonly address: string
  readonly kind: string
  readonly key: string
  readonly operation: AnyOperation
  /** It goes along with what the operation deletes or replaces. */
  readonly along: boolean
}

/**
 * Every object that is there and will not be. What is replaced will be there again, and so will what goes along and is created
 * again. What the registry would make by itself, and is taken away then, is not there yet.
 */
export const deletionsOf = (operations: ReadonlyArray<AnyOperation>): ReadonlyArray<Deletion> => {
  const made = new Set(operations.flatMap((it) => (it.action === "create" ? [addressOf(it.kind, it.key)] : [])))
  return operations.flatMap((operation): ReadonlyArray<Deletion> => {
    if (operation.action !== "delete" && operation.action !== "replace") return []
    const { action, cascades, key, kind } = operation
    const along = cascades
      .filter((address) => !made.has(address))
      .map((address) => ({ address, ...partsOf(address), operation, along: true }))
    if (action === "replace" || isForeseen(operation)) return along
    return [{ address: addressOf(kind, key), kind, key, operation, along: false }, ...along]
  })
}

/**
 * The deletions that stand for themselves. What goes along with an object whose own deletion destroys something is lost with
 * that, and allowed with it.
 */
export const ownDeletions = (operations: ReadonlyArray<AnyOperation>): ReadonlyArray<Deletion> =>
  deletionsOf(operations).filter(({ along, operation }) => !(along && destroys(operation)))

export const destroys = (operation: AnyOperation): boolean =>
  (operation.action === "delete" || operation.action === "replace") && operation.destroys !== undefined
