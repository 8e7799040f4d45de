// From a method and a path to a route, and what Quay answers where there is none.
import type { Call, Hooks, Incoming } from "./call.ts"
import {
  internalErrorPage,
  methodNotAllowed,
  methodNotAllowedPage,
  notFoundPage,
  type Refusal,
  type Reply,
  redirectPage
} from "./errors.ts"
import { type Features, isAtLeast } from "./features.ts"
import type { Schema } from "./schema.ts"
import type { Part, Scope } from "./state.ts"

export type Method = "GET" | "POST" | "PUT" | "DELETE"

/** Whether the release is at least another one. */
export type Since = (release: string) => boolean

interface RouteBody<S> {
  readonly name: string
  readonly schema: S
  readonly optional?: boolean
  /** Discovery does not say that there is one. */
  readonly unlisted?: boolean
}

export interface Route {
  readonly method: Method
  /** With `{names}`; `{repository}` takes slashes. Trailing slashes count. */
  readonly path: string
  /** The operationId in discovery; undefined is served and not listed. */
  readonly operation?: string
  /** Listed only among the internal operations. */
  readonly internal?: boolean
  readonly scope?: Scope
  /** Flags that must all be on, or the route does not exist. */
  readonly features?: readonly string[]
  /** The release that first had it. */
  readonly since?: string
  /** The release that no longer has it. */
  readonly until?: string
  /** The release that first lists it in discovery, where that came later. */
  readonly listedSince?: string
  /** The schema may differ from release to release. */
  readonly body?: RouteBody<Schema | ((since: Since) => Schema)>
  /** Who signed in with a password must have done so a short while ago. */
  readonly fresh?: boolean
  /** Runs before the body is looked at. */
  readonly guard?: (call: Call) => void
  readonly handle: (call: Call) => Reply
}

/** A route of one release. */
export type Served = Omit<Route, "body"> & { readonly body?: RouteBody<Schema> }

/** A resource: its routes and what it keeps. */
export interface Kind {
  readonly name: string
  readonly routes: readonly Route[]
  readonly parts?: readonly Pick<Part, "owner" | "key" | "read" | "write">[]
  readonly hooks?: Hooks
}

interface Compiled {
  readonly pattern: RegExp
  readonly names: readonly string[]
  readonly fixed: number
}

interface Entry extends Compiled {
  readonly route: Served
}

const PARAMETER = /\{(\w+)\}/g

const settled = ({ body, ...route }: Route, since: Since): Served => {
  if (body === undefined) return route
  const { schema } = body
  return { ...route, body: { ...body, schema: typeof schema === "function" ? schema(since) : schema } }
}

/** Paths that were compiled, for all simulators of a process. */
const compiled = new Map<string, Compiled>()

const compile = (path: string): Compiled => {
  const known = compiled.get(path)
  if (known !== undefined) return known
  const names = [...path.matchAll(PARAMETER)].map(([, name]) => name ?? "")
  const source = path
    .split(PARAMETER)
    .map((piece, index) =>
      index % 2 === 0
        ? piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
        : piece === "repository"
          ? "([^/]+(?:/[^/]+)*)"
          : "([^/]+)"
    )
    .join("")
  const fixed = path.split("/").filter((segment) => segment !== "" && !segment.startsWith("{")).length
  const made = { pattern: new RegExp(`^${source}$`), names, fixed }
  compiled.set(path, made)
  return made
}

export interface Match {
  readonly route: Served
  readonly parameters: ReadonlyMap<string, string>
}

export class Router {
  readonly routes: readonly Served[]
  readonly #entries: readonly Entry[]
  readonly #version: string | undefined

  constructor(kinds: readonly Kind[], features: Features, version: string | undefined) {
    this.routes = kinds
      .flatMap((kind) => kind.routes)
      .filter(
        (route) =>
          (route.features ?? []).every((name) => features[name] === true) &&
          (route.since === undefined || isAtLeast(version, route.since)) &&
          (route.until === undefined || !isAtLeast(version, route.until))
      )
      .map((route) => settled(route, (release) => isAtLeast(version, release)))
    this.#version = version
    // The more of a path is fixed, the earlier it is tried: `{repository}` would swallow the others.
    this.#entries = this.routes
      .map((route) => ({ route, ...compile(route.path) }))
      .sort((a, b) => b.fixed - a.fixed || a.names.length - b.names.length)
  }

  find(method: string, path: string): Match | undefined {
    for (const { route, pattern, names } of this.#entries) {
      if (route.method !== method) continue
      const found = pattern.exec(path)
      if (found !== null) {
        return { route, parameters: new Map(names.map((name, index) => [name, found[index + 1] ?? ""])) }
      }
    }
    return undefined
  }

  /** What to answer where `find` found nothing. */
  missing({ method, path, origin, query }: Incoming): Reply | Refusal {
    const methods = this.#entries.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route.method)
    const isRead = method === "GET"
    // What can be read is the API's; of everything else the pages of the browser's interface think that it is theirs.
    if (methods.includes("GET")) return methodNotAllowed()
    if (methods.length > 0 && !isRead) return methodNotAllowedPage()
    if (!path.endsWith("/") && (isRead || this.find(method, `${path}/`) !== undefined)) {
      const search = query.size === 0 ? "" : `?${query}`
      return redirectPage(`${origin}${encodeURI(path)}/${search}`)
    }
    if (isRead) return notFoundPage()
    // Up to 3.13 the redirect to the path with a slash failed for writes.
    return path.endsWith("/") || isAtLeast(this.#version, "3.14") ? methodNotAllowedPage() : internalErrorPage()
  }
}
