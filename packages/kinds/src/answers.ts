/**
 * What several kinds read of an organization, each asked for once in a reading. Everything starts from the organization's
 * own view, because it alone proves that the token may see all of it: Quay answers who may not with less, not with an error.
 */
import type { PlanRefused } from "@quaymaster/engine"
import { shared } from "@quaymaster/runtime"
import { DecodeError, type OrganizationView, paginate, type QuayFailure } from "@quaymaster/sdk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { ask, orMissing, pages, type Quay } from "./quay.ts"

/** The token sees the organization, but not as its administrator: what it would read is not all there is. */
export class NotAdministrator extends Data.TaggedError("NotAdministrator")<{ readonly organization: string }> {
  override get message(): string {
    return (
      `The token is not an administrator's of the organization ${this.organization}, or it expired while it was read. ` +
      "Use a token of one of its owners with the scopes org:admin, repo:admin, repo:create and user:admin, or a superuser's."
    )
  }
}

/** Everything that reading an organization can fail with. What can never be as declared is refused by what it reads. */
export type ReadError = QuayFailure | NotAdministrator | PlanRefused

/** An organization as an administrator sees it. */
export interface AdministeredOrganization extends OrganizationView {
  readonly teams: NonNullable<OrganizationView["teams"]>
}

const viewNow = (orgname: string): Effect.Effect<AdministeredOrganization | undefined, ReadError, Quay> =>
  Effect.flatMap(
    orMissing(
      ask((client, signal) => client.GET("/api/v1/organization/{orgname}", { params: { path: { orgname } }, signal }))
    ),
    (view): Effect.Effect<AdministeredOrganization | undefined, NotAdministrator> => {
      if (view === undefined) return Effect.succeed(undefined)
      const { is_admin, teams } = view
      if (!is_admin || teams === undefined) return Effect.fail(new NotAdministrator({ organization: orgname }))
      return Effect.succeed({ ...view, teams })
    }
  )

/** The organization's view, or undefined if there is no such organization. */
export const organizationView: (name: string) => Effect.Effect<AdministeredOrganization | undefined, ReadError, Quay> =
  shared(viewNow)

/** Each person in a team of the organization, with the teams, and the repositories of a direct permission without the role. */
export const members = shared((orgname: string) =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/members", { params: { path: { orgname } }, signal })
    ),
    (answer) => answer.members
  )
)

/** Everybody in one team, given as `acme/dev`, those among them who have not accepted an invitation yet; how it is filled, if by itself. */
export const teamMembers = shared((team: string) => {
  const [orgname = "", teamname = ""] = team.split("/")
  return ask((client, signal) =>
    client.GET("/api/v1/organization/{orgname}/team/{teamname}/members", {
      params: { path: { orgname, teamname }, query: { includePending: true } },
      signal
    })
  )
})

/** People outside the organization's teams that have a direct permission on one of its repositories. */
export const collaborators = shared((orgname: string) =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/collaborators", { params: { path: { orgname } }, signal })
    ),
    (answer) => answer.collaborators
  )
)

export interface Robot {
  /** The short name: `ci`. */
  readonly name: string
  readonly description: string
  /** The names of the teams it is in; undefined where the server does not tell. */
  readonly teams: ReadonlyArray<string> | undefined
  /** The repositories it has a permission on; undefined where the server does not tell. */
  readonly repositories: ReadonlyArray<string> | undefined
}

/** The organization's robot accounts, without their tokens. */
export const robots = shared((orgname: string) =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/robots", {
        params: { path: { orgname }, query: { permissions: true, token: false } },
        signal
      })
    ),
    // Quay looks for the prefix with a pattern in which `_` matches anything: robots of other organizations come along.
    (answer): ReadonlyArray<Robot> =>
      answer.robots
        .filter((robot) => robot.name.startsWith(`${orgname}+`))
        .map((robot) => ({
          name: robot.name.slice(orgname.length + 1),
          description: robot.description ?? "",
          teams: robot.teams?.map((team) => team.name),
          repositories: robot.repositories
        }))
  )
)

/** The organization's default permissions. */
export const prototypes = shared((orgname: string) =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/prototypes", { params: { path: { orgname } }, signal })
    ),
    (answer) => answer.prototypes
  )
)

/**
 * All repositories of the organization, page after page; each page is a request like any other. To who lost their rights in the
 * middle Quay lists only some, without a word, so the organization is looked at once more before the list is believed.
 */
export const repositories = shared((namespace: string) =>
  Effect.tap(
    pages((run) =>
      paginate({
        path: "/api/v1/repository",
        page: (next) =>
          run((client, signal) =>
            client.GET("/api/v1/repository", { params: { query: { namespace, public: true, ...next } }, signal })
          ),
        items: (page) => page.repositories.map((it) => ofNamespace(it, namespace)),
        key: (item) => item.name
      })
    ),
    () =>
      Effect.flatMap(
        viewNow(namespace),
        (view): Effect.Effect<void, NotAdministrator> =>
          view === undefined ? Effect.fail(new NotAdministrator({ organization: namespace })) : Effect.void
      )
  )
)

/** A registry that forgets what it was asked would have others' repositories taken for this organization's. */
const ofNamespace = <A extends { readonly namespace: string }>(repository: A, namespace: string): A => {
  if (repository.namespace === namespace) return repository
  throw new DecodeError(`The list of the repositories of ${namespace} has one of another namespace`, {
    method: "GET",
    path: "/api/v1/repository",
    operation: "listRepos"
  })
}
