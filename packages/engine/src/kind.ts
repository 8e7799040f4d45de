/**
 * The contract of a resource kind, as the planner sees it. A kind is one value: what its objects look like, how they are
 * named, what they need, and what a file says of them. The methods that read and write are typed by the runtime; the
 * planner only looks at which of them exist, because the absence of one is a capability that the registry lacks.
 */
import type { Static, TObject } from "@sinclair/typebox"
import type { Collection, Ref } from "./address.ts"
import type { Change } from "./diff.ts"
import type { Action } from "./operation.ts"
import type { Requirements } from "./preflight.ts"
import type { Section } from "./section.ts"
import type { World } from "./state.ts"

/** An object of some kind: what a file declares, and what the registry has, in one shape. */
export type Item = Readonly<Record<string, unknown>>

/** Something that the registry does by itself when an object is created or changed: what is there then. */
export interface Implied {
  readonly kind: string
  readonly item: Item
}

/**
 * What an object has to do with administering another one. `to` is the address of that: one person does, `who`, or all that are in
 * a collection, `through`. Without it, `who` is in the collection that the object itself is in.
 */
export interface Access {
  readonly to?: string
  readonly who?: string
  readonly through?: Collection
}

// The methods are declared as methods, not as function fields, so that a kind of one item type can stand in a list of kinds.
export interface Kind<Name extends string = string, Schema extends TObject = TObject> {
  /** `team`; kinds of plugins carry a prefix of their own: `acme.robot-secret`. */
  readonly kind: Name
  /** What a token must be allowed to, for people: `org:admin`. Nothing is decided by it. */
  readonly scopes?: ReadonlyArray<string>
  /** The first release that has it, for people, where nothing that it requires says so. */
  readonly since?: string
  /** The shape of an object. A field that a file leaves out is not managed. */
  readonly schema: Schema
  /** The fields that make up the key. They never change. */
  readonly identity: ReadonlyArray<string>
  /** Identity that people read: `acme/dev`. */
  key(item: Static<Schema>): string
  /** The collection that the object belongs to. */
  collection(item: Static<Schema>): Omit<Collection, "kind">
  /** What must exist before this object, and outlive it. */
  needs?(item: Static<Schema>): ReadonlyArray<Ref>
  /** Collections whose pending operations come before this object is created; of its own one, the deletions. */
  follows?(item: Static<Schema>): ReadonlyArray<Collection>
  /** Collections that must be read to plan this one, although no file need own them. */
  consults?(collection: Collection): ReadonlyArray<Collection>
  /** The same, but only where something that files declare of this collection is not there yet. */
  consultsToCreate?(collection: Collection): ReadonlyArray<Collection>
  /** What the registry makes, or changes, by itself when this object is created. */
  implies?(item: Static<Schema>, world: World): ReadonlyArray<Implied>
  /** The same when this object is changed from what it was before. */
  impliesOnUpdate?(item: Static<Schema>, before: Static<Schema>, world: World): ReadonlyArray<Implied>
  /**
   * Whether the object is there without anybody having asked for it, such as the admin permission that the registry gives
   * to the creator. It is no extra, and left alone unless a file names it.
   */
  implicit?(item: Static<Schema>, caller: string | undefined): boolean
  /** Collections that no file can own while this object is there: the registry fills them from elsewhere. */
  excludes?(item: Static<Schema>): ReadonlyArray<Collection>
  /** What happens to objects that no file declares: access is removed, the rest is kept unless the file prunes it. */
  readonly extras: "remove" | "keep"
  /** What a delete loses for good. */
  readonly destroys?: "data" | "credential"
  /** How an object is given another name, if the registry offers that: `write renamed_from in its file`. */
  readonly renaming?: string
  /** Fields that cannot change after creation, each with what replacing the object would lose. */
  readonly fixed?: { readonly [field: string]: string }
  /** Fields that `create` sets by a request of their own: what differs in these alone is a creation that was broken off. */
  readonly setAfterwards?: ReadonlyArray<string>
  /** Lists that `update` changes an element at a time: one on its way from what it was to what it shall be was broken off. */
  readonly changedStepwise?: ReadonlyArray<string>
  /** Whether an object is as a deletion of several writes leaves it that was broken off. */
  leaving?(before: Static<Schema>, now: Static<Schema>): boolean
  /** What a person can do to have an object that is missing, where there is no `create`. */
  readonly madeElsewhere?: string
  /** In this kind's collections nothing is taken away before what is new has been given. */
  readonly grantsFirst?: boolean
  /** The name of what can be asked for by hand of a declared object: `sync-now`. */
  readonly request?: string
  /**
   * The fields that tell `create` and `update` that it was asked for. No file says them, and `diff` tells them as a change.
   * Those that are `writeOnly` are done again whenever a plan is applied.
   */
  asked?(before: Static<Schema> | undefined): Partial<Static<Schema>>
  /** Whether to update the object makes it anew, so that fields change which cannot otherwise. */
  renews?(item: Static<Schema>): boolean
  /**
   * What must be allowed for an operation on an object, beside administering what it lives in. The names are the registry's
   * affair; the plan is refused where it says why one of them is not.
   */
  rights?(item: Static<Schema>, action: Action, changes: ReadonlyArray<Change>): ReadonlyArray<string>
  /** What the registry must offer for this kind. */
  readonly requires?: Requirements
  /** Why a declared object cannot be, in view of what is there and will be: a sentence that refuses the plan. */
  refuses?(item: Static<Schema>, before: Static<Schema> | undefined, world: World): string | undefined
  /** Whether what lives in a declared object can be compared only once this is as declared. Until then it is left out. */
  holdsBack?(item: Static<Schema>, before: Static<Schema>): boolean
  /**
   * What a person should know of a declared object beside what is done to it, a sentence each: an invitation that is pending,
   * something that cannot be undone. `before` is undefined where the object is not there yet.
   */
  notices?(item: Static<Schema>, before: Static<Schema> | undefined): ReadonlyArray<string>
  /** Why an object cannot be deleted as it is: a sentence that refuses a plan that would. */
  lasts?(item: Static<Schema>): string | undefined
  /** What a person should know of an object that is deleted: what stays of it, for one. */
  leaves?(item: Static<Schema>): ReadonlyArray<string>
  /**
   * Whether making the object, or changing it so, takes something from somebody: what they may do, or what they have.
   * `before` is undefined where it is made. Left out: making it takes nothing, and of any change it is not known.
   */
  narrows?(after: Static<Schema>, before: Static<Schema> | undefined, changes: ReadonlyArray<Change>): boolean
  /** By whom something is administered, as far as it follows from this object. Asked of objects as they are and as they will be. */
  access?(item: Static<Schema>): Access | undefined
  /** Adds to the structural diff; it cannot silence it. */
  diff?(before: Static<Schema>, after: Static<Schema>): ReadonlyArray<Change>
  /** Its place in an organization file. */
  readonly section: Section<Static<Schema>>

  /**
   * `declared` has the keys that files name, so that a kind need not ask for what nobody asks about; `wanted` what they say of
   * them, for a kind whose objects are not all in the registry. Left out: nothing is known of it.
   */
  list(
    collections: ReadonlyArray<Collection>,
    declared: ReadonlySet<string>,
    wanted?: ReadonlyMap<string, Static<Schema>>
  ): unknown
  create?(after: Static<Schema>): unknown
  update?(after: Static<Schema>, before: Static<Schema>, changes: ReadonlyArray<Change>): unknown
  delete?(before: Static<Schema>): unknown
}

export type Kinds = ReadonlyArray<Kind>

export type ItemOf<K extends Kind> = Static<K["schema"]>

/** The kinds by name. Two kinds of one name are a mistake of whoever put the list together. */
export class DuplicateKind extends Error {
  override readonly name = "DuplicateKind"
  readonly kind: string
  constructor(kind: string) {
    super(`Two kinds are named "${kind}". Each kind needs a name of its own; give a plugin's kind a prefix.`)
    this.kind = kind
  }
}

export const indexKinds = <K extends Kind>(kinds: ReadonlyArray<K>): ReadonlyMap<string, K> => {
  const index = new Map<string, K>()
  for (const kind of kinds) {
    if (index.has(kind.kind)) throw new DuplicateKind(kind.kind)
    index.set(kind.kind, kind)
  }
  return index
}
