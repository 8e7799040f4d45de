/** Items by what they have in common, in the order in which they come. */
export const grouped = <A, K>(items: Iterable<A>, of: (item: A) => K): ReadonlyMap<K, ReadonlyArray<A>> => {
  const groups = new Map<K, Array<A>>()
  for (const item of items) {
    const group = groups.get(of(item))
    if (group === undefined) groups.set(of(item), [item])
    else group.push(item)
  }
  return groups
}
