// Teams over HTTP: role and description, what is kept and what is pruned, and the team that Quay makes by itself.
import { describe, expect } from "vitest"
import { rejection, trials } from "./harness.ts"

const { rows, simulated, test: tested } = trials(["bob"])

rows("teams", [
  {
    name: "one is made, with the role member where none is given",
    want: "teams: { dev: {}, ops: { role: admin, description: Runs it } }",
    operations: ["create:team:$org/dev", "create:team:$org/ops"],
    becomes: {
      teams: {
        dev: { role: "member", description: "", members: [] },
        ops: { role: "admin", description: "Runs it" }
      }
    }
  },
  {
    name: "the role changes and the description stays",
    given: "teams: { dev: { role: member, description: Developers } }",
    want: "teams: { dev: { role: creator } }",
    operations: ["update:team:$org/dev"],
    becomes: { teams: { dev: { role: "creator", description: "Developers" } } }
  },
  {
    name: "the description changes and the role stays",
    given: "teams: { dev: { role: creator, description: Developers } }",
    want: "teams: { dev: { description: Makers } }",
    operations: ["update:team:$org/dev"],
    becomes: { teams: { dev: { role: "creator", description: "Makers" } } }
  },
  {
    name: "the description can be taken away",
    given: "teams: { dev: { role: creator, description: Developers } }",
    want: 'teams: { dev: { description: "" } }',
    operations: ["update:team:$org/dev"],
    becomes: { teams: { dev: { role: "creator", description: "" } } }
  },
  {
    name: "what was changed behind our back is put right",
    given: "teams: { dev: { role: member, description: Developers } }",
    drift: ({ org, quay }) =>
      quay.PUT("/api/v1/organization/{orgname}/team/{teamname}", {
        params: { path: { orgname: org, teamname: "dev" } },
        body: { role: "admin", description: "Mine now" }
      }),
    want: "teams: { dev: { role: member, description: Developers } }",
    operations: ["update:team:$org/dev"],
    becomes: { teams: { dev: { role: "member", description: "Developers" } } }
  },
  {
    name: "one that was deleted behind our back is made again, with its members",
    given: "teams: { dev: { role: member, members: { users: [$bob] } } }",
    drift: ({ org, quay }) =>
      quay.DELETE("/api/v1/organization/{orgname}/team/{teamname}", {
        params: { path: { orgname: org, teamname: "dev" } }
      }),
    want: "teams: { dev: { role: member, members: { users: [$bob] } } }",
    operations: ["create:team:$org/dev", "create:team-member:$org/dev/$bob"],
    becomes: { teams: { dev: { members: ["$bob"] } } }
  },
  {
    name: "one that no file names is kept and listed",
    given: "teams: { dev: {}, ops: {} }",
    want: "teams: { dev: {} }",
    operations: [],
    extras: ["team:$org/ops"],
    becomes: { teams: { ops: {} } }
  },
  {
    name: "one that no file names is deleted where teams are pruned, whatever hangs on it",
    given: `
      teams: { dev: {}, ops: { role: admin, members: { users: [$bob] } } }
      default_permissions: [{ role: read, team: ops }]
      repositories: { app: { permissions: { teams: { ops: write } } } }
    `,
    want: "prune: [teams]\nteams: { dev: {} }",
    operations: ["delete:team:$org/ops"],
    extras: [],
    becomes: { defaults: [], repositories: { app: { teams: {} } } },
    also: async (trial) => expect(Object.keys((await trial.state()).teams).sort()).toEqual(["dev", "owners"])
  },
  {
    name: "the team that Quay makes with the organization is neither an extra nor pruned",
    want: "prune: [teams]\nteams: {}",
    operations: [],
    extras: []
  },
  {
    name: "the owners are changed where a file names them",
    want: 'teams: { owners: { role: admin, description: "In charge" } }',
    operations: ["update:team:$org/owners"],
    becomes: { teams: { owners: { role: "admin", description: "In charge", members: ["$me"] } } }
  }
])

describe("a plan of teams", () => {
  tested("names the whole organization's teams as its scope, the owners among them", async (trial) => {
    await trial.reach("teams: { dev: {} }")
    const { scope } = await trial.plan("teams: { dev: {} }")
    expect(scope.find(({ kind }) => kind === "team")).toEqual({ kind: "team", parent: trial.org, existing: 2 })
  })

  tested("an absent section is not touched", async (trial) => {
    await trial.reach("teams: { dev: { role: admin } }")
    expect(trial.ids(await trial.plan("robots: {}"))).toEqual([])
  })

  simulated("reads teams with one request, however many there are", async (trial) => {
    await trial.reach("teams: { t1: {}, t2: {}, t3: {}, t4: {} }")
    trial.simulator.requests.reset()
    await trial.plan("teams: { t1: {}, t2: {} }")
    expect(trial.simulator.requests.all()).toEqual({
      "GET /api/v1/user/": 1,
      "GET /api/v1/organization/{orgname}": 1
    })
  })

  simulated("changes a team with one request", async (trial) => {
    await trial.reach("teams: { dev: {} }")
    const plan = await trial.plan("teams: { dev: { role: admin, description: x } }")
    trial.simulator.requests.reset()
    await trial.apply(plan)
    expect(trial.simulator.requests.of("PUT /api/v1/organization/{orgname}/team/{teamname}")).toBe(1)
  })

  simulated("deletes a team of administrators although nobody of the organization asks for it", async (trial) => {
    await trial.reach("teams: { ops: { role: admin, members: { users: [$bob] } } }")
    const path = "/api/v1/organization/{orgname}/team/{teamname}/members/{membername}"
    const [orgname, membername] = [trial.org, trial.registry.caller]
    await trial.quay.PUT(path, { params: { path: { orgname, teamname: "owners", membername: trial.real("$bob") } } })
    const bob = trial.as(trial.simulator.addToken({ user: trial.real("$bob") }))
    await bob.quay.DELETE(path, { params: { path: { orgname, teamname: "owners", membername } } })
    await trial.reach("prune: [teams]\nteams: {}")
    expect(Object.keys((await trial.state()).teams)).toEqual(["owners"])
  })

  for (const [what, file, words] of [
    ["a role that is none", "teams: { dev: { role: owner } }", /member/],
    ["a name with an upper-case letter", "teams: { Dev: {} }", /lower-case/],
    ["a name that ends in a dash", "teams: { dev-: {} }", /lower-case/],
    ["null instead of nothing wanted", "teams: null", /teams/],
    ["a key that is none", "teams: { dev: { roles: member } }", /unknown key.*did you mean "role"/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})
