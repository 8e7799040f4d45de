/**
 * Who is in a team: people, and robot accounts of the organization. One request tells all the people of an organization,
 * another all the robots, whatever the number of teams.
 */
import { type Collection, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { members, organizationView, type ReadError, robots } from "./answers.ts"
import { item, RobotName, UserName } from "./names.ts"
import { ask, once, type Quay } from "./quay.ts"
import { robotRef, robotUser } from "./robot.ts"
import { teamRef } from "./team.ts"

/** `name` is a user's, or a robot account's as Quay writes it: `acme+ci`. */
const schema = item({ organization: Type.String(), team: Type.String(), name: Type.String() })

export type TeamMember = Static<typeof schema>

const isRobot = (name: string): boolean => name.includes("+")

const node = Type.Object(
  {
    users: Type.Optional(Type.Array(UserName, { uniqueItems: true, description: "The people in the team." })),
    robots: Type.Optional(Type.Array(RobotName, { uniqueItems: true, description: "The robot accounts in the team." }))
  },
  { additionalProperties: false, description: "Who is in the team. Others are removed from it." }
)

/** A team's key is its organization and its name, and neither has a slash. */
const splitTeam = (key: string): { readonly organization: string; readonly team: string } => {
  const [organization = "", team = ""] = key.split("/")
  return { organization, team }
}

const membersOf = (organization: string, part: string | undefined) =>
  Effect.gen(function* () {
    if ((yield* organizationView(organization)) === undefined) return []
    const people = part === "robots" ? [] : yield* members(organization)
    const accounts = part === "users" ? [] : yield* robots(organization)
    return [
      ...people.flatMap(({ name, teams }) =>
        (teams ?? []).map((team): TeamMember => ({ organization, team: team.name, name }))
      ),
      ...accounts.flatMap(({ name, teams }) =>
        (teams ?? []).map((team): TeamMember => ({ organization, team, name: robotUser(organization, name) }))
      )
    ]
  })

const path = ({ name, organization, team }: TeamMember) => ({ orgname: organization, teamname: team, membername: name })

export const teamMember: Kind<"team-member", typeof schema, ReadError, Quay> = {
  kind: "team-member",
  schema,
  identity: ["organization", "team", "name"],
  key: ({ name, organization, team }) => `${organization}/${team}/${name}`,
  collection: ({ name, organization, team }) => ({
    parent: `${organization}/${team}`,
    part: isRobot(name) ? "robots" : "users"
  }),
  needs: ({ name, organization, team }) => [
    teamRef(organization, team),
    ...(isRobot(name) ? [robotRef(organization, name.slice(organization.length + 1))] : [])
  ],
  consults: ({ parent, part }) =>
    part === "robots" ? [{ kind: "robot", parent: splitTeam(parent).organization }] : [],
  // Who creates an organization is put among its owners. A token that may not say whose it is could belong to any of them.
  implicit: ({ name, team }, caller) =>
    team === "owners" && !isRobot(name) && (caller === undefined || name === caller),
  extras: "remove",
  grantsFirst: true,
  section: section({
    under: "team",
    name: "members",
    node,
    parts: (given) => [
      ...(given.users === undefined ? [] : ["users"]),
      ...(given.robots === undefined ? [] : ["robots"])
    ],
    read: (given, parent) => {
      const { organization, team } = splitTeam(parent)
      return [
        ...(given.users ?? []).map((name, i) => ({ item: { organization, team, name }, path: ["users", i] })),
        ...(given.robots ?? []).map((name, i) => ({
          item: { organization, team, name: robotUser(organization, name) },
          path: ["robots", i]
        }))
      ]
    }
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(byOrganization(collections), ([organization, part]) => membersOf(organization, part), {
        concurrency: "unbounded"
      }),
      (lists) => lists.flat()
    ),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.PUT("/api/v1/organization/{orgname}/team/{teamname}/members/{membername}", {
          params: { path: path(after) },
          signal
        })
      )
    ),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}/team/{teamname}/members/{membername}", {
          params: { path: path(before) },
          signal
        })
      )
    )
}

/** Each organization once, with the part that is asked for, or no part if both are. */
const byOrganization = (
  collections: ReadonlyArray<Collection>
): ReadonlyArray<readonly [string, string | undefined]> => {
  const parts = new Map<string, Set<string | undefined>>()
  for (const { parent, part } of collections) {
    const { organization } = splitTeam(parent)
    parts.set(organization, (parts.get(organization) ?? new Set()).add(part))
  }
  return [...parts].map(([organization, asked]) => [organization, asked.size === 1 ? [...asked][0] : undefined])
}
