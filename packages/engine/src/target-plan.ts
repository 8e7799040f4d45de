/** What planning comes to: the plan of one registry, or all that is wrong with what was wanted. Values only. */
import { addressOf, type Collection } from "./address.ts"
import type { Change } from "./diff.ts"
import type { Gate } from "./gate.ts"
import type { Verdict } from "./guard/verdict.ts"
import type { Action, AnyOperation } from "./operation.ts"

/** A mistake in what is wanted. `source` is where, as people write it. */
export interface Problem {
  readonly message: string
  readonly source?: string
}

/** The wanted state cannot be planned. All the problems at once. */
export class PlanRefused extends Error {
  override readonly name = "PlanRefused"
  readonly _tag = "PlanRefused"
  readonly problems: ReadonlyArray<Problem>
  constructor(problems: ReadonlyArray<Problem>) {
    super(problems.map((it) => (it.source === undefined ? it.message : `${it.source}: ${it.message}`)).join("\n"))
    this.problems = problems
  }
}

/** An object in an owned collection that no file declares, and that stays. */
export interface Extra {
  readonly kind: string
  readonly key: string
  readonly reason: string
}

/** What would have been done, and was left out because objects are not to be deleted: the removals, and what waits for them. */
export interface Left {
  readonly action: Action
  readonly kind: string
  readonly key: string
  readonly reason: string
}

/** A declared object whose difference the registry offers no way to mend. */
export interface Stuck {
  readonly kind: string
  readonly key: string
  readonly changes: ReadonlyArray<Change>
  readonly reason: string
  readonly source?: string
}

/** Something that a person should know of a declared object beside what is done to it. */
export interface Notice {
  readonly kind: string
  readonly key: string
  readonly message: string
  readonly source?: string
}

/** By this what was left out is sorted: the id of the operation that it would have been. */
export const leftId = ({ action, key, kind }: Left): string => `${action}:${addressOf(kind, key)}`

/** By this notices are sorted. */
export const noticeText = ({ key, kind, message }: Notice): string => `${addressOf(kind, key)} ${message}`

/** What is to be done to one registry. */
export interface TargetPlan<Op = AnyOperation> {
  /** The name that files and configuration give the registry. */
  readonly registry: string
  readonly url: string
  readonly scope: ReadonlyArray<Collection & { readonly existing: number }>
  readonly operations: ReadonlyArray<Op>
  /** What stands between operations where many wait for the same many. Left out where there is none. */
  readonly gates?: ReadonlyArray<Gate>
  readonly extras: ReadonlyArray<Extra>
  readonly stuck: ReadonlyArray<Stuck>
  readonly notices: ReadonlyArray<Notice>
  readonly left: ReadonlyArray<Left>
  /** What the guard has against it. One that nothing allows blocks the whole plan. */
  readonly verdicts: ReadonlyArray<Verdict>
  /** How many declared objects are as they should be. */
  readonly unchanged: number
}
