/**
 * The structural difference of two objects, over what the wanted one declares: a field that it leaves out is not compared.
 * Lists whose schema says `uniqueItems` are sets, compared in any order.
 */
import type { TSchema } from "@sinclair/typebox"
import { byText } from "./address.ts"
import { canonical, equal, isRecord } from "./json.ts"
import type { Item, Kind } from "./kind.ts"

/** `field` is a path with dots. A side that is undefined has no such field. */
export interface Change {
  readonly field: string
  readonly before?: unknown
  readonly after?: unknown
}

const isSet = (schema: TSchema | undefined): boolean => schema?.["uniqueItems"] === true

const propertiesOf = (schema: TSchema | undefined): Readonly<Record<string, TSchema>> => {
  const properties: unknown = schema?.["properties"]
  return isProperties(properties) ? properties : {}
}

const isProperties = (value: unknown): value is Readonly<Record<string, TSchema>> => isRecord(value)

const sorted = (list: ReadonlyArray<unknown>): ReadonlyArray<string> => list.map(canonical).sort(byText)

const same = (schema: TSchema | undefined, before: unknown, after: unknown): boolean =>
  isSet(schema) && Array.isArray(before) && Array.isArray(after)
    ? equal(sorted(before), sorted(after))
    : equal(before, after)

const compare = (
  schema: TSchema | undefined,
  before: unknown,
  after: unknown,
  field: string
): ReadonlyArray<Change> => {
  if (after === undefined) return []
  if (isRecord(before) && isRecord(after)) {
    const properties = propertiesOf(schema)
    return Object.keys(after)
      .sort(byText)
      .flatMap((key) => compare(properties[key], valueAt(before, key), after[key], `${field}.${key}`))
  }
  if (same(schema, before, after)) return []
  return [before === undefined ? { field, after } : { field, before, after }]
}

const valueAt = (item: Item, field: string): unknown => (Object.hasOwn(item, field) ? item[field] : undefined)

/** What must change in `before` for it to be as `after` declares, sorted by field. */
export const diff = (kind: Kind, before: Item, after: Item): ReadonlyArray<Change> => {
  const properties = propertiesOf(kind.schema)
  const structural = Object.keys(after)
    .filter((field) => !kind.identity.includes(field))
    .flatMap((field) => compare(properties[field], valueAt(before, field), after[field], field))
  const known = new Set(structural.map((change) => change.field))
  const added = (kind.diff?.(before, after) ?? []).filter((change) => !known.has(change.field))
  return [...structural, ...added].sort((a, b) => byText(a.field, b.field))
}
