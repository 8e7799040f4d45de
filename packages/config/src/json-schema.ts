/**
 * The JSON Schema of a file, for editors: what the checks here ask for, in plain draft-07, which they all understand.
 * What cannot be said there, such as that a name is declared elsewhere in the file, is left to the checks.
 */
import { isRecord, type Json, type Kind } from "@quaymaster/engine"
import { layoutOf } from "./layout.ts"

const DRAFT = "http://json-schema.org/draft-07/schema#"

type JsonObject = { readonly [key: string]: Json }

/**
 * The JSON Schema of an organization file, for whatever kinds it is given. The same kinds give the same bytes.
 * @throws {SchemaError} if the kinds do not go together.
 */
export const fileSchema = <K extends Kind>(kinds: ReadonlyArray<K>): JsonObject => {
  const roots = [...layoutOf(kinds).roots.values()].map(({ schema }) => ({
    ...jsonSchema(schema),
    not: { required: ["registry", "registries"] }
  }))
  const [only] = roots
  return roots.length === 1 && only !== undefined ? { $schema: DRAFT, ...only } : { $schema: DRAFT, anyOf: roots }
}

/** A schema of ours as plain JSON Schema: words become descriptions, entries that may be left empty accept null. */
export const jsonSchema = (schema: unknown): JsonObject => {
  if (!isRecord(schema)) return {}
  const rule = schema["x-rule"]
  const names = schema["x-names"]
  const out: Record<string, Json> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword.startsWith("x-") || value === undefined) continue
    if (keyword === "properties") out[keyword] = each(value, jsonSchema)
    else if (keyword === "patternProperties") out[keyword] = each(value, entry)
    else if (keyword === "additionalProperties" && isRecord(value)) out[keyword] = entry(value)
    else if (keyword === "items") out[keyword] = jsonSchema(value)
    else if (keyword === "anyOf" && Array.isArray(value)) Object.assign(out, alternatives(value))
    else out[keyword] = json(value)
  }
  const words = [text(schema["description"]), text(names, "Names: ")].filter((it) => it !== undefined)
  if (words.length > 0) out["description"] = words.join(" ")
  else if (typeof rule === "string" && rule !== "") out["description"] = `${rule[0]?.toUpperCase()}${rule.slice(1)}.`
  // Editors show this in place of the pattern.
  if (typeof rule === "string" && schema["pattern"] !== undefined) out["patternErrorMessage"] = `Should be ${rule}.`
  return out
}

const text = (value: unknown, before = ""): string | undefined =>
  typeof value !== "string" || value === ""
    ? undefined
    : `${before}${value}${/[.!?]$/.test(value) || before === "" ? "" : "."}`

/** An entry of a map, which may be left empty where no field of it is required. */
const entry = (schema: unknown): JsonObject => {
  const plain = jsonSchema(schema)
  const required = plain["required"]
  const demanding = Array.isArray(required) && required.length > 0
  return plain["type"] === "object" && !demanding ? { ...plain, type: ["object", "null"] } : plain
}

/** Alternatives that are all constants are an enumeration, which editors complete. */
const alternatives = (options: ReadonlyArray<unknown>): JsonObject => {
  const constants = options.map((option) => (isRecord(option) ? option["const"] : undefined))
  if (constants.every((it) => it !== undefined)) return { enum: constants.map(json) }
  return { anyOf: options.map(jsonSchema) }
}

const each = (value: unknown, convert: (schema: unknown) => JsonObject): JsonObject =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, it]) => [name, convert(it)])) : {}

const json = (value: unknown): Json => {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value
  if (Array.isArray(value)) return value.map(json)
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, it]) => [name, json(it)])) : {}
}
