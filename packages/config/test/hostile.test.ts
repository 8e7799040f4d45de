/** Files that somebody made to do harm, or that no editor would write. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError, decode, decodeObject } from "../src/index.ts"
import { declaredIn, decodeText, mistakes, problemsOf } from "./helpers.ts"
import { kinds } from "./kinds.ts"

const HEAD = "organization: acme\n"

describe("sizes", () => {
  it("bounds what aliases stand for", () => {
    const level = (i: number) => `  d${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]\n`
    const bomb = `${HEAD}teams:\n  d0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, i) => level(i + 1)).join("")}`
    const told = mistakes(bomb)
    expect(told.filter((it) => it.includes("aliases stand for more than 100000 values"))).toHaveLength(1)
  })

  it("refuses an alias inside what it repeats", () => {
    expect(mistakes(`${HEAD}teams: &t\n  dev: *t\n`)).toEqual([
      "acme.yaml:3:8: teams.dev: the alias *t stands inside what it repeats"
    ])
  })

  it.each([
    ["lists", 100, "[".repeat(100) + "]".repeat(100)],
    ["many lists", 50_000, "[".repeat(50_000) + "]".repeat(50_000)],
    ["open lists", 50_000, "[".repeat(50_000)],
    ["maps", 5000, `${"{a: ".repeat(5000)}1${"}".repeat(5000)}`]
  ])("bounds the depth of %s (%i)", (_what, _depth, text) => {
    const told = mistakes(`${HEAD}email: ${text}\n`)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^acme\.yaml:2:\d+: nested deeper than 64 levels$/)
  })

  it("bounds the depth of a program's values", () => {
    let value: unknown = "x"
    for (let i = 0; i < 100_000; i++) value = [value]
    expect(problemsOf(() => decodeObject(kinds, value, "deep", { registry: "sim:" }))).toEqual([
      "deep: nested deeper than 64 levels"
    ])
  })

  it("bounds the length of a text", () => {
    expect(mistakes(`${HEAD}email: ${"x".repeat(9 * 1024 * 1024)}`)).toEqual([
      "acme.yaml:1:1: larger than 8 MiB; split it"
    ])
  })

  it.each([
    ["documents", "---\n".repeat(12_000), /^acme\.yaml:\d+:\d+: more than 10000 documents; split it$/],
    [
      "words",
      `${HEAD}email: [${"1,".repeat(510_000)}]`,
      /^acme\.yaml:\d+:\d+: more words and signs than one file may have/
    ]
  ])("bounds the number of %s", (_what, text, want) => {
    expect(mistakes(text).some((it) => want.test(it))).toBe(true)
  })

  it.each([
    ["tags", "! ".repeat(20_000)],
    ["anchors", "& ".repeat(20_000)],
    ["block texts", "|\n".repeat(20_000)],
    ["question marks", "? ".repeat(20_000)]
  ])("tells little of %s without end", (_what, text) => {
    const told = mistakes(`${HEAD}${text}`)
    expect(told.length).toBeLessThan(10)
    expect(told.length).toBeGreaterThan(0)
  })

  it("bounds what merges stand for", () => {
    const lines = Array.from(
      { length: 2000 },
      (_, i) => `k${i}: &m${i} { ${i === 0 ? "" : `<<: *m${i - 1}, `}a${i}: 1 }\n`
    )
    expect(mistakes(`${HEAD}${lines.join("")}`).some((it) => it.includes("aliases stand for more than"))).toBe(true)
  })

  it("tells a thousand mistakes, and how many more there are", () => {
    const told = mistakes(`${HEAD}${Array.from({ length: 1500 }, (_, i) => `k${i}: 1\n`).join("")}`)
    expect(told).toHaveLength(1001)
    expect(told.at(-1)).toBe("acme.yaml: and 500 more mistakes")
  })

  it("quotes no more of a value than helps", () => {
    const [told = ""] = mistakes(`${HEAD}email: ${"x".repeat(100_000)}\n`)
    expect(told.length).toBeLessThan(200)
  })

  it("reads an organization of 5000 repositories", () => {
    const text = `${HEAD}repositories:\n${Array.from({ length: 5000 }, (_, i) => `  r${i}: { visibility: public, permissions: { users: { alice: read } } }\n`).join("")}`
    expect(declaredIn(text)).toHaveLength(10_001)
  })
})

describe("names that objects already have", () => {
  it("are names like others where they are allowed", () => {
    expect(declaredIn(`${HEAD}teams: { constructor: , tostring: { description: x } }\n`).slice(1)).toEqual([
      "team acme/constructor acme.yaml:2",
      "team acme/tostring acme.yaml:2"
    ])
  })

  it("are refused like others where they are not", () => {
    const rule = "lower-case letters and digits, with single dashes between them"
    expect(mistakes(`${HEAD}teams:\n  __proto__: { role: admin }\n`)).toEqual([
      `acme.yaml:3:3: teams: the name "__proto__" should be ${rule}`
    ])
    expect(mistakes(`${HEAD}__proto__: { teams: {} }\nconstructor: 1\n`).map((it) => it.split(";")[0])).toEqual([
      'acme.yaml:2:1: unknown key "__proto__"',
      'acme.yaml:3:1: unknown key "constructor"'
    ])
    const value = JSON.parse('{"organization": "acme", "teams": {"__proto__": {"role": "admin"}}}')
    expect(problemsOf(() => decodeObject(kinds, value, "acme", { registry: "sim:" }))).toEqual([
      `acme: teams: the name "__proto__" should be ${rule}`
    ])
    expect(Object.hasOwn(Object.prototype, "role")).toBe(false)
  })
})

describe("bytes", () => {
  it("takes a byte order mark and lines of Windows", () => {
    expect(declaredIn("\ufefforganization: acme\r\nteams:\r\n  dev:\r\n")).toEqual([
      "organization acme acme.yaml:1",
      "team acme/dev acme.yaml:3"
    ])
    expect(mistakes("\ufefforganization: acme\r\nteams:\r\n")).toEqual([
      "acme.yaml:2:1: teams: is empty; write {} for none, or leave it out"
    ])
  })

  it.each([
    ['"\\ud800"', "\ud800", "has half a character in it: a surrogate without its other half"],
    ['"\\0"', "\0", "has a NUL character in it"]
  ])("refuses %s in any text", (text, description, why) => {
    expect(mistakes(`${HEAD}teams: { dev: { description: ${text} } }\n`)).toEqual([
      `acme.yaml:2:30: teams.dev.description: ${why}`
    ])
    expect(mistakes(`${HEAD}${text}: 1\n`)[0]).toContain(why)
    const value = { organization: "acme", teams: { dev: { description } } }
    expect(problemsOf(() => decodeObject(kinds, value, "acme", { registry: "sim:" }))).toEqual([
      `acme: teams.dev.description: ${why}`
    ])
  })

  it.each([
    ["a homoglyph", "d\u0435v"],
    ["a joiner of no width", "de\u200dv"],
    ["a change of direction", "dev\u202e"],
    ["a composed letter", "d\u00e9v"],
    ["a decomposed letter", "de\u0301v"],
    ["letters of full width", "\uff44\uff45\uff56"]
  ])("refuses %s in a name, and shows what it is", (_what, name) => {
    const [told = "", ...more] = mistakes(`${HEAD}teams: { "${name}": {} }\n`)
    expect(told).toContain("should be lower-case letters and digits")
    expect(told).not.toMatch(/[\u200d\u202e]/)
    expect(more).toEqual([])
  })

  it.each([
    "!!js/function 'x'",
    "!!python/object:os.system x",
    "!<tag:yaml.org,2002:js/undefined> ''",
    "!!binary aGk=",
    "!!set {a}"
  ])("refuses the tag of %s", (text) => {
    expect(mistakes(`${HEAD}email: ${text}\n`)[0]).toMatch(/email: unknown tag/)
  })

  it.each(["{a: 1}: x", "[a]: x", "1: x", "true: x", "~: x", "? : x"])("refuses the key of %s", (text) => {
    expect(mistakes(`${HEAD}teams:\n  ${text}\n`).length).toBeGreaterThan(0)
  })

  it("lets no message move the cursor", () => {
    const [told = ""] = mistakes(`${HEAD}"\\e[2J\\u202e\\u0085": 1\n`)
    expect(told).toContain('unknown key "\\u001b[2J\\u202e\\u0085"')
  })
})

describe("whatever is written", () => {
  const word = fc.constantFrom(
    ...["organization", "teams", "robots", "members", "users", "dev", "ci", "role", "admin", "prune", "registry"],
    ...[
      "&a",
      "*a",
      "<<",
      "~",
      "[",
      "]",
      "{",
      "}",
      ": ",
      "- ",
      "\n",
      "\n  ",
      "\t",
      "'",
      '"',
      "---\n",
      "# ",
      "!x",
      "1",
      ", "
    ]
  )
  it("decodes or tells mistakes, and the same each time", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join("")
        const once = mistakes(text)
        expect(mistakes(text)).toEqual(once)
        expect(new Set(once).size).toBe(once.length)
      }),
      { numRuns: 500, seed: 7 }
    )
  })

  it("decodes a value or tells mistakes", () => {
    const key = fc.constantFrom(
      "organization",
      "teams",
      "robots",
      "repositories",
      "members",
      "dev",
      "role",
      "__proto__"
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.dictionary(key, tie("tree")),
        fc.array(tie("tree"), { maxLength: 3 })
      )
    }))
    fc.assert(
      fc.property(tree, (value) => {
        try {
          decodeObject(kinds, value, "any", { registry: "sim:" })
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
      { numRuns: 500, seed: 7 }
    )
  })

  it("gives the same for a valid organization in either notation", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/)
    const organization = fc.record(
      {
        organization: name,
        teams: fc.dictionary(name, fc.record({ role: fc.constantFrom("member", "admin") }, { requiredKeys: [] })),
        repositories: fc.dictionary(name, fc.record({ visibility: fc.constantFrom("public", "private") }))
      },
      { requiredKeys: ["organization"] }
    )
    fc.assert(
      fc.property(organization, (value) => {
        const [text] = decodeText(JSON.stringify(value, null, 1)).targets
        const [object] = decodeObject(kinds, value, "x", { registry: "https://quay.example.com" }).targets
        expect(text?.desired.scope).toEqual(object?.desired.scope)
        expect(text?.desired.declarations.map((it) => it.item)).toEqual(
          object?.desired.declarations.map((it) => it.item)
        )
      }),
      { numRuns: 100, seed: 7 }
    )
  })

  it("decodes nothing from nothing", () => {
    expect(decode(kinds, { files: [], problems: [] })).toEqual({ targets: [] })
  })
})
