/** What became of an apply, for people and for programs: what failed and what to do, what was skipped and why, how to resume. */
import type { ApplyReport, Outcome, Plan, Result } from "quaymaster"
import { advice } from "./advice.ts"
import { addressText, idText } from "./operation.ts"
import type { Style } from "./style.ts"
import { clean, cleanLines, counted, timeText } from "./text.ts"

export interface ReportContext {
  /** The command that resumes. */
  readonly resume: string
  readonly requests: number
  readonly retries: number
  readonly milliseconds: number
  readonly verbose: boolean
}

const FOLD = 20

const actionOf = (id: string): string => id.slice(0, id.indexOf(":"))

/** An operation's id without its action, in words. */
export const subjectOf = (id: string): string => addressText(id.slice(id.indexOf(":") + 1))

const PAST: Readonly<Record<string, string>> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted"
}

export const reportText = (report: ApplyReport, style: Style, context: ReportContext): string => {
  const results = report.targets.flatMap((target) => target.results)
  const of = (...outcomes: ReadonlyArray<Outcome>) => results.filter((it) => outcomes.includes(it.outcome))
  const good = of("applied", "already", "by-registry")
  const lines: Array<string> = []
  for (const target of report.targets) {
    const bad = target.results.filter((it) => it.outcome === "failed")
    const skipped = target.results.filter((it) => it.outcome === "skipped")
    if (report.targets.length > 1 && bad.length + skipped.length > 0) lines.push(style.bold(clean(target.registry)))
    lines.push(...bad.flatMap((it) => failedLines(it, style)))
    lines.push(...folded(skipped, style, context.verbose))
  }
  const left = of("not-started")
  if (left.length > 0 && context.verbose)
    lines.push(...left.map(({ id }) => style.dim(`  … ${idText(id)}  not started`)))
  if (lines.length > 0) lines.push("")
  lines.push(summary(results, good.length, style, context))
  lines.push(...report.targets.flatMap(stoppedLines))
  if (report.outcome !== "applied") lines.push(`What is done stays done. Resume with  ${context.resume}`)
  return `${lines.join("\n")}\n`
}

/** Why nothing more was started, and what to do before it is resumed. */
const stoppedLines = ({ reason, registry, stopped }: ApplyReport["targets"][number]): ReadonlyArray<string> => {
  const why = reason === undefined ? [] : [`  ${cleanLines(reason)}`]
  switch (stopped) {
    case "unauthenticated":
      return [`${clean(registry)} does not take the token any more. Get a new one before you go on.`, ...why]
    case "unavailable":
      return [
        `${clean(registry)} fails again and again, so nothing more was started. Go on when it works again.`,
        ...why
      ]
    case "unrecorded":
      return [`What was to be done on ${clean(registry)} could not be recorded, so nothing more was started.`, ...why]
    default:
      return []
  }
}

/** Operations, a line each; of many the first. */
export const listed = (ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines = ids.slice(0, ids.length <= FOLD ? FOLD : FOLD - 1).map((id) => `  ? ${idText(id)}`)
  return lines.length < ids.length ? [...lines, `  ? and ${ids.length - lines.length} more`] : lines
}

/** Said by a command that is left at once. */
export const leftText = (running: ReadonlyArray<string>, style: Style, resume: string): string =>
  [
    running.length === 0
      ? "Left at once. Nothing was under way."
      : style.bold(`Left at once. It is not known whether ${counted(running.length, "operation")} happened:`),
    ...listed(running),
    `What is done stays done. Resume with  ${resume}`,
    ""
  ].join("\n")

const failedLines = ({ error, id, partly, tag, uncertain }: Result, style: Style): ReadonlyArray<string> => {
  const what = advice(tag)
  return [
    `  ${style.red("✗")} ${idText(id)}`,
    ...cleanLines(error ?? "no reason was given")
      .split("\n")
      .map((line) => `      ${line}`),
    ...(partly === true ? ["      A part of it was done: apply the same plan again to do the rest."] : []),
    ...(uncertain === true ? ["      It may have happened all the same: it is looked before it is done again."] : []),
    ...(what === undefined ? [] : [style.dim(`      ${what}`)])
  ]
}

const folded = (skipped: ReadonlyArray<Result>, style: Style, verbose: boolean): ReadonlyArray<string> => {
  const line = ({ because, id }: Result) =>
    `  ${style.yellow("↷")} ${idText(id)}  skipped${because === undefined ? "" : `: waited for ${subjectOf(because)}`}`
  if (verbose || skipped.length <= FOLD) return skipped.map(line)
  return [
    ...skipped.slice(0, FOLD - 1).map(line),
    `  ${style.yellow("↷")} and ${skipped.length - FOLD + 1} more skipped; -v lists them`
  ]
}

const summary = (
  results: ReadonlyArray<Result>,
  good: number,
  style: Style,
  { milliseconds, requests, retries }: ReportContext
): string => {
  const count = (outcome: Outcome) => results.filter((it) => it.outcome === outcome).length
  const done = Object.entries(PAST).flatMap(([action, word]) => {
    const number = results.filter((it) => it.outcome === "applied" && actionOf(it.id) === action).length
    return number === 0 ? [] : [`${number} ${word}`]
  })
  const parts = [
    ...done,
    ...(count("by-registry") === 0 ? [] : [`${count("by-registry")} by Quay`]),
    ...(count("already") === 0 ? [] : [`${count("already")} already so`]),
    ...(count("failed") === 0 ? [] : [style.red(`${count("failed")} failed`)]),
    ...(count("skipped") === 0 ? [] : [style.yellow(`${count("skipped")} skipped`)]),
    ...(count("not-started") === 0 ? [] : [style.yellow(`${count("not-started")} not started`)])
  ].join(", ")
  const cost = [
    timeText(milliseconds),
    counted(requests, "request"),
    ...(retries === 0 ? [] : [counted(retries, "retry", "retries")])
  ].join(", ")
  return `${style.bold(`Applied ${good} of ${counted(results.length, "change")}`)}${parts === "" ? "" : `: ${parts}`}. ${style.dim(cost)}`
}

/** The report for programs: the same results, with the plan's digest, what the plan left out, and the command that resumes. */
export const reportJson = (plan: Plan, { outcome, targets }: ApplyReport, resume?: string): string => {
  const left = plan.targets.flatMap((target) => target.left.map((it) => ({ registry: target.registry, ...it })))
  const more = outcome === "applied" || resume === undefined ? {} : { resume }
  return `${JSON.stringify({ digest: plan.digest, outcome, targets, left, ...more }, null, 2)}\n`
}

/** In place of the report, where the guard refuses the plan: what it has against it. */
export const refusalJson = ({ digest, targets }: Plan): string =>
  `${JSON.stringify(
    {
      digest,
      outcome: "blocked",
      targets: targets.map(({ registry, url, verdicts }) => ({ registry, url, verdicts }))
    },
    null,
    2
  )}\n`
