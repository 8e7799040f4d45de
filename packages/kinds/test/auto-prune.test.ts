// Auto-prune policies of organizations and repositories over HTTP: what a policy does and to which tags is its identity, its
// value changes in place.
import { PlanRefused, preflight } from "@quaymaster/engine"
import type { AutoPrunePolicyView } from "@quaymaster/sdk"
import { describe, expect } from "vitest"
import type { AutoPrunePolicy } from "../src/auto-prune.ts"
import { organizationAutoPrune } from "../src/organization-auto-prune.ts"
import { repositoryAutoPrune } from "../src/repository-auto-prune.ts"
import { serverOf } from "../src/server.ts"
import { rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const told = ({ method, tagPattern, tagPatternMatches, value }: AutoPrunePolicyView): string =>
  `${method}=${value}${tagPattern ? ` ${tagPatternMatches === false ? "not " : ""}${tagPattern}` : ""}`

const ofOrganization = async ({ org, quay }: Trial): Promise<ReadonlyArray<AutoPrunePolicyView>> =>
  (await quay.GET("/api/v1/organization/{orgname}/autoprunepolicy/", { params: { path: { orgname: org } } })).policies

const ofRepository = async ({ org, quay }: Trial, name = "app"): Promise<ReadonlyArray<AutoPrunePolicyView>> =>
  (
    await quay.GET("/api/v1/repository/{repository}/autoprunepolicy/", {
      params: { path: { repository: `${org}/${name}` } }
    })
  ).policies

type Body = { method: string; value: number | string; tagPattern?: string; tagPatternMatches?: boolean }

/** Makes a policy behind our back. */
const make = ({ org, quay }: Trial, body: Body) =>
  quay.POST("/api/v1/organization/{orgname}/autoprunepolicy/", { params: { path: { orgname: org } }, body })

const becomes =
  (...policies: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect((await ofOrganization(trial)).map(told).sort()).toEqual([...policies].sort())

const becomesOnApp =
  (...policies: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect((await ofRepository(trial)).map(told).sort()).toEqual([...policies].sort())

const A = "organization-auto-prune:$org"
const R = "repository-auto-prune:$org/app"

rows("auto-prune policies of an organization", [
  {
    name: "policies of both methods, with and without patterns, are made",
    want: `
      auto_prune:
        - { method: number_of_tags, value: 20 }
        - { method: creation_date, value: 7d, tag_pattern: "^pr-" }
        - { method: creation_date, value: 1y, tag_pattern: "^v", tag_pattern_matches: false }
    `,
    operations: [
      `create:${A}/number_of_tags`,
      `create:${A}/creation_date/matching:^pr-`,
      `create:${A}/creation_date/not-matching:^v`
    ],
    also: becomes("number_of_tags=20", "creation_date=7d ^pr-", "creation_date=1y not ^v")
  },
  {
    name: "a value changes in place, and the pattern stays",
    given: `auto_prune: [{ method: number_of_tags, value: 20, tag_pattern: "a/b", tag_pattern_matches: false }]`,
    want: `auto_prune: [{ method: number_of_tags, value: 5, tag_pattern: "a/b", tag_pattern_matches: false }]`,
    operations: [`update:${A}/number_of_tags/not-matching:a/b`],
    also: becomes("number_of_tags=5 not a/b")
  },
  {
    name: "another method, another pattern or the opposite of it is another policy",
    given: `
      auto_prune:
        - { method: number_of_tags, value: 5 }
        - { method: creation_date, value: 7d, tag_pattern: "^a" }
        - { method: creation_date, value: 8d, tag_pattern: "^b" }
    `,
    want: `
      auto_prune:
        - { method: creation_date, value: 5d }
        - { method: creation_date, value: 7d, tag_pattern: "^c" }
        - { method: creation_date, value: 8d, tag_pattern: "^b", tag_pattern_matches: false }
    `,
    operations: [
      `create:${A}/creation_date`,
      `create:${A}/creation_date/matching:^c`,
      `create:${A}/creation_date/not-matching:^b`,
      `delete:${A}/creation_date/matching:^a`,
      `delete:${A}/creation_date/matching:^b`,
      `delete:${A}/number_of_tags`
    ],
    also: becomes("creation_date=5d", "creation_date=7d ^c", "creation_date=8d not ^b")
  },
  {
    name: "an empty list removes them all",
    given: "auto_prune: [{ method: number_of_tags, value: 5 }, { method: creation_date, value: 7d }]",
    want: "auto_prune: []",
    operations: [`delete:${A}/creation_date`, `delete:${A}/number_of_tags`],
    also: becomes()
  },
  {
    name: "where the file has no such section they stay",
    given: "auto_prune: [{ method: number_of_tags, value: 5 }]",
    want: "teams: {}",
    operations: [],
    also: becomes("number_of_tags=5")
  },
  {
    name: "true is how a pattern is meant where nothing is said",
    given: `auto_prune: [{ method: number_of_tags, value: 5, tag_pattern: x }]`,
    want: `auto_prune: [{ method: number_of_tags, value: 5, tag_pattern: x, tag_pattern_matches: true }]`,
    operations: [],
    also: becomes("number_of_tags=5 x")
  },
  {
    name: "what was changed or made behind our back is put right or removed",
    given: "auto_prune: [{ method: number_of_tags, value: 5 }]",
    drift: async (trial) => {
      const [policy] = await ofOrganization(trial)
      await trial.quay.PUT("/api/v1/organization/{orgname}/autoprunepolicy/{policy_uuid}", {
        params: { path: { orgname: trial.org, policy_uuid: policy?.uuid ?? "" } },
        body: { method: "number_of_tags", value: 500 }
      })
      await make(trial, { method: "creation_date", value: "1d" })
    },
    want: "auto_prune: [{ method: number_of_tags, value: 5 }]",
    operations: [`delete:${A}/creation_date`, `update:${A}/number_of_tags`],
    also: becomes("number_of_tags=5")
  },
  {
    name: "several policies that differ in their value only become one, even where one of them is right",
    drift: async (trial) => {
      for (const value of [5, 6, 7]) await make(trial, { method: "number_of_tags", value })
    },
    want: "auto_prune: [{ method: number_of_tags, value: 6 }]",
    operations: [`update:${A}/number_of_tags`],
    also: becomes("number_of_tags=6")
  },
  {
    name: "several policies that differ in their value only are removed together",
    drift: async (trial) => {
      for (const value of [5, 6, 7]) await make(trial, { method: "number_of_tags", value })
    },
    want: "auto_prune: []",
    operations: [`delete:${A}/number_of_tags`],
    also: becomes()
  }
])

rows("auto-prune policies of a repository", [
  {
    name: "are made with it",
    want: `
      repositories:
        app: { auto_prune: [{ method: number_of_tags, value: 20, tag_pattern: "^pr-" }, { method: creation_date, value: 4w }] }
    `,
    operations: ["create:repository:$org/app", `create:${R}/creation_date`, `create:${R}/number_of_tags/matching:^pr-`],
    also: becomesOnApp("number_of_tags=20 ^pr-", "creation_date=4w")
  },
  {
    name: "change, come and go",
    given: `
      repositories:
        app: { auto_prune: [{ method: number_of_tags, value: 20 }, { method: creation_date, value: 4w }] }
        web: { auto_prune: [{ method: number_of_tags, value: 1 }] }
    `,
    want: `
      repositories:
        app: { auto_prune: [{ method: number_of_tags, value: 21 }, { method: number_of_tags, value: 3, tag_pattern: dev }] }
        web: {}
    `,
    operations: [`create:${R}/number_of_tags/matching:dev`, `delete:${R}/creation_date`, `update:${R}/number_of_tags`],
    also: async (trial) => {
      await becomesOnApp("number_of_tags=21", "number_of_tags=3 dev")(trial)
      expect((await ofRepository(trial, "web")).map(told)).toEqual(["number_of_tags=1"])
    }
  },
  {
    name: "go along with it",
    given: "repositories: { app: { auto_prune: [{ method: number_of_tags, value: 20 }] }, web: {} }",
    want: "prune: [repositories]\nrepositories: { web: {} }",
    operations: ["delete:repository:$org/app"]
  },
  {
    name: "are the same as those of the organization, and neither is the other",
    want: `
      auto_prune: [{ method: number_of_tags, value: 30 }]
      repositories: { app: { auto_prune: [{ method: number_of_tags, value: 20 }] } }
    `,
    operations: [`create:${A}/number_of_tags`, "create:repository:$org/app", `create:${R}/number_of_tags`],
    also: async (trial) => {
      await becomes("number_of_tags=30")(trial)
      await becomesOnApp("number_of_tags=20")(trial)
    }
  }
])

describe("a plan of auto-prune policies", () => {
  simulated("asks one question for an organization and one for each repository that is there", async (trial) => {
    const policies = "{ auto_prune: [{ method: number_of_tags, value: 1 }] }"
    await trial.reach(`auto_prune: []\nrepositories: { a: ${policies}, b: ${policies}, c: {} }`)
    trial.simulator.requests.reset()
    const file = `auto_prune: []\nrepositories: { a: ${policies}, b: ${policies}, c: {}, d: ${policies} }`
    expect(trial.ids(await trial.plan(file))).toEqual([
      "create:repository-auto-prune:$org/d/number_of_tags",
      "create:repository:$org/d"
    ])
    expect(trial.simulator.requests.of("GET /api/v1/organization/{orgname}/autoprunepolicy/")).toBe(1)
    expect(trial.simulator.requests.of("GET /api/v1/repository/{repository}/autoprunepolicy/")).toBe(2)
    expect(trial.simulator.requests.of("GET /api/v1/repository")).toBe(1)
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "server-error", applied: true }
  ] as const)
    simulated(`makes one policy when the answer is lost: ${JSON.stringify(effect)}`, async (trial) => {
      await trial.reach("teams: {}")
      const plan = await trial.plan("auto_prune: [{ method: number_of_tags, value: 5 }]")
      trial.simulator.faults.add({ on: "POST /api/v1/organization/{orgname}/autoprunepolicy/", times: 1, effect })
      const report = await trial.apply(plan)
      trial.simulator.faults.clear()
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
      await becomes("number_of_tags=5")(trial)
    })

  tested("is done twice without harm, and goes on where it broke off", async (trial) => {
    for (const value of [5, 6]) {
      if (value === 5) await trial.reach("teams: {}")
      await make(trial, { method: "number_of_tags", value })
    }
    const plan = await trial.plan("auto_prune: [{ method: number_of_tags, value: 7 }]")
    const ids = (await ofOrganization(trial)).map(({ uuid }) => uuid).sort()
    await trial.quay.DELETE("/api/v1/organization/{orgname}/autoprunepolicy/{policy_uuid}", {
      params: { path: { orgname: trial.org, policy_uuid: ids[1] ?? "" } }
    })
    expect((await trial.apply(plan)).results.map(({ outcome }) => outcome)).toEqual(["applied"])
    expect((await trial.apply(plan)).results.map(({ outcome }) => outcome)).toEqual(["already"])
    await becomes("number_of_tags=7")(trial)
  })

  for (const [what, file, words] of [
    ["no tags", "auto_prune: [{ method: number_of_tags, value: 0 }]", /how many tags are kept/],
    ["an age for a number", "auto_prune: [{ method: number_of_tags, value: 7d }]", /how many tags are kept/],
    ["a number for an age", "auto_prune: [{ method: creation_date, value: 7 }]", /an age with a unit/],
    ["an age in words", "auto_prune: [{ method: creation_date, value: 7 days }]", /an age with a unit/],
    ["no age", "auto_prune: [{ method: creation_date, value: 0d }]", /an age with a unit/],
    ["a method that is none", "auto_prune: [{ method: oldest, value: 7 }]", /number_of_tags/],
    [
      "two values for the same tags",
      "auto_prune: [{ method: number_of_tags, value: 7 }, { method: number_of_tags, value: 8 }]",
      /twice/
    ],
    [
      "a pattern that is not there",
      "auto_prune: [{ method: number_of_tags, value: 7, tag_pattern_matches: false }]",
      /auto_prune\[0\].tag_pattern_matches: .*nothing without tag_pattern/
    ],
    ["nothing", "auto_prune:", /auto_prune/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})

const OF_ORGANIZATION = "auto_prune: [{ method: number_of_tags, value: 5 }]"
const OF_REPOSITORY = "repositories: { app: { auto_prune: [{ method: number_of_tags, value: 5 }] } }"

describe("a registry without auto-prune", () => {
  for (const file of [OF_ORGANIZATION, OF_REPOSITORY, "auto_prune: []"])
    otherwise(`that switched it off refuses ${file}`, { features: { AUTO_PRUNE: false } }, async (trial) => {
      const error = await rejection(trial.plan(file))
      expect(error).toBeInstanceOf(PlanRefused)
      expect(String(error)).toMatch(/auto_prune of .*FEATURE_AUTO_PRUNE/)
    })

  otherwise("of before 3.10 refuses them", { version: "3.9" }, async (trial) => {
    expect(String(await rejection(trial.plan(OF_ORGANIZATION)))).toMatch(/came with Quay 3\.10/)
    expect(String(await rejection(trial.plan(OF_REPOSITORY)))).toMatch(/came with Quay 3\.11/)
  })

  otherwise("of 3.10 refuses them on repositories, and deletes none", { version: "3.10" }, async (trial) => {
    await trial.reach(`${OF_ORGANIZATION}\nrepositories: { app: {} }`)
    expect(String(await rejection(trial.plan(OF_REPOSITORY)))).toMatch(/auto_prune of .*\/app: it came with Quay 3\.11/)
    expect(String(await rejection(trial.plan("repositories: { app: { auto_prune: [] } }")))).toMatch(/3\.11/)
  })

  otherwise(
    "of 3.12 takes one policy without a pattern, and another one in its place",
    { version: "3.12" },
    async (trial) => {
      await trial.reach(`${OF_ORGANIZATION}\n${OF_REPOSITORY}`)
      await trial.reach("auto_prune: [{ method: number_of_tags, value: 6 }]")
      await trial.reach("auto_prune: [{ method: creation_date, value: 7d }]")
      await becomes("creation_date=7d")(trial)
      await trial.reach("auto_prune: []")
      await becomes()(trial)
    }
  )
})

describe("a registry that knows no patterns", () => {
  const path = "/api/v1/organization/{orgname}/autoprunepolicy/"
  const server = (properties: object) =>
    serverOf(undefined, {
      swagger: "2.0",
      paths: { [path]: { post: {} } },
      definitions: { AutoPrunePolicyConfig: { properties } }
    })
  const item = { organization: "acme", method: "number_of_tags", value: 5 } as const
  const kind = "organization-auto-prune"
  const problems = (properties: object, ...items: ReadonlyArray<AutoPrunePolicy & { readonly organization: string }>) =>
    preflight(
      [organizationAutoPrune],
      { declarations: items.map((it) => ({ kind, item: it })), scope: [{ kind, parent: "acme" }] },
      server(properties)
    ).map(({ message }) => message)

  tested("refuses them, and several policies, since it would drop them without a word", async () => {
    const pattern = { ...item, tag_pattern: "x", tag_pattern_matches: true }
    expect(problems({ method: {}, value: {} }, pattern)).toEqual([
      `tag_pattern of ${kind} acme/number_of_tags/matching:x: it came with Quay 3.13, and this registry does not know it.`
    ])
    expect(problems({ method: {}, value: {} }, item, { ...item, method: "creation_date", value: "7d" })).toEqual([
      "more than one of auto_prune of acme: it came with Quay 3.13, and this registry does not know it."
    ])
    expect(problems({ method: {}, value: {} }, item)).toEqual([])
    expect(problems({ method: {}, value: {}, tagPattern: {} }, item, pattern)).toEqual([])
  })
})

describe("an exported section", () => {
  const policies: ReadonlyArray<AutoPrunePolicy> = [
    { method: "number_of_tags", value: 20 },
    { method: "number_of_tags", value: 20, tag_pattern: "^pr-", tag_pattern_matches: true },
    { method: "creation_date", value: "7d", tag_pattern: "^v", tag_pattern_matches: false }
  ]
  const node = [
    { method: "number_of_tags", value: 20 },
    { method: "number_of_tags", value: 20, tag_pattern: "^pr-" },
    { method: "creation_date", value: "7d", tag_pattern: "^v", tag_pattern_matches: false }
  ]
  const ids = { uuid: "1", duplicates: ["2"] }

  tested("of an organization's policies is read as it was, without ids", async () => {
    const items = policies.map((it) => ({ organization: "acme", ...it }))
    const withIds = items.map((it) => ({ ...it, ...ids }))
    expect(written(organizationAutoPrune.section, withIds, "acme")).toEqual({ node, items })
  })

  tested("of a repository's policies is read as it was, without ids", async () => {
    const items = policies.map((it) => ({ repository: "acme/app", ...it }))
    const withIds = items.map((it) => ({ ...it, ...ids }))
    expect(written(repositoryAutoPrune.section, withIds, "acme/app")).toEqual({ node, items })
  })
})
