// Collections that organizations and repositories both have: where they are found and who may touch them.
import type { Call } from "./call.ts"
import type { Json } from "./json.ts"
import type { Route } from "./router.ts"
import { foundRepository, requireRole } from "./routes/repository.ts"

export interface Owner {
  readonly kind: "organization" | "repository"
  readonly base: string
  readonly shared: Pick<Route, "scope" | "guard">
  /** The organization or repository in the path, for those who administer it. */
  readonly find: (call: Call) => object
  /** Notes in its audit log what was done. */
  readonly log: (call: Call, kind: string, metadata: { readonly [key: string]: Json }) => void
}

export const ORGANIZATION: Owner = {
  kind: "organization",
  base: "/api/v1/organization/{orgname}",
  shared: { scope: "org:admin" },
  find: (call) => call.administered().organization,
  log: (call, kind, metadata) => {
    const namespace = call.parameter("orgname")
    call.log(kind, { namespace }, { namespace, ...metadata })
  }
}

export const REPOSITORY: Owner = {
  kind: "repository",
  base: "/api/v1/repository/{repository}",
  shared: { scope: "repo:admin", guard: requireRole("admin") },
  find: (call) => foundRepository(call).repository,
  log: (call, kind, metadata) => call.logRepository(kind, call.repositoryPath(), metadata)
}
