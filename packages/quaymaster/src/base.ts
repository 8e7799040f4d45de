/**
 * What organization files said at a commit of their Git repository. Git itself writes the files of that commit into a folder
 * that is taken away again, by an index of its own: neither the checkout nor its index are touched, and no shell is asked.
 */
import { spawn } from "node:child_process"
import { mkdtemp, realpath, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { extname, isAbsolute, join, relative, resolve, sep } from "node:path"
import { ConfigError, decode, loadFiles, SETTINGS_FILE, type Settings, type Target } from "@quaymaster/config"
import type { Base } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { inputsOf, loadProject, type Project, type ProjectOptions, settingsOf } from "./project.ts"

/** The files as they were cannot be had. */
export class BaseUnavailable extends Error {
  override readonly name = "BaseUnavailable"
  readonly _tag = "BaseUnavailable"
}

/** What files said before: a commit, a branch or whatever else names a commit in Git, or files and values as they are given. */
export type BaseOptions = string | Pick<ProjectOptions, "cwd" | "files" | "organizations" | "settings">

/** Gives what files said before of a registry: nothing, if they said nothing of it. */
export const loadBase = async <K extends Kind>(
  kinds: ReadonlyArray<K>,
  base: BaseOptions,
  options: ProjectOptions,
  { settings }: Project<K>
): Promise<(target: Target<K>) => Base<K>> => {
  const { targets, url } =
    typeof base === "string"
      ? await atCommit(kinds, base, options, settings)
      : {
          ...(await loadProject(kinds, { ...options, files: undefined, organizations: undefined, ...base })),
          url: same
        }
  return ({ registry }) => {
    const found = targets.find((it) => it.registry.name === registry.name || url(it.registry.url) === registry.url)
    return found?.desired ?? { declarations: [], scope: [] }
  }
}

const same = (url: string): string => url

interface AtCommit<K extends Kind> {
  readonly targets: ReadonlyArray<Target<K>>
  /** The URL of a registry as it is in the checkout: a simulated one may be kept in a file. */
  readonly url: (url: string) => string
}

const atCommit = async <K extends Kind>(
  kinds: ReadonlyArray<K>,
  ref: string,
  options: ProjectOptions,
  now: Settings
): Promise<AtCommit<K>> => {
  const cwd = await realpath(options.cwd ?? process.cwd())
  const top = await topOf(cwd, options.signal)
  const commit = await commitOf(cwd, ref, options.signal)
  const folder = await realpath(await mkdtemp(join(tmpdir(), "quaymaster-base-")))
  try {
    const tree = join(folder, "tree")
    const there = (path: string): string => {
      const inside = relative(top, resolve(cwd, path))
      if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
        throw new BaseUnavailable(`${path} is not in the Git checkout ${top}, so what it was at ${ref} is not known.`)
      return join(tree, inside)
    }
    const here = there(".")
    const moved = (inputs: ReadonlyArray<string>) => inputs.map((input) => relative(here, there(input)) || ".")
    const named = moved(inputsOf(options, now)).map((input) => relative(tree, resolve(here, input)))
    await checkOut({ top, commit, folder, tree, named: new Set(named), signal: options.signal })
    const { isKept, settings } = await settingsAt(options, { top, tree, here, there, now })
    // What the settings of that commit name is found beside them.
    const inputs = options.files === undefined && isKept ? inputsOf(options, settings) : moved(inputsOf(options, now))
    const sources = await loadFiles(inputs, { cwd: here, lenient: true, ...signalOf(options) })
    const registry = options.registry === undefined ? {} : { registry: options.registry }
    const { targets } = decode(kinds, sources, { settings, cwd, ...registry })
    return { targets, url: (url) => url.replaceAll(tree, top) }
  } catch (error) {
    throw error instanceof ConfigError ? at(ref, error) : error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const signalOf = ({ signal }: ProjectOptions) => (signal === undefined ? {} : { signal })

/** Mistakes in files as they were are told with the commit, as Git writes it. */
const at = (ref: string, { problems }: ConfigError): ConfigError =>
  new ConfigError(problems.map((it) => ({ ...it, file: `${ref}:${it.file}` })))

interface Place {
  readonly top: string
  readonly tree: string
  readonly here: string
  readonly there: (path: string) => string
  readonly now: Settings
}

/** The settings as they were, if they are kept in this checkout. If there were none, they said nothing of what to read. */
const settingsAt = async (
  options: ProjectOptions,
  { here, now, there, top, tree }: Place
): Promise<{ readonly settings: Settings; readonly isKept: boolean }> => {
  const file = now.file === undefined ? undefined : resolve(options.cwd ?? process.cwd(), now.file)
  const isKept = file === undefined || relative(top, await realpath(file)).split(sep)[0] !== ".."
  if (!isKept) return { settings: now, isKept }
  const path = options.settings === undefined ? await nearest(here, tree) : await existing(there(options.settings))
  if (path === undefined) return { settings: { ...now, sources: [] }, isKept }
  return { settings: await settingsOf({ ...options, cwd: here, settings: relative(here, path) }), isKept }
}

const existing = async (path: string): Promise<string | undefined> =>
  (await stat(path).catch(() => undefined))?.isFile() === true ? path : undefined

/** The settings file at or above a folder, but not above another. */
const nearest = async (folder: string, highest: string): Promise<string | undefined> => {
  const found = await existing(join(folder, SETTINGS_FILE))
  return found !== undefined || folder === highest ? found : nearest(resolve(folder, ".."), highest)
}

const topOf = async (cwd: string, signal: AbortSignal | undefined): Promise<string> => {
  const { ok, stderr, stdout } = await git(["rev-parse", "--show-toplevel"], { cwd, signal })
  if (ok) return await realpath(stdout.replace(/\r?\n$/, ""))
  throw new BaseUnavailable(
    `${cwd} is not in a Git checkout, so what the files were is not known: ${firstLine(stderr)}.`
  )
}

const commitOf = async (cwd: string, ref: string, signal: AbortSignal | undefined): Promise<string> => {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]
  const { ok, stdout } = await git(args, { cwd, signal })
  if (ok) return stdout.trim()
  throw new BaseUnavailable(
    `Git knows no commit ${JSON.stringify(ref)} here. A checkout that was made with --depth may lack it: fetch it first.`
  )
}

/** What may be an organization file, or the settings. */
const EXTENSIONS: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"])

const checkOut = async (of: {
  readonly top: string
  readonly commit: string
  readonly folder: string
  readonly tree: string
  readonly named: ReadonlySet<string>
  readonly signal: AbortSignal | undefined
}): Promise<void> => {
  const { commit, folder, named, signal, top, tree } = of
  const settings = { cwd: top, signal, env: { GIT_INDEX_FILE: join(folder, "index") } }
  const done = async (args: ReadonlyArray<string>, input?: string): Promise<string> => {
    const { ok, stderr, stdout } = await git(args, { ...settings, ...(input === undefined ? {} : { input }) })
    if (!ok) throw new BaseUnavailable(`Git cannot give the files at ${commit}: ${firstLine(stderr)}.`)
    return stdout
  }
  await done(["read-tree", commit])
  const names = (await done(["ls-files", "-z"])).split("\0")
  const wanted = names.filter((name) => named.has(name) || EXTENSIONS.has(extname(name).toLowerCase()))
  await done(["checkout-index", "-z", "--stdin", `--prefix=${tree}/`], wanted.map((name) => `${name}\0`).join(""))
}

const firstLine = (text: string): string => text.trim().split("\n", 1)[0]?.replace(/\.$/, "") ?? ""

interface GitOptions {
  readonly cwd: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
}

interface GitEnded {
  readonly ok: boolean
  readonly stdout: string
  readonly stderr: string
}

const git = (args: ReadonlyArray<string>, { cwd, env, input = "", signal }: GitOptions): Promise<GitEnded> =>
  new Promise((done, failed) => {
    signal?.throwIfAborted()
    const child = spawn("git", args, {
      cwd,
      env: { ...process.env, LC_ALL: "C", ...env },
      ...(signal === undefined ? {} : { signal })
    })
    const [out, talk]: [Array<Buffer>, Array<Buffer>] = [[], []]
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => talk.push(chunk))
    child.on("error", (cause) => {
      if (signal?.aborted === true) return failed(signal.reason)
      failed(
        new BaseUnavailable(`Git cannot be run, and it is asked what the files were: ${cause.message}.`, { cause })
      )
    })
    child.on("close", (code) =>
      done({ ok: code === 0, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(talk).toString() })
    )
    // It may end before it has read everything, and says why by its code.
    child.stdin.on("error", () => {})
    child.stdin.end(input)
  })
