/**
 * Synchronization of teams with groups of the directory that people sign in with. Quay fills such a team by itself, so nobody
 * else can say which people are in it. Which group it is can be set once, so another one is a new synchronization.
 */
import { PlanRefused, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError, teamMembers } from "./answers.ts"
import { item } from "./names.ts"
import { ask, once, type Quay } from "./quay.ts"
import { splitTeam, teamRef } from "./team.ts"

const Service = Type.Union([Type.Literal("ldap"), Type.Literal("oidc"), Type.Literal("keystone")])

const schema = item({ organization: Type.String(), team: Type.String(), service: Service, group: Type.String() })

export type TeamSync = Static<typeof schema>

const group = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))

const node = Type.Object(
  {
    ldap: group("The name of an LDAP group, relative to the base DN: `cn=ops,ou=groups`."),
    oidc: group("The name of an OpenID Connect group."),
    keystone: group("The id of a Keystone group.")
  },
  {
    additionalProperties: false,
    maxProperties: 1,
    description:
      "The group whose people are in the team. Beside it, no users can be named under members, robots can. {} is for none."
  }
)

/** The group under the name that Quay has for it. */
const body = ({ group, service }: TeamSync) => {
  switch (service) {
    case "ldap":
      return { group_dn: group }
    case "oidc":
      return { group_name: group }
    case "keystone":
      return { group_id: group }
  }
}

/** A directory compares names without case, and without the spaces around their parts; other services know one spelling. */
const comparable = ({ group, service }: TeamSync): string =>
  service === "ldap"
    ? group
        .toLowerCase()
        .replace(/\s*([,=])\s*/g, "$1")
        .replace(/\s+/g, " ")
        .trim()
    : group

const path = ({ organization, team }: TeamSync) => ({ orgname: organization, teamname: team })

const key = ({ organization, team }: TeamSync): string => `${organization}/${team}`

/** How the team is synchronized, if it is. That it is stands in the organization's view, so of most teams nothing is asked. */
const syncOf = (parent: string): Effect.Effect<ReadonlyArray<TeamSync>, ReadError, Quay> =>
  Effect.gen(function* () {
    const { organization, team } = splitTeam(parent)
    const view = yield* organizationView(organization)
    if (view === undefined || !Object.hasOwn(view.teams, team) || view.teams[team]?.is_synced === false) return []
    const { synced } = yield* teamMembers(parent)
    // The view may say that it is synchronized where this does not: then it is not for us to see.
    if (synced === undefined && view.teams[team]?.is_synced !== true) return []
    const { config, service } = synced ?? { config: undefined, service: "a directory" }
    const names = { ldap: config?.["group_dn"], oidc: config?.["group_name"], keystone: config?.["group_id"] }
    if (service === "ldap" || service === "oidc" || service === "keystone") {
      const group = names[service]
      if (typeof group === "string") return [{ organization, team, service, group }]
    }
    // Where only superusers may set it up, nobody else sees the group.
    return yield* Effect.fail(
      new PlanRefused([
        {
          message: `The team ${parent} is synchronized by ${service} with a group that this token may not see. Use a superuser's token.`
        }
      ])
    )
  })

export const teamSync: Kind<"team-sync", typeof schema, ReadError, Quay> = {
  kind: "team-sync",
  scopes: ["org:admin", "super:user, where only superusers may set it up"],
  schema,
  // The group's name is compared as its service does.
  identity: ["organization", "team", "group"],
  key,
  collection: (it) => ({ parent: key(it) }),
  needs: ({ organization, team }) => [teamRef(organization, team)],
  excludes: (it) => [{ kind: "team-member", parent: key(it), part: "users" }],
  extras: "remove",
  // People who are not in the group lose the team.
  narrows: () => true,
  requires: {
    feature: "TEAM_SYNCING",
    operation: "enableOrganizationTeamSync",
    fields: { service: { among: { setting: "AUTHENTICATION_TYPE", value: (option) => option.toLowerCase() } } }
  },
  notices: (after, before) => {
    if (before !== undefined && before.service === after.service && comparable(before) === comparable(after)) return []
    const owners = after.team === "owners" ? ", the organization's administrators among them" : ""
    return [
      after.service === "oidc"
        ? `All people are taken out of the team at once${owners}; those of the group come back when they sign in.`
        : `People who are not in the group are taken out of the team the next time it is synchronized${owners}.`
    ]
  },
  leaves: () => ["The people who are in the team stay in it."],
  diff: (before, after) =>
    before.service === after.service && comparable(before) === comparable(after)
      ? []
      : [{ field: "group", before: before.group, after: after.group }],
  section: section({
    under: "team",
    name: "sync",
    node,
    read: (given, parent) =>
      (["ldap", "oidc", "keystone"] as const).flatMap((service) => {
        const group = given[service]
        return group === undefined ? [] : [{ item: { ...splitTeam(parent), service, group }, path: [service] }]
      }),
    write: (items) => Object.fromEntries(items.map(({ group, service }) => [service, group]))
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(collections, ({ parent }) => syncOf(parent), { concurrency: "unbounded" }),
      (lists) => lists.flat()
    ),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/team/{teamname}/syncing", {
          params: { path: path(after) },
          body: body(after),
          signal
        })
      )
    ),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}/team/{teamname}/syncing", {
          params: { path: path(before) },
          signal
        })
      )
    )
}
