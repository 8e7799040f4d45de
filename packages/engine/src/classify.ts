/**
 * Whether an operation is still to be done, by what the registry has now: the one check behind refusing a stale plan,
 * resuming a broken apply, and finding out whether a write whose answer was lost has happened.
 */
import { type Change, diff } from "./diff.ts"
import { equal, isRecord } from "./json.ts"
import type { Item, Kind } from "./kind.ts"
import type { AnyOperation } from "./operation.ts"

export type Standing =
  | { readonly state: "pending" }
  | { readonly state: "done" }
  /** Neither as the plan found it nor as it wants it. `changes` goes from what is there to what was expected. */
  | { readonly state: "conflict"; readonly reason: string; readonly changes: ReadonlyArray<Change> }

const pending: Standing = { state: "pending" }
const done: Standing = { state: "done" }

/** `now` is the object as it is, or undefined if there is none. */
export const classify = (kind: Kind, operation: AnyOperation, now: Item | undefined): Standing => {
  switch (operation.action) {
    case "create": {
      if (now === undefined) return pending
      const changes = diff(kind, now, operation.after)
      return changes.length === 0 ? done : { state: "conflict", reason: "it is there already, and different", changes }
    }
    case "update": {
      if (now === undefined) return { state: "conflict", reason: "it is gone", changes: [] }
      const standing = operation.changes.map((change) => {
        const value = at(now, change.field)
        return equal(value, change.after) ? "after" : equal(value, change.before) ? "before" : "other"
      })
      if (diff(kind, now, operation.after).length === 0 || standing.every((it) => it === "after")) return done
      if (!standing.includes("other")) return pending
      const changes = operation.changes.filter((_, i) => standing[i] === "other")
      return {
        state: "conflict",
        reason: "it was changed to something else",
        changes: changes.map((change) => ({ field: change.field, before: at(now, change.field), after: change.before }))
      }
    }
    case "replace": {
      if (now === undefined || diff(kind, now, operation.before).length === 0) return pending
      const changes = diff(kind, now, operation.after)
      return changes.length === 0 ? done : { state: "conflict", reason: "it was changed to something else", changes }
    }
    case "delete": {
      if (now === undefined) return done
      const changes = diff(kind, now, operation.before)
      return changes.length === 0 ? pending : { state: "conflict", reason: "it was changed since", changes }
    }
  }
}

const at = (item: Item, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined), item)
