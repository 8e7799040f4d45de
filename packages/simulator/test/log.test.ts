// The audit log: which change leaves which line, pages from the newest on, counts by day, and what becomes of it.
import { describe, expect, test } from "vitest"
import { createSimulator } from "../src/index.ts"
import { at, house, type Send, sender } from "./client.ts"

const ACME = "/api/v1/organization/acme"
const APP = "/api/v1/repository/acme/app"

const prepared = async (options: Parameters<typeof house>[0] = {}) => {
  const rig = house(options)
  await rig.admin("POST", "/api/v1/organization/", { name: "acme", email: "platform@acme.example" })
  await rig.admin("PUT", `${ACME}/robots/ci`)
  await rig.admin("PUT", `${ACME}/team/dev`, { role: "member" })
  const repository = { namespace: "acme", repository: "app", visibility: "private", description: "" }
  await rig.admin("POST", "/api/v1/repository", repository)
  return rig
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const kinds = async (send: Send, base = ACME): Promise<string[]> =>
  list(at((await send("GET", `${base}/logs`)).json, "logs")).map((line) => String(at(line, "kind")))

describe("what leaves which lines, the newest first", () => {
  const webhook = { event: "repo_push", method: "webhook", config: { url: "https://x.example.com" }, eventConfig: {} }
  const cases: [string, string, unknown, string[]][] = [
    ["PUT", ACME, { email: "new@acme.example" }, ["org_change_email"]],
    ["PUT", ACME, { invoice_email: true, tag_expiration_s: 0 }, ["org_change_tag_expiration", "org_change_invoicing"]],
    ["PUT", ACME, { tag_expiration_s: 5 }, []],
    ["PUT", `${ACME}/team/dev`, { role: "creator" }, ["org_set_team_role"]],
    ["PUT", `${ACME}/team/dev`, { role: "member" }, []],
    ["PUT", `${ACME}/team/dev`, { role: "member", description: "x" }, ["org_set_team_description"]],
    ["PUT", `${ACME}/team/dev/members/bob`, undefined, ["org_add_team_member"]],
    ["DELETE", `${ACME}/team/dev`, undefined, ["org_delete_team"]],
    ["POST", `${ACME}/robots/ci/regenerate`, undefined, ["regenerate_robot_token"]],
    ["DELETE", `${ACME}/robots/ci`, undefined, ["delete_robot"]],
    ["PUT", APP, { description: "x" }, ["set_repo_description"]],
    ["POST", `${APP}/changevisibility`, { visibility: "public" }, ["change_repo_visibility"]],
    ["PUT", `${APP}/changestate`, { state: "READ_ONLY" }, ["change_repo_state"]],
    ["PUT", `${APP}/permissions/team/dev`, { role: "read" }, ["change_repo_permission"]],
    ["DELETE", `${APP}/permissions/user/admin`, undefined, ["delete_repo_permission"]],
    ["DELETE", APP, undefined, ["delete_repo"]],
    ["DELETE", "/api/v1/repository/acme/none", undefined, []],
    ["POST", `${APP}/notification/`, webhook, ["add_repo_notification"]],
    ["POST", `${ACME}/applications`, { name: "console" }, ["create_application"]],
    ["POST", `${ACME}/quota`, { limit_bytes: 1 }, ["org_create_quota"]],
    ["POST", `${ACME}/autoprunepolicy/`, { method: "number_of_tags", value: 5 }, ["create_namespace_autoprune_policy"]],
    ["POST", `${APP}/autoprunepolicy/`, { method: "number_of_tags", value: 5 }, ["create_repository_autoprune_policy"]],
    ["POST", `${ACME}/immutabilitypolicy/`, { tagPattern: "v.*" }, ["create_immutability_policy"]],
    ["POST", `${ACME}/proxycache`, { upstream_registry: "quay.io" }, ["create_proxy_cache_config"]]
  ]
  for (const [method, path, body, wanted] of cases) {
    test(`${method} ${path} ${JSON.stringify(body) ?? ""}`, async () => {
      const { admin } = await prepared()
      const before = await kinds(admin)
      await admin(method, path, body)
      const after = await kinds(admin)
      expect(after.slice(0, after.length - before.length)).toEqual(wanted)
    })
  }
})

test("a line says who, when, by what token, and what about", async () => {
  const { admin } = await prepared({ now: () => Date.UTC(2027, 0, 2, 3, 4, 5) })
  await admin("PUT", `${ACME}/team/dev/members/bob`)
  const line = at((await admin("GET", `${ACME}/logs`)).json, "logs", 0)
  expect(line).toMatchObject({
    kind: "org_add_team_member",
    metadata: { member: "bob", team: "dev", oauth_token_application: "simulator" },
    datetime: "Sat, 02 Jan 2027 03:04:05 -0000",
    performer: { kind: "user", name: "admin", is_robot: false }
  })
})

test("twenty a page; the last page names a next one, which is empty", async () => {
  const { admin } = await prepared()
  for (let count = 0; count < 21; count += 1) await admin("PUT", APP, { description: String(count) })
  const seen: number[] = []
  const descriptions: unknown[] = []
  let token: unknown = ""
  while (token !== undefined) {
    const page = await admin("GET", `${ACME}/logs?next_page=${String(token)}`)
    const lines = list(at(page.json, "logs"))
    seen.push(lines.length)
    descriptions.push(...lines.map((line) => at(line, "metadata", "description")))
    token = at(page.json, "next_page")
  }
  expect(seen).toEqual([20, 5, 0])
  expect(descriptions.slice(0, 3)).toEqual(["20", "19", "18"])
  expect(descriptions.slice(19, 21)).toEqual(["1", "0"])
})

test("a repository's lines are its own, counts are by kind and day, and ranges are of whole days", async () => {
  let now = Date.UTC(2027, 0, 1, 23)
  const { admin } = await prepared({ now: () => now })
  await admin("PUT", APP, { description: "x" })
  now += 7_200_000
  await admin("PUT", APP, { description: "y" })
  expect(await kinds(admin, APP)).toEqual(["set_repo_description", "set_repo_description", "create_repo"])
  const counted = async (query: string) =>
    list(at((await admin("GET", `${APP}/aggregatelogs${query}`)).json, "aggregated")).map(
      (row) => `${at(row, "kind")} ${at(row, "count")} ${String(at(row, "datetime")).slice(5, 11)}`
    )
  expect(await counted("?starttime=01/01/2027&endtime=01/01/2027")).toEqual([
    "create_repo 1 01 Jan",
    "set_repo_description 1 01 Jan"
  ])
  expect(await counted("?starttime=01/02/2027&endtime=01/02/2027")).toEqual(["set_repo_description 1 02 Jan"])
  expect(await counted("?starttime=nonsense")).toHaveLength(3)
})

describe("who may read which", () => {
  const cases: [string, number, number][] = [
    [`${ACME}/logs`, 200, 403],
    [`${APP}/logs`, 200, 403],
    ["/api/v1/user/logs", 200, 200],
    ["/api/v1/superuser/logs", 200, 403],
    ["/api/v1/superuser/aggregatelogs", 200, 403],
    ["/api/v1/organization/none/logs", 404, 403],
    ["/api/v1/repository/acme/none/logs", 404, 403]
  ]
  for (const [path, asAdmin, asBob] of cases) {
    test(path, async () => {
      const { admin, bob } = await prepared()
      expect([(await admin("GET", path)).status, (await bob("GET", path)).status]).toEqual([asAdmin, asBob])
    })
  }

  test("superusers see the namespace, and no counts where the flag is off", async () => {
    const { admin } = await prepared({ features: { AGGREGATED_LOG_COUNT_RETRIEVAL: false } })
    const line = at((await admin("GET", "/api/v1/superuser/logs")).json, "logs", 0)
    expect(at(line, "namespace")).toMatchObject({ kind: "org", name: "acme" })
    expect((await admin("GET", `${ACME}/aggregatelogs`)).status).toBe(308)
  })
})

describe("what becomes of it", () => {
  test("it goes along with a new name, and what is made again begins empty", async () => {
    const { admin, simulator } = await prepared()
    await admin("DELETE", APP)
    await admin("POST", "/api/v1/repository", {
      namespace: "acme",
      repository: "app",
      visibility: "private",
      description: ""
    })
    expect(await kinds(admin, APP)).toEqual(["create_repo"])
    await admin("PUT", "/api/v1/superuser/organizations/acme", { name: "apex" })
    expect((await kinds(admin, "/api/v1/organization/apex")).slice(0, 2)).toEqual(["org_change_name", "create_repo"])
    await admin("DELETE", "/api/v1/organization/apex")
    simulator.collect()
    await admin("POST", "/api/v1/organization/", { name: "apex" })
    expect(await kinds(admin, "/api/v1/organization/apex")).toEqual(["org_create"])
    expect(await kinds(admin, "/api/v1/superuser")).toContain("org_delete")
  })

  test("an application's token is named, and everything is kept", async () => {
    const { admin, simulator } = await prepared()
    const client = at((await admin("POST", `${ACME}/applications`, { name: "console" })).json, "client_id")
    const made = await admin("POST", `${ACME}/applications/${client}/tokens`, { name: "t", scope: "repo:admin" })
    await sender(simulator.fetch, String(at(made.json, "token")))("PUT", APP, { description: "x" })
    const again = createSimulator({ state: JSON.parse(JSON.stringify(simulator.snapshot())) })
    const send = sender(again.fetch, again.addToken({ user: "admin" }))
    const line = at((await send("GET", `${APP}/logs`)).json, "logs", 0)
    expect(at(line, "metadata")).toMatchObject({
      oauth_token_application: "console",
      oauth_token_application_id: client
    })
  })
})
