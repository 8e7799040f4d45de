// Signing in with a password: the cookie, the token that every write repeats, and what wants a fresh sign-in.
import { describe, expect, test } from "vitest"
import { createSimulator, serveSimulator } from "../src/index.ts"
import { type Answer, at, type Send, sender } from "./client.ts"

const ACME = "/api/v1/organization/acme"

const cookieOf = (answer: Answer): string => (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? ""

/** Two people with passwords and one without; `signIn` gives requests that carry what a browser's would. */
const rig = () => {
  const clock = { now: Date.UTC(2027, 0, 1) }
  const simulator = createSimulator({
    now: () => clock.now,
    users: [
      { name: "admin", superuser: true, password: "correct horse" },
      { name: "bob", password: "battery staple" },
      { name: "carol" }
    ]
  })
  const plain = sender(simulator.fetch, undefined)
  const begin = async () => {
    const answer = await plain("GET", "/csrf_token")
    return { cookie: cookieOf(answer), "x-csrf-token": String(at(answer.json, "csrf_token")) }
  }
  const signIn = async (username: string, password: string) => {
    const headers = await begin()
    const answer = await plain("POST", "/api/v1/signin", { username, password }, headers)
    const signed = { cookie: cookieOf(answer), "x-csrf-token": answer.headers.get("x-next-csrf-token") ?? "" }
    const send: Send = (method, path, body, more = {}) => plain(method, path, body, { ...signed, ...more })
    return { answer, send, before: headers }
  }
  return { simulator, clock, plain, begin, signIn }
}

describe("who gets in", () => {
  const cases: [string, string, number][] = [
    ["bob", "battery staple", 200],
    ["bob", "wrong", 403],
    ["carol", "", 403],
    ["nobody", "battery staple", 403]
  ]
  for (const [name, password, status] of cases) {
    test(`${name} with "${password}": ${status}`, async () => {
      expect((await rig().signIn(name, password)).answer.status).toBe(status)
    })
  }

  test("nobody without the token of the cookie", async () => {
    const { plain, begin } = rig()
    const body = { username: "bob", password: "battery staple" }
    const headers = await begin()
    for (const wrong of [
      {},
      { cookie: headers.cookie },
      { ...headers, "x-csrf-token": "x" },
      { "x-csrf-token": "x" }
    ]) {
      expect((await plain("POST", "/api/v1/signin", body, wrong)).status).toBe(403)
    }
  })

  test("nobody who is disabled, from then on", async () => {
    const { simulator, signIn } = rig()
    const { send } = await signIn("bob", "battery staple")
    const admin = sender(simulator.fetch, simulator.addToken({ user: "admin" }))
    await admin("PUT", "/api/v1/superuser/users/bob", { enabled: false })
    expect((await send("GET", "/api/v1/user/")).status).toBe(401)
    expect((await signIn("bob", "battery staple")).answer.status).toBe(403)
  })
})

describe("what a session may do", () => {
  test("everything that its user may", async () => {
    const { signIn } = rig()
    const { send } = await signIn("admin", "correct horse")
    expect(at((await send("GET", "/api/v1/user/")).json, "username")).toBe("admin")
    expect((await send("POST", "/api/v1/organization/", { name: "acme" })).status).toBe(201)
    expect((await send("GET", "/api/v1/superuser/users/")).status).toBe(200)
  })

  test("write with the latest token only; reading needs none", async () => {
    const { signIn } = rig()
    const signed = await signIn("admin", "correct horse")
    const body = { name: "acme" }
    for (const token of ["", "x", signed.before["x-csrf-token"]]) {
      const answer = await signed.send("POST", "/api/v1/organization/", body, { "x-csrf-token": token })
      expect([answer.status, String(at(answer.json, "error")).includes("(authorized: user admin)")]).toEqual([
        403,
        true
      ])
    }
    expect((await signed.send("GET", "/api/v1/user/", undefined, { "x-csrf-token": "" })).status).toBe(200)
    expect((await signed.send("POST", "/api/v1/organization/", body)).status).toBe(201)
  })

  test("a token that is good comes first", async () => {
    const { simulator, signIn } = rig()
    const { send } = await signIn("bob", "battery staple")
    const authorization = `Bearer ${simulator.addToken({ user: "carol" })}`
    expect(at((await send("GET", "/api/v1/user/", undefined, { authorization })).json, "username")).toBe("carol")
  })

  test("after ten minutes some calls want the password again; tokens never do", async () => {
    const { simulator, clock, signIn } = rig()
    const { send } = await signIn("admin", "correct horse")
    await send("POST", "/api/v1/organization/", { name: "acme" })
    clock.now += 600_000
    const stale = await send("DELETE", ACME)
    expect([stale.status, at(stale.json, "error_type")]).toEqual([401, "fresh_login_required"])
    expect((await send("GET", ACME)).status).toBe(200)
    expect((await send("POST", "/api/v1/signin/verify", { password: "wrong" })).status).toBe(403)
    expect((await send("POST", "/api/v1/signin/verify", { password: "correct horse" })).status).toBe(200)
    expect((await send("DELETE", ACME)).status).toBe(204)
    clock.now += 600_000
    const withToken = sender(simulator.fetch, simulator.addToken({ user: "admin" }))
    expect((await withToken("GET", "/api/v1/superuser/users/")).status).toBe(200)
  })

  test("nothing after it has ended", async () => {
    const { signIn } = rig()
    const { send } = await signIn("bob", "battery staple")
    expect((await send("POST", "/api/v1/signout")).status).toBe(200)
    expect((await send("GET", "/api/v1/user/")).status).toBe(401)
  })
})

test("passwords are those that superusers are told, and are kept", async () => {
  const { simulator, signIn } = rig()
  const admin = sender(simulator.fetch, simulator.addToken({ user: "admin" }))
  const made = await admin("POST", "/api/v1/superuser/users/", { username: "dave", email: "dave@acme.example" })
  expect((await signIn("dave", String(at(made.json, "password")))).answer.status).toBe(200)
  await admin("PUT", "/api/v1/superuser/users/dave", { password: "another one" })
  expect((await signIn("dave", "another one")).answer.status).toBe(200)
  const state = simulator.snapshot()
  expect(createSimulator({ state: JSON.parse(JSON.stringify(state)) }).snapshot()).toEqual(state)
})

test("over HTTP too", async () => {
  const { simulator } = rig()
  await using served = await serveSimulator(simulator)
  const plain = sender(fetch, undefined, served.url)
  const start = await plain("GET", "/csrf_token")
  const headers = { cookie: cookieOf(start), "x-csrf-token": String(at(start.json, "csrf_token")) }
  const body = { username: "bob", password: "battery staple" }
  const signed = await plain("POST", "/api/v1/signin", body, headers)
  expect(signed.status).toBe(200)
  const self = await plain("GET", "/api/v1/user/", undefined, { cookie: cookieOf(signed) })
  expect(at(self.json, "username")).toBe("bob")
})
