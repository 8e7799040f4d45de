// A stateful Quay in one process: takes requests, answers as Quay does, and meets the faults that were injected.
// Leaves out the network (server.ts) and files (open.ts).
import { setTimeout as sleep } from "node:timers/promises"
import { syncTeams } from "./accounts.ts"
import { Call, type Incoming, type Registry } from "./call.ts"
import {
  badGatewayPage,
  insufficientScope,
  internalErrorPage,
  loginPage,
  notFound,
  Refusal,
  type Reply,
  tooManyRequests
} from "./errors.ts"
import { type Fault, type FaultEffect, Faults } from "./faults.ts"
import { type Features, featuresOf } from "./features.ts"
import { collectImages } from "./images.ts"
import { KINDS } from "./kinds.ts"
import { Directory, type LdapOptions } from "./ldap.ts"
import { Mailbox } from "./mail.ts"
import { Pages } from "./pagination.ts"
import { type Push, pull, push } from "./push.ts"
import { type RandomSource, token as randomToken, realRandom } from "./random.ts"
import { type Match, Router } from "./router.ts"
import { Sessions } from "./sessions.ts"
import { SCOPES, type Scope, type SimulatorState, State } from "./state.ts"
import { swagger } from "./swagger.ts"

export interface NewUser {
  readonly name: string
  readonly superuser?: boolean
  readonly email?: string
  /** Without one the user has tokens only. */
  readonly password?: string
  /** Whether the address was confirmed; it was by default. */
  readonly verified?: boolean
}

export interface SimulatorOptions {
  /** What the registry holds at the start, as `snapshot` gives it; what is left out gets Quay's defaults. */
  readonly state?: object
  readonly users?: readonly NewUser[]
  /** Mail is sent: people are invited into teams, and addresses are confirmed. */
  readonly mailing?: boolean
  /** People and groups of a directory, whose groups teams can be synchronized with; accounts are made from it only. */
  readonly ldap?: LdapOptions
  /** Without scopes a token has all of them. */
  readonly tokens?: readonly { readonly token: string; readonly user: string; readonly scopes?: readonly Scope[] }[]
  /** Any well-formed name counts as a user's when it is named. */
  readonly acceptAnyUser?: boolean
  /** Flags that differ from a Quay with everything on but mailing and billing. */
  readonly features?: Features
  /** A release such as "3.12"; the newest by default. */
  readonly version?: string
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Where ids and tokens come from; `seededRandom` makes them repeat. */
  readonly random?: RandomSource
  readonly faults?: readonly Fault[]
  /** Milliseconds for which a request with a token keeps one of the server's workers busy. */
  readonly costPerRequest?: number
  readonly workers?: number
  /** Milliseconds until the name of something deleted comes free by itself; by default only `collect` frees names. */
  readonly collectAfter?: number
}

/** Counts of what came in, by operation: the method and the path with its `{names}`. */
export interface RequestCounts {
  readonly total: number
  of(operation: string): number
  /** Operations that were asked for, with how often. */
  all(): { [operation: string]: number }
  reset(): void
}

export interface Simulator {
  /** Answers as `fetch` does, without a network; breaking connections reject with a TypeError. */
  readonly fetch: (input: Request | URL | string, init?: RequestInit) => Promise<Response>
  /** The same for those who bring their own transport; rejects with ConnectionDropped where a connection breaks. */
  readonly answer: (incoming: Incoming) => Promise<Reply>
  readonly snapshot: () => SimulatorState
  readonly requests: RequestCounts
  readonly faults: Faults
  /** Calls back after each request that may have changed something; gives the way to stop. */
  readonly onChange: (listener: () => void) => () => void
  /** Mail that was sent; what it asks for is confirmed with `confirm`. Nothing is sent without `mailing`. */
  readonly mail: Pick<Mailbox, "sent" | "setDown"> & {
    /** Follows the link in the mails to an address: confirms it for its user, and for notifications. */
    readonly confirm: (address: string) => void
  }
  /** The directory of `ldap`, to be changed behind the registry's back. */
  readonly ldap: Pick<Directory, "setGroup" | "removeGroup" | "setDown"> | undefined
  /** One pass of the worker that fills synchronized teams from the directory. */
  readonly syncTeams: () => void
  /** Puts an image under a tag, as a container client does, and gives its digest; PushRefused where Quay refuses it. */
  readonly push: (push: Push) => string
  /** Gets the digest under a tag, as a container client does; undefined where there is none. */
  readonly pull: (pull: {
    readonly repository: string
    readonly tag: string
    readonly by?: string
  }) => string | undefined
  /** Frees the names of what was deleted, and drops what no tag leads to, as a real server's collectors do in their time. */
  readonly collect: () => void
  /** Makes a token for a user, who is made too if there is none. */
  readonly addToken: (token: { token?: string; user: string; scopes?: readonly Scope[] }) => string
  readonly expireToken: (token: string) => void
}

/** The connection broke before an answer was out. */
export class ConnectionDropped extends Error {
  override readonly name = "ConnectionDropped"
  readonly code = "ECONNRESET"
  constructor() {
    super("the connection was closed before there was an answer")
  }
}

const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal === undefined) return
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener("abort", abort, { once: true })
  })

/** A number of workers, each busy with one request at a time: who comes when all are busy waits for the first. */
const makeWorkers = (count: number, cost: number) => {
  const free = Array.from({ length: Math.max(1, count) }, () => 0)
  return async (): Promise<void> => {
    if (cost <= 0) return
    const now = performance.now()
    const soonest = free.indexOf(Math.min(...free))
    const done = Math.max(now, free[soonest] ?? 0) + cost
    free[soonest] = done
    await sleep(done - now)
  }
}

const makeCounts = (): RequestCounts & { readonly count: (operation: string) => void } => {
  const counts = new Map<string, number>()
  return {
    get total() {
      return [...counts.values()].reduce((sum, count) => sum + count, 0)
    },
    of: (operation) => counts.get(operation) ?? 0,
    all: () => Object.fromEntries(counts),
    reset: () => counts.clear(),
    count: (operation) => void counts.set(operation, (counts.get(operation) ?? 0) + 1)
  }
}

const isWrite = (method: string): boolean => method !== "GET" && method !== "HEAD" && method !== "OPTIONS"

/** What a fault puts in the place of the answer; undefined where the answer stays. */
const instead = (effect: FaultEffect, origin: string): Reply | undefined => {
  switch (effect.kind) {
    case "rate-limit":
      return tooManyRequests(effect.retryAfter)
    case "server-error":
      return internalErrorPage()
    case "bad-gateway":
      return badGatewayPage()
    case "login-page":
      return loginPage()
    case "forbid":
      return insufficientScope().reply(origin)
    case "missing":
      return notFound().reply(origin)
    default:
      return undefined
  }
}

const damaged = (reply: Reply, effect: FaultEffect): Reply => {
  if (effect.kind === "truncate") return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) }
  if (effect.kind === "garble") return { ...reply, body: `\u0000${reply.body.replaceAll('"', "\u0007")}` }
  return reply
}

const isApplied = (effect: FaultEffect): boolean => "applied" in effect && effect.applied === true

/** Makes a registry that nobody has used yet, or one that goes on from a state. */
export const createSimulator = (options: SimulatorOptions = {}): Simulator => {
  const random = options.random ?? realRandom
  const now = options.now ?? Date.now
  const features = {
    ...featuresOf(options.version),
    ...(options.mailing === true ? { MAILING: true, REQUIRE_TEAM_INVITE: true } : {}),
    ...options.features
  }
  const ldap = options.ldap === undefined ? undefined : new Directory(options.ldap)
  const mail = new Mailbox()
  const router = new Router(KINDS, features, options.version)
  const state = new State({
    parts: KINDS.flatMap(({ parts }) => parts ?? []),
    random,
    now,
    acceptAnyUser: options.acceptAnyUser ?? false,
    collectAfter: options.collectAfter
  })
  if (options.state !== undefined) state.load(options.state)
  const addUser = ({ name, ...user }: NewUser): void => {
    if (state.users.has(name)) return
    // Whoever has an account where there is a directory has it from there.
    const login = ldap === undefined ? null : name
    // Those who run the registry, and those who use it, have their addresses in different places.
    const home = user.superuser === true ? "example.com" : "acme.example"
    const email = ldap?.person(name)?.email ?? `${name}@${home}`
    state.users.set(name, state.newUser({ email, login, ...user }))
  }
  for (const user of options.users ?? []) addUser(user)
  const registry: Registry = {
    state,
    features,
    version: options.version,
    now,
    random,
    pages: new Pages(random),
    sessions: new Sessions(random, now),
    mail,
    ldap,
    hooks: KINDS.flatMap(({ hooks }) => hooks ?? []),
    discovery: (internal, origin) => swagger(router.routes, internal, origin, options.version)
  }
  const faults = new Faults()
  for (const fault of options.faults ?? []) faults.add(fault)
  const counts = makeCounts()
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const expired = new Set<string>()
  const work = makeWorkers(options.workers ?? 2, options.costPerRequest ?? 0)

  const addToken: Simulator["addToken"] = ({ token = randomToken(random, 40), user, scopes = SCOPES }) => {
    addUser({ name: user })
    state.tokens.set(token, { user, scopes: [...scopes], expires: null })
    expired.delete(token)
    return token
  }
  for (const token of options.tokens ?? []) addToken(token)

  const loseRights = (name: string): void => {
    const user = state.users.get(name)
    if (user !== undefined) user.superuser = false
    for (const { teams } of state.organizations.values()) for (const { members } of teams.values()) members.delete(name)
    changed()
  }

  const carryOut = (incoming: Incoming, match: Match | undefined): Reply => {
    if (match === undefined) {
      const missing = router.missing(incoming)
      return missing instanceof Refusal ? missing.reply(incoming.origin) : missing
    }
    const { route, parameters } = match
    const call = new Call(registry, incoming, parameters)
    try {
      call.checkSession(isWrite(incoming.method), route.fresh ?? false)
      route.guard?.(call)
      if (route.body !== undefined) call.readBody(route.body.schema, route.body.optional ?? false)
      return route.handle(call)
    } catch (error) {
      if (error instanceof Refusal) return error.reply(incoming.origin)
      throw error
    } finally {
      if (isWrite(incoming.method)) changed()
    }
  }

  const answer = async (received: Incoming): Promise<Reply> => {
    // Flask answers HEAD wherever it answers GET.
    const method = received.method === "HEAD" ? "GET" : received.method
    const usable = received.token === undefined || expired.has(received.token) ? undefined : received.token
    const incoming: Incoming = { ...received, method, token: usable }
    const match = router.find(method, incoming.path)
    const operation = `${method} ${match?.route.path ?? "(no route)"}`
    counts.count(operation)
    const effects = faults.take(method, operation, `${method} ${incoming.path}`)
    if (received.token !== undefined) await work()
    let reply: Reply | undefined
    const carriedOut = () => {
      reply ??= carryOut(incoming, match)
      return reply
    }
    for (const effect of effects) {
      if (isApplied(effect)) carriedOut()
      if ("appliedAfter" in effect && effect.appliedAfter !== undefined) setTimeout(carriedOut, effect.appliedAfter)
      if (effect.kind === "latency") await sleep(effect.ms)
      if (effect.kind === "drop") throw new ConnectionDropped()
      if (effect.kind === "time-out") await untilAborted(received.signal)
      if (effect.kind === "expire-token" && received.token !== undefined) {
        expired.add(received.token)
        return carryOut({ ...incoming, token: undefined }, match)
      }
      if (effect.kind === "lose-rights") loseRights(state.tokens.get(received.token ?? "")?.user ?? "")
      const other = instead(effect, received.origin)
      if (other !== undefined) return other
    }
    const whole = effects.reduce(damaged, carriedOut())
    return received.method === "HEAD" ? { ...whole, body: "" } : whole
  }

  return {
    answer,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      request.signal.throwIfAborted()
      // The caller's own signal: a request's is let go of together with the request, and then never tells.
      const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
      const incoming = await fromRequest(request, signal)
      const aborted = untilAborted(signal)
      try {
        const reply = await Promise.race([answer(incoming), aborted])
        const bodyless = reply.status === 204 || reply.body === ""
        return new Response(bodyless ? null : reply.body, { status: reply.status, headers: reply.headers })
      } catch (error) {
        if (error instanceof ConnectionDropped) throw new TypeError("fetch failed", { cause: error })
        throw error
      }
    },
    snapshot: () => state.snapshot(),
    requests: counts,
    faults,
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    mail: {
      sent: () => mail.sent(),
      setDown: (isDown) => mail.setDown(isDown),
      confirm: (address) => {
        for (const user of state.users.values()) if (user.email === address) user.verified = true
        for (const { confirmAddress } of registry.hooks) confirmAddress?.(state, address)
        changed()
      }
    },
    ldap,
    syncTeams: () => {
      syncTeams(state, ldap)
      changed()
    },
    push: (wanted) => {
      const digest = push(state, wanted)
      changed()
      return digest
    },
    pull: (wanted) => {
      const digest = pull(state, wanted)
      changed()
      return digest
    },
    collect: () => {
      state.collect()
      for (const { repositories, tag_expiration_s } of [...state.organizations.values(), ...state.users.values()]) {
        for (const repository of repositories.values()) collectImages(repository, tag_expiration_s * 1000, now())
      }
    },
    addToken,
    expireToken: (token) => void expired.add(token)
  }
}

/** The token of an Authorization header; undefined for any other kind of header. */
export const bearer = (authorization: string | null | undefined): string | undefined =>
  /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? "")?.[1]

/** A path as a server sees it: decoded, and as it came where it cannot be. */
export const decodePath = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    if (error instanceof URIError) return path
    throw error
  }
}

const fromRequest = async (request: Request, signal: AbortSignal | undefined): Promise<Incoming> => {
  const url = new URL(request.url)
  return {
    method: request.method,
    path: decodePath(url.pathname),
    query: url.searchParams,
    origin: url.origin,
    token: bearer(request.headers.get("authorization")),
    contentType: request.headers.get("content-type") ?? undefined,
    cookie: request.headers.get("cookie") ?? undefined,
    csrf: request.headers.get("x-csrf-token") ?? undefined,
    body: await request.text(),
    ...(signal === undefined ? {} : { signal })
  }
}
