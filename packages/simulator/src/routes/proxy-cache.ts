// The proxy cache of an organization. Leaves out asking the upstream registry anything: every one is taken for one that is
// there, and every password for a good one.
import type { Call } from "../call.ts"
import { internalError, invalidRequest, json, notFound } from "../errors.ts"
import { isAmong } from "../features.ts"
import { refusePrivateHost } from "../hosts.ts"
import { hasImmutableTags } from "../images.ts"
import { Reader } from "../json.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Organization, part } from "../state.ts"

const DAY = 86_400

interface ProxyCache {
  readonly upstream_registry: string
  readonly upstream_registry_username: string | null
  readonly upstream_registry_password: string | null
  readonly expiration_s: number
  readonly insecure: boolean
}

const NEW: Schema = {
  type: "object",
  required: ["upstream_registry"],
  properties: { upstream_registry: { type: "string" } }
}

export const proxyCaches = part<ProxyCache | undefined>({
  owner: "organization",
  key: "proxy_cache",
  empty: () => undefined,
  read: (value, place) => {
    const reader = new Reader(value, place)
    const cache: ProxyCache = {
      upstream_registry: reader.text("upstream_registry", ""),
      upstream_registry_username: reader.text("upstream_registry_username", null),
      upstream_registry_password: reader.text("upstream_registry_password", null),
      expiration_s: reader.number("expiration_s", DAY),
      insecure: reader.flag("insecure", false)
    }
    reader.end()
    return cache
  },
  write: (cache) => (cache === undefined ? undefined : { ...cache })
})

/** The releases from which the organization's name is read from the path. */
const READS_PATH = ["3.9.24", "3.10.24", "3.12.20", "3.15.6", "3.16.4", "3.17"]

/** Where the path is not read, the body's name decides, and there must be one. */
const target = (call: Call): Organization => {
  const { organization } = call.administered()
  if (isAmong(call.registry.version, READS_PATH)) return organization
  const named = call.state.organizations.get(call.body.text("org_name") ?? "")
  if (named === undefined) throw internalError("no org_name")
  return named
}

const create = (call: Call) => {
  const organization = target(call)
  refusePrivateHost(call.body.required("upstream_registry"))
  call.before("proxy-cache", call.parameter("orgname"))
  if (hasImmutableTags(organization.repositories.values(), call.registry.now())) {
    throw invalidRequest("Cannot convert organization to proxy cache: immutable tags exist")
  }
  if (proxyCaches.of(organization) !== undefined) throw invalidRequest("Proxy Cache Configuration already exists")
  proxyCaches.set(organization, {
    upstream_registry: call.body.required("upstream_registry"),
    upstream_registry_username: call.body.text("upstream_registry_username") ?? null,
    upstream_registry_password: call.body.text("upstream_registry_password") ?? null,
    expiration_s: call.body.number("expiration_s") ?? DAY,
    insecure: call.body.flag("insecure") ?? false
  })
  const upstream_registry = call.body.required("upstream_registry")
  call.log("create_proxy_cache_config", { namespace: call.parameter("orgname") }, { upstream_registry })
  return json(201, "Created")
}

const PATH = "/api/v1/organization/{orgname}/proxycache"
const shared = { path: PATH, features: ["PROXY_CACHE"] } as const

export const proxyCache: Kind = {
  name: "proxy-cache",
  parts: [proxyCaches],
  routes: [
    {
      ...shared,
      method: "GET",
      operation: "getProxyCacheConfig",
      // It says that there is none for organizations that do not exist, too.
      handle: (call) => {
        const name = call.parameter("orgname")
        call.caller.require(call.caller.isMember(name))
        const organization = call.state.organizations.get(name)
        const cache = organization === undefined ? undefined : proxyCaches.of(organization)
        if (cache === undefined) return json(200, { upstream_registry: "", expiration_s: "", insecure: "" })
        const { upstream_registry, expiration_s, insecure } = cache
        return json(200, { upstream_registry, expiration_s, insecure })
      }
    },
    {
      ...shared,
      method: "POST",
      operation: "createProxyCacheConfig",
      body: { name: "NewProxyCacheConfig", schema: NEW },
      handle: create
    },
    {
      method: "POST",
      path: "/api/v1/organization/{orgname}/validateproxycache",
      operation: "validateProxyCacheConfig",
      features: ["PROXY_CACHE"],
      body: { name: "NewProxyCacheConfig", schema: NEW },
      handle: (call) => {
        const { organization } = call.administered()
        if (proxyCaches.of(organization) !== undefined) {
          throw invalidRequest("Proxy Cache Configuration already exists")
        }
        refusePrivateHost(call.body.required("upstream_registry"))
        return json(202, call.body.text("upstream_registry_username") ? "Valid" : "Anonymous")
      }
    },
    {
      ...shared,
      method: "DELETE",
      operation: "deleteProxyCacheConfig",
      handle: (call) => {
        const { name, organization } = call.administered()
        const cache = proxyCaches.of(organization)
        if (cache === undefined) throw notFound()
        proxyCaches.set(organization, undefined)
        const { upstream_registry } = cache
        call.log("delete_proxy_cache_config", { namespace: name }, { upstream_registry })
        return json(201, "Deleted")
      }
    }
  ]
}
