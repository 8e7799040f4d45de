// Notifications of organizations, which are about their quota. Leaves out sending any, and those of users.
import type { Call } from "../call.ts"
import { invalidRequest, json, noContent, notFound } from "../errors.ts"
import { Reader } from "../json.ts"
import {
  checkMethod,
  isMethod,
  NOTIFICATION,
  type Notification,
  readNotification,
  wantedNotification
} from "../notifications.ts"
import type { Kind } from "../router.ts"
import { part } from "../state.ts"

const EVENTS = ["quota_error", "quota_warning"]

export const namespaceNotifications = part<Notification[]>({
  owner: "organization",
  key: "notifications",
  empty: () => [],
  read: (value, place) => new Reader({ notifications: value }, place).list("notifications", readNotification),
  write: (all) => (all.length === 0 ? undefined : all.map((one) => ({ ...one })))
})

const found = (call: Call) => {
  const { organization } = call.administered()
  const notification = namespaceNotifications.of(organization).find(({ uuid }) => uuid === call.parameter("uuid"))
  if (notification === undefined) throw notFound()
  return { organization, notification }
}

const log = (call: Call, kind: string, { uuid, event, method }: Notification): void => {
  const namespace = call.parameter("orgname")
  call.log(kind, { namespace }, { namespace, notification_id: uuid, event, method })
}

const create = (call: Call) => {
  const { name, organization } = call.administered()
  const wanted = wantedNotification(call)
  if (!EVENTS.includes(wanted.event)) {
    throw invalidRequest(`Invalid event '${wanted.event}'. Must be one of: ${EVENTS.join(", ")}`)
  }
  if (!isMethod(wanted.method)) throw invalidRequest(`Invalid method '${wanted.method}'.`)
  checkMethod(call, name, wanted.method, wanted.config)
  namespaceNotifications.of(organization).push(wanted)
  log(call, "create_namespace_notification", wanted)
  return json(201, wanted)
}

const ALL = "/api/v1/organization/{orgname}/notifications"
const ONE = `${ALL}/{uuid}`
const shared = { scope: "org:admin", features: ["QUOTA_NOTIFICATIONS"], since: "3.18" } as const

export const organizationNotification: Kind = {
  name: "organization-notification",
  parts: [namespaceNotifications],
  routes: [
    {
      ...shared,
      method: "GET",
      path: ALL,
      operation: "listOrgNotifications",
      handle: (call) => json(200, { notifications: namespaceNotifications.of(call.administered().organization) })
    },
    {
      ...shared,
      method: "POST",
      path: ALL,
      operation: "createOrgNotification",
      body: { name: "NotificationCreateRequest", schema: NOTIFICATION, unlisted: true },
      handle: create
    },
    {
      ...shared,
      method: "GET",
      path: ONE,
      operation: "getOrgNotification",
      handle: (call) => json(200, found(call).notification)
    },
    {
      ...shared,
      method: "POST",
      path: ONE,
      operation: "resetOrgNotificationFailures",
      handle: (call) => {
        const { notification } = found(call)
        notification.number_of_failures = 0
        log(call, "reset_namespace_notification", notification)
        return noContent()
      }
    },
    {
      ...shared,
      method: "DELETE",
      path: ONE,
      operation: "deleteOrgNotification",
      handle: (call) => {
        const { organization, notification } = found(call)
        namespaceNotifications.set(
          organization,
          namespaceNotifications.of(organization).filter((one) => one !== notification)
        )
        log(call, "delete_namespace_notification", notification)
        return noContent()
      }
    },
    {
      ...shared,
      method: "POST",
      path: `${ONE}/test`,
      operation: "testOrgNotification",
      handle: (call) => {
        found(call)
        return json(200, {})
      }
    }
  ]
}
