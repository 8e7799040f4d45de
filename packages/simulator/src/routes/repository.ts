// Repositories: create, list, view, describe, show or hide, freeze, have their tags signed, delete. Leaves out what is in them (tag.ts), builds and
// stars.
import { atLeast } from "../auth.ts"
import type { Call } from "../call.ts"
import { detail, internalError, invalidRequest, json, noContent, notFound } from "../errors.ts"
import { imageOf, isAlive, newestFirst, tags, usage } from "../images.ts"
import { Reader } from "../json.ts"
import { isRepositoryName } from "../names.ts"
import type { Kind, Since } from "../router.ts"
import type { Schema } from "../schema.ts"
import {
  type DefaultPermission,
  type Organization,
  part,
  type Repository,
  type RepositoryRole,
  VISIBILITIES
} from "../state.ts"
import { configuredQuota, isPublic, mailDate } from "../views.ts"

const PAGE = 100
const TAGS = 500
const STATS_DAYS = 91
/** Those that are for people to choose; Quay alone makes one the organization's mirror's. */
const STATES = ["NORMAL", "READ_ONLY", "MIRROR"] as const

const NEW = (since: Since): Schema => ({
  type: "object",
  required: ["repository", "visibility", "description"],
  properties: {
    repository: { type: "string" },
    visibility: { type: "string", enum: VISIBILITIES },
    namespace: { type: "string" },
    description: { type: "string" },
    repo_kind: { type: ["string", "null"], enum: since("3.17") ? ["image", null] : ["image", "application", null] }
  }
})

const UPDATE: Schema = {
  type: "object",
  required: ["description"],
  properties: { description: { type: "string" } }
}

const VISIBILITY: Schema = {
  type: "object",
  required: ["visibility"],
  properties: { visibility: { type: "string", enum: VISIBILITIES } }
}

const STATE: Schema = {
  type: "object",
  required: ["state"],
  properties: { state: { type: "string", enum: STATES } }
}

const TRUST: Schema = {
  type: "object",
  required: ["trust_enabled"],
  properties: { trust_enabled: { type: "boolean" } }
}

/** Whether the tags of a repository are signed. */
const trust = part<boolean>({
  owner: "repository",
  key: "trust_enabled",
  empty: () => false,
  read: (value, place) => new Reader({ trust_enabled: value }, place).flag("trust_enabled", false),
  write: (isEnabled) => (isEnabled ? true : undefined)
})

/** Turns away who has less than the role on the repository in the path, whether it exists or not. */
export const requireRole =
  (wanted: RepositoryRole) =>
  (call: Call): void => {
    const { namespace, name } = call.repositoryPath()
    const known = call.state.repository(namespace, name)
    const open = wanted === "read" && known !== undefined && isPublic(known)
    call.caller.require(open || atLeast(call.caller.repositoryRole(namespace, name), wanted))
  }

export const foundRepository = (call: Call) => {
  const { namespace, name } = call.repositoryPath()
  const repository = call.state.repository(namespace, name)
  if (repository === undefined) throw notFound()
  return { namespace, name, repository }
}

/**
 * The roles that default permissions give on a new repository. For one delegate, a rule for this creator beats those for
 * everyone, and of those the first counts.
 */
const defaults = (rules: readonly DefaultPermission[], kind: "user" | "team", creator: string) => {
  const chosen = new Map<string, RepositoryRole>()
  const applying = rules.filter(
    (rule) => rule.delegate.kind === kind && (rule.activating_user === null || rule.activating_user === creator)
  )
  for (const { delegate, activating_user, role } of applying) {
    if (activating_user !== null || !chosen.has(delegate.name)) chosen.set(delegate.name, role)
  }
  return chosen
}

const applyDefaults = (organization: Organization, repository: Repository, creator: string): void => {
  const rules = organization.default_permissions
  for (const [name, role] of defaults(rules, "user", creator)) {
    if (name !== creator) repository.permissions.users.set(name, role)
  }
  for (const [name, role] of defaults(rules, "team", creator)) repository.permissions.teams.set(name, role)
}

const create = (call: Call) => {
  const { state, caller, body } = call
  const creator = caller.user ?? ""
  const namespace = body.text("namespace") || creator
  const name = body.required("repository")
  caller.require(caller.createsRepositories(namespace))
  if (state.repository(namespace, name) !== undefined) throw invalidRequest("Repository already exists")
  if (!isRepositoryName(name, call.feature("EXTENDED_REPOSITORY_NAMES"))) {
    throw invalidRequest("Invalid repository name")
  }
  const owner = state.namespace(namespace)
  if (owner === undefined) throw internalError(`no namespace ${namespace}`)
  call.before("repository", namespace)
  const repository = state.newRepository(body.one("visibility", VISIBILITIES), body.text("description") ?? "")
  // Whoever creates a repository administers it, besides what the defaults say.
  repository.permissions.users.set(creator, "admin")
  const organization = state.organizations.get(namespace)
  if (organization !== undefined) applyDefaults(organization, repository, creator)
  owner.repositories.set(name, repository)
  call.logRepository("create_repo", { namespace, name })
  return json(201, { namespace, name, kind: "image" })
}

const lastModified = (call: Call, repository: Repository): number | null => {
  const alive = tags.of(repository).filter((tag) => isAlive(tag, call.registry.now()))
  return alive.length === 0 ? null : Math.floor(Math.max(...alive.map(({ start }) => start)) / 1000)
}

const tagsView = (call: Call, repository: Repository) =>
  Object.fromEntries(
    newestFirst(tags.of(repository))
      .filter((tag) => isAlive(tag, call.registry.now()))
      .slice(0, TAGS)
      .map(({ name, digest, start, end }) => {
        const image = imageOf(repository, digest)
        const size = image === undefined || image.children.length > 0 ? null : image.size
        const last_modified = mailDate(new Date(start).toISOString())
        const expiration = end === null ? {} : { expiration: mailDate(new Date(end).toISOString()) }
        return [name, { name, size, last_modified, manifest_digest: digest, ...expiration }]
      })
  )

/** Nobody counts what is done: the days are there, without anything in them. */
const stats = (call: Call) =>
  Array.from({ length: STATS_DAYS }, (_, day) => ({
    date: new Date(call.registry.now() - (day + 1) * 86_400_000).toISOString().slice(0, 10),
    count: 0
  }))

const summary = (call: Call, namespace: string, name: string, repository: Repository) => ({
  namespace,
  name,
  description: repository.description,
  is_public: isPublic(repository),
  kind: "image",
  state: repository.state,
  ...(call.queryFlag("last_modified", false) ? { last_modified: lastModified(call, repository) } : {}),
  ...(call.queryFlag("popularity", false) ? { popularity: 0 } : {}),
  is_starred: false,
  ...(call.feature("QUOTA_MANAGEMENT") && call.feature("EDIT_QUOTA")
    ? { quota_report: { quota_bytes: usage([repository]), configured_quota: configuredQuota(call, namespace) } }
    : {})
})

const list = (call: Call) => {
  const { state, caller, incoming, registry } = call
  const wanted = incoming.query.get("namespace")
  const withPublic = call.queryFlag("public", false)
  const starred = call.queryFlag("starred", false)
  if (wanted === null && !withPublic && !starred) {
    throw invalidRequest("namespace, starred or public are required for this API call")
  }
  if (starred && caller.user === undefined) throw caller.refusal()
  const namespaces = [...state.organizations, ...state.users].filter(([name]) => wanted === null || name === wanted)
  const visible = namespaces.flatMap(([namespace, { repositories }]) =>
    [...repositories]
      .map(([name, repository]) => ({ namespace, name, repository }))
      .filter(({ name, repository }) => (withPublic && isPublic(repository)) || caller.seesRepository(namespace, name))
  )
  const { items, next } = registry.pages.page(
    starred ? [] : visible,
    ({ namespace, name }) => `${namespace}/${name}`,
    PAGE,
    incoming.query.get("next_page")
  )
  return json(200, {
    repositories: items.map(({ namespace, name, repository }) => summary(call, namespace, name, repository)),
    ...next
  })
}

const view = (call: Call) => {
  const { namespace, name, repository } = foundRepository(call)
  const role = call.caller.repositoryRole(namespace, name)
  return json(200, {
    namespace,
    name,
    kind: "image",
    description: repository.description,
    is_public: isPublic(repository),
    is_organization: call.state.organizations.has(namespace),
    is_starred: false,
    // Public repositories need no token to show their badge.
    status_token: isPublic(repository) ? "" : repository.status_token,
    trust_enabled: call.feature("SIGNING") && trust.of(repository),
    tag_expiration_s: call.state.namespace(namespace)?.tag_expiration_s ?? 0,
    is_free_account: true,
    state: repository.state,
    ...(call.queryFlag("includeTags", true) ? { tags: tagsView(call, repository) } : {}),
    ...(call.queryFlag("includeStats", false) ? { stats: stats(call) } : {}),
    can_write: atLeast(role, "write") && repository.state === "NORMAL",
    can_admin: atLeast(role, "admin")
  })
}

const REPOSITORY = "/api/v1/repository/{repository}"

export const repository: Kind = {
  name: "repository",
  parts: [trust],
  routes: [
    {
      method: "POST",
      path: "/api/v1/repository",
      operation: "createRepo",
      scope: "repo:create",
      body: { name: "NewRepo", schema: NEW },
      handle: create
    },
    { method: "GET", path: "/api/v1/repository", operation: "listRepos", scope: "repo:read", handle: list },
    {
      method: "GET",
      path: REPOSITORY,
      operation: "getRepo",
      scope: "repo:read",
      guard: requireRole("read"),
      handle: view
    },
    {
      method: "PUT",
      path: REPOSITORY,
      operation: "updateRepo",
      scope: "repo:write",
      guard: requireRole("write"),
      body: { name: "RepoUpdate", schema: UPDATE },
      handle: (call) => {
        const found = foundRepository(call)
        const description = call.body.required("description")
        found.repository.description = description
        call.logRepository("set_repo_description", found, { description })
        return json(200, { success: true })
      }
    },
    {
      method: "DELETE",
      path: REPOSITORY,
      operation: "deleteRepository",
      scope: "repo:admin",
      guard: requireRole("admin"),
      handle: (call) => {
        const { namespace, name } = call.repositoryPath()
        if (call.state.repository(namespace, name) !== undefined) {
          call.state.deleteRepository(namespace, name)
          call.log("delete_repo", { namespace }, { repo: name, namespace })
        }
        return noContent()
      }
    },
    {
      method: "POST",
      path: `${REPOSITORY}/changevisibility`,
      operation: "changeRepoVisibility",
      scope: "repo:admin",
      guard: requireRole("admin"),
      body: { name: "ChangeVisibility", schema: VISIBILITY },
      handle: (call) => {
        const { namespace, name } = call.repositoryPath()
        const repository = call.state.repository(namespace, name)
        if (repository === undefined) return json(200, null)
        const visibility = call.body.one("visibility", VISIBILITIES)
        repository.visibility = visibility
        call.logRepository("change_repo_visibility", { namespace, name }, { visibility })
        return json(200, { success: true })
      }
    },
    {
      method: "PUT",
      path: `${REPOSITORY}/changestate`,
      operation: "changeRepoState",
      scope: "repo:admin",
      features: ["REPO_MIRROR"],
      guard: requireRole("admin"),
      body: { name: "ChangeRepoState", schema: STATE },
      handle: (call) => {
        const { namespace, name } = call.repositoryPath()
        const repository = call.state.repository(namespace, name)
        if (repository === undefined) throw detail(400, "Repository not found")
        call.before("state", namespace)
        const state = call.body.one("state", STATES)
        repository.state = state
        call.logRepository("change_repo_state", { namespace, name }, { state_changed: state })
        return json(200, { success: true })
      }
    },
    {
      method: "POST",
      path: `${REPOSITORY}/changetrust`,
      operation: "changeRepoTrust",
      scope: "repo:admin",
      features: ["SIGNING"],
      guard: requireRole("admin"),
      body: { name: "ChangeRepoTrust", schema: TRUST },
      handle: (call) => {
        const found = foundRepository(call)
        const trust_enabled = call.body.flag("trust_enabled") ?? false
        trust.set(found.repository, trust_enabled)
        call.logRepository("change_repo_trust", found, { trust_enabled })
        return json(200, { success: true })
      }
    }
  ]
}
