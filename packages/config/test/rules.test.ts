/** Rules over repositories: of whom they speak, who has the last word, and what is wrong with them. */
import {
  collectionId,
  type Desired,
  type Found,
  indexKinds,
  isRecord,
  type Kind,
  mapSection,
  section
} from "@quaymaster/engine"
import { Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import { decode, expandRules, fileSchema, ruledCollections, standIns } from "../src/index.ts"
import { problemsOf } from "./helpers.ts"
import { kinds as others } from "./kinds.ts"

const closed = { additionalProperties: false }
const text = Type.Optional(Type.String())
const schema = Type.Object(
  { organization: Type.String(), name: Type.String(), visibility: text, description: text },
  closed
)

/** Repositories over which there may be rules. */
const repository: Kind<"repository", typeof schema> = {
  kind: "repository",
  schema,
  identity: ["organization", "name"],
  key: (it) => `${it.organization}/${it.name}`,
  collection: (it) => ({ parent: it.organization }),
  needs: (it) => [{ kind: "organization", key: it.organization, parent: it.organization }],
  extras: "keep",
  section: mapSection({
    under: "organization",
    name: "repositories",
    names: { pattern: "^[a-z0-9/_-]+$", description: "lower-case letters, digits, dashes and slashes" },
    description: "The repositories.",
    fields: {
      visibility: Type.Optional(Type.Union([Type.Literal("public"), Type.Literal("private")])),
      description: text
    },
    read: (name, entry, organization) => ({ organization, name, ...entry }),
    rules: { name: "repository_rules", description: "Rules over them.", nameOf: ({ name }) => name }
  }),
  list: () => [],
  create: () => undefined
}

const inert = { list: () => [], create: () => undefined }
const tagSchema = Type.Object({ repository: Type.String(), name: Type.String() }, closed)

/** Tags, and labels of tags: entries in entries. A tag may be unwanted. */
const tag: Kind<"tag", typeof tagSchema> = {
  kind: "tag",
  schema: tagSchema,
  identity: ["repository", "name"],
  key: (it) => `${it.repository}:${it.name}`,
  collection: (it) => ({ parent: it.repository }),
  extras: "keep",
  section: {
    under: "repository",
    name: "tags",
    schema: (nested) =>
      Type.Record(Type.String(), Type.Object({ gone: Type.Optional(Type.Literal(true)), ...nested }, closed)),
    read: (node, parent) =>
      Object.entries(isRecord(node) ? node : {}).map(([name, entry]) => ({
        item: { repository: parent, name },
        path: [name],
        ...(isRecord(entry) && entry["gone"] === true ? { absent: ["gone"] } : {})
      }))
  },
  ...inert
}

const labelSchema = Type.Object({ tag: Type.String(), name: Type.String() }, closed)

const label: Kind<"label", typeof labelSchema> = {
  kind: "label",
  schema: labelSchema,
  identity: ["tag", "name"],
  key: (it) => `${it.tag}/${it.name}`,
  collection: (it) => ({ parent: it.tag }),
  extras: "remove",
  section: section({
    under: "tag",
    name: "labels",
    node: Type.Array(Type.String()),
    read: (node, parent) => node.map((name, i) => ({ item: { tag: parent, name }, path: [i] }))
  }),
  ...inert
}

const kinds = [...others.filter(({ kind }) => kind !== "repository"), repository, tag, label]

const decodeText = (text: string) =>
  decode<Kind>(kinds, { files: [{ name: "acme.yaml", text }], problems: [] }, { registry: "https://quay.example.com" })

const mistakes = (text: string) => problemsOf(() => decodeText(text))

const HEAD = "organization: acme\nteams: { dev: {}, ops: {} }\n"
const index = indexKinds<Kind>(kinds)

const there = (...names: ReadonlyArray<string>): ReadonlyArray<Found> =>
  names.map((name) => ({ kind: "repository", item: { organization: "acme", name, visibility: "public" } }))

/** What a text says where these repositories are there: objects with their fields, and what is owned, of repositories alone. */
const said = (text: string, ...names: ReadonlyArray<string>) => {
  const [target] = decodeText(HEAD + text).targets
  if (target === undefined) throw new Error("no target")
  const { clashes, desired } = expandRules(kinds, target.desired, there(...names))
  const objects = desired.declarations.flatMap(({ item, kind: name }) => {
    const kind = index.get(name)
    if (kind === undefined || ["organization", "team", "robot"].includes(name)) return []
    const fields = Object.entries(item)
      .filter(([field]) => !kind.identity.includes(field))
      .sort()
    return [`${name} ${kind.key(item)} ${fields.map(([field, value]) => `${field}=${String(value)}`).join(" ")}`.trim()]
  })
  const scope = desired.scope.filter(({ kind }) => !["organization", "team", "robot"].includes(kind))
  return {
    objects: objects.sort(),
    scope: scope.map((it) => `${collectionId(it)}${it.prune === true ? "!" : ""}`).sort(),
    clashes: clashes.map(({ message }) => message)
  }
}

describe("rules over repositories", () => {
  it("speak of those that are there, and of those that are declared", () => {
    const text = "repositories: { team-a/new: }\nrepository_rules: [{ match: team-a/*, visibility: private }]\n"
    expect(said(text, "team-a/app", "other")).toEqual({
      objects: ["repository acme/team-a/app visibility=private", "repository acme/team-a/new visibility=private"],
      scope: ["repository@acme"],
      clashes: []
    })
  })

  it("do not reach what is somebody else's", () => {
    const text =
      "ignore: [repository/old-*]\nrepository_rules: [{ match: '*', visibility: private, permissions: { users: {} } }]\n"
    expect(said(text, "app", "old-app")).toEqual({
      objects: ["repository acme/app visibility=private"],
      scope: ["permission@acme/app#users"],
      clashes: []
    })
  })

  it("own collections in them, and not the one that they are in", () => {
    const text = "repository_rules: [{ match: '**', permissions: { teams: { dev: read }, users: {} } }]\n"
    expect(said(text, "a", "b/c")).toEqual({
      objects: [
        "permission acme/a/teams:dev role=read",
        "permission acme/b/c/teams:dev role=read",
        "repository acme/a",
        "repository acme/b/c"
      ],
      scope: [
        "permission@acme/a#teams",
        "permission@acme/a#users",
        "permission@acme/b/c#teams",
        "permission@acme/b/c#users"
      ],
      clashes: []
    })
  })

  it("prune what the document prunes", () => {
    const text = "prune: [repositories]\nrepository_rules: [{ match: '*', notifications: [] }]\n"
    expect(said(text, "a").scope).toEqual(["notification@acme/a"])
  })

  it("say nothing of what they except", () => {
    const text = "repository_rules: [{ match: team-a/**, except: [team-a/legacy, '**/old-*'], visibility: private }]\n"
    expect(said(text, "team-a/app", "team-a/legacy", "team-a/x/old-1").objects).toEqual([
      "repository acme/team-a/app visibility=private"
    ])
  })

  it.each([
    {
      name: "its own field wins over any rule",
      text: "repositories: { app: { visibility: public } }\nrepository_rules: [{ match: app, visibility: private, description: x }]\n",
      objects: ["repository acme/app description=x visibility=public"]
    },
    {
      name: "the most specific rule wins, wherever it stands",
      text: "repository_rules: [{ match: '*', visibility: public }, { match: 'ap*', visibility: private }, { match: '**', visibility: public, description: x }]\n",
      objects: ["repository acme/app description=x visibility=private"]
    },
    {
      name: "its own section wins, part by part",
      text: "repositories: { app: { permissions: { teams: { ops: admin } } } }\nrepository_rules: [{ match: '*', permissions: { teams: { dev: read }, users: { bob: read } } }]\n",
      objects: [
        "permission acme/app/teams:ops role=admin",
        "permission acme/app/users:bob role=read",
        "repository acme/app"
      ]
    },
    {
      name: "an empty section of its own wins, too",
      text: "repositories: { app: { permissions: { teams: {} } } }\nrepository_rules: [{ match: '*', permissions: { teams: { dev: read } } }]\n",
      objects: ["repository acme/app"]
    },
    {
      name: "a section counts as a whole",
      text: "repository_rules: [{ match: '*', permissions: { teams: { dev: read, ops: read } } }, { match: 'a*', permissions: { teams: { dev: admin } } }]\n",
      objects: ["permission acme/app/teams:dev role=admin", "repository acme/app"]
    },
    {
      name: "rules that are as specific may say the same, and more",
      text: "repository_rules: [{ match: 'a*', visibility: private, permissions: { teams: { dev: read } } }, { match: '*p', visibility: private, description: x, permissions: { teams: { dev: read }, users: {} } }]\n",
      objects: ["permission acme/app/teams:dev role=read", "repository acme/app description=x visibility=private"]
    }
  ])("$name", ({ objects, text }) => {
    expect(said(text, "app")).toMatchObject({ objects, clashes: [] })
  })

  it("reach into entries of entries, those of another rule or of the repository itself among them", () => {
    const text =
      "repositories: { app: { tags: { v1: } } }\nrepository_rules:\n" +
      "- { match: '**', tags: { v1: { labels: [stable] }, v2: { labels: [new] } } }\n" +
      "- { match: 'b*', tags: { v2: } }\n- { match: c, tags: { v2: { gone: true } } }\n"
    expect(said(text, "app", "box", "c")).toEqual({
      objects: [
        "label acme/app:v1/stable",
        "label acme/box:v2/new",
        "repository acme/app",
        "repository acme/box",
        "repository acme/c",
        "tag acme/app:v1",
        "tag acme/box:v2",
        "tag acme/c:v2"
      ],
      scope: [
        "label@acme/app:v1",
        "label@acme/box:v2",
        "repository@acme",
        "tag@acme/app",
        "tag@acme/box",
        "tag@acme/c"
      ],
      clashes: []
    })
  })

  it("say nothing of what is declared absent", () => {
    const [target] = decodeText(`${HEAD}repository_rules: [{ match: a*, visibility: private }]`).targets
    if (target === undefined) throw new Error("no target")
    const item = { organization: "acme", name: "app" }
    const desired: Desired = {
      ...target.desired,
      declarations: [{ kind: "repository", item, absent: true }],
      scope: []
    }
    expect(expandRules<Kind>(kinds, desired, there("app")).desired).toEqual(desired)
  })

  it("contradict each other where both are as specific", () => {
    const text =
      "repository_rules:\n- { match: 'a*', visibility: private, permissions: { teams: { dev: read } } }\n" +
      "- { match: '*p', visibility: public, permissions: { teams: { dev: admin } } }\n"
    expect(said(text, "app", "ap", "axe", "tip").clashes).toEqual([
      'visibility of repository acme/ap: the rules "a*" (acme.yaml:4) and "*p" (acme.yaml:5) are as specific as each other, and disagree',
      'permissions.teams of acme/ap: the rules "a*" (acme.yaml:4) and "*p" (acme.yaml:5) are as specific as each other, and disagree'
    ])
    expect(
      said(`repositories: { ap: { visibility: public, permissions: { teams: {} } } }\n${text}`, "ap").clashes
    ).toEqual([])
  })

  it("give the place of what they say as its source", () => {
    const text =
      "repository_rules:\n  - match: '*'\n    visibility: private\n    permissions:\n      teams:\n        dev: read\n"
    const [target] = decodeText(HEAD + text).targets
    if (target === undefined) throw new Error("no target")
    const { declarations } = expandRules(kinds, target.desired, there("app")).desired
    const of = (kind: string) => declarations.find((one) => one.kind === kind)?.source
    expect([of("repository"), of("permission")]).toEqual(["acme.yaml:4", "acme.yaml:8"])
  })

  it("are data, about collections that can be read", () => {
    const [target] = decodeText(`${HEAD}repository_rules: [{ match: 'a*', visibility: private }]\n`).targets
    if (target === undefined) throw new Error("no target")
    expect(JSON.parse(JSON.stringify(target.desired.rules))).toEqual(target.desired.rules)
    expect(ruledCollections(target.desired)).toEqual([{ kind: "repository", parent: "acme" }])
    expect(standIns(kinds, target.desired)).toEqual([
      { kind: "repository", item: { organization: "acme", name: "a*", visibility: "private" } }
    ])
    const once = expandRules(kinds, target.desired, there("a", "b"))
    expect(expandRules(kinds, once.desired, there("a", "b"))).toEqual(once)
  })

  it("are expanded over what is declared as soon as they are decoded", () => {
    const { targets } = decodeText(
      `${HEAD}repositories: { app: }\nrepository_rules: [{ match: a*, permissions: { users: {} } }]`
    )
    expect(targets[0]?.desired.scope).toContainEqual({ kind: "permission", parent: "acme/app", part: "users" })
  })
})

describe("the schema for editors", () => {
  it("describes a rule as it does an entry, with the patterns beside it", () => {
    const { properties } = fileSchema(kinds)
    const of = (value: unknown, ...path: ReadonlyArray<string>) =>
      path.reduce((at, step) => (isRecord(at) ? at[step] : undefined), value)
    const rule = of(properties, "repository_rules", "items")
    const entry = of(properties, "repositories", "patternProperties", "^[a-z0-9/_-]+$", "properties")
    expect(rule).toMatchObject({ type: "object", required: ["match"], additionalProperties: false })
    expect(of(rule, "properties")).toMatchObject({
      match: { type: "string" },
      except: { type: "array", uniqueItems: true },
      ...(isRecord(entry) ? entry : { none: true })
    })
  })
})

describe("mistakes in rules", () => {
  it.each([
    {
      name: "in what they say, all at once",
      text: "repository_rules:\n- { match: a*, visibility: hidden, permissions: { teams: { dev: boss } }, stale: 1 }\n- { visibility: public }\n",
      told: [
        'acme.yaml:4:28: repository_rules[0].visibility: should be one of public, private, is "hidden"',
        'acme.yaml:4:65: repository_rules[0].permissions.teams.dev: should be one of read, write, admin, is "boss"',
        'acme.yaml:4:75: repository_rules[0]: unknown key "stale"; what else may stand here: except, description, notifications, tags',
        'acme.yaml:5:3: repository_rules[1]: "match" is missing'
      ]
    },
    {
      name: "of teams that are not declared",
      text: "repositories: { app: }\nrepository_rules:\n- match: a*\n  permissions: { teams: { dve: read } }\n",
      told: ['acme.yaml:6:27: team "acme/dve" is not declared under teams; did you mean "acme/dev"?']
    },
    {
      name: "in the pattern",
      text: "repository_rules:\n- { match: 'a{b,c}', visibility: public }\n- { match: '', visibility: public }\n",
      told: [
        'acme.yaml:4:12: repository_rules[0].match: should be a name, in which * stands for any text without a slash, ** for any text, and ? for one character, is "a{b,c}"',
        'acme.yaml:5:12: repository_rules[1].match: should be a name, in which * stands for any text without a slash, ** for any text, and ? for one character, is ""'
      ]
    },
    {
      name: "that say nothing",
      text: "repository_rules:\n- { match: a*, except: [ab] }\n",
      told: ["acme.yaml:4:3: repository_rules[0]: this rule says nothing of those that it is over"]
    },
    {
      name: "that contradict each other about what is declared",
      text: "repositories: { app: }\nrepository_rules:\n- { match: a*, visibility: public }\n- { match: '*p', visibility: private }\n",
      told: [
        'acme.yaml:6:3: visibility of repository acme/app: the rules "a*" (acme.yaml:5) and "*p" (acme.yaml:6) are as specific as each other, and disagree; say it in an entry of its own, or leave it out of one of them by except'
      ]
    },
    {
      name: "that contradict each other wherever they speak",
      text: "repository_rules:\n- { match: a*, permissions: { teams: { dev: read } } }\n- { match: a*, permissions: { teams: { dev: admin } } }\n",
      told: [
        'acme.yaml:5:3: permissions.teams of acme/a*: the rules "a*" (acme.yaml:4) and "a*" (acme.yaml:5) are as specific as each other, and disagree; say it in an entry of its own, or leave it out of one of them by except'
      ]
    },
    {
      name: "that say something twice",
      text: "repository_rules:\n- match: a*\n  notifications:\n  - { method: email, title: x, to: [a] }\n  - { method: email, title: x, to: [b] }\n",
      told: ['acme.yaml:7:5: notification "acme/a*/x" is declared twice, first at acme.yaml:6']
    },
    {
      name: "that are none",
      text: "repository_rules: { match: a* }\n",
      told: ["acme.yaml:3:19: repository_rules: should be a list, is a map"]
    }
  ])("$name", ({ text, told }) => expect(mistakes(HEAD + text)).toEqual(told))

  it("that would delete what they are over", () => {
    const gone: Kind<"repository", typeof schema> = {
      ...repository,
      section: {
        ...repository.section,
        read: (node, organization) =>
          Object.keys(isRecord(node) ? node : {}).map((name) => ({
            item: { organization, name },
            path: [name],
            absent: ["visibility"]
          }))
      }
    }
    const files = [{ name: "acme.yaml", text: `${HEAD}repository_rules:\n- match: a*\n  visibility: private\n` }]
    const [organization, team] = others
    expect(problemsOf(() => decode([organization, team, gone], { files, problems: [] }, { registry: "sim:" }))).toEqual(
      ["acme.yaml:5:3: repository_rules[0].visibility: a rule makes nothing, and deletes nothing"]
    )
  })

  it("of kinds: a key that is taken", () => {
    const [organization, team] = others
    const named = (name: string) =>
      decode([organization, team, { ...repository, section: { ...repository.section, rules: rulesNamed(name) } }], {
        files: [],
        problems: []
      })
    expect(() => named("teams")).toThrow('repository: the key "teams" of its rules is taken.')
    expect(() => named("prune")).toThrow('organization: the key "prune" belongs to every document.')
    expect(() =>
      mapSection({
        under: "organization",
        name: "odd",
        names: { pattern: "", description: "" },
        description: "",
        fields: { match: Type.Optional(Type.String()) },
        rules: { name: "odd_rules", description: "", nameOf: () => "" },
        read: (name) => ({ name })
      })
    ).toThrow('an entry that rules speak of cannot have a field "match"')
  })
})

const rulesNamed = (name: string) => ({ name, schema: () => Type.Array(Type.Object({})), nameOf: () => "" })
