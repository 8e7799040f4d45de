/**
 * What each operation answers when it succeeds, reduced to what can be checked: types, what has to be there, literals. Each
 * schema stands once, under its name, and only if an answer needs it. Prose, examples and limits are left out.
 */
import { answerOf } from "./check.ts"
import { isArray, isObject, type Json, type JsonObject } from "./json.ts"
import { operationsOf } from "./operations.ts"

export interface Answers {
  /** By the operation's name. One that answers nothing to be looked at is not here. */
  readonly operations: ReadonlyMap<string, JsonObject>
  readonly schemas: ReadonlyMap<string, JsonObject>
}

const PREFIX = "#/components/schemas/"

const SILENT: ReadonlySet<string> = new Set(["description", "default", "format", "example"])

/** The schema with references as bare names. Throws on a keyword whose meaning would be lost. */
const reduced = (schema: JsonObject): JsonObject => {
  const result: JsonObject = {}
  for (const [key, value] of Object.entries(schema)) {
    if (SILENT.has(key)) continue
    if (key === "$ref" && typeof value === "string") result["ref"] = value.slice(PREFIX.length)
    else if (key === "type" || key === "required" || key === "enum") result[key] = value
    else if (key === "items" && isObject(value)) result["items"] = reduced(value)
    else if (key === "anyOf" && isArray(value)) result["anyOf"] = value.filter(isObject).map(reduced)
    else if (key === "properties" && isObject(value)) result["properties"] = mapped(value)
    else if (key === "additionalProperties" && isObject(value)) result["rest"] = reduced(value)
    else if (key !== "additionalProperties" || value !== true)
      throw new Error(`an answer's schema has ${key}, which answers are not checked for`)
  }
  return result
}

const mapped = (properties: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => (isObject(value) ? [[name, reduced(value)]] : []))
  )

const namesIn = (value: Json | undefined): string[] => {
  if (value === undefined) return []
  if (isArray(value)) return value.flatMap(namesIn)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, item]) =>
    key === "ref" && typeof item === "string" ? [item] : namesIn(item)
  )
}

export const answersOf = (document: JsonObject): Answers => {
  const components = isObject(document["components"]) ? document["components"]["schemas"] : undefined
  const all = isObject(components) ? components : {}
  const operations = new Map<string, JsonObject>()
  for (const { id, value } of operationsOf(document)) {
    const schema = answerOf(value)?.schema
    if (schema !== undefined) operations.set(id, reduced(schema))
  }
  const schemas = new Map<string, JsonObject>()
  const open = [...operations.values()].flatMap(namesIn)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const schema = all[name]
    if (schemas.has(name) || !isObject(schema)) continue
    const made = reduced(schema)
    schemas.set(name, made)
    open.push(...namesIn(made))
  }
  return { operations, schemas: new Map([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))) }
}
