/** Operations in words: their symbol, their name, what they give or change. Knows no kinds: a plugin's look like our own. */
import type { AnyOperation, Change } from "quaymaster"
import type { Style } from "./style.ts"
import { clean, short, transition, valueText } from "./text.ts"

export type Paint = (text: string) => string

/** What stands before an operation, in its colour. */
export interface Mark {
  readonly text: string
  readonly paint: Paint
}

/** What an operation loses for good. */
export const lossOf = (operation: AnyOperation): "data" | "credential" | undefined =>
  operation.action === "delete" || operation.action === "replace" ? operation.destroys : undefined

export const symbolOf = (operation: AnyOperation, style: Style): Mark => {
  const loud: Paint = (text) => style.bold(style.red(text))
  switch (operation.action) {
    case "create":
      return { text: "+", paint: style.green }
    case "update":
      return { text: "~", paint: style.yellow }
    case "replace":
      return { text: "-/+", paint: lossOf(operation) === undefined ? style.yellow : loud }
    case "delete":
      return lossOf(operation) === undefined ? { text: "-", paint: style.red } : { text: "!", paint: loud }
  }
}

const ACTIONS: Readonly<Record<string, string>> = { create: "+", update: "~", replace: "-/+", delete: "-" }

/** `create:team:acme/dev` as `+ team acme/dev`. */
export const idText = (id: string): string => {
  const [action = "", kind = "", ...key] = id.split(":")
  const symbol = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
  return symbol === undefined || key.length === 0 ? clean(id) : clean(`${symbol} ${kind} ${key.join(":")}`)
}

/** `team:acme/dev` as `team acme/dev`, and so an operation's id without its action. */
export const addressText = (address: string): string => clean(address.replace(":", " "))

/** The first part of a key, by which what belongs together is shown together. */
export const groupOf = (key: string): string => key.split("/", 1)[0] ?? key

/** A key without the group that it is shown under. */
export const nameIn = (group: string, key: string): string =>
  clean(key.startsWith(`${group}/`) ? key.slice(group.length + 1) : key)

/**
 * The fields that say more than the key does. Which fields make up a key is the kind's affair, so a field whose value stands
 * in the key is left out: first where the key names the field (`team:dev`), then each part of the key for one field at most.
 */
const telling = (key: string, item: Readonly<Record<string, unknown>>): ReadonlyArray<readonly [string, unknown]> => {
  const fields = Object.entries(item).filter(([, value]) => value !== undefined)
  const named = new Set<string>()
  const parts = key.split("/").flatMap((part) => {
    const [name = "", ...rest] = part.split(":")
    const value = rest.join(":")
    if (rest.length === 0) return [part]
    if (!Object.hasOwn(item, name) || item[name] !== value) return [name, value]
    named.add(name)
    return []
  })
  const lengthOf = (value: unknown) => (typeof value === "string" ? value.split("/").length : 0)
  // The longest first: `acme/app` before the `app` in it.
  for (const [field, value] of [...fields].sort(([, a], [, b]) => lengthOf(b) - lengthOf(a))) {
    if (typeof value !== "string" || value === "" || named.has(field)) continue
    const own = value.split("/")
    const at = parts.findIndex((_, i) => own.every((part, j) => parts[i + j] === part))
    if (at < 0) continue
    parts.splice(at, own.length, ...own.map(() => "\n"))
    named.add(field)
  }
  return fields.filter(([field]) => !named.has(field))
}

const MOST_FIELDS = 4
const LONGEST = 72

/** What an object is, beside its name: `role member, description "Developers"`. */
export const itemText = (key: string, item: Readonly<Record<string, unknown>>): string => {
  const fields = telling(key, item).filter(([, value]) => value !== "")
  const text = fields
    .slice(0, MOST_FIELDS)
    .map(([field, value]) => `${clean(field)} ${valueText(value)}`)
    .join(", ")
  return short(fields.length > MOST_FIELDS ? `${text}, …` : text, LONGEST)
}

const isLong = (value: unknown): value is string => typeof value === "string" && value.includes("\n")

export const isMultiline = (change: Change): boolean => isLong(change.before) || isLong(change.after)

/** A change on one line. */
export const changeText = ({ after, before }: Change): string => transition(before, after)

/** Where it comes from, or why it is. */
export const originOf = (operation: AnyOperation): string => {
  const { impliedBy, origin, reason, source } = operation
  const why =
    impliedBy !== undefined && operation.action === "create" && (reason === undefined || reason === BY_ITSELF)
      ? "by Quay"
      : reason
  return [origin === "drift" ? "drift" : undefined, why, source]
    .flatMap((it) => (it === undefined ? [] : [clean(it)]))
    .join("  ")
}

/** The engine's words for what the registry does without being asked. */
const BY_ITSELF = "made by the registry itself"
