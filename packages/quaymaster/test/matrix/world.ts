// A registry in this process for the fault matrix: requests, and files that credentials are written to, meet the trouble that
// a case wants at the moment that it wants; pauses cost no time.
import { allowanceNames } from "@quaymaster/engine"
import { check } from "@quaymaster/runtime"
import { createQuayClient } from "@quaymaster/sdk"
import { createSimulator, type FaultEffect, type Simulator, type SimulatorOptions } from "@quaymaster/simulator"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { checkSecrets } from "../../src/apply.ts"
import { type Connection, connectOver } from "../../src/connection.ts"
import {
  assemble,
  checkRegistry,
  decodePlan,
  EventSink,
  encodePlan,
  type Failure,
  loadProject,
  type PlanOf,
  planRegistry,
  Quay,
  type QuayKind,
  quayKinds,
  type TargetReport,
  walkRegistry
} from "../../src/effect.ts"
import { swiftClock } from "./clock.ts"

export type Plan = PlanOf<QuayKind>
export type Document = { readonly [section: string]: unknown }

/** What becomes of a request, or of writing a file. `done`, or `applied`, says whether it is carried out all the same. */
export type Trouble =
  | FaultEffect
  /** No answer for as long as one is waited for; `late`: it is carried out so many milliseconds after that. */
  | { readonly kind: "no-answer"; readonly done: boolean; readonly late?: number }
  /** This process ends. */
  | { readonly kind: "death"; readonly done: boolean }

/** A request of an apply, or the writing of a file, in the order in which they begin. */
export interface Moment {
  readonly number: number
  readonly write: boolean
  /** `POST /api/v1/organization/`, `write ci.json`. */
  readonly what: string
}

/** Says what goes wrong at a moment, if anything. */
export type Fate = (moment: Moment) => Trouble | undefined

export interface World {
  readonly simulator: Simulator
  readonly files: Map<string, string>
}

const REGISTRY = { name: "r", url: "http://registry.invalid", verify: true }
const TIMEOUT = 30_000
const ENV = { NAME: "puller", WORD: "pass-word", OTHER: "other-word", HOOK: "https://hooks.example.com/hook" }

/** Whatever the guard is there for. */
const EVERYTHING = Object.fromEntries(allowanceNames.map((name) => [name, quayKinds.map(({ kind }) => `${kind}=99`)]))

const broken = (code: string): TypeError =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("the connection broke"), { code }) })

/** A registry with the user `me`, or one that goes on from what another one holds. */
export const openWorld = (options: SimulatorOptions, from?: World): World => ({
  simulator: createSimulator({
    ...options,
    now: () => 0,
    ...(from === undefined ? {} : { state: from.simulator.snapshot() }),
    users: [{ name: "me", superuser: true }, { name: "alice" }, { name: "bob" }, ...(options.users ?? [])]
  }),
  files: new Map(from?.files)
})

interface Session {
  readonly run: <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) => Promise<A>
  readonly moments: ReadonlyArray<Moment>
  /** Resolves when this process has ended. */
  readonly death: Promise<"dead">
  /** Resolves when all is carried out that is on its way. */
  readonly landed: () => Promise<unknown>
}

/** What `simulator.fetch` does, without the requests and answers that only a network needs. */
const sent = async (simulator: Simulator, request: Request): Promise<Response> => {
  const { origin, pathname, searchParams } = new URL(request.url)
  const reply = await simulator.answer({
    method: request.method,
    path: decodeURIComponent(pathname),
    query: searchParams,
    origin,
    token: request.headers.get("authorization")?.replace("Bearer ", ""),
    contentType: request.headers.get("content-type") ?? undefined,
    body: await request.text()
  })
  const bodyless = reply.status === 204 || reply.body === ""
  return new Response(bodyless ? null : reply.body, { status: reply.status, headers: reply.headers })
}

/** Somebody who comes with a new token. */
const session = ({ files, simulator }: World, fate: Fate = () => undefined): Session => {
  const token = simulator.addToken({ user: "me" })
  const time = swiftClock()
  const moments: Array<Moment> = []
  const never = new Promise<never>(() => {})
  let die = () => {}
  const death = new Promise<"dead">((resolve) => {
    die = () => resolve("dead")
  })
  let dead = false
  const at = (what: string, write: boolean): Trouble | undefined => {
    const moment = { number: moments.length, write, what }
    moments.push(moment)
    return fate(moment)
  }
  const end = () => {
    dead = true
    die()
    return never
  }

  const late: Array<Promise<unknown>> = []
  const landing = (after: number, request: Request) =>
    new Promise<unknown>((resolve) => time.later(after, () => resolve(sent(simulator, request))))
  const fetch = async (request: Request): Promise<Response> => {
    if (dead) return never
    const go = time.hold()
    try {
      const path = decodeURIComponent(new URL(request.url).pathname)
      const trouble = at(`${request.method} ${path}`, request.method !== "GET")
      if (trouble === undefined) return await sent(simulator, request)
      if (trouble.kind === "death") {
        if (trouble.done) await sent(simulator, request)
        return await end()
      }
      if (trouble.kind === "no-answer") {
        const copy = request.clone()
        if (trouble.done) await sent(simulator, request)
        else if (trouble.late !== undefined) late.push(landing(TIMEOUT + trouble.late, copy))
        go()
        await new Promise<void>((resolve) => time.later(TIMEOUT, resolve))
        throw broken("ETIMEDOUT")
      }
      const disarm = simulator.faults.add({ on: `${request.method} ${path}`, times: 1, effect: trouble })
      try {
        return await sent(simulator, request)
      } finally {
        disarm()
      }
    } catch (error) {
      throw error instanceof Error && "code" in error ? broken(String(error.code)) : error
    } finally {
      go()
    }
  }
  const write = async (path: string, text: string): Promise<void> => {
    if (dead) return never
    const trouble = at(`write ${path}`, true)
    if (trouble === undefined || (trouble.kind === "death" && trouble.done)) files.set(path, text)
    if (trouble?.kind === "death") return await end()
    if (trouble !== undefined) throw new Error("the disk is full")
  }
  const client = createQuayClient({ url: REGISTRY.url, token, fetch })
  const connected = connectOver(
    REGISTRY,
    client,
    { env: ENV },
    {
      look: async (path) => {
        const text = files.get(path)
        return text === undefined ? { state: "none" } : { state: "file", text, mode: 0o100600 }
      },
      write,
      remove: async (path) => {
        if (dead) return never
        files.delete(path)
      },
      probe: async () => {}
    }
  )
  return {
    moments,
    death,
    landed: () => Promise.all(late),
    run: (use) =>
      Effect.runPromise(
        Effect.flatMap(connected, use).pipe(
          Effect.provideService(Clock.Clock, time.clock),
          Effect.provideService(EventSink, () => {})
        )
      )
  }
}

/** The plan that documents make, as it comes out of a file. */
export const planned = async (
  world: World,
  documents: ReadonlyArray<Document>,
  fate?: Fate
): Promise<{ readonly plan: Plan; readonly moments: ReadonlyArray<Moment> }> => {
  const { targets } = await loadProject<QuayKind>(quayKinds, {
    organizations: documents,
    registry: REGISTRY.url,
    env: {}
  })
  const { moments, run } = session(world, fate)
  const made = await run((connection) =>
    Effect.forEach(targets, ({ desired }) => planRegistry<QuayKind, Failure, Quay>(quayKinds, connection, desired))
  )
  const plan = decodePlan<QuayKind>(quayKinds, encodePlan(assemble(made, "test", EVERYTHING)))
  return { plan, moments }
}

export type Applied =
  | { readonly state: "reported"; readonly report: TargetReport }
  /** Refused before anything was changed. */
  | { readonly state: "refused"; readonly error: unknown }
  | { readonly state: "dead" }

export interface ApplyOptions {
  readonly fate?: Fate
  readonly stop?: AbortSignal
  readonly workers?: number
}

/** Applies a plan as `quay-apply plan.json` does. */
export const applied = async (
  world: World,
  plan: Plan,
  { fate, stop, workers = 1 }: ApplyOptions = {}
): Promise<Applied & { readonly moments: ReadonlyArray<Moment> }> => {
  const { death, landed, moments, run } = session(world, fate)
  const [target] = plan.targets
  if (target === undefined) throw new Error("the plan has no target")
  const applying = run((connection) =>
    Effect.gen(function* () {
      const checked = yield* checkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, target)
      yield* checkSecrets<QuayKind>(quayKinds, connection, target)
      return yield* walkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, target, { checked, workers, stop })
    })
  ).then(
    (report): Applied => ({ state: "reported", report }),
    (error: unknown): Applied => ({ state: "refused", error })
  )
  const outcome = await Promise.race([applying, death.then((): Applied => ({ state: "dead" }))])
  await landed()
  return { ...outcome, moments }
}

/** Where an operation stands, and the object as it is. */
export interface Standing {
  readonly state: "pending" | "done" | "conflict"
  readonly item: unknown
}

/** Where each operation of a plan stands now, for somebody who has no trouble. */
export const standings = async (world: World, plan: Plan): Promise<ReadonlyMap<string, Standing>> => {
  const { run } = session(world)
  const maps = await run(({ caller, quay }) =>
    Effect.forEach(plan.targets, ({ operations }) =>
      Effect.provideService(check<QuayKind, Failure, Quay>(quayKinds, operations, caller), Quay, quay)
    )
  )
  return new Map(
    maps.flatMap((map) => [...map].map(([id, { now, standing }]) => [id, { state: standing.state, item: now }]))
  )
}
