// What the guard holds over a whole registry: what is protected, and what is somebody else's.
import { describe, expect } from "vitest"
import { exportOrganizations, type LibraryPlan, plan } from "../src/index.ts"
import { rejection, scene } from "./harness.ts"

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
