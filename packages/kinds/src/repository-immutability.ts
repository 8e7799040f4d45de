/** Policies that make tags immutable in one repository. */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachRepository } from "./each.ts"
import {
  immutabilityBody,
  immutabilityFields,
  immutabilityFrom,
  immutabilityIdentity,
  immutabilityLeaves,
  immutabilityNode,
  immutabilityNotices,
  immutabilityRequires,
  readImmutability,
  writeImmutability
} from "./immutability.ts"
import { item } from "./names.ts"
import { ask, once, type Quay } from "./quay.ts"
import { repositoryRef } from "./repository.ts"

const schema = item({ repository: Type.String(), ...immutabilityFields })

export type RepositoryImmutability = Static<typeof schema>

const path = ({ repository }: RepositoryImmutability, { uuid }: RepositoryImmutability) => ({
  repository,
  policy_uuid: uuid ?? ""
})

export const repositoryImmutability: Kind<"repository-immutability", typeof schema, ReadError, Quay> = {
  kind: "repository-immutability",
  scopes: ["repo:admin"],
  schema,
  identity: ["repository", ...immutabilityIdentity],
  key: ({ repository, tag_pattern }) => `${repository}/${tag_pattern}`,
  collection: ({ repository }) => ({ parent: repository }),
  needs: ({ repository }) => [repositoryRef(repository)],
  extras: "remove",
  // Tags that it covers can be neither moved nor deleted.
  narrows: () => true,
  requires: immutabilityRequires("createRepositoryImmutabilityPolicy"),
  notices: immutabilityNotices,
  leaves: immutabilityLeaves,
  section: section({
    under: "repository",
    name: "immutability",
    node: immutabilityNode,
    read: (node, repository) => readImmutability(node, { repository }),
    write: writeImmutability
  }),

  list: (collections) =>
    eachRepository(collections, (repository) =>
      Effect.map(
        ask((client, signal) =>
          client.GET("/api/v1/repository/{repository}/immutabilitypolicy/", {
            params: { path: { repository } },
            signal
          })
        ),
        ({ policies }) => policies.map((view) => ({ repository, ...immutabilityFrom(view) }))
      )
    ),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/repository/{repository}/immutabilitypolicy/", {
          params: { path: { repository: after.repository } },
          body: immutabilityBody(after),
          signal
        })
      )
    ),
  update: (after, before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.PUT("/api/v1/repository/{repository}/immutabilitypolicy/{policy_uuid}", {
          params: { path: path(after, before) },
          body: immutabilityBody(after),
          signal
        })
      )
    ),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/repository/{repository}/immutabilitypolicy/{policy_uuid}", {
          params: { path: path(before, before) },
          signal
        })
      )
    )
}
