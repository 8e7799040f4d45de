/**
 * A plan as people read it: what happens to each organization, parents before children, then what it comes to and how to go
 * on. Pure: the same plan gives the same text. Kinds are names, keys and fields here, so a plugin's look like our own.
 */
import type { AnyOperation, Change, Extra, Left, Notice, Plan, Stuck, TargetPlan } from "quaymaster"
import { grouped } from "./grouped.ts"
import { linesText } from "./lines.ts"
import {
  addressText,
  changeText,
  groupOf,
  isMultiline,
  itemText,
  lossOf,
  nameIn,
  originOf,
  type Paint,
  symbolOf
} from "./operation.ts"
import type { Style } from "./style.ts"
import { clean, counted, padded, timeText, width } from "./text.ts"
import { verdictLines } from "./verdicts.ts"

export interface PlanContext {
  /** The command that shows it, and the one that applies it. */
  readonly command: string
  readonly apply: string
  /** What the registry is compared with, as a person says it: `acme.yaml`. */
  readonly files: string
  readonly requests?: number | undefined
  readonly milliseconds?: number | undefined
  /** Where the plan was saved. */
  readonly saved?: string | undefined
  /** Whether to say how to go on. Not where the plan is applied at once. */
  readonly hints: boolean
  /** Lists what is folded otherwise, and what was read. */
  readonly verbose: boolean
  /** Nothing but what it comes to. */
  readonly quiet: boolean
}

/** More than so many alike are one line. */
const FOLD = 20

export const planText = (plan: Plan, style: Style, context: PlanContext): string => {
  const blocks: Array<string> = []
  const several = plan.targets.length > 1
  if (!context.quiet) {
    blocks.push(header(plan, style, context))
    for (const target of plan.targets) {
      if (several) blocks.push(`${style.bold(targetName(target))}${target.operations.length > 0 ? "" : "  no changes"}`)
      blocks.push(...groupsOf(target).map((group) => groupText(group, style, context)))
      if (context.verbose) blocks.push(scopeText(target, style))
    }
  }
  const verdicts = verdictLines(plan.targets, style, context)
  blocks.push([summaryText(plan, style, context), ...verdicts, ...closing(plan, style, context)].join("\n"))
  return `${blocks.filter((it) => it !== "").join("\n\n")}\n`
}

const targetName = ({ registry, url }: TargetPlan): string =>
  registry === url ? clean(url) : `${clean(registry)}  ${clean(url)}`

const collectionsOf = (plan: Plan): number => plan.targets.reduce((sum, target) => sum + target.scope.length, 0)

const header = (plan: Plan, style: Style, context: PlanContext): string => {
  const [target] = plan.targets
  const where = plan.targets.length === 1 && target !== undefined ? targetName(target) : ""
  const cost = [
    counted(collectionsOf(plan), "collection"),
    ...(context.requests === undefined ? [] : [counted(context.requests, "request")]),
    ...(context.milliseconds === undefined ? [] : [timeText(context.milliseconds)])
  ].join(", ")
  return [style.bold(context.command), where, clean(context.files), style.dim(cost)]
    .filter((it) => it !== "")
    .join("  ")
}

interface Group {
  readonly name: string
  readonly operations: ReadonlyArray<AnyOperation>
  readonly stuck: ReadonlyArray<Stuck>
  readonly extras: ReadonlyArray<Extra>
  readonly left: ReadonlyArray<Left>
  readonly notices: ReadonlyArray<Notice>
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const groupsOf = (target: TargetPlan): ReadonlyArray<Group> => {
  const together = <A extends { readonly key: string }>(items: ReadonlyArray<A>) =>
    grouped(items, ({ key }) => groupOf(key))
  const operations = together(target.operations)
  const stuck = together(target.stuck)
  const extras = together(target.extras)
  const left = together(target.left)
  const notices = together(target.notices)
  const names = [operations, stuck, extras, left, notices].flatMap((groups) => [...groups.keys()])
  return [...new Set(names)].sort(byText).map((name) => ({
    name,
    operations: operations.get(name) ?? [],
    stuck: stuck.get(name) ?? [],
    extras: extras.get(name) ?? [],
    left: left.get(name) ?? [],
    notices: notices.get(name) ?? []
  }))
}

/** A line in columns: what, what of it, and where from. `below` stands under it. */
interface Row {
  readonly symbol: string
  readonly paint: Paint
  readonly what: string
  readonly detail: string
  readonly detailPaint: Paint
  readonly right: string
  readonly below: ReadonlyArray<string>
}

const same: Paint = (text) => text

const groupText = (group: Group, style: Style, { verbose }: PlanContext): string => {
  const operations = foldedRows(group, style, verbose)
  const stuck = group.stuck.map((it) => stuckRow(group.name, it, style))
  const extras = stayingRows(group, style, verbose)
  const main = [...operations, ...stuck, ...group.notices.map((it) => noticeRow(group.name, it, style))]
  return [
    style.bold(clean(group.name)),
    ...layOut(main, style),
    ...(main.length > 0 && extras.length > 0 ? [""] : []),
    ...layOut(extras, style)
  ].join("\n")
}

const WIDEST = { what: 44, detail: 48 }

/** Puts rows under each other in columns; a cell that is too wide for its column pushes the rest of its row. */
const layOut = (rows: ReadonlyArray<Row>, style: Style): ReadonlyArray<string> => {
  const symbol = Math.max(1, ...rows.map((row) => width(row.symbol)))
  const column = (of: (row: Row) => string, most: number) =>
    Math.max(0, ...rows.map((row) => width(of(row))).filter((it) => it <= most))
  const what = column((row) => row.what, WIDEST.what)
  const detail = column((row) => row.detail, WIDEST.detail)
  return rows.flatMap((row) => {
    const open = row.detail !== "" || row.right !== ""
    const whatCell = open ? padded(row.what, what) : row.what
    const detailCell = row.right === "" ? row.detail : padded(row.detail, detail)
    const cells = [
      `${row.paint(padded(row.symbol, symbol))} ${row.paint === same ? whatCell : named(whatCell, row, style)}`,
      ...(detail > 0 || row.detail !== "" ? [row.detailPaint(detailCell)] : []),
      ...(row.right === "" ? [] : [style.dim(row.right)])
    ]
    return [`  ${cells.join("  ")}`.trimEnd(), ...row.below.map((line) => `      ${line}`)]
  })
}

/** What destroys is all in its colour; else the symbol says enough. */
const named = (text: string, row: Row, style: Style): string =>
  row.symbol === "!" ? row.paint(text) : row.symbol === "·" ? style.dim(text) : text

const foldedRows = (group: Group, style: Style, verbose: boolean): ReadonlyArray<Row> => {
  const alike = grouped(group.operations, alikeness)
  const rows: Array<Row> = []
  const seen = new Set<string>()
  for (const operation of inOrder(group.operations)) {
    const key = alikeness(operation)
    const members = alike.get(key) ?? []
    // What loses something is always named.
    if (verbose || members.length <= FOLD || lossOf(operation) !== undefined)
      rows.push(operationRow(group.name, operation, style, verbose))
    else if (!seen.has(key)) rows.push(foldRow(members, operation, style))
    seen.add(key)
  }
  return rows
}

/** Operations that differ in their keys and values only are alike. */
const alikeness = (operation: AnyOperation): string => {
  const { action, impliedBy, kind, origin = "" } = operation
  const fields = action === "update" || action === "replace" ? operation.changes.map((it) => it.field).join(" ") : ""
  return [action, kind, origin, impliedBy === undefined ? "" : originOf({ ...operation, source: "" }), fields].join(
    "\n"
  )
}

const foldRow = (members: ReadonlyArray<AnyOperation>, first: AnyOperation, style: Style): Row => {
  const { paint, text } = symbolOf(first, style)
  const details = new Set(members.map(foldDetail))
  const detail = details.size === 1 ? foldDetail(first) : first.action === "update" ? fieldsOf(first.changes) : ""
  return {
    symbol: text,
    paint,
    what: `${members.length} ${clean(first.kind)}`,
    detail,
    detailPaint: same,
    right: [
      ...(first.impliedBy === undefined ? [] : [originOf({ ...first, source: "" }).trim()]),
      ...(first.impliedBy === undefined && first.origin === "drift" ? ["drift"] : []),
      "-v lists them"
    ].join("  "),
    below: []
  }
}

const fieldsOf = (changes: ReadonlyArray<Change>): string => changes.map(({ field }) => clean(field)).join(", ")

const foldDetail = (operation: AnyOperation): string =>
  operation.action === "create" || operation.action === "delete"
    ? detailOf(operation)
    : operation.changes.map((change) => `${clean(change.field)} ${changeText(change)}`).join(", ")

/** Parents before their children, as the keys have it: `acme/app` before `acme/app/team:ops`, whatever their kinds. */
const inOrder = (operations: ReadonlyArray<AnyOperation>): ReadonlyArray<AnyOperation> => {
  const byKey = grouped(operations, ({ key }) => key)
  const children = new Map<AnyOperation | undefined, Array<AnyOperation>>()
  for (const operation of operations) {
    const parent = parentOf(operation, byKey)
    const list = children.get(parent)
    if (list === undefined) children.set(parent, [operation])
    else list.push(operation)
  }
  const sorted: Array<AnyOperation> = []
  const take = (parent: AnyOperation | undefined) => {
    const list = (children.get(parent) ?? []).sort((a, b) => byText(a.kind, b.kind) || byText(a.key, b.key))
    for (const operation of list) {
      sorted.push(operation)
      take(operation)
    }
  }
  take(undefined)
  return sorted
}

const parentOf = (
  { key, kind, needs }: AnyOperation,
  byKey: ReadonlyMap<string, ReadonlyArray<AnyOperation>>
): AnyOperation | undefined => {
  for (let end = key.lastIndexOf("/"); end > 0; end = key.lastIndexOf("/", end - 1)) {
    // A team and a repository may have one key. A team's members are called after the team; what is called after neither
    // comes after both.
    const holders = [...(byKey.get(key.slice(0, end)) ?? [])].sort((a, b) => byText(a.kind, b.kind))
    const own = holders.find((it) => kind.startsWith(`${it.kind}-`)) ?? holders.find((it) => needs.includes(it.id))
    const parent = own ?? holders.at(-1)
    if (parent !== undefined) return parent
  }
  return undefined
}

/** What stands beside an operation's name. */
const detailOf = (operation: AnyOperation): string => {
  switch (operation.action) {
    case "create":
      return itemText(operation.key, operation.after)
    case "update":
      return ""
    case "replace":
      return consequences(operation)
    case "delete": {
      const was = itemText(operation.key, operation.before)
      const ends = consequences(operation)
      return ends !== "" ? ends : was === "" ? "" : `was ${was}`
    }
  }
}

const LOSSES = { data: "DESTROYS DATA", credential: "DESTROYS A CREDENTIAL" } as const

const consequences = (operation: AnyOperation & { readonly action: "replace" | "delete" }): string => {
  const loss = lossOf(operation)
  return [
    ...(loss === undefined ? [] : [LOSSES[loss]]),
    ...(operation.cascades.length === 0 ? [] : [`takes along ${counted(operation.cascades.length, "object")}`])
  ].join(", ")
}

const operationRow = (group: string, operation: AnyOperation, style: Style, verbose: boolean): Row => {
  const { paint, text } = symbolOf(operation, style)
  const changes = operation.action === "update" || operation.action === "replace" ? operation.changes : []
  const along = operation.action === "replace" || operation.action === "delete" ? operation.cascades : []
  return {
    symbol: text,
    paint,
    what: `${clean(operation.kind)} ${nameIn(group, operation.key)}`,
    detail: detailOf(operation),
    detailPaint: lossOf(operation) === undefined ? same : paint,
    right: originOf(operation),
    below: [
      ...changeLines(changes, style, same),
      ...(verbose ? along.map((address) => style.dim(`takes along ${addressText(address)}`)) : [])
    ]
  }
}

const changeLines = (changes: ReadonlyArray<Change>, style: Style, paint: Paint): ReadonlyArray<string> => {
  const column = Math.max(0, ...changes.map(({ field }) => width(clean(field))))
  return changes.flatMap((change) =>
    isMultiline(change)
      ? [paint(clean(change.field)), ...linesText(change.before, change.after, style).map((line) => `  ${line}`)]
      : [`${paint(padded(clean(change.field), column))}  ${paint(changeText(change))}`]
  )
}

const stuckRow = (group: string, { changes, key, kind, reason, source }: Stuck, style: Style): Row => ({
  symbol: "≠",
  paint: style.yellow,
  what: `${clean(kind)} ${nameIn(group, key)}`,
  detail: "cannot converge",
  detailPaint: style.yellow,
  right: source === undefined ? "" : clean(source),
  below: [...changeLines(changes, style, style.yellow), style.yellow(clean(reason))]
})

const WOULD_BE: Readonly<Record<Left["action"], string>> = {
  create: "created",
  update: "changed",
  replace: "replaced",
  delete: "deleted"
}

/** What stays although no file has it, and what was left out. */
const stayingRows = ({ extras, left, name }: Group, style: Style, verbose: boolean): ReadonlyArray<Row> => {
  const row = (what: string, detail: string): Row => ({
    symbol: "·",
    paint: style.dim,
    what,
    detail,
    detailPaint: style.dim,
    right: "",
    below: []
  })
  const staying = [
    ...extras.map(({ key, kind, reason }) => ({ key, kind, text: `extra: ${clean(reason)}` })),
    ...left.map(({ action, key, kind, reason }) => ({
      key,
      kind,
      text: `left out: would be ${WOULD_BE[action]}, ${clean(reason)}`
    }))
  ]
  const alike = grouped(staying, ({ kind, text }) => `${kind}\n${text}`)
  return [...alike.values()].flatMap((members) => {
    const [first] = members
    if (first === undefined) return []
    if (verbose || members.length <= FOLD)
      return members.map(({ key, kind, text }) => row(`${clean(kind)} ${nameIn(name, key)}`, text))
    return [row(`${members.length} ${clean(first.kind)}`, `${first.text}; -v lists them`)]
  })
}

const noticeRow = (name: string, { key, kind, message }: Notice, style: Style): Row => ({
  symbol: "i",
  paint: style.dim,
  what: `${clean(kind)} ${nameIn(name, key)}`,
  detail: clean(message),
  detailPaint: same,
  right: "",
  below: []
})

/** What was read, with how many objects there are. */
const scopeText = ({ scope }: TargetPlan, style: Style): string =>
  scope
    .map(({ existing, kind, parent, part }) =>
      style.dim(
        `  read  ${clean(kind)} of ${clean(parent)}${part === undefined ? "" : `, ${clean(part)}`}: ${existing}`
      )
    )
    .join("\n")

const summaryText = (plan: Plan, style: Style, context: PlanContext): string => {
  const { summary } = plan
  const operations = plan.targets.flatMap((target) => target.operations)
  const extras = summary.extras === 0 ? [] : [counted(summary.extras, "extra")]
  const stuck = summary.stuck === 0 ? [] : [style.yellow(`${summary.stuck} cannot converge`)]
  const left = summary.left === 0 ? [] : [style.yellow(`${summary.left} left out`)]
  if (operations.length === 0) {
    const checked = `${counted(summary.unchanged, "object")} in ${counted(collectionsOf(plan), "collection")}`
    const rest = [...extras, ...stuck, ...left]
    const head = summary.left === 0 ? "No changes." : "No changes but what is left out."
    return (
      `${style.bold(head)} ${checked} ${summary.unchanged === 1 ? "matches" : "match"} ${clean(context.files)}.` +
      (rest.length === 0 ? "" : ` ${rest.join(", ")}.`)
    )
  }
  const lost = (loss: "data" | "credential") => operations.filter((it) => lossOf(it) === loss).length
  const [data, credentials] = [lost("data"), lost("credential")]
  const destroys = [
    ...(data === 0 ? [] : [`${data} ${data === 1 ? "destroys" : "destroy"} data`]),
    ...(credentials === 0 ? [] : [`${credentials} ${credentials === 1 ? "destroys" : "destroy"} a credential`])
  ].join(", ")
  const drift = operations.filter(({ origin }) => origin === "drift").length
  const parts = [
    ...(summary.create === 0 ? [] : [`${summary.create} to create`]),
    ...(summary.update === 0 ? [] : [`${summary.update} to update`]),
    ...(summary.replace === 0 ? [] : [`${summary.replace} to replace`]),
    ...(summary.delete === 0 ? [] : [`${summary.delete} to delete`]),
    ...(drift === 0 ? [] : [`${drift} of ${operations.length === 1 ? "it" : "them"} drift`])
  ].join(", ")
  const loud = destroys === "" ? "" : ` ${style.bold(style.red(`(${destroys})`))}`
  const rest = [`${summary.unchanged} unchanged`, ...extras, ...stuck, ...left].join(", ")
  return `${style.bold("Plan:")} ${parts}${loud}. ${rest}.`
}

const closing = (plan: Plan, style: Style, { apply, hints, quiet, saved }: PlanContext): ReadonlyArray<string> => {
  if (plan.targets.every((target) => target.operations.length === 0)) return []
  const digest = quiet ? [] : [style.dim(`digest ${plan.digest}`)]
  if (!hints || quiet) return digest
  if (plan.summary.blocked > 0)
    return [
      ...digest,
      style.dim(
        `A blocked plan is not applied. Flags that allow it are given here, and saved with -o; or to  ${apply} ` +
          `${saved === undefined ? "plan.json" : clean(saved)}`
      )
    ]
  return [
    ...digest,
    style.dim(
      saved === undefined
        ? `Save it with -o plan.json, then  ${apply} plan.json`
        : `Saved. Apply it with  ${apply} ${clean(saved)}`
    )
  ]
}
