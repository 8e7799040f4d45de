/**
 * A small registry for tests: kinds that resemble Quay's, and a model that holds their objects and does what a plan says,
 * with rules of its own. It knows nothing of how plans are made.
 */
import { type Static, type TObject, Type } from "@sinclair/typebox"
import {
  type Actual,
  type AnyOperation,
  addressOf,
  type Collection,
  classify,
  type Declaration,
  type Desired,
  diff,
  type Found,
  type Implied,
  type Item,
  type Kind,
  overlay,
  type Ref,
  section,
  type TargetPlan,
  type World
} from "../src/index.ts"

export const CALLER = "quaymaster"

type Pure<Name extends string, Schema extends TObject> = Omit<Kind<Name, Schema>, "list" | "create" | "section">

/** In whose objects a kind's live. */
const UNDER: ReadonlyMap<string, string> = new Map([
  ["team", "organization"],
  ["member", "team"],
  ["robot", "organization"],
  ["default-permission", "organization"],
  ["repository", "organization"],
  ["permission", "repository"],
  ["mirror", "repository"],
  ["application", "organization"],
  ["grant", "application"],
  ["badge", "organization"]
])

const kind = <Name extends string, Schema extends TObject>(pure: Pure<Name, Schema>): Kind<Name, Schema> => ({
  ...pure,
  section: section({
    under: UNDER.get(pure.kind) ?? "registry",
    name: pure.kind,
    node: Type.Unknown(),
    read: () => []
  }),
  list: () => [],
  create: () => {}
})

const optionalText = Type.Optional(Type.String())
const Level = Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")])
const Subject = Type.Union([Type.Literal("team"), Type.Literal("robot"), Type.Literal("user")])

const ref = (kind: string, key: string, cascades: boolean): Ref => ({
  kind,
  key,
  parent: key.split("/")[0] ?? key,
  cascades
})
const inOrganization = (organization: string): ReadonlyArray<Ref> => [ref("organization", organization, true)]
const subjectRef = (organization: string, subject: "team" | "robot" | "user", name: string): ReadonlyArray<Ref> =>
  subject === "user" ? [] : [ref(subject, `${organization}/${name}`, true)]

const organizationSchema = Type.Object({
  name: Type.String(),
  email: optionalText,
  labels: Type.Optional(Type.Array(Type.String(), { uniqueItems: true }))
})

export const organization = kind<"organization", typeof organizationSchema>({
  kind: "organization",
  schema: organizationSchema,
  identity: ["name"],
  key: ({ name }) => name,
  collection: ({ name }) => ({ parent: name }),
  implies: ({ name }, { caller }) => [
    { kind: "team", item: { organization: name, name: "owners", role: "admin" } },
    ...(caller === undefined
      ? []
      : [{ kind: "member", item: { organization: name, team: "owners", subject: "user", name: caller } }])
  ],
  extras: "keep",
  destroys: "data",
  update: () => {},
  delete: () => {}
})

const teamSchema = Type.Object({
  organization: Type.String(),
  name: Type.String(),
  role: Type.Optional(Type.Union([Type.Literal("member"), Type.Literal("creator"), Type.Literal("admin")])),
  description: optionalText,
  sync: Type.Optional(
    Type.Object({ service: optionalText, groups: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })) })
  )
})

export const team = kind<"team", typeof teamSchema>({
  kind: "team",
  schema: teamSchema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => inOrganization(organization),
  implicit: ({ name }) => name === "owners",
  access: ({ name, organization, role }) =>
    role === "admin"
      ? {
          to: `organization:${organization}`,
          through: { kind: "member", parent: `${organization}/${name}`, part: "users" }
        }
      : undefined,
  extras: "keep",
  update: () => {},
  delete: () => {}
})

const memberSchema = Type.Object({
  organization: Type.String(),
  team: Type.String(),
  subject: Type.Union([Type.Literal("user"), Type.Literal("robot")]),
  name: Type.String()
})

export const member = kind<"member", typeof memberSchema>({
  kind: "member",
  schema: memberSchema,
  identity: ["organization", "team", "subject", "name"],
  key: ({ name, organization, subject, team }) => `${organization}/${team}/${subject}:${name}`,
  collection: ({ organization, subject, team }) => ({ parent: `${organization}/${team}`, part: `${subject}s` }),
  needs: ({ name, organization, subject, team }) => [
    ref("team", `${organization}/${team}`, true),
    ...subjectRef(organization, subject, name)
  ],
  access: ({ name, subject }) => (subject === "user" ? { who: name } : undefined),
  extras: "remove",
  grantsFirst: true,
  delete: () => {}
})

const robotSchema = Type.Object({ organization: Type.String(), name: Type.String(), description: optionalText })

export const robot = kind<"robot", typeof robotSchema>({
  kind: "robot",
  schema: robotSchema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => inOrganization(organization),
  extras: "keep",
  destroys: "credential",
  fixed: { description: "its token" },
  delete: () => {}
})

const defaultPermissionSchema = Type.Object({
  organization: Type.String(),
  subject: Subject,
  name: Type.String(),
  role: Type.Optional(Level)
})

export const defaultPermission = kind<"default-permission", typeof defaultPermissionSchema>({
  kind: "default-permission",
  schema: defaultPermissionSchema,
  identity: ["organization", "subject", "name"],
  key: ({ name, organization, subject }) => `${organization}/${subject}:${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ name, organization, subject }) => [
    ...inOrganization(organization),
    ...subjectRef(organization, subject, name)
  ],
  extras: "remove",
  update: () => {},
  delete: () => {}
})

const repositorySchema = Type.Object({
  organization: Type.String(),
  name: Type.String(),
  visibility: Type.Optional(Type.Union([Type.Literal("public"), Type.Literal("private")])),
  description: Type.Optional(Type.Union([Type.String(), Type.Null()]))
})

export const repository = kind<"repository", typeof repositorySchema>({
  kind: "repository",
  schema: repositorySchema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => inOrganization(organization),
  follows: ({ organization }) => [{ kind: "default-permission", parent: organization }],
  consults: ({ parent }) => [{ kind: "default-permission", parent }],
  implies: ({ name, organization }, world) => [
    ...world.collection({ kind: "default-permission", parent: organization }).map((it) => ({
      kind: "permission",
      item: { organization, repository: name, subject: it["subject"], name: it["name"], role: it["role"] }
    })),
    ...(world.caller === undefined
      ? []
      : [
          {
            kind: "permission",
            item: { organization, repository: name, subject: "user", name: world.caller, role: "admin" }
          }
        ])
  ],
  extras: "keep",
  destroys: "data",
  update: () => {},
  delete: () => {}
})

const permissionSchema = Type.Object({
  organization: Type.String(),
  repository: Type.String(),
  subject: Subject,
  name: Type.String(),
  role: Type.Optional(Level)
})

export const permission = kind<"permission", typeof permissionSchema>({
  kind: "permission",
  schema: permissionSchema,
  identity: ["organization", "repository", "subject", "name"],
  key: ({ name, organization, repository, subject }) => `${organization}/${repository}/${subject}:${name}`,
  collection: ({ organization, repository, subject }) => ({
    parent: `${organization}/${repository}`,
    part: `${subject}s`
  }),
  needs: ({ name, organization, repository, subject }) => [
    ref("repository", `${organization}/${repository}`, true),
    ...subjectRef(organization, subject, name)
  ],
  implicit: ({ name, role, subject }, caller) => subject === "user" && name === caller && role === "admin",
  extras: "remove",
  grantsFirst: true,
  update: () => {},
  delete: () => {}
})

const mirrorSchema = Type.Object({
  organization: Type.String(),
  repository: Type.String(),
  source: optionalText,
  robot: optionalText
})

/** What the registry gives the robot of a mirror, unless it may do more. */
const letWrite = ({ organization, repository, robot }: Static<typeof mirrorSchema>, world: World) => {
  if (robot === undefined) return []
  const may = { organization, repository, subject: "robot", name: robot } as const
  const held = world.found({ kind: "permission", key: permission.key(may) })?.["role"]
  return [{ kind: "permission", item: { ...may, role: held === "admin" ? held : "write" } }]
}

/** Needs its robot without going along with it: the registry refuses to delete a robot that a mirror uses. */
export const mirror = kind<"mirror", typeof mirrorSchema>({
  kind: "mirror",
  schema: mirrorSchema,
  identity: ["organization", "repository"],
  key: ({ organization, repository }) => `${organization}/${repository}`,
  collection: ({ organization, repository }) => ({ parent: `${organization}/${repository}` }),
  needs: ({ organization, repository, robot }) => [
    ref("repository", `${organization}/${repository}`, true),
    ...(robot === undefined ? [] : [ref("robot", `${organization}/${robot}`, false)])
  ],
  implies: letWrite,
  impliesOnUpdate: (after, before, world) => (after.robot === before.robot ? [] : letWrite(after, world)),
  extras: "remove",
  update: () => {},
  delete: () => {}
})

const applicationSchema = Type.Object({
  organization: Type.String(),
  name: Type.String(),
  url: optionalText,
  robot: optionalText
})

/** Has no update, so that a difference is a replacement. May belong to a robot, and then goes along with it. */
export const application = kind<"application", typeof applicationSchema>({
  kind: "application",
  schema: applicationSchema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization, robot }) => [
    ...inOrganization(organization),
    ...(robot === undefined ? [] : [ref("robot", `${organization}/${robot}`, true)])
  ],
  extras: "keep",
  destroys: "credential",
  delete: () => {}
})

const grantSchema = Type.Object({
  organization: Type.String(),
  application: Type.String(),
  scope: Type.String(),
  note: optionalText
})

/** Goes along with its application, and comes back when a replaced application has been made again. Replaced itself, too. */
export const grant = kind<"grant", typeof grantSchema>({
  kind: "grant",
  schema: grantSchema,
  identity: ["organization", "application", "scope"],
  key: ({ application, organization, scope }) => `${organization}/${application}/${scope}`,
  collection: ({ application, organization }) => ({ parent: `${organization}/${application}` }),
  needs: ({ application, organization }) => [ref("application", `${organization}/${application}`, true)],
  extras: "remove",
  fixed: { note: "its secret" },
  delete: () => {}
})

const badgeSchema = Type.Object({
  organization: Type.String(),
  name: Type.String(),
  color: optionalText,
  application: optionalText
})

/** Has neither update nor delete. Needs an application without going along with it. */
export const badge = kind<"badge", typeof badgeSchema>({
  kind: "badge",
  schema: badgeSchema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ application, organization }) => [
    ...inOrganization(organization),
    ...(application === undefined ? [] : [ref("application", `${organization}/${application}`, false)])
  ],
  extras: "remove"
})

export const kinds = [
  organization,
  team,
  member,
  robot,
  defaultPermission,
  repository,
  permission,
  mirror,
  application,
  grant,
  badge
]

export type TestKind = (typeof kinds)[number]

export const kindNamed = (name: string): Kind => {
  const found = kinds.find((it) => it.kind === name)
  if (found === undefined) throw new Error(`no kind ${name}`)
  return found
}

/** A rule of the model was broken: what a registry would answer with an error. */
export class Refused extends Error {}

/** The registry: objects by address, as lists tell them. */
export class Model {
  readonly objects: Map<string, Found>
  /** The addresses of what the registry has made or changed without having been asked. */
  readonly byItself = new Set<string>()

  constructor(objects: Iterable<Found> = []) {
    this.objects = new Map(
      [...objects].map((found) => [addressOf(found.kind, kindNamed(found.kind).key(found.item)), found])
    )
  }

  copy(): Model {
    return new Model(this.objects.values())
  }

  get(address: string): Item | undefined {
    return this.objects.get(address)?.item
  }

  /** All of what is there. Every collection of the scope, and each that needed objects live in, counts as read. */
  read(desired: Desired): Actual {
    const consulted: ReadonlyArray<Collection> = desired.scope.flatMap(({ kind, parent }) =>
      kindNamed(kind).kind === "repository" ? [{ kind: "default-permission", parent }] : []
    )
    return { found: [...this.objects.values()], read: [...desired.scope, ...consulted], caller: CALLER }
  }

  create(kind: Kind, item: Item): void {
    const address = addressOf(kind.kind, kind.key(item))
    if (this.objects.has(address)) throw new Refused(`${address} is there already`)
    this.put(kind, item)
    this.follow(kind.implies?.(item, this.world()) ?? [])
  }

  update(kind: Kind, declared: Item): void {
    const address = addressOf(kind.kind, kind.key(declared))
    const found = this.objects.get(address)
    if (found === undefined) throw new Refused(`${address} is gone`)
    if (kind.update === undefined) throw new Refused(`${kind.kind} cannot be updated`)
    const implied = kind.impliesOnUpdate?.(declared, found.item, this.world()) ?? []
    const fixed = Object.keys(kind.fixed ?? {})
    this.put(
      kind,
      overlay(found.item, Object.fromEntries(Object.entries(declared).filter(([key]) => !fixed.includes(key))))
    )
    this.follow(implied)
  }

  delete(kind: Kind, item: Item): void {
    const root = addressOf(kind.kind, kind.key(item))
    if (kind.delete === undefined) throw new Refused(`${kind.kind} cannot be deleted`)
    if (!this.objects.has(root)) throw new Refused(`${root} is gone`)
    const going = new Set([root])
    for (const address of going) {
      for (const [other, found] of this.objects)
        if (refsOf(found).some((it) => it.cascades === true && addressOf(it.kind, it.key) === address)) going.add(other)
    }
    for (const [other, found] of this.objects) {
      if (going.has(other)) continue
      const held = refsOf(found).find((it) => going.has(addressOf(it.kind, it.key)))
      if (held !== undefined) throw new Refused(`${other} needs ${held.kind}:${held.key}`)
    }
    for (const address of going) this.objects.delete(address)
  }

  /** Does what an operation says, as an executor does: what the registry did by itself is not done again. */
  execute(operation: AnyOperation): void {
    const kind = kindNamed(operation.kind)
    const now = this.get(addressOf(operation.kind, operation.key))
    if (operation.impliedBy !== undefined && classify(kind, operation, now).state === "done") return
    const { action } = operation
    if (action === "delete" || action === "replace") this.delete(kind, operation.before)
    if (action === "update" || (action === "create" && operation.impliedBy !== undefined && now !== undefined))
      this.update(kind, operation.after)
    else if (action !== "delete") this.create(kind, operation.after)
  }

  /** What is there, in one order, to be compared. */
  snapshot(): ReadonlyArray<readonly [string, Item]> {
    return [...this.objects].map(([address, { item }]) => [address, item] as const).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  private follow(implied: ReadonlyArray<Implied>): void {
    for (const { item, kind: name } of implied) {
      const kind = kindNamed(name)
      this.put(kind, item)
      this.byItself.add(addressOf(name, kind.key(item)))
    }
  }

  private world(): World {
    return {
      caller: CALLER,
      collection: ({ kind, parent }) =>
        [...this.objects.values()]
          .filter((it) => it.kind === kind && kindNamed(kind).collection(it.item).parent === parent)
          .map((it) => it.item),
      found: ({ key, kind }) => this.get(addressOf(kind, key))
    }
  }

  private put(kind: Kind, item: Item): void {
    for (const needed of kind.needs?.(item) ?? [])
      if (!this.objects.has(addressOf(needed.kind, needed.key)))
        throw new Refused(`${kind.kind} ${kind.key(item)} needs ${needed.kind} ${needed.key}`)
    this.objects.set(addressOf(kind.kind, kind.key(item)), { kind: kind.kind, item })
  }
}

const refsOf = (found: Found): ReadonlyArray<Ref> => kindNamed(found.kind).needs?.(found.item) ?? []

/**
 * The operations in an order that their needs allow. `choose` picks one of those that are ready.
 * @throws {Refused} if some are never ready.
 */
export const linearize = <Op extends AnyOperation>(
  { gates = [], operations }: Pick<TargetPlan<Op>, "gates" | "operations">,
  choose: (count: number) => number
): ReadonlyArray<Op> => {
  const behind = new Map(gates.map(({ id, needs }) => [id, needs]))

  const open = [...operations]
  const finished = new Set<string>()
  const order: Array<Op> = []
  while (open.length > 0) {
    const ready = open.filter(({ needs }) =>
      needs.every((id) => behind.get(id)?.every((it) => finished.has(it)) ?? finished.has(id))
    )
    const next = ready[choose(ready.length)]
    if (next === undefined) throw new Refused(`never ready: ${open.map((it) => it.id).join(", ")}`)
    open.splice(open.indexOf(next), 1)
    finished.add(next.id)
    order.push(next)
  }
  return order
}

/** Shorthand for tables: one declared object. */
export const declare = <Name extends string, Schema extends TObject>(
  of: Kind<Name, Schema>,
  item: Static<Schema>,
  source?: string
): Declaration => ({ kind: of.kind, item, ...(source === undefined ? {} : { source }) })

/** Shorthand for tables: one object that is there. */
export const found = <Name extends string, Schema extends TObject>(
  of: Kind<Name, Schema>,
  item: Static<Schema>
): Found => ({
  kind: of.kind,
  item
})

export const unchangedBy = (kind: Kind, before: Item, after: Item): boolean =>
  diff(kind, before, after).length === 0 && diff(kind, after, before).length === 0
