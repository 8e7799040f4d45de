/**
 * JSON values and their one canonical form: object keys sorted, nothing undefined.
 * Two values are equal exactly if their canonical texts are.
 */
import { byText } from "./address.ts"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The canonical text of a value. Fields that are undefined are left out; `-0` is written `0`, as JSON does. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => (item === undefined ? "null" : canonical(item))).join(",")}]`
  if (isRecord(value)) {
    const fields = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort(byText)
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    return `{${fields.join(",")}}`
  }
  return JSON.stringify(value) ?? "null"
}

export const equal = (a: unknown, b: unknown): boolean => a === b || canonical(a) === canonical(b)

/** What a value of any origin has under a name, inherited or its own; undefined if it is no object. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? Reflect.get(value, name) : undefined

/** The text with what would move a cursor, reorder or hide text written out: nothing from outside may do that in a message. */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`
  )
