/** Policies that remove tags in one repository. */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import {
  autoPruneBody,
  autoPruneDiff,
  autoPruneFields,
  autoPruneFrom,
  autoPruneIdentity,
  autoPruneKey,
  autoPruneNode,
  autoPruneRequires,
  changeAutoPrune,
  readAutoPrune,
  removeAutoPrune,
  writeAutoPrune
} from "./auto-prune.ts"
import { eachRepository } from "./each.ts"
import { item } from "./names.ts"
import { ask, once, orMissing, type Quay } from "./quay.ts"
import { repositoryRef } from "./repository.ts"

const schema = item({ repository: Type.String(), ...autoPruneFields })

export type RepositoryAutoPrune = Static<typeof schema>

const path = (repository: string, uuid: string) => ({ repository, policy_uuid: uuid })

const remove = (repository: string) => (uuid: string) =>
  orMissing(
    ask((client, signal) =>
      client.DELETE("/api/v1/repository/{repository}/autoprunepolicy/{policy_uuid}", {
        params: { path: path(repository, uuid) },
        signal
      })
    )
  )

export const repositoryAutoPrune: Kind<"repository-auto-prune", typeof schema, ReadError, Quay> = {
  kind: "repository-auto-prune",
  scopes: ["repo:admin"],
  schema,
  identity: ["repository", ...autoPruneIdentity],
  key: (policy) => `${policy.repository}/${autoPruneKey(policy)}`,
  collection: ({ repository }) => ({ parent: repository }),
  needs: ({ repository }) => [repositoryRef(repository)],
  // Before 3.13 there is room for one.
  follows: ({ repository }) => [{ kind: "repository-auto-prune", parent: repository }],
  extras: "remove",
  // It deletes tags.
  narrows: () => true,
  requires: autoPruneRequires("createRepositoryAutoPrunePolicy", "3.11"),
  diff: autoPruneDiff,
  section: section({
    under: "repository",
    name: "auto_prune",
    node: autoPruneNode,
    read: (node, repository) => readAutoPrune(node, { repository }),
    write: writeAutoPrune
  }),

  list: (collections) =>
    eachRepository(collections, (repository) =>
      Effect.map(
        ask((client, signal) =>
          client.GET("/api/v1/repository/{repository}/autoprunepolicy/", {
            params: { path: { repository } },
            signal
          })
        ),
        ({ policies }) => autoPruneFrom(policies).map((policy) => ({ repository, ...policy }))
      )
    ),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/repository/{repository}/autoprunepolicy/", {
          params: { path: { repository: after.repository } },
          body: autoPruneBody(after),
          signal
        })
      )
    ),
  update: (after, before) =>
    changeAutoPrune(
      after,
      before,
      (uuid) =>
        ask((client, signal) =>
          client.PUT("/api/v1/repository/{repository}/autoprunepolicy/{policy_uuid}", {
            params: { path: path(after.repository, uuid) },
            body: autoPruneBody(after),
            signal
          })
        ),
      remove(after.repository)
    ),
  delete: (before) => removeAutoPrune(before, remove(before.repository))
}
