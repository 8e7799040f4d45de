// Exports: the law that planning one finds nothing to do, against random organizations over a simulator in this process; and
// what is exported where, over HTTP.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type Decoded, decode } from "@quaymaster/config"
import { makeQuay, type QuayKind, quayKinds } from "@quaymaster/kinds"
import { makeLimiter } from "@quaymaster/runtime"
import { createQuayClient } from "@quaymaster/sdk"
import { createSimulator, type Simulator, type SimulatorOptions, seededRandom } from "@quaymaster/simulator"
import { simulatedOnly, simulatorTest } from "@quaymaster/testing"
import { Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  assemble,
  type Connection,
  type Exported,
  exportRegistry,
  type Failure,
  type PlanOf,
  planRegistry,
  type Quay,
  walkRegistry
} from "../src/effect.ts"
import { defineKind, exportOrganizations, plan, type Skipped, section } from "../src/index.ts"
import { rejection, type Scene, scene, simulated } from "./harness.ts"

const RUNS = { numRuns: 150 }
const TIMEOUT = 180_000

const TEAMS = ["dev", "ops", "owners"]
const ROBOTS = ["ci", "cd"]
const USERS = ["me", "alice", "bob"]
const REPOSITORIES = ["app", "web", "vendor/alpine"]

const TARGET = { name: "r", url: "http://simulator.invalid", verify: true }

interface Document {
  readonly organization: string
  readonly repositories?: { readonly [name: string]: { readonly [section: string]: unknown } }
  readonly default_permissions?: unknown
}

const some = <A>(items: ReadonlyArray<A>) => fc.subarray([...items])
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 3 })
const role = fc.constantFrom("read", "write", "admin")
/** What people write, and what YAML could take for something else. */
const text = fc.oneof(
  fc.constantFrom("", "one", "no", "~", "1e3", "- a", "a: b # c", "two\nlines\n", " spaces ", "'\"", "{}", "2w", "#"),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 8 })
)
const each = <A>(names: ReadonlyArray<string>, entry: fc.Arbitrary<A>) =>
  fc
    .array(entry, { minLength: names.length, maxLength: names.length })
    .map((entries) => Object.fromEntries(names.map((name, i) => [name, entries[i]])))
const mapOf = <A>(names: ReadonlyArray<string>, entry: fc.Arbitrary<A>) => some(names).chain((it) => each(it, entry))

const policies = fc.uniqueArray(
  fc
    .record({ tag_pattern: maybe(fc.constantFrom("^pr-", "[a-z]+$")), tag_pattern_matches: maybe(fc.boolean()) })
    .chain(({ tag_pattern, tag_pattern_matches }) => {
      const tags = tag_pattern === undefined ? {} : { tag_pattern, tag_pattern_matches }
      return fc.oneof(
        fc.integer({ min: 1, max: 50 }).map((value) => ({ method: "number_of_tags", value, ...tags })),
        fc.constantFrom("7d", "2w", "1M").map((value) => ({ method: "creation_date", value, ...tags }))
      )
    }),
  {
    maxLength: 2,
    selector: ({ method, tag_pattern, tag_pattern_matches = true }) =>
      `${method} ${tag_pattern} ${tag_pattern === undefined || tag_pattern_matches}`
  }
)
const immutability = fc.uniqueArray(
  fc.record({ tag_pattern: fc.constantFrom("^v", "^release-"), tag_pattern_matches: maybe(fc.boolean()) }),
  { maxLength: 2, selector: ({ tag_pattern }) => tag_pattern }
)
const notifications = fc.uniqueArray(
  fc.oneof(
    fc.record({
      event: fc.constantFrom("repo_push", "build_failure"),
      method: fc.constant("webhook"),
      title: maybe(fc.constantFrom("hook", "pushes")),
      config: fc.constantFrom("https://a.example.com/1", "https://b.example.com/2").map((url) => ({ url }))
    }),
    fc.record({
      event: fc.constant("repo_push"),
      method: fc.constant("quay_notification"),
      config: fc.constant({ target: { kind: "user", name: "alice" } })
    })
  ),
  { maxLength: 3, selector: (it) => JSON.stringify(it) }
)

/** A document whose references are to what it declares itself. */
const documents: fc.Arbitrary<Document> = fc
  .record({ teams: some(TEAMS), robots: some(ROBOTS) })
  .chain(({ robots, teams }) => {
    const own = teams.filter((name) => name !== "owners")
    const named = [
      ...teams.map((team) => ({ team })),
      ...robots.map((robot) => ({ robot })),
      ...USERS.map((user) => ({ user }))
    ]
    const permissions = fc.record({
      users: maybe(mapOf(USERS, role)),
      robots: maybe(mapOf(robots, role)),
      teams: maybe(mapOf(own, role))
    })
    const members = (name: string) =>
      maybe(
        fc.record({
          users: name === "owners" ? some(USERS).map((it) => [...new Set(["me", ...it])]) : maybe(some(USERS)),
          robots: maybe(some(robots))
        })
      )
    const team = (name: string) =>
      fc.record({
        role: name === "owners" ? fc.constant("admin") : maybe(fc.constantFrom("member", "creator", "admin")),
        description: maybe(text),
        members: members(name)
      })
    const rules = some(named.flatMap((to) => [to, { ...to, created_by: "alice" }])).chain((chosen) =>
      fc
        .array(role, { minLength: chosen.length, maxLength: chosen.length })
        .map((roles) => chosen.map((rule, i) => ({ ...rule, role: roles[i] })))
    )
    const [robot] = robots
    const mirror =
      robot === undefined
        ? fc.constant(undefined)
        : fc.record({
            source: fc.constant("docker.io/library/alpine"),
            tags: fc.constantFrom(["latest"], ["3.*", "latest"]),
            robot: fc.constant(robot),
            interval: fc.constantFrom("24h", "90m"),
            username: maybe(fc.constant("puller")),
            verify_tls: maybe(fc.boolean()),
            enabled: maybe(fc.boolean())
          })
    const repository = fc
      .record({
        description: maybe(text),
        visibility: maybe(fc.constantFrom("public", "private")),
        permissions: maybe(permissions),
        auto_prune: maybe(policies),
        immutability: maybe(immutability),
        notifications: maybe(notifications),
        mirror: maybe(mirror),
        state: maybe(fc.constantFrom("normal", "read_only"))
      })
      .map(({ state, ...it }) => (it.mirror === undefined ? { ...it, state } : it))
    return fc.record({
      organization: fc.constant("acme"),
      email: maybe(fc.constantFrom("a@example.com", "b@example.com")),
      tag_expiration: maybe(fc.constantFrom("0s", "1d", "2w")),
      teams: fc
        .tuple(...teams.map((name) => team(name)))
        .map((made) => Object.fromEntries(teams.map((name, i) => [name, made[i]]))),
      robots: each(robots, fc.record({ description: maybe(fc.constantFrom("", "builds: all", "pulls")) })),
      default_permissions: maybe(rules),
      repositories: maybe(mapOf(REPOSITORIES, repository)),
      quota: maybe(
        fc.record({
          limit: fc.constantFrom("1GiB", "1500MB", 123),
          warning: maybe(fc.constantFrom(50, [60, 70])),
          reject: maybe(fc.constantFrom(90, [95, 100]))
        })
      ),
      applications: maybe(
        mapOf(["CI portal", "a: b"], fc.record({ uri: maybe(fc.constant("https://x")), description: maybe(text) }))
      ),
      auto_prune: maybe(policies),
      immutability: maybe(immutability)
    })
  })
  .map((made) => JSON.parse(JSON.stringify(made)))

/** What others do that no file of ours says, some of which no file could say. What the registry refuses is not done. */
const deeds = fc.array(
  fc.oneof(
    fc
      .record({ to: fc.constantFrom("user:alice", "user:acme+ci", "user:other+ci", "team:dev"), role })
      .map(({ role: given, to }) => ({
        method: "POST",
        path: "organization/acme/prototypes",
        body: { role: given, delegate: { kind: to.split(":")[0], name: to.split(":")[1] } }
      })),
    fc
      .record({ repository: fc.constantFrom(...REPOSITORIES), user: fc.constantFrom("bob", "me", "other+ci"), role })
      .map(({ repository, role: given, user }) => ({
        method: "PUT",
        path: `repository/acme/${repository}/permissions/user/${user}`,
        body: { role: given }
      })),
    fc.constantFrom(...TEAMS).map((team) => ({
      method: "PUT",
      path: `organization/acme/team/${team}/members/bob`,
      body: {}
    })),
    fc.constantFrom("CI portal", "__quay_bootstrap_app").map((name) => ({
      method: "POST",
      path: "organization/acme/applications",
      body: { name, description: "Another" }
    })),
    fc.constantFrom("Vendor", "x").map((repository) => ({
      method: "POST",
      path: "repository",
      body: { namespace: "acme", repository, visibility: "public", description: "By hand" }
    }))
  ),
  { maxLength: 6 }
)

interface World {
  readonly simulator: Simulator
  readonly token: string
  /** Whether references to secrets can be looked up. */
  readonly knowsSecrets: boolean
}

const worldOf = (knowsSecrets = false, options: SimulatorOptions = {}): World => {
  const simulator = createSimulator({
    ...options,
    users: [{ name: "me", superuser: true }, { name: "alice" }, { name: "bob" }],
    random: seededRandom("exports"),
    now: () => 0
  })
  return { simulator, token: simulator.addToken({ user: "me" }), knowsSecrets }
}

const connectionTo = ({ knowsSecrets, simulator, token }: World): Connection => ({
  registry: TARGET,
  caller: "me",
  quay: makeQuay({
    registry: { name: TARGET.name, url: TARGET.url },
    client: createQuayClient({ url: TARGET.url, token, fetch: simulator.fetch }),
    limiter: makeLimiter(),
    caller: "me",
    secret: (reference) =>
      knowsSecrets && "env" in reference
        ? Promise.resolve(`https://hooks.example.com/${reference.env}`)
        : Promise.reject(new Error("is not set"))
  }),
  stillUs: Effect.void
})

const sent = async (
  { simulator, token }: World,
  list: ReadonlyArray<{ method: string; path: string; body: object }>
) => {
  for (const { body, method, path } of list)
    await simulator.fetch(`${TARGET.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body)
    })
}

/** What is to be done for the registry to be as a document says: a value, or a file's text. */
const planned = async (world: World, document: object | string): Promise<PlanOf<QuayKind>> => {
  const file = typeof document === "string" ? { name: "acme.yaml", text: document } : { name: "acme", value: document }
  const { targets }: Decoded<QuayKind> = decode<QuayKind>(
    quayKinds,
    { files: [file], problems: [] },
    { registry: TARGET.url }
  )
  const [target] = targets
  if (target === undefined) throw new Error("no target")
  const plan = planRegistry<QuayKind, Failure, Quay>(quayKinds, connectionTo(world), target.desired)
  return assemble([await Effect.runPromise(plan)], "test")
}

const applied = async (world: World, { targets: [target] }: PlanOf<QuayKind>) => {
  if (target === undefined) return []
  const walk = walkRegistry<QuayKind, Failure, Quay>(quayKinds, connectionTo(world), target, { workers: 4 })
  const { results } = await Effect.runPromise(walk)
  return results.filter(({ outcome }) => !["applied", "already", "by-registry"].includes(outcome))
}

const exportedFrom = async (world: World, kinds?: ReadonlyArray<string>): Promise<Exported> => {
  const work = exportRegistry<QuayKind, Failure, Quay>(quayKinds, connectionTo(world), ["acme"], { only: kinds })
  const [only] = (await Effect.runPromise(work)).exported
  if (only === undefined) throw new Error("nothing was exported")
  return only
}

const property = (name: string, ...parts: Parameters<typeof fc.assert>): void =>
  test.skipIf(simulatedOnly)(simulatorTest(name), () => fc.assert(...parts), TIMEOUT)

/** Applies what a document asks for, or gives up on one that the planner turns down. Whatever comes of it can be exported. */
const reached = async (world: World, document: object | string) => {
  const plan = await planned(world, document).catch((error: unknown) => {
    expect(error).toMatchObject({ _tag: "PlanRefused" })
    return undefined
  })
  fc.pre(plan !== undefined)
  return plan === undefined ? [] : await applied(world, plan)
}

property(
  "law 1: planning an export finds nothing to do, and nothing extra that the export does not tell of",
  fc.asyncProperty(documents, deeds, async (document, done) => {
    const world = worldOf()
    await sent(world, [
      { method: "POST", path: "organization/", body: { name: "other", email: "other@example.com" } },
      { method: "PUT", path: "organization/other/robots/ci", body: {} }
    ])
    await reached(world, document)
    await sent(world, done)
    const exported = await exportedFrom(world)
    const plan = await planned(world, exported.text)
    const [target] = plan.targets
    expect(target?.operations.map(({ id }) => id)).toEqual([])
    expect(target?.stuck).toEqual([])
    const untold = target?.extras.filter(({ key }) => !exported.omitted.some((note) => note.includes(key)))
    expect(untold, "extras that are not told").toEqual([])
    if (done.length === 0) expect(exported.omitted).toEqual([])
    // The same bytes again, and no secret in them.
    expect((await exportedFrom(world)).text).toBe(exported.text)
    const { robots = {} } = world.simulator.snapshot().organizations["acme"] ?? {}
    const secrets = [world.token, ...Object.values(robots).map(({ token }) => token), "example.com/1", "example.com/2"]
    for (const canary of secrets) expect(exported.text.includes(canary)).toBe(false)
  }),
  RUNS
)

/**
 * A document after which nobody has taken away what Quay grants by itself when repositories and mirrors are made: a file that
 * says nothing of them does not say that, either.
 */
const withoutGrants = ({ default_permissions: _, repositories, ...rest }: Document): Document => ({
  ...rest,
  repositories: Object.fromEntries(
    Object.entries(repositories ?? {}).map(([name, { permissions, ...repository }]) => [
      name,
      repository["mirror"] === undefined ? { permissions, ...repository } : repository
    ])
  )
})

property(
  "an export that is applied to an empty registry leads to the same export",
  fc.asyncProperty(documents, async (document) => {
    const world = worldOf()
    await reached(world, withoutGrants(document))
    const exported = await exportedFrom(world)
    const copy = worldOf(true)
    expect(await reached(copy, exported.text), "what was not done").toEqual([])
    expect((await exportedFrom(copy)).text).toBe(exported.text)
  }),
  RUNS
)

describe("what is exported", () => {
  scene(
    "is named, sorted, and nothing that is as it would be anyway",
    async ({ options, org, reach, real, registry }) => {
      await reach({
        email: "platform@example.com",
        tag_expiration: "1d",
        teams: {
          dev: { role: "member", description: "Developers", members: { users: ["$bob", "$alice"], robots: ["ci"] } },
          ops: { role: "admin", description: "" },
          owners: { members: { users: ["$me", "$alice"] } }
        },
        robots: { ci: { description: "" }, cd: { description: "Deploys" } },
        repositories: {
          app: {
            visibility: "private",
            permissions: { users: { $alice: "admin" }, robots: { ci: "write" }, teams: { dev: "read" } }
          },
          "a/b": { description: "One\nTwo", visibility: "public" }
        },
        default_permissions: [
          { role: "write", robot: "ci", created_by: "$alice" },
          { role: "read", team: "dev" }
        ]
      })
      const only = ["team-member", "robot", "default-permission", "repository-permission"]
      const [first, second] = await exportOrganizations([org, org], { ...options, only })
      expect(second).toBeUndefined()
      expect(first).toMatchObject({ organization: org, omitted: [] })
      expect(first?.text).toBe(
        real(`# yaml-language-server: $schema=node_modules/quaymaster/schemas/organization.schema.json
organization: $org
email: platform@example.com
tag_expiration: 1d
teams:
  dev:
    role: member
    description: Developers
    members:
      users:
        - $alice
        - $bob
      robots:
        - ci
  ops:
    role: admin
  owners:
    role: admin
    members:
      users:
        - $alice
robots:
  cd:
    description: Deploys
  ci: {}
default_permissions:
  - { role: write, robot: ci, created_by: $alice }
  - { role: read, team: dev }
repositories:
  a/b:
    description: |-
      One
      Two
    visibility: public
    permissions:
      teams:
        dev: read
  app:
    visibility: private
    permissions:
      users:
        $alice: admin
      robots:
        ci: write
      teams:
        dev: read
`).replace(`# yaml-language-server: ${registry.prefix}schema`, "# yaml-language-server: $schema")
      )
    }
  )
})

/** The full text of an export is what planning says of it: nothing to do, nothing extra. */
const leavesNothing = async ({ file, options }: Scene, { text }: Exported): Promise<void> => {
  const name = await file("exported.yaml", "")
  await writeFile(join(options.cwd, name), text)
  const [target] = (await plan({ ...options, files: [name] })).targets
  expect(target?.operations.map(({ id }) => id)).toEqual([])
  expect([target?.extras, target?.stuck]).toEqual([[], []])
}

const only = (list: ReadonlyArray<Exported>): Exported => {
  const [first] = list
  if (first === undefined) throw new Error("nothing was exported")
  expect(list).toHaveLength(1)
  return first
}

describe("secrets", () => {
  scene("become references to what has to be set, each its own", async (it) => {
    const { options, org, reach } = it
    await reach({
      proxy_cache: { upstream: "docker.io/library" },
      robots: { ci: {} },
      repositories: {
        app: {
          notifications: [
            { event: "repo_push", method: "webhook", config: { url: "https://a.example.com/canary" } },
            { event: "repo_push", method: "webhook", config: { url: "https://b.example.com/canary" } }
          ]
        },
        one: { mirror: { source: "docker.io/library/alpine", tags: ["latest"], robot: "ci", username: "puller" } },
        two: { mirror: { source: "docker.io/library/alpine", tags: ["latest"], robot: "ci" } }
      }
    })
    const exported = only(await exportOrganizations([org], options))
    expect(exported.text).not.toContain("canary")
    const references = [...exported.text.matchAll(/(\w+): \{ env: ([A-Z0-9_]+) \} # (To be set.*)$/gm)]
    const ORG = org.toUpperCase()
    expect(references.map(([, field, name, comment]) => [field, name, comment?.includes("or removed")])).toEqual([
      ["url", `QUAY_${ORG}_APP_REPO_PUSH_WEBHOOK_URL`, false],
      ["url", `QUAY_${ORG}_APP_REPO_PUSH_WEBHOOK_URL_2`, false],
      ["password", `REPOSITORY_MIRROR_${ORG}_ONE_PASSWORD`, true],
      ["username", `PROXY_CACHE_${ORG}_USERNAME`, true],
      ["password", `PROXY_CACHE_${ORG}_PASSWORD`, true]
    ])
    await leavesNothing(it, exported)
  })
})

const count = Type.Object({ organization: Type.String(), users: Type.Integer() }, { additionalProperties: false })

/** How many users there are, which only superusers may know. */
const census = defineKind({
  kind: "test.census",
  schema: count,
  identity: ["organization"],
  key: ({ organization }) => organization,
  collection: ({ organization }) => ({ parent: organization }),
  extras: "keep",
  section: section({
    under: "organization",
    name: "census",
    node: Type.Integer(),
    read: (users, organization) => [{ item: { organization, users }, path: [] }],
    write: ([found]) => found?.users ?? 0
  }),
  list: async (collections, { quay, signal }) => {
    const { users } = await quay.GET("/api/v1/superuser/users/", { signal })
    return collections.map(({ parent }) => ({ organization: parent, users: users.length }))
  },
  create: () => Promise.resolve()
})

describe("what cannot be exported", () => {
  scene("because it is not there fails, and says so", async ({ options, org }) => {
    const error = await rejection(exportOrganizations([org], options))
    expect(error).toMatchObject({ _tag: "ExportFailed", organization: org })
    expect(String(error)).toContain(`no organization ${org}`)
  })

  scene("because it is no kind of an organization fails before any request", async ({ options, registry }) => {
    registry.simulator?.requests.reset()
    for (const name of ["teams", "user"]) {
      const error = await rejection(exportOrganizations("all", { ...options, only: ["robot", name] }))
      expect(error).toMatchObject({ _tag: "ConfigError" })
      expect(String(error)).toMatch(`there is no kind "${name}" in organizations; there are organization, team,`)
    }
    expect(registry.simulator?.requests.total ?? 0).toBe(0)
  })

  scene("where nothing says which registry", async ({ options: { registry: _, ...options } }) => {
    expect(String(await rejection(exportOrganizations("all", options)))).toContain("nothing says which registry")
    expect(String(await rejection(exportOrganizations("all", { ...options, registry: "prod" })))).toContain("is no URL")
  })

  simulated("because the token may not read it is told at the top, and the rest is exported", async (it) => {
    const { options, org, reach, simulator } = it
    await reach({ robots: { ci: {} } })
    const bob = it.registry.name("bob")
    await it.registry.request("PUT", `/api/v1/organization/${org}/team/owners/members/${bob}`)
    const exported = only(
      await exportOrganizations([org], { ...options, token: simulator.addToken({ user: bob }), kinds: [census] })
    )
    expect(exported.text).toContain("robots:\n  ci: {}\n")
    expect(exported.text).not.toContain("\ncensus:")
    expect(exported.text).toMatch(/^# Not in this file, and so left alone:\n# {3}census: Not allowed/m)
    expect(exported.omitted).toHaveLength(1)
    const whole = only(await exportOrganizations([org], { ...options, kinds: [census] }))
    expect(whole.text).toContain("\ncensus: 3\n")
  })

  simulated(
    "in a release that does not have it is left out without a word",
    async (it) => {
      await it.reach({ teams: { dev: { role: "admin" } }, repositories: { app: { visibility: "public" } } })
      const exported = only(await exportOrganizations([it.org], it.options))
      expect(exported.omitted).toEqual([])
      await leavesNothing(it, exported)
    },
    { version: "3.10" }
  )

  simulated(
    "because a feature is off is left out without a word",
    async (it) => {
      await it.reach({ teams: { dev: { role: "admin" } }, repositories: { app: { visibility: "public" } } })
      const exported = only(await exportOrganizations([it.org], it.options))
      expect(exported.omitted).toEqual([])
      await leavesNothing(it, exported)
    },
    { features: { QUOTA_MANAGEMENT: false, AUTO_PRUNE: false, REPO_MIRROR: false, IMMUTABLE_TAGS: false } }
  )

  simulated(
    "is what the registry has and would not take",
    async (it) => {
      const { options, org, reach } = it
      await reach({ teams: { dev: { role: "admin" } } })
      const exported = only(await exportOrganizations([org], options))
      expect(exported.text).not.toContain("\ntag_expiration")
      expect(exported.omitted).toEqual([
        expect.stringMatching(
          /^tag_expiration_s of organization \w+: it is switched off there \(FEATURE_CHANGE_TAG_EXPIRATION\)$/
        )
      ])
      await leavesNothing(it, exported)
    },
    { features: { CHANGE_TAG_EXPIRATION: false } }
  )
})

test.skipIf(simulatedOnly)(
  simulatorTest("teams of a directory are exported with their group, and without the people that it brings"),
  async () => {
    const group = "cn=dev,ou=groups"
    const world = worldOf(false, { ldap: { groups: { [group]: ["alice"] } } })
    const dev = { role: "member", members: { robots: ["ci"] }, sync: { ldap: group } }
    const document = { organization: "acme", robots: { ci: {} }, teams: { dev } }
    expect(await reached(world, document)).toEqual([])
    const exported = await exportedFrom(world)
    expect(exported.text).toContain(`  dev:
    role: member
    members:
      robots:
        - ci
    sync:
      ldap: ${group}
`)
    const members = await exportedFrom(world, ["team-member"])
    expect(members.text).not.toContain("users:")
    for (const { text } of [exported, members])
      expect((await planned(world, text)).targets.flatMap(({ operations }) => operations)).toEqual([])
  }
)

describe("all organizations", () => {
  simulated("are those of the registry for a superuser, page after page", async ({ options, registry, simulator }) => {
    const names = Array.from({ length: 120 }, (_, i) => registry.name(`o${i + 100}`))
    for (const name of names)
      await registry.request("POST", "/api/v1/organization/", { name, email: `${name}@example.com` })
    simulator.requests.reset()
    const exported = await exportOrganizations("all", { ...options, only: ["team"] })
    expect(exported.map(({ organization }) => organization)).toEqual(names)
    expect(simulator.requests.of("GET /api/v1/superuser/organizations/")).toBe(2)
    // Of each nothing but its view: its teams stand there.
    expect(simulator.requests.of("GET /api/v1/organization/{orgname}")).toBe(120)
    expect(simulator.requests.total).toBe(120 + 2 + 3 + 2)
  })

  simulated("are those that anybody else administers; of others it is told", async (it) => {
    const { options, registry, simulator } = it
    const bob = registry.name("bob")
    const [own, foreign, nobody] = [registry.name("own"), registry.name("foreign"), registry.name("nobodys")]
    for (const name of [own, foreign, nobody])
      await registry.request("POST", "/api/v1/organization/", { name, email: `${name}@example.com` })
    await registry.request("PUT", `/api/v1/organization/${own}/team/owners/members/${bob}`)
    await registry.request("PUT", `/api/v1/organization/${foreign}/team/readers`, { role: "member" })
    await registry.request("PUT", `/api/v1/organization/${foreign}/team/readers/members/${bob}`)
    const skipped: Array<Skipped> = []
    const asBob = { ...options, token: simulator.addToken({ user: bob }), onSkipped: (it: Skipped) => skipped.push(it) }
    const exported = await exportOrganizations("all", asBob)
    expect(exported.map(({ organization }) => organization)).toEqual([own])
    expect(skipped).toEqual([{ organization: foreign, reason: expect.stringContaining("not an administrator") }])
    expect(await rejection(exportOrganizations([own, foreign], asBob))).toMatchObject({ _tag: "NotAdministrator" })
  })

  simulated(
    "cannot be told by a token that may not say whose it is",
    async ({ options, org, reach, registry, simulator }) => {
      await reach({ repositories: { app: { permissions: { users: { $alice: "admin" } } } } })
      const silent = {
        ...options,
        token: simulator.addToken({ user: registry.caller, scopes: ["org:admin", "repo:admin"] })
      }
      expect(String(await rejection(exportOrganizations("all", silent)))).toContain("user:read")
      // Of one that is named nothing is taken for the caller's own, so all of it is said.
      const { text } = only(await exportOrganizations([org], silent))
      expect(text).toContain(`        - ${registry.caller}\n`)
      expect(text).toContain(`        ${registry.prefix}alice: admin\n`)
    }
  )
})

describe("reading", () => {
  simulated("costs what planning the whole organization costs", async (it) => {
    const { options, org, reach, simulator, value } = it
    const document = {
      email: "a@example.com",
      teams: { dev: { role: "member", members: { users: ["$alice"], robots: ["ci"] } } },
      robots: { ci: {}, cd: {} },
      default_permissions: [{ role: "read", team: "dev" }],
      repositories: {
        app: { permissions: { users: { $alice: "read" }, robots: { ci: "write" }, teams: { dev: "read" } } },
        web: { permissions: { users: {}, robots: { cd: "read" }, teams: {} } }
      },
      quota: {},
      applications: {}
    }
    await reach(document)
    const asked = ["team-member", "robot", "default-permission", "repository-permission", "quota", "application"]
    simulator.requests.reset()
    await plan({ ...options, organizations: [value(document)] })
    const planned = simulator.requests.total
    simulator.requests.reset()
    await exportOrganizations([org], { ...options, only: asked })
    expect(simulator.requests.total).toBe(planned)
  })
})
