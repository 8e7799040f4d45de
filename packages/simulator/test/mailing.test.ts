// A registry that sends mail: people are invited into teams, addresses are confirmed, and mail that fails leaves traces.
import { describe, expect, test } from "vitest"
import { createSimulator } from "../src/index.ts"
import { at, house, type Send, sender } from "./client.ts"

const ACME = "/api/v1/organization/acme"
const DEV = `${ACME}/team/dev`
const APP = "/api/v1/repository/acme/app"

const prepared = async (options: Parameters<typeof house>[0] = {}) => {
  const rig = house({ mailing: true, ...options })
  await rig.admin("POST", "/api/v1/organization/", { name: "acme", email: "platform@acme.example" })
  await rig.admin("PUT", DEV, { role: "member" })
  await rig.admin("PUT", `${ACME}/robots/ci`)
  const repository = { namespace: "acme", repository: "app", visibility: "private", description: "" }
  await rig.admin("POST", "/api/v1/repository", repository)
  return rig
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** `name` for members, `name?` for who is only invited. */
const people = async (send: Send, team = DEV): Promise<string[]> => {
  const { json } = await send("GET", `${team}/members?includePending=true`)
  return list(at(json, "members"))
    .map((one) => `${at(one, "name") ?? at(one, "email")}${at(one, "invited") === true ? "?" : ""}`)
    .sort()
}

const codes = async (send: Send): Promise<string[]> =>
  list(at((await send("GET", "/api/v1/user/notifications")).json, "notifications")).map((note) =>
    String(at(note, "metadata", "code"))
  )

describe("who is invited and who is added at once", () => {
  const cases: [string, string, number, boolean | undefined][] = [
    ["somebody of no team", "bob", 200, true],
    ["somebody of another team", "admin", 200, false],
    ["a robot of the organization", "acme+ci", 200, false],
    ["a robot of another one", "bob+ci", 400, undefined],
    ["nobody", "nosuch", 400, undefined]
  ]
  for (const [what, name, status, invited] of cases) {
    test(what, async () => {
      const { admin, bob } = await prepared()
      await bob("PUT", "/api/v1/user/robots/ci")
      const answer = await admin("PUT", `${DEV}/members/${name}`)
      expect([answer.status, at(answer.json, "invited")]).toEqual([status, invited])
    })
  }

  test("without the flag that asks people, everybody is added at once", async () => {
    const { admin } = await prepared({ features: { REQUIRE_TEAM_INVITE: false } })
    expect(at((await admin("PUT", `${DEV}/members/bob`)).json, "invited")).toBe(false)
  })
})

describe("invitations", () => {
  test("each repeat is another one, and each removal takes one back", async () => {
    const { admin, simulator } = await prepared()
    for (let count = 0; count < 2; count += 1) await admin("PUT", `${DEV}/members/bob`)
    expect(await people(admin)).toEqual(["bob?", "bob?"])
    expect(simulator.mail.sent().map(({ to, about }) => `${about} ${to}`)).toEqual([
      "team-invitation bob@acme.example",
      "team-invitation bob@acme.example"
    ])
    const seen: number[] = []
    for (let count = 0; count < 3; count += 1) seen.push((await admin("DELETE", `${DEV}/members/bob`)).status)
    expect(seen).toEqual([204, 204, 400])
  })

  test("show nowhere but among those who are pending, to those who administer", async () => {
    const { admin, bob } = await prepared()
    await admin("PUT", `${DEV}/members/bob`)
    expect(at((await admin("GET", `${DEV}/members`)).json, "members")).toEqual([])
    expect(at((await admin("GET", ACME)).json, "teams", "dev", "member_count")).toBe(0)
    expect((await admin("GET", `${ACME}/members/bob`)).status).toBe(404)
    expect((await bob("GET", `${DEV}/members`)).status).toBe(403)
  })

  test("one code accepts all of an organization, once, and by its user only", async () => {
    const { admin, bob } = await prepared()
    await admin("PUT", `${ACME}/team/ops`, { role: "member" })
    await admin("PUT", `${DEV}/members/bob`)
    await admin("PUT", `${ACME}/team/ops/members/bob`)
    const [code = ""] = await codes(bob)
    expect((await admin("PUT", `/api/v1/teaminvite/${code}`)).status).toBe(400)
    expect((await bob("PUT", `/api/v1/teaminvite/${code}`)).json).toEqual({ org: "acme", team: "ops" })
    expect([await people(admin), await people(admin, `${ACME}/team/ops`)]).toEqual([["bob"], ["bob"]])
    expect((await bob("PUT", `/api/v1/teaminvite/${code}`)).status).toBe(400)
    expect(await codes(bob)).toEqual([])
  })

  test("can be declined, and go with their team, not with leaving the organization", async () => {
    const { admin, bob } = await prepared()
    await admin("PUT", `${DEV}/members/bob`)
    expect((await bob("DELETE", `/api/v1/teaminvite/${(await codes(bob))[0]}`)).status).toBe(204)
    expect(await people(admin)).toEqual([])
    await admin("PUT", `${DEV}/members/bob`)
    expect((await admin("DELETE", `${ACME}/members/bob`)).status).toBe(204)
    expect(await people(admin)).toEqual(["bob?"])
    await admin("DELETE", DEV)
    await admin("PUT", DEV, { role: "member" })
    expect(await people(admin)).toEqual([])
  })

  test("of addresses are taken as they come, and are accepted by whose confirmed address it is", async () => {
    const { admin, bob } = await prepared()
    const invite = (method: string, address: string) => admin(method, `${DEV}/invite/${address}`)
    for (const address of ["bob@acme.example", "Bob@acme.example", "noaddress"]) {
      expect(at((await invite("PUT", address)).json, "kind")).toBe("invite")
    }
    expect((await invite("DELETE", "NoAddress")).status).toBe(404)
    expect((await invite("DELETE", "noaddress")).status).toBe(204)
    await admin("PUT", `${DEV}/members/bob`)
    await bob("PUT", `/api/v1/teaminvite/${(await codes(bob))[0]}`)
    expect(await people(admin)).toEqual(["Bob@acme.example?", "bob"])
  })

  test("of a user who was deleted stay until the name is free", async () => {
    const { admin, simulator } = await prepared()
    await admin("PUT", `${DEV}/members/bob`)
    await admin("DELETE", "/api/v1/superuser/users/bob")
    expect(await people(admin)).toEqual(["bob?"])
    simulator.collect()
    expect(await people(admin)).toEqual([])
  })
})

describe("mail that cannot be sent: the refusal comes after the work", () => {
  test("invitations and users", async () => {
    const { admin, simulator } = await prepared()
    simulator.mail.setDown(true)
    const refused = await admin("PUT", `${DEV}/members/bob`)
    expect([refused.status, Object.keys(refused.json ?? {})]).toEqual([400, ["message"]])
    expect((await admin("PUT", `${DEV}/invite/new@acme.example`)).status).toBe(400)
    expect(await people(admin)).toEqual(["bob?", "new@acme.example?"])
    const carol = { username: "carol", email: "carol@acme.example" }
    expect((await admin("POST", "/api/v1/superuser/users/", carol)).status).toBe(400)
    expect(at((await admin("GET", "/api/v1/superuser/users/carol")).json, "verified")).toBe(false)
    simulator.mail.setDown(false)
    expect((await admin("PUT", `${DEV}/members/bob`)).status).toBe(200)
  })
})

describe("addresses", () => {
  const users: [unknown, number][] = [
    [{ username: "carol", email: "carol@acme.example" }, 200],
    [{ username: "carol" }, 400],
    [{ username: "carol", email: "" }, 400],
    [{ username: "carol", email: "not an address" }, 400],
    [{ username: "carol", email: "bob@acme.example" }, 400]
  ]
  for (const [body, status] of users) {
    test(`a user ${JSON.stringify(body)}: ${status}`, async () => {
      const { admin } = house({ mailing: true })
      expect((await admin("POST", "/api/v1/superuser/users/", body)).status).toBe(status)
    })
  }

  test("organizations need one before 3.18 only", async () => {
    for (const [version, status] of [
      ["3.17", 400],
      ["3.18", 201]
    ] as const) {
      const { admin } = house({ mailing: true, version })
      expect((await admin("POST", "/api/v1/organization/", { name: "acme" })).status).toBe(status)
    }
  })

  test("are confirmed by the link, or by a superuser who changes them", async () => {
    const { admin, simulator } = house({ mailing: true })
    const user = "/api/v1/superuser/users/carol"
    const verified = async () => at((await admin("GET", user)).json, "verified")
    await admin("POST", "/api/v1/superuser/users/", { username: "carol", email: "carol@acme.example" })
    expect(await verified()).toBe(false)
    expect(at((await admin("PUT", user, { email: "nope" })).json, "verified")).toBe(false)
    expect(await verified()).toBe(true)
    expect((await admin("PUT", user, { email: "bob@acme.example" })).status).toBe(400)
    await admin("POST", "/api/v1/superuser/users/", { username: "dave", email: "dave@acme.example" })
    simulator.mail.confirm("dave@acme.example")
    expect(at((await admin("GET", "/api/v1/superuser/users/dave")).json, "verified")).toBe(true)
  })

  test("get a repository's notifications once they are confirmed, an organization's at once", async () => {
    const { admin, simulator } = await prepared()
    const mail = { event: "repo_push", method: "email", config: { email: "x@acme.example" }, eventConfig: {} }
    const create = async (body: unknown) => (await admin("POST", `${APP}/notification/`, body)).status
    const authorized = `${APP}/authorizedemail/x@acme.example`
    expect([await create({ ...mail, config: {} }), await create(mail)]).toEqual([400, 400])
    expect((await admin("GET", authorized)).status).toBe(404)
    expect(at((await admin("POST", authorized)).json, "confirmed")).toBe(false)
    expect(await create(mail)).toBe(400)
    simulator.mail.confirm("x@acme.example")
    expect(at((await admin("GET", authorized)).json, "confirmed")).toBe(true)
    expect(await create(mail)).toBe(201)
    const quota = { event: "quota_warning", method: "email", config: {}, eventConfig: {} }
    expect((await admin("POST", `${ACME}/notifications`, quota)).status).toBe(201)
  })
})

test("none of it is served without mailing", async () => {
  const { admin } = await prepared({ mailing: false })
  const seen: number[] = []
  for (const [method, path] of [
    ["PUT", `${DEV}/invite/x@acme.example`],
    ["PUT", "/api/v1/teaminvite/code"],
    ["POST", `${APP}/authorizedemail/x@acme.example`]
  ] as const) {
    seen.push((await admin(method, path)).status)
  }
  expect(seen).toEqual([405, 405, 405])
})

test("everything is kept", async () => {
  const { admin, bob, simulator } = await prepared({ users: [{ name: "carol", verified: false }] })
  await admin("PUT", `${DEV}/members/bob`)
  await admin("PUT", `${DEV}/invite/x@acme.example`)
  await admin("POST", `${APP}/authorizedemail/x@acme.example`)
  const state = simulator.snapshot()
  const again = createSimulator({ mailing: true, state: JSON.parse(JSON.stringify(state)) })
  expect(again.snapshot()).toEqual(state)
  const send = sender(again.fetch, again.addToken({ user: "bob" }))
  expect(await codes(send)).toEqual(await codes(bob))
})
