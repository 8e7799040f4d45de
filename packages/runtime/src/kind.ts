/**
 * A kind with its effectful half: how a registry is asked for its objects, and how one is made, changed and removed.
 * The planner sees only what `@quaymaster/engine` declares of it.
 */
import type { Change, Collection, Kind as Pure } from "@quaymaster/engine"
import type { Static, TObject } from "@sinclair/typebox"
import type * as Effect from "effect/Effect"

export interface Kind<Name extends string = string, Schema extends TObject = TObject, E = unknown, R = unknown>
  extends Pure<Name, Schema> {
  /**
   * All the objects of whole collections: in bulk, never one at a time. What comes along without another request may be
   * returned too. A collection that cannot be read whole is a failure, never an empty list.
   */
  list(
    collections: ReadonlyArray<Collection>,
    declared: ReadonlySet<string>,
    wanted?: ReadonlyMap<string, Static<Schema>>
  ): Effect.Effect<ReadonlyArray<Static<Schema>>, E, R>
  create?(after: Static<Schema>): Effect.Effect<void, E, R>
  /**
   * Whether to create it twice makes two, because the registry takes no name for unique. When the answer to such a creation is
   * lost it is looked for, and not repeated. Left out: creating it again is harmless, or refused.
   */
  duplicates?(after: Static<Schema>): boolean
  /**
   * Of what a collection has now, what is there once too often beside an object that was just created, because somebody else
   * created it at the same time. Everybody has to come to the same answer: all but the first by the registry's own ids. What is
   * given is deleted.
   */
  surplus?(created: Static<Schema>, found: ReadonlyArray<Static<Schema>>): ReadonlyArray<Static<Schema>>
  update?(after: Static<Schema>, before: Static<Schema>, changes: ReadonlyArray<Change>): Effect.Effect<void, E, R>
  delete?(before: Static<Schema>): Effect.Effect<void, E, R>
}

/** What the methods of a kind, or of any of several, can fail with. */
export type Failure<K extends Kind> = K extends Kind ? Effect.Error<ReturnType<Asking<K>>> : never

/** The services that the methods of a kind, or of any of several, need. */
export type Services<K extends Kind> = K extends Kind ? Effect.Services<ReturnType<Asking<K>>> : never

type Asking<K extends Kind> = K["list"] | NonNullable<K["create"]>

/**
 * Kinds whose failures and services are known as one union each, so that code which is generic over kinds can call any of
 * them. `E` and `R` are worked out from `K` where they are not given.
 */
export type Uniform<K extends Kind, E = Failure<K>, R = Services<K>> = K & Kind<string, TObject, NoInfer<E>, NoInfer<R>>
