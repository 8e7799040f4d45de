/**
 * Walks a plan: workers over a ready queue, no barrier between kinds or organizations. An operation starts when all that it
 * needs is done; one that fails skips what depends on it, and the rest goes on. A write whose answer was lost is looked up
 * before it is repeated. What the registry does by itself is read back once, in bulk, when the rest has been done.
 */
import {
  type AnyOperation,
  addressOf,
  diff,
  equal,
  type Item,
  indexKinds,
  type Operation,
  type TargetPlan
} from "@quaymaster/engine"
import type { TObject } from "@sinclair/typebox"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import { emit, type Outcome } from "./event.ts"
import { type Fault, faultOf } from "./fault.ts"
import type { Failure, Kind, Services, Uniform } from "./kind.ts"
import type { Result as OperationResult, TargetReport } from "./report.ts"
import { Stop, Unrepeated, Wrote } from "./retry.ts"
import { type Checked, check, conflictReason, readTouched } from "./stale.ts"

export interface WalkOptions {
  /** Operations under way side by side. The limiter decides how many requests. */
  readonly workers: number
  /** Where each operation stood just before, from `recheck`; those that are done are not repeated. */
  readonly checked?: ReadonlyMap<string, Checked>
  readonly caller?: string | undefined
  /** When it aborts, no further operation starts, none is repeated, and those under way finish. */
  readonly stop?: AbortSignal | undefined
  /**
   * Fails if the token is not any more what it was when the plan was made. Run before what was read is believed, and where
   * the registry forbids what it should allow. Default: nobody is asked.
   */
  readonly stillUs?: Effect.Effect<void, unknown> | undefined
  /** After so many operations in a row that failed because the registry did, no further one starts. Default 5. */
  readonly breaker?: number | undefined
  /**
   * For how many milliseconds a write is looked for whose answer was lost, where repeating it could make a second object.
   * Default 30 000. It is never repeated.
   */
  readonly patience?: number | undefined
  /** Is told of each operation before it starts and when it has ended. What cannot be recorded is not done. */
  readonly recorder?: Recorder | undefined
  /** Operations that an earlier apply may have done, and how many milliseconds ago it began them. */
  readonly unsettled?: ReadonlyMap<string, number> | undefined
}

/** Keeps what an apply does, for the time after a crash. */
export interface Recorder {
  readonly started: (id: string) => Effect.Effect<void, unknown>
  readonly ended: (result: OperationResult) => Effect.Effect<void, unknown>
}

const ATTEMPTS = 3
const BREAKER = 5
const PATIENCE = 30_000
/** The first pause before a write is looked for, and the longest, in milliseconds. */
const PAUSE = 500
const LONGEST_PAUSE = 5_000

/** The names of errors after which no request can succeed any more. */
const LOST_TOKEN: ReadonlySet<string> = new Set(["Unauthenticated", "IdentityChanged"])
/** The names of errors that may mean so, or that it is only this one object. */
const REFUSED: ReadonlySet<string> = new Set(["Forbidden", "NotAdministrator"])

type Ended = Omit<OperationResult, "id">

/** How a gate ends: it does nothing, so it is done as soon as what it needs is. */
const OPEN: Ended = { outcome: "already" }

/** The plan was made with other kinds than it is applied with. */
class Unsupported extends Data.TaggedError("Unsupported")<{ readonly action: string; readonly kind: string }> {
  override get message(): string {
    return `There is no way to ${this.action} a ${this.kind} here.`
  }
}

export const walk = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  target: TargetPlan<Operation<K>>,
  options: WalkOptions
): Effect.Effect<TargetReport, never, R> =>
  Effect.gen(function* () {
    const known = indexKinds(kinds)
    const operations: ReadonlyArray<AnyOperation> = target.operations
    const byId = new Map(operations.map((operation) => [operation.id, operation]))
    const gates = new Map(target.gates?.map((gate) => [gate.id, gate]))
    const results = new Map<string, Ended>()
    const waiting = new Map<string, number>()
    const dependents = new Map<string, Array<string>>()
    const held: Array<string> = []
    const queue = yield* Queue.unbounded<string, Cause.Done>()
    const patience = options.patience ?? PATIENCE
    let open = 0
    let stopped: TargetReport["stopped"]
    let reason: string | undefined
    const stop = (why: NonNullable<TargetReport["stopped"]>, words?: string) => {
      if (stopped !== undefined) return
      stopped = why
      reason = words
    }
    const stopping = () => {
      if (options.stop?.aborted === true) stop("interrupted")
      return stopped !== undefined
    }
    yield* emit({ type: "apply-started", operations: operations.length })

    const kindOf = (operation: AnyOperation): Kind<string, TObject, E, R> | undefined => known.get(operation.kind)

    const ready = (id: string) => {
      if (byId.get(id)?.impliedBy !== undefined) held.push(id)
      else {
        open++
        Queue.offerUnsafe(queue, id)
      }
    }

    /** Records how an operation ended, and makes ready or skips what waited for it. */
    const settle = (id: string, ended: Ended, milliseconds = 0): Effect.Effect<void> =>
      Effect.gen(function* () {
        const pending: Array<readonly [string, Ended, number]> = [[id, ended, milliseconds]]
        for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
          const [at, how, took] = next
          if (results.has(at)) continue
          results.set(at, how)
          const { outcome } = how
          const isGate = gates.has(at)
          if (!isGate) yield* emit({ type: "operation-finished", id: at, milliseconds: took, ...told(how) })
          for (const dependent of dependents.get(at) ?? []) {
            if (outcome === "failed" || outcome === "skipped")
              pending.push([dependent, { outcome: "skipped", because: (isGate ? how.because : undefined) ?? at }, 0])
            else if (outcome === "not-started") pending.push([dependent, { outcome: "not-started" }, 0])
            else {
              const left = (waiting.get(dependent) ?? 0) - 1
              waiting.set(dependent, left)
              if (left > 0) continue
              if (gates.has(dependent)) pending.push([dependent, OPEN, 0])
              else ready(dependent)
            }
          }
        }
      })

    /**
     * One attempt. `seen` is how the object was found since the plan was made, if it was looked at; `creates` is called when
     * a replacement has come to what it makes.
     */
    const attempt = (
      operation: AnyOperation,
      seen: Checked | undefined,
      creates: () => void
    ): Effect.Effect<void, E | Unsupported, R> => {
      const unsupported = Effect.fail(new Unsupported(operation))
      const kind = kindOf(operation)
      if (kind === undefined) return unsupported
      const now = seen?.now
      switch (operation.action) {
        case "create": {
          if (now === undefined || kind.update === undefined) return kind.create?.(operation.after) ?? unsupported
          return kind.update(operation.after, now, diff(kind, now, operation.after))
        }
        case "update": {
          const before = now ?? operation.before
          const left = new Set(diff(kind, before, operation.after).map(({ field }) => field))
          const changes = operation.changes.filter(({ field }) => left.has(field))
          return kind.update?.(operation.after, before, changes) ?? unsupported
        }
        case "replace": {
          const create = Effect.suspend((): Effect.Effect<void, E | Unsupported, R> => {
            creates()
            return kind.create?.(operation.after) ?? unsupported
          })
          // It was deleted before, by an attempt that got no further.
          if (seen !== undefined && now === undefined) return create
          const deletion = kind.delete?.(now ?? operation.before)
          if (deletion === undefined) return unsupported
          return Effect.andThen(Effect.provideService(unlessMissing(deletion), Unrepeated, true), create)
        }
        case "delete":
          return kind.delete?.(now ?? operation.before) ?? unsupported
      }
    }

    /** Whether the token was found to be in order since an operation succeeded last. */
    let vouched = false
    let failuresInARow = 0
    /** What went wrong. Without a token that counts nothing more need be tried. */
    const faultIn = (cause: Cause.Cause<unknown>): Effect.Effect<Fault> =>
      Effect.gen(function* () {
        const fault = faultOfCause(cause)
        if (LOST_TOKEN.has(fault.tag)) stop("unauthenticated", fault.message)
        if (!REFUSED.has(fault.tag) || vouched || stopped !== undefined || options.stillUs === undefined) return fault
        vouched = true
        const asked = yield* Effect.exit(options.stillUs)
        const lost = Exit.isFailure(asked) ? faultOfCause(asked.cause) : undefined
        if (lost !== undefined && LOST_TOKEN.has(lost.tag)) stop("unauthenticated", lost.message)
        return fault
      })
    /** Opens the circuit where the registry itself fails again and again. */
    const judge = (outcome: Outcome, fault: Fault | undefined) => {
      if (outcome !== "failed") vouched = false
      failuresInARow = fault?.broken === true ? failuresInARow + 1 : 0
      if (failuresInARow >= (options.breaker ?? BREAKER))
        stop("unavailable", `${failuresInARow} operations in a row failed, the last one with: ${fault?.message}`)
    }

    /** Whether to do the operation now could make a second object of something that is on its way. */
    const mayDouble = (operation: AnyOperation, seen: Checked | undefined): boolean =>
      operation.action !== "delete" &&
      seen?.standing.state === "pending" &&
      seen.now === undefined &&
      kindOf(operation)?.duplicates?.(operation.after) === true

    /** Whether what is to be replaced may still be deleted: a deletion that comes late takes what is there in its place. */
    const mayGo = (operation: AnyOperation, seen: Checked | undefined): boolean =>
      operation.action === "replace" && seen?.standing.state === "pending" && seen.now !== undefined

    /** Where the operation stands now, if the answer can be believed. */
    const look = (operation: AnyOperation) =>
      Effect.exit(
        Effect.map(
          Effect.tap(check(kinds, [operation], options.caller), () => options.stillUs ?? Effect.void),
          (checked) => checked.get(operation.id)
        )
      )

    /** Looks for what may be there soon: once, or for as long as something may be on its way. */
    const lookFor = (
      operation: AnyOperation,
      atMost: number,
      comes: (operation: AnyOperation, seen: Checked | undefined) => boolean
    ) =>
      Effect.gen(function* () {
        let pause = Math.min(PAUSE, Math.max(atMost, 0))
        for (let waited = 0; ; pause = Math.min(2 * pause, LONGEST_PAUSE, atMost - waited)) {
          yield* Effect.sleep(pause)
          waited += pause
          const looked = yield* look(operation)
          if (Exit.isFailure(looked) || !comes(operation, looked.value)) return looked
          if (waited >= atMost || stopping()) return looked
        }
      })

    /** The object as it was found just before, or as the plan found it. */
    const foundBefore = (operation: AnyOperation, seen: Checked | undefined): Item | undefined =>
      seen === undefined && operation.action !== "create" ? operation.before : seen?.now

    /** Repeats what may be repeated, and looks up what may have happened. */
    const perform = (
      operation: AnyOperation,
      first: Checked | undefined
    ): Effect.Effect<readonly [Ended, Fault?], never, R> =>
      Effect.gen(function* () {
        let seen = first
        // Whether any write was carried out, or may have been.
        let wrote = false
        // Whether there was no last word on an attempt: it may be carried out later still.
        let unanswered = false
        // Whether that was of the making, and not of the deletion before it.
        let unmade = false
        const before = foundBefore(operation, first)
        for (let count = 1; ; count++) {
          let making = operation.action !== "replace"
          const creates = () => {
            making = true
          }
          const answer = yield* Effect.suspend(() => attempt(operation, seen, creates)).pipe(
            Effect.provideService(Wrote, () => {
              wrote = true
            }),
            Effect.exit
          )
          if (Exit.isSuccess(answer)) return [{ outcome: "applied" }]
          const fault = yield* faultIn(answer.cause)
          wrote ||= fault.mayHaveHappened
          const silent = fault.mayHaveHappened && fault.transient
          unanswered ||= silent
          unmade ||= silent && making
          const failed = (so: Pick<Ended, "uncertain" | "partly"> = {}): readonly [Ended, Fault] => [
            { outcome: "failed", error: fault.message, tag: fault.tag, ...so },
            fault
          ]
          if (!wrote && fault.tag !== "Exists" && fault.tag !== "Missing") return failed()
          const looked = yield* fault.transient
            ? lookFor(operation, fault.mayHaveHappened ? patience : PAUSE, making ? mayDouble : mayGo)
            : look(operation)
          if (Exit.isFailure(looked)) {
            yield* faultIn(looked.cause)
            return failed(wrote ? { uncertain: true } : {})
          }
          const last = foundBefore(operation, seen)
          seen = looked.value
          if (seen?.standing.state === "done") return [{ outcome: wrote ? "applied" : "already" }]
          const mayCome = unmade && mayDouble(operation, seen)
          // Of several writes some were done, so that the rest is worth another attempt whatever was wrong with the last one.
          const further = !equal(last, seen?.now)
          const again = seen?.standing.state === "pending" && (fault.transient || further) && count < ATTEMPTS
          if (!again || mayCome || stopping())
            return failed({
              ...(unanswered ? { uncertain: true } : {}),
              ...(wrote && !equal(before, seen?.now) ? { partly: true } : {})
            })
        }
      })

    /** Whether it could be kept what is about to be done, or was. */
    const recorded = (keep: Effect.Effect<void, unknown> | undefined): Effect.Effect<boolean> =>
      Effect.gen(function* () {
        if (keep === undefined) return true
        const kept = yield* Effect.exit(keep)
        if (Exit.isFailure(kept)) stop("unrecorded", faultOfCause(kept.cause).message)
        return Exit.isSuccess(kept)
      })

    const run = (id: string): Effect.Effect<void, never, R> =>
      Effect.gen(function* () {
        const operation = byId.get(id)
        if (operation === undefined) return
        const known = confirmed.get(id) ?? options.checked?.get(id)
        const since = options.unsettled?.get(id)
        let seen = known
        const comes = [mayDouble, mayGo].find((may) => may(operation, known))
        if (since !== undefined && since < patience && comes !== undefined && !stopping()) {
          const looked = yield* lookFor(operation, patience - since, comes)
          if (Exit.isFailure(looked)) {
            const { message, tag } = yield* faultIn(looked.cause)
            return yield* settle(id, { outcome: "failed", error: message, tag, uncertain: true })
          }
          seen = looked.value
        }
        if (seen?.standing.state === "done") {
          const ended: Ended = { outcome: operation.impliedBy === undefined ? "already" : "by-registry" }
          if (since !== undefined) yield* recorded(options.recorder?.ended({ id, ...ended }))
          return yield* settle(id, ended)
        }
        if (seen?.standing.state === "conflict")
          return yield* settle(id, { outcome: "failed", error: conflictReason(seen.standing), tag: "Conflict" })
        if (stopping() || !(yield* recorded(options.recorder?.started(id))))
          return yield* settle(id, { outcome: "not-started" })
        yield* emit({ type: "operation-started", id })
        const clock = yield* Clock.Clock
        const began = clock.currentTimeMillisUnsafe()
        const [ended, fault] = yield* perform(operation, seen)
        judge(ended.outcome, fault)
        yield* recorded(options.recorder?.ended({ id, ...ended }))
        yield* settle(id, ended, clock.currentTimeMillisUnsafe() - began)
      })

    const confirmed = new Map<string, Checked>()
    /** Reads back what the registry was to do by itself, and lets what is missing be done. */
    const confirm: Effect.Effect<void, never, R> = Effect.gen(function* () {
      const ids = held.splice(0)
      if (stopping()) {
        for (const id of ids) yield* settle(id, { outcome: "not-started" })
        return
      }
      const own = ids.flatMap((id) => byId.get(id) ?? [])
      const looked = yield* Effect.exit(check(kinds, own, options.caller))
      if (Exit.isFailure(looked)) {
        const fault = yield* faultIn(looked.cause)
        const unknown: Ended = { outcome: "failed", error: fault.message, tag: fault.tag, uncertain: true }
        for (const id of ids) yield* settle(id, unknown)
        return
      }
      for (const id of ids) {
        const found = looked.value.get(id)
        if (found !== undefined) confirmed.set(id, found)
        open++
        Queue.offerUnsafe(queue, id)
      }
    })

    /**
     * Looks once whether what was created is there once. Whoever looks last of those who created it sees all of them, and
     * everybody keeps the same one.
     */
    const thinOut: Effect.Effect<void, never, R> = Effect.gen(function* () {
      const made = operations.filter(
        (it) => it.action === "create" && results.get(it.id)?.outcome === "applied" && kindOf(it)?.surplus !== undefined
      )
      if (made.length === 0 || stopping()) return
      const looked = yield* Effect.exit(readTouched(kinds, made, options.caller))
      if (Exit.isFailure(looked)) return
      const planned = new Set(operations.map(({ key, kind }) => addressOf(kind, key)))
      for (const operation of made) {
        const kind = kindOf(operation)
        if (kind?.delete === undefined || operation.action !== "create") continue
        const found = looked.value.found.flatMap(({ item, kind: name }) => (name === operation.kind ? [item] : []))
        for (const one of kind.surplus?.(operation.after, found) ?? []) {
          const key = kind.key(one)
          if (key !== operation.key && planned.has(addressOf(operation.kind, key))) continue
          const removed = yield* Effect.exit(kind.delete(one))
          if (Exit.isSuccess(removed)) yield* emit({ type: "duplicate-removed", id: operation.id })
        }
      }
    })

    const worker = Effect.gen(function* () {
      while (true) {
        const id = yield* Queue.take(queue)
        // A write that has begun is seen to its end: the registry would finish it anyway.
        yield* Effect.uninterruptible(run(id))
        open--
        while (open === 0 && held.length > 0) yield* confirm
        if (open === 0) Queue.endUnsafe(queue)
      }
    }).pipe(Effect.catchTag("Done", () => Effect.void))

    const wait = (waiter: string, all: ReadonlyArray<string>) => {
      const needs = [...new Set(all)].filter((id) => byId.has(id) || gates.has(id))
      waiting.set(waiter, needs.length)
      for (const id of needs) {
        const list = dependents.get(id)
        if (list === undefined) dependents.set(id, [waiter])
        else list.push(waiter)
      }
    }
    for (const { id, impliedBy, needs } of operations) wait(id, impliedBy === undefined ? needs : [...needs, impliedBy])
    for (const { id, needs } of gates.values()) wait(id, needs)
    for (const { id } of operations) if (waiting.get(id) === 0) ready(id)
    // A part of a plan can leave a gate with nothing to wait for.
    for (const id of gates.keys()) if (waiting.get(id) === 0) yield* settle(id, OPEN)
    while (open === 0 && held.length > 0) yield* confirm
    if (open > 0) {
      const workers = Math.max(1, Math.min(options.workers, operations.length))
      const all = Effect.forEach(Array.from({ length: workers }), () => worker, {
        concurrency: "unbounded",
        discard: true
      })
      yield* Effect.onInterrupt(all, () => emit({ type: "apply-finished", interrupted: true }))
      yield* Effect.uninterruptible(thinOut)
    }
    yield* emit({ type: "apply-finished", interrupted: stopped !== undefined })
    return {
      registry: target.registry,
      url: target.url,
      results: operations.map(
        ({ id }): OperationResult => ({ id, ...(results.get(id) ?? { outcome: "not-started" }) })
      ),
      ...(stopped === undefined ? {} : { stopped }),
      ...(reason === undefined ? {} : { reason })
    }
  }).pipe(Effect.provideService(Stop, options.stop))

/** A defect, such as an exception, tells nothing of whether a write happened. */
const faultOfCause = (cause: Cause.Cause<unknown>): Fault => {
  const error = Cause.findErrorOption(cause)
  if (error._tag === "Some") return faultOf(error.value)
  return { ...faultOf(Cause.squash(cause)), transient: false, mayHaveHappened: true }
}

/** Where there is nothing to delete, it is as if it had been deleted. */
const unlessMissing = <E, R>(deletion: Effect.Effect<void, E, R>): Effect.Effect<void, E, R> =>
  Effect.catch(deletion, (error) => (faultOf(error).tag === "Missing" ? Effect.void : Effect.fail(error)))

const told = (ended: Ended): { outcome: Outcome; error?: string; because?: string } => ({
  outcome: ended.outcome,
  ...(ended.error === undefined ? {} : { error: ended.error }),
  ...(ended.because === undefined ? {} : { because: ended.because })
})
