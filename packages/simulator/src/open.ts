// Simulators by location, as a registry's URL names them: `sim:` in memory, `sim:./file.json` kept in a file.
import { randomBytes } from "node:crypto"
import { readFile, rename, rm, writeFile } from "node:fs/promises"
import { isObject, StateError } from "./json.ts"
import { createSimulator, type Simulator, type SimulatorOptions } from "./simulator.ts"
import { FORMAT } from "./state.ts"

const SCHEME = "sim:"
const ADMIN = "admin"
/** How long changes are gathered before the file is written, in milliseconds. */
const QUIET = 50
/** How long a deleted name stays taken, as with a real server's collector. */
const COLLECT_AFTER = 60_000

export interface OpenedSimulator {
  readonly simulator: Simulator
  /** A token of the superuser `admin` with every scope. */
  readonly token: string
  /** Writes what is not written yet. Rejects if the file cannot be written. */
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** The location is not one, or its file is not a simulator's. The message names the file. */
export class SimulatorFileError extends Error {
  override readonly name = "SimulatorFileError"
  readonly file: string
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options)
    this.file = file
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT"

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What the file says, or undefined if there is no file. */
const load = async (file: string): Promise<{ [key: string]: unknown } | undefined> => {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (error) {
    if (isMissing(error)) return undefined
    throw new SimulatorFileError(file, `cannot be read: ${reason(error)}`, { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new SimulatorFileError(file, `is not JSON: ${reason(error)}`, { cause: error })
  }
  if (!isObject(value) || !Object.hasOwn(value, "format") || value["format"] !== FORMAT) {
    throw new SimulatorFileError(file, `is not a simulator's state: it must have "format": "${FORMAT}"`)
  }
  return value
}

const save = async (file: string, simulator: Simulator): Promise<void> => {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`
  try {
    await writeFile(temporary, `${JSON.stringify(simulator.snapshot(), null, 2)}\n`, { mode: 0o600 })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw new SimulatorFileError(file, `cannot be written: ${reason(error)}`, { cause: error })
  }
}

const parseLocation = (location: string): { readonly file: string; readonly users: readonly string[] | undefined } => {
  if (!location.startsWith(SCHEME)) throw new SimulatorFileError(location, `must begin with "${SCHEME}"`)
  const rest = location.slice(SCHEME.length)
  const mark = rest.indexOf("?")
  const query = new URLSearchParams(mark < 0 ? "" : rest.slice(mark + 1))
  for (const key of query.keys()) {
    if (key !== "users") throw new SimulatorFileError(location, `knows no option ${key}`)
  }
  const users = query
    .get("users")
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
  return { file: mark < 0 ? rest : rest.slice(0, mark), users }
}

/** What a file does not say of the registry that it holds. */
export type OpenOptions = Pick<SimulatorOptions, "version" | "features" | "mailing" | "ldap">

const create = (
  file: string,
  state: object | undefined,
  users: readonly string[] | undefined,
  options: OpenOptions
): Simulator => {
  try {
    return createSimulator({
      ...options,
      ...(state === undefined ? {} : { state }),
      users: [{ name: ADMIN, superuser: true }, ...(users ?? []).map((name) => ({ name }))],
      acceptAnyUser: users === undefined,
      collectAfter: COLLECT_AFTER
    })
  } catch (error) {
    if (error instanceof StateError) throw new SimulatorFileError(file, error.message, { cause: error })
    throw error
  }
}

/**
 * Opens the registry that a `sim:` URL names. `?users=alice,bob` says who exists; without it anybody does.
 * A file that is not there is made; one that is goes on from what it says, hand edits included.
 */
export const openSimulator = async (location: string, options: OpenOptions = {}): Promise<OpenedSimulator> => {
  const { file, users } = parseLocation(location)
  const simulator = create(file, file === "" ? undefined : await load(file), users, options)
  const known = Object.entries(simulator.snapshot().tokens).find(
    ([, { user, scopes }]) => user === ADMIN && scopes.includes("super:user")
  )
  const token = known?.[0] ?? simulator.addToken({ user: ADMIN })

  let dirty = known === undefined
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    // One write after the other, and a write that failed is tried again by the next one.
    writing = writing
      .catch(() => undefined)
      .then(async () => {
        if (!dirty || file === "") return
        dirty = false
        try {
          await save(file, simulator)
        } catch (error) {
          dirty = true
          throw error
        }
      })
    return writing
  }
  const stop = simulator.onChange(() => {
    dirty = true
    if (file === "" || timer !== undefined) return
    // A failure here shows in the next flush, which tries again.
    timer = setTimeout(() => void flush().catch(() => undefined), QUIET)
  })
  // Written at once, so that a place where nothing can be written shows before any work is done.
  await flush()
  const close = async (): Promise<void> => {
    stop()
    await flush()
  }
  return { simulator, token, flush, close, [Symbol.asyncDispose]: close }
}
