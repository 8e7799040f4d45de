/**
 * The structural difference of two objects, over what the wanted one declares: a field that it leaves out is not compared.
 * Lists whose schema says `uniqueItems` are sets, compared in any order. What is `writeOnly` is never told by a registry, so it
 * is not compared.
 */
import type { TSchema } from "@sinclair/typebox"
import { byText } from "./address.ts"
import { canonical, equal, isRecord } from "./json.ts"
import type { Item, Kind } from "./kind.ts"
import { isSchema } from "./schema.ts"

/** `field` is a path with dots. A side that is undefined has no such field. */
export interface Change {
  readonly field: string
  readonly before?: unknown
  readonly after?: unknown
}

const isSet = (schema: TSchema | undefined): boolean => schema?.["uniqueItems"] === true

const propertyOf = (schema: TSchema | undefined, key: string): TSchema | undefined => {
  const properties: unknown = schema?.["properties"]
  const property = isRecord(properties) ? valueAt(properties, key) : undefined
  return isSchema(property) ? property : undefined
}

const itemsOf = (schema: TSchema | undefined): TSchema | undefined => {
  const items: unknown = schema?.["items"]
  return isSchema(items) ? items : undefined
}

/** The value with every set in it sorted. */
const ordered = (schema: TSchema | undefined, value: unknown): unknown => {
  if (Array.isArray(value)) {
    const items = value.map((item) => ordered(itemsOf(schema), item))
    return isSet(schema) ? items.map(canonical).sort(byText) : items
  }
  return isRecord(value)
    ? Object.fromEntries(Object.keys(value).map((key) => [key, ordered(propertyOf(schema, key), value[key])]))
    : value
}

const same = (schema: TSchema | undefined, a: unknown, b: unknown): boolean =>
  equal(a, b) || (typeof a === "object" && typeof b === "object" && equal(ordered(schema, a), ordered(schema, b)))

const compare = (
  schema: TSchema | undefined,
  before: unknown,
  after: unknown,
  field: string
): ReadonlyArray<Change> => {
  if (after === undefined || schema?.["writeOnly"] === true) return []
  if (isRecord(before) && isRecord(after))
    return Object.keys(after).flatMap((key) =>
      compare(propertyOf(schema, key), valueAt(before, key), after[key], `${field}.${key}`)
    )
  if (same(schema, before, after)) return []
  return [before === undefined ? { field, after } : { field, before, after }]
}

const valueAt = (item: Item, field: string): unknown => (Object.hasOwn(item, field) ? item[field] : undefined)

/** What must change in `before` for it to be as `after` declares, sorted by field. */
export const diff = (kind: Kind, before: Item, after: Item): ReadonlyArray<Change> => {
  const structural = Object.keys(after)
    .filter((field) => !kind.identity.includes(field))
    .flatMap((field) => compare(propertyOf(kind.schema, field), valueAt(before, field), after[field], field))
  const known = new Set(structural.map((change) => change.field))
  const added = (kind.diff?.(before, after) ?? []).filter((change) => !known.has(change.field))
  return [...structural, ...added].sort((a, b) => byText(a.field, b.field))
}

/** The declared fields that cannot be compared because no registry tells them, as changes that send them. */
export const unseen = (kind: Kind, item: Item): ReadonlyArray<Change> => unseenIn(kind.schema, item, "")

const unseenIn = (schema: TSchema | undefined, value: unknown, prefix: string): ReadonlyArray<Change> =>
  isRecord(value)
    ? Object.keys(value).flatMap((key) => {
        const property = propertyOf(schema, key)
        const field = `${prefix}${key}`
        if (value[key] === undefined) return []
        if (property?.["writeOnly"] === true) return [{ field, after: value[key] }]
        return unseenIn(property, value[key], `${field}.`)
      })
    : []

/** Whether two values of a field, given as a path with dots, are the same to the kind's schema. */
export const sameValue = (kind: Kind, field: string, a: unknown, b: unknown): boolean =>
  same(field.split(".").reduce<TSchema | undefined>(propertyOf, kind.schema), a, b)

/** Whether a registry does not tell a field, given as a path with dots, so that nothing shows whether it is as wanted. */
export const isUnseen = (kind: Kind, field: string): boolean =>
  field.split(".").reduce<TSchema | undefined>(propertyOf, kind.schema)?.["writeOnly"] === true

/** The object as it is once it has what is declared: fields that are not declared stay as they are. */
export const overlay = (before: Item, declared: Item): Item =>
  Object.fromEntries([
    ...Object.entries(before),
    ...Object.keys(declared).flatMap((key): ReadonlyArray<readonly [string, unknown]> => {
      const value = declared[key]
      const old = valueAt(before, key)
      if (value === undefined) return []
      return [[key, isRecord(old) && isRecord(value) ? overlay(old, value) : value]]
    })
  ])
