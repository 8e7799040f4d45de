/**
 * Gates: a gate opens when all that it needs is done, and lets through all that need it. It does nothing itself; it stands for
 * the need that many operations have of the same many others, which would be an edge for each pair of them.
 */
import { byText } from "./address.ts"
import type { Needs } from "./graph.ts"

export interface Gate {
  /** `given:team-member@acme/dev#users`: told apart from an operation's by its first word. */
  readonly id: string
  /** Operations. */
  readonly needs: ReadonlyArray<string>
}

/** What is so behind the gate: all is done in a collection, all is given that is new in one, or all is gone that goes. */
const WORDS = ["done", "given", "gone"] as const

export type GateWord = (typeof WORDS)[number]

export const gateId = (word: GateWord, collection: string): string => `${word}:${collection}`

export const isGate = (id: string): boolean => WORDS.some((word) => id.startsWith(`${word}:`))

/** The gates that operations wait at, sorted. */
export const gatesOf = (
  operations: ReadonlyArray<{ readonly needs: ReadonlyArray<string> }>,
  needs: Needs
): ReadonlyArray<Gate> => {
  const ids = new Set(operations.flatMap((operation) => operation.needs.filter(isGate)))
  return [...ids].sort(byText).map((id) => ({ id, needs: [...(needs.get(id) ?? [])].sort(byText) }))
}
