/** Objects to documents: what is written and how, what is left out and what is said of it, and that it reads as it was. */
import {
  documentSection,
  type Found,
  type Item,
  type Kind,
  mapSection,
  type Offers,
  secretRef,
  section
} from "@quaymaster/engine"
import { type TObject, Type } from "@sinclair/typebox"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decode, type EncodeOptions, encoder } from "../src/index.ts"

const closed = { additionalProperties: false }
const inert = { list: () => [], create: () => undefined, update: () => undefined, delete: () => undefined }
const text = Type.Optional(Type.String())
const name = Type.String({ pattern: "^[a-z]+$", "x-rule": "lower-case letters" })
const names = { pattern: "^[a-z]+$", description: "lower-case letters" }
const kind = <Name extends string, Schema extends TObject>(it: Kind<Name, Schema>): Kind<Name, Schema> => it
const ref = (of: string, parent: string, key: string) => ({ kind: of, key: `${parent}/${key}`, parent })

const organization = kind({
  kind: "organization",
  schema: Type.Object({ name: Type.String(), email: text, days: Type.Optional(Type.Integer()) }, closed),
  identity: ["name"],
  key: (item) => item.name,
  collection: (item) => ({ parent: item.name }),
  implies: (item) => [{ kind: "team", item: { organization: item.name, name: "owners" } }],
  extras: "keep",
  requires: { fields: { days: { feature: "DAYS" } } },
  section: documentSection({
    name: "organization",
    description: "An organization.",
    fields: {
      organization: Type.String({ pattern: "^[a-z]+$" }),
      email: Type.Optional(Type.String({ pattern: "@", "x-rule": "an address" })),
      days: Type.Optional(Type.Integer())
    },
    read: ({ organization: it, ...node }) => ({ name: it, ...node }),
    write: ({ days, email, name: it }) => ({
      organization: it,
      ...(days === undefined ? {} : { days }),
      ...(email === undefined ? {} : { email })
    })
  }),
  ...inert
})

const team = kind({
  kind: "team",
  schema: Type.Object({ organization: Type.String(), name: Type.String(), role: text, description: text }, closed),
  identity: ["organization", "name"],
  key: (item) => `${item.organization}/${item.name}`,
  collection: (item) => ({ parent: item.organization }),
  implicit: (item) => item.name === "owners",
  extras: "keep",
  section: mapSection({
    under: "organization",
    name: "teams",
    names,
    description: "Teams.",
    fields: { role: text, description: text },
    read: (key, entry, parent) => ({ organization: parent, name: key, ...entry }),
    write: ({ description, name: it, role }) => [
      it,
      {
        ...(description === undefined || description === "" ? {} : { description }),
        ...(role === undefined ? {} : { role })
      }
    ]
  }),
  ...inert
})

const memberFields = Type.Object({ team: Type.String(), name: Type.String() }, closed)
const member = kind({
  kind: "member",
  schema: memberFields,
  identity: ["team", "name"],
  key: (item) => `${item.team}/${item.name}`,
  collection: (item) => ({ parent: item.team, part: item.name.includes("+") ? "robots" : "users" }),
  implicit: (item, caller) => item.team.endsWith("/owners") && item.name === caller,
  extras: "remove",
  section: section({
    under: "team",
    name: "members",
    node: Type.Object({ users: Type.Optional(Type.Array(name)), robots: Type.Optional(Type.Array(name)) }, closed),
    parts: (node) => Object.keys(node),
    read: ({ robots = [], users = [] }, parent) => [
      ...users.map((it, i) => ({ item: { team: parent, name: it }, path: ["users", i] })),
      ...robots.map((it, i) => ({ item: { team: parent, name: `+${it}` }, path: ["robots", i] }))
    ],
    write: (items) => {
      const users = items.flatMap((item) => (item.name.includes("+") ? [] : [item.name]))
      const robots = items.flatMap((item) => (item.name.includes("+") ? [item.name.slice(1)] : []))
      return { ...(robots.length === 0 ? {} : { robots }), ...(users.length === 0 ? {} : { users }) }
    }
  }),
  ...inert
})

/** While it is there, somebody else says who the users of the team are. */
const sync = kind({
  kind: "sync",
  schema: Type.Object({ team: Type.String(), group: Type.String() }, closed),
  identity: ["team"],
  key: (item) => item.team,
  collection: (item) => ({ parent: item.team }),
  excludes: (item) => [{ kind: "member", parent: item.team, part: "users" }],
  extras: "remove",
  section: section({
    under: "team",
    name: "sync",
    node: Type.String(),
    read: (group, parent) => [{ item: { team: parent, group }, path: [] }],
    write: ([found]) => found?.group ?? ""
  }),
  ...inert
})

const grant = kind({
  kind: "grant",
  schema: Type.Object({ organization: Type.String(), team: Type.String(), role: Type.String(), twice: text }, closed),
  identity: ["organization", "team"],
  key: (item) => `${item.organization}/${item.team}`,
  collection: (item) => ({ parent: item.organization }),
  needs: (item) => [ref("team", item.organization, item.team)],
  extras: "remove",
  diff: (before, after) => (before.twice === undefined || after.twice !== undefined ? [] : [{ field: "twice" }]),
  section: section({
    under: "organization",
    name: "grants",
    node: Type.Array(Type.Object({ team: Type.String(), role: Type.String() }, closed)),
    read: (list, parent) => list.map((it, i) => ({ item: { organization: parent, ...it }, path: [i] })),
    write: (items) => items.map(({ role, team: it }) => ({ role, team: it }))
  }),
  ...inert
})

const cache = kind({
  kind: "cache",
  schema: Type.Object(
    {
      organization: Type.String(),
      upstream: Type.String(),
      user: text,
      password: Type.Optional(secretRef),
      token: Type.Optional({ ...secretRef, writeOnly: true }),
      label: Type.Optional(Type.String({ writeOnly: true }))
    },
    closed
  ),
  identity: ["organization"],
  key: (item) => item.organization,
  collection: (item) => ({ parent: item.organization }),
  extras: "keep",
  section: section({
    under: "organization",
    name: "cache",
    node: Type.Union([
      Type.Object({}, closed),
      Type.Object(
        {
          upstream: Type.String(),
          user: text,
          password: Type.Optional(secretRef),
          label: Type.Optional(Type.String({ pattern: "^[a-z]+$" }))
        },
        closed
      )
    ]),
    read: (node, parent) => ("upstream" in node ? [{ item: { organization: parent, ...node }, path: [] }] : []),
    write: ([found]) => {
      if (found === undefined) return {}
      const { label, password, upstream, user } = found
      return {
        upstream,
        ...(user === undefined ? {} : { user }),
        // As Quay does: a password goes with a name.
        ...(password === undefined || user === undefined ? {} : { password }),
        ...(label === undefined ? {} : { label })
      }
    }
  }),
  ...inert
})

/** Told apart by what the registry does not tell. */
const hook = kind({
  kind: "hook",
  schema: Type.Object({ organization: Type.String(), url: Type.Union([secretRef, Type.String()]) }, closed),
  identity: ["organization", "url"],
  key: (item) => `${item.organization}/${JSON.stringify(item.url)}`,
  collection: (item) => ({ parent: item.organization }),
  extras: "remove",
  section: section({
    under: "organization",
    name: "hooks",
    node: Type.Array(Type.Object({ to: secretRef, note: text }, closed)),
    read: (list, parent) => list.map(({ to }, i) => ({ item: { organization: parent, url: to }, path: [i] })),
    write: (items) => items.map(() => ({ to: { env: "HOOK" } }))
  }),
  ...inert
})

const dump = kind({
  kind: "dump",
  schema: Type.Object({ organization: Type.String() }, closed),
  identity: ["organization"],
  key: (item) => item.organization,
  collection: (item) => ({ parent: item.organization }),
  extras: "keep",
  section: section({
    under: "organization",
    name: "dump",
    node: Type.Boolean(),
    read: (_, parent) => [{ item: { organization: parent }, path: [] }]
  }),
  ...inert
})

const kinds = [organization, team, member, sync, grant, cache, hook, dump] as const
type Any = (typeof kinds)[number]

const found = (of: Any["kind"], ...items: ReadonlyArray<Item>): ReadonlyArray<Found> =>
  items.map((item) => ({ kind: of, item }))

const ACME = found("organization", { name: "acme", email: "a@example.com" })
const teams = (...list: ReadonlyArray<string>) =>
  found("team", ...list.map((it) => ({ organization: "acme", name: it, role: "member", description: "" })))
const members = (team: string, ...list: ReadonlyArray<string>) =>
  found("member", ...list.map((it) => ({ team: `acme/${team}`, name: it })))
const grants = (...list: ReadonlyArray<string>) =>
  found("grant", ...list.map((it) => ({ organization: "acme", team: it, role: "read" })))

const encoded = (list: ReadonlyArray<Found>, options: Partial<EncodeOptions> = {}) =>
  encoder(kinds, { root: "organization", caller: "me", ...options })("acme", list)

const declared = (yaml: string): ReadonlyArray<unknown> => {
  const sources = { files: [{ name: "acme.yaml", text: yaml }], problems: [] }
  return decode<Any>(kinds, sources, { registry: "https://quay.example.com" }).targets.flatMap(({ desired }) =>
    desired.declarations.map(({ item, kind: of }) => ({ kind: of, item }))
  )
}

/** The document without its comments. */
const body = (list: ReadonlyArray<Found>, options: Partial<EncodeOptions> = {}): string =>
  encoded(list, options).text.replace(/^#.*\n/gm, "")

const head = "organization: acme\nemail: a@example.com\n"

describe("a document", () => {
  it("has fields in the order of the schema, and names in theirs, whatever order the objects come in", () => {
    const list = [...ACME, ...teams("ops", "dev"), ...members("dev", "bob", "alice", "+ci"), ...grants("ops", "dev")]
    const expected = `${head}teams:
  dev:
    role: member
    members:
      users:
        - alice
        - bob
      robots:
        - ci
  ops:
    role: member
grants:
  - { team: dev, role: read }
  - { team: ops, role: read }
`
    expect(body(list)).toBe(expected)
    expect(body([...list].reverse())).toBe(expected)
    expect(body([...list, ...list])).toBe(expected)
  })

  it("has nothing of other documents, nor of kinds that are unknown or not wanted", () => {
    const others = [
      ...found("team", { organization: "umbrella", name: "dev" }),
      ...members("gone", "bob"),
      { kind: "stranger", item: { name: "x" } }
    ]
    expect(body([...ACME, ...others, ...grants("dev")], { only: new Set(["organization", "team"]) })).toBe(head)
  })

  it("says at its top where its schema is, what is never in it, and what is not in it this time", () => {
    const encode = encoder(kinds, { root: "organization", caller: "me", schema: "x.schema.json" })
    const { omitted, text: yaml } = encode("acme", [...ACME, ...teams("Dev")], ["apps: may not be read"])
    expect(yaml).toBe(`# yaml-language-server: $schema=x.schema.json
# Sections that are not exported: dump
# Not in this file, and so left alone:
#   apps: may not be read
#   team acme/Dev: the name "Dev" should be lower-case letters
${head}`)
    expect(omitted).toEqual(["apps: may not be read", 'team acme/Dev: the name "Dev" should be lower-case letters'])
  })

  it("needs something to be about", () => {
    expect(() => encoded(teams("dev"))).toThrow("There is no organization acme")
    expect(() => encoder(kinds, { root: "organization" })("Acme", found("organization", { name: "Acme" }))).toThrow(
      /organization Acme: .*should match/
    )
    expect(() => encoder(kinds, { root: "team" })).toThrow("no document of its own")
  })
})

describe("what is implicit", () => {
  it("is left out, unless something else lives in it", () => {
    expect(body([...ACME, ...teams("owners"), ...members("owners", "me")])).toBe(head)
    expect(body([...ACME, ...teams("owners"), ...members("owners", "me", "bob")])).toBe(
      `${head}teams:\n  owners:\n    role: member\n    members:\n      users:\n        - bob\n`
    )
  })

  it("is left out even if it is referred to, as far as the registry makes it", () => {
    expect(body([...ACME, ...teams("owners", "dev"), ...grants("owners")])).toBe(
      `${head}teams:\n  dev:\n    role: member\ngrants:\n  - { team: owners, role: read }\n`
    )
  })

  it("is written where nobody knows who reads", () => {
    const list = [...ACME, ...teams("owners"), ...members("owners", "me")]
    expect(body(list, { caller: undefined })).toContain("- me\n")
  })
})

describe("what somebody else fills", () => {
  it("is left out", () => {
    const list = [...ACME, ...teams("dev"), ...members("dev", "bob", "+ci")]
    expect(body([...list, ...found("sync", { team: "acme/dev", group: "g" })])).toBe(
      `${head}teams:\n  dev:\n    role: member\n    members:\n      robots:\n        - ci\n    sync: g\n`
    )
    // Even where that is not wanted itself.
    const only = new Set(["organization", "team", "member"])
    expect(body([...list, ...found("sync", { team: "acme/dev", group: "g" })], { only })).not.toContain("bob")
  })
})

describe("what no file can say", () => {
  it("is left out alone where it is kept anyway", () => {
    const { omitted, text: yaml } = encoded([...ACME, ...teams("Dev", "ops"), ...members("Dev", "bob")])
    expect(yaml).toContain("  ops:\n")
    expect(yaml).not.toContain("bob")
    expect(omitted).toEqual([expect.stringContaining("team acme/Dev: ")])
  })

  it("leaves no room for the others where it would be taken away", () => {
    const { omitted, text: yaml } = encoded([...ACME, ...teams("dev"), ...members("dev", "bob", "Eve", "+ci")])
    expect(yaml).toContain("robots:\n        - ci\n")
    expect(yaml).not.toContain("bob")
    expect(omitted).toEqual([expect.stringMatching(/^member acme\/dev\/Eve: .*; so the others of these members are/)])
  })

  it("is what would be changed, too", () => {
    const twice = found("grant", { organization: "acme", team: "dev", role: "read", twice: "yes" })
    const { omitted, text: yaml } = encoded([...ACME, ...teams("dev", "ops"), ...grants("ops"), ...twice])
    expect(yaml).not.toContain("grants:\n")
    expect(omitted).toEqual([expect.stringMatching(/^grant acme\/dev: no file can say what is there of twice; so/)])
  })

  it("takes along what needs it", () => {
    const { omitted, text: yaml } = encoded([...ACME, ...teams("dev", "Ops"), ...grants("dev", "Ops")])
    expect(yaml).not.toContain("grants:\n")
    expect(omitted).toEqual([
      expect.stringMatching(/^grant acme\/Ops: it needs team acme\/Ops, which is left out; so/),
      expect.stringMatching(/^team acme\/Ops: /)
    ])
    // Nothing is declared of teams at all, so nobody asks for this one.
    expect(body([...ACME, ...teams("Ops"), ...grants("Ops")])).toContain("team: Ops")
  })

  it("may be a single field", () => {
    const { omitted, text: yaml } = encoded(found("organization", { name: "acme", email: "none", days: 3 }))
    expect(yaml).toContain("organization: acme\ndays: 3\n")
    expect(omitted).toEqual(['email of organization acme: email: should be an address, is "none"'])
  })

  it("is what the registry would refuse, too", () => {
    const offers: Offers = {
      feature: (flag) => flag !== "DAYS",
      serves: () => true,
      accepts: () => true,
      options: () => undefined
    }
    const { omitted, text: yaml } = encoded(found("organization", { name: "acme", days: 3 }), { offers })
    expect(yaml).not.toContain("days: 3")
    expect(omitted).toEqual(["days of organization acme: it is switched off there (FEATURE_DAYS)"])
  })

  it("cannot break out of its comment", () => {
    const hostile = "x\nteams: {}\r\u2028\u0085grants: []\u202e"
    const { text: yaml } = encoded([...ACME, ...found("team", { organization: "acme", name: hostile })])
    expect(declared(yaml)).toEqual(ACME)
    expect(yaml).toContain("x\\u{a}teams: {}")
  })
})

describe("secrets", () => {
  it("are referred to by the address, where the section takes one, and have to be filled in", () => {
    expect(body([...ACME, ...found("cache", { organization: "acme", upstream: "x", user: "me" })])).toBe(`${head}cache:
  upstream: x
  user: me
  password: { env: CACHE_ACME_PASSWORD } # To be set, or removed if there is none: the registry does not tell.
`)
    expect(body([...ACME, ...found("cache", { organization: "acme", upstream: "x" })])).toBe(
      `${head}cache:\n  upstream: x\n`
    )
  })

  it("may be what tells objects apart, and then each is its own", () => {
    const hooks = found("hook", { organization: "acme", url: "~1" }, { organization: "acme", url: "~2" })
    const yaml = body([...ACME, ...hooks])
    expect(yaml).toBe(`${head}hooks:
  - to: { env: HOOK } # To be set: the registry does not tell it.
  - to: { env: HOOK_2 } # To be set: the registry does not tell it.
`)
    expect(declared(yaml)).toHaveLength(3)
  })

  it("are told from names that look like them", () => {
    expect(body([...ACME, ...teams("env"), ...members("env", "env")])).not.toContain("#")
  })
})

it("reads as it was, whatever people wrote", () => {
  // A NUL is what no file may have; a text with one is told as left out.
  const anything = fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
    fc.string({ unit: fc.constantFrom("\n", " ", "\t", "-", ":", "#", "'", '"', "\\", "|", ">", "a", "\r", "\u2028") }),
    fc.constantFrom(
      "null",
      "~",
      "true",
      "No",
      "0x1f",
      "1e3",
      "1_000",
      "12:30:45",
      "2001-01-01",
      "<<",
      "=",
      "---",
      "..."
    )
  )
  const arbitrary = fc.uniqueArray(
    fc.record({ name: fc.stringMatching(/^[a-z]{1,6}$/), role: anything, description: anything }),
    { selector: (it) => it.name, maxLength: 4 }
  )
  fc.assert(
    fc.property(arbitrary, (list) => {
      const there = list.filter((it) => it.name !== "owners" && it.description !== "")
      const all = [...ACME, ...found("team", ...there.map((it) => ({ organization: "acme", ...it })))]
      const { omitted, text: yaml } = encoded(all)
      expect(omitted).toEqual([])
      const said = declared(yaml)
      expect(said).toHaveLength(all.length)
      expect(said).toEqual(expect.arrayContaining([...all]))
      expect(encoded(all).text).toBe(yaml)
    }),
    { numRuns: 1000 }
  )
})
