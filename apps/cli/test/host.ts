/** A host for tests: a folder of its own, streams that are kept, answers and signals that the test gives. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ExitCode } from "../src/exit-code.ts"
import type { Host } from "../src/host.ts"
import { type CommandName, run } from "../src/main.ts"

export interface Ended {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

export interface World {
  readonly folder: string
  readonly write: (file: string, text: string) => Promise<void>
  /** Changes the registry in quay.json by hand. */
  readonly edit: (change: (text: string) => string) => Promise<void>
  readonly run: (command: string, options?: RunOptions) => Promise<Ended>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** stdin, stdout and stderr are terminals. */
  readonly terminal?: boolean
  readonly answer?: string | undefined
  /** Called with a way to press Ctrl-C for each line on stderr. */
  readonly onTalk?: (text: string, interrupt: () => void) => void
  /** The same for stdout. */
  readonly onOut?: (text: string, interrupt: () => void) => void
  readonly now?: () => number
}

const isCommand = (name: string): name is CommandName => ["quay-plan", "quay-apply", "quaymaster"].includes(name)

/** Words of a command line; those in double quotes are one. */
const words = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "")

export const makeWorld = async (): Promise<World> => {
  const folder = await mkdtemp(join(tmpdir(), "quaymaster-cli-"))
  return {
    folder,
    write: (file, text) => writeFile(join(folder, file), text),
    edit: async (change) => {
      const file = join(folder, "quay.json")
      const text = await readFile(file, "utf8")
      const changed = change(text)
      if (changed === text) throw new Error("nothing was changed by hand")
      await writeFile(file, changed)
    },
    run: async (line, { answer, env = {}, now, onOut, onTalk, terminal = false } = {}) => {
      const [name = "", ...args] = words(line)
      if (!isCommand(name)) throw new TypeError(`${name} is no command`)
      let [stdout, stderr] = ["", ""]
      const listeners = new Set<() => void>()
      const interrupt = () => {
        for (const listener of [...listeners]) listener()
      }
      const host: Host = {
        stdout: {
          write: (text) => {
            stdout += text
            onOut?.(text, interrupt)
          },
          isTerminal: terminal,
          columns: () => (terminal ? 100 : undefined)
        },
        stderr: {
          write: (text) => {
            stderr += text
            onTalk?.(text, interrupt)
          },
          isTerminal: terminal,
          columns: () => (terminal ? 100 : undefined)
        },
        stdinIsTerminal: terminal,
        env: { QUAY_TOKEN: undefined, ...env },
        cwd: folder,
        now: now ?? (() => performance.now()),
        ask: async (question) => {
          stderr += question
          return answer
        },
        onInterrupt: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
        leave: (code) => {
          stderr += `left with ${code}\n`
        }
      }
      const code = await run(name, args, host)
      return { code, stdout, stderr }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true })
  }
}

export const ACME = `organization: acme
teams:
  dev:
    role: member
    description: Developers
    members: { users: [alice, bob], robots: [ci] }
  ops: { role: admin }
robots:
  ci: { description: Builds and pushes }
default_permissions:
  - { role: read, team: dev }
repositories:
  app:
    description: The product
    visibility: private
    permissions: { users: { alice: admin }, robots: { ci: write }, teams: { dev: read } }
`
