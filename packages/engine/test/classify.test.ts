/** Whether an operation is still to be done: each action against what may have become of the object since. */
import { type TObject, Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import { type AnyOperation, type Change, classify, type Item, type Kind } from "../src/index.ts"
import { team } from "./world.ts"

const schema: TObject = Type.Object({
  name: Type.String(),
  tags: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
  config: Type.Optional(Type.Object({ url: Type.Optional(Type.String()) }))
})
const kind: Kind = { ...team, identity: ["name"], schema }
const common = { kind: "team", key: "x", needs: [] }
const create = (after: Item): AnyOperation => ({ ...common, id: "create:team:x", action: "create", after })
const update = (before: Item, after: Item, changes: ReadonlyArray<Change>): AnyOperation => ({
  ...common,
  id: "update:team:x",
  action: "update",
  before,
  after,
  changes
})
const replace = (before: Item, after: Item): AnyOperation => ({
  ...common,
  id: "replace:team:x",
  action: "replace",
  before,
  after,
  changes: [],
  cascades: []
})
const remove = (before: Item): AnyOperation => ({
  ...common,
  id: "delete:team:x",
  action: "delete",
  before,
  cascades: []
})

const two = update({ a: 1, b: 1, c: 1 }, { a: 2, b: 2 }, [
  { field: "a", before: 1, after: 2 },
  { field: "b", before: 1, after: 2 }
])
const tags = update({ tags: ["a", "b"] }, { tags: ["b", "c"] }, [
  { field: "tags", before: ["a", "b"], after: ["b", "c"] }
])
const nested = update({ config: { url: "x", on: 1 } }, { config: { url: "y" } }, [
  { field: "config.url", before: "x", after: "y" }
])
const whole = update({}, { config: { url: "y" } }, [{ field: "config", after: { url: "y" } }])
const dotted = update({ labels: { "a.b": 1 } }, { labels: { "a.b": 2 } }, [
  { field: "labels.a.b", before: 1, after: 2 }
])

describe("an operation", () => {
  it.each<{ name: string; given: readonly [AnyOperation, Item | undefined]; want: string }>([
    { name: "to create is pending while there is nothing", given: [create({ a: 1 }), undefined], want: "pending" },
    { name: "to create is done when it is there as declared", given: [create({ a: 1 }), { a: 1, b: 2 }], want: "done" },
    { name: "to create conflicts with what is different", given: [create({ a: 1 }), { a: 2 }], want: "conflict" },
    {
      name: "to create what the registry makes is pending while that is different",
      given: [{ ...create({ a: 1 }), impliedBy: "create:x" }, { a: 2 }],
      want: "pending"
    },
    {
      name: "to create what the registry makes is done when it has made it so",
      given: [{ ...create({ a: 1 }), impliedBy: "create:x" }, { a: 1 }],
      want: "done"
    },
    {
      name: "to update what the registry changes is pending whatever it has made of it",
      given: [
        { ...two, impliedBy: "create:x" },
        { a: 7, b: 1 }
      ],
      want: "pending"
    },
    {
      name: "to update what the registry changes is done when it has made it so",
      given: [
        { ...two, impliedBy: "create:x" },
        { a: 2, b: 2 }
      ],
      want: "done"
    },

    ...[
      { now: { a: 1 }, want: "pending" },
      { now: { a: 2 }, want: "pending" },
      { now: { a: 3 }, want: "conflict" }
    ].map(({ now, want }) => ({
      name: `to delete what the registry may change is ${want} with ${now.a}`,
      given: [{ ...remove({ a: 2 }), was: { a: 1 }, impliedBy: "create:x" }, now] as const,
      want
    })),

    { name: "to update is pending as planned", given: [two, { a: 1, b: 1, c: 1 }], want: "pending" },
    { name: "to update is pending half done", given: [two, { a: 2, b: 1, c: 1 }], want: "pending" },
    { name: "to update is done when all is as wanted", given: [two, { a: 2, b: 2, c: 1 }], want: "done" },
    { name: "to update does not mind what it does not change", given: [two, { a: 1, b: 1, c: 9 }], want: "pending" },
    { name: "to update conflicts with a third value", given: [two, { a: 1, b: 9 }], want: "conflict" },
    {
      name: "to update conflicts with a third value although the rest is done",
      given: [two, { a: 2, b: 9 }],
      want: "conflict"
    },
    { name: "to update conflicts with a field that is gone", given: [two, { a: 1 }], want: "conflict" },
    { name: "to update conflicts with an object that is gone", given: [two, undefined], want: "conflict" },
    {
      name: "to update is done though another declared field drifted",
      given: [update({ a: 1, d: 1 }, { a: 2, d: 1 }, [{ field: "a", before: 1, after: 2 }]), { a: 2, d: 5 }],
      want: "done"
    },
    {
      name: "to update a set is pending whatever the order of what was there",
      given: [tags, { tags: ["b", "a"] }],
      want: "pending"
    },
    {
      name: "to update a set is done whatever the order of what is there",
      given: [tags, { tags: ["c", "b"] }],
      want: "done"
    },
    { name: "to update a set conflicts with a third one", given: [tags, { tags: ["c"] }], want: "conflict" },
    {
      name: "to update inside an object is pending as planned",
      given: [nested, { config: { url: "x", on: 2 } }],
      want: "pending"
    },
    { name: "to update inside an object is done as wanted", given: [nested, { config: { url: "y" } }], want: "done" },
    { name: "to update inside an object conflicts when the object is gone", given: [nested, {}], want: "conflict" },
    { name: "to give an object is pending while there is none", given: [whole, {}], want: "pending" },
    { name: "to give an object takes null for none", given: [whole, { config: null }], want: "pending" },
    {
      name: "to give an object conflicts with another one",
      given: [whole, { config: { url: "z" } }],
      want: "conflict"
    },
    {
      name: "to give an object is done when it has all that is declared",
      given: [whole, { config: { url: "y", more: 1 } }],
      want: "done"
    },
    {
      name: "to update a field with dots in its name is pending as planned",
      given: [dotted, { labels: { "a.b": 1 } }],
      want: "pending"
    },
    {
      name: "to update a field with dots in its name is done as wanted",
      given: [dotted, { labels: { "a.b": 2 } }],
      want: "done"
    },

    { name: "to replace is pending as planned", given: [replace({ a: 1 }, { a: 2 }), { a: 1 }], want: "pending" },
    {
      name: "to replace is pending when half of it is done",
      given: [replace({ a: 1 }, { a: 2 }), undefined],
      want: "pending"
    },
    { name: "to replace is done as wanted", given: [replace({ a: 1 }, { a: 2 }), { a: 2 }], want: "done" },
    {
      name: "to replace is done though the old one lacked what the new one has",
      given: [replace({}, { a: 2 }), { a: 2 }],
      want: "done"
    },
    {
      name: "to replace conflicts with anything else",
      given: [replace({ a: 1 }, { a: 2 }), { a: 3 }],
      want: "conflict"
    },

    { name: "to delete is pending as planned", given: [remove({ a: 1 }), { a: 1 }], want: "pending" },
    { name: "to delete is done when it is gone", given: [remove({ a: 1 }), undefined], want: "done" },
    { name: "to delete conflicts with what changed", given: [remove({ a: 1 }), { a: 2 }], want: "conflict" },
    {
      name: "to delete does not mind what the plan had not seen",
      given: [remove({ a: 1 }), { a: 1, b: 2 }],
      want: "pending"
    }
  ])("$name", ({ given: [operation, now], want }) => {
    expect(classify(kind, operation, now).state).toBe(want)
  })

  it("tells what is there and what was expected where it conflicts", () => {
    expect(classify(kind, two, { a: 2, b: 9 })).toEqual({
      state: "conflict",
      reason: "it was changed to something else",
      changes: [{ field: "b", before: 9, after: 1 }]
    })
    expect(classify(kind, create({ a: 1 }), { a: 2 })).toMatchObject({ changes: [{ field: "a", before: 2, after: 1 }] })
    expect(classify(kind, remove({ a: 1 }), { a: 2 })).toMatchObject({ changes: [{ field: "a", before: 2, after: 1 }] })
    expect(classify(kind, two, undefined)).toEqual({ state: "conflict", reason: "it is gone", changes: [] })
  })

  it("to delete or replace is pending though the kind finds a flaw in what was there from the start", () => {
    const flawed: Kind = {
      ...kind,
      diff: (before) =>
        before["copies"] === undefined ? [] : [{ field: "copies", before: before["copies"], after: [] }]
    }
    const before = { a: 1, copies: ["x"] }
    expect(classify(flawed, remove(before), before).state).toBe("pending")
    expect(classify(flawed, replace(before, { a: 2 }), before).state).toBe("pending")
    expect(classify(flawed, remove(before), { a: 1, copies: ["x", "y"] }).state).toBe("conflict")
    expect(classify(flawed, remove({ a: 1 }), before).state).toBe("conflict")
  })

  it.each([
    [["a", "b"], "pending"],
    [["b"], "pending"],
    [["a", "b", "c"], "pending"],
    [["b", "c"], "done"],
    [["a"], "conflict"],
    [["b", "d"], "conflict"]
  ])("whose list is changed an element at a time, and is %j, is %s", (now, want) => {
    const stepwise: Kind = { ...kind, changedStepwise: ["tags"] }
    expect(classify(stepwise, tags, { tags: now }).state).toBe(want)
    expect(classify(kind, tags, { tags: now }).state).toBe(now.join("") === "ab" || want === "done" ? want : "conflict")
  })

  it("to create is pending where only what is set afterwards differs", () => {
    const stepwise: Kind = { ...kind, setAfterwards: ["b"] }
    expect(classify(stepwise, create({ a: 1, b: 1 }), { a: 1, b: 2 }).state).toBe("pending")
    expect(classify(stepwise, create({ a: 1, b: 1 }), { a: 2, b: 2 }).state).toBe("conflict")
    expect(classify(stepwise, create({ a: 1, b: 1 }), { a: 1, b: 1 }).state).toBe("done")
  })

  it("is judged by what the kind sees where a change is in no field", () => {
    const secret: Kind = {
      ...kind,
      diff: (before, after) =>
        before["version"] === after["wanted"]
          ? []
          : [{ field: "secret", before: before["version"], after: after["wanted"] }]
    }
    const rotate = update({ version: 1 }, { wanted: 2 }, [{ field: "secret", before: 1, after: 2 }])
    const wanted = { wanted: 2 }
    expect(classify(secret, rotate, { version: 1, ...wanted }).state).toBe("pending")
    expect(classify(secret, rotate, { version: 2, ...wanted }).state).toBe("done")
    expect(classify(secret, rotate, { version: 3, ...wanted }).state).toBe("conflict")
  })
})
