/** Whether a plan is still true: what is read for it, and what refuses it. */
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { check, PlanStale, recheck } from "../src/index.ts"
import { createGrant, createNode, deleteNode, plan, replaceSeal, type StorePlan, updateNode } from "./plans.ts"
import { error, makeStore, type Store } from "./store.ts"

const standings = async (store: Store, target: StorePlan) => {
  const checked = await Effect.runPromise(recheck(store.kinds, target, undefined))
  return Object.fromEntries([...checked].map(([id, { standing }]) => [id, standing.state]))
}

const refused = async (store: Store, target: StorePlan): Promise<PlanStale> => {
  const failure = await Effect.runPromise(Effect.flip(recheck(store.kinds, target, undefined)))
  if (failure instanceof PlanStale) return failure
  throw new TypeError("refused for another reason", { cause: failure })
}

describe("rechecking", () => {
  it("tells what is still to do from what is done, and how each object is now", async () => {
    const store = makeStore()
    store.nodes
      .set("done", { name: "done" })
      .set("half", { name: "half", value: "2", label: "1" })
      .set("there", { name: "there" })
    store.seals.set("s", { name: "s", value: "1" })
    const target = plan(
      createNode({ name: "new" }),
      createNode({ name: "done" }),
      updateNode({ name: "half", value: "1", label: "1" }, { name: "half", value: "2", label: "2" }),
      deleteNode({ name: "there" }),
      deleteNode({ name: "gone" }),
      replaceSeal({ name: "s", value: "1" }, { name: "s", value: "2" })
    )
    expect(await standings(store, target)).toEqual({
      "create:node:new": "pending",
      "create:node:done": "done",
      "update:node:half": "pending",
      "delete:node:there": "pending",
      "delete:node:gone": "done",
      "replace:seal:s": "pending"
    })
    const checked = await Effect.runPromise(recheck(store.kinds, target, undefined))
    expect(checked.get("update:node:half")?.now).toEqual({ name: "half", value: "2", label: "1" })
    expect(checked.get("create:node:new")?.now).toBeUndefined()
  })

  it("reads each kind that is touched once, and no other", async () => {
    const store = makeStore()
    await standings(store, plan(createNode({ name: "a" }), createNode({ name: "b" }), createGrant({ node: "a" })))
    expect(store.lists().sort()).toEqual(["list grant", "list node"])
  })

  it("reads nothing for a plan without operations", async () => {
    const store = makeStore()
    expect(await standings(store, plan())).toEqual({})
    expect(store.calls).toEqual([])
  })

  it("leaves what the registry is to do by itself for later", async () => {
    const store = makeStore()
    // As on resuming: the grant that came out different is no conflict.
    store.nodes.set("a", { name: "a", template: "read" })
    store.grants.set("a", { node: "a", role: "read" })
    const target = plan(
      createNode({ name: "a", template: "read" }),
      createGrant({ node: "a", role: "admin" }, { impliedBy: "create:node:a" })
    )
    expect(await standings(store, target)).toEqual({ "create:node:a": "done" })
    expect(store.lists()).toEqual(["list node"])
  })

  it("refuses everything for any conflict, and names each", async () => {
    const store = makeStore()
    store.nodes
      .set("other", { name: "other", value: "theirs" })
      .set("changed", { name: "changed", value: "theirs" })
      .set("used", { name: "used", value: "since" })
    store.seals.set("s", { name: "s", value: "theirs" })
    const target = plan(
      createNode({ name: "fine" }),
      createNode({ name: "other", value: "ours" }),
      updateNode({ name: "changed", value: "1" }, { name: "changed", value: "2" }),
      updateNode({ name: "gone", value: "1" }, { name: "gone", value: "2" }),
      deleteNode({ name: "used", value: "before" }),
      replaceSeal({ name: "s", value: "1" }, { name: "s", value: "2" })
    )
    const stale = await refused(store, target)
    expect(stale.registry).toBe("test")
    expect(stale.conflicts.map(({ id }) => id)).toEqual([
      "create:node:other",
      "update:node:changed",
      "update:node:gone",
      "delete:node:used",
      "replace:seal:s"
    ])
    expect(stale.message).toContain("test is no longer as the plan found it:\n")
    expect(stale.message).toContain(
      'update:node:changed: it was changed to something else (value is "theirs", expected "1")'
    )
    expect(stale.message).toContain("update:node:gone: it is gone")
    expect(store.writes()).toEqual([])
  })

  it("fails where a collection cannot be read", async () => {
    const store = makeStore()
    store.fail("list node", { error: error("Forbidden") })
    const target = plan(createNode({ name: "a" }))
    expect(await Effect.runPromise(Effect.flip(recheck(store.kinds, target, undefined)))).toEqual(error("Forbidden"))
  })
})

describe("checking", () => {
  it("says nothing of operations whose kind is not here", async () => {
    const store = makeStore()
    const checked = await Effect.runPromise(
      check(store.kinds.slice(1), [createNode({ name: "a" }), createGrant({ node: "a" })], undefined)
    )
    expect([...checked.keys()]).toEqual(["create:grant:a"])
  })

  it("reads again each time it is run", async () => {
    const store = makeStore()
    const effect = check(store.kinds, [createNode({ name: "a" })], undefined)
    expect((await Effect.runPromise(effect)).get("create:node:a")?.standing.state).toBe("pending")
    store.nodes.set("a", { name: "a" })
    expect((await Effect.runPromise(effect)).get("create:node:a")?.standing.state).toBe("done")
  })
})
