// Resources beside the core: what each is known for, that one kind has its say in another, and that all of it is kept.
import { describe, expect, test } from "vitest"
import { createSimulator, PushRefused } from "../src/index.ts"
import { at, house, type Send, sender } from "./client.ts"

const ACME = "/api/v1/organization/acme"
const APP = "/api/v1/repository/acme/app"
const WEBHOOK = { method: "webhook", config: { url: "https://hooks.example.com/x" }, eventConfig: {} }

const MIRROR = {
  external_reference: "registry.example.com/library/alpine",
  sync_interval: 86_400,
  sync_start_date: "2027-01-01T00:00:00Z",
  root_rule: { rule_kind: "tag_glob_csv", rule_value: ["3.*"] },
  robot_username: "acme+ci",
  skopeo_timeout_interval: 300
}

const ORGANIZATION_MIRROR = {
  external_registry_type: "quay",
  external_registry_url: "https://registry.example.com",
  external_namespace: "library",
  robot_username: "acme+ci",
  visibility: "private",
  sync_interval: 3600,
  sync_start_date: "2027-01-01T00:00:00Z"
}

const prepared = async (options: Parameters<typeof house>[0] = {}) => {
  const rig = house(options)
  await rig.admin("POST", "/api/v1/organization/", { name: "acme" })
  await rig.admin("PUT", `${ACME}/robots/ci`)
  return rig
}

const withRepository = async (options: Parameters<typeof house>[0] = {}) => {
  const rig = await prepared(options)
  const repository = { namespace: "acme", repository: "app", visibility: "private", description: "" }
  await rig.admin("POST", "/api/v1/repository", repository)
  return rig
}

const statuses = async (send: Send, steps: readonly [string, string, unknown?][]) => {
  const seen: number[] = []
  for (const [method, path, body] of steps) seen.push((await send(method, path, body)).status)
  return seen
}

describe("statuses that nobody would guess", () => {
  const cases: [string, [string, string, unknown?][], number[]][] = [
    [
      "the proxy cache is deleted with 201",
      [
        ["POST", `${ACME}/proxycache`, { upstream_registry: "registry.example.com" }],
        ["POST", `${ACME}/proxycache`, { upstream_registry: "registry.example.com" }],
        ["DELETE", `${ACME}/proxycache`],
        ["DELETE", `${ACME}/proxycache`]
      ],
      [201, 400, 201, 404]
    ],
    [
      "an application is made with 200, the same name twice",
      [
        ["POST", `${ACME}/applications`, { name: "console" }],
        ["POST", `${ACME}/applications`, { name: "console" }],
        ["POST", `${ACME}/applications`, { name: "__quay_bootstrap_app" }]
      ],
      [200, 200, 400]
    ],
    [
      "auto-prune policies: the same twice is 400, a pattern is not looked at",
      [
        ["POST", `${ACME}/autoprunepolicy/`, { method: "number_of_tags", value: 5 }],
        ["POST", `${ACME}/autoprunepolicy/`, { method: "number_of_tags", value: 5 }],
        ["POST", `${APP}/autoprunepolicy/`, { method: "number_of_tags", value: 5 }],
        ["POST", `${ACME}/autoprunepolicy/`, { method: "creation_date", value: "7 days" }],
        ["POST", `${ACME}/autoprunepolicy/`, { method: "creation_date", value: "7d", tagPattern: "[" }]
      ],
      [201, 400, 201, 400, 201]
    ],
    [
      "immutability policies: a pattern is looked at",
      [
        ["POST", `${ACME}/immutabilitypolicy/`, { tagPattern: "[" }],
        ["POST", `${ACME}/immutabilitypolicy/`, { tagPattern: "^v" }],
        ["POST", `${ACME}/immutabilitypolicy/`, { tagPattern: "^v", tagPatternMatches: false }],
        ["POST", `${APP}/immutabilitypolicy/`, { tagPattern: "^v" }]
      ],
      [400, 201, 400, 201]
    ],
    [
      "quotas: one of two ways to say how much, and only once",
      [
        ["POST", `${ACME}/quota`, { limit_bytes: 1, limit: "1GiB" }],
        ["POST", `${ACME}/quota`, {}],
        ["POST", `${ACME}/quota`, { limit_bytes: 0 }],
        ["POST", `${ACME}/quota`, { limit: "1 GiB" }],
        ["POST", `${ACME}/quota`, { limit: "1GiB" }]
      ],
      [400, 400, 400, 201, 400]
    ],
    [
      "notifications: unknown events and methods are pages for a repository, and refused for an organization",
      [
        ["POST", `${APP}/notification/`, { ...WEBHOOK, event: "nosuch" }],
        ["POST", `${APP}/notification/`, { ...WEBHOOK, event: "repo_push", method: "pigeon" }],
        ["POST", `${APP}/notification/`, { ...WEBHOOK, event: "repo_push" }],
        ["POST", `${ACME}/notifications`, { ...WEBHOOK, event: "repo_push" }],
        ["POST", `${ACME}/notifications`, { ...WEBHOOK, event: "quota_error" }],
        ["DELETE", `${APP}/notification/00000000-0000-4000-8000-000000000000`],
        ["DELETE", `${ACME}/notifications/00000000-0000-4000-8000-000000000000`]
      ],
      [500, 500, 201, 400, 201, 400, 404]
    ],
    [
      "mirrors: 409 for a second one, a page for what is not known",
      [
        ["POST", `${APP}/mirror`, { ...MIRROR, robot_username: undefined }],
        ["POST", `${APP}/mirror`, { ...MIRROR, sync_status: "SUCCESS" }],
        ["POST", `${APP}/mirror`, { ...MIRROR, robot_username: "acme+none" }],
        ["POST", `${APP}/mirror`, MIRROR],
        ["POST", `${APP}/mirror`, MIRROR],
        ["PUT", `${APP}/mirror`, { sync_start_date: "2027-01-01" }],
        ["PUT", `${APP}/mirror`, {}],
        ["DELETE", `${APP}/mirror`],
        ["GET", `${APP}/mirror`]
      ],
      [500, 500, 400, 201, 409, 400, 201, 204, 200]
    ],
    [
      "messages: deleting one that is not there is fine",
      [
        ["POST", "/api/v1/messages", { message: { content: "x", media_type: "text/plain", severity: "info" } }],
        ["DELETE", "/api/v1/message/00000000-0000-4000-8000-000000000000"]
      ],
      [201, 204]
    ]
  ]
  for (const [name, steps, want] of cases) {
    test(name, async () => {
      const { admin } = await withRepository()
      expect(await statuses(admin, steps)).toEqual(want)
    })
  }
})

describe("one kind in another", () => {
  test("a mirror freezes its repository and lets its robot write; the robot cannot be deleted", async () => {
    const { admin } = await withRepository()
    await admin("POST", `${APP}/mirror`, MIRROR)
    expect(at((await admin("GET", APP)).json, "state")).toBe("MIRROR")
    const permissions = await admin("GET", `${APP}/permissions/user/`)
    expect(at(permissions.json, "permissions", "acme+ci", "role")).toBe("write")
    expect((await admin("DELETE", `${ACME}/robots/ci`)).status).toBe(400)
    await admin("DELETE", APP)
    expect((await admin("DELETE", `${ACME}/robots/ci`)).status).toBe(204)
  })

  test("a robot that may write already gets nothing more", async () => {
    const { admin } = await withRepository()
    await admin("PUT", `${ACME}/team/dev`, { role: "member" })
    await admin("PUT", `${ACME}/team/dev/members/acme+ci`)
    await admin("PUT", `${APP}/permissions/team/dev`, { role: "write" })
    await admin("POST", `${APP}/mirror`, MIRROR)
    const permissions = await admin("GET", `${APP}/permissions/user/`)
    expect(at(permissions.json, "permissions", "acme+ci")).toBeUndefined()
  })

  test("a password is never shown, and an organization says that there is one", async () => {
    const { admin } = await prepared()
    const secret = { external_registry_username: "u", external_registry_password: "s3cret" }
    await admin("POST", `${ACME}/mirror`, { ...ORGANIZATION_MIRROR, ...secret })
    const view = await admin("GET", `${ACME}/mirror`)
    expect(view.text).not.toContain("s3cret")
    expect(at(view.json, "has_external_registry_password")).toBe(true)
  })

  test("a mirrored organization takes no repositories, and loses its mirror with the robot", async () => {
    const { admin } = await prepared()
    expect((await admin("POST", `${ACME}/mirror`, ORGANIZATION_MIRROR)).status).toBe(201)
    const repository = { namespace: "acme", repository: "app", visibility: "private", description: "" }
    expect((await admin("POST", "/api/v1/repository", repository)).status).toBe(400)
    expect((await admin("DELETE", `${ACME}/robots/ci`)).status).toBe(204)
    expect((await admin("GET", `${ACME}/mirror`)).status).toBe(404)
    expect((await admin("POST", "/api/v1/repository", repository)).status).toBe(201)
  })

  test("an organization's notifications go with its quota", async () => {
    const { admin } = await prepared()
    await admin("POST", `${ACME}/quota`, { limit: "10GiB" })
    await admin("POST", `${ACME}/notifications`, { ...WEBHOOK, event: "quota_error" })
    const quota = await admin("GET", `${ACME}/quota`)
    expect([at(quota.json, 0, "limit_bytes"), at(quota.json, 0, "limit")]).toEqual([10_737_418_240, "10.0 GiB"])
    expect(at((await admin("GET", ACME)).json, "quota_report", "configured_quota")).toBe(10_737_418_240)
    await admin("DELETE", `${ACME}/quota/${at(quota.json, 0, "id")}`)
    expect(at((await admin("GET", `${ACME}/notifications`)).json, "notifications")).toEqual([])
  })

  test("an application's token is one until it expires, and no more than the one that made it", async () => {
    let now = Date.UTC(2026, 0, 1)
    const { admin, as, simulator } = await prepared({ now: () => now })
    const client = at((await admin("POST", `${ACME}/applications`, { name: "console" })).json, "client_id")
    const tokens = `${ACME}/applications/${client}/tokens`
    const made = await admin("POST", tokens, { name: "t", scope: "org:admin user:read", expiration: 60 })
    const send = sender(simulator.fetch, String(at(made.json, "token")))
    expect((await send("GET", "/api/v1/user/")).status).toBe(200)
    now += 60_000
    expect((await send("GET", "/api/v1/user/")).status).toBe(401)
    expect(at((await admin("GET", tokens)).json, "tokens")).toEqual([])
    const less = as("admin", "org:admin")
    expect((await less("POST", tokens, { name: "t", scope: "super:user" })).status).toBe(403)
  })

  test("an organization's administrator reads quotas and does not write them", async () => {
    const { admin, bob } = await prepared()
    await admin("PUT", `${ACME}/team/owners/members/bob`)
    expect((await bob("GET", `${ACME}/quota`)).status).toBe(200)
    expect((await bob("POST", `${ACME}/quota`, { limit_bytes: 1 })).status).toBe(403)
  })
})

describe("other registries", () => {
  const hosts: [string, boolean][] = [
    ["registry.example.com", true],
    ["https://registry.example.com:5000/library", true],
    ["8.8.8.8", true],
    ["172.32.0.1", true],
    ["localhost:5000", false],
    ["registry.localhost", false],
    ["127.0.0.1", false],
    ["http://10.1.2.3/", false],
    ["172.16.0.1", false],
    ["192.168.1.1", false],
    ["169.254.169.254", false],
    ["[::1]:5000", false],
    ["[fd00::1]", false],
    ["registry.invalid", false]
  ]
  for (const [host, allowed] of hosts) {
    test(`${host} is ${allowed ? "asked" : "refused"}`, async () => {
      const { admin } = await withRepository()
      const seen = await statuses(admin, [
        ["POST", `${ACME}/validateproxycache`, { upstream_registry: host }],
        ["POST", `${ACME}/proxycache`, { upstream_registry: host }],
        ["POST", `${APP}/mirror`, { ...MIRROR, external_reference: `${host}/library/alpine` }]
      ])
      expect(seen).toEqual(allowed ? [202, 201, 201] : [400, 400, 400])
    })
  }

  test("are taken for good: an organization's mirror, a proxy cache with a user", async () => {
    const { admin } = await prepared()
    expect((await admin("POST", `${ACME}/mirror/verify`)).status).toBe(404)
    await admin("POST", `${ACME}/mirror`, ORGANIZATION_MIRROR)
    expect(at((await admin("POST", `${ACME}/mirror/verify`)).json, "success")).toBe(true)
    const user = { upstream_registry: "quay.io", upstream_registry_username: "u" }
    expect((await admin("POST", `${ACME}/validateproxycache`, user)).json).toBe("Valid")
  })

  test("up to 3.18 a mirror asks anybody", async () => {
    const { admin } = await withRepository({ version: "3.18" })
    expect((await admin("POST", `${APP}/mirror`, { ...MIRROR, external_reference: "10.0.0.1/a/b" })).status).toBe(201)
  })

  test("where a mirror had no proxies the first one is lost, and works when it is sent again", async () => {
    const { admin } = await withRepository()
    await admin("POST", `${APP}/mirror`, MIRROR)
    const proxies = async () => {
      const proxy = { http_proxy: "http://a.example:1", https_proxy: "http://b.example:2" }
      await admin("PUT", `${APP}/mirror`, { external_registry_config: { proxy } })
      const { json } = await admin("GET", `${APP}/mirror`)
      return at(json, "external_registry_config", "proxy")
    }
    expect(await proxies()).toMatchObject({ http_proxy: null, https_proxy: "http://b.example:2" })
    expect(await proxies()).toMatchObject({ http_proxy: "http://a.example:1", https_proxy: "http://b.example:2" })
  })
})

describe("releases", () => {
  const cases: [string, string, number][] = [
    ["3.14", "without a time-out", 201],
    ["3.15", "without a time-out", 400],
    ["3.13", "with one", 500],
    ["3.15", "with one", 201]
  ]
  for (const [version, what, status] of cases) {
    test(`${version} answers a mirror ${what} with ${status}`, async () => {
      const { admin } = await withRepository({ version })
      const body = what === "with one" ? MIRROR : { ...MIRROR, skopeo_timeout_interval: undefined }
      expect((await admin("POST", `${APP}/mirror`, body)).status).toBe(status)
    })
  }

  test("the proxy cache wants the organization's name in the body where the path is not read", async () => {
    for (const [version, without] of [
      ["3.11.13", 500],
      ["3.12.19", 500],
      ["3.12.20", 201],
      ["3.12", 201],
      ["3.17", 201]
    ] as const) {
      const { admin } = await prepared({ version })
      const body = { upstream_registry: "registry.example.com" }
      expect([version, (await admin("POST", `${ACME}/proxycache`, body)).status]).toEqual([version, without])
      const named = await admin("POST", `${ACME}/proxycache`, { ...body, org_name: "acme" })
      expect([version, named.status]).toEqual([version, without === 500 ? 201 : 400])
    }
  })

  test("before 3.16 a superuser who is no member is shown as an outsider, and may do everything", async () => {
    for (const [version, isAdmin] of [
      ["3.15", false],
      ["3.16", true]
    ] as const) {
      const { admin, bob } = await prepared({ version })
      await admin("PUT", `${ACME}/team/owners/members/bob`)
      await bob("DELETE", `${ACME}/team/owners/members/admin`)
      const view = await admin("GET", ACME)
      expect([at(view.json, "is_admin"), at(view.json, "teams") !== undefined]).toEqual([isAdmin, isAdmin])
      expect((await admin("PUT", `${ACME}/team/dev`, { role: "member" })).status).toBe(200)
    }
  })

  test("a superuser who is no member: what the view shows and which writes pass, release by release", async () => {
    const cases: [string, unknown[], number[]][] = [
      ["3.9.25", [false, false, false, false], [200, 403, 403, 403, 403, 403]],
      ["3.10.0", [false, false, false, false], [200, 403, 403, 403, 403, 403]],
      ["3.10.25", [false, false, false, false], [200, 200, 200, 204, 201, 204]],
      ["3.16.0", [true, true, false, false], [200, 200, 200, 204, 201, 204]],
      ["3.17.0", [true, true, false, false], [200, 200, 200, 204, 201, 204]],
      ["3.16.3", [true, true, true, true], [200, 200, 200, 204, 201, 204]],
      ["3.16", [true, true, true, true], [200, 200, 200, 204, 201, 204]]
    ]
    for (const [version, shown, wanted] of cases) {
      const { admin, bob } = house({ version, users: [{ name: "carol" }] })
      await admin("POST", "/api/v1/organization/", { name: "acme", email: "acme@acme.example" })
      await admin("PUT", `${ACME}/team/owners/members/bob`)
      await bob("DELETE", `${ACME}/team/owners/members/admin`)
      const { json } = await admin("GET", ACME)
      const view = [
        at(json, "teams") !== undefined,
        at(json, "email") !== "",
        at(json, "is_admin"),
        "quotas" in Object(json)
      ]
      expect([version, view]).toEqual([version, shown])
      const seen = await statuses(admin, [
        ["PUT", `${ACME}/team/dev`, { role: "member" }],
        ["GET", `${ACME}/team/dev/permissions`],
        ["GET", `${ACME}/collaborators`],
        ["DELETE", `${ACME}/members/carol`],
        ["POST", "/api/v1/repository", { namespace: "acme", repository: "a", visibility: "private", description: "" }],
        ["DELETE", ACME]
      ])
      expect([version, seen]).toEqual([version, wanted])
    }
  })

  test("an organization that is not there is 403 to those who change it until 3.9.25, 3.10.25 and 3.11", async () => {
    for (const [version, status] of [
      ["3.9.24", 403],
      ["3.9.25", 404],
      ["3.10.24", 403],
      ["3.11.0", 404]
    ] as const) {
      const { admin } = house({ version })
      expect([version, (await admin("PUT", "/api/v1/organization/none", {})).status]).toEqual([version, status])
    }
  })

  test("lists of superusers have no pages before 3.7.14 and 3.8.15", async () => {
    for (const [version, more] of [
      ["3.7.13", false],
      ["3.7.14", true],
      ["3.8.14", false],
      ["3.9.0", true]
    ] as const) {
      const { admin } = house({ version })
      const { json } = await admin("GET", "/api/v1/superuser/users/?limit=1")
      expect([version, at(json, "next_page") !== undefined]).toEqual([version, more])
    }
  })

  test("a mirror's later fields: an error at first, then dropped, then kept", async () => {
    for (const [version, key, value, status, shown] of [
      ["3.14.6", "skopeo_timeout_interval", 400, 500, undefined],
      ["3.14.7", "skopeo_timeout_interval", 400, 201, undefined],
      ["3.15.0", "skopeo_timeout_interval", 400, 201, 400],
      ["3.16.3", "architecture_filter", ["amd64"], 500, undefined],
      ["3.16.4", "architecture_filter", ["amd64"], 201, undefined],
      ["3.17.0", "architecture_filter", ["amd64"], 201, ["amd64"]]
    ] as const) {
      const { admin } = await withRepository({ version })
      const { skopeo_timeout_interval, ...bare } = MIRROR
      const timeout = version.startsWith("3.14") ? {} : { skopeo_timeout_interval }
      const made = await admin("POST", `${APP}/mirror`, { ...bare, ...timeout, [key]: value })
      expect([version, made.status]).toEqual([version, status])
      expect([version, at((await admin("GET", `${APP}/mirror`)).json, key)]).toEqual([version, shown])
    }
  })

  test("before 3.12 a quota is bytes, and a text beside them is not looked at", async () => {
    for (const [version, both, text] of [
      ["3.11", 201, 400],
      ["3.12", 400, 201]
    ] as const) {
      const { admin } = await prepared({ version })
      const seen = await statuses(admin, [
        ["POST", `${ACME}/quota`, { limit_bytes: 1, limit: "1GiB" }],
        ["POST", `${ACME}/quota`, { limit: "1GiB" }]
      ])
      expect([version, ...seen]).toEqual([version, both, text])
    }
  })

  test("3.7 knows no full access, and lets anyone make organizations", async () => {
    const { admin, bob } = house({ version: "3.7" })
    expect((await bob("POST", "/api/v1/organization/", { name: "bobs" })).status).toBe(201)
    expect((await admin("PUT", "/api/v1/organization/bobs/team/dev", { role: "member" })).status).toBe(403)
    expect((await admin("GET", "/config")).status).toBe(308)
  })

  test("up to 3.13 a write to a path that is not there is a page with 500, unless it ends with a slash", async () => {
    for (const [version, want] of [
      ["3.13", [500, 405]],
      ["3.14", [405, 405]]
    ] as const) {
      const { admin } = house({ version })
      expect(
        await statuses(admin, [
          ["POST", "/api/v1/nosuch", {}],
          ["POST", "/api/v1/nosuch/", {}]
        ])
      ).toEqual(want)
    }
  })

  test("3.12 drops patterns of auto-prune policies and takes only one", async () => {
    const { admin } = await prepared({ version: "3.12" })
    const path = `${ACME}/autoprunepolicy/`
    const policy = { method: "number_of_tags", value: 5, tagPattern: "^pr-" }
    expect((await admin("POST", path, policy)).status).toBe(201)
    expect((await admin("POST", path, { method: "number_of_tags", value: 6 })).status).toBe(400)
    expect(at((await admin("GET", path)).json, "policies", 0, "tagPattern")).toBeUndefined()
  })

  test("3.18 gives a deleted name away at once, 3.17 an address only once", async () => {
    const last = await prepared({ version: "3.18" })
    await last.admin("DELETE", ACME)
    expect((await last.admin("POST", "/api/v1/organization/", { name: "acme" })).status).toBe(201)
    const before = house({ version: "3.17" })
    const make = (name: string) => before.admin("POST", "/api/v1/organization/", { name, email: "x@acme.example" })
    expect([(await make("one")).status, (await make("two")).status]).toEqual([201, 400])
  })
})

describe("a change of a quota", () => {
  test("names bytes or a text or nothing, and nothing else", async () => {
    const { admin } = await prepared()
    await admin("POST", `${ACME}/quota`, { limit_bytes: 1024 })
    const changed = async (body: object) => {
      const { status, json } = await admin("PUT", `${ACME}/quota/1`, body)
      return [status, at(json, "limit_bytes")]
    }
    expect(await changed({})).toEqual([200, 1024])
    expect(await changed({ limit: "2KiB" })).toEqual([200, 2048])
    expect(await changed({ limit_bytes: 1, note: "x" })).toEqual([400, undefined])
    expect(await changed({ note: "x" })).toEqual([400, undefined])
    expect(await changed({ limit_bytes: 1, limit: "1KiB" })).toEqual([400, undefined])
  })
})

describe("content trust", () => {
  const shown = async (send: Send) => at((await send("GET", `${APP}?includeTags=false`)).json, "trust_enabled")

  test("is switched on and off, shown, logged and kept", async () => {
    const { admin, bob, simulator } = await withRepository({ features: { SIGNING: true } })
    expect(await shown(admin)).toBe(false)
    const seen = await statuses(admin, [
      ["POST", `${APP}/changetrust`, { trust_enabled: "yes" }],
      ["POST", "/api/v1/repository/acme/none/changetrust", { trust_enabled: true }],
      ["POST", `${APP}/changetrust`, { trust_enabled: true }]
    ])
    expect(seen).toEqual([400, 404, 200])
    expect((await bob("POST", `${APP}/changetrust`, { trust_enabled: false })).status).toBe(403)
    expect(await shown(admin)).toBe(true)
    expect(simulator.snapshot().log?.at(-1)).toMatchObject({
      kind: "change_repo_trust",
      metadata: { repo: "app", namespace: "acme", trust_enabled: true }
    })
    const again = createSimulator({ state: simulator.snapshot(), features: { SIGNING: true } })
    expect(await shown(sender(again.fetch, again.addToken({ user: "admin" })))).toBe(true)
    await admin("POST", `${APP}/changetrust`, { trust_enabled: false })
    expect(await shown(admin)).toBe(false)
  })

  test("does not exist where it is off, which it is unless somebody says so", async () => {
    const { admin } = await withRepository()
    expect((await admin("POST", `${APP}/changetrust`, { trust_enabled: true })).status).toBe(405)
    expect(await shown(admin)).toBe(false)
  })
})

describe("a mirrored organization", () => {
  test("must have no repositories, no immutability policies and no proxy cache before", async () => {
    const policy = { tagPattern: "^v" }
    for (const [path, body] of [
      ["/api/v1/repository", { namespace: "acme", repository: "app", visibility: "private", description: "" }],
      [`${ACME}/immutabilitypolicy/`, policy],
      [`${ACME}/proxycache`, { upstream_registry: "registry.example.com" }]
    ] as const) {
      const { admin } = await prepared()
      const seen = await statuses(admin, [
        ["POST", path, body],
        ["POST", `${ACME}/mirror`, ORGANIZATION_MIRROR],
        ["GET", `${ACME}/mirror`]
      ])
      expect([path, ...seen]).toEqual([path, 201, 400, 404])
    }
  })

  const mirrored = async (visibility = "public") => {
    const rig = await prepared()
    await rig.admin("POST", `${ACME}/mirror`, { ...ORGANIZATION_MIRROR, visibility })
    rig.simulator.push({ repository: "acme/app", tag: "v1", by: "acme+ci" })
    return rig
  }
  const state = async (send: Send) => at((await send("GET", `${APP}?includeTags=false`)).json, "state")

  test("is filled by its robot alone, as its mirror says", async () => {
    const { admin, simulator } = await mirrored()
    const { json } = await admin("GET", "/api/v1/repository?namespace=acme")
    expect(at(json, "repositories", 0)).toMatchObject({ name: "app", state: "ORG_MIRROR", is_public: true })
    const other = (repository: string) => () => simulator.push({ repository, tag: "v2" })
    expect(other("acme/app")).toThrow(PushRefused)
    expect(other("acme/new")).toThrow(PushRefused)
    expect((await admin("PUT", `${APP}/tag/v1`, { expiration: null })).status).toBe(503)
    const again = createSimulator({ state: simulator.snapshot() })
    expect(again.snapshot()).toEqual(simulator.snapshot())
  })

  test("takes no repositories, states, mirrors of repositories or proxy cache, and everything once it is no more", async () => {
    const { admin } = await mirrored()
    const steps: [string, string, unknown?][] = [
      ["POST", "/api/v1/repository", { namespace: "acme", repository: "b", visibility: "private", description: "" }],
      ["PUT", `${APP}/changestate`, { state: "NORMAL" }],
      ["POST", `${APP}/mirror`, MIRROR],
      ["POST", `${ACME}/proxycache`, { upstream_registry: "registry.example.com" }]
    ]
    expect(await statuses(admin, steps)).toEqual([400, 400, 400, 400])
    expect(await state(admin)).toBe("ORG_MIRROR")
    expect((await admin("DELETE", `${ACME}/mirror`)).status).toBe(204)
    expect(await state(admin)).toBe("NORMAL")
    expect(await statuses(admin, steps)).toEqual([201, 200, 201, 201])
  })

  test("nobody can ask for its state", async () => {
    const { admin } = await withRepository()
    expect((await admin("PUT", `${APP}/changestate`, { state: "ORG_MIRROR" })).status).toBe(400)
  })
})

describe("build triggers", () => {
  const ID = "6a1f7c52-0f5b-4c83-9d0e-2f9a3b1c4d5e"
  const state = {
    organizations: {
      acme: {
        repositories: {
          app: {
            triggers: [
              {
                id: ID,
                service: "github",
                config: { build_source: "acme/app", dockerfile_path: "/Dockerfile" },
                repository_url: "https://github.com/acme/app",
                pull_robot: "acme+ci"
              },
              { id: "half", service: "custom-git", is_active: false }
            ]
          }
        }
      }
    }
  }
  const one = `${APP}/trigger/${ID}`

  test("are those of the state, shown to those who administer the repository", async () => {
    const { admin, bob } = house({ state })
    const { json } = await admin("GET", `${APP}/trigger/`)
    expect(at(json, "triggers")).toHaveLength(2)
    expect(at(json, "triggers", 0)).toEqual((await admin("GET", one)).json)
    expect(at(json, "triggers", 0)).toEqual({
      id: ID,
      service: "github",
      is_active: true,
      build_source: "acme/app",
      repository_url: "https://github.com/acme/app",
      config: { build_source: "acme/app", dockerfile_path: "/Dockerfile" },
      can_invoke: true,
      enabled: true,
      disabled_reason: null,
      pull_robot: { name: "acme+ci", kind: "user", is_robot: true }
    })
    expect((await bob("GET", `${APP}/trigger/`)).status).toBe(403)
  })

  test("are switched off and on, and deleted; one that was not set up to the end is only deleted", async () => {
    const { admin, simulator } = house({ state })
    const enabled = async () => {
      const { json } = await admin("GET", one)
      return [at(json, "enabled"), at(json, "disabled_reason")]
    }
    const answer = await admin("PUT", one, { enabled: false })
    expect([answer.status, at(answer.json, "enabled"), at(answer.json, "config")]).toEqual([200, false, {}])
    expect(await enabled()).toEqual([false, "user_toggled"])
    const again = createSimulator({ state: JSON.parse(JSON.stringify(simulator.snapshot())) })
    expect(again.snapshot()).toEqual(simulator.snapshot())
    await admin("PUT", one, { enabled: true })
    expect(await enabled()).toEqual([true, null])
    const seen = await statuses(admin, [
      ["PUT", one, {}],
      ["PUT", `${APP}/trigger/none`, { enabled: true }],
      ["PUT", `${APP}/trigger/half`, { enabled: true }],
      ["DELETE", `${APP}/trigger/half`],
      ["DELETE", one],
      ["DELETE", one],
      ["GET", one]
    ])
    expect(seen).toEqual([400, 404, 400, 204, 204, 404, 404])
    expect((await admin("GET", `${APP}/trigger/`)).json).toEqual({ triggers: [] })
    const kinds = simulator.snapshot().log?.map(({ kind }) => kind)
    expect(kinds).toEqual(["toggle_repo_trigger", "toggle_repo_trigger", "delete_repo_trigger"])
  })

  test("stay as they are while the repository is not normal", async () => {
    const { admin } = house({ state })
    await admin("PUT", `${APP}/changestate`, { state: "READ_ONLY" })
    const seen = await statuses(admin, [
      ["PUT", one, { enabled: false }],
      ["DELETE", one],
      ["GET", one]
    ])
    expect(seen).toEqual([503, 503, 200])
  })
})

test("everything is kept", async () => {
  const { admin, simulator } = await withRepository()
  const seen = await statuses(admin, [
    ["POST", "/api/v1/organization/", { name: "mirrored" }],
    ["PUT", "/api/v1/organization/mirrored/robots/ci"],
    ["POST", "/api/v1/organization/mirrored/mirror", { ...ORGANIZATION_MIRROR, robot_username: "mirrored+ci" }],
    ["POST", `${ACME}/applications`, { name: "console", avatar_email: "c@acme.example" }],
    ["POST", `${ACME}/proxycache`, { upstream_registry: "registry.example.com", expiration_s: 60 }],
    ["POST", `${ACME}/autoprunepolicy/`, { method: "creation_date", value: "7d", tagPattern: "^pr-" }],
    ["POST", `${APP}/autoprunepolicy/`, { method: "number_of_tags", value: 5 }],
    ["POST", `${ACME}/immutabilitypolicy/`, { tagPattern: "^v" }],
    ["POST", `${APP}/immutabilitypolicy/`, { tagPattern: "^v", tagPatternMatches: false }],
    ["POST", `${ACME}/quota`, { limit: "1GiB" }],
    ["POST", `${ACME}/quota/1/limit`, { type: "Warning", threshold_percent: 80 }],
    ["POST", `${ACME}/notifications`, { ...WEBHOOK, event: "quota_error" }],
    ["POST", `${APP}/notification/`, { ...WEBHOOK, event: "repo_push", title: "pushes" }],
    ["POST", `${APP}/mirror`, { ...MIRROR, external_registry_config: { proxy: { http_proxy: null } } }],
    ["POST", "/api/v1/messages", { message: { content: "x", media_type: "text/plain", severity: "info" } }]
  ])
  expect(seen.filter((status) => status >= 300)).toEqual([])
  const state = simulator.snapshot()
  const again = createSimulator({ state: JSON.parse(JSON.stringify(state)) })
  expect(again.snapshot()).toEqual(state)
  const send = sender(again.fetch, again.addToken({ user: "admin" }))
  const reads = [`${APP}/mirror`, `${ACME}/quota`, `${APP}/notification/`, `${ACME}/applications`, "/api/v1/messages"]
  for (const path of [...reads, "/api/v1/organization/mirrored/mirror", `${ACME}/proxycache`]) {
    expect((await send("GET", path)).json).toEqual((await admin("GET", path)).json)
  }
})
