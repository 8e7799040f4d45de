// `quaymaster service-keys`: what superusers see of the keys of a registry, and what others are told.
import { createSimulator, serveSimulator } from "@quaymaster/simulator"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { makeWorld, type World } from "./host.ts"

const KEYS = [
  { kid: "c3", service: "quay", name: "web", created_date: "2026-01-02T03:04:05Z", approver: "root" },
  {
    kid: "a1",
    service: "clair",
    name: "scanner \u001b[31m",
    created_date: "Fri, 02 Jan 2026 03:04:05 GMT",
    expiration_date: "2999-01-02T03:04:05Z",
    approver: null
  },
  {
    kid: "b2",
    service: "clair",
    created_date: "2020-01-01T00:00:00Z",
    expiration_date: "2020-02-01T00:00:00Z",
    approver: "root"
  }
]

let world: World
let served: Awaited<ReturnType<typeof serveSimulator>>

beforeAll(async () => {
  world = await makeWorld()
  const simulator = createSimulator({
    users: [{ name: "root", superuser: true }, { name: "bob" }],
    tokens: [
      { token: "root-token", user: "root" },
      { token: "bob-token", user: "bob" }
    ],
    state: { service_keys: KEYS }
  })
  served = await serveSimulator(simulator)
})
afterAll(async () => {
  await served.close()
  await world[Symbol.asyncDispose]()
})

const list = (token: string, flags = "") =>
  world.run(`quaymaster service-keys --registry ${served.url} ${flags}`, { env: { QUAY_TOKEN: token } })

describe("service keys", () => {
  test("are listed in columns, by service, with control characters escaped", async () => {
    const { code, stdout } = await list("root-token")
    expect(code).toBe(0)
    const lines = stdout.split("\n").map((line) => line.split(/ {2,}/))
    expect(lines[0]).toEqual(["service", "key", "state", "expires", "name"])
    expect(lines.slice(1, 4).map((cells) => cells.slice(0, 4))).toEqual([
      ["clair", "a1", "unapproved", "2999-01-02"],
      ["clair", "b2", "expired", "2020-02-01"],
      ["quay", "c3", "approved", "never"]
    ])
    expect(stdout).not.toContain("\u001b")
  })

  test("are JSON for programs", async () => {
    const { code, stdout } = await list("root-token", "--json")
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([
      { kid: "a1", service: "clair", state: "unapproved", created: "2026-01-02T03:04:05.000Z" },
      { kid: "b2", state: "expired", expires: "2020-02-01T00:00:00.000Z", name: "" },
      { kid: "c3", state: "approved", expires: null, name: "web" }
    ])
  })

  test("are for superusers, and others are told", async () => {
    const { code, stderr, stdout } = await list("bob-token")
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toContain("Only superusers see service keys: use the token of one, with the scope super:user.")
  })

  test("are not there where a registry has no superusers", async () => {
    const simulator = createSimulator({
      users: [{ name: "root", superuser: true }],
      tokens: [{ token: "root-token", user: "root" }],
      features: { SUPER_USERS: false }
    })
    await using other = await serveSimulator(simulator)
    const { code, stderr } = await world.run(`quaymaster service-keys --registry ${other.url}`, {
      env: { QUAY_TOKEN: "root-token" }
    })
    expect(code).toBe(1)
    expect(stderr).toContain("(FEATURE_SUPER_USERS), and only they see service keys")
  })

  test("are none where there are none", async () => {
    expect(await world.run("quaymaster service-keys --registry sim:")).toMatchObject({
      code: 0,
      stdout: "There are no service keys.\n"
    })
  })
})
