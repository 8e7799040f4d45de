/** What the compiler knows of operations: tests that fail when the types do, although nothing here need run. */
import { Type } from "@sinclair/typebox"
import { describe, expect, expectTypeOf, it } from "vitest"
import {
  type Change,
  type Declaration,
  type Desired,
  decodePlan,
  type Kind,
  type Operation,
  type PlanOf,
  planTarget,
  type TargetPlan
} from "../src/index.ts"
import { kinds, robot, team } from "./world.ts"

type Team = typeof team
type Robot = typeof robot

const secretSchema = Type.Object({ robot: Type.String(), path: Type.String(), rotations: Type.Integer() })
const secret: Kind<"acme.robot-secret", typeof secretSchema> = {
  kind: "acme.robot-secret",
  schema: secretSchema,
  identity: ["robot"],
  key: (item) => item.robot,
  collection: () => ({ parent: "" }),
  extras: "remove",
  section: { under: "registry", name: "secrets", schema: () => Type.Unknown(), read: () => [] },
  list: () => [],
  create: () => {}
}

interface TeamItem {
  organization: string
  name: string
  role?: "member" | "creator" | "admin"
  description?: string
  sync?: { service?: string; groups?: string[] }
}

describe("the types", () => {
  it("tell an operation's objects by its kind and action", () => {
    const look = (operation: Operation<Team | Robot>) => {
      expectTypeOf(operation.kind).toEqualTypeOf<"team" | "robot">()
      if (operation.kind === "team" && operation.action === "update") {
        expectTypeOf(operation.before).toEqualTypeOf<TeamItem>()
        expectTypeOf(operation.after.role).toEqualTypeOf<"member" | "creator" | "admin" | undefined>()
        expectTypeOf(operation.changes).toEqualTypeOf<ReadonlyArray<Change>>()
        // @ts-expect-error: an update takes nothing along
        operation.cascades
      }
      if (operation.kind === "robot" && operation.action === "create") {
        expectTypeOf(operation.after.description).toEqualTypeOf<string | undefined>()
        // @ts-expect-error: a robot has no role
        operation.after.role
        // @ts-expect-error: there is nothing before a creation
        operation.before
      }
      if (operation.action === "delete") {
        expectTypeOf(operation.cascades).toEqualTypeOf<ReadonlyArray<string>>()
        // @ts-expect-error: there is nothing after a deletion
        operation.after
      }
    }
    expect(look).toBeTypeOf("function")
  })

  it("refuse a declaration that its kind does not know", () => {
    const good: Declaration<Team> = { kind: "team", item: { organization: "acme", name: "dev", role: "admin" } }
    // @ts-expect-error: no such role
    const role: Declaration<Team> = { kind: "team", item: { organization: "acme", name: "dev", role: "king" } }
    // @ts-expect-error: no such field
    const field: Declaration<Team> = { kind: "team", item: { organization: "acme", name: "dev", visibility: "public" } }
    // @ts-expect-error: a name is missing
    const name: Declaration<Team> = { kind: "team", item: { organization: "acme" } }
    // @ts-expect-error: not among the kinds
    const kind: Declaration<Team> = { kind: "robot", item: { organization: "acme", name: "ci" } }
    const item = { organization: "acme", name: "ci" }
    // @ts-expect-error: a team's field, for a robot
    const mixed: Declaration<Team | Robot> = { kind: "robot", item: { ...item, role: "admin" } }
    expect([good, role, field, name, kind, mixed]).toHaveLength(6)
  })

  it("let what is declared for some kinds be planned", () => {
    const desired: Desired<Team | Robot> = { declarations: [], scope: [] }
    const plan = planTarget([team, robot], { registry: "", url: "" }, desired, { found: [], read: [] })
    expectTypeOf(plan).toEqualTypeOf<TargetPlan<Operation<Team | Robot>>>()
    expect(plan.operations).toEqual([])
  })

  it("have the operations of a plugin's kind in the plan", () => {
    const all = [...kinds, secret]
    type All = (typeof all)[number]
    expectTypeOf(decodePlan<All>).returns.toEqualTypeOf<PlanOf<All>>()
    type Ours = Extract<PlanOf<All>["targets"][number]["operations"][number], { readonly kind: "acme.robot-secret" }>
    type Made = Extract<Ours, { readonly action: "create" }>
    expectTypeOf<Made["after"]>().toEqualTypeOf<{ robot: string; path: string; rotations: number }>()
    expectTypeOf<Ours["action"]>().toEqualTypeOf<"create" | "update" | "replace" | "delete">()
    expectTypeOf<Made["after"]>().not.toBeAny()
    expect(all).toContain(secret)
  })

  it("take a kind of its own items for a kind of any", () => {
    expectTypeOf<Team>().toExtend<Kind>()
    expectTypeOf<typeof secret>().toExtend<Kind>()
    expectTypeOf<Operation<Kind>["kind"]>().toEqualTypeOf<string>()
    expect(secret.update).toBeUndefined()
  })
})
