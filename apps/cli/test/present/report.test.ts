/** What became of an apply, for people. */
import type { ApplyReport, Result } from "quaymaster"
import { expect, test } from "vitest"
import { commandLine, type Words } from "../../src/present/command-line.ts"
import { leftText, reportText } from "../../src/present/report.ts"
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
      "      It may have happened all the same: it is looked before it is done again.",
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

test.each([
  ["unavailable", "5 operations in a row failed", "prod fails again and again, so nothing more was started."],
  ["unrecorded", "the disk is full", "What was to be done on prod could not be recorded, so nothing more was started."]
] as const)("why nothing more was started is said: %s", (stopped, reason, words) => {
  const report = reportOf("partial", [{ id: "create:team:acme/dev", outcome: "not-started" }])
  const targets = report.targets.map((target) => ({ ...target, stopped, reason }))
  const lines = reportText({ ...report, targets }, plain, context)
    .trimEnd()
    .split("\n")
  expect(lines.at(-3)).toContain(words)
  expect(lines.slice(-2)).toEqual([`  ${reason}`, "What is done stays done. Resume with  quay-apply plan.json"])
})

test("a command that is left at once says what is in the dark", () => {
  expect(leftText(["create:team:acme/dev", "delete:robot:acme/ci"], plain, "quay-apply plan.json").split("\n")).toEqual(
    [
      "Left at once. It is not known whether 2 operations happened:",
      "  ? + team acme/dev",
      "  ? - robot acme/ci",
      "What is done stays done. Resume with  quay-apply plan.json",
      ""
    ]
  )
  const many = leftText(
    Array.from({ length: 30 }, (_, i) => `create:team:acme/t${i}`),
    plain,
    "again"
  )
  expect(many).toContain("  ? and 11 more\n")
})

test.each([
  [["quay-apply", "--yes", "orgs/"], "quay-apply --yes orgs/"],
  [["quay-apply", "my plan.json", "it's"], "quay-apply 'my plan.json' 'it'\\''s'"],
  [["quay-apply", "orgs/*.yaml", "$HOME\u001b"], "quay-apply 'orgs/*.yaml' '$HOME\\u001b'"],
  [["quay-apply", ["--timeout", "5s"], ["--lock", undefined], ["--rps", 3]], "quay-apply --timeout 5s --rps 3"]
] as ReadonlyArray<readonly [Words, string]>)("a command line can be pasted: %j", (words, line) => {
  expect(commandLine(words)).toBe(line)
})
