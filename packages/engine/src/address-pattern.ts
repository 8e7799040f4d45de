/**
 * Patterns of addresses, as files name what is protected and what is somebody else's: a kind, and a pattern of what its objects
 * are called inside the object that the file is about.
 */
import { namesBelow, namesLike } from "./name-pattern.ts"

export interface AddressPattern {
  readonly kind: string
  /** The key of what the objects live in: `acme`. Left out: the pattern is of whole keys. */
  readonly within?: string
  /** Of names inside that: `vendor/*`. */
  readonly match: string
  /** Where it is written: `acme.yaml:6`. */
  readonly source: string
}

const inside = ({ within }: AddressPattern, key: string): string | undefined => {
  if (within === undefined) return key
  return key.startsWith(`${within}/`) ? key.slice(within.length + 1) : undefined
}

export type PatternFinder = (kind: string, key: string) => AddressPattern | undefined

/** The first of the patterns that an address matches. */
export const patternFinder = (patterns: ReadonlyArray<AddressPattern>): PatternFinder => {
  const tried = patterns.map((pattern) => ({ pattern, matches: namesLike(pattern.match) }))
  return (kind, key) =>
    tried.find(({ matches, pattern }) => {
      const name = pattern.kind === kind ? inside(pattern, key) : undefined
      return name !== undefined && matches(name)
    })?.pattern
}

/** Whether the pattern may be of something that lives in the object with the key, if its kind lives in such objects. */
export const mayBeIn = (pattern: AddressPattern, key: string): boolean => {
  const name = inside(pattern, key)
  return name === undefined ? pattern.within === key : namesBelow(pattern.match)(name)
}
