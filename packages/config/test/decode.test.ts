/** What files declare and own, and that presence alone decides it. */
import { describe, expect, it } from "vitest"
import { decode, decodeObject, SchemaError } from "../src/index.ts"
import { declaredIn, decodeText, mistakes, mistakesIn, problemsOf, scopeOf } from "./helpers.ts"
import { kinds } from "./kinds.ts"

const ACME = `# the product
organization: acme
email: platform@acme.example
teams:
  dev:
    role: member
    members: { users: [alice, bob], robots: [ci] }
  ops:
robots:
  ci: { description: Builds }
default_permissions:
  - { role: read, team: dev }
  - role: write
    robot: ci
repositories:
  app:
    visibility: private
    permissions:
      users: { alice: admin }
      teams:
        dev: read
  vendor/alpine: { visibility: public }
`

describe("declarations", () => {
  it("tells each object with the line of its key", () => {
    expect(declaredIn(ACME)).toEqual([
      "organization acme acme.yaml:2",
      "team acme/dev acme.yaml:5",
      "team acme/ops acme.yaml:8",
      "team-member acme/dev/alice acme.yaml:7",
      "team-member acme/dev/bob acme.yaml:7",
      "team-member acme/dev/robot:ci acme.yaml:7",
      "robot acme/ci acme.yaml:10",
      "default-permission acme/dev/ acme.yaml:12",
      "default-permission acme/ci/ acme.yaml:13",
      "repository acme/app acme.yaml:16",
      "repository acme/vendor/alpine acme.yaml:22",
      "permission acme/app/users:alice acme.yaml:19",
      "permission acme/app/teams:dev acme.yaml:21"
    ])
  })

  it("gives a kind its own fields, not the sections of others", () => {
    const [target] = decodeText(ACME).targets
    expect(target?.desired.declarations.find((it) => it.kind === "team")?.item).toEqual({
      organization: "acme",
      name: "dev",
      role: "member"
    })
  })

  it("puts the documents of a file together", () => {
    const [target] = decodeText(`${ACME}---\norganization: globex\nrobots: {}\n`).targets
    expect(target?.desired.scope).toContainEqual({ kind: "organization", parent: "acme" })
    expect(target?.desired.scope).toContainEqual({ kind: "robot", parent: "globex" })
    expect(target?.files).toEqual(["acme.yaml"])
  })

  it("reads JSON, anchors and merge keys alike", () => {
    const yaml = "organization: acme\nteams: {dev: {role: admin, description: d}, ops: {role: admin, description: o}}\n"
    const merged =
      "organization: acme\nteams:\n  dev: &base\n    role: admin\n    description: d\n  ops:\n    <<: *base\n    description: o\n"
    const json = `{\n\t"organization": "acme",\n\t"teams": {"dev": {"role": "admin", "description": "d"}, "ops": {"role": "admin", "description": "o"}}\n}`
    const items = (text: string) => decodeText(text).targets.map((it) => it.desired.declarations.map((one) => one.item))
    expect(items(merged)).toEqual(items(yaml))
    expect(items(json)).toEqual(items(yaml))
  })

  it("takes keys that look like numbers or booleans for names", () => {
    expect(declaredIn("organization: acme\nteams:\n  123:\n  true:\n  null:\n").slice(1)).toEqual([
      "team acme/123 acme.yaml:3",
      "team acme/true acme.yaml:4",
      "team acme/null acme.yaml:5"
    ])
  })

  it("reads the same from a value as from text", () => {
    const value = {
      organization: "acme",
      teams: { dev: { role: "member", members: { users: ["alice"] } }, ops: undefined }
    }
    const [target] = decodeObject(kinds, value, "acme", { registry: "sim:" }).targets
    expect(target?.desired.declarations.map((one) => one.source)).toEqual([
      "acme: organization",
      "acme: teams.dev",
      "acme: teams.dev.members.users[0]"
    ])
    expect(target?.desired.scope).toHaveLength(3)
  })
})

describe("presence is ownership", () => {
  const cases: ReadonlyArray<readonly [given: string, want: ReadonlyArray<string>]> = [
    ["", []],
    ["teams: {}", ["team@acme"]],
    ["teams: {dev: }", ["team@acme"]],
    ["teams: {dev: {}}", ["team@acme"]],
    ["teams: {dev: {members: {}}}", ["team@acme"]],
    ["teams: {dev: {members: {users: []}}}", ["team@acme", "team-member@acme/dev#users"]],
    [
      "teams: {dev: {members: {users: [bob], robots: []}}}",
      ["team@acme", "team-member@acme/dev#users", "team-member@acme/dev#robots"]
    ],
    ["default_permissions: []", ["default-permission@acme"]],
    ["repositories: {app: {visibility: public}}", ["repository@acme"]],
    [
      "repositories: {app: {visibility: public, permissions: {teams: {}}}}",
      ["repository@acme", "permission@acme/app#teams"]
    ],
    ["repositories: {app: {visibility: public, permissions: {}}}", ["repository@acme"]],
    ["repositories: {app: {visibility: public, notifications: []}}", ["repository@acme", "notification@acme/app"]],
    ["prune: [teams]\nteams: {}\nrobots: {}", ["team@acme!", "robot@acme"]],
    ["prune: [robots, repositories]\nteams: {}", ["team@acme"]]
  ]
  it.each(cases)("%j", (given, want) => {
    expect(scopeOf(`organization: acme\n${given}\n`)).toEqual(["organization@acme", ...want])
  })

  it("never follows from null", () => {
    const empty = (text: string) => mistakes(`organization: acme\n${text}\n`)
    expect(empty("teams:")).toEqual(["acme.yaml:2:1: teams: is empty; write {} for none, or leave it out"])
    expect(empty("teams: null")).toEqual(["acme.yaml:2:1: teams: is empty; write {} for none, or leave it out"])
    expect(empty("default_permissions:")).toEqual([
      "acme.yaml:2:1: default_permissions: is empty; write [] for none, or leave it out"
    ])
    expect(empty("teams:\n  dev:\n    members:")).toEqual([
      "acme.yaml:4:5: teams.dev.members: is empty; write {} for none, or leave it out"
    ])
    expect(empty("teams:\n  dev:\n    members:\n      users:")).toEqual([
      "acme.yaml:5:7: teams.dev.members.users: is empty; write [] for none, or leave it out"
    ])
    expect(empty("repositories:\n  app:")).toEqual(["acme.yaml:3:3: repositories.app: is empty; needs visibility"])
    expect(empty("email:")).toEqual(["acme.yaml:2:1: email: is empty; should be an e-mail address, or leave it out"])
  })
})

describe("duplicates", () => {
  it("names both places of an organization, once", () => {
    const text = "organization: acme\nteams: {dev: }\n"
    expect(
      mistakesIn([
        { name: "a.yaml", text },
        { name: "b.yaml", text: `# again\n${text}` }
      ])
    ).toEqual(['b.yaml:2:1: organization "acme" is declared twice, first at a.yaml:1'])
  })

  it("names both places of an object", () => {
    expect(
      mistakes(
        "organization: acme\ndefault_permissions:\n  - { role: read, team: dev }\n  - { role: write, team: dev }\n"
      )
    ).toEqual(['acme.yaml:4:5: default-permission "acme/dev/" is declared twice, first at acme.yaml:3'])
  })

  it("lets an organization be on several registries", () => {
    const text = (registry: string) => `organization: acme\nregistry: ${registry}\n`
    const files = ["https://a.example.com", "https://b.example.com"].map((url) => ({
      name: `${url}.yaml`,
      text: text(url)
    }))
    expect(mistakesIn(files, {})).toEqual([])
  })
})

describe("references", () => {
  it("are checked where the files own what they refer to", () => {
    const text = "organization: acme\nrobots: { ci: }\nteams:\n  dev: { members: { robots: [ci, cii] } }\n"
    expect(mistakes(text)).toEqual([
      'acme.yaml:4:34: robot "acme/cii" is not declared under robots; did you mean "acme/ci"?'
    ])
  })

  it("are left to the planner elsewhere", () => {
    expect(mistakes("organization: acme\nteams:\n  dev: { members: { robots: [cii] } }\n")).toEqual([])
  })

  it("may be to what the registry makes by itself", () => {
    const text = "organization: acme\nteams: {}\ndefault_permissions:\n  - { role: read, team: owners }\n"
    expect(mistakes(text)).toEqual([])
  })

  it("say nothing of what was left out as a mistake", () => {
    const text =
      "organization: acme\nrobots:\n  ci: [1]\nteams:\n  dev: { members: { robots: [ci] } }\nrepositories:\n  app: { visibility: public, permissions: { robots: { ci: read } } }\n"
    expect(mistakes(text)).toEqual(["acme.yaml:3:7: robots.ci: should be a map, is a list"])
  })
})

describe("objects of a program", () => {
  it("are told by path", () => {
    const value = { organization: "acme", teams: { dev: { role: "memer" } }, robots: null }
    expect(problemsOf(() => decodeObject(kinds, value, "acme", { registry: "sim:" }))).toEqual([
      "acme: robots: is empty; write {} for none, or leave it out",
      'acme: teams.dev.role: should be one of member, creator, admin, is "memer"; did you mean "member"?'
    ])
  })

  it("may not be what no file can hold", () => {
    const self: Record<string, unknown> = { organization: "acme" }
    self["teams"] = self
    const odd = {
      organization: "acme",
      email: new Date(0),
      note: () => 1,
      code: 1n,
      seats: Number.NaN,
      teams: new Map()
    }
    expect(problemsOf(() => decodeObject(kinds, self, "self", { registry: "sim:" }))).toEqual([
      "self: teams: contains itself"
    ])
    expect(problemsOf(() => decodeObject(kinds, odd, "odd", { registry: "sim:" }))).toEqual([
      "odd: code: is a bigint, which no file can hold",
      "odd: email: is a Date, which no file can hold",
      "odd: note: is a function, which no file can hold",
      "odd: seats: should be a finite number",
      "odd: teams: is a Map, which no file can hold"
    ])
  })
})

describe("kinds that do not go together", () => {
  const [organization, team, robot, member] = kinds
  it.each([
    ["a section under no kind", [team], 'The section of team stands under "organization", and there is no such kind.'],
    [
      "two sections of one name",
      [organization, team, { ...robot, section: { ...robot.section, name: "teams" } }],
      'robot and team both have the section "teams".'
    ],
    [
      "a section that takes a common key",
      [organization, { ...team, section: { ...team.section, name: "prune" } }],
      'organization: the key "prune" belongs to every document.'
    ],
    [
      "a section inside itself",
      [organization, { ...team, section: { ...team.section, under: "team" } }],
      "The section of team stands inside itself."
    ],
    [
      "a section inside one that has no room",
      [organization, team, member, { ...robot, section: { ...robot.section, under: "team-member" } }],
      "team-member: nothing can stand inside this section: robots."
    ]
  ] as const)("%s", (_what, list, message) => {
    expect(() => decode([...list], { files: [], problems: [] })).toThrow(new SchemaError(message))
  })

  it("a schema with a keyword that is not checked", () => {
    const odd = { ...team, section: { ...team.section, schema: () => ({ ...team.section.schema({}), not: {} }) } }
    expect(() => decode([organization, odd], { files: [], problems: [] })).toThrow(
      new SchemaError('organization.teams: files cannot be checked by the keyword "not".')
    )
  })

  it("a section that refuses what its schema lets pass", () => {
    const refuse = () => {
      throw Object.assign(new Error("dev is taken"), { path: ["dev"] })
    }
    const strict = { ...team, section: { ...team.section, read: refuse } }
    const files = [{ name: "acme.yaml", text: "organization: acme\nteams:\n  dev:\n" }]
    expect(problemsOf(() => decode([organization, strict], { files, problems: [] }, { registry: "sim:" }))).toEqual([
      "acme.yaml:3:3: teams.dev: dev is taken"
    ])
  })
})
