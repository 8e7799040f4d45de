/** Repositories of an organization: description and visibility. What people may do with one is a kind of its own. */
import { type Implied, type Item, mapSection, type World } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError, repositories } from "./answers.ts"
import { type DefaultPermission, defaultPermission } from "./default-permission.ts"
import { granteeKey } from "./grantee.ts"
import { describedAs, item, repositoryNames, Visibility } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, type Quay } from "./quay.ts"
import type { Right } from "./rights.ts"
import { described, unless } from "./widening.ts"

/** `name` may have slashes: `vendor/alpine`. */
const schema = item({
  organization: Type.String(),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  visibility: Type.Optional(Visibility)
})

export type Repository = Static<typeof schema>

const keyOf = ({ name, organization }: Pick<Repository, "name" | "organization">): string => `${organization}/${name}`

export const repositoryRef = (key: string) => ({
  kind: "repository",
  key,
  parent: organizationOf(key),
  cascades: true
})

/** The organization in a repository's key. Names of organizations have no slash. */
export const organizationOf = (repository: string): string => repository.slice(0, repository.indexOf("/"))

const known = new WeakMap<ReadonlyArray<Item>, ReadonlyArray<DefaultPermission>>()

/** The default permissions that count for a creator: the same for all repositories, so they are looked for once. */
const applying = (items: ReadonlyArray<Item>, caller: string | undefined): ReadonlyArray<DefaultPermission> => {
  const found = known.get(items)
  if (found !== undefined) return found
  const rules = new Map<string, DefaultPermission>()
  for (const rule of items) {
    if (!Value.Check(defaultPermission.schema, rule)) continue
    if (rule.created_by !== undefined && rule.created_by !== caller) continue
    // A rule for this creator beats the one for everybody.
    if (rule.created_by === undefined && rules.has(granteeKey(rule))) continue
    rules.set(granteeKey(rule), rule)
  }
  const applied = [...rules.values()]
  known.set(items, applied)
  return applied
}

/** A new repository can be pushed to and is not signed; Quay grants `admin` on it to its creator, and what the default permissions say. */
const made = (repository: Repository, world: World): ReadonlyArray<Implied> => {
  const key = keyOf(repository)
  const rules = world.collection({ kind: "default-permission", parent: repository.organization })
  const grants: Array<Implied> = []
  for (const { robot, role, team, user } of applying(rules, world.caller)) {
    const to = {
      ...(robot === undefined ? {} : { robot }),
      ...(team === undefined ? {} : { team }),
      ...(user === undefined ? {} : { user })
    }
    grants.push({ kind: "repository-permission", item: { repository: key, ...to, role } })
  }
  if (world.caller !== undefined)
    grants.push({ kind: "repository-permission", item: { repository: key, user: world.caller, role: "admin" } })
  return [
    { kind: "repository-state", item: { repository: key, state: "normal" } },
    { kind: "repository-trust", item: { repository: key, trust_enabled: false } },
    ...grants
  ]
}

const MIRRORED =
  "The organization is a mirror, and Quay alone makes repositories in it. Leave it out until the mirror has found it, or " +
  "remove the mirror first."

export const repository: Kind<"repository", typeof schema, ReadError, Quay> = {
  kind: "repository",
  scopes: ["repo:create", "repo:admin"],
  schema,
  identity: ["organization", "name"],
  key: keyOf,
  rights: ({ name }, action): ReadonlyArray<Right> =>
    action === "create" && name.includes("/") ? ["nest repositories"] : [],
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  // Default permissions count at creation, so they are settled before. A mirror of the organization lets nobody make any.
  follows: ({ organization }) => [
    { kind: "default-permission", parent: organization },
    { kind: "organization-mirror", parent: organization }
  ],
  refuses: ({ organization }, before, world) => {
    const mirror = { kind: "organization-mirror", parent: organization }
    const isMirror = world.found({ kind: "organization-mirror", key: organization }) !== undefined
    return before === undefined && isMirror && world.collection(mirror).length > 0 ? MIRRORED : undefined
  },
  consultsToCreate: ({ parent }) => [{ kind: "organization-mirror", parent }],
  implies: made,
  extras: "keep",
  destroys: "data",
  narrows: unless({ description: described }),
  section: mapSection({
    under: "organization",
    name: "repositories",
    names: repositoryNames,
    description: "The organization's repositories, by name.",
    fields: {
      description: Type.Optional(describedAs("What the repository holds. Markdown.")),
      visibility: Type.Optional(Visibility)
    },
    read: (name, entry, organization) => ({ organization, name, ...entry }),
    // Who may see it is managed even where it is what a new one has.
    write: ({ description, name, visibility }) => [
      name,
      {
        ...(description === undefined || description === "" ? {} : { description }),
        ...(visibility === undefined ? {} : { visibility })
      }
    ],
    rules: {
      name: "repository_rules",
      description:
        "What holds for every repository whose name matches, those that a push makes among them. " +
        "Its own entry wins, then the most specific rule.",
      nameOf: ({ name }) => name
    }
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(
        collections,
        ({ parent }) =>
          Effect.gen(function* () {
            if ((yield* organizationView(parent)) === undefined) return []
            const found = yield* repositories(parent)
            return found.map(
              ({ description, is_public, name }): Repository => ({
                organization: parent,
                name,
                description: description ?? "",
                visibility: is_public ? "public" : "private"
              })
            )
          }),
        { concurrency: "unbounded" }
      ),
      (lists) => lists.flat()
    ),
  create: ({ description, name, organization, visibility }) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/repository", {
          body: {
            namespace: organization,
            repository: name,
            visibility: visibility ?? "private",
            description: description ?? ""
          },
          signal
        })
      )
    ),
  update: (after, _before, changes) =>
    Effect.gen(function* () {
      const params = { path: { repository: keyOf(after) } }
      const fields = new Set(changes.map((change) => change.field))
      const { description, visibility } = after
      if (fields.has("description") && description !== undefined)
        yield* ask((client, signal) =>
          client.PUT("/api/v1/repository/{repository}", { params, body: { description }, signal })
        )
      if (fields.has("visibility") && visibility !== undefined)
        yield* ask((client, signal) =>
          client.POST("/api/v1/repository/{repository}/changevisibility", { params, body: { visibility }, signal })
        )
    }),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/repository/{repository}", { params: { path: { repository: keyOf(before) } }, signal })
      )
    )
}
