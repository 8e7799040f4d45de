// Teams, who is in them, what they may do on repositories, and from which group of a directory they are filled. Leaves out
// filling them (accounts.ts) and answering invitations (invitation.ts).
import { teamAvatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { internalError, invalidRequest, json, message, noContent, notFound } from "../errors.ts"
import { asObject } from "../mirrors.ts"
import { namespaceProblem, splitRobot } from "../names.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Organization, TEAM_ROLES, type Team } from "../state.ts"
import { foundTeam, refuseIfSynced } from "../teams.ts"
import { isPublic, mailDate } from "../views.ts"
import { invitationView, invite, mustBeInvited, withdraw } from "./invitation.ts"

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
    const team = call.state.newTeam(role, description ?? "")
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
  const { orgname, organization, name, team } = foundTeam(call)
  const member = call.parameter("membername")
  refuseIfSynced(team, member)
  if (!call.state.isUser(member)) throw invalidRequest("Unknown user")
  if (team.members.has(member)) throw message(`User ${member} is already a member of team ${name}`)
  const robot = splitRobot(member)
  if (robot === undefined && mustBeInvited(call, organization, member)) return invite(call, { user: member })
  // Without mailing nobody looks whose robot it is.
  if (robot !== undefined && robot.namespace !== orgname && call.feature("MAILING")) {
    throw message("Cannot add the specified robot to this team, as it is not a member of the organization")
  }
  team.members.add(member)
  call.log("org_add_team_member", { namespace: orgname }, { member, team: name })
  return json(200, memberView(member))
}

const removeMember = (call: Call) => {
  const { orgname, organization, name, team } = foundTeam(call)
  const member = call.parameter("membername")
  refuseIfSynced(team, member)
  if (withdraw(call, ({ user }) => user === member)) return noContent()
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
  const canEdit = call.caller.administers(orgname)
  const pending = canEdit && call.queryFlag("includePending", false) ? team.invitations : []
  return json(200, {
    name,
    members: [
      ...[...team.members].filter((member) => call.state.isUser(member)).map(memberView),
      ...pending.map(invitationView)
    ],
    can_edit: canEdit,
    ...syncView(call, orgname, team)
  })
}

const mayConfigureSync = (call: Call): boolean =>
  call.feature("NONSUPERUSER_TEAM_SYNCING_SETUP") || call.caller.isSuperuser()

const syncView = (call: Call, orgname: string, { synced }: Team) => {
  const { ldap } = call.registry
  if (ldap === undefined || !call.feature("TEAM_SYNCING")) return {}
  const maySet = mayConfigureSync(call)
  const last_updated = synced?.last_updated == null ? null : mailDate(synced.last_updated)
  return {
    ...(maySet && call.caller.administers(orgname) ? { can_sync: { service: "ldap", base_dn: ldap.baseDn } } : {}),
    ...(synced === null
      ? {}
      : { synced: { service: "ldap", ...(maySet ? { last_updated, config: synced.config } : {}) } })
  }
}

const syncable = (call: Call) => {
  call.caller.require(mayConfigureSync(call))
  return foundTeam(call)
}

/** The body has no schema: what is in it is kept as it is. */
const enableSync = (call: Call) => {
  const { orgname, name, team } = syncable(call)
  const { ldap } = call.registry
  if (ldap === undefined) throw invalidRequest("Could not sync to group: Not supported")
  call.readBody({}, false)
  const config = asObject(call.body.value)
  const group = config["group_dn"]
  if (group === undefined || group === null || group === "") {
    throw invalidRequest("Could not sync to group: Missing group_dn")
  }
  if (typeof group !== "string") throw internalError("a group that is no text")
  if (ldap.members(group).length === 0) {
    throw invalidRequest("Could not sync to group: Group does not exist or is empty")
  }
  if (team.synced !== null) throw internalError("the team is synchronized already")
  team.synced = { config, last_updated: null }
  call.log("enable_team_sync", { namespace: orgname }, { team: name })
  return json(200, view(call, name, team, false))
}

const disableSync = (call: Call) => {
  const { orgname, name, team } = syncable(call)
  call.log("disable_team_sync", { namespace: orgname }, { team: name })
  team.synced = null
  return json(200, view(call, name, team, false))
}

const permissions = (call: Call) => {
  call.caller.require(call.caller.administersFully(call.parameter("orgname")))
  const { organization, name } = foundTeam(call)
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
      handle: enableSync
    },
    {
      method: "DELETE",
      path: `${TEAM}/syncing`,
      operation: "disableOrganizationTeamSync",
      scope: "org:admin",
      features: ["TEAM_SYNCING"],
      handle: disableSync
    }
  ]
}
