/** Holds the patches to their promise: each applies, each is needed, and one that no longer fits is refused. */
import { describe, expect, it } from "vitest"
import { build, upgraded } from "../src/build.ts"
import { print } from "../src/json.ts"
import { applyPatch, patchOf } from "../src/patch.ts"
import { readSources } from "../src/sources.ts"

const sources = await readSources()
const whole = print(build(sources))

describe("every patch", () => {
  it.each(sources.patches.map((patch) => [patch.name]))("%s changes the document, or others need it", (name) => {
    const without = { ...sources, patches: sources.patches.filter((patch) => patch.name !== name) }
    const result = (() => {
      try {
        return print(build(without))
      } catch (error) {
        return String(error)
      }
    })()
    expect(result).not.toBe(whole)
  })

  it("says why in words of its own and names where the fact was seen", () => {
    for (const patch of sources.patches) {
      expect(patch.why.length, patch.name).toBeGreaterThan(30)
      expect(patch.source, patch.name).not.toBe("")
    }
  })

  it("is refused the second time", () => {
    const once = sources.patches.reduce(applyPatch, upgraded(sources))
    for (const patch of sources.patches.filter((item) => item.content["schemas"] !== undefined))
      expect(() => applyPatch(once, patch), patch.name).toThrow(patch.name)
  })
})

describe("a patch that does not fit", () => {
  const base = {
    openapi: "3.1.0",
    info: {},
    paths: { "/a": { get: { operationId: "getA", responses: { "200": { description: "" } } } } },
    components: { schemas: { Known: { type: "string" } } }
  }
  const reasons = { why: "because", source: "seen" }
  it.each([
    ["an operation that is not there", { operations: { getB: { summary: "x" } } }, /no operation getB/],
    ["a schema that is there", { schemas: { Known: "integer" } }, /Known is there already/],
    ["a replacement of nothing", { replaces: { Unknown: "integer" } }, /no schema Unknown/],
    ["a replacement by the same", { replaces: { Known: "string" } }, /like this already/],
    ["a path that is not there", { patch: [{ op: "replace", path: "/paths/~1b", value: {} }] }, /.+/],
    ["a step without effect", { patch: [{ op: "add", path: "/openapi", value: "3.1.0" }] }, /changes nothing/],
    ["an example without an answer", { operations: { getA: { example: 1 } } }, /example without/],
    ["an unknown type", { schemas: { New: "strng" } }, /no type/],
    ["an unknown key of an operation", { operations: { getA: { sumary: "x" } } }, /unknown key sumary/]
  ])("%s is an error that names the patch", (_, content, message) => {
    const patch = patchOf("9-test.yaml", { ...reasons, ...content })
    expect(() => applyPatch(base, patch)).toThrow(message)
    expect(() => applyPatch(base, patch)).toThrow("9-test.yaml")
  })

  it.each([
    ["no reason", { source: "seen" }],
    ["no source", { why: "because" }],
    ["an unknown key", { ...reasons, operation: {} }],
    ["no mapping", []]
  ])("%s is an error", (_, content) => {
    expect(() => patchOf("9-test.yaml", content)).toThrow("9-test.yaml")
  })

  it("names an internal operation that is not there", () => {
    const patch = patchOf("9-test.yaml", { ...reasons, include: ["nothing"] })
    expect(() => build({ ...sources, patches: [patch] })).toThrow(/9-test.yaml: there is no internal operation nothing/)
  })
})
