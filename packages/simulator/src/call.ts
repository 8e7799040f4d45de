// One request as a route sees it: who calls, with which parameters and body, and the registry to work on.
import { Caller } from "./auth.ts"
import { badParameter, csrf, internalError, invalidRequest, message, needsFreshLogin, notFound } from "./errors.ts"
import { type Features, isAtLeast } from "./features.ts"
import { isJson, isObject, isOneOf, type Json } from "./json.ts"
import type { Directory } from "./ldap.ts"
import type { Mailbox } from "./mail.ts"
import type { Pages } from "./pagination.ts"
import type { RandomSource } from "./random.ts"
import { problem, type Schema } from "./schema.ts"
import type { Session, Sessions } from "./sessions.ts"
import type { Organization, State } from "./state.ts"

/** What a namespace may be closed to: new repositories, their states and mirrors, and a proxy cache. */
export type Change = "repository" | "state" | "mirror" | "proxy-cache"

/** Where one kind has a say in what another one does. Each may throw a refusal. */
export interface Hooks {
  readonly beforeRobotDelete?: (call: Call, robot: string) => void
  readonly afterRobotDelete?: (call: Call, namespace: string, short: string) => void
  readonly beforeChange?: (call: Call, change: Change, namespace: string) => void
  /** The quotas as views of organizations and users show them. */
  readonly quotas?: (call: Call, namespace: string) => Quotas
  /** Somebody followed the link that was mailed to an address. */
  readonly confirmAddress?: (state: State, address: string) => void
}

export interface Quotas {
  readonly quotas: readonly object[]
  readonly bytes: number | null
}

/** What is the same for every request of a simulator. */
export interface Registry {
  readonly state: State
  readonly features: Features
  /** A release such as "3.12"; undefined is the newest. */
  readonly version: string | undefined
  readonly now: () => number
  readonly random: RandomSource
  readonly pages: Pages
  readonly sessions: Sessions
  readonly mail: Mailbox
  /** Where people come from, if not from the registry itself. */
  readonly ldap: Directory | undefined
  readonly hooks: readonly Hooks[]
  /** The document that describes what is served. */
  readonly discovery: (internal: boolean, origin: string) => Json
}

/** What came in, free of how it came in. */
export interface Incoming {
  readonly method: string
  /** Decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly origin: string
  readonly token: string | undefined
  readonly contentType: string | undefined
  /** The Cookie header, and the token that writes of a session repeat. */
  readonly cookie?: string | undefined
  readonly csrf?: string | undefined
  readonly body: string
  readonly signal?: AbortSignal
}

/** A body that its schema has passed. */
export class Body {
  readonly value: Json
  constructor(value: Json) {
    this.value = value
  }

  get(key: string): Json | undefined {
    return isObject(this.value) && Object.hasOwn(this.value, key) ? this.value[key] : undefined
  }

  text(key: string): string | undefined {
    const value = this.get(key)
    return typeof value === "string" ? value : undefined
  }

  flag(key: string): boolean | undefined {
    const value = this.get(key)
    return typeof value === "boolean" ? value : undefined
  }

  number(key: string): number | undefined {
    const value = this.get(key)
    return typeof value === "number" ? value : undefined
  }

  object(key: string): Body | undefined {
    const value = this.get(key)
    return isObject(value) ? new Body(value) : undefined
  }

  /** For what the schema requires: not having it is a failure of the schema. */
  required(key: string): string {
    const value = this.text(key)
    if (value === undefined) throw internalError(`no ${key} in the body`)
    return value
  }

  one<const T extends string>(key: string, choices: readonly T[]): T {
    const value = this.get(key)
    if (!isOneOf(choices, value)) throw internalError(`no ${key} in the body`)
    return value
  }
}

const FALSE = new Set(["", "0", "false", "null", "none"])

export class Call {
  readonly registry: Registry
  readonly state: State
  readonly caller: Caller
  /** Of somebody who came with a cookie and without a token that is good for anything. */
  readonly session: Session | undefined
  readonly incoming: Incoming
  readonly #parameters: ReadonlyMap<string, string>
  #body = new Body({})

  constructor(registry: Registry, incoming: Incoming, parameters: ReadonlyMap<string, string>) {
    this.registry = registry
    this.state = registry.state
    this.incoming = incoming
    const { state, features, version, sessions } = registry
    const bearer = new Caller(state, features, version, incoming.token)
    this.session = bearer.user === undefined ? sessions.named(incoming.cookie) : undefined
    const user = this.session?.user
    this.caller = user === undefined ? bearer : new Caller(state, features, version, undefined, user)
    this.#parameters = parameters
  }

  /** Turns away writes that repeat no token of their session, and old sign-ins from what wants a fresh one. */
  checkSession(isWrite: boolean, wantsFresh: boolean): void {
    const { session, caller } = this
    if (session === undefined) {
      if (isWrite && caller.user === undefined) throw csrf()
      return
    }
    if (isWrite && this.incoming.csrf !== session.csrf) throw csrf(caller.user)
    if (wantsFresh && caller.user !== undefined && !this.registry.sessions.isFresh(session)) throw needsFreshLogin()
  }

  parameter(name: string): string {
    const value = this.#parameters.get(name)
    if (value === undefined) throw internalError(`no ${name} in the path`)
    return value
  }

  /** The namespace and the name in `{repository}`; a name alone is one of the library's. */
  repositoryPath(): { readonly namespace: string; readonly name: string } {
    const path = this.parameter("repository")
    const slash = path.indexOf("/")
    return slash < 0
      ? { namespace: "library", name: path }
      : { namespace: path.slice(0, slash), name: path.slice(slash + 1) }
  }

  get body(): Body {
    return this.#body
  }

  feature(name: string): boolean {
    return this.registry.features[name] === true
  }

  since(version: string): boolean {
    return isAtLeast(this.registry.version, version)
  }

  /** Whether the name of something deleted stays taken for a while; up to 3.18 it was free at once. */
  reservesNames(): boolean {
    return this.since("3.19")
  }

  queryFlag(name: string, absent: boolean): boolean {
    const value = this.incoming.query.get(name)
    return value === null ? absent : !FALSE.has(value.toLowerCase())
  }

  queryNumber(name: string): number | undefined {
    const value = this.incoming.query.get(name)
    if (value === null) return undefined
    if (!/^-?\d+$/.test(value)) throw badParameter(name, `invalid literal for int() with base 10: '${value}'`)
    return Number(value)
  }

  /** Reads the body as the schema wants it. An optional body may be absent, whatever its content type. */
  readBody(schema: Schema, optional: boolean): void {
    const { body, contentType } = this.incoming
    if (body === "" && optional) return
    if (contentType === undefined || !/^application\/(?:.+\+)?json\b/i.test(contentType)) {
      throw message(
        "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
        415
      )
    }
    const value = parse(body)
    if (value === null) throw invalidRequest("Missing JSON body")
    const found = problem(schema, value)
    if (found !== undefined) throw invalidRequest(found)
    this.#body = new Body(value)
  }

  /** Turns away what another kind keeps from being done in a namespace. */
  before(change: Change, namespace: string): void {
    for (const { beforeChange } of this.registry.hooks) beforeChange?.(this, change, namespace)
  }

  /** Notes in the audit log what was done, by whom and with which token. */
  log(
    kind: string,
    where: { readonly namespace?: string; readonly repository?: string },
    metadata: { readonly [key: string]: Json }
  ): void {
    const { token } = this.incoming
    const known = token === undefined ? undefined : this.state.tokens.get(token)
    const name = known?.application?.name ?? "simulator"
    this.state.log.push({
      datetime: new Date(this.registry.now()).toISOString(),
      kind,
      performer: this.caller.user ?? null,
      namespace: where.namespace ?? null,
      repository: where.repository ?? null,
      metadata: {
        ...metadata,
        ...(token === undefined || known === undefined
          ? {}
          : {
              oauth_token_id: [...this.state.tokens.keys()].indexOf(token) + 1,
              oauth_token_application_id: known.application?.client_id ?? name,
              oauth_token_application: name
            })
      }
    })
  }

  /** The same for a repository, which the metadata names too. */
  logRepository(
    kind: string,
    path: { readonly namespace: string; readonly name: string },
    metadata: { readonly [key: string]: Json } = {}
  ): void {
    const { namespace, name } = path
    this.log(kind, { namespace, repository: name }, { repo: name, namespace, ...metadata })
  }

  // Checks that many routes share

  /** Turns away everyone who does not administer the organization in the path, then looks it up. */
  administered(): { readonly name: string; readonly organization: Organization } {
    const name = this.parameter("orgname")
    this.caller.require(this.caller.administers(name))
    return { name, organization: this.organization(name) }
  }

  organization(name: string): Organization {
    const organization = this.state.organizations.get(name)
    if (organization === undefined) throw notFound()
    return organization
  }
}

const parse = (body: string): Json => {
  const bad = message("The browser (or proxy) sent a request that this server could not understand.")
  try {
    const value: unknown = JSON.parse(body)
    if (isJson(value)) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw bad
}
