// Organizations over HTTP: what is set when one is made, what is changed, and that silence changes nothing.
import { describe, expect } from "vitest"
import { NotAdministrator } from "../src/index.ts"
import { organization } from "../src/organization.ts"
import { operationOf, rejection, type Trial, trials } from "./harness.ts"

const { otherwise, rows, simulated, test: tested } = trials(["bob"])

interface Details {
  readonly email?: string
  readonly tag_expiration_s?: number
  readonly invoice_email?: boolean
  readonly invoice_email_address?: string | null
}

const put = (body: Details) => (trial: Trial) =>
  trial.quay.PUT("/api/v1/organization/{orgname}", { params: { path: { orgname: trial.org } }, body })

const view = ({ org, quay }: Trial, orgname = org) =>
  quay.GET("/api/v1/organization/{orgname}", { params: { path: { orgname } } })

const invoices = async (trial: Trial) => {
  const { invoice_email, invoice_email_address } = await view(trial)
  return [invoice_email, invoice_email_address]
}

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
    name: "its address goes",
    given: "email: $a@example.com",
    want: 'email: ""',
    operations: ["update:organization:$org"],
    becomes: { email: "" }
  },
  {
    name: "none is as none should be",
    want: 'email: ""',
    operations: [],
    becomes: { email: "" }
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

rows("how an organization gets its invoices", [
  {
    name: "is set when it is made, and after",
    given: "email: $a@example.com\ninvoice_email: true\ninvoice_email_address: bills@example.com",
    want: "invoice_email: false\ninvoice_email_address: money@example.com",
    operations: ["update:organization:$org"],
    becomes: { expiration: 1_209_600 },
    also: async (trial) => expect(await invoices(trial)).toEqual([false, "money@example.com"])
  },
  {
    name: "is as it should be where nothing is set, and where nothing is asked for",
    want: 'invoice_email: false\ninvoice_email_address: ""',
    operations: []
  },
  {
    name: "is put right where it was changed behind our back",
    given: 'invoice_email: true\ninvoice_email_address: ""',
    drift: put({ invoice_email: false, invoice_email_address: "someone@example.com" }),
    want: 'invoice_email: true\ninvoice_email_address: ""',
    operations: ["update:organization:$org"],
    also: async (trial) => expect(await invoices(trial)).toEqual([true, null])
  },
  {
    name: "stays as it is where a file says nothing of it",
    given: "invoice_email: true\ninvoice_email_address: bills@example.com",
    want: "tag_expiration: 1d",
    operations: ["update:organization:$org"],
    also: async (trial) => expect(await invoices(trial)).toEqual([true, "bills@example.com"])
  }
])

describe("an organization that shall not be there", () => {
  const absent = "state: absent"

  tested("is deleted with all that is in it, and a second plan is empty", async (trial) => {
    await trial.reach("teams: { dev: {} }\nrobots: { ci: {} }\nrepositories: { app: {} }")
    const plan = await trial.plan(absent)
    expect(trial.ids(plan)).toEqual(["delete:organization:$org"])
    expect(operationOf(trial, plan, "delete:organization:$org")).toMatchObject({
      destroys: "data",
      reason: "declared absent",
      source: "1.yaml:1"
    })
    expect(plan.notices.map(({ key, message }) => [key, message])).toEqual([
      [trial.org, expect.stringContaining("repositories")]
    ])
    await trial.apply(plan)
    expect(await rejection(view(trial))).toMatchObject({ _tag: "Missing" })
    expect(await trial.plan(absent)).toMatchObject({ operations: [], unchanged: 1, notices: [] })
  })

  tested("is nothing to do for where it never was", async (trial) => {
    expect(await trial.plan(absent)).toMatchObject({ operations: [], unchanged: 1 })
  })

  tested(
    "is not deleted by the same plan if it was changed since, and is once if the answer is lost",
    async (trial) => {
      await trial.reach("tag_expiration: 1d")
      const plan = await trial.plan(absent)
      await put({ tag_expiration_s: 604_800 })(trial)
      expect(await rejection(trial.apply(plan))).toMatchObject({ _tag: "PlanStale" })
      await trial.apply(await trial.plan(absent))
      expect((await trial.apply(await trial.plan(absent))).results).toEqual([])
    }
  )

  simulated("is deleted once although the answer is lost", async (trial) => {
    await trial.reach("tag_expiration: 1d")
    const plan = await trial.plan(absent)
    trial.simulator.faults.add({
      on: "DELETE /api/v1/organization/{orgname}",
      times: 1,
      effect: { kind: "drop", applied: true }
    })
    const report = await trial.apply(plan)
    trial.simulator.faults.clear()
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
  })

  for (const key of ["email: a@example.com", "teams: {}", "prune: []", "renamed_from: other"])
    tested(`has nothing else said of it, such as ${key}`, async (trial) => {
      expect(String(await rejection(trial.plan(`${absent}\n${key}`)))).toMatch(/cannot stand beside state: absent/)
    })
})

describe("an organization that had another name", () => {
  const old = ({ org }: Trial) => `${org}old`
  const file = (trial: Trial, rest: string) => `renamed_from: ${old(trial)}\n${rest}`
  const team = "teams: { dev: { role: creator } }\nrepositories: { app: {} }"

  tested("is renamed with all that is in it, and a second plan is empty", async (trial) => {
    await trial.reach(`organization: ${old(trial)}\n${team}`)
    const plan = await trial.plan(file(trial, team))
    expect(trial.ids(plan)).toEqual(["update:organization:$org"])
    expect(operationOf(trial, plan, "update:organization:$org")).toMatchObject({
      changes: [{ field: "name", before: old(trial), after: trial.org }]
    })
    expect(plan.notices.map(({ message }) => message)).toEqual([expect.stringContaining("Plan again")])
    await trial.apply(plan)
    const state = await trial.state()
    expect([state.teams["dev"]?.role, Object.keys(state.repositories)]).toEqual(["creator", ["app"]])
    expect(await trial.plan(file(trial, team))).toMatchObject({ operations: [], notices: [], unchanged: 3 })
  })

  tested("has its own settings changed along with its name, and the rest after that", async (trial) => {
    await trial.reach(`organization: ${old(trial)}\ntag_expiration: 1d\n${team}`)
    const want = file(trial, "tag_expiration: 4w\nteams: { dev: { role: member } }")
    const plan = await trial.plan(want)
    expect(trial.ids(plan)).toEqual(["update:organization:$org"])
    await trial.apply(plan)
    expect((await trial.state()).expiration).toBe(2_419_200)
    const second = await trial.plan(want)
    expect(trial.ids(second)).toEqual(["update:team:$org/dev"])
    await trial.apply(second)
    expect(trial.ids(await trial.plan(want))).toEqual([])
  })

  tested("is renamed by the same plan although it was meanwhile", async (trial) => {
    await trial.reach(`organization: ${old(trial)}\ntag_expiration: 1d`)
    const plan = await trial.plan(file(trial, "tag_expiration: 4w"))
    await trial.quay.PUT("/api/v1/superuser/organizations/{name}", {
      params: { path: { name: old(trial) } },
      body: { name: trial.org }
    })
    expect((await trial.apply(plan)).results.map(({ outcome }) => outcome)).toEqual(["applied"])
    expect((await trial.state()).expiration).toBe(2_419_200)
  })

  simulated("is renamed once although the answer is lost", async (trial) => {
    await trial.reach(`organization: ${old(trial)}`)
    const plan = await trial.plan(file(trial, ""))
    trial.simulator.faults.add({
      on: "PUT /api/v1/superuser/organizations/{name}",
      times: 1,
      effect: { kind: "drop", applied: true }
    })
    const report = await trial.apply(plan)
    trial.simulator.faults.clear()
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
  })

  tested("refuses the plan where both names are there, or neither", async (trial) => {
    expect(String(await rejection(trial.plan(file(trial, team))))).toMatch(
      new RegExp(`1.yaml:1: organization ${trial.org}: there is neither this one nor ${old(trial)}`)
    )
    await trial.reach(`organization: ${old(trial)}\n---\norganization: ${trial.org}`)
    expect(String(await rejection(trial.plan(file(trial, team))))).toMatch(/are both there/)
  })

  simulated("costs one request more", async (trial) => {
    await trial.reach("prune: []")
    trial.simulator.requests.reset()
    await trial.plan(file(trial, ""))
    expect(trial.simulator.requests.of("GET /api/v1/organization/{orgname}")).toBe(2)
  })
})

describe("a registry that is set up otherwise", () => {
  tested("refuses a time that it does not offer, before anything is read", async (trial) => {
    expect(String(await rejection(trial.plan("tag_expiration: 3d")))).toMatch(
      /1.yaml:1: tag_expiration_s of organization .*: this registry allows only 0s, .*TAG_EXPIRATION_OPTIONS/
    )
    expect(trial.ids(await trial.plan("tag_expiration: 14d"))).toEqual(["create:organization:$org"])
  })

  otherwise(
    "refuses a time where none can be set, and only that",
    { features: { CHANGE_TAG_EXPIRATION: false } },
    async (trial) => {
      expect(String(await rejection(trial.plan("tag_expiration: 1w")))).toMatch(/FEATURE_CHANGE_TAG_EXPIRATION/)
      await trial.reach("email: a@example.com")
    }
  )

  otherwise("of an older release gets and changes addresses as well", { version: "3.12" }, async (trial) => {
    await trial.reach("email: a@example.com\ninvoice_email: true\ntag_expiration: 1d")
    await trial.reach("email: b@example.com\ninvoice_email_address: c@example.com")
    expect((await trial.state()).email).toBe("b@example.com")
    expect(await invoices(trial)).toEqual([true, "c@example.com"])
  })

  otherwise("of an older release has no address where it tells an id instead", { version: "3.12" }, async (trial) => {
    const plan = await trial.reach("prune: []")
    expect(trial.ids(plan)).toEqual(["create:organization:$org"])
    expect((await trial.state()).email).toMatch(/^[0-9a-f-]{36}$/)
    const change = await trial.plan("email: a@example.com")
    expect(operationOf(trial, change, "update:organization:$org")).toMatchObject({
      changes: [{ field: "email", before: "", after: "a@example.com" }]
    })
  })
})

describe("an organization without an address", () => {
  otherwise("cannot be asked of an older release", { version: "3.17" }, async (trial) => {
    await trial.reach("email: a@example.com")
    const error = await rejection(trial.plan('email: ""'))
    expect(error).toMatchObject({ _tag: "PlanRefused" })
    expect(String(error)).toMatch(/email of organization .*: it came with Quay 3.18/)
  })

  otherwise("can be of 3.18, and two may have the same", { version: "3.18" }, async (trial) => {
    const both = (address: string) =>
      [trial.org, `${trial.org}two`].map((name) => `organization: ${name}\nemail: ${address}`).join("\n---\n")
    await trial.reach(both("a@example.com"))
    await trial.reach(both('""'))
    expect((await trial.state()).email).toBe("")
  })
})

describe("an organization as a file", () => {
  const written = [
    { name: "acme" },
    { name: "acme", email: "a@example.com", tag_expiration_s: 1_209_600 },
    { name: "acme", tag_expiration_s: 0, invoice_email: true, invoice_email_address: "b@example.com" }
  ]
  for (const item of written)
    tested(`has all of ${JSON.stringify(item)}`, async () => {
      const node = organization.section.write?.([item])
      expect(organization.section.read(node, "").map((entry) => entry.item)).toEqual([item])
    })

  tested("leaves out what is not set, and says times as people do", async () => {
    const item = { name: "acme", email: "", tag_expiration_s: 604_800, invoice_email: false, invoice_email_address: "" }
    expect(organization.section.write?.([item])).toEqual({ organization: "acme", tag_expiration: "1w" })
  })
})

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
