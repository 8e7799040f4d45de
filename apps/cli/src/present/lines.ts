/** The difference of two texts of several lines, small: the lines that change, with one line around them. */
import * as TextDiff from "effect/TextDiff"
import type { Style } from "./style.ts"
import { clean, short } from "./text.ts"

const MOST_LINES = 16
const MOST_EDITS = 200
const LONGEST = 100

export const linesText = (before: unknown, after: unknown, style: Style): ReadonlyArray<string> => {
  const text = (value: unknown): string =>
    typeof value === "string" ? value : value === undefined ? "" : String(value)
  const edits = TextDiff.lines(text(before), text(after), { maxEdits: MOST_EDITS })
  const lines: Array<string> = []
  for (const [i, edit] of edits.entries()) {
    const items = edit.items.map((item) => short(clean(item.replace(/\r?\n$/, "")), LONGEST))
    if (edit._tag === "Insert") lines.push(...items.map((item) => style.green(`+ ${item}`)))
    else if (edit._tag === "Delete") lines.push(...items.map((item) => style.red(`- ${item}`)))
    else {
      const head = i === 0 ? [] : items.slice(0, 1)
      const tail = i === edits.length - 1 ? [] : items.slice(Math.max(head.length, items.length - 1))
      const left = items.length - head.length - tail.length
      lines.push(...head.map((item) => style.dim(`  ${item}`)))
      if (left > 0 && i > 0 && i < edits.length - 1) lines.push(style.dim("  …"))
      lines.push(...tail.map((item) => style.dim(`  ${item}`)))
    }
  }
  if (lines.length <= MOST_LINES) return lines
  return [...lines.slice(0, MOST_LINES), style.dim(`  … and ${lines.length - MOST_LINES} more lines`)]
}
