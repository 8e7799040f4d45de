/** Extras: what lives in an owned collection and is not wanted. Each is either removed, or stays for a reason that is told. */
import { type Collection, collectionId } from "../address.ts"
import type { Kind } from "../kind.ts"
import type { Owned } from "../state.ts"
import type { Extra } from "../target-plan.ts"
import { isImplicit, type Resource, resourceOf, type Situation } from "./situation.ts"

export interface Extras {
  /** What goes, by address. */
  readonly removed: ReadonlyMap<string, Resource>
  readonly kept: ReadonlyArray<Extra>
}

const KEPT = "not in the file; kept unless the file prunes it"
const UNDELETABLE = "not in the file; the registry offers no way to delete it"
const UNREAD = "not in the file; kept because its collection was not read whole"

export const findExtras = (situation: Situation): Extras => {
  const { kinds, owned, there, wanted } = situation
  const removed = new Map<string, Resource>()
  const kept: Array<Extra> = []
  for (const [id, entry] of owned) {
    const kind = kinds.get(entry.kind)
    if (kind === undefined) continue
    const reason = keptBecause(kind, entry) ?? (wasRead(there.read, entry) ? undefined : UNREAD)
    for (const { item } of there.byCollection.get(id) ?? []) {
      const extra = resourceOf(kind, item)
      if (wanted.has(extra.address) || isImplicit(situation, extra)) continue
      if (reason === undefined) removed.set(extra.address, extra)
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
