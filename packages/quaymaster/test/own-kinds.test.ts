// Kinds of one's own: written with promises, with Effect and a service, and loaded as plugins from quaymaster.yaml. What the
// compiler knows of them is held here, too.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { describe, expect, expectTypeOf, test } from "vitest"
import {
  type Connection,
  type Failure as CoreFailure,
  checkRegistry,
  connect,
  type Kind,
  loadProject,
  planRegistry,
  type Quay,
  type QuayKind,
  quayKinds,
  walkRegistry
} from "../src/effect.ts"
import {
  type ApplyOptions,
  apply,
  type Change,
  ConfigError,
  defineKind,
  encodePlan,
  type Failure,
  KindFailed,
  type LibraryKind,
  type LibraryPlan,
  loadPlugins,
  loadSettings,
  mapSection,
  organizationSchema,
  type PlanBlocked,
  PluginFailed,
  plan,
  readPlan
} from "../src/index.ts"
import { rejection, scene, simulated } from "./harness.ts"

const schema = Type.Object({
  organization: Type.String(),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  client_id: Type.Optional(Type.String())
})

const under = mapSection({
  under: "organization",
  name: "acme.applications",
  names: { pattern: "^[a-z]+$", description: "lower-case letters" },
  fields: { description: Type.Optional(Type.String()) },
  description: "OAuth applications, by name.",
  read: (name, entry, organization) => ({ organization, name, ...entry })
})

const APPLICATIONS = "/api/v1/organization/{orgname}/applications"

/** OAuth applications, as a plugin's author would write them. */
const application = defineKind({
  kind: "acme.application",
  schema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [{ kind: "organization", key: organization, parent: organization, cascades: true }],
  extras: "keep",
  destroys: "credential",
  section: under,
  list: async (collections, { quay }) => {
    const found = collections.map(async ({ parent }) => {
      const { applications } = await quay
        .GET(APPLICATIONS, { params: { path: { orgname: parent } } })
        // Who asks of an organization that is not there learns no more than that there is nothing.
        .catch((error: unknown) => {
          if (error instanceof Error && error.name === "Missing") return { applications: [] }
          throw error
        })
      return applications.map(({ client_id, description, name }) => ({
        organization: parent,
        name,
        description: description ?? "",
        ...(client_id === undefined ? {} : { client_id })
      }))
    })
    return (await Promise.all(found)).flat()
  },
  create: async ({ description, name, organization }, { quay }) => {
    await quay.POST(APPLICATIONS, {
      params: { path: { orgname: organization } },
      body: { name, description: description ?? "", redirect_uri: "", application_uri: "" }
    })
  },
  update: async (after, before, changes, { quay }) => {
    expectTypeOf(changes).toEqualTypeOf<ReadonlyArray<Change>>()
    if (before.client_id === undefined) throw new Error(`${before.name} has no id`)
    await quay.PUT(`${APPLICATIONS}/{client_id}`, {
      params: { path: { orgname: after.organization, client_id: before.client_id } },
      body: { name: after.name, description: after.description ?? "", redirect_uri: "", application_uri: "" }
    })
  },
  delete: async ({ client_id = "", organization }, { quay }) => {
    await quay.DELETE(`${APPLICATIONS}/{client_id}`, { params: { path: { orgname: organization, client_id } } })
  }
})

const wanting = (description: string) => ({ "acme.applications": { portal: { description } } })

describe("a kind written with promises", () => {
  scene("is planned and applied beside the built-in ones, and stands in the same file", async (it) => {
    const options = { ...it.options, kinds: [application] }
    const planned = (organization: object) => plan({ ...options, organizations: [it.value(organization)] })
    const ids = (made: LibraryPlan<typeof application>) =>
      made.targets.flatMap(({ operations }) => operations.map(({ id }) => id))
    const first = await planned({ robots: { ci: {} }, ...wanting("one") })
    expect(ids(first)).toEqual([
      `create:acme.application:${it.org}/portal`,
      `create:organization:${it.org}`,
      `create:robot:${it.org}/ci`
    ])
    expect((await apply(first, options)).outcome).toBe("applied")
    expect(ids(await planned(wanting("one")))).toEqual([])
    const second = readPlan(encodePlan(await planned(wanting("two"))), { kinds: [application] })
    expect(ids(second)).toEqual([`update:acme.application:${it.org}/portal`])
    expect((await apply(second, options)).outcome).toBe("applied")
    expect((await planned({ "acme.applications": {} })).summary).toMatchObject({ delete: 0, extras: 1 })
    const third = await planned({ prune: ["acme.applications"], "acme.applications": {} })
    expect(third.summary).toMatchObject({ delete: 1, destroys: 1 })
    const allow = { destroy: [`acme.application:${it.org}/portal`] }
    expect((await apply(third, { ...options, allow })).outcome).toBe("applied")
    expect(ids(await planned({ "acme.applications": {} }))).toEqual([])
  })

  scene("is unknown to a file and to a plan where it is not given", async (it) => {
    const organizations = [it.value(wanting("one"))]
    expect(await rejection(plan({ ...it.options, organizations }))).toBeInstanceOf(ConfigError)
    const made = await plan({ ...it.options, kinds: [application], organizations })
    expect(() => readPlan(encodePlan(made))).toThrow(/plugin missing/)
  })

  test("has its section in the schema of files", () => {
    const knows = (schema: object) => JSON.stringify(schema).includes('"acme.applications"')
    expect([knows(organizationSchema([application])), knows(organizationSchema())]).toEqual([true, false])
  })

  scene("that rejects is a failure with its name and its cause", async (it) => {
    const cause = new RangeError("the vault is sealed")
    const broken = defineKind({
      ...definition,
      list: () => Promise.reject(cause),
      create: () => Promise.reject(cause)
    })
    const organizations = [it.value(wanting("one"))]
    const error = await rejection(plan({ ...it.options, kinds: [broken], organizations }))
    expect(error).toBeInstanceOf(KindFailed)
    expect(error).toMatchObject({ kind: "acme.application", message: "the vault is sealed", cause })
    const half = defineKind({ ...definition, create: () => Promise.reject(cause) })
    const made = await plan({ ...it.options, kinds: [half], organizations })
    const report = await apply(made, { ...it.options, kinds: [half] })
    expect(report.outcome).toBe("partial")
    expect(report.targets[0]?.results[0]).toMatchObject({
      outcome: "failed",
      error: "the vault is sealed",
      tag: "KindFailed"
    })
  })

  simulated("passes Quay's errors on as they are, and repeats what may be repeated", async (it) => {
    const organizations = [it.value(wanting("one"))]
    const options = { ...it.options, kinds: [application] }
    await apply(await plan({ ...options, organizations }), options)
    const on = `GET ${APPLICATIONS}`
    it.simulator.faults.add({ on, times: 1, effect: { kind: "bad-gateway" } })
    expect((await plan({ ...options, organizations })).summary.unchanged).toBe(2)
    it.simulator.faults.add({ on, effect: { kind: "login-page" } })
    expect(await rejection(plan({ ...options, organizations }))).toMatchObject({ _tag: "DecodeError" })
  })

  simulated("is told when nobody waits any more", async (it) => {
    const signals: Array<AbortSignal> = []
    const slow = defineKind({
      ...definition,
      list: (_collections, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      }
    })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error("enough")), 50)
    const organizations = [it.value(wanting("one"))]
    await rejection(plan({ ...it.options, kinds: [slow], organizations, signal: controller.signal }))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  test("shows in the types of the plan's operations, of what a failure can be, and of what apply takes", () => {
    const look = (made: LibraryPlan<typeof application>) => {
      for (const operation of made.targets.flatMap(({ operations }) => operations)) {
        if (operation.kind === "acme.application" && operation.action === "update")
          expectTypeOf(operation.before.client_id).toEqualTypeOf<string | undefined>()
        if (operation.kind === "team" && operation.action === "create")
          expectTypeOf(operation.after.role).toEqualTypeOf<"member" | "creator" | "admin" | undefined>()
        // @ts-expect-error: there is no such kind
        if (operation.kind === "acme.other") return
      }
    }
    expectTypeOf(look).toBeFunction()
    expectTypeOf(plan<typeof application>).returns.resolves.toEqualTypeOf<LibraryPlan<typeof application>>()
    expectTypeOf<KindFailed>().toExtend<Failure>()
    expectTypeOf<typeof application>().toExtend<LibraryKind>()
    expectTypeOf<ApplyOptions<typeof application>["kinds"]>().toEqualTypeOf<
      ReadonlyArray<typeof application> | undefined
    >()
    // @ts-expect-error: what list resolves to must be what the schema says
    const wrong = () => defineKind({ ...definition, list: () => Promise.resolve([{ name: 1 }]) })
    expectTypeOf(wrong).toBeFunction()
  })
})

/** The definition again, as `defineKind` takes it. */
const definition = {
  kind: "acme.application",
  schema,
  identity: ["organization", "name"],
  key: ({ name, organization }: { readonly name: string; readonly organization: string }) => `${organization}/${name}`,
  collection: ({ organization }: { readonly organization: string }) => ({ parent: organization }),
  extras: "keep",
  section: under,
  list: () => Promise.resolve([]),
  create: () => Promise.resolve()
} as const

class VaultSealed extends Data.TaggedError("VaultSealed")<{ readonly path: string }> {}

/** A service that is none of ours. */
class Vault extends Context.Service<
  Vault,
  {
    readonly names: Effect.Effect<ReadonlyArray<string>, VaultSealed>
    readonly put: (name: string) => Effect.Effect<void, VaultSealed>
  }
>()("quaymaster/test/Vault") {}

const secretSchema = Type.Object({ organization: Type.String(), name: Type.String() })

const secret: Kind<"acme.secret", typeof secretSchema, VaultSealed, Vault> = {
  kind: "acme.secret",
  schema: secretSchema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ name, organization }) => [{ kind: "robot", key: `${organization}/${name}`, parent: organization }],
  consults: ({ parent }) => [{ kind: "robot", parent }],
  extras: "keep",
  section: mapSection({
    under: "organization",
    name: "acme.secrets",
    names: { pattern: "^[a-z]+$", description: "lower-case letters" },
    fields: {},
    description: "Robots whose tokens are put into the vault.",
    read: (name, _entry, organization) => ({ organization, name })
  }),
  list: (collections) =>
    Effect.flatMap(Vault, (vault) =>
      Effect.map(vault.names, (names) =>
        collections.flatMap(({ parent }) =>
          names
            .filter((name) => name.startsWith(`${parent}/`))
            .map((name) => ({ organization: parent, name: name.slice(parent.length + 1) }))
        )
      )
    ),
  create: ({ name, organization }) => Effect.flatMap(Vault, (vault) => vault.put(`${organization}/${name}`))
}

describe("a kind written with Effect, with a service of its own", () => {
  const kinds = [...quayKinds, secret] as const
  type Kinds = (typeof kinds)[number]

  scene("is read and walked with the others, with the service provided", async (it) => {
    const kept = new Set<string>()
    const vault = {
      names: Effect.sync(() => [...kept]),
      put: (name: string) => Effect.sync(() => void kept.add(name))
    }
    const organizations = [it.value({ robots: { ci: {} }, "acme.secrets": { ci: {} } })]
    const { targets } = await loadProject<Kinds>(kinds, { ...it.options, organizations })
    const work = Effect.gen(function* () {
      for (const { desired, registry } of targets) {
        const connection = yield* connect(registry, it.options)
        const made = yield* planRegistry<Kinds>(kinds, connection, desired)
        const checked = yield* checkRegistry<Kinds>(kinds, connection, made)
        const report = yield* walkRegistry<Kinds>(kinds, connection, made, { checked })
        const again = yield* planRegistry<Kinds>(kinds, connection, desired)
        return { made, report, again }
      }
      return undefined
    })
    const done = await Effect.runPromise(Effect.scoped(Effect.provideService(work, Vault, vault)))
    expect(done?.made.operations.map(({ id }) => id)).toEqual([
      `create:acme.secret:${it.org}/ci`,
      `create:organization:${it.org}`,
      `create:robot:${it.org}/ci`
    ])
    expect(done?.report.results.map(({ outcome }) => outcome)).toEqual(["applied", "applied", "applied"])
    expect(done?.again.operations).toEqual([])
    expect([...kept]).toEqual([`${it.org}/ci`])
  })

  test("shows the service and the failure in the types of planRegistry and walkRegistry", () => {
    const desired = { declarations: [], scope: [] }
    const target = {
      registry: "r",
      url: "u",
      scope: [],
      operations: [],
      extras: [],
      stuck: [],
      notices: [],
      left: [],
      verdicts: [],
      unchanged: 0
    }
    const planning = (connection: Connection) => planRegistry<Kinds>(kinds, connection, desired)
    const walking = (connection: Connection) => walkRegistry<Kinds>(kinds, connection, target)
    expectTypeOf<Effect.Services<ReturnType<typeof planning>>>().toEqualTypeOf<Vault>()
    expectTypeOf<Effect.Services<ReturnType<typeof walking>>>().toEqualTypeOf<Vault>()
    expectTypeOf<VaultSealed>().toExtend<Effect.Error<ReturnType<typeof planning>>>()
    expectTypeOf<Effect.Error<ReturnType<typeof walking>>>().toEqualTypeOf<PlanBlocked>()
    const ours = (connection: Connection) => planRegistry<QuayKind, CoreFailure, Quay>(quayKinds, connection, desired)
    expectTypeOf<Effect.Services<ReturnType<typeof ours>>>().toEqualTypeOf<never>()
    // @ts-expect-error: the vault is not provided
    const incomplete = (connection: Connection) => Effect.runPromise(planning(connection))
    expectTypeOf(incomplete).toBeFunction()
  })
})

describe("plugins", () => {
  const PLUGIN = `export default {
    kind: "acme.note", schema: { type: "object", properties: {} }, identity: ["name"], extras: "keep",
    key: (it) => it.name, collection: () => ({ parent: "" }), list: () => [], create: () => undefined,
    section: { under: "registry", name: "note", schema: () => ({}), read: () => [] }
  }\n`

  scene("are loaded from quaymaster.yaml, beside it and from packages, by default export or as a list", async (it) => {
    await it.file("plugins/one.mjs", PLUGIN)
    await it.file(
      "plugins/two.mjs",
      PLUGIN.replace("export default", "export const kinds = [").replace(/\}\n$/, "}]\n")
    )
    await it.file(
      "node_modules/quaymaster-notes/package.json",
      '{ "name": "quaymaster-notes", "main": "index.js", "type": "module" }'
    )
    await it.file("node_modules/quaymaster-notes/index.js", PLUGIN)
    await it.file("quaymaster.yaml", "plugins: [./plugins/one.mjs, ./plugins/two.mjs, quaymaster-notes]\n")
    const kinds = await loadPlugins(await loadSettings({ cwd: join(it.directory, "plugins") }))
    expect(kinds.map(({ kind }) => kind)).toEqual(["acme.note", "acme.note", "acme.note"])
  })

  for (const [what, text, words] of [
    ["is not there", undefined, /cannot be loaded/],
    ["does not parse", "export default {", /cannot be loaded/],
    ["throws", 'throw new Error("no vault here")', /no vault here/],
    ["exports nothing", "export {}", /exports no kind/],
    ["exports something else", "export default { kind: 'acme.note' }", /exports no kind/]
  ] as const)
    scene(`one that ${what} is refused by name`, async (it) => {
      if (text !== undefined) await writeFile(join(it.directory, "plugin.mjs"), text)
      await it.file("quaymaster.yaml", "plugins: [./plugin.mjs]\n")
      const error = await rejection(loadPlugins(await loadSettings({ cwd: it.directory })))
      expect(error).toBeInstanceOf(PluginFailed)
      expect(String(error)).toMatch(words)
      expect(String(error)).toContain("plugin.mjs")
    })
})
