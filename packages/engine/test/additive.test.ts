/** Which operations only add: of what a kind does not tell, the worst is thought. */
import { type Static, Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import { type AnyOperation, additiveOnly, blockingOf, diff, type Kind, PlanBlocked, section } from "../src/index.ts"
import { planOf } from "./arbitrary.ts"

const schema = Type.Object({
  name: Type.String(),
  in: Type.Optional(Type.String()),
  size: Type.Optional(Type.Number())
})

const kind = (
  name: string,
  more: Pick<Kind<string, typeof schema>, "narrows" | "needs"> = {}
): Kind<string, typeof schema> => ({
  kind: name,
  schema,
  identity: ["name"],
  key: (it: Static<typeof schema>) => it.name,
  collection: () => ({ parent: "here" }),
  extras: "remove",
  section: section({ under: "registry", name, node: Type.Unknown(), read: () => [] }),
  list: () => [],
  create: () => {},
  update: () => {},
  delete: () => {},
  ...more
})

const kinds = [
  kind("plain"),
  kind("bag", { narrows: (after, before) => before !== undefined && (after.size ?? 0) < (before.size ?? 0) }),
  kind("fence", {
    narrows: () => true,
    needs: (it) => (it.in === undefined ? [] : [{ kind: "plain", key: it.in, parent: "here", cascades: true }])
  })
]

const create = (name: string, more: object = {}): AnyOperation => ({
  id: `create:${name}:a`,
  action: "create",
  kind: name,
  key: "a",
  needs: [],
  after: { name: "a", ...more }
})
const update = (name: string, before: object, after: object): AnyOperation => {
  const [one, other] = [
    { name: "a", ...before },
    { name: "a", ...after }
  ]
  const of = kinds.find((it) => it.kind === name) ?? kind(name)
  return {
    id: `update:${name}:a`,
    action: "update",
    kind: name,
    key: "a",
    needs: [],
    before: one,
    after: other,
    changes: diff(of, one, other)
  }
}
const remove = (
  name: string,
  by: { readonly impliedBy?: string; readonly foreseen?: true; readonly reason?: string } = {}
): AnyOperation => ({
  id: `delete:${name}:a`,
  action: "delete",
  kind: name,
  key: "a",
  needs: [],
  before: { name: "a" },
  cascades: [],
  ...by
})
const replace = (name: string): AnyOperation => ({
  ...update(name, { size: 1 }, { size: 2 }),
  id: `replace:${name}:a`,
  action: "replace",
  before: { name: "a", size: 1 },
  after: { name: "a", size: 2 },
  changes: [{ field: "size" }],
  cascades: []
})

const table: ReadonlyArray<readonly [string, ReadonlyArray<AnyOperation>, ReadonlyArray<string>]> = [
  ["what is made", [create("plain")], []],
  ["what is deleted", [remove("plain")], ["plain a would be deleted"]],
  ["what the registry makes and nobody has had", [remove("plain", { impliedBy: "create:bag:a", foreseen: true })], []],
  [
    "what is there, and the registry could make again",
    [remove("plain", { impliedBy: "create:bag:a", reason: "not in the file" })],
    ["plain a would be deleted"]
  ],
  ["what is replaced", [replace("bag")], ["bag a would be deleted and made again"]],
  [
    "a change of which the kind says nothing",
    [update("plain", { size: 1 }, { size: 2 })],
    ["plain a would be changed, by which something may be lost: size"]
  ],
  ["a change that the kind calls wider", [update("bag", { size: 1 }, { size: 2 })], []],
  [
    "a change that the kind calls narrower",
    [update("bag", { size: 2 }, { size: 1 })],
    ["bag a would be changed, by which something may be lost: size"]
  ],
  ["a limit", [create("fence")], ["fence a would limit what is there"]],
  ["a limit on what is there already", [create("fence", { in: "b" })], ["fence a would limit what is there"]],
  ["a limit on what is new as well", [create("fence", { in: "a" }), create("plain")], []],
  [
    "a kind that is not known",
    [create("other"), update("other", { size: 1 }, { size: 2 })],
    ["other a would be changed, by which something may be lost: size"]
  ],
  [
    "all of them, sorted",
    [create("plain"), remove("plain"), replace("bag")],
    ["bag a would be deleted and made again", "plain a would be deleted"]
  ]
]

describe("an additive plan", () => {
  it.each(table)("%s", (_, operations, messages) => {
    const blocking = blockingOf(additiveOnly(kinds, [planOf(...operations)]))
    expect(blocking.map(({ verdict }) => verdict.message)).toEqual(messages)
    expect(blocking.every(({ verdict }) => verdict.rule === "not-additive" && verdict.allow === undefined)).toBe(true)
    expect(new PlanBlocked(blocking).message.split("\n").filter((it) => it !== "")).toHaveLength(messages.length)
  })
})
