// Teams, who is in them, and what they may do on repositories. Leaves out invitations by e-mail, and synchronization
// beyond what a registry without outside groups answers.
import { teamAvatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { internalError, invalidRequest, json, message, noContent, notFound } from "../errors.ts"
import { namespaceProblem, splitRobot } from "../names.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Organization, TEAM_ROLES, type Team } from "../state.ts"
import { isPublic } from "../views.ts"

const DESCRIPTION: Schema = {
  type: "object",
  required: ["role"],
  properties: { role: { type: "string", enum: TEAM_ROLES }, description: { type: "string" } }
}

const view = (call: Call, name: string, team: Team, isNew: boolean) => ({
  name,
  description: team.description,
  can_view: call.caller.shown().viewsTeam(call.parameter("orgname"), name),
  role: team.role,
  avatar: teamAvatar(name),
  new_team: isNew
})

const memberView = (name: string) => ({
  name,
  kind: "user",
  is_robot: splitRobot(name) !== undefined,
  avatar: userAvatar(name),
  invited: false
})

/** The teams that make the caller an administrator. */
const adminTeams = (call: Call, organization: Organization | undefined): string[] => {
  const { user } = call.caller
  if (user === undefined) return []
  return [...(organization?.teams ?? [])]
    .filter(([, { role, members }]) => role === "admin" && members.has(user))
    .map(([name]) => name)
}

const isOnlyAdminTeam = (call: Call, organization: Organization, name: string): boolean => {
  const mine = adminTeams(call, organization)
  return mine.length === 1 && mine[0] === name
}

/** The team in the path, for those who administer its organization. */
const found = (call: Call) => {
  const orgname = call.parameter("orgname")
  call.caller.require(call.caller.administers(orgname))
  const organization = call.organization(orgname)
  const name = call.parameter("teamname")
  const team = organization.teams.get(name)
  if (team === undefined) throw notFound()
  return { orgname, organization, name, team }
}

const upsert = (call: Call) => {
  const orgname = call.parameter("orgname")
  call.caller.require(call.caller.administers(orgname))
  const organization = call.state.organizations.get(orgname)
  if (organization === undefined) throw message(`Organization does not exist: ${orgname}`)
  const name = call.parameter("teamname")
  const role = call.body.one("role", TEAM_ROLES)
  const description = call.body.text("description")
  const known = organization.teams.get(name)
  if (known === undefined) {
    const problem = namespaceProblem(name)
    if (problem !== undefined) throw message(`Invalid team name ${name}: ${problem}`)
    const team: Team = { role, description: description ?? "", members: new Set() }
    organization.teams.set(name, team)
    call.log("org_create_team", { namespace: orgname }, { team: name })
    return json(200, view(call, name, team, true))
  }
  if (description !== undefined && description !== known.description) {
    known.description = description
    call.log("org_set_team_description", { namespace: orgname }, { team: name, description })
  }
  if (known.role === "admin" && role !== "admin" && isOnlyAdminTeam(call, organization, name)) {
    throw message(
      `Cannot remove admin from team '${name}' because calling user would no longer have admin on org '${orgname}'`
    )
  }
  if (known.role !== role) {
    known.role = role
    call.log("org_set_team_role", { namespace: orgname }, { team: name, role })
  }
  return json(200, view(call, name, known, false))
}

const remove = (call: Call) => {
  const orgname = call.parameter("orgname")
  call.caller.require(call.caller.administers(orgname))
  const name = call.parameter("teamname")
  const organization = call.state.organizations.get(orgname)
  const team = organization?.teams.get(name)
  if (organization === undefined || team === undefined) {
    throw message(`Team '${name}' is not a team in org '${orgname}'`)
  }
  if (team.role === "admin") {
    // Quay looks at the caller's first admin team without asking whether there is one.
    if (adminTeams(call, organization).length === 0) throw internalError("the caller is in no admin team")
    if (isOnlyAdminTeam(call, organization, name)) {
      throw message(
        `Deleting team '${name}' would remove admin ability for user '${call.caller.user}' in organization '${orgname}'`
      )
    }
  }
  call.state.deleteTeam(organization, name)
  call.log("org_delete_team", { namespace: orgname }, { team: name })
  return noContent()
}

const addMember = (call: Call) => {
  const { orgname, name, team } = found(call)
  const member = call.parameter("membername")
  if (!call.state.isUser(member)) throw invalidRequest("Unknown user")
  if (team.members.has(member)) throw message(`User ${member} is already a member of team ${name}`)
  team.members.add(member)
  call.log("org_add_team_member", { namespace: orgname }, { member, team: name })
  return json(200, memberView(member))
}

const removeMember = (call: Call) => {
  const { orgname, organization, name, team } = found(call)
  const member = call.parameter("membername")
  if (!call.state.isUser(member)) throw notFound()
  if (!team.members.has(member)) throw message(`User ${member} does not belong to team ${name}`)
  if (member === call.caller.user && team.role === "admin" && isOnlyAdminTeam(call, organization, name)) {
    throw message("User cannot remove themselves from their only admin team.")
  }
  team.members.delete(member)
  call.log("org_remove_team_member", { namespace: orgname }, { member, team: name })
  return noContent()
}

const members = (call: Call) => {
  const orgname = call.parameter("orgname")
  const name = call.parameter("teamname")
  call.caller.require(call.caller.viewsTeam(orgname, name))
  const team = call.organization(orgname).teams.get(name)
  if (team === undefined) throw notFound()
  return json(200, {
    name,
    members: [...team.members].filter((member) => call.state.isUser(member)).map(memberView),
    can_edit: call.caller.administers(orgname)
  })
}

const permissions = (call: Call) => {
  call.caller.require(call.caller.administersFully(call.parameter("orgname")))
  const { organization, name } = found(call)
  const granted = [...organization.repositories].flatMap(([repository, item]) => {
    const role = item.permissions.teams.get(name)
    return role === undefined ? [] : [{ repository: { name: repository, is_public: isPublic(item) }, role }]
  })
  return json(200, { permissions: granted })
}

const TEAM = "/api/v1/organization/{orgname}/team/{teamname}"

export const team: Kind = {
  name: "team",
  routes: [
    {
      method: "PUT",
      path: TEAM,
      operation: "updateOrganizationTeam",
      scope: "org:admin",
      body: { name: "TeamDescription", schema: DESCRIPTION },
      handle: upsert
    },
    { method: "DELETE", path: TEAM, operation: "deleteOrganizationTeam", scope: "org:admin", handle: remove },
    {
      method: "GET",
      path: `${TEAM}/members`,
      operation: "getOrganizationTeamMembers",
      scope: "org:admin",
      handle: members
    },
    {
      method: "PUT",
      path: `${TEAM}/members/{membername}`,
      operation: "updateOrganizationTeamMember",
      scope: "org:admin",
      handle: addMember
    },
    {
      method: "DELETE",
      path: `${TEAM}/members/{membername}`,
      operation: "deleteOrganizationTeamMember",
      scope: "org:admin",
      handle: removeMember
    },
    {
      method: "GET",
      path: `${TEAM}/permissions`,
      operation: "getOrganizationTeamPermissions",
      handle: permissions
    },
    {
      method: "POST",
      path: `${TEAM}/syncing`,
      operation: "enableOrganizationTeamSync",
      scope: "org:admin",
      features: ["TEAM_SYNCING"],
      handle: (call) => {
        found(call)
        throw invalidRequest("Could not sync to group: Not supported")
      }
    },
    {
      method: "DELETE",
      path: `${TEAM}/syncing`,
      operation: "disableOrganizationTeamSync",
      scope: "org:admin",
      features: ["TEAM_SYNCING"],
      handle: (call) => {
        const { name, team } = found(call)
        return json(200, view(call, name, team, false))
      }
    }
  ]
}
