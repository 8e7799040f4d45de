/** Lists as the engine needs them: grouped under a text, and sorted by one, the same on every machine. */
import { byText } from "./address.ts"

/** Adds a value to the list under a key. */
export const append = <A>(lists: Map<string, Array<A>>, key: string, value: A): void => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

export const groupBy = <A>(values: Iterable<A>, keyOf: (value: A) => string): ReadonlyMap<string, ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const value of values) append(groups, keyOf(value), value)
  return groups
}

export const sortedBy = <A>(values: Iterable<A>, textOf: (value: A) => string): ReadonlyArray<A> =>
  [...values].sort((a, b) => byText(textOf(a), textOf(b)))
