/**
 * The plan as a document: versioned, sorted, without times or secrets, with a digest that approves exactly what it says.
 * Reading one checks all of it, so that nothing malformed reaches a kind. Files are not opened here.
 */
import { createHash } from "node:crypto"
import { Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { addressOf, byText } from "./address.ts"
import { valueOfText } from "./document-text.ts"
import { type Gate, isGate } from "./gate.ts"
import { findCycle } from "./graph.ts"
import { type Allowances, allowanceNames, judgeAll, mergeAllowances } from "./guard/allowance.ts"
import { destroys } from "./guard/deletion.ts"
import { destroysRule } from "./guard/destroys.ts"
import { blockingOf, type Verdict, verdictText } from "./guard/verdict.ts"
import { canonical, equal, isRecord, visible } from "./json.ts"
import { indexKinds, type Kind } from "./kind.ts"
import { type AnyOperation, isOperationOf, type Operation } from "./operation.ts"
import type { TargetPlan } from "./target-plan.ts"

export const FORMAT = "quaymaster-plan/1"

export interface Summary {
  readonly create: number
  readonly update: number
  readonly replace: number
  readonly delete: number
  readonly unchanged: number
  readonly extras: number
  readonly stuck: number
  /** What was left out because objects are not to be deleted. */
  readonly left: number
  /** Operations that lose data or a credential for good. */
  readonly destroys: number
  /** Verdicts that nothing allows. With any, the plan is not applied. */
  readonly blocked: number
}

/** What a plan was allowed to do although the guard is against it, bound to the verdicts. */
export interface Guard {
  readonly allowances: Allowances
  /** `sha256:` and 64 hexadecimal digits, over the plan's digest, the allowances and the verdicts. */
  readonly digest: string
}

export interface Plan<Op = AnyOperation> {
  readonly format: typeof FORMAT
  /** `sha256:` and 64 hexadecimal digits, over the format, each target's address, and its operations. */
  readonly digest: string
  /** The version of the tool that made it. */
  readonly tool: string
  readonly targets: ReadonlyArray<TargetPlan<Op>>
  readonly summary: Summary
  readonly guard: Guard
}

export type PlanOf<K extends Kind> = Plan<Operation<K>>

const summarize = (targets: ReadonlyArray<TargetPlan>): Summary => {
  const operations = targets.flatMap((target) => target.operations)
  const count = (action: AnyOperation["action"]) => operations.filter((it) => it.action === action).length
  const sum = (of: (target: TargetPlan) => number) => targets.reduce((total, target) => total + of(target), 0)
  return {
    create: count("create"),
    update: count("update"),
    replace: count("replace"),
    delete: count("delete"),
    unchanged: sum((target) => target.unchanged),
    extras: sum((target) => target.extras.length),
    stuck: sum((target) => target.stuck.length),
    left: sum((target) => target.left.length),
    destroys: operations.filter(destroys).length,
    blocked: blockingOf(targets).length
  }
}

/** What of an operation an approval covers. Where it comes from and why may change without voiding that. */
export const essenceOf = ({ origin: _origin, reason: _reason, source: _source, ...rest }: AnyOperation): object => rest

/** The digest of what an approval covers. */
const digestOf = (targets: ReadonlyArray<TargetPlan>): string => {
  const covered = targets.map((target) => ({
    url: target.url,
    operations: target.operations.map(essenceOf),
    ...(target.gates === undefined ? {} : { gates: target.gates })
  }))
  return sha256({ format: FORMAT, targets: covered })
}

/** Binds what the guard says to the operations it says it of. Who edits either has to edit this as well. */
const guardDigestOf = (digest: string, targets: ReadonlyArray<TargetPlan>, allowances: Allowances): string =>
  sha256({ digest, allowances, verdicts: targets.map(({ verdicts }) => verdicts) })

const sha256 = (value: unknown): string => `sha256:${createHash("sha256").update(canonical(value)).digest("hex")}`

/** Puts the targets together, in the order of their names, with what a person allows. */
export const assemble = <Op extends AnyOperation>(
  targets: ReadonlyArray<TargetPlan<Op>>,
  tool: string,
  allowances: Allowances = {}
): Plan<Op> => {
  const given = mergeAllowances(allowances, {})
  const ordered = judgeAll(
    [...targets].sort((a, b) => byText(a.registry, b.registry) || byText(a.url, b.url)),
    given
  )
  const digest = digestOf(ordered)
  return {
    format: FORMAT,
    digest,
    tool,
    targets: ordered,
    summary: summarize(ordered),
    guard: { allowances: given, digest: guardDigestOf(digest, ordered, given) }
  }
}

/** The plan with more allowed than it was made with. */
export const allowing = <Op extends AnyOperation>(plan: Plan<Op>, allowances: Allowances): Plan<Op> =>
  assemble(plan.targets, plan.tool, mergeAllowances(plan.guard.allowances, allowances))

const closed = { additionalProperties: false }
const Item = Type.Record(Type.String(), Type.Unknown())
const Loss = Type.Optional(Type.Union([Type.Literal("data"), Type.Literal("credential")]))
const ChangeSchema = Type.Object(
  { field: Type.String(), before: Type.Optional(Type.Unknown()), after: Type.Optional(Type.Unknown()) },
  closed
)
const common = {
  id: Type.String(),
  kind: Type.String(),
  key: Type.String(),
  needs: Type.Array(Type.String()),
  source: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  origin: Type.Optional(Type.Union([Type.Literal("drift"), Type.Literal("change")])),
  impliedBy: Type.Optional(Type.String())
}
const changes = Type.Array(ChangeSchema)
const cascades = Type.Array(Type.String())
const OperationSchema = Type.Union([
  Type.Object({ ...common, action: Type.Literal("create"), after: Item }, closed),
  Type.Object({ ...common, action: Type.Literal("update"), before: Item, after: Item, changes }, closed),
  Type.Object(
    { ...common, action: Type.Literal("replace"), before: Item, after: Item, changes, cascades, destroys: Loss },
    closed
  ),
  Type.Object(
    {
      ...common,
      action: Type.Literal("delete"),
      before: Item,
      was: Type.Optional(Item),
      foreseen: Type.Optional(Type.Literal(true)),
      cascades,
      destroys: Loss
    },
    closed
  )
])
const ActionSchema = Type.Union([
  Type.Literal("create"),
  Type.Literal("update"),
  Type.Literal("replace"),
  Type.Literal("delete")
])
const count = Type.Integer({ minimum: 0 })
const Digest = Type.String({ pattern: "^sha256:[0-9a-f]{64}$" })
const VerdictSchema = Type.Object(
  {
    rule: Type.String(),
    kind: Type.String(),
    key: Type.Optional(Type.String()),
    parent: Type.Optional(Type.String()),
    part: Type.Optional(Type.String()),
    operations: Type.Array(Type.String()),
    message: Type.String(),
    allowance: Type.Optional(Type.Union(allowanceNames.map((name) => Type.Literal(name)))),
    allow: Type.Optional(Type.String()),
    allowAlike: Type.Optional(Type.String()),
    allowed: Type.Optional(Type.String())
  },
  closed
)

/** The JSON Schema of a plan file. What stands in `before` and `after` is each kind's own affair. */
export const PlanSchema = Type.Object(
  {
    format: Type.Literal(FORMAT),
    digest: Digest,
    tool: Type.String(),
    targets: Type.Array(
      Type.Object(
        {
          registry: Type.String(),
          url: Type.String(),
          scope: Type.Array(
            Type.Object(
              { kind: Type.String(), parent: Type.String(), part: Type.Optional(Type.String()), existing: count },
              closed
            )
          ),
          operations: Type.Array(OperationSchema),
          gates: Type.Optional(
            Type.Array(Type.Object({ id: Type.String(), needs: Type.Array(Type.String(), { minItems: 1 }) }, closed), {
              minItems: 1
            })
          ),
          extras: Type.Array(Type.Object({ kind: Type.String(), key: Type.String(), reason: Type.String() }, closed)),
          stuck: Type.Array(
            Type.Object(
              {
                kind: Type.String(),
                key: Type.String(),
                changes,
                reason: Type.String(),
                source: Type.Optional(Type.String())
              },
              closed
            )
          ),
          notices: Type.Array(
            Type.Object(
              { kind: Type.String(), key: Type.String(), message: Type.String(), source: Type.Optional(Type.String()) },
              closed
            )
          ),
          left: Type.Array(
            Type.Object(
              { action: ActionSchema, kind: Type.String(), key: Type.String(), reason: Type.String() },
              closed
            )
          ),
          verdicts: Type.Array(VerdictSchema),
          unchanged: count
        },
        closed
      )
    ),
    summary: Type.Object(
      {
        create: count,
        update: count,
        replace: count,
        delete: count,
        unchanged: count,
        extras: count,
        stuck: count,
        left: count,
        destroys: count,
        blocked: count
      },
      closed
    ),
    guard: Type.Object(
      {
        allowances: Type.Object(
          Object.fromEntries(allowanceNames.map((name) => [name, Type.Optional(Type.Array(Type.String()))])),
          closed
        ),
        digest: Digest
      },
      closed
    )
  },
  { ...closed, title: "Quaymaster plan" }
)

/** A document that is no plan of ours, or not one that this version can apply. */
export class PlanUnreadable extends Error {
  override readonly name = "PlanUnreadable"
  readonly _tag = "PlanUnreadable"
}

/** The document's text: two spaces, a final line break, the same bytes for the same plan, whatever the order of its keys. */
export const encodePlan = (plan: Plan): string =>
  `${JSON.stringify(plan, (key, value) => (key === "before" || key === "after" ? sorted(value) : value), 2)}\n`

/** The value with all keys in order. What is not an object's own data is left to JSON. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort(byText)
      .map((key) => [key, sorted(value[key])])
  )
}

/**
 * Reads a plan document, for the kinds it is to be applied with.
 * @throws {PlanUnreadable} if it is not JSON, says a thing twice, is of another format, edited since, or of kinds that are not there.
 */
export const decodePlan = <K extends Kind>(kinds: ReadonlyArray<K>, text: string): PlanOf<K> => {
  const document = parse(text)
  if (typeof document === "object" && document !== null && "format" in document && document.format !== FORMAT)
    throw new PlanUnreadable(
      `The plan has the format ${short(JSON.stringify(document.format))}; this version reads "${FORMAT}".`
    )
  if (!Value.Check(PlanSchema, document)) {
    const first = Value.Errors(PlanSchema, document).First()
    throw new PlanUnreadable(
      `This is not a plan${first === undefined ? "" : `: ${first.path === "" ? "the document" : short(first.path)}: ${first.message}`}.`
    )
  }
  const known = indexKinds<K>(kinds)
  const targets = document.targets.map((target) => ({ ...target, operations: narrow(known, target.operations) }))
  if (digestOf(targets) !== document.digest || !equal(summarize(targets), document.summary))
    throw new PlanUnreadable(
      "The plan's operations are not the ones its digest was made of: it was edited. Plan again."
    )
  const { allowances, digest } = document.guard
  const verdictsOf = (them: ReadonlyArray<TargetPlan>) => them.map(({ verdicts }) => verdicts)
  if (
    guardDigestOf(document.digest, targets, allowances) !== digest ||
    !equal(verdictsOf(judgeAll(targets, allowances)), verdictsOf(targets))
  )
    throw new PlanUnreadable(
      "What the guard says of the plan, or what was allowed, is not what the plan was made with: it was edited. Plan again; " +
        "more can be allowed by flags."
    )
  for (const { gates, operations, verdicts } of targets) {
    const fault = incoherence(known, operations, gates) ?? silence(known, operations, verdicts)
    if (fault !== undefined) throw new PlanUnreadable(`The plan contradicts itself: ${short(fault)}.`)
  }
  return { ...document, targets }
}

const LONGEST = 200

/** As much of a document's own text as helps. */
const short = (text: string): string =>
  visible(text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()}…`)

const parse = (text: string): unknown => {
  const parsed = valueOfText(text)
  if ("fault" in parsed) throw new PlanUnreadable(parsed.fault)
  return parsed.value
}

const narrow = <K extends Kind>(
  kinds: ReadonlyMap<string, K>,
  operations: ReadonlyArray<AnyOperation>
): ReadonlyArray<Operation<K>> => {
  const fits = isOperationOf(kinds)
  return operations.map((operation): Operation<K> => {
    if (fits(operation)) return operation
    throw new PlanUnreadable(
      kinds.has(operation.kind)
        ? `The operation ${short(operation.id)} is not one that the kind "${operation.kind}" understands.`
        : `The plan has operations on "${short(operation.kind)}", a kind that is not known here. Is a plugin missing?`
    )
  })
}

/** What no plan of ours would say. A digest proves nothing of that: whoever writes a document can compute one. */
const incoherence = (
  kinds: ReadonlyMap<string, Kind>,
  operations: ReadonlyArray<AnyOperation>,
  gates: ReadonlyArray<Gate> = []
): string | undefined => {
  const needs = new Map([...operations, ...gates].map((it) => [it.id, new Set(it.needs)]))
  if (needs.size < operations.length + gates.length) return "two operations have one id, or two gates"
  for (const gate of gates) {
    if (!isGate(gate.id)) return `${gate.id} is no gate's id`
    const unknown = gate.needs.find((it) => isGate(it) || !needs.has(it))
    if (unknown !== undefined) return `${gate.id} needs ${unknown}, which is no operation of the plan`
  }
  for (const operation of operations) {
    const { action, id, impliedBy, key, kind: name } = operation
    const kind = kinds.get(name)
    const items =
      operation.action === "create"
        ? [operation.after]
        : operation.action === "delete"
          ? [operation.before]
          : [operation.before, operation.after]
    if (id !== `${action}:${addressOf(name, key)}` || items.some((item) => kind?.key(item) !== key))
      return `${id} is not what its action, kind and objects say`
    const unknown = [...operation.needs, ...(impliedBy === undefined ? [] : [impliedBy])].find((it) => !needs.has(it))
    if (unknown !== undefined) return `${id} needs ${unknown}, which is not in the plan`
  }
  const cycle = findCycle(needs)
  return cycle === undefined ? undefined : `these operations need each other: ${cycle.join(" → ")}`
}

/** A loss that the operations show, and of which the guard says nothing. */
const silence = (
  kinds: ReadonlyMap<string, Kind>,
  operations: ReadonlyArray<AnyOperation>,
  verdicts: ReadonlyArray<Verdict>
): string | undefined => {
  const said = new Set(verdicts.map(verdictText))
  const missing = destroysRule({ kinds, operations }).find((finding) => !said.has(verdictText(finding)))
  return missing === undefined ? undefined : `nothing says that ${missing.message}`
}
