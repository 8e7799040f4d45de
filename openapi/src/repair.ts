/**
 * Makes Quay's discovery document one that the upgrader and its readers understand: valid where it was not, and without
 * what carries no meaning for a client. Leaves out every fact about Quay itself; those are patches.
 */
import { clone, isArray, isObject, type Json, type JsonObject } from "./json.ts"
import { operationsOf, parametersOf } from "./operations.ts"

const repairSchema = (schema: Json): Json => {
  if (isArray(schema)) return schema.map(repairSchema)
  if (!isObject(schema)) return schema
  const copy: JsonObject = {}
  for (const [key, value] of Object.entries(schema)) {
    // "id" is draft 3's name of a schema; as a string beside "properties" it means nothing in OpenAPI.
    if (key === "id" && typeof value === "string") continue
    // Quay writes itemType where JSON Schema has items.
    if (key === "itemType") copy["items"] = repairSchema(value)
    else if (key === "properties" && isObject(value))
      copy[key] = Object.fromEntries(Object.entries(value).map(([name, property]) => [name, repairSchema(property)]))
    else copy[key] = repairSchema(value)
  }
  // A list without items is not valid, and one whose type is missing is not typed by generators.
  if (copy["type"] === "array" && copy["items"] === undefined) copy["items"] = {}
  if (copy["type"] === undefined && isObject(copy["properties"])) copy["type"] = "object"
  return copy
}

/**
 * A repaired Swagger 2.0 document with the same operations: path parameters moved into each operation and limited to those
 * that the path names, schemas repaired, vendor keys, empty descriptions and made-up security left out.
 */
export const repair = (discovery: JsonObject): JsonObject => {
  const source = clone(discovery)
  const paths: JsonObject = {}
  for (const operation of operationsOf(source)) {
    const declared = new Map<string, JsonObject>()
    for (const parameter of parametersOf(operation)) {
      const { name, in: place } = parameter
      // The server lists some path parameters that the path lacks (build pages of the superuser).
      if (place === "path" && !operation.path.includes(`{${String(name)}}`)) continue
      const repaired = isObject(parameter["schema"])
        ? { ...parameter, schema: repairSchema(parameter["schema"]) }
        : parameter
      declared.set(`${String(place)}:${String(name)}`, repaired)
    }
    // Some path parameters are not declared at all.
    for (const [, name] of operation.path.matchAll(/\{([^}]+)\}/g)) {
      if (name !== undefined && !declared.has(`path:${name}`))
        declared.set(`path:${name}`, { name, in: "path", required: true, type: "string" })
    }
    const item = isObject(paths[operation.path]) ? paths[operation.path] : undefined
    const responses: JsonObject = {}
    const given = operation.value["responses"]
    if (isObject(given))
      for (const [status, response] of Object.entries(given))
        responses[status] = { description: "", ...(isObject(response) ? response : {}) }
    paths[operation.path] = {
      ...(isObject(item) ? item : {}),
      [operation.method]: {
        operationId: operation.id,
        tags: operation.value["tags"] ?? [],
        parameters: [...declared.values()],
        responses,
        ...(operation.value["x-internal"] === true ? { "x-internal": true } : {}),
        consumes: ["application/json"],
        produces: ["application/json"]
      }
    }
  }
  const definitions: JsonObject = {}
  if (isObject(source["definitions"]))
    for (const [name, schema] of Object.entries(source["definitions"])) definitions[name] = repairSchema(schema)
  return {
    swagger: "2.0",
    info: { title: "Quay's management API", version: "v1" },
    paths,
    definitions
  }
}
