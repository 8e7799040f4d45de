// Synchronized teams over HTTP, with a directory: which group, and who may say who is in such a team.
import { describe, expect } from "vitest"
import { teamSync } from "../src/team-sync.ts"
import { operationOf, type Plan, rejection, type Trial, trials } from "./harness.ts"

const { otherwise, test: tested } = trials()

const users = ["alice", "bob"].map((name) => ({ name }))
const ldap = {
  groups: { "cn=dev,ou=groups": ["alice"], "cn=ops,ou=groups": ["bob"] },
  users: { bob: "bob@example.com" }
}
const directory = { ldap, users }

const synced = (group: string, more = "") => `teams: { dev: { role: member, sync: { ldap: "${group}" }${more} } }`
const DEV = "cn=dev,ou=groups"
const OPS = "cn=ops,ou=groups"

const TEAM = "/api/v1/organization/{orgname}/team/{teamname}"
const inDev = ({ org }: Trial) => ({ path: { orgname: org, teamname: "dev" } })

const sync = async (trial: Trial) => {
  const { members, synced } = await trial.quay.GET(`${TEAM}/members`, { params: inDev(trial) })
  return [synced?.config, members.flatMap((it) => ("name" in it ? [it.name.replace(trial.org, "$org")] : []))]
}

const messages = (plan: Plan) => plan.notices.map(({ kind, message }) => [kind, message])

interface Row {
  readonly name: string
  readonly given: string
  readonly drift?: (trial: Trial) => Promise<unknown>
  readonly want: string
  readonly operations: ReadonlyArray<string>
  readonly group?: string
}

const rows: ReadonlyArray<Row> = [
  {
    name: "a new team is synchronized after it is made",
    given: "prune: []",
    want: synced(DEV),
    operations: ["create:team-sync:$org/dev", "create:team:$org/dev"],
    group: DEV
  },
  {
    name: "a team that is there is synchronized",
    given: "teams: { dev: {} }",
    want: synced(DEV),
    operations: ["create:team-sync:$org/dev"],
    group: DEV
  },
  { name: "what is the same has no operations", given: synced(DEV), want: synced(DEV), operations: [], group: DEV },
  {
    name: "the case and the spaces of a group's name do not count",
    given: synced(DEV),
    want: synced("CN=Dev, OU = Groups"),
    operations: [],
    group: DEV
  },
  {
    name: "another group is a new synchronization",
    given: synced(DEV),
    want: synced(OPS),
    operations: ["replace:team-sync:$org/dev"],
    group: OPS
  },
  {
    name: "none is wanted",
    given: synced(DEV),
    want: "teams: { dev: { sync: {} } }",
    operations: ["delete:team-sync:$org/dev"]
  },
  {
    name: "none is as none should be",
    given: "teams: { dev: {} }",
    want: "teams: { dev: { sync: {} } }",
    operations: []
  },
  {
    name: "a file that says nothing of it leaves it as it is",
    given: synced(DEV),
    want: "teams: { dev: { role: creator } }",
    operations: ["update:team:$org/dev"],
    group: DEV
  },
  {
    name: "what was changed behind our back is put right",
    given: synced(DEV),
    drift: async (trial) => {
      await trial.quay.DELETE(`${TEAM}/syncing`, { params: inDev(trial) })
      await trial.quay.POST(`${TEAM}/syncing`, { params: inDev(trial), body: { group_dn: OPS } })
    },
    want: synced(DEV),
    operations: ["replace:team-sync:$org/dev"],
    group: DEV
  },
  {
    name: "what was ended behind our back is begun again",
    given: synced(DEV),
    drift: (trial) => trial.quay.DELETE(`${TEAM}/syncing`, { params: inDev(trial) }),
    want: synced(DEV),
    operations: ["create:team-sync:$org/dev"],
    group: DEV
  },
  {
    name: "robot accounts are put into a synchronized team, and taken out",
    given: `robots: { ci: {}, cd: {} }\n${synced(DEV, ", members: { robots: [ci] }")}`,
    want: `robots: { ci: {}, cd: {} }\n${synced(DEV, ", members: { robots: [cd] }")}`,
    operations: ["create:team-member:$org/dev/$org+cd", "delete:team-member:$org/dev/$org+ci"],
    group: DEV
  }
]

describe("synchronized teams", () => {
  for (const { drift, given, group, name, operations, want } of rows)
    otherwise(name, directory, async (trial) => {
      await trial.reach(given)
      await drift?.(trial)
      const plan = await trial.reach(want)
      expect(trial.ids(plan)).toEqual(operations)
      expect((await sync(trial))[0]).toEqual(group === undefined ? undefined : { group_dn: group })
    })

  otherwise("are told to lose people, and keep them when it ends", directory, async (trial) => {
    await trial.reach("teams: { dev: { members: { users: [bob] } } }")
    const plan = await trial.reach(synced(DEV))
    expect(messages(plan)).toEqual([["team-sync", expect.stringContaining("not in the group are taken out")]])
    expect(messages(await trial.plan(synced(DEV)))).toEqual([])
    trial.registry.simulator?.syncTeams()
    expect((await sync(trial))[1]).toEqual(["alice"])
    const end = await trial.reach("teams: { dev: { sync: {} } }")
    expect(messages(end)).toEqual([["team-sync", expect.stringContaining("stay in it")]])
    expect((await sync(trial))[1]).toEqual(["alice"])
  })

  otherwise("warn of losing the administrators", directory, async (trial) => {
    const plan = await trial.plan(`teams: { owners: { sync: { ldap: "${DEV}" } } }`)
    expect(messages(plan)[0]?.[1]).toContain("administrators")
  })

  otherwise("have no people in the file", directory, async (trial) => {
    const error = await rejection(trial.plan(synced(DEV, ", members: { users: [bob] }")))
    expect(String(error)).toMatch(/1.yaml:2:\d+: teams.dev.sync.ldap: members.users cannot stand beside this/)
  })

  otherwise("have no people in a file that does not know of it", directory, async (trial) => {
    await trial.reach(synced(DEV))
    const error = await rejection(trial.plan("teams: { dev: { members: { users: [bob] } } }"))
    expect(String(error)).toMatch(/members.users of .*dev cannot be managed while there is team-sync/)
  })

  otherwise("have people again once it ends, in the same plan", directory, async (trial) => {
    await trial.reach(synced(DEV))
    trial.registry.simulator?.syncTeams()
    const plan = await trial.reach("teams: { dev: { sync: {}, members: { users: [bob] } } }")
    expect(trial.ids(plan)).toEqual([
      "create:team-member:$org/dev/bob",
      "delete:team-member:$org/dev/alice",
      "delete:team-sync:$org/dev"
    ])
    const ended = trial.real("delete:team-sync:$org/dev")
    expect(operationOf(trial, plan, "create:team-member:$org/dev/bob")?.needs).toEqual([ended])
    expect(operationOf(trial, plan, "delete:team-member:$org/dev/alice")?.needs).toContain(ended)
    expect((await sync(trial))[1]).toEqual(["bob"])
  })

  otherwise("are resumed where a change of the group broke off", directory, async (trial) => {
    await trial.reach(synced(DEV))
    const plan = await trial.plan(synced(OPS))
    await trial.quay.DELETE(`${TEAM}/syncing`, { params: inDev(trial) })
    const report = await trial.apply(plan)
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
    expect((await sync(trial))[0]).toEqual({ group_dn: OPS })
  })

  otherwise("are left as they are by a group that is not there", directory, async (trial) => {
    await trial.reach("teams: { dev: {} }")
    const report = await trial.apply(await trial.plan(synced("cn=ghost,ou=groups")))
    expect(report.results.map(({ error, outcome }) => [outcome, error])).toEqual([
      ["failed", expect.stringMatching(/does not exist or is empty/)]
    ])
  })

  otherwise("cost a request for each team that is one, and none for others", directory, async (trial) => {
    await trial.reach(synced(DEV))
    const count = async (file: string) => {
      trial.registry.simulator?.requests.reset()
      await trial.plan(file)
      return trial.registry.simulator?.requests.of(`GET ${TEAM}/members`)
    }
    expect(await count(synced(DEV))).toBe(1)
    expect(await count("teams: { owners: { sync: {} } }")).toBe(0)
    expect(await count("teams: { dev: { role: member } }")).toBe(0)
  })
})

describe("who may not see the group", () => {
  const options = { ...directory, features: { NONSUPERUSER_TEAM_SYNCING_SETUP: false } }

  otherwise("gets an error, never a plan", options, async (trial) => {
    await trial.reach(`teams: { owners: { members: { users: [alice] } }, dev: { sync: { ldap: "${DEV}" } } }`)
    const alice = trial.as(trial.registry.simulator?.addToken({ user: "alice" }) ?? "")
    expect(String(await rejection(alice.plan(synced(DEV))))).toMatch(/synchronized by ldap with a group/)
    expect(trial.ids(await alice.plan("teams: { dev: { role: member } }"))).toEqual([])
  })
})

describe("a registry that does not synchronize", () => {
  tested("refuses it, by the way in which people sign in", async (trial) => {
    const error = await rejection(trial.plan(synced(DEV)))
    expect(error).toMatchObject({ _tag: "PlanRefused" })
    expect(String(error)).toMatch(/AUTHENTICATION_TYPE|FEATURE_TEAM_SYNCING/)
  })

  otherwise("refuses groups of another service", directory, async (trial) => {
    expect(String(await rejection(trial.plan("teams: { dev: { sync: { oidc: devs } } }")))).toMatch(
      /service of team-sync .*dev: this registry allows only LDAP/
    )
  })

  otherwise("refuses it by name of the feature", { ...directory, features: { TEAM_SYNCING: false } }, async (trial) => {
    expect(String(await rejection(trial.plan(synced(DEV))))).toMatch(/FEATURE_TEAM_SYNCING/)
    expect(String(await rejection(trial.plan("teams: { dev: { sync: {} } }")))).toMatch(/FEATURE_TEAM_SYNCING/)
  })

  otherwise("does it in older releases as well", { ...directory, version: "3.8" }, async (trial) => {
    await trial.reach(synced(DEV))
    await trial.reach(synced(OPS))
  })
})

describe("a synchronization as a file", () => {
  const of = (service: "ldap" | "oidc" | "keystone", group: string) => ({
    organization: "acme",
    team: "dev",
    service,
    group
  })

  for (const item of [of("ldap", DEV), of("oidc", "devs"), of("keystone", "17")])
    tested(`has its service and its group: ${item.service}`, async () => {
      const node = teamSync.section.write?.([item])
      expect(node).toEqual({ [item.service]: item.group })
      expect(teamSync.section.read(node, "acme/dev").map((entry) => entry.item)).toEqual([item])
    })

  tested("is empty for none", async () => {
    expect([teamSync.section.write?.([]), teamSync.section.read({}, "acme/dev")]).toEqual([{}, []])
  })

  tested("tells what becomes of the people", async () => {
    expect(teamSync.notices?.(of("oidc", "devs"), undefined)).toEqual([expect.stringContaining("All people")])
    expect(teamSync.notices?.(of("oidc", "devs"), of("oidc", "devs"))).toEqual([])
    expect(teamSync.notices?.(of("keystone", "17"), of("keystone", "18"))).toHaveLength(1)
  })

  for (const [what, file, words] of [
    ["two groups", "teams: { dev: { sync: { ldap: a, oidc: b } } }", /at most 1/],
    ["an empty name", 'teams: { dev: { sync: { ldap: "" } } }', /should not be empty/],
    ["a group alone", "teams: { dev: { sync: devs } }", /should be a map/],
    ["another service", "teams: { dev: { sync: { saml: devs } } }", /unknown key "saml"/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})
