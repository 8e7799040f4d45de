/**
 * Who a token is. Quay treats a token that is wrong or expired as an anonymous visitor: reads that anyone may do succeed,
 * with less in them, so a client has to ask before it believes what it reads. Two requests at most.
 *
 * What proves what (seen on a running server):
 * - `GET user/` 200: the token is valid and has user:read. 401: it is wrong, or it is valid and lacks user:read.
 * - `GET organization/{o}/members` asks for rights before it looks whether the organization exists: 401 is what an anonymous
 *   visitor gets, so the token is wrong; 403, 404 and 200 are answers to somebody, so it is valid.
 * What a valid token may do is not told by either: an organization's view says so, with `is_admin` and `teams`.
 */
import type { QuayClient } from "./client.ts"
import { Forbidden, Missing, Unauthenticated } from "./errors.ts"

export type Identity =
  /** `superuser` is what Quay says of the user; the token needs super:user to use it. */
  | { readonly kind: "user"; readonly name: string; readonly superuser: boolean }
  /** The token is valid and may not say whose it is. `administers` is the organization asked about, if it may administer it. */
  | { readonly kind: "unknown"; readonly administers?: string }

export interface IdentifyOptions {
  /** An organization that the token should administer. Any name proves as much about the token itself. */
  readonly organization?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Throws `Unauthenticated` if the token is provably not valid, and whatever else a request fails with.
 */
export const identify = async (
  quay: Pick<QuayClient, "GET">,
  { organization, signal }: IdentifyOptions = {}
): Promise<Identity> => {
  const signalled = signal === undefined ? {} : { signal }
  try {
    const user = await quay.GET("/api/v1/user/", signalled)
    if (user.anonymous)
      throw new Unauthenticated("The registry takes us for an anonymous visitor", {
        method: "GET",
        path: "/api/v1/user/"
      })
    return { kind: "user", name: user.username, superuser: user.super_user === true }
  } catch (error) {
    if (!(error instanceof Unauthenticated)) throw error
  }
  const orgname = organization ?? "quaymaster-identify"
  try {
    await quay.GET("/api/v1/organization/{orgname}/members", { params: { path: { orgname } }, ...signalled })
    return organization === undefined ? { kind: "unknown" } : { kind: "unknown", administers: organization }
  } catch (error) {
    if (error instanceof Forbidden || error instanceof Missing) return { kind: "unknown" }
    throw error
  }
}
