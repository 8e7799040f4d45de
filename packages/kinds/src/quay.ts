/**
 * The registry as kinds see it: the typed client, with each request passing the registry's limiter and repeated where that
 * is safe. Kinds decide what to ask; how it is asked is decided here.
 */
import type { SecretRef } from "@quaymaster/engine"
import { faultOf, type Limiter, retrying, Wrote } from "@quaymaster/runtime"
import { isQuayFailure, type QuayClient, type QuayFailure } from "@quaymaster/sdk"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type LocalFiles, noFiles } from "./local-files.ts"
import { isRight, whyNot } from "./rights.ts"
import { featureOf, type Server, serverOf } from "./server.ts"

/** Sends one request. The signal aborts it. */
export type Request<A> = (client: QuayClient, signal: AbortSignal) => Promise<A>

export interface QuayOptions {
  /** The registry, as files name it and where it is. */
  readonly registry: { readonly name: string; readonly url: string }
  readonly client: QuayClient
  readonly limiter: Limiter
  /** The user that the token belongs to, if that could be told. */
  readonly caller?: string | undefined
  /** Looks a secret up; rejects with an error whose message may be shown. */
  readonly secret?: (reference: SecretRef) => Promise<string>
  /** Where credentials are delivered to. Left out: nowhere. */
  readonly files?: LocalFiles
}

/** A secret that a file refers to cannot be had. The message names the reference, never the secret. */
export class SecretUnavailable extends Data.TaggedError("SecretUnavailable")<{
  readonly reference: SecretRef
  readonly message: string
}> {}

export class Quay extends Context.Service<
  Quay,
  {
    readonly registry: { readonly name: string; readonly url: string }
    readonly caller: string | undefined
    /** The secret that a reference stands for. It goes into a request and nowhere else. */
    readonly secret: (reference: SecretRef) => Effect.Effect<string, SecretUnavailable>
    /** Files of this machine. */
    readonly files: LocalFiles
    /** What the registry offers, asked for once. */
    readonly server: Effect.Effect<Server, QuayFailure>
    /** Whether a feature is switched on, without asking for all the rest; undefined where the registry does not tell. */
    readonly feature: (name: string) => Effect.Effect<boolean | undefined, QuayFailure>
    /** Why something that kinds name in `rights` is not allowed, as a part of a sentence; undefined if nothing speaks against it. */
    readonly whyNot: (right: string) => Effect.Effect<string | undefined, QuayFailure>
    /** A request that may be sent twice: a read, or a write that says what shall be rather than what to add. */
    readonly ask: <A>(request: Request<A>) => Effect.Effect<A, QuayFailure>
    /** A write that must not happen twice. If its answer is lost, it is looked up before it is repeated. */
    readonly once: <A>(request: Request<A>) => Effect.Effect<A, QuayFailure>
  }
>()("@quaymaster/kinds/Quay") {}

export const makeQuay = ({
  caller,
  client,
  files = noFiles,
  limiter,
  registry,
  secret
}: QuayOptions): Quay["Service"] => {
  const attempt = <A>(request: Request<A>): Effect.Effect<A, QuayFailure> =>
    Effect.flatMap(Wrote, (wrote) => limiter.run(settled((signal) => request(telling(client, wrote), signal))))
  const ask = <A>(request: Request<A>) => retrying({ repeatable: true })(attempt(request))
  // Only makes room for the answers; nothing is asked yet.
  const config = Effect.runSync(
    Effect.cached(
      // Not there before 3.8, where the path is a page's.
      orNowhere(ask((client, signal) => client.GET("/config", { signal })))
    )
  )
  const discovery = ask((client, signal) => client.GET("/api/v1/discovery", { signal }))
  const described = Effect.map(Effect.all([config, discovery], { concurrency: "unbounded" }), ([config, discovery]) =>
    serverOf(config, discovery)
  )
  const feature = (name: string) => Effect.map(config, (known) => featureOf(known, name))
  const found = {
    feature,
    superuser: allowed(
      ask((client, signal) => client.GET("/api/v1/superuser/users/", { params: { query: { limit: 1 } }, signal }))
    ),
    actsForUser: allowed(
      ask((client, signal) => client.GET("/api/v1/user/robots", { params: { query: { token: false } }, signal }))
    )
  }
  return {
    registry,
    caller,
    files,
    secret: (reference) =>
      Effect.tryPromise({
        try: () =>
          secret === undefined ? Promise.reject(new Error("There is nowhere to look secrets up.")) : secret(reference),
        catch: (cause) =>
          new SecretUnavailable({ reference, message: cause instanceof Error ? cause.message : String(cause) })
      }),
    server: Effect.runSync(Effect.cached(described)),
    feature,
    whyNot: (right) => (isRight(right) ? whyNot(right, found) : Effect.succeed(undefined)),
    ask,
    once: (request) => retrying({ repeatable: false })(attempt(request))
  }
}

/** Whether a read is allowed, asked once. */
const allowed = (read: Effect.Effect<unknown, QuayFailure>): Effect.Effect<boolean, QuayFailure> => {
  const refused = ["Forbidden", "Unauthenticated", "Missing", "FeatureOff"]
  const answer = Effect.catch(Effect.as(read, true), (error) =>
    refused.includes(error._tag) ? Effect.succeed(false) : Effect.fail(error)
  )
  return Effect.runSync(Effect.cached(answer))
}

/** The client, which tells of each write that was carried out, or may have been. */
const telling = (client: QuayClient, wrote: () => void): QuayClient => {
  const told = async <A>(call: Promise<A>): Promise<A> => {
    try {
      const answer = await call
      wrote()
      return answer
    } catch (error) {
      if (faultOf(error).mayHaveHappened) wrote()
      throw error
    }
  }
  return {
    ...client,
    PUT: (path, ...init) => told(client.PUT(path, ...init)),
    POST: (path, ...init) => told(client.POST(path, ...init)),
    DELETE: (path, ...init) => told(client.DELETE(path, ...init))
  }
}

/** The secret that a reference stands for, or undefined where there is no reference. */
export const reveal = (reference: SecretRef | undefined): Effect.Effect<string | undefined, SecretUnavailable, Quay> =>
  reference === undefined ? Effect.succeed(undefined) : Effect.flatMap(Quay, (quay) => quay.secret(reference))

/** Asks once for what may be sent twice. */
export const ask = <A>(request: Request<A>): Effect.Effect<A, QuayFailure, Quay> =>
  Effect.flatMap(Quay, (quay) => quay.ask(request))

/** Asks for what must not happen twice. */
export const once = <A>(request: Request<A>): Effect.Effect<A, QuayFailure, Quay> =>
  Effect.flatMap(Quay, (quay) => quay.once(request))

const or = <A, E extends { readonly _tag: string }, R>(
  tags: ReadonlyArray<string>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E, R> =>
  Effect.catch(
    effect,
    (error): Effect.Effect<A | undefined, E> =>
      tags.includes(error._tag) ? Effect.succeed(undefined) : Effect.fail(error)
  )

/** The answer, or undefined where Quay says that there is no such thing. */
export const orMissing = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E, R> => or(["Missing"], effect)

/** The same, and undefined also where Quay has no such things at all. */
export const orNowhere = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E, R> => or(["Missing", "FeatureOff"], effect)

/** All items of a paginated list, each page asked for by its own request. */
export const pages = <A>(
  list: (run: <Page>(request: Request<Page>) => Promise<Page>) => AsyncIterable<A>
): Effect.Effect<ReadonlyArray<A>, QuayFailure, Quay> =>
  Effect.flatMap(Effect.context<Quay>(), (context) =>
    settled(async (signal) => {
      const items: Array<A> = []
      for await (const item of list((request) => Effect.runPromiseWith(context)(ask(request), { signal })))
        items.push(item)
      return items
    })
  )

/** A promise whose rejections are Quay's errors; anything else that it throws is a mistake in the program. */
const settled = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, QuayFailure> =>
  Effect.tryPromise({ try: (signal) => run(signal), catch: (error) => error }).pipe(
    Effect.catch((error) => (isQuayFailure(error) ? Effect.fail(error) : Effect.die(error)))
  )
