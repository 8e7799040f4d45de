// Members of teams over HTTP: people and robot accounts, who is removed, and who Quay puts there by itself.
import { describe, expect } from "vitest"
import { teamMember } from "../src/team-member.ts"
import { operationOf, type Plan, rejection, type Trial, trials } from "./harness.ts"

const { otherwise, rows, simulated, test: tested } = trials(["alice", "bob", "carol"])

const path = "/api/v1/organization/{orgname}/team/{teamname}/members/{membername}"
const member = (org: string, teamname: string, membername: string) => ({
  params: { path: { orgname: org, teamname, membername } }
})

rows("members", [
  {
    name: "people and robots are added to a new team",
    want: "teams: { dev: { members: { users: [$alice, $bob], robots: [ci] } } }\nrobots: { ci: {} }",
    operations: [
      "create:robot:$org/ci",
      "create:team:$org/dev",
      "create:team-member:$org/dev/$alice",
      "create:team-member:$org/dev/$bob",
      "create:team-member:$org/dev/$org+ci"
    ],
    becomes: { teams: { dev: { members: ["$alice", "$bob", "$org+ci"] } } }
  },
  {
    name: "who is not named any more is removed, and the order does not count",
    given: "teams: { dev: { members: { users: [$alice, $bob] } } }",
    want: "teams: { dev: { members: { users: [$carol, $bob] } } }",
    operations: ["create:team-member:$org/dev/$carol", "delete:team-member:$org/dev/$alice"],
    becomes: { teams: { dev: { members: ["$bob", "$carol"] } } }
  },
  {
    name: "an empty list removes everybody",
    given: "teams: { dev: { members: { users: [$alice, $bob] } } }",
    want: "teams: { dev: { members: { users: [] } } }",
    operations: ["delete:team-member:$org/dev/$alice", "delete:team-member:$org/dev/$bob"],
    becomes: { teams: { dev: { members: [] } } }
  },
  {
    name: "where only people are named, robots are left alone",
    given: "robots: { ci: {} }\nteams: { dev: { members: { users: [$alice], robots: [ci] } } }",
    want: "teams: { dev: { members: { users: [$bob] } } }",
    operations: ["create:team-member:$org/dev/$bob", "delete:team-member:$org/dev/$alice"],
    becomes: { teams: { dev: { members: ["$bob", "$org+ci"] } } }
  },
  {
    name: "where only robots are named, people are left alone",
    given: "robots: { ci: {}, cd: {} }\nteams: { dev: { members: { users: [$alice], robots: [ci] } } }",
    want: "teams: { dev: { members: { robots: [cd] } } }",
    operations: ["create:team-member:$org/dev/$org+cd", "delete:team-member:$org/dev/$org+ci"],
    becomes: { teams: { dev: { members: ["$alice", "$org+cd"] } } }
  },
  {
    name: "where no members are named, all of them stay",
    given: "teams: { dev: { members: { users: [$alice] } } }",
    want: "teams: { dev: { role: member } }",
    operations: [],
    becomes: { teams: { dev: { members: ["$alice"] } } }
  },
  {
    name: "who was added or removed behind our back is removed or added",
    given: "teams: { dev: { members: { users: [$alice] } } }",
    drift: async (trial) => {
      await trial.quay.DELETE(path, member(trial.org, "dev", trial.real("$alice")))
      await trial.quay.PUT(path, member(trial.org, "dev", trial.real("$carol")))
    },
    want: "teams: { dev: { members: { users: [$alice] } } }",
    operations: ["create:team-member:$org/dev/$alice", "delete:team-member:$org/dev/$carol"],
    becomes: { teams: { dev: { members: ["$alice"] } } }
  },
  {
    name: "the caller stays among the owners, where Quay put them, although no file says so",
    want: "teams: { owners: { members: { users: [$alice] } } }",
    operations: ["create:team-member:$org/owners/$alice"],
    becomes: { teams: { owners: { members: ["$alice", "$me"] } } }
  },
  {
    name: "other owners that no file names are removed",
    given: "teams: { owners: { members: { users: [$alice, $bob] } } }",
    want: "teams: { owners: { members: { users: [$bob] } } }",
    operations: ["delete:team-member:$org/owners/$alice"],
    becomes: { teams: { owners: { members: ["$bob", "$me"] } } }
  },
  {
    name: "the caller is removed from another team that does not name them",
    given: "teams: { dev: { members: { users: [$me, $alice] } } }",
    want: "teams: { dev: { members: { users: [$alice] } } }",
    operations: ["delete:team-member:$org/dev/$me"],
    becomes: { teams: { dev: { members: ["$alice"] } } }
  },
  {
    name: "a robot that is there but in no file can be a member",
    given: "robots: { ci: {} }",
    want: "teams: { dev: { members: { robots: [ci] } } }",
    operations: ["create:team:$org/dev", "create:team-member:$org/dev/$org+ci"],
    becomes: { teams: { dev: { members: ["$org+ci"] } } }
  },
  {
    name: "the members of a team that is pruned go with it",
    given: "teams: { dev: { members: { users: [$alice] } }, ops: { members: { users: [$bob] } } }",
    want: "prune: [teams]\nteams: { dev: { members: { users: [$alice] } } }",
    operations: ["delete:team:$org/ops"]
  }
])

describe("a plan of members", () => {
  tested("gives new people a place before it takes others theirs", async (trial) => {
    await trial.reach("teams: { dev: { members: { users: [$alice] } } }")
    const plan = await trial.plan("teams: { dev: { members: { users: [$bob] } } }")
    expect(operationOf(trial, plan, "delete:team-member:$org/dev/$alice")?.needs).toEqual([
      trial.real("create:team-member:$org/dev/$bob")
    ])
  })

  simulated(
    "reads everybody with two requests beside the organization's and the registry's, however many teams",
    async (trial) => {
      await trial.reach(`
      robots: { ci: {} }
      teams: { t1: { members: { users: [$alice], robots: [ci] } }, t2: { members: { users: [$bob] } }, t3: {} }
    `)
      trial.simulator.requests.reset()
      await trial.plan("teams: { t1: { members: { users: [], robots: [] } }, t2: { members: { users: [] } } }")
      expect(trial.simulator.requests.all()).toEqual({
        "GET /config": 1,
        "GET /api/v1/user/": 1,
        "GET /api/v1/organization/{orgname}": 1,
        "GET /api/v1/organization/{orgname}/members": 1,
        "GET /api/v1/organization/{orgname}/robots": 1
      })
    }
  )

  tested("refuses a robot that is neither declared nor there", async (trial) => {
    await trial.reach("teams: { dev: {} }")
    const error = await rejection(trial.plan("teams: { dev: { members: { robots: [ghost] } } }"))
    expect(error).toMatchObject({ _tag: "PlanRefused" })
    expect(String(error)).toMatch(/robot .*ghost, which is neither declared nor there/)
  })

  tested("reports a user whom the registry does not know as a failure of that operation alone", async (trial) => {
    const plan = await trial.plan("teams: { dev: { members: { users: [$nobodyknows, $alice] } } }")
    const report = await trial.apply(plan)
    const outcomes = report.results.map(({ id, outcome, tag }) => [id.split("/").at(-1), outcome, tag])
    expect(outcomes).toContainEqual([trial.real("$alice"), "applied", undefined])
    expect(outcomes).toContainEqual([trial.real("$nobodyknows"), "failed", expect.stringMatching(/Missing|Invalid/)])
  })

  tested("takes nothing away when what it gives fails", async (trial) => {
    await trial.reach("teams: { dev: { members: { users: [$alice] } } }")
    const report = await trial.apply(await trial.plan("teams: { dev: { members: { users: [$nobodyknows] } } }"))
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["failed", "skipped"])
    expect((await trial.state()).teams["dev"]?.members).toEqual(["$alice"])
  })

  for (const [what, file, words] of [
    ["somebody named twice", "teams: { dev: { members: { users: [$bob, $bob] } } }", /twice|unique|already/i],
    ["a robot written as Quay does", 'teams: { dev: { members: { robots: ["$org+ci"] } } }', /`ci`, not|lower-case/],
    ["members as a list", "teams: { dev: { members: [$bob] } }", /members/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})

describe("where people are invited by mail", () => {
  const mailing = {
    mailing: true,
    users: ["alice", "bob", "carol"].map((name) => ({ name, email: `${name}@example.com` }))
  }
  const file = (users: string) => `email: $a@example.com\nteams: { dev: { members: { users: ${users} } }, ops: {} }`
  const mailed = ({ registry }: Trial) => registry.simulator?.mail.sent().map(({ to }) => to)
  const joins = (trial: Trial, name: string) => {
    const other = trial.as(trial.registry.simulator?.addToken({ user: name }) ?? "")
    const code = trial.registry.simulator?.mail
      .sent()
      .findLast(({ code, to }) => code !== undefined && to.startsWith(name))
    return other.quay.PUT("/api/v1/teaminvite/{code}", { params: { path: { code: code?.code ?? "" } } })
  }
  const notices = (plan: Plan) =>
    plan.notices.map(({ key, kind, message }) => [`${kind}:${key.split("/").at(-1)}`, message])

  otherwise(
    "somebody is invited once, is shown as pending until they accept, and is a member then",
    mailing,
    async (trial) => {
      const plan = await trial.reach(file("[alice]"))
      expect(trial.ids(plan)).toContain("create:team-member:$org/dev/alice")
      expect(mailed(trial)).toEqual(["alice@example.com"])
      const pending = await trial.plan(file("[alice]"))
      expect([trial.ids(pending), notices(pending)]).toEqual([
        [],
        [["team-member:alice", "Invited, and not in the team before the invitation is accepted."]]
      ])
      await trial.apply(pending)
      expect(mailed(trial)).toHaveLength(1)
      await joins(trial, "alice")
      const joined = await trial.plan(file("[alice]"))
      expect([trial.ids(joined), notices(joined)]).toEqual([[], []])
    }
  )

  otherwise("invitations that are there several times are told, and all taken back", mailing, async (trial) => {
    await trial.reach(file("[]"))
    for (let i = 0; i < 3; i++) await trial.quay.PUT(path, member(trial.org, "dev", "bob"))
    const same = await trial.plan(file("[bob]"))
    expect([trial.ids(same), notices(same)[0]?.[1]]).toEqual([[], expect.stringContaining("3 invitations are open")])
    const plan = await trial.reach(file("[]"))
    expect(trial.ids(plan)).toEqual(["delete:team-member:$org/dev/bob"])
    expect(notices(await trial.plan(file("[bob]")))).toEqual([])
  })

  otherwise("who is in a team already is added to another at once", mailing, async (trial) => {
    await trial.reach(file("[bob]"))
    await joins(trial, "bob")
    await trial.reach("teams: { dev: { members: { users: [bob] } }, ops: { members: { users: [bob] } } }")
    expect((await trial.state()).teams["ops"]?.members).toEqual(["bob"])
    expect(mailed(trial)).toHaveLength(1)
  })

  otherwise("somebody invited by an address is not in the file, and taken back", mailing, async (trial) => {
    await trial.reach(file("[]"))
    for (let i = 0; i < 2; i++)
      await trial.quay.PUT("/api/v1/organization/{orgname}/team/{teamname}/invite/{email}", {
        params: { path: { orgname: trial.org, teamname: "dev", email: "x+y@example.com" } }
      })
    const plan = await trial.reach(file("[]"))
    expect(trial.ids(plan)).toEqual(["delete:team-member:$org/dev/x+y@example.com"])
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "drop", appliedAfter: 800 }
  ] as const)
    otherwise(
      `an invitation whose answer is lost is not sent again: ${JSON.stringify(effect)}`,
      mailing,
      async (trial) => {
        await trial.reach(file("[]"))
        const plan = await trial.plan(file("[bob]"))
        trial.registry.simulator?.faults.add({ on: `PUT ${path}`, times: 1, effect })
        const report = await trial.apply(plan)
        expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
        expect(mailed(trial)).toHaveLength(1)
      }
    )

  otherwise(
    "an invitation that could not be mailed is there all the same, and not made again",
    mailing,
    async (trial) => {
      await trial.reach(file("[]"))
      trial.registry.simulator?.mail.setDown(true)
      await trial.apply(await trial.plan(file("[bob]")))
      const plan = await trial.plan(file("[bob]"))
      expect([trial.ids(plan), notices(plan).map(([address]) => address)]).toEqual([[], ["team-member:bob"]])
      expect(notices(plan)[0]?.[1]).not.toContain("are open")
    }
  )

  otherwise("asks one request for each team whose people are managed", mailing, async (trial) => {
    await trial.reach("email: $a@example.com\nteams: { dev: {}, ops: {}, qa: {} }\nrobots: { ci: {} }")
    trial.registry.simulator?.requests.reset()
    await trial.plan(
      "teams: { dev: { members: { users: [alice] } }, ops: { members: { users: [] } }, qa: { members: { robots: [] } } }"
    )
    expect(trial.registry.simulator?.requests.all()).toEqual({
      "GET /config": 1,
      "GET /api/v1/user/": 1,
      "GET /api/v1/organization/{orgname}": 1,
      "GET /api/v1/organization/{orgname}/team/{teamname}/members": 2,
      "GET /api/v1/organization/{orgname}/robots": 1
    })
  })
})

describe("who is in a team, as a file", () => {
  const inDev = (name: string) => ({ organization: "acme", team: "dev", name })

  tested("has people and robot accounts, and those who are invited", async () => {
    const items = [inDev("alice"), inDev("bob"), inDev("acme+ci")]
    const node = teamMember.section.write?.(items)
    expect(node).toEqual({ users: ["alice", "bob"], robots: ["ci"] })
    expect(teamMember.section.read(node, "acme/dev").map(({ item }) => item)).toEqual(items)
    expect(teamMember.section.write?.([{ ...inDev("bob"), pending: true, invitations: 2 }])).toEqual({ users: ["bob"] })
    expect(teamMember.section.write?.([{ ...inDev("x@example.com"), pending: true, invitations: 1 }])).toEqual({})
  })
})

describe("an older release", () => {
  otherwise(
    "tells of robot accounts team by team to those outside the organization",
    { version: "3.12" },
    async (trial) => {
      const file =
        "robots: { ci: {} }\nteams: { owners: { members: { users: [carol] } }, dev: { members: { robots: [ci] } } }"
      trial.registry.simulator?.addToken({ user: "carol" })
      await trial.reach(file)
      await trial.reach("teams: { dev: { members: { robots: [] } } }")
      expect((await trial.state()).teams["dev"]?.members).toEqual([])
    }
  )
})
