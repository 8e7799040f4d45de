// The laws of the design against random organizations over every kind. Each case is a registry with a history: a document that
// was applied, what others did since, and another document. An organization that no document speaks of stands beside it.
import { byText } from "@quaymaster/engine"
import { quayKinds } from "@quaymaster/kinds"
import type { SimulatorState } from "@quaymaster/simulator"
import { simulatedOnly, simulatorTest } from "@quaymaster/testing"
import { LAW_TIMEOUT, lawful } from "@quaymaster/testing/laws"
import fc from "fast-check"
import { expect, test } from "vitest"
import { decodePlan, encodePlan, type TargetReport } from "../src/effect.ts"
import {
  absent,
  type Documents,
  documents,
  everything,
  ORGANIZATION,
  REGISTRIES,
  REPOSITORIES,
  type Registry,
  ROBOTS,
  SECRETS,
  TEAMS,
  USERS
} from "./organizations.ts"
import { overreach } from "./ownership.ts"
import {
  applied,
  copyOf,
  type Deed,
  done,
  exportedFrom,
  type Fate,
  idsOf,
  isRefused,
  type Plan,
  planned,
  plannedOr,
  reached,
  registryDocumentsOf,
  settled,
  stateOf,
  undone,
  World
} from "./world.ts"

const BESIDE = "other"
const ELSEWHERE = {
  addresses: ["ops@example.com"],
  sources: ["https://git.example.com/a", "https://git.example.com/b"]
}

/** Registries in which another organization has everything. */
const bases = new Map<Registry, Promise<World>>()
const baseOf = (registry: Registry): Promise<World> => {
  const make = async () => {
    const world = new World({ registry })
    expect(isRefused(await reached(world, everything(BESIDE, registry)))).toBe(false)
    return world
  }
  const made = bases.get(registry) ?? make()
  bases.set(registry, made)
  return made
}

interface Case {
  readonly registry: Registry
  readonly first: Documents
  readonly deeds: ReadonlyArray<Deed>
  readonly second: Documents
}

const role = fc.constantFrom("read", "write", "admin")
const pick = fc.constantFrom
const repository = pick(...REPOSITORIES)

/** What others do behind our back. */
const deeds: fc.Arbitrary<ReadonlyArray<Deed>> = fc.array(
  fc.oneof(
    // The same rule, notification, policy or application can be there twice.
    fc
      .record({ to: pick("user:alice", "user:me", "user:acme+ci", "user:other+ci", "team:dev"), role })
      .map(({ role, to }) => ({
        method: "POST",
        path: "organization/acme/prototypes",
        body: { role, delegate: { kind: to.split(":")[0], name: to.split(":")[1] } }
      })),
    fc.record({ repository, user: pick("bob", "me", "acme+ci", "other+ci"), role }).map((it) => ({
      method: "PUT",
      path: `repository/acme/${it.repository}/permissions/user/${it.user}`,
      body: { role: it.role }
    })),
    fc.record({ repository, user: pick(...USERS, "acme+cd") }).map((it) => ({
      method: "DELETE",
      path: `repository/acme/${it.repository}/permissions/user/${it.user}`
    })),
    pick(...TEAMS).map((team) => ({ method: "PUT", path: `organization/acme/team/${team}/members/bob`, body: {} })),
    pick(...TEAMS).map((team) => ({ method: "DELETE", path: `organization/acme/team/${team}` })),
    pick(...ROBOTS).map((robot) => ({ method: "DELETE", path: `organization/acme/robots/${robot}` })),
    pick("CI portal", "__quay_bootstrap_app").map((name) => ({
      method: "POST",
      path: "organization/acme/applications",
      body: { name, description: "Another" }
    })),
    pick("Vendor", "x", "web").map((name) => ({
      method: "POST",
      path: "repository",
      body: { namespace: "acme", repository: name, visibility: "public", description: "By hand" }
    })),
    repository.map((it) => ({ method: "DELETE", path: `repository/acme/${it}` })),
    fc.record({ repository, state: pick("NORMAL", "READ_ONLY", "MIRROR") }).map((it) => ({
      method: "PUT",
      path: `repository/acme/${it.repository}/changestate`,
      body: { state: it.state }
    })),
    fc.record({ repository, url: pick("https://a.example.com/1", SECRETS["HOOK_A"]) }).map((it) => ({
      method: "POST",
      path: `repository/acme/${it.repository}/notification/`,
      body: { event: "repo_push", method: "webhook", config: { url: it.url }, eventConfig: {}, title: "hook" }
    })),
    fc.record({ repository, method: pick("number_of_tags", "creation_date") }).map((it) => ({
      method: "POST",
      path: `repository/acme/${it.repository}/autoprunepolicy/`,
      body: { method: it.method, value: it.method === "creation_date" ? "7d" : 5 }
    })),
    fc.constant({ method: "POST", path: "organization/acme/quota", body: { limit_bytes: 1000 } }),
    fc.constant({ method: "DELETE", path: "organization/acme/mirror" }),
    fc.constant({ method: "DELETE", path: "organization/acme/proxycache" }),
    fc.constant({ method: "PUT", path: "organization/acme", body: { email: "drift@example.com" } }),
    fc.constant({ method: "POST", path: "organization/acme/team/dev/syncing", body: { group_dn: "cn=dev,ou=groups" } })
  ),
  { maxLength: 5 }
)

const MESSAGE: Deed = {
  method: "POST",
  path: "messages",
  body: { message: { content: "By hand", severity: "info", media_type: "text/plain" } }
}

const cases: fc.Arbitrary<Case> = pick(...REGISTRIES).chain((registry) =>
  fc.record({
    registry: fc.constant(registry),
    first: fc.oneof(
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 5, arbitrary: documents(ORGANIZATION, registry) }
    ),
    deeds: fc.tuple(deeds, fc.boolean()).map(([own, speaks]) => (speaks ? [...own, MESSAGE] : own)),
    second: fc.oneof(
      { weight: 1, arbitrary: fc.constant([absent(ORGANIZATION)]) },
      {
        weight: 30,
        arbitrary: documents(ORGANIZATION, registry, {
          ...ELSEWHERE,
          addresses: registry.mailing ? ELSEWHERE.addresses : []
        })
      }
    )
  })
)

/** What is done in browsers: addresses are confirmed, and builds are set up. */
const elsewhere = (state: SimulatorState): object => {
  const { [ORGANIZATION]: own, ...others } = state.organizations
  if (own === undefined) return state
  const triggers = ELSEWHERE.sources.map((build_source, i) => ({
    id: `trigger-${i}`,
    service: "custom-git",
    is_active: true,
    config: { build_source },
    enabled: i === 0
  }))
  const repositories = Object.entries(own.repositories).map(([name, repository]) => [
    name,
    {
      ...repository,
      authorized_emails: Object.fromEntries(ELSEWHERE.addresses.map((it) => [it, true])),
      triggers: triggers.map((it) => ({ ...it, id: `${it.id}-${name.replaceAll("/", "-")}` }))
    }
  ])
  const made = { ...own, repositories: Object.fromEntries(repositories) }
  return { ...state, organizations: { ...others, [ORGANIZATION]: made } }
}

/** The registry before the second document: the first one applied, and what was done since. A first one that is refused is none. */
const before = async ({ deeds, first, registry }: Case): Promise<World> => {
  const world = copyOf(await baseOf(registry), registry)
  if (first.length > 0) await reached(world, first)
  await done(world, deeds)
  return copyOf(world, registry, elsewhere)
}

/** A plan for documents; those that contradict what is there are drawn again. */
const planFor = async (world: World, wanted: Documents): Promise<Plan> => {
  const plan = await plannedOr(world, wanted)
  fc.pre(!isRefused(plan))
  if (isRefused(plan)) throw new Error("unreachable")
  return plan
}

const law = (name: string, property: fc.IAsyncProperty<[Case, ...unknown[]]>): void =>
  test.skipIf(simulatedOnly)(
    simulatorTest(`${name} (${lawful.numRuns} cases)`),
    () => fc.assert(property, lawful),
    LAW_TIMEOUT
  )

type Fields = { readonly [key: string]: unknown }
const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}

const organizationOf = (state: Pick<SimulatorState, "organizations">): Fields | undefined =>
  state.organizations[ORGANIZATION]

/** What belongs to somebody else than the documents: all but their organization, and what they say of the registry. */
const beside = (
  wanted: Documents,
  { deleted, organizations, users, ...rest }: Omit<SimulatorState, "log">
): unknown => {
  const { [ORGANIZATION]: _own, ...others } = organizations
  const { [ORGANIZATION]: _name, ...names } = deleted
  const said = Object.assign({}, ...wanted.map((it) => fields(it["users"])))
  const owns = (section: string) => wanted.some((it) => Object.hasOwn(it, section))
  const untold = Object.entries(users).filter(([name]) => !Object.hasOwn(said, name))
  const pruned = wanted.some((it) => Object.hasOwn(it, "users") && Object.hasOwn(it, "prune"))
  return {
    others,
    ...(pruned ? {} : { names, users: untold.map(([name, user]) => [name, { ...user, inbox: undefined }]) }),
    rest: Object.entries(rest).filter(([key]) => !owns(key))
  }
}

/** Writes that go anywhere else. */
const strayed = (wanted: Documents, writes: World["writes"]): World["writes"] =>
  writes.filter(({ body, path }) => {
    const owns = (section: string) => wanted.some((it) => Object.hasOwn(it, section))
    const named = fields(JSON.parse(body === "" ? "{}" : body))
    if (/^\/api\/v1\/(organization|repository)\/acme(\/|$)/.test(path)) return false
    if (path === "/api/v1/repository") return named["namespace"] !== ORGANIZATION
    if (path === "/api/v1/organization/") return named["name"] !== ORGANIZATION
    if (/^\/api\/v1\/messages?(\/|$)/.test(path)) return !owns("messages")
    return !path.startsWith("/api/v1/superuser/users/") || !owns("users")
  })

/** Of these operations, those that began before something that they need was done. */
const early = ({ targets: [target] }: Plan, told: World["told"]): ReadonlyArray<string> => {
  const needs = new Map(target?.operations.map((it) => [it.id, it.needs]))
  const good = new Set<string>()
  const wrong: Array<string> = []
  for (const event of told) {
    if (event.type === "operation-started")
      for (const id of needs.get(event.id) ?? [])
        if (needs.has(id) && !good.has(id)) wrong.push(`${event.id} before ${id}`)
    if (event.type === "operation-finished" && !["failed", "skipped", "not-started"].includes(event.outcome))
      good.add(event.id)
  }
  return wrong
}

/** The most requests that reading an organization may take for these documents, as the design counts them. */
const budget = (wanted: Documents, state: Omit<SimulatorState, "log">, { mailing }: Registry): number => {
  const { repositories = {}, robots = {}, teams = {} } = state.organizations[ORGANIZATION] ?? {}
  const all = Object.values(repositories)
  const holders = (names: Fields, held: (it: (typeof all)[number]) => Fields, nameOf = (name: string) => name) =>
    Object.keys(names).filter((name) => all.some((it) => Object.hasOwn(held(it), nameOf(name)))).length
  const T = holders(teams, ({ permissions }) => permissions.teams)
  const B = holders(
    robots,
    ({ permissions }) => permissions.users,
    (name) => `${ORGANIZATION}+${name}`
  )
  const D = all.filter(({ permissions }) =>
    Object.keys(permissions.users).some((name) => !name.includes("+") && name !== USERS[0])
  ).length
  const named = wanted.flatMap((it) => Object.entries(fields(it["repositories"])).map(([, entry]) => fields(entry)))
  const own = all.filter(({ permissions }) => permissions.users.me !== undefined).length
  const R = all.length
  const core = 6 + Math.ceil(R / 100) + Math.min(2 * R, R + T, T + B + D + own)
  const said = (owners: ReadonlyArray<Fields>, sections: ReadonlyArray<string>) =>
    owners.flatMap((it) => Object.keys(it).filter((key) => sections.includes(key))).length
  const ruled = wanted.flatMap((it) =>
    Array.isArray(it["repository_rules"]) ? it["repository_rules"].map(fields) : []
  )
  const each = ["notifications", "auto_prune", "immutability", "mirror", "trust", "triggers"]
  const inTeams = wanted.flatMap((it) => Object.values(fields(it["teams"])).map(fields))
  const inRobots = wanted.flatMap((it) => Object.values(fields(it["robots"])).map(fields))
  return (
    core +
    said(wanted, ["quota", "proxy_cache", "notifications", "auto_prune", "immutability", "applications"]) +
    said(wanted, ["mirror", "users", "messages"]) +
    said(named, each) +
    said(ruled, each) * R +
    // Who is invited is told team by team.
    said(inTeams, mailing ? ["sync", "members"] : ["sync"]) +
    said(inRobots, ["federation"]) +
    Math.min(1, said(inRobots, ["deliver"]))
  )
}

law(
  "laws 1, 2, 4 to 7: what was applied is so, in order and within the scope and the budget, and an export says the same",
  fc.asyncProperty(cases, async (made) => {
    const { second } = made
    const world = await before(made)
    const old = stateOf(world)
    const plan = await planFor(world, second)

    // The same input gives the same bytes, in whatever order it is written.
    const reversed = second.map((it) => Object.fromEntries(Object.entries(it).reverse())).reverse()
    expect((await planned(world, reversed)).digest).toBe(plan.digest)
    expect(encodePlan(decodePlan(quayKinds, encodePlan(plan)))).toBe(encodePlan(plan))
    // To plan changes nothing.
    expect(world.writes).toEqual([])
    expect(stateOf(world)).toEqual(old)

    const tokens = robotTokens(old)
    const report = await applied(world, plan)
    expect(undone(report), "what was not done").toEqual([])
    expect(early(plan, world.told), "what was done too early").toEqual([])

    const now = stateOf(world)
    expect(beside(second, now)).toEqual(beside(second, old))
    expect(strayed(second, world.writes)).toEqual([])
    const [was, is] = [organizationOf(old), organizationOf(now)]
    const [document] = second
    if (was !== undefined && is !== undefined && document !== undefined)
      expect(overreach(document, was, is), "what the document does not own").toEqual([])

    const said = JSON.stringify([world.told, encodePlan(plan), report])
    for (const canary of [world.token, ...tokens, ...robotTokens(now), ...Object.values(SECRETS)])
      expect(said.includes(canary), `${canary} is told`).toBe(false)

    world.simulator.requests.reset()
    expect(idsOf(await planned(world, second)), "the second plan").toEqual([])
    expect(world.simulator.requests.total).toBeLessThanOrEqual(budget(second, now, made.registry))

    const exported = is === undefined ? [] : [await exportedFrom(world, ORGANIZATION)]
    for (const { text } of exported) {
      expect(idsOf(await planned(world, text)), "the plan of the export").toEqual([])
      // The name that somebody signs in with elsewhere is no secret to Quay, and told by it.
      const { PULLER: _, ...secrets } = SECRETS
      for (const canary of [...robotTokens(now), ...Object.values(secrets)]) expect(text.includes(canary)).toBe(false)
    }
    expect(idsOf(await planned(world, await registryDocumentsOf(world))), "the plan of the registry's").toEqual([])
  })
)

/** The tokens of all robot accounts, which nobody may be told. */
const robotTokens = (state: Omit<SimulatorState, "log">): ReadonlyArray<string> =>
  Object.values(state.organizations).flatMap(({ robots }) => Object.values(robots).map(({ token }) => token))

type Breach = "silence" | "silence after it was done" | "stop" | "refusal"

/** Breaks in at the write of this number, counted from 0. */
const broken = async (world: World, plan: Plan, breach: Breach, at: number): Promise<TargetReport | undefined> => {
  let count = 0
  const controller = new AbortController()
  world.fate = (): Fate | undefined => {
    const write = count++
    if (write < at) return undefined
    if (breach === "stop") controller.abort()
    if (breach === "stop" || (breach === "refusal" && write > at)) return undefined
    if (breach === "refusal") return { kind: "refusal" }
    // Whoever fell silent sends nothing more.
    return { kind: "silence", done: breach === "silence after it was done" && write === at }
  }
  const report = await applied(world, plan, controller.signal)
  world.fate = () => undefined
  return report
}

/** All that waits for one of these, directly or not. */
const dependents = ({ targets: [target] }: Plan, ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const waiting = new Set<string>()
  const open = [...ids]
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const it of target?.operations ?? [])
      if (!waiting.has(it.id) && (it.needs.includes(id) || it.impliedBy === id)) {
        waiting.add(it.id)
        open.push(it.id)
      }
  return [...waiting].sort(byText)
}

law(
  "laws 3 and 4: an apply that breaks off anywhere reports what it did, and ends the same when it goes on or begins anew",
  fc.asyncProperty(
    cases,
    pick<Breach>("silence", "silence after it was done", "stop", "refusal"),
    fc.nat(),
    fc.boolean(),
    async (made, breach, where, samePlan) => {
      const { registry, second } = made
      const whole = await before(made)
      const hurt = copyOf(whole, registry)
      const plan = await planFor(whole, second)
      expect(undone(await applied(whole, plan)), "what was not done").toEqual([])
      fc.pre(whole.writes.length > 0)

      const report = await broken(hurt, plan, breach, where % whole.writes.length)
      if (report !== undefined) {
        expect(report.results.map(({ id }) => id)).toEqual(idsOf(plan))
        const ended = (outcome: string) => report.results.filter((it) => it.outcome === outcome).map(({ id }) => id)
        const failed = ended("failed")
        expect(failed.length).toBe(breach === "refusal" ? 1 : 0)
        // Whatever does not depend on what failed goes on.
        expect([...ended("skipped")].sort(byText)).toEqual(dependents(plan, failed))
        if (breach === "refusal") expect(ended("not-started")).toEqual([])
      }
      if (samePlan) expect(undone(await applied(hurt, plan)), "what was not done by the same plan").toEqual([])
      else {
        const again = await planned(hurt, second)
        expect(undone(await applied(hurt, again)), "what was not done by another plan").toEqual([])
      }
      expect(settled(stateOf(hurt))).toEqual(settled(stateOf(whole)))
      expect([...hurt.files.keys()].sort(byText)).toEqual([...whole.files.keys()].sort(byText))
    }
  )
)
