/**
 * Patterns of names. `*` is any text without a slash, `**` any text, `?` one character that is no slash; `**` as a whole
 * segment before others may also stand for none, so that one at the start is about names without a slash too. All else is
 * itself. A pattern has to match the whole name, and takes time in proportion to the length of both, whatever it is.
 */

type Token =
  | { readonly is: "character"; readonly text: string }
  /** One character, the rest of a segment, any text; or any number of whole segments. */
  | { readonly is: "one" | "segment" | "any" | "segments" }

const tokensOf = (pattern: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  const characters = [...pattern]
  for (let at = 0; at < characters.length; at++) {
    const text = characters[at] ?? ""
    const begins = at === 0 || characters[at - 1] === "/"
    if (text === "?") tokens.push({ is: "one" })
    else if (text !== "*") tokens.push({ is: "character", text })
    else if (characters[at + 1] !== "*") tokens.push({ is: "segment" })
    else {
      at += 1
      const whole = begins && characters[at + 1] === "/"
      if (whole) at += 1
      tokens.push({ is: whole ? "segments" : "any" })
    }
  }
  return tokens
}

/** Within whole segments, none of which has ended yet. */
const WITHIN = 0.5

/** The names that a pattern matches. */
export const namesLike = (pattern: string): ((name: string) => boolean) => {
  const [start = ""] = pattern.split(/[*?]/, 1)
  if (start === pattern) return (name) => name === pattern
  const tokens = tokensOf(pattern)
  // Most names begin otherwise, and need no further look.
  return (name) => name.startsWith(start) && matches(tokens, name)
}

/** Whether a pattern may match a name that goes on after the given one and a slash. */
export const namesBelow = (pattern: string): ((name: string) => boolean) => {
  const tokens = tokensOf(pattern)
  return (name) => [...placesAfter(tokens, `${name}/`)].some((place) => place < tokens.length)
}

const matches = (tokens: ReadonlyArray<Token>, name: string): boolean => placesAfter(tokens, name).has(tokens.length)

/** The places in the pattern that a text can lead to. */
const placesAfter = (tokens: ReadonlyArray<Token>, text: string): ReadonlySet<number> => {
  const places = new Set<number>()
  const enter = (into: Set<number>, at: number) => {
    into.add(at)
    const is = tokens[at]?.is
    if (is === "segment" || is === "any" || is === "segments") enter(into, at + 1)
  }
  enter(places, 0)
  for (const character of text) {
    const before = [...places]
    places.clear()
    for (const place of before) {
      const at = Math.floor(place)
      const token = tokens[at]
      const slash = character === "/"
      if (token?.is === "character" && token.text === character) enter(places, at + 1)
      if (token?.is === "one" && !slash) enter(places, at + 1)
      if (token?.is === "any" || (token?.is === "segment" && !slash)) enter(places, at)
      if (token?.is === "segments" && slash) enter(places, at)
      if (token?.is === "segments" && !slash) places.add(at + WITHIN)
    }
  }
  return places
}

/** How much a pattern says: its literal characters, then how few of its wildcards go across slashes, then how few go on. */
const weight = (pattern: string): readonly [number, number, number] => {
  const tokens = tokensOf(pattern)
  const count = (...kinds: ReadonlyArray<Token["is"]>) => tokens.filter(({ is }) => kinds.includes(is)).length
  // The slash after whole segments is as literal as any other.
  return [count("character", "segments"), -count("any", "segments"), -count("segment")]
}

/** Orders patterns from the most specific on. Zero says that neither is more specific. */
export const bySpecificity = (a: string, b: string): number => {
  const [x, y] = [weight(a), weight(b)]
  return y[0] - x[0] || y[1] - x[1] || y[2] - x[2]
}
