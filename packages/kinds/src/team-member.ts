/**
 * Who is in a team: people, and robot accounts of the organization. One request tells all the people of an organization,
 * another all the robots, whatever the number of teams. Where Quay sends mail, people of no other team are invited first, and
 * who has not accepted yet is told team by team.
 */
import { type Collection, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { members, organizationView, type ReadError, robots, teamMembers } from "./answers.ts"
import { item, RobotName, UserName } from "./names.ts"
import { ask, once, orMissing, Quay } from "./quay.ts"
import { robotRef, robotUser } from "./robot.ts"
import { splitTeam, teamRef } from "./team.ts"
import { userRef } from "./user.ts"

/** `name` is a user's, or a robot account's as Quay writes it: `acme+ci`, or the address that somebody was invited by. */
const schema = item({
  organization: Type.String(),
  team: Type.String(),
  name: Type.String(),
  /** Invited, and no member yet; how many invitations are open. Never declared. */
  pending: Type.Optional(Type.Boolean()),
  invitations: Type.Optional(Type.Integer({ minimum: 1 }))
})

export type TeamMember = Static<typeof schema>

const isAddress = (name: string): boolean => name.includes("@")
const isRobot = (name: string): boolean => name.includes("+") && !isAddress(name)

const node = Type.Object(
  {
    users: Type.Optional(Type.Array(UserName, { uniqueItems: true, description: "The people in the team." })),
    robots: Type.Optional(Type.Array(RobotName, { uniqueItems: true, description: "The robot accounts in the team." }))
  },
  { additionalProperties: false, description: "Who is in the team. Others are removed from it." }
)

/** The teams of an organization that are asked about. */
interface Asked {
  readonly users: ReadonlyArray<string>
  readonly robots: ReadonlyArray<string>
}

const membersOf = (organization: string, asked: Asked): Effect.Effect<ReadonlyArray<TeamMember>, ReadError, Quay> =>
  Effect.gen(function* () {
    const view = yield* organizationView(organization)
    if (view === undefined) return []
    const each = (teams: ReadonlyArray<string>) =>
      Effect.forEach(
        teams.filter((team) => Object.hasOwn(view.teams, team)),
        (team) => inTeam(organization, team),
        { concurrency: "unbounded" }
      )
    const people =
      asked.users.length === 0 ? [] : (yield* mayInvite) ? yield* each(asked.users) : [yield* inTeams(organization)]
    const accounts =
      asked.robots.length === 0 ? [] : ((yield* robotsInTeams(organization)) ?? (yield* each(asked.robots)))
    return [...people, ...accounts].flat()
  })

/** Where this is not told, people may be invited all the same. */
const mayInvite = Effect.gen(function* () {
  const { feature } = yield* Quay
  return (yield* feature("MAILING")) !== false
})

const inTeams = (organization: string) =>
  Effect.map(members(organization), (people) =>
    people.flatMap(({ name, teams }) => teams.map((team): TeamMember => ({ organization, team: team.name, name })))
  )

/** One list of all, or undefined where it leaves out the teams of any. */
const robotsInTeams = (organization: string) =>
  Effect.map(robots(organization), (accounts): ReadonlyArray<ReadonlyArray<TeamMember>> | undefined => {
    const told = accounts.flatMap(({ name, teams }) => (teams === undefined ? [] : [{ name, teams }]))
    if (told.length < accounts.length) return undefined
    return told.map(({ name, teams }) =>
      teams.map((team) => ({ organization, team, name: robotUser(organization, name) }))
    )
  })

/** Everybody in a team once, with the invitations that are open. */
const inTeam = (organization: string, team: string) =>
  Effect.map(teamMembers(`${organization}/${team}`), ({ members }): ReadonlyArray<TeamMember> => {
    const names = members.map((it) => ("email" in it ? it.email : it.name))
    return [...new Set(names)].map((name) => {
      const own = members.filter((_, i) => names[i] === name)
      const invitations = own.filter(({ invited }) => invited).length
      return {
        organization,
        team,
        name,
        ...(invitations === own.length ? { pending: true } : {}),
        ...(invitations === 0 ? {} : { invitations })
      }
    })
  })

const path = ({ name, organization, team }: TeamMember) => ({ orgname: organization, teamname: team, membername: name })

export const teamMember: Kind<"team-member", typeof schema, ReadError, Quay> = {
  kind: "team-member",
  scopes: ["org:admin"],
  schema,
  // Who is invited is where they should be, as far as anybody but them can bring it.
  identity: ["organization", "team", "name", "pending", "invitations"],
  key: ({ name, organization, team }) => `${organization}/${team}/${name}`,
  collection: ({ name, organization, team }) => ({
    parent: `${organization}/${team}`,
    part: isRobot(name) ? "robots" : "users"
  }),
  needs: ({ name, organization, team }) => [
    teamRef(organization, team),
    ...(isRobot(name) ? [robotRef(organization, name.slice(organization.length + 1))] : []),
    ...(isRobot(name) || isAddress(name) ? [] : [userRef(name)])
  ],
  consults: ({ parent, part }) =>
    part === "robots"
      ? [{ kind: "robot", parent: splitTeam(parent).organization }]
      : // Quay lets nobody say who is in a team that it fills from a directory.
        [{ kind: "team-sync", parent }],
  // Who creates an organization is put among its owners. A token that may not say whose it is could belong to any of them.
  implicit: ({ name, team }, caller) =>
    team === "owners" && !isRobot(name) && (caller === undefined || name === caller),
  access: ({ name, pending }) => (isRobot(name) || pending === true ? undefined : { who: name }),
  extras: "remove",
  grantsFirst: true,
  notices: (_after, before) => {
    if (before?.pending !== true) return []
    const { invitations = 1 } = before
    const open = invitations === 1 ? "" : ` ${invitations} invitations are open, of which one is enough.`
    return [`Invited, and not in the team before the invitation is accepted.${open}`]
  },
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
    },
    write: (items) => {
      const users = items.flatMap(({ name }) => (isRobot(name) || isAddress(name) ? [] : [name]))
      const accounts = items.flatMap(({ name, organization }) =>
        isRobot(name) ? [name.slice(organization.length + 1)] : []
      )
      return {
        ...(users.length === 0 ? {} : { users }),
        ...(accounts.length === 0 ? {} : { robots: accounts })
      }
    }
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(byOrganization(collections), ([organization, asked]) => membersOf(organization, asked), {
        concurrency: "unbounded"
      }),
      (lists) => lists.flat()
    ),
  // Somebody who is invited twice is sent two invitations.
  duplicates: ({ name }) => !isRobot(name),
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
    Effect.gen(function* () {
      // One request takes back one invitation, and the last one the membership.
      const { invitations = 0, pending = false } = before
      yield* remove(before)
      for (let left = invitations - (pending ? 1 : 0); left > 0; left--) yield* orMissing(remove(before))
    })
}

const remove = (member: TeamMember) =>
  Effect.asVoid(
    ask((client, signal) =>
      isAddress(member.name)
        ? client.DELETE("/api/v1/organization/{orgname}/team/{teamname}/invite/{email}", {
            params: { path: { orgname: member.organization, teamname: member.team, email: member.name } },
            signal
          })
        : client.DELETE("/api/v1/organization/{orgname}/team/{teamname}/members/{membername}", {
            params: { path: path(member) },
            signal
          })
    )
  )

/** Each organization once, with the teams of which people are asked for, and those of which robot accounts are. */
const byOrganization = (collections: ReadonlyArray<Collection>): ReadonlyArray<readonly [string, Asked]> => {
  const organizations = new Map<string, { users: Array<string>; robots: Array<string> }>()
  for (const { parent, part } of collections) {
    const { organization, team } = splitTeam(parent)
    const asked = organizations.get(organization) ?? { users: [], robots: [] }
    organizations.set(organization, asked)
    if (part !== "robots") asked.users.push(team)
    if (part !== "users") asked.robots.push(team)
  }
  return [...organizations]
}
