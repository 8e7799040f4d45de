/** Two plans side by side: what differs, and what an approval covers. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { LAW_TIMEOUT, lawful } from "../../testing/src/laws.ts"
import {
  type AnyOperation,
  assemble,
  comparePlans,
  type Desired,
  type Plan,
  type TargetPlan,
  unapproved
} from "../src/index.ts"
import { planIfAny, scene, target, planOf as targetOf } from "./arbitrary.ts"
import { linearize, type Model } from "./world.ts"

const dice = fc.infiniteStream(fc.nat({ max: 1_000_000 }))

const planned = (model: Model, desired: Desired): TargetPlan => {
  const plan = planIfAny(model, desired)
  fc.pre(plan !== undefined)
  if (plan === undefined) throw new Error("unreachable")
  return plan
}
const documentOf = (...targets: ReadonlyArray<TargetPlan>): Plan => assemble(targets, "1")

describe("the laws", { timeout: LAW_TIMEOUT }, () => {
  it("two plans differ exactly if their digests do", () => {
    fc.assert(
      fc.property(scene, scene, fc.boolean(), (one, other, same) => {
        const a = documentOf(planned(one.model, one.desired))
        const b = documentOf(planned(one.model, same ? one.desired : other.desired))
        expect(comparePlans(a, b).length === 0).toBe(a.digest === b.digest)
      }),
      lawful
    )
  })

  it("turned round, what was added is gone", () => {
    fc.assert(
      fc.property(scene, scene, (one, other) => {
        const a = documentOf(planned(one.model, one.desired))
        const b = documentOf(planned(one.model, other.desired))
        const there = comparePlans(a, b)
        const back = comparePlans(b, a)
        expect(back.map(({ added, gone }) => [gone, added])).toEqual(there.map(({ added, gone }) => [added, gone]))
      }),
      { ...lawful, numRuns: 200 }
    )
  })

  it("a plan is within itself, and so is what is left of it after a stop anywhere", () => {
    fc.assert(
      fc.property(scene, dice, fc.nat(), ({ desired, model }, stream, stop) => {
        const approved = planned(model, desired)
        expect(unapproved(documentOf(approved), documentOf(approved))).toEqual([])
        const order = linearize(approved, (count) => Number(stream.next().value) % Math.max(1, count))
        const broken = model.copy()
        for (const operation of order.slice(0, stop % (order.length + 1))) broken.execute(operation)
        expect(unapproved(documentOf(approved), documentOf(planned(broken, desired)))).toEqual([])
      }),
      lawful
    )
  })
})

const head = (action: AnyOperation["action"], more: Partial<AnyOperation> = {}) => ({
  id: `${action}:team:acme/dev`,
  kind: "team",
  key: "acme/dev",
  needs: [],
  ...more
})
const create = (role: string, more: Partial<AnyOperation> = {}): AnyOperation => ({
  ...head("create", more),
  action: "create",
  after: { name: "dev", role }
})
const update = (before: object, after: object, ...fields: ReadonlyArray<string>): AnyOperation => ({
  ...head("update"),
  action: "update",
  before: { name: "dev", ...before },
  after: { name: "dev", ...after },
  changes: fields.map((field) => ({ field }))
})
const remove = (before: object, ...cascades: ReadonlyArray<string>): AnyOperation => ({
  ...head("delete"),
  action: "delete",
  before: { name: "dev", ...before },
  cascades
})
const replace = (before: object, after: object, ...cascades: ReadonlyArray<string>): AnyOperation => ({
  ...head("replace"),
  action: "replace",
  before: { name: "dev", ...before },
  after: { name: "dev", ...after },
  changes: [{ field: "role" }],
  cascades
})

const planOf = (...operations: ReadonlyArray<AnyOperation>): Plan => documentOf(targetOf(...operations))

const table: ReadonlyArray<readonly [string, AnyOperation | undefined, AnyOperation, string | undefined]> = [
  ["the same creation", create("admin"), create("admin"), undefined],
  ["its source, reason and needs", create("admin"), create("admin", { source: "b:1", needs: ["x"] }), undefined],
  ["a creation that ends differently", create("admin"), create("member"), "it would end differently"],
  ["what was not there", undefined, create("admin"), "it is not in the approved plan"],
  [
    "a creation of what was to be changed",
    update({ role: "member" }, { role: "admin" }, "role"),
    create("admin"),
    "it is not in the approved plan"
  ],
  [
    "a change of what was to be created",
    create("admin"),
    update({ role: "member" }, { role: "admin" }, "role"),
    "it is not in the approved plan"
  ],
  [
    "the same of what the registry makes by itself",
    create("admin", { impliedBy: "create:organization:acme" }),
    update({ role: "member" }, { role: "admin" }, "role"),
    undefined
  ],
  [
    "an update from something else to the same",
    update({ role: "member" }, { role: "admin" }, "role"),
    update({ role: "creator" }, { role: "admin" }, "role"),
    undefined
  ],
  [
    "an update of less",
    update({ role: "member", text: "a" }, { role: "admin", text: "b" }, "role", "text"),
    update({ role: "admin", text: "a" }, { role: "admin", text: "b" }, "text"),
    undefined
  ],
  [
    "an update of more",
    update({ role: "member", text: "b" }, { role: "admin", text: "b" }, "role"),
    update({ role: "member", text: "c" }, { role: "admin", text: "b" }, "role", "text"),
    "it would change text as well"
  ],
  ["the same deletion", remove({ role: "admin" }, "a", "b"), remove({ role: "admin" }, "b"), undefined],
  [
    "a deletion of what has changed",
    remove({ role: "admin" }),
    remove({ role: "member" }),
    "what would be lost has changed"
  ],
  ["a deletion of what more is known of", remove({ role: "admin" }), remove({ role: "admin", text: "a" }), undefined],
  ["a deletion of more", remove({}, "a"), remove({}, "a", "b"), "it would take along b as well"],
  [
    "a replacement of what has changed",
    replace({ role: "admin" }, { role: "member" }),
    replace({ role: "creator" }, { role: "member" }),
    "what would be lost has changed"
  ],
  [
    "a replacement by something else",
    replace({ role: "admin" }, { role: "member" }),
    replace({ role: "admin" }, { role: "creator" }),
    "it would end differently"
  ],
  [
    "the same replacement",
    replace({ role: "admin" }, { role: "member" }, "a"),
    replace({ role: "admin" }, { role: "member" }),
    undefined
  ]
]

describe("an approval", () => {
  it.each(table)("%s", (_, approved, planned, reason) => {
    const before = approved === undefined ? planOf() : planOf(approved)
    const found = unapproved(before, planOf(planned))
    expect(found.map((it) => it.reason)).toEqual(reason === undefined ? [] : [reason])
  })

  it("is for its registries", () => {
    const elsewhere = documentOf({ ...targetOf(create("admin")), url: "https://other.example.com" })
    expect(unapproved(planOf(create("admin")), elsewhere)).toMatchObject([
      { url: "https://other.example.com", reason: "its registry is not in the approved plan" }
    ])
    expect(comparePlans(planOf(create("admin")), elsewhere)).toMatchObject([
      { url: target.url, added: [], gone: [{ action: "create" }] },
      { url: "https://other.example.com", added: [{ action: "create" }], gone: [] }
    ])
  })
})
