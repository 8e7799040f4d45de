// Permissions on repositories over HTTP: for users, robots and teams, each a share that a file can own alone, read along
// whichever side of the matrix is shorter.
import { describe, expect } from "vitest"
import { rejection, type Trial, trials } from "./harness.ts"

const { rows, simulated, test: tested } = trials(["alice", "bob"])

const PEOPLE = "teams: { dev: {}, ops: {} }\nrobots: { ci: {}, cd: {} }\n"
const GIVEN = `${PEOPLE}repositories:
  app: { permissions: { users: { $alice: read }, robots: { ci: write }, teams: { dev: admin } } }
  vendor/alpine: { permissions: { users: { $bob: admin }, robots: { ci: read }, teams: { dev: read } } }
`

const grant = ({ org, quay }: Trial, repository: string, username: string, role: "read" | "write" | "admin") =>
  quay.PUT("/api/v1/repository/{repository}/permissions/user/{username}", {
    params: { path: { repository: `${org}/${repository}`, username } },
    body: { role }
  })

rows("permissions", [
  {
    name: "users, robots and teams are given their roles on a repository that is there",
    given: `${PEOPLE}repositories: { app: {} }`,
    want: "repositories: { app: { permissions: { users: { $alice: read }, robots: { ci: write }, teams: { dev: admin } } } }",
    operations: [
      "create:repository-permission:$org/app/robot:ci",
      "create:repository-permission:$org/app/team:dev",
      "create:repository-permission:$org/app/user:$alice"
    ],
    becomes: { repositories: { app: { users: { $alice: "read", "$org+ci": "write" }, teams: { dev: "admin" } } } }
  },
  {
    name: "roles change",
    given: GIVEN,
    want: "repositories: { app: { permissions: { users: { $alice: admin }, robots: { ci: read }, teams: { dev: write } } } }",
    operations: [
      "update:repository-permission:$org/app/robot:ci",
      "update:repository-permission:$org/app/team:dev",
      "update:repository-permission:$org/app/user:$alice"
    ],
    becomes: { repositories: { app: { users: { $alice: "admin", "$org+ci": "read" }, teams: { dev: "write" } } } }
  },
  {
    name: "who is not named loses the permission, but for the caller's own admin",
    given: GIVEN,
    want: "repositories: { vendor/alpine: { permissions: { users: {}, robots: {}, teams: {} } } }",
    operations: [
      "delete:repository-permission:$org/vendor/alpine/robot:ci",
      "delete:repository-permission:$org/vendor/alpine/team:dev",
      "delete:repository-permission:$org/vendor/alpine/user:$bob"
    ],
    becomes: {
      repositories: {
        app: { users: { $alice: "read", "$org+ci": "write" }, teams: { dev: "admin" } },
        "vendor/alpine": { users: { $me: "admin" }, teams: {} }
      }
    }
  },
  ...(["users", "robots", "teams"] as const).map((part) => ({
    name: `where only ${part} are named, the others are left alone`,
    given: GIVEN,
    want: `repositories: { app: { permissions: { ${part}: {} } } }`,
    operations: [
      `delete:repository-permission:$org/app/${{ users: "user:$alice", robots: "robot:ci", teams: "team:dev" }[part]}`
    ]
  })),
  {
    name: "what was granted, changed or revoked behind our back is put right",
    given: GIVEN,
    drift: async (trial) => {
      await grant(trial, "app", trial.real("$bob"), "admin")
      await grant(trial, "app", `${trial.org}+cd`, "admin")
      await grant(trial, "app", `${trial.org}+ci`, "read")
      await trial.quay.DELETE("/api/v1/repository/{repository}/permissions/team/{teamname}", {
        params: { path: { repository: `${trial.org}/app`, teamname: "dev" } }
      })
    },
    want: "repositories: { app: { permissions: { users: { $alice: read }, robots: { ci: write }, teams: { dev: admin } } } }",
    operations: [
      "create:repository-permission:$org/app/team:dev",
      "delete:repository-permission:$org/app/robot:cd",
      "delete:repository-permission:$org/app/user:$bob",
      "update:repository-permission:$org/app/robot:ci"
    ],
    becomes: {
      repositories: { app: { users: { $alice: "read", "$org+ci": "write", $me: "admin" }, teams: { dev: "admin" } } }
    }
  },
  {
    name: "the caller's own admin permission can be taken away behind our back, and nobody minds",
    given: "repositories: { app: { permissions: { users: {} } } }",
    drift: ({ org, quay, registry }) =>
      quay.DELETE("/api/v1/repository/{repository}/permissions/user/{username}", {
        params: { path: { repository: `${org}/app`, username: registry.caller } }
      }),
    want: "repositories: { app: { permissions: { users: {} } } }",
    operations: []
  },
  {
    name: "the caller's own admin permission is kept where a file names it",
    given: "repositories: { app: {} }",
    drift: ({ org, quay, registry }) =>
      quay.DELETE("/api/v1/repository/{repository}/permissions/user/{username}", {
        params: { path: { repository: `${org}/app`, username: registry.caller } }
      }),
    want: "repositories: { app: { permissions: { users: { $me: admin } } } }",
    operations: ["create:repository-permission:$org/app/user:$me"],
    becomes: { repositories: { app: { users: { $me: "admin" } } } }
  },
  {
    name: "the caller's permission is left alone whatever its role, because reading by subject does not tell it",
    given: "repositories: { app: { permissions: { users: { $me: read } } } }",
    want: "repositories: { app: { permissions: { users: {} } } }",
    operations: [],
    becomes: { repositories: { app: { users: { $me: "read" } } } }
  },
  {
    name: "a section without parts owns nothing",
    given: GIVEN,
    want: "repositories: { app: { permissions: {} } }",
    operations: []
  }
])

describe("reading permissions", () => {
  /** Repositories r0…, teams t0…, robots b0…, with a permission each on the first repositories. */
  const world = async (trial: Trial, sizes: { R: number; T: number; B: number; D: number }) => {
    const names = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i + 10}`)
    const [repositories, teams, robots] = [names("r", sizes.R), names("t", sizes.T), names("b", sizes.B)]
    const file = {
      organization: "$org",
      teams: Object.fromEntries(teams.map((name) => [name, {}])),
      robots: Object.fromEntries(robots.map((name) => [name, {}])),
      repositories: Object.fromEntries(
        repositories.map((name, i) => [
          name,
          {
            permissions: {
              users: i < sizes.D ? { $alice: "read" } : {},
              robots: i === 0 ? Object.fromEntries(robots.map((robot) => [robot, "write"])) : {},
              teams: i === 0 ? Object.fromEntries(teams.map((team) => [team, "read"])) : {}
            }
          }
        ])
      )
    }
    await trial.reach(file)
    return file
  }

  for (const sizes of [
    { R: 6, T: 1, B: 1, D: 0 },
    { R: 6, T: 1, B: 1, D: 3 },
    { R: 6, T: 2, B: 9, D: 2 },
    { R: 2, T: 5, B: 5, D: 2 },
    { R: 6, T: 9, B: 1, D: 6 }
  ])
    simulated(`sees the same whichever way it is read, with ${JSON.stringify(sizes)}`, async (trial) => {
      const file = await world(trial, sizes)
      const { repositories, ...rest } = file
      const one = Object.entries(repositories).slice(0, 1)
      const changed = {
        ...rest,
        repositories: Object.fromEntries(
          one.map(([name]) => [name, { permissions: { users: {}, robots: {}, teams: {} } }])
        )
      }
      const plan = await trial.plan(changed)
      const wanted = sizes.T + sizes.B + (sizes.D > 0 ? 1 : 0)
      expect(trial.ids(plan).filter((id) => id.startsWith("delete:repository-permission"))).toHaveLength(wanted)
    })

  simulated("falls back to reading by repository for a token without user:admin", async (trial) => {
    const file = await world(trial, { R: 8, T: 1, B: 1, D: 0 })
    const scopes = ["user:read", "org:admin", "repo:admin", "repo:create"] as const
    const less = trial.as(trial.simulator.addToken({ user: trial.registry.caller, scopes }))
    const ofRobot = "GET /api/v1/organization/{orgname}/robots/{robot_shortname}/permissions"
    const onRepository = "GET /api/v1/repository/{repository}/permissions/user/"
    const counts = async (by: Trial) => {
      trial.simulator.requests.reset()
      expect(by.ids(await by.plan(file))).toEqual([])
      return [trial.simulator.requests.of(ofRobot), trial.simulator.requests.of(onRepository)]
    }
    expect(await counts(trial)).toEqual([1, 0])
    expect(await counts(less)).toEqual([1, 8])
    await grant(trial, "r12", `${trial.org}+b10`, "admin")
    expect(less.ids(await less.plan(file))).toEqual(["delete:repository-permission:$org/r12/robot:b10"])
  })

  simulated("never takes away what may be the access of a token that may not say whose it is", async (trial) => {
    const file = `
      teams: { owners: { members: { users: [] } } }
      repositories: { app: { permissions: { users: { $bob: read } } } }
    `
    const scopes = ["org:admin", "repo:admin", "repo:create", "user:admin"] as const
    await trial.reach("robots: {}")
    const silent = trial.as(trial.simulator.addToken({ user: trial.registry.caller, scopes }))
    const report = await silent.apply(await silent.plan(file))
    expect(report.results.filter(({ outcome }) => outcome === "failed")).toEqual([])
    expect(silent.ids(await silent.plan(file))).toEqual([])
    expect((await trial.state()).teams["owners"]?.members).toEqual(["$me"])
    expect((await trial.state()).repositories["app"]?.users).toEqual({ $bob: "read", $me: "admin" })
  })

  for (const [what, file, words] of [
    [
      "a team that is not there",
      "repositories: { app: { permissions: { teams: { ghost: read } } } }",
      /ghost, which is neither/
    ],
    [
      "a robot that is not there",
      "repositories: { app: { permissions: { robots: { ghost: read } } } }",
      /ghost, which is neither/
    ],
    ["a role that is none", "repositories: { app: { permissions: { users: { $bob: owner } } } }", /read/],
    ["a name that no user has", "repositories: { app: { permissions: { users: { Bob: read } } } }", /lower-case/],
    [
      "another organization's robot",
      'repositories: { app: { permissions: { robots: { "other+ci": read } } } }',
      /lower-case/
    ],
    [
      "a kind of grantee that is none",
      "repositories: { app: { permissions: { groups: { dev: read } } } }",
      /unknown key/
    ]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      await trial.reach("repositories: { app: {} }")
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})
