/** Values, times and names as text. */
import { expect, test } from "vitest"
import { filesText } from "../../src/present/files.ts"
import { addressText, idText, itemText } from "../../src/present/operation.ts"
import { clean, cleanLines, counted, short, timeText, transition, valueText } from "../../src/present/text.ts"

test.each([
  ["a\tb\nc", "a\\tb\\nc"],
  ["\u001b[2J", "\\u001b[2J"],
  ["\u009b31m\u007f", "\\u009b31m\\u007f"],
  ["a\u202eb\u200b", "a\\u202eb\\u200b"],
  ["größe → 東京", "größe → 東京"]
])("%j is shown as %s", (given, want) => expect(clean(given)).toBe(want))

test("lines stay lines", () => expect(cleanLines("a\r\nb\u001b[K\tc")).toBe("a\nb\\u001b[K  c"))

test.each([
  ["member", "member"],
  ["platform@acme.example", "platform@acme.example"],
  ["Developers", '"Developers"'],
  ["two words", '"two words"'],
  ["", '""'],
  [undefined, "unset"],
  [null, "null"],
  [20, "20"],
  [["a", "b"], '["a","b"]'],
  [{ a: 1 }, '{"a":1}'],
  ["x".repeat(100), `${"x".repeat(71)}…`]
])("%j is written %s", (given, want) => expect(valueText(given)).toBe(want))

test.each([
  ["public", "private", "public → private"],
  ["old", "The product", '"old" → "The product"'],
  [undefined, "The product", 'unset → "The product"'],
  [true, false, "true → false"]
])("%j to %j is %s", (before, after, want) => expect(transition(before, after)).toBe(want))

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1500, "1.5 s"],
  [12_345, "12 s"]
])("%d ms is %s", (given, want) => expect(timeText(given)).toBe(want))

test("counts agree with their word", () => {
  expect(counted(1, "change")).toBe("1 change")
  expect(counted(0, "change")).toBe("0 changes")
  expect(counted(2, "registry", "registries")).toBe("2 registries")
})

test("a cut is seen", () => {
  expect(short("abc", 3)).toBe("abc")
  expect(short("abcd", 3)).toBe("ab…")
})

test("ids and addresses are read as words", () => {
  expect(idText("create:team:acme/dev")).toBe("+ team acme/dev")
  expect(idText("delete:repository-permission:acme/app/team:ops")).toBe("- repository-permission acme/app/team:ops")
  expect(idText("what is this")).toBe("what is this")
  expect(addressText("repository-permission:acme/app/team:ops")).toBe("repository-permission acme/app/team:ops")
})

test("an item tells what its key does not", () => {
  expect(itemText("acme/vendor/alpine", { name: "vendor/alpine", organization: "acme", visibility: "public" })).toBe(
    "visibility public"
  )
  expect(itemText("acme/admin", { name: "admin", organization: "acme", role: "admin" })).toBe("role admin")
})

test("files are named while they are few", () => {
  expect(filesText(["a.yaml", "b.yaml"], undefined)).toBe("a.yaml, b.yaml")
  expect(filesText(["a", "b", "c", "d"], undefined)).toBe("4 files")
  expect(filesText([], "quaymaster.yaml")).toBe("quaymaster.yaml")
})
