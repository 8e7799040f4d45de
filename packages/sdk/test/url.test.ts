/** Addresses: which registries and which paths are accepted, and what goes out. */
import { describe, expect, it } from "vitest"
import { createQuayClient, Invalid, OptionError, operationOf, operations } from "../src/index.ts"
import { json, observed, rejection } from "./helpers.ts"

describe("the registry's URL", () => {
  it.each([
    ["https://quay.example.com", "https://quay.example.com"],
    ["https://quay.example.com/", "https://quay.example.com"],
    ["https://quay.example.com/api/v1/", "https://quay.example.com"],
    ["http://quay.example.com:8080/registry/", "http://quay.example.com:8080/registry"]
  ])("%s becomes %s", (url, want) => expect(createQuayClient({ url }).url).toBe(want))

  it.each([
    "quay.example.com",
    "ftp://quay.example.com",
    "https://user:pass@quay.example.com",
    "https://quay.example.com/?a=b",
    ""
  ])("%s is refused", (url) => expect(() => createQuayClient({ url })).toThrow(OptionError))

  it("does not repeat a password that it refuses", () => {
    expect(() => createQuayClient({ url: "https://user:hunter2@quay.example.com" })).toThrow(/^(?!.*hunter2)/)
  })
})

describe("a path", () => {
  const sent = async (repository: string, encodeSlash = false): Promise<string> => {
    const { quay, requests } = observed(() => json({ success: true }), { encodeSlash })
    await quay.PUT("/api/v1/repository/{repository}", { params: { path: { repository } }, body: { description: "" } })
    return requests[0]?.url ?? ""
  }

  it("keeps the slashes of a nested repository", async () => {
    expect(await sent("acme/vendor/alpine")).toBe("https://quay.example.com/api/v1/repository/acme/vendor/alpine")
    expect(await sent("acme/vendor/alpine", true)).toBe(
      "https://quay.example.com/api/v1/repository/acme%2Fvendor%2Falpine"
    )
    expect(await sent("acme/a b")).toMatch(/acme\/a%20b$/)
  })

  it("encodes everything else", async () => {
    const { quay, requests } = observed(() => new Response(null, { status: 204 }))
    await quay.DELETE("/api/v1/organization/{orgname}/team/{teamname}/invite/{email}", {
      params: { path: { orgname: "acme", teamname: "dev", email: "a+b@acme.example" } }
    })
    expect(requests[0]?.url).toMatch(/\/invite\/a%2Bb%40acme\.example$/)
  })

  it.each(["", "..", "acme/..", "acme//x", "../organization/acme", "acme/."])(
    "is refused before it leads elsewhere: %j",
    async (repository) => {
      const { quay, requests } = observed(() => json({}))
      const error = await rejection(
        quay.DELETE("/api/v1/repository/{repository}", { params: { path: { repository } } })
      )
      expect(error).toBeInstanceOf(Invalid)
      expect(error).toMatchObject({ operation: "deleteRepository", method: "DELETE" })
      expect(requests).toHaveLength(0)
    }
  )

  it.each(["a/b", "..", ""])("takes no slash in other parameters: %j", async (orgname) => {
    const { quay, requests } = observed(() => json({}))
    expect(
      await rejection(quay.GET("/api/v1/organization/{orgname}", { params: { path: { orgname } } }))
    ).toBeInstanceOf(Invalid)
    expect(requests).toHaveLength(0)
  })
})

describe("operationOf", () => {
  it.each([
    ["GET", "/api/v1/organization/acme", "getOrganization"],
    ["get", "https://quay.example.com/registry/api/v1/organization/acme?x=y", "getOrganization"],
    ["POST", "/api/v1/organization/", "createOrganization"],
    ["GET", "/api/v1/repository", "listRepos"],
    ["GET", "/api/v1/repository?namespace=acme", "listRepos"],
    ["GET", "/api/v1/repository/acme/vendor/alpine", "getRepo"],
    ["GET", "/api/v1/repository/acme%2Fvendor%2Falpine", "getRepo"],
    ["PUT", "/api/v1/repository/acme/vendor/alpine/permissions/user/acme+ci", "changeUserPermissions"],
    ["GET", "/api/v1/repository/acme/app/permissions/user/bob/transitive", "getUserTransitivePermission"],
    ["GET", "/api/v1/repository/mirror/health", "getRepositoryMirrorHealth"],
    ["POST", "/api/v1/organization/acme/mirror/sync-now", "syncOrgMirrorNow"],
    ["GET", "/api/v1/superuser/organizations/", "listAllOrganizations"],
    ["GET", "https://quay.example.com/config", "getConfig"],
    ["GET", "/api/v1/nosuch/route", undefined],
    ["PATCH", "/api/v1/organization/acme", undefined]
  ])("%s %s is %s", (method, url, want) => expect(operationOf(method, url)?.id).toBe(want))

  it("marks what the public description leaves out", () => {
    expect(operationOf("GET", "/api/v1/superuser/organizations/")).toMatchObject({ internal: true })
    expect(operationOf("GET", "/api/v1/organization/acme")).not.toHaveProperty("internal")
  })

  it("finds every operation of the table by its own path", () => {
    for (const { id, method, path } of operations) {
      const url = path.replace("{repository}", "acme/app").replace(/\{[^}]+\}/g, "x")
      expect(operationOf(method, url)?.id, `${method} ${url}`).toBe(id)
    }
  })
})
