// Notifications of an organization about its quota: only that there are none.
import { json } from "../errors.ts"
import type { Kind } from "../router.ts"

export const organizationNotification: Kind = {
  name: "organization-notification",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/notifications",
      operation: "listOrgNotifications",
      scope: "org:admin",
      features: ["QUOTA_NOTIFICATIONS"],
      since: "3.18",
      handle: (call) => {
        call.administered()
        return json(200, { notifications: [] })
      }
    }
  ]
}
