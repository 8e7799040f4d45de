/**
 * What a command has of the world around it: two streams, a terminal perhaps, the environment, signals. stdout is data (plans,
 * reports, schemas), stderr is talk (progress, questions, errors). Tests bring a host of their own.
 */
import { createInterface } from "node:readline"
import * as Context from "effect/Context"
import type { ExitCode } from "./exit-code.ts"

export interface Output {
  readonly write: (text: string) => void
  readonly isTerminal: boolean
  /** How wide the terminal is; undefined where there is none. */
  readonly columns: () => number | undefined
}

export interface Host {
  readonly stdout: Output
  readonly stderr: Output
  readonly stdinIsTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative paths start. */
  readonly cwd: string
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Asks a person. Undefined if the person leaves instead of answering, or the signal aborts. */
  readonly ask: (question: string, signal?: AbortSignal) => Promise<string | undefined>
  /** Calls back at each SIGINT and SIGTERM; gives the way to stop. */
  readonly onInterrupt: (listener: () => void) => () => void
  /** Ends the process at once. */
  readonly leave: (code: ExitCode) => void
}

/** The host, the command line as it was given, and where a command leaves the code it ends with. */
export class Session extends Context.Service<
  Session,
  { readonly host: Host; readonly line: ReadonlyArray<string>; readonly end: (code: ExitCode) => void }
>()("@quaymaster/cli/Session") {}

const output = (stream: NodeJS.WriteStream, failed: (error: Error) => void): Output => {
  let gone = false
  stream.on("error", (error: NodeJS.ErrnoException) => {
    gone = true
    // Who reads our output may have had enough of it: that is no error, and stops no apply.
    if (error.code !== "EPIPE") failed(error)
  })
  return {
    write: (text) => {
      if (!gone) stream.write(text)
    },
    isTerminal: stream.isTTY === true,
    columns: () => (stream.isTTY === true && stream.columns > 0 ? stream.columns : undefined)
  }
}

/** The process's own host. `failed` hears of a stream that cannot be written, such as a file on a full disk. */
export const processHost = (failed: (error: Error) => void): Host => ({
  stdout: output(process.stdout, failed),
  stderr: output(process.stderr, () => {}),
  stdinIsTerminal: process.stdin.isTTY === true,
  env: process.env,
  cwd: process.cwd(),
  now: () => performance.now(),
  ask: (question, signal) =>
    new Promise((resolve) => {
      const reader = createInterface({ input: process.stdin, output: process.stderr })
      const leave = () => reader.close()
      reader.once("SIGINT", leave)
      signal?.addEventListener("abort", leave, { once: true })
      reader.once("close", () => {
        signal?.removeEventListener("abort", leave)
        resolve(undefined)
      })
      reader.question(question, (answer) => {
        resolve(answer)
        reader.close()
      })
    }),
  onInterrupt: (listener) => {
    process.on("SIGINT", listener)
    process.on("SIGTERM", listener)
    return () => {
      process.off("SIGINT", listener)
      process.off("SIGTERM", listener)
    }
  },
  leave: (code) => process.exit(code)
})
