/** What kinds of policies ask of the engine: requirements of collections and of fields, the old gone before the new, last words. */
import { type Static, Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import { type Actual, type Desired, type Kind, type Offers, planTarget, preflight, section } from "../src/index.ts"

const schema = Type.Object({
  organization: Type.String(),
  method: Type.String(),
  pattern: Type.Optional(Type.String())
})
type Policy = Static<typeof schema>

const policy: Kind<"policy", typeof schema> = {
  kind: "policy",
  schema,
  identity: ["organization", "method", "pattern"],
  key: ({ method, organization }) => `${organization}/${method}`,
  collection: ({ organization }) => ({ parent: organization }),
  follows: ({ organization }) => [{ kind: "policy", parent: organization }],
  extras: "remove",
  requires: {
    feature: "POLICIES",
    operation: "createPolicy",
    since: "3.10",
    fields: { pattern: { accepts: "Policy.pattern", since: "3.13" } },
    several: { accepts: "Policy.pattern", since: "3.13" }
  },
  leaves: ({ method }) => [`what ${method} did stays`],
  section: section({ under: "registry", name: "policies", node: Type.Unknown(), read: () => [] }),
  list: () => [],
  create: () => {},
  delete: () => {}
}

const wanting = (...policies: ReadonlyArray<Omit<Policy, "organization">>): Desired<typeof policy> => ({
  declarations: policies.map((it, i) => ({
    kind: "policy",
    item: { organization: "acme", ...it },
    source: `acme.yaml:${i + 1}`
  })),
  scope: [{ kind: "policy", parent: "acme" }]
})

const having = (...methods: ReadonlyArray<string>): Actual => ({
  found: methods.map((method) => ({ kind: "policy", item: { organization: "acme", method } })),
  read: [{ kind: "policy", parent: "acme" }]
})

const offering = (accepted: ReadonlyArray<string>, served: ReadonlyArray<string> = ["createPolicy"]): Offers => ({
  feature: () => true,
  serves: (operation) => served.includes(operation),
  accepts: (field) => accepted.includes(field),
  options: () => undefined
})

describe("what a registry must offer", () => {
  const problems = (desired: Desired<typeof policy>, offers: Offers) => preflight([policy], desired, offers)

  it("is asked of a field, and of a collection with more than one object", () => {
    const two = wanting({ method: "count" }, { method: "age", pattern: "^v" })
    expect(problems(two, offering(["Policy.pattern"]))).toEqual([])
    expect(problems(two, offering([]))).toEqual([
      {
        message: "pattern of policy acme/age: it came with Quay 3.13, and this registry does not know it.",
        source: "acme.yaml:2"
      },
      {
        message: "more than one of policies of acme: it came with Quay 3.13, and this registry does not know it.",
        source: "acme.yaml:2"
      }
    ])
    expect(problems(wanting({ method: "count" }), offering([]))).toEqual([])
  })

  it("is told once for the kind where all of it is missing", () => {
    expect(problems(wanting({ method: "count" }, { method: "age" }), offering([], []))).toEqual([
      {
        message: "policies of acme: it came with Quay 3.10, and this registry does not serve it.",
        source: "acme.yaml:1"
      }
    ])
  })
})

describe("a kind that follows its own collection", () => {
  const planned = planTarget(
    [policy],
    { registry: "r", url: "u" },
    wanting({ method: "b" }, { method: "c" }),
    having("a")
  )

  it("is made when what goes from it is gone, and waits for nothing else of it", () => {
    expect(planned.operations.map(({ id, needs }) => ({ id, needs }))).toEqual([
      { id: "create:policy:acme/b", needs: ["delete:policy:acme/a"] },
      { id: "create:policy:acme/c", needs: ["delete:policy:acme/a"] },
      { id: "delete:policy:acme/a", needs: [] }
    ])
  })

  it("has last words for what is deleted", () => {
    expect(planned.notices).toEqual([{ kind: "policy", key: "acme/a", message: "what a did stays" }])
  })
})
