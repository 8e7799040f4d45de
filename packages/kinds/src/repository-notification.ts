/** Notifications of a repository: what is told of what happens to it, and how. */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { ServerError } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachRepository } from "./each.ts"
import { item } from "./names.ts"
import {
  isDeclarable,
  namedIn,
  notificationBody,
  notificationEntry,
  notificationFields,
  notificationIdentity,
  notificationKey,
  notificationNotices,
  notificationsOf,
  readNotifications,
  targetNeeds,
  writeNotifications
} from "./notification.ts"
import { ask, once, orMissing, type Quay, type SecretUnavailable } from "./quay.ts"
import { organizationOf, repositoryRef } from "./repository.ts"

const schema = item({ repository: Type.String(), ...notificationFields })

export type RepositoryNotification = Static<typeof schema>

const EXPIRY = "repo_image_expiry"

const entry = notificationEntry({
  event: Type.Union(
    [
      Type.Literal("repo_push"),
      Type.Literal("build_queued"),
      Type.Literal("build_start"),
      Type.Literal("build_success"),
      Type.Literal("build_failure"),
      Type.Literal("build_cancelled"),
      Type.Literal("vulnerability_found"),
      Type.Literal("repo_mirror_sync_started"),
      Type.Literal("repo_mirror_sync_success"),
      Type.Literal("repo_mirror_sync_failed"),
      Type.Literal(EXPIRY)
    ],
    { description: "What has to happen." }
  ),
  event_config: Type.Optional(
    item({
      level: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 6,
          description: "vulnerability_found: from which severity on, from 0 (worst) to 6."
        })
      ),
      ref_regex: Type.Optional(Type.String({ minLength: 1, description: "build_…: of which branches and tags." })),
      days: Type.Optional(Type.Integer({ minimum: 1, description: "repo_image_expiry: how many days before." }))
    })
  )
})

/** Quay breaks on an event that it does not know, and says nothing of why. */
const explained = (event: string, error: ReadError): ReadError =>
  event === EXPIRY && error instanceof ServerError
    ? new ServerError(`${error.message}. Quay answers so to events that it does not know; ${EXPIRY} came with 3.12`, {
        method: error.method,
        path: error.path,
        operation: error.operation,
        status: error.status,
        detail: error.detail,
        retryAfter: error.retryAfter,
        transient: error.transient,
        mayHaveHappened: error.mayHaveHappened,
        cause: error
      })
    : error

export const repositoryNotification: Kind<
  "repository-notification",
  typeof schema,
  ReadError | SecretUnavailable,
  Quay
> = {
  kind: "repository-notification",
  scopes: ["repo:admin"],
  schema,
  identity: ["repository", ...notificationIdentity],
  key: (found) => notificationKey(found.repository, found),
  collection: ({ repository }) => ({ parent: repository }),
  needs: (found) => [repositoryRef(found.repository), ...targetNeeds(organizationOf(found.repository), found)],
  consults: ({ parent }) => [{ kind: "team", parent: organizationOf(parent) }],
  implicit: (found) => found.uncertain === true || !isDeclarable(entry, found.repository, found),
  // They tell somebody what happens here: whoever is not in the file shall not be told.
  extras: "remove",
  requires: {
    fields: { event: { feature: "IMAGE_EXPIRY_TRIGGER", since: "3.12", when: (event) => event === EXPIRY } }
  },
  notices: (found, before) => [
    ...(found.method === "email" && before === undefined
      ? ["Quay takes the address only when its owner has confirmed it for this repository."]
      : []),
    ...notificationNotices(found, before)
  ],
  section: section({
    under: "repository",
    name: "notifications",
    node: Type.Array(entry, {
      description:
        "What is told of what happens to the repository, and how. Notifications that are not here are removed."
    }),
    read: (entries, repository) =>
      readNotifications(entries).map(({ item, path }) => ({ item: { repository, ...item }, path })),
    write: (items) => writeNotifications(entry, items, ({ repository }) => repository)
  }),

  list: (collections, declared) => {
    const named = namedIn(declared)
    return eachRepository(collections, (repository) =>
      Effect.gen(function* () {
        const { notifications } = yield* ask((client, signal) =>
          client.GET("/api/v1/repository/{repository}/notification/", { params: { path: { repository } }, signal })
        )
        const found = yield* notificationsOf(repository, notifications, named)
        return found.map((it) => ({ repository, ...it }))
      })
    )
  },
  duplicates: () => true,
  create: (after) =>
    Effect.gen(function* () {
      const body = yield* notificationBody(after)
      const created = once((client, signal) =>
        client.POST("/api/v1/repository/{repository}/notification/", {
          params: { path: { repository: after.repository } },
          body,
          signal
        })
      )
      yield* Effect.mapError(created, (error) => explained(after.event, error))
    }),
  delete: ({ repository, uuid }) =>
    uuid === undefined
      ? Effect.void
      : Effect.asVoid(
          orMissing(
            ask((client, signal) =>
              client.DELETE("/api/v1/repository/{repository}/notification/{uuid}", {
                params: { path: { repository, uuid } },
                signal
              })
            )
          )
        )
}
