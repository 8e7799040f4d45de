/** The exit codes are a contract. */
import { expect, test } from "vitest"
import { ExitCode } from "../src/exit-code.ts"

test("they are what the documentation says", () => {
  expect(ExitCode).toEqual({
    ok: 0,
    error: 1,
    changes: 2,
    blocked: 3,
    partial: 4,
    stale: 5,
    usage: 64,
    interrupted: 130
  })
})
