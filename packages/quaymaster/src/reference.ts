/**
 * What there is to say of each kind, from the kind itself: its place in a file, its fields, what can change, what is lost, and
 * what the registry must offer. The reference page and `quaymaster explain` are made of it.
 */
import { featuresOf, isRecord, type Kind, type Requirement } from "@quaymaster/engine"

export interface FieldReference {
  readonly name: string
  /** What may stand there, in words: `text`, `public, private`, `list`. */
  readonly type: string
  readonly required: boolean
  readonly description: string
  /** `yes`; `by replacing the object`; or why not. Empty where it stands for objects of their own. */
  readonly changes: string
  /** What the registry must offer for the field, beside what the kind needs. */
  readonly requires: string
}

export interface KindReference {
  readonly kind: string
  /** Where it stands: `organization.teams`. */
  readonly place: string
  readonly description: string
  readonly fields: ReadonlyArray<FieldReference>
  /** What becomes of objects that no file declares. */
  readonly extras: string
  /** What a deletion loses. */
  readonly loses: string
  /** What is lost where a change replaces the object, or that none does. */
  readonly replacing: string
  /** The first release of Quay that has it; empty where nobody says. */
  readonly since: string
  readonly requires: string
  /** What the token must be allowed to. */
  readonly scopes: string
}

type Schema = Readonly<Record<string, unknown>>

const at = (schema: Schema, key: string): Schema => {
  const value = schema[key]
  return isRecord(value) ? value : {}
}

const alternatives = (schema: Schema): ReadonlyArray<Schema> => {
  const options = schema["anyOf"] ?? schema["oneOf"]
  return Array.isArray(options) ? options.filter(isRecord) : [schema]
}

/** The objects that a section's entries are: of a map its values, of a list its items. */
const entriesOf = (schema: Schema): ReadonlyArray<Schema> => {
  if (schema["type"] === "array") return alternatives(at(schema, "items"))
  const [values] = Object.values(at(schema, "patternProperties")).filter(isRecord)
  return values === undefined ? alternatives(schema) : alternatives(values)
}

const typeOf = (schema: Schema): string => {
  const options = alternatives(schema)
  const words = schema["x-rule"]
  if (typeof words === "string") return words
  if (options.length > 1) return [...new Set(options.map(typeOf))].join(", ")
  const [only = schema] = options
  if ("const" in only) return String(only["const"])
  switch (only["type"]) {
    case "string":
      return "text"
    case "integer":
      return "whole number"
    case "boolean":
      return "true, false"
    case "array":
      return "list"
    case "object":
      return "map"
    default:
      return String(only["type"] ?? "anything")
  }
}

const requirementText = ({ feature, since }: Requirement): string =>
  [...(since === undefined ? [] : [`Quay ${since}`]), ...featuresOf(feature).map((name) => `FEATURE_${name}`)].join(
    ", "
  )

const fixedBecause = ({ fixed }: Kind, name: string): string | undefined =>
  fixed !== undefined && Object.hasOwn(fixed, name) ? fixed[name] : undefined

const changesOf = (kind: Kind, name: string): string => {
  const fixed = fixedBecause(kind, name)
  if (fixed !== undefined) return `no: ${fixed}`
  const isName = kind.identity.includes(name) || (kind.section.under === "registry" && kind.section.name === name)
  if (isName) return "no: it is the object's name"
  if (kind.update !== undefined) return "yes"
  return Object.hasOwn(kind.schema.properties, name) ? "by replacing the object" : ""
}

/** What is lost where a change replaces an object. A field that is fixed, or part of the name, replaces none. */
const replacingOf = (kind: Kind): string => {
  const isReplaced = fieldsOf(kind).some(({ changes }) => changes === "by replacing the object")
  return !isReplaced || kind.delete === undefined ? "never replaced" : (kind.destroys ?? "nothing")
}

/** What Quaymaster knows of Quay begins with this release. Kinds of plugins, whose names have a dot, say themselves what they need. */
const FIRST = "3.7"

const sinceOf = ({ kind, requires, since }: Kind): string =>
  requires?.since ?? since ?? (kind.includes(".") ? "" : FIRST)

const fieldsOf = (kind: Kind): ReadonlyArray<FieldReference> => {
  const entries = entriesOf(kind.section.schema({}))
  const fields = new Map<string, FieldReference>()
  for (const entry of entries) {
    const required = Array.isArray(entry["required"]) ? entry["required"] : []
    for (const [name, schema] of Object.entries(at(entry, "properties"))) {
      if (!isRecord(schema) || fields.has(name)) continue
      const own = kind.requires?.fields
      fields.set(name, {
        name,
        type: typeOf(schema),
        required:
          entries.every((it) => Array.isArray(it["required"]) && it["required"].includes(name)) && required.length > 0,
        description: typeof schema["description"] === "string" ? schema["description"] : "",
        changes: changesOf(kind, name),
        requires: own !== undefined && Object.hasOwn(own, name) ? requirementText(own[name] ?? {}) : ""
      })
    }
  }
  return [...fields.values()]
}

const EXTRAS = {
  keep: "kept and listed, unless the file prunes them",
  remove: "removed"
}

/** The reference of one kind. */
export const referenceOf = (kind: Kind): KindReference => {
  const schema: Schema = kind.section.schema({})
  const { description } = schema
  return {
    kind: kind.kind,
    place: kind.section.under === "registry" ? kind.section.name : `${kind.section.under}.${kind.section.name}`,
    description: typeof description === "string" ? description : "",
    fields: fieldsOf(kind),
    extras: kind.delete === undefined ? "kept: there is no way to delete them" : EXTRAS[kind.extras],
    loses: kind.delete === undefined ? "" : (kind.destroys ?? "nothing"),
    replacing: replacingOf(kind),
    since: sinceOf(kind),
    requires: kind.requires?.feature === undefined ? "" : requirementText({ feature: kind.requires.feature }),
    scopes: (kind.scopes ?? []).join(", ")
  }
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

const row = (cells: ReadonlyArray<string>): string => `| ${cells.map(cell).join(" | ")} |`

/** The reference page: a table of the kinds, then the fields of each. Markdown; the same kinds give the same bytes. */
export const referencePage = (kinds: ReadonlyArray<Kind>): string => {
  const all = kinds.map(referenceOf)
  const overview = all.map((it) =>
    row([
      `[${it.kind}](#${it.kind})`,
      `\`${it.place}\``,
      it.since,
      it.requires,
      it.scopes,
      it.extras,
      it.loses,
      it.replacing
    ])
  )
  const sections = all.map((it) =>
    [
      `## ${it.kind}`,
      "",
      `\`${it.place}\`${it.description === "" ? "" : `: ${it.description}`}`,
      ...(it.fields.length === 0
        ? []
        : [
            "",
            row(["field", "value", "can change", "needs", ""]),
            "|---|---|---|---|---|",
            ...it.fields.map((field) =>
              row([
                `\`${field.name}\`${field.required ? " (required)" : ""}`,
                field.type,
                field.changes,
                field.requires,
                field.description
              ])
            )
          ])
    ].join("\n")
  )
  return `${[
    "# Kinds",
    "",
    "What Quaymaster knows of Quay. Made from the kinds themselves by `pnpm generate`.",
    "",
    row([
      "kind",
      "in a file",
      "since Quay",
      "the registry must have",
      "token scopes",
      "objects that no file declares",
      "a deletion loses",
      "a replacement loses"
    ]),
    "|---|---|---|---|---|---|---|---|",
    ...overview,
    "",
    sections.join("\n\n")
  ].join("\n")}\n`
}
