/** Teams of an organization: role and description. The members are a kind of their own. */
import { addressOf, mapSection } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError } from "./answers.ts"
import { describedAs, item, shortNames, TeamRole } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, type Quay } from "./quay.ts"
import { described, raised, unless } from "./widening.ts"

const schema = item({
  organization: Type.String(),
  name: Type.String(),
  role: Type.Optional(TeamRole),
  description: Type.Optional(Type.String())
})

export type Team = Static<typeof schema>

export const teamRef = (organization: string, name: string) => ({
  kind: "team",
  key: `${organization}/${name}`,
  parent: organization,
  cascades: true
})

/** A team's key is its organization and its name, and neither has a slash. */
export const splitTeam = (key: string): { readonly organization: string; readonly team: string } => {
  const [organization = "", team = ""] = key.split("/")
  return { organization, team }
}

/** Creates the team, or changes what is named of it. */
const put = (team: Team & { readonly role: NonNullable<Team["role"]> }) => {
  const { description, name: teamname, organization: orgname, role } = team
  return ask((client, signal) =>
    client.PUT("/api/v1/organization/{orgname}/team/{teamname}", {
      params: { path: { orgname, teamname } },
      body: { role, ...(description === undefined ? {} : { description }) },
      signal
    })
  )
}

export const team: Kind<"team", typeof schema, ReadError, Quay> = {
  kind: "team",
  scopes: ["org:admin"],
  schema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  // Quay makes this team with the organization, and it holds the administrators.
  implicit: ({ name }) => name === "owners",
  // Its people administer the organization.
  access: ({ name, organization, role }) =>
    role === "admin" || name === "owners"
      ? {
          to: addressOf("organization", organization),
          through: { kind: "team-member", parent: `${organization}/${name}`, part: "users" }
        }
      : undefined,
  // What administers an organization may have to be less before it can be deleted; see below.
  leaving: (before, now) => before.role === "admin" && now.role === "member" && before.description === now.description,
  extras: "keep",
  narrows: unless({ role: raised("member", "creator", "admin"), description: described }),
  section: mapSection({
    under: "organization",
    name: "teams",
    names: shortNames,
    description: "The organization's teams, by name.",
    fields: {
      role: Type.Optional(TeamRole),
      description: Type.Optional(describedAs("What the team is for."))
    },
    read: (name, entry, organization) => ({ organization, name, ...entry }),
    // The role is what the team may do, so it is managed even where it is the least there is.
    write: ({ description, name, role }) => [
      name,
      {
        ...(role === undefined ? {} : { role }),
        ...(description === undefined || description === "" ? {} : { description })
      }
    ]
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(collections, ({ parent }) => organizationView(parent), { concurrency: "unbounded" }),
      (views) =>
        views.flatMap(
          (view): ReadonlyArray<Team> =>
            view === undefined
              ? []
              : Object.values(view.teams).map(({ description, name, role }) => ({
                  organization: view.name,
                  name,
                  role,
                  description
                }))
        )
    ),
  create: (after) => Effect.asVoid(put({ ...after, role: after.role ?? "member" })),
  update: (after, before) => Effect.asVoid(put({ ...after, role: after.role ?? before.role ?? "member" })),
  delete: (before) => {
    const path = { orgname: before.organization, teamname: before.name }
    const remove = ask((client, signal) =>
      client.DELETE("/api/v1/organization/{orgname}/team/{teamname}", { params: { path }, signal })
    )
    // Read anew, not from what is shared: to change a team that is gone is to make it.
    const there = Effect.map(
      ask((client, signal) =>
        client.GET("/api/v1/organization/{orgname}", { params: { path: { orgname: before.organization } }, signal })
      ),
      ({ teams }) => Object.hasOwn(teams ?? {}, before.name)
    )
    const less = put({ organization: before.organization, name: before.name, role: "member" })
    // A superuser outside the organization cannot delete a team that administers it (Quay answers 500): it must be less first.
    return Effect.asVoid(
      Effect.catch(remove, (error) =>
        error._tag === "ServerError" && error.status === 500 && before.role === "admin"
          ? Effect.flatMap(there, (is) => (is ? Effect.andThen(less, remove) : Effect.fail(error)))
          : Effect.fail(error)
      )
    )
  }
}
