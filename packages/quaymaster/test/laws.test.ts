// The laws of the design for a registry that nothing goes wrong with, against random organizations over every kind: what was
// applied is so, in order, within the scope and within the budget of requests, nothing secret is told, and an export says the
// same.
import { quayKinds } from "@quaymaster/kinds"
import type { SimulatorState } from "@quaymaster/simulator"
import fc from "fast-check"
import { expect } from "vitest"
import { decodePlan, encodePlan } from "../src/effect.ts"
import { before, cases, law, planFor } from "./histories.ts"
import { type Documents, ORGANIZATION, type Registry, SECRETS, USERS } from "./organizations.ts"
import { overreach } from "./ownership.ts"
import {
  applied,
  exportedFrom,
  idsOf,
  type Plan,
  planned,
  registryDocumentsOf,
  stateOf,
  undone,
  type World,
  waitsIn
} from "./world.ts"

/** The tokens of all robot accounts and applications, which nobody may be told. */
const tokensIn = ({ organizations }: Pick<SimulatorState, "organizations">): ReadonlyArray<string> =>
  [...JSON.stringify(organizations).matchAll(/"(?:token|client_secret)":"([^"]+)"/g)].map(([, token = ""]) => token)

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

/** Operations that began before something that they wait for was done. */
const early = (plan: Plan, told: World["told"]): ReadonlyArray<string> => {
  const waits = waitsIn(plan)
  const good = new Set<string>()
  const wrong: Array<string> = []
  for (const event of told) {
    if (event.type === "operation-started")
      for (const id of waits.get(event.id) ?? [])
        if (waits.has(id) && !good.has(id)) wrong.push(`${event.id} before ${id}`)
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
  const inApplications = wanted.flatMap((it) => Object.values(fields(it["applications"])).map(fields))
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
    said(inApplications, ["tokens"]) +
    // Tokens are told to whoever proves again that all of them are seen; that mail is sent, once for all.
    2 * Math.min(1, said(inRobots, ["deliver"])) +
    Math.min(1, said(inTeams, ["members"]))
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

    const tokens = tokensIn(old)
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
    for (const canary of [world.token, ...tokens, ...tokensIn(now), ...Object.values(SECRETS)])
      expect(said.includes(canary), `${canary} is told`).toBe(false)

    world.simulator.requests.reset()
    expect(idsOf(await planned(world, second)), "the second plan").toEqual([])
    expect(world.simulator.requests.total).toBeLessThanOrEqual(budget(second, now, made.registry))

    const exported = is === undefined ? [] : [await exportedFrom(world, ORGANIZATION)]
    for (const { text } of exported) {
      expect(idsOf(await planned(world, text)), "the plan of the export").toEqual([])
      // The name that somebody signs in with elsewhere is no secret to Quay, and told by it.
      const { PULLER: _, ...secrets } = SECRETS
      for (const canary of [...tokensIn(now), ...Object.values(secrets)]) expect(text.includes(canary)).toBe(false)
    }
    expect(idsOf(await planned(world, await registryDocumentsOf(world))), "the plan of the registry's").toEqual([])
  })
)
