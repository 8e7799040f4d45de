/**
 * Walks the operations of a Swagger 2.0 or OpenAPI document. Reads only.
 */
import { isArray, isObject, type JsonObject, type Method, methods } from "./json.ts"

export interface Operation {
  readonly id: string
  readonly method: Method
  readonly path: string
  readonly value: JsonObject
  /** The path's own object, which holds the parameters that its operations share. */
  readonly item: JsonObject
}

/** Every operation that has a nickname, sorted by path and then by method. */
export const operationsOf = (document: JsonObject): Operation[] => {
  const paths = document["paths"]
  if (!isObject(paths)) return []
  return Object.keys(paths)
    .sort()
    .flatMap((path) => {
      const item = paths[path]
      if (!isObject(item)) return []
      return methods.flatMap((method) => {
        const value = item[method]
        if (!isObject(value) || typeof value["operationId"] !== "string") return []
        return [{ id: value["operationId"], method, path, value, item }]
      })
    })
}

/** The parameters of an operation, those of its path first. */
export const parametersOf = (operation: Operation): JsonObject[] =>
  [operation.item["parameters"], operation.value["parameters"]].flatMap((list) =>
    list !== undefined && isArray(list) ? list.filter(isObject) : []
  )
