/**
 * Names an operation from what goes over the wire, by the generated table. Knows nothing of parameters or answers.
 */
import { operationTable } from "./generated/operations.gen.ts"

export interface Operation {
  /** Quay's own name for it. */
  readonly id: string
  readonly method: string
  /** The path with its parameters in braces. */
  readonly path: string
  /** Served, but not listed by the public discovery document. */
  readonly internal?: boolean
}

interface Route extends Operation {
  readonly pattern: RegExp
  readonly literal: number
}

// A repository's name may hold slashes and the others may not, so the route with the most literal text wins.
const routes = (): Route[] =>
  operationTable
    .map((operation) => {
      const source = operation.path
        .split(/(\{[^}]+\})/)
        .map((part) =>
          part === "{repository}"
            ? "[^/]+(?:/|%2F)[^/]+(?:(?:/|%2F)[^/]+)*?"
            : part.startsWith("{")
              ? "[^/]+"
              : part.replace(/[.*+?^$()|[\]\\]/g, "\\$&")
        )
        .join("")
      return {
        ...operation,
        pattern: new RegExp(`^${source}$`, "i"),
        literal: operation.path.replace(/\{[^}]+\}/g, "").length
      }
    })
    .sort((a, b) => b.literal - a.literal)

let compiled: Route[] | undefined
const byTemplate = new Map<string, Operation>()
for (const operation of operationTable) byTemplate.set(`${operation.method} ${operation.path}`, operation)

/** All operations that the SDK knows, by path and method. */
export const operations: readonly Operation[] = operationTable

/** The operation of a method and a path with its parameters in braces, or undefined. */
export const operationFor = (method: string, path: string): Operation | undefined =>
  byTemplate.get(`${method.toUpperCase()} ${path}`)

/**
 * The operation that a request is for, or undefined. `url` is a path or a whole URL; what stands before `/api/v1/` (or
 * before `/config`) is the registry's own prefix, and a query is ignored.
 */
export const operationOf = (method: string, url: string): Operation | undefined => {
  const path = url.replace(/[?#].*$/s, "").replace(/^[a-z]+:\/\/[^/]+/i, "")
  const start = path.indexOf("/api/v1/")
  const route = start >= 0 ? path.slice(start) : path.slice(Math.max(0, path.lastIndexOf("/")))
  compiled ??= routes()
  const wanted = method.toUpperCase()
  const found = compiled.find((candidate) => candidate.method === wanted && candidate.pattern.test(route))
  return found && operationFor(found.method, found.path)
}
