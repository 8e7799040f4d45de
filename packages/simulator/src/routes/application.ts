// OAuth applications of an organization: only that there are none.
import { json } from "../errors.ts"
import type { Kind } from "../router.ts"

export const application: Kind = {
  name: "application",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/applications",
      operation: "getOrganizationApplications",
      scope: "org:admin",
      handle: (call) => {
        call.administered()
        return json(200, { applications: [] })
      }
    }
  ]
}
