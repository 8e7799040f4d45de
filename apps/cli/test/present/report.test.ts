/** What became of an apply, for people. */
import type { ApplyReport, Result } from "quaymaster"
import { expect, test } from "vitest"
import { reportText } from "../../src/present/report.ts"
import { plain } from "../../src/present/style.ts"

const context = { resume: "quay-apply plan.json", requests: 21, retries: 2, milliseconds: 4200, verbose: false }

const reportOf = (outcome: ApplyReport["outcome"], results: ReadonlyArray<Result>): ApplyReport => ({
  outcome,
  targets: [
    {
      registry: "prod",
      url: "https://quay.example.com",
      results,
      ...(outcome === "interrupted" ? { stopped: "interrupted" as const } : {})
    }
  ]
})

const table: ReadonlyArray<readonly [string, ApplyReport, ReadonlyArray<string>]> = [
  [
    "all of it",
    reportOf("applied", [
      { id: "create:team:acme/dev", outcome: "applied" },
      { id: "create:team:acme/ops", outcome: "already" },
      { id: "create:repository-permission:acme/app/team:dev", outcome: "by-registry" },
      { id: "delete:repository:acme/old", outcome: "applied" }
    ]),
    ["Applied 4 of 4 changes: 1 created, 1 deleted, 1 by Quay, 1 already so. 4.2 s, 21 requests, 2 retries"]
  ],
  [
    "some of it, with what Quay said and what to do",
    reportOf("partial", [
      {
        id: "create:team:acme/dev",
        outcome: "failed",
        tag: "Forbidden",
        error: "Unauthorized\u001b[2J",
        uncertain: true
      },
      { id: "create:team-member:acme/dev/alice", outcome: "skipped", because: "create:team:acme/dev" },
      { id: "update:repository:acme/app", outcome: "applied" },
      { id: "create:quota:acme", outcome: "failed", tag: "Invalid", error: "Bad threshold", partly: true }
    ]),
    [
      "  ✗ + team acme/dev",
      "      Unauthorized\\u001b[2J",
      "      It may have happened all the same: the next plan will tell.",
      "      Use a token of an owner of the organization, or a superuser's, with the scopes that this needs.",
      "  ✗ + quota acme",
      "      Bad threshold",
      "      A part of it was done: apply the same plan again to do the rest.",
      "  ↷ + team-member acme/dev/alice  skipped: waited for team acme/dev",
      "",
      "Applied 1 of 4 changes: 1 updated, 2 failed, 1 skipped. 4.2 s, 21 requests, 2 retries",
      "What is done stays done. Resume with  quay-apply plan.json"
    ]
  ],
  [
    "interrupted",
    reportOf("interrupted", [
      { id: "create:team:acme/dev", outcome: "applied" },
      { id: "create:team:acme/ops", outcome: "not-started" }
    ]),
    [
      "Applied 1 of 2 changes: 1 created, 1 not started. 4.2 s, 21 requests, 2 retries",
      "What is done stays done. Resume with  quay-apply plan.json"
    ]
  ]
]

test.each(table)("%s", (_, report, lines) => {
  expect(reportText(report, plain, context).trimEnd().split("\n")).toEqual(lines)
})

test("many that were skipped are folded", () => {
  const results = Array.from(
    { length: 30 },
    (_, i): Result => ({ id: `create:team:acme/t${i}`, outcome: "skipped", because: "create:organization:acme" })
  )
  const text = reportText(reportOf("partial", results), plain, context)
  expect(text).toContain("and 11 more skipped; -v lists them")
  expect(reportText(reportOf("partial", results), plain, { ...context, verbose: true }).split("\n")).toHaveLength(34)
})

test("a token that is not taken any more is said", () => {
  const report = reportOf("partial", [{ id: "create:team:acme/dev", outcome: "not-started" }])
  const [target] = report.targets
  if (target === undefined) throw new TypeError("there is one")
  expect(reportText({ ...report, targets: [{ ...target, stopped: "unauthenticated" }] }, plain, context)).toContain(
    "prod does not take the token any more."
  )
})
