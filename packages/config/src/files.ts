/**
 * Finding and reading files: what people name on a command line, to texts in a fixed order. Nothing is parsed here, and
 * nothing thrown for a file: what cannot be had is a problem among the others.
 */
import { isUtf8 } from "node:buffer"
import { glob, readdir, realpath, stat } from "node:fs/promises"
import { basename, dirname, extname, join, normalize, resolve, sep } from "node:path"
import { byText } from "@quaymaster/engine"
import { type Located, quote } from "./problem.ts"
import { readBytes } from "./read-bytes.ts"
import { reasonOf } from "./secret.ts"
import type { Sources, TextSource } from "./source.ts"
import { MOST_CHARACTERS } from "./yaml.ts"

export interface LoadOptions {
  /** Where relative inputs start. */
  readonly cwd: string
  /** An input that matches nothing has no files, and is no problem. */
  readonly lenient?: boolean
  readonly signal?: AbortSignal
}

/** The file that names the registries. It stands among organization files without being one. */
export const SETTINGS_FILE = "quaymaster.yaml"

const EXTENSIONS: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"])

const wanted = (name: string): boolean =>
  !name.startsWith(".") && name !== SETTINGS_FILE && EXTENSIONS.has(extname(name).toLowerCase())

/**
 * Reads organization files. An input is a file, a directory, of which all YAML and JSON files below are meant, or a glob.
 * The files are sorted by name, each once. An input that matches nothing is a problem, and so is a file that cannot be read.
 */
export const loadFiles = async (inputs: ReadonlyArray<string>, options: LoadOptions): Promise<Sources> => {
  const { cwd, lenient = false, signal } = options
  const names = new Set<string>()
  const problems: Array<Located> = []
  for (const input of inputs) {
    signal?.throwIfAborted()
    const found = await expand(input, cwd)
    if ("fault" in found) {
      if (!(lenient && found.absent === true)) problems.push({ file: input, path: [], message: found.fault })
    } else for (const name of found.names) names.add(normalize(name).split(sep).join("/"))
  }
  const files: Array<TextSource> = []
  const seen = new Set<string>()
  for (const name of [...names].sort(byText)) {
    signal?.throwIfAborted()
    const loaded = await loadFile(name, options)
    if ("problem" in loaded) problems.push(loaded.problem)
    else if (!seen.has(loaded.identity)) {
      seen.add(loaded.identity)
      files.push(loaded.source)
    }
  }
  return { files, problems }
}

type Loaded =
  | { readonly source: TextSource; readonly path: string; readonly identity: string }
  | { readonly problem: Located }

/** Reads one file as text. Links are followed; `identity` is the file's real path. */
export const loadFile = async (name: string, { cwd, signal }: LoadOptions): Promise<Loaded> => {
  const path = resolve(cwd, name)
  const fail = (message: string, line?: number, column?: number): Loaded => ({
    problem: { file: name, path: [], message, ...(line === undefined || column === undefined ? {} : { line, column }) }
  })
  try {
    const bytes = await readBytes(path, { most: MOST_CHARACTERS, signal })
    if (!isUtf8(bytes)) {
      const before = bytes.toString("utf8").split("\ufffd", 1).join("").split("\n")
      return fail("is not UTF-8 text", before.length, (before.at(-1)?.length ?? 0) + 1)
    }
    const source = { name, text: bytes.toString("utf8"), directory: dirname(path) }
    return { source, path, identity: await realpath(path) }
  } catch (cause) {
    signal?.throwIfAborted()
    const large = cause instanceof Error && "code" in cause && cause.code === "EFBIG"
    return fail(
      large ? `larger than ${MOST_CHARACTERS / 1024 / 1024} MiB; split it` : `cannot be read: ${reasonOf(cause)}`
    )
  }
}

/** `absent`: nothing is wrong but that there is nothing. */
type Found = { readonly names: ReadonlyArray<string> } | { readonly fault: string; readonly absent?: true }

const expand = async (input: string, cwd: string): Promise<Found> => {
  const info = await stat(resolve(cwd, input)).catch(() => undefined)
  if (info?.isDirectory() === true) {
    const walked = await walk(input, cwd, new Set())
    if ("fault" in walked || walked.names.length > 0) return walked
    return { fault: `the directory ${quote(input)} has no YAML or JSON files`, absent: true }
  }
  // A file named outright is meant, whatever it is called.
  if (info !== undefined) return { names: [input] }
  if (!/[*?[\]{}]/.test(input)) return { fault: `there is no file or directory ${quote(input)}`, absent: true }
  const names: Array<string> = []
  for await (const match of glob(input, { cwd })) {
    if (hidden(match, input)) continue
    const there = await stat(resolve(cwd, match)).catch(() => undefined)
    if (there?.isDirectory() === true) {
      const walked = await walk(match, cwd, new Set())
      if ("fault" in walked) return walked
      names.push(...walked.names)
    } else if (wanted(basename(match))) names.push(match)
  }
  return names.length > 0 ? { names } : { fault: `${quote(input)} matches no YAML or JSON file`, absent: true }
}

/** Whether a match lies in a dot directory that the pattern does not spell out. */
const hidden = (match: string, pattern: string): boolean => {
  const spelled = new Set(pattern.split("/"))
  return match.split(sep).some((step) => step.startsWith(".") && step !== "." && step !== ".." && !spelled.has(step))
}

/** The files below a directory. Links to directories are followed, each directory once, so that a circle ends. */
const walk = async (directory: string, cwd: string, visited: Set<string>): Promise<Found> => {
  const names: Array<string> = []
  try {
    const path = resolve(cwd, directory)
    const real = await realpath(path)
    if (visited.has(real)) return { names }
    visited.add(real)
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue
      const name = join(directory, entry.name)
      const info = entry.isSymbolicLink() ? await stat(resolve(cwd, name)).catch(() => undefined) : entry
      if (info?.isDirectory() === true) {
        const below = await walk(name, cwd, visited)
        if ("fault" in below) return below
        names.push(...below.names)
      } else if (wanted(entry.name)) {
        // Nobody named it, and it may never end.
        if (info?.isFile() === false) return { fault: `${quote(name)} is no file, and lies where files are read` }
        names.push(name)
      }
    }
  } catch (cause) {
    return { fault: `the directory ${quote(directory)} cannot be read: ${reasonOf(cause)}` }
  }
  return { names }
}
