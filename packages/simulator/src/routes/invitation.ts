// Invitations into teams, of people by name and of addresses: sent again each time they are asked for, and kept apart from
// the members until somebody accepts. Leaves out the page that a mailed link leads to.
import { avatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { json, message, noContent, notFound } from "../errors.ts"
import { token as randomToken } from "../random.ts"
import type { Kind } from "../router.ts"
import type { Invitation, Organization, State, Team } from "../state.ts"
import { foundTeam, refuseIfSynced } from "../teams.ts"
import { isInSomeTeam } from "../views.ts"
import { dismissInvitations, notifyInvited } from "./inbox.ts"

const shared = { scope: "org:admin", features: ["MAILING"] } as const
const EMAIL = "/api/v1/organization/{orgname}/team/{teamname}/invite/{email}"
const CODE = "/api/v1/teaminvite/{code}"

/** Everybody of some team is added to another without being asked. */
export const mustBeInvited = (call: Call, organization: Organization, user: string): boolean =>
  call.feature("MAILING") && call.feature("REQUIRE_TEAM_INVITE") && !isInSomeTeam(organization, user)

export const invitationView = ({ user, email }: Invitation) =>
  user === null
    ? { email, kind: "invite", avatar: avatar("user", email ?? ""), invited: true }
    : { name: user, kind: "user", is_robot: false, avatar: userAvatar(user), invited: true }

/** Made before the mail is sent: it stays when that fails. */
export const invite = (call: Call, to: { readonly user: string } | { readonly email: string }) => {
  const { orgname, name, team } = foundTeam(call)
  const inviter = call.caller.user ?? ""
  const invitation: Invitation = {
    code: randomToken(call.registry.random, 32),
    user: "user" in to ? to.user : null,
    email: "email" in to ? to.email : null,
    inviter
  }
  team.invitations.push(invitation)
  const { user, code } = invitation
  if (user !== null) notifyInvited(call, user, { code, inviter, org: orgname, team: name })
  call.log("org_invite_team_member", { namespace: orgname }, { ...logged(invitation), team: name })
  const address = invitation.email ?? call.state.users.get(user ?? "")?.email
  if (address != null) call.registry.mail.send({ to: address, about: "team-invitation", code })
  return json(200, invitationView(invitation))
}

const logged = ({ user, email }: Invitation) => (user === null ? { email } : { user, member: user })

/** Takes back one invitation, if there is any that fits. */
export const withdraw = (call: Call, fits: (invitation: Invitation) => boolean): boolean => {
  const { orgname, name, team } = foundTeam(call)
  const found = team.invitations.find(fits)
  if (found === undefined) return false
  team.invitations = team.invitations.filter((one) => one !== found)
  call.log("org_delete_team_member_invite", { namespace: orgname }, { ...logged(found), team: name })
  return true
}

const withCode = (state: State, code: string) => {
  for (const [orgname, organization] of state.organizations) {
    for (const [name, team] of organization.teams) {
      const invitation = team.invitations.find((one) => one.code === code)
      if (invitation !== undefined) return { orgname, organization, name, team, invitation }
    }
  }
  return undefined
}

/** What the code in the path invites to, unless it is somebody else's. */
const answered = (call: Call) => {
  const user = call.caller.user ?? ""
  const found = withCode(call.state, call.parameter("code"))
  if (found === undefined || (found.invitation.user !== null && found.invitation.user !== user)) {
    throw message("Invalid confirmation code.")
  }
  return { ...found, user }
}

const log = (call: Call, verb: string, { orgname, name, invitation, user }: ReturnType<typeof answered>): void =>
  call.log(
    `org_team_member_invite_${verb}`,
    { namespace: orgname },
    { member: user, team: name, inviter: invitation.inviter }
  )

/** One code accepts everything to which its user is invited in the organization, by a confirmed address too. */
const accept = (call: Call) => {
  const found = answered(call)
  const { orgname, organization, name, invitation, user } = found
  const account = call.state.users.get(user)
  const mine = (one: Invitation) =>
    one === invitation ||
    one.user === user ||
    (one.email !== null && account?.verified === true && one.email === account.email)
  for (const team of organization.teams.values()) join(team, user, mine)
  dismissInvitations(call.state, user, orgname)
  log(call, "accepted", found)
  return json(200, { org: orgname, team: name })
}

const join = (team: Team, user: string, mine: (invitation: Invitation) => boolean): void => {
  if (!team.invitations.some(mine)) return
  team.members.add(user)
  team.invitations = team.invitations.filter((one) => !mine(one))
}

export const invitation: Kind = {
  name: "invitation",
  routes: [
    {
      ...shared,
      method: "PUT",
      path: EMAIL,
      operation: "inviteTeamMemberEmail",
      handle: (call) => {
        refuseIfSynced(foundTeam(call).team)
        return invite(call, { email: call.parameter("email") })
      }
    },
    {
      ...shared,
      method: "DELETE",
      path: EMAIL,
      operation: "deleteTeamMemberEmailInvite",
      handle: (call) => {
        const address = call.parameter("email")
        if (!withdraw(call, ({ email }) => email === address)) throw notFound()
        return noContent()
      }
    },
    {
      method: "PUT",
      path: CODE,
      operation: "acceptOrganizationTeamInvite",
      internal: true,
      scope: "user:admin",
      features: ["MAILING"],
      guard: ({ caller }) => caller.require(caller.adminsUser()),
      handle: accept
    },
    {
      method: "DELETE",
      path: CODE,
      operation: "declineOrganizationTeamInvite",
      internal: true,
      scope: "user:admin",
      features: ["MAILING"],
      guard: ({ caller }) => caller.require(caller.adminsUser()),
      handle: (call) => {
        const found = answered(call)
        const { orgname, team, invitation, user } = found
        team.invitations = team.invitations.filter((one) => one !== invitation)
        dismissInvitations(call.state, user, orgname)
        log(call, "declined", found)
        return noContent()
      }
    }
  ]
}
