/** Who a token is, by the answers that a server gives to a user's, a narrow, a wrong and no token. */
import { describe, expect, it } from "vitest"
import { identify, ServerError, Unauthenticated } from "../src/index.ts"
import { html, json, observed, rejection } from "./helpers.ts"

const avatar = { name: "bob", hash: "0", color: "#000", kind: "user" }
const nobody = () => json({ status: 401, type: "x", title: "invalid_token", detail: "Requires authentication" }, 401)
const notAllowed = () => json({ status: 403, type: "x", title: "insufficient_scope", detail: "Unauthorized" }, 403)
const answering = (user: () => Response, members: () => Response) =>
  observed(({ url }) => (url.endsWith("/user/") ? user() : members()))

describe("identify", () => {
  it("names the user in one request", async () => {
    const { quay, requests } = answering(
      () => json({ anonymous: false, username: "bob", avatar, super_user: true }),
      nobody
    )
    expect(await identify(quay)).toEqual({ kind: "user", name: "bob", superuser: true })
    expect(requests).toHaveLength(1)
  })

  it.each<[string, () => Response]>([
    ["it may not administer the organization", notAllowed],
    ["there is no such organization", () => json({ detail: "Not Found" }, 404)]
  ])("knows that a token without user:read is valid where %s", async (_, members) => {
    const { quay, requests } = answering(nobody, members)
    expect(await identify(quay, { organization: "acme" })).toEqual({ kind: "unknown" })
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual([
      "/api/v1/user/",
      "/api/v1/organization/acme/members"
    ])
  })

  it("says which organization a token without user:read administers", async () => {
    const { quay } = answering(nobody, () => json({ members: [] }))
    expect(await identify(quay, { organization: "acme" })).toEqual({ kind: "unknown", administers: "acme" })
    expect(await identify(quay)).toEqual({ kind: "unknown" })
  })

  it("refuses a wrong or expired token", async () => {
    const { quay, requests } = answering(nobody, nobody)
    expect(await rejection(identify(quay))).toBeInstanceOf(Unauthenticated)
    expect(requests).toHaveLength(2)
  })

  it("proves nothing from a server that fails", async () => {
    expect(await rejection(identify(answering(() => html(502), nobody).quay))).toBeInstanceOf(ServerError)
    expect(await rejection(identify(answering(nobody, () => html(502)).quay))).toBeInstanceOf(ServerError)
  })
})
