// Tags: how they begin, move, end and come back, what keeps them from it, and the room that images take.
import { describe, expect, test } from "vitest"
import { createSimulator, PushRefused } from "../src/index.ts"
import { at, house, type Send, sender } from "./client.ts"

const ACME = "/api/v1/organization/acme"
const APP = "/api/v1/repository/acme/app"
const DAY = 86_400

const prepared = async (options: Parameters<typeof house>[0] = {}) => {
  const clock = { now: Date.UTC(2027, 0, 1) }
  const rig = house({ now: () => clock.now, ...options })
  await rig.admin("POST", "/api/v1/organization/", { name: "acme" })
  await rig.admin("PUT", `${ACME}/robots/ci`)
  const repository = { namespace: "acme", repository: "app", visibility: "private", description: "" }
  await rig.admin("POST", "/api/v1/repository", repository)
  await rig.admin("PUT", `${APP}/permissions/user/bob`, { role: "write" })
  const push = (tag: string, image: string) => rig.simulator.push({ repository: "acme/app", tag, image, by: "acme+ci" })
  const digests = { s1: push("v1", "s1"), s2: push("v2", "s2"), s3: push("dev", "s3") }
  clock.now += 60_000
  return { ...rig, ...digests, push, clock, soon: clock.now / 1000 + 30 * DAY }
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const tagsOf = async (send: Send, query = "onlyActiveTags=true", base = APP) =>
  list(at((await send("GET", `${base}/tag/?${query}`)).json, "tags"))
const tagNames = async (send: Send, query?: string) => (await tagsOf(send, query)).map((tag) => String(at(tag, "name")))
const one = async (send: Send, name: string) => (await tagsOf(send, `specificTag=${name}&onlyActiveTags=true`))[0]

describe("lists", () => {
  const cases: [string, string[]][] = [
    ["", ["dev", "v2", "v1"]],
    ["limit=2", ["dev", "v2"]],
    ["limit=2&page=2", ["v1"]],
    ["limit=0", ["dev"]],
    ["page=0", ["dev", "v2", "v1"]],
    ["filter_tag_name=like:v", ["dev", "v2", "v1"]],
    ["filter_tag_name=like:v_", ["v2", "v1"]],
    ["filter_tag_name=eq:v", []],
    ["filter_tag_name=xx:v", ["dev", "v2", "v1"]],
    ["specificTag=v1", ["v1"]]
  ]
  for (const [query, wanted] of cases) {
    test(query || "everything", async () => {
      const { admin } = await prepared()
      expect(await tagNames(admin, query)).toEqual(wanted)
    })
  }

  test("there is more, and what cannot be read is refused", async () => {
    const { admin } = await prepared()
    expect(at((await admin("GET", `${APP}/tag/?limit=2`)).json, "has_additional")).toBe(true)
    for (const query of ["limit=abc", "filter_tag_name=v1"]) {
      expect((await admin("GET", `${APP}/tag/?${query}`)).status).toBe(400)
    }
  })

  test("what ended is listed unless only living tags are asked for", async () => {
    const { admin, s2 } = await prepared()
    await admin("PUT", `${APP}/tag/v1`, { manifest_digest: s2 })
    expect(await tagNames(admin, "specificTag=v1")).toEqual(["v1", "v1"])
    expect(await tagNames(admin, "specificTag=v1&onlyActiveTags=true")).toEqual(["v1"])
  })

  test("the repository's own view has them as a map, without being asked", async () => {
    const { admin, s1 } = await prepared()
    expect(at((await admin("GET", APP)).json, "tags", "v1", "manifest_digest")).toBe(s1)
    expect(at((await admin("GET", `${APP}?includeTags=false`)).json, "tags")).toBeUndefined()
  })
})

describe("changes", () => {
  const NONE = `sha256:${"0".repeat(64)}`
  const cases: [string, string, unknown, number][] = [
    ["PUT", "new", { manifest_digest: "s1" }, 201],
    ["PUT", "new", {}, 201],
    ["PUT", "new", { manifest_digest: NONE }, 404],
    ["PUT", "new", { manifest_digest: null }, 404],
    ["PUT", "-new", { manifest_digest: "s1" }, 400],
    ["PUT", "none", { expiration: null }, 404],
    ["PUT", "v1", { expiration: 0 }, 400],
    ["PUT", "v1", { expiration: 1e12 }, 400],
    ["PUT", "v1", { expiration: "soon" }, 400],
    ["PUT", "v1", { immutable: "yes" }, 400],
    ["DELETE", "v1", undefined, 204],
    ["DELETE", "none", undefined, 404],
    ["POST", "v1/restore", {}, 400],
    ["POST", "v1/restore", { manifest_digest: NONE }, 404],
    ["POST", "never/restore", { manifest_digest: "s1" }, 200],
    ["POST", "v1/expire", {}, 400],
    ["POST", "v1/expire", { is_alive: true }, 200],
    ["POST", "none/expire", { is_alive: true }, 404]
  ]
  for (const [method, path, body, status] of cases) {
    test(`${method} ${path} ${JSON.stringify(body) ?? ""}: ${status}`, async () => {
      const { admin, s1 } = await prepared()
      const named = at(body, "manifest_digest") === "s1" ? { manifest_digest: s1 } : body
      expect((await admin(method, `${APP}/tag/${path}`, named)).status).toBe(status)
    })
  }

  test("an expiration keeps within an hour and two years, and is lost when the tag is set again", async () => {
    const { admin, s1, clock } = await prepared()
    const start = clock.now / 1000 - 60
    for (const [wanted, got] of [
      [start + 120, start + 3600],
      [start + 10 * DAY, start + 10 * DAY],
      [start + 5000 * DAY, start + 728 * DAY]
    ]) {
      await admin("PUT", `${APP}/tag/v1`, { expiration: wanted })
      expect(at(await one(admin, "v1"), "end_ts")).toBe(got)
    }
    await admin("PUT", `${APP}/tag/v1`, { manifest_digest: s1, expiration: start + 10 * DAY })
    expect(at(await one(admin, "v1"), "end_ts")).toBeUndefined()
  })

  test("what expired is gone for everything but being restored", async () => {
    const { admin, s1, clock, soon } = await prepared()
    await admin("PUT", `${APP}/tag/v1`, { expiration: soon })
    clock.now += 31 * DAY * 1000
    expect((await admin("DELETE", `${APP}/tag/v1`)).status).toBe(404)
    expect((await admin("POST", `${APP}/tag/v1/restore`, { manifest_digest: s1 })).status).toBe(200)
    expect(at(await one(admin, "v1"), "reversion")).toBe(true)
  })

  test("the collector drops what ended before the window, and the images with it", async () => {
    const { admin, simulator, s1, clock } = await prepared()
    await admin("DELETE", `${APP}/tag/v1`)
    simulator.collect()
    expect(await tagNames(admin, "specificTag=v1")).toEqual(["v1"])
    clock.now += 15 * DAY * 1000
    simulator.collect()
    expect(await tagNames(admin, "specificTag=v1")).toEqual([])
    expect((await admin("POST", `${APP}/tag/v1/restore`, { manifest_digest: s1 })).status).toBe(404)
  })
})

describe("immutable tags", () => {
  const frozen = async () => {
    const rig = await prepared()
    expect((await rig.bob("PUT", `${APP}/tag/v1`, { immutable: true })).status).toBe(201)
    return rig
  }

  test("refuse everything until an administrator takes it back", async () => {
    const { admin, bob, push, s1, s2, soon } = await frozen()
    const seen: unknown[] = []
    for (const [method, path, body] of [
      ["DELETE", "v1", undefined],
      ["PUT", "v1", { manifest_digest: s1 }],
      ["POST", "v1/restore", { manifest_digest: s2 }],
      ["PUT", "v1", { expiration: soon }],
      ["POST", "v1/expire", { is_alive: true }]
    ] as const) {
      seen.push((await admin(method, `${APP}/tag/${path}`, body)).status)
    }
    expect(seen).toEqual([409, 409, 409, 400, 404])
    expect(at((await admin("DELETE", `${APP}/tag/v1`)).json, "error_type")).toBe("tag_immutable")
    expect(() => push("v1", "s2")).toThrow(PushRefused)
    expect((await bob("PUT", `${APP}/tag/v1`, { immutable: false })).status).toBe(403)
    expect((await admin("PUT", `${APP}/tag/v1`, { immutable: false, manifest_digest: s2 })).status).toBe(201)
  })

  test("do not expire; both at once is refused after the expiration was set", async () => {
    const { admin, soon } = await prepared()
    expect((await admin("PUT", `${APP}/tag/v1`, { expiration: soon, immutable: true })).status).toBe(400)
    expect(at(await one(admin, "v1"), "end_ts")).toBe(soon)
    await admin("PUT", `${APP}/tag/v1`, { expiration: null })
    expect((await admin("PUT", `${APP}/tag/v1`, { immutable: true })).status).toBe(201)
  })

  test("policies match whole names, mark what is there and what comes, and never take it back", async () => {
    const { admin, push, soon } = await prepared()
    await admin("PUT", `${APP}/tag/v1`, { expiration: soon })
    const marked = async () => (await tagsOf(admin)).filter((tag) => at(tag, "immutable")).map((tag) => at(tag, "name"))
    const policies = `${ACME}/immutabilitypolicy/`
    const made = await admin("POST", policies, { tagPattern: "^v" })
    expect(await marked()).toEqual([])
    await admin("PUT", `${policies}${at(made.json, "uuid")}`, { tagPattern: "v.*" })
    expect(await marked()).toEqual(["v2", "v1"])
    expect(at(await one(admin, "v1"), "end_ts")).toBeUndefined()
    push("v3", "s3")
    await admin("DELETE", `${policies}${at(made.json, "uuid")}`)
    expect(await marked()).toEqual(["v3", "v2", "v1"])
    expect((await admin("POST", `${ACME}/proxycache`, { upstream_registry: "quay.io" })).status).toBe(400)
    expect((await admin("DELETE", ACME)).status).toBe(204)
  })
})

test("a repository that is not normal takes no tags, whether they are there or not", async () => {
  const { admin, bob, push, s1 } = await prepared()
  for (const [state, mode] of [
    ["READ_ONLY", "mode: 1"],
    ["MIRROR", "mode: 2"]
  ] as const) {
    await admin("PUT", `${APP}/changestate`, { state })
    for (const [method, path, body] of [
      ["PUT", "tag/v9", { manifest_digest: s1 }],
      ["DELETE", "tag/none", undefined],
      ["POST", "tag/v1/restore", { manifest_digest: s1 }],
      ["POST", `manifest/${s1}/labels`, { key: "a", value: "b", media_type: "text/plain" }]
    ] as const) {
      const answer = await admin(method, `${APP}/${path}`, body)
      expect([answer.status, String(at(answer.json, "message")).includes(mode)]).toEqual([503, true])
    }
  }
  await admin("PUT", `${APP}/changestate`, { state: "READ_ONLY" })
  expect(() => push("v9", "s1")).toThrow(PushRefused)
  await admin("DELETE", `${APP}/permissions/user/bob`)
  expect((await bob("DELETE", `${APP}/tag/v1`)).status).toBe(403)
  expect((await admin("POST", `${APP}/tag/v1/expire`, { is_alive: true })).status).toBe(200)
})

describe("images", () => {
  test("share what they have in common, and count until they are collected", async () => {
    const { admin, simulator, clock } = await prepared()
    const used = async () => at((await admin("GET", ACME)).json, "quota_report", "quota_bytes")
    expect(await used()).toBe(3 * (100 + 278))
    simulator.push({ repository: "acme/other", tag: "v1", image: "s1" })
    simulator.push({ repository: "acme/other", tag: "big", image: "big", size: 1000, configSize: 10 })
    expect(await used()).toBe(3 * 378 + 1010)
    await admin("DELETE", "/api/v1/repository/acme/other/tag/big")
    clock.now += 15 * DAY * 1000
    simulator.collect()
    expect(await used()).toBe(3 * 378)
  })

  test("are refused over the quota; tags by the API are not", async () => {
    const { admin, push, s1 } = await prepared()
    await admin("POST", `${ACME}/quota`, { limit_bytes: 100 })
    await admin("POST", `${ACME}/quota/1/limit`, { type: "Warning", threshold_percent: 80 })
    push("w", "s4")
    await admin("POST", `${ACME}/quota/1/limit`, { type: "Reject", threshold_percent: 100 })
    expect(() => push("r", "s5")).toThrow(PushRefused)
    expect((await admin("PUT", `${APP}/tag/again`, { manifest_digest: s1 })).status).toBe(201)
  })

  test("make a repository, private and without a description", async () => {
    const { admin, simulator } = await prepared()
    simulator.push({ repository: "acme/pushed", tag: "v1" })
    const view = await admin("GET", "/api/v1/repository/acme/pushed")
    expect([at(view.json, "is_public"), at(view.json, "description")]).toEqual([false, null])
    expect(() => simulator.push({ repository: "none/app", tag: "v1" })).toThrow(PushRefused)
    expect(() => simulator.push({ repository: "app", tag: "v1" })).toThrow(PushRefused)
  })

  test("an index has no size, and names what it is of", async () => {
    const { admin, simulator, s1, s2 } = await prepared()
    simulator.push({ repository: "acme/app", tag: "multi", image: "index", index: [s1, s2] })
    expect(await one(admin, "multi")).toMatchObject({ is_manifest_list: true, size: null, child_manifest_count: 2 })
  })

  test("have labels; one of them gives the tag an end", async () => {
    const { admin, simulator, s1 } = await prepared()
    simulator.push({ repository: "acme/app", tag: "exp", image: "s1", labels: { "quay.expires-after": "1h" } })
    const tag = await one(admin, "exp")
    expect(Number(at(tag, "end_ts")) - Number(at(tag, "start_ts"))).toBe(3600)
    const labels = `${APP}/manifest/${s1}/labels`
    const add = (key: string) => admin("POST", labels, { key, value: "x", media_type: "text/plain" })
    expect((await add("quay.expires-after")).status).toBe(400)
    const id = at((await add("stage")).json, "label", "id")
    expect(at((await admin("GET", labels)).json, "labels")).toHaveLength(1)
    expect((await admin("DELETE", `${labels}/${id}`)).status).toBe(204)
    expect((await admin("DELETE", `${labels}/${id}`)).status).toBe(404)
    const manifest = await admin("GET", `${APP}/manifest/${s1}`)
    expect(manifest.json).toMatchObject({ digest: s1, is_manifest_list: false, layers_compressed_size: 100 })
  })

  test("are pulled: the log and the statistics say so", async () => {
    const { admin, simulator, s1 } = await prepared()
    expect(simulator.pull({ repository: "acme/app", tag: "v1", by: "acme+ci" })).toBe(s1)
    expect(simulator.pull({ repository: "acme/app", tag: "none" })).toBeUndefined()
    expect(at((await admin("GET", `${APP}/tag/v1/pull_statistics`)).json, "tag_pull_count")).toBe(1)
    const robot = await admin("GET", `${ACME}/robots/ci`)
    expect(at(robot.json, "last_accessed")).toBe("Fri, 01 Jan 2027 00:01:00 -0000")
  })
})

test("tags are written by hand, and everything is kept", async () => {
  const simulator = createSimulator({
    state: {
      organizations: {
        acme: {
          repositories: {
            app: {
              tags: {
                v1: "s1",
                v2: { digest: "s2", immutable: true },
                latest: [{ digest: "s1", end: "2026-01-01" }, "s2"]
              }
            }
          }
        }
      }
    },
    users: [{ name: "admin", superuser: true }]
  })
  const send = sender(simulator.fetch, simulator.addToken({ user: "admin" }))
  expect((await tagNames(send)).sort()).toEqual(["latest", "v1", "v2"])
  expect(at(await one(send, "v2"), "immutable")).toBe(true)
  expect(at(await one(send, "latest"), "manifest_digest")).toBe(at(await one(send, "v2"), "manifest_digest"))

  const rig = await prepared()
  rig.simulator.push({ repository: "acme/app", tag: "exp", image: "s1", labels: { "quay.expires-after": "1h" } })
  await rig.admin("PUT", `${APP}/tag/v1`, { manifest_digest: rig.s2 })
  await rig.admin("PUT", `${APP}/tag/v2`, { immutable: true })
  const state = rig.simulator.snapshot()
  expect(createSimulator({ state: JSON.parse(JSON.stringify(state)) }).snapshot()).toEqual(state)
})

describe("releases", () => {
  const cases: [string, string, string, unknown, number][] = [
    ["3.8", "POST", "v1/expire", { is_alive: true }, 405],
    ["3.9", "POST", "v1/expire", { is_alive: true }, 200],
    ["3.15", "GET", "v1/pull_statistics", undefined, 404],
    ["3.16", "GET", "v1/pull_statistics", undefined, 200]
  ]
  for (const [version, method, path, body, status] of cases) {
    test(`${version} answers ${method} ${path} with ${status}`, async () => {
      const { admin } = await prepared({ version })
      expect((await admin(method, `${APP}/tag/${path}`, body)).status).toBe(status)
    })
  }

  test("before 3.17 no tag says whether it is immutable, and none is made so", async () => {
    const { admin } = await prepared({ version: "3.16" })
    expect((await admin("PUT", `${APP}/tag/v1`, { immutable: true })).status).toBe(201)
    expect(at(await one(admin, "v1"), "immutable")).toBeUndefined()
    expect((await admin("DELETE", `${APP}/tag/v1`)).status).toBe(204)
  })
})
