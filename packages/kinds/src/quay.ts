/**
 * The registry as kinds see it: the typed client, with each request passing the registry's limiter and repeated where that
 * is safe. Kinds decide what to ask; how it is asked is decided here.
 */
import { type Limiter, retrying } from "@quaymaster/runtime"
import { type QuayClient, QuayError } from "@quaymaster/sdk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Sends one request. The signal aborts it. */
export type Request<A> = (client: QuayClient, signal: AbortSignal) => Promise<A>

export interface QuayOptions {
  /** The registry, as files name it and where it is. */
  readonly registry: { readonly name: string; readonly url: string }
  readonly client: QuayClient
  readonly limiter: Limiter
  /** The user that the token belongs to, if that could be told. */
  readonly caller?: string | undefined
}

export class Quay extends Context.Service<
  Quay,
  {
    readonly registry: { readonly name: string; readonly url: string }
    readonly caller: string | undefined
    /** A request that may be sent twice: a read, or a write that says what shall be rather than what to add. */
    readonly ask: <A>(request: Request<A>) => Effect.Effect<A, QuayError>
    /** A write that must not happen twice. If its answer is lost, it is looked up before it is repeated. */
    readonly once: <A>(request: Request<A>) => Effect.Effect<A, QuayError>
  }
>()("@quaymaster/kinds/Quay") {}

export const makeQuay = ({ caller, client, limiter, registry }: QuayOptions): Quay["Service"] => {
  const attempt = <A>(request: Request<A>): Effect.Effect<A, QuayError> =>
    limiter.run(settled((signal) => request(client, signal)))
  return {
    registry,
    caller,
    ask: (request) => retrying({ repeatable: true })(attempt(request)),
    once: (request) => retrying({ repeatable: false })(attempt(request))
  }
}

/** Asks once for what may be sent twice. */
export const ask = <A>(request: Request<A>): Effect.Effect<A, QuayError, Quay> =>
  Effect.flatMap(Quay, (quay) => quay.ask(request))

/** Asks for what must not happen twice. */
export const once = <A>(request: Request<A>): Effect.Effect<A, QuayError, Quay> =>
  Effect.flatMap(Quay, (quay) => quay.once(request))

/** The answer, or undefined where Quay says that there is no such thing. */
export const orMissing = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E, R> =>
  Effect.catch(
    effect,
    (error): Effect.Effect<A | undefined, E> =>
      error._tag === "Missing" ? Effect.succeed(undefined) : Effect.fail(error)
  )

/** All items of a paginated list, each page asked for by its own request. */
export const pages = <A>(
  list: (run: <Page>(request: Request<Page>) => Promise<Page>) => AsyncIterable<A>
): Effect.Effect<ReadonlyArray<A>, QuayError, Quay> =>
  Effect.flatMap(Effect.context<Quay>(), (context) =>
    settled(async (signal) => {
      const items: Array<A> = []
      for await (const item of list((request) => Effect.runPromiseWith(context)(ask(request), { signal })))
        items.push(item)
      return items
    })
  )

/** A promise whose rejections are Quay's errors; anything else that it throws is a mistake in the program. */
const settled = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, QuayError> =>
  Effect.tryPromise({ try: (signal) => run(signal), catch: (error) => error }).pipe(
    Effect.catch((error) => (error instanceof QuayError ? Effect.fail(error) : Effect.die(error)))
  )
