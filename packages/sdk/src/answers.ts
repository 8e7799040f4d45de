/**
 * Checks what a successful answer holds against the OpenAPI document, before anything trusts the types made from it. A proxy,
 * a broken server or one that is not Quay at all can answer 200 with anything; a list that is not there must never pass for an
 * empty one. What the document does not name may be there and is not looked at: newer releases add fields.
 */
import { answerShapes, namedShapes } from "./generated/answers.gen.ts"

/** A schema of the document, reduced to what is checked. */
export interface Shape {
  /** The name of another shape. */
  readonly ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  /** What all other properties are. */
  readonly rest?: Shape
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
}

/** Where an answer is wrong. The path is written from the inside out, as the checks return. */
interface Fault {
  readonly path: (string | number)[]
  readonly message: string
}

type Check = (value: unknown) => Fault | undefined

type Tree = Readonly<Record<string, unknown>>

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value)

const typeChecks: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  // What goes into a path is encoded, and half a character cannot be.
  string: (value) => typeof value === "string" && value.isWellFormed(),
  number: (value) => Number.isFinite(value),
  integer: Number.isInteger,
  array: Array.isArray,
  object: isTree
}

const typeWords: Readonly<Record<string, string>> = {
  null: "null",
  boolean: "true or false",
  string: "text",
  number: "a number",
  integer: "a whole number",
  array: "a list",
  object: "an object"
}

const found = (value: unknown): string => {
  if (value === null) return "null"
  if (value === undefined) return "nothing"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "string") return value.isWellFormed() ? "text" : "text with half a character in it"
  if (typeof value === "number")
    return Number.isInteger(value) ? "a whole number" : Number.isFinite(value) ? "a fraction" : "a number out of range"
  return typeof value === "boolean" ? String(value) : "an object"
}

const should = (what: string, value: unknown): Fault => ({
  path: [],
  message: `should be ${what}, and is ${found(value)}`
})

const inside = (fault: Fault | undefined, key: string | number): Fault | undefined => {
  fault?.path.push(key)
  return fault
}

const typeCheck = (type: string | readonly string[]): Check => {
  const types = typeof type === "string" ? [type] : type
  const checks = types.map((it) => typeChecks[it] ?? (() => false))
  const what = types.map((it) => typeWords[it] ?? it).join(" or ")
  const [only] = checks
  if (only !== undefined && checks.length === 1) return (value) => (only(value) ? undefined : should(what, value))
  return (value) => (checks.some((check) => check(value)) ? undefined : should(what, value))
}

const enumCheck = (literals: readonly unknown[]): Check => {
  const known = new Set(literals)
  const what = literals.map((it) => JSON.stringify(it)).join(" or ")
  // The value itself is not repeated: it may be anything.
  return (value) => (known.has(value) ? undefined : { path: [], message: `should be ${what}` })
}

const objectCheck = ({ properties = {}, required = [], rest }: Shape): Check => {
  const own = Object.entries(properties).map(([name, shape]) => [name, checkOf(shape)] as const)
  const others = rest === undefined ? undefined : checkOf(rest)
  const named = new Set(own.map(([name]) => name))
  return (value) => {
    if (!isTree(value)) return undefined
    for (const name of required) if (!Object.hasOwn(value, name)) return { path: [name], message: "is missing" }
    for (const [name, check] of own) {
      const fault = Object.hasOwn(value, name) ? check(value[name]) : undefined
      if (fault !== undefined) return inside(fault, name)
    }
    if (others === undefined) return undefined
    for (const name of Object.keys(value)) {
      const fault = named.has(name) ? undefined : name.isWellFormed() ? others(value[name]) : should("text", name)
      if (fault !== undefined) return inside(fault, name)
    }
    return undefined
  }
}

const listCheck = (items: Shape): Check => {
  const check = checkOf(items)
  return (value) => {
    if (!Array.isArray(value)) return undefined
    for (let index = 0; index < value.length; index++) {
      const fault = check(value[index])
      if (fault !== undefined) return inside(fault, index)
    }
    return undefined
  }
}

const resolved = (shape: Shape): Shape => (shape.ref === undefined ? shape : (namedShapes[shape.ref] ?? {}))

/** The property by which a shape says which of several it is, with what it says: `kind` and "invite". */
const literalOf = (shape: Shape): readonly [name: string, literal: unknown] | undefined => {
  for (const [name, property] of Object.entries(resolved(shape).properties ?? {}))
    if (property.enum?.length === 1) return [name, property.enum[0]]
  return undefined
}

/** Of several shapes, what is told is what is wrong with the one that is meant; else with the one that fits deepest. */
const choiceCheck = (shapes: readonly Shape[]): Check => {
  const choices = shapes.map((shape) => ({ check: checkOf(shape), literal: literalOf(shape) }))
  return (value) => {
    let nearest: Fault | undefined
    for (const { check, literal } of choices) {
      const fault = check(value)
      if (fault === undefined) return undefined
      const meant = literal !== undefined && isTree(value) && value[literal[0]] === literal[1]
      if (meant) return fault
      if (nearest === undefined || fault.path.length > nearest.path.length) nearest = fault
    }
    return nearest
  }
}

const named = new Map<string, Check>()

const checkOf = (shape: Shape): Check => {
  const { ref } = shape
  if (ref !== undefined) {
    // Looked up when it is run: a shape may hold itself.
    return (value) => {
      let check = named.get(ref)
      if (check === undefined) {
        check = checkOf(namedShapes[ref] ?? {})
        named.set(ref, check)
      }
      return check(value)
    }
  }
  const checks = [
    ...(shape.type === undefined ? [] : [typeCheck(shape.type)]),
    ...(shape.enum === undefined ? [] : [enumCheck(shape.enum)]),
    ...(shape.properties === undefined && shape.required === undefined && shape.rest === undefined
      ? []
      : [objectCheck(shape)]),
    ...(shape.items === undefined ? [] : [listCheck(shape.items)]),
    ...(shape.anyOf === undefined ? [] : [choiceCheck(shape.anyOf)])
  ]
  return (value) => {
    for (const check of checks) {
      const fault = check(value)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

const LONGEST_KEY = 80

/** `teams.dev.role`, `robots[3].name`, `labels["a b"]`. */
const pathText = (path: readonly (string | number)[]): string =>
  path
    .toReversed()
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`
      if (/^[\w-]{1,80}$/.test(step)) return index === 0 ? step : `.${step}`
      return `[${JSON.stringify(step.slice(0, LONGEST_KEY))}]`
    })
    .join("")

const compiled = new Map<string, Check>()

/** What is wrong with an operation's answer: `teams.dev.role is missing`; undefined if it is what the document says. */
export const faultIn = (operation: string, answer: unknown): string | undefined => {
  const shape = Object.hasOwn(answerShapes, operation) ? answerShapes[operation] : undefined
  if (shape === undefined) return undefined
  let check = compiled.get(operation)
  if (check === undefined) {
    check = checkOf(shape)
    compiled.set(operation, check)
  }
  const fault = check(answer)
  return fault && `${fault.path.length === 0 ? "it" : pathText(fault.path)} ${fault.message}`
}
