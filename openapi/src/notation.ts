/**
 * The short notation for schemas in patches, so that a patch reads like the answer it describes:
 *
 *     TeamView: { name: string, role: TeamRole, description?: string, avatar: Avatar }
 *     TeamRole: "'member' | 'creator' | 'admin'"
 *     teams: { "*": TeamView }          # any key
 *     members: [TeamMember]             # a list
 *     last_accessed: "string | null # when it was last used"
 *     $raw: { type: integer, minimum: 1 }
 *
 * A capital letter starts the name of another schema. Leaves out what JSON Schema has beyond this: `$raw` is the way there.
 */
import { isArray, isObject, type Json, type JsonObject } from "./json.ts"

const types = new Set(["string", "integer", "number", "boolean", "null"])

const word = (text: string): JsonObject => {
  if (types.has(text)) return { type: text }
  if (text === "object") return { type: "object", additionalProperties: true }
  if (text === "any") return {}
  if (/^'[^']*'$/.test(text)) return { type: "string", enum: [text.slice(1, -1)] }
  if (/^[A-Z][A-Za-z0-9]*$/.test(text)) return { $ref: `#/components/schemas/${text}` }
  throw new Error(`${JSON.stringify(text)} is no type, no 'literal' and no schema's name`)
}

const fromText = (text: string): JsonObject => {
  const [type = "", ...comment] = text.split(" # ")
  const words = type.split("|").map((part) => word(part.trim()))
  const description = comment.length === 0 ? {} : { description: comment.join(" # ").trim() }
  const [only] = words
  if (words.length === 1 && only !== undefined) return { ...only, ...description }
  if (words.every((item) => typeof item["type"] === "string" && Object.keys(item).length === 1))
    return { type: words.map((item) => item["type"] ?? null), ...description }
  const literals = words.flatMap((item) => (isArray(item["enum"]) ? item["enum"] : []))
  if (literals.length === words.length) return { type: "string", enum: literals, ...description }
  return { anyOf: words, ...description }
}

/** The JSON Schema that a piece of notation stands for. Throws on what it does not know. */
export const schemaOf = (notation: Json): JsonObject => {
  if (typeof notation === "string") return fromText(notation)
  if (isArray(notation)) {
    const [items] = notation
    if (notation.length !== 1 || items === undefined) throw new Error("a list in the notation has exactly one element")
    return { type: "array", items: schemaOf(items) }
  }
  if (!isObject(notation)) throw new Error(`${JSON.stringify(notation)} is no schema`)
  if (isObject(notation["$raw"])) return notation["$raw"]
  const properties: JsonObject = {}
  const required: string[] = []
  for (const [key, value] of Object.entries(notation)) {
    if (key === "*") continue
    const name = key.endsWith("?") ? key.slice(0, -1) : key
    if (name === key) required.push(name)
    properties[name] = schemaOf(value)
  }
  const rest = notation["*"]
  return {
    type: "object",
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(rest === undefined ? {} : { additionalProperties: schemaOf(rest) })
  }
}
