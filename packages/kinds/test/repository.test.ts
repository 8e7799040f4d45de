// Repositories over HTTP: description and visibility, names with slashes, what is kept, and what Quay grants on new ones.
import { describe, expect } from "vitest"
import { operationOf, rejection, trials } from "./harness.ts"

const { rows, simulated, test: tested } = trials(["alice", "bob"])

const OWN = { $me: "admin" }

rows("repositories", [
  {
    name: "they are made private and without a description where a file says nothing of it",
    want: "repositories: { app: {}, web: { visibility: public, description: The site } }",
    operations: ["create:repository:$org/app", "create:repository:$org/web"],
    becomes: {
      repositories: {
        app: { description: "", visibility: "private", users: OWN, teams: {} },
        web: { description: "The site", visibility: "public", users: OWN, teams: {} }
      }
    }
  },
  {
    name: "names may have slashes, dots and dashes",
    want: "repositories: { vendor/alpine: {}, a/b/c.d_e-f: { description: deep } }",
    operations: ["create:repository:$org/a/b/c.d_e-f", "create:repository:$org/vendor/alpine"],
    becomes: { repositories: { "vendor/alpine": {}, "a/b/c.d_e-f": { description: "deep" } } }
  },
  {
    name: "nested ones change like others",
    given: "repositories: { vendor/alpine: { description: old, visibility: public } }",
    want: "repositories: { vendor/alpine: { description: new, visibility: private } }",
    operations: ["update:repository:$org/vendor/alpine"],
    becomes: { repositories: { "vendor/alpine": { description: "new", visibility: "private" } } }
  },
  {
    name: "the description changes and the visibility stays",
    given: "repositories: { app: { description: old, visibility: public } }",
    want: "repositories: { app: { description: new } }",
    operations: ["update:repository:$org/app"],
    becomes: { repositories: { app: { description: "new", visibility: "public" } } }
  },
  {
    name: "the visibility changes and the description stays",
    given: "repositories: { app: { description: old, visibility: public } }",
    want: "repositories: { app: { visibility: private } }",
    operations: ["update:repository:$org/app"],
    becomes: { repositories: { app: { description: "old", visibility: "private" } } }
  },
  {
    name: "what was changed behind our back is put right, line breaks and all",
    given: 'repositories: { app: { description: "# App\\n\\nIt *runs*.\\n", visibility: private } }',
    drift: async ({ org, quay }) => {
      const params = { path: { repository: `${org}/app` } }
      await quay.PUT("/api/v1/repository/{repository}", { params, body: { description: "gone" } })
      await quay.POST("/api/v1/repository/{repository}/changevisibility", { params, body: { visibility: "public" } })
    },
    want: 'repositories: { app: { description: "# App\\n\\nIt *runs*.\\n", visibility: private } }',
    operations: ["update:repository:$org/app"],
    becomes: { repositories: { app: { description: "# App\n\nIt *runs*.\n", visibility: "private" } } }
  },
  {
    name: "one that was deleted behind our back is made again, with its permissions",
    given: "repositories: { app: { permissions: { users: { $alice: write } } } }",
    drift: ({ org, quay }) =>
      quay.DELETE("/api/v1/repository/{repository}", { params: { path: { repository: `${org}/app` } } }),
    want: "repositories: { app: { permissions: { users: { $alice: write } } } }",
    operations: ["create:repository:$org/app", "create:repository-permission:$org/app/user:$alice"],
    becomes: { repositories: { app: { users: { $me: "admin", $alice: "write" } } } }
  },
  {
    name: "one that no file names is kept and listed, because it holds data",
    given: "repositories: { app: {}, old/thing: {} }",
    want: "repositories: { app: {} }",
    operations: [],
    extras: ["repository:$org/old/thing"],
    becomes: { repositories: { "old/thing": {} } }
  },
  {
    name: "one that no file names is deleted where repositories are pruned",
    given: "repositories: { app: {}, old/thing: { permissions: { users: { $alice: read } } } }",
    want: "prune: [repositories]\nrepositories: { app: {} }",
    operations: ["delete:repository:$org/old/thing"],
    extras: [],
    also: async (trial, plan) => {
      expect(operationOf(trial, plan, "delete:repository:$org/old/thing")).toMatchObject({ destroys: "data" })
      expect(Object.keys((await trial.state()).repositories)).toEqual(["app"])
    }
  }
])

describe("what Quay grants on a new repository", () => {
  const PEOPLE = "teams: { dev: {}, ops: {} }\nrobots: { ci: {} }\n"
  const rules = (...lines: string[]) => `default_permissions:\n${lines.map((line) => `  - { ${line} }\n`).join("")}`

  rows("by default permissions", [
    {
      name: "is not asked for again where a file declares it as they do",
      given: `${PEOPLE}${rules("role: read, team: dev", "role: write, robot: ci", "role: admin, user: $bob")}`,
      want: `
        repositories:
          app:
            permissions: { users: { $bob: admin, $me: admin }, robots: { ci: write }, teams: { dev: read } }
      `,
      operations: [
        "create:repository-permission:$org/app/robot:ci",
        "create:repository-permission:$org/app/team:dev",
        "create:repository-permission:$org/app/user:$bob",
        "create:repository-permission:$org/app/user:$me",
        "create:repository:$org/app"
      ],
      becomes: {
        repositories: { app: { users: { $bob: "admin", "$org+ci": "write", $me: "admin" }, teams: { dev: "read" } } }
      },
      also: async (_, plan) =>
        expect(plan.operations.filter((it) => it.impliedBy === undefined).map((it) => it.kind)).toEqual(["repository"])
    },
    {
      name: "is changed where a file declares it differently",
      given: `${PEOPLE}${rules("role: read, team: dev", "role: write, robot: ci", "role: admin, user: $bob")}`,
      want: `
        repositories:
          app: { permissions: { users: { $bob: read }, robots: { ci: admin }, teams: { dev: write } } }
      `,
      operations: [
        "create:repository-permission:$org/app/robot:ci",
        "create:repository-permission:$org/app/team:dev",
        "create:repository-permission:$org/app/user:$bob",
        "create:repository:$org/app"
      ],
      becomes: {
        repositories: { app: { users: { $bob: "read", "$org+ci": "admin", $me: "admin" }, teams: { dev: "write" } } }
      }
    },
    {
      name: "is revoked where a file owns the permissions and does not declare it",
      given: `${PEOPLE}${rules("role: read, team: dev", "role: write, robot: ci", "role: admin, user: $bob")}`,
      want: "repositories: { app: { permissions: { users: {}, robots: {}, teams: { ops: read } } } }",
      operations: [
        "create:repository-permission:$org/app/team:ops",
        "create:repository:$org/app",
        "delete:repository-permission:$org/app/robot:ci",
        "delete:repository-permission:$org/app/team:dev",
        "delete:repository-permission:$org/app/user:$bob"
      ],
      becomes: { repositories: { app: { users: OWN, teams: { ops: "read" } } } }
    },
    {
      name: "stays where a file says nothing of permissions",
      given: `${PEOPLE}${rules("role: read, team: dev")}`,
      want: "repositories: { app: {} }",
      operations: ["create:repository:$org/app"],
      becomes: { repositories: { app: { users: OWN, teams: { dev: "read" } } } }
    },
    {
      name: "comes from the rule for this creator before the one for everybody, and from no other creator's",
      given: `${PEOPLE}${rules(
        "role: read, team: dev",
        "role: admin, team: dev, created_by: $me",
        "role: write, team: ops, created_by: $alice",
        "role: write, robot: ci, created_by: $me"
      )}`,
      want: "repositories: { app: { permissions: { users: {}, robots: { ci: write }, teams: { dev: admin } } } }",
      operations: [
        "create:repository-permission:$org/app/robot:ci",
        "create:repository-permission:$org/app/team:dev",
        "create:repository:$org/app"
      ],
      becomes: { repositories: { app: { users: { $me: "admin", "$org+ci": "write" }, teams: { dev: "admin" } } } },
      also: async (_, plan) =>
        expect(plan.operations.map((it) => it.reason)).toEqual([
          "made by the registry itself",
          "made by the registry itself",
          undefined
        ])
    },
    {
      name: "does not take away the creator's own, whatever a rule says of the creator",
      given: `${PEOPLE}${rules("role: read, user: $me")}`,
      want: "repositories: { app: { permissions: { users: { $me: admin } } } }",
      operations: ["create:repository-permission:$org/app/user:$me", "create:repository:$org/app"],
      becomes: { repositories: { app: { users: OWN } } }
    },
    {
      name: "can be less than admin for the creator where a file says so",
      want: "repositories: { app: { permissions: { users: { $me: read } } } }",
      operations: ["create:repository-permission:$org/app/user:$me", "create:repository:$org/app"],
      becomes: { repositories: { app: { users: { $me: "read" } } } }
    },
    {
      name: "follows the default permissions of the same file, which are made before",
      given: PEOPLE,
      want: `
        default_permissions: [{ role: read, team: dev }]
        repositories: { app: { permissions: { teams: { dev: read } } }, web: { permissions: { teams: {} } } }
      `,
      operations: [
        "create:default-permission:$org/team:dev",
        "create:repository-permission:$org/app/team:dev",
        "create:repository:$org/app",
        "create:repository:$org/web",
        "delete:repository-permission:$org/web/team:dev"
      ],
      becomes: { repositories: { app: { teams: { dev: "read" } }, web: { teams: {} } } }
    },
    {
      name: "follows not the default permissions that the same file removes",
      given: `${PEOPLE}${rules("role: read, team: dev")}`,
      want: "default_permissions: []\nrepositories: { app: { permissions: { teams: {} } } }",
      operations: ["create:repository:$org/app", "delete:default-permission:$org/team:dev"],
      becomes: { defaults: [], repositories: { app: { teams: {} } } }
    }
  ])

  simulated(
    "costs one request for the repository, none for what is granted as declared, and one reading back",
    async (trial) => {
      await trial.reach(`${PEOPLE}${rules("role: read, team: dev", "role: write, robot: ci")}`)
      const plan = await trial.plan(
        "repositories: { app: { permissions: { users: { $me: admin }, robots: { ci: write }, teams: { dev: read } } } }"
      )
      trial.simulator.requests.reset()
      await trial.apply(plan)
      const writes = Object.entries(trial.simulator.requests.all()).filter(
        ([operation]) => !operation.startsWith("GET")
      )
      expect(writes).toEqual([["POST /api/v1/repository", 1]])
    }
  )
})

describe("a plan of repositories", () => {
  simulated("reads a hundred a page, and all the pages", async (trial) => {
    const many = Array.from({ length: 230 }, (_, i) => `r${String(i).padStart(3, "0")}`)
    await trial.reach("prune: []")
    for (const repository of many)
      await trial.quay.POST("/api/v1/repository", {
        body: { namespace: trial.org, repository, visibility: "private", description: "" }
      })
    trial.simulator.requests.reset()
    const plan = await trial.plan({
      organization: "$org",
      repositories: Object.fromEntries(many.map((name) => [name, { visibility: "private" }]))
    })
    expect([plan.operations.length, plan.unchanged, plan.extras.length]).toEqual([0, 231, 0])
    expect(trial.simulator.requests.of("GET /api/v1/repository")).toBe(3)
    expect(trial.simulator.requests.total).toBe(6)
  })

  for (const [what, file, words] of [
    ["a name with an upper-case letter", "repositories: { App: {} }", /lower-case/],
    ["a name that ends in a slash", "repositories: { app/: {} }", /lower-case/],
    ["a name that begins with a dot", "repositories: { .app: {} }", /lower-case/],
    ["a visibility that is none", "repositories: { app: { visibility: internal } }", /public/],
    ["a description that is no text", "repositories: { app: { description: 1 } }", /text|string/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})
