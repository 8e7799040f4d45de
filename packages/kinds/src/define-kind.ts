/**
 * Kinds written with promises, for authors who need no Effect. The client they are given passes the registry's limiter and
 * repeats what is safe to repeat, as the built-in kinds' requests do.
 */
import type { Change, Collection } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { isQuayFailure, type QuayClient, type QuayFailure } from "@quaymaster/sdk"
import type { Static, TObject } from "@sinclair/typebox"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { ask as asking, once as askingOnce, Quay, type Request } from "./quay.ts"

/** What a method of a kind can use beside its arguments. */
export interface KindContext {
  /** Resolves to data and rejects with a `QuayError`. */
  readonly quay: Pick<QuayClient, "GET" | "PUT" | "POST" | "DELETE">
  /** The registry, as files name it and where it is. */
  readonly registry: { readonly name: string; readonly url: string }
  /** The user that the token belongs to, if that could be told. */
  readonly caller: string | undefined
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** A method of a kind rejected with something that is no `QuayError`. */
export class KindFailed extends Data.TaggedError("KindFailed")<{
  readonly kind: string
  readonly message: string
  readonly cause: unknown
}> {}

/** What defines a kind: the pure half as the engine declares it, and methods that return promises. */
export interface KindDefinition<Name extends string, Schema extends TObject>
  extends Omit<Kind<Name, Schema>, "list" | "create" | "update" | "delete"> {
  /** All the objects of whole collections. Rejects if one cannot be read whole. */
  list(
    collections: ReadonlyArray<Collection>,
    context: KindContext & { readonly declared: ReadonlySet<string> }
  ): Promise<ReadonlyArray<Static<Schema>>>
  create(after: Static<Schema>, context: KindContext): Promise<void>
  update?(
    after: Static<Schema>,
    before: Static<Schema>,
    changes: ReadonlyArray<Change>,
    context: KindContext
  ): Promise<void>
  delete?(before: Static<Schema>, context: KindContext): Promise<void>
}

/** A kind that can stand beside the built-in ones in the library's functions. */
export type LibraryKind<Name extends string = string, Schema extends TObject = TObject> = Kind<
  Name,
  Schema,
  QuayFailure | KindFailed,
  Quay
>

/** Makes a kind of a definition with promises. */
export const defineKind = <const Name extends string, Schema extends TObject>(
  definition: KindDefinition<Name, Schema>
): LibraryKind<Name, Schema> => {
  const run = <A>(method: (context: KindContext) => Promise<A>): Effect.Effect<A, QuayFailure | KindFailed, Quay> =>
    Effect.flatMap(Effect.context<Quay>(), (context) => {
      const quay = Context.get(context, Quay)
      return Effect.tryPromise({
        try: (signal) =>
          method({ quay: clientOf(context, signal), registry: quay.registry, caller: quay.caller, signal }),
        catch: (cause) =>
          isQuayFailure(cause) ? cause : new KindFailed({ kind: definition.kind, message: messageOf(cause), cause })
      })
    })
  const { create, delete: remove, list, update, ...pure } = definition
  return {
    ...pure,
    list: (collections, declared) => run((context) => list(collections, { ...context, declared })),
    create: (after) => run((context) => create(after, context)),
    ...(update === undefined
      ? {}
      : { update: (after, before, changes) => run((context) => update(after, before, changes, context)) }),
    ...(remove === undefined ? {} : { delete: (before) => run((context) => remove(before, context)) })
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** With all that the method runs with: who listens, and who is told of writes. */
const clientOf = (context: Context.Context<Quay>, signal: AbortSignal): KindContext["quay"] => {
  const run = Effect.runPromiseWith(context)
  const ask = <A>(request: Request<A>) => run(asking(request), { signal })
  const once = <A>(request: Request<A>) => run(askingOnce(request), { signal })
  return {
    GET: (path, ...init) => ask((client) => client.GET(path, ...init)),
    PUT: (path, ...init) => ask((client) => client.PUT(path, ...init)),
    POST: (path, ...init) => once((client) => client.POST(path, ...init)),
    DELETE: (path, ...init) => ask((client) => client.DELETE(path, ...init))
  }
}
