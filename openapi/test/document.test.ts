/** Checks the finished document and the files made from it: valid, current, the same every time. */
import { readFile } from "node:fs/promises"
import { describe, expect, it } from "vitest"
import { build } from "../src/build.ts"
import { answerOf, mismatches, problems } from "../src/check.ts"
import { type Json, type JsonObject, parse, print } from "../src/json.ts"
import { schemaOf } from "../src/notation.ts"
import { operationsOf } from "../src/operations.ts"
import { filesOf } from "../src/output.ts"
import { readSources } from "../src/sources.ts"

const sources = await readSources()
const document = build(sources)

const reversed = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)])
  )
}

describe("the document", () => {
  it("is valid, and every example fits its schema", () => expect(problems(document)).toEqual([]))

  it("describes what Quaymaster calls", () => {
    const ids = new Set(operationsOf(document).map((operation) => operation.id))
    for (const id of ["getOrganization", "listRepos", "listAllOrganizations", "signinUser", "getConfig"])
      expect(ids).toContain(id)
    expect(ids.size).toBeGreaterThan(240)
  })

  it("gives one success to each operation, and its errors to all", () => {
    for (const operation of operationsOf(document)) {
      expect(answerOf(operation.value), operation.id).toBeDefined()
      expect(Object.keys(operation.value["responses"] ?? {}), operation.id).toEqual(
        expect.arrayContaining(["400", "401", "403", "404", "405", "429", "500", "503"])
      )
    }
  })

  it("gives an example wherever a patch describes an answer of the core", () => {
    const core = operationsOf(document).filter(({ path }) =>
      /^\/api\/v1\/(organization|repository\/\{repository\}\/(permissions|mirror|notification|tag))/.test(path)
    )
    const bare = core.filter(({ value }) => {
      const answer = answerOf(value)
      return answer?.schema !== undefined && answer.example === undefined
    })
    expect(bare.map((operation) => operation.id)).toEqual([])
  })

  it("does not depend on the order in which a server lists keys", () => {
    const discovery = parse(print(sources.discovery), "x")
    const other = reversed(discovery)
    if (typeof other !== "object" || other === null || Array.isArray(other)) throw new Error("no object")
    const copy: JsonObject = {}
    for (const [key, value] of Object.entries(other)) copy[key] = value
    expect(print(build({ ...sources, discovery: copy }))).toBe(print(document))
  })

  it("leaves Quay's own prose and addresses out", () => {
    const text = print(document)
    expect(text).not.toMatch(/This application will be able|127\.0\.0\.1|quay\.io/)
  })
})

describe("the generated files", () => {
  it("are current", async () => {
    const manifest = parse(
      await readFile(new URL("../../packages/sdk/package.json", import.meta.url), "utf8"),
      "manifest"
    )
    const files = await filesOf(document, String(manifest["version"]))
    expect(files.size).toBe(5)
    for (const [name, text] of files)
      expect(
        (await readFile(new URL(`../../${name}`, import.meta.url), "utf8")) === text,
        `${name}: run pnpm openapi`
      ).toBe(true)
  }, 60_000)
})

describe("the checker", () => {
  const name = { type: "string", maxLength: 3 }
  it.each<[string, JsonObject, Json, RegExp | undefined]>([
    ["fits", { type: "object", properties: { name }, required: ["name"] }, { name: "a" }, undefined],
    ["a missing key", { type: "object", required: ["name"] }, {}, /value\.name: missing/],
    ["a wrong type", { type: "object", properties: { name } }, { name: 1 }, /value\.name: wants string/],
    ["too long", name, "long", /at most 3/],
    ["null where allowed", { type: ["string", "null"] }, null, undefined],
    ["an unknown literal", { type: "string", enum: ["a"] }, "b", /is none of/],
    ["a list's item", { type: "array", items: name }, ["a", 2], /value\[1\]/],
    ["none of anyOf", { anyOf: [name, { type: "null" }] }, 3, /fits 0 of anyOf/],
    ["two of oneOf", { oneOf: [{}, {}] }, 3, /fits 2 of oneOf/],
    ["any key", { type: "object", additionalProperties: name }, { a: 1 }, /value\.a/],
    ["a dangling reference", { $ref: "#/nowhere" }, 1, /nothing at/],
    ["a keyword that it does not know", { contains: {} }, [], /not known/]
  ])("finds %s", (_, schema, value, want) => {
    const found = mismatches({}, schema, value).join("\n")
    if (want === undefined) expect(found).toBe("")
    else expect(found).toMatch(want)
  })
})

describe("the notation", () => {
  it.each<[Json, JsonObject]>([
    ["string", { type: "string" }],
    ["string | null", { type: ["string", "null"] }],
    ["integer # seconds", { type: "integer", description: "seconds" }],
    ["'a' | 'b'", { type: "string", enum: ["a", "b"] }],
    ["Team", { $ref: "#/components/schemas/Team" }],
    ["Team | null", { anyOf: [{ $ref: "#/components/schemas/Team" }, { type: "null" }] }],
    [["string"], { type: "array", items: { type: "string" } }],
    [{ "*": "integer" }, { type: "object", additionalProperties: { type: "integer" } }],
    [
      { name: "string", "note?": "string" },
      { type: "object", properties: { name: { type: "string" }, note: { type: "string" } }, required: ["name"] }
    ],
    [{ $raw: { minimum: 1 } }, { minimum: 1 }]
  ])("%j", (notation, want) => expect(schemaOf(notation)).toEqual(want))
})
