/** Data or a credential lost for good: each such object is a verdict of its own. */
import { addressOf } from "../address.ts"
import type { Kind } from "../kind.ts"
import { type AnyOperation, isForeseen } from "../operation.ts"
import { deletionsOf, destroys } from "./deletion.ts"
import type { Facts } from "./facts.ts"
import type { Finding } from "./verdict.ts"

const allowance = "destroy"

export const destroysRule = ({ kinds, operations }: Pick<Facts, "kinds" | "operations">): ReadonlyArray<Finding> => [
  ...operations
    .filter((it) => destroys(it) && !isForeseen(it))
    .flatMap((it) => lostBy(it, kinds.get(it.kind)?.renaming)),
  ...lostAlong(kinds, operations)
]

const lostBy = (operation: AnyOperation, renaming: string | undefined): ReadonlyArray<Finding> => {
  if (operation.action !== "delete" && operation.action !== "replace") return []
  const { action, cascades, destroys: loss, id, key, kind } = operation
  if (loss === undefined) return []
  const done = action === "replace" ? "deleted and made again" : "deleted"
  const along = cascades.length === 0 ? "" : `, which takes along ${objects(cascades.length)}`
  const instead = renaming === undefined ? "" : `; to give it another name, ${renaming}`
  const message = `${kind} ${key} would be ${done}${along}: its ${loss} is lost for good${instead}`
  return [{ rule: `destroys-${loss}`, kind, key, operations: [id], message, allowance }]
}

/** What goes along with an object that has nothing to lose itself. */
const lostAlong = (kinds: ReadonlyMap<string, Kind>, operations: ReadonlyArray<AnyOperation>): ReadonlyArray<Finding> =>
  deletionsOf(operations).flatMap(({ along, key, kind, operation }) => {
    const loss = kinds.get(kind)?.destroys
    if (!along || loss === undefined || destroys(operation)) return []
    const message = `${kind} ${key} would go along with ${addressOf(operation.kind, operation.key)}: its ${loss} is lost for good`
    return [{ rule: `destroys-${loss}`, kind, key, operations: [operation.id], message, allowance }]
  })

const objects = (count: number): string => (count === 1 ? "1 object" : `${count} objects`)
