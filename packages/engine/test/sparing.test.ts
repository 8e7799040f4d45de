/** Plans in which objects of some kinds stay: laws over random registries and files, and a table of what waits for what. */
import { type Static, Type } from "@sinclair/typebox"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { LAW_TIMEOUT, lawful } from "../../testing/src/laws.ts"
import {
  type Desired,
  findCycle,
  type Kind,
  leftId,
  planTarget,
  type Spared,
  section,
  type TargetPlan
} from "../src/index.ts"
import { planFor, planIfAny, scene, target } from "./arbitrary.ts"
import { kinds, linearize, type Model } from "./world.ts"

const dice = fc.infiniteStream(fc.nat({ max: 1_000_000 }))
const spared: fc.Arbitrary<Spared> = fc.oneof(
  fc.constant("all" as const),
  fc.subarray(kinds.map(({ kind }) => kind)).map((names) => new Set<string>(names))
)

const removals = ({ operations }: Pick<TargetPlan, "operations">) =>
  operations.filter(({ action }) => action === "delete" || action === "replace")
const idsOf = (plan: Pick<TargetPlan, "operations">) => plan.operations.map(({ id }) => id)
const isRemoval = (id: string) => id.startsWith("delete:") || id.startsWith("replace:")

/** A scene with its plan, and the plan that spares; drawn again if it cannot be planned. */
const planned = (model: Model, desired: Desired, spared: Spared) => {
  const whole = planIfAny(model, desired)
  fc.pre(whole !== undefined)
  if (whole === undefined) throw new Error("unreachable")
  return { whole, gentle: planFor(model, { ...desired, spared }) }
}

const applied = (model: Model, plan: TargetPlan, stream: Iterator<number>): Model => {
  const after = model.copy()
  for (const operation of linearize(plan, (count) => Number(stream.next().value) % Math.max(1, count)))
    after.execute(operation)
  return after
}

describe("a plan that spares kinds", { timeout: LAW_TIMEOUT }, () => {
  it("removes nothing of them, not even along with something else", () => {
    fc.assert(
      fc.property(scene, spared, dice, ({ desired, model }, spared, stream) => {
        const { gentle } = planned(model, desired, spared)
        const stays = (kind: string) => spared === "all" || spared.has(kind)
        expect(removals(gentle).filter(({ kind }) => stays(kind))).toEqual([])
        const after = applied(model, gentle, stream)
        const gone = [...model.objects].filter(([address, { kind }]) => stays(kind) && !after.objects.has(address))
        expect(gone).toEqual([])
      }),
      lawful
    )
  })

  it("leaves exactly the removals that it tells, and what it tells is planned the next time", () => {
    fc.assert(
      fc.property(scene, spared, dice, ({ desired, model }, spared, stream) => {
        const { gentle } = planned(model, desired, spared)
        const next = planFor(applied(model, gentle, stream), desired)
        const told = gentle.left.map(leftId)
        expect(removals(next).map(({ id }) => id)).toEqual(told.filter(isRemoval))
        expect(told.filter((id) => !idsOf(next).includes(id))).toEqual([])
      }),
      lawful
    )
  })

  it("is empty, and tells the same, once it has been applied", () => {
    fc.assert(
      fc.property(scene, spared, dice, ({ desired, model }, spared, stream) => {
        const { gentle } = planned(model, desired, spared)
        const again = planFor(applied(model, gentle, stream), { ...desired, spared })
        expect(again.operations).toEqual([])
        expect(again.left.map(leftId)).toEqual(gentle.left.map(leftId))
      }),
      lawful
    )
  })

  it("has a graph of its own operations, without a cycle", () => {
    fc.assert(
      fc.property(scene, spared, ({ desired, model }, spared) => {
        const { gentle } = planned(model, desired, spared)
        const nodes = [...gentle.operations, ...(gentle.gates ?? [])]
        const ids = new Set(nodes.map(({ id }) => id))
        const causes = gentle.operations.flatMap(({ impliedBy }) => impliedBy ?? [])
        const named = [...nodes.flatMap(({ needs }) => needs), ...causes]
        expect(named.filter((id) => !ids.has(id))).toEqual([])
        expect(findCycle(new Map(nodes.map((it) => [it.id, new Set(it.needs)])))).toBeUndefined()
        expect(gentle.left.filter((it) => ids.has(leftId(it)))).toEqual([])
      }),
      lawful
    )
  })

  it("of no kinds is the whole plan", () => {
    fc.assert(
      fc.property(scene, ({ desired, model }) => {
        const { gentle, whole } = planned(model, desired, new Set())
        expect(gentle).toEqual(whole)
      }),
      { ...lawful, numRuns: 100 }
    )
  })
})

const schema = Type.Object({ name: Type.String(), color: Type.Optional(Type.String()) })

type Extra = Partial<Pick<Kind<string, typeof schema>, "consults" | "excludes" | "follows" | "implies" | "update">>

/** Kinds of one place, `here`, whose extras are removed. */
const kind = (name: string, more: Extra = {}): Kind<string, typeof schema> => ({
  kind: name,
  schema,
  identity: ["name"],
  key: (it: Static<typeof schema>) => `here/${it.name}`,
  collection: () => ({ parent: "here" }),
  extras: "remove",
  section: section({ under: "registry", name, node: Type.Unknown(), read: () => [] }),
  list: () => [],
  create: () => {},
  delete: () => {},
  ...more
})

const here = (kind: string) => ({ kind, parent: "here" })

const street = [
  kind("lock", { excludes: () => [here("guest")] }),
  kind("guest"),
  kind("lamp", { follows: () => [here("lamp")], update: () => {} }),
  kind("shop", { follows: () => [here("lamp")] }),
  kind("stall", {
    follows: () => [here("lamp")],
    consults: () => [here("lamp")],
    implies: (_, world) => world.collection(here("lamp")).map((item) => ({ kind: "light", item }))
  }),
  kind("light")
]

interface Case {
  readonly there: Readonly<Record<string, ReadonlyArray<string>>>
  /** Every kind that is named here is owned. `red dev` is an object with a colour. */
  readonly wanted: Readonly<Record<string, ReadonlyArray<string>>>
  readonly spared?: Spared
  readonly operations: ReadonlyArray<string>
  readonly left: ReadonlyArray<readonly [id: string, reason: string]>
}

const cases: ReadonlyArray<readonly [string, Case]> = [
  [
    "what may stay keeps nobody from coming",
    {
      there: { guest: ["a"] },
      wanted: { guest: ["b"] },
      operations: ["create:guest:here/b"],
      left: [["delete:guest:here/a", "not in the file"]]
    }
  ],
  [
    "a collection that is closed while an object is there",
    {
      there: { lock: ["a"], guest: ["x"] },
      wanted: { lock: [], guest: ["b"] },
      spared: new Set(["lock"]),
      operations: [],
      left: [
        ["create:guest:here/b", "waits for delete:lock:here/a"],
        ["delete:guest:here/x", "waits for delete:lock:here/a"],
        ["delete:lock:here/a", "not in the file"]
      ]
    }
  ],
  [
    "a collection with no room for the new before the old is gone",
    {
      there: { lamp: ["a"] },
      wanted: { lamp: ["b"] },
      operations: [],
      left: [
        ["create:lamp:here/b", "waits for delete:lamp:here/a"],
        ["delete:lamp:here/a", "not in the file"]
      ]
    }
  ],
  [
    "what has to be gone first, and what waits for that in turn",
    {
      there: { lamp: ["a"] },
      wanted: { lamp: ["b"], shop: ["c"] },
      operations: [],
      left: [
        ["create:lamp:here/b", "waits for delete:lamp:here/a"],
        ["create:shop:here/c", "waits for delete:lamp:here/a"],
        ["delete:lamp:here/a", "not in the file"]
      ]
    }
  ],
  [
    "what reckons with what stays is made, and what that brings is told as well",
    {
      there: { lamp: ["a"] },
      wanted: { lamp: [], stall: ["c"], light: [] },
      operations: ["create:stall:here/c"],
      left: [
        ["delete:lamp:here/a", "not in the file"],
        ["delete:light:here/a", "made by the registry itself; not in the file"]
      ]
    }
  ],
  [
    "a replacement",
    {
      there: { guest: ["red a"] },
      wanted: { guest: ["blue a"] },
      operations: [],
      left: [["replace:guest:here/a", "the registry offers no way to change color in place"]]
    }
  ],
  [
    "one kind stays, another does not",
    {
      there: { guest: ["a"], light: ["b"] },
      wanted: { guest: [], light: [] },
      spared: new Set(["guest"]),
      operations: ["delete:light:here/b"],
      left: [["delete:guest:here/a", "not in the file"]]
    }
  ]
]

const itemOf = (text: string) => {
  const [first = "", second] = text.split(" ")
  return second === undefined ? { name: first } : { color: first, name: second }
}

const objects = (lists: Case["there"]) =>
  Object.entries(lists).flatMap(([kind, names]) => names.map((name) => ({ kind, item: itemOf(name) })))

describe("sparing", () => {
  it.each(cases)("%s", (_, { left, operations, spared = "all", there, wanted }) => {
    const scope = Object.keys(wanted).map(here)
    const desired: Desired = { declarations: objects(wanted), scope, spared }
    const plan = planTarget(street, target, desired, { found: objects(there), read: street.map((it) => here(it.kind)) })
    expect(idsOf(plan)).toEqual(operations)
    expect(plan.left.map((it) => [leftId(it), it.reason])).toEqual(left)
    expect(plan.stuck).toEqual([])
  })
})
