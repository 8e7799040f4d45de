// The mirror of a whole organization: only that there is none.
import { notFound } from "../errors.ts"
import type { Kind } from "../router.ts"

export const organizationMirror: Kind = {
  name: "organization-mirror",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/mirror",
      operation: "getOrgMirrorConfig",
      scope: "org:admin",
      features: ["ORG_MIRROR"],
      since: "3.17",
      handle: (call) => {
        call.administered()
        throw notFound()
      }
    }
  ]
}
