/**
 * A lock in a file, for commands on one machine: who has it stands in it. One whose process has ended is taken over, by one
 * process only, however many try: each first takes the right to replace just that dead holder's lock, by the same means. Nothing
 * here tells whether a process of another machine or container still runs, so the lock of such a one is never taken over.
 */
import { randomBytes } from "node:crypto"
import { readFileSync, unlinkSync } from "node:fs"
import { link, readFile, readlink, rename, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { isRecord } from "@quaymaster/engine"
import * as Data from "effect/Data"
import { codeOf, reasonOf } from "./file-error.ts"

/** Who has a lock. */
export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** Since when, in UTC. */
  readonly since: string
}

/** Somebody else has the lock. */
export class LockHeld extends Data.TaggedError("LockHeld")<{ readonly file: string; readonly holder: LockHolder }> {
  override get message(): string {
    const { host, pid, since } = this.holder
    return `${this.file} is locked by process ${pid} on ${host} since ${since}.`
  }
}

/** The file cannot be used as a lock. */
export class LockFailed extends Data.TaggedError("LockFailed")<{
  readonly file: string
  readonly message: string
  readonly cause?: unknown
}> {}

export interface LockOptions {
  /** Where a relative path starts. Default: the process's working directory. */
  readonly cwd?: string | undefined
  /** How long to wait for whoever has it, in milliseconds. Default 0. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Hears once who is waited for. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined
}

export interface Lock {
  readonly file: string
  /** Gives it back. A second time does nothing. */
  readonly release: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const FORMAT = "quaymaster-lock/1"
const POLL = 200

/** What stands in the file: enough to tell whether its holder still runs. */
interface Mark extends LockHolder {
  readonly format: typeof FORMAT
  readonly id: string
  /** Where process ids mean the same: they begin anew in each container, and whenever the machine starts. */
  readonly space: string
  readonly boot: string
  /** When the process began. Another one may have its id by now. */
  readonly born: string
}

/**
 * Takes a lock, and gives it back at the end of the process if nobody did before. Rejects with `LockHeld` if somebody else has
 * it and does not give it back in time, with `LockFailed` if the file cannot be used, or with the signal's reason.
 */
export const acquireLock = async (file: string, options: LockOptions = {}): Promise<Lock> => {
  const { cwd = process.cwd(), onWait, signal, timeout = 0 } = options
  const path = resolve(cwd, file)
  const mark = await ownMark()
  const until = performance.now() + timeout
  let told = false
  try {
    for (;;) {
      signal?.throwIfAborted()
      const holder = await take(path, mark)
      if (holder === undefined) break
      const left = until - performance.now()
      if (left <= 0) throw new LockHeld({ file, holder })
      if (!told) onWait?.(holder)
      told = true
      await sleep(Math.min(POLL, left), undefined, signal === undefined ? {} : { signal })
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof LockHeld) throw cause
    const message =
      cause instanceof NoLock ? `${file} is there, and is no lock.` : `${file} cannot be locked: ${reasonOf(cause)}.`
    throw new LockFailed({ file, message, cause })
  }
  const atExit = () => releaseNow(path, mark)
  process.on("exit", atExit)
  const release = async () => {
    process.off("exit", atExit)
    releaseNow(path, mark)
  }
  return { file, release, [Symbol.asyncDispose]: release }
}

/** Takes the lock; gives who has it if that is somebody who may still run. */
const take = async (path: string, mark: Mark): Promise<Mark | undefined> => {
  for (;;) {
    if (await create(path, mark)) return undefined
    const holder = await read(path)
    // Given back just then.
    if (holder === undefined) continue
    if (await mayRun(holder, mark)) return holder
    const claim = `${path}.${holder.id}`
    const rival = await take(claim, mark)
    if (rival !== undefined) return rival
    try {
      // Who claims it late finds another lock there than the dead holder's.
      if ((await read(path))?.id !== holder.id) continue
      await replace(path, mark)
      return undefined
    } finally {
      await rm(claim, { force: true })
    }
  }
}

/** Writes the file beside, so that it is never seen half written, and gives it to `name`. */
const beside = async <A>(path: string, mark: Mark, name: (temporary: string) => Promise<A>): Promise<A> => {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`
  try {
    await writeFile(temporary, `${JSON.stringify(mark)}\n`, { flag: "wx" })
    return await name(temporary)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Makes the file unless there is one. */
const create = (path: string, mark: Mark): Promise<boolean> =>
  beside(path, mark, async (temporary) => {
    try {
      await link(temporary, path)
      return true
    } catch (cause) {
      if (codeOf(cause) === "EEXIST") return false
      throw cause
    }
  })

const replace = (path: string, mark: Mark): Promise<void> => beside(path, mark, (temporary) => rename(temporary, path))

/** The file is something else. */
class NoLock extends Error {}

const parse = (text: string): Mark => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new NoLock()
  }
  if (!isRecord(value) || value["format"] !== FORMAT) throw new NoLock()
  const word = (name: string): string => {
    const it = value[name]
    if (typeof it !== "string") throw new NoLock()
    return it
  }
  const { id, pid } = value
  // The id becomes part of a file's name.
  if (typeof pid !== "number" || typeof id !== "string" || !/^[0-9a-f]{1,64}$/.test(id)) throw new NoLock()
  return {
    format: FORMAT,
    id,
    pid,
    host: word("host"),
    since: word("since"),
    space: word("space"),
    boot: word("boot"),
    born: word("born")
  }
}

/** Who has the lock; undefined if nobody has. */
const read = async (path: string): Promise<Mark | undefined> => {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    if (codeOf(cause) === "ENOENT") return undefined
    throw cause
  })
  return text === undefined ? undefined : parse(text)
}

const releaseNow = (path: string, { id }: Mark): void => {
  try {
    if (parse(readFileSync(path, "utf8")).id === id) unlinkSync(path)
  } catch {
    // It is gone, or somebody else's: then it is not ours to give back.
  }
}

/** What the system tells; nothing where it does not. */
const told = (text: Promise<string>): Promise<string> => text.then((it) => it.trim()).catch(() => "")

/** The moment a process began, as its system counts. */
const birthOf = async (pid: number): Promise<string> => {
  const stat = await told(readFile(`/proc/${pid}/stat`, "utf8"))
  // The name of the program, in parentheses, can have anything in it.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

const ownMark = async (): Promise<Mark> => ({
  format: FORMAT,
  id: randomBytes(12).toString("hex"),
  pid: process.pid,
  host: hostname(),
  since: new Date().toISOString(),
  space: await told(readlink("/proc/self/ns/pid")),
  boot: await told(readFile("/proc/sys/kernel/random/boot_id", "utf8")),
  born: await birthOf(process.pid)
})

/** Whether its process still runs, as far as can be told from here. */
const mayRun = async (holder: Mark, mark: Mark): Promise<boolean> => {
  if (holder.host !== mark.host) return true
  if (holder.boot !== mark.boot) return false
  if (holder.space !== mark.space) return true
  try {
    process.kill(holder.pid, 0)
  } catch (cause) {
    return codeOf(cause) !== "ESRCH"
  }
  return holder.born === (await birthOf(holder.pid))
}
