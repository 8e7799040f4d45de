// The state as JSON, and registries that live in a file: round trips, edits by hand, and files that are not ours.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createSimulator, openSimulator, type SimulatorState, seededRandom } from "../src/index.ts"
import { at, house, names, type Send, sender } from "./client.ts"

const fill = async (send: Send) => {
  const organization = "/api/v1/organization/acme"
  await send("POST", "/api/v1/organization/", { name: "acme", email: "platform@acme.example" })
  await send("PUT", `${organization}/team/dev`, { role: "member", description: "Developers" })
  await send("PUT", `${organization}/robots/ci`, { description: "Builds", unstructured_metadata: { n: 1 } })
  await send("POST", `${organization}/robots/ci/federation`, [{ issuer: "https://ci.example.com", subject: "app" }])
  await send("PUT", `${organization}/team/dev/members/acme+ci`)
  await send("POST", `${organization}/prototypes`, { role: "read", delegate: { kind: "team", name: "dev" } })
  const repository = { namespace: "acme", repository: "app", visibility: "private", description: "The app" }
  await send("POST", "/api/v1/repository", repository)
  await send("POST", "/api/v1/organization/", { name: "gone" })
  await send("DELETE", "/api/v1/organization/gone")
}

describe("snapshots", () => {
  test("one that is loaded gives the same again", async () => {
    const { admin, simulator } = house()
    await fill(admin)
    const state = simulator.snapshot()
    expect(createSimulator({ state }).snapshot()).toEqual(state)
    expect(createSimulator({ state: JSON.parse(JSON.stringify(state)) }).snapshot()).toEqual(state)
  })

  test("the same seed and clock give the same bytes", async () => {
    const once = async () => {
      const { admin, simulator } = house({ random: seededRandom("seed"), now: () => 0 })
      await fill(admin)
      return JSON.stringify(simulator.snapshot())
    }
    expect(await once()).toBe(await once())
  })

  test("what is handed out is a copy", async () => {
    const { admin, simulator } = house()
    await fill(admin)
    const state: SimulatorState = simulator.snapshot()
    state.organizations["acme"]?.teams["dev"]?.members.push("bob")
    expect(at(simulator.snapshot(), "organizations", "acme", "teams", "dev", "members")).toEqual(["acme+ci"])
  })

  test("little is enough: what is left out is as Quay makes it", async () => {
    const simulator = createSimulator({
      state: { organizations: { acme: { teams: { dev: {} }, robots: { ci: {} }, repositories: { app: {} } } } },
      users: [{ name: "admin", superuser: true }]
    })
    const send = sender(simulator.fetch, simulator.addToken({ user: "admin" }))
    const view = await send("GET", "/api/v1/repository/acme/app")
    expect([at(view.json, "is_public"), at(view.json, "state")]).toEqual([false, "NORMAL"])
    const robot = await send("GET", "/api/v1/organization/acme/robots/ci")
    expect(String(at(robot.json, "token"))).toMatch(/^[A-Z0-9]{64}$/)
  })

  const wrong: [string, object, string][] = [
    ["another format", { format: "other/1" }, 'format: must be "quaymaster-simulator/1"'],
    ["an unknown key", { organisations: {} }, "organisations: is not a key of the simulator's state"],
    ["a list for an object", { organizations: [] }, "organizations: must be an object"],
    [
      "a role that is none",
      { organizations: { acme: { teams: { dev: { role: "boss" } } } } },
      "organizations.acme.teams.dev.role: must be one of member, creator, admin"
    ],
    [
      "a name that is none",
      { organizations: JSON.parse('{"__proto__": {}}') },
      "organizations.__proto__: Namespace must match"
    ],
    ["a name that two have", { users: { acme: {} }, organizations: { acme: {} } }, "organizations.acme: is the name of"]
  ]
  for (const [name, state, message] of wrong) {
    test(`${name}: says where`, () => {
      expect(() => createSimulator({ state })).toThrow(message)
    })
  }

  test("listeners hear of writes, until they stop listening", async () => {
    const { admin, simulator } = house()
    let heard = 0
    const stop = simulator.onChange(() => {
      heard += 1
    })
    await admin("POST", "/api/v1/organization/", { name: "acme" })
    await admin("GET", "/api/v1/organization/acme")
    expect(heard).toBe(1)
    stop()
    await admin("DELETE", "/api/v1/organization/acme")
    expect(heard).toBe(1)
  })
})

describe("registries in a file", () => {
  let folder = ""
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "simulator-"))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const opened = async (query = "") => {
    const registry = await openSimulator(`sim:${join(folder, "state.json")}${query}`)
    return { ...registry, send: sender(registry.simulator.fetch, registry.token) }
  }

  const edit = async (change: (text: string) => string) => {
    const file = join(folder, "state.json")
    await writeFile(file, change(await readFile(file, "utf8")))
  }

  test("what was done is there again, with the same token", async () => {
    const first = await opened()
    await fill(first.send)
    const before = first.simulator.snapshot()
    await first.close()
    const second = await opened()
    expect(second.token).toBe(first.token)
    expect(second.simulator.snapshot()).toEqual(before)
    expect(await readdir(folder)).toEqual(["state.json"])
    expect((await stat(join(folder, "state.json"))).mode & 0o077).toBe(0)
  })

  test("changes are written without asking, a little later", async () => {
    const { send, close } = await opened()
    await fill(send)
    await expect.poll(() => readFile(join(folder, "state.json"), "utf8")).toContain('"acme"')
    await close()
  })

  test("a role, a description and a visibility can be changed by hand", async () => {
    const first = await opened()
    await fill(first.send)
    await first.close()
    await edit((text) =>
      text
        .replace('"role": "member"', '"role": "creator"')
        .replace('"description": "The app"', '"description": "By hand"')
        .replace('"visibility": "private"', '"visibility": "public"')
    )
    const { send } = await opened()
    const view = await send("GET", "/api/v1/organization/acme")
    expect(at(view.json, "teams", "dev", "role")).toBe("creator")
    const repository = await send("GET", "/api/v1/repository/acme/app")
    expect([at(repository.json, "description"), at(repository.json, "is_public")]).toEqual(["By hand", true])
  })

  const broken: [string, string, string][] = [
    ["no JSON", "{", "is not JSON"],
    ["someone else's", '{"format": "terraform/1"}', "is not a simulator's state"],
    ["without a format", "{}", "is not a simulator's state"],
    ["a wrong value", '{"format": "quaymaster-simulator/1", "users": {"bob": {"superuser": 1}}}', "users.bob.superuser"]
  ]
  for (const [name, text, message] of broken) {
    test(`a file that is broken (${name}) is named, and left as it is`, async () => {
      const file = join(folder, "state.json")
      await writeFile(file, text)
      await expect(openSimulator(`sim:${file}`)).rejects.toThrow(message)
      await expect(openSimulator(`sim:${file}`)).rejects.toThrow(file)
      expect(await readFile(file, "utf8")).toBe(text)
    })
  }

  test("a place where nothing can be written is named at once", async () => {
    const file = join(folder, "missing", "state.json")
    await expect(openSimulator(`sim:${file}`)).rejects.toThrow(`${file}: cannot be written`)
  })

  test("users in the location are all there are; without them anybody is", async () => {
    const strict = await opened("?users=alice,bob")
    expect((await strict.send("GET", "/api/v1/users/alice")).status).toBe(200)
    expect((await strict.send("GET", "/api/v1/users/carol")).status).toBe(404)
    await strict.close()
    const { send } = await openSimulator("sim:").then(({ simulator, token }) => ({
      send: sender(simulator.fetch, token)
    }))
    expect((await send("GET", "/api/v1/users/carol")).status).toBe(200)
  })

  test("in memory nothing is written, and every opening is a new registry", async () => {
    const first = await openSimulator("sim:")
    await fill(sender(first.simulator.fetch, first.token))
    await first.close()
    const second = await openSimulator("sim:")
    const list = await sender(second.simulator.fetch, second.token)("GET", "/api/v1/superuser/organizations/")
    expect(names(at(list.json, "organizations"))).toEqual([])
  })

  test("what is no location, or an option that is none, is refused", async () => {
    await expect(openSimulator("https://quay.example.com")).rejects.toThrow('must begin with "sim:"')
    await expect(openSimulator("sim:?user=alice")).rejects.toThrow("knows no option user")
  })
})
