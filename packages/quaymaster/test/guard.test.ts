// What the guard holds over a whole registry: what is protected, and what is somebody else's.
import { describe, expect } from "vitest"
import { exportOrganizations, type LibraryPlan, plan } from "../src/index.ts"
import { rejection, type Scene, scene } from "./harness.ts"

const idsOf = ({ targets }: LibraryPlan) => targets.flatMap(({ operations }) => operations.map(({ id }) => id))
const extrasOf = ({ targets }: LibraryPlan) => targets.flatMap(({ extras }) => extras.map(({ key }) => key))
const rulesOf = ({ targets }: LibraryPlan) =>
  targets.flatMap(({ verdicts }) => verdicts.filter(({ allowed }) => allowed === undefined).map(({ rule }) => rule))

const FULL = {
  teams: { dev: { role: "member", members: { users: ["$alice"] } }, theirs: { role: "member" } },
  robots: { ci: {}, "theirs-a": {}, "theirs-b": {} },
  repositories: { app: { visibility: "public" }, "theirs/app": { visibility: "public" } }
}

describe("what a file protects", () => {
  scene("is deleted by no flag", async ({ apply, org, plan: planned, reach }) => {
    await reach(FULL)
    const wanting = { prune: ["repositories"], repositories: { app: { visibility: "public" } } }
    const allow = { destroy: ["repository:$org/**", "repository=9"], deletes: ["repository=9"] }
    const blocked = await planned({ ...wanting, protect: ["repository/theirs/*"] })
    expect(idsOf(blocked)).toEqual([`delete:repository:${org}/theirs/app`])
    expect(await rejection(apply(blocked, allow))).toMatchObject({
      _tag: "PlanBlocked",
      verdicts: [{ verdict: { rule: "protected" } }]
    })
    expect((await apply(await planned({ ...wanting, protect: ["repository/app"] }), allow)).outcome).toBe("applied")
  })

  scene("is not taken along with a team that nobody looked into", async ({ plan: planned, reach }) => {
    await reach(FULL)
    const made = await planned({ prune: ["teams"], teams: {}, protect: ["team-member/dev/*"] })
    expect(rulesOf(made)).toEqual(["protected"])
  })
})

describe("what is somebody else's", () => {
  const ours = {
    ignore: ["robot/theirs-*", "team/theirs", "repository/theirs/*"],
    prune: ["robots", "teams", "repositories"],
    teams: { dev: { role: "member" } },
    robots: { ci: {} },
    repositories: { app: {} }
  }

  scene(
    "is neither listed nor removed, and rules do not reach it",
    async ({ options, org, plan: planned, reach, value }) => {
      await reach(FULL)
      const made = await planned({
        ...ours,
        repository_rules: [{ match: "**", visibility: "private", permissions: { teams: { dev: "read" } } }]
      })
      expect([idsOf(made), extrasOf(made)]).toEqual([
        [`create:repository-permission:${org}/app/team:dev`, `update:repository:${org}/app`],
        []
      ])
      const others = await plan({ ...options, organizations: [value({ ...ours, ignore: [] })] })
      expect(idsOf(others)).toHaveLength(4)
    }
  )

  scene("is exported like anything else", async ({ options, org, reach, value }) => {
    await reach(FULL)
    const [exported] = await exportOrganizations([org], options)
    expect(exported?.text).toContain("theirs-a")
    const made = await plan({ ...options, organizations: [value(ours)] })
    expect(idsOf(made)).toEqual([])
  })
})

describe("who administers an organization", () => {
  const withOps = { teams: { ops: { role: "admin", members: { users: ["$alice", "$me"] } } } }
  const without = { teams: { ops: { role: "admin", members: { users: ["$alice"] } } } }

  /** The caller is no owner any more, so that the team alone lets them administer it. */
  const leaveOwners = async ({ org, registry }: Scene) => {
    const owners = `/api/v1/organization/${org}/team/owners/members`
    await registry.request("PUT", `${owners}/${registry.prefix}bob`)
    await registry.request("DELETE", `${owners}/${registry.caller}`)
  }

  scene("is not to be the caller no more, unless that is allowed", async (it) => {
    await it.reach(withOps)
    expect(rulesOf(await it.plan(without))).toEqual([])
    await leaveOwners(it)
    const made = await it.plan(without)
    expect(await rejection(it.apply(made))).toMatchObject({
      _tag: "PlanBlocked",
      verdicts: [{ verdict: { rule: "own-access", allow: `--allow-lockout organization:${it.org}` } }]
    })
    // Quay has a last word of its own: nobody takes themselves out of the one team that lets them in.
    const report = await it.apply(made, { lockout: ["organization:$org"] })
    expect(report.targets[0]?.results).toMatchObject([{ outcome: "failed", tag: "Invalid" }])
  })

  scene("is looked up where a plan takes a role from a team that nobody asked about", async (it) => {
    await it.reach(withOps)
    const demoted = { teams: { ops: { role: "member" } } }
    expect(rulesOf(await it.plan(demoted))).toEqual([])
    await leaveOwners(it)
    expect(rulesOf(await it.plan(demoted))).toEqual(["own-access"])
  })

  scene("is never nobody", async (it) => {
    await it.reach(withOps)
    await leaveOwners(it)
    const nobody = { members: { users: [] } }
    const made = await it.plan({ teams: { owners: nobody, ops: { role: "admin", ...nobody } } })
    expect(rulesOf(made)).toEqual(["last-administrator", "own-access"])
  })

  scene("can be asked for in quaymaster.yaml", async (it) => {
    const guarded = (text: string) => it.file("quaymaster.yaml", `guard: { administrators: ${text} }\n`)
    await guarded("{ required: [$alice], at_least: 2 }")
    await it.reach(withOps)
    const made = await it.plan({ teams: { ops: { role: "admin", members: { users: ["$me"] } } } })
    expect(rulesOf(made)).toEqual(["required-administrators"])
    expect(await rejection(it.apply(made, { lockout: ["organization=9"] }))).toMatchObject({ _tag: "PlanBlocked" })
    await guarded("{ at_least: 5 }")
    expect(rulesOf(await it.plan(withOps))).toEqual(["required-administrators"])
    // Who is among the owners counts, and where the files do not say who administers, nobody has to.
    await guarded("{ required: [$me] }")
    expect(rulesOf(await it.plan(without))).toEqual([])
    await guarded("{ required: [$nobody] }")
    expect(rulesOf(await it.plan({ teams: { ops: { role: "admin" } } }))).toEqual([])
  })
})
