/**
 * Whether an operation is still to be done, by what the registry has now: the one check behind refusing a stale plan,
 * resuming a broken apply, and finding out whether a write whose answer was lost has happened.
 */
import { type Change, diff, isUnseen, sameValue } from "./diff.ts"
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
      if (changes.length === 0) return done
      // What the registry made by itself was predicted to be there, and is put right.
      if (operation.impliedBy !== undefined) return pending
      if (changes.every(({ field }) => kind.setAfterwards?.includes(field) === true)) return pending
      return { state: "conflict", reason: "it is there already, and different", changes }
    }
    case "update": {
      if (now === undefined) return { state: "conflict", reason: "it is gone", changes: [] }
      const left = diff(kind, now, operation.after)
      const standing = operation.changes.map((change) => standingOf(kind, change, left))
      if (standing.every((it) => it === "after")) return done
      // What the registry changes by itself is not as it was found, and is put right.
      if (operation.impliedBy !== undefined || !standing.includes("other")) return pending
      const changes = operation.changes.filter((_, i) => standing[i] === "other")
      return {
        state: "conflict",
        reason: "it was changed to something else",
        changes: changes.map(({ before, field }) => ({ field, before: at(now, field), after: before }))
      }
    }
    case "replace": {
      if (now === undefined) return pending
      const changes = diff(kind, now, operation.after)
      if (changes.length === 0 && !sendsUnseen(kind, operation.changes)) return done
      if (since(kind, operation.before, now).length === 0) return pending
      return { state: "conflict", reason: "it was changed to something else", changes }
    }
    case "delete": {
      if (now === undefined) return done
      const changes = since(kind, operation.before, now)
      if (operation.was !== undefined && since(kind, operation.was, now).length === 0) return pending
      if (changes.length === 0 || kind.leaving?.(operation.before, now) === true) return pending
      return { state: "conflict", reason: "it was changed since", changes }
    }
  }
}

/**
 * What has changed since the plan saw the object. Only what it saw is compared: a later reading may tell more of an object
 * that is asked for by name. What the kind finds wrong with the object as it was is no change.
 */
const since = (kind: Kind, before: Item, now: Item): ReadonlyArray<Change> => {
  const flaws = diff(kind, before, before)
  return diff(kind, now, before).filter((change) => !flaws.some((flaw) => equal(flaw, change)))
}

/** Whether it was planned to send what the registry does not tell: nothing ever shows that it was. */
const sendsUnseen = (kind: Kind, changes: ReadonlyArray<Change>): boolean =>
  changes.some(({ field }) => isUnseen(kind, field))

/** How far a planned change has come, by the differences that are left to what is wanted. */
const standingOf = (kind: Kind, change: Change, left: ReadonlyArray<Change>): "before" | "after" | "other" => {
  if (isUnseen(kind, change.field)) return "before"
  const touching = left.filter(
    ({ field }) =>
      field === change.field || field.startsWith(`${change.field}.`) || change.field.startsWith(`${field}.`)
  )
  const [first] = touching
  if (first === undefined) return "after"
  const untouched =
    touching.length === 1 &&
    first.field === change.field &&
    (sameValue(kind, change.field, first.before, change.before) || isOnItsWay(kind, change, first.before))
  return untouched ? "before" : "other"
}

/** Whether a list has nothing but what it had or shall have, and all that it had and shall have. */
const isOnItsWay = (kind: Kind, { after, before = [], field }: Change, now: unknown): boolean => {
  if (kind.changedStepwise?.includes(field) !== true) return false
  if (!Array.isArray(before) || !Array.isArray(after) || !Array.isArray(now)) return false
  const has = (list: ReadonlyArray<unknown>, value: unknown) => list.some((it) => equal(it, value))
  return now.every((it) => has(before, it) || has(after, it)) && before.every((it) => !has(after, it) || has(now, it))
}

const at = (item: Item, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined), item)
