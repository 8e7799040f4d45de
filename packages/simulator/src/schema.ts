// The little of JSON Schema that Quay's request bodies use, refusing in Python's words as Quay does.
import { isObject } from "./json.ts"

type Type = "string" | "integer" | "number" | "boolean" | "object" | "array" | "null"

export interface Schema {
  readonly type?: Type | readonly Type[]
  readonly enum?: readonly (string | number | null)[]
  readonly required?: readonly string[]
  readonly properties?: { readonly [name: string]: Schema }
  /** Whether other properties may be there; they may where nothing is said. */
  readonly additionalProperties?: boolean
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly maxLength?: number
  readonly minLength?: number
  readonly minItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
}

/** A value as Python prints it. */
const repr = (value: unknown): string => {
  if (value === null) return "None"
  if (value === true) return "True"
  if (value === false) return "False"
  if (typeof value === "string") return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`
  if (isObject(value)) {
    return `{${Object.entries(value)
      .map(([key, item]) => `'${key}': ${repr(item)}`)
      .join(", ")}}`
  }
  return String(value)
}

const isType = (type: Type, value: unknown): boolean => {
  switch (type) {
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return isObject(value)
    case "integer":
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

const ofText = (schema: Schema, value: string): string | undefined => {
  if (schema.maxLength !== undefined && value.length > schema.maxLength) return `${repr(value)} is too long`
  if (schema.minLength !== undefined && value.length < schema.minLength) return `${repr(value)} is too short`
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    return `${repr(value)} does not match ${repr(schema.pattern)}`
  }
  return undefined
}

const ofNumber = (schema: Schema, value: number): string | undefined => {
  if (schema.minimum !== undefined && value < schema.minimum) {
    return `${value} is less than the minimum of ${schema.minimum}`
  }
  if (schema.maximum !== undefined && value > schema.maximum) {
    return `${value} is greater than the maximum of ${schema.maximum}`
  }
  return undefined
}

const ofObject = (schema: Schema, value: { [key: string]: unknown }): string | undefined => {
  const missing = schema.required?.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${repr(missing)} is a required property`
  const known = schema.properties ?? {}
  const other = schema.additionalProperties === false && Object.keys(value).find((name) => !Object.hasOwn(known, name))
  if (typeof other === "string") return `Additional properties are not allowed (${repr(other)} was unexpected)`
  for (const [name, property] of Object.entries(known)) {
    const found = Object.hasOwn(value, name) ? problem(property, value[name]) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

const ofArray = (schema: Schema, value: readonly unknown[]): string | undefined => {
  if (schema.minItems !== undefined && value.length < schema.minItems) return `${repr(value)} is too short`
  const { items } = schema
  if (items === undefined) return undefined
  for (const item of value) {
    const found = problem(items, item)
    if (found !== undefined) return found
  }
  return undefined
}

/** What is wrong with a value, or undefined. */
export const problem = (schema: Schema, value: unknown): string | undefined => {
  const types = schema.type === undefined ? [] : typeof schema.type === "string" ? [schema.type] : schema.type
  if (types.length > 0 && !types.some((type) => isType(type, value))) {
    return `${repr(value)} is not of type ${types.map(repr).join(", ")}`
  }
  if (schema.enum !== undefined && !schema.enum.some((choice) => choice === value)) {
    return `${repr(value)} is not one of ${repr(schema.enum)}`
  }
  if (schema.oneOf !== undefined && schema.oneOf.filter((one) => problem(one, value) === undefined).length !== 1) {
    return `${repr(value)} is not valid under any of the given schemas`
  }
  if (schema.not !== undefined && problem(schema.not, value) === undefined) {
    return `${repr(value)} should not be valid under ${repr(schema.not)}`
  }
  if (typeof value === "string") return ofText(schema, value)
  if (typeof value === "number") return ofNumber(schema, value)
  if (Array.isArray(value)) return ofArray(schema, value)
  return isObject(value) ? ofObject(schema, value) : undefined
}
