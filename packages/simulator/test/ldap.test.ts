// Teams that are filled from the groups of a directory, and accounts that come from it.
import { describe, expect, test } from "vitest"
import { createSimulator, readLdap, StateError } from "../src/index.ts"
import { at, house, names, type Send } from "./client.ts"

const ACME = "/api/v1/organization/acme"
const DEV = `${ACME}/team/dev`
const DEVELOPERS = { group_dn: "cn=dev,ou=groups" }

const LDAP = {
  baseDn: "dc=acme,dc=example",
  groups: { "cn=dev,ou=groups": ["bob", "Grace.Hill"], "cn=ops,ou=groups": ["dave"], "cn=empty,ou=groups": [] },
  users: { frank: "frank@acme.example", "Grace.Hill": "grace@acme.example" }
}

const prepared = async (options: Parameters<typeof house>[0] = {}) => {
  const rig = house({ ldap: LDAP, ...options })
  await rig.admin("POST", "/api/v1/organization/", { name: "acme" })
  await rig.admin("PUT", DEV, { role: "member" })
  await rig.admin("PUT", `${ACME}/robots/ci`)
  return rig
}

const members = async (send: Send) => names(at((await send("GET", `${DEV}/members`)).json, "members"))

describe("which groups can be named", () => {
  const cases: [unknown, number][] = [
    [DEVELOPERS, 200],
    [{ group_dn: "CN=Dev, OU=Groups" }, 200],
    [{ group_dn: "cn=dev,ou=groups,dc=acme,dc=example" }, 400],
    [{ group_dn: "cn=dev" }, 400],
    [{ group_dn: "dev" }, 400],
    [{ group_dn: "cn=empty,ou=groups" }, 400],
    [{ group_dn: "" }, 400],
    [{ group_dn: null }, 400],
    [{}, 400],
    [{ group_dn: 7 }, 500],
    [undefined, 415]
  ]
  for (const [body, status] of cases) {
    test(`${JSON.stringify(body) ?? "no body"}: ${status}`, async () => {
      const { admin } = await prepared()
      expect((await admin("POST", `${DEV}/syncing`, body)).status).toBe(status)
    })
  }

  test("none without a directory, and none while it is down", async () => {
    const plain = house()
    await plain.admin("POST", "/api/v1/organization/", { name: "acme" })
    expect((await plain.admin("POST", `${ACME}/team/owners/syncing`, DEVELOPERS)).status).toBe(400)
    const { admin, simulator } = await prepared()
    simulator.ldap?.setDown(true)
    expect((await admin("POST", `${DEV}/syncing`, DEVELOPERS)).status).toBe(400)
  })
})

test("enabled once, disabled as often as one likes", async () => {
  const { admin } = await prepared()
  const seen: number[] = []
  for (const [method, body] of [
    ["DELETE"],
    ["POST", DEVELOPERS],
    ["POST", DEVELOPERS],
    ["DELETE"],
    ["DELETE"]
  ] as const) {
    seen.push((await admin(method, `${DEV}/syncing`, body)).status)
  }
  expect(seen).toEqual([200, 200, 500, 200, 200])
})

describe("what is read back", () => {
  test("the body as it was, and when it was brought in line", async () => {
    const { admin, simulator } = await prepared({ now: () => Date.UTC(2027, 0, 2) })
    const config = { group_dn: "CN=Dev, OU=Groups", note: "kept" }
    await admin("POST", `${DEV}/syncing`, config)
    const read = async () => (await admin("GET", `${DEV}/members`)).json
    expect(at(await read(), "synced")).toEqual({ service: "ldap", last_updated: null, config })
    expect(at(await read(), "can_sync")).toEqual({ service: "ldap", base_dn: "dc=acme,dc=example" })
    simulator.syncTeams()
    expect(at(await read(), "synced", "last_updated")).toBe("Sat, 02 Jan 2027 00:00:00 -0000")
    expect(at((await admin("GET", ACME)).json, "teams", "dev", "is_synced")).toBe(true)
    expect(at((await admin("PUT", ACME, {})).json, "teams", "dev", "is_synced")).toBe(false)
  })

  test("only that it is, where only superusers set it up", async () => {
    const { admin, bob } = await prepared({ features: { NONSUPERUSER_TEAM_SYNCING_SETUP: false } })
    await admin("PUT", `${ACME}/team/owners/members/bob`)
    expect((await bob("POST", `${DEV}/syncing`, DEVELOPERS)).status).toBe(403)
    await admin("POST", `${DEV}/syncing`, DEVELOPERS)
    const { json } = await bob("GET", `${DEV}/members`)
    expect([at(json, "synced"), at(json, "can_sync")]).toEqual([{ service: "ldap" }, undefined])
  })
})

describe("a team that is synchronized", () => {
  const cases: [string, string, unknown, number][] = [
    ["PUT", "/members/bob", undefined, 400],
    ["PUT", "/members/nosuch", undefined, 400],
    ["DELETE", "/members/bob", undefined, 400],
    ["PUT", "/members/acme+ci", undefined, 200],
    ["PUT", "", { role: "creator", description: "x" }, 200],
    ["DELETE", "", undefined, 204]
  ]
  for (const [method, path, body, status] of cases) {
    test(`${method} ${path}: ${status}`, async () => {
      const { admin } = await prepared()
      await admin("POST", `${DEV}/syncing`, DEVELOPERS)
      expect((await admin(method, `${DEV}${path}`, body)).status).toBe(status)
    })
  }

  test("is filled by the worker: others go, robots stay, accounts are made", async () => {
    const { admin, simulator } = await prepared()
    await admin("PUT", `${DEV}/members/admin`)
    await admin("POST", `${DEV}/syncing`, DEVELOPERS)
    await admin("PUT", `${DEV}/members/acme+ci`)
    expect(await members(admin)).toEqual(["acme+ci", "admin"])
    simulator.syncTeams()
    expect(await members(admin)).toEqual(["acme+ci", "bob", "grace_hill"])
    simulator.ldap?.setGroup("cn=dev,ou=groups", ["dave"])
    simulator.ldap?.setDown(true)
    simulator.syncTeams()
    expect(await members(admin)).toEqual(["acme+ci", "bob", "grace_hill"])
    simulator.ldap?.setDown(false)
    simulator.syncTeams()
    expect(await members(admin)).toEqual(["acme+ci", "dave"])
    simulator.ldap?.removeGroup("cn=dev,ou=groups")
    simulator.syncTeams()
    expect(await members(admin)).toEqual(["acme+ci"])
  })

  test("keeps its members when it is no more, and is none when it is made again", async () => {
    const { admin, simulator } = await prepared()
    await admin("POST", `${DEV}/syncing`, DEVELOPERS)
    simulator.syncTeams()
    await admin("DELETE", `${DEV}/syncing`)
    expect(await members(admin)).toEqual(["bob", "grace_hill"])
    await admin("POST", `${DEV}/syncing`, DEVELOPERS)
    await admin("DELETE", DEV)
    await admin("PUT", DEV, { role: "member" })
    expect(at((await admin("GET", `${DEV}/members`)).json, "synced")).toBeUndefined()
  })
})

describe("people", () => {
  const links: [string, number, unknown][] = [
    ["frank", 200, "frank"],
    ["Grace.Hill", 200, "grace_hill"],
    ["grace@acme.example", 200, "grace_hill"],
    ["bob", 200, "bob"],
    ["nosuch", 400, undefined],
    ["acme+ci", 400, undefined]
  ]
  for (const [name, status, account] of links) {
    test(`an account for ${name}: ${status}`, async () => {
      const { admin } = await prepared()
      for (let count = 0; count < 2; count += 1) {
        const answer = await admin("POST", `/api/v1/entities/link/${name}`)
        expect([answer.status, at(answer.json, "entity", "name")]).toEqual([status, account])
      }
    })
  }

  test("are unknown until they have one", async () => {
    const { admin } = await prepared()
    expect((await admin("PUT", `${DEV}/members/frank`)).status).toBe(400)
    const found = await admin("GET", "/api/v1/entities/fra")
    expect(at(found.json, "results", 0)).toMatchObject({ name: "frank", kind: "external", title: "frank@acme.example" })
    await admin("POST", "/api/v1/entities/link/frank")
    expect((await admin("PUT", `${DEV}/members/frank`)).status).toBe(200)
    expect(at((await admin("GET", "/api/v1/entities/fra")).json, "results", 0, "kind")).toBe("user")
  })

  test("are not made or changed by superusers, except to disable them", async () => {
    const { admin } = await prepared()
    const carol = { username: "carol", email: "c@acme.example" }
    expect((await admin("POST", "/api/v1/superuser/users/", carol)).status).toBe(400)
    for (const [body, status] of [
      [{ email: "x@acme.example" }, 400],
      [{ password: "longenough1" }, 400],
      [{ enabled: false }, 200]
    ] as const) {
      expect((await admin("PUT", "/api/v1/superuser/users/bob", body)).status).toBe(status)
    }
  })

  test("/config says where they come from", async () => {
    const { nobody } = await prepared()
    expect(at((await nobody("GET", "/config")).json, "config", "AUTHENTICATION_TYPE")).toBe("LDAP")
  })
})

test("everything is kept, and a directory is read from JSON", async () => {
  const { admin, simulator } = await prepared()
  await admin("POST", `${DEV}/syncing`, DEVELOPERS)
  simulator.syncTeams()
  const state = simulator.snapshot()
  expect(createSimulator({ ldap: LDAP, state: JSON.parse(JSON.stringify(state)) }).snapshot()).toEqual(state)
  expect(readLdap(JSON.parse(JSON.stringify(LDAP)))).toEqual(LDAP)
  for (const [wrong, place] of [
    [{ groups: { "cn=dev": "bob" } }, "groups.cn=dev.members"],
    [{ people: {} }, "people"],
    [[], ""]
  ] as const) {
    expect(() => readLdap(wrong)).toThrow(StateError)
    expect(() => readLdap(wrong)).toThrow(place)
  }
})
