// Registries with a history: a document that was applied, what others did since, and another document to be planned. An
// organization that no document speaks of stands beside.
import type { SimulatorState } from "@quaymaster/simulator"
import { simulatedOnly, simulatorTest } from "@quaymaster/testing"
import { LAW_TIMEOUT, lawful } from "@quaymaster/testing/laws"
import fc from "fast-check"
import { test } from "vitest"
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
import { copyOf, type Deed, done, isRefused, type Plan, plannedOr, reached, World } from "./world.ts"

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
    const made = await reached(world, everything(BESIDE, registry))
    if (isRefused(made)) throw new Error(made.join("\n"))
    return world
  }
  const made = bases.get(registry) ?? make()
  bases.set(registry, made)
  return made
}

export interface Case {
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

export const cases: fc.Arbitrary<Case> = pick(...REGISTRIES).chain((registry) =>
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
export const before = async ({ deeds, first, registry }: Case): Promise<World> => {
  const world = copyOf(await baseOf(registry), registry)
  if (first.length > 0) await reached(world, first)
  await done(world, deeds)
  // Names of what was deleted stay taken for a while, and nothing tells which.
  world.simulator.collect()
  return copyOf(world, registry, elsewhere)
}

/** Quay itself keeps people from locking themselves out, in some ways and not in others; the guard does in all. */
const locksOut = ({ targets }: Plan): boolean =>
  targets.some(({ verdicts }) => verdicts.some(({ allowance }) => allowance === "lockout"))

/** A plan for documents; those that contradict what is there, or lock somebody out, are drawn again. */
export const planFor = async (world: World, wanted: Documents): Promise<Plan> => {
  const plan = await plannedOr(world, wanted)
  fc.pre(!isRefused(plan) && !locksOut(plan))
  if (isRefused(plan)) throw new Error("unreachable")
  return plan
}

/** A law of histories, and of whatever else a case is made of. */
export const law = (name: string, property: fc.IAsyncProperty<[Case, ...unknown[]]>): void =>
  test.skipIf(simulatedOnly)(
    simulatorTest(`${name} (${lawful.numRuns} cases)`),
    () => fc.assert(property, lawful),
    LAW_TIMEOUT
  )
