// Proxy caches over HTTP: made and made anew, with credentials that go into the request and nowhere else.
import { describe, expect, test } from "vitest"
import { proxyCache as kind } from "../src/proxy-cache.ts"
import { rejection, type Trial, trials } from "./harness.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const there = ({ org, quay }: Trial) =>
  quay.GET("/api/v1/organization/{orgname}/proxycache", { params: { path: { orgname: org } } })

/** What a row ends with. */
const is =
  (upstream_registry: string, expiration_s: number | "" = 86_400, insecure: boolean | "" = false) =>
  async (trial: Trial) =>
    expect(await there(trial)).toEqual({ upstream_registry, expiration_s, insecure })

const none = is("", "", "")

// A live Quay asks the upstream registry whether it is one.
const UPSTREAM = "docker.io"
const FULL = `proxy_cache: { upstream: ${UPSTREAM}/library, expiration: 12h, insecure: true }`
const SECRETS = `proxy_cache: { upstream: ${UPSTREAM}, username: { env: NAME }, password: { env: WORD } }`

rows("proxy caches", [
  {
    name: "one is made, with a day and security where nothing is said",
    want: `proxy_cache: { upstream: ${UPSTREAM} }`,
    operations: ["create:proxy-cache:$org"],
    also: is(UPSTREAM)
  },
  {
    name: "one is made with all that can be said",
    want: FULL,
    operations: ["create:proxy-cache:$org"],
    also: is(`${UPSTREAM}/library`, 43_200, true)
  },
  {
    name: "what is written otherwise is the same",
    given: `proxy_cache: { upstream: ${UPSTREAM} }`,
    want: `proxy_cache: { upstream: ${UPSTREAM}, expiration: 24h, insecure: false }`,
    operations: []
  },
  {
    name: "another upstream is a new one",
    given: FULL,
    want: "proxy_cache: { upstream: quay.io, expiration: 12h, insecure: true }",
    operations: ["replace:proxy-cache:$org"],
    also: is("quay.io", 43_200, true)
  },
  {
    name: "another expiration is a new one",
    given: FULL,
    want: `proxy_cache: { upstream: ${UPSTREAM}/library, expiration: 1w, insecure: true }`,
    operations: ["replace:proxy-cache:$org"],
    also: is(`${UPSTREAM}/library`, 604_800, true)
  },
  {
    name: "another security is a new one",
    given: FULL,
    want: `proxy_cache: { upstream: ${UPSTREAM}/library, expiration: 12h, insecure: false }`,
    operations: ["replace:proxy-cache:$org"],
    also: is(`${UPSTREAM}/library`, 43_200, false)
  },
  {
    name: "what the file leaves out stays as it is",
    given: FULL,
    want: `proxy_cache: { upstream: ${UPSTREAM}/library }`,
    operations: [],
    also: is(`${UPSTREAM}/library`, 43_200, true)
  },
  {
    name: "where none is wanted it is kept",
    given: FULL,
    want: "proxy_cache: {}",
    operations: [],
    extras: ["proxy-cache:$org"],
    also: is(`${UPSTREAM}/library`, 43_200, true)
  },
  {
    name: "where none is wanted it is deleted if it is pruned",
    given: FULL,
    want: "prune: [proxy_cache]\nproxy_cache: {}",
    operations: ["delete:proxy-cache:$org"],
    also: none
  },
  { name: "none is wanted and none is there", want: "proxy_cache: {}", operations: [] },
  { name: "without the section it stays", given: FULL, want: "prune: []", operations: [] },
  {
    name: "what was made otherwise behind our back is made anew",
    given: FULL,
    drift: async ({ org, quay }) => {
      const params = { path: { orgname: org } }
      await quay.DELETE("/api/v1/organization/{orgname}/proxycache", { params })
      await quay.POST("/api/v1/organization/{orgname}/proxycache", {
        params,
        body: { org_name: org, upstream_registry: "quay.io" }
      })
    },
    want: FULL,
    operations: ["replace:proxy-cache:$org"],
    also: is(`${UPSTREAM}/library`, 43_200, true)
  },
  {
    name: "what was deleted behind our back is made again",
    given: FULL,
    drift: ({ org, quay }) =>
      quay.DELETE("/api/v1/organization/{orgname}/proxycache", { params: { path: { orgname: org } } }),
    want: FULL,
    operations: ["create:proxy-cache:$org"],
    also: is(`${UPSTREAM}/library`, 43_200, true)
  }
])

/** What a simulated registry keeps of the credentials. */
const credentials = ({ org, registry }: Trial): unknown => {
  const found = JSON.stringify(registry.simulator?.snapshot() ?? {})
  const [, name] = new RegExp(`"${org}".*?"upstream_registry_username":("[^"]*"|null)`).exec(found) ?? []
  const [, word] = new RegExp(`"${org}".*?"upstream_registry_password":("[^"]*"|null)`).exec(found) ?? []
  return [name, word].map((it): unknown => (it === undefined ? undefined : JSON.parse(it)))
}

describe("credentials", () => {
  simulated("go where they belong, and into no plan and no report", async (trial) => {
    trial.env.set("NAME", "the-puller").set("WORD", "hunter2-hunter2")
    await trial.reach("prune: []")
    const plan = await trial.plan(SECRETS)
    const report = await trial.apply(plan)
    expect(credentials(trial)).toEqual(["the-puller", "hunter2-hunter2"])
    const again = await trial.plan(SECRETS)
    expect(trial.ids(again)).toEqual([])
    expect(JSON.stringify([plan, report, again])).not.toMatch(/hunter2|the-puller/)
    expect(again.notices.map(({ message }) => message)).toEqual([
      expect.stringMatching(/username and password|password and username/)
    ])
  })

  simulated("are sent again when it is made anew", async (trial) => {
    trial.env.set("NAME", "the-puller").set("WORD", "hunter2-hunter2")
    await trial.reach(SECRETS)
    trial.env.set("WORD", "hunter3-hunter3")
    await trial.reach(SECRETS.replace(`${UPSTREAM},`, `${UPSTREAM}, insecure: true,`))
    expect(credentials(trial)).toEqual(["the-puller", "hunter3-hunter3"])
  })

  simulated("may have a name in plain text", async (trial) => {
    trial.env.set("WORD", "hunter2-hunter2")
    await trial.reach(`proxy_cache: { upstream: ${UPSTREAM}, username: puller, password: { env: WORD } }`)
    expect(credentials(trial)).toEqual(["puller", "hunter2-hunter2"])
  })

  simulated("that cannot be had stop it before anything is done", async (trial) => {
    await trial.reach("prune: []")
    const report = await trial.apply(await trial.plan(SECRETS))
    expect(report.results).toMatchObject([{ outcome: "failed", error: expect.stringMatching(/NAME/) }])
    await none(trial)
  })

  tested("that the file does not name are said to be lost when it is made anew", async (trial) => {
    await trial.reach(`proxy_cache: { upstream: ${UPSTREAM} }`)
    const notices = async (file: string) => (await trial.plan(file)).notices.map(({ message }) => message)
    expect(await notices("proxy_cache: { upstream: quay.io }")).toEqual([expect.stringMatching(/lost/)])
    expect(await notices(`proxy_cache: { upstream: ${UPSTREAM} }`)).toEqual([])
    expect(await notices(SECRETS.replace(UPSTREAM, "quay.io"))).toEqual([])
  })
})

describe("a plan of proxy caches", () => {
  simulated("costs one request for an organization that is there, and none for one that is not", async (trial) => {
    trial.simulator.requests.reset()
    await trial.plan(FULL)
    const on = "GET /api/v1/organization/{orgname}/proxycache"
    expect(trial.simulator.requests.all()[on] ?? 0).toBe(0)
    await trial.reach(FULL)
    trial.simulator.requests.reset()
    await trial.plan(FULL)
    expect(trial.simulator.requests.all()[on]).toBe(1)
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "drop" },
    { kind: "bad-gateway", applied: true }
  ] as const)
    simulated(`is made once when the answer is lost: ${JSON.stringify(effect)}`, async (trial) => {
      await trial.reach(`proxy_cache: { upstream: ${UPSTREAM} }`)
      const plan = await trial.plan(FULL)
      trial.simulator.faults.add({ on: "POST /api/v1/organization/{orgname}/proxycache", times: 1, effect })
      const report = await trial.apply(plan)
      trial.simulator.faults.clear()
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
      await is(`${UPSTREAM}/library`, 43_200, true)(trial)
    })

  for (const [what, file, words] of [
    ["an address with a scheme", "proxy_cache: { upstream: https://docker.io }", /without https/],
    ["a password in the file", "proxy_cache: { upstream: docker.io, password: hunter2 }", /env: NAME/],
    ["an expiration that is none", "proxy_cache: { upstream: docker.io, expiration: soon }", /a number and a unit/],
    ["settings of nothing", "proxy_cache: { insecure: true }", /upstream/],
    ["nothing at all", "proxy_cache: null", /proxy_cache/],
    ["an unknown key", "proxy_cache: { upstream: docker.io, user: x }", /"user"/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      const error = String(await rejection(trial.plan(file)))
      expect(error).toMatch(words)
      expect(error).not.toMatch(/hunter2/)
    })

  otherwise("is refused where it is switched off", { features: { PROXY_CACHE: false } }, async (trial) => {
    await trial.reach("prune: []")
    expect(String(await rejection(trial.plan(FULL)))).toMatch("FEATURE_PROXY_CACHE")
  })

  for (const version of ["3.7.14", "3.9.23", "3.10.25", "3.12.21", "3.15.5"])
    otherwise(`is the same on ${version}`, { version }, async (trial) => {
      await trial.reach(FULL)
      await is(`${UPSTREAM}/library`, 43_200, true)(trial)
      await trial.reach("proxy_cache: { upstream: quay.io }")
      await trial.reach("prune: [proxy_cache]\nproxy_cache: {}")
      await none(trial)
    })
})

describe("the section", () => {
  for (const node of [
    {},
    { upstream: "docker.io" },
    { upstream: "docker.io/library", expiration: "12h", insecure: true },
    { upstream: "docker.io", username: "puller", password: { env: "WORD" } },
    { upstream: "docker.io", username: { file: "name" }, password: { file: "word" } }
  ])
    test(`is written as it was read: ${JSON.stringify(node)}`, () => {
      const items = kind.section.read(node, "acme").map(({ item }) => item)
      expect(kind.section.write?.(items)).toEqual(node)
    })
})
