/** What is not to be touched, whatever is allowed: what a file protects, and what it says is somebody else's. */
import { addressOf, collectionId, partsOf } from "../address.ts"
import { type AddressPattern, mayBeIn, patternFinder } from "../address-pattern.ts"
import type { Kind } from "../kind.ts"
import { type AnyOperation, isForeseen } from "../operation.ts"
import type { Facts } from "./facts.ts"
import type { Finding } from "./verdict.ts"

/** An object that an operation deletes, if only to make it again. */
interface Hit {
  readonly kind: string
  readonly key: string
  readonly operation: AnyOperation
  readonly along: boolean
}

const hitsOf = (operations: ReadonlyArray<AnyOperation>): ReadonlyArray<Hit> =>
  operations.flatMap((operation): ReadonlyArray<Hit> => {
    if (operation.action !== "delete" && operation.action !== "replace") return []
    const along = operation.cascades.map((address) => ({ ...partsOf(address), operation, along: true }))
    const { key, kind } = operation
    return isForeseen(operation) ? along : [{ kind, key, operation, along: false }, ...along]
  })

export const protectedRule = (facts: Facts): ReadonlyArray<Finding> => {
  const { operations, protect } = facts
  if (protect.length === 0) return []
  const find = patternFinder(protect)
  return hitsOf(operations).flatMap((hit) => {
    const pattern = find(hit.kind, hit.key)
    if (pattern !== undefined) return [finding("protected", hit, `${doneTo(hit)}, and is protected`, pattern)]
    const inside = unseenIn(facts, protect, hit)
    return inside === undefined
      ? []
      : [finding("protected", hit, `${doneTo(hit)}, and may hold what is protected`, inside)]
  })
}

export const ignoredRule = (facts: Facts): ReadonlyArray<Finding> => {
  const { ignore, ignoredBy, kinds, operations, there } = facts
  if (ignore.length === 0) return []
  return hitsOf(operations).flatMap((hit) => {
    const kind = kinds.get(hit.kind)
    const found = there.byAddress.get(addressOf(hit.kind, hit.key))
    const pattern = kind === undefined || found === undefined ? undefined : ignoredBy(kind, found.item)
    if (pattern !== undefined) return [finding("ignored", hit, `${doneTo(hit)}, and is somebody else's`, pattern)]
    const inside = unseenIn(facts, ignore, hit)
    return inside === undefined
      ? []
      : [finding("ignored", hit, `${doneTo(hit)}, and may hold what is somebody else's`, inside)]
  })
}

const doneTo = ({ along, key, kind, operation }: Hit): string => {
  if (along) return `${kind} ${key} would go along with ${addressOf(operation.kind, operation.key)}`
  return `${kind} ${key} would be ${operation.action === "replace" ? "deleted and made again" : "deleted"}`
}

const finding = (
  rule: string,
  { key, kind, operation }: Hit,
  message: string,
  { source }: AddressPattern
): Finding => ({
  rule,
  kind,
  key,
  operations: [operation.id],
  message: `${message}: ${source}`
})

/** A pattern of what lives in the object, where nobody has looked. What was read is among what goes along. */
const unseenIn = (
  { kinds, there }: Facts,
  patterns: ReadonlyArray<AddressPattern>,
  { key, kind }: Hit
): AddressPattern | undefined =>
  patterns.find(
    (pattern) =>
      livesIn(kinds, pattern.kind, kind) &&
      mayBeIn(pattern, key) &&
      !there.read.has(collectionId({ kind: pattern.kind, parent: key }))
  )

/** Whether objects of one kind live in those of another, as their places in a file have it. */
const livesIn = (kinds: ReadonlyMap<string, Kind>, inner: string, outer: string): boolean => {
  const under = kinds.get(inner)?.section.under
  return under !== undefined && under !== "registry" && (under === outer || livesIn(kinds, under, outer))
}
