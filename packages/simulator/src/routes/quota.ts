// Quotas of organizations: only that there are none. Members may read them.
import { json } from "../errors.ts"
import type { Kind } from "../router.ts"

export const quota: Kind = {
  name: "quota",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/quota",
      operation: "listOrganizationQuota",
      features: ["SUPER_USERS", "QUOTA_MANAGEMENT", "EDIT_QUOTA"],
      handle: (call) => {
        const name = call.parameter("orgname")
        call.caller.require(call.caller.isMember(name))
        call.organization(name)
        return json(200, [])
      }
    }
  ]
}
