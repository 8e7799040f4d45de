/** Quay's resource kinds. Adding one is a file, its test, and a line in this list. */
import { defaultPermission } from "./default-permission.ts"
import { organization } from "./organization.ts"
import { repository } from "./repository.ts"
import { repositoryPermission } from "./repository-permission.ts"
import { robot } from "./robot.ts"
import { team } from "./team.ts"
import { teamMember } from "./team-member.ts"

export const quayKinds = [
  organization,
  team,
  robot,
  teamMember,
  defaultPermission,
  repository,
  repositoryPermission
] as const

export type QuayKind = (typeof quayKinds)[number]

export { NotAdministrator, type ReadError } from "./answers.ts"
export type { DefaultPermission } from "./default-permission.ts"
export { defineKind, type KindContext, type KindDefinition, KindFailed, type LibraryKind } from "./define-kind.ts"
export type { Organization } from "./organization.ts"
export { makeQuay, Quay, type QuayOptions, type Request, SecretUnavailable } from "./quay.ts"
export type { Repository } from "./repository.ts"
export type { RepositoryPermission } from "./repository-permission.ts"
export type { RobotAccount } from "./robot.ts"
export type { Team } from "./team.ts"
export type { TeamMember } from "./team-member.ts"
