/**
 * The files that credentials are delivered to: read as they are, and written whole or not at all, readable by their owner
 * only. Links and everything else that is not a plain file are left alone, so that no one else can choose what is written.
 */
import { randomBytes } from "node:crypto"
import { chmod, link, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import type { LocalFile, LocalFiles } from "@quaymaster/kinds"
import { codeOf, reasonOf } from "./file-error.ts"

const OWNER_ONLY = 0o600
const OWNERS_FOLDER = 0o700

/** No credential is nearly as long. */
const LONGEST = 64 * 1024

const told = <A>(work: Promise<A>): Promise<A> =>
  work.catch((cause: unknown) => {
    throw new Error(reasonOf(cause), { cause })
  })

const look = async (path: string): Promise<LocalFile> => {
  try {
    const info = await lstat(path)
    if (info.isSymbolicLink()) return { state: "blocked", reason: "is a link" }
    if (info.isDirectory()) return { state: "blocked", reason: "is a directory" }
    if (!info.isFile() || info.size > LONGEST)
      return { state: "blocked", reason: "is something else than a credential" }
    const mode = process.platform === "win32" ? undefined : info.mode
    return { state: "file", text: await readFile(path, "utf8"), mode }
  } catch (cause) {
    return codeOf(cause) === "ENOENT"
      ? { state: "none" }
      : { state: "blocked", reason: `cannot be read: ${reasonOf(cause)}` }
  }
}

/** Gives a file beside another one to `use`, with its text and its mode, and leaves nothing of it. */
const beside = async (path: string, text: string, use: (temporary: string) => Promise<void>): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: OWNERS_FOLDER })
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`
  try {
    await writeFile(temporary, text, { mode: OWNER_ONLY, flag: "wx" })
    await chmod(temporary, OWNER_ONLY)
    await use(temporary)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Gives a file its name, unless something has it. Some disks cannot, and those are taken at the word of who looked before. */
const name = async (temporary: string, path: string): Promise<void> => {
  try {
    await link(temporary, path)
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") throw cause
    await rename(temporary, path)
  }
}

/** Relative paths start at `cwd`. */
export const localFiles = (cwd: string): LocalFiles => ({
  look: (path) => look(resolve(cwd, path)),
  write: (path, text, { replace }) => {
    const file = resolve(cwd, path)
    return told(beside(file, text, (temporary) => (replace ? rename(temporary, file) : name(temporary, file))))
  },
  remove: (path) => told(rm(resolve(cwd, path), { force: true })),
  probe: (path) => told(beside(resolve(cwd, path), "", async () => {}))
})
