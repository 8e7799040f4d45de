/** The plan as a document: the same text and digest for the same plan, and nothing malformed gets through reading it. */
import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import {
  type AnyOperation,
  assemble,
  type Declaration,
  decodePlan,
  encodePlan,
  type Found,
  type Plan,
  PlanUnreadable,
  planTarget,
  type TargetPlan
} from "../src/index.ts"
import { target } from "./arbitrary.ts"
import { application, CALLER, declare, found, kinds, member, organization, robot, team } from "./world.ts"

const acme = { organization: "acme" }
const there: ReadonlyArray<Found> = [
  found(organization, { name: "acme" }),
  found(team, { ...acme, name: "dev", role: "member", sync: { service: "ldap", groups: ["a"] } }),
  found(application, { ...acme, name: "app", url: "u" }),
  found(robot, { ...acme, name: "old" })
]
const declared: ReadonlyArray<Declaration> = [
  declare(team, { ...acme, name: "dev", role: "admin", sync: { service: "oidc", groups: ["b"] } }, "acme.yaml:3"),
  declare(robot, { ...acme, name: "ci" }, "acme.yaml:4"),
  declare(member, { ...acme, team: "dev", subject: "robot", name: "ci" }, "acme.yaml:5"),
  declare(application, { ...acme, name: "app", url: "v" })
]
const planned = (declarations = declared): TargetPlan =>
  planTarget(
    kinds,
    target,
    {
      declarations,
      scope: [
        { kind: "robot", parent: "acme", prune: true },
        { kind: "member", parent: "acme/dev", part: "robots" }
      ]
    },
    { found: there, read: [{ kind: "robot", parent: "acme" }], caller: CALLER }
  )
const plan = assemble([planned()], "1.0.0")
const text = encodePlan(plan)

/** Without verdicts: what is done to the operations here is nothing that a rule could understand. */
const digestOf = (...targets: ReadonlyArray<TargetPlan>): string =>
  assemble(
    targets.map((it) => ({ ...it, verdicts: [] })),
    "1.0.0"
  ).digest

const withFirst = (change: (operation: AnyOperation) => AnyOperation): TargetPlan => {
  const it = planned()
  return { ...it, operations: it.operations.map((operation, i) => (i === 0 ? change(operation) : operation)) }
}

const CREATED = "create:robot:acme/ci"
const gate = (id: string, ...needs: ReadonlyArray<string>) => ({ id, needs })
const withGates = (...gates: ReadonlyArray<ReturnType<typeof gate>>): TargetPlan => ({ ...planned(), gates })

describe("the digest", () => {
  const given = planned()

  it.each<{ name: string; given: TargetPlan; want: "the same" | "another" }>([
    {
      name: "where a source differs",
      given: withFirst((it) => ({ ...it, source: "elsewhere.yaml:99" })),
      want: "the same"
    },
    { name: "where a reason differs", given: withFirst((it) => ({ ...it, reason: "because" })), want: "the same" },
    { name: "where the registry is named differently", given: { ...given, registry: "prod" }, want: "the same" },
    {
      name: "where extras, scope or what is unchanged differ",
      given: { ...given, extras: [{ kind: "robot", key: "x", reason: "y" }], scope: [], unchanged: 9 },
      want: "the same"
    },
    {
      name: "where keys are in another order",
      given: {
        ...given,
        operations: given.operations.map((it) => ({ ...it, ...Object.fromEntries(Object.entries(it).reverse()) }))
      },
      want: "the same"
    },
    { name: "where the address differs", given: { ...given, url: "https://other.example.com" }, want: "another" },
    {
      name: "where an operation is missing",
      given: { ...given, operations: given.operations.slice(1) },
      want: "another"
    },
    {
      name: "where operations are in another order",
      given: { ...given, operations: [...given.operations].reverse() },
      want: "another"
    },
    {
      name: "where an operation needs something else",
      given: withFirst((it) => ({ ...it, needs: [] })),
      want: "another"
    },
    {
      name: "where the object differs",
      given: withFirst((it) => (it.action === "create" ? { ...it, after: { ...it.after, name: "eve" } } : it)),
      want: "another"
    },
    { name: "where there is a gate", given: withGates(gate("given:a", CREATED)), want: "another" },
    {
      name: "where an operation waits for another's effect",
      given: withFirst((it) => ({ ...it, impliedBy: "create:robot:acme/ci" })),
      want: "another"
    }
  ])("is $want $name", ({ given, want }) => {
    expect(digestOf(given) === plan.digest ? "the same" : "another").toBe(want)
  })

  it("is the same in whatever order the targets come, and another with one more", () => {
    const other = { ...planned(), registry: "zzz", url: "https://z.example.com" }
    expect(digestOf(planned(), other)).toBe(digestOf(other, planned()))
    expect(digestOf(planned(), other)).not.toBe(plan.digest)
  })

  it("changes with every field of every operation but its source and reason", () => {
    for (const [i, operation] of plan.targets[0]?.operations.entries() ?? []) {
      for (const field of Object.keys(operation)) {
        if (field === "source" || field === "reason") continue
        const operations = given.operations.map((it, at) => (at === i ? { ...it, [field]: "edited" } : it))
        expect([field, digestOf({ ...given, operations })]).not.toEqual([field, plan.digest])
      }
    }
  })
})

describe("the document", () => {
  it("reads back although an editor put a byte order mark before it, or ends its lines otherwise", () => {
    expect(decodePlan(kinds, `\ufeff${text}`)).toEqual(decodePlan(kinds, text))
    expect(decodePlan(kinds, text.replaceAll("\n", "\r\n"))).toEqual(decodePlan(kinds, text))
  })

  it("reads back as the plan it was made of", () => {
    expect(decodePlan(kinds, text)).toEqual(plan)
    expect(encodePlan(decodePlan(kinds, text))).toBe(text)
  })

  it("has the actions counted", () => {
    expect(plan.summary).toEqual({
      create: 2,
      update: 1,
      replace: 1,
      delete: 1,
      unchanged: 0,
      extras: 0,
      stuck: 0,
      left: 0,
      destroys: 2,
      blocked: 3
    })
  })

  it("is the same text whatever the order of the keys in an object", () => {
    const reversed = declared.map((it) => ({
      ...it,
      item: Object.fromEntries(
        Object.entries(it.item)
          .reverse()
          .map(([key, value]) => [
            key,
            typeof value === "object" ? Object.fromEntries(Object.entries({ ...value }).reverse()) : value
          ])
      )
    }))
    expect(encodePlan(assemble([planned(reversed)], "1.0.0"))).toBe(text)
  })

  it("ends with a line break", () => {
    expect(text.endsWith("}\n")).toBe(true)
  })
})

/** The document with one part replaced, and a digest that fits again if `resign` says so. */
const edited = (change: (plan: Plan) => unknown): string => JSON.stringify(change(plan))

const resigned = (change: (operation: AnyOperation) => AnyOperation): string =>
  encodePlan(assemble([{ ...planned(), operations: planned().operations.map(change) }], "1.0.0"))

const only = (id: string, change: (operation: AnyOperation) => AnyOperation) => (operation: AnyOperation) =>
  operation.id === id ? change(operation) : operation

const inOperation = (more: object) =>
  edited((it) => ({
    ...it,
    targets: it.targets.map((target) => ({
      ...target,
      operations: target.operations.map((operation) => ({ ...operation, ...more }))
    }))
  }))

describe("a document is not read", () => {
  const creation = "create:robot:acme/ci"
  it.each<{ name: string; given: string; want: RegExp }>([
    { name: "that is not JSON", given: "operations: []", want: /^The plan is not JSON\.$/ },
    { name: "that is empty", given: "", want: /^The plan is not JSON\.$/ },
    {
      name: "that is cut off",
      given: text.slice(0, -20),
      want: /^The plan is not JSON: it breaks at line \d+ column \d+\.$/
    },
    { name: "that is JSON, but no object", given: "[]", want: /^This is not a plan/ },
    { name: "that is null", given: "null", want: /^This is not a plan/ },
    {
      name: "of another format",
      given: edited((it) => ({ ...it, format: "quaymaster-plan/2" })),
      want: /format "quaymaster-plan\/2"; this version reads "quaymaster-plan\/1"/
    },
    {
      name: "without a format",
      given: edited(({ format: _format, ...it }) => it),
      want: /^This is not a plan: \/format/
    },
    { name: "with an unknown key", given: edited((it) => ({ ...it, extra: 1 })), want: /^This is not a plan: \/extra/ },
    {
      name: "with an unknown key in a target",
      given: edited((it) => ({ ...it, targets: it.targets.map((at) => ({ ...at, note: "" })) })),
      want: /^This is not a plan: \/targets\/0\/note/
    },
    {
      name: "with an unknown key in an operation",
      given: inOperation({ force: true }),
      want: /^This is not a plan: \/targets\/0\/operations\/0/
    },
    {
      name: "with an unknown action",
      given: inOperation({ action: "rename" }),
      want: /^This is not a plan: \/targets\/0\/operations\/0/
    },
    {
      name: "with a malformed digest",
      given: edited((it) => ({ ...it, digest: "sha256:no" })),
      want: /^This is not a plan: \/digest/
    },
    {
      name: "with another digest",
      given: edited((it) => ({ ...it, digest: `sha256:${"0".repeat(64)}` })),
      want: /it was edited/
    },
    {
      name: "with an edited operation",
      given: text.replace('"role": "admin"', '"role": "creator"'),
      want: /it was edited/
    },
    {
      name: "for another address",
      given: text.replace("quay.example.com", "quay.evil.example"),
      want: /it was edited/
    },
    {
      name: "with an edited summary",
      given: edited((it) => ({ ...it, summary: { ...it.summary, destroys: 0 } })),
      want: /it was edited/
    },
    {
      name: "with a key that only looks like a field",
      given: edited((it) => it).replace('"tool"', '"__proto__":{},"tool"'),
      want: /^This is not a plan: \/__proto__/
    },
    {
      name: "without what the guard said",
      given: edited((it) => ({ ...it, targets: it.targets.map((at) => ({ ...at, verdicts: [] })) })),
      want: /it was edited/
    },
    {
      name: "with a verdict that calls itself allowed",
      given: text.replace('"allowance": "destroy"', '"allowed": "--allow-destroy robot=1", "allowance": "destroy"'),
      want: /it was edited/
    },
    {
      name: "with an allowance that was written into it",
      given: text.replace('"allowances": {}', '"allowances": { "destroy": ["robot=1", "application=1"] }'),
      want: /it was edited/
    },
    {
      name: "that says nothing of a loss, with every digest made for it",
      given: encodePlan(assemble([{ ...planned(), verdicts: [] }], "1.0.0")),
      want: /contradicts itself: nothing says that robot acme\/old would be deleted/
    },
    {
      name: "with an object that is not its kind's",
      given: resigned(
        only("update:team:acme/dev", (it) =>
          it.action === "update" ? { ...it, after: { ...it.after, role: "king" } } : it
        )
      ),
      want: /update:team:acme\/dev is not one that the kind "team" understands/
    },
    {
      name: "with an id that is not the operation's",
      given: resigned(only("update:team:acme/dev", (it) => ({ ...it, id: "update:team:acme/x" }))),
      want: /contradicts itself: update:team:acme\/x is not what/
    },
    {
      name: "with a key that is not the object's",
      given: resigned(only("delete:robot:acme/old", (it) => ({ ...it, id: "delete:robot:acme/x", key: "acme/x" }))),
      want: /contradicts itself: delete:robot:acme\/x is not what/
    },
    {
      name: "with needs that are not in it",
      given: resigned(only(creation, (it) => ({ ...it, needs: ["create:robot:acme/ghost"] }))),
      want: /contradicts itself: create:robot:acme\/ci needs create:robot:acme\/ghost/
    },
    {
      name: "with needs that go round",
      given: resigned(only(creation, (it) => ({ ...it, needs: ["create:member:acme/dev/robot:ci"] }))),
      want: /contradicts itself: these operations need each other/
    },
    ...[
      { what: "a gate that needs a gate", gates: [gate("given:a", "given:b"), gate("given:b", CREATED)] },
      { what: "a gate that needs what is not in it", gates: [gate("given:a", "create:robot:acme/ghost")] }
    ].map(({ gates, what }) => ({
      name: `with ${what}`,
      given: encodePlan(assemble([withGates(...gates)], "1.0.0")),
      want: /contradicts itself: given:a needs .*, which is no operation of the plan/
    })),
    {
      name: "with a gate that is called like an operation",
      given: encodePlan(assemble([withGates(gate("create:robot:acme/other", CREATED))], "1.0.0")),
      want: /contradicts itself: create:robot:acme\/other is no gate's id/
    },
    {
      name: "with one gate twice",
      given: encodePlan(assemble([withGates(gate("given:a", CREATED), gate("given:a", CREATED))], "1.0.0")),
      want: /contradicts itself: two operations have one id, or two gates/
    },
    {
      name: "with one operation twice",
      given: encodePlan(
        assemble([{ ...planned(), operations: planned().operations.flatMap((it) => [it, it]) }], "1.0.0")
      ),
      want: /contradicts itself: two operations have one id, or two gates/
    }
  ])("$name", ({ given, want }) => {
    expect(() => decodePlan(kinds, given)).toThrow(PlanUnreadable)
    expect(() => decodePlan(kinds, given)).toThrow(want)
  })

  it.each<{ name: string; given: string; want: RegExp }>([
    {
      name: "that has a key twice",
      given: text.replace('"action"', '"action": "delete", "action"'),
      want: /a key twice/
    },
    {
      name: "that has a key twice in what a kind alone understands",
      given: text.replace('"role": "admin"', '"role": "member", "role": "admin"'),
      want: /a key twice/
    },
    {
      name: "that is nested without end",
      given: `{"format":${"[".repeat(1e6)}${"]".repeat(1e6)}}`,
      want: /deeper than 100/
    },
    {
      name: "with a number out of range",
      given: text.replace('"unchanged": 0', '"unchanged": 1e400'),
      want: /out of range/
    },
    { name: "with a number that is none", given: text.replace('"unchanged": 0', '"unchanged": NaN'), want: /not JSON/ },
    { name: "with less than nothing", given: text.replace('"unchanged": 0', '"unchanged": -1'), want: /unchanged/ },
    { name: "with a format as long as a book", given: JSON.stringify({ format: "x".repeat(1e6) }), want: /^.{0,300}$/ },
    {
      name: "with a path as long as a book",
      given: edited((it) => ({ ...it, ["x".repeat(1e6)]: 1 })),
      want: /^.{0,300}$/
    }
  ])("$name", ({ given, want }) => {
    expect(() => decodePlan(kinds, given)).toThrow(PlanUnreadable)
    expect(() => decodePlan(kinds, given)).toThrow(want)
  })

  it("and nothing of it told where it is another file than a plan", () => {
    expect(() => decodePlan(kinds, "s3cret-of-somebody")).toThrow(/^The plan is not JSON\.$/)
    try {
      decodePlan(kinds, '{"format": s3cret}')
    } catch (error) {
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("s3cret")
    }
  })

  it("where tens of thousands of operations need each other in a circle, of which no more is told than helps", () => {
    const count = 20_000
    const operations = Array.from(
      { length: count },
      (_, i): AnyOperation => ({
        id: `create:robot:acme/r${i}`,
        action: "create",
        kind: "robot",
        key: `acme/r${i}`,
        after: { organization: "acme", name: `r${i}` },
        needs: [`create:robot:acme/r${(i + 1) % count}`]
      })
    )
    const given = encodePlan(assemble([{ ...planned(), operations, verdicts: [] }], "1.0.0"))
    expect(() => decodePlan(kinds, given)).toThrow(
      /^The plan contradicts itself: these operations need each other.{0,300}$/
    )
  })

  it("by one that lacks the kinds it is about", () => {
    expect(() => decodePlan([organization, team], text)).toThrow(
      'operations on "member", a kind that is not known here'
    )
  })

  it("but harmless where a hostile key hides in an object", () => {
    const hostile = resigned(
      only(creation, (it) =>
        it.action === "create"
          ? {
              ...it,
              after: JSON.parse(
                '{"organization":"acme","name":"ci","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'
              )
            }
          : it
      )
    )
    expect(hostile).toContain("__proto__")
    const read = decodePlan(kinds, hostile)
    expect("polluted" in {}).toBe(false)
    const operation = read.targets[0]?.operations.find((it) => it.id === creation)
    expect(Object.hasOwn(operation?.action === "create" ? operation.after : {}, "__proto__")).toBe(true)
    expect(encodePlan(read)).toBe(hostile)
  })
})
