/**
 * The planner: desired state, actual state and scope in, operations out. No clock, no I/O: the same input gives the same
 * bytes. What it leaves out: whether somebody allows what the guard is against, and whether it is still true when it is applied.
 *
 *   desired ─┐
 *            ├─► survey ─► situation: all that is wanted, owned and there, indexed
 *   actual ──┘               │
 *              ┌─────────────┴─────────────┐
 *           compare                   findExtras
 *              │ a fate for each           │ what is there and not wanted:
 *              │ wanted object             │ removed or kept
 *              └─────────────┬─────────────┘
 *                         decide     deletions take things along; what stays can stand in their way
 *                            │
 *                         predict    what the registry will make by itself
 *                            │
 *                          draft     the operations, each by itself
 *                            │
 *                          order     what each of them needs
 *                            │
 *                          spare     the same without removals, where objects are not to be deleted
 *                            │
 *                         inspect    what the guard has against them (see `guard/`)
 *                            │
 *                            └─► the plan, or all the mistakes at once
 *
 * Each step is a file in `plan/`; each takes values and gives one, and sees only what stands above it.
 */
import { addressOf, byText, type Collection } from "./address.ts"
import { unseen } from "./diff.ts"
import { gatesOf } from "./gate.ts"
import { judged } from "./guard/allowance.ts"
import { inspect } from "./guard/guard.ts"
import { renamedExtras } from "./guard/rename.ts"
import { indexKinds, type Kind } from "./kind.ts"
import { sortedBy } from "./lists.ts"
import { type AnyOperation, isOperationOf, type Operation } from "./operation.ts"
import type { Removed } from "./plan/extras.ts"
import { findExtras } from "./plan/extras.ts"
import { compare, type Fate, withheld } from "./plan/fate.ts"
import {
  brokenReferences,
  cycles,
  excludedCollections,
  lastingObjects,
  lostObjects,
  misfits,
  refusals,
  stubbornObjects
} from "./plan/mistakes.ts"
import { withOrigins } from "./plan/origin.ts"
import { outline } from "./plan/outline.ts"
import { type Situation, survey } from "./plan/situation.ts"
import { spare } from "./plan/sparing.ts"
import type { Actual, Desired } from "./state.ts"
import { type Notice, noticeText, PlanRefused, type TargetPlan } from "./target-plan.ts"

export * from "./target-plan.ts"

/**
 * Plans one registry.
 * @throws {PlanRefused} if something is declared twice, needs what is not there, or needs itself.
 */
export const planTarget = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  target: { readonly registry: string; readonly url: string },
  desired: Desired,
  actual: Actual
): TargetPlan<Operation<K>> => {
  const known = indexKinds<K>(kinds)
  const fits = isOperationOf(known)

  const { problems, situation } = survey(known, desired, actual)
  const compared = withheld(compare(situation))
  const extras = findExtras(situation)
  const whole = outline(situation, compared, extras)
  const { decisions, predictions } = whole

  const mistakes = [
    ...problems,
    ...refusals(situation, decisions, predictions),
    ...lastingObjects(situation, decisions),
    ...stubbornObjects(decisions),
    ...lostObjects(decisions),
    ...excludedCollections(situation, decisions),
    ...brokenReferences(situation, decisions, predictions),
    ...misfits(whole.drafts, fits),
    ...cycles(whole.needs)
  ]
  if (mistakes.length > 0) throw new PlanRefused(mistakes)

  const { drafts, left, needs } = spare(situation, compared, extras, whole)
  const operations = drafts.map(
    ({ operation }): AnyOperation => ({ ...operation, needs: [...(needs.get(operation.id) ?? [])].sort(byText) })
  )
  const fates = [...decisions.fates.values()]
  const removed = drafts.flatMap(({ on }) => decisions.removed.get(on.address) ?? [])
  const touched = new Set(drafts.map(({ on }) => on.address))
  const stuck = fates.flatMap((fate) => ("stuck" in fate && fate.stuck !== undefined ? [fate.stuck] : []))
  const { base } = desired
  const told = base === undefined ? operations : withOrigins(known, base, actual, operations)
  const sorted = sortedBy(told, ({ id }) => id).filter(fits)
  const predicted = new Map(
    [...predictions].flatMap(([address, { item, kind, unwanted }]) =>
      unwanted ? [] : [[address, { kind: kind.kind, item }] as const]
    )
  )
  const facts = { ...situation, operations: sorted, predicted }
  const gates = gatesOf(sorted, needs)
  const planned = {
    ...target,
    scope: scopeOf(situation),
    operations: sorted,
    ...(gates.length === 0 ? {} : { gates }),
    extras: sortedBy(decisions.kept, ({ key, kind }) => addressOf(kind, key)),
    stuck: sortedBy(stuck, ({ key, kind }) => addressOf(kind, key)),
    notices: sortedBy(
      [...fates.flatMap(noticesOf), ...removed.flatMap(remains), ...renamedExtras(facts, decisions.kept)],
      noticeText
    ),
    left,
    verdicts: inspect(facts),
    unchanged:
      fates.filter(({ state, want }) => state === "same" && !touched.has(want.address)).length +
      alreadyAbsent(situation)
  }
  return judged(planned)
}

/** What a person should know of a declared object, by its kind and of its secrets. */
const noticesOf = (fate: Fate): ReadonlyArray<Notice> => {
  const { address, item, key, kind, origin } = fate.want
  const secrets = fate.state === "same" ? unseen(kind, item).map(({ field }) => field) : []
  const messages = [...(kind.notices?.(item, "before" in fate ? fate.before : undefined) ?? [])]
  if (secrets.length > 0)
    messages.push(
      `A registry does not tell ${secrets.join(" and ")}: sent with any other change, or by --write-secrets ${address}.`
    )
  return messages.map((message) => ({ kind: kind.kind, key, message, ...origin }))
}

/** What a person should know of an object that is deleted. */
const remains = ({ item, key, kind, origin }: Removed): ReadonlyArray<Notice> =>
  (kind.leaves?.(item) ?? []).map((message) => ({ kind: kind.kind, key, message, ...origin }))

const alreadyAbsent = ({ absent, there }: Situation): number =>
  [...absent.keys()].filter((address) => !there.byAddress.has(address)).length

/** The collections that the files own, and how much is in each of them. */
const scopeOf = ({ owned, there }: Situation): ReadonlyArray<Collection & { readonly existing: number }> =>
  sortedBy(owned, ([id]) => id).map(([id, { kind, parent, part }]) => ({
    kind,
    parent,
    ...(part === undefined ? {} : { part }),
    existing: there.byCollection.get(id)?.length ?? 0
  }))
