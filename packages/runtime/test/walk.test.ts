/** Walking plans over a registry in memory: what is done, in which order, what is not, and what the report and the events say of it. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { EventSink, isWhole, type RegistryEvent, type Result, read, recheck, succeeded, walk } from "../src/index.ts"
import { inTestTime, now } from "./clock.ts"
import {
  type Applied,
  applied,
  createGrant,
  createNode,
  deleteGrant,
  deleteNode,
  outcomes,
  plan,
  planned,
  replaceSeal,
  type StorePlan,
  updateNode,
  walked
} from "./plans.ts"
import { error, type Fault, lost, makeStore, type Store } from "./store.ts"

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

/** What the events must be like, whatever happened: one end for each operation, and none without a beginning but where nothing was done. */
const expectSane = ({ events, report }: Applied, target: StorePlan) => {
  expect(report.results.map(({ id }) => id)).toEqual(target.operations.map(({ id }) => id))
  expect(events[0]).toEqual({ type: "apply-started", operations: target.operations.length })
  expect(events.at(-1)).toEqual({ type: "apply-finished", interrupted: report.stopped !== undefined })
  const begun = new Set<string>()
  const ended = new Map<string, string>()
  for (const event of events) {
    if (event.type === "operation-started") {
      expect(begun.has(event.id)).toBe(false)
      expect(ended.has(event.id)).toBe(false)
      begun.add(event.id)
    }
    if (event.type === "operation-finished") {
      expect(ended.has(event.id)).toBe(false)
      ended.set(event.id, event.outcome)
    }
  }
  expect(Object.fromEntries(ended)).toEqual(outcomes({ events, report }))
  for (const id of begun) expect(ended.has(id)).toBe(true)
  for (const { id, outcome } of report.results) {
    if (outcome === "applied") expect(begun.has(id)).toBe(true)
    if (outcome === "by-registry" || outcome === "skipped" || outcome === "not-started")
      expect(begun.has(id)).toBe(false)
  }
}

const resultOf = ({ report }: Applied, id: string) => report.results.find((it) => it.id === id)

describe("an operation", () => {
  it("creates, updates and deletes", async () => {
    const store = makeStore()
    store.nodes.set("b", { name: "b", value: "1", label: "kept" }).set("c", { name: "c" })
    const target = plan(
      createNode({ name: "a" }),
      updateNode({ name: "b", value: "1" }, { name: "b", value: "2" }),
      deleteNode({ name: "c" })
    )
    const result = await run(applied(store, target))
    expectSane(result, target)
    expect(isWhole(result.report)).toBe(true)
    expect(store.state().nodes).toEqual([{ name: "a" }, { name: "b", value: "2", label: "kept" }])
  })

  it("that is done already is not done again, and what needs it goes on", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a" })
    const target = plan(createNode({ name: "a" }), createNode({ name: "b" }, { needs: ["create:node:a"] }))
    const result = await run(applied(store, target))
    expectSane(result, target)
    expect(outcomes(result)).toEqual({ "create:node:a": "already", "create:node:b": "applied" })
    expect(store.writes()).toEqual(["create node:b"])
  })

  it("that fails says what the registry said", async () => {
    const store = makeStore()
    store.fail("create node:a", { error: error("Forbidden", { message: "not yours", status: 403 }) })
    const result = await run(walked(store, plan(createNode({ name: "a" }))))
    expect(result.report.results).toEqual([
      { id: "create:node:a", outcome: "failed", error: "not yours", tag: "Forbidden" }
    ])
    expect(result.report.stopped).toBeUndefined()
    expect(result.events).toContainEqual(
      expect.objectContaining({ type: "operation-finished", outcome: "failed", error: "not yours" })
    )
  })

  it("whose kind throws fails alone, and is looked up", async () => {
    const store = makeStore()
    store.fail("create node:a", { error: error("Broken"), thrown: true })
    store.fail("create node:b", { error: error("Broken"), thrown: true, happens: true })
    const target = plan(createNode({ name: "a" }), createNode({ name: "b" }), createNode({ name: "c" }))
    const result = await run(walked(store, target))
    expectSane(result, target)
    expect(outcomes(result)).toEqual({
      "create:node:a": "failed",
      "create:node:b": "applied",
      "create:node:c": "applied"
    })
  })

  it("whose kind throws before there is an effect fails alone", async () => {
    const store = makeStore()
    const [node, ...others] = store.kinds
    if (node?.kind !== "node") throw new TypeError("the first kind is the node")
    const kinds = [
      {
        ...node,
        create: () => {
          throw new RangeError("no such thing")
        }
      },
      ...others
    ]
    const target = plan(createNode({ name: "a" }), createGrant({ node: "b" }))
    const report = await run(walk(kinds, target, { workers: 2 }))
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["failed", "applied"])
    expect(report.results[0]?.error).toBe("no such thing")
  })

  it("that the kinds here do not offer fails, and is not taken for done", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a" })
    const [node, seal, grant, lease] = store.kinds
    if (node?.kind !== "node" || seal === undefined || grant === undefined || lease === undefined)
      throw new TypeError("four kinds")
    const { delete: _delete, update: _update, ...poor } = node
    const target = plan(
      updateNode({ name: "a" }, { name: "a", value: "1" }),
      deleteNode({ name: "b" }),
      createGrant({ node: "a" })
    )
    const report = await run(walk([poor, seal, lease], target, { workers: 2 }))
    expect(report.results.map(({ error, outcome, tag }) => [outcome, tag, error])).toEqual([
      ["failed", "Unsupported", "There is no way to update a node here."],
      ["failed", "Unsupported", "There is no way to delete a node here."],
      ["failed", "Unsupported", "There is no way to create a grant here."]
    ])
  })

  it("that updates is given the object as it is now, and only the changes that are left", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a", value: "1", label: "old" })
    const target = plan(updateNode({ name: "a", value: "1", label: "old" }, { name: "a", value: "2", label: "new" }))
    store.nodes.set("a", { name: "a", value: "2", label: "old", template: "elsewhere" })
    const seen: Array<unknown> = []
    const [node] = store.kinds
    if (node?.kind !== "node") throw new TypeError("the first kind is the node")
    const spied = {
      ...node,
      update: (...given: ReadonlyArray<unknown>) =>
        Effect.sync(() => {
          seen.push(given)
        })
    }
    const checked = await run(recheck([spied, ...store.kinds.slice(1)], target, undefined))
    await run(walk([spied, ...store.kinds.slice(1)], target, { workers: 1, checked }))
    expect(seen).toEqual([
      [
        { name: "a", value: "2", label: "new" },
        { name: "a", value: "2", label: "old", template: "elsewhere" },
        [{ field: "label", before: "old", after: "new" }]
      ]
    ])
  })

  it("takes as long as it took", async () => {
    const store = makeStore()
    store.options.latency = () => Effect.sleep(120)
    const { events } = await inTestTime(walked(store, plan(createNode({ name: "a" }))))
    expect(events).toContainEqual(expect.objectContaining({ type: "operation-finished", milliseconds: 120 }))
  })
})

describe("the order", () => {
  it("has operations side by side, but no more than there are workers", async () => {
    const store = makeStore()
    let running = 0
    let most = 0
    store.options.latency = () =>
      Effect.gen(function* () {
        most = Math.max(most, ++running)
        yield* Effect.sleep(10)
        running--
      })
    const target = plan(...Array.from({ length: 30 }, (_, i) => createNode({ name: `n${i}` })))
    const took = await inTestTime(Effect.andThen(walked(store, target, { workers: 3 }), now))
    expect([most, took]).toEqual([3, 100])
  })

  it("has no barrier: a long operation holds up only what needs it", async () => {
    const store = makeStore()
    store.options.latency = (name) => Effect.sleep(name.endsWith("slow") ? 1_000 : 10)
    const target = plan(
      createNode({ name: "slow" }),
      createNode({ name: "a" }),
      createGrant({ node: "a" }, { needs: ["create:node:a"] }),
      createGrant({ node: "slow" }, { needs: ["create:node:slow"] })
    )
    await inTestTime(walked(store, target, { workers: 2 }))
    expect(store.writes()).toEqual(["create node:slow", "create node:a", "create grant:a", "create grant:slow"])
  })

  it("does without workers what needs none", async () => {
    const result = await run(applied(makeStore(), plan()))
    expectSane(result, plan())
    expect(result.report).toEqual({ registry: "test", url: "https://quay.example.com", results: [] })
  })

  it.each([0, -1, 1_000])("has at least one worker and no more than operations, asked for %i", async (workers) => {
    const target = plan(createNode({ name: "a" }), createNode({ name: "b" }))
    expect(isWhole((await run(walked(makeStore(), target, { workers }))).report)).toBe(true)
  })

  it("does not wait for operations that are not in the plan", async () => {
    const target = plan(
      createNode({ name: "a" }, { needs: ["create:node:elsewhere"] }),
      createGrant({ node: "a" }, { impliedBy: "create:node:elsewhere" })
    )
    const result = await run(walked(makeStore(), target))
    expect(isWhole(result.report)).toBe(true)
  })

  it("lets nobody wait at a gate of which the plan has nothing", async () => {
    const store = makeStore()
    const target = {
      ...plan(
        createNode({ name: "a" }, { needs: ["done:node@all"] }),
        createNode({ name: "b" }, { needs: ["done:node@all"] })
      ),
      gates: [{ id: "done:node@all", needs: ["create:node:elsewhere"] }]
    }
    const result = await run(applied(store, target))
    expectSane(result, target)
    expect(outcomes(result)).toEqual({ "create:node:a": "applied", "create:node:b": "applied" })
  })

  it("holds over random plans with random failures: what is needed is done before, what fails skips its dependents alone", async () => {
    const graph = fc.integer({ min: 1, max: 25 }).chain((size) =>
      fc.record({
        needs: fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: size, maxLength: size }),
        // Which ones fail, are done already, and how long each takes.
        fates: fc.array(fc.constantFrom("well", "well", "well", "fails", "lost", "late", "already", "throws"), {
          minLength: size,
          maxLength: size
        }),
        turns: fc.array(fc.nat(5), { minLength: size, maxLength: size }),
        // Which ones wait for what they need at a gate.
        gated: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
        workers: fc.integer({ min: 1, max: 6 })
      })
    )
    await fc.assert(
      fc.asyncProperty(graph, async ({ fates, gated, needs, turns, workers }) => {
        const store = makeStore()
        store.options.latency = (name) =>
          Effect.repeat(Effect.yieldNow, { times: turns[Number(name.split(":n")[1])] ?? 0 })
        const before = needs.map((list, i) => new Set(i === 0 ? [] : list.map((it) => it % i)))
        const needed = before.map((list) => [...list].map((it) => `create:node:n${it}`))
        const gates = needed.flatMap((ids, i) =>
          gated[i] === true && ids.length > 0 ? [{ id: `done:node@n${i}`, needs: ids }] : []
        )
        const atGate = new Set(gates.map(({ id }) => id))
        const operations = needed.map((ids, i) => {
          const gate = `done:node@n${i}`
          return createNode({ name: `n${i}` }, { needs: atGate.has(gate) ? [gate] : ids })
        })
        fates.forEach((fate, i) => {
          const name = `create node:n${i}`
          if (fate === "fails") store.fail(name, { error: error("Forbidden") })
          if (fate === "throws") store.fail(name, { error: error("Broken"), thrown: true })
          if (fate === "lost") store.fail(name, { error: lost, happens: true })
          if (fate === "late") store.fail(name, { error: lost })
          if (fate === "already") store.nodes.set(`n${i}`, { name: `n${i}` })
        })
        const target = { ...plan(...operations), gates }
        const result = await inTestTime(applied(store, target, { workers }))
        expectSane(result, target)

        const broken = new Set<number>()
        before.forEach((list, i) => {
          const fails = fates[i] === "fails" || fates[i] === "throws"
          if (fates[i] !== "already" && (fails || [...list].some((it) => broken.has(it)))) broken.add(i)
          // What is done already is done, but waits in vain like everything else.
          else if ([...list].some((it) => broken.has(it))) broken.add(i)
        })
        result.report.results.forEach(({ because, outcome }, i) => {
          const inVain = [...(before[i] ?? [])].filter((it) => broken.has(it))
          if (inVain.length > 0) {
            expect(outcome).toBe("skipped")
            expect(inVain.map((it) => `create:node:n${it}`)).toContain(because)
          } else if (broken.has(i)) expect(outcome).toBe("failed")
          else expect(outcome).toBe(fates[i] === "already" ? "already" : "applied")
        })

        const spans = new Map(store.calls.map((call) => [call.name, call]))
        before.forEach((list, i) => {
          const own = spans.get(`create node:n${i}`)
          if (own === undefined) return
          for (const it of list) expect(own.began).toBeGreaterThan(spans.get(`create node:n${it}`)?.ended ?? 0)
        })

        // The same plan again and again ends as it would have without the failures, and does nothing twice.
        const times = new Map<string, number>()
        for (let next = result; ; next = await inTestTime(applied(store, target, { workers }))) {
          expectSane(next, target)
          for (const { id, outcome } of next.report.results)
            if (outcome === "applied") times.set(id, (times.get(id) ?? 0) + 1)
          if (isWhole(next.report)) break
        }
        fates.forEach((fate, i) => {
          expect(times.get(`create:node:n${i}`)).toBe(fate === "already" ? undefined : 1)
        })
        const last = await inTestTime(applied(store, target, { workers }))
        expect(last.report.results.every(({ outcome }) => outcome === "already")).toBe(true)
        expect(store.nodes.size).toBe(operations.length)
      }),
      { numRuns: 120 }
    )
  })
})

describe("a write that may have happened", () => {
  const writes = {
    create: { operation: createNode({ name: "a", value: "2" }), name: "create node:a", now: undefined },
    update: {
      operation: updateNode({ name: "a", value: "1" }, { name: "a", value: "2" }),
      name: "update node:a",
      now: { name: "a", value: "1" }
    },
    delete: { operation: deleteNode({ name: "a" }), name: "delete node:a", now: { name: "a" } }
  }
  const cases = Object.values(writes)

  const given = ({ now }: (typeof cases)[number]): Store => {
    const store = makeStore()
    if (now !== undefined) store.nodes.set("a", now)
    return store
  }

  it.each(cases)("is looked up, and not repeated where it did: $name", async (it) => {
    const store = given(it)
    store.fail(it.name, { error: lost, happens: true })
    const result = await inTestTime(applied(store, plan(it.operation)))
    expect(resultOf(result, it.operation.id)).toEqual({ id: it.operation.id, outcome: "applied" })
    expect(store.writes()).toEqual([it.name])
  })

  it.each(cases)("is repeated where it did not: $name", async (it) => {
    const store = given(it)
    store.fail(it.name, { error: lost }, { error: lost })
    const result = await inTestTime(applied(store, plan(it.operation)))
    expect(resultOf(result, it.operation.id)).toEqual({ id: it.operation.id, outcome: "applied" })
    expect(store.writes()).toEqual([it.name, it.name, it.name])
  })

  it.each(cases)("is given up after three attempts, none of which surely failed: $name", async (it) => {
    const store = given(it)
    store.fail(it.name, { error: lost }, { error: lost }, { error: lost })
    const result = await inTestTime(applied(store, plan(it.operation)))
    expect(resultOf(result, it.operation.id)).toEqual({
      id: it.operation.id,
      outcome: "failed",
      error: "connection reset",
      tag: "TransportError",
      uncertain: true
    })
    expect(store.writes().length).toBe(3)
  })

  it.each(cases)("is uncertain where it cannot be looked up: $name", async (it) => {
    const store = given(it)
    store.fail(it.name, { error: lost, happens: true })
    store.fail("list node", { error: error("Forbidden") })
    const result = await inTestTime(walked(store, plan(it.operation)))
    expect(resultOf(result, it.operation.id)).toEqual({
      id: it.operation.id,
      outcome: "failed",
      error: "connection reset",
      tag: "TransportError",
      uncertain: true
    })
    expect(store.writes().length).toBe(1)
  })

  it("is not repeated where repeating cannot help", async () => {
    const store = makeStore()
    store.fail("create node:a", { error: error("DecodeError", { mayHaveHappened: true }) })
    const result = await inTestTime(walked(store, plan(createNode({ name: "a" }))))
    expect(outcomes(result)).toEqual({ "create:node:a": "failed" })
    expect(store.writes().length).toBe(1)
  })

  it("counts as applied even if it shows only when it is repeated", async () => {
    const store = makeStore()
    // The first attempt is done late: after it has been looked up.
    let lookedUp = false
    store.options.latency = (name) =>
      Effect.sync(() => {
        if (name === "create node:a" && lookedUp) store.nodes.set("a", { name: "a" })
        lookedUp ||= name === "list node"
      })
    store.fail("create node:a", { error: lost })
    const result = await inTestTime(walked(store, plan(createNode({ name: "a" }))))
    expect(store.writes()).toEqual(["create node:a", "create node:a"])
    expect(outcomes(result)).toEqual({ "create:node:a": "applied" })
  })

  describe("and would then be there twice if it were repeated", () => {
    const creation = createNode({ name: "a" })
    /** Done so many milliseconds after its answer was given up. */
    const doneAfter = (milliseconds: number) => {
      const store = makeStore(["node"])
      let given: number | undefined
      store.fail("create node:a", { error: lost })
      store.options.latency = (name) =>
        Effect.map(now, (time) => {
          if (name === "create node:a") given = time
          else if (given !== undefined && time - given >= milliseconds) store.nodes.set("a", { name: "a" })
        })
      return store
    }

    it.each([0, 600, 4_000, 29_000])("is looked for until it shows, %d ms later", async (milliseconds) => {
      const store = doneAfter(milliseconds)
      const result = await inTestTime(walked(store, plan(creation)))
      expect(outcomes(result)).toEqual({ "create:node:a": "applied" })
      expect(store.writes()).toEqual(["create node:a"])
    })

    it("is never repeated, and uncertain in the end", async () => {
      const store = doneAfter(31_000)
      const result = await inTestTime(walked(store, plan(creation)))
      expect(resultOf(result, creation.id)).toEqual({
        id: creation.id,
        outcome: "failed",
        error: "connection reset",
        tag: "TransportError",
        uncertain: true
      })
      expect(store.writes()).toEqual(["create node:a"])
      expect(store.lists().length).toBeLessThan(12)
    })

    it("is waited for no longer than it is told, nor once the apply is to stop", async () => {
      const impatient = doneAfter(3_000)
      expect(outcomes(await inTestTime(walked(impatient, plan(creation), { patience: 2_000 })))).toEqual({
        "create:node:a": "failed"
      })
      const stopped = doneAfter(3_000)
      const stop = AbortSignal.abort()
      const seen = { standing: { state: "pending" }, now: undefined } as const
      const result = await inTestTime(
        Effect.gen(function* () {
          const controller = new AbortController()
          const fiber = yield* Effect.forkChild(
            walked(stopped, plan(creation), { stop: controller.signal, checked: new Map([[creation.id, seen]]) })
          )
          yield* Effect.sleep(100)
          controller.abort(stop.reason)
          return yield* Fiber.join(fiber)
        })
      )
      expect(resultOf(result, creation.id)).toMatchObject({ outcome: "failed", uncertain: true })
      expect(stopped.lists().length).toBe(1)
    })

    it("is repeated where it surely did not happen", async () => {
      const store = makeStore(["node"])
      store.fail("create node:a", { error: error("Exists", { transient: true }) })
      expect(outcomes(await inTestTime(walked(store, plan(creation))))).toEqual({ "create:node:a": "applied" })
    })

    it("also where it is the second half of a replacement", async () => {
      const store = makeStore(["seal"])
      store.seals.set("s", { name: "s", value: "1" })
      store.fail("create seal:s", { error: lost })
      const target = plan(replaceSeal({ name: "s", value: "1" }, { name: "s", value: "2" }))
      const result = await inTestTime(walked(store, target))
      expect(resultOf(result, "replace:seal:s")).toMatchObject({ outcome: "failed", uncertain: true })
      expect(store.writes()).toEqual(["delete seal:s", "create seal:s"])
      // Later it is known that it did not happen, and the same plan goes on.
      expect(outcomes(await inTestTime(applied(store, target)))).toEqual({ "replace:seal:s": "applied" })
    })

    it("though a deletion before it is repeated", async () => {
      const store = makeStore(["seal"])
      store.seals.set("s", { name: "s", value: "1" })
      store.fail("delete seal:s", { error: lost })
      const target = plan(replaceSeal({ name: "s", value: "1" }, { name: "s", value: "2" }))
      expect(outcomes(await inTestTime(walked(store, target)))).toEqual({ "replace:seal:s": "applied" })
      expect(store.writes()).toEqual(["delete seal:s", "delete seal:s", "create seal:s"])
    })
  })

  it("is no longer believed to be gone where the token turns out to be another's", async () => {
    const store = makeStore()
    store.fail("delete node:a", { error: lost })
    const stillUs = Effect.fail(error("IdentityChanged", { message: "somebody else" }))
    const result = await inTestTime(walked(store, plan(deleteNode({ name: "a" })), { stillUs }))
    expect(result.report).toMatchObject({
      stopped: "unauthenticated",
      reason: "somebody else",
      results: [{ outcome: "failed", uncertain: true }]
    })
  })

  it("is finished where it was broken off: a creation of several requests", async () => {
    const store = makeStore()
    store.fail("create node:a", { error: lost })
    store.options.latency = (name) =>
      Effect.sync(() => {
        if (name === "list node" && store.nodes.size === 0) store.nodes.set("a", { name: "a", value: "1" })
      })
    const target = plan(createNode({ name: "a", value: "1", label: "late" }))
    const result = await inTestTime(walked(store, target))
    expect(outcomes(result)).toEqual({ "create:node:a": "applied" })
    expect(store.writes()).toEqual(["create node:a", "update node:a"])
    expect(store.state().nodes).toEqual([{ name: "a", value: "1", label: "late" }])
  })

  it("fails where the object came out as neither", async () => {
    const store = makeStore()
    store.fail("create node:a", { error: lost })
    store.options.latency = (name) =>
      Effect.sync(() => {
        if (name === "list node") store.nodes.set("a", { name: "a", value: "somebody else's" })
      })
    const result = await inTestTime(walked(store, plan(createNode({ name: "a", value: "ours" }))))
    expect(outcomes(result)).toEqual({ "create:node:a": "failed" })
    expect(store.nodes.get("a")?.value).toBe("somebody else's")
  })

  it("repeats an update that was done in part with what is left of it", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a", value: "1", label: "1" })
    store.fail("update node:a", { error: lost })
    store.options.latency = (name) =>
      Effect.sync(() => {
        if (name === "list node") store.nodes.set("a", { name: "a", value: "2", label: "1" })
      })
    const target = plan(updateNode({ name: "a", value: "1", label: "1" }, { name: "a", value: "2", label: "2" }))
    const result = await inTestTime(walked(store, target))
    expect(outcomes(result)).toEqual({ "update:node:a": "applied" })
    expect(store.nodes.get("a")).toEqual({ name: "a", value: "2", label: "2" })
  })
})

describe("an answer that the object is there, or is not", () => {
  it("is success where it is as wanted", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a" })
    const target = plan(createNode({ name: "a" }), deleteNode({ name: "gone" }))
    const result = await inTestTime(walked(store, target))
    expect(outcomes(result)).toEqual({ "create:node:a": "already", "delete:node:gone": "already" })
    expect(store.writes()).toEqual(["create node:a", "delete node:gone"])
  })

  it("is a failure where it is not, and is not repeated", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a", value: "other" })
    const target = plan(createNode({ name: "a", value: "ours" }), updateNode({ name: "b" }, { name: "b", value: "1" }))
    const result = await inTestTime(walked(store, target))
    expect(resultOf(result, "create:node:a")).toMatchObject({ outcome: "failed", tag: "Exists" })
    expect(resultOf(result, "update:node:b")).toMatchObject({ outcome: "failed", tag: "Missing" })
    expect(store.writes().length).toBe(2)
  })

  it("is a failure, though not an uncertain one, where it cannot be looked up", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a" })
    store.fail("list node", { error: error("Forbidden") })
    const result = await inTestTime(walked(store, plan(createNode({ name: "a" }))))
    expect(result.report.results).toEqual([{ id: "create:node:a", outcome: "failed", error: "Exists", tag: "Exists" }])
  })
})

describe("a replacement", () => {
  const before = { name: "s", value: "1" }
  const after = { name: "s", value: "2" }
  const target = plan(replaceSeal(before, after))
  const given = () => {
    const store = makeStore()
    store.seals.set("s", before)
    return store
  }

  it("deletes, then creates", async () => {
    const store = given()
    await run(applied(store, target))
    expect(store.writes()).toEqual(["delete seal:s", "create seal:s"])
    expect(store.state().seals).toEqual([after])
  })

  it("that died between the two is resumed by creating alone", async () => {
    const store = given()
    store.fail("create seal:s", { error: error("Forbidden") }, { error: error("Forbidden") })
    const first = await run(applied(store, target))
    expect(outcomes(first)).toEqual({ "replace:seal:s": "failed" })
    expect(store.seals.size).toBe(0)
    const second = await run(applied(store, target))
    expect(outcomes(second)).toEqual({ "replace:seal:s": "applied" })
    expect(store.writes()).toEqual(["delete seal:s", "create seal:s", "create seal:s", "create seal:s"])
    expect(outcomes(await run(applied(store, target)))).toEqual({ "replace:seal:s": "already" })
  })

  it.each([
    ["its deletion, done", "delete seal:s", true, ["delete seal:s", "create seal:s"]],
    ["its deletion, not done", "delete seal:s", false, ["delete seal:s", "delete seal:s", "create seal:s"]],
    ["its creation, done", "create seal:s", true, ["delete seal:s", "create seal:s"]],
    ["its creation, not done", "create seal:s", false, ["delete seal:s", "create seal:s", "create seal:s"]]
  ])("goes on where the answer was lost to %s", async (_, name, happens, writes) => {
    const store = given()
    store.fail(name, { error: lost, happens })
    const result = await inTestTime(applied(store, target))
    expect(outcomes(result)).toEqual({ "replace:seal:s": "applied" })
    expect(store.writes()).toEqual(writes)
    expect(store.state().seals).toEqual([after])
  })

  it("creates where somebody else deleted just before", async () => {
    const store = given()
    const checked = await run(recheck(store.kinds, target, undefined))
    store.seals.clear()
    const result = await run(walked(store, target, { checked }))
    expect(outcomes(result)).toEqual({ "replace:seal:s": "applied" })
    expect(store.state().seals).toEqual([after])
  })

  it.each(["1", "2"])("makes again what goes along with it, though it was there as wanted: lease %s", async (role) => {
    const store = given()
    store.leases.set("s", { seal: "s", role: "1" })
    const wanted = { seals: [after], leases: [{ seal: "s", role }] }
    const made = await run(planned(store, wanted))
    const result = await run(applied(store, made))
    expect(outcomes(result)).toEqual({ "create:lease:s": "applied", "replace:seal:s": "applied" })
    expect(store.state()).toMatchObject(wanted)
    expect((await run(planned(store, wanted))).operations).toEqual([])
    store.calls.length = 0
    expect(isWhole((await run(applied(store, made))).report)).toBe(true)
    expect(store.writes()).toEqual([])
  })
})

describe("what the registry does by itself", () => {
  const cause = createNode({ name: "a", template: "read" })
  const implied = { impliedBy: "create:node:a" }

  it("is read back and left alone", async () => {
    const store = makeStore()
    const target = plan(createGrant({ node: "a", role: "read" }, implied), cause)
    const result = await run(applied(store, target))
    expectSane(result, target)
    expect(outcomes(result)).toEqual({ "create:node:a": "applied", "create:grant:a": "by-registry" })
    expect(store.writes()).toEqual(["create node:a"])
  })

  it("is read back once for all, when the rest has been done", async () => {
    const store = makeStore()
    const names = ["a", "b", "c", "d"]
    const target = plan(
      ...names.map((node) => createGrant({ node, role: "read" }, { impliedBy: `create:node:${node}` })),
      ...names.map((name) => createNode({ name, template: "read" })),
      createNode({ name: "late" }, { needs: ["create:node:d"] })
    )
    await run(walked(store, target))
    expect(store.lists()).toEqual(["list grant"])
    expect(store.calls.at(-1)?.name).toBe("list grant")
  })

  it("is done where the registry did not", async () => {
    const store = makeStore()
    const target = plan(createGrant({ node: "a", role: "read" }, implied), createNode({ name: "a" }))
    const result = await run(applied(store, target))
    expectSane(result, target)
    expect(outcomes(result)).toEqual({ "create:node:a": "applied", "create:grant:a": "applied" })
    expect(store.state().grants).toEqual([{ node: "a", role: "read" }])
  })

  it("is put right where it came out different", async () => {
    const store = makeStore()
    const target = plan(createGrant({ node: "a", role: "write" }, implied), cause)
    const result = await run(applied(store, target))
    expect(outcomes(result)).toEqual({ "create:node:a": "applied", "create:grant:a": "applied" })
    expect(store.writes()).toEqual(["create node:a", "update grant:a"])
    expect(store.state().grants).toEqual([{ node: "a", role: "write" }])
  })

  it("is removed again where nobody wants it", async () => {
    const store = makeStore()
    const target = plan(cause, deleteGrant({ node: "a", role: "read" }, implied))
    const result = await run(applied(store, target))
    expect(outcomes(result)).toEqual({ "create:node:a": "applied", "delete:grant:a": "applied" })
    expect(store.state().grants).toEqual([])
  })

  it("need not be removed where it was not made", async () => {
    const store = makeStore()
    const target = plan(createNode({ name: "a" }), deleteGrant({ node: "a", role: "read" }, implied))
    const result = await run(applied(store, target))
    expect(outcomes(result)).toEqual({ "create:node:a": "applied", "delete:grant:a": "by-registry" })
    expect(store.writes()).toEqual(["create node:a"])
  })

  it("is not removed where it is not what the plan said it would be", async () => {
    const store = makeStore()
    const target = plan(
      createNode({ name: "a", template: "admin" }),
      deleteGrant({ node: "a", role: "read" }, implied),
      createNode({ name: "b" }, { needs: ["delete:grant:a"] })
    )
    const result = await run(applied(store, target))
    expectSane(result, target)
    expect(resultOf(result, "delete:grant:a")).toEqual({
      id: "delete:grant:a",
      outcome: "failed",
      tag: "Conflict",
      error: 'it was changed since (role is "admin", expected "read")'
    })
    expect(resultOf(result, "create:node:b")).toMatchObject({ outcome: "skipped", because: "delete:grant:a" })
    expect(store.writes()).toEqual(["create node:a"])
  })

  it("is skipped where its cause failed, and not read back", async () => {
    const store = makeStore()
    store.fail("create node:a", { error: error("Forbidden") })
    const target = plan(createGrant({ node: "a", role: "read" }, implied), cause)
    const result = await run(walked(store, target))
    expectSane(result, target)
    expect(resultOf(result, "create:grant:a")).toMatchObject({ outcome: "skipped", because: "create:node:a" })
    expect(store.lists()).toEqual([])
  })

  it("fails where it cannot be read back, with what needs it, and no more", async () => {
    const store = makeStore()
    store.fail("list grant", { error: error("ServerError", { message: "out of order" }) })
    const target = plan(
      createGrant({ node: "a", role: "read" }, implied),
      cause,
      createNode({ name: "b" }, { needs: ["create:grant:a"] }),
      createNode({ name: "c" })
    )
    const result = await run(walked(store, target))
    expectSane(result, target)
    expect(resultOf(result, "create:grant:a")).toMatchObject({ outcome: "failed", error: "out of order" })
    expect(outcomes(result)).toMatchObject({
      "create:node:a": "applied",
      "create:node:b": "skipped",
      "create:node:c": "applied"
    })
  })

  it("is read back on resuming, when its cause was done before", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a", template: "read" })
    store.grants.set("a", { node: "a", role: "write" })
    const target = plan(createGrant({ node: "a", role: "read" }, implied), cause)
    const result = await run(applied(store, target))
    expect(outcomes(result)).toEqual({ "create:node:a": "already", "create:grant:a": "applied" })
    expect(store.state().grants).toEqual([{ node: "a", role: "read" }])
  })

  it("can have dependents, which have what they imply read back in their turn", async () => {
    const store = makeStore()
    const target = plan(
      createGrant({ node: "a", role: "read" }, implied),
      createGrant({ node: "b", role: "read" }, { impliedBy: "create:node:b" }),
      cause,
      createNode({ name: "b", template: "read" }, { needs: ["create:grant:a"] }),
      createNode({ name: "c" }, { needs: ["create:grant:b"] })
    )
    const result = await run(applied(store, target, { workers: 1 }))
    expectSane(result, target)
    expect(store.writes()).toEqual(["create node:a", "create node:b", "create node:c"])
    expect(isWhole(result.report)).toBe(true)
  })
})

describe("stopping", () => {
  const chain = (length: number): StorePlan =>
    plan(
      ...Array.from({ length }, (_, i) =>
        createNode({ name: `n${i}` }, i === 0 ? {} : { needs: [`create:node:n${i - 1}`] })
      )
    )
  const many = (count: number): StorePlan =>
    plan(...Array.from({ length: count }, (_, i) => createNode({ name: `n${i}` })))

  it("lets the writes under way finish and starts nothing more", async () => {
    const store = makeStore()
    store.options.latency = () => Effect.sleep(100)
    const stop = new AbortController()
    const target = many(10)
    const result = await inTestTime(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(walked(store, target, { workers: 3, stop: stop.signal }))
        yield* Effect.sleep(150)
        stop.abort()
        return yield* Fiber.join(fiber)
      })
    )
    expectSane(result, target)
    expect(result.report.stopped).toBe("interrupted")
    expect(store.nodes.size).toBe(6)
    const counted = Object.values(outcomes(result))
    expect(counted.filter((it) => it === "applied").length).toBe(6)
    expect(counted.filter((it) => it === "not-started").length).toBe(4)
  })

  it("before the start does nothing, though what is done already is told", async () => {
    const store = makeStore()
    store.nodes.set("n0", { name: "n0" })
    const target = plan(...chain(3).operations, createGrant({ node: "n0" }, { impliedBy: "create:node:n0" }))
    const result = await run(applied(store, target, { stop: AbortSignal.abort() }))
    expectSane(result, target)
    expect(Object.values(outcomes(result))).toEqual(["already", "not-started", "not-started", "not-started"])
    expect(store.writes()).toEqual([])
  })

  it("after the end makes no difference", async () => {
    const store = makeStore()
    const stop = new AbortController()
    store.options.latency = () => Effect.sync(() => stop.abort())
    const { report } = await run(walked(store, many(1), { stop: stop.signal }))
    expect(report).toMatchObject({ results: [{ outcome: "applied" }] })
    expect(report.stopped).toBeUndefined()
  })

  it("is what a token that no longer counts does, wherever that shows", async () => {
    const expired = { error: error("Unauthenticated", { message: "token expired", status: 401 }) }
    const inWrite = makeStore()
    inWrite.fail("create node:n1", expired)
    const target = many(5)
    const result = await run(walked(inWrite, target, { workers: 1 }))
    expectSane(result, target)
    expect(result.report.stopped).toBe("unauthenticated")
    expect(result.report.results.map(({ outcome }) => outcome)).toEqual([
      "applied",
      "failed",
      "not-started",
      "not-started",
      "not-started"
    ])

    const inLookUp = makeStore()
    inLookUp.fail("create node:n0", { error: lost })
    inLookUp.fail("list node", expired)
    const looked = await inTestTime(walked(inLookUp, target, { workers: 1 }))
    expect(looked.report.stopped).toBe("unauthenticated")
    expect(looked.report.results[0]).toMatchObject({ outcome: "failed", uncertain: true, tag: "TransportError" })
    expect(inLookUp.writes()).toEqual(["create node:n0"])

    const inReadBack = makeStore()
    inReadBack.fail("list grant", expired)
    const grants = plan(
      createNode({ name: "a" }),
      createGrant({ node: "a" }, { impliedBy: "create:node:a" }),
      createNode({ name: "b" }, { needs: ["create:grant:a"] })
    )
    expect((await run(walked(inReadBack, grants))).report.stopped).toBe("unauthenticated")
  })

  it("is what losing one's rights does, and no single thing that is forbidden", async () => {
    const forbidden = { error: error("Forbidden", { status: 403 }) }
    const asked: Array<string> = []
    const vouched = Effect.sync(() => void asked.push("who am I"))
    const single = makeStore()
    single.fail("create node:n1", forbidden)
    single.fail("create node:n2", forbidden)
    single.fail("create node:n4", forbidden)
    const one = await run(walked(single, many(6), { workers: 1, stillUs: vouched }))
    expect(one.report.stopped).toBeUndefined()
    expect(Object.values(outcomes(one)).filter((it) => it === "failed").length).toBe(3)
    // Once for those in a row.
    expect(asked.length).toBe(2)

    const all = makeStore()
    all.fail("create node:n1", forbidden)
    const stillUs = Effect.fail(error("IdentityChanged", { message: "no superuser any more" }))
    const lost = await run(walked(all, many(6), { workers: 1, stillUs }))
    expect(lost.report).toMatchObject({ stopped: "unauthenticated", reason: "no superuser any more" })
    expect(Object.values(outcomes(lost)).filter((it) => it === "not-started").length).toBe(4)

    const unheard = makeStore()
    unheard.fail("create node:n1", forbidden)
    const down = Effect.fail(error("TransportError"))
    expect((await run(walked(unheard, many(6), { workers: 1, stillUs: down }))).report.stopped).toBeUndefined()
  })

  describe("by a registry that fails again and again", () => {
    const failing = (...faults: ReadonlyArray<readonly [string, ReturnType<typeof error>]>) => {
      const store = makeStore()
      for (const [name, it] of faults) store.fail(`create node:${name}`, { error: it })
      return store
    }
    const down = error("ServerError", { message: "bad gateway", status: 502 })
    const unreachable = error("TransportError", { message: "refused the connection", transient: true })
    const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`)

    it("starts nothing more after five in a row, and says so", async () => {
      const store = failing(...names(9).map((name) => [name, name === "n2" ? unreachable : down] as const))
      const target = many(9)
      const result = await inTestTime(walked(store, target, { workers: 1 }))
      expectSane(result, target)
      expect(result.report).toMatchObject({
        stopped: "unavailable",
        reason: "5 operations in a row failed, the last one with: bad gateway"
      })
      expect(Object.values(outcomes(result))).toEqual([
        ...Array.from({ length: 5 }, () => "failed"),
        ...Array.from({ length: 4 }, () => "not-started")
      ])
    })

    it("finishes what is under way", async () => {
      const store = failing(...names(5).map((name) => [name, down] as const))
      store.options.latency = (name) => Effect.sleep(name === "create node:n5" ? 100 : 10)
      const result = await inTestTime(walked(store, many(9), { workers: 6 }))
      expect(result.report.stopped).toBe("unavailable")
      expect(outcomes(result)["create:node:n5"]).toBe("applied")
    })

    it("takes as many as it is told", async () => {
      const store = failing(["n0", down], ["n1", down])
      const result = await inTestTime(walked(store, many(4), { workers: 1, breaker: 2 }))
      expect(Object.values(outcomes(result))).toEqual(["failed", "failed", "not-started", "not-started"])
    })

    it.each([
      ["one that succeeds between them", [down, down, undefined, down, down, down, down]],
      ["one that the registry refuses", [down, down, error("Invalid", { status: 400 }), down, down, down, down]],
      ["being asked too much", Array.from({ length: 7 }, () => error("RateLimited", { status: 429 }))]
    ])("is not stopped by %s", async (_, faults) => {
      const store = failing(...faults.flatMap((it, i) => (it === undefined ? [] : [[`n${i}`, it] as const])))
      const result = await inTestTime(walked(store, many(8), { workers: 1 }))
      expect(result.report.stopped).toBeUndefined()
      expect(outcomes(result)["create:node:n7"]).toBe("applied")
    })
  })

  describe("with a recorder", () => {
    const recorder = (fails: (line: string) => boolean = () => false) => {
      const lines: Array<string> = []
      const keep = (line: string) =>
        Effect.suspend(() => {
          if (fails(line)) return Effect.fail(error("JournalFailed", { message: "the disk is full" }))
          lines.push(line)
          return Effect.void
        })
      const started = (id: string) => keep(`started ${id}`)
      return { lines, recorder: { started, ended: (it: Result) => keep(`${it.outcome} ${it.id}`) } }
    }

    it("tells what it starts before it does, and how it ended", async () => {
      const store = makeStore()
      store.fail("create node:n1", { error: error("Invalid") })
      const { lines, recorder: own } = recorder()
      store.options.latency = (name) => Effect.sync(() => void lines.push(name))
      await run(walked(store, chain(3), { recorder: own }))
      expect(lines).toEqual([
        "started create:node:n0",
        "create node:n0",
        "applied create:node:n0",
        "started create:node:n1",
        "create node:n1",
        "failed create:node:n1"
      ])
    })

    it("does nothing that cannot be recorded", async () => {
      const store = makeStore()
      const { recorder: own } = recorder((line) => line === "started create:node:n2")
      const target = many(5)
      const result = await run(walked(store, target, { workers: 1, recorder: own }))
      expectSane(result, target)
      expect(result.report).toMatchObject({ stopped: "unrecorded", reason: "the disk is full" })
      expect(store.writes()).toEqual(["create node:n0", "create node:n1"])
    })

    it("goes no further where it cannot be recorded how something ended", async () => {
      const store = makeStore()
      const { recorder: own } = recorder((line) => line.startsWith("applied"))
      const { report } = await run(walked(store, many(3), { workers: 1, recorder: own }))
      expect(report.stopped).toBe("unrecorded")
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied", "not-started", "not-started"])
    })
  })

  describe("what an earlier apply may have begun", () => {
    const operation = createNode({ name: "a" })
    const seen = { standing: { state: "pending" }, now: undefined } as const
    const resumed = (store: Store, ago: number) =>
      walked(store, plan(operation), {
        checked: new Map([[operation.id, seen]]),
        unsettled: new Map([[operation.id, ago]])
      })

    it("is looked for before it is done again, where that would make two", async () => {
      const store = makeStore(["node"])
      store.options.latency = () =>
        Effect.map(now, (time) => void (time > 10_000 && store.nodes.set("a", { name: "a" })))
      expect(outcomes(await inTestTime(resumed(store, 0)))).toEqual({ "create:node:a": "already" })
      expect(store.writes()).toEqual([])
    })

    it("is done once it cannot come any more", async () => {
      const store = makeStore(["node"])
      const at = await inTestTime(Effect.andThen(resumed(store, 20_000), now))
      expect(at).toBe(10_000)
      expect(store.writes()).toEqual(["create node:a"])
    })

    it.each([
      ["long ago", ["node"], 30_000],
      ["of what is never there twice", [], 0]
    ] as const)("is not waited for if it was %s", async (_, doubles, ago) => {
      const store = makeStore(doubles)
      await inTestTime(resumed(store, ago))
      expect(store.writes()).toEqual(["create node:a"])
      expect(store.lists()).toEqual([])
    })

    it("is a failure where it cannot be looked for", async () => {
      const store = makeStore(["node"])
      store.fail("list node", { error: error("Forbidden", { message: "no" }) })
      const result = await inTestTime(resumed(store, 0))
      expect(resultOf(result, operation.id)).toMatchObject({ outcome: "failed", tag: "Forbidden", uncertain: true })
    })
  })

  it("skips the dependents of what failed for want of a token", async () => {
    const store = makeStore()
    store.fail("create node:n0", { error: error("Unauthenticated") })
    const result = await run(walked(store, chain(3)))
    expect(Object.values(outcomes(result))).toEqual(["failed", "skipped", "skipped"])
  })

  it("by interruption waits for the writes under way, and tells how they ended", async () => {
    const store = makeStore()
    store.options.latency = () => Effect.sleep(100)
    const events: Array<RegistryEvent> = []
    const at = await inTestTime(
      Effect.gen(function* () {
        const fiber = yield* walk(store.kinds, many(10), { workers: 2 }).pipe(
          Effect.provideService(EventSink, (event) => {
            events.push(event)
          }),
          Effect.forkChild
        )
        yield* Effect.sleep(150)
        yield* Fiber.interrupt(fiber)
        return yield* now
      })
    )
    expect(at).toBe(200)
    expect(store.nodes.size).toBe(4)
    const count = (type: RegistryEvent["type"]) => events.filter((it) => it.type === type).length
    expect([count("operation-started"), count("operation-finished")]).toEqual([4, 4])
    expect(events.at(-1)).toEqual({ type: "apply-finished", interrupted: true })
  })

  it("by interruption does not wait for a reading back", async () => {
    const store = makeStore()
    store.options.latency = (name) => Effect.sleep(name === "list grant" ? 60_000 : 10)
    const target = plan(createNode({ name: "a" }), createGrant({ node: "a" }, { impliedBy: "create:node:a" }))
    const [exit, at] = await inTestTime(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(walked(store, target))
        yield* Effect.sleep(1_000)
        yield* Fiber.interrupt(fiber)
        return [yield* Fiber.await(fiber), yield* now] as const
      })
    )
    expect(Exit.isFailure(exit)).toBe(true)
    expect(at).toBe(1_000)
  })

  it("anywhere, and walking again, ends as if nothing had happened", async () => {
    const wanted = {
      nodes: [
        { name: "a", value: "1" },
        { name: "b", value: "2", template: "read" },
        { name: "c" },
        { name: "d", template: "write" }
      ],
      seals: [{ name: "s", value: "2" }],
      grants: [
        { node: "a", role: "admin" },
        { node: "d", role: "read" }
      ],
      leases: [{ seal: "s", role: "1" }]
    }
    const fresh = () => {
      const store = makeStore()
      store.nodes.set("a", { name: "a", value: "0" }).set("x", { name: "x" })
      store.grants.set("x", { node: "x", role: "read" })
      store.seals.set("s", { name: "s", value: "1" })
      store.leases.set("s", { seal: "s", role: "1" })
      store.options.latency = (name) => Effect.sleep(name.startsWith("list") ? 1 : 10)
      return store
    }
    const whole = fresh()
    const target = await inTestTime(planned(whole, wanted))
    expect(target.operations.length).toBeGreaterThan(8)
    expect(isWhole((await inTestTime(applied(whole, target))).report)).toBe(true)
    expect((await inTestTime(planned(whole, wanted))).operations).toEqual([])
    const names = new Set(whole.writes())
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.nat(150),
        fc.boolean(),
        fc.array(
          fc.record({
            name: fc.constantFrom(...names),
            happens: fc.boolean(),
            error: fc.constantFrom(lost, error("ServerError"), error("TransportError", { mayHaveHappened: true }))
          }),
          { maxLength: 4 }
        ),
        async (workers, after, killed, faults) => {
          const store = fresh()
          for (const { error: failure, happens, name } of faults)
            store.fail(name, { error: failure, happens: happens && failure.mayHaveHappened === true })
          const stop = new AbortController()
          await inTestTime(
            Effect.gen(function* () {
              const fiber = yield* Effect.forkChild(applied(store, target, { workers, stop: stop.signal }))
              yield* Effect.sleep(after)
              if (killed) yield* Fiber.interrupt(fiber)
              else stop.abort()
              yield* Fiber.await(fiber)
            })
          )
          // Faults that have not struck yet may fail the next walks too, but not for ever.
          for (let i = 0; i < 5; i++) {
            const { report } = await inTestTime(applied(store, target, { workers }))
            if (isWhole(report)) break
          }
          expect(store.state()).toEqual(whole.state())
        }
      ),
      { numRuns: 80 }
    )
  })
})

describe("an operation of several writes", () => {
  const before = { name: "s", value: "1" }
  const after = { name: "s", value: "2" }
  const replaced = async (...faults: ReadonlyArray<Fault>) => {
    const store = makeStore()
    store.seals.set("s", before)
    store.fail("create seal:s", ...faults)
    const result = await inTestTime(applied(store, plan(replaceSeal(before, after))))
    return { store, result: resultOf(result, "replace:seal:s") }
  }
  const forbidden = error("Forbidden", { message: "not yours" })

  it("is done in part where one of them fails for good, and the same plan does the rest", async () => {
    const { result, store } = await replaced({ error: forbidden }, { error: forbidden })
    expect(result).toEqual({
      id: "replace:seal:s",
      outcome: "failed",
      error: "not yours",
      tag: "Forbidden",
      partly: true
    })
    expect(store.state().seals).toEqual([])
    const again = await run(applied(store, plan(replaceSeal(before, after))))
    expect([outcomes(again), store.state().seals]).toEqual([{ "replace:seal:s": "applied" }, [after]])
  })

  it("goes on once with what is left, whatever was wrong", async () => {
    const { result, store } = await replaced({ error: forbidden })
    expect([result?.outcome, store.state().seals]).toEqual(["applied", [after]])
    expect(store.writes()).toEqual(["delete seal:s", "create seal:s", "create seal:s"])
  })

  it("is uncertain where nobody can look how far it came", async () => {
    const store = makeStore()
    store.seals.set("s", before)
    store.fail("create seal:s", { error: error("Unauthenticated") })
    const operation = replaceSeal(before, after)
    store.fail("list seal", { error: error("Unauthenticated") })
    const result = await inTestTime(walked(store, plan(operation)))
    expect(resultOf(result, operation.id)).toMatchObject({ outcome: "failed", uncertain: true })
    expect(result.report.stopped).toBe("unauthenticated")
  })

  it("of which none was done is not looked up", async () => {
    const store = makeStore()
    store.seals.set("s", before)
    store.fail("delete seal:s", { error: forbidden })
    const result = await inTestTime(walked(store, plan(replaceSeal(before, after))))
    expect(resultOf(result, "replace:seal:s")).toEqual({
      id: "replace:seal:s",
      outcome: "failed",
      error: "not yours",
      tag: "Forbidden"
    })
    expect(store.lists()).toEqual([])
  })
})

describe("a listener that throws", () => {
  const broken = Effect.provideService(EventSink, () => {
    throw new RangeError("broken pipe")
  })
  const logged: Array<unknown> = []
  const logging = Effect.provide(Logger.layer([Logger.make(({ message }) => logged.push(message))]))

  it("does not stop what it listens to", async () => {
    const store = makeStore()
    const report = await run(walk(store.kinds, plan(createNode({ name: "a" })), { workers: 1 }).pipe(broken, logging))
    expect(report.results.every(succeeded)).toBe(true)
    const actual = await run(read(store.kinds, { scope: [], declared: new Map() }).pipe(broken, logging))
    expect(actual).toEqual({ found: [], read: [] })
    expect(logged.length).toBe(6)
  })
})
