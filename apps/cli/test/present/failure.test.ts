/** Errors as people read them, and the codes they end with. */
import {
  ConfigError,
  ConnectionFailed,
  NotAdministrator,
  PlanDiffers,
  PlanExceeds,
  PlanRefused,
  PlanStale,
  TransportError,
  Unauthenticated
} from "quaymaster"
import { expect, test } from "vitest"
import { ExitCode } from "../../src/exit-code.ts"
import { CommandFailed, failureText, Interrupted, UsageError } from "../../src/present/failure.ts"
import { plain } from "../../src/present/style.ts"

const info = { method: "GET", path: "/api/v1/user/", operation: "getLoggedInUser" }

const table: ReadonlyArray<readonly [string, unknown, ExitCode, ReadonlyArray<string>]> = [
  [
    "mistakes in files, one a line, and their count",
    new ConfigError([
      { file: "acme.yaml", line: 3, column: 5, path: [], message: 'unknown key "rol"', hint: 'did you mean "role"?' },
      { file: "acme.yaml", line: 9, column: 1, path: [], message: "bad\u001b[2J" }
    ]),
    ExitCode.error,
    [
      'acme.yaml:3:5: unknown key "rol"; did you mean "role"?',
      "acme.yaml:9:1: bad\\u001b[2J",
      "2 mistakes. Nothing was asked of a registry."
    ]
  ],
  [
    "what cannot be planned",
    new PlanRefused([{ message: "team acme/dev is declared twice.", source: "acme.yaml:3" }]),
    ExitCode.error,
    ["acme.yaml:3: team acme/dev is declared twice.", "1 problem: this cannot be planned."]
  ],
  [
    "a stale plan",
    new PlanStale({ registry: "prod", conflicts: [{ id: "update:team:acme/dev", reason: "it is gone" }] }),
    ExitCode.stale,
    [
      "error: prod is no longer as the plan found it. Nothing was changed.",
      "  ~ team acme/dev  it is gone",
      "Plan again, and look at what has changed; or do what is left of it, with --rebase."
    ]
  ],
  [
    "another plan than the one that was approved",
    new PlanDiffers("sha256:01", "sha256:02"),
    ExitCode.stale,
    [
      "error: The plan is not the approved one: its digest is sha256:02, and sha256:01 was approved.",
      "Nothing was changed.",
      "Look at the plan above, and approve its digest if it is right."
    ]
  ],
  [
    "a plan that goes beyond the approved one",
    new PlanExceeds([
      {
        registry: "prod",
        url: "https://quay.example.com",
        operation: {
          id: "delete:team:acme/dev",
          action: "delete",
          kind: "team",
          key: "acme/dev",
          before: {},
          cascades: [],
          needs: []
        },
        reason: "it is not in the approved plan"
      }
    ]),
    ExitCode.stale,
    [
      "error: the saved plan is stale, and what was planned again goes beyond it. Nothing was changed.",
      "  - team acme/dev  it is not in the approved plan",
      "Look at the plan above, and have it approved anew."
    ]
  ],
  [
    "a bad token",
    new Unauthenticated("The registry takes us for an anonymous visitor", { ...info, status: 401 }),
    ExitCode.error,
    [
      "error: The registry takes us for an anonymous visitor (getLoggedInUser, 401)",
      "Give a valid token with QUAY_TOKEN or --token-file, or name one under the registry in quaymaster.yaml."
    ]
  ],
  [
    "no answer",
    new TransportError("quay.example.com refused the connection", { ...info, reason: "refused" }),
    ExitCode.error,
    [
      "error: quay.example.com refused the connection (getLoggedInUser)",
      "Check the URL and the network, and try again."
    ]
  ],
  [
    "a registry that cannot be reached as configured",
    new ConnectionFailed({ registry: "prod", message: "no such file" }),
    ExitCode.error,
    ["error: prod: no such file"]
  ],
  ["wrong usage", new UsageError("so not"), ExitCode.usage, ["quay-plan: so not", "Try  quay-plan --help"]],
  ["a file that cannot be had", new CommandFailed("no such file"), ExitCode.error, ["error: no such file"]],
  ["Ctrl-C", new Interrupted(), ExitCode.interrupted, ["Interrupted. Nothing was changed."]],
  [
    "a plugin's kind that there is already",
    Object.assign(new Error('Two kinds are named "team".'), { name: "DuplicateKind" }),
    ExitCode.error,
    ['error: Two kinds are named "team".']
  ],
  [
    "a mistake of ours",
    new TypeError("undefined is not a function"),
    ExitCode.error,
    [
      "bug: quay-plan made a mistake of its own: undefined is not a function",
      "Please report it to the project's issue tracker, with what you did and what --verbose says."
    ]
  ]
]

test.each(table)("%s", (_, error, code, lines) => {
  const failure = failureText(error, plain, { command: "quay-plan", verbose: false })
  expect(failure.text.trimEnd().split("\n")).toEqual(lines)
  expect(failure.code).toBe(code)
  expect(failure.text).not.toContain("    at ")
})

test("who is no administrator is told which token does", () => {
  const { text } = failureText(new NotAdministrator({ organization: "acme" }), plain, {
    command: "quay-plan",
    verbose: true
  })
  expect(text).toContain("not an administrator's of the organization acme")
  expect(text).not.toContain("    at ")
})

test("only a mistake of ours has a stack, and only where it is asked for", () => {
  const { text } = failureText(new TypeError("oh"), plain, { command: "quay-plan", verbose: true })
  expect(text).toContain("failure.test.ts")
})
