/**
 * Deletions in collections that the files did not manage before: whoever lets files manage one more collection may not know what
 * is in it. It can only be told where it is known what the files said.
 */
import { addressOf, collectionId } from "../address.ts"
import { groupBy } from "../lists.ts"
import { isForeseen } from "../operation.ts"
import { collectionOf } from "../state.ts"
import type { Facts } from "./facts.ts"
import { nameOf } from "./share.ts"
import type { Finding } from "./verdict.ts"

export const newlyManagedRule = (facts: Facts): ReadonlyArray<Finding> => {
  const { absent, kinds, managed, operations, there } = facts
  if (managed === undefined) return []
  const deletions = operations.flatMap((operation) => {
    const kind = kinds.get(operation.kind)
    // What is declared absent is named, and what the registry makes by itself is not there yet.
    if (operation.action !== "delete" || isForeseen(operation) || kind === undefined) return []
    if (absent.has(addressOf(operation.kind, operation.key))) return []
    const collection = collectionOf(kind, operation.before)
    return managed.has(collectionId(collection)) ? [] : [{ collection, id: operation.id }]
  })
  return [...groupBy(deletions, ({ collection }) => collectionId(collection))].flatMap(([id, deleted]) => {
    const [first] = deleted
    if (first === undefined) return []
    const existing = there.byCollection.get(id)?.length ?? deleted.length
    const amount = `${deleted.length} of the ${existing} ${nameOf(facts, first.collection)}`
    return [
      {
        rule: "newly-managed",
        ...first.collection,
        operations: deleted.map((it) => it.id),
        message: `${amount} would be deleted, and the files did not manage them before`,
        allowance: "newly-managed"
      }
    ]
  })
}
