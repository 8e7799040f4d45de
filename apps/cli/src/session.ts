/**
 * What all commands do alike: run to an exit code whatever happens, listen for Ctrl-C, load the settings with their plugins,
 * and hand on what the library tells.
 */

import { randomBytes } from "node:crypto"
import { closeSync, openSync, writeSync } from "node:fs"
import { chmod, rename, rm, writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import type { ConnectionOptions, Event, LibraryKind, PlanOptions, ProjectOptions, Settings } from "quaymaster"
import { ExitCode } from "./exit-code.ts"
import { type Host, Session } from "./host.ts"
import { CommandFailed, failureText, Interrupted } from "./present/failure.ts"
import { type ColorChoice, styleOf } from "./present/style.ts"

export interface Showing {
  readonly color: ColorChoice
  readonly verbose: boolean
  readonly quiet: boolean
  readonly events: string | undefined
}

export interface Reaching {
  readonly registry: string | undefined
  readonly settings: string | undefined
  readonly tokenFile: string | undefined
  readonly parallelism: number | undefined
  readonly rps: number | undefined
  readonly timeout: number | undefined
}

/** What is planned, beside the files. */
export interface Planning extends Reaching {
  readonly writeSecrets: ReadonlyArray<string>
  readonly syncNow: ReadonlyArray<string>
  readonly renew: ReadonlyArray<string>
  readonly noDelete: boolean | ReadonlyArray<string> | undefined
  readonly allowDeletes: ReadonlyArray<string>
  readonly allowDestroy: ReadonlyArray<string>
  readonly allowNewlyManaged: ReadonlyArray<string>
  readonly base: string | undefined
  readonly allowLockout: ReadonlyArray<string>
}

/** A command's work as an effect: it ends with a code, and what it rejects with is told on stderr. */
export const ending = (
  command: string,
  showing: Pick<Showing, "color" | "verbose">,
  work: (host: Host, line: ReadonlyArray<string>) => Promise<ExitCode>
): Effect.Effect<void, never, Session> =>
  Effect.flatMap(Session, ({ end, host, line }) =>
    Effect.promise(async () => {
      try {
        end(await work(host, line))
      } catch (error) {
        const style = styleOf(showing.color, host.stderr, host.env)
        const { code, text } = failureText(error, style, { command, verbose: showing.verbose })
        host.stderr.write(text)
        end(code)
      }
    })
  )

/** Runners such as pnpm pass on a Ctrl-C that the terminal has sent to all of us already: it counts once. */
const SAME_PRESS = 400

/** Says what is to be said before the process is left at once, instead of what was said so far. */
export type Leaving = (tell: () => void) => void

/** Runs with a signal that aborts at the first Ctrl-C or SIGTERM; at the second the process ends. */
export const interruptible = async <A>(
  host: Host,
  work: (signal: AbortSignal, leaving: Leaving) => Promise<A>
): Promise<A> => {
  const controller = new AbortController()
  let first: number | undefined
  let last = () => {}
  const stop = host.onInterrupt(() => {
    if (first === undefined) {
      first = host.now()
      controller.abort(new Interrupted("interrupted"))
    } else if (host.now() - first > SAME_PRESS) {
      last()
      host.leave(ExitCode.interrupted)
    }
  })
  try {
    return await work(controller.signal, (tell) => {
      last = tell
    })
  } finally {
    stop()
  }
}

/** The settings and the kinds of their plugins, and how the library is to be called. */
export interface Loaded {
  readonly settings: Settings
  readonly kinds: ReadonlyArray<LibraryKind>
  readonly options: ProjectOptions &
    ConnectionOptions &
    Pick<PlanOptions, "writeSecrets" | "syncNow" | "renew" | "noDelete" | "allow" | "base">
}

export const load = async (
  host: Host,
  {
    registry,
    settings: path,
    tokenFile,
    parallelism,
    rps,
    timeout,
    writeSecrets,
    syncNow,
    renew,
    noDelete,
    allowDeletes: deletes = [],
    allowDestroy: destroy = [],
    allowNewlyManaged: newlyManaged = [],
    allowLockout: lockout = [],
    base
  }: Partial<Planning>,
  signal?: AbortSignal
): Promise<Loaded> => {
  const { loadPlugins, loadSettings } = await import("quaymaster")
  const { cwd, env } = host
  const settings = await loadSettings({ cwd, ...(path === undefined ? {} : { path }) })
  const token = tokenFile === undefined ? undefined : await readToken(host, tokenFile)
  return {
    settings,
    kinds: await loadPlugins(settings),
    options: {
      ...{ cwd, env, settings: path, registry, token, parallelism, rps, timeout, signal },
      ...{ writeSecrets, syncNow, renew, noDelete, base },
      allow: { deletes, destroy, "newly-managed": newlyManaged, lockout }
    }
  }
}

const readToken = async (host: Host, file: string): Promise<string> => {
  const { readSecretFile } = await import("quaymaster")
  const text = await readSecretFile(resolve(host.cwd, file)).catch((cause: unknown) => {
    throw new CommandFailed(`The token in ${file} cannot be read: ${reasonOf(cause)}.`, { cause })
  })
  if (text.trim() === "") throw new CommandFailed(`The file ${file} is empty, and a token should be in it.`)
  return text.trim()
}

/** Where the library's events go besides the progress: a file with a JSON object a line. */
export interface EventLog {
  readonly write: (event: Event) => void
  readonly close: () => void
}

export const eventLog = (host: Host, file: string | undefined): EventLog => {
  if (file === undefined) return { write: () => {}, close: () => {} }
  const open = (): number => {
    try {
      return openSync(resolve(host.cwd, file), "w")
    } catch (cause) {
      throw new CommandFailed(`The events cannot be written to ${file}: ${reasonOf(cause)}.`, { cause })
    }
  }
  const descriptor = open()
  return {
    write: (event) => {
      writeSync(descriptor, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
    },
    close: () => closeSync(descriptor)
  }
}

/** Writes a file whole or not at all, readable by its owner only. */
export const writeWhole = async (host: Host, file: string, text: string): Promise<void> => {
  const path = resolve(host.cwd, file)
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: "wx" })
    await chmod(temporary, 0o600)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new CommandFailed(`The plan cannot be written to ${file}: ${reasonOf(cause)}.`, { cause })
  }
}

export const reasonOf = (cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  switch (code) {
    case "ENOENT":
      return "there is no such file or directory"
    case "EACCES":
    case "EPERM":
      return "permission denied"
    case "EISDIR":
      return "it is a directory"
    case "ENOSPC":
      return "the disk is full"
    case "EFBIG":
      return "it is too large"
    default:
      return cause instanceof Error ? cause.message : String(cause)
  }
}
