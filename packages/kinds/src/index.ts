/**
 * Quay's resource kinds. Adding one is a file, its test, and a line in this list.
 *
 * The order between them is what each says of its objects. An object lives in the one that it is drawn under: it is made after
 * that, and goes along with it. What it *needs* is made before it, and outlives it. What it *follows* is brought in order before it
 * is made. What it *excludes* nobody can manage beside it, and comes when it is gone. What it *makes* the registry makes by itself,
 * so that it is made after it, and only what is missing.
 *
 *   organization ······················ makes team, team-member
 *   ├─ team
 *   │  ├─ team-member ················· needs robot, user
 *   │  └─ team-sync ··················· excludes team-member
 *   ├─ robot
 *   │  ├─ robot-credential
 *   │  └─ robot-federation
 *   ├─ default-permission ············· needs robot, team, user
 *   ├─ quota
 *   ├─ organization-notification ······ needs team; follows quota
 *   ├─ organization-auto-prune
 *   ├─ organization-immutability
 *   ├─ organization-mirror ············ needs robot; excludes organization-immutability, proxy-cache
 *   ├─ proxy-cache ···················· follows organization-immutability, organization-mirror
 *   ├─ application
 *   │  └─ application-token
 *   └─ repository ····················· follows default-permission, organization-mirror; makes repository-permission, repository-state, repository-trust
 *      ├─ repository-mirror ··········· needs robot; makes repository-permission, repository-state
 *      ├─ repository-state
 *      ├─ repository-trust
 *      ├─ repository-permission ······· needs robot, team, user
 *      ├─ repository-notification ····· needs team
 *      ├─ repository-auto-prune
 *      ├─ repository-immutability
 *      └─ build-trigger
 *   user
 *   global-message
 */
import { application } from "./application.ts"
import { applicationToken } from "./application-token.ts"
import { buildTrigger } from "./build-trigger.ts"
import { defaultPermission } from "./default-permission.ts"
import { globalMessage } from "./global-message.ts"
import { organization } from "./organization.ts"
import { organizationAutoPrune } from "./organization-auto-prune.ts"
import { organizationImmutability } from "./organization-immutability.ts"
import { organizationMirror } from "./organization-mirror.ts"
import { organizationNotification } from "./organization-notification.ts"
import { proxyCache } from "./proxy-cache.ts"
import { quota } from "./quota.ts"
import { repository } from "./repository.ts"
import { repositoryAutoPrune } from "./repository-auto-prune.ts"
import { repositoryImmutability } from "./repository-immutability.ts"
import { repositoryMirror } from "./repository-mirror.ts"
import { repositoryNotification } from "./repository-notification.ts"
import { repositoryPermission } from "./repository-permission.ts"
import { repositoryState } from "./repository-state.ts"
import { repositoryTrust } from "./repository-trust.ts"
import { robot } from "./robot.ts"
import { robotCredential } from "./robot-credential.ts"
import { robotFederation } from "./robot-federation.ts"
import { team } from "./team.ts"
import { teamMember } from "./team-member.ts"
import { teamSync } from "./team-sync.ts"
import { user } from "./user.ts"

export const quayKinds = [
  organization,
  team,
  robot,
  robotCredential,
  robotFederation,
  teamMember,
  teamSync,
  defaultPermission,
  repository,
  repositoryState,
  repositoryTrust,
  repositoryMirror,
  repositoryPermission,
  quota,
  proxyCache,
  organizationNotification,
  repositoryNotification,
  organizationMirror,
  organizationAutoPrune,
  repositoryAutoPrune,
  organizationImmutability,
  repositoryImmutability,
  buildTrigger,
  application,
  applicationToken,
  globalMessage,
  user
] as const

export type QuayKind = (typeof quayKinds)[number]

export { NotAdministrator, type ReadError } from "./answers.ts"
export type { Application } from "./application.ts"
export type { ApplicationToken } from "./application-token.ts"
export type { BuildTrigger } from "./build-trigger.ts"
export type { DefaultPermission } from "./default-permission.ts"
export { defineKind, type KindContext, type KindDefinition, KindFailed, type LibraryKind } from "./define-kind.ts"
export type { GlobalMessage } from "./global-message.ts"
export { DeliveryFailed, type LocalFile, type LocalFiles } from "./local-files.ts"
export type { Organization } from "./organization.ts"
export type { OrganizationAutoPrune } from "./organization-auto-prune.ts"
export type { OrganizationImmutability } from "./organization-immutability.ts"
export type { OrganizationMirror } from "./organization-mirror.ts"
export type { OrganizationNotification } from "./organization-notification.ts"
export type { ProxyCache } from "./proxy-cache.ts"
export { makeQuay, Quay, type QuayOptions, type Request, SecretUnavailable } from "./quay.ts"
export type { Quota } from "./quota.ts"
export type { Repository } from "./repository.ts"
export type { RepositoryAutoPrune } from "./repository-auto-prune.ts"
export type { RepositoryImmutability } from "./repository-immutability.ts"
export type { RepositoryMirror } from "./repository-mirror.ts"
export type { RepositoryNotification } from "./repository-notification.ts"
export type { RepositoryPermission } from "./repository-permission.ts"
export type { RepositoryState } from "./repository-state.ts"
export type { RepositoryTrust } from "./repository-trust.ts"
export type { RobotAccount } from "./robot.ts"
export {
  checkDelivery,
  deliver,
  deliveryStanding,
  isRobotCredential,
  type RobotCredential
} from "./robot-credential.ts"
export type { RobotFederation } from "./robot-federation.ts"
export { type Regenerated, type RobotAccess, regenerateToken, robotAccess, robotWithToken } from "./robot-token.ts"
export type { Team } from "./team.ts"
export type { TeamMember } from "./team-member.ts"
export type { TeamSync } from "./team-sync.ts"
export type { UserAccount } from "./user.ts"
