/** What the runtime takes from an error, whoever made it; and what counts as success in a report. */
import { describe, expect, it } from "vitest"
import { faultOf, isWhole, type Outcome, succeeded } from "../src/index.ts"

const final = {
  operation: "request",
  transient: false,
  mayHaveHappened: false,
  retryAfter: undefined,
  throttled: false,
  broken: false
}

describe("a fault", () => {
  it("is told by the error's fields", () => {
    const error = {
      _tag: "RateLimited",
      operation: "listTeams",
      message: "slow down",
      transient: true,
      mayHaveHappened: true,
      retryAfter: 2_000,
      status: 429
    }
    expect(faultOf(error)).toEqual({
      tag: "RateLimited",
      operation: "listTeams",
      message: "slow down",
      transient: true,
      mayHaveHappened: true,
      retryAfter: 2_000,
      throttled: true,
      broken: false
    })
  })

  it.each([
    [{ _tag: "TransportError" }, true],
    [{ _tag: "ServerError", status: 502 }, true],
    [{ _tag: "ServerError", status: 503 }, true],
    [{ _tag: "RateLimited", status: 429 }, false],
    [{ _tag: "Unauthenticated", status: 401 }, false],
    [{ _tag: "Invalid", status: 400 }, false]
  ])("is the registry's own where it failed or did not answer: %j", (error, broken) => {
    expect(faultOf(error).broken).toBe(broken)
  })

  it.each([
    ["an error of another make", new RangeError("out of range"), "RangeError", "out of range"],
    ["a tag alone", { _tag: "Forbidden" }, "Forbidden", "[object Object]"],
    ["an error without a message", new TypeError(), "TypeError", "TypeError"],
    ["text", "no", "Error", "no"],
    ["nothing", undefined, "Error", "undefined"],
    ["null", null, "Error", "null"]
  ])("of %s is final", (_, error, tag, message) => {
    expect(faultOf(error)).toEqual({ ...final, tag, message })
  })

  it.each([
    [429, true],
    [503, true],
    [500, false],
    [502, false],
    ["429", false],
    [undefined, false]
  ])("of status %s is throttling: %s", (status, throttled) => {
    expect(faultOf({ status }).throttled).toBe(throttled)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, "5", null])("has no time to wait where that is %s", (retryAfter) => {
    expect(faultOf({ retryAfter }).retryAfter).toBeUndefined()
  })

  it("is transient only where the error says just that", () => {
    expect(faultOf({ transient: "yes", mayHaveHappened: 1 })).toMatchObject({
      transient: false,
      mayHaveHappened: false
    })
  })
})

describe("a report", () => {
  const outcomes: ReadonlyArray<readonly [Outcome, boolean]> = [
    ["applied", true],
    ["already", true],
    ["by-registry", true],
    ["failed", false],
    ["skipped", false],
    ["not-started", false]
  ]

  it.each(outcomes)("counts %s as success: %s", (outcome, good) => {
    const result = { id: "create:team:acme/dev", outcome }
    expect(succeeded(result)).toBe(good)
    expect(isWhole({ registry: "test", url: "", results: [{ id: "a", outcome: "applied" }, result] })).toBe(good)
  })
})
