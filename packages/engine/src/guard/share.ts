/** Too much of one collection deleted, or all of it. What goes along with a deletion counts like what is deleted itself. */
import { addressOf, type Collection, collectionId } from "../address.ts"
import { groupBy } from "../lists.ts"
import { collectionOf } from "../state.ts"
import { type Deletion, ownDeletions } from "./deletion.ts"
import type { Facts } from "./facts.ts"
import { thresholdsOf } from "./policy.ts"
import type { Finding } from "./verdict.ts"

/** A collection that something is deleted from. */
interface Loss {
  readonly collection: Collection
  /** What it has, but for what is there by itself and nobody asked for. */
  readonly existing: number
  readonly deleted: ReadonlyArray<Deletion>
  /** Whether nothing is left, and nothing is added. */
  readonly empty: boolean
}

const lossesOf = ({ caller, ignoredBy, kinds, operations, there, wanted }: Facts): ReadonlyArray<Loss> => {
  const place = (kindName: string, address: string): Collection | undefined => {
    const kind = kinds.get(kindName)
    const found = there.byAddress.get(address)
    return kind === undefined || found === undefined ? undefined : collectionOf(kind, found.item)
  }
  const deletions = ownDeletions(operations).flatMap((deletion) => {
    const collection = place(deletion.kind, deletion.address)
    return collection === undefined ? [] : [{ ...deletion, collection }]
  })
  if (deletions.length === 0) return []
  const growing = new Set(
    operations.flatMap((it) => {
      const kind = kinds.get(it.kind)
      return it.action === "create" && kind !== undefined ? [collectionId(collectionOf(kind, it.after))] : []
    })
  )
  return [...groupBy(deletions, ({ collection }) => collectionId(collection))].flatMap(([id, deleted]) => {
    const [first] = deleted
    if (first === undefined) return []
    const kind = kinds.get(first.kind)
    const gone = new Set(deleted.map(({ address }) => address))
    const left = (there.byCollection.get(id) ?? []).filter(({ item }) => {
      const address = addressOf(first.kind, kind?.key(item) ?? "")
      if (gone.has(address) || kind === undefined) return false
      return wanted.has(address) || !(kind.implicit?.(item, caller) === true || ignoredBy(kind, item) !== undefined)
    })
    const empty = left.length === 0 && !growing.has(id)
    return [{ collection: first.collection, existing: deleted.length + left.length, deleted, empty }]
  })
}

/** More than a share of a collection of some size. */
export const shareRule = (facts: Facts): ReadonlyArray<Finding> =>
  lossesOf(facts).flatMap((loss) => {
    const { collection, deleted, existing } = loss
    const { of, share } = thresholdsOf(facts.policy, collection.kind)
    const percent = (deleted.length / existing) * 100
    if (existing < of || percent <= share || isEmptied(facts, loss)) return []
    const amount = `${deleted.length} of the ${existing} ${nameOf(facts, collection)}`
    return [
      finding(
        facts,
        "too-many-deletes",
        loss,
        `${amount} would be deleted, ${Math.round(percent)} % and more than ${share} %`
      )
    ]
  })

/** A collection of some size, of which nothing stays. */
export const emptiedRule = (facts: Facts): ReadonlyArray<Finding> =>
  lossesOf(facts).flatMap((loss) => {
    if (!isEmptied(facts, loss)) return []
    const { collection, existing } = loss
    return [finding(facts, "emptied", loss, `all ${existing} ${nameOf(facts, collection)} would be deleted`)]
  })

const isEmptied = ({ policy }: Facts, { collection, empty, existing }: Loss): boolean =>
  empty && existing >= thresholdsOf(policy, collection.kind).empties

/** `teams of acme`, `members.users of acme/dev`: as a file names them. */
export const nameOf = ({ kinds }: Facts, { kind, parent, part }: Collection): string =>
  `${[kinds.get(kind)?.section.name ?? kind, ...(part === undefined ? [] : [part])].join(".")} of ${parent}`

/** One flag is enough for what destroys something and is too much as well. */
const finding = ({ kinds }: Facts, rule: string, { collection, deleted }: Loss, message: string): Finding => ({
  rule,
  ...collection,
  operations: [...new Set(deleted.map(({ operation }) => operation.id))],
  message,
  allowance: kinds.get(collection.kind)?.destroys === undefined ? "deletes" : "destroy"
})
