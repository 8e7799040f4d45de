// What routes about one team share: finding it, and keeping hands off those that a directory fills.
import type { Call } from "./call.ts"
import { invalidRequest, notFound } from "./errors.ts"
import { splitRobot } from "./names.ts"
import type { Team } from "./state.ts"

/** The team in the path, for those who administer its organization. */
export const foundTeam = (call: Call) => {
  const orgname = call.parameter("orgname")
  call.caller.require(call.caller.administers(orgname))
  const organization = call.organization(orgname)
  const name = call.parameter("teamname")
  const team = organization.teams.get(name)
  if (team === undefined) throw notFound()
  return { orgname, organization, name, team }
}

/** Who is in a synchronized team is for the directory to say; robots are not in it. */
export const refuseIfSynced = (team: Team, member?: string): void => {
  if (team.synced === null || (member !== undefined && splitRobot(member) !== undefined)) return
  throw invalidRequest("Cannot call this method on an auth-synced team")
}
