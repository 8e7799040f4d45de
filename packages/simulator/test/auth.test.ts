// Tokens, scopes and roles: who sees what, who is turned away and how.
import { describe, expect, test } from "vitest"
import type { Scope } from "../src/index.ts"
import { at, house, names, type Send, sender } from "./client.ts"

const withRepositories = async (options: Parameters<typeof house>[0] = {}) => {
  const rig = house(options)
  await rig.admin("POST", "/api/v1/organization/", { name: "acme", email: "platform@acme.example" })
  for (const [repository, visibility] of [
    ["app", "private"],
    ["docs", "public"]
  ]) {
    await rig.admin("POST", "/api/v1/repository", { namespace: "acme", repository, visibility, description: "" })
  }
  return rig
}

const repositories = async (send: Send) =>
  names(at((await send("GET", "/api/v1/repository?namespace=acme&public=true")).json, "repositories"))

describe("a token that is not valid", () => {
  test("reads as nobody: 200 and less", async () => {
    const { simulator } = await withRepositories()
    const bad = sender(simulator.fetch, "0".repeat(40))
    const view = await bad("GET", "/api/v1/organization/acme")
    expect([view.status, at(view.json, "teams"), at(view.json, "email")]).toEqual([200, undefined, ""])
    expect(await repositories(bad)).toEqual(["docs"])
    expect((await bad("GET", "/api/v1/organization/acme/members")).status).toBe(401)
    expect((await bad("GET", "/api/v1/user/")).status).toBe(401)
  })

  test("writes nothing: 403, and what is said is about CSRF", async () => {
    const { simulator } = await withRepositories()
    const bad = sender(simulator.fetch, "0".repeat(40))
    const answer = await bad("DELETE", "/api/v1/organization/acme")
    expect([answer.status, at(answer.json, "error")]).toEqual([403, "CSRF token was invalid or missing."])
  })

  test("is what any token becomes in the end", async () => {
    const { simulator } = await withRepositories()
    const token = simulator.addToken({ user: "admin" })
    const send = sender(simulator.fetch, token)
    expect((await send("GET", "/api/v1/user/")).status).toBe(200)
    simulator.expireToken(token)
    expect((await send("GET", "/api/v1/user/")).status).toBe(401)
  })

  test("and a disabled user's", async () => {
    const { admin, bob } = house()
    await admin("PUT", "/api/v1/superuser/users/bob", { enabled: false })
    expect((await bob("GET", "/api/v1/user/")).status).toBe(401)
  })
})

describe("scopes", () => {
  const all: [Scope[], string, string, unknown, number][] = [
    [["org:admin", "repo:admin", "repo:create"], "GET", "user/", undefined, 401],
    [["user:read"], "GET", "user/", undefined, 200],
    [["user:admin"], "GET", "user/", undefined, 200],
    [["org:admin", "super:user"], "POST", "organization/", { name: "fresh" }, 403],
    [["user:admin"], "POST", "organization/", { name: "fresh" }, 403],
    [["user:admin", "super:user"], "POST", "organization/", { name: "fresh" }, 201],
    [["org:admin"], "GET", "organization/acme/robots/ci/permissions", undefined, 403],
    [["org:admin", "user:admin"], "GET", "organization/acme/robots/ci/permissions", undefined, 200],
    [["org:admin"], "PUT", "organization/acme/team/dev", { role: "member" }, 200],
    [["repo:admin"], "PUT", "organization/acme/team/dev", { role: "member" }, 403],
    [["super:user"], "PUT", "organization/acme/team/dev", { role: "member" }, 200],
    [["repo:admin"], "GET", "repository/acme/app/permissions/user/", undefined, 200],
    [["repo:write"], "GET", "repository/acme/app/permissions/user/", undefined, 403],
    [["repo:write"], "PUT", "repository/acme/app", { description: "x" }, 200],
    [["repo:read"], "PUT", "repository/acme/app", { description: "x" }, 403],
    [["repo:read"], "GET", "repository/acme/app", undefined, 200],
    [["org:admin"], "GET", "repository/acme/app", undefined, 403],
    [["super:user"], "GET", "superuser/users/", undefined, 200],
    [["user:admin"], "GET", "superuser/users/", undefined, 403]
  ]
  for (const [scopes, method, path, body, status] of all) {
    test(`${scopes.join(" ")}: ${method} ${path} ${status}`, async () => {
      const { admin, as } = await withRepositories()
      await admin("PUT", "/api/v1/organization/acme/robots/ci")
      expect((await as("admin", ...scopes)(method, `/api/v1/${path}`, body)).status).toBe(status)
    })
  }

  test("without org:admin or repo:create the view of one's own organization lacks its teams", async () => {
    const { admin, as } = await withRepositories()
    await admin("PUT", "/api/v1/organization/acme/team/owners/members/bob")
    const view = await as("bob", "repo:admin", "user:read")("GET", "/api/v1/organization/acme")
    expect([view.status, at(view.json, "is_member"), at(view.json, "teams")]).toEqual([200, false, undefined])
  })
})

describe("roles", () => {
  test("outsiders see what is public, and are turned away before it shows what exists", async () => {
    const { bob } = await withRepositories()
    expect(await repositories(bob)).toEqual(["docs"])
    expect((await bob("GET", "/api/v1/repository/acme/app")).status).toBe(403)
    expect((await bob("GET", "/api/v1/repository/acme/none")).status).toBe(403)
    expect((await bob("DELETE", "/api/v1/organization/none")).status).toBe(403)
  })

  test("a member sees the names of teams, and inside their own", async () => {
    const { admin, bob } = await withRepositories()
    await admin("PUT", "/api/v1/organization/acme/team/dev", { role: "member" })
    await admin("PUT", "/api/v1/organization/acme/team/dev/members/bob")
    const { json } = await bob("GET", "/api/v1/organization/acme")
    expect([at(json, "teams", "dev", "can_view"), at(json, "teams", "owners", "can_view")]).toEqual([true, false])
    expect([at(json, "is_admin"), at(json, "email"), at(json, "tag_expiration_s")]).toEqual([false, "", undefined])
    expect((await bob("GET", "/api/v1/organization/acme/team/dev/members")).status).toBe(200)
    expect((await bob("GET", "/api/v1/organization/acme/team/owners/members")).status).toBe(403)
    const robots = await bob("GET", "/api/v1/organization/acme/robots?permissions=true")
    expect(robots.status).toBe(200)
  })

  test("a creator makes repositories and administers those", async () => {
    const { admin, bob } = await withRepositories()
    await admin("PUT", "/api/v1/organization/acme/team/makers", { role: "creator" })
    await admin("PUT", "/api/v1/organization/acme/team/makers/members/bob")
    const body = { namespace: "acme", repository: "mine", visibility: "private", description: "" }
    expect((await bob("POST", "/api/v1/repository", body)).status).toBe(201)
    expect((await bob("DELETE", "/api/v1/repository/acme/app")).status).toBe(403)
    expect((await bob("DELETE", "/api/v1/repository/acme/mine")).status).toBe(204)
  })

  test("a permission through a team counts, and shows as transitive", async () => {
    const { admin, bob } = await withRepositories()
    await admin("PUT", "/api/v1/organization/acme/team/dev", { role: "member" })
    await admin("PUT", "/api/v1/organization/acme/team/dev/members/bob")
    await admin("PUT", "/api/v1/repository/acme/app/permissions/team/dev", { role: "write" })
    expect((await bob("PUT", "/api/v1/repository/acme/app", { description: "x" })).status).toBe(200)
    const transitive = await admin("GET", "/api/v1/repository/acme/app/permissions/user/bob/transitive")
    expect(at(transitive.json, "permissions")).toEqual([{ role: "write" }])
  })

  test("a superuser without full access is like anyone", async () => {
    const { admin, as } = await withRepositories({ features: { SUPERUSERS_FULL_ACCESS: false } })
    await admin("PUT", "/api/v1/organization/acme/team/owners/members/bob")
    await as("bob")("DELETE", "/api/v1/organization/acme/team/owners/members/admin")
    expect((await admin("DELETE", "/api/v1/organization/acme/team/owners")).status).toBe(403)
    expect((await admin("GET", "/api/v1/superuser/users/")).status).toBe(200)
  })

  test("anyone may make organizations where that is not kept to superusers", async () => {
    const { bob } = house({ features: { SUPERUSERS_ORG_CREATION_ONLY: false } })
    expect((await bob("POST", "/api/v1/organization/", { name: "bobs" })).status).toBe(201)
    expect((await bob("DELETE", "/api/v1/organization/bobs")).status).toBe(204)
  })
})
