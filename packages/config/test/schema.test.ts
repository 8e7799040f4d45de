/** The JSON Schema for editors: well formed, the same each time, and of one mind with the decoder. */
import { isRecord } from "@quaymaster/engine"
import { describe, expect, it } from "vitest"
import { fileSchema } from "../src/index.ts"
import { mistakes } from "./helpers.ts"
import { kinds } from "./kinds.ts"

/** JSON Schema as the specification reads, for the keywords that occur; so that nothing is compared with itself. */
const accepts = (schema: unknown, value: unknown): boolean => {
  if (!isRecord(schema)) return schema !== false
  const list = (keyword: string): ReadonlyArray<unknown> => {
    const found = schema[keyword]
    return Array.isArray(found) ? found : []
  }
  const types = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]]
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value
  const typed = types.includes(type) || (types.includes("integer") && Number.isInteger(value))
  if (schema["type"] !== undefined && !typed) return false
  if (schema["enum"] !== undefined && !list("enum").includes(value)) return false
  if (schema["const"] !== undefined && schema["const"] !== value) return false
  if (schema["anyOf"] !== undefined && !list("anyOf").some((it) => accepts(it, value))) return false
  if (schema["not"] !== undefined && accepts(schema["not"], value)) return false
  if (typeof value === "string") {
    if (typeof schema["pattern"] === "string" && !new RegExp(schema["pattern"], "u").test(value)) return false
    if (Number(schema["minLength"] ?? 0) > value.length || Number(schema["maxLength"] ?? Infinity) < value.length)
      return false
  }
  if (typeof value === "number") {
    if (Number(schema["minimum"] ?? -Infinity) > value || Number(schema["maximum"] ?? Infinity) < value) return false
    if (Number(schema["exclusiveMinimum"] ?? -Infinity) >= value) return false
  }
  if (Array.isArray(value)) {
    if (value.length < Number(schema["minItems"] ?? 0)) return false
    if (schema["uniqueItems"] === true && new Set(value.map((it) => JSON.stringify(it))).size < value.length)
      return false
    return value.every((it) => accepts(schema["items"], it))
  }
  if (!isRecord(value)) return true
  if (!list("required").every((name) => Object.hasOwn(value, String(name)))) return false
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {}
  const patterns = isRecord(schema["patternProperties"]) ? Object.entries(schema["patternProperties"]) : []
  return Object.entries(value).every(([name, field]) => {
    const matching = patterns.filter(([pattern]) => new RegExp(pattern, "u").test(name)).map(([, it]) => it)
    const own = Object.hasOwn(properties, name) ? [properties[name]] : []
    const all = [...own, ...matching]
    return all.length === 0 ? accepts(schema["additionalProperties"], field) : all.every((it) => accepts(it, field))
  })
}

const schema = fileSchema(kinds)

describe("the schema of a file", () => {
  it("is the same each time, and plain JSON", () => {
    expect(JSON.stringify(fileSchema(kinds))).toBe(JSON.stringify(schema))
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
    expect(JSON.stringify(schema)).not.toContain('"x-')
  })

  it("describes a file of these kinds", () => {
    expect(schema).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      additionalProperties: false,
      required: ["organization"],
      properties: {
        prune: { items: { enum: ["teams", "robots", "repositories"] } },
        teams: {
          description: "The teams. Names: lower-case letters and digits, with single dashes between them.",
          additionalProperties: false,
          patternProperties: {
            "^[a-z0-9]+(?:-[a-z0-9]+)*$": {
              type: ["object", "null"],
              properties: { role: { enum: ["member", "creator", "admin"] }, members: { type: "object" } }
            }
          }
        },
        email: { patternErrorMessage: "Should be an e-mail address." }
      }
    })
  })

  it("puts several documents side by side", () => {
    const [organization] = kinds
    const other = { ...organization, kind: "other", section: { ...organization.section, name: "other" } }
    expect(fileSchema([organization, other])).toMatchObject({ anyOf: [{ title: "organization" }, { type: "object" }] })
  })

  const samples: ReadonlyArray<unknown> = [
    { organization: "acme" },
    { organization: "Acme" },
    { organization: 5 },
    {},
    { organization: "acme", teams: {} },
    { organization: "acme", teams: null },
    { organization: "acme", teams: { dev: null } },
    { organization: "acme", teams: { Dev: null } },
    { organization: "acme", teams: { dev: { role: "admin", members: { users: ["al", "bo"] } } } },
    { organization: "acme", teams: { dev: { role: "admin", members: { users: ["al", "al"] } } } },
    { organization: "acme", teams: { dev: { role: "boss" } } },
    { organization: "acme", teams: { dev: { members: null } } },
    { organization: "acme", robots: { ci: { description: "x", extra: 1 } } },
    { organization: "acme", repositories: { app: null } },
    { organization: "acme", repositories: { app: { visibility: "public" } } },
    { organization: "acme", repositories: { app: { visibility: "public", permissions: { users: { al: "read" } } } } },
    { organization: "acme", repositories: { app: { visibility: "public", permissions: { users: { al: null } } } } },
    { organization: "acme", default_permissions: [{ role: "read", team: "dev" }] },
    { organization: "acme", default_permissions: [{ role: "read" }] },
    { organization: "acme", default_permissions: [{ role: "read", team: "dev", robot: "ci" }] },
    { organization: "acme", seats: 3 },
    { organization: "acme", seats: 3.5 },
    { organization: "acme", seats: 0 },
    { organization: "acme", ratio: 0 },
    { organization: "acme", note: "123456" },
    { organization: "acme", email: "a@b" },
    { organization: "acme", prune: ["teams"] },
    { organization: "acme", prune: ["members"] },
    { organization: "acme", registries: ["sim:", "sim:x"] },
    { organization: "acme", registries: [] },
    { organization: "acme", registry: "sim:", registries: ["sim:x"] },
    { organization: "acme", nothing: 1 }
  ]
  it.each(samples.map((sample) => [JSON.stringify(sample), sample] as const))("agrees on %s", (text, sample) => {
    const said = isRecord(sample) && (Object.hasOwn(sample, "registry") || Object.hasOwn(sample, "registries"))
    expect(accepts(schema, sample)).toBe(mistakes(text, said ? {} : { registry: "sim:" }).length === 0)
  })
})
