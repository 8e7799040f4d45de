// Auto-prune policies of an organization: only that there are none.
import { json } from "../errors.ts"
import type { Kind } from "../router.ts"

export const autoPrune: Kind = {
  name: "auto-prune",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/autoprunepolicy/",
      operation: "listOrganizationAutoPrunePolicies",
      scope: "org:admin",
      features: ["AUTO_PRUNE"],
      since: "3.10",
      handle: (call) => {
        call.administered()
        return json(200, { policies: [] })
      }
    }
  ]
}
