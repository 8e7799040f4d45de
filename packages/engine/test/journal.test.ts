/** What a journal tells, wherever it broke off, and what is none. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { JournalUnreadable, readJournal } from "../src/index.ts"

const time = "2026-01-31T12:00:00.000Z"
const DIGEST = `sha256:${"a".repeat(64)}`
const begun = (more: object = {}) => ({
  type: "begun",
  format: "quaymaster-journal/1",
  tool: "1.0.0",
  digest: DIGEST,
  targets: [{ registry: "prod", url: "https://quay.example.com", operations: 2 }],
  time,
  ...more
})
const started = (id: string, registry = "prod") => ({ type: "started", registry, id, time })
const ended = (id: string, outcome = "applied", more: object = {}) => ({
  type: "ended",
  registry: "prod",
  id,
  outcome,
  ...more,
  time
})
const finished = { type: "finished", outcome: "applied", counts: { applied: 1 }, time }

const text = (...lines: ReadonlyArray<object>) => lines.map((line) => `${JSON.stringify(line)}\n`).join("")
const unsettled = (...lines: ReadonlyArray<object>) => readJournal(text(...lines))?.unsettled.map(({ id }) => id)

describe("a journal", () => {
  it("tells whose it is, and whether it came to its end", () => {
    expect(readJournal(text(begun(), started("a"), ended("a"), finished))).toEqual({
      digest: DIGEST,
      targets: [{ registry: "prod", url: "https://quay.example.com", operations: 2 }],
      begun: time,
      finished: true,
      unsettled: [],
      whole: text(begun(), started("a"), ended("a"), finished).length
    })
    expect(readJournal(text(begun(), started("a"), ended("a")))?.finished).toBe(false)
    expect(readJournal(text(begun(), finished, begun({ time: "later" })))).toMatchObject({
      finished: false,
      begun: "later"
    })
  })

  it.each([
    ["nothing was started", [begun()], []],
    ["one has no end", [begun(), started("a"), started("b"), ended("a")], ["b"]],
    ["one failed and may have happened", [begun(), started("a"), ended("a", "failed", { uncertain: true })], ["a"]],
    ["one failed for certain", [begun(), started("a"), ended("a", "failed", { error: "no", tag: "Invalid" })], []],
    ["a later apply settled it", [begun(), started("a"), begun(), started("a"), ended("a")], []],
    ["two registries have the same operation", [begun(), started("a"), started("a", "dr"), ended("a")], ["a"]]
  ])("tells what is in the dark where %s", (_, lines, want) => {
    expect(unsettled(...lines)).toEqual(want)
  })

  it("that breaks off anywhere tells what its whole lines tell", () => {
    const whole = text(begun(), started("a"), ended("a"), started("b"), ended("b"), finished)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
        const cut = whole.slice(0, length)
        const lines = cut.slice(0, cut.lastIndexOf("\n") + 1)
        const journal = readJournal(cut)
        expect(journal).toEqual(lines === "" ? undefined : readJournal(lines))
        expect(journal?.whole ?? 0).toBe(lines.length)
      })
    )
  })

  it.each([
    ["a text", "hello", /not a journal/],
    ["a text of lines", "hello\n", /not a journal/],
    ["another file of JSON", "{}\n", /not a journal/],
    ["one of another version", text(begun({ format: "quaymaster-journal/2" })), /quaymaster-journal\/2/],
    ["one that does not begin", text(started("a")), /does not begin/],
    ["one with a broken line within", `${text(begun())}{"type":"sta\n${text(started("a"))}`, /Line 2/],
    ["one with a line too many", text(begun(), { ...started("a"), secret: "x" }), /Line 2/],
    ["two plans' in one", text(begun(), begun({ digest: "sha256:b" })), /Line 2 is about another plan/]
  ])("is not %s", (_, given, words) => {
    expect(() => readJournal(given)).toThrow(JournalUnreadable)
    expect(() => readJournal(given)).toThrow(words)
  })
})
