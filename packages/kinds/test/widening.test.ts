/** What each kind says of creations and changes by which somebody may have less than before. */
import { diff, type Item, indexKinds, type Kind } from "@quaymaster/engine"
import { describe, expect, it } from "vitest"
import { quayKinds } from "../src/index.ts"

const known = indexKinds<Kind>(quayKinds)

/** Whether it takes something from somebody, as the guard asks; undefined if the kind does not tell. */
const narrows = (name: string, before: Item | undefined, after: Item): boolean | undefined => {
  const kind = known.get(name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind.narrows?.(after, before, before === undefined ? [] : diff(kind, before, after))
}

const updates: ReadonlyArray<readonly [kind: string, before: Item, after: Item, narrows: boolean]> = [
  ["team", { role: "member" }, { role: "creator" }, false],
  ["team", { role: "member", description: "a" }, { role: "admin", description: "b" }, false],
  ["team", { role: "admin" }, { role: "member" }, true],
  ["team", { role: "admin", description: "a" }, { role: "creator", description: "b" }, true],
  ["repository-permission", { role: "read" }, { role: "admin" }, false],
  ["repository-permission", { role: "write" }, { role: "read" }, true],
  ["default-permission", { role: "read" }, { role: "write" }, false],
  ["default-permission", { role: "admin" }, { role: "write" }, true],
  ["repository", { description: "a" }, { description: "b" }, false],
  ["repository", { visibility: "public" }, { visibility: "private" }, true],
  // What was private is not any more, and nothing takes that back.
  ["repository", { visibility: "private" }, { visibility: "public" }, true],
  ["organization", { tag_expiration_s: 60 }, { tag_expiration_s: 120 }, false],
  ["organization", { tag_expiration_s: 120 }, { tag_expiration_s: 60 }, true],
  ["organization", { email: "a@example.com" }, { email: "b@example.com" }, true],
  ["quota", { limit_bytes: 10 }, { limit_bytes: 20 }, false],
  ["quota", { limit_bytes: 20 }, { limit_bytes: 10 }, true],
  ["quota", { limit_bytes: 10, reject: [90] }, { limit_bytes: 10, reject: [95] }, true]
]

describe("a change", () => {
  it.each(updates)("of a %s from %j to %j", (kind, before, after, expected) => {
    expect(narrows(kind, before, after)).toBe(expected)
  })
})

describe("making one", () => {
  const limiting = [
    "organization-auto-prune",
    "organization-immutability",
    "organization-mirror",
    "proxy-cache",
    "quota",
    "repository-auto-prune",
    "repository-immutability",
    "repository-mirror",
    "repository-state",
    "repository-trust",
    "team-sync"
  ]

  it("of these kinds limits what is there, and of no other", () => {
    const names = quayKinds.map(({ kind }) => kind).filter((kind) => narrows(kind, undefined, {}) === true)
    expect([...names].sort()).toEqual(limiting)
  })
})
