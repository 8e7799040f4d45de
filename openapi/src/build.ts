/**
 * From what Quay says about itself to the OpenAPI document: repair, upgrade, patches. Pure: no files, no clock.
 */
import { upgrade } from "@scalar/openapi-upgrader"
import { child, clone, isArray, isJson, isObject, type Json, type JsonObject } from "./json.ts"
import { operationsOf } from "./operations.ts"
import { applyPatch, type Patch } from "./patch.ts"
import { repair } from "./repair.ts"

export interface Sources {
  /** `GET /api/v1/discovery`. */
  readonly discovery: JsonObject
  /** `GET /api/v1/discovery?internal=true`. */
  readonly internal: JsonObject
  readonly patches: readonly Patch[]
}

/** The public operations and those internal ones that a patch includes. */
const select = ({ discovery, internal, patches }: Sources): JsonObject => {
  const result = clone(discovery)
  const known = new Set(operationsOf(result).map((operation) => operation.id))
  const byId = new Map(operationsOf(internal).map((operation) => [operation.id, operation]))
  const paths = child(result, "paths")
  for (const patch of patches)
    for (const id of patch.include) {
      const operation = byId.get(id)
      if (operation === undefined) throw new Error(`${patch.name}: there is no internal operation ${id}`)
      if (known.has(id)) throw new Error(`${patch.name}: ${id} is public already`)
      const { parameters } = operation.item
      const item = child(paths, operation.path)
      if (parameters !== undefined && item["parameters"] === undefined) item["parameters"] = parameters
      item[operation.method] = { ...operation.value, "x-internal": true }
    }
  const definitions = isObject(internal["definitions"]) ? internal["definitions"] : {}
  result["definitions"] = { ...definitions, ...child(result, "definitions") }
  return result
}

const references = (value: Json, found: Set<string>): Set<string> => {
  if (isArray(value)) for (const item of value) references(item, found)
  else if (isObject(value))
    for (const [key, item] of Object.entries(value)) {
      if (key === "$ref" && typeof item === "string") found.add(item)
      else references(item, found)
    }
  return found
}

/** Leaves out the schemas that nothing refers to, until every one that stays is used. */
const withoutUnused = (document: JsonObject): JsonObject => {
  const result = clone(document)
  const schemas = child(child(result, "components"), "schemas")
  for (;;) {
    const used = references(result, new Set())
    const unused = Object.keys(schemas).filter((name) => !used.has(`#/components/schemas/${name}`))
    if (unused.length === 0) return result
    for (const name of unused) delete schemas[name]
  }
}

/** The OpenAPI 3.1 document that the patches were written for, before any of them. */
export const upgraded = (sources: Sources): JsonObject => {
  const document: unknown = upgrade(repair(select(sources)), "3.1")
  if (!isObject(document) || !isJson(document)) throw new Error("the upgrader returned no document")
  const result = clone(document)
  delete result["servers"]
  return result
}

/** The finished document. Throws where a patch does not fit. */
export const build = (sources: Sources): JsonObject => {
  const document = withoutUnused(sources.patches.reduce(applyPatch, upgraded(sources)))
  return { ...document, "x-generated": "by `pnpm openapi` from openapi/discovery and openapi/patches; do not edit" }
}
