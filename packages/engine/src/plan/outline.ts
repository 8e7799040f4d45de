/** From what is compared to the operations and their order: the steps that follow from each other. */
import type { Needs } from "../graph.ts"
import { type Decisions, decide } from "./decision.ts"
import { type Draft, draft } from "./draft.ts"
import type { Extras } from "./extras.ts"
import type { Fates } from "./fate.ts"
import { order } from "./order.ts"
import { type Predictions, predict } from "./prediction.ts"
import type { Situation } from "./situation.ts"

export interface Outline {
  readonly decisions: Decisions
  readonly predictions: Predictions
  readonly drafts: ReadonlyArray<Draft>
  readonly needs: Needs
}

/** `stays`: whether objects of a kind are not to be taken along. */
export const outline = (
  situation: Situation,
  compared: Fates,
  extras: Extras,
  stays: (kind: string) => boolean = () => false
): Outline => {
  const decisions = decide(situation, compared, extras, stays)
  const predictions = predict(situation, decisions)
  const drafts = draft(decisions, predictions)
  return { decisions, predictions, drafts, needs: order(situation, decisions, predictions, drafts) }
}
