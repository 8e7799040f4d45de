/**
 * A document's value as YAML text: keys in the order of the schema where it names them and of the alphabet where people do, a
 * line for each thing that can change, so that a change in it is a change of one line. Comments say what has to be filled in.
 */
import { byText, isRecord } from "@quaymaster/engine"
import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml"
import { Checker } from "./check.ts"
import { treeOf } from "./object.ts"
import { Report } from "./problem.ts"
import type { MapRule, Rule } from "./rule.ts"

export interface TextOptions {
  readonly schema?: string | undefined
  /** What is not in the document, a line each. */
  readonly omitted: ReadonlyArray<string>
  /** Sections that are never in it. */
  readonly unwritten: ReadonlyArray<string>
  /** The environment variables of secrets that may not be there at all. */
  readonly guessed: ReadonlySet<string>
}

const LONGEST_NOTE = 400
const WIDEST_ITEM = 100

export const yamlText = (value: unknown, rule: Rule, { guessed, omitted, schema, unwritten }: TextOptions): string => {
  // Words that YAML 1.1 takes for something else are quoted, because other programs read these files, too.
  const document = new Document(null, { version: "1.2", compat: "yaml-1.1" })
  document.contents = new Writer(guessed).node(value, rule)
  const head = [
    ...(schema === undefined ? [] : [`yaml-language-server: $schema=${schema}`]),
    ...(unwritten.length === 0 ? [] : [`Sections that are not exported: ${unwritten.join(", ")}`]),
    ...(omitted.length === 0 ? [] : ["Not in this file, and so left alone:", ...omitted.map((note) => `  ${note}`)])
  ].map((line) => `# ${oneLine(line)}\n`)
  return `${head.join("")}${document.toString({ lineWidth: 0, singleQuote: true })}`
}

/** Text from outside in a comment: it must not end the line, nor move anything on it. */
const oneLine = (text: string): string => {
  const cut = text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE)}…` : text
  return cut.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`
  )
}

type Node = Scalar | YAMLMap | YAMLSeq

class Writer {
  /** The environment variables that are referred to so far. */
  readonly #variables = new Set<string>()
  readonly #guessed: ReadonlySet<string>

  constructor(guessed: ReadonlySet<string>) {
    this.#guessed = guessed
  }

  node(value: unknown, rule: Rule | undefined): Node {
    const chosen = alternativeFor(value, rule)
    if (Array.isArray(value)) return this.#list(value, chosen)
    if (isRecord(value)) return isReference(value, chosen) ? this.#reference(value) : this.#map(value, chosen)
    return scalarOf(value)
  }

  #list(items: ReadonlyArray<unknown>, rule: Rule | undefined): YAMLSeq {
    const list = new YAMLSeq()
    const inner = rule?.type === "list" ? rule.item : undefined
    for (const item of items) {
      const node = this.node(item, inner)
      if (node instanceof YAMLMap) node.flow = isShort(item)
      list.items.push(node)
    }
    list.flow = list.items.length === 0
    return list
  }

  #map(value: Readonly<Record<string, unknown>>, rule: Rule | undefined): YAMLMap {
    const map = new YAMLMap()
    const known = rule?.type === "map" ? rule : undefined
    for (const name of ordered(Object.keys(value), known)) {
      const field = value[name]
      if (field !== undefined) map.items.push(new Pair(scalarOf(name), this.node(field, ruleFor(name, known))))
    }
    map.flow = map.items.length === 0
    return map
  }

  /** A secret's place. Two that would be called the same are two all the same. */
  #reference({ env }: Readonly<Record<string, unknown>>): YAMLMap {
    const map = new YAMLMap()
    let name = String(env)
    for (let count = 2; this.#variables.has(name); count++) name = `${String(env)}_${count}`
    this.#variables.add(name)
    map.items.push(new Pair(new Scalar("env"), new Scalar(name)))
    map.flow = true
    map.comment = this.#guessed.has(String(env))
      ? " To be set, or removed if there is none: the registry does not tell."
      : " To be set: the registry does not tell it."
    return map
  }
}

const scalarOf = (value: unknown): Scalar => {
  const scalar = new Scalar(value)
  if (typeof value === "string" && !isPlain(value)) scalar.type = Scalar.QUOTE_DOUBLE
  return scalar
}

/**
 * Whether a text can stand without escapes: on a line, or as lines that are shown as they are. Spaces that nobody sees, and signs
 * that some programs take for the end of a line, are better escaped.
 */
const isPlain = (text: string): boolean => {
  if (/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u.test(text)) return false
  const lines = text.split("\n")
  const [first = ""] = lines
  if (lines.length === 1) return true
  return /^\S/.test(first) && !text.endsWith("\n\n") && lines.every((line) => line === line.trimEnd())
}

/** An item of a list on one line, where it is only a few words. */
const isShort = (item: unknown): boolean =>
  isRecord(item) &&
  Object.values(item).every((it) => typeof it !== "object" && !String(it).includes("\n")) &&
  JSON.stringify(item).length <= WIDEST_ITEM

/** Names that the schema knows in its order, then all others in theirs. */
const ordered = (names: ReadonlyArray<string>, rule: MapRule | undefined): ReadonlyArray<string> => {
  const known = [...(rule?.fields.keys() ?? [])].filter((name) => names.includes(name))
  const fixed = new Set(known)
  return [...known, ...names.filter((name) => !fixed.has(name)).sort(byText)]
}

const ruleFor = (name: string, rule: MapRule | undefined): Rule | undefined =>
  rule?.fields.get(name) ?? rule?.patterns.find(({ pattern }) => pattern.test(name))?.rule ?? rule?.rest

const alternativeFor = (value: unknown, rule: Rule | undefined): Rule | undefined => {
  if (rule?.type !== "union") return rule
  const fits = (option: Rule): boolean => {
    const report = new Report()
    new Checker("", report).document(treeOf("", value, report), option)
    return report.size === 0
  }
  return alternativeFor(value, rule.options.find(fits))
}

/** Whether this is where a secret is said to be. */
const isReference = (value: Readonly<Record<string, unknown>>, rule: Rule | undefined): boolean =>
  rule?.type === "map" && rule.fields.get("env")?.secret === true && typeof value["env"] === "string"
