// What the reference says of each kind: all that a person has to know, and nothing of it by hand.
import { describe, expect, test } from "vitest"
import { explainKinds } from "../src/index.ts"

const kinds = explainKinds()
const of = (name: string) => kinds.find(({ kind }) => kind === name)
const changes = (name: string) => Object.fromEntries((of(name)?.fields ?? []).map((it) => [it.name, it.changes]))

describe("every kind says", () => {
  for (const { extras, fields, kind, place, replacing, scopes, since } of kinds)
    test(`${kind}: where it stands, since when, with which scopes, and what becomes of it`, () => {
      expect(since).toMatch(/^3\.\d+$/)
      for (const text of [place, scopes, extras, replacing]) expect(text).not.toBe("")
      for (const field of fields) expect(field, field.name).toMatchObject({ type: expect.stringMatching(/./) })
    })
})

describe("the reference", () => {
  test.each([
    ["team", "3.7", "never replaced"],
    ["robot-federation", "3.13", "never replaced"],
    ["application-token", "3.18", "never replaced"],
    ["proxy-cache", "3.7", "nothing"],
    // Another one is another one.
    ["repository-notification", "3.7", "never replaced"],
    ["robot", "3.7", "never replaced"]
  ])("%s is there since %s; replaced: %s", (name, since, replacing) => {
    expect(of(name)).toMatchObject({ since, replacing })
  })

  test("tells what can change, what cannot and why, and what is a name", () => {
    expect(changes("team")).toEqual({ role: "yes", description: "yes" })
    expect(changes("robot")["unstructured_metadata"]).toMatch(/^no: a new robot account would have a new token/)
    expect(changes("organization")).toMatchObject({
      organization: "no: it is the object's name",
      tag_expiration: "yes"
    })
    expect(changes("proxy-cache")["upstream"]).toBe("by replacing the object")
    expect(changes("application-token")["scopes"]).toMatch(/^no: another token would have another value/)
    // These stand for objects of their own.
    expect(changes("team-member")).toEqual({ users: "", robots: "" })
  })
})
