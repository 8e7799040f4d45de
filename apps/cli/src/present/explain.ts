/** What there is to say of a kind, for people. Pure. */
import type { KindReference } from "quaymaster"
import type { Style } from "./style.ts"
import { padded, width } from "./text.ts"

/** All kinds in columns: the name, and where it stands in a file. */
export const kindsText = (kinds: ReadonlyArray<KindReference>, style: Style): string => {
  const widest = Math.max(0, ...kinds.map(({ kind }) => width(kind)))
  const lines = kinds.map(({ kind, place }) => `  ${style.bold(padded(kind, widest))}  ${place}`)
  return `${["Kinds, and where they stand in a file:", "", ...lines].join("\n")}\n`
}

export const kindText = (reference: KindReference, style: Style): string => {
  const { description, extras, fields, kind, loses, place, replacing, requires, scopes, since } = reference
  const facts = [
    ["in a file", place],
    ["undeclared objects", extras],
    ["a deletion loses", loses],
    ["a replacement loses", replacing],
    ["since Quay", since],
    ["the registry must have", requires],
    ["the token needs", scopes]
  ].filter(([, text]) => text !== "")
  const widest = Math.max(0, ...fields.map(({ name }) => width(name)))
  return `${[
    `${style.bold(kind)}${description === "" ? "" : `  ${description}`}`,
    "",
    ...facts.map(([name, text]) => `  ${style.dim(`${name}:`)} ${text}`),
    ...(fields.length === 0 ? [] : [""]),
    ...fields.flatMap((field) => [
      `  ${style.bold(padded(field.name, widest))}  ${field.type}${field.required ? style.dim("  required") : ""}`,
      ...[
        field.description,
        field.changes === "yes" || field.changes === "" ? "" : `changes: ${field.changes}`,
        field.requires === "" ? "" : `needs ${field.requires}`
      ]
        .filter((text) => text !== "")
        .map((text) => `  ${" ".repeat(widest)}  ${style.dim(text)}`)
    ])
  ].join("\n")}\n`
}

/** The kind of a name, or of a section's name; all of them without a name; undefined if there is none. */
export const explainText = (
  kinds: ReadonlyArray<KindReference>,
  name: string | undefined,
  style: Style
): string | undefined => {
  if (name === undefined) return kindsText(kinds, style)
  const exact = kinds.filter(({ kind }) => kind === name)
  const meant = exact.length > 0 ? exact : kinds.filter(({ place }) => place.split(".").at(-1) === name)
  return meant.length === 0 ? undefined : meant.map((reference) => kindText(reference, style)).join("\n")
}
