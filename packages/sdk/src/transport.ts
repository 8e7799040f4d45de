/**
 * Sends one request and reads its whole answer: over undici, or over a `fetch` that the caller gives. Knows time limits,
 * size limits, certificates and proxies; knows nothing of Quay but that it closes idle connections after about two seconds.
 * undici is loaded with the first request that needs it. Retries and rate limits are the caller's.
 */
import { DecodeError, type QuayErrorInfo, TransportError, type TransportReason } from "./errors.ts"

export interface TlsOptions {
  /** Certificates to trust beside the usual ones, in PEM. */
  readonly ca?: string | readonly string[] | undefined
  /** A client certificate and its key, in PEM. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** False accepts any certificate: for laboratories only. */
  readonly verify?: boolean | undefined
}

export interface TransportOptions {
  readonly tls?: TlsOptions | undefined
  /** "environment" (default): HTTP_PROXY, HTTPS_PROXY and NO_PROXY; a URL: that proxy for everything; false: none. */
  readonly proxy?: "environment" | (string & {}) | false | undefined
  /** Speak HTTP/2 where the server does. Off by default: a request costs Quay far more than a connection. */
  readonly http2?: boolean | undefined
  /** How long an idle connection is kept, in milliseconds (default 1000); false closes each after its answer. */
  readonly keepAlive?: number | false | undefined
}

export interface WireRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly signal: AbortSignal
}

export interface WireAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: ByteReader | undefined
}

/** What both undici's and the platform's readers of a body have. */
export interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(): Promise<void>
}

export interface Wire {
  readonly send: (request: WireRequest) => Promise<WireAnswer>
  readonly close: () => Promise<void>
}

/** A wire over a `fetch` that the caller gives; closing it does nothing. */
export const wireOver = (fetch: (request: Request) => Promise<Response>): Wire => ({
  send: async ({ url, method, headers, body, signal }) => {
    const response = await fetch(
      new Request(url, { method, headers, signal, redirect: "manual", ...(body === undefined ? {} : { body }) })
    )
    return { status: response.status, headers: response.headers, body: response.body?.getReader() }
  },
  close: async () => {}
})

const proxyOptions = (proxy: TransportOptions["proxy"]) => {
  if (proxy === undefined || proxy === "environment") return {}
  return proxy === false
    ? { httpProxy: "", httpsProxy: "", noProxy: "*" }
    : { httpProxy: proxy, httpsProxy: proxy, noProxy: "" }
}

/** A wire over undici with connections of its own. Nothing is loaded or opened before the first request. */
export const undiciWire = (options: TransportOptions): Wire => {
  const open = async () => {
    const { EnvHttpProxyAgent, fetch } = await import("undici")
    const { tls } = options
    let ca: string[] | undefined
    if (tls?.ca !== undefined) {
      const { getCACertificates } = await import("node:tls")
      ca = [...getCACertificates("default"), ...(typeof tls.ca === "string" ? [tls.ca] : tls.ca)]
    }
    const secure = {
      ...(ca === undefined ? {} : { ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
      ...(tls?.verify === false ? { rejectUnauthorized: false } : {})
    }
    const idle = options.keepAlive === false || options.keepAlive === undefined ? 1000 : Math.max(1, options.keepAlive)
    const agent = new EnvHttpProxyAgent({
      ...proxyOptions(options.proxy),
      connect: secure,
      requestTls: secure,
      allowH2: options.http2 === true,
      keepAliveTimeout: idle,
      // What the server promises is cut short by this much, so that ours closes first.
      keepAliveTimeoutThreshold: 1000,
      keepAliveMaxTimeout: idle,
      ...(options.keepAlive === false ? { pipelining: 0 } : {}),
      // The client's own limit covers the whole call; these would only cut it short.
      headersTimeout: 0,
      bodyTimeout: 0
    })
    return { agent, fetch }
  }
  let opened: ReturnType<typeof open> | undefined
  return {
    send: async ({ url, method, headers, body, signal }) => {
      opened ??= open()
      const { agent, fetch } = await opened
      const response = await fetch(url, {
        method,
        headers,
        signal,
        redirect: "manual",
        dispatcher: agent,
        ...(body === undefined ? {} : { body })
      })
      return {
        status: response.status,
        headers: new Headers([...response.headers]),
        body: response.body?.getReader()
      }
    },
    close: async () => {
      const current = opened
      opened = undefined
      if (current !== undefined) await (await current).agent.close()
    }
  }
}

const reasons: Readonly<Record<string, TransportReason>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ETIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset"
}

const isTls = (code: string): boolean =>
  /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_MISMATCH)/.test(code)

/** The first code on the chain of causes. */
const codeOf = (error: unknown): string => {
  for (let current = error, depth = 0; current instanceof Error && depth < 6; current = current.cause, depth++) {
    if ("code" in current && typeof current.code === "string") return current.code
    if (current instanceof AggregateError) {
      const inner = current.errors.map(codeOf).find((code) => code !== "")
      if (inner !== undefined) return inner
    }
  }
  return ""
}

const words: Readonly<Record<TransportReason, string>> = {
  refused: "refused the connection",
  reset: "closed the connection",
  dns: "is a name that does not resolve",
  tls: "has a certificate that is not trusted, or speaks no TLS",
  timeout: "did not answer in time",
  other: "could not be reached"
}

// Nothing was sent yet when these happen.
const before = new Set<TransportReason>(["refused", "dns", "tls"])

// An answer came, and is none that can be read: no HTTP, headers without end, or not packed as they say.
const unreadable: readonly (readonly [code: RegExp, message: string])[] = [
  [/^(UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/, "The answer's headers are too large"],
  [/^HPE_/, "The answer is no HTTP, or broken"],
  [/^(Z_|ERR__ERROR_|ZSTD_)/, "The answer is not compressed as its headers say"],
  [/^ERR_ENCODING_INVALID/, "The answer is not UTF-8 text"]
]

/** The error that a failed request means; `host` is named in its message. */
export const transportError = (error: unknown, info: QuayErrorInfo, host: string): TransportError | DecodeError => {
  const code = codeOf(error)
  const [, message] = unreadable.find(([pattern]) => pattern.test(code)) ?? []
  if (message !== undefined)
    return new DecodeError(`${message} (${code})`, { ...info, mayHaveHappened: info.method !== "GET", cause: error })
  const reason = isTls(code) ? "tls" : (reasons[code] ?? "other")
  const write = info.method !== "GET" && info.method !== "HEAD"
  return new TransportError(`${host} ${words[reason]}${code === "" ? "" : ` (${code})`}`, {
    ...info,
    reason,
    transient: reason !== "tls" && code !== "ENOTFOUND",
    mayHaveHappened: write && !before.has(reason) && code !== "UND_ERR_CONNECT_TIMEOUT",
    cause: error
  })
}

export interface ReadOptions {
  /** The most bytes, unpacked. */
  readonly limit: number
  /** Whether bytes that are no UTF-8 fail, or stand for a character that cannot be shown. */
  readonly strict: boolean
}

/** The whole body as text; undefined if it is larger than the limit, in which case the rest is not read. */
export const readText = async (answer: WireAnswer, { limit, strict }: ReadOptions): Promise<string | undefined> => {
  const { body, headers } = answer
  if (body === undefined) return ""
  const decoder = new TextDecoder("utf-8", { fatal: strict })
  // What is packed says how long it is packed.
  let size = headers.has("content-encoding") ? 0 : Number(headers.get("content-length") ?? 0)
  if (!(size > limit)) {
    size = 0
    let text = ""
    for (;;) {
      const { done, value } = await body.read()
      if (done || value === undefined) return text + decoder.decode()
      size += value.byteLength
      if (size > limit) break
      text += decoder.decode(value, { stream: true })
    }
  }
  await body.cancel().catch(() => {})
  return undefined
}
