/**
 * Whether a repository's tags are signed (content trust). The list of repositories does not tell it, so it is a kind of its
 * own: only the repositories of which a file says it are asked one by one.
 */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachRepository } from "./each.ts"
import { item } from "./names.ts"
import { ask, type Quay } from "./quay.ts"
import { repositoryRef } from "./repository.ts"

/** `repository` is a repository's key. */
const schema = item({ repository: Type.String(), trust_enabled: Type.Boolean() })

export type RepositoryTrust = Static<typeof schema>

const change = ({ repository, trust_enabled }: RepositoryTrust) =>
  Effect.asVoid(
    ask((client, signal) =>
      client.POST("/api/v1/repository/{repository}/changetrust", {
        params: { path: { repository } },
        body: { trust_enabled },
        signal
      })
    )
  )

export const repositoryTrust: Kind<"repository-trust", typeof schema, ReadError, Quay> = {
  kind: "repository-trust",
  scopes: ["repo:admin"],
  schema,
  identity: ["repository"],
  key: ({ repository }) => repository,
  collection: ({ repository }) => ({ parent: repository }),
  needs: ({ repository }) => [repositoryRef(repository)],
  extras: "remove",
  // What is not signed may be pulled no more, or what is signed be trusted no more.
  narrows: () => true,
  requires: { feature: "SIGNING", operation: "changeRepoTrust" },
  section: section({
    under: "repository",
    name: "trust",
    node: Type.Boolean({ description: "Whether its tags are signed (content trust)." }),
    read: (trust_enabled, repository) => [{ item: { repository, trust_enabled }, path: [] }],
    write: ([found]) => found?.trust_enabled ?? false
  }),

  // Without trust is as good as nothing where no file asks.
  list: (collections, declared) =>
    eachRepository(collections, (repository) =>
      Effect.map(
        ask((client, signal) =>
          client.GET("/api/v1/repository/{repository}", {
            params: { path: { repository }, query: { includeTags: false } },
            signal
          })
        ),
        ({ trust_enabled }) => (trust_enabled || declared.has(repository) ? [{ repository, trust_enabled }] : [])
      )
    ),
  create: change,
  update: change
}
