/** Cycles: found where there is one, the same way round each time, and none imagined. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { findCycle } from "../src/index.ts"

const graph = (edges: Readonly<Record<string, ReadonlyArray<string>>>) =>
  new Map(Object.entries(edges).map(([node, needs]) => [node, new Set(needs)]))

describe("a cycle", () => {
  it.each<{
    name: string
    given: Readonly<Record<string, ReadonlyArray<string>>>
    want: ReadonlyArray<string> | undefined
  }>([
    { name: "is not in an empty graph", given: {}, want: undefined },
    { name: "is not in a diamond", given: { a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, want: undefined },
    { name: "may be one node", given: { a: ["a"] }, want: ["a", "a"] },
    { name: "may be two nodes", given: { b: ["a"], a: ["b"] }, want: ["a", "b", "a"] },
    {
      name: "is told without the way to it",
      given: { a: ["b"], b: ["c"], c: ["d"], d: ["b"] },
      want: ["b", "c", "d", "b"]
    },
    {
      name: "is told without what needs it or what it needs",
      given: { a: [], x: ["b"], b: ["a", "c"], c: ["b"] },
      want: ["b", "c", "b"]
    },
    { name: "is not made by needs that are no nodes", given: { a: ["gone"], b: ["a"] }, want: undefined }
  ])("$name", ({ given, want }) => {
    expect(findCycle(graph(given))).toEqual(want)
  })

  it("is found exactly where some node can reach itself, and each of its steps is a need", () => {
    const node = fc.nat({ max: 6 })
    fc.assert(
      fc.property(fc.array(fc.tuple(node, node), { maxLength: 10 }), (edges) => {
        const needs = new Map<string, Set<string>>(Array.from({ length: 7 }, (_, i) => [`${i}`, new Set()]))
        for (const [from, to] of edges) needs.get(`${from}`)?.add(`${to}`)
        const reach = (from: string, to: string, seen: Set<string>): boolean =>
          [...(needs.get(from) ?? [])].some((next) => {
            if (next === to) return true
            if (seen.has(next)) return false
            seen.add(next)
            return reach(next, to, seen)
          })
        const cycle = findCycle(needs)
        expect(cycle !== undefined).toBe([...needs.keys()].some((it) => reach(it, it, new Set())))
        for (const [i, step] of (cycle ?? []).slice(1).entries()) expect(needs.get(cycle?.[i] ?? "")).toContain(step)
        expect(cycle?.at(-1)).toBe(cycle?.[0])
        expect(findCycle(new Map([...needs].reverse()))).toEqual(cycle)
      }),
      { numRuns: 1000 }
    )
  })
})
