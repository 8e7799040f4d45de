/** What a plan looks like. The kinds here are made up: the presenter knows no others either. */
import type { AnyOperation, Plan, TargetPlan } from "quaymaster"
import { expect, test } from "vitest"
import { type PlanContext, planText } from "../../src/present/plan.ts"
import { coloured, plain } from "../../src/present/style.ts"

const target = (parts: Partial<TargetPlan>): TargetPlan => ({
  registry: "https://quay.example.com",
  url: "https://quay.example.com",
  scope: [{ kind: "team", parent: "acme", existing: 12 }],
  operations: [],
  extras: [],
  stuck: [],
  notices: [],
  left: [],
  verdicts: [],
  unchanged: 0,
  ...parts
})

const planOf = (...targets: ReadonlyArray<TargetPlan>): Plan => {
  const operations = targets.flatMap((it) => it.operations)
  const count = (action: AnyOperation["action"]) => operations.filter((it) => it.action === action).length
  const sum = (of: (it: TargetPlan) => number) => targets.reduce((total, it) => total + of(it), 0)
  return {
    format: "quaymaster-plan/1",
    digest: "sha256:0123",
    tool: "1.0.0",
    targets,
    summary: {
      create: count("create"),
      update: count("update"),
      replace: count("replace"),
      delete: count("delete"),
      unchanged: sum((it) => it.unchanged),
      extras: sum((it) => it.extras.length),
      stuck: sum((it) => it.stuck.length),
      left: sum((it) => it.left.length),
      destroys: operations.filter((it) => "destroys" in it).length,
      blocked: targets.flatMap((it) => it.verdicts).filter((it) => it.allowed === undefined).length
    },
    guard: { allowances: {}, digest: "sha256:4567" }
  }
}

const create = (kind: string, key: string, after: Record<string, unknown> = {}, more: Partial<AnyOperation> = {}) => ({
  id: `create:${kind}:${key}`,
  action: "create" as const,
  kind,
  key,
  needs: [],
  after,
  ...("source" in more && more.source !== undefined ? { source: more.source } : {}),
  ...("impliedBy" in more && more.impliedBy !== undefined ? { impliedBy: more.impliedBy } : {}),
  ...("reason" in more && more.reason !== undefined ? { reason: more.reason } : {})
})

const update = (
  kind: string,
  key: string,
  changes: ReadonlyArray<{ field: string; before?: unknown; after?: unknown }>
) => ({
  id: `update:${kind}:${key}`,
  action: "update" as const,
  kind,
  key,
  needs: [],
  before: {},
  after: {},
  changes
})

const remove = (
  kind: string,
  key: string,
  more: { cascades?: ReadonlyArray<string>; destroys?: "data" | "credential" } = {}
) => ({
  id: `delete:${kind}:${key}`,
  action: "delete" as const,
  kind,
  key,
  needs: [],
  before: { role: "admin" },
  cascades: [],
  reason: "not in the file",
  ...more
})

const context: PlanContext = {
  command: "quay-plan",
  apply: "quay-apply",
  files: "acme.yaml",
  hints: false,
  verbose: false,
  quiet: true
}

const body = (operations: ReadonlyArray<AnyOperation>, more: Partial<TargetPlan> = {}, verbose = false): string =>
  planText(planOf(target({ operations, ...more })), plain, { ...context, quiet: false, verbose })
    .split("\n\n")
    .slice(1, -1)
    .join("\n\n")

const table: ReadonlyArray<readonly [string, ReadonlyArray<AnyOperation>, ReadonlyArray<string>]> = [
  [
    "what is created, with the fields that the key does not say and where the file says so",
    [create("team", "acme/dev", { organization: "acme", name: "dev", role: "member" }, { source: "acme.yaml:14" })],
    ["acme", "  + team dev  role member  acme.yaml:14"]
  ],
  [
    "a role called like its holder is shown",
    [create("permission", "acme/app/user:admin", { repository: "acme/app", role: "admin", user: "admin" })],
    ["acme", "  + permission app/user:admin  role admin"]
  ],
  [
    "parents before children, whatever the order of kinds",
    [
      create("a-child", "acme/app/x"),
      create("repository-permission", "acme/app/team:ops"),
      create("repository", "acme/app"),
      create("team", "acme/app"),
      create("team-member", "acme/app/alice"),
      create("organization", "acme")
    ],
    [
      "acme",
      "  + organization acme",
      "  + repository app",
      "  + repository-permission app/team:ops",
      "  + team app",
      "  + a-child app/x",
      "  + team-member app/alice"
    ]
  ],
  [
    "old and new, texts quoted, what was not there",
    [
      update("repository", "acme/app", [
        { field: "description", before: "old", after: "The product" },
        { field: "limit", after: 20 },
        { field: "visibility", before: "public", after: "private" }
      ])
    ],
    [
      "acme",
      "  ~ repository app",
      '      description  "old" → "The product"',
      "      limit        unset → 20",
      "      visibility   public → private"
    ]
  ],
  [
    "texts of several lines as a small diff",
    [
      update("repository", "acme/app", [
        { field: "description", before: "one\ntwo\nthree\n", after: "one\n2\nthree\n" }
      ])
    ],
    [
      "acme",
      "  ~ repository app",
      "      description",
      "          one",
      "        - two",
      "        + 2",
      "          three"
    ]
  ],
  [
    "what is taken away, and what that destroys",
    [
      remove("permission", "acme/app/team:ops"),
      remove("repository", "acme/old", { destroys: "data", cascades: ["permission:acme/old/team:dev"] })
    ],
    [
      "acme",
      "  - permission app/team:ops  was role admin                       not in the file",
      "  ! repository old           DESTROYS DATA, takes along 1 object  not in the file"
    ]
  ],
  [
    "a replacement",
    [
      {
        ...update("robot", "acme/ci", [{ field: "description", before: "a", after: "b" }]),
        id: "replace:robot:acme/ci",
        action: "replace",
        cascades: [],
        destroys: "credential"
      }
    ],
    ["acme", "  -/+ robot ci  DESTROYS A CREDENTIAL", "      description  a → b"]
  ],
  [
    "what Quay does by itself",
    [
      create(
        "permission",
        "acme/app/team:dev",
        {},
        { impliedBy: "create:repository:acme/app", reason: "made by the registry itself" }
      ),
      create(
        "permission",
        "acme/app/team:ops",
        {},
        { impliedBy: "create:repository:acme/app", reason: "lost with team:acme/x, and made again" }
      )
    ],
    [
      "acme",
      "  + permission app/team:dev  by Quay",
      "  + permission app/team:ops  lost with team:acme/x, and made again"
    ]
  ],
  [
    "kinds of plugins like any other, and organizations in their order",
    [create("acme.robot-secret", "zeta/ci/k8s", { cluster: "Prod EU" }), create("team", "acme/dev")],
    ["acme", "  + team dev", "", "zeta", '  + acme.robot-secret ci/k8s  cluster "Prod EU"']
  ],
  [
    "nothing that moves a cursor",
    [
      create("team", "acme/\u001b[2Jdev", { description: "a\u001b]0;x\u0007\u202eb" }),
      update("team", "acme/ops", [{ field: "text\u009b", before: "\u001b[31m", after: "x\ny\u001b[2J\n" }])
    ],
    [
      "acme",
      '  + team \\u001b[2Jdev  description "a\\u001b]0;x\\u0007\\u202eb"',
      "  ~ team ops",
      "      text\\u009b",
      "        - \\u001b[31m",
      "        + x",
      "        + y\\u001b[2J"
    ]
  ]
]

test.each(table)("%s", (_, operations, lines) => {
  expect(body(operations).split("\n")).toEqual(lines)
})

const many = Array.from({ length: 21 }, (_, i) => create("permission", `acme/r${i}/team:dev`, { role: "read" }))

test("more than twenty alike are one line, unless they are asked for", () => {
  expect(body([...many, create("permission", "acme/x/team:dev", { role: "read" })]).split("\n")).toEqual([
    "acme",
    "  + 22 permission  role read  -v lists them"
  ])
  expect(body(many.slice(1)).split("\n")).toHaveLength(21)
  expect(
    body(many, {}, true)
      .split("\n")
      .filter((line) => line.startsWith("  +"))
  ).toHaveLength(21)
})

test("what destroys is always named", () => {
  const lines = body(Array.from({ length: 30 }, (_, i) => remove("repository", `acme/r${i}`, { destroys: "data" })))
  expect(lines.split("\n")).toHaveLength(31)
})

test("what was left out stands with its organization, is folded like extras, and is counted", () => {
  const left = [
    { action: "replace" as const, kind: "proxy-cache", key: "acme", reason: "it cannot change" },
    ...Array.from({ length: 21 }, (_, i) => ({
      action: "delete" as const,
      kind: "team",
      key: `acme/t${i}`,
      reason: "not in the file"
    }))
  ]
  const lines = (plan: Plan) => planText(plan, plain, { ...context, quiet: false, hints: false }).split("\n")
  const nothing = lines(planOf(target({ left, unchanged: 2 })))
  expect(nothing).toContain("  · proxy-cache acme  left out: would be replaced, it cannot change")
  expect(nothing).toContain("  · 21 team           left out: would be deleted, not in the file; -v lists them")
  expect(nothing).toContain("No changes but what is left out. 2 objects in 1 collection match acme.yaml. 22 left out.")
  expect(lines(planOf(target({ operations: [create("team", "acme/dev")], left })))).toContain(
    "Plan: 1 to create. 0 unchanged, 22 left out."
  )
})

test("extras and what cannot converge stand with their organization", () => {
  const lines = body([], {
    extras: [{ kind: "robot", key: "acme/legacy", reason: "not in the file; kept unless the file prunes it" }],
    stuck: [
      {
        kind: "robot",
        key: "acme/ci",
        changes: [{ field: "description", before: "Builds", after: "Builds and pushes" }],
        reason: "description cannot change after creation: a new robot account would have a new token",
        source: "acme.yaml:9"
      }
    ]
  })
  expect(lines.split("\n")).toEqual([
    "acme",
    "  ≠ robot ci  cannot converge  acme.yaml:9",
    '      description  "Builds" → "Builds and pushes"',
    "      description cannot change after creation: a new robot account would have a new token",
    "",
    "  · robot legacy  extra: not in the file; kept unless the file prunes it"
  ])
})

const ending = (plan: Plan, more: Partial<PlanContext> = {}) => planText(plan, plain, { ...context, ...more })

test("the summary says what it comes to", () => {
  const operations = [
    create("team", "acme/dev"),
    update("team", "acme/ops", [{ field: "role", before: "member", after: "admin" }]),
    remove("repository", "acme/old", { destroys: "data" }),
    remove("robot", "acme/ci", { destroys: "credential" })
  ]
  const extras = [{ kind: "robot", key: "acme/legacy", reason: "" }]
  expect(ending(planOf(target({ operations, extras, unchanged: 381 })))).toBe(
    "Plan: 1 to create, 1 to update, 2 to delete (1 destroys data, 1 destroys a credential). 381 unchanged, 1 extra.\n"
  )
})

test("no changes say what was checked", () => {
  expect(ending(planOf(target({ unchanged: 381 })))).toBe("No changes. 381 objects in 1 collection match acme.yaml.\n")
})

test("how to go on", () => {
  const plan = planOf(target({ operations: [create("team", "acme/dev")] }))
  const last = (more: Partial<PlanContext>) =>
    ending(plan, { quiet: false, ...more })
      .trimEnd()
      .split("\n")
      .slice(-2)
  expect(last({ hints: true })).toEqual(["digest sha256:0123", "Save it with -o plan.json, then  quay-apply plan.json"])
  expect(last({ hints: true, saved: "p.json" })).toEqual([
    "digest sha256:0123",
    "Saved. Apply it with  quay-apply p.json"
  ])
})

test("the header says where, what and at what cost", () => {
  const [head] = ending(planOf(target({})), { quiet: false, requests: 14, milliseconds: 900 }).split("\n")
  expect(head).toBe("quay-plan  https://quay.example.com  acme.yaml  1 collection, 14 requests, 900 ms")
})

test("several registries come one after the other", () => {
  const text = ending(
    planOf(target({ registry: "dr" }), target({ registry: "prod", operations: [create("team", "acme/dev")] })),
    { quiet: false }
  )
  expect(text).toContain("\n\ndr  https://quay.example.com  no changes\n\nprod  https://quay.example.com\n\nacme\n")
})

test("colours do not move anything", () => {
  const plan = planOf(target({ operations: [...many, remove("repository", "acme/old", { destroys: "data" })] }))
  const shown = { ...context, quiet: false }
  const text = planText(plan, coloured, shown)
  expect(text).toContain("\u001b[31m")
  expect(text.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9]+m`, "g"), "")).toBe(planText(plan, plain, shown))
})

test("says what a person should know of an object that nothing is done to", () => {
  const notices = [{ kind: "mirror", key: "acme/alpine", message: "password cannot be compared" }]
  expect(body([], { notices })).toBe("acme\n  i mirror alpine  password cannot be compared")
})
