/** quaymaster.yaml: what it says, where it is found, and that no secret stands in it. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultPolicy } from "@quaymaster/engine"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  ConfigError,
  decodeSettings,
  formatProblem,
  loadSettings,
  resolveSecret,
  SecretError,
  settingsFileSchema,
  strangeKinds
} from "../src/index.ts"
import { problemsOf } from "./helpers.ts"

const NOTHING = { registries: new Map(), sources: [], plugins: [], policy: defaultPolicy, kinds: new Map() }

const settings = (text: string) =>
  decodeSettings({ name: "quaymaster.yaml", text, directory: "/srv/gitops" }, "/srv/gitops/orgs")

const mistakes = (text: string) => problemsOf(() => settings(text)).map((it) => it.replace("quaymaster.yaml:", ""))

describe("settings", () => {
  it("resolve every path, and fill in what is not said", () => {
    const text = `registries:
  prod:
    url: https://quay.example.com/
    token: { env: QUAY_TOKEN }
    ca: certs/ca.pem
    cert: /etc/client.pem
    key: ../key.pem
    verify: false
    parallelism: 8
    rps: 2.5
    timeout: 30s
    proxy: http://proxy.example.com:3128
  lab: { url: "sim:./lab.json", token: { file: ./token }, proxy: false, timeout: 1m }
  dev: { url: "http://localhost:8080/quay//" }
default: prod
sources: [orgs/, extra/*.yaml]
plugins: [./my-kind.ts, "@acme/quay-kinds", /opt/kind.ts]
`
    expect(settings(text)).toEqual({
      file: "quaymaster.yaml",
      directory: "/srv/gitops",
      registries: new Map([
        [
          "prod",
          {
            name: "prod",
            url: "https://quay.example.com",
            token: { env: "QUAY_TOKEN" },
            ca: "/srv/gitops/certs/ca.pem",
            cert: "/etc/client.pem",
            key: "/srv/key.pem",
            verify: false,
            parallelism: 8,
            rps: 2.5,
            timeout: 30_000,
            proxy: "http://proxy.example.com:3128"
          }
        ],
        [
          "lab",
          {
            name: "lab",
            url: "sim:/srv/gitops/lab.json",
            token: { file: "/srv/gitops/token" },
            proxy: false,
            timeout: 60_000,
            verify: true
          }
        ],
        ["dev", { name: "dev", url: "http://localhost:8080/quay", verify: true }]
      ]),
      default: "prod",
      sources: [".", "/srv/gitops/extra/*.yaml"],
      plugins: ["/srv/gitops/my-kind.ts", "@acme/quay-kinds", "/opt/kind.ts"],
      policy: defaultPolicy,
      kinds: new Map()
    })
  })

  it("may say nothing", () => {
    const nothing = {
      file: "quaymaster.yaml",
      directory: "/srv/gitops",
      ...NOTHING
    }
    expect(settings("")).toEqual(nothing)
    expect(settings("{}")).toEqual(nothing)
  })

  it.each([
    ["registrys: {}", ['1:1: unknown key "registrys"; did you mean "registries"?']],
    ["registries:", ["1:1: registries: is empty; write {} for none, or leave it out"]],
    ["registries: { prod: }", ["1:15: registries.prod: is empty; needs url"]],
    ["registries: { prod: {} }", ['1:15: registries.prod: "url" is missing']],
    [
      'registries: { "a b": { url: "sim:" } }',
      [
        '1:15: registries: the name "a b" should be letters, digits, dots, dashes and underscores, a letter or digit first'
      ]
    ],
    ["registries: { prod: { url: quay.example.com } }", ["1:28: registries.prod.url: is no URL"]],
    [
      "registries: { prod: { url: ftp://quay.example.com } }",
      ["1:28: registries.prod.url: should start with https://, http:// or sim:"]
    ],
    [
      "registries: { prod: { url: https://me:hunter2@quay.example.com } }",
      ["1:28: registries.prod.url: has a user or a password in it, which belong elsewhere"]
    ],
    [
      "registries: { prod: { url: https://quay.example.com?x=1 } }",
      ["1:28: registries.prod.url: should end before ? and #"]
    ],
    [
      "registries: { prod: { url: 'sim:', token: hunter2 } }",
      [
        "1:43: registries.prod.token: should be { env: NAME } or { file: PATH }, is text; a secret stays out of the file: write { env: NAME } or { file: PATH }"
      ]
    ],
    [
      "registries: { prod: { url: 'sim:', token: { env: hunter-2 } } }",
      ["1:50: registries.prod.token.env: should be the name of an environment variable, is something else"]
    ],
    [
      "registries: { prod: { url: 'sim:', token: { evn: QUAY_TOKEN } } }",
      ['1:45: registries.prod.token: unknown key "evn"; did you mean "env"?']
    ],
    [
      "registries: { prod: { url: 'sim:', timeout: 30 } }",
      [
        "1:45: registries.prod.timeout: should be a time such as 30s, 500ms or 2m, is a number; put it in quotes if it is text"
      ]
    ],
    [
      "registries: { prod: { url: 'sim:', timeout: 30h } }",
      ['1:45: registries.prod.timeout: should be a time such as 30s, 500ms or 2m, is "30h"']
    ],
    [
      "registries: { prod: { url: 'sim:', parallelism: 0 } }",
      ["1:49: registries.prod.parallelism: should be a whole number from 1 to 256, is 0"]
    ],
    [
      "registries: { prod: { url: 'sim:', proxy: true } }",
      ["1:43: registries.prod.proxy: should be a URL, { env: NAME }, { file: PATH } or false, is true"]
    ],
    [
      "registries: { prod: { url: 'sim:', proxy: 'http://bob:hunter2@proxy.example.com' } }",
      [
        "1:43: registries.prod.proxy: has a user or a password in it; put the whole URL elsewhere and write { env: NAME } or { file: PATH }"
      ]
    ],
    [
      "registries: { prod: { url: 'sim:', proxy: hunter2 } }",
      ["1:43: registries.prod.proxy: should be a URL that starts with http:// or https://, or false"]
    ],
    ["registries: { prod: { url: 'sim:', cert: c.pem } }", ["1:42: registries.prod.cert: cert needs key beside it"]],
    [
      "registries: { prod: { url: 'sim:' } }\ndefault: prdo",
      ['2:10: default: no registry is named "prdo"; did you mean "prod"?']
    ],
    [
      "registries: { prod: { url: 5 } }\ndefault: prod",
      ["1:28: registries.prod.url: should be text, is a number; put it in quotes if it is text"]
    ],
    ["default: prod", ['1:10: default: no registry is named "prod"; registries names none']],
    ["sources: orgs", ["1:10: sources: should be a list, is text"]],
    ["plugins: [./a.ts, ./a.ts]", ['1:19: plugins[1]: "./a.ts" is listed twice; it is item 1 already']],
    ["{}\n---\n{}", ["3:1: quaymaster.yaml is one document, and a second starts here"]],
    [
      "guard:\n  share: 130\n  of: 0\n  empties: 2.5\n  kind: {}",
      [
        "2:10: guard.share: should be a number from 0 to 100, is 130",
        "3:7: guard.of: should be a whole number of at least 1, is 0",
        "4:12: guard.empties: should be a whole number of at least 1, is 2.5",
        '5:3: guard: unknown key "kind"; did you mean "kinds"?'
      ]
    ],
    [
      "guard: { administrators: { required: alice, at_least: 0 } }",
      [
        "1:38: guard.administrators.required: should be a list, is text",
        "1:55: guard.administrators.at_least: should be a whole number of at least 1, is 0"
      ]
    ],
    [
      "guard: { kinds: { team: { shares: 5 }, robot: 5 } }",
      [
        '1:27: guard.kinds.team: unknown key "shares"; did you mean "share"?',
        "1:47: guard.kinds.robot: should be a map, is a number"
      ]
    ],
    [
      "token: a\ndefault: 5\nsources:",
      [
        '1:1: unknown key "token"; what else may stand here: registries, plugins, guard',
        "2:10: default: should be text, is a number; put it in quotes if it is text",
        "3:1: sources: is empty; write [] for none, or leave it out"
      ]
    ]
  ])("%s", (text, want) => {
    const told = mistakes(text)
    expect(told).toEqual(want)
    expect(told.join()).not.toContain("hunter")
  })

  it("say from how much on the guard speaks up", () => {
    const { kinds, policy } = settings(
      "guard:\n  share: 50\n  kinds:\n    team-member: { empties: 10 }\n    temas: { of: 1 }\n"
    )
    expect(policy).toEqual({
      share: 50,
      of: 10,
      empties: 3,
      kinds: { "team-member": { empties: 10 }, temas: { of: 1 } }
    })
    expect(settings("guard: { administrators: { at_least: 2 } }").policy).toEqual({
      ...defaultPolicy,
      administrators: { required: [], atLeast: 2 }
    })
    const known = [{ kind: "team" }, { kind: "team-member" }]
    expect(strangeKinds({ ...settings(""), kinds }, known).map(formatProblem)).toEqual([
      'quaymaster.yaml:5:12: guard.kinds.temas: there is no kind named "temas"; did you mean "team"?'
    ])
  })

  it("have a JSON Schema without words of ours", () => {
    expect(JSON.stringify(settingsFileSchema())).not.toContain('"x-')
  })
})

describe("finding them", () => {
  let root = ""
  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "quaymaster-settings-")))
    await mkdir(join(root, "orgs/eu"), { recursive: true })
    await writeFile(join(root, "quaymaster.yaml"), "sources: [orgs]\n")
    await writeFile(join(root, "orgs/other.yaml"), "default: nowhere\n")
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  it("goes up from the working directory", async () => {
    const found = await loadSettings({ cwd: join(root, "orgs/eu") })
    expect(found.file).toBe("../../quaymaster.yaml")
    expect(found.directory).toBe(root)
    expect(found.sources).toEqual([join(root, "orgs")])
  })

  it("takes the file that is named", async () => {
    await expect(loadSettings({ cwd: root, path: "orgs/other.yaml" })).rejects.toThrow(
      'orgs/other.yaml:1:10: default: no registry is named "nowhere"'
    )
    const missing = await loadSettings({ cwd: root, path: "none.yaml" }).catch((error: unknown) => error)
    expect(missing).toBeInstanceOf(ConfigError)
    expect(String(missing)).toBe("ConfigError: none.yaml: cannot be read: there is no such file")
  })

  it("does without", async () => {
    const top = await loadSettings({ cwd: "/" })
    expect(top).toEqual({ file: undefined, directory: "/", ...NOTHING })
  })
})

describe("secrets", () => {
  const env = { TOKEN: " s3cret ", BLANK: "  " }
  const readFile = async (path: string) => {
    if (path === "/token") return "s3cret\n"
    if (path === "/blank") return "\n"
    throw Object.assign(new Error("s3cret"), { code: "EACCES" })
  }

  it("are what the reference stands for", async () => {
    expect(await resolveSecret({ env: "TOKEN" }, env, readFile)).toBe(" s3cret ")
    expect(await resolveSecret({ file: "/token" }, env, readFile)).toBe("s3cret")
  })

  it.each([
    [{ env: "NONE" }, "The environment variable NONE is not set."],
    [{ env: "constructor" }, "The environment variable constructor is not set."],
    [{ env: "BLANK" }, "The environment variable BLANK is empty."],
    [{ file: "/blank" }, "The file /blank is empty, and a secret should be in it."],
    [{ file: "/locked" }, "The secret in /locked cannot be read: permission denied."]
  ])("%j", async (reference, message) => {
    const error = await resolveSecret(reference, env, readFile).catch((it: unknown) => it)
    expect(error).toBeInstanceOf(SecretError)
    expect(error).toMatchObject({ _tag: "SecretError", message, reference })
  })
})
