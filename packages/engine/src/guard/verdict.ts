/**
 * What the guard says of a plan: verdicts. Each names a danger, the operations that it comes from, and the flag that would
 * allow just it. A plan with a verdict that nothing allows is shown, and not applied. Values only.
 */
import { addressOf, type Collection, collectionId } from "../address.ts"
import type { TargetPlan } from "../target-plan.ts"
import type { AllowanceName } from "./allowance.ts"

/** What a rule finds. It is about one object, which `key` names, or about the collection in `parent`. */
export interface Finding {
  /** The rule's name: `destroys-data`. */
  readonly rule: string
  readonly kind: string
  readonly key?: string
  readonly parent?: string
  readonly part?: string
  /** The ids of the operations that it comes from. */
  readonly operations: ReadonlyArray<string>
  /** What would happen, as a sentence without its end. */
  readonly message: string
  /** The allowance that covers it. Left out: nothing does, and the files or the settings have to change. */
  readonly allowance?: AllowanceName
}

export interface Verdict extends Finding {
  /** The flag that would allow just it: `--allow-destroy repository:acme/old`. Left out where nothing can. */
  readonly allow?: string
  /** The flag that would allow all that are like it in the whole plan, by amount, where there are several. */
  readonly allowAlike?: string
  /** The flag that allows it. Left out: it blocks the plan. */
  readonly allowed?: string
}

export const isBlocking = ({ allowed }: Verdict): boolean => allowed === undefined

/** What a finding is about, as text: an address, or a collection. */
export const subjectOf = ({ key, kind, parent = "", part }: Finding): string => {
  if (key !== undefined) return addressOf(kind, key)
  const collection: Collection = part === undefined ? { kind, parent } : { kind, parent, part }
  return collectionId(collection)
}

/** By this verdicts are sorted. */
export const verdictText = (finding: Finding): string => `${subjectOf(finding)} ${finding.rule}`

/** A verdict, and the registry that it is about. */
export interface Blocking {
  readonly registry: string
  readonly verdict: Verdict
}

/** The plan is blocked, and nothing was changed. All the verdicts that nothing allows. */
export class PlanBlocked extends Error {
  override readonly name = "PlanBlocked"
  readonly _tag = "PlanBlocked"
  readonly verdicts: ReadonlyArray<Blocking>
  constructor(verdicts: ReadonlyArray<Blocking>) {
    super(
      verdicts
        .map(({ verdict: { allow, message, rule } }) => {
          const way = allow === undefined ? "" : ` Allow with ${allow}`
          return `${rule}: ${message}.${way}`
        })
        .join("\n")
    )
    this.verdicts = verdicts
  }
}

/** What blocks a plan. */
export const blockingOf = (
  targets: ReadonlyArray<Pick<TargetPlan, "registry" | "verdicts">>
): ReadonlyArray<Blocking> =>
  targets.flatMap(({ registry, verdicts }) => verdicts.filter(isBlocking).map((verdict) => ({ registry, verdict })))
