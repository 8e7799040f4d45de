/**
 * Names for things: the address of one object, and the collection it lives in.
 * What a key looks like is each kind's own affair; nothing here takes one apart.
 */

/** One object on a registry. `key` is what people read, such as `acme/dev`. */
export interface Address {
  readonly kind: string
  readonly key: string
}

/**
 * What a file can own as a whole: the teams of `acme`, the users among the members of `acme/dev`.
 * `parent` is the key of what holds the collection; `part` names a share of it that can be owned alone.
 */
export interface Collection {
  readonly kind: string
  readonly parent: string
  readonly part?: string
}

/**
 * Something that another object needs. It is made before, and deleted after.
 * `cascades` says that deleting it takes along what needs it.
 */
export interface Ref extends Address {
  /** The collection the needed object lives in, so that it can be looked up. */
  readonly parent: string
  readonly cascades?: boolean
  /** It may be there without being declared, even where files own its collection. */
  readonly orThere?: boolean
}

export const addressOf = (kind: string, key: string): string => `${kind}:${key}`

/** The kind and the key of an address. A kind's name has no colon; a key may have one. */
export const partsOf = (address: string): Address => {
  const at = address.indexOf(":")
  return { kind: address.slice(0, at), key: address.slice(at + 1) }
}

export const collectionId = (collection: Collection): string =>
  collection.part === undefined
    ? `${collection.kind}@${collection.parent}`
    : `${collection.kind}@${collection.parent}#${collection.part}`

/** Compares by code unit, so that the order is the same on every machine and in every locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
