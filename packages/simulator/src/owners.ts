// Collections that organizations and repositories both have: where they are found and who may touch them.
import type { Call } from "./call.ts"
import type { Route } from "./router.ts"
import { foundRepository, requireRole } from "./routes/repository.ts"

export interface Owner {
  readonly kind: "organization" | "repository"
  readonly base: string
  readonly shared: Pick<Route, "scope" | "guard">
  /** The organization or repository in the path, for those who administer it. */
  readonly find: (call: Call) => object
}

export const ORGANIZATION: Owner = {
  kind: "organization",
  base: "/api/v1/organization/{orgname}",
  shared: { scope: "org:admin" },
  find: (call) => call.administered().organization
}

export const REPOSITORY: Owner = {
  kind: "repository",
  base: "/api/v1/repository/{repository}",
  shared: { scope: "repo:admin", guard: requireRole("admin") },
  find: (call) => foundRepository(call).repository
}
