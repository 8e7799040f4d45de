/** What the rules of the guard look at. */
import type { AddressPattern } from "../address-pattern.ts"
import type { Item, Kind } from "../kind.ts"
import type { AnyOperation } from "../operation.ts"
import type { ActualIndex, Found, Owned } from "../state.ts"
import type { Policy } from "./policy.ts"

export interface Facts {
  readonly kinds: ReadonlyMap<string, Kind>
  readonly operations: ReadonlyArray<AnyOperation>
  readonly there: ActualIndex
  /** What is declared, by address. */
  readonly wanted: { readonly has: (address: string) => boolean }
  /** What is declared absent, by address. */
  readonly absent: { readonly has: (address: string) => boolean }
  /** The ids of the collections that the files managed before; undefined where that is not known. */
  readonly managed: { readonly has: (id: string) => boolean } | undefined
  /** The collections that files own, by their id. */
  readonly owned: ReadonlyMap<string, Owned>
  /** What the registry will make by itself, and nobody takes away again, by address. */
  readonly predicted: ReadonlyMap<string, Found>
  readonly caller: string | undefined
  readonly policy: Policy
  readonly protect: ReadonlyArray<AddressPattern>
  readonly ignore: ReadonlyArray<AddressPattern>
  /** The pattern by which an object is somebody else's, or what it lives in is. */
  readonly ignoredBy: (kind: Kind, item: Item) => AddressPattern | undefined
}
