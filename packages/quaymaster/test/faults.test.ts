// What goes wrong between here and the registry: answers that are lost, tokens that are worth nothing, pages that are not
// Quay's. Nothing is done twice, nothing is believed that could not be read, and no secret is told.
import { createServer } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { inspect } from "node:util"
import type { FaultEffect, Simulator } from "@quaymaster/simulator"
import { describe, expect } from "vitest"
import { apply, type Event, encodePlan, plan } from "../src/index.ts"
import { rejection, type Scene, simulated } from "./harness.ts"

const ACME = {
  email: "$a@example.com",
  tag_expiration: "1w",
  teams: { dev: { role: "member", members: { users: ["$alice"], robots: ["ci"] } } },
  robots: { ci: { description: "Builds" } },
  default_permissions: [
    { role: "read", team: "dev" },
    { role: "write", robot: "ci", created_by: "$alice" }
  ],
  repositories: {
    app: {
      description: "x",
      permissions: { users: { $bob: "admin" }, robots: { ci: "read" }, teams: { dev: "write" } }
    }
  }
}
const CHANGED = {
  ...ACME,
  email: "$b@example.com",
  prune: ["teams", "robots", "repositories"],
  teams: { ops: { role: "admin", members: { users: ["$bob"] } } },
  robots: {},
  default_permissions: [{ role: "admin", team: "ops" }],
  repositories: { app: { description: "y", visibility: "public", permissions: { users: {}, teams: { ops: "read" } } } }
}

/** What the guard is asked to let pass on the way from one to the other. */
const PRUNED = { destroy: ["robot:$org/ci"] }

/** The organization as it is, without what is random, and how often each thing is there. */
const stateOf = (simulator: Simulator, org: string): unknown => {
  const text = JSON.stringify(simulator.snapshot().organizations[org], (key, value: unknown) =>
    ["id", "uuid", "token", "created", "status_token"].includes(key) ? undefined : value
  )
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map((item) => JSON.stringify(sorted(item))).sort()
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, item]) => [key, sorted(item)])
          )
        : value
  return sorted(JSON.parse(text ?? "null"))
}

/** What the organization is when nothing goes wrong. */
const undisturbed = async (scene: Scene & { readonly simulator: Simulator }, ...steps: ReadonlyArray<object>) => {
  for (const step of steps) await scene.reach(step, PRUNED)
  const state = stateOf(scene.simulator, scene.org)
  await scene.registry.request("DELETE", `/api/v1/superuser/organizations/${scene.org}`)
  scene.simulator.collect()
  return state
}

const LOST: ReadonlyArray<FaultEffect> = [
  { kind: "drop", applied: true },
  { kind: "drop" },
  { kind: "server-error", applied: true },
  { kind: "bad-gateway", applied: true },
  { kind: "truncate" },
  { kind: "garble" }
]

describe("a write whose answer is lost", () => {
  for (const method of ["POST", "PUT", "DELETE"])
    for (const effect of LOST)
      simulated(
        `${method} with ${JSON.stringify(effect)}: each one once, and nothing is there twice`,
        async (scene) => {
          const wanted = await undisturbed(scene, ACME, CHANGED)
          for (const step of [ACME, CHANGED]) {
            const made = await scene.plan(step)
            // Every other write of the method, so that what is repeated gets through.
            const armed = Array.from({ length: 12 }, (_, i) =>
              scene.simulator.faults.add({ on: method, skip: 2 * i, times: 1, effect })
            )
            const report = await scene.apply(made, PRUNED, { patience: 100 })
            for (const disarm of armed) disarm()
            const bad = report.targets.flatMap(({ results }) => results.filter(({ outcome }) => outcome === "failed"))
            // A final 500 may count as a failure; it must then not have been done twice, and a new plan ends the work.
            for (const { tag } of bad)
              expect(tag).toMatch(/ServerError|DecodeError|TransportError|Exists|Missing|Invalid/)
            await scene.reach(step, PRUNED)
          }
          expect(stateOf(scene.simulator, scene.org)).toEqual(wanted)
        }
      )

  simulated("because it took too long is looked up, not repeated", async (scene) => {
    await scene.reach({ teams: { dev: {} } })
    const made = await scene.plan({ default_permissions: [{ role: "read", team: "dev" }], robots: { ci: {} } })
    for (const on of ["POST", "PUT"])
      scene.simulator.faults.add({ on, times: 1, effect: { kind: "time-out", applied: true } })
    const report = await apply(made, { ...scene.options, timeout: 300 })
    scene.simulator.faults.clear()
    expect(report.outcome).toBe("applied")
    const { default_permissions: rules } = scene.simulator.snapshot().organizations[scene.org] ?? {}
    expect(rules).toHaveLength(1)
  })

  simulated("because it took too long, and is done long after, is waited for", async (scene) => {
    await scene.reach({ repositories: { app: {} } })
    const made = await scene.plan({
      teams: { dev: {} },
      applications: { console: {} },
      default_permissions: [{ role: "read", team: "dev" }],
      repositories: {
        app: {
          notifications: [{ event: "repo_push", method: "webhook", config: { url: "https://hooks.example.com/a" } }]
        }
      }
    })
    const late = scene.simulator.faults.add({ on: "POST", effect: { kind: "latency", ms: 2_500 } })
    const report = await apply(made, { ...scene.options, timeout: 1_000, patience: 10_000 })
    late()
    expect(report.outcome).toBe("applied")
    for (const operation of ["prototypes", "applications"])
      expect(scene.simulator.requests.of(`POST /api/v1/organization/{orgname}/${operation}`)).toBe(1)
    expect(scene.simulator.requests.of("POST /api/v1/repository/{repository}/notification/")).toBe(1)
  })
})

describe("an apply", () => {
  simulated("stops when the registry fails again and again, says why, and is resumed", async (scene) => {
    const teams = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`t${i}`, {}]))
    await scene.reach({ teams: { t0: {} } })
    const made = await scene.plan({ teams })
    const broken = scene.simulator.faults.add({ on: "PUT", skip: 10, effect: { kind: "server-error" } })
    const report = await apply(made, { ...scene.options, parallelism: 2 })
    broken()
    expect(report).toMatchObject({ outcome: "partial", targets: [{ stopped: "unavailable" }] })
    expect(report.targets[0]?.reason).toMatch(/^5 operations in a row failed, the last one with: .*500/)
    const count = (outcome: string) =>
      report.targets.flatMap(({ results }) => results.filter((it) => it.outcome === outcome)).length
    expect(count("applied")).toBe(10)
    expect(count("failed")).toBeLessThanOrEqual(6)
    expect(count("not-started")).toBe(59 - 10 - count("failed"))
    expect((await scene.apply(made)).outcome).toBe("applied")
  })

  simulated("goes on when one object is forbidden, and stops when its user lost all rights", async (scene) => {
    const made = await scene.plan(ACME)
    const forbidden = scene.simulator.faults.add({ on: /^PUT .*\/robots\//, times: 1, effect: { kind: "forbid" } })
    const one = await scene.apply(made)
    forbidden()
    expect(one).toMatchObject({ outcome: "partial", targets: [{}] })
    expect(one.targets[0]?.stopped).toBeUndefined()
    const results = one.targets.flatMap((it) => it.results)
    expect(results.filter(({ outcome }) => outcome === "failed")).toMatchObject([{ tag: "Forbidden" }])

    scene.simulator.faults.add({ on: "PUT", times: 1, effect: { kind: "lose-rights" } })
    const all = await scene.apply(made)
    expect(all).toMatchObject({ outcome: "partial", targets: [{ stopped: "unauthenticated" }] })
    expect(all.targets[0]?.reason).toMatch(/no superuser's any more/)
  })
})

describe("an apply that breaks off", () => {
  for (const skip of [0, 1, 3, 5, 8])
    simulated(`after ${skip} writes is resumed by the same plan`, async (scene) => {
      const wanted = await undisturbed(scene, ACME)
      const made = await scene.plan(ACME)
      const broken = scene.simulator.faults.add({ on: /^(PUT|POST|DELETE) /, skip, effect: { kind: "server-error" } })
      const first = await scene.apply(made)
      broken()
      expect(first.outcome).toBe("partial")
      const second = await scene.apply(made)
      expect(second.outcome).toBe("applied")
      expect(stateOf(scene.simulator, scene.org)).toEqual(wanted)
    })

  simulated("because its token expired stops, and says so", async (scene) => {
    const made = await scene.plan(ACME)
    scene.simulator.faults.add({ on: /^(PUT|POST) /, skip: 2, times: 1, effect: { kind: "expire-token" } })
    const report = await scene.apply(made)
    expect(report).toMatchObject({ outcome: "partial", targets: [{ stopped: "unauthenticated" }] })
    const token = scene.simulator.addToken({ user: scene.registry.caller })
    expect((await apply(made, { ...scene.options, token })).outcome).toBe("applied")
  })
})

describe("what cannot be read is an error and never an absence", () => {
  simulated("a wrong token", async ({ options, value }) => {
    const error = await rejection(plan({ ...options, token: "wrong", organizations: [value(CHANGED)] }))
    expect(error).toMatchObject({ _tag: "Unauthenticated" })
  })

  simulated("no token at all", async ({ directory, registry, value }) => {
    const error = await rejection(
      plan({ cwd: directory, registry: registry.url, env: {}, organizations: [value(CHANGED)] })
    )
    expect(error).toMatchObject({ _tag: "Unauthenticated" })
  })

  for (const [skip, tag] of [
    [1, "NotAdministrator"],
    [2, "Unauthenticated|IdentityChanged|NotAdministrator"],
    [4, "Unauthenticated|IdentityChanged|NotAdministrator"],
    [6, "Unauthenticated|IdentityChanged|NotAdministrator"]
  ] as const)
    simulated(`a token that expires after ${skip} requests`, async (scene) => {
      await scene.reach(ACME)
      scene.simulator.faults.add({ skip, times: 1, effect: { kind: "expire-token" } })
      const error = await rejection(scene.plan({ ...CHANGED, email: undefined }))
      expect(error).toMatchObject({ _tag: expect.stringMatching(tag) })
    })

  simulated("a token that is another's after reading", async (scene) => {
    await scene.reach({ teams: { dev: {} } })
    scene.simulator.faults.add({
      on: "GET /api/v1/user/",
      skip: 1,
      times: 1,
      effect: { kind: "expire-token" }
    })
    const error = await rejection(scene.plan({ prune: ["teams"], teams: {} }))
    expect(error).toMatchObject({ _tag: "IdentityChanged" })
    expect(String(error)).toMatch(/Get a new token/)
  })

  for (const on of [
    "GET /api/v1/user/",
    "GET /api/v1/organization/{orgname}",
    "GET /api/v1/organization/{orgname}/robots",
    "GET /api/v1/organization/{orgname}/prototypes",
    "GET /api/v1/repository"
  ])
    simulated(`a login page in the place of ${on}`, async (scene) => {
      await scene.reach(ACME)
      scene.simulator.faults.add({ on, effect: { kind: "login-page" } })
      expect(await rejection(scene.plan(CHANGED))).toMatchObject({ _tag: "DecodeError" })
    })

  simulated("a server that refuses to say who we are with a page of its own", async ({ options, value }) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" })
      response.end("<html><title>Sign in</title></html>")
    })
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    try {
      const registry = `http://127.0.0.1:${port}`
      const error = await rejection(plan({ ...options, registry, organizations: [value(ACME)] }))
      expect(error).toMatchObject({ _tag: "DecodeError" })
      expect(inspect(error)).not.toContain(options.token)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  simulated("a server whose TLS fails", async ({ options, value }) => {
    const server = createTlsServer(() => undefined)
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    try {
      const registry = `https://127.0.0.1:${port}`
      const error = await rejection(plan({ ...options, registry, organizations: [value(ACME)] }))
      expect(error).toMatchObject({ _tag: "TransportError", reason: "tls" })
    } finally {
      server.close()
    }
  })
})

describe("secrets", () => {
  simulated("are in no plan, event, report or error", async (scene) => {
    const told: Array<unknown> = []
    const onEvent = (event: Event) => told.push(event)
    await scene.reach(ACME)
    const made = await plan({ ...scene.options, organizations: [scene.value(CHANGED)], onEvent })
    told.push(encodePlan(made), made)
    scene.simulator.faults.add({ on: "DELETE", times: 2, effect: { kind: "server-error" } })
    scene.simulator.faults.add({ on: "PUT", times: 2, effect: { kind: "garble" } })
    const allow = { destroy: PRUNED.destroy.map(scene.real) }
    told.push(await apply(made, { ...scene.options, allow, onEvent }))
    scene.simulator.faults.clear()
    const robots = Object.values(scene.simulator.snapshot().organizations[scene.org]?.robots ?? {})
    for (const effect of [
      { kind: "garble" },
      { kind: "truncate" },
      { kind: "login-page" },
      { kind: "expire-token" }
    ] as const) {
      scene.simulator.faults.add({ skip: 1, times: 1, effect })
      const outcome = await plan({ ...scene.options, organizations: [scene.value(ACME)], onEvent }).catch(
        (error: unknown) => error
      )
      told.push(outcome, outcome instanceof Error ? [outcome.message, outcome.stack, outcome.cause] : [])
      scene.simulator.faults.clear()
    }
    const text = told
      .map((it) => (typeof it === "string" ? it : inspect(it, { depth: 20, showHidden: true })))
      .join("\n")
    const canaries = [scene.options.token, ...robots.map(({ token }) => token)]
    for (const canary of canaries) expect(text.includes(canary), canary.slice(0, 4)).toBe(false)
  })
})
