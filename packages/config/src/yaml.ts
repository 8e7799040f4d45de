/**
 * YAML text to documents with positions: YAML 1.2 with its core types, anchors and merge keys; JSON is a part of that.
 * Tags of one's own, keys that are not text and YAML 1.1 are left out. Sizes are bounded before anything is expanded, so
 * a few lines of aliases cannot fill the memory.
 */
import type { Path } from "@quaymaster/engine"
import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  Scalar,
  visit,
  type YAMLError,
  type Document as YamlDocument
} from "yaml"
import type { Position, Report } from "./problem.ts"
import { quote } from "./problem.ts"
import { DEEPEST, type Document, type MapEntry, type Tree, textFault } from "./tree.ts"

/** Text longer than this is refused unread. */
export const MOST_CHARACTERS = 8 * 1024 * 1024

/** What the parser holds open at once. A level of nesting takes it two or three. */
const DEEPEST_PARSED = 4 * DEEPEST

const TOO_DEEP = `nested deeper than ${DEEPEST} levels`

/** How many values the aliases of one document may stand for, all of them together. */
const MOST_ALIASED = 100_000

/** How many words, signs and spaces a text may consist of: what a parser does with each of them costs more than the reading. */
const MOST_LEXEMES = 1_000_000

const MOST_DOCUMENTS = 10_000

/** Mistakes of one value, beside which the rest of the document can still be read. */
const LOCAL: ReadonlySet<string> = new Set(["BAD_DQ_ESCAPE", "BAD_SCALAR_START", "TAG_RESOLVE_FAILED", "BAD_ALIAS"])

/** Reported while the document is converted, with more to say than the parser has. */
const OURS: ReadonlySet<string> = new Set(["NON_STRING_KEY", "DUPLICATE_KEY"])

const CORE_TAGS: ReadonlySet<string> = new Set(
  ["str", "map", "seq", "int", "float", "bool", "null"].map((name) => `tag:yaml.org,2002:${name}`)
)

const syntax = (code: string): { readonly text: string; readonly hint?: string } => {
  switch (code) {
    case "TAB_AS_INDENT":
      return { text: "a tab stands where the line is indented", hint: "YAML indents with spaces" }
    case "BAD_INDENT":
      return { text: "the indentation fits no line above, or a bracket before is not closed" }
    case "MISSING_CHAR":
      return { text: "something is not finished here: a quote, a bracket, or the : after a key is missing" }
    case "BAD_DQ_ESCAPE":
      return { text: "unknown escape in double quotes", hint: "write \\\\ for a backslash, or use single quotes" }
    case "BAD_SCALAR_START":
      return { text: "unquoted text cannot start with this character", hint: "put the text in quotes" }
    case "BLOCK_AS_IMPLICIT_KEY":
      return { text: "a second : on one line", hint: "put the value in quotes, or start a new line" }
    case "MULTILINE_IMPLICIT_KEY":
      return { text: "this line is neither a key with a : nor part of a list" }
    case "BLOCK_IN_FLOW":
      return { text: "indented lines cannot stand inside [ ] or { }" }
    case "BAD_ALIAS":
      return { text: "an alias needs a name, and no : or anchor of its own" }
    case "BAD_DIRECTIVE":
      return { text: "unknown directive" }
    case "MULTIPLE_DOCS":
      return { text: "another document starts here without ---" }
    default:
      return { text: "this is not YAML" }
  }
}

/** The documents of a text. Mistakes go to the report; a document whose structure is unclear is left out. */
export const parseText = (
  file: string,
  source: string,
  directory: string | undefined,
  report: Report
): ReadonlyArray<Document> => {
  const text = source.startsWith("\ufeff") ? source.slice(1) : source
  if (text.length > MOST_CHARACTERS) {
    report.at(file, { line: 1, column: 1 }, [], `larger than ${MOST_CHARACTERS / 1024 / 1024} MiB; split it`)
    return []
  }
  const lineCounter = new LineCounter()
  const place = (offset: number): Position => {
    const { col, line } = lineCounter.linePos(offset)
    return { line, column: col }
  }
  const parser = new Parser(lineCounter.addNewLine)
  const composer = new Composer({
    logLevel: "silent",
    prettyErrors: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false
  })
  const documents: Array<Document> = []
  let stopped: { readonly offset: number; readonly why: string } | undefined
  // The parser's own loop would go as deep and as far as the text does, which ends in a full stack or a full memory.
  const tokens = function* () {
    lineCounter.addNewLine(0)
    let count = 0
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme)
      count++
      if (parser.stack.length > DEEPEST_PARSED) stopped = { offset: parser.offset, why: TOO_DEEP }
      if (count > MOST_LEXEMES)
        stopped = { offset: parser.offset, why: "more words and signs than one file may have; split it" }
      if (stopped !== undefined) return
    }
    yield* parser.end()
  }
  let count = 0
  for (const document of withoutTraces(composer.compose(tokens()))) {
    count++
    if (count > MOST_DOCUMENTS) {
      stopped = { offset: document.range[0], why: `more than ${MOST_DOCUMENTS} documents; split it` }
      break
    }
    const spoiled = reportSyntax(file, document, place, report)
    if (spoiled === undefined || document.contents === null) continue
    const root = new Converter(file, place, report, spoiled).document(document.contents)
    if (root === undefined) continue
    // Nothing between two --- is nothing to read, not a mistake.
    if (root.type === "scalar" && root.value === null) continue
    documents.push({ file, directory, root })
  }
  // What precedes a document that never comes.
  for (const { code, pos } of composer.streamInfo().errors) report.at(file, place(pos[0]), [], syntax(code).text)
  if (stopped !== undefined) report.at(file, place(stopped.offset), [], stopped.why)
  return documents
}

/** Iterates without stack traces: a text full of mistakes makes an error of each, and its trace costs most of all. */
function* withoutTraces<A>(items: Iterable<A>): Generator<A, void, undefined> {
  const iterator = items[Symbol.iterator]()
  for (;;) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    let next: IteratorResult<A>
    try {
      next = iterator.next()
    } finally {
      Error.stackTraceLimit = limit
    }
    if (next.done === true) return
    yield next.value
  }
}

/** Where values are spoiled though the document is readable; undefined if its structure is not. */
const reportSyntax = (
  file: string,
  document: YamlDocument.Parsed,
  place: (offset: number) => Position,
  report: Report
): ReadonlyArray<number> | undefined => {
  const { yaml } = document.directives
  if (yaml.explicit === true && yaml.version !== "1.2") {
    report.at(file, place(document.range[0]), [], `declares YAML ${yaml.version}`, "files here are YAML 1.2")
    return undefined
  }
  const local: Array<number> = []
  let broken = false
  for (const error of [...document.errors].sort((a, b) => a.pos[0] - b.pos[0])) {
    if (OURS.has(error.code)) continue
    const tab = error.code === "TAB_AS_INDENT"
    // What the parser says after it lost its way is guesswork; tabs it still recognizes.
    if (broken && !tab) continue
    const { hint, text } = syntax(error.code)
    report.at(file, place(startOf(document, error)), [], text, hint)
    if (LOCAL.has(error.code)) local.push(error.pos[0])
    else broken = true
  }
  for (const warning of document.warnings) {
    if (warning.code !== "BAD_DIRECTIVE") continue
    report.at(file, place(warning.pos[0]), [], syntax(warning.code).text)
  }
  return broken ? undefined : local
}

/** A quote that is not closed is reported where it opens, not where the file ends. */
const startOf = (document: YamlDocument.Parsed, error: YAMLError): number => {
  let offset = error.pos[0]
  if (error.code !== "MISSING_CHAR") return offset
  visit(document, {
    Scalar: (_key, { range, type }) => {
      const quoted = type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE
      if (quoted && range && range[0] < error.pos[0] && range[1] >= error.pos[0]) offset = range[0]
    }
  })
  return offset
}

class Converter {
  readonly #file: string
  readonly #place: (offset: number) => Position
  readonly #report: Report
  readonly #spoiled: ReadonlyArray<number>
  readonly #anchors = new Map<string, Tree>()
  readonly #open = new Set<string>()
  readonly #sizes = new Map<Tree, number>()
  #aliased = 0
  #stopped = false

  constructor(file: string, place: (offset: number) => Position, report: Report, spoiled: ReadonlyArray<number>) {
    this.#file = file
    this.#place = place
    this.#report = report
    this.#spoiled = spoiled
  }

  /** The tree of a document; undefined if it is too much to be looked at. */
  document(node: Node): Tree | undefined {
    const tree = this.#convert(node, [], undefined)
    return this.#stopped ? undefined : tree
  }

  #fail(position: Position | undefined, path: Path, text: string, hint?: string): Tree {
    this.#report.at(this.#file, position, path, text, hint)
    return { type: "broken", at: position }
  }

  /** Stops at the first value that is too much: what follows is more of the same. */
  #stop(position: Position | undefined, text: string): Tree {
    if (!this.#stopped) this.#report.at(this.#file, position, [], text)
    this.#stopped = true
    return { type: "broken", at: position }
  }

  #convert(node: unknown, path: Path, key: Position | undefined): Tree {
    if (isAlias(node)) return this.#alias(node.source, node.range ? this.#place(node.range[0]) : key, path)
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return { type: "scalar", at: key, value: null }
    const at = node.range ? this.#place(node.range[0]) : key
    if (this.#stopped) return { type: "broken", at }
    if (path.length > DEEPEST) return this.#stop(at, TOO_DEEP)
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag))
      return this.#fail(at, path, `unknown tag ${quote(node.tag.replace("tag:yaml.org,2002:", "!!"))}`)
    const { anchor } = node
    if (anchor !== undefined) this.#open.add(anchor)
    const tree = isScalar(node) ? this.#scalar(node, path, at, key) : this.#collection(node, path, at)
    if (anchor !== undefined) {
      this.#open.delete(anchor)
      this.#anchors.set(anchor, tree)
    }
    return tree
  }

  /** Whether a mistake lies between two offsets; the mistakes are sorted. */
  #isSpoiled(start: number, end: number): boolean {
    let low = 0
    let high = this.#spoiled.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#spoiled[middle] ?? 0) < start) low = middle + 1
      else high = middle
    }
    const first = this.#spoiled[low]
    return first !== undefined && first < end
  }

  #scalar(node: Scalar, path: Path, at: Position | undefined, key: Position | undefined): Tree {
    const { range, value } = node
    if (range && this.#isSpoiled(range[0], Math.max(range[1], range[0] + 1))) return { type: "broken", at }
    if (value === null) return { type: "scalar", at: key ?? at, value }
    if (typeof value === "string") {
      const fault = textFault(value)
      return fault === undefined ? { type: "scalar", at, value } : this.#fail(at, path, fault)
    }
    if (typeof value === "boolean") return { type: "scalar", at, value }
    if (typeof value !== "number") return this.#fail(at, path, "is not a value of YAML 1.2")
    if (!Number.isFinite(value)) return this.#fail(at, path, "should be a finite number")
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return this.#fail(at, path, "is too large for a number", "put it in quotes if it is text")
    return { type: "scalar", at, value }
  }

  #collection(node: { readonly items: ReadonlyArray<unknown> }, path: Path, at: Position | undefined): Tree {
    const tree: Tree = isMap(node)
      ? { type: "map", at, entries: this.#entries(node.items, path) }
      : { type: "list", at, items: node.items.map((item, index) => this.#convert(item, [...path, index], undefined)) }
    let size = 1
    const parts = tree.type === "map" ? [...tree.entries.values()].map((entry) => entry.value) : tree.items
    for (const part of parts) size += this.#sizes.get(part) ?? 1
    this.#sizes.set(tree, size)
    return tree
  }

  #entries(pairs: ReadonlyArray<Pair>, path: Path): ReadonlyMap<string, MapEntry> {
    const entries = new Map<string, MapEntry>()
    const merges: Array<Tree> = []
    let merged = false
    for (const pair of pairs) {
      const { key } = pair
      if (!isScalar(key) || typeof key.value !== "string") {
        const range = isAlias(key) || isMap(key) || isSeq(key) || isScalar(key) ? key.range : undefined
        this.#fail(range ? this.#place(range[0]) : undefined, path, "a key should be text")
        continue
      }
      const name = key.value
      const at = key.range ? this.#place(key.range[0]) : undefined
      if (key.anchor !== undefined) this.#anchors.set(key.anchor, { type: "scalar", at, value: name })
      const fault = textFault(name)
      if (fault !== undefined) {
        this.#fail(at, path, `the key ${quote(name)} ${fault}`)
        continue
      }
      const merge = name === "<<" && key.type === Scalar.PLAIN
      const first = merge ? undefined : entries.get(name)
      if (first !== undefined || (merge && merged)) {
        const where = first?.key === undefined ? "" : `, first on line ${first.key.line}`
        this.#fail(at, path, `the key ${quote(name)} stands twice${where}`)
        continue
      }
      if (merge) {
        merged = true
        merges.push(...this.#merged(this.#convert(pair.value, [...path, name], at), [...path, name]))
      } else entries.set(name, { key: at, value: this.#convert(pair.value, [...path, name], at) })
    }
    // What stands in the map itself wins over what is merged, and an earlier merge over a later one.
    for (const tree of merges) {
      if (tree.type !== "map") continue
      for (const [name, entry] of tree.entries) if (!entries.has(name)) entries.set(name, entry)
    }
    return entries
  }

  #merged(tree: Tree, path: Path): ReadonlyArray<Tree> {
    const sources = tree.type === "list" ? tree.items : [tree]
    for (const source of sources) {
      if (source.type !== "map" && source.type !== "broken") this.#fail(source.at, path, "only maps can be merged")
    }
    return sources
  }

  #alias(name: string, at: Position | undefined, path: Path): Tree {
    if (this.#stopped) return { type: "broken", at }
    if (this.#open.has(name)) return this.#fail(at, path, `the alias *${name} stands inside what it repeats`)
    const tree = this.#anchors.get(name)
    if (tree === undefined) {
      const hint = this.#report.didYouMean(name, this.#anchors.keys())
      return this.#fail(at, path, `no anchor &${name} stands before this alias`, hint)
    }
    this.#aliased += this.#sizes.get(tree) ?? 1
    if (this.#aliased > MOST_ALIASED) return this.#stop(at, `aliases stand for more than ${MOST_ALIASED} values`)
    return tree
  }
}
