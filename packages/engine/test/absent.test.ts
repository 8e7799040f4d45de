/** What a file rules out: objects that shall not be there, that cannot be, that must wait, and collections that have no room. */
import { type Static, type TObject, Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import {
  type Actual,
  type Declaration,
  type Desired,
  type Kind,
  type Offers,
  PlanRefused,
  planTarget,
  preflight,
  section
} from "../src/index.ts"
import { target } from "./arbitrary.ts"

const kind = <Name extends string, Schema extends TObject>(
  it: Omit<Kind<Name, Schema>, "section" | "list" | "create">
): Kind<Name, Schema> => ({
  ...it,
  section: section({ under: "registry", name: `${it.kind}s`, node: Type.Unknown(), read: () => [] }),
  list: () => [],
  create: () => {}
})

const houseSchema = Type.Object({
  name: Type.String(),
  formerly: Type.Optional(Type.String()),
  size: Type.Optional(Type.String())
})

/** May be renamed; its size must be one that the registry allows. */
const house = kind<"house", typeof houseSchema>({
  kind: "house",
  schema: houseSchema,
  identity: ["name"],
  key: ({ name }) => name,
  collection: ({ name }) => ({ parent: name }),
  implies: ({ name }) => [{ kind: "room", item: { house: name, name: "hall" } }],
  extras: "keep",
  destroys: "data",
  requires: {
    fields: {
      size: { among: { setting: "SIZES", value: (option) => option.toLowerCase() } },
      formerly: { when: (value) => value === "nothing", operation: "forget" }
    }
  },
  refuses: ({ formerly }, before) =>
    formerly !== undefined && before === undefined ? `there is neither this nor ${formerly}.` : undefined,
  holdsBack: ({ formerly }, before) => formerly !== before.formerly,
  leaves: ({ name }) => [`the ruins of ${name} stay`],
  update: () => {},
  delete: () => {}
})

const inHouse = (name: string) => ({ kind: "house", key: name, parent: name })

const roomSchema = Type.Object({ house: Type.String(), name: Type.String() })

const room = kind<"room", typeof roomSchema>({
  kind: "room",
  schema: roomSchema,
  identity: ["house", "name"],
  key: ({ house, name }) => `${house}/${name}`,
  collection: ({ house }) => ({ parent: house }),
  needs: ({ house }) => [{ ...inHouse(house), cascades: true }],
  extras: "keep",
  delete: () => {}
})

/** Stands in a house and is not taken along with it. */
const tenant = kind<"tenant", typeof roomSchema>({
  kind: "tenant",
  schema: roomSchema,
  identity: ["house", "name"],
  key: ({ house, name }) => `${house}/${name}`,
  collection: ({ house }) => ({ parent: house }),
  needs: ({ house }) => [inHouse(house)],
  extras: "remove",
  delete: () => {}
})

/** Fills a house's rooms by itself, and cannot be told to go. */
const agency = kind<"agency", typeof roomSchema>({
  kind: "agency",
  schema: roomSchema,
  identity: ["house", "name"],
  key: ({ house, name }) => `${house}/${name}`,
  collection: ({ house }) => ({ parent: house }),
  excludes: ({ house }) => [{ kind: "tenant", parent: house }],
  extras: "remove",
  delete: () => {}
})

const monument = kind<"monument", typeof roomSchema>({
  kind: "monument",
  schema: roomSchema,
  identity: ["house", "name"],
  key: ({ house, name }) => `${house}/${name}`,
  collection: ({ house }) => ({ parent: house }),
  extras: "remove"
})

const kinds = [house, room, tenant, agency, monument] as const
type Kinds = (typeof kinds)[number]

const plan = (
  declarations: ReadonlyArray<Declaration<Kinds>>,
  there: Actual["found"] = [],
  scope: Desired["scope"] = []
) => planTarget<Kinds>(kinds, target, { declarations, scope }, { found: there, read: scope })

const refusal = (run: () => unknown): ReadonlyArray<string> => {
  try {
    run()
  } catch (error) {
    if (error instanceof PlanRefused)
      return error.problems.map(({ message, source }) => (source === undefined ? message : `${source}: ${message}`))
    throw error
  }
  return []
}

const noHouse = { kind: "house", item: { name: "mill" }, absent: true, source: "mill.yaml:1" } as const
const mill = { kind: "house", item: { name: "mill" } } as const
const attic = { kind: "room", item: { house: "mill", name: "attic" } } as const
const bob = { kind: "tenant", item: { house: "mill", name: "bob" } } as const
const rented = { kind: "agency", item: { house: "mill", name: "rent" } } as const

describe("an object that is declared absent", () => {
  it("is deleted with all that lives in it, whatever its kind does with extras", () => {
    const { extras, notices, operations, unchanged } = plan([noHouse], [mill, attic])
    expect(operations).toEqual([
      {
        id: "delete:house:mill",
        action: "delete",
        kind: "house",
        key: "mill",
        before: { name: "mill" },
        cascades: ["room:mill/attic"],
        needs: [],
        reason: "declared absent",
        destroys: "data",
        source: "mill.yaml:1"
      }
    ])
    expect([extras, unchanged]).toEqual([[], 0])
    expect(notices).toEqual([{ kind: "house", key: "mill", message: "the ruins of mill stay", source: "mill.yaml:1" }])
  })

  it("is as it should be where it is not there", () => {
    expect(plan([noHouse])).toMatchObject({ operations: [], unchanged: 1, notices: [] })
  })

  it("is no extra of a collection that is owned", () => {
    const { extras, operations } = plan([noHouse], [mill], [{ kind: "house", parent: "mill" }])
    expect([extras, operations.map(({ id }) => id)]).toEqual([[], ["delete:house:mill"]])
  })

  it("is deleted again where the registry makes it by itself", () => {
    const noHall: Declaration<Kinds> = { kind: "room", item: { house: "mill", name: "hall" }, absent: true }
    expect(plan([mill, noHall]).operations.map(({ id, needs }) => [id, ...needs])).toEqual([
      ["create:house:mill"],
      ["delete:room:mill/hall", "create:house:mill"]
    ])
  })

  it("refuses the plan if it is declared as well, or what lives in it", () => {
    expect(refusal(() => plan([mill, noHouse], [mill]))).toEqual(["mill.yaml:1: house mill is declared twice."])
    expect(refusal(() => plan([noHouse, attic], [mill]))).toEqual([
      "room mill/attic needs house mill, which this plan deletes."
    ])
    expect(refusal(() => plan([noHouse, attic]))).toEqual([
      "room mill/attic needs house mill, which is declared absent."
    ])
  })

  it("refuses the plan if it has to stay", () => {
    expect(refusal(() => plan([noHouse], [mill, bob]))).toEqual([
      "mill.yaml:1: house mill is declared absent, and stays: tenant:mill/bob needs it."
    ])
    const noTower: Declaration<Kinds> = { kind: "monument", item: { house: "mill", name: "tower" }, absent: true }
    expect(refusal(() => plan([noTower], [{ kind: "monument", item: noTower.item }]))).toEqual([
      "monument mill/tower is declared absent, and stays: the registry offers no way to delete it."
    ])
  })
})

describe("an object that cannot be", () => {
  const renamed = { kind: "house", item: { name: "mill", formerly: "barn" }, source: "mill.yaml:1" } as const

  it("refuses the plan with its kind's reason", () => {
    expect(refusal(() => plan([renamed]))).toEqual(["mill.yaml:1: house mill: there is neither this nor barn."])
  })

  it("holds back what lives in it until it is as declared", () => {
    const declared = [renamed, attic, { kind: "room", item: { house: "mill", name: "cellar" } }] as const
    const before = plan(declared, [{ kind: "house", item: { name: "mill", formerly: "" } }])
    expect([before.operations.map(({ id }) => id), before.unchanged]).toEqual([["update:house:mill"], 0])
    const after = plan(declared, [{ kind: "house", item: renamed.item }, attic])
    expect([after.operations.map(({ id }) => id), after.unchanged]).toEqual([["create:room:mill/cellar"], 2])
  })
})

describe("a collection that an object leaves no room for", () => {
  const owned = [{ kind: "tenant", parent: "mill" }]

  it("refuses the plan where files own it", () => {
    const message = "tenants of mill cannot be managed while there is agency mill/rent."
    expect(refusal(() => plan([mill, bob], [mill, rented], owned))).toEqual([message])
    expect(refusal(() => plan([mill, { ...rented, source: "mill.yaml:3" }], [mill], owned))).toEqual([
      `mill.yaml:3: ${message}`
    ])
    expect(plan([mill], [mill, rented, bob]).operations).toEqual([])
  })

  it("is seen to when the object is gone", () => {
    const carol = { kind: "tenant", item: { house: "mill", name: "carol" } } as const
    const scope = [...owned, { kind: "agency", parent: "mill" }]
    const { operations } = plan([mill, bob], [mill, rented, carol], scope)
    expect(operations.map(({ id, needs }) => [id, ...needs])).toEqual([
      ["create:tenant:mill/bob", "delete:agency:mill/rent"],
      ["delete:agency:mill/rent"],
      ["delete:tenant:mill/carol", "delete:agency:mill/rent"]
    ])
  })
})

describe("what a registry must allow", () => {
  const offers = (sizes: ReadonlyArray<string> | undefined): Offers => ({
    feature: () => undefined,
    serves: () => false,
    accepts: () => false,
    options: (setting) => (setting === "SIZES" ? sizes : undefined)
  })
  const problems = (item: Static<typeof houseSchema>, sizes: ReadonlyArray<string> | undefined) =>
    preflight<Kinds>(kinds, { declarations: [{ kind: "house", item }], scope: [] }, offers(sizes))

  it("is asked of a field's value, if the registry tells", () => {
    expect(problems({ name: "mill", size: "big" }, ["BIG", "SMALL"])).toEqual([])
    expect(problems({ name: "mill", size: "big" }, undefined)).toEqual([])
    expect(problems({ name: "mill", size: "huge" }, ["BIG", "SMALL"])).toEqual([
      { message: "size of house mill: this registry allows only BIG, SMALL (SIZES)." }
    ])
  })

  it("is asked where the value is one that needs it", () => {
    expect(problems({ name: "mill", formerly: "barn" }, [])).toEqual([])
    expect(problems({ name: "mill", formerly: "nothing" }, [])).toEqual([
      { message: "formerly of house mill: this registry does not serve it." }
    ])
  })
})
