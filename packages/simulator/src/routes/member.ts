// The people of an organization: those in its teams, and collaborators, who only have permissions on repositories.
import { teamAvatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { json, message, noContent, notFound } from "../errors.ts"
import { splitRobot } from "../names.ts"
import type { Kind } from "../router.ts"
import type { Organization } from "../state.ts"
import { isInSomeTeam, repositoriesOf } from "../views.ts"

const isPerson = (name: string): boolean => splitRobot(name) === undefined

const peopleInTeams = (organization: Organization): string[] => [
  ...new Set([...organization.teams.values()].flatMap(({ members }) => [...members]).filter(isPerson))
]

const peopleOnRepositories = (organization: Organization): string[] => [
  ...new Set([...organization.repositories.values()].flatMap(({ permissions }) => [...permissions.users.keys()]))
]

const view = (organization: Organization, name: string) => ({
  name,
  kind: "user",
  avatar: userAvatar(name),
  teams: [...organization.teams]
    .filter(([, { members }]) => members.has(name))
    .map(([team]) => ({ name: team, avatar: teamAvatar(team) })),
  repositories: repositoriesOf(organization, name)
})

const fullyAdministered = (call: Call) => {
  call.caller.require(call.caller.administersFully(call.parameter("orgname")))
  return call.administered()
}

const remove = (call: Call) => {
  const { organization } = fullyAdministered(call)
  const member = call.parameter("membername")
  if (!call.state.isPerson(member)) throw notFound()
  const admins = [...organization.teams.values()].filter(({ role }) => role === "admin")
  const people = new Set(admins.flatMap(({ members }) => [...members]).filter(isPerson))
  if (people.has(member) && people.size === 1) {
    throw message("Cannot remove user as they are the only organization admin")
  }
  for (const team of organization.teams.values()) team.members.delete(member)
  for (const repository of organization.repositories.values()) repository.permissions.users.delete(member)
  return noContent()
}

export const member: Kind = {
  name: "member",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/members",
      operation: "getOrganizationMembers",
      scope: "org:admin",
      handle: (call) => {
        const { organization } = call.administered()
        return json(200, { members: peopleInTeams(organization).map((name) => view(organization, name)) })
      }
    },
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/members/{membername}",
      operation: "getOrganizationMember",
      scope: "org:admin",
      handle: (call) => {
        const { organization } = call.administered()
        const name = call.parameter("membername")
        if (!isPerson(name) || !isInSomeTeam(organization, name)) throw notFound()
        return json(200, view(organization, name))
      }
    },
    {
      method: "DELETE",
      path: "/api/v1/organization/{orgname}/members/{membername}",
      operation: "removeOrganizationMember",
      scope: "org:admin",
      handle: remove
    },
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/collaborators",
      operation: "getOrganizationCollaborators",
      scope: "org:admin",
      handle: (call) => {
        const { organization } = fullyAdministered(call)
        const outsiders = peopleOnRepositories(organization).filter(
          (name) => isPerson(name) && !isInSomeTeam(organization, name)
        )
        return json(200, {
          collaborators: outsiders.map((name) => ({
            kind: "user",
            name,
            avatar: userAvatar(name),
            repositories: repositoriesOf(organization, name)
          }))
        })
      }
    }
  ]
}
