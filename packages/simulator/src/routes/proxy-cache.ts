// The proxy cache of an organization: only that there is none. It says so for organizations that do not exist, too.
import { json } from "../errors.ts"
import type { Kind } from "../router.ts"

export const proxyCache: Kind = {
  name: "proxy-cache",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/proxycache",
      operation: "getProxyCacheConfig",
      features: ["PROXY_CACHE"],
      handle: (call) => {
        call.caller.require(call.caller.isMember(call.parameter("orgname")))
        return json(200, { upstream_registry: "", expiration_s: "", insecure: "" })
      }
    }
  ]
}
