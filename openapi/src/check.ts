/**
 * Checks of the finished document: references resolve, operations have names of their own, path parameters are declared,
 * and each example fits its schema. The schema check knows the keywords that this document uses and refuses any other, so
 * it cannot pass what it does not understand.
 */
import { isArray, isObject, type Json, type JsonObject, same } from "./json.ts"
import { operationsOf, parametersOf } from "./operations.ts"

const isType = (value: Json, type: Json): boolean => {
  switch (type) {
    case "null":
      return value === null
    case "array":
      return isArray(value)
    case "object":
      return isObject(value)
    case "integer":
      return typeof value === "number" && Number.isInteger(value)
    default:
      return typeof value === type
  }
}

/** What `#/a/b` refers to, or undefined. */
export const resolve = (document: JsonObject, reference: string): JsonObject | undefined => {
  let current: Json | undefined = document
  for (const part of reference.replace(/^#\//, "").split("/")) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~")
    current = isObject(current) && Object.hasOwn(current, key) ? current[key] : undefined
  }
  return isObject(current) ? current : undefined
}

const silent = new Set(["description", "default", "required", "additionalProperties", "format", "example"])

/** Where `value` does not fit `schema`: one line for each place, none if it fits. */
export const mismatches = (document: JsonObject, schema: JsonObject, value: Json, at = "value"): string[] => {
  const inner = (part: Json | undefined, item: Json, place: string): string[] =>
    isObject(part) ? mismatches(document, part, item, place) : part === false ? [`${place}: nothing may be here`] : []
  const found: string[] = []
  for (const [key, wanted] of Object.entries(schema)) {
    if (silent.has(key)) continue
    if (key === "$ref") {
      const target = resolve(document, String(wanted))
      found.push(...(target === undefined ? [`${at}: nothing at ${String(wanted)}`] : inner(target, value, at)))
    } else if (key === "type") {
      const types = isArray(wanted) ? wanted : [wanted]
      if (!types.some((type) => isType(value, type))) found.push(`${at}: wants ${types.join(" or ")}`)
    } else if (key === "enum") {
      if (!isArray(wanted) || !wanted.some((item) => same(item, value)))
        found.push(`${at}: ${JSON.stringify(value)} is none of ${JSON.stringify(wanted)}`)
    } else if (key === "anyOf" || key === "oneOf") {
      const fits = isArray(wanted) ? wanted.filter((part) => inner(part, value, at).length === 0).length : 0
      if (key === "anyOf" ? fits === 0 : fits !== 1) found.push(`${at}: fits ${fits} of ${key}`)
    } else if (key === "not") {
      if (inner(wanted, value, at).length === 0) found.push(`${at}: fits what it must not`)
    } else if (key === "properties") {
      if (isObject(value) && isObject(wanted))
        for (const [name, part] of Object.entries(wanted))
          if (Object.hasOwn(value, name)) found.push(...inner(part, value[name] ?? null, `${at}.${name}`))
    } else if (key === "items") {
      if (isArray(value)) value.forEach((item, index) => void found.push(...inner(wanted, item, `${at}[${index}]`)))
    } else if (key === "pattern") {
      if (typeof value === "string" && !new RegExp(String(wanted)).test(value)) found.push(`${at}: wants ${wanted}`)
    } else if (key === "minimum") {
      if (typeof value === "number" && value < Number(wanted)) found.push(`${at}: wants at least ${wanted}`)
    } else if (key === "maximum") {
      if (typeof value === "number" && value > Number(wanted)) found.push(`${at}: wants at most ${wanted}`)
    } else if (key === "maxLength") {
      if (typeof value === "string" && value.length > Number(wanted)) found.push(`${at}: wants at most ${wanted} long`)
    } else if (key === "minItems") {
      if (isArray(value) && value.length < Number(wanted)) found.push(`${at}: wants at least ${wanted} items`)
    } else if (key === "uniqueItems") {
      if (isArray(value) && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
        found.push(`${at}: repeats an item`)
    } else found.push(`${at}: the keyword ${key} is not known here`)
  }
  if (isObject(value)) {
    const properties = isObject(schema["properties"]) ? schema["properties"] : {}
    if (isArray(schema["required"]))
      for (const name of schema["required"].map(String))
        if (!Object.hasOwn(value, name)) found.push(`${at}.${name}: missing`)
    const rest = schema["additionalProperties"]
    if (rest !== undefined && rest !== true)
      for (const [name, item] of Object.entries(value))
        if (!Object.hasOwn(properties, name)) found.push(...inner(rest, item, `${at}.${name}`))
  }
  return found
}

export interface Answer {
  readonly status: string
  readonly schema: JsonObject | undefined
  readonly example: Json | undefined
}

/** The answer that an operation gives when it succeeds: the only 2xx response that its description has. */
export const answerOf = (operation: JsonObject): Answer | undefined => {
  const responses = operation["responses"]
  if (!isObject(responses)) return undefined
  const status = Object.keys(responses).find((key) => key.startsWith("2"))
  if (status === undefined) return undefined
  const response = responses[status]
  const content = isObject(response) && isObject(response["content"]) ? response["content"] : undefined
  const media = content === undefined ? undefined : content["application/json"]
  if (!isObject(media)) return { status, schema: undefined, example: undefined }
  return { status, schema: isObject(media["schema"]) ? media["schema"] : undefined, example: media["example"] }
}

const danglingReferences = (document: JsonObject, value: Json, at: string): string[] => {
  if (isArray(value)) return value.flatMap((item, index) => danglingReferences(document, item, `${at}/${index}`))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, item]) =>
    key === "$ref" && typeof item === "string"
      ? resolve(document, item) === undefined
        ? [`${at}: nothing at ${item}`]
        : []
      : danglingReferences(document, item, `${at}/${key}`)
  )
}

/** Everything that is wrong with the document, one line each. */
export const problems = (document: JsonObject): string[] => {
  const found = danglingReferences(document, document, "#")
  if (found.length > 0) return found
  const seen = new Set<string>()
  for (const operation of operationsOf(document)) {
    const name = `${operation.id} (${operation.method.toUpperCase()} ${operation.path})`
    if (seen.has(operation.id)) found.push(`${name}: the name is taken`)
    seen.add(operation.id)
    const declared = parametersOf(operation)
      .filter((parameter) => parameter["in"] === "path")
      .map((parameter) => String(parameter["name"]))
    const wanted = [...operation.path.matchAll(/\{([^}]+)\}/g)].map(([, parameter]) => parameter ?? "")
    if (declared.toSorted().join() !== wanted.toSorted().join())
      found.push(`${name}: declares the path parameters ${declared.join()}, names ${wanted.join()}`)
    const answer = answerOf(operation.value)
    if (answer === undefined) found.push(`${name}: no answer for success`)
    else if (answer.schema !== undefined && answer.example !== undefined)
      found.push(...mismatches(document, answer.schema, answer.example, `${name}: example`))
    const responses = operation.value["responses"]
    if (!isObject(responses)) continue
    for (const [status, response] of Object.entries(responses)) {
      const target =
        isObject(response) && typeof response["$ref"] === "string" ? resolve(document, response["$ref"]) : undefined
      const media =
        target !== undefined && isObject(target["content"]) ? target["content"]["application/json"] : undefined
      if (isObject(media) && isObject(media["schema"]) && media["example"] !== undefined)
        found.push(...mismatches(document, media["schema"], media["example"], `${name} ${status}: example`))
    }
  }
  return found
}
