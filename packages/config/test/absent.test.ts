/** What a file says shall not be there, and what cannot stand beside something else. */
import { documentSection, type Kind, section } from "@quaymaster/engine"
import { Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import { type DecodeOptions, decode } from "../src/index.ts"
import { problemsOf } from "./helpers.ts"
import { kinds as others } from "./kinds.ts"

const closed = { additionalProperties: false }
const inert = { list: () => [], create: () => undefined, delete: () => undefined }
const houseSchema = Type.Object({ name: Type.String(), color: Type.Optional(Type.String()) }, closed)

const house: Kind<"house", typeof houseSchema> = {
  kind: "house",
  schema: houseSchema,
  identity: ["name"],
  key: ({ name }) => name,
  collection: ({ name }) => ({ parent: name }),
  implies: ({ name }) => [{ kind: "room", item: { house: name, name: "hall" } }],
  extras: "keep",
  section: documentSection({
    name: "house",
    description: "A house.",
    fields: {
      house: Type.String(),
      state: Type.Optional(Type.Literal("absent")),
      color: Type.Optional(Type.String())
    },
    read: ({ color, house: name }) => ({ name, ...(color === undefined ? {} : { color }) }),
    absent: ({ state }) => (state === "absent" ? "state" : undefined)
  }),
  ...inert
}

const roomSchema = Type.Object({ house: Type.String(), name: Type.String() }, closed)

const room: Kind<"room", typeof roomSchema> = {
  kind: "room",
  schema: roomSchema,
  identity: ["house", "name"],
  key: (it) => `${it.house}/${it.name}`,
  collection: (it) => ({ parent: it.house }),
  needs: (it) => [{ kind: "house", key: it.house, parent: it.house }],
  extras: "keep",
  section: section({
    under: "house",
    name: "rooms",
    node: Type.Array(
      Type.Union([
        Type.String(),
        Type.Object({ name: Type.String(), gone: Type.Boolean(), color: Type.Optional(Type.String()) }, closed)
      ])
    ),
    read: (names, parent) =>
      names.map((given, i) =>
        typeof given === "string"
          ? { item: { house: parent, name: given }, path: [i] }
          : {
              item: { house: parent, name: given.name },
              path: [i],
              ...(given.gone ? { absent: ["name", "gone"] } : {})
            }
      )
  }),
  ...inert
}

const paintSchema = Type.Object({ house: Type.String(), color: Type.String() }, closed)

const sealed: Kind<"seal", typeof paintSchema> = {
  kind: "seal",
  schema: paintSchema,
  identity: ["house"],
  key: (it) => it.house,
  collection: (it) => ({ parent: it.house }),
  excludes: (it) => [{ kind: "room", parent: it.house }],
  extras: "remove",
  section: section({
    under: "house",
    name: "seal",
    node: Type.String(),
    read: (color, parent) => [{ item: { house: parent, color }, path: [] }]
  }),
  ...inert
}

const kinds = [...others, house, room, sealed] as const
const AT: DecodeOptions = { registry: "https://quay.example.com" }

const decoded = (text: string) =>
  decode<(typeof kinds)[number]>(kinds, { files: [{ name: "mill.yaml", text }], problems: [] }, AT).targets
const declared = (text: string) => decoded(text).flatMap(({ desired }) => desired.declarations)
const mistakes = (text: string) => problemsOf(() => decoded(text))

describe("an object that shall not be there", () => {
  it("is declared absent, and its collection is owned", () => {
    const text = "house: mill\nstate: absent\nregistry: https://quay.example.com"
    expect(declared(text)).toEqual([{ kind: "house", item: { name: "mill" }, source: "mill.yaml:1", absent: true }])
    expect(decoded(text)[0]?.desired.scope).toEqual([{ kind: "house", parent: "mill" }])
  })

  it("says nothing of one that shall be there", () => {
    expect(declared("house: mill\ncolor: red")).toEqual([
      { kind: "house", item: { name: "mill", color: "red" }, source: "mill.yaml:1" }
    ])
  })

  it("has nothing else said of it", () => {
    expect(mistakes("house: mill\nstate: absent\ncolor: red\nrooms: [attic]\nprune: [rooms]")).toEqual([
      "mill.yaml:3:1: color: cannot stand beside state: absent",
      "mill.yaml:4:1: rooms: cannot stand beside state: absent",
      "mill.yaml:5:1: prune: cannot stand beside state: absent"
    ])
    expect(mistakes("house: mill\nstate: gone")).toEqual(['mill.yaml:2:8: state: should be absent, is "gone"'])
  })

  it("can stand in a section of others, with the keys that name it", () => {
    expect(mistakes("house: mill\nrooms: [{ name: attic, gone: true, color: red }]")).toEqual([
      "mill.yaml:2:36: rooms[0].color: cannot stand beside gone: true"
    ])
    expect(declared("house: mill\nrooms: [{ name: attic, gone: true }, cellar]").map((it) => it.absent)).toEqual([
      undefined,
      true,
      undefined
    ])
  })

  it("is not there for what needs it, and makes nothing by itself", () => {
    const [mill, barn] = ["house: mill\nstate: absent", "house: barn\nrooms: [hall]"]
    expect(mistakes(`${mill}\n---\n${barn}`)).toEqual([])
    expect(mistakes(`${mill}\n---\nhouse: mill\nrooms: [attic]`)).toEqual([
      'mill.yaml:4:1: house "mill" is declared twice, first at mill.yaml:1'
    ])
  })
})

describe("what leaves no room for a section", () => {
  it("cannot stand beside it", () => {
    expect(mistakes("house: mill\nseal: red\nrooms: []")).toEqual([
      "mill.yaml:2:1: seal: rooms cannot stand beside this"
    ])
    expect(mistakes("house: mill\nseal: red")).toEqual([])
  })
})
