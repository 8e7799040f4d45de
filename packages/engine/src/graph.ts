/** The operation graph: what comes before what, and the way round a cycle if there is one. */
import { byText } from "./address.ts"
import { append } from "./lists.ts"

/** For each node, the nodes it needs. */
export type Needs = ReadonlyMap<string, ReadonlySet<string>>

/**
 * A cycle as a path that ends where it began, or undefined. The same graph gives the same path.
 * Nodes are removed from the bottom; what cannot be removed is on a cycle or needs one.
 */
export const findCycle = (needs: Needs): ReadonlyArray<string> | undefined => {
  const waiting = new Map<string, number>()
  const dependents = new Map<string, Array<string>>()
  const ready: Array<string> = []
  for (const [node, needed] of needs) {
    const open = [...needed].filter((id) => needs.has(id))
    waiting.set(node, open.length)
    if (open.length === 0) ready.push(node)
    for (const id of open) append(dependents, id, node)
  }
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    waiting.delete(node)
    for (const dependent of dependents.get(node) ?? []) {
      const left = (waiting.get(dependent) ?? 0) - 1
      waiting.set(dependent, left)
      if (left === 0) ready.push(dependent)
    }
  }
  let node = [...waiting.keys()].sort(byText)[0]
  if (node === undefined) return undefined
  const path: Array<string> = []
  const seen = new Map<string, number>()
  while (node !== undefined && !seen.has(node)) {
    seen.set(node, path.length)
    path.push(node)
    node = [...(needs.get(node) ?? [])].filter((id) => waiting.has(id)).sort(byText)[0]
  }
  return node === undefined ? path : [...path.slice(seen.get(node) ?? 0), node]
}
