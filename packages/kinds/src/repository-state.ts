/**
 * Whether a repository can be pushed to: normal, read-only, or a mirror that only Quay fills. A kind of its own because what
 * makes a mirror changes it, too. In repositories that the organization's mirror made it is Quay's alone.
 */
import { type Entry, section } from "@quaymaster/engine"
import { type Kind, shared } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { type ReadError, repositories } from "./answers.ts"
import { eachRepository } from "./each.ts"
import { item } from "./names.ts"
import { ask, type Quay } from "./quay.ts"
import { organizationOf, repositoryRef } from "./repository.ts"

const NORMAL = Type.Literal("normal")
const READ_ONLY = Type.Literal("read_only")
const MIRROR = Type.Literal("mirror")

/** `repository` is a repository's key. */
const schema = item({
  repository: Type.String(),
  state: Type.Union([NORMAL, READ_ONLY, MIRROR, Type.Literal("org_mirror")])
})

export type RepositoryState = Static<typeof schema>

const node = Type.Union([NORMAL, READ_ONLY, MIRROR], {
  description: "Whether it can be pushed to: `normal`; `read_only`, by nobody; `mirror`, by its mirror alone."
})

const STATES = { NORMAL: "normal", READ_ONLY: "read_only", MIRROR: "mirror", ORG_MIRROR: "org_mirror" } as const
const NAMES = { normal: "NORMAL", read_only: "READ_ONLY", mirror: "MIRROR" } as const

/** The states of an organization's repositories by their keys, from the list of them. */
export const repositoryStates = shared((organization: string) =>
  Effect.map(
    repositories(organization),
    (list): ReadonlyMap<string, RepositoryState["state"]> =>
      new Map(list.map(({ name, state }) => [`${organization}/${name}`, STATES[state ?? "NORMAL"]]))
  )
)

const change = ({ repository, state }: RepositoryState) =>
  // Never declared, so never asked for.
  state === "org_mirror"
    ? Effect.void
    : Effect.asVoid(
        ask((client, signal) =>
          client.PUT("/api/v1/repository/{repository}/changestate", {
            params: { path: { repository } },
            body: { state: NAMES[state] },
            signal
          })
        )
      )

export const repositoryState: Kind<"repository-state", typeof schema, ReadError, Quay> = {
  kind: "repository-state",
  scopes: ["repo:admin"],
  schema,
  identity: ["repository"],
  key: ({ repository }) => repository,
  collection: ({ repository }) => ({ parent: repository }),
  needs: ({ repository }) => [repositoryRef(repository)],
  extras: "remove",
  // Nobody can push to a mirror, or to what is read-only.
  narrows: () => true,
  // Read-only is behind the same switch as mirrors.
  requires: { feature: "REPO_MIRROR", operation: "changeRepoState" },
  refuses: ({ state }, before) =>
    before?.state === "org_mirror" && state !== "org_mirror"
      ? "The organization's mirror decides its state; remove the state from the file, or the organization's mirror first."
      : undefined,
  section: section({
    under: "repository",
    name: "state",
    node,
    read: (state, repository): ReadonlyArray<Entry<RepositoryState>> => [{ item: { repository, state }, path: [] }],
    write: ([found]) => (found === undefined || found.state === "org_mirror" ? "normal" : found.state)
  }),

  // What is normal is nothing to speak of where no file asks.
  list: (collections, declared) =>
    eachRepository(collections, (repository) =>
      Effect.map(repositoryStates(organizationOf(repository)), (states) => {
        const state = states.get(repository)
        const told = declared.has(repository) || state === "read_only" || state === "mirror"
        return state !== undefined && told ? [{ repository, state }] : []
      })
    ),
  create: change,
  update: change
}
