/**
 * The journal of an apply in a file: a line before each operation starts and one when it has ended, on the disk before anything
 * goes on. Operations that are recorded at the same time share one flush. What the lines say is the engine's `journal.ts`.
 */
import { type FileHandle, open, readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { JOURNAL_FORMAT, type Journal, type JournalLine, type Plan, readJournal } from "@quaymaster/engine"
import { type Recorder, type TargetReport, tally } from "@quaymaster/runtime"
import { version } from "@quaymaster/sdk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { codeOf, reasonOf } from "./file-error.ts"
import { acquireLock, LockHeld } from "./lock.ts"

/** The journal cannot be written, or is another plan's. */
export class JournalFailed extends Data.TaggedError("JournalFailed")<{
  readonly file: string
  readonly message: string
  readonly cause?: unknown
}> {}

export interface OpenJournal {
  /** What earlier applies of the plan have written. */
  readonly found: Journal | undefined
  /** Writes that an apply begins. */
  readonly begin: Effect.Effect<void, JournalFailed>
  readonly recorder: (registry: string) => Recorder
  /** Writes how the apply ended, if it began. */
  readonly finish: (outcome: Finished["outcome"], reports: ReadonlyArray<TargetReport>) => Promise<void>
  readonly close: () => Promise<void>
}

type Finished = Extract<JournalLine, { readonly type: "finished" }>

const OWNER_ONLY = 0o600

/**
 * Opens the journal of a plan, for this process alone. One that is there already is gone on with; nothing is written yet. Rejects
 * with `JournalFailed` if it is another plan's, or cannot be used.
 */
export const openJournal = async (file: string, cwd: string, plan: Plan): Promise<OpenJournal> => {
  const path = resolve(cwd, file)
  const failed = (message: string, cause?: unknown) => new JournalFailed({ file, message, cause })
  const lock = await acquireLock(`${path}.lock`).catch((cause: unknown) => {
    throw cause instanceof LockHeld
      ? failed(`${file} is being written by process ${cause.holder.pid} on ${cause.holder.host}.`, cause)
      : failed(`${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  })
  let handle: FileHandle | undefined
  const close = async () => {
    await handle?.close()
    handle = undefined
    await lock.release()
  }
  try {
    const text = await textOf(path)
    const found = readJournal(text)
    if (found !== undefined && found.digest !== plan.digest) throw failed(otherPlan(file, found))
    // What was being written when an apply broke off is no line, and nothing may be appended to it.
    const whole = Buffer.byteLength(text.slice(0, found?.whole ?? 0))
    let append: ((line: JournalLine) => Promise<void>) | undefined
    const write = (line: () => JournalLine) =>
      Effect.tryPromise({
        try: async () => {
          if (append === undefined) {
            handle = await open(path, "a", OWNER_ONLY)
            await handle.truncate(whole)
            append = appender(handle)
          }
          await append(line())
        },
        catch: (cause) => failed(`${file} cannot be written: ${reasonOf(cause)}.`, cause)
      })
    return {
      found,
      begin: write(() => ({
        type: "begun",
        format: JOURNAL_FORMAT,
        tool: version,
        digest: plan.digest,
        targets: plan.targets.map(({ operations, registry, url }) => ({
          registry,
          url,
          operations: operations.length
        })),
        time: time()
      })),
      recorder: (registry) => ({
        started: (id) => write(() => ({ type: "started", registry, id, time: time() })),
        ended: ({ error, id, outcome, tag, uncertain }) =>
          write(() => ({
            type: "ended",
            registry,
            id,
            outcome,
            ...(error === undefined ? {} : { error }),
            ...(tag === undefined ? {} : { tag }),
            ...(uncertain === undefined ? {} : { uncertain }),
            time: time()
          }))
      }),
      finish: async (outcome, reports) => {
        if (append === undefined) return
        const counts = tally(reports.flatMap(({ results }) => results))
        await Effect.runPromise(write(() => ({ type: "finished", outcome, counts, time: time() })))
      },
      close
    }
  } catch (cause) {
    await close()
    throw cause instanceof JournalFailed
      ? cause
      : failed(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

const time = (): string => new Date().toISOString()

const textOf = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8")
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return ""
    throw new Error(`It cannot be read: ${reasonOf(cause)}.`, { cause })
  }
}

const otherPlan = (file: string, { begun, digest, finished, unsettled }: Journal): string => {
  const state = finished
    ? "an apply that came to its end"
    : `an apply that did not come to its end, with ${unsettled.length} ${unsettled.length === 1 ? "operation" : "operations"} under way`
  return (
    `${file} is the journal of another plan (${digest}, begun ${begun}, ${state}), and is left as it is. ` +
    "Name another file, or remove it if it is of no more use."
  )
}

/** Appends lines. Each is on the disk when its promise resolves; what comes while the disk is busy is written in one go. */
const appender = (handle: FileHandle) => {
  let waiting: Array<string> = []
  let next: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  const flush = async () => {
    const text = waiting.join("")
    waiting = []
    next = undefined
    await handle.appendFile(text)
    await handle.datasync()
  }
  return (line: JournalLine): Promise<void> => {
    waiting.push(`${JSON.stringify(line)}\n`)
    // After one that failed nothing is written any more: it may have left half a line.
    if (next === undefined) {
      next = last.then(flush)
      last = next
    }
    return next
  }
}
