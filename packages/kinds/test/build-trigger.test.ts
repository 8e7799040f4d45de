// Build triggers over HTTP: switched on and off, deleted where the file prunes them, and never made. Nobody can make one over the
// API, so that tests that need some have them from the simulator's state, and do not run live.
import { describe, expect } from "vitest"
import { type BuildTrigger, buildTrigger } from "../src/build-trigger.ts"
import { rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, test: tested } = trials()

const GITHUB = { id: "1", service: "github", config: { build_source: "acme/app" } }
const AGAIN = { ...GITHUB, id: "2", config: { build_source: "acme/app", branchtag_regex: "v.*" } }
const GIT = { id: "3", service: "custom-git", config: { build_source: "git@git.example:app.git" } }
const HALF = { id: "4", service: "gitlab", is_active: false }

const having = (triggers: ReadonlyArray<object>, repository: object = {}, more: object = {}) => ({
  ...more,
  state: {
    organizations: {
      acme: {
        // Up to 3.16 a superuser who is no member is not shown an organization as its administrators are.
        teams: { owners: { role: "admin", members: ["admin"] } },
        repositories: { app: { ...repository, triggers: [...triggers] } }
      }
    }
  }
})

/** A file about the organization that the state has. */
const file = (triggers: string, more = "") =>
  `organization: acme\n${more}\nrepositories: { app: { triggers: ${triggers} } }`

const SOURCE = "{ service: github, source: acme/app }"
const OFF = "{ service: github, source: acme/app, enabled: false }"
const ON = "{ service: github, source: acme/app, enabled: true }"
const KEY = "acme/app/github:acme/app"

const all = async ({ quay }: Trial): Promise<ReadonlyArray<string>> => {
  const { triggers } = await quay.GET("/api/v1/repository/{repository}/trigger/", {
    params: { path: { repository: "acme/app" } }
  })
  return triggers.map(({ enabled, id }) => `${id} ${enabled ? "on" : "off"}`).sort()
}

interface Case {
  readonly name: string
  readonly triggers: ReadonlyArray<object>
  readonly file: string
  readonly operations: ReadonlyArray<string>
  readonly extras?: ReadonlyArray<string>
  readonly becomes: ReadonlyArray<string>
}

const cases: ReadonlyArray<Case> = [
  {
    name: "are switched off",
    triggers: [GITHUB],
    file: file(`[${OFF}]`),
    operations: [`update:build-trigger:${KEY}`],
    becomes: ["1 off"]
  },
  {
    name: "are switched on, which is how they drift",
    triggers: [{ ...GITHUB, enabled: false, disabled_reason: "user_toggled" }],
    file: file(`[${ON}]`),
    operations: [`update:build-trigger:${KEY}`],
    becomes: ["1 on"]
  },
  {
    name: "stay as they are where the file does not say whether they are on",
    triggers: [{ ...GITHUB, enabled: false, disabled_reason: "user_toggled" }],
    file: file(`[${SOURCE}]`),
    operations: [],
    becomes: ["1 off"]
  },
  {
    name: "that are not in the file are kept and told, half made ones too",
    triggers: [GITHUB, GIT, HALF],
    file: file(`[${SOURCE}]`),
    operations: [],
    extras: ["build-trigger:acme/app/custom-git:git@git.example:app.git", "build-trigger:acme/app/gitlab:#4"],
    becomes: ["1 on", "3 on", "4 on"]
  },
  {
    name: "that are not in the file are deleted where it prunes them",
    triggers: [GITHUB, GIT, HALF],
    file: file(`[${SOURCE}]`, "prune: [triggers]"),
    operations: [
      "delete:build-trigger:acme/app/custom-git:git@git.example:app.git",
      "delete:build-trigger:acme/app/gitlab:#4"
    ],
    becomes: ["1 on"]
  },
  {
    name: "of one source are one that the file means and others that are extras",
    triggers: [AGAIN, GITHUB],
    file: file(`[${OFF}]`),
    operations: [`update:build-trigger:${KEY}`],
    extras: [`build-trigger:${KEY}#2`],
    becomes: ["1 off", "2 on"]
  },
  {
    name: "are left alone where the file says nothing of them",
    triggers: [GITHUB],
    file: "organization: acme\nrepositories: { app: {} }",
    operations: [],
    extras: [],
    becomes: ["1 on"]
  }
]

describe("build triggers", () => {
  for (const { becomes, extras, file, name, operations, triggers } of cases)
    otherwise(name, having(triggers), async (trial) => {
      const plan = await trial.reach(file)
      expect(trial.ids(plan)).toEqual(operations)
      if (extras !== undefined) expect(plan.extras.map(({ key, kind }) => `${kind}:${key}`)).toEqual(extras)
      expect(await all(trial)).toEqual(becomes)
    })

  otherwise("lose a credential when they are deleted", having([GITHUB]), async (trial) => {
    const { operations } = await trial.plan(file("[]", "prune: [triggers]"))
    expect(operations).toMatchObject([{ action: "delete", destroys: "credential" }])
  })

  otherwise("say what is to be known of them", having([AGAIN, GITHUB]), async (trial) => {
    const { notices } = await trial.plan(file(`[${SOURCE}]`))
    expect(notices.map(({ message }) => message)).toEqual([
      "There are 2 for this source; the one with the id 1 is meant."
    ])
  })

  otherwise(
    "say that Quay switched them off by itself",
    having([{ ...GITHUB, enabled: false, disabled_reason: "successive_build_failures" }]),
    async (trial) => {
      const { notices, operations } = await trial.plan(file(`[${ON}]`))
      expect(notices.map(({ message }) => message)).toEqual([
        "Quay switched it off by itself: successive_build_failures."
      ])
      expect(operations).toMatchObject([{ changes: [{ field: "enabled", before: false, after: true }] }])
    }
  )

  otherwise(
    "cannot change in a repository that is read-only",
    having([GITHUB], { state: "READ_ONLY" }),
    async (trial) => {
      expect(String(await rejection(trial.plan(file(`[${OFF}]`))))).toMatch(/of a repository that is read_only/)
      expect(String(await rejection(trial.plan(`prune: [triggers]\n${file("[]")}`)))).toMatch(
        /cannot be deleted: .* of a repository that is read_only/
      )
      await trial.reach(file(`[${ON}]`))
    }
  )

  otherwise("need builds to be switched on", having([], {}, { features: { BUILD_SUPPORT: false } }), async (trial) => {
    expect(String(await rejection(trial.plan(file("[]"))))).toMatch(/FEATURE_BUILD_SUPPORT/)
    await trial.plan("organization: acme\nrepositories: { app: {} }")
  })

  for (const version of ["3.7", "3.10", "3.12", "3.15", "3.18"])
    otherwise(`are there in Quay ${version}`, having([GITHUB], {}, { version }), async (trial) => {
      await trial.reach(file(`[${OFF}]`))
      expect(await all(trial)).toEqual(["1 off"])
    })

  otherwise("cost one request for each repository", having([GITHUB, GIT]), async (trial) => {
    const total = async (text: string) => {
      trial.registry.simulator?.requests.reset()
      await trial.plan(text)
      return trial.registry.simulator?.requests.total ?? 0
    }
    const without = await total("organization: acme\nrepositories: { app: {} }")
    // What Quay offers is asked for as well: its configuration, and its operations.
    expect(await total(file(`[${SOURCE}]`))).toBe(without + 3)
  })
})

rows("a build trigger that is not there", [
  {
    name: "cannot be made, and the rest is done",
    want: `repositories: { app: { visibility: private, triggers: [${SOURCE}] } }`,
    operations: ["create:repository:$org/app"],
    stuck: ["build-trigger:$org/app/github:acme/app"],
    also: async (_, plan) =>
      expect(plan.stuck.map(({ changes, reason }) => [changes, reason])).toEqual([
        [[], expect.stringMatching(/API makes no build triggers: set it up in the web console/)]
      ])
  },
  {
    name: "is no matter where the file wants none",
    want: "repositories: { app: { visibility: private, triggers: [] } }",
    operations: ["create:repository:$org/app"],
    stuck: []
  }
])

describe("the section", () => {
  for (const [what, triggers, words] of [
    ["a service that is none", "[{ service: gitea, source: a }]", /one of github, gitlab, bitbucket, custom-git/],
    ["no source", "[{ service: github }]", /source/],
    ["an empty source", '[{ service: github, source: "" }]', /source/],
    ["one source twice", `[${SOURCE}, ${OFF}]`, /declared twice/],
    ["null", "null", /triggers/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(`repositories: { app: { triggers: ${triggers} } }`)))).toMatch(words)
    })

  tested("is exported as it is read: what is on goes without saying", async () => {
    const app = { repository: "acme/app" }
    const items: ReadonlyArray<BuildTrigger> = [
      { ...app, service: "github", source: "acme/app", enabled: true, id: "1", others: 1 },
      { ...app, service: "github", source: "acme/app", enabled: false, id: "2", further: true },
      { ...app, service: "custom-git", source: "git@git.example:app.git", enabled: false, id: "3" }
    ]
    expect(written(buildTrigger.section, items, "acme/app")).toEqual({
      node: [
        { service: "github", source: "acme/app" },
        { service: "custom-git", source: "git@git.example:app.git", enabled: false }
      ],
      items: [
        { ...app, service: "github", source: "acme/app" },
        { ...app, service: "custom-git", source: "git@git.example:app.git", enabled: false }
      ]
    })
  })
})
