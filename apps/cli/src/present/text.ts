/** Texts from outside as they may stand in what we print, and the small words around numbers. */

// Control characters, and what reorders or hides text: neither files nor registries may move the cursor.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

const escaped = (character: string): string => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`

/** One line, in which nothing moves a cursor. */
export const clean = (text: string): string =>
  text.replace(UNSAFE, (character) => (character === "\n" ? "\\n" : character === "\t" ? "\\t" : escaped(character)))

/** The same for texts that may have several lines. */
export const cleanLines = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => line.split("\t").map(clean).join("  "))
    .join("\n")

/** Cut to so many characters. */
export const short = (text: string, most: number): string => {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`
}

export const width = (text: string): number => [...text].length

export const padded = (text: string, to: number): string => text + " ".repeat(Math.max(0, to - width(text)))

/** `1 change`, `3 changes`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

/** A time, as exact as its length asks for. */
export const timeText = (milliseconds: number): string => {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`
}

const WORD = /^[a-z0-9][a-z0-9_.+:@/-]*$/
const LONGEST = 72

/** A value as people read it: words as they are, texts quoted, the rest as JSON. */
export const valueText = (value: unknown, quoted = false): string => {
  if (value === undefined) return "unset"
  if (typeof value === "string")
    return !quoted && WORD.test(value) ? short(value, LONGEST) : short(clean(JSON.stringify(value)), LONGEST)
  return short(clean(JSON.stringify(value) ?? "unset"), LONGEST)
}

/** `before → after`; if one of two texts has to be quoted, both are. */
export const transition = (before: unknown, after: unknown): string => {
  const quoted = [before, after].some((it) => typeof it === "string" && !WORD.test(it))
  return `${valueText(before, quoted)} → ${valueText(after, quoted)}`
}
