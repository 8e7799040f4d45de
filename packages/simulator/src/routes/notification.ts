// Notifications of repositories. Leaves out sending any.
import type { Call } from "../call.ts"
import { internalError, invalidRequest, json, noContent, notFound, unknownUrl } from "../errors.ts"
import { Reader, StateError } from "../json.ts"
import {
  checkMethod,
  isMethod,
  NOTIFICATION,
  type Notification,
  readNotification,
  wantedNotification
} from "../notifications.ts"
import type { Kind } from "../router.ts"
import { part, type Repository } from "../state.ts"
import { foundRepository, requireRole } from "./repository.ts"

const EVENTS = [
  "repo_push",
  "build_queued",
  "build_start",
  "build_success",
  "build_failure",
  "build_cancelled",
  "vulnerability_found",
  "repo_mirror_sync_started",
  "repo_mirror_sync_success",
  "repo_mirror_sync_failed"
]

const notifications = part<Notification[]>({
  owner: "repository",
  key: "notifications",
  empty: () => [],
  read: (value, place) => new Reader({ notifications: value }, place).list("notifications", readNotification),
  write: (all) => (all.length === 0 ? undefined : all.map((one) => ({ ...one })))
})

/** Addresses that asked, or were asked, to get notifications; whether somebody followed the link that was mailed there. */
const authorizedEmails = part<Map<string, boolean>>({
  owner: "repository",
  key: "authorized_emails",
  empty: () => new Map(),
  read: (value, place) =>
    new Reader({ authorized_emails: value }, place).map("authorized_emails", (confirmed, at) => {
      if (typeof confirmed !== "boolean") throw new StateError(at, "must be true or false")
      return confirmed
    }),
  write: (all) => (all.size === 0 ? undefined : Object.fromEntries(all))
})

const find = (call: Call, repository: Repository): Notification | undefined =>
  notifications.of(repository).find(({ uuid }) => uuid === call.parameter("uuid"))

const found = (call: Call): Notification => {
  const notification = find(call, foundRepository(call).repository)
  if (notification === undefined) throw notFound()
  return notification
}

const log = (call: Call, kind: string, { uuid, event, method }: Notification): void =>
  call.logRepository(kind, call.repositoryPath(), { notification_id: uuid, event, method })

const create = (call: Call) => {
  const { namespace, repository } = foundRepository(call)
  const wanted = wantedNotification(call)
  const isEvent = EVENTS.includes(wanted.event) || (wanted.event === "repo_image_expiry" && call.since("3.12"))
  if (!isMethod(wanted.method)) throw internalError(`no method ${wanted.method}`)
  checkMethod(call, namespace, wanted.method, wanted.config)
  if (wanted.method === "email" && !wanted.config["email"]) throw invalidRequest("Missing e-mail address")
  // An address counts when somebody has followed the link that was mailed there.
  if (wanted.method === "email" && authorizedEmails.of(repository).get(String(wanted.config["email"])) !== true) {
    throw invalidRequest("The specified e-mail address is not authorized to receive notifications for this repository")
  }
  if (!isEvent) throw internalError(`no event ${wanted.event}`)
  notifications.of(repository).push(wanted)
  log(call, "add_repo_notification", wanted)
  return json(201, wanted)
}

const addressView = (call: Call) => {
  const { namespace, name, repository } = foundRepository(call)
  const email = call.parameter("email")
  const confirmed = authorizedEmails.of(repository).get(email)
  if (confirmed === undefined) throw unknownUrl()
  return json(200, { email, repository: name, namespace, confirmed })
}

const authorize = (call: Call) => {
  const known = authorizedEmails.of(foundRepository(call).repository)
  const email = call.parameter("email")
  if (known.get(email) !== true) {
    call.registry.mail.send({ to: email, about: "confirm-notifications" })
    known.set(email, false)
  }
  return addressView(call)
}

const remove = (call: Call) => {
  const { namespace, name, repository } = foundRepository(call)
  const notification = find(call, repository)
  if (notification === undefined) {
    throw invalidRequest(`No repository notification found for: ${namespace}, ${name}, ${call.parameter("uuid")}`)
  }
  notifications.set(
    repository,
    notifications.of(repository).filter((one) => one !== notification)
  )
  log(call, "delete_repo_notification", notification)
  return noContent()
}

const ALL = "/api/v1/repository/{repository}/notification/"
const ONE = `${ALL}{uuid}`
const EMAIL = "/api/v1/repository/{repository}/authorizedemail/{email}"
const shared = { scope: "repo:admin", guard: requireRole("admin") } as const

export const notification: Kind = {
  name: "notification",
  parts: [notifications, authorizedEmails],
  hooks: {
    confirmAddress: (state, address) => {
      for (const { repositories } of [...state.organizations.values(), ...state.users.values()]) {
        for (const repository of repositories.values()) {
          const known = authorizedEmails.of(repository)
          if (known.has(address)) known.set(address, true)
        }
      }
    }
  },
  routes: [
    {
      ...shared,
      method: "GET",
      path: ALL,
      operation: "listRepoNotifications",
      handle: (call) => json(200, { notifications: notifications.of(foundRepository(call).repository) })
    },
    {
      ...shared,
      method: "POST",
      path: ALL,
      operation: "createRepoNotification",
      body: { name: "NotificationCreateRequest", schema: NOTIFICATION },
      handle: create
    },
    { ...shared, method: "GET", path: ONE, operation: "getRepoNotification", handle: (call) => json(200, found(call)) },
    {
      ...shared,
      method: "POST",
      path: ONE,
      operation: "resetRepositoryNotificationFailures",
      handle: (call) => {
        const notification = found(call)
        notification.number_of_failures = 0
        log(call, "reset_repo_notification", notification)
        return noContent()
      }
    },
    { ...shared, method: "DELETE", path: ONE, operation: "deleteRepoNotification", handle: remove },
    {
      ...shared,
      method: "POST",
      path: `${ONE}/test`,
      operation: "testRepoNotification",
      handle: (call) => {
        found(call)
        return json(200, {})
      }
    },
    {
      ...shared,
      method: "GET",
      path: EMAIL,
      operation: "checkRepoEmailAuthorized",
      internal: true,
      features: ["MAILING"],
      handle: addressView
    },
    {
      ...shared,
      method: "POST",
      path: EMAIL,
      operation: "sendAuthorizeRepoEmail",
      internal: true,
      features: ["MAILING"],
      handle: authorize
    }
  ]
}
