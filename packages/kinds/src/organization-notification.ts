/** Notifications of an organization: who is told when its quota is nearly used up, or is. They go with the quota. */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachOrganization } from "./each.ts"
import { item } from "./names.ts"
import {
  isDeclarable,
  namedIn,
  namesakeNeeds,
  notificationBody,
  notificationEntry,
  notificationFields,
  notificationIdentity,
  notificationKey,
  notificationNotices,
  notificationsOf,
  readNotifications,
  surplusNotifications,
  targetNeeds,
  writeNotifications
} from "./notification.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, orMissing, type Quay, type SecretUnavailable } from "./quay.ts"
import { quotaIn, quotaRef } from "./quota.ts"

const schema = item({
  organization: Type.String(),
  ...notificationFields,
  /** Whether there is a quota, which takes it along when it is deleted. Never declared: there can be one without. */
  with_quota: Type.Optional(Type.Boolean())
})

export type OrganizationNotification = Static<typeof schema>

const entry = notificationEntry({
  event: Type.Union([Type.Literal("quota_warning"), Type.Literal("quota_error")], {
    description: "What has to happen: a warning threshold of the quota is passed, or a push is refused."
  })
})

export const organizationNotification: Kind<
  "organization-notification",
  typeof schema,
  ReadError | SecretUnavailable,
  Quay
> = {
  kind: "organization-notification",
  scopes: ["org:admin"],
  schema,
  identity: ["organization", "with_quota", ...notificationIdentity],
  key: (found) => notificationKey(found.organization, found),
  collection: ({ organization }) => ({ parent: organization }),
  needs: (found) => [
    organizationRef(found.organization),
    ...(found.with_quota === true ? [quotaRef(found.organization)] : []),
    ...targetNeeds(found.organization, found),
    ...namesakeNeeds("organization-notification", found.organization, found)
  ],
  // What is made before the quota is deleted would be gone with it.
  follows: ({ organization }) => [{ kind: "quota", parent: organization }],
  consults: ({ parent }) => [{ kind: "team", parent }],
  implicit: (found) => found.uncertain === true || !isDeclarable(entry, found.organization, found),
  extras: "remove",
  requires: { feature: "QUOTA_NOTIFICATIONS", operation: "createOrgNotification", since: "3.18" },
  notices: notificationNotices,
  section: section({
    under: "organization",
    name: "notifications",
    node: Type.Array(entry, {
      description: "Who is told when the quota is nearly used up, or is. Notifications that are not here are removed."
    }),
    read: (entries, organization) =>
      readNotifications(entries).map(({ item, path }) => ({ item: { organization, ...item }, path })),
    write: (items) => writeNotifications(entry, items, ({ organization }) => organization)
  }),

  list: (collections, declared) => {
    const named = namedIn(declared)
    return eachOrganization(collections, (organization) =>
      Effect.gen(function* () {
        const { notifications } = yield* ask((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/notifications", {
            params: { path: { orgname: organization } },
            signal
          })
        )
        const with_quota = (yield* quotaIn(organization)).length > 0 ? { with_quota: true } : {}
        const found = yield* notificationsOf(organization, notifications, named)
        return found.map((it) => ({ organization, ...it, ...with_quota }))
      })
    )
  },
  duplicates: () => true,
  surplus: (made, found) => surplusNotifications(made, found, ({ organization }) => organization),
  create: (after) =>
    Effect.gen(function* () {
      const body = yield* notificationBody(after)
      yield* once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/notifications", {
          params: { path: { orgname: after.organization } },
          body,
          signal
        })
      )
    }),
  delete: ({ organization, uuid }) =>
    uuid === undefined
      ? Effect.void
      : Effect.asVoid(
          orMissing(
            ask((client, signal) =>
              client.DELETE("/api/v1/organization/{orgname}/notifications/{uuid}", {
                params: { path: { orgname: organization, uuid } },
                signal
              })
            )
          )
        )
}
