/** The guard: where each rule blocks, where its flag allows just that amount, and where it stays silent. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type AddressPattern,
  type Allowances,
  allowing,
  assemble,
  blockingOf,
  type Collection,
  checkAllowances,
  type Declaration,
  decodePlan,
  defaultPolicy,
  encodePlan,
  type Found,
  type Owned,
  PlanBlocked,
  type Policy,
  planTarget,
  type TargetPlan,
  type Verdict
} from "../src/index.ts"
import { planIfAny, scene, target } from "./arbitrary.ts"
import { application, CALLER, declare, found, kinds, member, organization, repository, robot, team } from "./world.ts"

const acme = { organization: "acme" }

interface World {
  readonly there?: ReadonlyArray<Found>
  readonly declared?: ReadonlyArray<Declaration>
  readonly scope?: ReadonlyArray<Owned>
  readonly policy?: Partial<Policy>
  readonly protect?: ReadonlyArray<string>
  readonly ignore?: ReadonlyArray<string>
  /** What was read beside the scope. */
  readonly read?: ReadonlyArray<Collection>
}

const patterns = (texts: ReadonlyArray<string>): ReadonlyArray<AddressPattern> =>
  texts.map((text) => {
    const [kind = "", ...match] = text.split("/")
    return { kind, within: "acme", match: match.join("/"), source: "acme.yaml:2" }
  })

const planned = ({
  declared = [],
  ignore = [],
  policy = {},
  protect = [],
  read = [],
  scope = [],
  there = []
}: World): TargetPlan =>
  planTarget(
    kinds,
    target,
    {
      declarations: declared,
      scope,
      policy: { ...defaultPolicy, ...policy },
      protect: patterns(protect),
      ignore: patterns(ignore)
    },
    { found: [found(organization, { name: "acme" }), ...there], read: [...scope, ...read], caller: CALLER }
  )

const verdictsOf = (world: World, allowances: Allowances = {}): ReadonlyArray<Verdict> =>
  assemble([planned(world)], "1", allowances).targets.flatMap(({ verdicts }) => verdicts)

/** Rule, subject and flag, and what allows it. */
const said = (verdicts: ReadonlyArray<Verdict>) =>
  verdicts
    .map(({ allow, allowed, key, parent, part, rule }) =>
      [
        rule,
        key ?? `${parent}${part === undefined ? "" : `#${part}`}`,
        allowed === undefined ? allow : `by ${allowed}`
      ].join("  ")
    )
    .sort()

const ANYTHING: Allowances = {
  deletes: kinds.map(({ kind }) => `${kind}=999`),
  destroy: kinds.map(({ kind }) => `${kind}=999`)
}

const times = <A>(count: number, make: (i: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, i) => make(i))

const teams = (count: number) => times(count, (i) => found(team, { ...acme, name: `t${i}` }))
const keepTeams = (count: number) => times(count, (i) => declare(team, { ...acme, name: `t${i}` }))
const prune = (kind: string): ReadonlyArray<Owned> => [{ kind, parent: "acme", prune: true }]
const members = (count: number, of = "dev") =>
  times(count, (i) => found(member, { ...acme, team: of, subject: "user" as const, name: `u${i}` }))
const keepMembers = (count: number, from = 0) =>
  times(count, (i) => declare(member, { ...acme, team: "dev", subject: "user" as const, name: `u${from + i}` }))
const dev = declare(team, { ...acme, name: "dev" })
const devThere = found(team, { ...acme, name: "dev" })
const users: ReadonlyArray<Owned> = [{ kind: "member", parent: "acme/dev", part: "users" }]
const robots = (count: number) => times(count, (i) => found(robot, { ...acme, name: `r${i}` }))
const repositories = (...names: ReadonlyArray<string>) => names.map((name) => found(repository, { ...acme, name }))

interface Case {
  readonly name: string
  readonly world: World
  readonly allow?: Allowances
  readonly want: ReadonlyArray<string>
}

const table = (cases: ReadonlyArray<Case>) =>
  it.each(cases)("$name", ({ allow, want, world }) => expect(said(verdictsOf(world, allow))).toEqual([...want].sort()))

describe("more than a share of a collection", () => {
  const fourOfTen = { there: teams(10), declared: keepTeams(6), scope: prune("team") }
  table([
    { name: "blocks", world: fourOfTen, want: ["too-many-deletes  acme  --allow-deletes team=4"] },
    {
      name: "is allowed by just that amount",
      world: fourOfTen,
      allow: { deletes: ["team=4"] },
      want: ["too-many-deletes  acme  by --allow-deletes team=4"]
    },
    {
      name: "is not allowed by one less",
      world: fourOfTen,
      allow: { deletes: ["team=3"] },
      want: ["too-many-deletes  acme  --allow-deletes team=4"]
    },
    {
      name: "is not allowed by the amount of another kind, nor by another flag",
      world: fourOfTen,
      allow: { deletes: ["member=9"], destroy: ["team=9", "team:acme/*"] },
      want: ["too-many-deletes  acme  --allow-deletes team=4"]
    },
    {
      name: "stays silent at the share itself",
      world: { there: teams(10), declared: keepTeams(7), scope: prune("team") },
      want: []
    },
    {
      name: "stays silent where the collection is small",
      world: { there: teams(9), declared: keepTeams(1), scope: prune("team") },
      want: []
    },
    {
      name: "stays silent where extras are kept",
      world: { ...fourOfTen, scope: [{ kind: "team", parent: "acme" }] },
      want: []
    },
    {
      name: "counts what is deleted, not what is made in its place",
      world: {
        ...fourOfTen,
        declared: [...keepTeams(6), ...times(9, (i) => declare(team, { ...acme, name: `new${i}` }))]
      },
      want: ["too-many-deletes  acme  --allow-deletes team=4"]
    },
    {
      name: "counts what goes along: ten of the twelve members of two teams that are pruned",
      world: {
        there: [...teams(8), found(team, { ...acme, name: "big" }), ...members(12, "big")],
        declared: keepTeams(8),
        scope: prune("team")
      },
      want: ["emptied  acme/big#users  --allow-deletes member=12"]
    },
    {
      name: "does not count what is there by itself",
      world: {
        there: [...teams(9), found(team, { ...acme, name: "owners" })],
        declared: keepTeams(5),
        scope: prune("team")
      },
      want: []
    }
  ])

  it("takes its thresholds from the policy, and from what it says of the kind", () => {
    const three = { there: teams(4), declared: keepTeams(3), scope: prune("team") }
    expect(said(verdictsOf(three))).toEqual([])
    expect(said(verdictsOf({ ...three, policy: { of: 4, share: 20 } }))).toHaveLength(1)
    expect(said(verdictsOf({ ...three, policy: { of: 4, share: 25 } }))).toEqual([])
    expect(said(verdictsOf({ ...three, policy: { kinds: { team: { of: 4, share: 20 } } } }))).toHaveLength(1)
    expect(said(verdictsOf({ ...three, policy: { kinds: { member: { of: 4, share: 20 } } } }))).toEqual([])
  })
})

describe("a collection emptied", () => {
  const three = { there: [devThere, ...members(3)], declared: [dev], scope: users }
  table([
    { name: "blocks", world: three, want: ["emptied  acme/dev#users  --allow-deletes member=3"] },
    {
      name: "is allowed by just that amount",
      world: three,
      allow: { deletes: ["member=3"] },
      want: ["emptied  acme/dev#users  by --allow-deletes member=3"]
    },
    {
      name: "is not allowed by one less",
      world: three,
      allow: { deletes: ["member=2"] },
      want: ["emptied  acme/dev#users  --allow-deletes member=3"]
    },
    { name: "stays silent for two", world: { ...three, there: [devThere, ...members(2)] }, want: [] },
    { name: "stays silent where one stays", world: { ...three, declared: [dev, ...keepMembers(1)] }, want: [] },
    { name: "stays silent where one comes", world: { ...three, declared: [dev, ...keepMembers(1, 7)] }, want: [] },
    {
      name: "is one verdict where it is more than a share as well",
      world: { ...three, there: [devThere, ...members(12)] },
      want: ["emptied  acme/dev#users  --allow-deletes member=12"]
    },
    {
      name: "does not count what is there by itself as staying",
      world: { there: [...teams(3), found(team, { ...acme, name: "owners" })], scope: prune("team") },
      want: ["emptied  acme  --allow-deletes team=3"]
    },
    {
      name: "counts what stays because a file says so",
      world: {
        there: [...teams(3), found(team, { ...acme, name: "owners" })],
        declared: [declare(team, { ...acme, name: "owners" })],
        scope: prune("team")
      },
      want: []
    }
  ])
})

describe("data or a credential destroyed", () => {
  const old = { there: repositories("old"), scope: prune("repository") }
  const three = { there: repositories("app", "old-1", "old-2"), scope: prune("repository") }
  const all = "repository=3"
  const replaced: World = {
    there: [found(application, { ...acme, name: "app", url: "u" })],
    declared: [declare(application, { ...acme, name: "app", url: "v" })]
  }
  table([
    { name: "blocks", world: old, want: ["destroys-data  acme/old  --allow-destroy repository:acme/old"] },
    {
      name: "is allowed by the address",
      world: old,
      allow: { destroy: ["repository:acme/old"] },
      want: ["destroys-data  acme/old  by --allow-destroy repository:acme/old"]
    },
    {
      name: "is allowed by the amount",
      world: old,
      allow: { destroy: ["repository=1"] },
      want: ["destroys-data  acme/old  by --allow-destroy repository=1"]
    },
    {
      name: "is not allowed by another address, kind or flag",
      world: old,
      allow: { deletes: ["repository=5"], destroy: ["repository:acme/o", "repository:*", "robot:acme/old", "robot=1"] },
      want: ["destroys-data  acme/old  --allow-destroy repository:acme/old"]
    },
    {
      name: "is allowed by a pattern for what matches, and not one more",
      world: { ...three, there: repositories("app", "old-1") },
      allow: { destroy: ["repository:acme/old-*"] },
      want: [
        "destroys-data  acme/app  --allow-destroy repository:acme/app",
        "destroys-data  acme/old-1  by --allow-destroy 'repository:acme/old-*'"
      ]
    },
    {
      name: "is allowed by an amount beside a pattern, for what the pattern leaves",
      world: { ...three, there: repositories("app", "old-1") },
      allow: { destroy: ["repository=1", "repository:acme/old-*"] },
      want: [
        "destroys-data  acme/app  by --allow-destroy repository=1",
        "destroys-data  acme/old-1  by --allow-destroy 'repository:acme/old-*'"
      ]
    },
    {
      name: "is not allowed at all by one less than there are",
      world: three,
      allow: { destroy: ["repository=2"] },
      want: [
        "emptied  acme  --allow-destroy repository=3",
        "destroys-data  acme/app  --allow-destroy repository:acme/app",
        "destroys-data  acme/old-1  --allow-destroy repository:acme/old-1",
        "destroys-data  acme/old-2  --allow-destroy repository:acme/old-2"
      ]
    },
    {
      name: "needs one flag where it is too much as well",
      world: three,
      allow: { destroy: [all] },
      want: ["app", "old-1", "old-2"]
        .map((it) => `destroys-data  acme/${it}  by --allow-destroy ${all}`)
        .concat(`emptied  acme  by --allow-destroy ${all}`)
    },
    {
      name: "is a verdict for a replacement, too",
      world: replaced,
      want: ["destroys-credential  acme/app  --allow-destroy application:acme/app"]
    },
    {
      name: "is allowed for a replacement by its address",
      world: replaced,
      allow: { destroy: ["application:acme/app"] },
      want: ["destroys-credential  acme/app  by --allow-destroy application:acme/app"]
    },
    {
      name: "is told of what takes the rest along, and not of the rest",
      world: {
        declared: [{ kind: "organization", item: { name: "acme" }, absent: true }],
        there: [...repositories("a", "b", "c"), ...robots(3), ...teams(3)]
      },
      want: ["destroys-data  acme  --allow-destroy organization:acme"]
    },
    {
      name: "stays silent where nothing is lost",
      world: {
        there: [...repositories("app"), ...robots(1), devThere],
        declared: [declare(repository, { ...acme, name: "app", visibility: "private" }), dev],
        scope: [
          { kind: "repository", parent: "acme" },
          { kind: "robot", parent: "acme" }
        ]
      },
      want: []
    }
  ])

  it("names the amount where there are several, over all registries", () => {
    const one = planned({ there: robots(2), scope: prune("robot") })
    const { targets } = assemble([one, { ...one, registry: "second", url: "https://second.example" }], "1")
    expect(new Set(targets.flatMap(({ verdicts }) => verdicts.map(({ allowAlike }) => allowAlike)))).toEqual(
      new Set(["--allow-destroy robot=4"])
    )
    const allowed = (text: string) => blockingOf(assemble(targets, "1", { destroy: [text] }).targets).length
    expect([allowed("robot=3"), allowed("robot=4")]).toEqual([4, 0])
  })
})

describe("what looks like a rename", () => {
  const renamed: World = {
    there: [found(repository, { ...acme, name: "old", visibility: "private" })],
    declared: [declare(repository, { ...acme, name: "new", visibility: "private" })],
    scope: prune("repository")
  }
  const teamRenamed: World = {
    there: [found(team, { ...acme, name: "old", role: "creator" })],
    declared: [declare(team, { ...acme, name: "new", role: "creator" })],
    scope: prune("team")
  }
  const destroys = "destroys-data  acme/old  --allow-destroy repository:acme/old"
  const by = "by --allow-destroy repository:acme/old"
  table([
    {
      name: "blocks, beside what it destroys",
      world: renamed,
      want: [destroys, "looks-like-a-rename  acme/old  --allow-destroy repository:acme/old"]
    },
    {
      name: "is allowed by the flag for what it destroys",
      world: renamed,
      allow: { destroy: ["repository:acme/old"] },
      want: [`destroys-data  acme/old  ${by}`, `looks-like-a-rename  acme/old  ${by}`]
    },
    {
      name: "blocks where nothing else would",
      world: teamRenamed,
      want: ["looks-like-a-rename  acme/old  --allow-deletes team=1"]
    },
    {
      name: "is allowed by just that amount",
      world: teamRenamed,
      allow: { deletes: ["team=1"] },
      want: ["looks-like-a-rename  acme/old  by --allow-deletes team=1"]
    },
    {
      name: "is not allowed by one less",
      world: teamRenamed,
      allow: { deletes: ["team=0"], destroy: ["team=9", "team:acme/old"] },
      want: ["looks-like-a-rename  acme/old  --allow-deletes team=1"]
    },
    {
      name: "stays silent where the settings differ",
      world: { ...teamRenamed, declared: [declare(team, { ...acme, name: "new", role: "member" })] },
      want: []
    },
    {
      name: "stays silent where it could be any of several",
      world: {
        ...teamRenamed,
        there: [...(teamRenamed.there ?? []), found(team, { ...acme, name: "old2", role: "creator" })]
      },
      want: []
    },
    {
      name: "stays silent of who may do what",
      world: { there: [devThere, ...members(1)], declared: [dev, ...keepMembers(1, 5)], scope: users },
      want: []
    },
    {
      name: "stays silent where the old one is kept, which is noticed",
      world: { ...renamed, scope: [{ kind: "repository", parent: "acme" }] },
      want: []
    }
  ])

  it("says the way out", () => {
    const [verdict] = verdictsOf(teamRenamed)
    expect(verdict?.message).toBe(
      "team acme/old would be deleted, and acme/new made just like it: that looks like a rename, and what is in it is lost; " +
        "keep both, move what is in the old one, and prune it then"
    )
    expect(planned({ ...renamed, scope: [{ kind: "repository", parent: "acme" }] }).notices).toEqual([
      {
        kind: "repository",
        key: "acme/new",
        message:
          "is new, and just like acme/old, which no file declares: if that is to have another name, " +
          "keep both, move what is in the old one, and prune it then"
      }
    ])
  })
})

const inTeam = (of: string, ...names: ReadonlyArray<string>) =>
  names.map((name) => found(member, { ...acme, team: of, subject: "user" as const, name }))
const wantIn = (of: string, ...names: ReadonlyArray<string>) =>
  names.map((name) => declare(member, { ...acme, team: of, subject: "user" as const, name }))
const admins = (name: string) => found(team, { ...acme, name, role: "admin" })
const wantAdmins = (name: string) => declare(team, { ...acme, name, role: "admin" })
const usersOf = (of: string): Owned => ({ kind: "member", parent: `acme/${of}`, part: "users" })

describe("the caller's own access", () => {
  const leaving: World = {
    there: [admins("dev"), ...inTeam("dev", "alice", CALLER)],
    declared: [wantAdmins("dev"), ...wantIn("dev", "alice")],
    scope: users
  }
  const demoted: World = {
    there: [admins("owners"), admins("dev")],
    declared: [declare(team, { ...acme, name: "dev", role: "member" })],
    scope: [{ kind: "team", parent: "acme" }]
  }
  const blocked = "own-access  acme  --allow-lockout organization:acme"
  table([
    { name: "is not taken away", world: leaving, want: [blocked] },
    {
      name: "may be given up by name",
      world: leaving,
      allow: { lockout: ["organization:acme"] },
      want: ["own-access  acme  by --allow-lockout organization:acme"]
    },
    {
      name: "may be given up by amount",
      world: leaving,
      allow: { lockout: ["organization=1"] },
      want: ["own-access  acme  by --allow-lockout organization=1"]
    },
    {
      name: "is not given up by another flag, kind or amount",
      world: leaving,
      allow: { ...ANYTHING, lockout: ["organization=0", "organization:zeta", "team:acme/dev", "member=1"] },
      want: [blocked]
    },
    { name: "is not taken away by what the team is, if it may be", world: demoted, want: [blocked] },
    {
      name: "stays silent where somebody else goes",
      world: { ...leaving, declared: [wantAdmins("dev"), ...wantIn("dev", CALLER)] },
      want: []
    },
    {
      name: "stays silent where there is another way",
      world: {
        ...leaving,
        there: [...(leaving.there ?? []), admins("ops"), ...inTeam("ops", CALLER)],
        read: [usersOf("ops")]
      },
      want: []
    },
    {
      name: "stays silent where the team administers nothing",
      world: {
        ...leaving,
        there: [devThere, ...inTeam("dev", "alice", CALLER)],
        declared: [dev, ...wantIn("dev", "alice")]
      },
      want: []
    },
    {
      name: "stays silent where the people of the team are known",
      world: {
        ...demoted,
        there: [...(demoted.there ?? []), admins("ops"), ...inTeam("dev", "alice"), ...inTeam("ops", "bob")],
        read: [usersOf("dev"), usersOf("ops")]
      },
      want: []
    },
    {
      name: "stays silent where all goes",
      world: { ...leaving, declared: [{ kind: "organization", item: { name: "acme" }, absent: true }], scope: [] },
      allow: { destroy: ["organization=1"] },
      want: ["destroys-data  acme  by --allow-destroy organization=1"]
    }
  ])

  it("names the operations that take it away", () => {
    const [verdict] = verdictsOf(leaving)
    expect(verdict).toMatchObject({
      operations: [`delete:member:acme/dev/user:${CALLER}`],
      message: `${CALLER}, whose token this is, would no longer administer organization acme`
    })
    expect(verdictsOf(demoted)[0]?.operations).toEqual(["update:team:acme/dev"])
  })

  it("is given up in so many places, and not one more", () => {
    const one = planned(leaving)
    const both = [one, { ...one, registry: "second", url: "https://second.example" }]
    const open = (text: string) => blockingOf(assemble(both, "1", { lockout: [text] }).targets).length
    expect([open("organization=1"), open("organization=2")]).toEqual([2, 0])
  })
})

describe("the last administrator", () => {
  const last: World = {
    there: [admins("dev"), ...inTeam("dev", "alice")],
    declared: [wantAdmins("dev")],
    scope: users
  }
  const blocked = "last-administrator  acme  --allow-lockout organization:acme"
  table([
    { name: "is not removed", world: last, want: [blocked] },
    {
      name: "is removed if just that is allowed",
      world: last,
      allow: { lockout: ["organization=1"] },
      want: ["last-administrator  acme  by --allow-lockout organization=1"]
    },
    {
      name: "is not removed by one less",
      world: last,
      allow: { ...ANYTHING, lockout: ["organization=0"] },
      want: [blocked]
    },
    {
      name: "is not removed with the team's role",
      world: {
        there: [admins("dev"), ...inTeam("dev", "alice")],
        declared: [declare(team, { ...acme, name: "dev", role: "member" })],
        scope: [{ kind: "team", parent: "acme" }],
        read: users
      },
      want: [blocked]
    },
    {
      name: "stays silent where another one comes",
      world: { ...last, declared: [wantAdmins("dev"), ...wantIn("dev", "bob")] },
      want: []
    },
    {
      name: "stays silent where there are others",
      world: { ...last, there: [...(last.there ?? []), admins("owners")] },
      want: []
    },
    {
      name: "stays silent where there was none",
      world: { ...last, there: [admins("dev"), ...inTeam("ops", "alice")], scope: [...users, usersOf("ops")] },
      want: []
    }
  ])
})

describe("required administrators", () => {
  const two = { administrators: { required: ["alice"], atLeast: 2 } }
  const open = (world: World) => verdictsOf(world, ANYTHING).filter(({ allowed }) => allowed === undefined)
  const staying = (...names: ReadonlyArray<string>): World => ({
    there: [admins("dev"), ...inTeam("dev", "alice", "bob", "carl")],
    declared: [wantAdmins("dev"), ...wantIn("dev", ...names)],
    scope: users,
    policy: two
  })

  it.each([
    ["one of them goes", staying("bob", "carl"), ["alice would not administer organization acme, and has to"]],
    ["too few stay", staying("alice"), ["organization acme would have 1 of the 2 administrators that it has to have"]],
    [
      "they were missing before",
      { ...staying("bob", "carl"), there: [admins("dev"), ...inTeam("dev", "bob", "carl")] },
      ["alice would not administer organization acme, and has to"]
    ]
  ])("block where %s, whatever is allowed", (_, world, want) => {
    expect(open(world)).toMatchObject(
      want.map((message) => ({ rule: "required-administrators", key: "acme", message }))
    )
  })

  it.each<[string, World]>([
    ["they are there", staying("alice", "carl")],
    ["there is no such policy", { ...staying("bob"), policy: {} }],
    ["nobody manages who administers", { ...staying("bob"), scope: [], read: users }],
    ["some are in a team that nobody looked into", { ...staying("bob"), there: [admins("owners"), admins("dev")] }],
    [
      "they come by another team",
      {
        ...staying("bob"),
        there: [admins("owners"), admins("dev"), ...inTeam("owners", "alice")],
        read: [usersOf("owners")]
      }
    ]
  ])("stay silent where %s", (_, world) => expect(open(world)).toEqual([]))
})

describe("what is protected", () => {
  const old: World = { there: repositories("old"), scope: prune("repository"), protect: ["repository/o*"] }
  const noWay = "--allow-destroy repository=999"
  /** What is neither allowed nor of another rule. */
  const held = (world: World) =>
    verdictsOf(world, ANYTHING)
      .filter(({ allowed }) => allowed === undefined)
      .map(({ message, rule }) => `${rule}: ${message}`)

  table([
    {
      name: "is not deleted, whatever is allowed",
      world: old,
      allow: ANYTHING,
      want: ["protected  acme/old  ", `destroys-data  acme/old  by ${noWay}`]
    },
    {
      name: "stays silent of what the pattern does not match, and of other kinds",
      world: { ...old, protect: ["repository/app", "robot/o*", "repository/*/old"] },
      allow: ANYTHING,
      want: [`destroys-data  acme/old  by ${noWay}`]
    },
    {
      name: "stays silent where nothing happens to it",
      world: { ...old, declared: [declare(repository, { ...acme, name: "old", visibility: "private" })] },
      want: []
    }
  ])

  it.each<{ name: string; world: World; want: ReadonlyArray<string> }>([
    {
      name: "is not replaced",
      world: {
        there: [found(application, { ...acme, name: "app", url: "u" })],
        declared: [declare(application, { ...acme, name: "app", url: "v" })],
        protect: ["application/app"]
      },
      want: ["protected: application acme/app would be deleted and made again, and is protected: acme.yaml:2"]
    },
    {
      name: "does not go along",
      world: {
        there: [devThere, ...members(1)],
        scope: prune("team"),
        read: [{ kind: "member", parent: "acme/dev" }],
        protect: ["member/dev/user:u0"]
      },
      want: ["protected: member acme/dev/user:u0 would go along with team:acme/dev, and is protected: acme.yaml:2"]
    },
    {
      name: "may be in what nobody looked into",
      world: {
        there: [devThere, found(team, { ...acme, name: "ops" })],
        scope: prune("team"),
        protect: ["member/d*/user:u0"]
      },
      want: ["protected: team acme/dev would be deleted, and may hold what is protected: acme.yaml:2"]
    },
    {
      name: "is not in what was looked into, and was not found",
      world: {
        there: [devThere],
        scope: prune("team"),
        read: [{ kind: "member", parent: "acme/dev" }],
        protect: ["member/dev/user:u0"]
      },
      want: []
    },
    {
      name: "does not live in what is only called alike",
      world: { there: [found(robot, { ...acme, name: "dev" })], scope: prune("robot"), protect: ["member/dev/*"] },
      want: []
    }
  ])("$name", ({ want, world }) => expect(held(world)).toEqual(want))
})

describe("what is somebody else's", () => {
  const robotsLeft = ({ extras, operations }: TargetPlan) => [
    operations.map(({ id }) => id),
    extras.map(({ key }) => key)
  ]

  it("is neither listed nor removed", () => {
    const world = { there: robots(3), ignore: ["robot/r[01]", "robot/r0", "robot/?1"] }
    expect(robotsLeft(planned({ ...world, scope: [{ kind: "robot", parent: "acme" }] }))).toEqual([[], ["acme/r2"]])
    expect(robotsLeft(planned({ ...world, scope: prune("robot") }))).toEqual([["delete:robot:acme/r2"], []])
  })

  it("is so with what lives in it", () => {
    const world = {
      there: [devThere, ...members(3), found(team, { ...acme, name: "ops" }), ...members(1, "ops")],
      scope: [...users, { kind: "member", parent: "acme/ops", part: "users" }]
    }
    expect(planned({ ...world, ignore: ["team/dev"] }).operations.map(({ id }) => id)).toEqual([
      "delete:member:acme/ops/user:u0"
    ])
  })

  it("does not count among what stays", () => {
    const world = { there: robots(4), scope: prune("robot"), ignore: ["robot/r3"] }
    expect(said(verdictsOf(world))).toContain("emptied  acme  --allow-destroy robot=3")
  })

  it("does not go along, whatever is allowed", () => {
    const world = {
      there: [devThere, ...members(1)],
      scope: prune("team"),
      read: [{ kind: "member", parent: "acme/dev" }],
      ignore: ["member/dev/*"]
    }
    const open = verdictsOf(world, ANYTHING).filter(({ allowed }) => allowed === undefined)
    expect(open).toMatchObject([{ rule: "ignored", key: "acme/dev/user:u0", operations: ["delete:team:acme/dev"] }])
    expect(verdictsOf({ ...world, ignore: ["member/ops/*"] }, ANYTHING)).toEqual([])
    expect(verdictsOf({ ...world, read: [], there: [devThere] }, ANYTHING)).toMatchObject([
      { rule: "ignored", key: "acme/dev" }
    ])
  })
})

describe("allowances", () => {
  it("stay with the plan, and more can be given later", () => {
    const world = { there: [...teams(3), ...robots(1)], scope: [...prune("team"), ...prune("robot")] }
    const plan = assemble([planned(world)], "1", { deletes: ["team=3"] })
    expect(plan.summary.blocked).toBe(1)
    const read = decodePlan(kinds, encodePlan(plan))
    expect(read).toEqual(plan)
    const more = allowing(read, { destroy: ["robot:acme/r0"] })
    expect(more.guard.allowances).toEqual({ deletes: ["team=3"], destroy: ["robot:acme/r0"] })
    expect(more.summary.blocked).toBe(0)
    expect(more.digest).toBe(plan.digest)
    expect(decodePlan(kinds, encodePlan(more))).toEqual(more)
  })

  it.each([
    ["deletes", "team", /Expected KIND=AMOUNT, such as team=28, not "team"/],
    ["deletes", "team:acme/dev", /Expected KIND=AMOUNT, such as/],
    ["deletes", "team=-1", /Expected KIND=AMOUNT/],
    ["deletes", "team=3.5", /Expected KIND=AMOUNT/],
    ["destroy", "acme/old", /Expected KIND=AMOUNT or KIND:KEY/],
    ["destroy", "repo:acme/old", /There is no kind named "repo"/]
  ] as const)("that say nothing are told: %s %s", (name, text, want) => {
    expect(() => checkAllowances({ [name]: [text] }, new Set(["team", "repository"]))).toThrow(want)
  })

  it("have flags that a shell takes as one word", () => {
    const [verdict] = verdictsOf({ there: repositories("it's"), scope: prune("repository") })
    expect(verdict?.allow).toBe(String.raw`--allow-destroy 'repository:acme/it'\''s'`)
  })
})

it("a blocked plan says what blocks it, and the way out", () => {
  const { targets } = assemble([planned({ there: [devThere, ...members(3)], declared: [dev], scope: users })], "1")
  expect(new PlanBlocked(blockingOf(targets)).message).toBe(
    "emptied: all 3 member.users of acme/dev would be deleted. Allow with --allow-deletes member=3"
  )
})

describe("of whatever is there and wanted", () => {
  const takesAway = ({ operations }: TargetPlan) =>
    operations.some(({ action }) => action === "delete" || action === "replace")

  it("a plan that deletes and replaces nothing has no verdict", () => {
    let asked = 0
    fc.assert(
      fc.property(scene, ({ desired, model }) => {
        // What is there and declared as it is, and no extras: most plans would delete something otherwise.
        const scope = desired.scope.map(({ prune: _, ...collection }) => collection)
        const plan = planIfAny(model, { declarations: desired.declarations.filter(({ absent }) => !absent), scope })
        if (plan === undefined || takesAway(plan)) return
        asked += 1
        // To take a role from a team can lock out, and deletes nothing.
        expect(plan.verdicts.filter(({ allowance }) => allowance !== "lockout")).toEqual([])
      }),
      { numRuns: 1000 }
    )
    expect(asked).toBeGreaterThan(100)
  })

  it("what destroys is never silent, what is allowed by amount is all allowed, and one less is too little", () => {
    let asked = 0
    fc.assert(
      fc.property(scene, ({ desired, model }) => {
        const plan = planIfAny(model, desired)
        if (plan === undefined) return
        const lost = plan.operations.filter((it) => "destroys" in it && it.impliedBy === undefined)
        const told = new Set(plan.verdicts.flatMap(({ operations }) => operations))
        expect(lost.filter(({ id }) => !told.has(id))).toEqual([])
        const flags = new Set(
          plan.verdicts.flatMap(({ allow, allowAlike }) => [(allowAlike ?? allow ?? "").replace(/:.*/, "=1")])
        )
        const given = [...flags].flatMap(
          (flag) => /^--allow-(deletes|destroy) (.+)=([0-9]+)$/.exec(flag)?.slice(1) ?? []
        )
        if (given.length === 0) return
        asked += 1
        const [name = "", kind = "", amount = "0"] = given
        const allowed = (texts: Record<string, ReadonlyArray<string>>) =>
          assemble([plan], "1", texts)
            .targets.flatMap(({ verdicts }) => verdicts)
            .filter((it) => it.allowance === name && it.kind === kind && it.allowed !== undefined).length
        const all = plan.verdicts.filter((it) => it.allowance === name && it.kind === kind).length
        expect(allowed({ [name]: [`${kind}=${amount}`] })).toBeGreaterThan(0)
        expect(allowed({ [name]: [`${kind}=99`] })).toBe(all)
        expect(allowed({ [name]: [`${kind}=0`] })).toBe(0)
      }),
      { numRuns: 1000 }
    )
    expect(asked).toBeGreaterThan(100)
  })
})
