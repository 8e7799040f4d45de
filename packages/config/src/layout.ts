/**
 * What a file may look like, from the kinds alone: which kinds have documents of their own, which sections stand in whose
 * entries, and the schema of it all. Every document also takes the keys that say which registries it is for and what to
 * prune, to protect and to ignore; those are known here, because they concern all kinds.
 */
import { indexKinds, type Kind } from "@quaymaster/engine"
import { type TProperties, type TSchema, Type } from "@sinclair/typebox"
import { type Rule, ruleOf, SchemaError, SECTION } from "./rule.ts"

/** A kind, and the kinds whose sections stand in its entries, by section name. */
export interface Place<K extends Kind = Kind> {
  readonly kind: K
  readonly sections: ReadonlyMap<string, Place<K>>
  /** The lists of rules that stand beside them, by key: each with the section whose objects it speaks of. */
  readonly rules: ReadonlyMap<string, Place<K>>
}

/** A kind with a document of its own. */
export interface Root<K extends Kind = Kind> extends Place<K> {
  readonly schema: TSchema
  readonly rule: Rule
}

export interface Layout<K extends Kind = Kind> {
  readonly kinds: ReadonlyMap<string, K>
  /** By the key that marks the document, such as `organization`. */
  readonly roots: ReadonlyMap<string, Root<K>>
}

const REGISTRY = "a name from quaymaster.yaml, or a URL such as https://quay.example.com"

/** The keys of every rule that belong to no kind. */
const RULE_KEYS = ["match", "except"]

/** The keys of every document that belong to no kind. */
export const COMMON_KEYS = ["registry", "registries", "prune", "protect", "ignore"]

const commonFields = (prunable: ReadonlyArray<string>): TProperties => ({
  registry: Type.String({ minLength: 1, description: `The registry this is for: ${REGISTRY}.`, "x-rule": REGISTRY }),
  registries: Type.Array(Type.String({ minLength: 1, "x-rule": REGISTRY }), {
    minItems: 1,
    uniqueItems: true,
    description: `The registries this is for, if there are several. Each is ${REGISTRY}.`
  }),
  ...(prunable.length === 0
    ? {}
    : {
        prune: Type.Array(Type.Union(prunable.map((name) => Type.Literal(name))), {
          uniqueItems: true,
          description: "Sections whose extras are deleted. Without this, what holds data or credentials is kept."
        })
      }),
  protect: patterns("What no plan may delete or replace, whatever is allowed"),
  ignore: patterns(
    "What is somebody else's, with all that lives in it: neither listed nor removed, and not to be declared"
  )
})

const patterns = (description: string): TSchema =>
  Type.Array(
    Type.String({
      pattern: "^[^/]+/.+$",
      "x-rule": "a kind and a name or a pattern of names, such as repository/app or robot/ci-*"
    }),
    { uniqueItems: true, description: `${description}: repository/app, robot/ci-*.` }
  )

/** What is made of a list of kinds for each of its documents: made once, for whoever decodes with one list again and again. */
const documents = new WeakMap<ReadonlyArray<Kind>, Map<string, Pick<Root, "schema" | "rule">>>()

const documentOf = (root: Place, kinds: ReadonlyArray<Kind>): Pick<Root, "schema" | "rule"> => {
  const { name } = root.kind.section
  const known = documents.get(kinds) ?? new Map<string, Pick<Root, "schema" | "rule">>()
  documents.set(kinds, known)
  const made = known.get(name)
  if (made !== undefined) return made
  const schema = schemaOf(root, apart(commonFields(prunable(root))))
  const document = { schema, rule: ruleOf(schema, name) }
  known.set(name, document)
  return document
}

/**
 * The layout that a list of kinds gives. A list that was given must not be changed.
 * @throws {SchemaError} if a section stands nowhere, inside itself or where it has no room, or takes a key that is taken.
 */
export const layoutOf = <K extends Kind>(kinds: ReadonlyArray<K>): Layout<K> => {
  const index = indexKinds(kinds)
  const under = new Map<string, Array<K>>()
  for (const kind of kinds) {
    const owner = kind.section.under
    if (owner !== "registry" && !index.has(owner))
      throw new SchemaError(`The section of ${kind.kind} stands under "${owner}", and there is no such kind.`)
    const siblings = under.get(owner)
    if (siblings === undefined) under.set(owner, [kind])
    else siblings.push(kind)
  }
  const placed = new Set<string>()
  const place = (kind: K): Place<K> => {
    placed.add(kind.kind)
    const sections = new Map<string, Place<K>>()
    for (const child of under.get(kind.kind) ?? []) {
      const { name } = child.section
      const other = sections.get(name)
      if (other !== undefined)
        throw new SchemaError(`${child.kind} and ${other.kind.kind} both have the section "${name}".`)
      sections.set(name, place(child))
    }
    const rules = new Map<string, Place<K>>()
    for (const child of sections.values()) {
      const name = child.kind.section.rules?.name
      if (name === undefined) continue
      if (sections.has(name) || rules.has(name))
        throw new SchemaError(`${child.kind.kind}: the key "${name}" of its rules is taken.`)
      for (const key of RULE_KEYS)
        if (child.sections.has(key)) throw new SchemaError(`${child.kind.kind}: the key "${key}" is what rules have.`)
      rules.set(name, child)
    }
    return { kind, sections, rules }
  }
  const roots = new Map<string, Root<K>>()
  for (const kind of under.get("registry") ?? []) {
    const { name } = kind.section
    const other = roots.get(name)
    if (other !== undefined)
      throw new SchemaError(`${kind.kind} and ${other.kind.kind} both have the document "${name}".`)
    const root = place(kind)
    for (const key of [name, ...root.sections.keys(), ...root.rules.keys()]) {
      if (COMMON_KEYS.includes(key)) throw new SchemaError(`${kind.kind}: the key "${key}" belongs to every document.`)
    }
    roots.set(name, { ...root, ...documentOf(root, kinds) })
  }
  const lost = kinds.find((kind) => !placed.has(kind.kind))
  if (lost !== undefined) throw new SchemaError(`The section of ${lost.kind} stands inside itself.`)
  return { kinds: index, roots }
}

const nested = (place: Place): TProperties =>
  apart(
    Object.fromEntries([
      ...[...place.sections].map(([name, it]) => [name, schemaOf(it, {})] as const),
      ...[...place.rules].flatMap(([name, it]): ReadonlyArray<readonly [string, TSchema]> => {
        const schema = it.kind.section.rules?.schema(nested(it))
        return schema === undefined ? [] : [[name, schema]]
      })
    ])
  )

/** The schema of a place, with what stands inside its entries. */
const schemaOf = (place: Place, common: TProperties): TSchema => {
  const { kind } = place
  const inside = { ...common, ...nested(place) }
  const schema = kind.section.schema(inside)
  // A section of lists, say, has no entries that could hold another section.
  if (Object.keys(inside).length > 0 && JSON.stringify(schema) === JSON.stringify(kind.section.schema({})))
    throw new SchemaError(`${kind.kind}: nothing can stand inside this section: ${Object.keys(inside).join(", ")}.`)
  return schema
}

/** Marks what a kind does not read as its own, so that its section is given nothing but its own fields. */
const apart = (properties: TProperties): TProperties =>
  Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, Type.Optional({ ...schema, [SECTION]: true })])
  )

/** The kinds whose objects a document can name. What a document of one object is about stands and falls with the document. */
export const kindsIn = ({ kind, sections }: Place): ReadonlyArray<Kind> => [
  ...(kind.section.under === "registry" && kind.section.owns === undefined ? [] : [kind]),
  ...[...sections.values()].flatMap(kindsIn)
]

/** The names of the sections whose extras are kept unless a document prunes them. A document about one object has none. */
const prunable = ({ kind, sections }: Place): ReadonlyArray<string> => [
  ...new Set([
    ...(kind.extras === "keep" && (kind.section.under !== "registry" || kind.section.owns !== undefined)
      ? [kind.section.name]
      : []),
    ...[...sections.values()].flatMap(prunable)
  ])
]
