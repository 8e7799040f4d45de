/**
 * A connection to one registry: the client with its credentials, the limiter that all its requests pass, and who we are
 * there. A `sim:` URL is a simulated registry inside this process; all else is reached over HTTP.
 */
import { resolve } from "node:path"
import { type Registry, readSecretFile, resolveSecret } from "@quaymaster/config"
import type { SecretRef } from "@quaymaster/engine"
import { type LocalFiles, makeQuay, type Quay } from "@quaymaster/kinds"
import { EventSink, makeLimiter, type RegistryEvent, retrying } from "@quaymaster/runtime"
import {
  createQuayClient,
  type Identity,
  identify,
  isQuayFailure,
  operationFor,
  type QuayClient,
  type QuayFailure,
  type TlsOptions,
  type TransportOptions
} from "@quaymaster/sdk"
import type { OpenedSimulator } from "@quaymaster/simulator"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { localFiles } from "./local-files.ts"

/** How to reach registries, beside what files say of them. */
export interface ConnectionOptions {
  /** A token for every registry, whatever the settings say. */
  readonly token?: string | undefined
  /** The most requests side by side, and a second; they beat the settings. */
  readonly parallelism?: number | undefined
  readonly rps?: number | undefined
  /** The limit of one request, in milliseconds. */
  readonly timeout?: number | undefined
  /** Where references to secrets are looked up. Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Where relative paths start, of files that secrets are in or are delivered to. Default: the process's working directory. */
  readonly cwd?: string | undefined
}

/** The registry cannot be reached as configured. */
export class ConnectionFailed extends Data.TaggedError("ConnectionFailed")<{
  readonly registry: string
  readonly message: string
  readonly cause?: unknown
}> {}

/** Another user answers than the one who began, one with fewer rights, or nobody: what was read cannot be trusted. */
export class IdentityChanged extends Data.TaggedError("IdentityChanged")<{ readonly registry: string }> {
  override get message(): string {
    return (
      `The token for ${this.registry} is not any more what it was at the beginning: it has expired, is another user's, or is ` +
      "no superuser's any more. What was read with it may not be all there is. Get a new token and try again."
    )
  }
}

export interface Connection {
  readonly registry: Registry
  /** The user that the token belongs to; undefined if it may not say (it lacks `user:read`). */
  readonly caller: string | undefined
  readonly quay: Quay["Service"]
  /** The limit of one request in milliseconds, where one is set. */
  readonly timeout?: number | undefined
  /** Fails if the token is no longer whose it was, or lost its rights. To be run after reading, before believing what was read. */
  readonly stillUs: Effect.Effect<void, ConnectionFailed | IdentityChanged | QuayFailure>
}

/**
 * Opens a connection for as long as the scope lasts, and finds out who we are.
 * Fails with `Unauthenticated` if the token is provably not valid.
 */
export const connect = (
  registry: Registry,
  options: ConnectionOptions = {}
): Effect.Effect<Connection, ConnectionFailed | QuayFailure, Scope.Scope> =>
  Effect.flatMap(registry.url.startsWith("sim:") ? simulated(registry, options) : remote(registry, options), (client) =>
    connectOver(registry, client, options)
  )

/** The same over a client that is somebody else's to make and to close, and over files that may be. */
export const connectOver = (
  registry: Registry,
  client: QuayClient,
  options: ConnectionOptions = {},
  files: LocalFiles = localFiles(options.cwd ?? process.cwd())
): Effect.Effect<Connection, ConnectionFailed | QuayFailure> =>
  Effect.gen(function* () {
    tellRequests(client, yield* EventSink)
    const parallelism = options.parallelism ?? registry.parallelism
    const rps = options.rps ?? registry.rps
    const limiter = makeLimiter({
      ...(parallelism === undefined ? {} : { parallelism }),
      ...(rps === undefined ? {} : { rps })
    })
    const whoAmI = retrying({ repeatable: true })(
      limiter.run(
        Effect.tryPromise({
          try: (signal) => identify(client, { signal }),
          catch: (cause) => quayError(registry, cause)
        })
      )
    )
    const us = yield* whoAmI
    const caller = nameOf(us)
    return {
      registry,
      caller,
      timeout: timeoutOf(registry, options),
      quay: makeQuay({
        registry: { name: registry.name, url: registry.url },
        client,
        limiter,
        caller,
        files,
        secret: (reference) => lookUp(reference, options)
      }),
      stillUs: Effect.flatMap(whoAmI, (now) =>
        nameOf(now) === caller && isSuperuser(now) === isSuperuser(us)
          ? Effect.void
          : Effect.fail(new IdentityChanged({ registry: registry.name }))
      ).pipe(
        Effect.catch((error) =>
          Effect.fail(error._tag === "Unauthenticated" ? new IdentityChanged({ registry: registry.name }) : error)
        )
      )
    }
  })

/** Tells of each request that went out, repeated ones too: which operation, and how long it took. */
const tellRequests = (client: QuayClient, sink: (event: RegistryEvent) => void): void => {
  const begun = new Map<string, number>()
  const ended = (id: string, method: string, path: string) => {
    const since = begun.get(id)
    begun.delete(id)
    if (since === undefined) return
    const operation = operationFor(method, path)?.id ?? `${method} ${path}`
    sink({ type: "request", operation, milliseconds: Math.round(performance.now() - since) })
  }
  client.raw.use({
    onRequest: ({ id }) => {
      begun.set(id, performance.now())
    },
    onResponse: ({ id, request, schemaPath }) => ended(id, request.method, schemaPath),
    onError: ({ id, request, schemaPath }) => ended(id, request.method, schemaPath)
  })
}

const nameOf = (identity: Identity): string | undefined => (identity.kind === "user" ? identity.name : undefined)

const isSuperuser = (identity: Identity): boolean => identity.kind === "user" && identity.superuser

const timeoutOf = (registry: Registry, options: ConnectionOptions): number | undefined =>
  options.timeout ?? registry.timeout

const quayError = (registry: Registry, cause: unknown): QuayFailure | ConnectionFailed =>
  isQuayFailure(cause) ? cause : failed(registry, cause)

const failed = (registry: Registry, cause: unknown): ConnectionFailed =>
  new ConnectionFailed({
    registry: registry.name,
    message: cause instanceof Error ? cause.message : String(cause),
    cause
  })

/** Runs a step of connecting, with what it throws told as a failure to connect. */
const step = <A>(registry: Registry, run: () => Promise<A>): Effect.Effect<A, ConnectionFailed> =>
  Effect.tryPromise({ try: run, catch: (cause) => failed(registry, cause) })

const closing = (client: QuayClient) => Effect.promise(() => client.close())

const remote = (registry: Registry, options: ConnectionOptions) =>
  Effect.acquireRelease(
    step(registry, async () => {
      const token = await tokenOf(registry, options)
      const timeout = timeoutOf(registry, options)
      return createQuayClient({
        url: registry.url,
        tls: await tlsOf(registry),
        ...(token === undefined ? {} : { token }),
        ...(timeout === undefined ? {} : { timeout }),
        ...(await proxyOf(registry, options))
      })
    }),
    closing
  )

/** The secret that a reference stands for. */
const lookUp = (reference: SecretRef, { cwd = process.cwd(), env = process.env }: ConnectionOptions): Promise<string> =>
  resolveSecret(reference, env, (file) => readSecretFile(resolve(cwd, file)))

const proxyOf = async ({ proxy }: Registry, options: ConnectionOptions): Promise<Pick<TransportOptions, "proxy">> =>
  proxy === undefined
    ? {}
    : {
        proxy: typeof proxy === "object" ? await lookUp(proxy, options) : proxy
      }

const tokenOf = async (registry: Registry, options: ConnectionOptions): Promise<string | undefined> => {
  if (options.token !== undefined) return options.token
  if (registry.token !== undefined) return await lookUp(registry.token, options)
  return (options.env ?? process.env)["QUAY_TOKEN"]
}

const tlsOf = async ({ ca, cert, key, verify }: Registry): Promise<TlsOptions> => {
  const read = async (name: "ca" | "cert" | "key", file: string | undefined) =>
    file === undefined ? {} : { [name]: await readSecretFile(file) }
  return { verify, ...(await read("ca", ca)), ...(await read("cert", cert)), ...(await read("key", key)) }
}

/** Simulated registries that live in this process, by URL, with how many connections each has. */
const simulators = new Map<string, { readonly opened: Promise<OpenedSimulator>; users: number }>()

const simulated = (registry: Registry, options: ConnectionOptions) =>
  Effect.acquireRelease(
    step(registry, async () => {
      const { openSimulator } = await import("@quaymaster/simulator")
      const known = simulators.get(registry.url) ?? { opened: openSimulator(registry.url), users: 0 }
      simulators.set(registry.url, known)
      known.users++
      const { simulator, token } = await known.opened.catch((cause: unknown) => {
        // Once its file is mended it can be opened after all.
        simulators.delete(registry.url)
        throw cause
      })
      return createQuayClient({
        url: "http://simulator.invalid",
        token: options.token ?? token,
        fetch: simulator.fetch
      })
    }),
    (client) =>
      Effect.andThen(
        closing(client),
        Effect.promise(async () => {
          const known = simulators.get(registry.url)
          if (known === undefined) return
          const opened = await known.opened
          try {
            await opened.flush()
          } finally {
            known.users--
          }
          // What lives in memory alone stays for the process: a plan made on it is applied to it.
          if (known.users > 0 || registry.url === "sim:" || registry.url.startsWith("sim:?")) return
          // All that its users did is written; who comes from here on opens the file anew.
          simulators.delete(registry.url)
          await opened.close()
        })
      )
  )
