/**
 * Whether a plan only adds: nothing is deleted, replaced or narrowed, so that nobody has less than before. Asked for by whoever
 * lets plans be applied unattended; then each operation that does not only add is a verdict, and no flag allows it.
 */
import { addressOf } from "../address.ts"
import { indexKinds, type Kind } from "../kind.ts"
import { sortedBy } from "../lists.ts"
import { type AnyOperation, isForeseen } from "../operation.ts"
import type { TargetPlan } from "../target-plan.ts"
import { type Finding, verdictText } from "./verdict.ts"

export const additiveRule = (
  kinds: ReadonlyMap<string, Kind>,
  operations: ReadonlyArray<AnyOperation>
): ReadonlyArray<Finding> => {
  const made = new Set(operations.flatMap((it) => (it.action === "create" ? [addressOf(it.kind, it.key)] : [])))
  return operations.flatMap((operation) => {
    const { id, key, kind } = operation
    const what = lessBy(kinds.get(kind), operation, made)
    return what === undefined
      ? []
      : [{ rule: "not-additive", kind, key, operations: [id], message: `${kind} ${key} ${what}` }]
  })
}

/** In what way there would be less, if there would. Of what a kind does not tell, the worst is thought. */
const lessBy = (kind: Kind | undefined, operation: AnyOperation, made: ReadonlySet<string>): string | undefined => {
  switch (operation.action) {
    case "create": {
      if (kind?.narrows?.(operation.after, undefined, []) !== true) return undefined
      // In what is new, nobody has anything yet.
      const isNew = (kind.needs?.(operation.after) ?? []).some(
        (it) => it.cascades && made.has(addressOf(it.kind, it.key))
      )
      return isNew ? undefined : "would limit what is there"
    }
    case "update": {
      const { after, before, changes } = operation
      if (kind?.narrows?.(after, before, changes) === false) return undefined
      return `would be changed, by which something may be lost: ${changes.map(({ field }) => field).join(", ")}`
    }
    case "replace":
      return "would be deleted and made again"
    case "delete":
      // What the registry makes by itself, and is taken away then, nobody has had.
      return isForeseen(operation) ? undefined : "would be deleted"
  }
}

/** The targets with a verdict for each operation that does not only add. */
export const additiveOnly = <Op extends AnyOperation>(
  kinds: ReadonlyArray<Kind>,
  targets: ReadonlyArray<TargetPlan<Op>>
): ReadonlyArray<TargetPlan<Op>> => {
  const known = indexKinds(kinds)
  return targets.map((target) => {
    const found = additiveRule(known, target.operations)
    return { ...target, verdicts: sortedBy([...target.verdicts, ...found], verdictText) }
  })
}
