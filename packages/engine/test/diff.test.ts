/** What counts as a difference, and what the canonical form of a value is. */
import { type TObject, Type } from "@sinclair/typebox"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { canonical, diff, equal, type Item, type Kind, overlay } from "../src/index.ts"
import { team } from "./world.ts"

const kind: Kind = {
  ...team,
  identity: ["name"],
  schema: Type.Object({
    name: Type.String(),
    tags: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
    rules: Type.Optional(
      Type.Array(Type.Object({ on: Type.Array(Type.String(), { uniqueItems: true }) }), { uniqueItems: true })
    ),
    steps: Type.Optional(Type.Array(Type.String())),
    config: Type.Optional(
      Type.Object({
        url: Type.Optional(Type.String()),
        groups: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
        deep: Type.Optional(Type.Object({ on: Type.Optional(Type.Boolean()) }))
      })
    )
  })
}

describe("the difference of two objects", () => {
  it.each<{ name: string; given: readonly [Item, Item]; want: ReadonlyArray<unknown> }>([
    { name: "is nothing where both are the same", given: [{ a: 1 }, { a: 1 }], want: [] },
    { name: "has a field that changed", given: [{ a: 1 }, { a: 2 }], want: [{ field: "a", before: 1, after: 2 }] },
    { name: "leaves out fields that are not declared", given: [{ a: 1, b: 1 }, { a: 1 }], want: [] },
    { name: "leaves out fields declared as undefined", given: [{ a: 1 }, { a: undefined }], want: [] },
    { name: "has no before where there was none", given: [{}, { a: 1 }], want: [{ field: "a", after: 1 }] },
    { name: "leaves out identity", given: [{ name: "x" }, { name: "y" }], want: [] },
    { name: "takes null for absence, as the registry may tell either", given: [{}, { a: null }], want: [] },
    {
      name: "has null where something was",
      given: [{ a: 1 }, { a: null }],
      want: [{ field: "a", before: 1, after: null }]
    },
    {
      name: "has something where null was",
      given: [{ a: null }, { a: 1 }],
      want: [{ field: "a", before: null, after: 1 }]
    },
    {
      name: "keeps false, zero and the empty text apart from absence",
      given: [{}, { a: false, b: 0, c: "" }],
      want: [
        { field: "a", after: false },
        { field: "b", after: 0 },
        { field: "c", after: "" }
      ]
    },
    { name: "takes -0 for 0", given: [{ a: 0 }, { a: -0 }], want: [] },
    {
      name: "keeps numbers and their texts apart",
      given: [{ a: 1 }, { a: "1" }],
      want: [{ field: "a", before: 1, after: "1" }]
    },
    { name: "does not mind the order of keys", given: [{ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }], want: [] },
    {
      name: "is sorted by field",
      given: [{}, { b: 1, a: 1 }],
      want: [
        { field: "a", after: 1 },
        { field: "b", after: 1 }
      ]
    },
    { name: "compares sets in any order", given: [{ tags: ["a", "b"] }, { tags: ["b", "a"] }], want: [] },
    {
      name: "compares sets inside objects in any order",
      given: [{ config: { groups: ["a", "b"] } }, { config: { groups: ["b", "a"] } }],
      want: []
    },
    {
      name: "compares sets inside the items of sets in any order",
      given: [{ rules: [{ on: ["a", "b"] }, { on: [] }] }, { rules: [{ on: [] }, { on: ["b", "a"] }] }],
      want: []
    },
    {
      name: "compares lists in their order",
      given: [{ steps: ["a", "b"] }, { steps: ["b", "a"] }],
      want: [{ field: "steps", before: ["a", "b"], after: ["b", "a"] }]
    },
    {
      name: "has a set as a whole",
      given: [{ tags: ["a"] }, { tags: ["a", "b"] }],
      want: [{ field: "tags", before: ["a"], after: ["a", "b"] }]
    },
    {
      name: "goes into objects, with a path",
      given: [{ config: { url: "x", deep: { on: true } } }, { config: { deep: { on: false } } }],
      want: [{ field: "config.deep.on", before: true, after: false }]
    },
    {
      name: "takes an object whole that was not there",
      given: [{}, { config: { url: "x" } }],
      want: [{ field: "config", after: { url: "x" } }]
    },
    {
      name: "takes an object whole that becomes something else",
      given: [{ a: { x: 1 } }, { a: [1] }],
      want: [{ field: "a", before: { x: 1 }, after: [1] }]
    },
    {
      name: "is nothing for an object that declares nothing",
      given: [{ config: { url: "x" } }, { config: {} }],
      want: []
    },
    {
      name: "sees only an object's own fields",
      given: [{}, { constructor: "x" }],
      want: [{ field: "constructor", after: "x" }]
    },
    {
      name: "is not misled by __proto__",
      given: [JSON.parse('{"a":{"__proto__":{"x":1}}}'), JSON.parse('{"a":{"__proto__":{"x":2}}}')],
      want: [{ field: "a.__proto__.x", before: 1, after: 2 }]
    }
  ])("$name", ({ given: [before, after], want }) => {
    expect(diff(kind, before, after)).toEqual(want)
  })

  it("has what the kind adds, but the kind cannot silence or double what is there", () => {
    const own: Kind = {
      ...kind,
      diff: () => [
        { field: "a", before: "hidden", after: "hidden" },
        { field: "secret", after: "to be written" }
      ]
    }
    expect(diff(own, { a: 1 }, { a: 2 })).toEqual([
      { field: "a", before: 1, after: 2 },
      { field: "secret", after: "to be written" }
    ])
  })

  it("leaves what is not declared, or declared as undefined, as it was when laid over it", () => {
    expect(overlay({ a: 1, b: { x: 1, y: 1 }, c: [1] }, { a: undefined, b: { y: 2 }, c: [2] })).toEqual({
      a: 1,
      b: { x: 1, y: 2 },
      c: [2]
    })
  })

  it("is gone once what is declared has been laid over what was there", () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    const item = fc.dictionary(fc.string({ maxLength: 3 }), value, { maxKeys: 4 })
    fc.assert(
      fc.property(item, item, (before, after) => {
        expect(diff(kind, overlay(before, after), after)).toEqual([])
        expect(diff(kind, before, before)).toEqual([])
      }),
      { numRuns: 1000 }
    )
  })
})

describe("the canonical text", () => {
  it.each<{ given: unknown; want: string }>([
    { given: { b: 1, a: [{ d: 1, c: 2 }] }, want: '{"a":[{"c":2,"d":1}],"b":1}' },
    { given: { a: undefined, b: null }, want: '{"b":null}' },
    { given: [undefined, null], want: "[null,null]" },
    { given: -0, want: "0" },
    { given: undefined, want: "null" },
    { given: 'a"b\n', want: '"a\\"b\\n"' },
    { given: { é: 1, z: 2, Z: 3 }, want: '{"Z":3,"z":2,"é":1}' },
    { given: JSON.parse('{"__proto__":1,"a":2}'), want: '{"__proto__":1,"a":2}' }
  ])("of $given is $want", ({ given, want }) => {
    expect(canonical(given)).toBe(want)
  })

  it("reads back as the value, and is the same for the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const again: unknown = JSON.parse(canonical(value))
        expect(canonical(again)).toBe(canonical(value))
        expect(equal(again, value)).toBe(true)
      }),
      { numRuns: 1000 }
    )
  })
})

describe("a schema of a kind", () => {
  it("is looked into by own keys only", () => {
    const hostile: TObject = Type.Object({})
    expect(diff({ ...kind, schema: hostile }, { toString: ["a", "b"] }, { toString: ["b", "a"] })).toHaveLength(1)
  })
})
