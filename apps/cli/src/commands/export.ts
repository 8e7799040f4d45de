/** `quaymaster export`: what organizations have, as files that declare it. Changes nothing on the registry. */
import { randomBytes } from "node:crypto"
import { chmod, link, lstat, mkdir, rename, rm, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import * as Command from "effect/cli/Command"
import type { Exported, Skipped } from "quaymaster"
import { ExitCode } from "../exit-code.ts"
import { connection, exporting, project, showing } from "../flags.ts"
import type { Host } from "../host.ts"
import { CommandFailed, UsageError } from "../present/failure.ts"
import { clean, counted } from "../present/text.ts"
import { startProgress } from "../progress.ts"
import { ending, eventLog, interruptible, load, reasonOf, type Showing } from "../session.ts"

const NAME = "quaymaster export"

export const exportCommand = Command.make("export", { ...exporting, ...project, ...connection, ...showing }, (input) =>
  ending(NAME, input, (host) => interruptible(host, (signal) => run(host, input, signal)))
).pipe(
  Command.withDescription(
    "Write what organizations have as the files that declare it. Planning them for the same registry finds nothing to do.\n\n" +
      "  Secrets become references that have to be filled in. What no file can say is told in a comment.\n" +
      "  Exit codes: 0 exported; 1 error; 64 wrong usage; 130 interrupted."
  ),
  Command.withShortDescription("Write files of what is there"),
  Command.withExamples([
    { command: `${NAME} acme > acme.yaml`, description: "One organization" },
    { command: `${NAME} --all -o orgs`, description: "All of them, a file each: orgs/acme.yaml and so on" },
    { command: `${NAME} --kind team,robot acme`, description: "Its teams and robot accounts" }
  ])
)

interface Input extends Showing {
  readonly organizations: ReadonlyArray<string>
  readonly all: boolean
  readonly out: string | undefined
  readonly force: boolean
  readonly kind: ReadonlyArray<string>
  readonly registry: string | undefined
  readonly settings: string | undefined
  readonly tokenFile: string | undefined
  readonly parallelism: number | undefined
  readonly rps: number | undefined
  readonly timeout: number | undefined
}

const run = async (host: Host, input: Input, signal: AbortSignal): Promise<ExitCode> => {
  const { all, force, organizations, out, quiet } = input
  if (all && organizations.length > 0) throw new UsageError("--all and names of organizations cannot stand together")
  if (!all && organizations.length === 0) throw new UsageError("Name organizations, or give --all.")
  if (force && out === undefined) throw new UsageError("--force goes with -o")
  const only = input.kind.flatMap((text) => text.split(",")).map((it) => it.trim())
  // Before anything is asked for, where that can be known.
  if (out !== undefined && !force)
    await refuseExisting(
      host,
      organizations.map((name) => fileIn(out, name))
    )
  const { exportOrganizations } = await import("quaymaster")
  const { kinds, options } = await load(host, input, signal)
  const log = eventLog(host, input.events)
  const progress = startProgress(host, input)
  try {
    const skipped: Array<Skipped> = []
    const exported = await exportOrganizations(all ? "all" : organizations, {
      ...options,
      kinds,
      ...(only.length === 0 ? {} : { only }),
      signal,
      onEvent: (event) => {
        log.write(event)
        progress.onEvent(event)
      },
      onSkipped: (one) => skipped.push(one)
    })
    progress.end()
    if (out === undefined) host.stdout.write(exported.map(({ text }) => text).join("---\n"))
    else
      for (const file of await writeAll(host, out, exported, force)) if (!quiet) host.stdout.write(`${clean(file)}\n`)
    if (!quiet) for (const line of talk(exported, skipped)) host.stderr.write(`${line}\n`)
    return ExitCode.ok
  } finally {
    progress.end()
    log.close()
  }
}

const talk = (exported: ReadonlyArray<Exported>, skipped: ReadonlyArray<Skipped>): ReadonlyArray<string> => [
  ...exported.flatMap(({ omitted, organization }) =>
    omitted.length === 0
      ? []
      : [
          `${clean(organization)}: ${counted(omitted.length, "thing")} left out; the file's first lines say what and why`
        ]
  ),
  ...skipped.map(({ organization, reason }) => `${clean(organization)}: skipped. ${clean(reason)}`)
]

/** The file of an organization. One called like the file that names the registries would not be taken for its own. */
const fileIn = (folder: string, organization: string): string => {
  if (organization === "" || /[/\\\0]/.test(organization) || organization.startsWith("."))
    throw new CommandFailed(`No file can be named after the organization ${clean(organization)}: write it to stdout.`)
  return join(folder, `${organization}.${organization === "quaymaster" ? "yml" : "yaml"}`)
}

const refuseExisting = async (host: Host, files: ReadonlyArray<string>): Promise<void> => {
  const there: Array<string> = []
  for (const file of files) {
    const found = await lstat(resolve(host.cwd, file)).catch(() => undefined)
    if (found !== undefined) there.push(clean(file))
  }
  if (there.length > 0)
    throw new CommandFailed(`${there.join(", ")}: there already. Nothing was written; --force replaces what is there.`)
}

/** Writes all or, if any is there already, none. Each file is whole or not there. */
const writeAll = async (
  host: Host,
  folder: string,
  exported: ReadonlyArray<Exported>,
  force: boolean
): Promise<ReadonlyArray<string>> => {
  const files = exported.map(({ organization, text }) => ({ file: fileIn(folder, organization), text }))
  if (!force)
    await refuseExisting(
      host,
      files.map(({ file }) => file)
    )
  await mkdir(resolve(host.cwd, folder), { recursive: true }).catch((cause: unknown) => {
    throw new CommandFailed(`The folder ${clean(folder)} cannot be made: ${reasonOf(cause)}.`, { cause })
  })
  for (const { file, text } of files) await writeOne(resolve(host.cwd, file), file, text, force)
  return files.map(({ file }) => file)
}

const isCode = (cause: unknown, code: string): boolean =>
  cause instanceof Error && "code" in cause && cause.code === code

const writeOne = async (path: string, file: string, text: string, force: boolean): Promise<void> => {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`
  try {
    await writeFile(temporary, text, { mode: 0o644, flag: "wx" })
    await chmod(temporary, 0o644)
    // Linking refuses what is there by now; renaming replaces it.
    await (force ? rename(temporary, path) : link(temporary, path))
  } catch (cause) {
    if (isCode(cause, "EEXIST")) throw new CommandFailed(`${clean(file)} is there already.`, { cause })
    throw new CommandFailed(`${clean(file)} cannot be written: ${reasonOf(cause)}.`, { cause })
  } finally {
    await rm(temporary, { force: true })
  }
}
