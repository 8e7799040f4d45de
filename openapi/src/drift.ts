/**
 * How a server's discovery document differs from the one captured here: operations that came or went, parameters and
 * fields of request bodies that changed. Compares descriptions only: what a server really answers is not looked at, and
 * operations of features that are off there are missing from its document.
 */
import { isArray, isObject, type Json, type JsonObject } from "./json.ts"
import { type Operation, operationsOf, parametersOf } from "./operations.ts"

export interface Difference {
  readonly kind: "operation-added" | "operation-missing" | "parameter" | "body"
  /** `METHOD /path`. */
  readonly operation: string
  readonly id: string
  /** What changed, in words; empty for a whole operation. */
  readonly detail: string
}

const follow = (document: JsonObject, schema: Json | undefined): JsonObject => {
  if (!isObject(schema)) return {}
  const reference = schema["$ref"]
  if (typeof reference !== "string") return schema
  const definitions = document["definitions"]
  const target = isObject(definitions) ? definitions[reference.replace("#/definitions/", "")] : undefined
  return isObject(target) ? target : {}
}

const typeText = (schema: Json | undefined): string => {
  if (!isObject(schema)) return "any"
  if (isArray(schema["enum"])) return schema["enum"].map((item) => JSON.stringify(item)).join(" | ")
  const type = schema["type"]
  return isArray(type) ? [...type].map(String).sort().join(" | ") : typeof type === "string" ? type : "any"
}

/** Each field of a schema, as a dotted path, with its type and whether it is required. */
const fields = (document: JsonObject, given: Json | undefined, prefix = "", depth = 0): Map<string, string> => {
  const schema = follow(document, given)
  const found = new Map<string, string>()
  if (depth > 6) return found
  for (const part of [schema["oneOf"], schema["anyOf"], schema["allOf"]])
    if (part !== undefined && isArray(part))
      for (const item of part)
        for (const [key, value] of fields(document, item, prefix, depth + 1)) found.set(key, value)
  const required = isArray(schema["required"]) ? schema["required"] : []
  if (isObject(schema["properties"]))
    for (const [name, property] of Object.entries(schema["properties"])) {
      const path = prefix === "" ? name : `${prefix}.${name}`
      found.set(path, `${typeText(follow(document, property))}${required.includes(name) ? ", required" : ""}`)
      for (const [key, value] of fields(document, property, path, depth + 1)) found.set(key, value)
    }
  if (schema["items"] !== undefined)
    for (const [key, value] of fields(document, schema["items"], `${prefix}[]`, depth + 1)) found.set(key, value)
  return found
}

const describe = (document: JsonObject, operation: Operation) => {
  const parameters = new Map<string, string>()
  let body: Json | undefined
  for (const parameter of parametersOf(operation)) {
    if (parameter["in"] === "body") body = parameter["schema"]
    else if (parameter["in"] === "query")
      parameters.set(
        String(parameter["name"]),
        `${typeText(parameter)}${parameter["required"] === true ? ", required" : ""}`
      )
  }
  return { parameters, body: fields(document, body) }
}

const compare = (ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): string[] =>
  [...new Set([...ours.keys(), ...theirs.keys()])].sort().flatMap((name) => {
    const [mine, yours] = [ours.get(name), theirs.get(name)]
    if (mine === yours) return []
    if (mine === undefined) return [`${name} is new (${yours})`]
    if (yours === undefined) return [`${name} is gone (${mine})`]
    return [`${name} is ${yours}, was ${mine}`]
  })

const index = (document: JsonObject): Map<string, Operation> =>
  new Map(operationsOf(document).map((item) => [`${item.method.toUpperCase()} ${item.path}`, item]))

/** What `theirs` has that `ours` has not, and the other way round. Both are Swagger 2.0 documents as Quay serves them. */
export const differences = (ours: JsonObject, theirs: JsonObject): Difference[] => {
  const [mine, yours] = [index(ours), index(theirs)]
  return [...new Set([...mine.keys(), ...yours.keys()])].sort().flatMap((name): Difference[] => {
    const [left, right] = [mine.get(name), yours.get(name)]
    if (left === undefined) return [{ kind: "operation-added", operation: name, id: right?.id ?? "", detail: "" }]
    if (right === undefined) return [{ kind: "operation-missing", operation: name, id: left.id, detail: "" }]
    const [a, b] = [describe(ours, left), describe(theirs, right)]
    return [
      ...compare(a.parameters, b.parameters).map((detail) => ({
        kind: "parameter" as const,
        operation: name,
        id: left.id,
        detail
      })),
      ...compare(a.body, b.body).map((detail) => ({ kind: "body" as const, operation: name, id: left.id, detail }))
    ]
  })
}

const signs = { "operation-added": "+", "operation-missing": "-", parameter: "~", body: "~" } as const

/** The report for people, one line for each difference and one that sums up. */
export const report = (list: readonly Difference[], url: string): string => {
  const lines = list.map(({ kind, operation, id, detail }) => {
    const what = kind === "parameter" ? `parameter ${detail}` : kind === "body" ? `body field ${detail}` : id
    return `${signs[kind]} ${operation}  ${what}`
  })
  const count = (kind: Difference["kind"]): number => list.filter((item) => item.kind === kind).length
  const sum =
    list.length === 0
      ? `${url} describes the same operations.`
      : `${url}: ${count("operation-added")} operations that we lack, ${count("operation-missing")} that it lacks, ` +
        `${count("parameter")} parameters and ${count("body")} body fields that differ.`
  return [...lines, sum].join("\n")
}
