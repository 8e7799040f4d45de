// OAuth applications over HTTP: by name, which Quay lets be there several times, each with credentials of its own.
import type { ApplicationView } from "@quaymaster/sdk"
import { describe, expect } from "vitest"
import { type Application, application } from "../src/application.ts"
import { operationOf, rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const all = async ({ org, quay }: Trial): Promise<ReadonlyArray<ApplicationView>> =>
  (await quay.GET("/api/v1/organization/{orgname}/applications", { params: { path: { orgname: org } } })).applications

const told = ({ application_uri, avatar_email, description, name, redirect_uri }: ApplicationView): string =>
  [name, application_uri, redirect_uri, description, avatar_email].map((it) => it ?? "").join("|")

const make = ({ org, quay }: Trial, body: { name: string; description?: string }) =>
  quay.POST("/api/v1/organization/{orgname}/applications", { params: { path: { orgname: org } }, body })

const becomes =
  (...applications: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect((await all(trial)).map(told).sort()).toEqual([...applications].sort())

const FULL =
  "{ uri: https://c.example, redirect_uri: https://c.example/cb, description: Console, avatar_email: c@c.example }"
const A = "application:$org"

rows("applications", [
  {
    name: "are made, with all fields and with none",
    want: `applications: { console: ${FULL}, "my app / 2": }`,
    operations: [`create:${A}/console`, `create:${A}/my app / 2`],
    also: becomes("console|https://c.example|https://c.example/cb|Console|c@c.example", "my app / 2||||")
  },
  ...(
    [
      ["uri", "https://d.example", "console|https://d.example|https://c.example/cb|Console|c@c.example"],
      ["redirect_uri", "https://d.example/cb", "console|https://c.example|https://d.example/cb|Console|c@c.example"],
      ["description", "Other", "console|https://c.example|https://c.example/cb|Other|c@c.example"],
      ["avatar_email", "d@c.example", "console|https://c.example|https://c.example/cb|Console|d@c.example"],
      ["avatar_email", '""', "console|https://c.example|https://c.example/cb|Console|"],
      ["description", '""', "console|https://c.example|https://c.example/cb||c@c.example"]
    ] as const
  ).map(([field, value, after]) => ({
    name: `change their ${field} to ${value} alone, and keep what the file leaves out`,
    given: `applications: { console: ${FULL} }`,
    want: `applications: { console: { ${field}: ${value} } }`,
    operations: [`update:${A}/console`],
    also: becomes(after)
  })),
  {
    name: "that are not in the file are kept and told",
    given: `applications: { console: ${FULL}, old: }`,
    want: "applications: { console: }",
    operations: [],
    extras: [`${A}/old`],
    also: async (trial) => expect(await all(trial)).toHaveLength(2)
  },
  {
    name: "that are not in the file are deleted where it prunes them, and that loses a credential",
    given: `applications: { console: ${FULL}, old: }`,
    want: "prune: [applications]\napplications: { console: }",
    operations: [`delete:${A}/old`],
    also: async (trial, plan) => {
      expect(operationOf(trial, plan, `delete:${A}/old`)).toMatchObject({ destroys: "credential" })
      expect(await all(trial)).toHaveLength(1)
    }
  },
  {
    name: "that were changed behind our back are put right",
    given: `applications: { console: ${FULL} }`,
    drift: async (trial) => {
      for (const { client_id } of await all(trial))
        await trial.quay.PUT("/api/v1/organization/{orgname}/applications/{client_id}", {
          params: { path: { orgname: trial.org, client_id } },
          body: { name: "console", redirect_uri: "", application_uri: "" }
        })
    },
    want: `applications: { console: ${FULL} }`,
    operations: [`update:${A}/console`],
    also: becomes("console|https://c.example|https://c.example/cb|Console|c@c.example")
  }
])

describe("applications of one name", () => {
  const twins = async (trial: Trial) => {
    await trial.reach("teams: {}")
    for (const description of ["one", "two", "three"]) await make(trial, { name: "console", description })
    return (await all(trial)).map(({ client_id }) => client_id).sort()
  }

  tested("are one that the file means and others that are kept, and that is said", async (trial) => {
    const [first, second, third] = await twins(trial)
    const plan = await trial.reach("applications: { console: { description: mine } }")
    expect(trial.ids(plan)).toEqual([`update:${A}/console`])
    expect(plan.extras.map(({ key }) => key)).toEqual([
      `${trial.org}/console#${second}`,
      `${trial.org}/console#${third}`
    ])
    expect(plan.notices.map(({ message }) => message)).toEqual([
      `There are 3 applications named console; the one with client id ${first} is meant.`
    ])
    const now = new Map((await all(trial)).map((it) => [it.client_id, it.description]))
    expect(now.get(first ?? "")).toBe("mine")
    expect(now.size).toBe(3)
  })

  tested("are deleted one by one where the file prunes them, each a credential", async (trial) => {
    const [first, second, third] = await twins(trial)
    const plan = await trial.reach("prune: [applications]\napplications: { console: }")
    expect(plan.operations.map((it) => [it.key, "destroys" in it && it.destroys])).toEqual([
      [`${trial.org}/console#${second}`, "credential"],
      [`${trial.org}/console#${third}`, "credential"]
    ])
    expect((await all(trial)).map(({ client_id }) => client_id)).toEqual([first])
  })

  simulated("all go by the same plan after it was broken off", async (trial) => {
    await twins(trial)
    const plan = await trial.plan("prune: [applications]\napplications: {}")
    trial.simulator.faults.add({ on: /^DELETE .*\/applications\//, times: 2, effect: { kind: "server-error" } })
    await trial.apply(plan)
    expect((await all(trial)).length).toBeGreaterThan(0)
    await trial.apply(plan)
    expect(await all(trial)).toEqual([])
  })

  tested("all go where the file prunes them and names none", async (trial) => {
    await twins(trial)
    await trial.reach("prune: [applications]\napplications: {}")
    expect(await all(trial)).toEqual([])
  })
})

describe("a plan of applications", () => {
  tested("has no client secret in it, nor has what is read", async (trial) => {
    await trial.reach("applications: { console:, old: }")
    const secrets = (await all(trial)).flatMap(({ client_secret }) => client_secret ?? [])
    expect(secrets).toHaveLength(2)
    const plan = await trial.plan("prune: [applications]\napplications: { console: { description: x } }")
    for (const secret of secrets) expect(JSON.stringify(plan)).not.toContain(secret)
  })

  simulated("asks two questions", async (trial) => {
    await trial.reach("applications: { console: }")
    trial.simulator.requests.reset()
    await trial.plan("applications: { console: }")
    expect(trial.simulator.requests.total - trial.simulator.requests.of("GET /api/v1/user/")).toBe(2)
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "server-error", applied: true },
    { kind: "drop", appliedAfter: 800 },
    { kind: "truncate" }
  ] as const)
    simulated(`makes one application when the answer is lost: ${JSON.stringify(effect)}`, async (trial) => {
      await trial.reach("teams: {}")
      const plan = await trial.plan("applications: { console: }")
      trial.simulator.faults.add({ on: "POST /api/v1/organization/{orgname}/applications", times: 1, effect })
      const report = await trial.apply(plan)
      trial.simulator.faults.clear()
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
      await becomes("console||||")(trial)
    })

  otherwise("leaves alone what Quay makes for itself", { version: "3.17" }, async (trial) => {
    await trial.reach("teams: {}")
    await make(trial, { name: "__quay_bootstrap_app" })
    const plan = await trial.reach("prune: [applications]\napplications: {}")
    expect([plan.operations, plan.extras]).toEqual([[], []])
    expect(await all(trial)).toHaveLength(1)
  })

  for (const [what, file, words] of [
    ["the name that Quay keeps for itself", "applications: { __quay_bootstrap_app: }", /__quay_bootstrap_app/],
    ["a name with spaces around it", 'applications: { " a": }', /spaces/],
    ["an address that is none", "applications: { a: { avatar_email: x } }", /e-mail/],
    ["null", "applications:", /applications/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })

  tested("is exported as it is read, without ids and without what is empty", async () => {
    const items: ReadonlyArray<Application> = [
      { organization: "acme", name: "console", uri: "u", redirect_uri: "r", description: "d", avatar_email: "a@b" },
      { organization: "acme", name: "bare", uri: "", redirect_uri: "", description: "", avatar_email: "", others: 1 },
      { organization: "acme", name: "bare", uri: "x", client_id: "B", further: true }
    ]
    expect(written(application.section, items, "acme")).toEqual({
      node: { console: { uri: "u", redirect_uri: "r", description: "d", avatar_email: "a@b" }, bare: {} },
      items: [items[0], { organization: "acme", name: "bare" }]
    })
  })
})
