// Mirrors of repositories. Leaves out mirroring.
import { atLeast, grantedRole } from "../auth.ts"
import type { Call } from "../call.ts"
import { detail, internalError, invalidRequest, json, noContent, notFound } from "../errors.ts"
import { isAmong } from "../features.ts"
import { refusePrivateHost } from "../hosts.ts"
import { type Json, Reader } from "../json.ts"
import {
  asObject,
  isStartDate,
  PROXY,
  RETRIES,
  readObject,
  STATUSES,
  type Status,
  texts,
  wantedRobot
} from "../mirrors.ts"
import { splitRobot } from "../names.ts"
import type { Kind, Since } from "../router.ts"
import type { Schema } from "../schema.ts"
import { part, type Repository } from "../state.ts"
import { foundRepository, requireRole } from "./repository.ts"

const ARCHITECTURES = ["amd64", "arm64", "ppc64le", "s390x"]

interface Mirror {
  is_enabled: boolean
  external_reference: string
  external_registry_username: string | null
  external_registry_password: string | null
  external_registry_config: { [key: string]: Json }
  sync_interval: number
  sync_start_date: string
  sync_status: Status
  sync_retries_remaining: number
  tags: string[]
  /** The short name of a robot of the same namespace. */
  robot: string
  skopeo_timeout_interval: number
  architecture_filter: string[]
}

const PROPERTIES: { readonly [name: string]: Schema } = {
  is_enabled: { type: "boolean" },
  external_reference: { type: "string" },
  external_registry_username: { type: ["string", "null"] },
  external_registry_password: { type: ["string", "null"] },
  external_registry_config: {
    type: "object",
    properties: { verify_tls: { type: "boolean" }, unsigned_images: { type: "boolean" }, proxy: PROXY }
  },
  sync_interval: { type: "integer", minimum: 0 },
  sync_start_date: { type: "string" },
  root_rule: {
    type: "object",
    required: ["rule_kind", "rule_value"],
    properties: {
      rule_kind: { type: "string", enum: ["tag_glob_csv"] },
      rule_value: { type: "array", items: { type: "string" } }
    }
  },
  robot_username: { type: "string" }
}

const UPDATE = (since: Since): Schema => ({
  type: "object",
  properties: {
    ...PROPERTIES,
    ...(since("3.15") ? { skopeo_timeout_interval: { type: "integer", minimum: 300 } } : {}),
    ...(since("3.17") ? { architecture_filter: { type: ["array", "null"], items: { type: "string" } } } : {})
  }
})

const REQUIRED = ["external_reference", "sync_interval", "sync_start_date", "root_rule"]
const CREATE = (since: Since): Schema => ({
  ...UPDATE(since),
  required: since("3.15") ? [...REQUIRED, "skopeo_timeout_interval"] : REQUIRED
})

/** What came later: the releases that take it without an error. The first of them drop it, and list it nowhere. */
const LATER = new Map([
  ["skopeo_timeout_interval", ["3.14.7", "3.15"]],
  ["architecture_filter", ["3.16.4", "3.17"]]
])

const mirrors = part<Mirror | undefined>({
  owner: "repository",
  key: "mirror",
  empty: () => undefined,
  read: (value, place) => {
    const reader = new Reader(value, place)
    const mirror: Mirror = {
      is_enabled: reader.flag("is_enabled", true),
      external_reference: reader.text("external_reference", ""),
      external_registry_username: reader.text("external_registry_username", null),
      external_registry_password: reader.text("external_registry_password", null),
      external_registry_config: readObject(reader, "external_registry_config"),
      sync_interval: reader.number("sync_interval", 86_400),
      sync_start_date: reader.text("sync_start_date", ""),
      sync_status: reader.one("sync_status", STATUSES, "NEVER_RUN"),
      sync_retries_remaining: reader.number("sync_retries_remaining", RETRIES),
      tags: reader.texts("tags"),
      robot: reader.text("robot", ""),
      skopeo_timeout_interval: reader.number("skopeo_timeout_interval", 300),
      architecture_filter: reader.texts("architecture_filter")
    }
    reader.end()
    return mirror
  },
  write: (mirror) => (mirror === undefined ? undefined : { ...mirror })
})

const view = (call: Call, namespace: string, mirror: Mirror) => {
  const { verify_tls = true, unsigned_images = false, proxy } = mirror.external_registry_config
  const { http_proxy = null, https_proxy = null, no_proxy = null } = asObject(proxy)
  return {
    is_enabled: mirror.is_enabled,
    mirror_type: "PULL",
    external_reference: mirror.external_reference,
    external_registry_username: mirror.external_registry_username,
    external_registry_config: { verify_tls, unsigned_images, proxy: { http_proxy, https_proxy, no_proxy } },
    sync_interval: mirror.sync_interval,
    sync_start_date: mirror.sync_start_date,
    sync_expiration_date: null,
    sync_retries_remaining: mirror.sync_retries_remaining,
    sync_status: mirror.sync_status,
    root_rule: { rule_kind: "tag_glob_csv", rule_value: mirror.tags },
    robot_username: `${namespace}+${mirror.robot}`,
    ...(call.since("3.15") ? { skopeo_timeout_interval: mirror.skopeo_timeout_interval } : {}),
    ...(call.since("3.17") ? { architecture_filter: mirror.architecture_filter } : {})
  }
}

const wantedTags = (call: Call): string[] => {
  const tags = texts(call.body.object("root_rule")?.get("rule_value"))
  if (tags.length === 0) {
    throw invalidRequest("validation failed: rule_value for TAG_GLOB_CSV must be a list with at least one rule")
  }
  return tags
}

const wantedDate = (call: Call): string => {
  const date = call.body.required("sync_start_date")
  if (!isStartDate(date)) throw detail(400, "Incorrect DateTime format for sync_start_date.")
  return date
}

const wantedArchitectures = (call: Call): string[] => {
  const wanted = texts(call.body.get("architecture_filter"))
  const unknown = wanted.find((one) => !ARCHITECTURES.includes(one))
  if (unknown !== undefined) throw invalidRequest(`Invalid architecture: ${unknown}`)
  return wanted
}

/** Quay gives the robot write, unless it may write already, through a team for instance. */
const letWrite = (call: Call, namespace: string, name: string, repository: Repository, robot: string): void => {
  const full = `${namespace}+${robot}`
  if (!atLeast(grantedRole(call.state, full, namespace, name), "write")) repository.permissions.users.set(full, "write")
}

/** Up to 3.18 any host would do. */
const checkHost = (call: Call): void => {
  const reference = call.body.text("external_reference")
  if (reference !== undefined && call.since("3.19")) refusePrivateHost(reference)
}

const isTaken = (call: Call, key: string): boolean => {
  const releases = LATER.get(key)
  return releases === undefined ? Object.hasOwn(PROPERTIES, key) : isAmong(call.registry.version, releases)
}

const create = (call: Call) => {
  const { namespace, name, repository } = foundRepository(call)
  const { body } = call
  if (mirrors.of(repository) !== undefined) {
    throw detail(409, `Mirror configuration already exits for repository ${namespace}/${name}`)
  }
  call.before("mirror", namespace)
  checkHost(call)
  const tags = wantedTags(call)
  const sync_start_date = wantedDate(call)
  // Not required by the schema, and not checked by the code.
  const username = body.text("robot_username")
  if (username === undefined) throw internalError("no robot_username")
  const robot = wantedRobot(call, namespace, username)
  letWrite(call, namespace, name, repository, robot)
  if (!Object.keys(asObject(body.value)).every((key) => isTaken(call, key))) {
    throw internalError("an argument that the model does not have")
  }
  mirrors.set(repository, {
    is_enabled: body.flag("is_enabled") ?? true,
    external_reference: body.required("external_reference"),
    external_registry_username: body.text("external_registry_username") ?? null,
    external_registry_password: body.text("external_registry_password") ?? null,
    external_registry_config: asObject(body.get("external_registry_config")),
    sync_interval: body.number("sync_interval") ?? 0,
    sync_start_date,
    sync_status: "NEVER_RUN",
    sync_retries_remaining: RETRIES,
    tags,
    robot,
    skopeo_timeout_interval: body.number("skopeo_timeout_interval") ?? 300,
    architecture_filter: call.since("3.17") ? wantedArchitectures(call) : []
  })
  repository.state = "MIRROR"
  const to = body.required("external_reference")
  call.logRepository("repo_mirror_config_changed", { namespace, name }, { changed: "external_reference", to })
  return json(201, "")
}

const found = (call: Call) => {
  const path = foundRepository(call)
  const mirror = mirrors.of(path.repository)
  if (mirror === undefined) throw notFound()
  return { ...path, mirror }
}

const PROXIES = ["http_proxy", "https_proxy", "no_proxy"]

/** Proxies are changed one by one. Where there were none the first is lost: Quay makes room for them and forgets it. */
const mergedProxies = (before: Json | undefined, change: { [key: string]: Json }): { [key: string]: Json } => {
  const lost = before === undefined ? PROXIES.find((key) => Object.hasOwn(change, key)) : undefined
  return { ...asObject(before), ...Object.fromEntries(Object.entries(change).filter(([key]) => key !== lost)) }
}

/** Keys that are not named stay. */
const mergedConfig = (before: Mirror["external_registry_config"], change: { [key: string]: Json }) => ({
  ...before,
  ...change,
  ...(Object.hasOwn(change, "proxy") ? { proxy: mergedProxies(before["proxy"], asObject(change["proxy"])) } : {})
})

const SECRETS = ["external_registry_password", "external_registry_username"]

/** One line of the audit log for each field that was named. */
const logChanges = (call: Call): void => {
  const path = call.repositoryPath()
  const enabled = call.body.flag("is_enabled")
  if (enabled !== undefined) call.logRepository(enabled ? "repo_mirror_enabled" : "repo_mirror_disabled", path)
  for (const [changed, to] of Object.entries(asObject(call.body.value))) {
    if (changed === "is_enabled" || !isTaken(call, changed)) continue
    call.logRepository("repo_mirror_config_changed", path, { changed, to: SECRETS.includes(changed) ? "********" : to })
  }
}

/** Field by field: what comes before a bad one is kept. */
const update = (call: Call) => {
  const { namespace, name, repository, mirror } = found(call)
  const { body } = call
  checkHost(call)
  const has = (key: string) => body.get(key) !== undefined
  mirror.is_enabled = body.flag("is_enabled") ?? mirror.is_enabled
  mirror.external_reference = body.text("external_reference") ?? mirror.external_reference
  const robot = body.text("robot_username")
  if (robot !== undefined) {
    mirror.robot = wantedRobot(call, namespace, robot)
    letWrite(call, namespace, name, repository, mirror.robot)
  }
  if (has("sync_start_date")) mirror.sync_start_date = wantedDate(call)
  mirror.sync_interval = body.number("sync_interval") ?? mirror.sync_interval
  mirror.skopeo_timeout_interval = body.number("skopeo_timeout_interval") ?? mirror.skopeo_timeout_interval
  // A password alone changes nothing.
  if (has("external_registry_username")) {
    mirror.external_registry_username = body.text("external_registry_username") ?? null
    if (has("external_registry_password")) {
      mirror.external_registry_password = body.text("external_registry_password") ?? null
    }
  }
  const config = body.get("external_registry_config")
  if (config !== undefined) {
    mirror.external_registry_config = mergedConfig(mirror.external_registry_config, asObject(config))
  }
  if (has("architecture_filter") && call.since("3.17")) mirror.architecture_filter = wantedArchitectures(call)
  if (has("root_rule")) mirror.tags = wantedTags(call)
  logChanges(call)
  return json(201, "")
}

const MIRROR = "/api/v1/repository/{repository}/mirror"
const shared = { scope: "repo:admin", features: ["REPO_MIRROR"], guard: requireRole("admin") } as const

/** There is no route to delete one: that request is for the repository of that name. */
export const mirror: Kind = {
  name: "mirror",
  parts: [mirrors],
  hooks: {
    beforeRobotDelete: (call, name) => {
      const robot = splitRobot(name)
      const repositories = call.state.namespace(robot?.namespace ?? "")?.repositories.values() ?? []
      if ([...repositories].some((repository) => mirrors.of(repository)?.robot === robot?.short)) {
        throw invalidRequest("Robot is being used by a mirror")
      }
    }
  },
  routes: [
    {
      ...shared,
      method: "GET",
      path: MIRROR,
      operation: "getRepoMirrorConfig",
      handle: (call) => {
        const { namespace, mirror } = found(call)
        return json(200, view(call, namespace, mirror))
      }
    },
    {
      ...shared,
      method: "POST",
      path: MIRROR,
      operation: "createRepoMirrorConfig",
      body: { name: "CreateMirrorConfig", schema: CREATE },
      handle: create
    },
    {
      ...shared,
      method: "PUT",
      path: MIRROR,
      operation: "changeRepoMirrorConfig",
      body: { name: "UpdateMirrorConfig", schema: UPDATE },
      handle: update
    },
    {
      ...shared,
      method: "POST",
      path: `${MIRROR}/sync-now`,
      operation: "syncNow",
      handle: (call) => {
        const { mirror } = found(call)
        mirror.sync_status = "SYNC_NOW"
        mirror.sync_retries_remaining = Math.max(1, mirror.sync_retries_remaining)
        call.logRepository("repo_mirror_sync_now_requested", call.repositoryPath())
        return noContent()
      }
    },
    {
      ...shared,
      method: "POST",
      path: `${MIRROR}/sync-cancel`,
      operation: "syncCancel",
      handle: (call) => {
        const { mirror } = found(call)
        mirror.sync_status = "CANCEL"
        mirror.sync_retries_remaining = 0
        return noContent()
      }
    }
  ]
}
