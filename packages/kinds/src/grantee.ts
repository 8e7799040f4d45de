/** Who a permission is for: a user, a robot account of the organization, or one of its teams. Exactly one of the three. */
import { Type } from "@sinclair/typebox"
import { robotRef, robotUser } from "./robot.ts"
import { teamRef } from "./team.ts"
import { userRef } from "./user.ts"

/** Names as the registry has them, another organization's robots among the users. Which names a file may say, its section tells. */
export const granteeFields = {
  user: Type.Optional(Type.String()),
  robot: Type.Optional(Type.String()),
  team: Type.Optional(Type.String())
}

export interface Grantee {
  readonly user?: string
  readonly robot?: string
  readonly team?: string
}

/** From how Quay names the grantee: robots are users called `acme+ci`. */
export const grantee = (organization: string, kind: "user" | "team", name: string): Grantee =>
  kind === "team"
    ? { team: name }
    : name.startsWith(`${organization}+`)
      ? { robot: name.slice(organization.length + 1) }
      : { user: name }

/** `team:dev`, `robot:ci`, `user:alice`. */
export const granteeKey = ({ robot, team, user }: Grantee): string =>
  team !== undefined ? `team:${team}` : robot !== undefined ? `robot:${robot}` : `user:${user ?? ""}`

/** A robot's or a user's name where Quay expects a user's. */
export const granteeUser = (organization: string, { robot, user }: Grantee): string =>
  robot === undefined ? (user ?? "") : robotUser(organization, robot)

/** Another organization's robot account is nothing that files say anything of. */
export const granteeNeeds = (organization: string, { robot, team, user }: Grantee) => [
  ...(robot === undefined ? [] : [robotRef(organization, robot)]),
  ...(team === undefined ? [] : [teamRef(organization, team)]),
  ...(user === undefined || user.includes("+") ? [] : [userRef(user)])
]
