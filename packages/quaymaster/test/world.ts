// A registry in this process for laws that are tried a thousand times: a simulator without HTTP, one that can be left in the
// middle of anything, with what was sent and told kept. The steps are the library's own, from decoding to the walk.
import { decode } from "@quaymaster/config"
import { type Desired, isRecord, type Kind, PlanRefused } from "@quaymaster/engine"
import { type LocalFiles, makeQuay, type QuayKind, quayKinds } from "@quaymaster/kinds"
import { type Limiter, type RegistryEvent, read } from "@quaymaster/runtime"
import { createQuayClient } from "@quaymaster/sdk"
import {
  createSimulator,
  type Scope,
  type Simulator,
  type SimulatorOptions,
  type SimulatorState,
  seededRandom
} from "@quaymaster/simulator"
import * as Effect from "effect/Effect"
import {
  assemble,
  type Connection,
  checkRegistry,
  EventSink,
  type Exported,
  exportRegistry,
  type Failure,
  type PlanOf,
  planRegistry,
  Quay,
  type TargetReport,
  walkRegistry
} from "../src/effect.ts"
import { type Documents, GROUPS, type Registry, SECRETS, USERS } from "./organizations.ts"

/** A write, as it was sent. */
export interface Write {
  readonly method: string
  readonly path: string
  readonly body: string
}

/** What becomes of a write instead of its answer: nobody ever hears of it, whether it was done or not; or it is refused. */
export type Fate = { readonly kind: "silence"; readonly done: boolean } | { readonly kind: "refusal" }

export interface WorldOptions extends SimulatorOptions {
  readonly registry?: Registry
  readonly scopes?: ReadonlyArray<Scope>
  /** Who asks. Default: a superuser. */
  readonly user?: string
  readonly token?: string
  readonly files?: ReadonlyMap<string, string>
  readonly secrets?: Readonly<Record<string, string>>
}

const URL_OF_SIMULATORS = "http://simulator.invalid"
export const TARGET = { name: "r", url: URL_OF_SIMULATORS, verify: true }

/** No time passes in a registry. */
const NOW = Date.now()

const servers = new Map<string, Quay["Service"]["server"]>()

/** A registry with a few people. In a directory, if there is one, they are in groups. */
export class World {
  readonly simulator: Simulator
  readonly token: string
  /** Files that credentials are delivered to, by path. */
  readonly files: Map<string, string>
  readonly secrets: Readonly<Record<string, string>>
  /** What went out and what was told, from the beginning on. */
  readonly writes: Array<Write> = []
  readonly told: Array<RegistryEvent> = []
  /** Writes that were sent and are not answered yet. */
  readonly underWay = new Set<Promise<unknown>>()
  /** Asked for each write what becomes of it. */
  fate: () => Fate | undefined = () => undefined
  /** Called when the process at this end has fallen silent. */
  onSilence: () => void = () => {}
  /** Another one after that. */
  connection: Connection

  constructor({ files, registry, scopes, secrets, token, user, ...options }: WorldOptions = {}) {
    const [me = "me", ...others] = USERS
    this.simulator = createSimulator({
      ...(registry?.directory === true
        ? { ldap: { groups: Object.fromEntries(GROUPS.map((group) => [group, ["alice"]])) } }
        : {}),
      ...(registry?.mailing === true ? { mailing: true } : {}),
      random: seededRandom("laws"),
      now: () => NOW,
      ...options,
      features: { SIGNING: true, ...options.features },
      users: [{ name: me, superuser: true }, ...others.map((name) => ({ name })), ...(options.users ?? [])]
    })
    this.token = this.simulator.addToken({
      user: user ?? me,
      ...(token === undefined ? {} : { token }),
      ...(scopes === undefined ? {} : { scopes })
    })
    this.files = new Map(files)
    this.secrets = secrets ?? SECRETS
    const kind = JSON.stringify([options.version, options.features, registry])
    const isTold = scopes === undefined || scopes.includes("user:read") || scopes.includes("user:admin")
    const connect = (): Connection => {
      const own = connectionTo(this, isTold ? (user ?? me) : undefined, () => {
        this.connection = connect()
        this.onSilence()
      })
      // Registries that offer the same are asked once what that is.
      const server = servers.get(kind) ?? own.quay.server
      servers.set(kind, server)
      return { ...own, quay: { ...own.quay, server } }
    }
    this.connection = connect()
  }
}

/** The same registry again, to go on from here in another way. */
export const copyOf = (
  world: World,
  registry: Registry,
  change: (state: SimulatorState) => object = (it) => it
): World =>
  new World({
    registry,
    state: change(world.simulator.snapshot()),
    token: world.token,
    files: world.files,
    secrets: world.secrets,
    // Nothing that is made from here on has an id that is taken.
    random: seededRandom(`copy ${++copies}`)
  })

let copies = 0

/** Requests pass as they come: what limits them has tests of its own. */
const open: Limiter = { run: (request) => request, state: () => ({ limit: 1, running: 0, waiting: 0 }) }

const filesOf = (files: Map<string, string>): LocalFiles => ({
  look: async (path) => {
    const text = files.get(path)
    return text === undefined ? { state: "none" } : { state: "file", text, mode: 0o600 }
  },
  write: async (path, text) => void files.set(path, text),
  remove: async (path) => void files.delete(path),
  probe: async () => {}
})

const refusal = () =>
  new Response(JSON.stringify({ message: "Not now" }), {
    status: 400,
    headers: { "content-type": "application/json" }
  })

const never = new Promise<never>(() => {})

/** `onSilence` is called when the process at this end dies; it sends nothing from then on, and hears nothing. */
const connectionTo = (world: World, caller: string | undefined, onSilence: () => void): Connection => {
  const { files, secrets, simulator, token } = world
  let alive = true
  const fetch = async (request: Request): Promise<Response> => {
    const answer = await passed(request)
    return alive ? answer : await never
  }
  const passed = async (request: Request): Promise<Response> => {
    if (!alive) return await never
    if (request.method === "GET") return await simulator.fetch(request)
    const body = await request.clone().text()
    if (!alive) return await never
    world.writes.push({ method: request.method, path: new URL(request.url).pathname, body })
    const fate = world.fate()
    if (fate === undefined) {
      const answer = simulator.fetch(request)
      world.underWay.add(answer)
      return await answer.finally(() => world.underWay.delete(answer))
    }
    if (fate.kind === "refusal") return refusal()
    alive = false
    if (fate.done) await simulator.fetch(request)
    onSilence()
    return await never
  }
  const quay = makeQuay({
    registry: { name: TARGET.name, url: TARGET.url },
    client: createQuayClient({ url: TARGET.url, token, fetch }),
    limiter: open,
    caller,
    files: filesOf(files),
    secret: async (reference) => {
      const value = "env" in reference ? secrets[reference.env] : undefined
      if (value === undefined) throw new Error("is not set")
      return value
    }
  })
  return { registry: TARGET, caller, quay, stillUs: Effect.void }
}

const run = <A, E>(world: World, effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Effect.provideService(effect, EventSink, (event) => void world.told.push(event)))

/** What documents, or the text of a file, declare and own. */
export const desiredOf = (documents: Documents | string): Desired<QuayKind> => {
  const files =
    typeof documents === "string"
      ? [{ name: "exported.yaml", text: documents }]
      : documents.map((value, i) => ({ name: `documents[${i}]`, value }))
  const { targets } = decode<QuayKind>(quayKinds, { files, problems: [] }, { registry: TARGET.url })
  const [target] = targets
  if (target === undefined) throw new Error("no target")
  return target.desired
}

export type Plan = PlanOf<QuayKind>

/** What becomes of whatever is planned is the matter here, not whether it should be. */
const amounts = quayKinds.map(({ kind }) => `${kind}=999`)
const EVERYTHING = { deletes: amounts, destroy: amounts, lockout: amounts }

/** What is to be done for the registry to be as documents say. */
export const planned = async (world: World, documents: Documents | string): Promise<Plan> => {
  const plan = planRegistry<QuayKind, Failure, Quay>(quayKinds, world.connection, desiredOf(documents))
  return assemble([await run(world, plan)], "test", EVERYTHING)
}

/** The same, or the sentences that a plan is refused with. */
export const plannedOr = async (world: World, documents: Documents | string): Promise<Plan | ReadonlyArray<string>> =>
  await planned(world, documents).catch((error: unknown) => {
    if (error instanceof PlanRefused) return error.problems.map(({ message }) => message)
    throw error
  })

export const isRefused = (made: Plan | ReadonlyArray<string>): made is ReadonlyArray<string> => Array.isArray(made)

/** Checks and walks. Undefined if the registry fell silent. */
export const applied = async (
  world: World,
  { targets: [target] }: Plan,
  stop?: AbortSignal
): Promise<TargetReport | undefined> => {
  if (target === undefined) return undefined
  const silence = new Promise<undefined>((resolve) => {
    world.onSilence = () => resolve(undefined)
  })
  const { connection } = world
  const walking = Effect.flatMap(checkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, target), (checked) =>
    walkRegistry<QuayKind, Failure, Quay>(quayKinds, connection, target, { checked, workers: 4, stop })
  )
  const report = await Promise.race([run(world, walking), silence])
  // What was sent before this end fell silent is carried out all the same.
  await Promise.allSettled(world.underWay)
  return report
}

const GOOD = ["applied", "already", "by-registry"]

/** What of a report was not done. */
export const undone = (report: TargetReport | undefined): TargetReport["results"] => {
  if (report === undefined) throw new Error("There is no report.")
  return report.results.filter(({ outcome }) => !GOOD.includes(outcome))
}

/** Plans and applies, all of it. Gives the plan, or why it is refused. */
export const reached = async (world: World, documents: Documents | string): Promise<Plan | ReadonlyArray<string>> => {
  const plan = await plannedOr(world, documents)
  const left = isRefused(plan) ? [] : undone(await applied(world, plan))
  if (left.length > 0) throw new Error(`What was not done: ${JSON.stringify(left, undefined, 2)}`)
  return plan
}

export const idsOf = ({ targets }: Plan): ReadonlyArray<string> =>
  targets.flatMap(({ operations }) => operations.map(({ id }) => id))

/** What each operation waits for, with those that a gate stands between. */
export const waitsIn = ({ targets }: Plan): ReadonlyMap<string, ReadonlySet<string>> => {
  const gates = new Map(targets.flatMap((target) => target.gates ?? []).map(({ id, needs }) => [id, needs]))
  return new Map(
    targets
      .flatMap(({ operations }) => operations)
      .map(({ id, impliedBy, needs }) => {
        const waits = [...needs, ...(impliedBy === undefined ? [] : [impliedBy])].flatMap((it) => gates.get(it) ?? [it])
        return [id, new Set(waits.filter((it) => it !== id))]
      })
  )
}

export const exportedFrom = async (
  world: World,
  organization: string,
  only?: ReadonlyArray<string>
): Promise<Exported> => {
  const work = exportRegistry<QuayKind, Failure, Quay>(quayKinds, world.connection, [organization], { only })
  const [exported] = (await run(world, work)).exported
  if (exported === undefined) throw new Error("nothing was exported")
  return exported
}

/** What files would say of what belongs to no organization, and an export does not tell. */
export const registryDocumentsOf = async (world: World): Promise<Documents> => {
  const kinds: ReadonlyArray<Kind> = quayKinds
  const own = kinds.flatMap(({ kind, section }) =>
    section.under === "registry" && section.owns !== undefined ? [{ kind, section, parent: section.owns }] : []
  )
  const scope = own.map(({ kind, parent }) => ({ kind, parent }))
  const reading = read<QuayKind, Failure, Quay>(quayKinds, { scope, declared: new Map() })
  const { found } = await run(world, Effect.provideService(reading, Quay, world.connection.quay))
  return own.flatMap(({ kind, section }) => {
    const document: unknown = section.write?.(found.flatMap((it) => (it.kind === kind ? [it.item] : [])))
    return isRecord(document) ? [document] : []
  })
}

/** A request behind the tool's back. What the registry refuses is not done. */
export interface Deed {
  readonly method: string
  readonly path: string
  readonly body?: object | undefined
}

export const done = async ({ simulator, token }: World, deeds: ReadonlyArray<Deed>): Promise<void> => {
  for (const { body, method, path } of deeds)
    await simulator.fetch(`${TARGET.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
}

/** What is made up by the registry, or moves on by itself. */
const RANDOM = new Set([
  "id",
  "uuid",
  "token",
  "created",
  "status_token",
  "client_id",
  "client_secret",
  "code",
  "token_code"
])
const CLOCKED = new Set(["sync_start_date", "creation_date", "last_updated", "last_accessed"])

/** A state, or a part of one, without what is random, with sets in order. */
export const settled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(settled(item))).sort()
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !RANDOM.has(key) && !CLOCKED.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, settled(item)])
  )
}

/** All that a registry has, but for its log, and for what it keeps of the tokens of applications beside these. */
export const stateOf = ({ simulator }: World): Omit<SimulatorState, "log"> => {
  const { log: _, tokens, ...rest } = simulator.snapshot()
  const own = Object.entries(tokens).filter(([, { application }]) => application === undefined)
  return { ...rest, tokens: Object.fromEntries(own) }
}
