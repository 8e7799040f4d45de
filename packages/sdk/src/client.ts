/**
 * The client: openapi-fetch with the generated types, in two forms. `quay.GET(…)` resolves to data that is what its type says
 * and rejects with a `QuayError`; `quay.raw.GET(…)` resolves to `{ data, error, response }` as openapi-fetch does. One call is
 * one request: retries, limits and caches belong to whoever calls.
 */
import { unescape as decoded } from "node:querystring"
import createClient, { type Client, type MaybeOptionalInit } from "openapi-fetch"
import { faultIn } from "./answers.ts"
import { DecodeError, Invalid, QuayError, type QuayErrorInfo, TransportError } from "./errors.ts"
import type { paths } from "./generated/quay.gen.ts"
import { version } from "./generated/version.gen.ts"
import { deeperThan } from "./json.ts"
import { operationFor, operationOf } from "./operations.ts"
import { problemOf, redact, redirectOf, secretsIn } from "./problem.ts"
import { readText, type TlsOptions, transportError, undiciWire, type WireAnswer, wireOver } from "./transport.ts"
import { baseOf, fillPath, OptionError, textOf } from "./url.ts"

export interface QuayClientOptions {
  /** Where the registry is: `https://quay.example.com`, with a path if it has one. Never with a user or a password. */
  readonly url: string
  /** An OAuth token, or what gives one for each request. Left out: an anonymous visitor. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** Sends requests instead of connections of our own: the simulator, a test, a recorder. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** The limit of one request with its answer, in milliseconds. Default 30 000. */
  readonly timeout?: number | undefined
  /** Default `quaymaster/<version>`. Quay answers browsers differently, so nothing that starts with Mozilla. */
  readonly userAgent?: string | undefined
  readonly tls?: TlsOptions | undefined
  /** "environment" (default): HTTP_PROXY, HTTPS_PROXY and NO_PROXY; a URL: that proxy for everything; false: none. */
  readonly proxy?: "environment" | (string & {}) | false | undefined
  /** Speak HTTP/2 where the server does. Default false: a request costs Quay far more than a connection. */
  readonly http2?: boolean | undefined
  /** How long an idle connection is kept, in milliseconds (default 1000: Quay drops it after two seconds); false: not. */
  readonly keepAlive?: number | false | undefined
  /** Sends a nested repository's slashes as %2F, for mock servers that want it. Default false. */
  readonly encodeSlash?: boolean | undefined
  /** The largest answer that is read, in bytes, unpacked. Default 32 MiB. */
  readonly maxBytes?: number | undefined
}

type HttpMethod = "get" | "put" | "post" | "delete"

/** The paths that have an operation with this method. */
export type PathsWith<Method extends HttpMethod> = {
  [Path in keyof paths]: paths[Path] extends { [Key in Method]: unknown } ? Path : never
}[keyof paths]

// openapi-fetch's own rule for whether the second argument may be left out; it does not export it.
type RequiredKeysHelper<T> = { [Key in keyof T]: Record<never, never> extends Pick<T, Key> ? never : Key }[keyof T]
type RequiredKeys<T> = RequiredKeysHelper<T> extends undefined ? never : RequiredKeysHelper<T>
type InitParam<Init> =
  RequiredKeys<Init> extends never ? [(Init & { [key: string]: unknown })?] : [Init & { [key: string]: unknown }]

type Success<Answer> = Answer extends { data: infer Data; error?: never } ? Data : never

/** What a successful call resolves to: the answer's data, or undefined where it has none. */
type DataOf<Answer> = [Success<Answer>] extends [never] ? undefined : Success<Answer>

// Only its type is used: instantiated with a path it gives that call's answer.
declare const shape: Client<paths>

/** A GET that resolves to data. The other methods are alike. */
export type Get = <Path extends PathsWith<"get">, Init extends MaybeOptionalInit<paths[Path], "get">>(
  path: Path,
  ...init: InitParam<Init>
) => Promise<DataOf<Awaited<ReturnType<typeof shape.GET<Path, Init>>>>>

export type Put = <Path extends PathsWith<"put">, Init extends MaybeOptionalInit<paths[Path], "put">>(
  path: Path,
  ...init: InitParam<Init>
) => Promise<DataOf<Awaited<ReturnType<typeof shape.PUT<Path, Init>>>>>

export type Post = <Path extends PathsWith<"post">, Init extends MaybeOptionalInit<paths[Path], "post">>(
  path: Path,
  ...init: InitParam<Init>
) => Promise<DataOf<Awaited<ReturnType<typeof shape.POST<Path, Init>>>>>

export type Delete = <Path extends PathsWith<"delete">, Init extends MaybeOptionalInit<paths[Path], "delete">>(
  path: Path,
  ...init: InitParam<Init>
) => Promise<DataOf<Awaited<ReturnType<typeof shape.DELETE<Path, Init>>>>>

export interface QuayClient {
  /** The registry's URL, without a trailing slash. */
  readonly url: string
  readonly GET: Get
  readonly PUT: Put
  readonly POST: Post
  readonly DELETE: Delete
  /** openapi-fetch's own client: resolves to `{ data, error, response }` whatever the status. Its data is not checked. */
  readonly raw: Client<paths>
  /** Closes idle connections; requests that run are finished first. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

interface Result {
  readonly data?: unknown
  readonly error?: unknown
  readonly response: Response
}

/** What a call needs to be told apart from others in an error. */
interface Place {
  readonly method: string
  readonly path: string
  readonly secrets: () => readonly string[]
}

const place = (method: string, path: string): QuayErrorInfo => ({
  method,
  path,
  operation: operationFor(method, path)?.id
})

/** Resolves to the data of a raw call, or throws the error that its answer means. */
function dataOf<Answer extends Result>(call: () => Promise<Answer>, at: Place): Promise<DataOf<Answer>>
async function dataOf(call: () => Promise<Result>, at: Place): Promise<unknown> {
  let result: Result
  try {
    result = await call()
  } catch (error) {
    // The parser's message quotes the text, which may hold a credential, so it goes no further.
    if (error instanceof SyntaxError)
      throw new DecodeError("The answer is broken JSON", {
        ...place(at.method, at.path),
        mayHaveHappened: at.method !== "GET"
      })
    if (error instanceof OptionError) throw new Invalid(error.message, place(at.method, at.path))
    throw error
  }
  const { data, error, response } = result
  if (response.ok) {
    const operation = operationFor(at.method, at.path)?.id
    // A write that is done needs no words.
    if (operation === undefined || (data === undefined && at.method !== "GET")) return data
    const fault = faultIn(operation, data)
    if (fault === undefined) return data
    throw new DecodeError(`The answer is not what Quay gives: ${redact(fault, at.secrets())}`, {
      ...place(at.method, at.path),
      status: response.status,
      mayHaveHappened: at.method !== "GET"
    })
  }
  const body: unknown = error
  throw problemOf({ ...at, secrets: at.secrets(), status: response.status, headers: response.headers, body })
}

/** The deepest that lists and objects may stand in each other. Quay's own stay below twenty. */
const MOST_LEVELS = 100

/** More of a refusal than this is not read: what it says in words is short. */
const MOST_OF_A_REFUSAL = 1024 * 1024

/** The body of an answer, if it can be Quay's. Of a refusal that is too much, the status is enough. */
const textOfAnswer = async (answer: WireAnswer, maxBytes: number, info: QuayErrorInfo): Promise<string> => {
  const fail = (message: string): DecodeError =>
    new DecodeError(message, { ...info, mayHaveHappened: info.method !== "GET" })
  const ok = answer.status < 300
  const limit = ok ? maxBytes : Math.min(maxBytes, MOST_OF_A_REFUSAL)
  const text = await readText(answer, { limit, strict: ok })
  if (!ok) return text === undefined || deeperThan(text, MOST_LEVELS) ? "" : text
  if (text === undefined) throw fail(`The answer is larger than ${maxBytes} bytes`)
  if (text.trim() !== "" && !/json/i.test(answer.headers.get("content-type") ?? ""))
    throw fail("A page came where data should be: perhaps the sign-in page of a proxy before the registry")
  if (deeperThan(text, MOST_LEVELS)) throw fail(`The answer is nested deeper than ${MOST_LEVELS} levels`)
  return text
}

/** As many secrets that were sent are kept out of all later messages; shorter ones would take words out of them. */
const MOST_REMEMBERED = 1000
const SHORTEST_REMEMBERED = 8

const proxySecrets = (proxy: QuayClientOptions["proxy"]): string[] => {
  const url = typeof proxy === "string" ? URL.parse(proxy) : null
  if (url === null || url.password === "") return []
  const [username, password] = [decoded(url.username), decoded(url.password)]
  return [url.password, password, `${username}:${password}`]
}

const defaultTimeout = 30_000
const defaultMaxBytes = 32 * 1024 * 1024

const checked = (token: string): string => {
  const trimmed = token.trim()
  // A header cannot carry these, and the error of whoever tries would quote the token.
  if (!/^[\x21-\x7e]+$/.test(trimmed))
    throw new OptionError("The token is empty, or holds characters that no token has (a line break, a space)")
  return trimmed
}

/**
 * A client for one registry. Throws `OptionError` for options that cannot work; makes no request by itself.
 *
 * ```ts
 * const quay = createQuayClient({ url: "https://quay.example.com", token: process.env.QUAY_TOKEN ?? "" })
 * const acme = await quay.GET("/api/v1/organization/{orgname}", { params: { path: { orgname: "acme" } } })
 * ```
 */
export const createQuayClient = (options: QuayClientOptions): QuayClient => {
  const base = baseOf(options.url)
  const { timeout = defaultTimeout, maxBytes = defaultMaxBytes, userAgent = `quaymaster/${version}` } = options
  if (!(timeout > 0)) throw new OptionError("The timeout is a number of milliseconds greater than zero")
  if (/^mozilla/i.test(userAgent) || !/^[\x20-\x7e]+$/.test(userAgent))
    throw new OptionError("The user agent is plain text that is not a browser's")
  if (typeof options.token === "string") checked(options.token)
  if (typeof options.proxy === "string" && options.proxy !== "environment" && !URL.canParse(options.proxy))
    throw new OptionError("The proxy is no URL: it looks like http://proxy.example.com:3128")
  const wire = options.fetch === undefined ? undiciWire(options) : wireOver(options.fetch)
  // What no message may show. A token that is fetched anew replaces the one before it.
  let token = typeof options.token === "string" ? checked(options.token) : undefined

  const send = async (request: Request): Promise<Response> => {
    request.signal.throwIfAborted()
    const { method, url } = request
    const known = operationOf(method, url)
    const target = new URL(url)
    const info = place(method, known?.path ?? target.pathname)
    const headers: Record<string, string> = { accept: "application/json", "user-agent": userAgent }
    request.headers.forEach((value, name) => {
      headers[name] = value
    })
    if (typeof options.token === "function") token = checked(await options.token())
    if (token !== undefined && target.origin === base.origin) headers["authorization"] ??= `Bearer ${token}`
    const content = await request.text()
    if (content !== "") headers["content-type"] = "application/json"

    const controller = new AbortController()
    const late = new TransportError(`${target.host} did not answer within ${timeout} ms`, {
      ...info,
      reason: "timeout",
      transient: true,
      mayHaveHappened: method !== "GET"
    })
    const timer = setTimeout(() => controller.abort(late), timeout)
    const abort = (): void => controller.abort(request.signal.reason)
    request.signal.addEventListener("abort", abort, { once: true })
    // A `fetch` that ignores its signal must not hold the call.
    const given = new Promise<never>((_, reject) => {
      controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true })
    })
    const exchange = async (): Promise<Response> => {
      const answer = await wire.send({
        url,
        method,
        headers,
        body: content === "" ? undefined : content,
        signal: controller.signal
      })
      const refusal = { ...info, status: answer.status, headers: answer.headers, body: undefined, secrets: secrets() }
      if (answer.status >= 300 && answer.status < 400) {
        await answer.body?.cancel().catch(() => {})
        throw redirectOf(refusal, url)
      }
      const text = await textOfAnswer(answer, maxBytes, { ...info, status: answer.status })
      const copy = new Headers(answer.headers)
      for (const name of ["content-encoding", "content-length", "transfer-encoding"]) copy.delete(name)
      if (text === "") copy.set("content-length", "0")
      const empty = answer.status === 204 || answer.status === 205
      return new Response(empty ? null : text, { status: answer.status, headers: copy })
    }
    const running = exchange()
    running.catch(() => {})
    try {
      return await Promise.race([running, given])
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason
      throw error instanceof QuayError ? error : transportError(error, info, target.host)
    } finally {
      clearTimeout(timer)
      request.signal.removeEventListener("abort", abort)
    }
  }

  // A registry may say what it was sent long after it was sent.
  const sent = new Set<string>(proxySecrets(options.proxy))
  const secrets = (): string[] => [...(token === undefined ? [] : [token]), ...sent]
  const raw = createClient<paths>({
    baseUrl: textOf(base),
    fetch: send,
    pathSerializer: (template, values) => fillPath(template, values, options.encodeSlash === true)
  })
  const at = (method: string, path: string, init: { readonly body?: unknown } | undefined): Place => {
    const own = secretsIn(init?.body, path)
    for (const secret of own) if (secret.length >= SHORTEST_REMEMBERED) sent.add(secret)
    for (const oldest of sent) {
      if (sent.size <= MOST_REMEMBERED) break
      sent.delete(oldest)
    }
    return { method, path, secrets: () => [...secrets(), ...own] }
  }
  const close = (): Promise<void> => wire.close()
  return {
    url: textOf(base),
    raw,
    GET: (path, ...init) => dataOf(() => raw.GET(path, ...init), at("GET", path, undefined)),
    PUT: (path, ...init) => dataOf(() => raw.PUT(path, ...init), at("PUT", path, init[0])),
    POST: (path, ...init) => dataOf(() => raw.POST(path, ...init), at("POST", path, init[0])),
    DELETE: (path, ...init) => dataOf(() => raw.DELETE(path, ...init), at("DELETE", path, undefined)),
    close,
    [Symbol.asyncDispose]: close
  }
}
