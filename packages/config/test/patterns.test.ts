/** What a document protects and ignores: the patterns, what they are about, and what contradicts them. */
import { describe, expect, it } from "vitest"
import { decodeText, mistakes } from "./helpers.ts"

const HEAD = "organization: acme\n"

const desired = (text: string) => decodeText(`${HEAD}${text}`).targets[0]?.desired

describe("patterns", () => {
  it("are of a kind, and of names inside what the document is about", () => {
    expect(
      desired('protect: ["repository/vendor/*"]\nignore:\n  - robot/ci-*\n  - team-member/dev/eve\n')
    ).toMatchObject({
      protect: [{ kind: "repository", within: "acme", match: "vendor/*", source: "acme.yaml:2" }],
      ignore: [
        { kind: "robot", within: "acme", match: "ci-*", source: "acme.yaml:4" },
        { kind: "team-member", within: "acme", match: "dev/eve", source: "acme.yaml:5" }
      ]
    })
    expect(desired("teams: {}")).not.toHaveProperty("protect")
  })

  it.each([
    [
      "protect: [app]",
      [
        '2:11: protect[0]: should be a kind and a name or a pattern of names, such as repository/app or robot/ci-*, is "app"'
      ]
    ],
    [
      "ignore: [robot/]",
      [
        '2:10: ignore[0]: should be a kind and a name or a pattern of names, such as repository/app or robot/ci-*, is "robot/"'
      ]
    ],
    ["ignore: [robots/ci-*]", ['2:10: ignore[0]: there is no kind named "robots" here; did you mean "robot"?']],
    [
      "protect: [repo/app, repositry/app]",
      [
        '2:11: protect[0]: there is no kind named "repo" here',
        '2:21: protect[1]: there is no kind named "repositry" here; did you mean "repository"?'
      ]
    ],
    ["protect: [organization/acme]", ['2:11: protect[0]: there is no kind named "organization" here']],
    ["ignore: robot/ci", ["2:9: ignore: should be a list, is text"]],
    ["ignore: [robot/ci, robot/ci]", ['2:20: ignore[1]: "robot/ci" is listed twice; it is item 1 already']]
  ])("%s", (text, want) => {
    expect(mistakes(`${HEAD}${text}\n`)).toEqual(want.map((it) => `acme.yaml:${it}`))
  })
})

describe("what is ignored", () => {
  it("is not to be declared", () => {
    expect(mistakes(`${HEAD}ignore: [robot/ci-*, team/x]\nrobots:\n  ci-1: {}\n  bot: {}\nteams: { x: {} }\n`)).toEqual(
      [
        'acme.yaml:4:3: robot "acme/ci-1" is declared, and ignored as somebody else\'s at acme.yaml:2; leave out one of the two',
        'acme.yaml:6:10: team "acme/x" is declared, and ignored as somebody else\'s at acme.yaml:2; leave out one of the two'
      ]
    )
  })

  it("can be referred to all the same", () => {
    const text = `${HEAD}robots: {}\nteams: { dev: { members: { robots: [ci-1] } } }\n`
    expect(mistakes(text)).toEqual([expect.stringContaining('robot "acme/ci-1" is not declared under robots')])
    expect(mistakes(`${text}ignore: [robot/ci-*]\n`)).toEqual([])
  })
})
