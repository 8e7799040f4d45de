/**
 * Which changes take nothing from anybody, for kinds whose fields say so. What makes something private public gives, and
 * cannot be taken back; it is not among them.
 */
import type { Change } from "@quaymaster/engine"

/** Whether a field's change takes nothing away. */
type Widens = (before: unknown, after: unknown) => boolean

/** Nobody's rights or data depend on the text. */
export const described: Widens = () => true

/** To the same or a higher one of these, the least first. */
export const raised =
  (...ranks: ReadonlyArray<unknown>): Widens =>
  (before, after) =>
    ranks.includes(before) && ranks.indexOf(before) <= ranks.indexOf(after)

export const grown: Widens = (before, after) =>
  typeof before === "number" && typeof after === "number" && before <= after

/** `narrows` of a kind that takes nothing when it is made, and in these fields nothing when it is changed so. */
export const unless =
  (fields: { readonly [field: string]: Widens }) =>
  (_after: unknown, before: unknown, changes: ReadonlyArray<Change>): boolean =>
    before !== undefined &&
    changes.some(
      ({ field, ...change }) => !Object.hasOwn(fields, field) || fields[field]?.(change.before, change.after) !== true
    )
