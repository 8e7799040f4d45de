/**
 * @quaymaster/sdk: the typed client for Quay's management API. Everything public is exported here; what Quay means by its
 * answers is in the types, which are generated from openapi/quay.openapi.gen.json.
 */
import type { components } from "./generated/quay.gen.ts"

export {
  createQuayClient,
  type Delete,
  type Get,
  type PathsWith,
  type Post,
  type Put,
  type QuayClient,
  type QuayClientOptions
} from "./client.ts"
export * from "./errors.ts"
export type { components, operations as OperationTypes, paths } from "./generated/quay.gen.ts"
export { version } from "./generated/version.gen.ts"
export { type IdentifyOptions, type Identity, identify } from "./identify.ts"
export { type Operation, operationFor, operationOf, operations } from "./operations.ts"
export { type PageOptions, paginate, paginateByNumber } from "./pages.ts"
export { problemOf, type Refusal, redact, retryAfterOf, secretsIn, wordsOf } from "./problem.ts"
export type { TlsOptions, TransportOptions } from "./transport.ts"
export { OptionError } from "./url.ts"

type Schemas = components["schemas"]

export type OrganizationView = Schemas["OrganizationView"]
export type OrganizationTeam = Schemas["OrganizationTeam"]
export type OrganizationMember = Schemas["OrganizationMember"]
export type Collaborator = Schemas["Collaborator"]
export type TeamView = Schemas["TeamView"]
export type TeamMember = Schemas["TeamMember"]
export type TeamInvite = Schemas["TeamInvite"]
export type TeamMembers = Schemas["TeamMembers"]
export type TeamSync = Schemas["TeamSync"]
export type TeamRole = Schemas["TeamRole"]
export type Role = Schemas["Role"]
export type RobotListItem = Schemas["RobotListItem"]
export type RobotView = Schemas["RobotView"]
export type FederationEntry = Schemas["FederationEntry"]
export type RepositoryListItem = Schemas["RepositoryListItem"]
export type RepositoryList = Schemas["RepositoryList"]
export type RepositoryView = Schemas["RepositoryView"]
export type RepositoryState = Schemas["RepositoryState"]
export type UserPermissionView = Schemas["UserPermissionView"]
export type TeamPermissionView = Schemas["TeamPermissionView"]
export type RoleOnRepository = Schemas["RoleOnRepository"]
export type PrototypeView = Schemas["PrototypeView"]
export type TagView = Schemas["TagView"]
export type NotificationView = Schemas["NotificationView"]
export type QuotaView = Schemas["QuotaView"]
export type QuotaLimit = Schemas["QuotaLimit"]
export type QuotaReport = Schemas["QuotaReport"]
export type ProxyCacheView = Schemas["ProxyCacheView"]
export type AutoPrunePolicyView = Schemas["AutoPrunePolicyView"]
export type ImmutabilityPolicyView = Schemas["ImmutabilityPolicyView"]
export type OrganizationMirrorView = Schemas["OrganizationMirrorView"]
export type ApplicationView = Schemas["ApplicationView"]
export type ApplicationTokenView = Schemas["ApplicationTokenView"]
export type BuildTriggerView = Schemas["BuildTriggerView"]
export type ServiceKeyView = Schemas["ServiceKeyView"]
export type UserView = Schemas["UserView"]
export type SuperuserUser = Schemas["SuperuserUser"]
export type SuperuserOrganization = Schemas["SuperuserOrganization"]
export type MessageView = Schemas["MessageView"]
export type LogEntry = Schemas["LogEntry"]
export type LogCounts = Schemas["LogCounts"]
export type RegistryConfig = Schemas["RegistryConfig"]
export type Discovery = Schemas["Discovery"]
export type Avatar = Schemas["Avatar"]
/** How a repository is mirrored. */
export type MirrorView = Schemas["ViewMirrorConfig"]
