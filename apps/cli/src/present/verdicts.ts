/** What the guard says of a plan, in lines: what blocks it and the flags that would allow just that, and what was allowed. */
import type { TargetPlan, Verdict } from "quaymaster"
import { grouped } from "./grouped.ts"
import type { Style } from "./style.ts"
import { clean } from "./text.ts"

/** More messages than so many of one rule are counted. */
const MOST = 5

export interface VerdictsContext {
  readonly verbose: boolean
  /** The rules alone, without what they are about. */
  readonly quiet: boolean
}

/** Lines for what blocks, then for what is allowed. */
export const verdictLines = (
  targets: ReadonlyArray<Pick<TargetPlan, "registry" | "verdicts">>,
  style: Style,
  context: VerdictsContext
): ReadonlyArray<string> =>
  targets.flatMap(({ registry, verdicts }) => {
    const where = targets.length > 1 ? ` on ${clean(registry)}` : ""
    const alike = [...grouped(verdicts, alikeness).values()]
    const blocked = alike.filter(([first]) => first?.allowed === undefined)
    const allowed = context.quiet ? [] : alike.filter(([first]) => first?.allowed !== undefined)
    return [
      ...blocked.flatMap((members) => [blockedLine(members, where, style), ...messages(members, style, context)]),
      ...allowed.map((members) => allowedLine(members, where, style))
    ]
  })

/** Verdicts that one flag allows. */
const alikeness = ({ allowed, key, kind, rule }: Verdict): string =>
  [allowed ?? "", rule, kind, key === undefined ? "" : "object"].join("\n")

const blockedLine = (members: ReadonlyArray<Verdict>, where: string, style: Style): string => {
  const [first] = members
  const flag = members.length === 1 ? first?.allow : (first?.allowAlike ?? first?.allow)
  const way = flag === undefined ? " No flag allows it." : ` Allow with  ${clean(flag)}`
  return `${style.bold(style.red("Blocked:"))} ${clean(first?.rule ?? "")}${where}.${way}`
}

const messages = (
  members: ReadonlyArray<Verdict>,
  style: Style,
  { quiet, verbose }: VerdictsContext
): ReadonlyArray<string> => {
  if (quiet) return []
  const shown = verbose || members.length <= MOST ? members : members.slice(0, MOST - 1)
  const left = members.length - shown.length
  return [
    ...shown.map(({ message }) => `  ${clean(message)}`),
    ...(left === 0 ? [] : [style.dim(`  and ${left} more; -v lists them`)])
  ]
}

const allowedLine = (members: ReadonlyArray<Verdict>, where: string, style: Style): string => {
  const [first] = members
  const times = members.length === 1 ? "" : ` (${members.length})`
  return style.yellow(`Allowed: ${clean(first?.rule ?? "")}${times}${where}, by ${clean(first?.allowed ?? "")}`)
}
