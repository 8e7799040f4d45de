// Robot accounts over HTTP: made, kept, pruned, stuck with their description, and apart from other organizations'.
import { describe, expect } from "vitest"
import { robot } from "../src/robot.ts"
import { operationOf, rejection, trials } from "./harness.ts"

const { rows, simulated, test: tested } = trials()

rows("robots", [
  {
    name: "they are made with their descriptions, and without where none is given",
    want: "robots: { ci: { description: Builds and pushes }, cd: {} }",
    operations: ["create:robot:$org/cd", "create:robot:$org/ci"],
    becomes: { robots: { ci: "Builds and pushes", cd: "" } }
  },
  {
    name: "a description that differs cannot change, and nothing is replaced",
    given: "robots: { ci: { description: Builds } }",
    want: "robots: { ci: { description: Pushes } }",
    operations: [],
    stuck: ["robot:$org/ci"],
    becomes: { robots: { ci: "Builds" } }
  },
  {
    name: "a description that is left out is not compared",
    given: "robots: { ci: { description: Builds } }",
    want: "robots: { ci: {} }",
    operations: [],
    stuck: [],
    becomes: { robots: { ci: "Builds" } }
  },
  {
    name: "one that was deleted behind our back is made again, with what it was given",
    given: `
      robots: { ci: { description: Builds } }
      teams: { dev: { members: { robots: [ci] } } }
      default_permissions: [{ role: read, robot: ci }]
      repositories: { app: { permissions: { robots: { ci: write } } } }
    `,
    drift: ({ org, quay }) =>
      quay.DELETE("/api/v1/organization/{orgname}/robots/{robot_shortname}", {
        params: { path: { orgname: org, robot_shortname: "ci" } }
      }),
    want: `
      robots: { ci: { description: Builds } }
      teams: { dev: { members: { robots: [ci] } } }
      default_permissions: [{ role: read, robot: ci }]
      repositories: { app: { permissions: { robots: { ci: write } } } }
    `,
    operations: [
      "create:default-permission:$org/robot:ci",
      "create:repository-permission:$org/app/robot:ci",
      "create:robot:$org/ci",
      "create:team-member:$org/dev/$org+ci"
    ]
  },
  {
    name: "one that no file names is kept and listed, because its token would be lost",
    given: "robots: { ci: {}, legacy: {} }",
    want: "robots: { ci: {} }",
    operations: [],
    extras: ["robot:$org/legacy"],
    becomes: { robots: { legacy: "" } }
  },
  {
    name: "one that no file names is deleted where robots are pruned",
    given: "robots: { ci: {}, legacy: {} }",
    want: "prune: [robots]\nrobots: { ci: {} }",
    operations: ["delete:robot:$org/legacy"],
    extras: [],
    also: async (trial, plan) => {
      expect(operationOf(trial, plan, "delete:robot:$org/legacy")).toMatchObject({ destroys: "credential" })
      expect((await trial.state()).robots).toEqual({ ci: "" })
    }
  }
])

describe("robots of organizations whose names look alike", () => {
  tested("are not taken for this organization's", async (trial) => {
    const [one, other] = [`${trial.org}a_b`, `${trial.org}axb`]
    const file = (name: string, robots: string) => `organization: ${name}\nprune: [robots]\nrobots: ${robots}\n`
    await trial.reach(`${file(one, "{ mine: {} }")}---\n${file(other, "{ theirs: {} }")}`)
    const plan = await trial.plan(file(one, "{}"))
    expect(plan.operations.map(({ id }) => id)).toEqual([`delete:robot:${one}/mine`])
    await trial.apply(plan)
    expect([(await trial.state(one)).robots, (await trial.state(other)).robots]).toEqual([{}, { theirs: "" }])
  })
})

describe("a plan of robots", () => {
  simulated("asks for no token, and holds none", async (trial) => {
    await trial.reach("robots: { ci: { description: x } }")
    const plan = await trial.plan("prune: [robots]\nrobots: { other: {} }")
    const token = trial.simulator.snapshot().organizations[trial.org]?.robots?.["ci"]?.token ?? ""
    expect(token.length).toBeGreaterThan(20)
    expect(JSON.stringify(plan)).not.toContain(token)
  })

  simulated("reads robots with two requests, and the members of teams from the same", async (trial) => {
    await trial.reach("robots: { ci: {} }\nteams: { dev: { members: { robots: [ci] } } }")
    trial.simulator.requests.reset()
    await trial.plan("robots: { ci: {} }\nteams: { dev: { members: { robots: [ci] } } }")
    expect(trial.simulator.requests.all()).toEqual({
      "GET /api/v1/user/": 1,
      "GET /api/v1/organization/{orgname}": 1,
      "GET /api/v1/organization/{orgname}/robots": 1
    })
  })

  tested("refuses to delete one that the file still gives a role", async (trial) => {
    await trial.reach("robots: { ci: {} }\nrepositories: { app: {} }")
    const error = await rejection(
      trial.plan(`
        prune: [robots]
        robots: {}
        repositories: { app: { permissions: { robots: { ci: write } } } }
      `)
    )
    expect(String(error)).toMatch(/ci/)
  })

  for (const [what, file, words] of [
    ["a name with an upper-case letter", "robots: { CI: {} }", /lower-case/],
    ["a name of one character", "robots: { c: {} }", /2 to 255/],
    ["a name as Quay writes it", 'robots: { "$org+ci": {} }', /lower-case/],
    ["a description of more than 255 characters", `robots: { ci: { description: ${"x".repeat(256)} } }`, /255/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})

describe("what is kept with a robot account", () => {
  const file = "robots: { ci: { unstructured_metadata: { owner: { team: dev }, ports: [1, 2] } } }"

  tested("is given when it is made, and not compared after that", async (trial) => {
    const plan = await trial.reach(file)
    expect(plan.notices).toEqual([])
    const { unstructured_metadata } = await trial.quay.GET("/api/v1/organization/{orgname}/robots/{robot_shortname}", {
      params: { path: { orgname: trial.org, robot_shortname: "ci" } }
    })
    expect(unstructured_metadata).toEqual({ owner: { team: "dev" }, ports: [1, 2] })
    for (const again of [file, "robots: { ci: { unstructured_metadata: {} } }"]) {
      const second = await trial.plan(again)
      expect([second.operations, second.stuck]).toEqual([[], []])
      expect(second.notices.map(({ message }) => message)).toEqual([expect.stringContaining("is not compared")])
    }
  })

  tested("is a map", async (trial) => {
    expect(String(await rejection(trial.plan("robots: { ci: { unstructured_metadata: [1] } }")))).toMatch(
      /should be a map/
    )
  })
})

describe("a robot account as a file", () => {
  for (const item of [
    { organization: "acme", name: "ci" },
    { organization: "acme", name: "ci", description: "Builds" }
  ])
    tested(`has all of ${JSON.stringify(item)}`, async () => {
      const node = robot.section.write?.([item])
      expect(robot.section.read(node, "acme").map((entry) => entry.item)).toEqual([item])
    })

  tested("leaves out a description that is empty", async () => {
    expect(robot.section.write?.([{ organization: "acme", name: "ci", description: "" }])).toEqual({ ci: {} })
  })
})
