/** One mistake, one error, at its place and in words; and all of them at once. */
import { describe, expect, it } from "vitest"
import { mistakes, mistakesIn } from "./helpers.ts"

const HEAD = "organization: acme\n"

describe("each mistake", () => {
  const cases: ReadonlyArray<readonly [what: string, given: string, want: ReadonlyArray<string>]> = [
    ["an unknown key", "temas: {}", ['2:1: unknown key "temas"; did you mean "teams"?']],
    [
      "an unknown key like nothing",
      "robots: { ci: { zzz: 1 } }",
      ['2:17: robots.ci: unknown key "zzz"; what else may stand here: description']
    ],
    [
      "a case and a dash",
      "Default-Permissions: []",
      ['2:1: unknown key "Default-Permissions"; did you mean "default_permissions"?']
    ],
    ["a wrong type", "email: [a]", ["2:8: email: should be an e-mail address, is a list"]],
    ["a number for text", "code: 12", ["2:7: code: should be text, is a number; put it in quotes if it is text"]],
    [
      "true for text",
      "teams: { dev: { description: true } }",
      ["2:30: teams.dev.description: should be text, is true; put it in quotes if it is text"]
    ],
    ["text for a number", 'seats: "5"', ["2:8: seats: should be a whole number from 1 to 100, is text"]],
    ["a fraction", "seats: 2.5", ["2:8: seats: should be a whole number from 1 to 100, is 2.5"]],
    ["a number out of range", "seats: 101", ["2:8: seats: should be a whole number from 1 to 100, is 101"]],
    ["an open bound", "ratio: 0", ["2:8: ratio: should be a number above 0, is 0"]],
    ["no number at all", "ratio: .nan", ["2:8: ratio: should be a finite number"]],
    [
      "a huge number",
      "seats: 99999999999999999999",
      ["2:8: seats: is too large for a number; put it in quotes if it is text"]
    ],
    ["yes for true", "billing: yes", ["2:10: billing: should be true or false, is text; write true"]],
    ["off for false", "billing: off", ["2:10: billing: should be true or false, is text; write false"]],
    ["a pattern without words", "code: ab", ['2:7: code: should match ^[A-Z]+$, is "ab"']],
    ["text that is too long", "note: abcdef", ["2:7: note: should have at most 5 characters, has 6"]],
    ["text that is empty", 'note: ""', ["2:7: note: should not be empty"]],
    [
      "an enumeration",
      "teams: { dev: { role: owner } }",
      ['2:23: teams.dev.role: should be one of member, creator, admin, is "owner"']
    ],
    [
      "an enumeration nearly",
      "teams: { dev: { role: Admin } }",
      ['2:23: teams.dev.role: should be one of member, creator, admin, is "Admin"; did you mean "admin"?']
    ],
    [
      "an enumeration's type",
      "teams: { dev: { role: [admin] } }",
      ["2:23: teams.dev.role: should be one of member, creator, admin, is a list"]
    ],
    [
      "a bad name",
      "teams: { -dev: }",
      ['2:10: teams: the name "-dev" should be lower-case letters and digits, with single dashes between them']
    ],
    [
      "a bad name in a list",
      "teams: { dev: { members: { users: [Alice] } } }",
      [
        '2:36: teams.dev.members.users[0]: should be lower-case letters and digits, with single dashes between them, is "Alice"'
      ]
    ],
    ["a list for a map", "teams: [dev]", ["2:8: teams: should be a map, is a list"]],
    ["a map for a list", "default_permissions: {}", ["2:22: default_permissions: should be a list, is a map"]],
    ["text for an entry", "teams: { dev: admin }", ["2:15: teams.dev: should be a map, is text"]],
    ["an empty item", "teams: { dev: { members: { users: [bob, ] } } }", []],
    [
      "a null item",
      "teams: { dev: { members: { users: [~] } } }",
      [
        "2:36: teams.dev.members.users[0]: is empty; should be lower-case letters and digits, with single dashes between them"
      ]
    ],
    [
      "an item twice",
      "teams: { dev: { members: { users: [bob, al, bob] } } }",
      ['2:45: teams.dev.members.users[2]: "bob" is listed twice; it is item 1 already']
    ],
    ["a missing key", "repositories:\n  app: {}", ['3:3: repositories.app: "visibility" is missing']],
    [
      "a missing key that is misspelled",
      "repositories:\n  app: { visiblity: public }",
      ['3:10: repositories.app: unknown key "visiblity"; did you mean "visibility"?']
    ],
    [
      "none of several keys",
      "default_permissions:\n  - { role: read }",
      ["3:5: default_permissions[0]: should have one of team, robot"]
    ],
    [
      "two of several keys",
      "default_permissions:\n  - { role: read, team: dev, robot: ci }",
      ["3:30: default_permissions[0]: should have one of team, robot, has team and robot"]
    ],
    [
      "a misspelled one of several keys",
      "default_permissions:\n  - { role: read, taem: dev }",
      ['3:19: default_permissions[0]: unknown key "taem"; did you mean "team"?']
    ],
    [
      "a mistake inside an alternative",
      "default_permissions:\n  - { role: raed, robot: ci }",
      ['3:13: default_permissions[0].role: should be one of read, write, admin, is "raed"; did you mean "read"?']
    ],
    [
      "an alternative that a field decides",
      "repositories: { a: { visibility: public, notifications: [{ method: email, title: t, to: [] }] } }",
      ["2:89: repositories.a.notifications[0].to: should have at least 1 item, has 0"]
    ],
    [
      "the deciding field itself",
      "repositories: { a: { visibility: public, notifications: [{ method: emial, title: t }] } }",
      [
        '2:68: repositories.a.notifications[0].method: should be one of webhook, email, is "emial"; did you mean "email"?'
      ]
    ],
    [
      "the deciding field missing",
      "repositories: { a: { visibility: public, notifications: [{ title: t }] } }",
      ['2:58: repositories.a.notifications[0]: "method" is missing']
    ],
    [
      "a literal secret, which is not repeated",
      "repositories: { a: { visibility: public, notifications: [{ method: webhook, title: t, url: hunter2 }] } }",
      [
        "2:92: repositories.a.notifications[0].url: should be { env: NAME } or { file: PATH }, is text; write { env: NAME }"
      ]
    ],
    [
      "a secret by two references",
      "repositories: { a: { visibility: public, notifications: [{ method: webhook, title: t, url: { env: A, file: b } }] } }",
      [
        "2:102: repositories.a.notifications[0].url: should be { env: NAME } or { file: PATH }, has env and file; write { env: NAME }"
      ]
    ],
    [
      "something to prune that is kept anyway",
      "prune: [default_permissions]",
      ['2:9: prune[0]: should be one of teams, robots, repositories, is "default_permissions"']
    ],
    [
      "something to prune twice",
      "prune: [teams, teams]",
      ['2:16: prune[1]: "teams" is listed twice; it is item 1 already']
    ],
    ["a key twice", "robots:\n  ci:\n  ci:", ['4:3: robots: the key "ci" stands twice, first on line 3']],
    ["an unknown anchor", "teams: &t { dev: }\nrobots: *q", ["3:9: robots: no anchor &q stands before this alias"]],
    ["a merge of no map", "teams: { dev: { <<: admin } }", ['2:21: teams.dev["<<"]: only maps can be merged']],
    ["a key that is a list", "teams: { [a]: {} }", ["2:10: teams: a key should be text"]],
    ["a tag", "email: !!binary aGk=", ['2:17: email: unknown tag "!!binary"']],
    ["a tag of one's own", "email: !env MAIL", ['2:13: email: unknown tag "!env"']],
    [
      "an unknown escape",
      'note: "\\q"',
      ["2:8: unknown escape in double quotes; write \\\\ for a backslash, or use single quotes"]
    ],
    ["an unquoted @", "note: @al", ["2:7: unquoted text cannot start with this character; put the text in quotes"]],
    ["a tab", "teams:\n\tdev: {}", ["3:1: a tab stands where the line is indented; YAML indents with spaces"]],
    ["two colons", "email: a: b", ["2:8: a second : on one line; put the value in quotes, or start a new line"]],
    [
      "an open quote",
      'email: "a@b\nteams: {}',
      ["2:8: something is not finished here: a quote, a bracket, or the : after a key is missing"]
    ],
    [
      "an open bracket",
      "teams: { dev: {}\nrobots: {}",
      ["3:1: the indentation fits no line above, or a bracket before is not closed"]
    ],
    [
      "a bad indentation",
      "teams:\n  dev: {}\n ops: {}",
      ["4:1: the indentation fits no line above, or a bracket before is not closed"]
    ],
    ["a list among keys", "- a", ["2:1: this line is neither a key with a : nor part of a list"]]
  ]
  it.each(cases)("%s", (_what, given, want) => {
    expect(mistakes(`${HEAD}${given}\n`)).toEqual(want.map((it) => `acme.yaml:${it}`))
  })
})

describe("documents", () => {
  const cases: ReadonlyArray<readonly [what: string, given: string, want: ReadonlyArray<string>]> = [
    ["nothing", "", []],
    ["comments", "# nothing\n---\n# here\n", []],
    ["text", "hello", ["1:1: a document should be a map with one of: organization"]],
    ["an unknown one", "teams: {}", ["1:1: this document declares nothing known: expected one of: organization"]],
    [
      "a misspelled one",
      "---\norganisation: acme\nfoo: 1",
      ['2:1: this document declares nothing known: expected one of: organization; did you mean "organization"?']
    ],
    [
      "an empty name",
      "organization:",
      ["1:1: organization: is empty; should be lower-case letters and digits, with single dashes between them"]
    ],
    ["another YAML", "%YAML 1.1\n---\norganization: acme", ["2:1: declares YAML 1.1; files here are YAML 1.2"]],
    [
      "several, each with a mistake",
      "organization: a\nteams:\n---\norganization: b\nrobots:\n---\n? [\n",
      [
        "2:1: teams: is empty; write {} for none, or leave it out",
        "5:1: robots: is empty; write {} for none, or leave it out",
        "8:1: the indentation fits no line above, or a bracket before is not closed"
      ]
    ]
  ]
  it.each(cases)("%s", (_what, given, want) => {
    expect(mistakes(given)).toEqual(want.map((it) => `acme.yaml:${it}`))
  })

  it("are sorted by file and place", () => {
    const text = "organization: a\nrobots:\nteams:\n"
    const files = ["b.yaml", "a.yaml"].map((name) => ({ name, text: text.replace(": a", `: ${name[0]}`) }))
    expect(mistakesIn(files).map((it) => it.split(": ")[0])).toEqual([
      "a.yaml:2:1",
      "a.yaml:3:1",
      "b.yaml:2:1",
      "b.yaml:3:1"
    ])
  })

  it("tell a mistake in what an alias repeats once", () => {
    const text = `${HEAD}teams:\n  dev: &d { role: memer }\n  ops: *d\n  qa: { <<: *d }\n`
    expect(mistakes(text)).toEqual([
      'acme.yaml:3:19: teams.dev.role: should be one of member, creator, admin, is "memer"; did you mean "member"?'
    ])
  })
})

const MANY = `organization: acme
email: nobody #1
seats: 0 #2
ratio: -1 #3
billing: "true" #4
note: too long #5
code: abc #6
colour: red #7
prune: [teams, teems] #8
registry: prdo #9
teams:
  dev:
    role: memer #10
    members:
      users: [alice, Bob, alice] #11 #12
      robots: [ci, cx] #13
  ops: { descripton: on call } #14
  Qa: {} #15
  sre: [] #16
  web:
    members: #17
  app: { role: 5 } #18
  db: { role: admin, role: admin } #19
  api: { description: {} } #20
  cdn: { <<: 3 } #21
  dns: { members: { people: [] } } #22
robots:
  ci: { description: 7 } #23
  "": {} #24
  cd: text #25
  ce: *nobody #26
  cf: { description: @x } #27
  cg: { description: !!set {} } #28
default_permissions:
  - { role: read } #29
  - { role: read, team: dev, robot: ci } #30
  - { role: none, team: dev } #31
  - { team: ops } #32
  - { role: read, teem: dev } #33
  - #34
repositories:
  app: { visibility: secret } #35
  web: {} #36
  lib: #37
  bin: { visibility: public, permissions: { users: { al: owner }, groups: {} } } #38 #39
  log:
    visibility: public
    notifications: [{ method: webhook, title: t, url: s3cret }] #40
`

describe("many mistakes", () => {
  it("are as many errors, each on its line", () => {
    const want: Array<string> = []
    for (const [index, line] of MANY.split("\n").entries())
      for (const _ of line.matchAll(/#\d+/g)) want.push(`${index + 1}`)
    expect(want).toHaveLength(40)
    const told = mistakes(MANY, {})
    expect(told.map((it) => it.split(":")[1])).toEqual(want)
    expect(told.join("\n")).not.toContain("s3cret")
  })
})

describe("references beside other mistakes", () => {
  it("are looked at in every item of a list, and told where they were written", () => {
    const text = [
      "organization: acme",
      "teams: { A: {}, ops: {} }",
      "default_permissions:",
      "  - { role: reed, team: ops }",
      "  - { role: read, team: nosuch }"
    ].join("\n")
    expect(mistakes(text, {}).slice(-2)).toEqual([
      expect.stringContaining("4:13: default_permissions[0].role: should be one of read, write, admin"),
      expect.stringContaining('5:5: team "acme/nosuch" is not declared under teams')
    ])
  })
})
