/**
 * A registry in memory for tests: a few kinds over tables of objects, with a journal of what was asked, and faults that
 * strike before or after a write was done.
 */
import { type Change, type Item, type Ref, section } from "@quaymaster/engine"
import { type Static, type TObject, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { type Kind, Wrote } from "../src/index.ts"

/** An error as the runtime sees it: what its fields say. */
export interface StoreError {
  readonly _tag: string
  readonly message: string
  readonly transient?: boolean
  readonly mayHaveHappened?: boolean
  readonly status?: number
}

export const error = (_tag: string, fields: Partial<StoreError> = {}): StoreError => ({
  _tag,
  message: _tag,
  ...fields
})

/** The answer to a write did not come. */
export const lost = error("TransportError", { message: "connection reset", transient: true, mayHaveHappened: true })

export interface Fault {
  readonly error: StoreError
  /** Whether the write is done all the same. */
  readonly happens?: boolean
  /** Thrown rather than failed with. */
  readonly thrown?: boolean
}

/** One call, with the order in which it began and ended. A list has the collections it asked for. */
export interface Call {
  readonly name: string
  readonly began: number
  ended: number
  readonly collections?: ReadonlyArray<string>
}

const text = Type.Optional(Type.String())
const nodeSchema = Type.Object({ name: Type.String(), value: text, label: text, template: text })
const sealSchema = Type.Object({ name: Type.String(), value: text })
const grantSchema = Type.Object({ node: Type.String(), role: text })
const leaseSchema = Type.Object({ seal: Type.String(), role: text })

export type Node = Static<typeof nodeSchema>
export type Seal = Static<typeof sealSchema>
export type Grant = Static<typeof grantSchema>
export type Lease = Static<typeof leaseSchema>

type Effectful = "list" | "create" | "update" | "delete" | "duplicates" | "section"

/** `doubles` are the kinds of which the same can be created twice. */
export const makeStore = (doubles: ReadonlyArray<string> = []) => {
  const calls: Array<Call> = []
  const faults = new Map<string, Array<Fault>>()
  let clock = 0
  const options: { latency: (name: string) => Effect.Effect<void> } = { latency: () => Effect.yieldNow }

  const call = <A>(name: string, act: () => Effect.Effect<A, StoreError>, collections?: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const entry: Call = { name, began: ++clock, ended: 0, ...(collections === undefined ? {} : { collections }) }
      calls.push(entry)
      const fault = faults.get(name)?.shift()
      yield* options.latency(name)
      const result = fault !== undefined && fault.happens !== true ? undefined : yield* act()
      entry.ended = ++clock
      if (fault?.thrown === true) return yield* Effect.die(fault.error)
      if (fault !== undefined || result === undefined) return yield* Effect.fail(fault?.error ?? error("Empty"))
      return result
    })

  /** A table of objects, and the methods of a kind over it. A list gives all there are, whatever is asked for. */
  const table = <I extends Item>(kind: string, key: (item: I) => string) => {
    const objects = new Map<string, I>()
    const write = (method: string, item: I, act: () => Effect.Effect<void, StoreError>) =>
      call(`${method} ${kind}:${key(item)}`, () => Effect.as(act(), true)).pipe(
        Effect.andThen(Wrote),
        Effect.map((wrote) => wrote())
      )
    return {
      objects,
      put: (item: I) => objects.set(key(item), item),
      list: (collections: ReadonlyArray<{ readonly parent: string }>) =>
        call(
          `list ${kind}`,
          () => Effect.sync(() => [...objects.values()]),
          collections.map(({ parent }) => parent)
        ),
      create: (after: I, then: () => void = () => {}) =>
        write("create", after, () => {
          if (objects.has(key(after))) return Effect.fail(error("Exists"))
          objects.set(key(after), after)
          then()
          return Effect.void
        }),
      update: (after: I, _before: I, changes: ReadonlyArray<Change>) =>
        write("update", after, () => {
          const old = objects.get(key(after))
          if (old === undefined) return Effect.fail(error("Missing"))
          const fields = new Set(changes.map(({ field }) => field))
          const given = Object.fromEntries(Object.entries(after).filter(([field]) => fields.has(field)))
          objects.set(key(after), { ...old, ...given })
          return Effect.void
        }),
      delete: (before: I, then: () => void = () => {}) =>
        write("delete", before, () => {
          if (!objects.delete(key(before))) return Effect.fail(error("Missing"))
          then()
          return Effect.void
        })
    }
  }

  const nodes = table<Node>("node", ({ name }) => name)
  const seals = table<Seal>("seal", ({ name }) => name)
  const grants = table<Grant>("grant", ({ node }) => node)
  const leases = table<Lease>("lease", ({ seal }) => seal)

  const kind = <Name extends string, Schema extends TObject>(
    pure: Omit<Kind<Name, Schema, StoreError, never>, Effectful | "extras">,
    methods: Pick<Kind<Name, Schema, StoreError, never>, Exclude<Effectful, "section" | "duplicates">>
  ): Kind<Name, Schema, StoreError, never> => ({
    extras: "remove",
    section: section({ under: "registry", name: pure.kind, node: Type.Unknown(), read: () => [] }),
    ...pure,
    ...methods,
    duplicates: () => doubles.includes(pure.kind)
  })
  const needing = (kind: string, key: string): ReadonlyArray<Ref> => [{ kind, key, parent: "all", cascades: true }]

  /** With a template, the registry makes a grant for it by itself. Its label is set by a request of its own. */
  const node = kind<"node", typeof nodeSchema>(
    {
      kind: "node",
      schema: nodeSchema,
      identity: ["name"],
      key: ({ name }) => name,
      collection: () => ({ parent: "all" }),
      setAfterwards: ["label"],
      implies: ({ name, template }) =>
        template === undefined ? [] : [{ kind: "grant", item: { node: name, role: template } }]
    },
    {
      list: nodes.list,
      create: (after) =>
        nodes.create(after, () => {
          if (after.template !== undefined) grants.put({ node: after.name, role: after.template })
        }),
      update: nodes.update,
      delete: (before) => nodes.delete(before, () => grants.objects.delete(before.name))
    }
  )
  /** Cannot be changed, only made anew, which ends its lease. */
  const seal = kind<"seal", typeof sealSchema>(
    {
      kind: "seal",
      schema: sealSchema,
      identity: ["name"],
      key: ({ name }) => name,
      collection: () => ({ parent: "all" }),
      destroys: "credential"
    },
    {
      list: seals.list,
      create: (after) => seals.create(after),
      delete: (before) => seals.delete(before, () => leases.objects.delete(before.name))
    }
  )
  const grant = kind<"grant", typeof grantSchema>(
    {
      kind: "grant",
      schema: grantSchema,
      identity: ["node"],
      key: ({ node }) => node,
      collection: () => ({ parent: "all" }),
      needs: ({ node }) => needing("node", node)
    },
    {
      list: grants.list,
      create: (after) => grants.create(after),
      update: grants.update,
      delete: (before) => grants.delete(before)
    }
  )
  const lease = kind<"lease", typeof leaseSchema>(
    {
      kind: "lease",
      schema: leaseSchema,
      identity: ["seal"],
      key: ({ seal }) => seal,
      collection: () => ({ parent: "all" }),
      needs: ({ seal }) => needing("seal", seal)
    },
    {
      list: leases.list,
      create: (after) => leases.create(after),
      update: leases.update,
      delete: (before) => leases.delete(before)
    }
  )

  return {
    calls,
    /** The names of the calls, without lists. */
    writes: () => calls.map(({ name }) => name).filter((name) => !name.startsWith("list ")),
    lists: () => calls.map(({ name }) => name).filter((name) => name.startsWith("list ")),
    /** The next calls of this name, such as `create node:a`, go wrong, one fault each. */
    fail: (name: string, ...next: ReadonlyArray<Fault>) => faults.set(name, [...(faults.get(name) ?? []), ...next]),
    options,
    nodes: nodes.objects,
    seals: seals.objects,
    grants: grants.objects,
    leases: leases.objects,
    state: () => ({
      nodes: [...nodes.objects.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      seals: [...seals.objects.values()],
      grants: [...grants.objects.values()].sort((a, b) => (a.node < b.node ? -1 : 1)),
      leases: [...leases.objects.values()]
    }),
    kinds: [node, seal, grant, lease]
  }
}

export type Store = ReturnType<typeof makeStore>
export type StoreKind = Store["kinds"][number]
