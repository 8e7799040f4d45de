// What a registry holds: users, tokens, organizations with their teams, robots, default permissions and repositories;
// read from and written as JSON that people can edit. Leaves out who may do what (auth.ts) and what belongs to one kind
// alone: such a kind keeps it in a part of its own.
import { fromMap, isObject, isOneOf, type Json, Reader, StateError } from "./json.ts"
import { namespaceProblem, splitRobot } from "./names.ts"
import { type RandomSource, token as randomToken, uuid } from "./random.ts"

export const FORMAT = "quaymaster-simulator/1"
export const TEAM_ROLES = ["member", "creator", "admin"] as const
export const REPOSITORY_ROLES = ["read", "write", "admin"] as const
export const VISIBILITIES = ["public", "private"] as const
export const REPOSITORY_STATES = ["NORMAL", "READ_ONLY", "MIRROR", "ORG_MIRROR"] as const
export const DELEGATE_KINDS = ["user", "team"] as const

export const SCOPES = [
  "repo:read",
  "repo:write",
  "repo:create",
  "repo:admin",
  "org:admin",
  "user:read",
  "user:admin",
  "super:user"
] as const
export type Scope = (typeof SCOPES)[number]

export type TeamRole = (typeof TEAM_ROLES)[number]
export type RepositoryRole = (typeof REPOSITORY_ROLES)[number]
export type Visibility = (typeof VISIBILITIES)[number]
export type RepositoryState = (typeof REPOSITORY_STATES)[number]

const TWO_WEEKS = 1_209_600

export interface Robot {
  description: string
  token: string
  created: string
  last_accessed: string | null
  unstructured_metadata: { [key: string]: Json } | null
  federation: { issuer: string; subject: string }[]
}

export interface Repository {
  description: string | null
  visibility: Visibility
  state: RepositoryState
  status_token: string
  readonly permissions: { readonly users: Map<string, RepositoryRole>; readonly teams: Map<string, RepositoryRole> }
}

/** What users and organizations have in common. */
export interface Namespace {
  email: string | null
  tag_expiration_s: number
  readonly robots: Map<string, Robot>
  readonly repositories: Map<string, Repository>
}

export interface User extends Namespace {
  uuid: string
  superuser: boolean
  enabled: boolean
  /** Whether the address was confirmed. */
  verified: boolean
  /** The name in an outside directory. */
  readonly login: string | null
  /** As it is: this is no place for real ones. */
  password: string | null
}

/** Of somebody who has an account, or of an address. */
export interface Invitation {
  readonly code: string
  readonly user: string | null
  readonly email: string | null
  readonly inviter: string
}

/** What an outside directory is asked for, and when it was asked last. */
export interface Synced {
  readonly config: { readonly [key: string]: Json }
  last_updated: string | null
}

export interface Team {
  role: TeamRole
  description: string
  /** People by name, robots as `acme+ci`. */
  readonly members: Set<string>
  invitations: Invitation[]
  synced: Synced | null
}

export interface DefaultPermission {
  readonly id: string
  role: RepositoryRole
  readonly delegate: { readonly kind: "user" | "team"; readonly name: string }
  readonly activating_user: string | null
}

export interface Organization extends Namespace {
  /** What superusers see instead of an e-mail address that was never given. */
  uuid: string
  invoice_email: boolean
  invoice_email_address: string | null
  readonly teams: Map<string, Team>
  default_permissions: DefaultPermission[]
}

export interface Token {
  readonly user: string
  readonly scopes: readonly string[]
  /** When it is worth nothing any more; null never. */
  readonly expires: string | null
  /** The application that it was made for. */
  readonly application?: { readonly client_id: string; readonly name: string }
}

/** One line of the audit log. */
export interface LogEntry {
  readonly datetime: string
  readonly kind: string
  /** Null for what the registry does by itself. */
  readonly performer: string | null
  /** Null for what concerns no namespace, and once the namespace is gone. */
  namespace: string | null
  repository: string | null
  readonly metadata: { readonly [key: string]: Json }
}

/** How many lines of the audit log a snapshot has, so that files stay files to look at. */
const LOG_WRITTEN = 2000

/** Things that only one kind knows of, kept with their owner and written under a key of their own. */
export interface Part<T = unknown> {
  readonly owner: "registry" | "organization" | "repository" | "user"
  readonly key: string
  of(owner: object): T
  set(owner: object, value: T): void
  read(owner: object, value: unknown, place: string): void
  write(owner: object): Json | undefined
}

export const part = <T>(spec: {
  readonly owner: Part["owner"]
  readonly key: string
  readonly empty: () => T
  readonly read: (value: unknown, place: string) => T
  /** Undefined leaves the key out of the file. */
  readonly write: (value: T) => Json | undefined
}): Part<T> => {
  const values = new WeakMap<object, T>()
  const of = (owner: object): T => {
    const known = values.get(owner)
    if (known !== undefined) return known
    const made = spec.empty()
    values.set(owner, made)
    return made
  }
  return {
    owner: spec.owner,
    key: spec.key,
    of,
    set: (owner, value) => void values.set(owner, value),
    read: (owner, value, place) => void values.set(owner, spec.read(value, place)),
    write: (owner) => spec.write(of(owner))
  }
}

export interface StateOptions {
  readonly parts: readonly Pick<Part, "owner" | "key" | "read" | "write">[]
  readonly random: RandomSource
  readonly now: () => number
  /** Any well-formed name counts as a user's when it is named. */
  readonly acceptAnyUser: boolean
  /** Milliseconds until a deleted name comes free by itself; undefined leaves it to `collect`. */
  readonly collectAfter: number | undefined
}

/** Everything a registry holds, with the lookups and the cascades that every kind shares. */
export class State {
  readonly users = new Map<string, User>()
  readonly organizations = new Map<string, Organization>()
  readonly tokens = new Map<string, Token>()
  /** Names of what was deleted and is not yet collected, each with the time of its deletion. */
  readonly deleted = new Map<string, string>()
  /** The audit log, oldest first. */
  readonly log: LogEntry[] = []
  readonly options: StateOptions

  constructor(options: StateOptions) {
    this.options = options
  }

  // Making

  newUser(
    more: {
      readonly email?: string
      readonly superuser?: boolean
      readonly verified?: boolean
      readonly login?: string | null
      readonly password?: string
    } = {}
  ): User {
    return {
      email: more.email ?? null,
      uuid: uuid(this.options.random),
      superuser: more.superuser ?? false,
      enabled: true,
      verified: more.verified ?? true,
      login: more.login ?? null,
      password: more.password ?? null,
      tag_expiration_s: TWO_WEEKS,
      robots: new Map(),
      repositories: new Map()
    }
  }

  newOrganization(email: string | null): Organization {
    return {
      email,
      uuid: uuid(this.options.random),
      invoice_email: false,
      invoice_email_address: null,
      tag_expiration_s: TWO_WEEKS,
      teams: new Map(),
      robots: new Map(),
      default_permissions: [],
      repositories: new Map()
    }
  }

  newTeam(role: TeamRole, description: string, members: readonly string[] = []): Team {
    return { role, description, members: new Set(members), invitations: [], synced: null }
  }

  newRobot(description: string, metadata: { [key: string]: Json } | null): Robot {
    return {
      description,
      token: randomToken(this.options.random, 64),
      created: new Date(this.options.now()).toISOString(),
      last_accessed: null,
      unstructured_metadata: metadata,
      federation: []
    }
  }

  newRepository(visibility: Visibility, description: string | null): Repository {
    return {
      description,
      visibility,
      state: "NORMAL",
      status_token: uuid(this.options.random),
      permissions: { users: new Map(), teams: new Map() }
    }
  }

  // Looking up

  namespace(name: string): Namespace | undefined {
    return this.organizations.get(name) ?? this.users.get(name)
  }

  repository(namespace: string, name: string): Repository | undefined {
    return this.namespace(namespace)?.repositories.get(name)
  }

  robot(name: string): Robot | undefined {
    const parts = splitRobot(name)
    return parts === undefined ? undefined : this.namespace(parts.namespace)?.robots.get(parts.short)
  }

  /** Whether a person goes by this name; not for robots or organizations. */
  isPerson(name: string): boolean {
    if (this.users.has(name)) return true
    if (!this.options.acceptAnyUser || this.organizations.has(name) || this.isReserved(name)) return false
    return namespaceProblem(name) === undefined
  }

  /** A person or a robot: Quay keeps both as users. */
  isUser(name: string): boolean {
    return this.isPerson(name) || this.robot(name) !== undefined
  }

  isReserved(name: string): boolean {
    const since = this.deleted.get(name)
    if (since === undefined) return false
    const { collectAfter, now } = this.options
    if (collectAfter === undefined || now() - Date.parse(since) < collectAfter) return true
    this.#collect(name)
    return false
  }

  /** Invitations of somebody who was deleted stay until the name is free again. */
  #collect(name: string): void {
    this.deleted.delete(name)
    for (const { teams } of this.organizations.values()) {
      for (const team of teams.values()) team.invitations = team.invitations.filter(({ user }) => user !== name)
    }
  }

  /** Frees all names of what was deleted. */
  collect(): void {
    for (const name of [...this.deleted.keys()]) this.#collect(name)
  }

  // Deleting, with all that goes along

  deleteTeam(organization: Organization, name: string): void {
    organization.teams.delete(name)
    organization.default_permissions = organization.default_permissions.filter(
      ({ delegate }) => delegate.kind !== "team" || delegate.name !== name
    )
    for (const repository of organization.repositories.values()) repository.permissions.teams.delete(name)
  }

  /** Takes a person or a robot out of every team, permission and default permission. */
  forgetUser(name: string): void {
    for (const organization of this.organizations.values()) {
      for (const team of organization.teams.values()) team.members.delete(name)
      organization.default_permissions = organization.default_permissions.filter(
        ({ delegate, activating_user }) =>
          activating_user !== name && (delegate.kind !== "user" || delegate.name !== name)
      )
    }
    for (const owner of [...this.organizations.values(), ...this.users.values()]) {
      for (const repository of owner.repositories.values()) repository.permissions.users.delete(name)
    }
  }

  deleteNamespace(name: string): void {
    for (const short of this.namespace(name)?.robots.keys() ?? []) this.forgetUser(`${name}+${short}`)
    this.organizations.delete(name)
    if (this.users.delete(name)) this.forgetUser(name)
    for (const [token, { user }] of this.tokens) if (user === name) this.tokens.delete(token)
    for (const entry of this.log) if (entry.namespace === name) entry.namespace = entry.repository = null
    this.deleted.set(name, new Date(this.options.now()).toISOString())
  }

  /** What is made again under the same name begins with an empty log. */
  deleteRepository(namespace: string, name: string): void {
    if (this.namespace(namespace)?.repositories.delete(name) !== true) return
    for (const entry of this.log) {
      if (entry.namespace === namespace && entry.repository === name) entry.repository = null
    }
  }

  /** Gives an organization another name, and its robots with it, wherever they are named. */
  renameOrganization(from: string, to: string): void {
    const organization = this.organizations.get(from)
    if (organization === undefined) return
    const renamed = (name: string) => (name.startsWith(`${from}+`) ? `${to}${name.slice(from.length)}` : name)
    for (const team of organization.teams.values()) {
      const members = [...team.members].map(renamed)
      team.members.clear()
      for (const member of members) team.members.add(member)
    }
    for (const { permissions } of organization.repositories.values()) {
      replace(permissions.users, new Map([...permissions.users].map(([name, role]) => [renamed(name), role])))
    }
    organization.default_permissions = organization.default_permissions.map((rule) => ({
      ...rule,
      delegate: {
        ...rule.delegate,
        name: rule.delegate.kind === "user" ? renamed(rule.delegate.name) : rule.delegate.name
      }
    }))
    for (const entry of this.log) if (entry.namespace === from) entry.namespace = to
    this.organizations.delete(from)
    this.organizations.set(to, organization)
  }

  // JSON

  #readParts(owner: Part["owner"], of: object, reader: Reader): void {
    for (const kept of this.options.parts) {
      if (kept.owner !== owner) continue
      const value = reader.raw(kept.key)
      if (value !== undefined) kept.read(of, value, reader.at(kept.key))
    }
  }

  #writeParts(owner: Part["owner"], of: object): { [key: string]: Json } {
    const written: [string, Json][] = []
    for (const kept of this.options.parts) {
      const value = kept.owner === owner ? kept.write(of) : undefined
      if (value !== undefined) written.push([kept.key, value])
    }
    return Object.fromEntries(written)
  }

  #readRobot(value: unknown, place: string): Robot {
    const reader = new Reader(value, place)
    const metadata = reader.json("unstructured_metadata") ?? null
    if (metadata !== null && !isObject(metadata)) {
      throw new StateError(reader.at("unstructured_metadata"), "must be an object")
    }
    const fresh = this.newRobot("", metadata)
    const robot: Robot = {
      description: reader.text("description", ""),
      token: reader.text("token", fresh.token),
      created: reader.text("created", fresh.created),
      last_accessed: reader.text("last_accessed", null),
      unstructured_metadata: metadata,
      federation: reader.list("federation", (entry, at) => {
        const fields = new Reader(entry, at)
        const identity = { issuer: fields.text("issuer", ""), subject: fields.text("subject", "") }
        fields.end()
        return identity
      })
    }
    reader.end()
    return robot
  }

  #readRepository(value: unknown, place: string): Repository {
    const reader = new Reader(value, place)
    const permissions = new Reader(reader.raw("permissions") ?? {}, reader.at("permissions"))
    const repository: Repository = {
      description: reader.text("description", null),
      visibility: reader.one("visibility", VISIBILITIES, "private"),
      state: reader.one("state", REPOSITORY_STATES, "NORMAL"),
      status_token: reader.text("status_token", uuid(this.options.random)),
      permissions: { users: permissions.map("users", readRole), teams: permissions.map("teams", readRole) }
    }
    permissions.end()
    this.#readParts("repository", repository, reader)
    reader.end()
    return repository
  }

  #readNamespace(reader: Reader): Namespace {
    return {
      email: reader.text("email", null),
      tag_expiration_s: reader.number("tag_expiration_s", TWO_WEEKS),
      robots: named(reader, "robots", (value, place) => this.#readRobot(value, place)),
      repositories: reader.map("repositories", (value, place) => this.#readRepository(value, place))
    }
  }

  #readOrganization(value: unknown, place: string): Organization {
    const reader = new Reader(value, place)
    const organization: Organization = {
      ...this.#readNamespace(reader),
      uuid: reader.text("uuid", uuid(this.options.random)),
      invoice_email: reader.flag("invoice_email", false),
      invoice_email_address: reader.text("invoice_email_address", null),
      teams: named(reader, "teams", readTeam),
      default_permissions: reader.list("default_permissions", (entry, at) => this.#readDefaultPermission(entry, at))
    }
    this.#readParts("organization", organization, reader)
    reader.end()
    return organization
  }

  #readDefaultPermission(value: unknown, place: string): DefaultPermission {
    const reader = new Reader(value, place)
    const delegate = new Reader(reader.raw("delegate"), reader.at("delegate"))
    const permission: DefaultPermission = {
      id: reader.text("id", uuid(this.options.random)),
      role: reader.one("role", REPOSITORY_ROLES),
      delegate: { kind: delegate.one("kind", DELEGATE_KINDS), name: delegate.text("name", "") },
      activating_user: reader.text("activating_user", null)
    }
    delegate.end()
    reader.end()
    return permission
  }

  #readUser(value: unknown, place: string): User {
    const reader = new Reader(value, place)
    const user: User = {
      ...this.#readNamespace(reader),
      uuid: reader.text("uuid", uuid(this.options.random)),
      superuser: reader.flag("superuser", false),
      enabled: reader.flag("enabled", true),
      verified: reader.flag("verified", true),
      login: reader.text("login", null),
      password: reader.text("password", null)
    }
    this.#readParts("user", user, reader)
    reader.end()
    return user
  }

  /** Replaces everything with what the JSON says. What it leaves out gets Quay's defaults. */
  load(value: unknown): void {
    const reader = new Reader(value, "")
    if (reader.text("format", FORMAT) !== FORMAT) throw new StateError("format", `must be "${FORMAT}"`)
    const users = named(reader, "users", (item, place) => this.#readUser(item, place))
    const organizations = named(reader, "organizations", (item, place) => this.#readOrganization(item, place))
    const tokens = reader.map("tokens", readToken)
    const deleted = reader.map("deleted", readText)
    const log = reader.list("log", readLogEntry)
    this.#readParts("registry", this, reader)
    reader.end()
    for (const name of organizations.keys()) {
      if (users.has(name)) throw new StateError(`organizations.${name}`, "is the name of a user too")
    }
    replace(this.users, users)
    replace(this.organizations, organizations)
    replace(this.tokens, tokens)
    replace(this.deleted, deleted)
    this.log.splice(0, this.log.length, ...log)
  }

  snapshot(): SimulatorState {
    return {
      format: FORMAT,
      users: fromMap(this.users, (user) => ({
        email: user.email,
        uuid: user.uuid,
        superuser: user.superuser,
        enabled: user.enabled,
        ...(user.verified ? {} : { verified: false }),
        ...(user.login === null ? {} : { login: user.login }),
        ...(user.password === null ? {} : { password: user.password }),
        ...this.#writeNamespace(user),
        ...this.#writeParts("user", user)
      })),
      tokens: fromMap(this.tokens, ({ user, scopes, expires, application }) => ({
        user,
        scopes: [...scopes],
        ...(expires === null ? {} : { expires }),
        ...(application === undefined ? {} : { application: { ...application } })
      })),
      organizations: fromMap(this.organizations, (organization) => ({
        email: organization.email,
        uuid: organization.uuid,
        invoice_email: organization.invoice_email,
        invoice_email_address: organization.invoice_email_address,
        teams: fromMap(organization.teams, ({ role, description, members, invitations, synced }) => ({
          role,
          description,
          members: [...members],
          ...(invitations.length === 0 ? {} : { invitations: invitations.map((invitation) => ({ ...invitation })) }),
          ...(synced === null ? {} : { synced: { ...synced } })
        })),
        default_permissions: organization.default_permissions.map((permission) => ({
          ...permission,
          delegate: { ...permission.delegate }
        })),
        ...this.#writeNamespace(organization),
        ...this.#writeParts("organization", organization)
      })),
      deleted: fromMap(this.deleted, (since) => since),
      ...(this.log.length === 0 ? {} : { log: this.log.slice(-LOG_WRITTEN).map((entry) => ({ ...entry })) }),
      ...this.#writeParts("registry", this)
    }
  }

  #writeNamespace(owner: Namespace): NamespaceState {
    return {
      tag_expiration_s: owner.tag_expiration_s,
      robots: fromMap(owner.robots, ({ last_accessed, ...robot }) => ({
        ...robot,
        ...(last_accessed === null ? {} : { last_accessed }),
        federation: robot.federation.map((identity) => ({ ...identity }))
      })),
      repositories: fromMap(owner.repositories, (repository) => ({
        description: repository.description,
        visibility: repository.visibility,
        state: repository.state,
        status_token: repository.status_token,
        permissions: {
          users: fromMap(repository.permissions.users, (role) => role),
          teams: fromMap(repository.permissions.teams, (role) => role)
        },
        ...this.#writeParts("repository", repository)
      }))
    }
  }
}

const replace = <T>(target: Map<string, T>, source: ReadonlyMap<string, T>): void => {
  target.clear()
  for (const [key, value] of source) target.set(key, value)
}

const named = <T>(reader: Reader, key: string, read: (value: unknown, place: string) => T): Map<string, T> =>
  reader.map(key, (value, place) => {
    const problem = namespaceProblem(place.slice(reader.at(key).length + 1))
    if (problem !== undefined) throw new StateError(place, problem)
    return read(value, place)
  })

const readText = (value: unknown, place: string): string => {
  if (typeof value !== "string") throw new StateError(place, "must be a text")
  return value
}

const readRole = (value: unknown, place: string): RepositoryRole => {
  if (!isOneOf(REPOSITORY_ROLES, value)) throw new StateError(place, `must be one of ${REPOSITORY_ROLES.join(", ")}`)
  return value
}

const readTeam = (value: unknown, place: string): Team => {
  const reader = new Reader(value, place)
  const team: Team = {
    role: reader.one("role", TEAM_ROLES, "member"),
    description: reader.text("description", ""),
    members: new Set(reader.texts("members")),
    invitations: reader.list("invitations", readInvitation),
    synced: reader.raw("synced") === undefined ? null : readSynced(reader.raw("synced"), reader.at("synced"))
  }
  reader.end()
  return team
}

const readInvitation = (value: unknown, place: string): Invitation => {
  const reader = new Reader(value, place)
  const invitation: Invitation = {
    code: reader.text("code", ""),
    user: reader.text("user", null),
    email: reader.text("email", null),
    inviter: reader.text("inviter", "")
  }
  reader.end()
  return invitation
}

const readSynced = (value: unknown, place: string): Synced => {
  const reader = new Reader(value, place)
  const config = reader.json("config") ?? {}
  if (!isObject(config)) throw new StateError(reader.at("config"), "must be an object")
  const synced: Synced = { config, last_updated: reader.text("last_updated", null) }
  reader.end()
  return synced
}

const readToken = (value: unknown, place: string): Token => {
  const reader = new Reader(value, place)
  const token: Token = {
    user: reader.text("user", ""),
    scopes: reader.raw("scopes") === undefined ? SCOPES : reader.texts("scopes"),
    expires: reader.text("expires", null),
    ...(reader.raw("application") === undefined ? {} : { application: readApplication(reader) })
  }
  reader.end()
  return token
}

const readApplication = (reader: Reader): { client_id: string; name: string } => {
  const fields = new Reader(reader.raw("application"), reader.at("application"))
  const application = { client_id: fields.text("client_id", ""), name: fields.text("name", "") }
  fields.end()
  return application
}

const readLogEntry = (value: unknown, place: string): LogEntry => {
  const reader = new Reader(value, place)
  const metadata = reader.json("metadata") ?? {}
  if (!isObject(metadata)) throw new StateError(reader.at("metadata"), "must be an object")
  const entry: LogEntry = {
    datetime: reader.text("datetime", ""),
    kind: reader.text("kind", ""),
    performer: reader.text("performer", null),
    namespace: reader.text("namespace", null),
    repository: reader.text("repository", null),
    metadata
  }
  if (Number.isNaN(Date.parse(entry.datetime))) throw new StateError(reader.at("datetime"), "must be a date")
  reader.end()
  return entry
}

// The JSON. Type aliases, so that they count as JSON for the compiler; parts of kinds stand beside the keys named here.

type NamespaceState = {
  tag_expiration_s: number
  robots: { [name: string]: RobotState }
  repositories: { [name: string]: RepositoryStateJson }
}

export type RobotState = {
  description: string
  token: string
  created: string
  last_accessed?: string
  unstructured_metadata: { [key: string]: Json } | null
  federation: { issuer: string; subject: string }[]
}

export type RepositoryStateJson = {
  description: string | null
  visibility: Visibility
  state: RepositoryState
  status_token: string
  permissions: { users: { [name: string]: RepositoryRole }; teams: { [name: string]: RepositoryRole } }
}

export type TeamState = {
  role: TeamRole
  description: string
  members: string[]
  invitations?: { code: string; user: string | null; email: string | null; inviter: string }[]
  synced?: { config: { readonly [key: string]: Json }; last_updated: string | null }
}

export type UserState = NamespaceState & {
  email: string | null
  uuid: string
  superuser: boolean
  enabled: boolean
  verified?: boolean
  login?: string
  password?: string
}

export type OrganizationState = NamespaceState & {
  email: string | null
  uuid: string
  invoice_email: boolean
  invoice_email_address: string | null
  teams: { [name: string]: TeamState }
  default_permissions: {
    id: string
    role: RepositoryRole
    delegate: { kind: "user" | "team"; name: string }
    activating_user: string | null
  }[]
}

/** All that a simulator holds, as plain JSON: what its file contains. */
export type SimulatorState = {
  format: typeof FORMAT
  users: { [name: string]: UserState }
  tokens: {
    [token: string]: {
      user: string
      scopes: string[]
      expires?: string
      application?: { client_id: string; name: string }
    }
  }
  organizations: { [name: string]: OrganizationState }
  deleted: { [name: string]: string }
  log?: {
    datetime: string
    kind: string
    performer: string | null
    namespace: string | null
    repository: string | null
    metadata: { readonly [key: string]: Json }
  }[]
}
