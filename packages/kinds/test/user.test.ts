// User accounts over HTTP, as superusers administer them.
import { PlanRefused } from "@quaymaster/engine"
import { describe, expect } from "vitest"
import { type UserAccount, user } from "../src/user.ts"
import { operationOf, rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const file = (users: { readonly [name: string]: object | null }) => ({ users })

const becomes =
  (name: string, email: string, enabled: boolean) =>
  async ({ quay, real }: Trial) =>
    expect(
      await quay.GET("/api/v1/superuser/users/{username}", { params: { path: { username: real(name) } } })
    ).toMatchObject({ email: real(email), enabled })

const put = ({ quay, real }: Trial, name: string, body: { email?: string; enabled?: boolean }) =>
  quay.PUT("/api/v1/superuser/users/{username}", { params: { path: { username: real(name) } }, body })

rows("users", [
  {
    name: "are made, and disabled where the file says so",
    want: file({ $ann: { email: "$ann@example.com" }, $ben: { email: "$ben@example.com", enabled: false } }),
    operations: ["create:user:$ann", "create:user:$ben"],
    also: async (trial) => {
      await becomes("$ann", "$ann@example.com", true)(trial)
      await becomes("$ben", "$ben@example.com", false)(trial)
    }
  },
  {
    name: "change their address",
    given: file({ $cleo: { email: "$cleo@example.com" } }),
    want: file({ $cleo: { email: "$cleo2@example.com" } }),
    operations: ["update:user:$cleo"],
    also: becomes("$cleo", "$cleo2@example.com", true)
  },
  {
    name: "are disabled, and keep their address",
    given: file({ $dan: { email: "$dan@example.com" } }),
    want: file({ $dan: { enabled: false } }),
    operations: ["update:user:$dan"],
    also: becomes("$dan", "$dan@example.com", false)
  },
  {
    name: "are enabled",
    given: file({ $eve: { email: "$eve@example.com", enabled: false } }),
    want: file({ $eve: { enabled: true } }),
    operations: ["update:user:$eve"],
    also: becomes("$eve", "$eve@example.com", true)
  },
  {
    name: "that were changed behind our back are put right",
    given: file({ $fay: { email: "$fay@example.com", enabled: true } }),
    drift: async (trial) => {
      await put(trial, "$fay", { enabled: false, email: trial.real("$fay2@example.com") })
    },
    want: file({ $fay: { email: "$fay@example.com", enabled: true } }),
    operations: ["update:user:$fay"],
    also: becomes("$fay", "$fay@example.com", true)
  },
  {
    name: "that are not in the file are kept",
    given: file({ $gus: { email: "$gus@example.com" } }),
    want: file({}),
    operations: [],
    also: becomes("$gus", "$gus@example.com", true)
  }
])

describe("a plan of users", () => {
  tested("says that a new user's password has to be reset, and holds none", async (trial) => {
    const plan = await trial.plan(file({ $hal: { email: "$hal@example.com" } }))
    expect(plan.notices.map(({ message }) => message)).toEqual([
      expect.stringMatching(/password for .*hal that nobody is shown/)
    ])
    const report = await trial.apply(plan)
    expect(JSON.stringify([plan.operations, report])).not.toMatch(/password/)
    expect((await trial.plan(file({ $hal: {} }))).notices).toEqual([])
  })

  simulated(
    "deletes users that are not in the file only where it prunes them, and never a superuser",
    async (trial) => {
      await trial.reach(file({ $ida: { email: "$ida@example.com" }, $jo: { email: "$jo@example.com" } }))
      const kept = await trial.plan(file({ $ida: null }))
      expect(kept.extras.map(({ key }) => key)).toContain(trial.real("$jo"))
      expect(kept.extras.map(({ key }) => key)).not.toContain(trial.registry.caller)
      const plan = await trial.plan({ ...file({ $ida: null }), prune: ["users"] })
      expect(operationOf(trial, plan, "delete:user:$jo")).toMatchObject({ destroys: "data" })
      expect(trial.ids(plan)).not.toContain("delete:user:$me")
      const only = { ...plan, operations: plan.operations.filter(({ key }) => key === trial.real("$jo")) }
      expect((await trial.apply(only)).results.map(({ outcome }) => outcome)).toEqual(["applied"])
      expect((await trial.plan(file({ $jo: null }))).operations.map(({ action }) => action)).toEqual(["create"])
    }
  )

  tested("refuses to change a superuser, and takes one as it is", async (trial) => {
    expect(trial.ids(await trial.plan(file({ $me: null })))).toEqual([])
    const error = await rejection(trial.plan(file({ $me: { enabled: false } })))
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error)).toMatch(/is a superuser, and Quay changes no superuser/)
  })

  tested("refuses an address that another user has, or shall have", async (trial) => {
    await trial.reach(file({ $pam: { email: "$pam@example.com" } }))
    const error = await rejection(
      trial.plan(
        file({
          $pam: {},
          $quin: { email: "$pam@example.com" },
          $ray: { email: "$r@example.com" },
          $sue: { email: "$r@example.com" }
        })
      )
    )
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error).split("\n")).toEqual([
      expect.stringMatching(/quin: .*pam has the address .*pam@example.com, and Quay gives it to one user only/),
      expect.stringMatching(/ray: .*sue has the address/),
      expect.stringMatching(/sue: .*ray has the address/)
    ])
  })

  tested("makes a user before all that names them", async (trial) => {
    const plan = await trial.reach(
      file({ $lea: { email: "$lea@example.com" } }),
      `
      teams: { dev: { role: member, members: { users: [$lea] } } }
      default_permissions: [{ role: read, user: $lea }, { role: write, team: dev, created_by: $lea }]
      repositories:
        app:
          permissions: { users: { $lea: write } }
          notifications: [{ event: repo_push, method: quay_notification, config: { target: { kind: user, name: $lea } } }]
      `
    )
    const waiting = plan.operations.filter(({ needs }) => needs.includes(trial.real("create:user:$lea")))
    expect(waiting.map(({ kind }) => kind).sort()).toEqual([
      "default-permission",
      "default-permission",
      "repository-notification",
      "repository-permission",
      "team-member"
    ])
  })

  tested("refuses whom nobody knows, where the users are read", async (trial) => {
    const error = await rejection(
      trial.plan(file({ $mo: {} }), "teams: { dev: { role: member, members: { users: [$mo, $me, $nobody] } } }")
    )
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error).split("\n")).toEqual([
      expect.stringMatching(/2.yaml:2:.*team-member .*nobody needs user .*nobody, which is neither declared nor there/)
    ])
  })

  simulated("leaves who is not read to the registry, which says so when it is asked", async (trial) => {
    const plan = await trial.plan("teams: { dev: { role: member, members: { users: [$nobody] } } }")
    const { results } = await trial.apply(plan)
    expect(results.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      { id: trial.real("create:team-member:$org/dev/$nobody"), error: expect.stringMatching(/Unknown user/) }
    ])
  })

  simulated("takes a user's places along with the user, and loses none that is declared", async (trial) => {
    const teams = (users: string) => `teams: { dev: { role: member, members: { users: [${users}] } } }`
    await trial.reach(file({ $ned: {}, $ona: {} }), teams("$ned, $ona"))
    const pruned = { ...file({ $ona: {} }), prune: ["users"] }
    const plan = await trial.plan(pruned, teams("$ona"))
    expect(operationOf(trial, plan, "delete:user:$ned")).toMatchObject({
      cascades: [trial.real("team-member:$org/dev/$ned")]
    })
    const error = await rejection(trial.plan(pruned, teams("$ned, $ona")))
    expect(String(error)).toMatch(/team-member .*ned would be lost with user:.*ned, which this plan deletes/)
  })

  simulated("goes on where a creation broke off before the account was disabled", async (trial) => {
    const want = file({ $kim: { email: "$kim@example.com", enabled: false } })
    const plan = await trial.plan(want)
    const made = { username: trial.real("$kim"), email: trial.real("$kim@example.com") }
    await trial.quay.POST("/api/v1/superuser/users/", { body: made })
    expect((await trial.apply(plan)).results.map(({ outcome }) => outcome)).toEqual(["applied"])
    await becomes("$kim", "$kim@example.com", false)(trial)
  })

  simulated("asks one question for each hundred users", async (trial) => {
    trial.simulator.requests.reset()
    await trial.plan(file({}))
    expect(trial.simulator.requests.of("GET /api/v1/superuser/users/")).toBe(1)
    for (let i = 0; i < 100; i++) await trial.registry.user(`many${i}`)
    trial.simulator.requests.reset()
    const plan = await trial.plan(file({}))
    expect(trial.simulator.requests.of("GET /api/v1/superuser/users/")).toBe(2)
    expect(plan.scope.map(({ existing }) => existing >= 101)).toEqual([true])
  })

  otherwise("shows no address where Quay shows an id", {}, async (trial) => {
    await trial.reach(file({ lee: null }))
    expect(trial.ids(await trial.plan(file({ lee: null })))).toEqual([])
    expect(trial.ids(await trial.reach(file({ lee: { email: "lee@example.com" } })))).toEqual(["update:user:lee"])
  })

  otherwise("is refused where nobody is a superuser", { features: { SUPER_USERS: false } }, async (trial) => {
    const error = await rejection(trial.plan(file({})))
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error)).toMatch(/users of the registry: .*FEATURE_SUPER_USERS/)
  })

  otherwise("works on the oldest release", { version: "3.7" }, async (trial) => {
    await trial.reach(file({ lee: { email: "lee@example.com", enabled: false } }))
  })

  for (const [what, users, words] of [
    ["a name that is none", { Alice: {} }, /lower-case/],
    ["an address that is none", { alice: { email: "x" } }, /e-mail address/],
    ["a password", { alice: { password: "secret" } }, /unknown key "password"/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan({ users })))).toMatch(words)
    })

  tested("is exported as it is read, without what is so by itself", async () => {
    const items: ReadonlyArray<UserAccount> = [
      { name: "alice", email: "alice@example.com", enabled: true },
      { name: "bob", email: "", enabled: false },
      { name: "root", email: "root@example.com", enabled: true, superuser: true }
    ]
    expect(written(user.section, items, "")).toEqual({
      node: {
        users: {
          alice: { email: "alice@example.com" },
          bob: { enabled: false },
          root: { email: "root@example.com" }
        }
      },
      items: [
        { name: "alice", email: "alice@example.com" },
        { name: "bob", enabled: false },
        { name: "root", email: "root@example.com" }
      ]
    })
  })
})
