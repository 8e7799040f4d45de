/**
 * Mistakes in what people write, each with its place, and the one error that carries all of them.
 * Nothing here decides what is a mistake; nothing here shows a value that its schema calls secret.
 */
import { byText, type Path, visible } from "@quaymaster/engine"
import { suggestion } from "./suggest.ts"

/** Where something starts. Both count from one; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * One mistake. `line` and `column` are absent for what has no lines: a file that cannot be read, an object that a program
 * passed in. `path` leads to the place in the document, and stands in `message` where it helps.
 */
export interface Located {
  readonly file: string
  readonly line?: number
  readonly column?: number
  readonly path: Path
  readonly message: string
  /** What to do about it, where that can be told. */
  readonly hint?: string
}

/** A mistake on one line: `acme.yaml:14:5: teams.dev: unknown key "rol"; did you mean "role"?` */
export const formatProblem = (problem: Located): string => {
  const at = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`
  return `${at}: ${problem.message}${problem.hint === undefined ? "" : `; ${problem.hint}`}`
}

/** What people wrote cannot be used. All the mistakes at once, sorted by file and position, one line of the message each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError"
  readonly _tag = "ConfigError"
  readonly problems: ReadonlyArray<Located>
  constructor(problems: ReadonlyArray<Located>) {
    super(problems.map(formatProblem).join("\n"))
    this.problems = problems
  }
}

const LONGEST_QUOTE = 80

/** Text from outside as it may stand in a message: one line, of bounded length, without anything that moves a cursor. */
export const quote = (text: string): string =>
  visible(JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text))

/** A path as people write it: `repositories["vendor/alpine"].tags[0]`. */
export const dotted = (path: Path): string => {
  let text = ""
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`
    else if (!/^[A-Za-z_][A-Za-z0-9_-]{0,79}$/.test(step)) text += `[${quote(step)}]`
    else text += text === "" ? step : `.${step}`
  }
  return text
}

/** A message about a place in a document. */
export const about = (path: Path, text: string): string => (path.length === 0 ? text : `${dotted(path)}: ${text}`)

export const didYouMean = (word: string | undefined): string | undefined =>
  word === undefined ? undefined : `did you mean ${quote(word)}?`

/** More than this is not read by anyone; how many more there are is said. */
const MOST_TOLD = 1000

// Comparing every unknown word with every known one is quadratic; a file this wrong is not helped by more hints.
const MOST_HINTS = 200

/** Collects mistakes. What is said twice of one place, because an alias brings it to two, is kept once. */
export class Report {
  readonly #problems = new Map<string, Located>()
  #hints = 0

  get size(): number {
    return this.#problems.size
  }

  /** Adds a mistake at a place in a document. `text` says what is wrong without saying where. */
  at(file: string, position: Position | undefined, path: Path, text: string, hint?: string): void {
    const place = position === undefined ? dotted(path) : `${position.line}:${position.column}`
    const key = `${file}\n${place}\n${text}`
    if (this.#problems.has(key)) return
    this.#problems.set(key, {
      file,
      ...(position === undefined ? {} : { line: position.line, column: position.column }),
      path,
      message: visible(about(path, text)),
      ...(hint === undefined ? {} : { hint: visible(hint) })
    })
  }

  /** Adds mistakes that were found elsewhere. */
  take(problems: Iterable<Located>): void {
    for (const it of problems) this.#problems.set(`${formatProblem(it)}\n${dotted(it.path)}`, it)
  }

  /** The candidate that somebody who wrote `word` most likely meant. */
  nearest(word: string, candidates: Iterable<string>): string | undefined {
    if (this.#hints >= MOST_HINTS) return undefined
    this.#hints += 1
    return suggestion(word, candidates)
  }

  /** `did you mean "role"?`, if one of the candidates is near enough. */
  didYouMean(word: string, candidates: Iterable<string>): string | undefined {
    return didYouMean(this.nearest(word, candidates))
  }

  sorted(): ReadonlyArray<Located> {
    const all = [...this.#problems.values()].sort(
      (a, b) =>
        byText(a.file, b.file) ||
        (a.line ?? 0) - (b.line ?? 0) ||
        (a.column ?? 0) - (b.column ?? 0) ||
        byText(a.message, b.message)
    )
    const last = all[MOST_TOLD - 1]
    if (last === undefined || all.length === MOST_TOLD) return all
    const rest = { file: last.file, path: [], message: `and ${all.length - MOST_TOLD} more mistakes` }
    return [...all.slice(0, MOST_TOLD), rest]
  }

  /** @throws {ConfigError} if anything was reported. */
  settle(): void {
    if (this.size > 0) throw new ConfigError(this.sorted())
  }
}
