// The mirror of a whole organization, and what it closes the organization to. Leaves out mirroring: it finds no repository by
// itself, so what is there was in the state, or was pushed by the mirror's robot.
import type { Call, Change } from "../call.ts"
import { detail, invalidRequest, json, noContent, notFound } from "../errors.ts"
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
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Organization, part, VISIBILITIES, type Visibility } from "../state.ts"
import { organizationPolicies } from "./immutability.ts"
import { proxyCaches } from "./proxy-cache.ts"

const TYPES = ["harbor", "quay"] as const

interface Mirror {
  readonly external_registry_type: (typeof TYPES)[number]
  readonly creation_date: string
  external_registry_url: string
  external_namespace: string
  external_registry_username: string | null
  external_registry_password: string | null
  external_registry_config: { [key: string]: Json }
  is_enabled: boolean
  repository_filters: string[]
  /** The short name of a robot of the organization. */
  robot: string
  visibility: Visibility
  sync_interval: number
  sync_start_date: string
  sync_status: Status
  sync_retries_remaining: number
  skopeo_timeout: number
}

const PROPERTIES: { readonly [name: string]: Schema } = {
  external_registry_url: { type: "string" },
  external_namespace: { type: "string", maxLength: 255 },
  external_registry_username: { type: ["string", "null"] },
  external_registry_password: { type: ["string", "null"] },
  external_registry_config: { type: "object", properties: { verify_tls: { type: "boolean" }, proxy: PROXY } },
  is_enabled: { type: "boolean" },
  repository_filters: { type: "array", items: { type: "string" } },
  robot_username: { type: "string" },
  visibility: { type: "string", enum: VISIBILITIES },
  sync_interval: { type: "integer", minimum: 60 },
  sync_start_date: { type: "string" },
  skopeo_timeout: { type: "integer", minimum: 30, maximum: 3600 }
}

const CREATE: Schema = {
  type: "object",
  required: [
    "external_registry_type",
    "external_registry_url",
    "external_namespace",
    "robot_username",
    "visibility",
    "sync_interval",
    "sync_start_date"
  ],
  properties: { external_registry_type: { type: "string", enum: TYPES }, ...PROPERTIES }
}

/** Without the type, which cannot be changed and is ignored. */
const UPDATE: Schema = {
  type: "object",
  properties: { ...PROPERTIES, external_registry_config: { type: "object" } }
}

const mirrors = part<Mirror | undefined>({
  owner: "organization",
  key: "mirror",
  empty: () => undefined,
  read: (value, place) => {
    const reader = new Reader(value, place)
    const mirror: Mirror = {
      external_registry_type: reader.one("external_registry_type", TYPES, "quay"),
      creation_date: reader.text("creation_date", ""),
      external_registry_url: reader.text("external_registry_url", ""),
      external_namespace: reader.text("external_namespace", ""),
      external_registry_username: reader.text("external_registry_username", null),
      external_registry_password: reader.text("external_registry_password", null),
      external_registry_config: readObject(reader, "external_registry_config"),
      is_enabled: reader.flag("is_enabled", true),
      repository_filters: reader.texts("repository_filters"),
      robot: reader.text("robot", ""),
      visibility: reader.one("visibility", VISIBILITIES, "private"),
      sync_interval: reader.number("sync_interval", 3600),
      sync_start_date: reader.text("sync_start_date", ""),
      sync_status: reader.one("sync_status", STATUSES, "NEVER_RUN"),
      sync_retries_remaining: reader.number("sync_retries_remaining", RETRIES),
      skopeo_timeout: reader.number("skopeo_timeout", 300)
    }
    reader.end()
    return mirror
  },
  write: (mirror) => (mirror === undefined ? undefined : { ...mirror })
})

/** Who pushes what the mirror of an organization finds, and who sees it; undefined where there is no mirror. */
export const organizationMirrorOf = (
  organization: Organization
): { readonly robot: string; readonly visibility: Visibility } | undefined => mirrors.of(organization)

const CLOSED: { readonly [change in Change]: string } = {
  repository: "Cannot create repository: organization is managed by organization-level mirroring",
  state: "The mirror of the organization decides the states of its repositories",
  mirror: "The organization is mirrored as a whole: its repositories have no mirrors of their own",
  "proxy-cache": "An organization that is mirrored has no proxy cache"
}

const view = (name: string, { external_registry_password, robot, ...mirror }: Mirror) => ({
  ...mirror,
  has_external_registry_password: external_registry_password !== null,
  robot_username: `${name}+${robot}`,
  sync_expiration_date: null,
  repo_sync_status_counts: Object.fromEntries(STATUSES.map((status) => [status, 0]))
})

const wantedDate = (call: Call): string => {
  const date = call.body.required("sync_start_date")
  if (!isStartDate(date)) throw detail(400, "Incorrect DateTime format for sync_start_date.")
  return date
}

const log = (call: Call, kind: string, metadata: { readonly [key: string]: Json } = {}): void => {
  const namespace = call.parameter("orgname")
  call.log(kind, { namespace }, { namespace, ...metadata })
}

const create = (call: Call) => {
  const { name, organization } = call.administered()
  const { body } = call
  if (mirrors.of(organization) !== undefined) {
    throw invalidRequest("Mirror configuration already exists for this organization")
  }
  if (organization.repositories.size > 0) {
    throw invalidRequest(
      "Cannot create organization mirror: the organization already contains repositories. " +
        "Organization mirroring requires an empty organization."
    )
  }
  if (call.feature("IMMUTABLE_TAGS") && organizationPolicies.of(organization).length > 0) {
    throw invalidRequest("Cannot create organization mirror: the organization has immutability policies")
  }
  if (call.feature("PROXY_CACHE") && proxyCaches.of(organization) !== undefined) {
    throw invalidRequest("Cannot create organization mirror: the organization has a proxy cache")
  }
  refusePrivateHost(body.required("external_registry_url"))
  mirrors.set(organization, {
    external_registry_type: body.one("external_registry_type", TYPES),
    creation_date: new Date(call.registry.now()).toISOString(),
    external_registry_url: body.required("external_registry_url"),
    external_namespace: body.required("external_namespace"),
    external_registry_username: body.text("external_registry_username") ?? null,
    external_registry_password: body.text("external_registry_password") ?? null,
    external_registry_config: asObject(body.get("external_registry_config")),
    is_enabled: body.flag("is_enabled") ?? true,
    repository_filters: texts(body.get("repository_filters")),
    robot: wantedRobot(call, name, body.required("robot_username")),
    visibility: body.one("visibility", VISIBILITIES),
    sync_interval: body.number("sync_interval") ?? 3600,
    sync_start_date: wantedDate(call),
    sync_status: "NEVER_RUN",
    sync_retries_remaining: RETRIES,
    skopeo_timeout: body.number("skopeo_timeout") ?? 300
  })
  log(call, "org_mirror_enabled", { external_registry_url: body.required("external_registry_url") })
  return json(201, "")
}

const found = (call: Call) => {
  const { name, organization } = call.administered()
  const mirror = mirrors.of(organization)
  if (mirror === undefined) throw notFound()
  return { name, organization, mirror }
}

const update = (call: Call) => {
  const { name, mirror } = found(call)
  const { body } = call
  const has = (key: string) => body.get(key) !== undefined
  const robot = body.text("robot_username")
  if (robot !== undefined) mirror.robot = wantedRobot(call, name, robot)
  if (has("sync_start_date")) mirror.sync_start_date = wantedDate(call)
  if (has("external_registry_url")) refusePrivateHost(body.required("external_registry_url"))
  mirror.external_registry_url = body.text("external_registry_url") ?? mirror.external_registry_url
  mirror.external_namespace = body.text("external_namespace") ?? mirror.external_namespace
  mirror.is_enabled = body.flag("is_enabled") ?? mirror.is_enabled
  mirror.sync_interval = body.number("sync_interval") ?? mirror.sync_interval
  mirror.skopeo_timeout = body.number("skopeo_timeout") ?? mirror.skopeo_timeout
  if (has("visibility")) mirror.visibility = body.one("visibility", VISIBILITIES)
  if (has("repository_filters")) mirror.repository_filters = texts(body.get("repository_filters"))
  if (has("external_registry_username")) {
    mirror.external_registry_username = body.text("external_registry_username") ?? null
  }
  if (has("external_registry_password")) {
    mirror.external_registry_password = body.text("external_registry_password") ?? null
  }
  // Unlike a repository's, this is replaced as a whole.
  if (has("external_registry_config")) mirror.external_registry_config = asObject(body.get("external_registry_config"))
  log(call, "org_mirror_config_changed", { changed: Object.keys(asObject(body.value)) })
  return json(200, "")
}

const repositories = (call: Call) => {
  found(call)
  const page = call.queryNumber("page") ?? 1
  const limit = Math.min(call.queryNumber("limit") ?? 100, 500)
  return json(200, { repositories: [], page, limit, total: 0, has_next: false })
}

const setStatus = (status: Status, retries: number) => (call: Call) => {
  const { mirror } = found(call)
  mirror.sync_status = status
  mirror.sync_retries_remaining = retries
  return noContent()
}

const MIRROR = "/api/v1/organization/{orgname}/mirror"
const shared = { scope: "org:admin", features: ["ORG_MIRROR"], since: "3.17" } as const

export const organizationMirror: Kind = {
  name: "organization-mirror",
  parts: [mirrors],
  hooks: {
    beforeChange: (call, change, namespace) => {
      const organization = call.feature("ORG_MIRROR") ? call.state.organizations.get(namespace) : undefined
      if (organization !== undefined && mirrors.of(organization) !== undefined) throw invalidRequest(CLOSED[change])
    },
    // Quay checks repositories' mirrors only: an organization's goes with its robot, without a word.
    afterRobotDelete: (call, namespace, short) => {
      const organization = call.state.organizations.get(namespace)
      if (organization !== undefined && mirrors.of(organization)?.robot === short) mirrors.set(organization, undefined)
    }
  },
  routes: [
    {
      ...shared,
      method: "GET",
      path: MIRROR,
      operation: "getOrgMirrorConfig",
      handle: (call) => {
        const { name, mirror } = found(call)
        return json(200, view(name, mirror))
      }
    },
    {
      ...shared,
      method: "POST",
      path: MIRROR,
      operation: "createOrgMirrorConfig",
      body: { name: "CreateOrgMirrorConfig", schema: CREATE },
      handle: create
    },
    {
      ...shared,
      method: "PUT",
      path: MIRROR,
      operation: "updateOrgMirrorConfig",
      body: { name: "UpdateOrgMirrorConfig", schema: UPDATE },
      handle: update
    },
    {
      ...shared,
      method: "DELETE",
      path: MIRROR,
      operation: "deleteOrgMirrorConfig",
      handle: (call) => {
        const { organization } = found(call)
        mirrors.set(organization, undefined)
        for (const repository of organization.repositories.values()) {
          if (repository.state === "ORG_MIRROR") repository.state = "NORMAL"
        }
        log(call, "org_mirror_disabled")
        return noContent()
      }
    },
    {
      ...shared,
      method: "GET",
      path: `${MIRROR}/repositories`,
      operation: "listOrgMirrorRepositories",
      handle: repositories
    },
    {
      ...shared,
      method: "POST",
      path: `${MIRROR}/verify`,
      operation: "verifyOrgMirrorConnection",
      handle: (call) => {
        found(call)
        return json(200, { success: true, message: "Connection successful" })
      }
    },
    {
      ...shared,
      method: "POST",
      path: `${MIRROR}/sync-now`,
      operation: "syncOrgMirrorNow",
      handle: setStatus("SYNC_NOW", RETRIES)
    },
    {
      ...shared,
      method: "POST",
      path: `${MIRROR}/sync-cancel`,
      operation: "cancelOrgMirrorSync",
      handle: setStatus("CANCEL", 0)
    }
  ]
}
