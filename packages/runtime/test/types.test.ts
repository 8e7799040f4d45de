/** What the types say: failures and services of several kinds are one union, and a plugin's show wherever its kind is used. */
import { type Entry, type Operation, type Section, section, type TargetPlan } from "@quaymaster/engine"
import { type TObject, Type } from "@sinclair/typebox"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import {
  type Checked,
  check,
  type Failure,
  type Kind,
  type PlanStale,
  read,
  recheck,
  type Services,
  type TargetReport,
  type Uniform,
  walk
} from "../src/index.ts"

class Quay extends Context.Service<Quay, { readonly names: Effect.Effect<ReadonlyArray<string>, QuayFailed> }>()(
  "@quaymaster/runtime/test/Quay"
) {}
class Vault extends Context.Service<Vault, { readonly store: (name: string) => Effect.Effect<void, VaultSealed> }>()(
  "@quaymaster/runtime/test/Vault"
) {}
class QuayFailed extends Data.TaggedError("QuayFailed")<{ readonly status: number }> {}
class VaultSealed extends Data.TaggedError("VaultSealed")<{ readonly path: string }> {}

const teamSchema = Type.Object({ name: Type.String() })
const secretSchema = Type.Object({ robot: Type.String(), length: Type.Optional(Type.Number()) })
const place = <Item>(): Section<Item> =>
  section({ under: "registry", name: "test", node: Type.Unknown(), read: (): ReadonlyArray<Entry<Item>> => [] })

const team: Kind<"team", typeof teamSchema, QuayFailed, Quay> = {
  kind: "team",
  schema: teamSchema,
  identity: ["name"],
  key: ({ name }) => name,
  collection: () => ({ parent: "acme" }),
  extras: "keep",
  section: place(),
  list: () => Effect.flatMap(Quay, (quay) => Effect.map(quay.names, (names) => names.map((name) => ({ name })))),
  create: () => Effect.void
}

const secret: Kind<"acme.robot-secret", typeof secretSchema, QuayFailed | VaultSealed, Vault> = {
  kind: "acme.robot-secret",
  schema: secretSchema,
  identity: ["robot"],
  key: ({ robot }) => robot,
  collection: () => ({ parent: "acme" }),
  extras: "keep",
  section: place(),
  list: () => Effect.succeed([]),
  create: ({ robot }) => Effect.flatMap(Vault, (vault) => vault.store(robot))
}

const kinds = [team, secret]
type Both = typeof team | typeof secret

const target: TargetPlan<Operation<Both>> = {
  registry: "test",
  url: "https://quay.example.com",
  scope: [],
  operations: [
    { id: "create:team:dev", action: "create", kind: "team", key: "dev", needs: [], after: { name: "dev" } },
    {
      id: "create:acme.robot-secret:ci",
      action: "create",
      kind: "acme.robot-secret",
      key: "ci",
      needs: ["create:team:dev"],
      after: { robot: "ci" }
    }
  ],
  extras: [],
  stuck: [],
  notices: [],
  left: [],
  verdicts: [],
  unchanged: 0
}

describe("the types", () => {
  it("know the failures and services of a kind, and of several as one union", () => {
    expectTypeOf<Failure<typeof team>>().toEqualTypeOf<QuayFailed>()
    expectTypeOf<Services<typeof team>>().toEqualTypeOf<Quay>()
    expectTypeOf<Failure<Both>>().toEqualTypeOf<QuayFailed | VaultSealed>()
    expectTypeOf<Services<Both>>().toEqualTypeOf<Quay | Vault>()
    expectTypeOf<Failure<(typeof kinds)[number]>>().toEqualTypeOf<QuayFailed | VaultSealed>()
  })

  it("show them wherever the kinds are used", () => {
    const request = { scope: [], declared: new Map() }
    expectTypeOf(Effect.asVoid(read(kinds, request))).toEqualTypeOf<
      Effect.Effect<void, QuayFailed | VaultSealed, Quay | Vault>
    >()
    expectTypeOf(read([team], request)).toEqualTypeOf<
      Effect.Effect<Effect.Success<ReturnType<typeof read>>, QuayFailed, Quay>
    >()
    expectTypeOf(check(kinds, [], undefined)).toEqualTypeOf<
      Effect.Effect<ReadonlyMap<string, Checked>, QuayFailed | VaultSealed, Quay | Vault>
    >()
    expectTypeOf(recheck(kinds, target, undefined)).toEqualTypeOf<
      Effect.Effect<ReadonlyMap<string, Checked>, QuayFailed | VaultSealed | PlanStale, Quay | Vault>
    >()
    expectTypeOf(walk(kinds, target, { workers: 1 })).toEqualTypeOf<Effect.Effect<TargetReport, never, Quay | Vault>>()
  })

  it("do not let a walk run without the services of its kinds", () => {
    const walking = walk(kinds, target, { workers: 1 })
    const half = Effect.provideService(walking, Quay, Quay.of({ names: Effect.succeed([]) }))
    expectTypeOf<Effect.Services<typeof half>>().toEqualTypeOf<Vault>()
    // @ts-expect-error the vault is missing
    const run = () => Effect.runPromise(half)
    expect(run).toBeTypeOf("function")
  })

  it("let code that is generic over kinds name both", () => {
    const generic = <K extends Kind, E = Failure<K>, R = Services<K>>(
      some: ReadonlyArray<Uniform<K, E, R>>
    ): Effect.Effect<number, E, R> =>
      Effect.map(read(some, { scope: [], declared: new Map() }), ({ found }) => found.length)
    expectTypeOf(generic(kinds)).toEqualTypeOf<Effect.Effect<number, QuayFailed | VaultSealed, Quay | Vault>>()
    expectTypeOf<Uniform<Both>>().toExtend<Kind<string, TObject, QuayFailed | VaultSealed, Quay | Vault>>()
  })

  it("refuse an operation whose objects are not the kind's", () => {
    const wrong: Operation<Both> = {
      id: "create:team:dev",
      action: "create",
      kind: "team",
      key: "dev",
      needs: [],
      // @ts-expect-error a team has no robot
      after: { robot: "ci" }
    }
    expect(wrong.kind).toBe("team")
  })
})

describe("services", () => {
  it("reach the methods of each kind", async () => {
    const stored: Array<string> = []
    const vault = Vault.of({
      store: (name) =>
        Effect.sync(() => {
          stored.push(name)
        })
    })
    const report = await Effect.runPromise(
      walk(kinds, target, { workers: 2 }).pipe(
        Effect.provideService(Vault, vault),
        Effect.provideService(Quay, Quay.of({ names: Effect.succeed([]) }))
      )
    )
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied", "applied"])
    expect(stored).toEqual(["ci"])
  })
})
