// Mirrors of organizations over HTTP: every field of one, the organization that one wants, and what is left when it is removed.
// The other registry is a real one, because Quay looks its host up.
import { ConfigError } from "@quaymaster/config"
import { PlanRefused } from "@quaymaster/engine"
import { describe, expect, test } from "vitest"
import { organizationMirror as kind, type OrganizationMirror } from "../src/organization-mirror.ts"
import { operationOf, rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const ROBOTS = "robots: { sync: {}, other: {} }\n"

/** A file with a mirror; fields are YAML. */
const file = (fields: { readonly [field: string]: string } = {}, before = ROBOTS) => {
  const all = { type: "quay", url: "https://quay.io", namespace: "libpod", robot: "sync", ...fields }
  const mirror = Object.entries(all).map(([name, value]) => `  ${name}: ${value}\n`)
  return `organization: $org\n${before}mirror:\n${mirror.join("")}`
}

const params = ({ org }: Trial) => ({ path: { orgname: org } })

const there = (trial: Trial) => trial.quay.GET("/api/v1/organization/{orgname}/mirror", { params: params(trial) })

/** What a row ends with: a part of the mirror as Quay tells it. */
const is = (wanted: object) => async (trial: Trial) => expect(await there(trial)).toMatchObject(wanted)

const none = async (trial: Trial) => expect(await rejection(there(trial))).toMatchObject({ _tag: "Missing" })

const put = (trial: Trial, body: object) =>
  trial.quay.PUT("/api/v1/organization/{orgname}/mirror", { params: params(trial), body })

const CHANGED = ["update:organization-mirror:$org"]
const MADE = ["create:organization-mirror:$org", "create:robot:$org/other", "create:robot:$org/sync"]

const EVERYTHING = {
  visibility: "public",
  repository_filters: '["alpine", "busy*"]',
  interval: "6h",
  start: "2031-01-01T02:00:00Z",
  username: "puller",
  verify_tls: "false",
  proxy: '{ http: "http://a.example:1", https: "http://b.example:2", no_proxy: "c.example" }',
  enabled: "false",
  timeout: "10m"
}

rows("mirrors of organizations", [
  {
    name: "one is made with what Quay takes where a file says nothing",
    want: file({ enabled: "false" }),
    operations: MADE,
    also: async (trial) =>
      is({
        is_enabled: false,
        external_registry_type: "quay",
        external_registry_url: "https://quay.io",
        external_namespace: "libpod",
        external_registry_username: null,
        external_registry_config: { verify_tls: true },
        repository_filters: [],
        robot_username: trial.real("$org+sync"),
        visibility: "private",
        sync_interval: 86_400,
        skopeo_timeout: 300
      })(trial)
  },
  {
    name: "one is made with its organization, and with everything that can be said of it",
    want: file(EVERYTHING).replace("$org", "$later"),
    operations: [
      "create:organization-mirror:$later",
      "create:organization:$later",
      "create:robot:$later/other",
      "create:robot:$later/sync"
    ]
  },
  {
    name: "every field changes but the registry's type",
    given: file({ enabled: "true" }),
    want: file({
      ...EVERYTHING,
      url: "https://registry.access.redhat.com",
      namespace: "ubi9",
      robot: "other"
    }),
    operations: CHANGED,
    also: async (trial) =>
      is({
        is_enabled: false,
        external_registry_url: "https://registry.access.redhat.com",
        external_namespace: "ubi9",
        external_registry_username: "puller",
        external_registry_config: {
          verify_tls: false,
          proxy: { http_proxy: "http://a.example:1", https_proxy: "http://b.example:2", no_proxy: "c.example" }
        },
        repository_filters: ["alpine", "busy*"],
        robot_username: trial.real("$org+other"),
        visibility: "public",
        sync_interval: 21_600,
        sync_start_date: "2031-01-01T02:00:00Z",
        skopeo_timeout: 600
      })(trial)
  },
  {
    name: "what a file leaves out stays, in what Quay replaces as a whole, too",
    given: file(EVERYTHING),
    want: file({ verify_tls: "true", proxy: '{ http: "" }' }),
    operations: CHANGED,
    also: is({
      is_enabled: false,
      external_registry_username: "puller",
      external_registry_config: {
        verify_tls: true,
        proxy: { http_proxy: null, https_proxy: "http://b.example:2", no_proxy: "c.example" }
      },
      repository_filters: ["alpine", "busy*"],
      visibility: "public",
      sync_interval: 21_600,
      skopeo_timeout: 600
    })
  },
  {
    name: "what is written otherwise is the same",
    given: file({ repository_filters: "[a, b]", interval: "24h", timeout: "10m", enabled: "false" }),
    want: file({ repository_filters: "[b, a]", interval: "1d", timeout: "600s", enabled: "false" }),
    operations: []
  },
  {
    name: "what was changed behind our back is put right, field by field",
    given: file({ ...EVERYTHING, start: "2031-01-01T02:00:00Z" }),
    drift: (trial) =>
      put(trial, {
        is_enabled: true,
        external_registry_url: "https://registry.access.redhat.com",
        external_namespace: "evil",
        external_registry_username: "mallory",
        external_registry_config: { verify_tls: true },
        repository_filters: [],
        robot_username: trial.real("$org+other"),
        visibility: "private",
        sync_interval: 7200,
        sync_start_date: "2031-01-01T03:00:00Z",
        skopeo_timeout: 30
      }),
    want: file(EVERYTHING),
    operations: CHANGED,
    also: async (trial, plan) => {
      const update = operationOf(trial, plan, "update:organization-mirror:$org")
      expect(update?.action === "update" ? update.changes.map(({ field }) => field) : []).toEqual([
        "enabled",
        "interval",
        "namespace",
        "proxy.http",
        "proxy.https",
        "proxy.no_proxy",
        "repository_filters",
        "robot",
        "start",
        "timeout",
        "url",
        "username",
        "verify_tls",
        "visibility"
      ])
      await is({ external_namespace: "libpod", visibility: "public", sync_start_date: "2031-01-01T02:00:00Z" })(trial)
    }
  },
  {
    name: "a date that Quay moved on is the same rhythm",
    given: file({ ...EVERYTHING }),
    drift: (trial) => put(trial, { sync_start_date: "2031-02-03T14:00:00Z" }),
    want: file(EVERYTHING),
    operations: [],
    also: is({ sync_start_date: "2031-02-03T14:00:00Z" })
  },
  {
    name: "the registry's type cannot change",
    given: file({ enabled: "false" }),
    want: file({ type: "harbor", enabled: "false", interval: "6h" }),
    operations: CHANGED,
    stuck: ["organization-mirror:$org"],
    also: is({ external_registry_type: "quay", sync_interval: 21_600 })
  },
  {
    name: "one that a file does not want is kept unless it is pruned",
    given: file({ enabled: "false" }),
    want: `${ROBOTS}mirror: {}`,
    operations: [],
    extras: ["organization-mirror:$org"],
    also: is({ is_enabled: false })
  },
  {
    name: "one is removed where mirrors are pruned",
    given: file({ enabled: "false" }),
    want: `${ROBOTS}prune: [mirror]\nmirror: {}`,
    operations: ["delete:organization-mirror:$org"],
    extras: [],
    also: async (trial, plan) => {
      expect(plan.notices.map(({ message }) => message)).toEqual([
        "The repositories that it made stay, as normal ones."
      ])
      await none(trial)
    }
  },
  {
    name: "one of which a file says nothing is left alone",
    given: file({ enabled: "false" }),
    want: ROBOTS,
    operations: [],
    extras: [],
    also: is({ is_enabled: false })
  },
  {
    name: "one goes along with its robot, as Quay removes it",
    given: file({ enabled: "false" }),
    want: "prune: [robots]\nrobots: { other: {} }\nmirror: {}",
    operations: ["delete:robot:$org/sync"],
    also: async (trial, plan) => {
      const cascades = { cascades: [trial.real("organization-mirror:$org")] }
      expect(operationOf(trial, plan, "delete:robot:$org/sync")).toMatchObject(cascades)
      await none(trial)
    }
  }
])

describe("the mirror's secrets", () => {
  tested("are sent when it is made and whenever it changes, and are in no plan", async (trial) => {
    const secret = (interval: string) =>
      file({ username: "{ env: PULLER }", password: "{ env: WORD }", enabled: "false", interval })
    trial.env.set("PULLER", "secret-name").set("WORD", "secret-word")
    const made = await trial.reach(secret("6h"))
    await is({ external_registry_username: "secret-name", has_external_registry_password: true })(trial)
    trial.env.set("PULLER", "second-name")
    const changed = await trial.reach(secret("12h"))
    await is({ external_registry_username: "second-name" })(trial)
    expect(JSON.stringify([made, changed])).not.toMatch(/secret-name|second-name|secret-word/)
  })
})

tested(
  "a user and a password in a proxy's address are told nobody, and stay when another setting is written",
  async (trial) => {
    await trial.reach(file())
    const proxy = {
      http_proxy: "http://bob:s3cret@a.example:1",
      https_proxy: "bob:s3cr@et@b.example:2",
      no_proxy: null
    }
    await put(trial, { external_registry_config: { verify_tls: true, proxy } })
    const plan = await trial.plan(file({ verify_tls: "false", proxy: '{ no_proxy: "c.example" }' }))
    expect(JSON.stringify(plan)).not.toMatch(/s3cr|et@b|bob/)
    expect(JSON.stringify(plan)).toContain("http://hidden@a.example:1")
    await trial.reach(file({ verify_tls: "false", proxy: '{ no_proxy: "c.example" }' }))
    await is({ external_registry_config: { verify_tls: false, proxy: { ...proxy, no_proxy: "c.example" } } })(trial)
    expect(String(await rejection(trial.plan(file({ proxy: '{ http: "http://bob:s3cret@a.example:1" }' }))))).toMatch(
      /proxy\.http: should be an address without a user and a password in it(?!.*s3cret)/
    )
  }
)

describe("an organization that is to become a mirror", () => {
  const refused = async (trial: Trial, words: RegExp) => {
    const error = await rejection(trial.plan(file()))
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error)).toMatch(words)
    await none(trial)
  }

  tested("has no repositories", async (trial) => {
    await trial.reach(`${ROBOTS}repositories: { app: {}, web: {} }`)
    await refused(trial, /cannot become a mirror while it has 2 repositories/)
  })

  tested("has no proxy cache", async (trial) => {
    await trial.reach(`${ROBOTS}proxy_cache: { upstream: docker.io }`)
    await refused(trial, /cannot become a mirror while it has a proxy cache/)
  })

  tested("has no immutability policies, and is told of everything at once", async (trial) => {
    await trial.reach(`${ROBOTS}immutability: [{ tag_pattern: v.* }]\nrepositories: { app: {} }`)
    await refused(trial, /cannot become a mirror while it has 1 repository and immutability policies/)
  })

  tested("is to have none, either", async (trial) => {
    const beside = (names: string) => file({}, `${ROBOTS}repositories: { ${names} }\n`)
    for (const given of ["prune: []", ROBOTS]) {
      await trial.reach(given)
      const error = await rejection(trial.plan(beside("app: {}, web: {}")))
      expect(error).toBeInstanceOf(PlanRefused)
      expect(String(error)).toMatch(/declare 2 repositories of .* Quay mirrors into an empty organization only/)
      expect(String(error)).toMatch(/1\.yaml:/)
    }
    await trial.reach(beside(""))
  })

  tested("is not asked for a cache or policies in the same file", async (trial) => {
    for (const beside of ["proxy_cache: { upstream: docker.io }", "immutability: [{ tag_pattern: v.* }]"])
      expect(String(await rejection(trial.plan(file({}, `${ROBOTS}${beside}\n`))))).toMatch(/cannot stand beside this/)
  })

  simulated("is looked at only as long as it is none", async (trial) => {
    await trial.reach(file({ enabled: "false" }))
    trial.simulator.requests.reset()
    await trial.plan(file({ enabled: "false" }))
    expect(trial.simulator.requests.all()).toMatchObject({ "GET /api/v1/organization/{orgname}/mirror": 1 })
    expect(Object.keys(trial.simulator.requests.all()).join()).not.toMatch(/proxycache|immutability|repository/)
  })
})

describe("an organization that is a mirror", () => {
  tested("is refused repositories that the mirror has not made", async (trial) => {
    await trial.reach(file({ enabled: "false" }))
    const error = await rejection(trial.plan(file({ enabled: "false" }, `${ROBOTS}repositories: { app: {} }\n`)))
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error)).toMatch(/repository .*\/app: .*Quay alone makes repositories in it/)
  })

  simulated("is known by what it has found, where no file says anything of it", async (trial) => {
    await trial.reach(file({ enabled: "false" }))
    trial.simulator.push({ repository: `${trial.org}/app`, tag: "v1", by: `${trial.org}+sync` })
    await trial.reach(`${ROBOTS}repositories: { app: { description: Found } }`)
    const other = await rejection(trial.plan(`${ROBOTS}repositories: { app: {}, web: {} }`))
    expect(other).toBeInstanceOf(PlanRefused)
    expect(String(other)).toMatch(/repository .*\/web: .*Quay alone makes repositories in it/)
    const mirror = `{ source: quay.io/libpod/alpine, tags: [a], robot: sync }`
    const own = await rejection(trial.plan(`${ROBOTS}repositories: { app: { mirror: ${mirror} } }`))
    expect(own).toBeInstanceOf(PlanRefused)
    expect(String(own)).toMatch(/repository-mirror .*\/app: Quay mirrors the organization as a whole/)
    await trial.reach(`${ROBOTS}repositories: { app: { mirror: { enabled: false } } }`)
  })

  for (const [what, section, words] of [
    ["repositories", "repositories: { app: {} }", /repository .*\/app: .*Quay alone makes repositories in it/],
    ["a cache", "proxy_cache: { upstream: docker.io }", /proxy-cache .*: The organization is a mirror/]
  ] as const)
    tested(`is refused ${what} although nothing shows of the mirror, and no file speaks of it`, async (trial) => {
      await trial.reach(file({ enabled: "false" }))
      for (const text of [section, `mirror: {}\n${section}`]) {
        const error = await rejection(trial.plan(text))
        expect(error).toBeInstanceOf(PlanRefused)
        expect(String(error)).toMatch(words)
      }
      await trial.reach(`prune: [mirror]\nmirror: {}\n${section}`)
    })

  tested("has repositories made as soon as the mirror is gone", async (trial) => {
    await trial.reach(file({ enabled: "false" }))
    const plan = await trial.reach(`${ROBOTS}prune: [mirror]\nmirror: {}\nrepositories: { app: {} }`)
    expect(operationOf(trial, plan, "create:repository:$org/app")?.needs).toEqual([
      trial.real("delete:organization-mirror:$org")
    ])
  })
})

describe("a file", () => {
  for (const [what, text, words] of [
    [
      "without a type",
      "mirror: { url: https://quay.io, namespace: a, robot: ci }",
      /needs type, url, namespace and robot/
    ],
    [
      "without a robot",
      "mirror: { type: quay, url: https://quay.io, namespace: a }",
      /needs type, url, namespace and robot/
    ],
    ["that only turns one off", "mirror: { enabled: false }", /needs type, url, namespace and robot/],
    ["with a type that Quay does not know", file({ type: "docker" }), /harbor/],
    ["with a URL that is none", file({ url: "quay.io" }), /a URL such as/],
    ["with a robot that it does not declare", file({ robot: "cx" }), /robot .* is not declared/],
    ["with too little between runs", file({ interval: "30s" }), /at least 1m/],
    ["with a timeout that is too short", file({ timeout: "10s" }), /from 30s to 1h/],
    ["with a timeout that is too long", file({ timeout: "2h" }), /from 30s to 1h/],
    ["with a password and nobody", file({ password: "{ env: WORD }" }), /password needs a username/],
    ["with a password in plain text", file({ username: "puller", password: "hunter2" }), /\{ env: NAME \}/],
    ["with a filter twice", file({ repository_filters: "[a, a]" }), /twice/]
  ] as const)
    tested(`${what} is refused`, async (trial) => {
      const error = await rejection(trial.plan(text))
      expect(error).toBeInstanceOf(ConfigError)
      expect(String(error)).toMatch(words)
      expect(String(error)).not.toMatch(/hunter2/)
    })
})

describe("a registry", () => {
  for (const text of [file(), "mirror: {}"]) {
    otherwise(`that switched them off refuses ${text}`, { features: { ORG_MIRROR: false } }, async (trial) => {
      const error = await rejection(trial.plan(text))
      expect(error).toBeInstanceOf(PlanRefused)
      expect(String(error)).toMatch(/mirror of .*: .*FEATURE_ORG_MIRROR/)
    })
    otherwise(`of before 3.17 refuses ${text}`, { version: "3.16" }, async (trial) => {
      expect(String(await rejection(trial.plan(text)))).toMatch(/came with Quay 3\.17/)
    })
  }

  otherwise("of 3.17 has them", { version: "3.17" }, async (trial) => {
    await trial.reach(file(EVERYTHING))
    await trial.reach(file({ interval: "12h" }))
    await trial.reach("prune: [mirror]\nmirror: {}")
    await none(trial)
  })
})

describe("an exported mirror", () => {
  const plain: OrganizationMirror = {
    organization: "acme",
    type: "quay",
    url: "https://quay.io",
    namespace: "libpod",
    robot: "sync",
    interval: "1d"
  }

  test("is read as it was", () => {
    const item: OrganizationMirror = {
      ...plain,
      visibility: "public",
      repository_filters: ["alpine"],
      username: "puller",
      verify_tls: false,
      proxy: { https: "http://b.example:2" },
      enabled: false,
      timeout: "10m"
    }
    expect(written(kind.section, [item], "acme").items).toEqual([item])
    expect(written(kind.section, [], "acme")).toEqual({ node: {}, items: [] })
  })

  test("says nothing that goes without saying, nor when it runs next", () => {
    const { organization: _, ...node } = plain
    const item: OrganizationMirror = {
      ...plain,
      visibility: "private",
      repository_filters: [],
      start: "2031-01-01T00:00:00Z",
      username: "",
      verify_tls: true,
      proxy: { http: "", https: "", no_proxy: "" },
      enabled: true,
      timeout: "5m"
    }
    expect(written(kind.section, [item], "acme").node).toEqual(node)
  })
})
