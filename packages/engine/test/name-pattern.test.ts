/** Patterns of names: whom they match, and which of two says more. */
import { describe, expect, it } from "vitest"
import { bySpecificity, namesBelow, namesLike } from "../src/name-pattern.ts"

describe("a pattern of names", () => {
  it.each([
    ["app", ["app"], ["apps", "a", "x/app", ""]],
    ["team-a/*", ["team-a/app", "team-a/.x"], ["team-a", "team-a/app/x", "team-b/app", "x/team-a/app"]],
    ["*", ["app", "a.b"], ["a/b"]],
    ["**", ["app", "a/b", "a/b/c"], []],
    ["team-a/**", ["team-a/app", "team-a/app/x"], ["team-a", "team-ab/x"]],
    ["**/app", ["app", "x/app", "x/y/app"], ["xapp", "x/yapp", "app/x", "x/app/y"]],
    ["a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["az", "a/bz", "ab/z"]],
    ["a/**/**/z", ["a/z", "a/b/z"], ["a/bz"]],
    ["app-?", ["app-1", "app-x"], ["app-", "app-12", "app-/"]],
    ["a**z", ["az", "abz", "a/z", "a/b/cz"], ["za", "a/b"]],
    ["*-legacy", ["app-legacy", "-legacy"], ["x/app-legacy", "app-legacy2"]],
    ["*a*a*", ["aa", "banana"], ["ba", "a/a"]],
    ["a.b+c", ["a.b+c"], ["axb+c", "a.bbc"]]
  ])("%s", (pattern, matching, others) => {
    expect(matching.filter((name) => !namesLike(pattern)(name))).toEqual([])
    expect(others.filter((name) => namesLike(pattern)(name))).toEqual([])
  })

  it("takes no longer for being hostile", () => {
    expect(namesLike(`${"*a".repeat(100)}b`)("a".repeat(255))).toBe(false)
    expect(namesLike(`${"**/".repeat(80)}b`)("a/".repeat(127))).toBe(false)
  })

  it.each([
    ["team-a/app", "team-a/*"],
    ["team-a/*", "team-*/*"],
    ["team-a/*", "team-a/**"],
    ["team-a/?", "team-a/*"],
    ["*/app", "**/app"],
    ["*", "**"],
    ["a*", "**"]
  ])("%s is more specific than %s", (a, b) => {
    expect(bySpecificity(a, b)).toBeLessThan(0)
    expect(bySpecificity(b, a)).toBeGreaterThan(0)
  })

  it.each([
    ["a*", "*a"],
    ["team-a/*", "team-b/*"],
    ["*/app", "app/*"]
  ])("%s is as specific as %s", (a, b) => expect(bySpecificity(a, b)).toBe(0))

  it.each([
    ["dev/alice", ["dev"], ["ops", "de", "devs", "dev/alice", "dev/x"]],
    ["*/alice", ["dev", "ops"], ["dev/x"]],
    ["**/alice", ["dev", "dev/x"], []],
    ["d*/user:?", ["dev", "d"], ["ops"]],
    ["vendor/**", ["vendor", "vendor/x"], ["other"]],
    ["app", [], ["app", "a"]]
  ])("%s may go on below", (pattern, matching, others) => {
    expect(matching.filter((name) => !namesBelow(pattern)(name))).toEqual([])
    expect(others.filter((name) => namesBelow(pattern)(name))).toEqual([])
  })
})
