// Default permissions over HTTP: one rule for each grantee and creator, whatever Quay lets be there.
import { describe, expect } from "vitest"
import { rejection, type Trial, trials } from "./harness.ts"

const { rows, simulated, test: tested } = trials(["alice", "bob"])

type Role = "read" | "write" | "admin"

/** Makes a rule behind our back. */
const rule = ({ org, quay }: Trial, role: Role, kind: "user" | "team", name: string, by?: string) =>
  quay.POST("/api/v1/organization/{orgname}/prototypes", {
    params: { path: { orgname: org } },
    body: { role, delegate: { kind, name }, ...(by === undefined ? {} : { activating_user: { name: by } }) }
  })

const PEOPLE = "teams: { dev: {} }\nrobots: { ci: {} }\n"

rows("default permissions", [
  {
    name: "rules for a team, a robot and a user are made, for everybody's repositories and for one creator's",
    want: `
      teams: { dev: {} }
      robots: { ci: {} }
      default_permissions:
        - { role: read, team: dev }
        - { role: write, robot: ci, created_by: $alice }
        - { role: admin, user: $bob }
        - { role: read, user: $bob, created_by: $alice }
    `,
    operations: [
      "create:default-permission:$org/robot:ci/by:$alice",
      "create:default-permission:$org/team:dev",
      "create:default-permission:$org/user:$bob",
      "create:default-permission:$org/user:$bob/by:$alice",
      "create:robot:$org/ci",
      "create:team:$org/dev"
    ],
    becomes: {
      defaults: ["team:dev=read", "user:$bob=admin", "user:$bob=read by $alice", "user:$org+ci=write by $alice"]
    }
  },
  {
    name: "a role changes in place",
    given: `${PEOPLE}default_permissions: [{ role: read, team: dev }, { role: read, robot: ci }]`,
    want: `${PEOPLE}default_permissions: [{ role: admin, team: dev }, { role: read, robot: ci }]`,
    operations: ["update:default-permission:$org/team:dev"],
    becomes: { defaults: ["team:dev=admin", "user:$org+ci=read"] }
  },
  {
    name: "rules that are not in the file are removed",
    given: `${PEOPLE}default_permissions: [{ role: read, team: dev }, { role: read, robot: ci }]`,
    want: "default_permissions: [{ role: read, team: dev }]",
    operations: ["delete:default-permission:$org/robot:ci"],
    becomes: { defaults: ["team:dev=read"] }
  },
  {
    name: "an empty list removes them all",
    given: `${PEOPLE}default_permissions: [{ role: read, team: dev }, { role: read, user: $bob, created_by: $alice }]`,
    want: "default_permissions: []",
    operations: ["delete:default-permission:$org/team:dev", "delete:default-permission:$org/user:$bob/by:$alice"],
    becomes: { defaults: [] }
  },
  {
    name: "where the file has no such section they stay",
    given: `${PEOPLE}default_permissions: [{ role: read, team: dev }]`,
    want: "teams: { dev: {} }",
    operations: [],
    becomes: { defaults: ["team:dev=read"] }
  },
  {
    name: "a rule that was changed or made behind our back is put right or removed",
    given: `${PEOPLE}default_permissions: [{ role: read, team: dev }]`,
    drift: async (trial) => {
      const { prototypes } = await trial.quay.GET("/api/v1/organization/{orgname}/prototypes", {
        params: { path: { orgname: trial.org } }
      })
      for (const { id } of prototypes)
        await trial.quay.PUT("/api/v1/organization/{orgname}/prototypes/{prototypeid}", {
          params: { path: { orgname: trial.org, prototypeid: id } },
          body: { role: "admin" }
        })
      await rule(trial, "write", "user", trial.real("$bob"))
    },
    want: "default_permissions: [{ role: read, team: dev }]",
    operations: ["delete:default-permission:$org/user:$bob", "update:default-permission:$org/team:dev"],
    becomes: { defaults: ["team:dev=read"] }
  },
  {
    name: "the same rule three times becomes one, with the role of the file",
    given: "teams: { dev: {} }",
    drift: async (trial) => {
      for (const role of ["write", "admin", "write"] as const) await rule(trial, role, "team", "dev")
    },
    want: "default_permissions: [{ role: read, team: dev }]",
    operations: ["update:default-permission:$org/team:dev"],
    becomes: { defaults: ["team:dev=read"] }
  },
  {
    name: "the same rule twice becomes one even if its role is right",
    given: "teams: { dev: {} }",
    drift: async (trial) => {
      for (const role of ["read", "read"] as const) await rule(trial, role, "team", "dev")
    },
    want: "default_permissions: [{ role: read, team: dev }]",
    operations: ["update:default-permission:$org/team:dev"],
    becomes: { defaults: ["team:dev=read"] }
  },
  {
    name: "a rule that is not in the file is removed as often as it is there",
    given: "teams: { dev: {} }",
    drift: async (trial) => {
      for (const role of ["read", "admin", "read"] as const) await rule(trial, role, "team", "dev")
    },
    want: "default_permissions: []",
    operations: ["delete:default-permission:$org/team:dev"],
    becomes: { defaults: [] }
  },
  {
    name: "the rules of a robot that is pruned go with it",
    given: `${PEOPLE}default_permissions: [{ role: read, robot: ci }, { role: read, team: dev }]`,
    want: "prune: [robots]\nrobots: {}\ndefault_permissions: [{ role: read, team: dev }]",
    operations: ["delete:robot:$org/ci"],
    becomes: { defaults: ["team:dev=read"], robots: {} }
  }
])

describe("a plan of default permissions", () => {
  tested("removes a rule for another organization's robot, which no file could name", async (trial) => {
    const other = `${trial.org}other`
    await trial.reach(`organization: ${other}\nrobots: { ci: {} }`)
    await trial.reach("default_permissions: []")
    await rule(trial, "read", "user", `${other}+ci`)
    const plan = await trial.reach("default_permissions: []")
    expect(plan.operations.map(({ id }) => id)).toEqual([`delete:default-permission:${trial.org}/user:${other}+ci`])
    expect((await trial.state()).defaults).toEqual([])
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "server-error", applied: true },
    { kind: "bad-gateway", applied: true },
    { kind: "truncate" },
    { kind: "drop", appliedAfter: 800 }
  ] as const)
    simulated(`makes one rule, not two, when the answer is lost: ${JSON.stringify(effect)}`, async (trial) => {
      await trial.reach("teams: { dev: {} }")
      const plan = await trial.plan("default_permissions: [{ role: read, team: dev }]")
      const on = "POST /api/v1/organization/{orgname}/prototypes"
      trial.simulator.faults.add({ on, times: 1, effect })
      const report = await trial.apply(plan)
      trial.simulator.faults.clear()
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
      expect((await trial.state()).defaults).toEqual(["team:dev=read"])
    })

  simulated("resumes where it broke off among several duplicates", async (trial) => {
    await trial.reach("teams: { dev: {} }")
    for (const role of ["write", "admin", "write"] as const) await rule(trial, role, "team", "dev")
    const want = "default_permissions: [{ role: read, team: dev }]"
    const plan = await trial.plan(want)
    const on = "DELETE /api/v1/organization/{orgname}/prototypes/{prototypeid}"
    trial.simulator.faults.add({ on, skip: 1, effect: { kind: "rate-limit", retryAfter: 0 } })
    const stop = setTimeout(() => trial.simulator.faults.clear(), 1_500)
    const report = await trial.apply(plan)
    clearTimeout(stop)
    trial.simulator.faults.clear()
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
    await trial.reach(want)
    expect((await trial.state()).defaults).toEqual(["team:dev=read"])
  })

  for (const [what, want] of [
    ["putting together", "default_permissions: [{ role: read, team: dev }]"],
    ["deleting", "default_permissions: []"]
  ] as const)
    tested(`goes on ${what} several rules that are one where it broke off, by the same plan`, async (trial) => {
      await trial.reach("teams: { dev: {} }")
      for (const role of ["write", "admin", "write"] as const) await rule(trial, role, "team", "dev")
      const plan = await trial.plan(want)
      expect(JSON.stringify(plan.operations.map((it) => (it.action === "update" ? it.changes : [])))).not.toMatch(
        /[0-9a-f]{8}-[0-9a-f]{4}/
      )
      const { prototypes } = await trial.quay.GET("/api/v1/organization/{orgname}/prototypes", {
        params: { path: { orgname: trial.org } }
      })
      const ids = prototypes.map(({ id }) => id).sort()
      for (const id of ids.slice(-1))
        await trial.quay.DELETE("/api/v1/organization/{orgname}/prototypes/{prototypeid}", {
          params: { path: { orgname: trial.org, prototypeid: id } }
        })
      const report = await trial.apply(plan)
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
      expect((await trial.state()).defaults).toEqual(what === "deleting" ? [] : ["team:dev=read"])
    })

  for (const [what, file, words] of [
    [
      "a team that is not there",
      "default_permissions: [{ role: read, team: ghost }]",
      /team .*ghost, which is neither/
    ],
    [
      "a robot that is not there",
      "default_permissions: [{ role: read, robot: ghost }]",
      /robot .*ghost, which is neither/
    ],
    ["a role that is none", "default_permissions: [{ role: pull, user: $bob }]", /read/],
    ["two grantees in one rule", "default_permissions: [{ role: read, user: $bob, team: dev }]", /team|user/],
    ["a rule for nobody", "default_permissions: [{ role: read }]", /team|user|robot/],
    [
      "two rules for one grantee",
      "default_permissions: [{ role: read, user: $bob }, { role: write, user: $bob }]",
      /twice|already|duplicate/i
    ],
    ["a map", "default_permissions: { read: $bob }", /list/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      await trial.reach("prune: []")
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})
