// Mirrors of repositories over HTTP: what Quay does by itself when one is made, every field of one, what it says that it did and
// did not do, and what older releases know of. The other registry is a real one, because Quay looks its host up.
import { ConfigError } from "@quaymaster/config"
import { diff, PlanRefused, preflight } from "@quaymaster/engine"
import { makeLimiter } from "@quaymaster/runtime"
import { createQuayClient } from "@quaymaster/sdk"
import { simulatedOnly, simulatorTest, testRegistry } from "@quaymaster/testing"
import * as Effect from "effect/Effect"
import { describe, expect, test } from "vitest"
import { makeQuay, Quay, quayKinds } from "../src/index.ts"
import { repositoryMirror as kind, type RepositoryMirror } from "../src/repository-mirror.ts"
import { operationOf, rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const SOURCE = "quay.io/libpod/alpine"
const ROBOTS = "robots: { ci: {}, cd: {} }\n"

/** A file with the mirror of one repository; fields are YAML. */
const file = (fields: { readonly [field: string]: string } = {}, more = "") => {
  const all = { source: SOURCE, tags: '["3.*", latest]', robot: "ci", interval: "24h", ...fields }
  const mirror = Object.entries(all).map(([name, value]) => `        ${name}: ${value}\n`)
  return `${ROBOTS}repositories:\n    alpine:\n      mirror:\n${mirror.join("")}${more === "" ? "" : `      ${more}\n`}`
}

const params = ({ org }: Trial, name = "alpine") => ({ path: { repository: `${org}/${name}` } })

const there = (trial: Trial) => trial.quay.GET("/api/v1/repository/{repository}/mirror", { params: params(trial) })

/** What a row ends with: a part of the mirror as Quay tells it. */
const is = (wanted: object) => async (trial: Trial) => expect(await there(trial)).toMatchObject(wanted)

const stateIs = (wanted: string) => async (trial: Trial) => {
  const view = await trial.quay.GET("/api/v1/repository/{repository}", {
    params: { ...params(trial), query: { includeTags: false } }
  })
  expect(view.state).toBe(wanted)
}

const put = (trial: Trial, body: object) =>
  trial.quay.PUT("/api/v1/repository/{repository}/mirror", { params: params(trial), body })

const setState = (trial: Trial, state: "NORMAL" | "READ_ONLY" | "MIRROR") =>
  trial.quay.PUT("/api/v1/repository/{repository}/changestate", { params: params(trial), body: { state } })

const MADE = [
  "create:repository:$org/alpine",
  "create:repository-mirror:$org/alpine",
  "create:robot:$org/cd",
  "create:robot:$org/ci"
]
const CHANGED = ["update:repository-mirror:$org/alpine"]

rows("mirrors of repositories", [
  {
    name: "one is made with what Quay takes where a file says nothing",
    want: file({ interval: "6h" }),
    operations: MADE,
    becomes: { repositories: { alpine: { users: { "$org+ci": "write" } } } },
    also: async (trial) => {
      await stateIs("MIRROR")(trial)
      await is({
        is_enabled: true,
        external_reference: SOURCE,
        external_registry_username: null,
        external_registry_config: { verify_tls: true, unsigned_images: false },
        sync_interval: 6 * 3600,
        robot_username: trial.real("$org+ci"),
        root_rule: { rule_kind: "tag_glob_csv", rule_value: ["3.*", "latest"] }
      })(trial)
    }
  },
  {
    name: "one is made with everything that can be said of it",
    want: file({
      start: "2031-01-01T02:00:00Z",
      username: "puller",
      verify_tls: "false",
      unsigned_images: "true",
      proxy: '{ http: "http://a.example:1", https: "http://b.example:2", no_proxy: "c.example" }',
      enabled: "false",
      timeout: "10m",
      architecture_filter: "[arm64, amd64]"
    }),
    operations: MADE,
    also: is({
      is_enabled: false,
      external_registry_username: "puller",
      external_registry_config: {
        verify_tls: false,
        unsigned_images: true,
        proxy: { http_proxy: "http://a.example:1", https_proxy: "http://b.example:2", no_proxy: "c.example" }
      },
      sync_interval: 86_400,
      sync_start_date: "2031-01-01T02:00:00Z",
      skopeo_timeout_interval: 600,
      architecture_filter: ["arm64", "amd64"]
    })
  },
  {
    name: "one is made in a repository that is there, and its state and robot's permission are foreseen",
    given: `${ROBOTS}repositories: { alpine: { visibility: public } }`,
    want: file({}, "permissions: { robots: { ci: write } }"),
    operations: ["create:repository-mirror:$org/alpine", "create:repository-permission:$org/alpine/robot:ci"],
    becomes: { repositories: { alpine: { visibility: "public", users: { "$org+ci": "write" } } } },
    also: async (trial, plan) => {
      const permission = operationOf(trial, plan, "create:repository-permission:$org/alpine/robot:ci")
      expect(permission?.impliedBy).toBe(trial.real("create:repository-mirror:$org/alpine"))
      await stateIs("MIRROR")(trial)
    }
  },
  {
    name: "one is made in a repository that is there, and another state that a file names counts in the end",
    given: `${ROBOTS}repositories: { alpine: {} }`,
    want: file({}, "state: read_only"),
    operations: ["create:repository-mirror:$org/alpine", "update:repository-state:$org/alpine"],
    also: async (trial, plan) => {
      const state = operationOf(trial, plan, "update:repository-state:$org/alpine")
      expect(state).toMatchObject({
        impliedBy: trial.real("create:repository-mirror:$org/alpine"),
        changes: [{ field: "state", before: "normal", after: "read_only" }]
      })
      await stateIs("READ_ONLY")(trial)
    }
  },
  {
    name: "one is made in a repository that is there, whose state is as the file wants it and shall stay so",
    given: `${ROBOTS}repositories: { alpine: { state: normal } }`,
    want: file({}, "state: normal"),
    operations: ["create:repository-mirror:$org/alpine", "update:repository-state:$org/alpine"],
    also: async (trial, plan) => {
      expect(operationOf(trial, plan, "update:repository-state:$org/alpine")).toMatchObject({
        reason: "changed by the registry itself",
        changes: [{ field: "state", before: "mirror", after: "normal" }]
      })
      await stateIs("NORMAL")(trial)
    }
  },
  {
    name: "one is made in a repository that is there, and the state that it makes is the one that the file names",
    given: `${ROBOTS}repositories: { alpine: {} }`,
    want: file({}, "state: mirror"),
    operations: ["create:repository-mirror:$org/alpine", "update:repository-state:$org/alpine"],
    also: stateIs("MIRROR")
  },
  ...(["read", "write", "admin"] as const).flatMap((before) => [
    ...(["read", "write", "admin"] as const).map((after) => ({
      name: `the robot of a new one has the ${after} that a file gives it, having had ${before}`,
      given: `${ROBOTS}repositories: { alpine: { permissions: { robots: { ci: ${before} } } } }`,
      want: file({}, `permissions: { robots: { ci: ${after} } }`),
      operations: [
        "create:repository-mirror:$org/alpine",
        ...(before === after && before !== "read" ? [] : ["update:repository-permission:$org/alpine/robot:ci"])
      ],
      becomes: { repositories: { alpine: { users: { "$org+ci": after } } } }
    })),
    {
      name: `the robot of a new one has nothing where a file gives it nothing, having had ${before}`,
      given: `${ROBOTS}repositories: { alpine: { permissions: { robots: { ci: ${before} } } } }`,
      want: file({}, "permissions: { robots: {} }"),
      operations: ["create:repository-mirror:$org/alpine", "delete:repository-permission:$org/alpine/robot:ci"],
      becomes: { repositories: { alpine: { users: { $me: "admin" } } } }
    }
  ]),
  ...(["read", "write", "admin"] as const).flatMap((role) => [
    {
      name: `what a default permission gives the robot, ${role}, is taken away where a file gives it nothing`,
      want: `default_permissions: [{ role: ${role}, robot: ci }]\n${file({}, "permissions: { robots: {} }")}`,
      operations: [
        ...MADE,
        "create:default-permission:$org/robot:ci",
        "delete:repository-permission:$org/alpine/robot:ci"
      ],
      becomes: { repositories: { alpine: { users: { $me: "admin" } } } }
    },
    {
      name: `the file's read counts against a default permission of ${role}`,
      want: `default_permissions: [{ role: ${role}, robot: ci }]\n${file({}, "permissions: { robots: { ci: read } }")}`,
      operations: [
        ...MADE,
        "create:default-permission:$org/robot:ci",
        "create:repository-permission:$org/alpine/robot:ci"
      ],
      becomes: { repositories: { alpine: { users: { "$org+ci": "read" } } } }
    }
  ]),
  ...(["read", "write", "admin"] as const).map((role) => ({
    name: `what a default permission gives a robot that may write through a team, ${role}, is taken away, too`,
    want: `teams: { ops: { role: admin, members: { robots: [ci] } } }\ndefault_permissions: [{ role: ${role}, robot: ci }]\n${file({}, "permissions: { robots: {} }")}`,
    operations: [
      ...MADE,
      "create:default-permission:$org/robot:ci",
      "create:team-member:$org/ops/$org+ci",
      "create:team:$org/ops",
      "delete:repository-permission:$org/alpine/robot:ci"
    ],
    becomes: { repositories: { alpine: { users: { $me: "admin" } } } }
  })),
  {
    name: "a robot that may write through a team loses the read that it had where the file gives it nothing",
    given: `teams: { ops: { role: admin, members: { robots: [ci] } } }\n${ROBOTS}repositories: { alpine: { permissions: { robots: { ci: read } } } }`,
    want: file({}, "permissions: { robots: {} }"),
    operations: ["create:repository-mirror:$org/alpine", "delete:repository-permission:$org/alpine/robot:ci"],
    becomes: { repositories: { alpine: { users: { $me: "admin" } } } }
  },
  {
    name: "another robot is given write, which is taken away where the file gives it nothing",
    given: file({}, "permissions: { robots: { ci: write } }"),
    want: file({ robot: "cd" }, "permissions: { robots: { ci: write } }"),
    operations: [...CHANGED, "delete:repository-permission:$org/alpine/robot:cd"],
    becomes: { repositories: { alpine: { users: { "$org+ci": "write" } } } }
  },
  {
    name: "another robot has the role that the file gives it",
    given: file({}, "permissions: { robots: { ci: write, cd: read } }"),
    want: file({ robot: "cd" }, "permissions: { robots: { ci: write, cd: read } }"),
    operations: [...CHANGED, "update:repository-permission:$org/alpine/robot:cd"],
    becomes: { repositories: { alpine: { users: { "$org+ci": "write", "$org+cd": "read" } } } }
  },
  {
    name: "another role that a file gives to the robot counts in the end",
    want: file({}, "permissions: { robots: { ci: admin, cd: read } }"),
    operations: [
      ...MADE,
      "create:repository-permission:$org/alpine/robot:cd",
      "create:repository-permission:$org/alpine/robot:ci"
    ],
    becomes: { repositories: { alpine: { users: { "$org+ci": "admin", "$org+cd": "read" } } } }
  },
  {
    name: "a file that gives the robot nothing takes away what Quay gave",
    want: file({}, "permissions: { robots: {} }"),
    operations: [...MADE, "delete:repository-permission:$org/alpine/robot:ci"],
    becomes: { repositories: { alpine: { users: { $me: "admin" } } } }
  },
  {
    name: "the state that a file names is the one that a mirror makes",
    want: file({}, "state: mirror"),
    operations: [...MADE, "create:repository-state:$org/alpine"],
    also: async (trial, plan) => {
      const state = operationOf(trial, plan, "create:repository-state:$org/alpine")
      expect(state?.impliedBy).toBe(trial.real("create:repository-mirror:$org/alpine"))
      await stateIs("MIRROR")(trial)
    }
  },
  {
    name: "another state that a file names counts in the end",
    want: file({ enabled: "false" }, "state: normal"),
    operations: [...MADE, "create:repository-state:$org/alpine"],
    also: stateIs("NORMAL")
  },
  {
    name: "every field changes",
    given: file({ start: "2031-01-01T02:00:00Z", username: "puller", timeout: "10m" }),
    want: file({
      source: "quay.io/libpod/busybox",
      tags: "[v1]",
      robot: "cd",
      interval: "1h",
      start: "2031-01-01T02:30:00Z",
      username: "other",
      verify_tls: "false",
      unsigned_images: "true",
      proxy: '{ https: "http://b.example:2" }',
      enabled: "false",
      timeout: "20m",
      architecture_filter: "[s390x]"
    }),
    operations: CHANGED,
    also: async (trial) =>
      is({
        is_enabled: false,
        external_reference: "quay.io/libpod/busybox",
        external_registry_username: "other",
        external_registry_config: {
          verify_tls: false,
          unsigned_images: true,
          proxy: { https_proxy: "http://b.example:2" }
        },
        sync_interval: 3600,
        sync_start_date: "2031-01-01T02:30:00Z",
        root_rule: { rule_value: ["v1"] },
        robot_username: trial.real("$org+cd"),
        skopeo_timeout_interval: 1200,
        architecture_filter: ["s390x"]
      })(trial)
  },
  {
    name: "what a file leaves out stays",
    given: file({ username: "puller", verify_tls: "false", proxy: '{ http: "http://a.example:1" }', timeout: "10m" }),
    want: file({ tags: "[v2]", interval: "12h" }),
    operations: CHANGED,
    also: is({
      external_registry_username: "puller",
      external_registry_config: { verify_tls: false, proxy: { http_proxy: "http://a.example:1" } },
      sync_interval: 12 * 3600,
      skopeo_timeout_interval: 600
    })
  },
  {
    name: "what is written otherwise is the same",
    given: file({ tags: "[a, b]", interval: "24h", timeout: "10m", architecture_filter: "[arm64, amd64]" }),
    want: file({ tags: "[b, a]", interval: "1d", timeout: "600s", architecture_filter: "[amd64, arm64]" }),
    operations: []
  },
  {
    name: "empty text is nobody, and no proxy",
    given: file({ username: "puller", proxy: '{ http: "http://a.example:1", https: "http://b.example:2" }' }),
    want: file({ username: '""', proxy: '{ http: "" }' }),
    operations: CHANGED,
    also: is({
      external_registry_username: null,
      external_registry_config: { proxy: { http_proxy: null, https_proxy: "http://b.example:2" } }
    })
  },
  {
    name: "what was changed behind our back is put right, field by field",
    given: file({
      username: "puller",
      verify_tls: "true",
      unsigned_images: "false",
      proxy: '{ http: "http://a.example:1" }',
      enabled: "true",
      timeout: "10m",
      architecture_filter: "[]"
    }),
    drift: (trial) =>
      put(trial, {
        is_enabled: false,
        external_reference: "quay.io/libpod/busybox",
        external_registry_username: "mallory",
        external_registry_config: {
          verify_tls: false,
          unsigned_images: true,
          proxy: { http_proxy: "http://evil.example" }
        },
        sync_interval: 60,
        root_rule: { rule_kind: "tag_glob_csv", rule_value: ["evil"] },
        robot_username: trial.real("$org+cd"),
        skopeo_timeout_interval: 301,
        architecture_filter: ["s390x"]
      }),
    want: file({
      username: "puller",
      verify_tls: "true",
      unsigned_images: "false",
      proxy: '{ http: "http://a.example:1" }',
      enabled: "true",
      timeout: "10m",
      architecture_filter: "[]"
    }),
    operations: CHANGED,
    also: async (trial, plan) => {
      const update = operationOf(trial, plan, "update:repository-mirror:$org/alpine")
      expect(update?.action === "update" ? update.changes.map(({ field }) => field) : []).toEqual([
        "architecture_filter",
        "enabled",
        "interval",
        "proxy.http",
        "robot",
        "source",
        "tags",
        "timeout",
        "unsigned_images",
        "username",
        "verify_tls"
      ])
      await is({ is_enabled: true, external_reference: SOURCE, sync_interval: 86_400, architecture_filter: [] })(trial)
    }
  },
  {
    name: "a date that Quay moved on is the same rhythm",
    given: file({ interval: "6h", start: "2031-01-01T02:00:00Z" }),
    drift: (trial) => put(trial, { sync_start_date: "2031-03-05T20:00:00Z" }),
    want: file({ interval: "6h", start: "2031-01-01T02:00:00Z" }),
    operations: [],
    also: is({ sync_start_date: "2031-03-05T20:00:00Z" })
  },
  {
    name: "another rhythm is put right, told as the run before the wanted one",
    given: file({ interval: "6h", start: "2031-01-01T02:00:00Z" }),
    drift: (trial) => put(trial, { sync_start_date: "2031-03-05T21:00:00Z" }),
    want: file({ interval: "6h", start: "2031-01-01T02:00:00Z" }),
    operations: CHANGED,
    also: async (trial, plan) => {
      expect(operationOf(trial, plan, "update:repository-mirror:$org/alpine")).toMatchObject({
        changes: [{ field: "start", before: "2030-12-31T21:00:00Z", after: "2031-01-01T02:00:00Z" }]
      })
      await is({ sync_start_date: "2031-01-01T02:00:00Z" })(trial)
    }
  },
  {
    name: "with another interval the rhythm is looked at anew",
    given: file({ interval: "12h", start: "2031-01-01T14:00:00Z" }),
    want: file({ interval: "24h", start: "2031-01-01T02:00:00Z" }),
    operations: CHANGED,
    also: is({ sync_interval: 86_400, sync_start_date: "2031-01-01T02:00:00Z" })
  },
  {
    name: "one is turned off without a word of the rest, and stays",
    given: file({ username: "puller" }),
    want: `${ROBOTS}repositories: { alpine: { mirror: { enabled: false }, state: normal } }`,
    operations: [...CHANGED, "update:repository-state:$org/alpine"],
    also: async (trial) => {
      await is({ is_enabled: false, external_reference: SOURCE, external_registry_username: "puller" })(trial)
      await stateIs("NORMAL")(trial)
    }
  },
  {
    name: "one that is not there is off",
    given: "repositories: { alpine: {} }",
    want: "repositories: { alpine: { mirror: { enabled: false } }, web: { mirror: { enabled: false } } }",
    operations: ["create:repository:$org/web"],
    also: async (trial) => {
      await stateIs("NORMAL")(trial)
      expect(await rejection(there(trial))).toMatchObject({ _tag: "Missing" })
    }
  },
  {
    name: "one of which a file says nothing is left alone",
    given: file(),
    want: `${ROBOTS}repositories: { alpine: {} }`,
    operations: [],
    extras: [],
    also: is({ is_enabled: true })
  },
  {
    name: "one that was left behind in a repository that is none any more is changed, not made",
    given: file(),
    drift: (trial) => setState(trial, "NORMAL"),
    want: file({ tags: "[v1]" }, "state: mirror"),
    operations: [...CHANGED, "update:repository-state:$org/alpine"],
    also: async (trial) => {
      await is({ root_rule: { rule_value: ["v1"] } })(trial)
      await stateIs("MIRROR")(trial)
    }
  },
  {
    name: "one goes along when its repository is deleted, and its robot after it",
    given: file({}),
    want: "prune: [repositories, robots]\nrobots: { cd: {} }\nrepositories: {}",
    operations: ["delete:repository:$org/alpine", "delete:robot:$org/ci"],
    becomes: { repositories: {}, robots: { cd: "" } }
  },
  {
    name: "a robot that one uses is deleted after it uses another",
    given: file(),
    want: file({ robot: "cd" }).replace(ROBOTS, "prune: [robots]\nrobots: { cd: {} }\n"),
    operations: [...CHANGED, "delete:robot:$org/ci"],
    becomes: { robots: { cd: "" }, repositories: { alpine: { users: { "$org+cd": "write" } } } }
  }
])

describe("a mirror's secrets", () => {
  const SECRETS = file({ username: "{ env: PULLER }", password: "{ env: WORD }" })

  tested("are sent when it is made and whenever it changes, and are in no plan", async (trial) => {
    trial.env.set("PULLER", "secret-name").set("WORD", "secret-word")
    const made = await trial.reach(SECRETS)
    await is({ external_registry_username: "secret-name" })(trial)
    trial.env.set("PULLER", "second-name")
    const changed = await trial.reach(file({ username: "{ env: PULLER }", password: "{ env: WORD }", tags: "[v1]" }))
    await is({ external_registry_username: "second-name" })(trial)
    expect(JSON.stringify([made, changed])).not.toMatch(/secret-name|second-name|secret-word/)
  })

  simulated("are kept by Quay, the password only beside a user name", async (trial) => {
    const { env, simulator } = trial
    const kept = (word: string) =>
      JSON.stringify(simulator.snapshot()).includes(`"external_registry_password":"${word}"`)
    const plain = (tags: string) => file({ username: "puller", password: "{ env: WORD }", tags })
    env.set("WORD", "first-word")
    await trial.reach(plain("[v1]"))
    expect(kept("first-word")).toBe(true)
    env.set("WORD", "second-word")
    const plan = await trial.plan(plain("[v1]"))
    expect(plan.operations).toEqual([])
    expect(plan.notices.map(({ message }) => message).join()).toMatch(/A registry does not tell password/)
    await trial.reach(plain("[v2]"))
    expect([kept("first-word"), kept("second-word")]).toEqual([false, true])
  })

  tested("that cannot be had fail the operation that needs them", async (trial) => {
    const plan = await trial.plan(SECRETS)
    const report = await trial.apply(plan)
    expect(report.results.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      { id: trial.real("create:repository-mirror:$org/alpine"), tag: "SecretUnavailable" }
    ])
  })
})

describe("what Quay says that it did", () => {
  simulated("is looked at: the first proxy that a mirror gets is lost at first", async (trial) => {
    await trial.reach(`${ROBOTS}repositories: { alpine: {} }`)
    // As another tool makes it, without room for proxies.
    await trial.quay.POST("/api/v1/repository/{repository}/mirror", {
      params: params(trial),
      body: {
        external_reference: SOURCE,
        sync_interval: 86_400,
        sync_start_date: "2031-01-01T00:00:00Z",
        root_rule: { rule_kind: "tag_glob_csv", rule_value: ["3.*", "latest"] },
        robot_username: `${trial.org}+ci`,
        skopeo_timeout_interval: 300
      }
    })
    await trial.reach(file({ proxy: '{ http: "http://a.example:1", no_proxy: "c.example" }' }))
    await is({
      external_registry_config: {
        proxy: { http_proxy: "http://a.example:1", https_proxy: null, no_proxy: "c.example" }
      }
    })(trial)
  })
})

describe("reading mirrors", () => {
  simulated("costs one request for each that is there or declared, and the registry's description", async (trial) => {
    const names = ["a", "b", "c"]
    const mirror = { source: SOURCE, tags: ["v1"], robot: "ci" }
    const document = (mirrored: ReadonlyArray<string>) => ({
      organization: "$org",
      robots: { ci: {} },
      repositories: Object.fromEntries(names.map((name) => [name, mirrored.includes(name) ? { mirror } : {}]))
    })
    await trial.reach(document(["a", "b"]))
    trial.simulator.requests.reset()
    await trial.plan(document(["a"]))
    expect(trial.simulator.requests.of("GET /api/v1/repository/{repository}/mirror")).toBe(1)
    expect(trial.simulator.requests.of("GET /config")).toBe(1)
    expect(trial.simulator.requests.of("GET /api/v1/discovery")).toBe(1)
  })

  simulated("costs three requests for a change, one of them to see whether it is done", async (trial) => {
    await trial.reach(file())
    const plan = await trial.plan(file({ tags: "[v1]" }))
    trial.simulator.requests.reset()
    await trial.apply(plan)
    const all = Object.entries(trial.simulator.requests.all()).filter(([operation]) => operation.endsWith("/mirror"))
    expect(all.sort()).toEqual([
      ["GET /api/v1/repository/{repository}/mirror", 2],
      ["PUT /api/v1/repository/{repository}/mirror", 1]
    ])
  })
})

describe("a file", () => {
  for (const [what, text, words] of [
    ["without a source", `repositories: { a: { mirror: { tags: [v1], robot: ci } } }`, /needs source, tags and robot/],
    [
      "without tags",
      `repositories: { a: { mirror: { source: ${SOURCE}, robot: ci } } }`,
      /needs source, tags and robot/
    ],
    [
      "without a robot",
      `repositories: { a: { mirror: { source: ${SOURCE}, tags: [v1] } } }`,
      /needs source, tags and robot/
    ],
    ["that only turns one on", "repositories: { a: { mirror: { enabled: true } } }", /needs source, tags and robot/],
    ["without tags in the list", file({ tags: "[]" }), /at least 1/],
    ["with a tag twice", file({ tags: "[a, a]" }), /twice/],
    ["with a scheme", file({ source: "https://quay.io/libpod/alpine" }), /without a scheme/],
    ["with a source that names no registry", file({ source: "alpine" }), /with its registry/],
    ["with a robot's whole name", file({ robot: "acme+ci" }), /robot/],
    ["with a robot that it does not declare", file({ robot: "cx" }), /robot .* is not declared/],
    ["with a length of time that is none", file({ interval: "daily" }), /30m, 24h, 7d/],
    ["with no time between runs", file({ interval: "0h" }), /30m, 24h, 7d/],
    ["with a date that is none", file({ start: "2031-13-41T00:00:00Z" }), /a time such as/],
    ["with a date without a time", file({ start: "2031-01-01" }), /a time such as/],
    ["with a timeout that is too short", file({ timeout: "1m" }), /from 5m/],
    ["with a password and nobody", file({ password: "{ env: WORD }" }), /password needs a username/],
    ["with a password in plain text", file({ username: "puller", password: "hunter2" }), /\{ env: NAME \}/],
    ["with an architecture that Quay does not know", file({ architecture_filter: "[mips]" }), /amd64/],
    ["with an empty mirror", "repositories: { a: { mirror: {} } }", /needs source, tags and robot/]
  ] as const)
    tested(`${what} is refused`, async (trial) => {
      const error = await rejection(trial.plan(text))
      expect(error).toBeInstanceOf(ConfigError)
      expect(String(error)).toMatch(words)
      expect(String(error)).not.toMatch(/hunter2/)
    })

  tested("with a robot that is not there is refused", async (trial) => {
    await trial.reach("robots: { cd: {} }")
    const text = file().replace(ROBOTS, "")
    expect(String(await rejection(trial.plan(text)))).toMatch(/needs robot .*\/ci, which is neither declared nor there/)
  })
})

describe("a registry", () => {
  otherwise("that switched mirrors off refuses them", { features: { REPO_MIRROR: false } }, async (trial) => {
    for (const text of [file(), "repositories: { alpine: { mirror: { enabled: false } } }"]) {
      const error = await rejection(trial.plan(text))
      expect(error).toBeInstanceOf(PlanRefused)
      expect(String(error)).toMatch(/mirror of .*\/alpine: .*FEATURE_REPO_MIRROR/)
    }
  })

  otherwise(
    "without sparse images refuses architectures alone",
    { features: { SPARSE_INDEX: false } },
    async (trial) => {
      const error = await rejection(trial.plan(file({ architecture_filter: "[arm64]" })))
      expect(String(error)).toMatch(/architecture_filter .*FEATURE_SPARSE_INDEX/)
      await trial.reach(file())
    }
  )

  // What each release's description of itself lists decides, so a description that lists less is put in its place.
  for (const [version, unknown] of [
    ["3.7.14", ["skopeo_timeout_interval", "architecture_filter"]],
    ["3.12.21", ["skopeo_timeout_interval", "architecture_filter"]],
    ["3.14.8", ["skopeo_timeout_interval", "architecture_filter"]],
    ["3.15.7", ["architecture_filter"]],
    ["3.16.5", ["architecture_filter"]],
    ["3.17.4", []]
  ] as const)
    test.skipIf(simulatedOnly)(simulatorTest(`of ${version} is told what it knows`), async () => {
      await using registry = await testRegistry({ version })
      const { token, url } = registry
      const client = createQuayClient({ url, token, fetch: listing(new Set(unknown)) })
      const quay = makeQuay({ registry: { name: "test", url }, client, limiter: makeLimiter() })
      const run = <A, E>(effect: Effect.Effect<A, E, Quay>) =>
        Effect.runPromise(Effect.provideService(effect, Quay, quay))
      const organization = registry.name("org")
      const repository = `${organization}/alpine`
      await client.POST("/api/v1/organization/", { body: { name: organization, email: `${organization}@example.com` } })
      await client.PUT("/api/v1/organization/{orgname}/robots/{robot_shortname}", {
        params: { path: { orgname: organization, robot_shortname: "ci" } },
        body: { description: "" }
      })
      await client.POST("/api/v1/repository", {
        body: { namespace: organization, repository: "alpine", visibility: "private", description: "" }
      })

      const mirror: RepositoryMirror = { repository, source: SOURCE, tags: ["v1"], robot: "ci", interval: "1d" }
      const list = () => run(kind.list([{ kind: kind.kind, parent: repository }], new Set([repository])))
      await run(kind.create?.(mirror) ?? Effect.void)
      const [made] = await list()
      expect(made).toMatchObject({
        ...mirror,
        username: "",
        enabled: true,
        proxy: { http: "", https: "", no_proxy: "" }
      })
      const after = { ...mirror, tags: ["v2"], enabled: false, proxy: { https: "http://b.example:2" } }
      await run(kind.update?.(after, made ?? mirror, diff(kind, made ?? mirror, after)) ?? Effect.void)
      expect(await list()).toMatchObject([after])

      const server = await run(quay.server)
      const problems = (item: RepositoryMirror) =>
        preflight(quayKinds, { declarations: [{ kind: "repository-mirror", item }], scope: [] }, server)
      const known: ReadonlyArray<readonly [string, string, RepositoryMirror, string]> = [
        ["timeout", "skopeo_timeout_interval", { ...mirror, timeout: "10m" }, "3.15"],
        ["architecture_filter", "architecture_filter", { ...mirror, architecture_filter: ["arm64"] }, "3.17"]
      ]
      for (const [field, name, item, since] of known)
        expect(
          problems(item)
            .map(({ message }) => message)
            .join()
        ).toMatch(
          unknown.some((it) => it === name)
            ? `${field} of repository-mirror ${repository}: it came with Quay ${since}`
            : /^$/
        )
    })
})

/** Answers as the registry does, with a description of itself that lacks these fields of a new mirror. */
const listing =
  (lacks: ReadonlySet<string>): typeof fetch =>
  async (input, init) => {
    const answer = await fetch(input, init)
    const where = input instanceof Request ? input.url : String(input)
    if (!new URL(where).pathname.endsWith("/discovery")) return answer
    const text = JSON.stringify(await answer.json(), (key, value: unknown) => (lacks.has(key) ? undefined : value))
    return new Response(text, { status: answer.status, headers: { "content-type": "application/json" } })
  }

describe("an exported mirror", () => {
  const item: RepositoryMirror = {
    repository: "acme/alpine",
    source: SOURCE,
    tags: ["latest"],
    robot: "ci",
    interval: "1d",
    username: "puller",
    verify_tls: false,
    unsigned_images: true,
    proxy: { https: "http://b.example:2" },
    enabled: false,
    timeout: "10m",
    architecture_filter: ["arm64"]
  }

  test("is read as it was", () => {
    expect(written(kind.section, [item], "acme/alpine").items).toEqual([item])
  })

  test("says nothing that goes without saying, nor when it runs next", () => {
    const plain: RepositoryMirror = {
      repository: "acme/alpine",
      source: SOURCE,
      tags: ["latest"],
      robot: "ci",
      interval: "1d",
      start: "2031-01-01T00:00:00Z",
      username: "",
      verify_tls: true,
      unsigned_images: false,
      proxy: { http: "", https: "", no_proxy: "" },
      enabled: true,
      timeout: "5m",
      architecture_filter: []
    }
    expect(written(kind.section, [plain], "acme/alpine").node).toEqual({
      source: SOURCE,
      tags: ["latest"],
      robot: "ci",
      interval: "1d"
    })
  })
})
