/**
 * Checks a tree against a rule, and gives the plain value that the rule allows. Every mistake is reported once, where it
 * stands. What is wrong is left out of the value as far as the rule lets it be absent, and the maps and lists that lost
 * something are remembered: so the rest can still be looked at, and nobody complains about what follows from a mistake.
 */
import { canonical, isRecord, type Path } from "@quaymaster/engine"
import { didYouMean, type Position, quote, Report } from "./problem.ts"
import type { ChoiceRule, ListRule, MapRule, NumberRule, Rule, Scalar, TextRule, UnionRule } from "./rule.ts"
import { type ListTree, type MapTree, nameOf, type ScalarTree, type Tree } from "./tree.ts"

/** A value as the rule allows it; undefined where nothing of it can be used. */
export type Checked = { readonly value: unknown } | undefined

/** How a value is held: what may be done about its absence, and where its holder stands. */
interface Held {
  readonly by: "document" | "optional" | "required" | "entry" | "item"
  readonly at: Position | undefined
}

const MOST_LISTED = 20

export class Checker {
  readonly file: string
  readonly #report: Report
  /** The maps and lists that lost something to a mistake, with the names of what they lost where it had any. */
  readonly damaged = new Map<Tree, Array<string | undefined>>()
  /** The sections in a value, which its kind does not read itself, by the value. */
  readonly sections = new Map<unknown, ReadonlyMap<string, unknown>>()

  /** Of a list from which items were left out, where the others were written. */
  readonly #places = new WeakMap<object, ReadonlyArray<number>>()

  constructor(file: string, report: Report) {
    this.file = file
    this.#report = report
  }

  /** A path in what was checked as a path in what was written: items of a list that were left out count there. */
  written(node: unknown, path: Path): Path {
    let value = node
    return path.map((step) => {
      const place = Array.isArray(value) ? (this.#places.get(value)?.[Number(step)] ?? step) : step
      if (Array.isArray(value)) value = value[Number(step)]
      else value = isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined
      return place
    })
  }

  lose(tree: Tree, name?: string): void {
    const lost = this.damaged.get(tree)
    if (lost === undefined) this.damaged.set(tree, [name])
    else lost.push(name)
  }

  document(tree: Tree, rule: Rule): Checked {
    return this.#check(tree, rule, [], { by: "document", at: tree.at })
  }

  #fail(at: Position | undefined, path: Path, text: string, hint?: string): undefined {
    this.#report.at(this.file, at, path, text, hint)
  }

  #wrong(tree: Tree, rule: Rule, path: Path, hint?: string): undefined {
    return this.#fail(tree.at, path, `should be ${expected(rule)}, is ${nameOf(tree)}`, hint ?? rule.hint)
  }

  #check(tree: Tree, rule: Rule, path: Path, held: Held): Checked {
    if (tree.type === "broken") return undefined
    if (tree.type === "scalar" && tree.value === null && !accepts(rule, tree))
      return this.#empty(tree, rule, path, held)
    switch (rule.type) {
      case "any":
        return { value: plain(tree) }
      case "union":
        return this.#union(tree, rule, path, held)
      case "map":
        return tree.type === "map" ? this.#map(tree, rule, path, held) : this.#wrong(tree, rule, path)
      case "list":
        return tree.type === "list" ? this.#list(tree, rule, path) : this.#wrong(tree, rule, path)
      case "choice":
        return tree.type === "scalar" ? this.#choice(tree, rule, path) : this.#wrong(tree, rule, path)
      case "text":
        return tree.type === "scalar" && typeof tree.value === "string"
          ? this.#text(tree, tree.value, rule, path)
          : this.#wrong(tree, rule, path, quotable(tree))
      case "number":
        return tree.type === "scalar" && typeof tree.value === "number"
          ? this.#number(tree, tree.value, rule, path)
          : this.#wrong(tree, rule, path)
      default:
        return accepts(rule, tree) && tree.type === "scalar"
          ? { value: tree.value }
          : this.#wrong(tree, rule, path, rule.type === "boolean" ? yesOrNo(tree) : undefined)
    }
  }

  #empty(tree: ScalarTree, rule: Rule, path: Path, held: Held): Checked {
    const required = rule.type === "map" ? rule.required : []
    if (held.by === "entry" && rule.type === "map" && required.length === 0) return { value: {} }
    const collection = rule.type === "list" ? "[]" : rule.type === "map" && required.length === 0 ? "{}" : undefined
    const needs = required.length > 0 ? `needs ${required.join(", ")}` : `should be ${expected(rule)}`
    if (held.by !== "optional") return this.#fail(tree.at, path, `is empty; ${needs}`)
    const remedy = collection === undefined ? needs : `write ${collection} for none`
    return this.#fail(tree.at, path, `is empty; ${remedy}, or leave it out`)
  }

  #text(tree: Tree, value: string, rule: TextRule, path: Path): Checked {
    const length = [...value].length
    const fault =
      rule.least > length
        ? rule.least === 1
          ? "should not be empty"
          : `should have at least ${rule.least} characters, has ${length}`
        : rule.most < length
          ? `should have at most ${rule.most} characters, has ${length}`
          : rule.pattern !== undefined && !rule.pattern.test(value)
            ? `should match ${rule.pattern.source}, is ${shown(value, rule)}`
            : undefined
    if (fault === undefined) return { value }
    const worded = rule.words === undefined ? fault : `should be ${rule.words}, is ${shown(value, rule)}`
    return this.#fail(tree.at, path, worded, rule.hint)
  }

  #number(tree: Tree, value: number, rule: NumberRule, path: Path): Checked {
    const inside = value >= rule.least && value <= rule.most && value > rule.above && value < rule.below
    const whole = !rule.whole || Number.isInteger(value)
    if (inside && whole && (rule.step === undefined || Number.isInteger(value / rule.step))) return { value }
    return this.#fail(tree.at, path, `should be ${expected(rule)}, is ${shown(value, rule)}`, rule.hint)
  }

  #choice(tree: ScalarTree, rule: ChoiceRule, path: Path): Checked {
    if (rule.values.includes(tree.value)) return { value: tree.value }
    const { value } = tree
    const words = rule.values.filter((it) => typeof it === "string")
    const hint = typeof value === "string" ? this.#report.didYouMean(value, words) : undefined
    return this.#fail(tree.at, path, `should be ${expected(rule)}, is ${shown(value, rule)}`, hint ?? rule.hint)
  }

  #list(tree: ListTree, rule: ListRule, path: Path): Checked {
    const { length } = tree.items
    if (length < rule.least || length > rule.most) {
      const bound = length < rule.least ? `at least ${rule.least}` : `at most ${rule.most}`
      return this.#fail(tree.at, path, `should have ${bound} ${bound.endsWith(" 1") ? "item" : "items"}, has ${length}`)
    }
    const values: Array<unknown> = []
    const places: Array<number> = []
    const seen = new Map<string, number>()
    for (const [index, item] of tree.items.entries()) {
      const inner = [...path, index]
      const checked = this.#check(item, rule.item, inner, { by: "item", at: item.at })
      if (checked !== undefined && rule.unique) {
        const text = canonical(checked.value)
        const first = seen.get(text)
        if (first !== undefined) {
          const what = typeof checked.value === "string" && !rule.item.secret ? quote(checked.value) : "the same"
          this.#fail(item.at, inner, `${what} is listed twice`, `it is item ${first + 1} already`)
          this.lose(tree)
          continue
        }
        seen.set(text, index)
      }
      if (checked === undefined) this.lose(tree)
      else {
        values.push(checked.value)
        places.push(index)
      }
    }
    if (values.length < length) this.#places.set(values, places)
    return { value: values }
  }

  #map(tree: MapTree, rule: MapRule, path: Path, held: Held): Checked {
    const fields: Array<[string, unknown]> = []
    const sections = new Map<string, unknown>()
    const meant = new Set<string>()
    let usable = true
    for (const [name, { key, value }] of tree.entries) {
      const inner = [...path, name]
      const found = fieldOf(rule, name)
      if (found === undefined) {
        const names = rule.patterns.length > 0 && rule.fields.size === 0
        this.lose(tree, names ? name : undefined)
        if (names) {
          const words = rule.names ?? `a match of ${rule.patterns.map((it) => it.pattern.source).join(" or ")}`
          this.#fail(key, path, `the name ${quote(name)} should be ${words}`)
          continue
        }
        const open = [...rule.fields.keys()].filter((it) => !tree.entries.has(it))
        const near = this.#report.nearest(name, open)
        if (near !== undefined) meant.add(near)
        this.#fail(key, path, `unknown key ${quote(name)}`, didYouMean(near) ?? allowedHere(open))
        continue
      }
      const required = rule.required.includes(name)
      const by = found.entry ? "entry" : required ? "required" : "optional"
      const checked = this.#check(value, found.rule, inner, { by, at: key ?? value.at })
      if (checked !== undefined && rule.sections.has(name)) sections.set(name, checked.value)
      else if (checked !== undefined) fields.push([name, checked.value])
      else {
        this.lose(tree, found.entry ? name : undefined)
        if (required) usable = false
      }
    }
    for (const name of rule.required) {
      if (tree.entries.has(name)) continue
      usable = false
      if (!meant.has(name)) this.#fail(held.at ?? tree.at, path, `${quote(name)} is missing`, rule.hint)
    }
    if (usable && rule.either !== undefined && !this.#either(tree, rule, path, held, meant)) usable = false
    const size = tree.entries.size
    if (size < rule.least || size > rule.most) {
      const bound = size < rule.least ? `at least ${rule.least}` : `at most ${rule.most}`
      return this.#fail(
        held.at ?? tree.at,
        path,
        `should have ${bound} ${rule.least === 1 ? "key" : "keys"}, has ${size}`
      )
    }
    if (!usable) return undefined
    const value = Object.fromEntries(fields)
    if (sections.size > 0) this.sections.set(value, sections)
    return { value }
  }

  /** Whether one of several sets of keys is there, and no more than one where that is asked. */
  #either(tree: MapTree, rule: MapRule, path: Path, held: Held, meant: ReadonlySet<string>): boolean {
    const { exactly, sets } = rule.either ?? { exactly: false, sets: [] }
    const there = sets.filter((set) => set.every((name) => tree.entries.has(name)))
    const words = rule.words ?? `one of ${sets.map((set) => set.join(" with ")).join(", ")}`
    const second = exactly ? there[1] : undefined
    if (second !== undefined) {
      const key = second[0] === undefined ? undefined : tree.entries.get(second[0])?.key
      const names = there.map((set) => set.join(" with ")).join(" and ")
      this.#fail(key ?? held.at, path, `should have ${words}, has ${names}`, rule.hint)
      return false
    }
    if (there.length > 0) return true
    if (!sets.some((set) => set.some((name) => meant.has(name))))
      this.#fail(held.at ?? tree.at, path, `should have ${words}`, rule.hint)
    return false
  }

  /** The alternative that the value most likely means says what is wrong; the others are not mentioned. */
  #union(tree: Tree, rule: UnionRule, path: Path, held: Held): Checked {
    const options = rule.options.filter((option) => accepts(option, tree))
    const [only] = options
    if (only === undefined) return this.#wrong(tree, rule, path)
    const worded = rule.words !== undefined && tree.type === "scalar"
    if (options.length === 1 && !worded) return this.#check(tree, only, path, held)
    const trials = options.map((option) => {
      const report = new Report()
      new Checker(this.file, report).#check(tree, option, path, held)
      return { option, count: report.size }
    })
    const nearest = trials.reduce((best, trial) => (trial.count < best.count ? trial : best))
    if (nearest.count === 0) return this.#check(tree, nearest.option, path, held)
    const maps = options.filter((option) => option.type === "map")
    if (tree.type === "map" && maps.length === options.length) {
      const meant = this.#byField(tree, maps, path, held) ?? this.#byKeys(tree, maps, rule, path, held)
      if (meant !== undefined) return "option" in meant ? this.#check(tree, meant.option, path, held) : undefined
    }
    if (rule.words !== undefined && tree.type !== "map") {
      const is = tree.type === "scalar" && !rule.secret ? shown(tree.value, rule) : nameOf(tree)
      return this.#fail(tree.at, path, `should be ${rule.words}, is ${is}`, rule.hint)
    }
    return this.#check(tree, nearest.option, path, held)
  }

  /** Maps that a field tells apart, such as `method: webhook`: the field decides which alternative is meant. */
  #byField(tree: MapTree, maps: ReadonlyArray<MapRule>, path: Path, held: Held): Meant {
    for (const name of maps[0]?.required ?? []) {
      const choices = maps.map((map) => (map.required.includes(name) ? map.fields.get(name) : undefined))
      const values: Array<Scalar> = []
      for (const choice of choices) if (choice?.type === "choice") values.push(...choice.values)
      if (choices.some((choice) => choice?.type !== "choice") || new Set(values).size !== values.length) continue
      const entry = tree.entries.get(name)
      if (entry === undefined) {
        this.#fail(held.at ?? tree.at, path, `${quote(name)} is missing`)
        return { told: true }
      }
      const { value } = entry
      const option = maps.find((_, index) => {
        const choice = choices[index]
        return value.type === "scalar" && choice?.type === "choice" && choice.values.includes(value.value)
      })
      if (option !== undefined) return { option }
      const choice: Rule = { type: "choice", values, words: undefined, hint: undefined, secret: false }
      this.#check(value, choice, [...path, name], { by: "required", at: entry.key })
      return { told: true }
    }
    return undefined
  }

  /** Maps that their required keys tell apart, such as `{ env }` and `{ file }`: the key that is there decides. */
  #byKeys(tree: MapTree, maps: ReadonlyArray<MapRule>, rule: UnionRule, path: Path, held: Held): Meant {
    const sets = maps.map((map) => map.required.filter((name) => !maps.every((it) => it.required.includes(name))))
    if (sets.some((set) => set.length === 0)) return undefined
    const there = maps.filter((_, index) => sets[index]?.some((name) => tree.entries.has(name)))
    const [option, second] = there
    if (option !== undefined && second === undefined) return { option }
    const names = [...new Set(sets.flat())]
    const present = names.filter((name) => tree.entries.has(name))
    const misspelled = [...tree.entries.keys()].some(
      (key) => !maps.some((map) => map.fields.has(key)) && this.#report.nearest(key, names) !== undefined
    )
    if (there.length === 0 && misspelled) return undefined
    const last = present.at(-1)
    const at = last === undefined ? held.at : tree.entries.get(last)?.key
    const has = present.length === 0 ? "" : `, has ${present.join(" and ")}`
    const wants = rule.words === undefined ? `have one of ${names.join(", ")}` : `be ${rule.words}`
    this.#fail(at ?? tree.at, path, `should ${wants}${has}`, rule.hint)
    return { told: true }
  }
}

/** Which alternative is meant; that none can be told, which has been reported; or nothing. */
type Meant = { readonly option: Rule } | { readonly told: true } | undefined

/** The rule of a key, and whether the key names an entry rather than a field. */
const fieldOf = (rule: MapRule, name: string): { readonly rule: Rule; readonly entry: boolean } | undefined => {
  const field = rule.fields.get(name)
  if (field !== undefined) return { rule: field, entry: false }
  const pattern = rule.patterns.find((it) => it.pattern.test(name))
  if (pattern !== undefined) return { rule: pattern.rule, entry: true }
  return rule.rest === undefined ? undefined : { rule: rule.rest, entry: true }
}

const basic = (tree: Tree): string => {
  if (tree.type !== "scalar") return tree.type
  if (tree.value === null) return "null"
  return typeof tree.value === "string" ? "text" : typeof tree.value
}

/** Whether the rule is about values of this type at all. */
const accepts = (rule: Rule, tree: Tree): boolean => {
  if (rule.type === "any") return true
  if (rule.type === "union") return rule.options.some((option) => accepts(option, tree))
  if (rule.type === "choice") {
    const type = basic(tree)
    return rule.values.some((value) => basic({ type: "scalar", at: undefined, value }) === type)
  }
  return rule.type === basic(tree)
}

/** What a rule asks for, as the end of "should be …". */
const expected = (rule: Rule): string => {
  if (rule.type === "map" && rule.either !== undefined) return "a map"
  if (rule.words !== undefined) return rule.words
  switch (rule.type) {
    case "any":
      return "a value"
    case "text":
      return "text"
    case "boolean":
      return "true or false"
    case "null":
      return "empty"
    case "list":
      return "a list"
    case "map":
      return "a map"
    case "number":
      return `${rule.whole ? "a whole number" : "a number"}${bounds(rule)}`
    case "choice": {
      const values = rule.values.map((value) => String(value))
      const listed = values.slice(0, MOST_LISTED).join(", ")
      if (values.length === 1) return listed
      return `one of ${listed}${values.length > MOST_LISTED ? ", …" : ""}`
    }
    default: {
      const words = [...new Set(rule.options.map(expected))]
      return words.length === 1 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`
    }
  }
}

const bounds = (rule: NumberRule): string => {
  const parts: Array<string> = []
  const low = Number.isFinite(rule.least)
  const high = Number.isFinite(rule.most)
  if (low && high) parts.push(`from ${rule.least} to ${rule.most}`)
  else if (low) parts.push(`of at least ${rule.least}`)
  else if (high) parts.push(`of at most ${rule.most}`)
  if (Number.isFinite(rule.above)) parts.push(`above ${rule.above}`)
  if (Number.isFinite(rule.below)) parts.push(`below ${rule.below}`)
  if (rule.step !== undefined) parts.push(`in steps of ${rule.step}`)
  return parts.length === 0 ? "" : ` ${parts.join(", ")}`
}

const shown = (value: Scalar, rule: Rule): string =>
  rule.secret ? "something else" : typeof value === "string" ? quote(value) : value === null ? "empty" : String(value)

const quotable = (tree: Tree): string | undefined =>
  tree.type === "scalar" && (typeof tree.value === "number" || typeof tree.value === "boolean")
    ? "put it in quotes if it is text"
    : undefined

/** Words that other versions of YAML take for booleans. */
const yesOrNo = (tree: Tree): string | undefined => {
  if (tree.type !== "scalar" || typeof tree.value !== "string") return undefined
  if (/^(yes|on|y)$/i.test(tree.value)) return "write true"
  return /^(no|off|n)$/i.test(tree.value) ? "write false" : undefined
}

const allowedHere = (fields: ReadonlyArray<string>): string | undefined => {
  if (fields.length === 0) return undefined
  const listed = fields.slice(0, MOST_LISTED).join(", ")
  return `what else may stand here: ${listed}${fields.length > MOST_LISTED ? ", …" : ""}`
}

const plain = (tree: Tree): unknown => {
  if (tree.type === "map")
    return Object.fromEntries([...tree.entries].map(([name, { value }]): [string, unknown] => [name, plain(value)]))
  if (tree.type === "list") return tree.items.map(plain)
  return tree.type === "scalar" ? tree.value : null
}
