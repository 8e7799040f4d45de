// The library as its users use it: files and values in, a plan out, the plan applied, over HTTP and in process.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { apply, type Event, encodePlan, plan, readPlan, validate } from "../src/index.ts"
import { rejection, scene, simulated } from "./harness.ts"

const ACME = {
  email: "$a@example.com",
  teams: { dev: { role: "member", members: { users: ["$alice"], robots: ["ci"] } } },
  robots: { ci: {} },
  default_permissions: [{ role: "read", team: "dev" }],
  repositories: {
    app: { description: "The product", permissions: { users: { $bob: "admin" }, teams: { dev: "read" } } }
  }
}

const FILE = `organization: $org
teams:
  dev:
    role: creator
    members: { users: [$alice] }
`

const ids = ({
  targets
}: {
  readonly targets: ReadonlyArray<{ readonly operations: ReadonlyArray<{ id: string }> }>
}) => targets.flatMap(({ operations }) => operations.map(({ id }) => id))

describe("planning and applying", () => {
  scene("takes files, and tells where each operation comes from", async ({ file, options, org }) => {
    await file("orgs/acme.yaml", FILE)
    const made = await plan({ ...options, files: ["orgs"] })
    expect(made.targets[0]?.operations.map(({ id, source }) => [id, source])).toEqual([
      [`create:organization:${org}`, "orgs/acme.yaml:1"],
      [expect.stringMatching(/^create:team-member:/), "orgs/acme.yaml:5"],
      [`create:team:${org}/dev`, "orgs/acme.yaml:3"]
    ])
    expect((await apply(made, options)).outcome).toBe("applied")
    expect(ids(await plan({ ...options, files: ["orgs/*.yaml"] }))).toEqual([])
  })

  scene("takes organizations as values, beside files", async ({ file, options, org, value }) => {
    await file("acme.yaml", FILE)
    const other = value({ organization: "$other", robots: { ci: {} } })
    const made = await plan({ ...options, files: ["acme.yaml"], organizations: [other] })
    expect(made.summary).toMatchObject({ create: 5 })
    await apply(made, options)
    expect(ids(await plan({ ...options, files: ["acme.yaml"], organizations: [other] }))).toEqual([])
    expect(made.targets[0]?.scope.map(({ parent }) => parent)).toContain(org)
  })

  scene("makes a whole organization, and finds nothing to do afterwards", async ({ reach, plan: planned }) => {
    const made = await reach(ACME)
    expect(made.summary).toMatchObject({ delete: 0, update: 0, extras: 0, stuck: 0 })
    expect((await planned(ACME)).summary.unchanged).toBe(made.summary.create)
  })

  scene("tells all the mistakes of all files at once, before any request", async ({ file, options }) => {
    await file("one.yaml", "organization: $org\nteams: { dev: { role: boss } }\n")
    await file("two.yaml", "organization: Upper\nrobots: null\n")
    const error = await rejection(plan({ ...options, token: "wrong", files: ["one.yaml", "two.yaml", "three.yaml"] }))
    expect(error).toMatchObject({ _tag: "ConfigError" })
    expect(String(error).match(/^.*(one|two|three)\.yaml/gm)?.length).toBeGreaterThanOrEqual(4)
  })

  scene("checks files without asking a registry", async ({ file, options, registry }) => {
    await file("acme.yaml", FILE)
    expect(await validate({ ...options, token: "wrong", files: ["acme.yaml"] })).toEqual([
      { registry: registry.url, url: registry.url, files: ["acme.yaml"], objects: 3, collections: 3 }
    ])
  })

  scene(
    "refuses what needs something that is not there, with every problem and its place",
    async ({ file, options }) => {
      await file(
        "acme.yaml",
        "organization: $org\nteams:\n  dev: { members: { robots: [ghost, phantom] } }\nrobots: {}\n"
      )
      const error = await rejection(plan({ ...options, files: ["acme.yaml"] }))
      expect(String(error)).toMatch(/acme\.yaml:3.*ghost[\s\S]*acme\.yaml:3.*phantom/)
    }
  )

  scene("plans nothing for no organizations", async ({ options }) => {
    expect(await plan({ ...options, organizations: [] })).toMatchObject({ targets: [], summary: { create: 0 } })
  })
})

describe("earlier releases", () => {
  for (const version of ["3.7", "3.9", "3.12", "3.14", "3.16", "3.17"])
    simulated(
      `are kept the same way: ${version}`,
      async ({ reach, registry }) => {
        await reach(ACME)
        await reach(
          {
            ...ACME,
            email: "$b@example.com",
            tag_expiration: "1d",
            prune: ["teams", "robots", "repositories"],
            teams: { ops: { role: "admin", description: "x", members: { users: ["$bob"] } } },
            robots: {},
            default_permissions: [{ role: "admin", team: "ops", created_by: "$me" }],
            repositories: {
              "vendor/web": { visibility: "public", permissions: { users: {}, teams: { ops: "admin" } } }
            }
          },
          { destroy: ["repository:$org/app", "robot:$org/ci"] }
        )
        expect(registry.live).toBe(false)
      },
      { version }
    )
})

describe("what a plan costs", () => {
  simulated("is who-am-I twice for a registry, and the reading of each organization", async (it) => {
    const { options, simulator, value } = it
    const organizations = [value(ACME), value({ ...ACME, organization: "$other", email: "$c@example.com" })]
    const made = await plan({ ...options, organizations })
    expect((await apply(made, options)).outcome).toBe("applied")
    const costs: Array<number> = []
    for (const wanted of [organizations, organizations, [organizations[0]], [value({ teams: { dev: {} } })]]) {
      simulator.requests.reset()
      expect(ids(await plan({ ...options, organizations: wanted }))).toEqual([])
      expect(simulator.requests.of("GET /api/v1/user/")).toBe(2)
      // Whether the registry sends mail is asked once for it, where people are managed.
      expect(simulator.requests.of("GET /config")).toBeLessThanOrEqual(1)
      costs.push(simulator.requests.total - 2 - simulator.requests.of("GET /config"))
    }
    // R = 1, T = 1, B = 0, D = 1: 6 + 1 + min(2, 2, 2) for each.
    expect(costs[0]).toBeLessThanOrEqual(2 * 9)
    expect(costs[1]).toBe(costs[0])
    expect(costs[2]).toBe((costs[0] ?? 0) / 2)
    expect(costs[3]).toBe(1)
  })

  simulated("is nothing at all for no organizations", async ({ options, simulator }) => {
    simulator.requests.reset()
    await plan({ ...options, organizations: [] })
    expect(simulator.requests.total).toBe(0)
  })
})

describe("the plan as a document", () => {
  scene(
    "goes through its text and is applied in another process's stead",
    async ({ apply: applied, plan: planned }) => {
      const made = await planned(ACME)
      const text = encodePlan(made)
      const read = readPlan(text)
      expect([read, encodePlan(read)]).toEqual([made, text])
      expect((await applied(read)).outcome).toBe("applied")
      expect(ids(await planned(ACME))).toEqual([])
    }
  )

  scene("is the same text every time", async ({ plan: planned }) => {
    expect(encodePlan(await planned(ACME))).toBe(encodePlan(await planned(ACME)))
  })

  scene("is refused when it was edited", async ({ plan: planned }) => {
    const text = encodePlan(await planned(ACME))
    expect(() => readPlan(text.replace('"role": "member"', '"role": "admin"'))).toThrow(/edited/)
    expect(() => readPlan(text.replace("quaymaster-plan/1", "quaymaster-plan/9"))).toThrow(/format/)
    expect(() => readPlan(text.slice(0, -20))).toThrow(/not JSON/)
  })

  scene("is harmless twice", async ({ apply: applied, plan: planned }) => {
    const made = await planned(ACME)
    expect((await applied(made)).outcome).toBe("applied")
    const again = await applied(made)
    expect(again.outcome).toBe("applied")
    const outcomes = new Set(again.targets.flatMap(({ results }) => results.map(({ outcome }) => outcome)))
    expect([...outcomes].filter((it) => it !== "already" && it !== "by-registry")).toEqual([])
  })

  scene("is refused when the registry is no longer so, with every conflict and nothing changed", async (it) => {
    const { apply: applied, org, plan: planned, reach, registry } = it
    await reach(ACME)
    const want = {
      ...ACME,
      teams: { dev: { role: "creator" } },
      repositories: { app: { description: "New", permissions: { users: {}, teams: { dev: "write" } } }, web: {} }
    }
    const made = await planned(want)
    const put = (path: string, body: object) => registry.request("PUT", `/api/v1/${path}`, body)
    await put(`organization/${org}/team/dev`, { role: "admin" })
    await put(`repository/${org}/app`, { description: "Another's" })
    await put(`repository/${org}/app/permissions/user/${registry.name("bob")}`, { role: "read" })
    const before = JSON.stringify(registry.simulator?.snapshot())
    const error = await rejection(applied(made))
    expect(error).toMatchObject({
      _tag: "PlanStale",
      conflicts: [
        { id: `delete:repository-permission:${org}/app/user:${registry.name("bob")}` },
        { id: `update:repository:${org}/app` },
        { id: `update:team:${org}/dev` }
      ]
    })
    expect(String(error)).toContain(`role is "admin", expected "member"`)
    expect(JSON.stringify(registry.simulator?.snapshot())).toBe(before)
  })
})

describe("several registries", () => {
  simulated("are planned and applied side by side, by the names of quaymaster.yaml", async (it) => {
    const { directory, file, registry } = it
    await file(
      "quaymaster.yaml",
      `registries:\n  prod: { url: "${registry.url}", token: { env: PROD_TOKEN } }\n  dr: { url: "sim:./dr.json" }\nsources: [orgs]\n`
    )
    await file("orgs/acme.yaml", `registries: [prod, dr]\n${FILE}`)
    const options = { cwd: directory, env: { PROD_TOKEN: registry.token } }
    const made = await plan(options)
    expect(made.targets.map((target) => [target.registry, target.operations.length])).toEqual([
      ["dr", 3],
      ["prod", 3]
    ])
    const events: Array<Event> = []
    const report = await apply(made, { ...options, onEvent: (event) => events.push(event) })
    expect([report.outcome, report.targets.map((target) => target.registry)]).toEqual(["applied", ["dr", "prod"]])
    expect([...new Set(events.map((event) => event.registry))].sort()).toEqual(["dr", "prod"])
    expect(ids(await plan(options))).toEqual([])
    expect(await readFile(join(directory, "dr.json"), "utf8")).toContain(it.org)
  })

  simulated(
    "change nothing on either if the plan is stale on one",
    async ({ directory, file, org, registry, simulator }) => {
      await file(
        "quaymaster.yaml",
        `registries:\n  prod: { url: "${registry.url}", token: { env: PROD_TOKEN } }\n  dr: { url: "sim:./dr.json" }\n`
      )
      await file("acme.yaml", `registries: [prod, dr]\n${FILE}`)
      const options = { cwd: directory, env: { PROD_TOKEN: registry.token } }
      const made = await plan({ ...options, files: ["acme.yaml"] })
      await registry.request("POST", "/api/v1/organization/", { name: org })
      await registry.request("PUT", `/api/v1/organization/${org}/team/dev`, { role: "admin" })
      const before = JSON.stringify(simulator.snapshot())
      expect(await rejection(apply(made, options))).toMatchObject({ _tag: "PlanStale", registry: "prod" })
      expect(JSON.stringify(simulator.snapshot())).toBe(before)
      expect(await readFile(join(directory, "dr.json"), "utf8")).not.toContain(org)
    }
  )

  simulated("a token in a file, and one that is nowhere", async ({ directory, file, registry }) => {
    await file("token.txt", `${registry.token}\n`)
    const settings = (token: string) =>
      `registries:\n  prod: { url: "${registry.url}", token: ${token} }\ndefault: prod\n`
    await file("acme.yaml", FILE)
    await file("quaymaster.yaml", settings("{ file: ./token.txt }"))
    expect((await plan({ cwd: directory, env: {}, files: ["acme.yaml"] })).summary.create).toBe(3)
    await file("quaymaster.yaml", settings("{ env: NO_SUCH_VARIABLE }"))
    const error = await rejection(plan({ cwd: directory, env: {}, files: ["acme.yaml"] }))
    expect(error).toMatchObject({ _tag: "ConnectionFailed", registry: "prod" })
    expect(String(error)).toContain("NO_SUCH_VARIABLE")
  })
})

describe("simulated registries", () => {
  const organizations = [{ organization: "acme", teams: { dev: { members: { users: ["anybody"] } } } }]

  test("in memory keep what was applied for as long as the process lives", async () => {
    const options = { registry: "sim:", env: {}, cwd: import.meta.dirname }
    const mine = [{ ...organizations[0], organization: "sim-in-memory" }]
    const made = await plan({ ...options, organizations: mine })
    expect((await apply(made, options)).outcome).toBe("applied")
    expect(ids(await plan({ ...options, organizations: mine }))).toEqual([])
  })

  test("with a list of users refuse others", async () => {
    const options = { registry: "sim:?users=alice", env: {}, cwd: import.meta.dirname }
    const made = await plan({ ...options, organizations })
    const report = await apply(made, options)
    expect(report.outcome).toBe("partial")
  })

  scene("in a file outlive the process", async ({ directory }) => {
    const options = { registry: "sim:./registry.json", cwd: directory, env: {} }
    expect((await apply(await plan({ ...options, organizations }), options)).outcome).toBe("applied")
    const text = await readFile(join(directory, "registry.json"), "utf8")
    expect(JSON.parse(text)).toMatchObject({ organizations: { acme: { teams: { dev: { members: ["anybody"] } } } } })
    expect(ids(await plan({ ...options, organizations }))).toEqual([])
  })

  scene("in a file lose nothing when one connection closes while another opens", async ({ directory }) => {
    const options = { registry: "sim:./registry.json", cwd: directory, env: {} }
    const names = Array.from({ length: 12 }, (_, i) => `acme${i + 10}`)
    const work = names.map(async (organization, i) => {
      await new Promise((resolve) => setTimeout(resolve, 7 * i))
      return (await apply(await plan({ ...options, organizations: [{ organization }] }), options)).outcome
    })
    expect(await Promise.all(work)).toEqual(names.map(() => "applied"))
    const state: { organizations: object } = JSON.parse(await readFile(join(directory, "registry.json"), "utf8"))
    expect(Object.keys(state.organizations).sort()).toEqual(names)
  })

  scene("in a file that is none are a failure to connect, which names it", async ({ directory, file }) => {
    await file("registry.json", "{}")
    const error = await rejection(plan({ registry: "sim:./registry.json", cwd: directory, env: {}, organizations }))
    expect(error).toMatchObject({ _tag: "ConnectionFailed", message: expect.stringContaining("registry.json") })
    await file("registry.json", '{ "format": "quaymaster-simulator/1" }')
    await plan({ registry: "sim:./registry.json", cwd: directory, env: {}, organizations })
  })
})

describe("an abort signal", () => {
  scene("that is aborted already rejects with its reason before any request", async ({ options, registry, value }) => {
    registry.simulator?.requests.reset()
    const reason = new Error("not today")
    const signal = AbortSignal.abort(reason)
    expect(await rejection(plan({ ...options, organizations: [value(ACME)], signal }))).toBe(reason)
    expect(registry.simulator?.requests.total ?? 0).toBe(0)
  })

  simulated("stops a plan in the middle with its reason", async ({ options, simulator, value }) => {
    simulator.faults.add({ on: "GET /api/v1/organization/{orgname}", effect: { kind: "time-out" } })
    const controller = new AbortController()
    const reason = new Error("enough")
    setTimeout(() => controller.abort(reason), 50)
    const began = performance.now()
    const error = await rejection(plan({ ...options, organizations: [value(ACME)], signal: controller.signal }))
    expect(error).toBe(reason)
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  scene("lets an apply finish what it began, and the report tells what was not", async (it) => {
    const { options, org, plan: planned, real, value } = it
    const teams = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`team${i}`, {}]))
    const made = await planned({ teams })
    const controller = new AbortController()
    const report = await apply(made, {
      ...options,
      parallelism: 2,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === "operation-finished" && event.id === `create:organization:${org}`) controller.abort()
      }
    })
    expect(report).toMatchObject({ outcome: "interrupted", targets: [{ stopped: "interrupted" }] })
    const outcomes = report.targets.flatMap(({ results }) => results.map(({ outcome }) => outcome))
    expect(outcomes).toHaveLength(21)
    expect(outcomes.filter((it) => it === "not-started").length).toBeGreaterThan(10)
    expect(outcomes.filter((it) => it === "failed")).toEqual([])
    expect((await it.apply(made)).outcome).toBe("applied")
    expect(ids(await plan({ ...options, organizations: [value({ teams })] })), real("$org")).toEqual([])
  })

  scene(
    "that is aborted before an apply leaves everything as it is",
    async ({ options, plan: planned, registry, org }) => {
      const made = await planned(ACME)
      const outcome = await apply(made, { ...options, signal: AbortSignal.abort() }).then(
        (report) => report.outcome,
        () => "rejected"
      )
      expect(["interrupted", "rejected"]).toContain(outcome)
      expect((await registry.request("GET", `/api/v1/organization/${org}`)).status).toBe(404)
    }
  )
})

describe("events", () => {
  scene(
    "tell of reading and applying, each operation once, with the registry",
    async ({ options, registry, value }) => {
      const events: Array<Event> = []
      const onEvent = (event: Event) => events.push(event)
      const made = await plan({ ...options, organizations: [value(ACME)], onEvent })
      expect(events.flatMap(({ type }) => (type === "request" ? [] : [type]))).toEqual([
        "read-started",
        "read-finished"
      ])
      const requests = events.filter(({ type }) => type === "request").length
      if (registry.simulator !== undefined) expect(requests).toBe(registry.simulator.requests.total - 2)
      events.length = 0
      const report = await apply(made, { ...options, onEvent })
      const finished = events.flatMap((event) =>
        event.type === "operation-finished" ? [[event.id, event.outcome]] : []
      )
      const results = report.targets.flatMap((target) => target.results.map(({ id, outcome }) => [id, outcome]))
      expect([...finished].sort()).toEqual([...results].sort())
      expect(new Set(events.map((event) => event.registry))).toEqual(new Set([registry.url]))
      expect(events.filter(({ type }) => type === "apply-started" || type === "apply-finished")).toHaveLength(2)
    }
  )

  scene("heard by somebody who throws do no harm", async ({ options, value }) => {
    const onEvent = () => {
      throw new Error("a listener's own trouble")
    }
    const made = await plan({ ...options, organizations: [value(ACME)], onEvent })
    expect((await apply(made, { ...options, onEvent })).outcome).toBe("applied")
  })
})
