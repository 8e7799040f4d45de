/** How far an apply is, in lines: those that are final, and those that are drawn over. Pure; who writes them is in progress.ts. */
import type { AnyOperation, Event } from "quaymaster"
import { idText, symbolOf } from "./operation.ts"
import { listed, subjectOf } from "./report.ts"
import type { Style } from "./style.ts"
import { clean, counted, padded, short, timeText } from "./text.ts"

export type Finished = Event & { readonly type: "operation-finished" }

const name = (id: string, operation: AnyOperation | undefined, style: Style): string => {
  if (operation === undefined) return idText(id)
  const { paint, text } = symbolOf(operation, style)
  return `${paint(text)} ${clean(`${operation.kind} ${operation.key}`)}`
}

/** One line for an operation that has ended. */
export const finishedLine = (event: Finished, operation: AnyOperation | undefined, style: Style): string => {
  const what = name(event.id, operation, style)
  switch (event.outcome) {
    case "applied":
      return `${style.green("✓")} ${what}  ${style.dim(timeText(event.milliseconds))}`
    case "already":
      return `${style.green("✓")} ${what}  ${style.dim("was so already")}`
    case "by-registry":
      return `${style.green("✓")} ${what}  ${style.dim("by Quay")}`
    case "failed":
      return `${style.red("✗")} ${what}  ${clean(event.error ?? "failed")}`
    case "skipped":
      return `${style.yellow("↷")} ${what}  skipped${event.because === undefined ? "" : `: waited for ${subjectOf(event.because)}`}`
    case "not-started":
      return `${style.dim("…")} ${what}  ${style.dim("not started")}`
  }
}

/** Said before anything else where an apply of the same plan broke off. */
export const resumedLines = (unsettled: ReadonlyArray<string>): string =>
  [
    `The apply before broke off with ${counted(unsettled.length, "operation")} under way. It is looked first whether they happened:`,
    ...listed(unsettled)
  ].join("\n")

/** Said where the same was created by somebody else, too. */
export const duplicateLine = (id: string, style: Style): string =>
  `${style.yellow("!")} ${clean(subjectOf(id))}  ${style.dim("was created by somebody else at the same time: one of two was removed")}`

export const retryLine = (event: Event & { readonly type: "request-retried" }, style: Style): string =>
  style.dim(`… ${clean(event.operation)}: retry ${event.attempt} in ${timeText(event.delay)}: ${clean(event.error)}`)

export interface Standing {
  readonly phase: "reading" | "applying"
  readonly requests: number
  /** Under way, with since when. */
  readonly running: ReadonlyArray<{
    readonly operation: AnyOperation | undefined
    readonly id: string
    readonly since: number
  }>
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly stopping: boolean
  readonly began: number
}

const MOST_ROWS = 8
const BAR = 24

/** What is drawn over and over while it goes on; each line fits the terminal. */
export const region = (standing: Standing, now: number, columns: number, style: Style): ReadonlyArray<string> => {
  const fit = (text: string) => short(text, Math.max(20, columns - 1))
  const elapsed = timeText(now - standing.began)
  if (standing.phase === "reading")
    return [style.dim(fit(`Reading: ${counted(standing.requests, "request")}, ${elapsed}`))]
  const rows = standing.running.slice(0, MOST_ROWS).map(({ id, operation, since }) => {
    const what = operation === undefined ? idText(id) : clean(`${operation.kind} ${operation.key}`)
    return style.dim(fit(`… ${what}  ${timeText(now - since)}`))
  })
  const more = standing.running.length - MOST_ROWS
  const filled = standing.total === 0 ? BAR : Math.floor((BAR * standing.done) / standing.total)
  const bar = padded("█".repeat(filled), BAR).replaceAll(" ", "░")
  const counts = [
    `${standing.done}/${standing.total}`,
    ...(standing.failed === 0 ? [] : [`${standing.failed} failed`]),
    elapsed,
    ...(standing.stopping ? ["stopping"] : [])
  ].join("  ")
  return [...rows, ...(more > 0 ? [style.dim(`  and ${more} more under way`)] : []), fit(`${bar}  ${counts}`)]
}

/** Said after a silence, where nothing can be drawn over. */
export const heartbeat = (standing: Standing, now: number): string => {
  const elapsed = timeText(now - standing.began)
  return standing.phase === "reading"
    ? `… still reading: ${counted(standing.requests, "request")}, ${elapsed}`
    : `… still applying: ${standing.done} of ${standing.total} done, ${standing.running.length} under way, ${elapsed}`
}
