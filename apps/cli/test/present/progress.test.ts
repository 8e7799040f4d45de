/** Progress in lines. */
import { expect, test } from "vitest"
import { type Finished, finishedLine, heartbeat, region, retryLine, type Standing } from "../../src/present/progress.ts"
import { plain } from "../../src/present/style.ts"

const finished = (more: Partial<Finished>): Finished => ({
  type: "operation-finished",
  registry: "prod",
  id: "create:team:acme/dev",
  outcome: "applied",
  milliseconds: 120,
  ...more
})

test.each([
  [finished({}), "✓ + team acme/dev  120 ms"],
  [finished({ outcome: "already" }), "✓ + team acme/dev  was so already"],
  [finished({ outcome: "by-registry" }), "✓ + team acme/dev  by Quay"],
  [finished({ outcome: "failed", error: "403\u001b[2J" }), "✗ + team acme/dev  403\\u001b[2J"],
  [
    finished({ outcome: "skipped", because: "create:organization:acme" }),
    "↷ + team acme/dev  skipped: waited for organization acme"
  ],
  [finished({ outcome: "not-started" }), "… + team acme/dev  not started"]
])("a finished line", (event, want) => expect(finishedLine(event, undefined, plain)).toBe(want))

test("a retry", () => {
  expect(
    retryLine(
      { type: "request-retried", registry: "prod", operation: "createRepo", attempt: 2, delay: 1600, error: "429" },
      plain
    )
  ).toBe("… createRepo: retry 2 in 1.6 s: 429")
})

const standing: Standing = {
  phase: "applying",
  requests: 7,
  running: Array.from({ length: 10 }, (_, i) => ({ id: `create:team:acme/t${i}`, operation: undefined, since: 1000 })),
  done: 5,
  failed: 1,
  total: 10,
  stopping: false,
  began: 0
}

test("the region has at most eight rows, the rest as a number, and a bar", () => {
  const lines = region(standing, 3000, 80, plain)
  expect(lines).toHaveLength(10)
  expect(lines[0]).toBe("… + team acme/t0  2.0 s")
  expect(lines[8]).toBe("  and 2 more under way")
  expect(lines[9]).toBe(`${"█".repeat(12)}${"░".repeat(12)}  5/10  1 failed  3.0 s`)
})

test("no line is wider than the terminal", () => {
  for (const line of region(standing, 3000, 30, plain)) expect([...line].length).toBeLessThan(30)
})

test("reading is one line", () => {
  expect(region({ ...standing, phase: "reading" }, 3000, 80, plain)).toEqual(["Reading: 7 requests, 3.0 s"])
})

test("heartbeats", () => {
  expect(heartbeat({ ...standing, phase: "reading" }, 12_000)).toBe("… still reading: 7 requests, 12 s")
  expect(heartbeat(standing, 12_000)).toBe("… still applying: 5 of 10 done, 10 under way, 12 s")
})
