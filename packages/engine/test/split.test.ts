/** Independent parts of what is desired: each has all that it needs to be planned by itself, its rules too. */
import { describe, expect, it } from "vitest"
import { type Desired, type Rule, split } from "../src/index.ts"
import { kinds } from "./world.ts"

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
      resend: new Set(["a"])
    }
    const resend = new Set(["a"])
    expect(split(kinds, desired)).toEqual([
      { declarations: [organization("acme")], scope: [], rules: [rule("acme")], resend },
      { declarations: [organization("globex")], scope: [], resend },
      { declarations: [], scope: [], rules: [rule("initech")], resend }
    ])
  })
})
