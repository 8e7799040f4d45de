// Answers of a registry that are damaged: real ones of the simulator, with a field dropped, a type changed, an item twice, a
// page instead of data, another list's answer … Whatever comes, planning fails with an error of ours, or makes a plan that
// takes nothing away that an undamaged reading would have left.
import { readFile } from "node:fs/promises"
import { decode } from "@quaymaster/config"
import { indexKinds, type Kind } from "@quaymaster/engine"
import { makeQuay, type QuayKind, quayKinds } from "@quaymaster/kinds"
import { makeLimiter, read } from "@quaymaster/runtime"
import { createQuayClient } from "@quaymaster/sdk"
import { createSimulator, type Simulator, seededRandom } from "@quaymaster/simulator"
import { corpus, fuzzing, fuzzTime } from "@quaymaster/testing/fuzz"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import {
  assemble,
  type Connection,
  checkRegistry,
  decodePlan,
  encodePlan,
  type Failure,
  type loadProject,
  type PlanOf,
  planRegistry,
  Quay,
  walkRegistry
} from "../src/effect.ts"
import { type Damage, damaged, damages } from "./mangle.ts"

const RUNS = 300

const TARGET = { name: "r", url: "http://simulator.invalid", verify: true }
const EXAMPLE = new URL("../../../examples/enterprise/orgs/", import.meta.url)
const CORPUS = new URL("corpus/answers/", import.meta.url).pathname
const everything = quayKinds.map(({ kind }) => `${kind}=999`)
const ALLOWED = { deletes: everything, destroy: everything, lockout: everything }

/** What is instead of an answer. */
type Instead =
  | { readonly instead: "damage"; readonly damages: ReadonlyArray<Damage> }
  /** What another request was answered, by number. */
  | { readonly instead: "other"; readonly other: number }
  | { readonly instead: "text"; readonly text: string }
  | { readonly instead: "status"; readonly status: number; readonly text: string }
  /** One page for ever: with the same token, or with another each time. */
  | { readonly instead: "pages"; readonly token: "same" | "new" }

/** Which request is answered otherwise, by number. */
type Mangling = Instead & { readonly request: number }

const instead: fc.Arbitrary<Instead> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      instead: fc.constant("damage" as const),
      damages: fc.array(damages, { minLength: 1, maxLength: 3 })
    })
  },
  { weight: 1, arbitrary: fc.record({ instead: fc.constant("other" as const), other: fc.nat(500) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      instead: fc.constant("text" as const),
      text: fc.constantFrom(
        "",
        "null",
        "[]",
        "{}",
        "7",
        '""',
        "{",
        "<!doctype html><title>x</title>",
        "[".repeat(20_000)
      )
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      instead: fc.constant("status" as const),
      status: fc.constantFrom(204, 302, 400, 401, 403, 404, 405),
      text: fc.constantFrom(
        "",
        "<html>",
        '{"message": "no"}',
        '{"detail": "Not Found", "status": 404}',
        "[[[",
        '{"message": {"a": {}}}'
      )
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      instead: fc.constant("pages" as const),
      token: fc.constantFrom("same" as const, "new" as const)
    })
  }
)

const manglings: fc.Arbitrary<Mangling> = fc.tuple(fc.nat(500), instead).map(([request, it]) => ({ ...it, request }))

/** Answers of an undamaged reading by their requests, in order. */
const recorded = new Map<string, { readonly status: number; readonly text: string }>()
/** What is there, and what an undamaged reading would take away. */
const there = new Set<string>()
let takenAway: ReadonlySet<string> = new Set()
let targets: Awaited<ReturnType<typeof loadProject<QuayKind>>>["targets"] = []

const keyOf = (request: Request): string => {
  const { pathname, search } = new URL(request.url)
  return `${request.method} ${pathname}${search}`
}

type Answer = (request: Request) => Response | Promise<Response>

const connectionOver = (fetch: Answer): Connection => {
  const client = createQuayClient({ url: TARGET.url, token: "t", fetch: async (request) => await fetch(request) })
  const quay = makeQuay({
    registry: { name: TARGET.name, url: TARGET.url },
    client,
    limiter: makeLimiter(),
    caller: "me",
    secret: () => Promise.resolve("https://hooks.example.com/secret")
  })
  return {
    registry: TARGET,
    caller: "me",
    quay,
    stillUs: Effect.void
  }
}

const planned = (fetch: Answer) =>
  Effect.forEach(targets, ({ desired }) =>
    planRegistry<QuayKind, Failure, Quay>(quayKinds, connectionOver(fetch), desired)
  )

const ok = (text: string): Response => new Response(text, { headers: { "content-type": "application/json" } })

const answering =
  (mangling: Mangling | undefined): Answer =>
  (request) => {
    const key = keyOf(request)
    const keys = [...recorded.keys()]
    const answer = recorded.get(key)
    const [chosen] = mangling === undefined ? [] : [keys[mangling.request % keys.length]]
    const first = key.replace(/[?&]next_page=[^&]*/, "")
    if (mangling === undefined || first !== chosen) {
      if (answer === undefined) return new Response('{"detail": "Not Found", "status": 404}', { status: 404 })
      return answer.status === 204
        ? new Response(null, { status: 204 })
        : new Response(answer.text, { ...ok(""), ...answer, headers: { "content-type": "application/json" } })
    }
    const own = recorded.get(chosen)?.text ?? ""
    switch (mangling.instead) {
      case "damage":
        return ok(JSON.stringify(damaged(own === "" ? undefined : JSON.parse(own), mangling.damages)) ?? "")
      case "other":
        return ok(recorded.get(keys[mangling.other % keys.length] ?? "")?.text ?? "")
      case "text":
        return ok(mangling.text)
      case "status":
        return new Response([204, 205, 304].includes(mangling.status) ? null : mangling.text, {
          status: mangling.status,
          headers: {
            "content-type": mangling.text.startsWith("<") ? "text/html" : "application/json",
            location: "http://elsewhere.example/x"
          }
        })
      case "pages": {
        const value: unknown = own === "" ? {} : JSON.parse(own)
        const next_page = mangling.token === "same" ? "again" : `${Math.random()}`
        return ok(
          JSON.stringify(
            typeof value === "object" && value !== null && !Array.isArray(value)
              ? { ...value, next_page, has_additional: true }
              : value
          )
        )
      }
    }
  }

/** What a plan takes away, by the addresses of the objects. */
const takes = (plans: ReadonlyArray<Effect.Success<ReturnType<typeof planned>>[number]>): ReadonlyArray<string> =>
  plans.flatMap(({ operations }) =>
    operations.flatMap(({ action, key, kind }) =>
      action === "delete" || action === "replace" ? [`${kind}:${key}`] : []
    )
  )

const tagOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined

const TAGS = new Set([
  ...["Unauthenticated", "Forbidden", "Missing", "Exists", "Invalid", "FeatureOff", "Redirected", "DecodeError"],
  ...["NotAdministrator", "PlanRefused", "IdentityChanged", "SecretUnavailable"]
])

let outcomes = { failed: 0, planned: 0 }

const hold = async (mangling: Mangling): Promise<void> => {
  const exit = await Effect.runPromiseExit(planned(answering(mangling)))
  if (Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause)
    if (Cause.hasDies(exit.cause) || !TAGS.has(String(tagOf(error))))
      throw new Error("not an error of ours", { cause: error })
    outcomes.failed++
    return
  }
  outcomes.planned++
  const wrong = takes(exit.value).filter((it) => there.has(it) && !takenAway.has(it))
  expect(wrong, "taken away although nothing but the answer changed").toEqual([])
  const plan: PlanOf<QuayKind> = assemble(exit.value, "test", ALLOWED)
  expect(decodePlan(quayKinds, encodePlan(plan)).digest).toBe(plan.digest)
}

const made = async (simulator: Simulator, token: string): Promise<void> => {
  const fetch: Answer = (request) => {
    request.headers.set("authorization", `Bearer ${token}`)
    return simulator.fetch(request)
  }
  for (let times = 0; times < 3; times++) {
    for (const target of await Effect.runPromise(planned(fetch))) {
      const connection = connectionOver(fetch)
      const plan = assemble<Effect.Success<ReturnType<typeof planned>>[number]["operations"][number]>(
        [target],
        "test",
        ALLOWED
      )
      const [only] = plan.targets
      if (only === undefined || only.operations.length === 0) continue
      await Effect.runPromise(
        Effect.flatMap(checkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, only), (checked) =>
          walkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, only, { checked, workers: 4 })
        )
      )
    }
  }
}

beforeAll(async () => {
  const names = ["kaja.lind", "emil.strom", "iris.falk", "odd.berger"]
  const simulator = createSimulator({
    users: [{ name: "me", superuser: true }, ...names.map((name) => ({ name })), { name: "stranger" }],
    random: seededRandom("mangled"),
    now: () => 0
  })
  const token = simulator.addToken({ user: "me" })
  const texts = await Promise.all(
    ["halden", "halden-cache", "halden-upstream", "registry"].map(async (name) => ({
      name: `${name}.yaml`,
      // What lies on this machine is no answer.
      text: (await readFile(new URL(`${name}.yaml`, EXAMPLE), "utf8")).replace(
        /^ {4}(?:deliver|tokens):\n(?: {6}.*\n)+/gm,
        ""
      )
    }))
  )
  const load = (change: (text: string) => string) =>
    decode(
      quayKinds,
      { files: texts.map((it) => ({ ...it, text: change(it.text) })), problems: [] },
      { registry: TARGET.url }
    ).targets
  targets = load((text) => text)
  await made(simulator, token)
  // From here on the files want less than there is: some of it is taken away, some is kept, and some is nobody's.
  targets = load((text) =>
    text
      .replace("organization: halden\n", "organization: halden\nprune: [robots, repositories]\n")
      .replace(/^ {2}archive\/2024:\n(?: {4}.*\n)+/m, "")
      .replace(/^ {2}auditors:\n(?: {4}.*\n)+/m, "")
      .replace("  - { role: read, team: auditors }\n", "")
      .replace(", auditors: read", "")
      .replace("users: [kaja.lind, emil.strom]", "users: [kaja.lind]")
  )
  const recording: Answer = async (request) => {
    const key = keyOf(request)
    request.headers.set("authorization", `Bearer ${token}`)
    const response = await simulator.fetch(request)
    recorded.set(key, { status: response.status, text: await response.clone().text() })
    return response
  }
  const plans = await Effect.runPromise(planned(recording))
  takenAway = new Set(takes(plans))
  const known = indexKinds<Kind>(quayKinds)
  for (const { desired } of targets) {
    const declared = new Map<string, Set<string>>()
    const found = await Effect.runPromise(
      Effect.provideService(
        read<QuayKind, Failure, Quay>(quayKinds, { scope: desired.scope, declared, caller: "me" }),
        Quay,
        connectionOver(recording).quay
      )
    )
    for (const { item, kind } of found.found) there.add(`${kind}:${known.get(kind)?.key(item) ?? ""}`)
  }
}, 120_000)

describe("an answer that is damaged", () => {
  test("is one of many", () => {
    expect(recorded.size).toBeGreaterThan(20)
    expect(there.size).toBeGreaterThan(30)
    expect(takenAway.size).toBeGreaterThan(3)
  })

  test.each(corpus(CORPUS))("as in %s", async (_, text) => {
    const mangling: Mangling = JSON.parse(text)
    await hold(mangling)
  })

  test(
    "ends in an error of ours, or takes nothing away",
    async () => {
      outcomes = { failed: 0, planned: 0 }
      await fc.assert(fc.asyncProperty(manglings, hold), fuzzing(RUNS))
      expect(outcomes.failed).toBeGreaterThan(0)
      expect(outcomes.planned).toBeGreaterThan(0)
    },
    fuzzTime(RUNS)
  )
})
