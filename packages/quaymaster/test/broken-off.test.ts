// The laws of the design for an apply that breaks off: killed at any write, whether that was carried out or not, stopped, or
// refused in the middle. It reports what it did, goes on wherever it can, and ends in the same state when it is run again.
import { byText } from "@quaymaster/engine"
import fc from "fast-check"
import { expect } from "vitest"
import type { TargetReport } from "../src/effect.ts"
import { before, cases, law, planFor } from "./histories.ts"
import {
  applied,
  copyOf,
  type Fate,
  idsOf,
  type Plan,
  planned,
  settled,
  stateOf,
  undone,
  type World,
  waitsIn
} from "./world.ts"

const pick = fc.constantFrom

type Breach = "silence" | "silence after it was done" | "stop" | "refusal"

/** Breaks in at the write of this number, counted from 0. */
const broken = async (world: World, plan: Plan, breach: Breach, at: number): Promise<TargetReport | undefined> => {
  let count = 0
  const controller = new AbortController()
  world.fate = (): Fate | undefined => {
    const write = count++
    if (write < at) return undefined
    if (breach === "stop") controller.abort()
    if (breach === "stop" || (breach === "refusal" && write > at)) return undefined
    if (breach === "refusal") return { kind: "refusal" }
    // Whoever fell silent sends nothing more.
    return { kind: "silence", done: breach === "silence after it was done" && write === at }
  }
  const report = await applied(world, plan, controller.signal)
  world.fate = () => undefined
  return report
}

/** All that waits for one of these, directly or not. */
const dependents = (plan: Plan, ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const waits = [...waitsIn(plan)]
  const waiting = new Set<string>()
  const open = [...ids]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const at = id
    for (const [other, needs] of waits)
      if (!waiting.has(other) && needs.has(at)) {
        waiting.add(other)
        open.push(other)
      }
  }
  return [...waiting].sort(byText)
}

law(
  "laws 3 and 4: an apply that breaks off anywhere reports what it did, and ends the same when it goes on or begins anew",
  fc.asyncProperty(
    cases,
    pick<Breach>("silence", "silence after it was done", "stop", "refusal"),
    fc.nat(),
    fc.boolean(),
    async (made, breach, where, samePlan) => {
      const { registry, second } = made
      const whole = await before(made)
      const hurt = copyOf(whole, registry)
      const plan = await planFor(whole, second)
      expect(undone(await applied(whole, plan)), "what was not done").toEqual([])
      fc.pre(whole.writes.length > 0)

      const report = await broken(hurt, plan, breach, where % whole.writes.length)
      if (report !== undefined) {
        expect(report.results.map(({ id }) => id)).toEqual(idsOf(plan))
        const ended = (outcome: string) => report.results.filter((it) => it.outcome === outcome).map(({ id }) => id)
        const failed = ended("failed")
        expect(failed.length).toBeLessThanOrEqual(breach === "refusal" ? 1 : 0)
        // What was refused, and is as wanted all the same, has not failed.
        if (breach === "refusal" && failed.length === 0) expect(settled(stateOf(hurt))).toEqual(settled(stateOf(whole)))
        // Whatever does not depend on what failed goes on.
        expect([...ended("skipped")].sort(byText)).toEqual(dependents(plan, failed))
        if (breach === "refusal") expect(ended("not-started")).toEqual([])
      }
      if (samePlan) expect(undone(await applied(hurt, plan)), "what was not done by the same plan").toEqual([])
      else {
        const again = await planned(hurt, second)
        expect(undone(await applied(hurt, again)), "what was not done by another plan").toEqual([])
      }
      expect(settled(stateOf(hurt))).toEqual(settled(stateOf(whole)))
      expect([...hurt.files.keys()].sort(byText)).toEqual([...whole.files.keys()].sort(byText))
    }
  )
)
