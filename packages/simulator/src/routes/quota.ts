// Quotas of organizations and their limits. Leaves out quotas of users.
import type { Call, Quotas } from "../call.ts"
import { invalidRequest, json, message, noContent, notFound } from "../errors.ts"
import { Reader } from "../json.ts"
import type { Kind, Route, Since } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Organization, part } from "../state.ts"
import { namespaceNotifications } from "./organization-notification.ts"

const LIMIT_TYPES = ["Warning", "Reject"]
const UNITS = ["Byte", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
const SIZE =
  "^(\\d+\\s?(B|KiB|MiB|GiB|TiB|PiB|EiB|ZiB|YiB|Ki|Mi|Gi|Ti|Pi|Ei|Zi|Yi|KB|MB|GB|TB|PB|EB|ZB|YB|K|M|G|T|P|E|Z|Y)?)$"

interface Limit {
  readonly id: number
  type: string
  limit_percent: number
}

interface Quota {
  readonly id: number
  limit_bytes: number
  limits: Limit[]
}

const readLimit = (value: unknown, place: string): Limit => {
  const reader = new Reader(value, place)
  const limit: Limit = {
    id: reader.number("id", 0),
    type: reader.one("type", LIMIT_TYPES),
    limit_percent: reader.number("limit_percent", 100)
  }
  reader.end()
  return limit
}

const quotas = part<Quota | undefined>({
  owner: "organization",
  key: "quota",
  empty: () => undefined,
  read: (value, place) => {
    const reader = new Reader(value, place)
    const quota: Quota = {
      id: reader.number("id", 0),
      limit_bytes: reader.number("limit_bytes", 0),
      limits: reader.list("limits", readLimit)
    }
    reader.end()
    return quota
  },
  write: (quota) =>
    quota === undefined ? undefined : { ...quota, limits: quota.limits.map((limit) => ({ ...limit })) }
})

const BYTES: Schema = { required: ["limit_bytes"], properties: { limit_bytes: { type: "integer" } } }
const TEXT: Schema = { required: ["limit"], properties: { limit: { type: "string", pattern: SIZE } } }
/** Exactly one of the two; before 3.12 there were only bytes, and beside them nothing was looked at. */
const QUOTA = (since: Since): Schema => ({ type: "object", ...(since("3.12") ? { oneOf: [BYTES, TEXT] } : BYTES) })
const NEITHER: Schema = { properties: { limit_bytes: { not: {} }, limit: { not: {} } } }
/** One of the two or none, and nothing else. */
const QUOTA_UPDATE = (since: Since): Schema =>
  since("3.12")
    ? { type: "object", oneOf: [BYTES, TEXT, NEITHER].map((one) => ({ ...one, additionalProperties: false })) }
    : { type: "object", properties: BYTES.properties ?? {} }
const LIMIT: Schema = {
  type: "object",
  required: ["type", "threshold_percent"],
  properties: { type: { type: "string" }, threshold_percent: { type: "integer" } }
}
const LIMIT_UPDATE: Schema = { type: "object", properties: LIMIT.properties ?? {} }

/** "10GiB" and "10 Gi" count in powers of 1024, "10GB" and "10 G" in powers of 1000. */
const parseSize = (text: string): number => {
  const [, amount = "0", unit = "B"] = /^(\d+)\s?(\w*)$/.exec(text) ?? []
  const power = Math.max(
    0,
    UNITS.findIndex((known) => known.startsWith(unit.charAt(0)))
  )
  return Number(amount) * (unit.includes("i") ? 1024 : 1000) ** power
}

const sizeText = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`
}

const limitsOf = (quota: Quota): Limit[] => [...quota.limits].sort((a, b) => a.limit_percent - b.limit_percent)

const view = (call: Call, quota: Quota) => ({
  id: quota.id,
  limit_bytes: quota.limit_bytes,
  ...(call.since("3.12") ? { limit: sizeText(quota.limit_bytes) } : {}),
  default_config: false,
  limits: limitsOf(quota),
  default_config_exists: false
})

/** The next number of a row, as a database counts. */
const nextId = (call: Call, ids: (quota: Quota) => readonly number[]): number => {
  const all = [...call.state.organizations.values()].flatMap((organization) => {
    const quota = quotas.of(organization)
    return quota === undefined ? [] : ids(quota)
  })
  return Math.max(0, ...all) + 1
}

const wantedBytes = (call: Call): number => {
  const text = call.since("3.12") ? call.body.text("limit") : undefined
  const bytes = text === undefined ? (call.body.number("limit_bytes") ?? 0) : parseSize(text)
  if (bytes <= 0) throw invalidRequest(`Invalid quota size limit value: '${bytes}'`)
  return bytes
}

/** Where quotas are read and written, and by whom. */
interface Place {
  readonly base: string
  readonly parameter: string
  readonly names: { readonly list: string; readonly one: string }
  readonly body: string
  readonly mayRead: (call: Call, name: string) => boolean
  readonly mayWrite: (call: Call) => boolean
}

const writable = (call: Call, place: Place) => {
  call.caller.require(place.mayWrite(call))
  const name = call.parameter(place.parameter)
  return { name, organization: call.organization(name) }
}

const found = (call: Call, place: Place) => {
  const { name, organization } = writable(call, place)
  const quota = quotas.of(organization)
  if (quota === undefined || String(quota.id) !== call.parameter("quota_id")) throw notFound()
  return { name, organization, quota }
}

const logQuota = (call: Call, kind: string, namespace: string, { limit_bytes }: Quota): void =>
  call.log(kind, { namespace }, { namespace, limit_bytes, limit: sizeText(limit_bytes) })

const create = (place: Place) => (call: Call) => {
  const { name, organization } = writable(call, place)
  const limit_bytes = wantedBytes(call)
  if (quotas.of(organization) !== undefined) {
    throw invalidRequest(`Organization quota for '${name}' already exists`)
  }
  const quota: Quota = { id: nextId(call, ({ id }) => [id]), limit_bytes, limits: [] }
  quotas.set(organization, quota)
  logQuota(call, "org_create_quota", name, quota)
  return json(201, "Created")
}

/** The notifications about a quota go with it. */
const remove = (place: Place) => (call: Call) => {
  const { name, organization, quota } = found(call, place)
  quotas.set(organization, undefined)
  namespaceNotifications.set(organization, [])
  logQuota(call, "org_delete_quota", name, quota)
  return noContent()
}

const routes = (place: Place): readonly Route[] => {
  const all = `${place.base}/quota`
  const one = `${all}/{quota_id}`
  const shared = { features: ["SUPER_USERS", "QUOTA_MANAGEMENT", "EDIT_QUOTA"] }
  return [
    {
      ...shared,
      method: "GET",
      path: all,
      operation: `list${place.names.list}`,
      handle: (call) => {
        const name = call.parameter(place.parameter)
        call.caller.require(place.mayRead(call, name))
        const quota = quotas.of(call.organization(name))
        return json(200, quota === undefined ? [] : [view(call, quota)])
      }
    },
    {
      ...shared,
      method: "POST",
      path: all,
      operation: `create${place.names.one}`,
      body: { name: `New${place.body}`, schema: QUOTA },
      handle: create(place)
    },
    {
      ...shared,
      method: "PUT",
      path: one,
      operation: `change${place.names.one}`,
      body: { name: `Update${place.body}`, schema: QUOTA_UPDATE },
      handle: (call) => {
        const { name, quota } = found(call, place)
        const named = call.since("3.12") ? ["limit_bytes", "limit"] : ["limit_bytes"]
        if (named.some((key) => call.body.get(key) !== undefined)) quota.limit_bytes = wantedBytes(call)
        logQuota(call, "org_change_quota", name, quota)
        return json(200, view(call, quota))
      }
    },
    {
      ...shared,
      method: "DELETE",
      path: one,
      operation: `delete${place.names.one}`,
      handle: remove(place)
    }
  ]
}

// Limits

const checkLimit = (quota: Quota, wanted: Limit): void => {
  if (!LIMIT_TYPES.includes(wanted.type)) throw message("Quota type must be one of [Warning, Reject]")
  if (wanted.limit_percent > 100) throw message("Quota limit threshold must be between 1 and 100")
  const same = quota.limits.some(
    ({ id, type, limit_percent }) => id !== wanted.id && type === wanted.type && limit_percent === wanted.limit_percent
  )
  // Quay says this of zero and less, too.
  if (same || wanted.limit_percent < 1) throw invalidRequest("Quota limit already exists")
}

const foundLimit = (call: Call) => {
  const { quota } = found(call, ORGANIZATION)
  const limit = quota.limits.find(({ id }) => String(id) === call.parameter("limit_id"))
  if (limit === undefined) throw notFound()
  return { quota, limit }
}

const logLimit = (call: Call, kind: string, { type, limit_percent }: Limit): void => {
  const namespace = call.parameter("orgname")
  call.log(kind, { namespace }, { namespace, type, threshold_percent: limit_percent })
}

const createLimit = (call: Call) => {
  const { quota } = found(call, ORGANIZATION)
  const limit: Limit = {
    id: nextId(call, ({ limits }) => limits.map(({ id }) => id)),
    type: call.body.required("type"),
    limit_percent: call.body.number("threshold_percent") ?? 0
  }
  checkLimit(quota, limit)
  quota.limits.push(limit)
  logLimit(call, "org_create_quota_limit", limit)
  return json(201, "Created")
}

const updateLimit = (call: Call) => {
  const { quota, limit } = foundLimit(call)
  const wanted: Limit = {
    id: limit.id,
    type: call.body.text("type") ?? limit.type,
    limit_percent: call.body.number("threshold_percent") ?? limit.limit_percent
  }
  checkLimit(quota, wanted)
  Object.assign(limit, wanted)
  logLimit(call, "org_change_quota_limit", limit)
  return json(200, view(call, quota))
}

const ORGANIZATION: Place = {
  base: "/api/v1/organization/{orgname}",
  parameter: "orgname",
  names: { list: "OrganizationQuota", one: "OrganizationQuota" },
  body: "OrgQuota",
  mayRead: ({ caller }, name) => caller.isMember(name),
  mayWrite: (call) => (call.since("3.16") ? call.caller.hasFullAccess() : call.caller.isSuperuser())
}

const SUPERUSER: Place = {
  base: "/api/v1/superuser/organization/{namespace}",
  parameter: "namespace",
  names: { list: "OrganizationQuotaSuperUser", one: "OrganizationQuotaSuperUser" },
  body: "NamespaceQuota",
  mayRead: ({ caller }) => caller.isSuperuser(),
  mayWrite: ({ caller }) => caller.isSuperuser()
}

const LIMITS = `${ORGANIZATION.base}/quota/{quota_id}/limit`
const limits = { features: ["SUPER_USERS", "QUOTA_MANAGEMENT", "EDIT_QUOTA"] }

const shown = (call: Call, namespace: string): Quotas => {
  const organization = call.state.organizations.get(namespace)
  const quota = organization === undefined ? undefined : quotas.of(organization)
  if (quota === undefined) return { quotas: [], bytes: null }
  const { id, limit_bytes } = quota
  return { quotas: [{ id, limit_bytes, limits: limitsOf(quota) }], bytes: limit_bytes }
}

/** Whether so many bytes are refused; without such a limit none are. */
export const isOverQuota = (organization: Organization, bytes: number): boolean => {
  const quota = quotas.of(organization)
  return (quota?.limits ?? []).some(
    ({ type, limit_percent }) => type === "Reject" && bytes > ((quota?.limit_bytes ?? 0) * limit_percent) / 100
  )
}

export const quota: Kind = {
  name: "quota",
  parts: [quotas],
  hooks: { quotas: shown },
  routes: [
    ...routes(ORGANIZATION),
    ...routes(SUPERUSER),
    {
      ...limits,
      method: "POST",
      path: LIMITS,
      operation: "createOrganizationQuotaLimit",
      body: { name: "NewOrgQuotaLimit", schema: LIMIT },
      handle: createLimit
    },
    {
      ...limits,
      method: "PUT",
      path: `${LIMITS}/{limit_id}`,
      operation: "changeOrganizationQuotaLimit",
      body: { name: "UpdateOrgQuotaLimit", schema: LIMIT_UPDATE },
      handle: updateLimit
    },
    {
      ...limits,
      method: "DELETE",
      path: `${LIMITS}/{limit_id}`,
      operation: "deleteOrganizationQuotaLimit",
      handle: (call) => {
        const { quota, limit } = foundLimit(call)
        quota.limits = quota.limits.filter((one) => one !== limit)
        logLimit(call, "org_delete_quota_limit", limit)
        return noContent()
      }
    },
    {
      ...limits,
      method: "GET",
      path: "/api/v1/superuser/users/{namespace}/quota",
      operation: "listUserQuotaSuperUser",
      scope: "super:user",
      handle: (call) => {
        call.caller.require(call.caller.isSuperuser())
        if (!call.state.users.has(call.parameter("namespace"))) throw notFound()
        return json(200, [])
      }
    }
  ]
}
