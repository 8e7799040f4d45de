/** What differs between the plan that was approved and the one that was made since: what is new, gone, and not the same. */
import type { AnyOperation, Change, PlanDifference } from "quaymaster"
import { changeText, idText, itemText } from "./operation.ts"
import type { Style } from "./style.ts"
import { clean } from "./text.ts"

/** More than so many of a sort are not all listed. */
const MOST = 20

export const differencesText = (differences: ReadonlyArray<PlanDifference>, style: Style, verbose: boolean): string => {
  const lines = differences.flatMap(({ added, changed, gone, url }) => [
    style.bold(clean(url)),
    ...listed(added, (it) => [`  ${style.green("new")}        ${named(it)}`], verbose),
    ...listed(gone, (it) => [`  ${style.red("gone")}       ${named(it)}`], verbose),
    ...listed(
      changed,
      ({ approved, planned }) => [
        `  ${style.yellow("different")}  ${idText(planned.id)}`,
        ...fieldChanges(approved, planned).map((it) => `               ${clean(it.field)}  ${changeText(it)}`)
      ],
      verbose
    ),
    ...(added.length + gone.length + changed.length === 0 ? ["  in one of the two plans only"] : [])
  ])
  return `${lines.join("\n")}\n`
}

const named = (operation: AnyOperation): string => {
  const item = operation.action === "delete" ? operation.before : operation.after
  return `${idText(operation.id)}  ${itemText(operation.key, item)}`.trimEnd()
}

const listed = <A>(
  items: ReadonlyArray<A>,
  lines: (item: A) => ReadonlyArray<string>,
  verbose: boolean
): ReadonlyArray<string> => {
  const shown = verbose ? items : items.slice(0, MOST)
  const more = items.length - shown.length
  return [...shown.flatMap(lines), ...(more === 0 ? [] : [`  and ${more} more; -v lists them`])]
}

/** What stands in the line above, follows from the rest, or is not approved. */
const ASIDE: ReadonlySet<string> = new Set(["id", "kind", "key", "action", "source", "reason", "origin", "changes"])

/** Which fields are not as approved: as paths, with both values. */
const fieldChanges = (approved: AnyOperation, planned: AnyOperation): ReadonlyArray<Change> =>
  within("", outline(approved), outline(planned))

const outline = (operation: AnyOperation): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(operation).filter(([name]) => !ASIDE.has(name)))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const within = (
  prefix: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>
): ReadonlyArray<Change> =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name): ReadonlyArray<Change> => {
    const [one, other] = [before[name], after[name]]
    const field = `${prefix}${name}`
    if (isRecord(one) && isRecord(other)) return within(`${field}.`, one, other)
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ field, before: one, after: other }]
  })
