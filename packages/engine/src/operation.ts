/**
 * Operations: what a plan consists of. A union over kind and action, so that code which looks at `kind` and `action`
 * knows the type of `before` and `after`.
 */

import type { TObject } from "@sinclair/typebox"
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler"
import type { Change } from "./diff.ts"
import type { Item, ItemOf, Kind } from "./kind.ts"

export type Action = "create" | "update" | "replace" | "delete"

/** `drift`: the files as they were would have had it done as well. `change`: what they say since brings it about. */
export type Origin = "drift" | "change"

interface Common<Name extends string> {
  /** `create:team:acme/dev`: the same in every plan. */
  readonly id: string
  readonly kind: Name
  readonly key: string
  /** The operations that must be done before this one, and the gates that must be open. */
  readonly needs: ReadonlyArray<string>
  /** Where in the files, as people write it: `acme.yaml:14`. */
  readonly source?: string
  /** Why, where the files do not say it. */
  readonly reason?: string
  /** Told where it is known what the files said before. */
  readonly origin?: Origin
  /**
   * The operation whose effect decides whether this one is still to do: creating a repository also grants what the default
   * permissions say, replacing an object loses what goes along with it. The collection is read again after that operation,
   * and only what is missing is done: a create whose object is there by then, but different, is done as an update of it.
   */
  readonly impliedBy?: string
}

export interface Create<Name extends string, I> extends Common<Name> {
  readonly action: "create"
  readonly after: I
}

export interface Update<Name extends string, I> extends Common<Name> {
  readonly action: "update"
  readonly before: I
  readonly after: I
  readonly changes: ReadonlyArray<Change>
}

/** Delete and create again, for what the registry cannot change in place. */
export interface Replace<Name extends string, I> extends Common<Name> {
  readonly action: "replace"
  readonly before: I
  readonly after: I
  readonly changes: ReadonlyArray<Change>
  readonly cascades: ReadonlyArray<string>
  readonly destroys?: "data" | "credential"
}

export interface Delete<Name extends string, I> extends Common<Name> {
  readonly action: "delete"
  readonly before: I
  /** As it is until then, where what `impliedBy` does may leave it so. */
  readonly was?: I
  /** It is not there yet: what `impliedBy` does makes it. */
  readonly foreseen?: true
  /** The addresses that go along with it. */
  readonly cascades: ReadonlyArray<string>
  readonly destroys?: "data" | "credential"
}

export type Operation<K extends Kind = Kind> = K extends Kind
  ?
      | Create<K["kind"], ItemOf<K>>
      | Update<K["kind"], ItemOf<K>>
      | Replace<K["kind"], ItemOf<K>>
      | Delete<K["kind"], ItemOf<K>>
  : never

/** An operation of any kind at all. */
export type AnyOperation = Create<string, Item> | Update<string, Item> | Replace<string, Item> | Delete<string, Item>

/** The object that an operation is about: as it will be, or as it was where it is deleted. */
export const itemOf = (operation: AnyOperation): Item =>
  operation.action === "delete" ? operation.before : operation.after

/** Whether an operation takes away what is not there before another one is done. What is there may wait for another as well. */
export const isForeseen = (operation: AnyOperation): boolean =>
  operation.action === "delete" && operation.foreseen === true

const checks = new WeakMap<TObject, TypeCheck<TObject>>()

/** Whether a value has the shape of a kind's objects. The check is compiled once for each schema. */
export const matches = (schema: TObject, value: unknown): value is Item => {
  const known = checks.get(schema)
  if (known !== undefined) return known.Check(value)
  const compiled = TypeCompiler.Compile(schema)
  checks.set(schema, compiled)
  return compiled.Check(value)
}

/** Narrows an operation to the kinds of a list; the objects in it are checked against the kind's schema. */
export const isOperationOf =
  <K extends Kind>(kinds: ReadonlyMap<string, K>) =>
  (operation: AnyOperation): operation is AnyOperation & Operation<K> => {
    const kind = kinds.get(operation.kind)
    if (kind === undefined) return false
    return (
      (operation.action === "delete" || matches(kind.schema, operation.after)) &&
      (operation.action === "create" || matches(kind.schema, operation.before)) &&
      (operation.action !== "delete" || operation.was === undefined || matches(kind.schema, operation.was))
    )
  }
