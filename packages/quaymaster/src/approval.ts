/** What a plan that is applied has to be: the approved one, or within it. */
import {
  type AnyOperation,
  addressOf,
  comparePlans,
  type Plan,
  type PlanDifference,
  type Unapproved,
  unapproved
} from "@quaymaster/engine"

/** The plan is not the one whose digest was approved. Nothing was changed. */
export class PlanDiffers extends Error {
  override readonly name = "PlanDiffers"
  readonly _tag = "PlanDiffers"
  /** The digest that was approved. */
  readonly approved: string
  /** The digest of the plan as it is. */
  readonly planned: string
  /** What is not as approved; undefined where the approved plan itself is not at hand. */
  readonly differences: ReadonlyArray<PlanDifference> | undefined
  constructor(approved: string, planned: string, differences?: ReadonlyArray<PlanDifference>) {
    super(`The plan is not the approved one: its digest is ${planned}, and ${approved} was approved.`)
    this.approved = approved
    this.planned = planned
    this.differences = differences
  }
}

/** What was planned again goes beyond the approved plan. Nothing was changed. */
export class PlanExceeds extends Error {
  override readonly name = "PlanExceeds"
  readonly _tag = "PlanExceeds"
  readonly excess: ReadonlyArray<Unapproved>
  constructor(excess: ReadonlyArray<Unapproved>) {
    const lines = excess.map(
      ({ operation: { action, key, kind }, reason }) => `\n${action} ${addressOf(kind, key)}: ${reason}`
    )
    super(`What was planned again goes beyond the approved plan.${lines.join("")}`)
    this.excess = excess
  }
}

/**
 * Holds that a plan has the digest that was approved.
 * @param approved the plan that was approved, if it is at hand: the error then tells what differs
 * @throws {PlanDiffers}
 */
export const requireDigest = (plan: Plan, digest: string, approved?: Plan): void => {
  if (plan.digest === digest) return
  throw new PlanDiffers(digest, plan.digest, approved === undefined ? undefined : comparePlans(approved, plan))
}

/**
 * Holds that a plan does nothing that an approved one did not.
 * @throws {PlanExceeds} with every operation that goes beyond it.
 */
export const requireWithin = <Op extends AnyOperation>(approved: Plan<Op>, plan: Plan<Op>): void => {
  const excess = unapproved(approved, plan)
  if (excess.length > 0) throw new PlanExceeds(excess)
}
