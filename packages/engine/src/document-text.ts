/**
 * The text of a plan document to a value. A plan is an approval, so it must mean the same to whoever reads it and to whoever
 * applies it: no key twice, no number that JSON cannot hold. Sizes are bounded, and nothing of the text is repeated: somebody may
 * have named another file than a plan.
 */
import { isRecord } from "./json.ts"

/** A plan of half a million operations is about as long. */
const MOST_CHARACTERS = 256 * 1024 * 1024

/** The deepest that a plan's parts stand in each other is below twenty. */
const DEEPEST = 100

/** The value of a text, or a sentence on why there is none. */
export const valueOfText = (given: string): { readonly value: unknown } | { readonly fault: string } => {
  const text = given.startsWith("\ufeff") ? given.slice(1) : given
  if (text.length > MOST_CHARACTERS)
    return { fault: `The plan is larger than ${MOST_CHARACTERS / 1024 / 1024} MiB. Plan fewer organizations at once.` }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const [place] = /\bline \d+ column \d+/.exec(String(cause)) ?? []
    return { fault: `The plan is not JSON${place === undefined ? "" : `: it breaks at ${place}`}.` }
  }
  const keys = countKeys(value)
  if (typeof keys === "string") return { fault: `The plan ${keys}.` }
  if (keys !== countWrittenKeys(text))
    return { fault: "The plan has a key twice in one object, so that it can be read in two ways." }
  return { value }
}

/** How many keys all objects have together; a string if the value is none that a plan can be. */
const countKeys = (value: unknown, depth = 0): number | string => {
  if (typeof value === "number" && !Number.isFinite(value)) return "has a number that is out of range"
  if (typeof value !== "object" || value === null) return 0
  if (depth > DEEPEST) return `is nested deeper than ${DEEPEST} levels`
  let count = isRecord(value) ? Object.keys(value).length : 0
  for (const item of Object.values(value)) {
    const inner = countKeys(item, depth + 1)
    if (typeof inner === "string") return inner
    count += inner
  }
  return count
}

/** How many keys stand in a text that is JSON. */
const countWrittenKeys = (text: string): number => {
  let count = 0
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) count++
  return count
}
