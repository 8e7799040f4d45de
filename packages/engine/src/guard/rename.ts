/**
 * An object that goes or stays unwanted, and a new one of the same collection with the same settings: somebody most likely meant
 * to give it another name, and a registry that cannot do that would leave behind, or lose, all that it holds.
 */
import { addressOf, collectionId } from "../address.ts"
import { diff } from "../diff.ts"
import type { Item, Kind } from "../kind.ts"
import { groupBy } from "../lists.ts"
import { type AnyOperation, type Create, isForeseen } from "../operation.ts"
import { collectionOf } from "../state.ts"
import type { Extra, Notice } from "../target-plan.ts"
import type { Facts } from "./facts.ts"
import type { Finding } from "./verdict.ts"

interface Old {
  readonly kind: Kind
  readonly key: string
  readonly item: Item
  readonly operation?: AnyOperation
}

interface Pair {
  readonly old: Old
  readonly made: Create<string, Item>
}

/** Fields of the new object that the old one has as well, but for the names. */
const sameSettings = ({ item, kind }: Old, after: Item): boolean =>
  diff(kind, item, { ...after, ...only(item, kind.identity) }).length === 0

const only = (item: Item, fields: ReadonlyArray<string>): Item =>
  Object.fromEntries(Object.entries(item).filter(([field]) => fields.includes(field)))

const saysAnything = ({ identity }: Kind, after: Item): boolean =>
  Object.keys(after).some((field) => !identity.includes(field))

/** Each old object with the new one that is like it, where there is one of either. Who may do what has no name to lose. */
const pairsOf = ({ kinds, operations }: Facts, olds: ReadonlyArray<Old>): ReadonlyArray<Pair> => {
  const inCollection = (kind: Kind, item: Item) => collectionId(collectionOf(kind, item))
  const made = groupBy(
    operations.filter((it) => it.action === "create" && it.impliedBy === undefined),
    (it) => {
      const kind = kinds.get(it.kind)
      return kind === undefined || it.action !== "create" ? "" : inCollection(kind, it.after)
    }
  )
  const keeps = olds.filter(({ kind }) => kind.extras === "keep")
  return [...groupBy(keeps, ({ item, kind }) => inCollection(kind, item))].flatMap(([id, there]) => {
    const candidates = (made.get(id) ?? []).flatMap((it) => (it.action === "create" ? [it] : []))
    const pairs = there.flatMap((old) =>
      candidates.filter(({ after }) => sameSettings(old, after)).map((it): Pair => ({ old, made: it }))
    )
    const times = (one: unknown) => pairs.filter(({ made: it, old }) => it === one || old === one).length
    return pairs.filter(({ made: it, old }) => times(it) === 1 && times(old) === 1)
  })
}

const LOSSES = { data: "its data is lost", credential: "its credential is lost" }

/** What is deleted while its like is made. */
export const renameRule = (facts: Facts): ReadonlyArray<Finding> => {
  const olds = facts.operations.flatMap((operation): ReadonlyArray<Old> => {
    const kind = facts.kinds.get(operation.kind)
    if (operation.action !== "delete" || isForeseen(operation) || kind === undefined) return []
    return [{ kind, key: operation.key, item: operation.before, operation }]
  })
  return pairsOf(facts, olds).map(({ made, old: { key, kind, operation } }): Finding => {
    const loss = kind.destroys === undefined ? "what is in it is lost" : LOSSES[kind.destroys]
    return {
      rule: "looks-like-a-rename",
      kind: kind.kind,
      key,
      operations: [...(operation === undefined ? [] : [operation.id]), made.id],
      message: `${kind.kind} ${key} would be deleted, and ${made.key} made just like it: that looks like a rename, and ${loss}; ${wayOut(kind)}`,
      allowance: kind.destroys === undefined ? "deletes" : "destroy"
    }
  })
}

const wayOut = ({ renaming }: Kind): string => renaming ?? "keep both, move what is in the old one, and prune it then"

/** What is kept although no file declares it, while its like is made: nothing is lost, and nothing is moved. */
export const renamedExtras = (facts: Facts, kept: ReadonlyArray<Extra>): ReadonlyArray<Notice> => {
  const olds = kept.flatMap(({ key, kind: name }): ReadonlyArray<Old> => {
    const kind = facts.kinds.get(name)
    const item = facts.there.byAddress.get(addressOf(name, key))?.item
    return kind === undefined || item === undefined ? [] : [{ kind, key, item }]
  })
  return pairsOf(facts, olds)
    .filter(({ made, old }) => saysAnything(old.kind, made.after))
    .map(({ made, old: { key, kind } }) => ({
      kind: kind.kind,
      key: made.key,
      message: `is new, and just like ${key}, which no file declares: if that is to have another name, ${wayOut(kind)}`
    }))
}
