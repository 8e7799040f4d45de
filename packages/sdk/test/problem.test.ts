/** What each refusal means: tables of the answers that Quay gives, and the error that is wanted. */
import { describe, expect, it } from "vitest"
import { operationFor, problemOf, type QuayError, retryAfterOf, secretsIn, wordsOf } from "../src/index.ts"

const api = (detail: string, type = "invalid_request", status = 400) => ({
  status,
  type: `https://quay.example.com/api/v1/error/${type}`,
  title: type,
  detail,
  error_message: detail,
  error_type: type
})
const page = "<!doctype html>\n<title>405 Method Not Allowed</title>"

const problem = (
  method: string,
  path: string,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  secrets: string[] = []
): QuayError => {
  expect(operationFor(method, path), `${method} ${path}`).toBeDefined()
  return problemOf({ method, path, status, body, headers: new Headers(headers), secrets })
}

const org = "/api/v1/organization/{orgname}"
const repo = "/api/v1/repository/{repository}"

describe("the meaning of a refusal", () => {
  it.each<[string, string, number, unknown, string]>([
    ["GET", "/api/v1/user/", 401, api("Requires authentication", "invalid_token", 401), "Unauthenticated"],
    ["POST", "/api/v1/repository", 403, { error: "CSRF token was invalid or missing." }, "Unauthenticated"],
    ["GET", `${org}/members`, 403, api("Unauthorized", "insufficient_scope", 403), "Forbidden"],
    ["GET", org, 404, api("Not Found", "not_found", 404), "Missing"],
    ["GET", "/api/v1/users/{username}", 404, { message: "The requested URL was not found on the server." }, "Missing"],
    ["GET", `${org}/mirror`, 404, page, "FeatureOff"],
    ["GET", org, 404, { message: "no Route matched with those values" }, "DecodeError"],
    ["GET", org, 404, { detail: "Not Found" }, "Missing"],
    ["POST", `${org}/mirror`, 405, page, "FeatureOff"],
    ["PUT", `${repo}/changestate`, 405, { message: "The method is not allowed" }, "FeatureOff"],
    ["POST", "/api/v1/organization/", 400, api("A user or organization with this name already exists"), "Exists"],
    ["POST", "/api/v1/organization/", 400, api("Username is not available"), "Invalid"],
    ["POST", "/api/v1/organization/", 400, api("Email has already been used: x@acme.example"), "Invalid"],
    ["PUT", org, 400, { message: "Invalid tag expiration option" }, "Invalid"],
    ["POST", "/api/v1/repository", 400, api("Repository already exists"), "Exists"],
    ["POST", "/api/v1/repository", 400, api("Invalid repository name"), "Invalid"],
    ["PUT", `${org}/robots/{robot_shortname}`, 400, api("Existing robot with name: acme+ci"), "Exists"],
    ["PUT", `${org}/robots/{robot_shortname}`, 400, { message: "Existing robot with name: acme+ci" }, "Exists"],
    ["PUT", `${org}/robots/{robot_shortname}`, 400, { message: "Organization does not exist: nosuch" }, "Missing"],
    [
      "GET",
      `${org}/robots/{robot_shortname}`,
      400,
      { message: "Could not find robot with specified username" },
      "Missing"
    ],
    [
      "DELETE",
      `${org}/robots/{robot_shortname}`,
      400,
      { message: "Could not find robot with specified username" },
      "Missing"
    ],
    ["DELETE", `${org}/robots/{robot_shortname}`, 400, api("Robot is being used by a mirror"), "Invalid"],
    ["DELETE", `${org}/team/{teamname}`, 400, { message: "Team 'ops' is not a team in org 'acme'" }, "Missing"],
    [
      "DELETE",
      `${org}/team/{teamname}`,
      400,
      { message: "Deleting team 'owners' would remove admin ability" },
      "Invalid"
    ],
    [
      "PUT",
      `${org}/team/{teamname}/members/{membername}`,
      400,
      { message: "User bob is already a member of team dev" },
      "Exists"
    ],
    ["PUT", `${org}/team/{teamname}/members/{membername}`, 400, api("Unknown user"), "Missing"],
    [
      "DELETE",
      `${org}/team/{teamname}/members/{membername}`,
      400,
      { message: "User bob does not belong to team dev" },
      "Missing"
    ],
    ["PUT", `${repo}/permissions/user/{username}`, 400, api("Invalid username: nosuch"), "Missing"],
    [
      "PUT",
      `${repo}/permissions/user/{username}`,
      400,
      api("'owner' is not one of ['read', 'write', 'admin']"),
      "Invalid"
    ],
    ["PUT", `${repo}/permissions/team/{teamname}`, 400, api("No team nosuch in organization acme"), "Missing"],
    ["DELETE", `${repo}/permissions/user/{username}`, 400, api("User does not have permission for repo."), "Missing"],
    ["DELETE", `${repo}/permissions/team/{teamname}`, 400, api("Team does not have permission for repo."), "Missing"],
    ["POST", `${org}/prototypes`, 400, { message: "('Team does not exist: %s/%s', 'acme', 'nosuch')" }, "Missing"],
    ["POST", `${repo}/mirror`, 409, { detail: "Mirror configuration already exits for repository acme/a" }, "Exists"],
    ["POST", `${repo}/mirror`, 400, { message: "Could not find robot with specified username" }, "Missing"],
    ["PUT", `${repo}/tag/{tag}`, 409, api("Cannot overwrite immutable tag 'v1'", "tag_immutable", 409), "Invalid"],
    ["POST", `${org}/quota`, 400, api("Organization quota for 'acme' already exists"), "Exists"],
    ["POST", `${org}/quota/{quota_id}/limit`, 400, api("Quota limit already exists"), "Exists"],
    ["POST", `${org}/proxycache`, 400, api("Proxy Cache Configuration already exists"), "Exists"],
    ["POST", `${org}/autoprunepolicy/`, 400, api("Existing policy with same values for this namespace"), "Exists"],
    ["POST", `${org}/immutabilitypolicy/`, 400, api("A policy with the same tag_pattern already exists"), "Exists"],
    ["POST", `${org}/mirror`, 400, api("Mirror configuration already exists for this organization"), "Exists"],
    ["DELETE", `${repo}/notification/{uuid}`, 400, api("No repository notification found for: acme, a, x"), "Missing"],
    ["POST", "/api/v1/superuser/users/", 400, { message: "Username has already been taken by user" }, "Exists"],
    ["GET", "/api/v1/repository", 400, { message: { limit: "Max 100." } }, "Invalid"],
    ["POST", `${org}/team/{teamname}/syncing`, 415, { message: "not 'application/json'" }, "Invalid"],
    ["GET", org, 429, page, "RateLimited"],
    ["POST", "/api/v1/repository", 500, page, "ServerError"],
    ["PUT", `${repo}/tag/{tag}`, 503, { message: "Repository is in read only or mirror mode: 1" }, "ServerError"],
    ["GET", org, 520, api("", "external_service_timeout", 520), "ServerError"]
  ])("%s %s %i %j is %s", (method, path, status, body, want) => {
    expect(problem(method, path, status, body)._tag).toBe(want)
  })

  it("says it in Quay's words, for any of the five bodies", () => {
    expect(wordsOf(api("a"))).toBe("a")
    expect(wordsOf({ message: "b" })).toBe("b")
    expect(wordsOf({ message: { limit: "Max 100.", page: "a number" } })).toBe("limit: Max 100.; page: a number")
    expect(wordsOf({ detail: "c" })).toBe("c")
    expect(wordsOf({ error: "d" })).toBe("d")
    expect(wordsOf(page)).toBeUndefined()
  })

  it("says something where Quay says nothing", () => {
    expect(problem("GET", org, 404, api("Not Found", "not_found", 404)).message).toBe(`Not found: GET ${org}`)
    expect(problem("GET", `${org}/members`, 403, api("Unauthorized")).message).toBe(`Not allowed: GET ${org}/members`)
    const refused = { message: "You don't have the permission to access the requested resource. It is read-protected." }
    expect(problem("POST", "/api/v1/messages", 403, refused).message).toBe("Not allowed: POST /api/v1/messages")
    expect(problem("POST", "/api/v1/repository", 500, page).message).toMatch(/status 500/)
  })

  it("names the operation", () => {
    expect(problem("GET", org, 404, page)).toMatchObject({
      operation: "getOrganization",
      method: "GET",
      path: org,
      status: 404
    })
  })
})

describe("what to do about it", () => {
  it.each<[string, string, number, unknown, { transient: boolean; mayHaveHappened: boolean }]>([
    ["GET", org, 500, page, { transient: true, mayHaveHappened: false }],
    ["PUT", org, 500, page, { transient: false, mayHaveHappened: true }],
    ["PUT", org, 502, page, { transient: true, mayHaveHappened: true }],
    ["PUT", org, 503, page, { transient: true, mayHaveHappened: false }],
    ["PUT", org, 503, { message: "x", is_readonly: true }, { transient: false, mayHaveHappened: false }],
    [
      "DELETE",
      `${repo}/tag/{tag}`,
      503,
      { message: "Repository is in read only or mirror mode: 2" },
      { transient: false, mayHaveHappened: false }
    ],
    ["PUT", org, 429, page, { transient: true, mayHaveHappened: false }],
    [
      "PUT",
      `${org}/team/{teamname}/invite/{email}`,
      400,
      { message: "Could not send email. Please contact an administrator and report this problem." },
      { transient: false, mayHaveHappened: true }
    ],
    ["PUT", org, 400, {}, { transient: false, mayHaveHappened: false }],
    [
      "POST",
      "/api/v1/organization/",
      400,
      api("Username is not available"),
      { transient: true, mayHaveHappened: false }
    ]
  ])("%s %s %i %j", (method, path, status, body, want) => {
    expect(problem(method, path, status, body)).toMatchObject(want)
  })

  it.each([
    ["5", 5000],
    ["0.5", 500],
    ["86400", 300_000],
    ["9".repeat(400), 300_000],
    ["Sun, 22 Nov 2099 00:00:00 GMT", 300_000],
    ["Sun, 22 Nov 2026 00:00:10 GMT", 10_000],
    ["Sat, 21 Nov 2026 00:00:00 GMT", 0],
    ["soon", undefined],
    [undefined, undefined]
  ])("Retry-After %s is %s ms", (value, want) => {
    const headers = new Headers(value === undefined ? {} : { "retry-after": value })
    expect(retryAfterOf(headers, Date.parse("2026-11-22T00:00:00Z"))).toBe(want)
  })
})

describe("secrets", () => {
  it("are found by name, and in a notification's settings", () => {
    expect(secretsIn({ external_registry_password: "s3cret", external_reference: "registry.example/a" })).toEqual([
      "s3cret"
    ])
    expect(secretsIn({ config: { url: "https://hooks.example/T0/x" } }, `${repo}/notification/`)).toEqual([
      "https://hooks.example/T0/x"
    ])
    expect(secretsIn({ config: { verify: "yes" } }, org)).toEqual([])
  })

  it("are kept out of messages and details", () => {
    const body = api("{'password': 's3cret'} is not valid")
    const error = problem("POST", `${repo}/mirror`, 400, body, {}, ["s3cret"])
    expect(error.message).toBe("{'password': '<secret>'} is not valid")
    expect(error.detail).toBe(error.message)
  })
})
