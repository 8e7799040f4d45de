// Immutability policies of an organization: only that there are none.
import { json } from "../errors.ts"
import type { Kind } from "../router.ts"

export const immutability: Kind = {
  name: "immutability",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/immutabilitypolicy/",
      operation: "listOrgImmutabilityPolicies",
      scope: "org:admin",
      features: ["IMMUTABLE_TAGS"],
      since: "3.17",
      handle: (call) => {
        call.administered()
        return json(200, { policies: [] })
      }
    }
  ]
}
