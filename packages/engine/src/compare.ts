/**
 * Two plans side by side: what differs between the one that was approved and the one that was made since, and whether the
 * approval covers it. Pure: plans are compared as they are, without their kinds.
 */
import { addressOf } from "./address.ts"
import { overlay } from "./diff.ts"
import { essenceOf, type Plan } from "./document.ts"
import { equal } from "./json.ts"
import type { Item } from "./kind.ts"
import type { AnyOperation } from "./operation.ts"

/** What differs in the operations on one registry. */
export interface PlanDifference<Op = AnyOperation> {
  readonly registry: string
  readonly url: string
  /** In the planned one only. */
  readonly added: ReadonlyArray<Op>
  /** In the approved one only. */
  readonly gone: ReadonlyArray<Op>
  /** In both, and not the same. */
  readonly changed: ReadonlyArray<{ readonly approved: Op; readonly planned: Op }>
}

type Targets<Op> = Pick<Plan<Op>, "targets">

/**
 * What differs in what a digest covers: none if the digests are equal. A registry that only one of them names is told even if
 * nothing is to be done to it.
 */
export const comparePlans = <Op extends AnyOperation>(
  approved: Targets<Op>,
  planned: Targets<Op>
): ReadonlyArray<PlanDifference<Op>> => {
  const before = byUrl(approved)
  const after = byUrl(planned)
  return [...new Map([...before, ...after]).values()].flatMap(({ registry, url }) => {
    const [one, other] = [before.get(url), after.get(url)]
    const was = byId(one?.operations ?? [])
    const is = byId(other?.operations ?? [])
    const added = [...is.values()].filter(({ id }) => !was.has(id))
    const gone = [...was.values()].filter(({ id }) => !is.has(id))
    const changed = [...is.values()].flatMap((planned) => {
      const approved = was.get(planned.id)
      return approved === undefined || equal(essenceOf(approved), essenceOf(planned)) ? [] : [{ approved, planned }]
    })
    const same = one !== undefined && other !== undefined && added.length + gone.length + changed.length === 0
    return same ? [] : [{ registry, url, added, gone, changed }]
  })
}

/** An operation that an approval does not cover, and why. */
export interface Unapproved<Op = AnyOperation> {
  readonly registry: string
  readonly url: string
  readonly operation: Op
  readonly reason: string
}

/**
 * The operations of a plan that go beyond the approved one. An operation is within it if that has the same one, and it ends
 * the same; what it starts from may differ only so far as nothing is changed that the approved one did not change, and
 * nothing is lost that it did not show: what is deleted or replaced is as it was, and takes nothing else along.
 */
export const unapproved = <Op extends AnyOperation>(
  approved: Targets<Op>,
  planned: Targets<Op>
): ReadonlyArray<Unapproved<Op>> => {
  const known = byUrl(approved)
  return planned.targets.flatMap(({ operations, registry, url }) => {
    const target = known.get(url)
    const before = byId<AnyOperation>(target?.operations ?? [])
    return operations.flatMap((operation) => {
      const reason =
        target === undefined ? "its registry is not in the approved plan" : beyond(sameAs(before, operation), operation)
      return reason === undefined ? [] : [{ registry, url, operation, reason }]
    })
  })
}

/**
 * The approved operation that a planned one repeats. What the registry was foreseen to make by itself is there by the time of
 * a second plan, and then updated where it would have been created.
 */
const sameAs = (
  approved: ReadonlyMap<string, AnyOperation>,
  { action, id, key, kind }: AnyOperation
): AnyOperation | undefined => {
  const same = approved.get(id)
  if (same !== undefined || action !== "update") return same
  const creation = approved.get(`create:${addressOf(kind, key)}`)
  return creation?.impliedBy === undefined ? undefined : creation
}

/** Why an approved operation does not cover another, if it does not. */
const beyond = (approved: AnyOperation | undefined, planned: AnyOperation): string | undefined => {
  if (approved === undefined) return "it is not in the approved plan"
  if (planned.action !== "delete" && approved.action !== "delete" && !equal(approved.after, planned.after))
    return "it would end differently"
  if (planned.action === "update" && approved.action === "update") {
    const more = notIn(fieldsOf(planned), fieldsOf(approved))
    return more.length === 0 ? undefined : `it would change ${more.join(" and ")} as well`
  }
  if (removes(planned) && removes(approved)) {
    if (!shows(planned.before, approved.before)) return "what would be lost has changed"
    const [more] = notIn(planned.cascades, approved.cascades)
    return more === undefined ? undefined : `it would take along ${more} as well`
  }
  return undefined
}

const removes = (operation: AnyOperation): operation is AnyOperation & { readonly action: "replace" | "delete" } =>
  operation.action === "replace" || operation.action === "delete"

const fieldsOf = ({ changes }: AnyOperation & { readonly action: "update" }): ReadonlyArray<string> =>
  changes.map(({ field }) => field)

const notIn = (texts: ReadonlyArray<string>, others: ReadonlyArray<string>): ReadonlyArray<string> =>
  texts.filter((text) => !others.includes(text))

/** Whether all that was seen of an object is so now. A later reading may tell more of it. */
const shows = (now: Item, seen: Item): boolean => equal(overlay(now, seen), now)

const byId = <Op extends AnyOperation>(operations: ReadonlyArray<Op>): ReadonlyMap<string, Op> =>
  new Map(operations.map((operation) => [operation.id, operation]))

const byUrl = <Op>({ targets }: Targets<Op>) => new Map(targets.map((target) => [target.url, target]))
