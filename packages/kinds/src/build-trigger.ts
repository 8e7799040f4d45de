/**
 * Build triggers of repositories: what makes Quay build an image when there is something new in a Git repository. They are
 * switched on and off, and deleted. Setting one up is a browser's business: Quay sends people to the service, which asks them
 * for leave, so there is no way to make one here. Several can be for the same source: then the file means the first by its id,
 * and the others are extras like any other.
 */
import { type Entry, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import type { BuildTriggerView } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachRepository } from "./each.ts"
import { item } from "./names.ts"
import { namesakeNeeds, namesakes } from "./namesakes.ts"
import { ask, type Quay } from "./quay.ts"
import { organizationOf, repositoryRef } from "./repository.ts"
import { repositoryStates } from "./repository-state.ts"

const Service = Type.Union(
  [Type.Literal("github"), Type.Literal("gitlab"), Type.Literal("bitbucket"), Type.Literal("custom-git")],
  { description: "What the source is on." }
)

/** `repository` is a repository's key. A trigger that was not set up to the end has no source. */
const schema = item({
  repository: Type.String(),
  service: Service,
  source: Type.String(),
  enabled: Type.Optional(Type.Boolean()),
  // From here on nothing is declared.
  /** Quay's id, and whether another one for the same source comes first. */
  id: Type.Optional(Type.String()),
  further: Type.Optional(Type.Boolean()),
  /** How many others are for the same source. */
  others: Type.Optional(Type.Integer()),
  /** Why Quay switched it off, where it did so by itself. */
  failed: Type.Optional(Type.String()),
  /** The repository's state, where it is one in which Quay changes no trigger. */
  frozen: Type.Optional(Type.String())
})

export type BuildTrigger = Static<typeof schema>

const node = Type.Array(
  Type.Object(
    {
      service: Service,
      source: Type.String({
        minLength: 1,
        description: "What is built: a repository of the service, such as `acme/app`, or the URL of a Git repository."
      }),
      enabled: Type.Optional(Type.Boolean({ description: "Whether it starts builds." }))
    },
    { additionalProperties: false }
  ),
  {
    description:
      "The build triggers that the repository has. They are set up in Quay's web console, and switched on and off here."
  }
)

const sourceOf = ({ service, source }: Pick<BuildTrigger, "service" | "source">): string => `${service}:${source}`

const fromView = (repository: string, state: string | undefined, view: BuildTriggerView): BuildTrigger => {
  const { build_source, disabled_reason, enabled, id, is_active, service } = view
  return {
    repository,
    service,
    source: is_active ? (build_source ?? "") : "",
    enabled,
    id,
    ...(enabled || disabled_reason === null || disabled_reason === "user_toggled" ? {} : { failed: disabled_reason }),
    ...(state === undefined || state === "normal" ? {} : { frozen: state })
  }
}

const keyOf = ({ further, id, repository, ...trigger }: BuildTrigger): string =>
  `${repository}/${sourceOf(trigger)}${further === true ? `#${id ?? ""}` : ""}`

const path = ({ id, repository }: BuildTrigger) => ({ repository, trigger_uuid: id ?? "" })

export const buildTrigger: Kind<"build-trigger", typeof schema, ReadError, Quay> = {
  kind: "build-trigger",
  scopes: ["repo:admin"],
  schema,
  identity: ["repository", "service", "source", "id", "further", "others", "failed", "frozen"],
  key: keyOf,
  collection: ({ repository }) => ({ parent: repository }),
  needs: ({ further, repository, ...it }) => [
    repositoryRef(repository),
    ...namesakeNeeds(further, { kind: "build-trigger", key: `${repository}/${sourceOf(it)}`, parent: repository })
  ],
  narrows: ({ enabled }) => enabled === false,
  extras: "keep",
  destroys: "credential",
  madeElsewhere:
    "Quay's API makes no build triggers: set it up in the web console, under the repository's builds, where Quay asks " +
    "the service for leave; from then on it is switched on and off here",
  requires: { feature: "BUILD_SUPPORT", operation: "updateBuildTrigger" },
  refuses: ({ enabled }, before) =>
    before?.frozen === undefined || enabled === undefined || enabled === before.enabled
      ? undefined
      : `Quay changes no trigger of a repository that is ${before.frozen}; make its state normal first.`,
  lasts: ({ frozen }) =>
    frozen === undefined
      ? undefined
      : `Quay deletes no trigger of a repository that is ${frozen}; make its state normal first.`,
  notices: (_, before) => [
    ...(before?.others === undefined
      ? []
      : [`There are ${before.others + 1} for this source; the one with the id ${before.id} is meant.`]),
    ...(before?.failed === undefined ? [] : [`Quay switched it off by itself: ${before.failed}.`])
  ],
  section: section({
    under: "repository",
    name: "triggers",
    node,
    read: (entries, repository): ReadonlyArray<Entry<BuildTrigger>> =>
      entries.map((entry, i) => ({ item: { repository, ...entry }, path: [i] })),
    // For one source there can be one entry.
    write: (triggers) =>
      triggers
        .filter(({ further }) => further !== true)
        .map(({ enabled, service, source }) => ({ service, source, ...(enabled === false ? { enabled } : {}) }))
  }),

  list: (collections) =>
    eachRepository(collections, (repository) =>
      Effect.gen(function* () {
        const { triggers } = yield* ask((client, signal) =>
          client.GET("/api/v1/repository/{repository}/trigger/", { params: { path: { repository } }, signal })
        )
        const states = yield* repositoryStates(organizationOf(repository))
        return namesakes(
          triggers.map((view) => fromView(repository, states.get(repository), view)),
          (trigger) => (trigger.source === "" ? undefined : sourceOf(trigger)),
          ({ id }) => id
        )
      })
    ),
  update: ({ enabled }, before) =>
    enabled === undefined
      ? Effect.void
      : Effect.asVoid(
          ask((client, signal) =>
            client.PUT("/api/v1/repository/{repository}/trigger/{trigger_uuid}", {
              params: { path: path(before) },
              body: { enabled },
              signal
            })
          )
        ),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/repository/{repository}/trigger/{trigger_uuid}", {
          params: { path: path(before) },
          signal
        })
      )
    )
}
