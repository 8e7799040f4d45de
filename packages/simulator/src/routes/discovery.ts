// How a client finds out what a server can do: its configuration, and the document of its operations.
import { json, notFound } from "../errors.ts"
import { isAtLeast, TAG_EXPIRATION_OPTIONS } from "../features.ts"
import type { Kind } from "../router.ts"

/** What a Quay says that was built from sources after its last release. */
const NEWEST = "3.18.0"

const ERROR_TYPES = new Map([
  ["invalid_request", "The request is not valid."],
  ["invalid_token", "The token is missing or not valid."],
  ["expired_token", "The token has expired."],
  ["insufficient_scope", "The token or its user may not do this."],
  ["fresh_login_required", "A fresh sign-in is needed."],
  ["not_found", "There is no such resource."],
  ["tag_immutable", "The tag cannot be changed."]
])

export const discovery: Kind = {
  name: "discovery",
  routes: [
    {
      method: "GET",
      path: "/config",
      since: "3.8",
      handle: ({ registry }) =>
        json(200, {
          config: {
            AUTHENTICATION_TYPE: registry.ldap === undefined ? "Database" : "LDAP",
            REGISTRY_STATE: "normal",
            REGISTRY_TITLE: "Quay",
            TAG_EXPIRATION_OPTIONS
          },
          features: registry.features,
          oauth: {},
          external_login: [],
          registry_state: "normal",
          ...(isAtLeast(registry.version, "3.16") ? { version_number: registry.version ?? NEWEST } : {})
        })
    },
    {
      method: "GET",
      path: "/api/v1/discovery",
      operation: "discovery",
      handle: (call) => json(200, call.registry.discovery(call.queryFlag("internal", false), call.incoming.origin))
    },
    {
      method: "GET",
      path: "/api/v1/error/{error_type}",
      operation: "getErrorDescription",
      handle: (call) => {
        const type = call.parameter("error_type")
        const description = ERROR_TYPES.get(type)
        if (description === undefined) throw notFound()
        return json(200, { type: `${call.incoming.origin}/api/v1/error/${type}`, title: type, description })
      }
    }
  ]
}
