// Accounts of people whom an outside directory knows: made at the first sign-in, or when somebody needs them before.
import type { Directory, Person } from "./ldap.ts"
import { splitRobot } from "./names.ts"
import type { State, Team, User } from "./state.ts"

export const accountOf = (state: State, person: Person): readonly [string, User] | undefined =>
  [...state.users].find(([, { login }]) => login !== null && login.toLowerCase() === person.name.toLowerCase())

/** A name that Quay takes, made from one that it might not take. */
const usableName = (state: State, name: string): string => {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .padEnd(2, "0")
  let free = plain
  for (let count = 2; state.namespace(free) !== undefined || state.isReserved(free); count += 1)
    free = `${plain}${count}`
  return free
}

/** The name of a person's account, which is made if there is none. */
export const linkAccount = (state: State, person: Person): string => {
  const known = accountOf(state, person)
  if (known !== undefined) return known[0]
  const name = usableName(state, person.name)
  state.users.set(name, state.newUser({ email: person.email, login: person.name }))
  return name
}

const syncTeam = (state: State, directory: Directory, team: Team, now: string): void => {
  const { synced } = team
  const group = synced?.config["group_dn"]
  if (synced === null || typeof group !== "string") return
  const people = new Set(directory.members(group).map((person) => linkAccount(state, person)))
  const robots = [...team.members].filter((member) => splitRobot(member) !== undefined)
  team.members.clear()
  for (const member of [...robots, ...people]) team.members.add(member)
  synced.last_updated = now
}

/** One pass of the worker that brings synchronized teams in line with their groups. A directory that is down changes nothing. */
export const syncTeams = (state: State, directory: Directory | undefined): void => {
  if (directory === undefined || directory.isDown) return
  const now = new Date(state.options.now()).toISOString()
  for (const { teams } of state.organizations.values()) {
    for (const team of teams.values()) syncTeam(state, directory, team, now)
  }
}
