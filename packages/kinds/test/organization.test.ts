// Organizations over HTTP: what is set when one is made, what is changed, and that silence changes nothing.
import { describe, expect } from "vitest"
import { NotAdministrator } from "../src/index.ts"
import { rejection, trials } from "./harness.ts"

const { rows, simulated, test: tested } = trials(["bob"])

const put =
  (body: { email?: string; tag_expiration_s?: number }) => (trial: Parameters<Parameters<typeof tested>[1]>[0]) =>
    trial.quay.PUT("/api/v1/organization/{orgname}", { params: { path: { orgname: trial.org } }, body })

rows("what a file says of an organization", [
  {
    name: "one that is there and as it should be has no operations",
    given: "email: $a@example.com",
    want: "email: $a@example.com",
    operations: []
  },
  {
    name: "its address changes",
    given: "email: $a@example.com",
    want: "email: $b@example.com",
    operations: ["update:organization:$org"],
    becomes: { expiration: 1_209_600 }
  },
  {
    name: "the time for which deleted tags are kept changes",
    want: "tag_expiration: 4w",
    operations: ["update:organization:$org"],
    becomes: { expiration: 2_419_200 }
  },
  {
    name: "both change in one request",
    given: "email: $a@example.com\ntag_expiration: 1d",
    want: "email: $b@example.com\ntag_expiration: 1w",
    operations: ["update:organization:$org"],
    becomes: { expiration: 604_800 }
  },
  {
    name: "what was changed behind our back is put right",
    given: "email: $a@example.com\ntag_expiration: 1d",
    drift: put({ email: "someone@example.com", tag_expiration_s: 0 }),
    want: "email: $a@example.com\ntag_expiration: 1d",
    operations: ["update:organization:$org"],
    becomes: { expiration: 86_400 }
  },
  {
    name: "what a file leaves out stays as it is",
    given: "email: $a@example.com\ntag_expiration: 1d",
    want: "tag_expiration: 0s",
    operations: ["update:organization:$org"],
    becomes: { expiration: 0 }
  },
  {
    name: "a file that says nothing but the name changes nothing",
    given: "email: $a@example.com\ntag_expiration: 1d",
    drift: put({ tag_expiration_s: 0 }),
    want: "prune: []",
    operations: [],
    becomes: { expiration: 0 }
  }
])

describe("an organization that is not there", () => {
  tested("is made with its address and expiration, and its creator is the one owner", async (trial) => {
    const plan = await trial.reach("email: $a@example.com\ntag_expiration: 1w")
    expect(trial.ids(plan)).toEqual(["create:organization:$org"])
    const state = await trial.state()
    expect([state.email, state.expiration]).toEqual([trial.real("$a@example.com"), 604_800])
    expect(state.teams).toEqual({ owners: { role: "admin", description: "", members: ["$me"] } })
  })

  tested("is made without an address where none is given", async (trial) => {
    await trial.reach("prune: []")
    expect((await trial.state()).expiration).toBe(1_209_600)
  })

  tested("is made with all that stands in the file, and a second plan is empty", async (trial) => {
    const plan = await trial.reach(`
      email: $a@example.com
      teams:
        owners: { role: admin, description: "", members: { users: [$me] } }
        dev: { role: creator, members: { users: [$bob], robots: [ci] } }
      robots: { ci: { description: builds } }
      default_permissions: [{ role: read, team: dev }]
      repositories:
        app: { visibility: public, permissions: { users: { $me: admin }, robots: { ci: write }, teams: { dev: read } } }
    `)
    const implied = plan.operations.filter(({ impliedBy }) => impliedBy !== undefined).map(({ id }) => id)
    expect(implied.sort()).toEqual(
      [
        "create:repository-permission:$org/app/team:dev",
        "create:repository-permission:$org/app/user:$me",
        "create:team-member:$org/owners/$me",
        "create:team:$org/owners"
      ].map(trial.real)
    )
    expect((await trial.state()).repositories["app"]).toEqual({
      description: "",
      visibility: "public",
      users: { $me: "admin", "$org+ci": "write" },
      teams: { dev: "read" }
    })
  })

  simulated("takes two requests with an expiration and one without", async (trial) => {
    const plan = await trial.plan("email: $a@example.com\ntag_expiration: 1w")
    trial.simulator.requests.reset()
    await trial.apply(plan)
    expect(trial.simulator.requests.of("POST /api/v1/organization/")).toBe(1)
    expect(trial.simulator.requests.of("PUT /api/v1/organization/{orgname}")).toBe(1)
  })

  simulated("refuses the plan if it is made differently meanwhile", async (trial) => {
    const plan = await trial.plan("email: $a@example.com")
    await trial.quay.POST("/api/v1/organization/", { body: { name: trial.org, email: trial.real("$b@example.com") } })
    expect(await rejection(trial.apply(plan))).toMatchObject({ _tag: "PlanStale" })
  })

  simulated("is completed if the answer to its creation was lost", async (trial) => {
    const plan = await trial.plan("tag_expiration: 1w")
    trial.simulator.faults.add({
      on: "POST /api/v1/organization/",
      times: 1,
      effect: { kind: "drop", applied: true }
    })
    const report = await trial.apply(plan)
    trial.simulator.faults.clear()
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
    expect((await trial.state()).expiration).toBe(604_800)
  })

  simulated("is completed by the same plan if the apply broke off before its expiration was set", async (trial) => {
    const plan = await trial.plan("email: $a@example.com\ntag_expiration: 1w")
    await trial.quay.POST("/api/v1/organization/", { body: { name: trial.org, email: trial.real("$a@example.com") } })
    const report = await trial.apply(plan)
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
    expect((await trial.state()).expiration).toBe(604_800)
  })
})

describe("who may not read the whole organization gets an error, never a plan", () => {
  simulated("somebody who is no administrator", async (trial) => {
    await trial.reach("teams: { dev: { role: member, members: { users: [$bob] } } }\nrepositories: { app: {} }")
    const bob = trial.as(trial.simulator.addToken({ user: trial.real("$bob") }))
    for (const file of [
      "teams: {}",
      "robots: {}",
      "default_permissions: []",
      "repositories: {}",
      "email: x@example.com"
    ])
      expect(await rejection(bob.plan(file))).toBeInstanceOf(NotAdministrator)
  })

  simulated("a token that expired", async (trial) => {
    await trial.reach("teams: { dev: { role: member } }\nrepositories: { app: { visibility: public } }")
    const token = trial.simulator.addToken({ user: trial.registry.caller })
    const late = trial.as(token)
    trial.simulator.faults.add({
      on: "GET /api/v1/organization/{orgname}",
      times: 1,
      effect: { kind: "expire-token" }
    })
    expect(await rejection(late.plan("prune: [repositories]\nrepositories: {}"))).toBeInstanceOf(NotAdministrator)
    trial.simulator.faults.clear()
    expect(await rejection(late.plan("teams: {}"))).toMatchObject({ _tag: "Unauthenticated" })
  })

  simulated("a token that may not administer organizations", async (trial) => {
    await trial.reach("teams: { dev: { role: member } }")
    const token = trial.simulator.addToken({ user: trial.registry.caller, scopes: ["user:read", "repo:read"] })
    expect(await rejection(trial.as(token).plan("prune: [teams]\nteams: {}"))).toBeInstanceOf(NotAdministrator)
  })
})

describe("mistakes that Quay would refuse are told before any request", () => {
  for (const [what, file, words] of [
    ["a name with an upper-case letter", "organization: Acme", /organization: .*lower-case/],
    ["a name with two dashes", "organization: a--b", /organization: /],
    ["a name of one character", "organization: a", /organization: .*2 to 255/],
    ["an address without an at", "email: nobody", /e-mail address/],
    ["a length of time without a unit", 'tag_expiration: "14"', /a number and a unit/],
    ["a key that is none", "tag_expiry: 2w", /unknown key/]
  ] as const)
    tested(what, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})
