// What the tests of the kinds share: a registry over HTTP for each file of tests, an organization of its own for each test,
// and rows that say what is there, what a file wants, which operations follow, and what is there then. In all texts `$org`
// is the test's organization, `$me` the token's user, and a name that begins with `$` one that no other test has.
import { decode } from "@quaymaster/config"
import {
  type AnyOperation,
  needsOffers,
  type Operation,
  PlanRefused,
  planTarget,
  preflight,
  type TargetPlan
} from "@quaymaster/engine"
import { makeLimiter, read, recheck, type TargetReport, walk } from "@quaymaster/runtime"
import { createQuayClient, identify, paginate, type QuayClient } from "@quaymaster/sdk"
import { simulatedOnly, simulatorTest, type TestRegistry, testRegistry } from "@quaymaster/testing"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import {
  type DeliveryFailed,
  makeQuay,
  Quay,
  type QuayKind,
  quayKinds,
  type ReadError,
  type SecretUnavailable
} from "../src/index.ts"

/** How long a write is looked for whose answer was lost, in milliseconds. */
const PATIENCE = 1_500

export type Plan = TargetPlan<Operation<QuayKind>>

/** What the methods of the kinds can fail with. */
type Fails = ReadError | SecretUnavailable | DeliveryFailed

/** The simulator that a file of tests, or one test, wants. */
type Simulated = NonNullable<Parameters<typeof testRegistry>[0]>

/** A YAML document, or what one holds. `organization: $org` is put before a text that names none. */
export type File = string | { readonly [key: string]: unknown }

/** An organization as tests compare it; read one object at a time, in other ways than the kinds read. */
export interface OrganizationState {
  readonly email: string
  readonly expiration: number | undefined
  readonly teams: Record<string, { readonly role: string; readonly description: string; readonly members: string[] }>
  readonly robots: Record<string, string>
  readonly defaults: string[]
  readonly repositories: Record<
    string,
    {
      readonly description: string
      readonly visibility: string
      readonly users: Record<string, string>
      readonly teams: Record<string, string>
    }
  >
}

export interface Trial {
  readonly registry: TestRegistry
  /** The test's organization. */
  readonly org: string
  readonly quay: QuayClient
  /** The environment that files refer to for secrets. */
  readonly env: Map<string, string>
  /** Puts the real names in the place of `$…`. */
  readonly real: (text: string) => string
  /** The same with another token; the caller is who the token says. */
  readonly as: (token: string) => Trial
  readonly plan: (...files: ReadonlyArray<File>) => Promise<Plan>
  /** Applies a plan as it is now; a plan that is stale rejects. */
  readonly apply: (plan: Plan) => Promise<TargetReport>
  /** Plans and applies, and holds that all of it was done and that nothing is left to do. */
  readonly reach: (...files: ReadonlyArray<File>) => Promise<Plan>
  /** The ids of a plan's operations, with `$…` for names. */
  readonly ids: (plan: Plan) => string[]
  readonly state: (organization?: string) => Promise<OrganizationState>
}

const dedented = (text: string): string => {
  const [, indent = ""] = /^\n?( *)/.exec(text) ?? []
  return text.replace(/^\n/, "").replace(new RegExp(`^${indent}`, "gm"), "")
}

const textOf = (file: File): string =>
  typeof file !== "string"
    ? JSON.stringify(file)
    : /^ *organization:/m.test(file)
      ? dedented(file)
      : `organization: $org\n${dedented(file)}`

const makeTrial = (registry: TestRegistry, org: string, token: string): Trial => {
  const quay = createQuayClient({ url: registry.url, token })
  const env = new Map<string, string>()
  const real = (text: string): string =>
    text
      .replace(/\$org\b/g, org)
      .replace(/\$me\b/g, registry.caller)
      .replaceAll("$", registry.prefix)
  const short = (text: string): string =>
    text
      .replaceAll(org, "$org")
      .replaceAll(registry.prefix, "$")
      .replace(new RegExp(`(user:|by:|^|team-member:.*/)${registry.caller}(?=$|/)`, "g"), "$1$$me")

  const run = async <A, E>(use: (caller: string | undefined) => Effect.Effect<A, E, Quay>): Promise<A> => {
    const identity = await identify(quay)
    const caller = identity.kind === "user" ? identity.name : undefined
    const service = makeQuay({
      registry: { name: "test", url: registry.url },
      client: quay,
      limiter: makeLimiter(),
      caller,
      secret: async (reference) => {
        const value = "env" in reference ? env.get(reference.env) : undefined
        if (value === undefined) throw new Error(`There is no ${JSON.stringify(reference)}.`)
        return value
      }
    })
    return await Effect.runPromise(Effect.provideService(use(caller), Quay, service))
  }

  const plan: Trial["plan"] = async (...files) => {
    const sources = files.map((file, i) => ({ name: `${i + 1}.yaml`, text: real(textOf(file)) }))
    const { targets } = decode<QuayKind>(quayKinds, { files: sources, problems: [] }, { registry: registry.url })
    const [target] = targets
    if (target === undefined) throw new Error("the files name no registry")
    const { declarations, scope } = target.desired
    const declared = new Map<string, Set<string>>()
    for (const kind of quayKinds) {
      const own = declarations.filter((it) => it.kind === kind.kind)
      const keyOf = (item: object): string => Reflect.apply(kind.key, kind, [item])
      declared.set(kind.kind, new Set(own.map(({ item }) => keyOf(item))))
    }
    return await run((caller) =>
      Effect.gen(function* () {
        const { server } = yield* Quay
        const asked = needsOffers<QuayKind>(quayKinds, target.desired)
        const lacking = asked ? preflight<QuayKind>(quayKinds, target.desired, yield* server) : []
        if (lacking.length > 0) throw new PlanRefused(lacking)
        const actual = yield* read<QuayKind, Fails, Quay>(quayKinds, { scope, declared, caller })
        return planTarget<QuayKind>(quayKinds, { registry: "test", url: registry.url }, target.desired, actual)
      })
    )
  }
  const apply: Trial["apply"] = (made) =>
    run((caller) =>
      Effect.flatMap(recheck<QuayKind, Fails, Quay>(quayKinds, made, caller), (checked) =>
        walk<QuayKind, Fails, Quay>(quayKinds, made, { workers: 8, caller, checked, patience: PATIENCE })
      )
    )
  const ids: Trial["ids"] = ({ operations }) => operations.map(({ id }) => short(id)).sort()
  const named = <A>(map: ReadonlyMap<string, A>): Record<string, A> =>
    Object.fromEntries([...map].map(([name, value]) => [short(name), value]))

  const state: Trial["state"] = async (orgname = org) => {
    const organization = await quay.GET("/api/v1/organization/{orgname}", { params: { path: { orgname } } })
    const teams = new Map<string, OrganizationState["teams"][string]>()
    for (const { description, name, role } of Object.values(organization.teams ?? {})) {
      const { members } = await quay.GET("/api/v1/organization/{orgname}/team/{teamname}/members", {
        params: { path: { orgname, teamname: name } }
      })
      const names = members.flatMap((member) => ("name" in member && member.name !== undefined ? [member.name] : []))
      teams.set(name, { role, description, members: names.map(short).sort() })
    }
    const { robots } = await quay.GET("/api/v1/organization/{orgname}/robots", {
      params: { path: { orgname }, query: { token: false } }
    })
    const { prototypes } = await quay.GET("/api/v1/organization/{orgname}/prototypes", {
      params: { path: { orgname } }
    })
    const repositories = new Map<string, OrganizationState["repositories"][string]>()
    const list = paginate({
      path: "/api/v1/repository",
      page: (next) => quay.GET("/api/v1/repository", { params: { query: { namespace: orgname, ...next } } }),
      items: (page) => page.repositories
    })
    for await (const { description, is_public, name } of list) {
      const params = { path: { repository: `${orgname}/${name}` } }
      const users = await quay.GET("/api/v1/repository/{repository}/permissions/user/", { params })
      const ofTeams = await quay.GET("/api/v1/repository/{repository}/permissions/team/", { params })
      repositories.set(name, {
        description: description ?? "",
        visibility: is_public ? "public" : "private",
        users: named(new Map(Object.values(users.permissions).map((it) => [it.name, it.role]))),
        teams: named(new Map(Object.values(ofTeams.permissions).map((it) => [it.name, it.role])))
      })
    }
    return {
      email: organization.email,
      expiration: organization.tag_expiration_s,
      teams: named(teams),
      robots: named(
        new Map(
          robots
            .filter(({ name }) => name.startsWith(`${orgname}+`))
            .map(({ description, name }) => [name.slice(orgname.length + 1), description ?? ""])
        )
      ),
      defaults: prototypes
        .map(
          ({ activating_user, delegate, role }) =>
            `${delegate.kind}:${short(delegate.name)}=${role}${activating_user === null ? "" : ` by ${short(activating_user.name)}`}`
        )
        .sort(),
      repositories: named(repositories)
    }
  }

  return {
    registry,
    org,
    quay,
    env,
    real,
    as: (other) => makeTrial(registry, org, other),
    plan,
    apply,
    reach: async (...files) => {
      const made = await plan(...files)
      const report = await apply(made)
      const bad = report.results.filter(({ outcome }) => !["applied", "already", "by-registry"].includes(outcome))
      expect(bad, "operations that were not done").toEqual([])
      expect(ids(await plan(...files)), "the second plan").toEqual([])
      return made
    },
    ids,
    state
  }
}

/** What a row of a table says. What it leaves out is not looked at, but for operations: those are all there are. */
export interface Row {
  readonly name: string
  /** What is there before: a file that is reached first. Without one there is an empty organization. */
  readonly given?: File
  /** What changes behind our back after that. */
  readonly drift?: (trial: Trial) => Promise<unknown>
  readonly want: File
  /** The plan's operations, sorted by id. */
  readonly operations: ReadonlyArray<string>
  /** `kind:key` of what is kept although no file names it. */
  readonly extras?: ReadonlyArray<string>
  /** `kind:key` of what cannot be as the file wants it. */
  readonly stuck?: ReadonlyArray<string>
  /** A part of the state after the apply. */
  readonly becomes?: object
  /** Run after all else. */
  readonly also?: (trial: Trial, plan: Plan) => Promise<unknown>
}

const EMPTY = "prune: []"

export interface Trials {
  readonly test: (name: string, run: (trial: Trial) => Promise<unknown>) => void
  /** Skipped on a real Quay, and named so. */
  readonly simulated: (
    name: string,
    run: (trial: Trial & { readonly simulator: Simulator }) => Promise<unknown>
  ) => void
  readonly rows: (about: string, rows: ReadonlyArray<Row>) => void
  /** With a simulator of another release, or of other features; skipped on a real Quay, and named so. */
  readonly otherwise: (name: string, options: Simulated, run: (trial: Trial) => Promise<unknown>) => void
}

type Simulator = NonNullable<TestRegistry["simulator"]>

/** A registry for a file of tests, with users of these short names beside the caller. */
export const trials = (users: ReadonlyArray<string> = []): Trials => {
  let registry: TestRegistry | undefined
  let count = 0
  beforeAll(async () => {
    registry = await testRegistry()
    for (const user of users) await registry.user(user)
  })
  afterAll(() => registry?.cleanup())
  const next = (): Trial => {
    if (registry === undefined) throw new Error("there is no registry")
    count += 1
    return makeTrial(registry, registry.name(`org${count}`), registry.token)
  }
  const own = (name: string, run: (trial: Trial) => Promise<unknown>) =>
    test(name, async () => void (await run(next())))
  return {
    test: own,
    simulated: (name, run) =>
      test.skipIf(simulatedOnly)(simulatorTest(name), async () => {
        const trial = next()
        const { simulator } = trial.registry
        if (simulator !== undefined) await run({ ...trial, simulator })
      }),
    otherwise: (name, options, run) =>
      test.skipIf(simulatedOnly)(simulatorTest(name), async () => {
        await using other = await testRegistry(options)
        await run(makeTrial(other, other.name("org"), other.token))
      }),
    rows: (about, rows) =>
      describe(about, () => {
        for (const { name, ...row } of rows) own(name, (trial) => check(trial, row))
      })
  }
}

const check = async (trial: Trial, row: Omit<Row, "name">): Promise<void> => {
  await trial.reach(row.given ?? EMPTY)
  await row.drift?.(trial)
  const { simulator } = trial.registry
  const counted = async (): Promise<readonly [Plan, number]> => {
    simulator?.requests.reset()
    return [await trial.plan(row.want), simulator?.requests.total ?? 0]
  }
  const [plan, first] = await counted()
  expect(trial.ids(plan)).toEqual([...row.operations].sort())
  const addresses = (list: ReadonlyArray<{ readonly kind: string; readonly key: string }>) =>
    list.map(({ key, kind }) => `${kind}:${key.replaceAll(trial.org, "$org").replaceAll(trial.registry.prefix, "$")}`)
  if (row.extras !== undefined) expect(addresses(plan.extras), "extras").toEqual(row.extras)
  if (row.stuck !== undefined) expect(addresses(plan.stuck), "stuck").toEqual(row.stuck)
  const report = await trial.apply(plan)
  expect(report.results.filter(({ outcome }) => !["applied", "by-registry"].includes(outcome))).toEqual([])
  if (row.becomes !== undefined) expect(await trial.state()).toMatchObject(row.becomes)
  const [second, requests] = await counted()
  expect(trial.ids(second), "the second plan").toEqual([])
  // What was made may have to be read the next time, so this holds where the plan was empty.
  if (row.operations.length === 0) expect(requests).toBe(first)
  await row.also?.(trial, plan)
}

/** An operation of a plan by its id with `$…` names. */
export const operationOf = (trial: Trial, plan: Plan, id: string): AnyOperation | undefined =>
  plan.operations.find((operation) => operation.id === trial.real(id))

/** What a promise rejects with; fails if it resolves. */
export const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error })
  )
  if ("error" in outcome) return outcome.error
  throw new Error(`resolved to ${JSON.stringify(outcome.value)}`)
}
