// Paths: what is served, what is not and how that looks, and how flags and releases change it.
import { describe, expect, test } from "vitest"
import { at, house } from "./client.ts"

describe("what is not served", () => {
  const cases: [string, string, number, string][] = [
    ["GET", "/api/v1/nosuch", 308, "text/html"],
    ["GET", "/api/v1/nosuch/", 404, "text/html"],
    ["POST", "/api/v1/nosuch", 405, "text/html"],
    ["DELETE", "/api/v1/nosuch/", 405, "text/html"],
    ["GET", "/api/v1/user", 308, "text/html"],
    ["PATCH", "/api/v1/user/", 405, "application/json"],
    ["GET", "/api/v1/organization/", 404, "text/html"],
    ["PUT", "/api/v1/organization/", 405, "text/html"],
    ["GET", "/api/v1/organization/acme/team/dev/syncing", 308, "text/html"],
    ["PUT", "/api/v1/organization/acme/team/dev/syncing", 405, "text/html"],
    ["GET", "/", 404, "text/html"],
    ["GET", "/api/v1/organization/%E0%A4%A", 404, "application/json"]
  ]
  for (const [method, path, status, type] of cases) {
    test(`${method} ${path}: ${status}`, async () => {
      const answer = await house().admin(method, path, method === "GET" ? undefined : {})
      expect([answer.status, answer.type.split(";")[0]]).toEqual([status, type])
    })
  }

  test("a redirect adds the slash and keeps the query", async () => {
    const answer = await house().admin("GET", "/api/v1/superuser/users?limit=5")
    expect(answer.headers.get("location")).toBe("http://quay.example.com/api/v1/superuser/users/?limit=5")
  })
})

describe("flags and releases", () => {
  test("a feature that is off takes its routes away, and /config says so", async () => {
    const { admin } = house({ features: { PROXY_CACHE: false } })
    await admin("POST", "/api/v1/organization/", { name: "acme" })
    expect((await admin("GET", "/api/v1/organization/acme/proxycache")).status).toBe(308)
    expect((await admin("GET", "/api/v1/organization/acme/proxycache/")).status).toBe(404)
    expect((await admin("POST", "/api/v1/organization/acme/proxycache", {})).status).toBe(405)
    expect(at((await admin("GET", "/config")).json, "features", "PROXY_CACHE")).toBe(false)
  })

  const since: [string, string, number][] = [
    ["3.16", "immutabilitypolicy/", 404],
    ["3.17", "immutabilitypolicy/", 200],
    ["v3.9.25", "autoprunepolicy/", 404],
    ["3.10", "autoprunepolicy/", 200],
    ["3.12", "robots/ci/federation", 308],
    ["3.13", "robots/ci/federation", 200]
  ]
  for (const [version, path, status] of since) {
    test(`${version} answers ${path} with ${status}`, async () => {
      const { admin } = house({ version })
      await admin("POST", "/api/v1/organization/", { name: "acme" })
      await admin("PUT", "/api/v1/organization/acme/robots/ci")
      expect((await admin("GET", `/api/v1/organization/acme/${path}`)).status).toBe(status)
    })
  }

  test("/config shows the flags that the release knows, and all that was configured", async () => {
    const cases: [string, unknown[]][] = [
      ["3.10", [false, false, undefined, true]],
      ["3.15", [false, undefined, true, true]],
      ["3.18", [true, undefined, true, true]]
    ]
    for (const [version, wanted] of cases) {
      const { json } = await house({ version }).nobody("GET", "/config")
      const flags = ["UI_V2", "UI_V2_REPO_SETTINGS", "UI_MODELCARD", "IMMUTABLE_TAGS"]
      expect(flags.map((flag) => at(json, "features", flag))).toEqual(wanted)
    }
  })

  test("an organization without an address shows a random one before 3.18, and none since", async () => {
    for (const [version, pattern] of [
      ["3.17", /^[0-9a-f-]{36}$/],
      ["3.18", /^$/]
    ] as const) {
      const { admin } = house({ version })
      await admin("POST", "/api/v1/organization/", { name: "acme" })
      expect(String(at((await admin("GET", "/api/v1/organization/acme")).json, "email"))).toMatch(pattern)
    }
  })
})

describe("discovery", () => {
  test("lists what is served, with the names that Quay gives", async () => {
    const { nobody } = house()
    const { json } = await nobody("GET", "/api/v1/discovery")
    expect(at(json, "swagger")).toBe("2.0")
    expect(at(json, "paths", "/api/v1/organization/{orgname}", "put", "operationId")).toBe("changeOrganizationDetails")
    expect(at(json, "paths", "/api/v1/repository", "post", "operationId")).toBe("createRepo")
    expect(at(json, "paths", "/api/v1/superuser/organizations/")).toBeUndefined()
    expect(at(json, "paths", "/config")).toBeUndefined()
  })

  test("lists the internal operations when asked, and nothing whose feature is off", async () => {
    const { nobody } = house({ features: { TEAM_SYNCING: false } })
    const { json } = await nobody("GET", "/api/v1/discovery?internal=true")
    expect(at(json, "paths", "/api/v1/superuser/organizations/", "get", "operationId")).toBe("listAllOrganizations")
    expect(at(json, "paths", "/api/v1/organization/{orgname}/team/{teamname}/syncing")).toBeUndefined()
  })

  test("robots' federation works from 3.13 on and is listed from 3.17 on", async () => {
    const path = "/api/v1/organization/{orgname}/robots/{robot_shortname}/federation"
    for (const [version, listed] of [
      ["3.12", false],
      ["3.16", false],
      ["3.17", true]
    ] as const) {
      const { json } = await house({ version }).nobody("GET", "/api/v1/discovery")
      expect([version, at(json, "paths", path) !== undefined]).toEqual([version, listed])
    }
  })

  test("a schema of two operations: the superuser's from 3.9 on", async () => {
    for (const [version, property] of [
      ["3.8", "invoice_email"],
      ["3.9", "name"]
    ] as const) {
      const { json } = await house({ version }).nobody("GET", "/api/v1/discovery")
      expect(at(json, "definitions", "UpdateOrg", "properties", property)).toBeDefined()
    }
  })

  const fields: [string, string, string, string?][] = [
    ["CreateMirrorConfig", "skopeo_timeout_interval", "3.15"],
    ["UpdateMirrorConfig", "skopeo_timeout_interval", "3.15"],
    ["CreateMirrorConfig", "architecture_filter", "3.17"],
    ["UpdateMirrorConfig", "architecture_filter", "3.17"],
    ["AutoPrunePolicyConfig", "tagPattern", "3.13", "3.10.25"],
    ["AutoPrunePolicyConfig", "tagPatternMatches", "3.13", "3.10.25"],
    ["NewOrg", "contact_email", "3.18"],
    ["ChangeTag", "immutable", "3.17"]
  ]
  for (const [definition, field, since, first = "3.7"] of fields) {
    test(`${definition} has ${field} from ${since} on`, async () => {
      const before = `3.${Number(since.split(".")[1]) - 1}`
      for (const [version, listed] of [
        [first, false],
        [before, false],
        [since, true],
        [undefined, true]
      ] as const) {
        const { json } = await house(version === undefined ? {} : { version }).nobody("GET", "/api/v1/discovery")
        const properties = at(json, "definitions", definition, "properties")
        expect(properties).toBeDefined()
        expect([version, at(properties, field) !== undefined]).toEqual([version, listed])
      }
    })
  }

  test("what a mirror requires, and what a quota is, changed too", async () => {
    for (const [version, timeout, forms] of [
      ["3.11", false, [undefined, undefined]],
      ["3.14", false, [2, 3]],
      ["3.15", true, [2, 3]]
    ] as const) {
      const { json } = await house({ version }).nobody("GET", "/api/v1/discovery")
      const required = at(json, "definitions", "CreateMirrorConfig", "required")
      expect([version, Array.isArray(required) && required.includes("skopeo_timeout_interval")]).toEqual([
        version,
        timeout
      ])
      const ways = ["NewOrgQuota", "UpdateOrgQuota"].map((name) => {
        const all = at(json, "definitions", name, "oneOf")
        return Array.isArray(all) ? all.length : undefined
      })
      expect([version, ways]).toEqual([version, forms])
    }
  })

  test("content trust is listed where it is switched on", async () => {
    const path = "/api/v1/repository/{repository}/changetrust"
    const off = await house().nobody("GET", "/api/v1/discovery")
    expect(at(off.json, "paths", path)).toBeUndefined()
    const on = await house({ features: { SIGNING: true } }).nobody("GET", "/api/v1/discovery")
    expect(at(on.json, "paths", path, "post", "operationId")).toBe("changeRepoTrust")
  })

  test("names each operation once", async () => {
    const { json } = await house().nobody("GET", "/api/v1/discovery?internal=true")
    const ids = Object.values(at(json, "paths") ?? {}).flatMap((path) =>
      Object.values(path ?? {})
        .map((operation) => at(operation, "operationId"))
        .filter((id) => id !== undefined)
    )
    expect(new Set(ids).size).toBe(ids.length)
  })
})
