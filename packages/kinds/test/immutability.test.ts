// Immutability policies of organizations and repositories over HTTP: one for each pattern.
import { PlanRefused } from "@quaymaster/engine"
import type { ImmutabilityPolicyView } from "@quaymaster/sdk"
import { describe, expect } from "vitest"
import { organizationImmutability } from "../src/organization-immutability.ts"
import { repositoryImmutability } from "../src/repository-immutability.ts"
import { rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const told = ({ policies }: { readonly policies: ReadonlyArray<ImmutabilityPolicyView> }): ReadonlyArray<string> =>
  policies.map(({ tagPattern, tagPatternMatches }) => `${tagPatternMatches ? "" : "not "}${tagPattern}`).sort()

const organizationPath = ({ org }: Trial) => ({ params: { path: { orgname: org } } })
const repositoryPath = ({ org }: Trial, name: string) => ({ params: { path: { repository: `${org}/${name}` } } })

const becomes =
  (...policies: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect(
      told(await trial.quay.GET("/api/v1/organization/{orgname}/immutabilitypolicy/", organizationPath(trial)))
    ).toEqual([...policies].sort())

const becomesOn =
  (name: string, ...policies: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect(
      told(await trial.quay.GET("/api/v1/repository/{repository}/immutabilitypolicy/", repositoryPath(trial, name)))
    ).toEqual([...policies].sort())

const I = "organization-immutability:$org"
const R = "repository-immutability:$org/app"

rows("immutability policies of an organization", [
  {
    name: "are made",
    want: `immutability: [{ tag_pattern: "v.*" }, { tag_pattern: "(dev|pr/.*)", tag_pattern_matches: false }]`,
    operations: [`create:${I}/(dev|pr/.*)`, `create:${I}/v.*`],
    also: becomes("v.*", "not (dev|pr/.*)")
  },
  {
    name: "change in place between what matches and what does not",
    given: `immutability: [{ tag_pattern: "v.*" }, { tag_pattern: "w.*", tag_pattern_matches: false }]`,
    want: `immutability: [{ tag_pattern: "v.*", tag_pattern_matches: false }, { tag_pattern: "w.*" }]`,
    operations: [`update:${I}/v.*`, `update:${I}/w.*`],
    also: becomes("not v.*", "w.*")
  },
  {
    name: "with another pattern are others",
    given: `immutability: [{ tag_pattern: "v.*" }]`,
    want: `immutability: [{ tag_pattern: "v[0-9]+" }]`,
    operations: [`create:${I}/v[0-9]+`, `delete:${I}/v.*`],
    also: becomes("v[0-9]+")
  },
  {
    name: "are removed by an empty list",
    given: `immutability: [{ tag_pattern: "v.*" }]`,
    want: "immutability: []",
    operations: [`delete:${I}/v.*`],
    also: becomes()
  },
  {
    name: "stay where the file has no such section",
    given: `immutability: [{ tag_pattern: "v.*" }]`,
    want: "teams: {}",
    operations: [],
    also: becomes("v.*")
  },
  {
    name: "that were changed or made behind our back are put right or removed",
    given: `immutability: [{ tag_pattern: "v.*" }]`,
    drift: async (trial) => {
      const all = await trial.quay.GET("/api/v1/organization/{orgname}/immutabilitypolicy/", organizationPath(trial))
      for (const { tagPattern, uuid } of all.policies)
        await trial.quay.PUT("/api/v1/organization/{orgname}/immutabilitypolicy/{policy_uuid}", {
          params: { path: { orgname: trial.org, policy_uuid: uuid } },
          body: { tagPattern, tagPatternMatches: false }
        })
      await trial.quay.POST("/api/v1/organization/{orgname}/immutabilitypolicy/", {
        ...organizationPath(trial),
        body: { tagPattern: "other" }
      })
    },
    want: `immutability: [{ tag_pattern: "v.*" }]`,
    operations: [`delete:${I}/other`, `update:${I}/v.*`],
    also: becomes("v.*")
  }
])

rows("immutability policies of a repository", [
  {
    name: "are made with it",
    want: `
      immutability: [{ tag_pattern: "v.*" }]
      repositories: { app: { immutability: [{ tag_pattern: "v.*", tag_pattern_matches: false }, { tag_pattern: r }] } }
    `,
    operations: [`create:${I}/v.*`, "create:repository:$org/app", `create:${R}/r`, `create:${R}/v.*`],
    also: async (trial) => {
      await becomes("v.*")(trial)
      await becomesOn("app", "not v.*", "r")(trial)
    }
  },
  {
    name: "change, come and go",
    given: `
      repositories:
        app: { immutability: [{ tag_pattern: a }, { tag_pattern: b }] }
        web: { immutability: [{ tag_pattern: a }] }
    `,
    want: `
      repositories:
        app: { immutability: [{ tag_pattern: a, tag_pattern_matches: false }, { tag_pattern: c }] }
        web: {}
    `,
    operations: [`create:${R}/c`, `delete:${R}/b`, `update:${R}/a`],
    also: async (trial) => {
      await becomesOn("app", "not a", "c")(trial)
      await becomesOn("web", "a")(trial)
    }
  },
  {
    name: "go along with it",
    given: "repositories: { app: { immutability: [{ tag_pattern: a }] } }",
    want: "prune: [repositories]\nrepositories: {}",
    operations: ["delete:repository:$org/app"]
  }
])

describe("a plan of immutability policies", () => {
  const notices = async (trial: Trial, file: string) =>
    (await trial.plan(file)).notices.map(({ key, message }) => `${key.replace(trial.org, "$org")}: ${message}`)

  tested("says what cannot be undone, once", async (trial) => {
    const one = `immutability: [{ tag_pattern: "v.*" }]`
    expect(await notices(trial, one)).toEqual([
      expect.stringMatching(/^\$org\/v\.\*: Tags whose whole name matches v\.\* become immutable at once/)
    ])
    await trial.reach(one)
    expect(await notices(trial, one)).toEqual([])
    expect(await notices(trial, `immutability: [{ tag_pattern: "v.*", tag_pattern_matches: false }]`)).toEqual([
      expect.stringMatching(/whole name does not match v\.\*/)
    ])
    expect(await notices(trial, "immutability: []")).toEqual(["$org/v.*: The tags that it made immutable stay so."])
  })

  simulated("asks one question for an organization and one for each repository that is there", async (trial) => {
    const policies = "{ immutability: [{ tag_pattern: a }] }"
    await trial.reach(`repositories: { a: ${policies}, b: ${policies}, c: {} }`)
    trial.simulator.requests.reset()
    await trial.plan(`immutability: []\nrepositories: { a: ${policies}, b: ${policies}, c: {}, d: ${policies} }`)
    expect(trial.simulator.requests.of("GET /api/v1/organization/{orgname}/immutabilitypolicy/")).toBe(1)
    expect(trial.simulator.requests.of("GET /api/v1/repository/{repository}/immutabilitypolicy/")).toBe(2)
  })

  for (const [what, file, words] of [
    ["a pattern that is nothing", `immutability: [{ tag_pattern: "" }]`, /tag_pattern/],
    ["a pattern that is too long", `immutability: [{ tag_pattern: "${"a".repeat(257)}" }]`, /256/],
    ["a pattern twice", "immutability: [{ tag_pattern: a }, { tag_pattern: a, tag_pattern_matches: false }]", /twice/],
    ["no pattern", "immutability: [{ tag_pattern_matches: true }]", /tag_pattern/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(words)
    })
})

describe("a registry without immutable tags", () => {
  for (const file of ["immutability: [{ tag_pattern: a }]", "repositories: { app: { immutability: [] } }"]) {
    otherwise(`that switched them off refuses ${file}`, { features: { IMMUTABLE_TAGS: false } }, async (trial) => {
      const error = await rejection(trial.plan(file))
      expect(error).toBeInstanceOf(PlanRefused)
      expect(String(error)).toMatch(/immutability of .*FEATURE_IMMUTABLE_TAGS/)
    })
    otherwise(`of before 3.17 refuses ${file}`, { version: "3.16" }, async (trial) => {
      expect(String(await rejection(trial.plan(file)))).toMatch(/came with Quay 3\.17/)
    })
  }
})

describe("an exported section", () => {
  const node = [{ tag_pattern: "v.*" }, { tag_pattern: "dev", tag_pattern_matches: false }]
  const policies = [
    { tag_pattern: "v.*", tag_pattern_matches: true },
    { tag_pattern: "dev", tag_pattern_matches: false }
  ]

  tested("of an organization's policies is read as it was, without ids", async () => {
    const items = policies.map((it) => ({ organization: "acme", ...it }))
    const withIds = items.map((it) => ({ ...it, uuid: "1" }))
    expect(written(organizationImmutability.section, withIds, "acme")).toEqual({ node, items })
  })

  tested("of a repository's policies is read as it was, without ids", async () => {
    const items = policies.map((it) => ({ repository: "acme/app", ...it }))
    const withIds = items.map((it) => ({ ...it, uuid: "1" }))
    expect(written(repositoryImmutability.section, withIds, "acme/app")).toEqual({ node, items })
  })
})
