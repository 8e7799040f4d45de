/**
 * JSON values as the pipeline handles them: type guards, deep copies with sorted keys, one way to print.
 * Leaves out everything that knows OpenAPI.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** The HTTP methods that Quay's description uses, in the order in which we print them. */
export const methods = ["get", "put", "post", "delete"] as const
export type Method = (typeof methods)[number]

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

/** Whether a value from a parser is JSON all the way down. */
export const isJson = (value: unknown): value is Json => {
  if (value === null || ["string", "boolean"].includes(typeof value)) return true
  if (typeof value === "number") return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isJson)
  return isObject(value) && Object.values(value).every(isJson)
}

/** The object at `key`, made if it is absent. Throws if something else is there. */
export const child = (parent: JsonObject, key: string): JsonObject => {
  const value = Object.hasOwn(parent, key) ? parent[key] : undefined
  if (value === undefined) {
    const made: JsonObject = {}
    parent[key] = made
    return made
  }
  if (!isObject(value)) throw new Error(`${key} is not an object`)
  return value
}

/** A deep copy in which the keys of every object are sorted by code unit. Lists keep their order. */
export const sorted = (value: Json): Json => {
  if (isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const copy: JsonObject = {}
  for (const key of Object.keys(value).sort()) copy[key] = sorted(value[key] ?? null)
  return copy
}

export const clone = (value: JsonObject): JsonObject => {
  const copy: unknown = structuredClone(value)
  if (!isObject(copy)) throw new Error("a copy of an object is an object")
  return copy
}

/** Stable text: sorted keys, two spaces, a newline at the end. */
export const print = (value: Json): string => `${JSON.stringify(sorted(value), null, 2)}\n`

export const same = (a: Json | undefined, b: Json | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)))

/** Parses text; `name` is what the error calls it. */
export const parse = (text: string, name: string): JsonObject => {
  const value: unknown = JSON.parse(text)
  if (!isObject(value) || !isJson(value)) throw new Error(`${name} is not a JSON object`)
  return value
}
