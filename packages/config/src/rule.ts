/**
 * Schemas as rules: the part of JSON Schema that a file is checked by, taken apart once. A keyword that would need more is
 * refused when the kinds are put together, so that no file passes here and fails elsewhere.
 *
 * How a kind words its rules, so that messages read as sentences ("role should be …"):
 * - `x-rule` on any schema says in words what it asks for, and replaces pattern, bounds and alternatives in messages:
 *   `Type.String({ pattern: "^[^@]+@[^@]+$", "x-rule": "an e-mail address" })` gives "should be an e-mail address, is …".
 *   On an object of which one of several keys is asked for (`oneOf: [{ required: ["user"] }, …]`) it names the keys:
 *   "one of user, robot and team".
 * - `x-names` on a map says the same of its keys; `mapSection` sets it.
 * - `x-hint` is added to whatever is wrong with the value: what to write instead.
 * - `writeOnly: true` keeps the value itself out of messages.
 */
import { isRecord } from "@quaymaster/engine"

export type Scalar = string | number | boolean | null

interface Words {
  readonly words: string | undefined
  readonly hint: string | undefined
  readonly secret: boolean
}

export interface TextRule extends Words {
  readonly type: "text"
  readonly pattern: RegExp | undefined
  readonly least: number
  readonly most: number
}

export interface NumberRule extends Words {
  readonly type: "number"
  readonly whole: boolean
  readonly least: number
  readonly most: number
  readonly above: number
  readonly below: number
  readonly step: number | undefined
}

export interface ChoiceRule extends Words {
  readonly type: "choice"
  readonly values: ReadonlyArray<Scalar>
}

export interface ListRule extends Words {
  readonly type: "list"
  readonly item: Rule
  readonly least: number
  readonly most: number
  readonly unique: boolean
}

export interface MapRule extends Words {
  readonly type: "map"
  readonly fields: ReadonlyMap<string, Rule>
  readonly required: ReadonlyArray<string>
  readonly patterns: ReadonlyArray<{ readonly pattern: RegExp; readonly rule: Rule }>
  /** What stands under any other key: undefined if there is none. */
  readonly rest: Rule | undefined
  readonly names: string | undefined
  /** The fields that are sections of other kinds: checked here, and kept apart from the map's own fields. */
  readonly sections: ReadonlySet<string>
  /** Sets of keys of which one must be there; if `exactly`, no other beside it. */
  readonly either: { readonly sets: ReadonlyArray<ReadonlyArray<string>>; readonly exactly: boolean } | undefined
  readonly least: number
  readonly most: number
}

export interface UnionRule extends Words {
  readonly type: "union"
  readonly options: ReadonlyArray<Rule>
}

export interface PlainRule extends Words {
  readonly type: "any" | "boolean" | "null"
}

export type Rule = TextRule | NumberRule | ChoiceRule | ListRule | MapRule | UnionRule | PlainRule

/** A kind whose schema or section cannot work. A mistake of the kind's author, not of whoever writes files. */
export class SchemaError extends Error {
  override readonly name = "SchemaError"
  readonly _tag = "SchemaError"
}

/** Keywords that say something about a value without asking anything of it. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  ...["$id", "$schema", "$comment", "title", "description", "markdownDescription", "default", "examples", "format"],
  ...["deprecated", "readOnly", "writeOnly", "enumDescriptions", "defaultSnippets"]
])

/** Set on a schema by the layout, for what stands in an entry without being one of the kind's own fields. */
export const SECTION = "x-section"

const COMMON = ["type", "enum", "const", "anyOf", "oneOf"]

const KEYWORDS: { readonly [type: string]: ReadonlyArray<string> } = {
  string: ["pattern", "minLength", "maxLength"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  boolean: [],
  null: [],
  array: ["items", "minItems", "maxItems", "uniqueItems"],
  object: [
    ...["properties", "required", "patternProperties", "additionalProperties"],
    ...["minProperties", "maxProperties"]
  ]
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
const number = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise)

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const expression = (pattern: string, where: string): RegExp => {
  try {
    return new RegExp(pattern)
  } catch (cause) {
    throw new SchemaError(`${where}: the pattern ${pattern} is no regular expression.`, { cause })
  }
}

/**
 * The rule of a schema. `where` names the schema in errors.
 * @throws {SchemaError} if the schema asks for something that files cannot be checked by.
 */
export const ruleOf = (schema: unknown, where: string): Rule => {
  if (!isRecord(schema)) throw new SchemaError(`${where}: this is no schema.`)
  const common: Words = {
    words: text(schema["x-rule"]),
    hint: text(schema["x-hint"]),
    secret: schema["writeOnly"] === true
  }
  const type = schema["type"]
  const types = Array.isArray(type) ? type : [type]
  const allowed = new Set([...COMMON, ...types.flatMap((it) => KEYWORDS[String(it)] ?? [])])
  for (const keyword of Object.keys(schema)) {
    if (schema[keyword] === undefined || ANNOTATIONS.has(keyword) || keyword.startsWith("x-")) continue
    if (!allowed.has(keyword)) throw new SchemaError(`${where}: files cannot be checked by the keyword "${keyword}".`)
  }
  const options = schema["anyOf"] ?? schema["oneOf"]
  const sets = type === "object" ? requiredSets(options) : undefined
  if (options !== undefined && sets === undefined) {
    const beside = COMMON.filter(
      (keyword) => !["anyOf", "oneOf", "type"].includes(keyword) && schema[keyword] !== undefined
    )
    if (beside.length > 0) throw new SchemaError(`${where}: "${beside[0]}" cannot stand beside alternatives.`)
    return union(
      common,
      list(options).map((option, index) => ruleOf(option, `${where}, alternative ${index + 1}`))
    )
  }
  if (Array.isArray(type))
    return union(
      common,
      types.map((it) => ruleOf({ ...schema, ...only(schema, String(it)), type: it }, where))
    )
  const values =
    schema["enum"] === undefined ? ("const" in schema ? [schema["const"]] : undefined) : list(schema["enum"])
  if (values !== undefined) {
    if (!values.every(isScalar)) throw new SchemaError(`${where}: only text, numbers and booleans can be enumerated.`)
    return { type: "choice", values, ...common }
  }
  switch (type) {
    case undefined:
      return { type: "any", ...common }
    case "boolean":
    case "null":
      return { type, ...common }
    case "string": {
      const pattern = text(schema["pattern"])
      return {
        type: "text",
        pattern: pattern === undefined ? undefined : expression(pattern, where),
        least: number(schema["minLength"], 0),
        most: number(schema["maxLength"], Number.POSITIVE_INFINITY),
        ...common
      }
    }
    case "number":
    case "integer":
      return {
        type: "number",
        whole: type === "integer",
        least: number(schema["minimum"], Number.NEGATIVE_INFINITY),
        most: number(schema["maximum"], Number.POSITIVE_INFINITY),
        above: number(schema["exclusiveMinimum"], Number.NEGATIVE_INFINITY),
        below: number(schema["exclusiveMaximum"], Number.POSITIVE_INFINITY),
        step: typeof schema["multipleOf"] === "number" ? schema["multipleOf"] : undefined,
        ...common
      }
    case "array":
      if (Array.isArray(schema["items"])) throw new SchemaError(`${where}: files cannot be checked by tuples.`)
      return {
        type: "list",
        item: schema["items"] === undefined ? ruleOf({}, where) : ruleOf(schema["items"], `${where}[]`),
        least: number(schema["minItems"], 0),
        most: number(schema["maxItems"], Number.POSITIVE_INFINITY),
        unique: schema["uniqueItems"] === true,
        ...common
      }
    case "object":
      return { ...mapRule(schema, common, where), either: sets && { sets, exactly: schema["anyOf"] === undefined } }
    default:
      throw new SchemaError(`${where}: files have no values of type "${String(type)}".`)
  }
}

/** Of a schema with several types, the keywords of the others undone. */
const only = (schema: Readonly<Record<string, unknown>>, type: string): Readonly<Record<string, unknown>> => {
  const mine = new Set(KEYWORDS[type] ?? [])
  const others = Object.values(KEYWORDS).flat()
  return Object.fromEntries(
    others.filter((keyword) => !mine.has(keyword) && keyword in schema).map((it) => [it, undefined])
  )
}

const union = (common: Words, options: ReadonlyArray<Rule>): Rule => {
  const [first] = options
  if (options.length === 1 && first !== undefined && common.words === undefined && common.hint === undefined)
    return first
  const flat = options.flatMap((it) => (it.type === "union" && it.words === undefined ? it.options : [it]))
  const choices = flat.filter((it) => it.type === "choice")
  if (choices.length === flat.length)
    return { type: "choice", values: choices.flatMap((choice) => choice.values), ...common }
  return { type: "union", options: flat, ...common }
}

/** Alternatives that only say which keys must be there, as they stand beside an object's fields. */
const requiredSets = (options: unknown): ReadonlyArray<ReadonlyArray<string>> | undefined => {
  const sets = list(options).map((option) =>
    isRecord(option) && Object.keys(option).every((keyword) => keyword === "required")
      ? list(option["required"]).flatMap((it) => text(it) ?? [])
      : []
  )
  return sets.length > 0 && sets.every((set) => set.length > 0) ? sets : undefined
}

const mapRule = (schema: Readonly<Record<string, unknown>>, common: Words, where: string): Omit<MapRule, "either"> => {
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {}
  const patterns = isRecord(schema["patternProperties"]) ? schema["patternProperties"] : {}
  const rest = schema["additionalProperties"]
  const any: Rule = { type: "any", words: undefined, hint: undefined, secret: false }
  return {
    type: "map",
    fields: new Map(Object.entries(properties).map(([name, it]) => [name, ruleOf(it, `${where}.${name}`)])),
    required: list(schema["required"]).flatMap((it) => text(it) ?? []),
    patterns: Object.entries(patterns).map(([pattern, it]) => ({
      pattern: expression(pattern, where),
      rule: ruleOf(it, `${where}.*`)
    })),
    rest: rest === false ? undefined : isRecord(rest) ? ruleOf(rest, `${where}.*`) : any,
    names: text(schema["x-names"]),
    sections: new Set(
      Object.keys(properties).filter((name) => isRecord(properties[name]) && SECTION in properties[name])
    ),
    least: number(schema["minProperties"], 0),
    most: number(schema["maxProperties"], Number.POSITIVE_INFINITY),
    ...common
  }
}
