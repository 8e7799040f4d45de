/**
 * Patches: one file for each finding about Quay that its discovery document leaves out or gets wrong, with the reason.
 * A patch that changes nothing, or that names what is not there, is an error: it no longer describes what Quay serves.
 *
 *     why: …                          # in our words
 *     source: …                       # where the fact was seen
 *     include: [operationId]          # internal operations that join the public ones
 *     schemas: { Name: notation }     # new components, see notation.ts
 *     replaces: { Name: notation }    # components that discovery describes wrongly
 *     patch: [{ op, path, value }]    # JSON Patch (RFC 6902) on the OpenAPI document
 *     responses: { Name: { description, schema?, html?, example? } }   # shared answers; html: a page may come instead
 *     everywhere: { 404: Name }       # shared answers that every operation can give
 *     operations:
 *       operationId:
 *         summary: …
 *         query: { name?: notation }  # parameters to add
 *         body: notation              # what the request carries
 *         200: notation | nothing     # the real answer, instead of the one that discovery makes up
 *         409: Name                   # a shared answer
 *         example: …
 */
import fastJsonPatch, { type Operation as Change } from "fast-json-patch"
import { child, clone, isArray, isJson, isObject, type Json, type JsonObject, same } from "./json.ts"
import { schemaOf } from "./notation.ts"
import { type Operation, operationsOf } from "./operations.ts"

export interface Patch {
  readonly name: string
  readonly why: string
  readonly source: string
  readonly include: readonly string[]
  readonly content: JsonObject
}

const keys = new Set([
  "why",
  "source",
  "include",
  "schemas",
  "replaces",
  "patch",
  "responses",
  "everywhere",
  "operations"
])

/** Reads a parsed patch file. Throws with the file's name if it has no reason or holds what is not known. */
export const patchOf = (name: string, content: unknown): Patch => {
  if (!isObject(content) || !isJson(content)) throw new Error(`${name}: not a mapping`)
  const { why, source, include = [] } = content
  if (typeof why !== "string" || why.trim() === "") throw new Error(`${name}: a patch says why`)
  if (typeof source !== "string" || source.trim() === "") throw new Error(`${name}: a patch names its source`)
  for (const key of Object.keys(content)) if (!keys.has(key)) throw new Error(`${name}: unknown key ${key}`)
  if (!isArray(include)) throw new Error(`${name}: include is a list`)
  return { name, why, source, include: include.map(String), content }
}

const jsonContent = (schema: JsonObject, example: Json | undefined): JsonObject => ({
  "application/json": { schema, ...(example === undefined ? {} : { example }) }
})

const applyToOperation = (operation: Operation, change: JsonObject): void => {
  const { value } = operation
  const { example } = change
  let used = example === undefined
  for (const [key, notation] of Object.entries(change)) {
    if (key === "example") continue
    if (key === "summary") {
      value["summary"] = notation
    } else if (key === "query") {
      if (!isObject(notation)) throw new Error("query is a mapping")
      const have = isArray(value["parameters"]) ? value["parameters"] : []
      const added = Object.entries(notation).map(([name, type]): JsonObject => {
        const plain = name.replace(/\?$/, "")
        if (have.some((item) => isObject(item) && item["name"] === plain))
          throw new Error(`the parameter ${plain} is there already`)
        return { in: "query", name: plain, required: plain === name, schema: schemaOf(type) }
      })
      value["parameters"] = [...have, ...added]
    } else if (key === "body") {
      value["requestBody"] = { required: true, content: jsonContent(schemaOf(notation), undefined) }
    } else if (/^2\d\d$/.test(key)) {
      const responses = child(value, "responses")
      for (const status of Object.keys(responses)) if (status.startsWith("2")) delete responses[status]
      responses[key] =
        notation === "nothing"
          ? { description: "Done; the answer has no body." }
          : { description: "Done.", content: jsonContent(schemaOf(notation), example) }
      if (notation !== "nothing") used = true
    } else if (/^[45]\d\d$/.test(key) && typeof notation === "string") {
      child(value, "responses")[key] = { $ref: `#/components/responses/${notation}` }
    } else throw new Error(`unknown key ${key}`)
  }
  if (!used) throw new Error("an example without an answer that has a body")
}

const applySchemas = (document: JsonObject, content: JsonObject): void => {
  const schemas = child(child(document, "components"), "schemas")
  for (const [key, there] of [
    ["schemas", false],
    ["replaces", true]
  ] as const) {
    const group = content[key]
    if (group === undefined) continue
    if (!isObject(group)) throw new Error(`${key} is a mapping`)
    for (const [name, notation] of Object.entries(group)) {
      if (Object.hasOwn(schemas, name) !== there)
        throw new Error(there ? `there is no schema ${name} to replace` : `the schema ${name} is there already`)
      const schema = schemaOf(notation)
      if (same(schemas[name], schema)) throw new Error(`the schema ${name} is like this already`)
      schemas[name] = schema
    }
  }
}

const applyResponses = (document: JsonObject, content: JsonObject): void => {
  const { responses = {}, everywhere = {} } = content
  if (!isObject(responses) || !isObject(everywhere)) throw new Error("responses and everywhere are mappings")
  for (const [name, response] of Object.entries(responses)) {
    const shared = child(child(document, "components"), "responses")
    if (!isObject(response) || Object.hasOwn(shared, name)) throw new Error(`the answer ${name} is there already`)
    const { description = "", schema, html, example } = response
    shared[name] = {
      description,
      content: {
        ...(schema === undefined ? {} : jsonContent(schemaOf(schema), example)),
        ...(html === true ? { "text/html": { schema: { type: "string" } } } : {})
      }
    }
  }
  for (const [status, name] of Object.entries(everywhere))
    for (const { value } of operationsOf(document))
      child(value, "responses")[status] = { $ref: `#/components/responses/${String(name)}` }
}

const applyJsonPatch = (document: JsonObject, list: Json): JsonObject => {
  if (!isArray(list)) throw new Error("patch is a list")
  let current = document
  for (const step of list) {
    if (!isObject(step)) throw new Error("a step of patch is a mapping")
    const { op, path, value } = step
    if (typeof path !== "string" || (op !== "add" && op !== "remove" && op !== "replace"))
      throw new Error("a step is add, remove or replace, with a path")
    const operation: Change = op === "remove" ? { op, path } : { op, path, value: value ?? null }
    const result: unknown = fastJsonPatch.applyPatch(clone(current), [operation], true).newDocument
    if (!isObject(result)) throw new Error(`${path} replaced the document`)
    if (same(result, current)) throw new Error(`${op} ${path} changes nothing`)
    current = result
  }
  return current
}

/** The document with one patch applied; the one given stays as it was. Errors name the patch and the place. */
export const applyPatch = (document: JsonObject, patch: Patch): JsonObject => {
  const fail = (where: string, cause: unknown): never => {
    throw new Error(`${patch.name}: ${where}${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  let result = clone(document)
  // What a patch adds is changed by later ones, which must not reach the patch itself.
  const content = clone(patch.content)
  try {
    applySchemas(result, content)
    applyResponses(result, content)
    if (content["patch"] !== undefined) result = applyJsonPatch(result, content["patch"])
  } catch (cause) {
    fail("", cause)
  }
  const changes = content["operations"]
  if (isObject(changes)) {
    const byId = new Map(operationsOf(result).map((operation) => [operation.id, operation]))
    for (const [id, change] of Object.entries(changes)) {
      const operation = byId.get(id)
      if (operation === undefined || !isObject(change)) return fail("", new Error(`there is no operation ${id}`))
      const before = clone(operation.value)
      try {
        applyToOperation(operation, change)
      } catch (cause) {
        fail(`${id}: `, cause)
      }
      if (same(before, operation.value)) fail(`${id}: `, new Error("changes nothing"))
    }
  }
  return result
}
