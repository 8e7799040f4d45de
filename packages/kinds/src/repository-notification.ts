/** Notifications of a repository: what is told of what happens to it, and how. */
import { byText, PlanRefused, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachRepository } from "./each.ts"
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
import { ask, once, orMissing, Quay, type SecretUnavailable } from "./quay.ts"
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

/** A notification by mail, as the last part of its key tells where it goes. */
const BY_MAIL = /^(.+)\/[a-z_]+\/email\/(?:.*,)?email=("(?:[^"\\]|\\.)*"|[^",]+)$/s

const isConfirmed = (repository: string, email: string) =>
  Effect.map(
    orMissing(
      ask((client, signal) =>
        client.GET("/api/v1/repository/{repository}/authorizedemail/{email}", {
          params: { path: { repository, email } },
          signal
        })
      )
    ),
    (answer) => answer?.confirmed === true
  )

/** Of the notifications that are not there yet, those by mail to addresses that Quay would not take: why, for a person. */
const unconfirmed = (missing: ReadonlyArray<string>, there: ReadonlySet<string>) =>
  Effect.gen(function* () {
    const mails = missing.flatMap((key) => {
      const [, repository, word = ""] = BY_MAIL.exec(key) ?? []
      const email = word.startsWith('"') ? String(JSON.parse(word)) : word
      return repository === undefined ? [] : [{ repository, email }]
    })
    if (mails.length === 0) return []
    const { feature } = yield* Quay
    const isSent = (yield* feature("MAILING")) !== false
    const found = yield* Effect.forEach(
      mails,
      ({ email, repository }) =>
        Effect.map(
          isSent && there.has(repository) ? isConfirmed(repository, email) : Effect.succeed(false),
          (confirmed): ReadonlyArray<string> =>
            confirmed
              ? []
              : [
                  `${email} cannot be told by mail of what happens to ${repository}: Quay takes an address only once ` +
                    "its owner has confirmed it for this repository, " +
                    (isSent
                      ? "which is asked for in the repository's settings. Leave the notification out until then."
                      : "and this registry sends no mail (FEATURE_MAILING is off).")
                ]
        ),
      { concurrency: "unbounded" }
    )
    return found.flat()
  })

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
  needs: (found) => [
    repositoryRef(found.repository),
    ...targetNeeds(organizationOf(found.repository), found),
    ...namesakeNeeds("repository-notification", found.repository, found)
  ],
  consults: ({ parent }) => [{ kind: "team", parent: organizationOf(parent) }],
  implicit: (found) => found.uncertain === true || !isDeclarable(entry, found.repository, found),
  // They tell somebody what happens here: whoever is not in the file shall not be told.
  extras: "remove",
  requires: {
    fields: {
      // Older releases break on an event that they do not know, and list none.
      event: {
        feature: "IMAGE_EXPIRY_TRIGGER",
        tellsOf: "MANIFEST_SUBJECT_BACKFILL",
        since: "3.12",
        when: (event) => event === EXPIRY
      }
    }
  },
  notices: notificationNotices,
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

  list: (collections, declared) =>
    Effect.gen(function* () {
      const named = namedIn(declared)
      const there = new Set<string>()
      const found = yield* eachRepository(collections, (repository) =>
        Effect.gen(function* () {
          const { notifications } = yield* ask((client, signal) =>
            client.GET("/api/v1/repository/{repository}/notification/", { params: { path: { repository } }, signal })
          )
          there.add(repository)
          const own = yield* notificationsOf(repository, notifications, named)
          return own.map((it) => ({ repository, ...it }))
        })
      )
      const keys = new Set(found.map((it) => notificationKey(it.repository, it)))
      const problems = yield* unconfirmed([...declared].filter((key) => !keys.has(key)).sort(byText), there)
      return problems.length === 0
        ? found
        : yield* Effect.fail(new PlanRefused(problems.map((message) => ({ message }))))
    }),
  duplicates: () => true,
  surplus: (made, found) => surplusNotifications(made, found, ({ repository }) => repository),
  create: (after) =>
    Effect.gen(function* () {
      const body = yield* notificationBody(after)
      yield* once((client, signal) =>
        client.POST("/api/v1/repository/{repository}/notification/", {
          params: { path: { repository: after.repository } },
          body,
          signal
        })
      )
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
