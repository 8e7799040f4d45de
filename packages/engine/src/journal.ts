/**
 * The journal of an apply: a JSON object a line, written as it goes, so that it says after a crash what was under way. A journal
 * can hold several applies of the same plan, one after the other. Here is its format and what it tells; writing it is not.
 */
import { type Static, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"

export const JOURNAL_FORMAT = "quaymaster-journal/1"

const closed = { additionalProperties: false }
const time = Type.String({ description: "When, in UTC: `2026-01-31T12:00:00.000Z`." })
const count = Type.Integer({ minimum: 0 })
const operation = {
  registry: Type.String({ description: "The registry, as the plan names it." }),
  id: Type.String({ description: "The operation, as the plan names it." }),
  time
}
const outcome = Type.Union(
  (["applied", "already", "by-registry", "failed", "skipped", "not-started"] as const).map((it) => Type.Literal(it))
)

const Begun = Type.Object(
  {
    type: Type.Literal("begun"),
    format: Type.Literal(JOURNAL_FORMAT),
    tool: Type.String({ description: "The version that wrote it." }),
    digest: Type.String({ description: "The plan's digest." }),
    targets: Type.Array(Type.Object({ registry: Type.String(), url: Type.String(), operations: count }, closed), {
      description: "The registries, and how many operations the plan has for each."
    }),
    time
  },
  { ...closed, description: "An apply begins: nothing has been changed by it yet." }
)
const Started = Type.Object(
  { type: Type.Literal("started"), ...operation },
  { ...closed, description: "Written before the operation sends anything." }
)
const Ended = Type.Object(
  {
    type: Type.Literal("ended"),
    ...operation,
    outcome,
    error: Type.Optional(Type.String({ description: "Why it failed." })),
    tag: Type.Optional(Type.String({ description: "The name of the error." })),
    uncertain: Type.Optional(
      Type.Boolean({ description: "Whether it may have happened although it counts as failed." })
    )
  },
  { ...closed, description: "How an operation ended that was started." }
)
const Finished = Type.Object(
  {
    type: Type.Literal("finished"),
    outcome: Type.Union([Type.Literal("applied"), Type.Literal("partial"), Type.Literal("interrupted")]),
    counts: Type.Record(Type.String(), count, { description: "How many operations came to which outcome." }),
    time
  },
  { ...closed, description: "The apply has come to its end." }
)

/** The JSON Schema of a journal's lines. */
export const JournalLineSchema = Type.Union([Begun, Started, Ended, Finished])

export type JournalLine = Static<typeof JournalLineSchema>

/** An operation of which it is not known whether it happened. */
export interface Unsettled {
  readonly registry: string
  readonly id: string
  /** When it was started, or was given up. */
  readonly time: string
}

export interface Journal {
  readonly digest: string
  readonly targets: Static<typeof Begun>["targets"]
  /** When the last apply in it began, and whether it came to its end. */
  readonly begun: string
  readonly finished: boolean
  /** Operations that were started and have no end, or an uncertain one; in the order of their start. */
  readonly unsettled: ReadonlyArray<Unsettled>
  /** How many characters of the text are whole lines. What comes after them was being written when it broke off. */
  readonly whole: number
}

/** The text is no journal, or one of another version. */
export class JournalUnreadable extends Error {
  override readonly name = "JournalUnreadable"
  readonly _tag = "JournalUnreadable"
}

/**
 * What a journal tells. A last line that was not written to its end is passed over.
 * @returns undefined if not even its first line was written.
 * @throws {JournalUnreadable}
 */
export const readJournal = (text: string): Journal | undefined => {
  const whole = text.lastIndexOf("\n") + 1
  const lines = text.slice(0, whole).split("\n").slice(0, -1).map(lineOf)
  const [first] = lines
  if (first === undefined && !isBeginning(text)) throw new JournalUnreadable("This is not a journal.")
  if (first === undefined) return undefined
  if (first.type !== "begun") throw new JournalUnreadable("The journal does not begin with what it is the journal of.")
  let last = first
  let finished = false
  const unsettled = new Map<string, Unsettled>()
  for (const [i, line] of lines.entries())
    switch (line.type) {
      case "begun":
        if (line.digest !== first.digest)
          throw new JournalUnreadable(`Line ${i + 1} is about another plan than the lines before it.`)
        last = line
        finished = false
        break
      case "started":
      case "ended": {
        const { id, registry, time } = line
        const key = `${registry}\n${id}`
        if (line.type === "started" || line.uncertain === true) unsettled.set(key, { registry, id, time })
        else unsettled.delete(key)
        break
      }
      case "finished":
        finished = true
        break
    }
  const { digest, targets } = first
  return { digest, targets, begun: last.time, finished, unsettled: [...unsettled.values()], whole }
}

const lineOf = (text: string, i: number): JournalLine => {
  const line = parsed(text)
  if (Value.Check(JournalLineSchema, line)) return line
  const format = typeof line === "object" && line !== null && "format" in line ? line.format : undefined
  throw new JournalUnreadable(
    i === 0
      ? typeof format === "string" && format !== JOURNAL_FORMAT
        ? `The journal has the format ${JSON.stringify(format)}; this version writes "${JOURNAL_FORMAT}".`
        : "This is not a journal."
      : `Line ${i + 1} is not a journal's.`
  )
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a first line was begun, however short it is. */
const isBeginning = (text: string): boolean => {
  const head = '{"type":"begun"'
  return text.startsWith(head) || head.startsWith(text)
}
