/** What files said before: which operations were to be done already, and deletions where they managed nothing. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { LAW_TIMEOUT, lawful } from "../../testing/src/laws.ts"
import {
  assemble,
  type Base,
  type Collection,
  collectionId,
  type Declaration,
  type Desired,
  indexBase,
  type Owned,
  planTarget
} from "../src/index.ts"
import { planFor, planIfAny, scene, target } from "./arbitrary.ts"
import { CALLER, declare, found, team as kind, kinds, organization as org, member as user } from "./world.ts"

const nothing: Base = { declarations: [], scope: [] }

describe("the laws", { timeout: LAW_TIMEOUT }, () => {
  it("all is drift where the files say what they said, and the guard says nothing new", () => {
    fc.assert(
      fc.property(scene, ({ desired, model }) => {
        const whole = planIfAny(model, desired)
        fc.pre(whole !== undefined)
        const plan = planFor(model, { ...desired, base: desired })
        expect(plan.operations.filter(({ origin }) => origin !== "drift")).toEqual([])
        expect(plan.verdicts).toEqual(whole?.verdicts)
      }),
      lawful
    )
  })

  it("all is change where they said nothing, and each deletion of an extra is told", () => {
    fc.assert(
      fc.property(scene, ({ desired, model }) => {
        const whole = planIfAny(model, desired)
        fc.pre(whole !== undefined)
        const plan = planFor(model, { ...desired, base: nothing })
        expect(plan.operations.filter(({ origin }) => origin !== "change")).toEqual([])
        const told = plan.verdicts.filter(({ rule }) => rule === "newly-managed").flatMap((it) => it.operations)
        const extras = plan.operations.filter((it) => it.action === "delete" && it.reason === "not in the file")
        expect([...told].sort()).toEqual(extras.map(({ id }) => id))
      }),
      lawful
    )
  })

  it("whatever they said, the digest is the same", () => {
    fc.assert(
      fc.property(scene, scene, ({ desired, model }, other) => {
        const whole = planIfAny(model, desired)
        fc.pre(whole !== undefined)
        if (whole === undefined) return
        const plan = planFor(model, { ...desired, base: other.desired })
        expect(assemble([plan], "1").digest).toBe(assemble([whole], "1").digest)
      }),
      lawful
    )
  })
})

const dev = (more: object = {}) => declare(kind, { organization: "acme", name: "dev", ...more })
const alice = { organization: "acme", team: "dev", subject: "user" as const, name: "alice" }
const bob = { ...alice, name: "bob" }
const acme = declare(org, { name: "acme" })
const TEAMS: Owned = { kind: "team", parent: "acme" }
const PRUNED: Owned = { ...TEAMS, prune: true }
const USERS: Owned = { kind: "member", parent: "acme/dev", part: "users" }

interface Case {
  readonly there: ReadonlyArray<ReturnType<typeof found>>
  readonly before: { readonly declarations: ReadonlyArray<Declaration>; readonly scope: ReadonlyArray<Owned> }
  readonly now: { readonly declarations: ReadonlyArray<Declaration>; readonly scope: ReadonlyArray<Owned> }
  readonly origins: Readonly<Record<string, string>>
  readonly newly?: ReadonlyArray<string>
}

const organization = found(org, { name: "acme" })
const team = (more: object = {}) => found(kind, { organization: "acme", name: "dev", ...more })
const qa = found(kind, { organization: "acme", name: "qa" })

const cases: ReadonlyArray<readonly [string, Case]> = [
  [
    "an update of what was changed by hand, and of what the files say since",
    {
      there: [organization, team({ role: "member", description: "d" })],
      before: { declarations: [acme, dev({ role: "admin" })], scope: [TEAMS] },
      now: { declarations: [acme, dev({ role: "admin", description: "d" })], scope: [TEAMS] },
      origins: { "update:team:acme/dev": "drift" }
    }
  ],
  [
    "an update of both at once",
    {
      there: [organization, team({ role: "member", description: "d" })],
      before: { declarations: [acme, dev({ role: "admin" })], scope: [TEAMS] },
      now: { declarations: [acme, dev({ role: "admin", description: "e" })], scope: [TEAMS] },
      origins: { "update:team:acme/dev": "change" }
    }
  ],
  [
    "an update to something else",
    {
      there: [organization, team({ role: "member" })],
      before: { declarations: [acme, dev({ role: "admin" })], scope: [TEAMS] },
      now: { declarations: [acme, dev({ role: "creator" })], scope: [TEAMS] },
      origins: { "update:team:acme/dev": "change" }
    }
  ],
  [
    "what was never there, and what is new",
    {
      there: [organization],
      before: { declarations: [acme, dev({ role: "admin" })], scope: [TEAMS] },
      now: {
        declarations: [acme, dev({ role: "admin" }), declare(kind, { organization: "acme", name: "qa" })],
        scope: [TEAMS]
      },
      origins: { "create:team:acme/dev": "drift", "create:team:acme/qa": "change" }
    }
  ],
  [
    "what somebody added to a collection that was managed",
    {
      there: [organization, team(), found(user, alice), found(user, bob)],
      before: { declarations: [acme, dev(), declare(user, alice)], scope: [TEAMS, USERS] },
      now: { declarations: [acme, dev(), declare(user, alice)], scope: [TEAMS, USERS] },
      origins: { "delete:member:acme/dev/user:bob": "drift" }
    }
  ],
  [
    "what was taken out of the file",
    {
      there: [organization, team(), found(user, alice), found(user, bob)],
      before: { declarations: [acme, dev(), declare(user, alice), declare(user, bob)], scope: [TEAMS, USERS] },
      now: { declarations: [acme, dev(), declare(user, alice)], scope: [TEAMS, USERS] },
      origins: { "delete:member:acme/dev/user:bob": "change" }
    }
  ],
  [
    "a collection that the files did not manage",
    {
      there: [organization, team(), found(user, alice), found(user, bob)],
      before: { declarations: [acme, dev()], scope: [TEAMS] },
      now: { declarations: [acme, dev(), declare(user, alice)], scope: [TEAMS, USERS] },
      origins: { "delete:member:acme/dev/user:bob": "change" },
      newly: ["1 of the 2 member.users of acme/dev would be deleted, and the files did not manage them before"]
    }
  ],
  [
    "a collection that they managed without pruning it",
    {
      there: [organization, team(), qa],
      before: { declarations: [acme, dev()], scope: [TEAMS] },
      now: { declarations: [acme, dev()], scope: [PRUNED] },
      origins: { "delete:team:acme/qa": "change" }
    }
  ],
  [
    "what is declared absent",
    {
      there: [organization, team(), qa],
      before: nothing,
      now: {
        declarations: [acme, dev(), { kind: "team", item: { organization: "acme", name: "qa" }, absent: true }],
        scope: [TEAMS]
      },
      origins: { "delete:team:acme/qa": "change" }
    }
  ],
  [
    "files that could not have been planned",
    {
      there: [organization, team(), found(user, bob)],
      before: {
        declarations: [acme, dev(), dev({ role: "admin" }), declare(user, { ...alice, team: "none" })],
        scope: [TEAMS, USERS]
      },
      now: { declarations: [acme, dev()], scope: [TEAMS, USERS] },
      origins: { "delete:member:acme/dev/user:bob": "drift" }
    }
  ]
]

describe("an origin", () => {
  it.each(cases)("%s", (_, { before, newly = [], now, origins, there }) => {
    const desired: Desired = { ...now, base: before }
    const plan = planTarget(kinds, target, desired, { found: there, read: now.scope, caller: CALLER })
    expect(Object.fromEntries(plan.operations.map(({ id, origin }) => [id, origin]))).toEqual(origins)
    const verdicts = plan.verdicts.filter(({ rule }) => rule === "newly-managed")
    expect(verdicts.map(({ message }) => message)).toEqual(newly)
  })
})

describe("the guard", () => {
  const there = ["alice", "bob", "carol"].map((name) => found(user, { ...alice, name }))
  const desired: Desired = { declarations: [acme, dev(), declare(user, alice)], scope: [TEAMS, USERS] }
  const planned = (base: Base | undefined) =>
    planTarget(kinds, target, base === undefined ? desired : { ...desired, base }, {
      found: [organization, team(), ...there],
      read: desired.scope,
      caller: CALLER
    })
  const judge = (base: Base | undefined, ...allow: ReadonlyArray<string>) =>
    assemble([planned(base)], "1", { "newly-managed": allow }).targets[0]?.verdicts.map((it) => [it.allow, it.allowed])

  it("blocks deletions where nothing was managed, and names the flag that allows just them", () => {
    expect(judge(nothing)).toEqual([["--allow-newly-managed member=2", undefined]])
  })

  it("allows so many of the kind, and not one more", () => {
    expect(judge(nothing, "member=2")).toEqual([["--allow-newly-managed member=2", "--allow-newly-managed member=2"]])
    expect(judge(nothing, "member=1")).toEqual([["--allow-newly-managed member=2", undefined]])
    expect(judge(nothing, "team=9")).toEqual([["--allow-newly-managed member=2", undefined]])
  })

  it("says nothing where they were managed, nor where it is not known", () => {
    expect(judge({ declarations: [], scope: [USERS] })).toEqual([])
    expect(judge(undefined)).toEqual([])
  })
})

describe("what was said of some collections", () => {
  it("is all that lives in them, and no more", () => {
    const base: Base = { declarations: [acme, dev(), declare(user, alice)], scope: [TEAMS, USERS] }
    const of = (...read: ReadonlyArray<Collection>) => {
      const { declarations, scope } = indexBase(kinds, base)(read)
      return [declarations.map((it) => it.kind), scope.map(collectionId)]
    }
    expect(of(TEAMS)).toEqual([["team"], ["team@acme"]])
    expect(of(TEAMS, USERS, USERS)).toEqual([
      ["team", "member"],
      ["team@acme", "member@acme/dev#users"]
    ])
    expect(of()).toEqual([[], []])
  })
})
