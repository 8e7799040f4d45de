// Quotas over HTTP: the size and the thresholds, each with an id of Quay's own, and who may set them.
import { describe, expect, test } from "vitest"
import { quota as kind } from "../src/quota.ts"
import { formatSize, parseSize } from "../src/size.ts"
import { rejection, type Trial, trials } from "./harness.ts"

const { otherwise, rows, simulated, test: tested } = trials(["bob"])

const GiB = 1024 ** 3

/** The quota as Quay tells it, without ids. */
const there = async ({ org, quay }: Trial) => {
  const quotas = await quay.GET("/api/v1/organization/{orgname}/quota", { params: { path: { orgname: org } } })
  return quotas
    .filter(({ id }) => id !== null)
    .map(({ limit_bytes, limits }) => ({
      limit_bytes,
      limits: limits.map(({ limit_percent, type }) => `${type} ${limit_percent}`).sort()
    }))
}

/** What a row ends with. */
const is =
  (limit_bytes: number, ...limits: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect(await there(trial)).toEqual([{ limit_bytes, limits: [...limits].sort() }])

const none = async (trial: Trial) => expect(await there(trial)).toEqual([])

const idOf = async ({ org, quay }: Trial): Promise<string> => {
  const [first] = await quay.GET("/api/v1/organization/{orgname}/quota", { params: { path: { orgname: org } } })
  return String(first?.id)
}

const FULL = "quota: { limit: 50GiB, warning: 80, reject: 100 }"

rows("quotas", [
  {
    name: "one is made, with its thresholds",
    want: FULL,
    operations: ["create:quota:$org"],
    also: is(50 * GiB, "Warning 80", "Reject 100")
  },
  {
    name: "one is made without thresholds",
    want: "quota: { limit: 1000 }",
    operations: ["create:quota:$org"],
    also: is(1000)
  },
  {
    name: "one is made with its organization",
    want: `organization: $later\n${FULL}`,
    operations: ["create:organization:$later", "create:quota:$later"]
  },
  {
    name: "what is written otherwise is the same",
    given: FULL,
    want: "quota: { limit: 53687091200, warning: [80], reject: [100] }",
    operations: []
  },
  {
    name: "several thresholds, in any order",
    given: "quota: { limit: 1GB, warning: [70, 90], reject: 100 }",
    want: "quota: { limit: 1000MB, warning: [90, 70], reject: 100 }",
    operations: []
  },
  {
    name: "the size changes and the thresholds stay",
    given: FULL,
    want: "quota: { limit: 60GiB }",
    operations: ["update:quota:$org"],
    also: is(60 * GiB, "Warning 80", "Reject 100")
  },
  {
    name: "a threshold moves",
    given: FULL,
    want: "quota: { limit: 50GiB, warning: 70 }",
    operations: ["update:quota:$org"],
    also: is(50 * GiB, "Warning 70", "Reject 100")
  },
  {
    name: "thresholds are moved, added and taken away at once",
    given: "quota: { limit: 50GiB, warning: [60, 80], reject: [90, 100] }",
    want: "quota: { limit: 40GiB, warning: [80, 85, 95, 99], reject: [95] }",
    operations: ["update:quota:$org"],
    also: is(40 * GiB, "Warning 80", "Warning 85", "Warning 95", "Warning 99", "Reject 95")
  },
  {
    name: "all thresholds can be taken away",
    given: FULL,
    want: "quota: { limit: 50GiB, warning: [], reject: [] }",
    operations: ["update:quota:$org"],
    also: is(50 * GiB)
  },
  {
    name: "an empty section says that there is none",
    given: FULL,
    want: "quota: {}",
    operations: ["delete:quota:$org"],
    also: none
  },
  {
    name: "none is wanted and none is there",
    want: "quota: {}",
    operations: []
  },
  {
    name: "without the section it stays",
    given: FULL,
    want: "prune: []",
    operations: [],
    also: is(50 * GiB, "Warning 80", "Reject 100")
  },
  {
    name: "what was changed behind our back is put right",
    given: FULL,
    drift: async (trial) => {
      const params = { path: { orgname: trial.org, quota_id: await idOf(trial) } }
      const quota = await trial.quay.PUT("/api/v1/organization/{orgname}/quota/{quota_id}", {
        params,
        body: { limit_bytes: 7 }
      })
      for (const { id, type } of quota.limits)
        if (type === "Reject")
          await trial.quay.DELETE("/api/v1/organization/{orgname}/quota/{quota_id}/limit/{limit_id}", {
            params: { path: { ...params.path, limit_id: String(id) } }
          })
        else
          await trial.quay.PUT("/api/v1/organization/{orgname}/quota/{quota_id}/limit/{limit_id}", {
            params: { path: { ...params.path, limit_id: String(id) } },
            body: { type, threshold_percent: 5 }
          })
    },
    want: FULL,
    operations: ["update:quota:$org"],
    also: is(50 * GiB, "Warning 80", "Reject 100")
  },
  {
    name: "one that was made anew behind our back, with other ids, is the same",
    given: FULL,
    drift: async (trial) => {
      await trial.reach("quota: {}")
      await trial.reach(FULL)
    },
    want: FULL,
    operations: []
  }
])

describe("a plan of quotas", () => {
  simulated("costs no request of its own", async (trial) => {
    await trial.reach(FULL)
    trial.simulator.requests.reset()
    await trial.plan(FULL)
    expect(Object.keys(trial.simulator.requests.all()).sort()).toEqual([
      "GET /api/v1/discovery",
      "GET /api/v1/organization/{orgname}",
      "GET /api/v1/user/",
      "GET /config"
    ])
  })

  tested("says when nothing would come of exceeding it", async (trial) => {
    const notices = async (file: string) => (await trial.plan(file)).notices.map(({ message }) => message)
    await trial.reach("prune: []")
    expect(await notices("quota: { limit: 1GiB }")).toEqual([expect.stringMatching(/nothing happens/)])
    expect(await notices("quota: { limit: 1GiB, warning: 80 }")).toEqual([])
    await trial.reach(FULL)
    expect(await notices("quota: { limit: 1GiB }")).toEqual([])
    expect(await notices("quota: { limit: 1GiB, warning: [], reject: [] }")).toHaveLength(1)
  })

  simulated("goes on where its creation broke off", async (trial) => {
    await trial.reach("prune: []")
    const plan = await trial.plan("quota: { limit: 1GiB, warning: [70, 80], reject: 100 }")
    const on = "POST /api/v1/organization/{orgname}/quota/{quota_id}/limit"
    trial.simulator.faults.add({ on, skip: 1, effect: { kind: "server-error", applied: false } })
    await trial.apply(plan)
    trial.simulator.faults.clear()
    const report = await trial.apply(plan)
    expect(report.results.map(({ outcome }) => outcome)).toContain("applied")
    expect(await there(trial)).toEqual([{ limit_bytes: GiB, limits: ["Reject 100", "Warning 70", "Warning 80"] }])
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "drop" },
    { kind: "bad-gateway", applied: true }
  ] as const)
    simulated(`is made whole when an answer is lost: ${JSON.stringify(effect)}`, async (trial) => {
      await trial.reach("prune: []")
      const plan = await trial.plan(FULL)
      trial.simulator.faults.add({ on: "POST /api/v1/organization/{orgname}/quota", times: 1, effect })
      const report = await trial.apply(plan)
      trial.simulator.faults.clear()
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
      await trial.reach(FULL)
      await is(50 * GiB, "Warning 80", "Reject 100")(trial)
    })

  simulated("by an administrator who is no superuser is read, and says who may apply it", async (trial) => {
    await trial.reach(`teams: { owners: { role: admin, members: { users: [$me, $bob] } } }\n${FULL}`)
    const bob = trial.as(trial.simulator.addToken({ user: trial.real("$bob") }))
    expect(bob.ids(await bob.plan(FULL))).toEqual([])
    const report = await bob.apply(await bob.plan("quota: { limit: 60GiB, warning: 80, reject: 100 }"))
    expect(report.results).toMatchObject([{ outcome: "failed", error: expect.stringMatching(/Only a superuser/) }])
    await is(50 * GiB, "Warning 80", "Reject 100")(trial)
  })

  for (const [what, file, words] of [
    ["a size that is none", "quota: { limit: 50 gigs }", /a size such as 50GiB/],
    ["a size of zero", "quota: { limit: 0 }", /size|at least/],
    ["a size beyond what Quay keeps", "quota: { limit: 8EiB }", /less than 8EiB/],
    ["a threshold of zero", "quota: { limit: 1GiB, warning: 0 }", /percentage from 1 to 100/],
    ["a threshold above all", "quota: { limit: 1GiB, reject: [101] }", /from 1 to 100/],
    ["a threshold twice", "quota: { limit: 1GiB, reject: [90, 90] }", /twice/],
    ["thresholds of nothing", "quota: { warning: 80 }", /limit/],
    ["nothing at all", "quota: null", /quota/],
    ["an unknown key", "quota: { limit: 1GiB, warn: 80 }", /"warn"/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })

  for (const feature of ["QUOTA_MANAGEMENT", "EDIT_QUOTA"])
    otherwise(`is refused where ${feature} is off`, { features: { [feature]: false } }, async (trial) => {
      await trial.reach("prune: []")
      expect(String(await rejection(trial.plan(FULL)))).toMatch(`FEATURE_${feature}`)
    })

  for (const version of ["3.7.14", "3.10.25", "3.12.21", "3.15.7"])
    otherwise(`is the same on ${version}`, { version }, async (trial) => {
      await trial.reach(FULL)
      await trial.reach("quota: { limit: 60GiB, warning: [50, 60], reject: [] }")
      await is(60 * GiB, "Warning 50", "Warning 60")(trial)
      await trial.reach("quota: {}")
      await none(trial)
    })
})

describe("the section", () => {
  for (const node of [
    {},
    { limit: 1001 },
    { limit: "50GiB", warning: 80, reject: 100 },
    { limit: "10GB", warning: [70, 80] }
  ])
    test(`is written as it was read: ${JSON.stringify(node)}`, () => {
      const items = kind.section.read(node, "acme").map(({ item }) => item)
      expect(kind.section.write?.(items)).toEqual(node)
    })
})

test("sizes", () => {
  for (const [text, bytes] of [
    ["1B", 1],
    ["1KB", 1000],
    ["1KiB", 1024],
    ["50GiB", 50 * GiB],
    ["50 Gi", 50 * GiB],
    ["50G", 50e9],
    ["3TB", 3e12],
    ["2PiB", 2 * 1024 ** 5]
  ] as const)
    expect(parseSize(text), text).toBe(bytes)
  for (const [bytes, text] of [
    [1, 1],
    [999, 999],
    [1000, "1KB"],
    [1024, "1KiB"],
    [10e9, "10GB"],
    [50 * GiB, "50GiB"],
    [1025, 1025],
    [1024 ** 5, "1PiB"]
  ] as const)
    expect(formatSize(bytes)).toBe(text)
})
