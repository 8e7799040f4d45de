// The laws of the design against random organizations, over a simulator in this process: the second plan is empty and costs
// what the first reading did, what breaks off anywhere ends the same when it is run again, nothing outside the scope is
// written, no secret is told, and the same input gives the same bytes. fast-check prints the seed of what it breaks.

import { makeQuay, type QuayKind, quayKinds } from "@quaymaster/kinds"
import { makeLimiter } from "@quaymaster/runtime"
import { createQuayClient } from "@quaymaster/sdk"
import { createSimulator, type Simulator, seededRandom } from "@quaymaster/simulator"
import { simulatedOnly, simulatorTest } from "@quaymaster/testing"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import {
  assemble,
  type Connection,
  checkRegistry,
  decodePlan,
  EventSink,
  encodePlan,
  type Failure,
  loadProject,
  type PlanOf,
  planRegistry,
  type Quay,
  type TargetReport,
  walkRegistry
} from "../src/effect.ts"

const RUNS = { numRuns: 200, verbose: 1 }
/** Whatever a run asks of the simulator, it is done in no time; one that hangs is a failure. */
const TIMEOUT = 120_000

const TEAMS = ["dev", "ops", "qa"]
const ROBOTS = ["ci", "cd"]
const USERS = ["me", "alice", "bob"]
const REPOSITORIES = ["app", "web", "vendor/alpine"]

type Document = { readonly organization: string } & { readonly [section: string]: unknown }

const some = <A>(items: ReadonlyArray<A>) => fc.subarray([...items])
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 3 })
const role = fc.constantFrom("read", "write", "admin")
const text = fc.constantFrom("", "one", "two")
const mapOf = <A>(names: ReadonlyArray<string>, entry: fc.Arbitrary<A>) =>
  some(names).chain((chosen) =>
    fc
      .array(entry, { minLength: chosen.length, maxLength: chosen.length })
      .map((entries) => Object.fromEntries(chosen.map((name, i) => [name, entries[i]])))
  )

/** A document whose references are to what it declares itself; a section that it leaves out is referred to by none. */
const documents = (organization: string, prunes: boolean): fc.Arbitrary<Document> =>
  fc
    .record({ teams: maybe(some(TEAMS)), robots: maybe(some(ROBOTS)) })
    .chain((there) => {
      const teams = there.teams ?? []
      const robots = there.robots ?? []
      const named = [
        ...teams.map((team) => ({ team })),
        ...robots.map((robot) => ({ robot })),
        ...USERS.map((user) => ({ user }))
      ]
      const permissions = fc.record({
        users: maybe(mapOf(USERS, role)),
        robots: maybe(mapOf(robots, role)),
        teams: maybe(mapOf(teams, role))
      })
      const team = fc.record({
        role: maybe(fc.constantFrom("member", "creator", "admin")),
        description: maybe(text),
        members: maybe(fc.record({ users: maybe(some(USERS)), robots: maybe(some(robots)) }))
      })
      const entries = <A>(names: ReadonlyArray<string> | undefined, entry: fc.Arbitrary<A>) =>
        names === undefined
          ? fc.constant(undefined)
          : fc
              .array(entry, { minLength: names.length, maxLength: names.length })
              .map((made) => Object.fromEntries(names.map((name, i) => [name, made[i]])))
      const rules = some(
        named.flatMap((to) => [to, ...USERS.slice(0, 2).map((created_by) => ({ ...to, created_by }))])
      ).chain((chosen) =>
        fc
          .array(role, { minLength: chosen.length, maxLength: chosen.length })
          .map((roles) => chosen.map((rule, i) => ({ ...rule, role: roles[i] })))
      )
      return fc.record({
        organization: fc.constant(organization),
        email: maybe(fc.constantFrom("a@example.com", "b@example.com")),
        tag_expiration: maybe(fc.constantFrom("0s", "1d", "2w")),
        prune: prunes ? maybe(some(["teams", "robots", "repositories"])) : fc.constant(undefined),
        teams: entries(there.teams, team),
        robots: entries(there.robots, fc.constant({})),
        default_permissions: maybe(rules),
        repositories: maybe(
          mapOf(
            REPOSITORIES,
            fc.record({
              description: maybe(text),
              visibility: maybe(fc.constantFrom("public", "private")),
              permissions: maybe(permissions)
            })
          )
        )
      })
    })
    .map((made) => JSON.parse(JSON.stringify(made)))

interface World {
  readonly simulator: Simulator
  readonly token: string
  readonly told: Array<unknown>
  /** When it is set, requests beyond so many writes are never answered: as if this process were killed. */
  diesAfter: { writes: number; readonly applied: boolean } | undefined
}

const worldOf = (state?: object): World => {
  const simulator = createSimulator({
    ...(state === undefined ? {} : { state }),
    users: [{ name: "me", superuser: true }, { name: "alice" }, { name: "bob" }],
    random: seededRandom("properties"),
    now: () => 0
  })
  return {
    simulator,
    token: simulator.addToken({ user: "me" }),
    told: [],
    diesAfter: undefined
  }
}

const TARGET = { name: "r", url: "http://simulator.invalid", verify: true }

/** A connection whose requests go straight to the simulator, until the process "dies". */
const connectionTo = (world: World, onDeath: () => void = () => {}): Connection => {
  const never = new Promise<never>(() => {})
  const client = createQuayClient({
    url: TARGET.url,
    token: world.token,
    fetch: async (request) => {
      const death = world.diesAfter
      if (death !== undefined && request.method !== "GET" && death.writes-- <= 0) {
        if (death.applied && death.writes === -1) await world.simulator.fetch(request)
        onDeath()
        return await never
      }
      return await world.simulator.fetch(request)
    }
  })
  const quay = makeQuay({
    registry: { name: TARGET.name, url: TARGET.url },
    client,
    limiter: makeLimiter(),
    caller: "me"
  })
  return { registry: TARGET, caller: "me", quay, stillUs: Effect.void }
}

const run = <A, E>(world: World, effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Effect.provideService(effect, EventSink, (event) => void world.told.push(event)))

/** What becomes of whatever is planned is the matter here, not whether it should be. */
const amounts = quayKinds.map(({ kind }) => `${kind}=999`)
const EVERYTHING = { deletes: amounts, destroy: amounts }

const planned = async (world: World, ...organizations: ReadonlyArray<Document>): Promise<PlanOf<QuayKind>> => {
  const { targets } = await loadProject<QuayKind>(quayKinds, { organizations, registry: TARGET.url, env: {} })
  const [target] = targets
  if (target === undefined) throw new Error("no target")
  const made = await run(world, planRegistry<QuayKind, Failure, Quay>(quayKinds, connectionTo(world), target.desired))
  return assemble([made], "test", EVERYTHING)
}

const applied = async (world: World, plan: PlanOf<QuayKind>, stop?: AbortSignal): Promise<TargetReport | undefined> => {
  const [target] = plan.targets
  if (target === undefined) return undefined
  let died: () => void = () => {}
  const death = new Promise<undefined>((resolve) => {
    died = () => resolve(undefined)
  })
  const connection = connectionTo(world, died)
  const walking = run(
    world,
    Effect.flatMap(checkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, target), (checked) =>
      walkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, target, { checked, workers: 4, stop })
    )
  )
  return await Promise.race([walking, death])
}

/** The tokens of the organization's robots, which nobody may be told. */
const robotsOf = ({ simulator }: World): ReadonlyArray<string> =>
  Object.values(simulator.snapshot().organizations["acme"]?.robots ?? {}).map(({ token }) => token)

const bad = (report: TargetReport | undefined) =>
  report?.results.filter(({ outcome }) => !["applied", "already", "by-registry"].includes(outcome)) ?? []

const reached = async (world: World, document: Document): Promise<PlanOf<QuayKind>> => {
  const plan = await planned(world, document)
  expect(bad(await applied(world, plan)), "what was not done").toEqual([])
  return plan
}

/** Whether the planner turns the document down, such as one that gives a role to what it prunes. */
const refused = async (world: World, document: Document): Promise<boolean> =>
  await planned(world, document).then(
    () => false,
    (error: unknown) => {
      expect(error).toMatchObject({ _tag: "PlanRefused" })
      return true
    }
  )

const RANDOM = new Set(["id", "uuid", "token", "created", "status_token"])

/** An organization without what is random, with sets in order. */
const stateOf = ({ simulator }: World, name: string): unknown => {
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map((item) => JSON.stringify(sorted(item))).sort()
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .filter(([key]) => !RANDOM.has(key))
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, item]) => [key, sorted(item)])
          )
        : value
  return sorted(simulator.snapshot().organizations[name])
}

/** What others do behind our back; what the registry refuses is not done. */
const drifts = fc.array(
  fc.oneof(
    fc
      .record({ to: fc.constantFrom("user:alice", "user:me", "user:acme+ci", "team:dev"), role })
      .map(({ role, to }) => ({
        method: "POST",
        path: "organization/acme/prototypes",
        body: { role, delegate: { kind: to.split(":")[0], name: to.split(":")[1] } }
      })),
    fc
      .record({ repository: fc.constantFrom(...REPOSITORIES), user: fc.constantFrom(...USERS, "acme+ci"), role })
      .map(({ repository, role, user }) => ({
        method: "PUT",
        path: `repository/acme/${repository}/permissions/user/${user}`,
        body: { role }
      })),
    fc.record({ repository: fc.constantFrom(...REPOSITORIES), user: fc.constantFrom(...USERS) }).map((it) => ({
      method: "DELETE",
      path: `repository/acme/${it.repository}/permissions/user/${it.user}`,
      body: undefined
    })),
    fc.constantFrom(...TEAMS, "owners").map((team) => ({
      method: "PUT",
      path: `organization/acme/team/${team}/members/bob`,
      body: undefined
    })),
    fc
      .constantFrom(...TEAMS)
      .map((team) => ({ method: "DELETE", path: `organization/acme/team/${team}`, body: undefined })),
    fc.constantFrom(...ROBOTS).map((robot) => ({
      method: "DELETE",
      path: `organization/acme/robots/${robot}`,
      body: undefined
    }))
  ),
  { maxLength: 8 }
)

const drift = async ({ simulator, token }: World, list: typeof drifts extends fc.Arbitrary<infer A> ? A : never) => {
  for (const { body, method, path } of list)
    await simulator.fetch(`${TARGET.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
}

const property = (name: string, ...parts: Parameters<typeof fc.assert>): void =>
  test.skipIf(simulatedOnly)(simulatorTest(name), () => fc.assert(...parts), TIMEOUT)

property(
  "laws 2, 6 and 7: after a whole apply the second plan is empty and costs the same again; no secret is told; same input, same bytes",
  fc.asyncProperty(documents("acme", true), documents("acme", true), drifts, async (first, second, behind) => {
    const world = worldOf()
    for (const document of [first, second]) {
      if (document === second) await drift(world, behind)
      fc.pre(!(await refused(world, document)))
      const [one, other] = [await planned(world, document), await planned(world, document)]
      expect(encodePlan(other)).toBe(encodePlan(one))
      expect(encodePlan(decodePlan(quayKinds, encodePlan(one)))).toBe(encodePlan(one))
      const reversed = Object.fromEntries(Object.entries(document).reverse())
      expect((await planned(world, { ...reversed, organization: "acme" })).digest).toBe(one.digest)
      const robots = robotsOf(world)
      const report = await applied(world, one)
      expect(bad(report), "what was not done").toEqual([])
      const said = JSON.stringify([world.told, one, report])
      for (const canary of [world.token, ...robots, ...robotsOf(world)]) expect(said.includes(canary)).toBe(false)
      world.simulator.requests.reset()
      const again = await planned(world, document)
      const cost = world.simulator.requests.total
      expect(again.targets.flatMap(({ operations }) => operations.map(({ id }) => id))).toEqual([])
      world.simulator.requests.reset()
      await planned(world, document)
      expect(world.simulator.requests.total).toBe(cost)
    }
  }),
  RUNS
)

const deaths = fc.record({ writes: fc.nat(12), applied: fc.boolean() })

property(
  "law 3: an apply that dies anywhere and is planned again, or resumed with the same plan, ends in the same state",
  fc.asyncProperty(
    maybe(documents("acme", true)),
    documents("acme", true),
    deaths,
    fc.boolean(),
    async (first, second, death, samePlan) => {
      const whole = worldOf()
      fc.pre(first === undefined || !(await refused(whole, first)))
      if (first !== undefined) await reached(whole, first)
      fc.pre(!(await refused(whole, second)))
      const broken = worldOf(whole.simulator.snapshot())
      await reached(whole, second)

      const plan = await planned(broken, second)
      broken.diesAfter = { ...death }
      await applied(broken, plan)
      broken.diesAfter = undefined
      if (samePlan) {
        const resumed = await applied(broken, plan)
        expect(bad(resumed)).toEqual([])
      }
      await reached(broken, second)
      expect(stateOf(broken, "acme")).toEqual(stateOf(whole, "acme"))
    }
  ),
  RUNS
)

property(
  "law 3: an apply that is stopped anywhere reports what it did, and the same plan ends it",
  fc.asyncProperty(
    maybe(documents("acme", true)),
    documents("acme", true),
    fc.nat(10),
    async (first, second, after) => {
      const whole = worldOf()
      fc.pre(first === undefined || !(await refused(whole, first)))
      if (first !== undefined) await reached(whole, first)
      fc.pre(!(await refused(whole, second)))
      const stopped = worldOf(whole.simulator.snapshot())
      await reached(whole, second)

      const plan = await planned(stopped, second)
      const controller = new AbortController()
      let writes = 0
      stopped.simulator.onChange(() => {
        if (++writes > after) controller.abort()
      })
      const report = await applied(stopped, plan, controller.signal)
      expect(report?.results.map(({ id }) => id)).toEqual(plan.targets[0]?.operations.map(({ id }) => id))
      expect(bad(report).filter(({ outcome }) => outcome !== "not-started")).toEqual([])
      expect(bad(await applied(stopped, plan))).toEqual([])
      expect(stateOf(stopped, "acme")).toEqual(stateOf(whole, "acme"))
    }
  ),
  RUNS
)

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const part = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), value)

property(
  "law 5: nothing outside the scope is written, and what holds data, credentials or places is kept without prune",
  fc.asyncProperty(
    documents("acme", false),
    documents("acme", false),
    documents("other", true),
    async (first, second, other) => {
      const world = worldOf()
      fc.pre(!(await refused(world, first)) && !(await refused(world, other)))
      await reached(world, first)
      await reached(world, other)
      const before = stateOf(world, "acme")
      const [beside, users] = [stateOf(world, "other"), JSON.stringify(world.simulator.snapshot().users)]
      fc.pre(!(await refused(world, second)))
      const plan = await reached(world, second)
      const after = stateOf(world, "acme")
      expect(stateOf(world, "other")).toEqual(beside)
      expect(JSON.stringify(world.simulator.snapshot().users)).toBe(users)
      for (const { operations } of plan.targets)
        for (const { action, kind } of operations)
          if (action === "delete")
            expect(["team-member", "default-permission", "repository-permission"]).toContain(kind)
      for (const section of ["teams", "robots", "default_permissions", "repositories"] as const) {
        if (second[section] === undefined) expect(part(after, section), section).toEqual(part(before, section))
        else if (section !== "default_permissions")
          for (const name of Object.keys(part(before, section) ?? {})) {
            expect(part(after, section, name), `${section} ${name}`).toBeDefined()
            if (part(second, section, name) === undefined)
              expect(part(after, section, name)).toEqual(part(before, section, name))
          }
      }
      for (const field of ["email", "tag_expiration_s"])
        if (second[field.replace("_s", "")] === undefined) expect(part(after, field)).toEqual(part(before, field))
      // Parts of a team and of a repository that the file leaves out.
      for (const name of Object.keys(part(before, "repositories") ?? {}))
        for (const [section, kind] of [
          ["users", "users"],
          ["teams", "teams"]
        ] as const)
          if (
            part(second, "repositories", name, "permissions", section) === undefined &&
            part(second, "repositories", name, "permissions", "robots") === undefined
          )
            expect(part(after, "repositories", name, "permissions", kind)).toEqual(
              part(before, "repositories", name, "permissions", kind)
            )
    }
  ),
  RUNS
)
