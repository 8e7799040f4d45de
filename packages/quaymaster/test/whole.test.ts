// What is read is all there is, or there is no plan: whatever happens to any one request of a reading, either the plan is the
// one that is made undisturbed, or there is an error. Nothing that could not be read is ever taken for absent.
import { createSimulator, type FaultEffect, serveSimulator } from "@quaymaster/simulator"
import { expect, vi } from "vitest"
import { plan } from "../src/index.ts"
import { type Scene, simulated } from "./harness.ts"

// Each of them reads a registry some dozens of times.
vi.setConfig({ testTimeout: 300_000 })

const THERE = {
  email: "$a@example.com",
  tag_expiration: "1w",
  quota: { limit: "50GiB", warning: 80 },
  auto_prune: [{ method: "number_of_tags", value: 20 }],
  immutability: [{ tag_pattern: "release-.*" }],
  notifications: [{ event: "quota_warning", method: "webhook", config: { url: "https://hooks.example.com/q" } }],
  proxy_cache: { upstream: "docker.io" },
  teams: {
    dev: { role: "member", members: { users: ["$alice"], robots: ["ci"] } },
    ops: { role: "creator", members: { users: ["$bob"] } }
  },
  robots: { ci: { federation: [{ issuer: "https://token.example.com", subject: "ci" }] }, mirror: {} },
  default_permissions: [
    { role: "read", team: "dev" },
    { role: "write", robot: "ci", created_by: "$alice" }
  ],
  applications: { console: { uri: "https://console.example.com" } },
  repositories: {
    app: {
      description: "x",
      trust: true,
      permissions: { users: { $bob: "admin" }, robots: { ci: "read" }, teams: { dev: "write" } },
      auto_prune: [{ method: "number_of_tags", value: 10 }],
      immutability: [{ tag_pattern: "v.*" }],
      notifications: [{ event: "repo_push", method: "webhook", config: { url: "https://hooks.example.com/a" } }]
    },
    old: { state: "read_only" },
    alpine: {
      state: "mirror",
      mirror: { source: "docker.io/library/alpine", tags: ["latest"], robot: "mirror", interval: "24h" }
    }
  }
}
const OPTIONS = { features: { SIGNING: true } }

/** Less of everything: whatever is overlooked would be missing from the plan, or be made anew. */
const WANTED = {
  ...THERE,
  prune: ["teams", "robots", "repositories", "applications"],
  auto_prune: [],
  immutability: [],
  notifications: [],
  teams: { dev: { role: "admin", members: { users: [], robots: [] } } },
  robots: { ci: { federation: [] }, mirror: {} },
  default_permissions: [],
  applications: {},
  repositories: {
    app: {
      ...THERE.repositories.app,
      trust: false,
      permissions: { users: {}, robots: {}, teams: {} },
      auto_prune: [],
      immutability: [],
      notifications: []
    },
    alpine: THERE.repositories.alpine
  }
}

/** Where Quay says by 404 that there is none: the organization, the configuration of a mirror, the configuration before 3.8. */
const SAYS_NONE = "(?!/config$|/api/v1/organization/[^/]+$|.*/mirror$)"

interface Case {
  readonly name: string
  readonly effect: FaultEffect
  readonly on?: RegExp
  /** Read by an owner of the organization, and not by a superuser. */
  readonly owner?: true
  /** What the file says. Default: less of everything. */
  readonly wanted?: object
}

const CASES: ReadonlyArray<Case> = [
  { name: "a token that expires", effect: { kind: "expire-token" } },
  { name: "an owner's token that expires", effect: { kind: "expire-token" }, owner: true },
  { name: "a superuser who loses all rights", effect: { kind: "lose-rights" } },
  { name: "an owner who loses all rights", effect: { kind: "lose-rights" }, owner: true },
  // Nothing is asked after the list that would be refused.
  {
    name: "an owner who loses all rights, of a list",
    effect: { kind: "lose-rights" },
    owner: true,
    wanted: { prune: ["repositories"], repositories: { app: {} } }
  },
  { name: "what is forbidden", effect: { kind: "forbid" } },
  { name: "what is not found", effect: { kind: "missing" }, on: new RegExp(`^GET ${SAYS_NONE}`) },
  { name: "a page of a proxy", effect: { kind: "login-page" } },
  { name: "an answer that breaks off", effect: { kind: "truncate" } },
  { name: "an answer that is garbled", effect: { kind: "garble" } }
]

/** Plans on copies of a registry that has it all, with something that goes wrong at a request. */
const world = async (scene: Scene & { readonly simulator: { readonly snapshot: () => object } }, one: Case) => {
  await scene.reach(THERE)
  const alice = scene.real("$alice")
  const member = `/api/v1/organization/${scene.org}/team/owners/members/${alice}`
  expect((await scene.registry.request("PUT", member)).status).toBe(200)
  const state = scene.simulator.snapshot()
  return async (skip?: number) => {
    const { effect, on, owner, wanted = WANTED } = one
    const simulator = createSimulator({ state, ...OPTIONS })
    await using served = await serveSimulator(simulator)
    if (skip !== undefined) simulator.faults.add({ skip, times: 1, effect, ...(on === undefined ? {} : { on }) })
    const options = {
      ...scene.options,
      registry: served.url,
      ...(owner === true ? { token: simulator.addToken({ user: alice }) } : {})
    }
    const made = await plan({ ...options, organizations: [scene.value(wanted)] }).catch((error: unknown) => error)
    const operations = made instanceof Error ? undefined : canonical(made)
    return { made, operations, requests: simulator.requests.total }
  }
}

/** The plan without what tells one copy from another. */
const canonical = (made: unknown): string =>
  JSON.stringify(made, (key, value) => (["url", "registry", "digest"].includes(key) ? undefined : value))

for (const one of CASES)
  simulated(
    `${one.name}, at any request of a reading, is an error or makes no difference`,
    async (scene) => {
      const planned = await world(scene, one)
      const whole = await planned()
      expect(whole.made).toHaveProperty("summary.delete", expect.any(Number))
      let errors = 0
      for (let skip = 0; skip < whole.requests; skip++) {
        const { made, operations } = await planned(skip)
        if (operations === undefined) {
          expect(made, `request ${skip}`).toHaveProperty("_tag")
          errors++
        } else expect(operations, `request ${skip}`).toBe(whole.operations)
      }
      expect(errors).toBeGreaterThan(whole.requests / 3)
    },
    OPTIONS
  )
