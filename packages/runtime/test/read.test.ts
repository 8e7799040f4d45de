/** Reading a scope: which collections are asked for, how often, and what becomes of failures. */
import type { Collection } from "@quaymaster/engine"
import { section } from "@quaymaster/engine"
import { Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { describe, expect, it } from "vitest"
import { EventSink, type Kind, type RegistryEvent, read, shared } from "../src/index.ts"
import { inTestTime, now } from "./clock.ts"
import { error, makeStore, type StoreError } from "./store.ts"

const schema = Type.Object({ name: Type.String() })

interface Asked {
  readonly collections: ReadonlyArray<Collection>
  readonly declared: ReadonlyArray<string>
}

/** A kind that consults others, and tells what it was asked. */
const consulting = (
  name: string,
  consults: (collection: Collection) => ReadonlyArray<Collection>,
  list: Effect.Effect<ReadonlyArray<{ readonly name: string }>, StoreError> = Effect.succeed([{ name }])
) => {
  const asked: Array<Asked> = []
  const kind: Kind<string, typeof schema, StoreError, never> = {
    kind: name,
    schema,
    identity: ["name"],
    key: (item) => item.name,
    collection: () => ({ parent: "acme" }),
    consults,
    extras: "remove",
    section: section({ under: "registry", name, node: Type.Unknown(), read: () => [] }),
    list: (collections, declared) =>
      Effect.suspend(() => {
        asked.push({ collections, declared: [...declared] })
        return list
      }),
    create: () => Effect.void
  }
  return { kind, asked }
}

const none = () => []
const declared: ReadonlyMap<string, ReadonlySet<string>> = new Map()

describe("the collections that are read", () => {
  it("are those of the scope and all that they consult, each once, each kind asked once", async () => {
    const team = consulting("team", ({ parent }) => [
      { kind: "organization", parent },
      { kind: "robot", parent }
    ])
    // Consults in a circle.
    const robot = consulting("robot", ({ parent }) => [{ kind: "team", parent }])
    const organization = consulting("organization", none)
    const idle = consulting("idle", none)
    const actual = await inTestTime(
      read([idle.kind, team.kind, robot.kind, organization.kind], {
        scope: [
          { kind: "team", parent: "acme" },
          { kind: "team", parent: "acme" },
          { kind: "team", parent: "beta" }
        ],
        declared
      })
    )
    const both = (kind: string) => [
      { kind, parent: "acme" },
      { kind, parent: "beta" }
    ]
    const sorted = ({ collections }: Asked) => [...collections].sort((a, b) => (a.parent < b.parent ? -1 : 1))
    expect(team.asked.map(sorted)).toEqual([both("team")])
    expect(robot.asked.map(sorted)).toEqual([both("robot")])
    expect(organization.asked.map(sorted)).toEqual([both("organization")])
    expect(idle.asked).toEqual([])
    expect(actual.read.length).toBe(6)
    expect([...actual.read]).toEqual(expect.arrayContaining(["team", "robot", "organization"].flatMap(both)))
  })

  it("are the scope's alone if that is asked for", async () => {
    const team = consulting("team", ({ parent }) => [{ kind: "robot", parent }])
    const robot = consulting("robot", none)
    const scope = [{ kind: "team", parent: "acme" }]
    const actual = await inTestTime(read([team.kind, robot.kind], { scope, declared, alone: true }))
    expect(actual.read).toEqual(scope)
    expect(robot.asked).toEqual([])
  })

  it("are told apart by their parts, and carry nothing else", async () => {
    const member = consulting("member", none)
    const scope = [
      { kind: "member", parent: "acme/dev", part: "users", prune: true },
      { kind: "member", parent: "acme/dev", part: "robots", prune: true }
    ]
    const actual = await inTestTime(read([member.kind], { scope, declared }))
    const plain = expect.arrayContaining(scope.map(({ kind, parent, part }) => ({ kind, parent, part })))
    expect(actual.read).toEqual(plain)
    expect(member.asked.map(({ collections }) => collections)).toEqual([plain])
  })

  it("leave out what no kind here knows, and do not claim to have read it", async () => {
    const team = consulting("team", () => [{ kind: "stranger", parent: "acme" }])
    const scope = [
      { kind: "team", parent: "acme" },
      { kind: "unknown", parent: "acme" }
    ]
    const actual = await inTestTime(read([team.kind], { scope, declared }))
    expect(actual.read).toEqual([{ kind: "team", parent: "acme" }])
  })

  it("are asked for with the keys that files declare of their kind", async () => {
    const team = consulting("team", ({ parent }) => [{ kind: "robot", parent }])
    const robot = consulting("robot", none)
    const keys = new Map([["team", new Set(["acme/dev"])]])
    await inTestTime(read([team.kind, robot.kind], { scope: [{ kind: "team", parent: "acme" }], declared: keys }))
    expect(team.asked[0]?.declared).toEqual(["acme/dev"])
    expect(robot.asked[0]?.declared).toEqual([])
  })
})

describe("what is read", () => {
  it("is all that the lists give, outside the scope too, with its kind, and who the caller is", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a" })
    store.grants.set("b", { node: "b", role: "read" })
    const scope = [
      { kind: "node", parent: "elsewhere" },
      { kind: "grant", parent: "all" }
    ]
    const actual = await inTestTime(read(store.kinds, { scope, declared, caller: "quaymaster" }))
    expect(actual.caller).toBe("quaymaster")
    expect(actual.found.length).toBe(2)
    expect(actual.found).toEqual(
      expect.arrayContaining([
        { kind: "node", item: { name: "a" } },
        { kind: "grant", item: { node: "b", role: "read" } }
      ])
    )
  })

  it("says nothing of the caller where that is not known", async () => {
    expect(await inTestTime(read(makeStore().kinds, { scope: [], declared }))).toEqual({ found: [], read: [] })
  })

  it("is read side by side", async () => {
    const store = makeStore()
    store.options.latency = () => Effect.sleep(100)
    const scope = store.kinds.map(({ kind }) => ({ kind, parent: "all" }))
    expect(await inTestTime(Effect.andThen(read(store.kinds, { scope, declared }), now))).toBe(100)
  })

  it("shares answers among the kinds of one reading, and none with the next", async () => {
    let count = 0
    const answer = shared((name: string) => Effect.sync(() => [{ name: `${name} ${++count}` }]))
    const kinds = ["a", "b", "c"].map((name) => consulting(name, none, answer("acme")).kind)
    const scope = kinds.map(({ kind }) => ({ kind, parent: "acme" }))
    const names = Effect.map(read(kinds, { scope, declared }), ({ found }) => found.map(({ item }) => item["name"]))
    // The same effect again is another reading.
    expect(await inTestTime(Effect.all([names, names]))).toEqual([Array(3).fill("acme 1"), Array(3).fill("acme 2")])
  })

  it("is nothing at all if any of it cannot be read", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a" })
    store.fail("list grant", { error: error("Forbidden") })
    const scope = ["node", "grant"].map((kind) => ({ kind, parent: "all" }))
    const exit = await inTestTime(Effect.exit(read(store.kinds, { scope, declared })))
    expect(exit).toEqual(Exit.fail(error("Forbidden")))
  })

  it("stops the other lists when one fails", async () => {
    const store = makeStore()
    store.options.latency = (name) => Effect.sleep(name === "list grant" ? 10 : 60_000)
    store.fail("list grant", { error: error("Forbidden") })
    const scope = ["node", "grant"].map((kind) => ({ kind, parent: "all" }))
    const at = await inTestTime(Effect.andThen(Effect.exit(read(store.kinds, { scope, declared })), now))
    expect(at).toBe(10)
  })

  it("is told by two events, or by one if it fails", async () => {
    const store = makeStore()
    store.nodes.set("a", { name: "a" })
    const events: Array<RegistryEvent> = []
    const reading = read(store.kinds, { scope: [{ kind: "node", parent: "all" }], declared }).pipe(
      Effect.provideService(EventSink, (event) => {
        events.push(event)
      })
    )
    await inTestTime(reading)
    expect(events).toEqual([
      { type: "read-started", collections: 1 },
      { type: "read-finished", objects: 1 }
    ])
    events.length = 0
    store.fail("list node", { error: error("Forbidden") })
    await inTestTime(Effect.exit(reading))
    expect(events).toEqual([{ type: "read-started", collections: 1 }])
  })
})
