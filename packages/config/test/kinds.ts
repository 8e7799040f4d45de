/** A few kinds that resemble a registry's, small enough to see through. They are planned nowhere, so they read and write nothing. */
import { documentSection, type Entry, type Kind, mapSection, section } from "@quaymaster/engine"
import { type Static, type TObject, type TProperties, Type } from "@sinclair/typebox"

const closed = { additionalProperties: false }
const inert = { list: () => [], create: () => undefined, delete: () => undefined }

const RULE = "lower-case letters and digits, with single dashes between them"
const PATTERN = "^[a-z0-9]+(?:-[a-z0-9]+)*$"
const names = { pattern: PATTERN, description: RULE }
const name = Type.String({ pattern: PATTERN, "x-rule": RULE })
const text = Type.Optional(Type.String())
const role = <const T extends string>(...values: ReadonlyArray<T>) =>
  Type.Unsafe<T>({ type: "string", enum: [...values] })

const kind = <Name extends string, Schema extends TObject>(it: Kind<Name, Schema>): Kind<Name, Schema> => it

const organization = kind({
  kind: "organization",
  schema: Type.Object({ name: Type.String(), email: text, seats: Type.Optional(Type.Integer()) }, closed),
  identity: ["name"],
  key: (it) => it.name,
  collection: (it) => ({ parent: it.name }),
  implies: (it) => [{ kind: "team", item: { organization: it.name, name: "owners" } }],
  extras: "keep",
  section: documentSection({
    name: "organization",
    description: "An organization.",
    fields: {
      organization: name,
      email: Type.Optional(Type.String({ pattern: "^[^@ ]+@[^@ ]+$", "x-rule": "an e-mail address" })),
      seats: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
      ratio: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
      billing: Type.Optional(Type.Boolean()),
      note: Type.Optional(Type.String({ minLength: 1, maxLength: 5 })),
      code: Type.Optional(Type.String({ pattern: "^[A-Z]+$" }))
    },
    read: (node) => ({ name: node.organization, ...(node.email === undefined ? {} : { email: node.email }) })
  }),
  ...inert
})

const inOrganization = (it: { readonly organization: string }) => ({ parent: it.organization })
const organizationRef = (key: string) => ({ kind: "organization", key, parent: key })

const team = kind({
  kind: "team",
  schema: Type.Object({ organization: Type.String(), name: Type.String(), role: text, description: text }, closed),
  identity: ["organization", "name"],
  key: (it) => `${it.organization}/${it.name}`,
  collection: inOrganization,
  needs: (it) => [organizationRef(it.organization)],
  extras: "keep",
  section: mapSection({
    under: "organization",
    name: "teams",
    names,
    description: "The teams.",
    fields: { role: Type.Optional(role("member", "creator", "admin")), description: text },
    read: (key, entry, parent) => ({ organization: parent, name: key, ...entry })
  }),
  ...inert
})

const robot = kind({
  kind: "robot",
  schema: Type.Object({ organization: Type.String(), name: Type.String(), description: text }, closed),
  identity: ["organization", "name"],
  key: (it) => `${it.organization}/${it.name}`,
  collection: inOrganization,
  needs: (it) => [organizationRef(it.organization)],
  extras: "keep",
  destroys: "credential",
  section: mapSection({
    under: "organization",
    name: "robots",
    names,
    description: "The robot accounts.",
    fields: { description: text },
    read: (key, entry, parent) => ({ organization: parent, name: key, ...entry })
  }),
  ...inert
})

const robotRef = (organization: string, short: string) => ({
  kind: "robot",
  key: `${organization}/${short}`,
  parent: organization
})
const teamRef = (organization: string, short: string) => ({
  kind: "team",
  key: `${organization}/${short}`,
  parent: organization
})

const memberSchema = Type.Object({ team: Type.String(), user: text, robot: text }, closed)

const member = kind({
  kind: "team-member",
  schema: memberSchema,
  identity: ["team", "user", "robot"],
  key: (it) => `${it.team}/${it.user ?? `robot:${it.robot}`}`,
  collection: (it) => ({ parent: it.team, part: it.user === undefined ? "robots" : "users" }),
  needs: (it) => [
    ...(it.robot === undefined ? [] : [robotRef(it.team.split("/")[0] ?? "", it.robot)]),
    teamRef(it.team.split("/")[0] ?? "", it.team.split("/")[1] ?? "")
  ],
  extras: "remove",
  section: section({
    under: "team",
    name: "members",
    node: Type.Object(
      {
        users: Type.Optional(Type.Array(name, { uniqueItems: true })),
        robots: Type.Optional(Type.Array(name, { uniqueItems: true }))
      },
      closed
    ),
    parts: (node) => [...(node.users === undefined ? [] : ["users"]), ...(node.robots === undefined ? [] : ["robots"])],
    read: (node, parent): ReadonlyArray<Entry<Static<typeof memberSchema>>> => [
      ...(node.users ?? []).map((user, i) => ({ item: { team: parent, user }, path: ["users", i] })),
      ...(node.robots ?? []).map((short, i) => ({ item: { team: parent, robot: short }, path: ["robots", i] }))
    ]
  }),
  ...inert
})

const grant = <Fields extends TProperties>(to: Fields) =>
  Type.Object({ role: role("read", "write", "admin"), ...to, created_by: Type.Optional(name) }, closed)

const defaultPermission = kind({
  kind: "default-permission",
  schema: Type.Object(
    { organization: Type.String(), role: Type.String(), team: text, robot: text, created_by: text },
    closed
  ),
  identity: ["organization", "team", "robot", "created_by"],
  key: (it) => `${it.organization}/${it.team ?? it.robot}/${it.created_by ?? ""}`,
  collection: inOrganization,
  needs: (it) => [
    ...(it.team === undefined ? [] : [teamRef(it.organization, it.team)]),
    ...(it.robot === undefined ? [] : [robotRef(it.organization, it.robot)])
  ],
  extras: "remove",
  section: section({
    under: "organization",
    name: "default_permissions",
    node: Type.Array(Type.Union([grant({ team: name }), grant({ robot: name })])),
    read: (node, parent) => node.map((it, i) => ({ item: { organization: parent, ...it }, path: [i] }))
  }),
  ...inert
})

const repository = kind({
  kind: "repository",
  schema: Type.Object({ organization: Type.String(), name: Type.String(), visibility: text }, closed),
  identity: ["organization", "name"],
  key: (it) => `${it.organization}/${it.name}`,
  collection: inOrganization,
  needs: (it) => [organizationRef(it.organization)],
  extras: "keep",
  destroys: "data",
  section: mapSection({
    under: "organization",
    name: "repositories",
    names: { pattern: "^[a-z][a-z0-9/_-]*$", description: "lower-case letters, digits, dashes and slashes" },
    description: "The repositories.",
    fields: { visibility: role("public", "private") },
    read: (key, entry, parent) => ({ organization: parent, name: key, ...entry })
  }),
  ...inert
})

const grants = Type.Optional(
  Type.Unsafe<{ readonly [name: string]: string }>({
    type: "object",
    patternProperties: { [PATTERN]: role("read", "write", "admin") },
    additionalProperties: false,
    "x-names": RULE
  })
)

const permission = kind({
  kind: "permission",
  schema: Type.Object(
    { repository: Type.String(), part: Type.String(), name: Type.String(), role: Type.String() },
    closed
  ),
  identity: ["repository", "part", "name"],
  key: (it) => `${it.repository}/${it.part}:${it.name}`,
  collection: (it) => ({ parent: it.repository, part: it.part }),
  needs: (it) => {
    const owner = it.repository.split("/")[0] ?? ""
    return it.part === "robots" ? [robotRef(owner, it.name)] : it.part === "teams" ? [teamRef(owner, it.name)] : []
  },
  extras: "remove",
  section: section({
    under: "repository",
    name: "permissions",
    node: Type.Object({ users: grants, robots: grants, teams: grants }, closed),
    parts: (node) => Object.keys(node),
    read: (node, parent) =>
      Object.entries(node).flatMap(([part, given]) =>
        Object.entries(given ?? {}).map(([key, value]) => ({
          item: { repository: parent, part, name: key, role: value },
          path: [part, key]
        }))
      )
  }),
  ...inert
})

const notification = kind({
  kind: "notification",
  schema: Type.Object({ repository: Type.String(), title: Type.String() }, closed),
  identity: ["repository", "title"],
  key: (it) => `${it.repository}/${it.title}`,
  collection: (it) => ({ parent: it.repository }),
  extras: "remove",
  section: section({
    under: "repository",
    name: "notifications",
    node: Type.Array(
      Type.Union([
        Type.Object({ method: Type.Literal("webhook"), title: Type.String(), url: secret() }, closed),
        Type.Object(
          { method: Type.Literal("email"), title: Type.String(), to: Type.Array(Type.String(), { minItems: 1 }) },
          closed
        )
      ])
    ),
    read: (node, parent) => node.map((it, i) => ({ item: { repository: parent, title: it.title }, path: [i] }))
  }),
  ...inert
})

/** A secret as a kind words it: by reference, and never shown. */
function secret() {
  const reference = { "x-rule": "{ env: NAME } or { file: PATH }", "x-hint": "write { env: NAME }", writeOnly: true }
  return Type.Union(
    [Type.Object({ env: Type.String() }, closed), Type.Object({ file: Type.String() }, closed)],
    reference
  )
}

export const kinds = [
  organization,
  team,
  robot,
  member,
  defaultPermission,
  repository,
  permission,
  notification
] as const
