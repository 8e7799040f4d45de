/** Independent parts of what is desired: each has all that it needs to be planned by itself, its rules too. */
import { describe, expect, it } from "vitest"
import { type Desired, type Kind, type Rule, split } from "../src/index.ts"
import { kinds, robot } from "./world.ts"

const organization = (name: string) => ({ kind: "organization", item: { name } }) as const
const rule = (parent: string): Rule => ({
  kind: "repository",
  parent,
  match: "*",
  except: [],
  source: "acme.yaml:1",
  entry: {},
  sections: []
})

describe("the parts of what is desired", () => {
  it("have the rules over what lives in them, and those without have none", () => {
    const desired: Desired = {
      declarations: [organization("acme"), organization("globex")],
      scope: [],
      rules: [rule("acme"), rule("initech")],
      resend: new Set(["a"]),
      requests: new Map([["sync-now", new Set(["b"])]])
    }
    const byHand = { resend: new Set(["a"]), requests: new Map([["sync-now", new Set(["b"])]]) }
    expect(split(kinds, desired)).toEqual([
      { declarations: [organization("acme")], scope: [], rules: [rule("acme")], ...byHand },
      { declarations: [organization("globex")], scope: [], ...byHand },
      { declarations: [], scope: [], rules: [rule("initech")], ...byHand }
    ])
  })

  it("are together where one needs what another declares, or owns, and only there", () => {
    // A robot account that needs another organization's.
    const needing = (name: string): Kind => ({
      ...robot,
      kind: "needing",
      needs: () => [{ kind: "robot", key: `shared/${name}`, parent: "shared" }]
    })
    const bot = (organization: string) => ({ kind: "needing", item: { organization, name: "bot" } }) as const
    const shared = { kind: "robot", item: { organization: "shared", name: "ci" } } as const
    const owned = { kind: "robot", parent: "shared" } as const
    const parts = (name: string, desired: Desired) => split([...kinds, needing(name)], desired).length
    const [one, other] = [bot("acme"), bot("globex")]
    expect(parts("ci", { declarations: [one, other], scope: [] })).toBe(2)
    expect(parts("ci", { declarations: [one, other, shared], scope: [] })).toBe(1)
    expect(parts("cd", { declarations: [one, other, shared], scope: [] })).toBe(3)
    expect(parts("cd", { declarations: [one, other, shared], scope: [owned] })).toBe(1)
  })
})
