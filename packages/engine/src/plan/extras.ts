/**
 * What is there and not wanted: declared absent, or an extra, which lives in an owned collection without being declared.
 * Each extra is either removed, or stays for a reason that is told.
 */
import { type Collection, collectionId } from "../address.ts"
import type { Kind } from "../kind.ts"
import type { Owned } from "../state.ts"
import type { Extra } from "../target-plan.ts"
import { isImplicit, type Resource, resourceOf, type Situation, type Wanted } from "./situation.ts"

/** What goes, and why. Where a file says so itself, `origin` is where. */
export interface Removed extends Resource {
  readonly reason: string
  readonly origin: Wanted["origin"]
}

export interface Extras {
  /** By address. */
  readonly removed: ReadonlyMap<string, Removed>
  readonly kept: ReadonlyArray<Extra>
}

const KEPT = "not in the file; kept unless the file prunes it"
const UNDELETABLE = "not in the file; the registry offers no way to delete it"
const UNREAD = "not in the file; kept because its collection was not read whole"

export const findExtras = (situation: Situation): Extras => {
  const { absent, kinds, owned, there, wanted } = situation
  const removed = new Map<string, Removed>()
  const kept: Array<Extra> = []
  for (const [address, { kind, origin }] of absent) {
    const found = there.byAddress.get(address)
    if (found !== undefined && kind.delete !== undefined)
      removed.set(address, { ...resourceOf(kind, found.item), reason: "declared absent", origin })
  }
  for (const [id, entry] of owned) {
    const kind = kinds.get(entry.kind)
    if (kind === undefined) continue
    const reason = keptBecause(kind, entry) ?? (wasRead(there.read, entry) ? undefined : UNREAD)
    for (const { item } of there.byCollection.get(id) ?? []) {
      const extra = resourceOf(kind, item)
      if (wanted.has(extra.address) || absent.has(extra.address) || isImplicit(situation, extra)) continue
      if (situation.ignoredBy(kind, item) !== undefined) continue
      if (reason === undefined) removed.set(extra.address, { ...extra, reason: "not in the file", origin: {} })
      else kept.push({ kind: kind.kind, key: extra.key, reason })
    }
  }
  return { removed, kept }
}

/** Why an object in an owned collection stays although no file declares it, if it does. */
export const keptBecause = (kind: Kind, entry: Owned): string | undefined => {
  if (kind.delete === undefined) return UNDELETABLE
  return kind.extras === "keep" && entry.prune !== true ? KEPT : undefined
}

/** An incomplete read never deletes: what is missing from it could still be what is wanted. */
const wasRead = (read: ReadonlySet<string>, { kind, parent, part }: Collection): boolean =>
  read.has(collectionId({ kind, parent })) || (part !== undefined && read.has(collectionId({ kind, parent, part })))
