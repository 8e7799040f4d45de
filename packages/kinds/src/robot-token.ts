/**
 * The tokens of robot accounts. Quay tells them to administrators, so nothing here is ever shown: a token is compared, or
 * written to the file that it is for, and forgotten.
 */
import { shared } from "@quaymaster/runtime"
import type { QuayFailure } from "@quaymaster/sdk"
import * as Effect from "effect/Effect"
import { NotAdministrator, organizationView, type ReadError, robots } from "./answers.ts"
import { ask, once, type Quay } from "./quay.ts"

export interface RobotWithToken {
  readonly token: string
  /** When it was last used, as Quay writes it; undefined if it never was, or the server does not tell. */
  readonly lastUsed: string | undefined
}

/** A view without its token was not an administrator's to see. */
const withToken = (
  organization: string,
  view: { readonly token?: string; readonly last_accessed?: string | null }
): Effect.Effect<RobotWithToken, NotAdministrator> =>
  view.token === undefined
    ? Effect.fail(new NotAdministrator({ organization }))
    : Effect.succeed({ token: view.token, lastUsed: view.last_accessed ?? undefined })

const path = (organization: string, name: string) => ({ orgname: organization, robot_shortname: name })

/** A robot account by its short name. Fails with `Missing` if there is none. */
export const robotWithToken = (
  organization: string,
  name: string
): Effect.Effect<RobotWithToken, QuayFailure | NotAdministrator, Quay> =>
  Effect.flatMap(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/robots/{robot_shortname}", {
        params: { path: path(organization, name) },
        signal
      })
    ),
    (view) => withToken(organization, view)
  )

/** The tokens of all robot accounts of an organization by their short names: one request, however many are asked about. */
export const robotTokens: (organization: string) => Effect.Effect<ReadonlyMap<string, string>, ReadError, Quay> =
  shared((organization) =>
    Effect.gen(function* () {
      const tokens = new Map<string, string>()
      if ((yield* organizationView(organization)) === undefined) return tokens
      const { robots } = yield* ask((client, signal) =>
        client.GET("/api/v1/organization/{orgname}/robots", {
          params: { path: { orgname: organization }, query: { permissions: false, token: true } },
          signal
        })
      )
      for (const robot of robots) {
        // Robots of other organizations can be among them, as in every such list.
        if (!robot.name.startsWith(`${organization}+`)) continue
        tokens.set(robot.name.slice(organization.length + 1), (yield* withToken(organization, robot)).token)
      }
      return tokens
    })
  )

/** What a robot account's token opens. */
export interface RobotAccess {
  readonly lastUsed: string | undefined
  /** The teams it is in, and the repositories that it has a permission on by itself; undefined where the server does not tell. */
  readonly teams: ReadonlyArray<string> | undefined
  readonly repositories: ReadonlyArray<string> | undefined
}

/** Undefined if there is no such robot account, or no such organization. */
export const robotAccess = (
  organization: string,
  name: string
): Effect.Effect<RobotAccess | undefined, ReadError, Quay> =>
  Effect.gen(function* () {
    if ((yield* organizationView(organization)) === undefined) return undefined
    const found = (yield* robots(organization)).find((robot) => robot.name === name)
    if (found === undefined) return undefined
    const { lastUsed } = yield* robotWithToken(organization, name)
    return { lastUsed, teams: found.teams, repositories: found.repositories }
  })

/** How a token was made anew: with an answer; or without one, and looked up. */
export type Regenerated =
  | { readonly state: "answered" | "seen"; readonly token: string }
  /** No answer came, and the token is as it was, or could not be looked up. */
  | { readonly state: "unchanged" | "unknown"; readonly reason: string }

/**
 * Makes a robot account's token anew, once: a second time would take away what the first has given. If the answer is lost, the
 * token is looked up; `before` is what it was until now. Fails if Quay surely did not do it.
 */
export const regenerateToken = (
  organization: string,
  name: string,
  before: string
): Effect.Effect<Regenerated, QuayFailure, Quay> => {
  const lookUp = (reason: string): Effect.Effect<Regenerated, never, Quay> =>
    Effect.match(robotWithToken(organization, name), {
      onSuccess: ({ token }): Regenerated =>
        token === before ? { state: "unchanged", reason } : { state: "seen", token },
      onFailure: (error): Regenerated => ({ state: "unknown", reason: `${reason}; ${error.message}` })
    })
  const posted = once((client, signal) =>
    client.POST("/api/v1/organization/{orgname}/robots/{robot_shortname}/regenerate", {
      params: { path: path(organization, name) },
      signal
    })
  )
  return Effect.matchEffect(posted, {
    onSuccess: ({ token }): Effect.Effect<Regenerated, never, Quay> =>
      token === undefined ? lookUp("the answer had no token") : Effect.succeed({ state: "answered", token }),
    onFailure: (error): Effect.Effect<Regenerated, QuayFailure, Quay> =>
      error.mayHaveHappened ? lookUp(error.message) : Effect.fail(error)
  })
}
