// What reading and writing an organization costs, in requests: the budget of the design, for organizations of many shapes
// and files that leave parts out. Counted in a simulator. What is asked once for a registry, whatever the number of
// organizations, is left out: who we are, and whether it sends mail.
import { describe, expect } from "vitest"
import { type File, type Plan, type Trial, trials } from "./harness.ts"

const { simulated } = trials(["alice", "bob"])

interface Shape {
  /** Repositories, teams with any, robots with any, and repositories on which somebody else than the caller has a permission. */
  readonly R: number
  readonly T: number
  readonly B: number
  readonly D: number
}

const names = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i + 100}`)

/** An organization of a shape: each team and robot has a permission on one repository, and so has alice on D of them. */
const shaped = ({ R, T, B, D }: Shape) => {
  const repositories = names("r", R)
  const holders = (of: ReadonlyArray<string>, i: number) => of.filter((_, k) => k % R === i)
  const [teams, robots] = [names("t", T), names("b", B)]
  return {
    organization: "$org",
    email: "$a@example.com",
    teams: Object.fromEntries(
      teams.map((name) => [name, { role: "member", members: { users: ["$bob"], robots: [] } }])
    ),
    robots: Object.fromEntries(robots.map((name) => [name, {}])),
    default_permissions: T > 0 ? [{ role: "read", user: "$bob", created_by: "$alice" }] : [],
    repositories: Object.fromEntries(
      repositories.map((name, i) => [
        name,
        {
          description: "x",
          permissions: {
            users: i < D ? { $alice: "read" } : {},
            robots: Object.fromEntries(holders(robots, i).map((robot) => [robot, "write"])),
            teams: Object.fromEntries(holders(teams, i).map((team) => [team, "read"]))
          }
        }
      ])
    )
  }
}

const budget = ({ R, T, B, D }: Shape): number => 6 + Math.ceil(R / 100) + Math.min(2 * R, R + T, T + B + D)

type RequestCounts = NonNullable<Trial["registry"]["simulator"]>["requests"]

const cost = async (
  trial: Trial & { readonly simulator: { readonly requests: RequestCounts } },
  file: File
): Promise<readonly [Plan, number]> => {
  trial.simulator.requests.reset()
  const plan = await trial.plan(file)
  const { of, total } = trial.simulator.requests
  return [plan, total - of("GET /api/v1/user/") - of("GET /config")]
}

describe("reading an organization", () => {
  for (const shape of [
    { R: 0, T: 0, B: 0, D: 0 },
    { R: 1, T: 1, B: 1, D: 1 },
    { R: 8, T: 0, B: 0, D: 0 },
    { R: 8, T: 2, B: 2, D: 1 },
    { R: 8, T: 2, B: 12, D: 8 },
    { R: 8, T: 12, B: 2, D: 0 },
    { R: 3, T: 9, B: 9, D: 3 },
    { R: 20, T: 3, B: 5, D: 10 },
    { R: 101, T: 3, B: 2, D: 4 }
  ])
    simulated(`stays within its budget of ${budget(shape)} for ${JSON.stringify(shape)}`, async (trial) => {
      const file = shaped(shape)
      await trial.reach(file)
      const [plan, requests] = await cost(trial, file)
      expect(trial.ids(plan)).toEqual([])
      expect(requests).toBeLessThanOrEqual(budget(shape))
      const [again, same] = await cost(trial, file)
      expect([trial.ids(again), same]).toEqual([[], requests])
    })

  const SHAPE = { R: 8, T: 2, B: 3, D: 2 }
  const { repositories, robots, teams, ...rest } = shaped(SHAPE)
  const without = (part: string) =>
    Object.fromEntries(
      Object.entries(repositories).map(([name, { permissions, ...it }]) => [
        name,
        { ...it, permissions: Object.fromEntries(Object.entries(permissions).filter(([key]) => key !== part)) }
      ])
    )
  for (const [what, file, most] of [
    ["the organization alone", { organization: "$org", email: "$a@example.com" }, 1],
    ["teams without members", { organization: "$org", teams: { t100: {} } }, 1],
    ["teams with people", { organization: "$org", teams: { t100: { members: { users: ["$bob"] } } } }, 2],
    ["teams with robots", { organization: "$org", teams: { t100: { members: { robots: [] } } } }, 2],
    ["robots", { organization: "$org", robots }, 2],
    ["default permissions", { organization: "$org", default_permissions: rest.default_permissions }, 3],
    ["repositories without permissions", { organization: "$org", repositories: { r100: {} } }, 3],
    [
      "what teams may do",
      { organization: "$org", repositories: { r100: { permissions: { teams: { t100: "read" } } } } },
      6
    ],
    ["all but what robots may do", { ...rest, robots, teams, repositories: without("robots") }, 6 + 1 + 2 + 2],
    ["all but what users may do", { ...rest, robots, teams, repositories: without("users") }, 6 + 1 + 2 + 3],
    ["all but what teams may do", { ...rest, robots, teams, repositories: without("teams") }, 6 + 1 + 3 + 2]
  ] as const)
    simulated(`asks ${most} times at most for ${what}`, async (trial) => {
      await trial.reach(shaped(SHAPE))
      const [, requests] = await cost(trial, file)
      expect(requests).toBeLessThanOrEqual(most)
    })

  simulated("asks one question for an organization that is not there", async (trial) => {
    const [, requests] = await cost(trial, shaped(SHAPE))
    expect(requests).toBe(1)
  })

  simulated("asks nothing about organizations that no file names", async (trial) => {
    const other = `${trial.org}other`
    await trial.reach(`organization: ${other}\nteams: { dev: {} }`)
    await trial.reach(shaped(SHAPE))
    const [, requests] = await cost(trial, `organization: ${other}\nteams: { dev: {} }`)
    expect(requests).toBe(1)
  })
})

describe("writing an organization", () => {
  simulated("takes one request an object, less what Quay does by itself, and one reading back", async (trial) => {
    const file = {
      organization: "$org",
      teams: { owners: { role: "admin", members: { users: ["$me"] } }, dev: { members: { users: ["$bob"] } } },
      robots: { ci: {} },
      default_permissions: [{ role: "read", team: "dev" }],
      repositories: {
        app: {
          permissions: { users: { $me: "admin", $alice: "read" }, robots: { ci: "write" }, teams: { dev: "read" } }
        },
        web: { permissions: { teams: { dev: "read" } } }
      }
    }
    const plan = await trial.plan(file)
    trial.simulator.requests.reset()
    await trial.apply(plan)
    const requests = Object.entries(trial.simulator.requests.all())
    const writes = requests.filter(([operation]) => !operation.startsWith("GET"))
    const sum = (list: typeof requests) => list.reduce((total, [, count]) => total + count, 0)
    const byRegistry = plan.operations.filter(({ impliedBy }) => impliedBy !== undefined)
    expect(byRegistry.map(({ kind }) => kind).sort()).toEqual([
      "repository-permission",
      "repository-permission",
      "repository-permission",
      "team",
      "team-member"
    ])
    expect(sum(writes)).toBe(plan.operations.length - byRegistry.length)
    // Who-am-I, the check before, and what is read back of the new repositories.
    expect(sum(requests) - sum(writes)).toBeLessThanOrEqual(2 + 12)
    expect(trial.ids(await trial.plan(file))).toEqual([])
  })
})
