/** Which registries a document is for: its own word, the command line's, the default. */
import { describe, expect, it } from "vitest"
import { type DecodeOptions, decode, decodeSettings } from "../src/index.ts"
import { mistakes, mistakesIn } from "./helpers.ts"
import { kinds } from "./kinds.ts"

const known = (rest = "") =>
  decodeSettings(
    {
      name: "quaymaster.yaml",
      directory: "/gitops",
      text: `registries:\n  prod: { url: "https://quay.example.com", token: { env: T } }\n  dr: { url: "https://dr.example.com" }\n  lab: { url: "sim:./lab.json" }\n${rest}`
    },
    "/gitops"
  )

const targets = (said: string, options: DecodeOptions) =>
  decode(
    kinds,
    { files: [{ name: "acme.yaml", text: `organization: acme\n${said}`, directory: "/gitops/orgs" }], problems: [] },
    options
  ).targets.map(
    ({ registry }) => `${registry.name} ${registry.url}${registry.token === undefined ? "" : " with token"}`
  )

const PROD = "prod https://quay.example.com with token"
const DR = "dr https://dr.example.com"
const LAB = "lab sim:/gitops/lab.json"

describe("targets", () => {
  const settings = known()
  const withDefault = known("default: lab\n")
  it.each<readonly [what: string, said: string, options: DecodeOptions, want: ReadonlyArray<string>]>([
    ["a name", "registry: prod", { settings }, [PROD]],
    ["several names", "registries: [prod, dr]", { settings }, [DR, PROD]],
    ["a URL", "registry: https://quay.example.org/", {}, ["https://quay.example.org https://quay.example.org"]],
    ["a URL that has a name", "registry: https://quay.example.com/", { settings }, [PROD]],
    ["a simulated registry", "registry: 'sim:'", {}, ["sim: sim:"]],
    ["a simulated registry beside the file", "registry: sim:../lab.json", { settings }, [LAB]],
    ["the command line's", "", { settings, registry: "dr" }, [DR]],
    ["the command line's before the default", "", { settings: withDefault, registry: "dr" }, [DR]],
    ["the command line's URL", "", { settings, registry: "https://dr.example.com" }, [DR]],
    [
      "the command line's relative path",
      "",
      { registry: "sim:x.json", cwd: "/tmp" },
      ["sim:/tmp/x.json sim:/tmp/x.json"]
    ],
    ["the default", "", { settings: withDefault }, [LAB]],
    ["the file's before the default", "registry: dr", { settings: withDefault }, [DR]],
    ["one of several", "registries: [prod, dr]", { settings, registry: "dr" }, [DR]],
    ["the one that is meant anyway", "registry: https://dr.example.com", { settings, registry: "dr" }, [DR]]
  ])("%s", (_what, said, options, want) => {
    expect(targets(said, options)).toEqual(want)
  })

  it.each<readonly [what: string, said: string, options: DecodeOptions, want: ReadonlyArray<string>]>([
    [
      "nobody says",
      "",
      { settings },
      [
        "acme.yaml:1:1: nothing says which registry this is for; write registry: NAME here or default: NAME in quaymaster.yaml, or pass --registry"
      ]
    ],
    [
      "an unknown name",
      "registry: prdo",
      { settings },
      ['acme.yaml:2:11: registry: quaymaster.yaml names no registry "prdo"; did you mean "prod"?']
    ],
    [
      "an unknown name among several",
      "registries: [prod, backup]",
      { settings },
      ['acme.yaml:2:20: registries[1]: quaymaster.yaml names no registry "backup"; named there: prod, dr, lab']
    ],
    [
      "a host without a scheme",
      "registry: quay.example.com",
      {},
      [
        'acme.yaml:2:11: registry: quaymaster.yaml names no registry "quay.example.com"; name it there, or write a URL such as https://quay.example.com'
      ]
    ],
    ["no URL", "registry: 'quay/example'", {}, ["acme.yaml:2:11: registry: the registry is no URL"]],
    [
      "a URL with a password",
      "registry: https://me:hunter2@quay.example.com",
      {},
      ["acme.yaml:2:11: registry: the registry has a user or a password in it, which belong elsewhere"]
    ],
    [
      "both keys",
      "registry: prod\nregistries: [dr]",
      { settings },
      ["acme.yaml:3:1: registry and registries cannot stand together; keep registries"]
    ],
    [
      "a list of none",
      "registries: []",
      { settings },
      ["acme.yaml:2:13: registries: should have at least 1 item, has 0"]
    ],
    [
      "one registry twice",
      "registries: [prod, 'https://quay.example.com']",
      { settings },
      ['acme.yaml:2:20: registries[1]: "https://quay.example.com" is the registry "prod" once more']
    ],
    [
      "a flag that contradicts",
      "registry: prod",
      { settings, registry: "dr" },
      ["acme.yaml:2:11: this is for prod, and --registry says dr; leave the flag out, or name a registry of the file"]
    ],
    [
      "a flag that is not among several",
      "registries: [prod, dr]",
      { settings, registry: "lab" },
      [
        "acme.yaml:2:13: this is for prod, dr, and --registry says lab; leave the flag out, or name a registry of the file"
      ]
    ],
    [
      "an unknown flag, once",
      "---\norganization: globex",
      { settings, registry: "prd" },
      ['--registry: quaymaster.yaml names no registry "prd"; did you mean "prod"?']
    ]
  ])("%s", (_what, said, options, want) => {
    const told = mistakes(`organization: acme\n${said}\n`, options)
    expect(told).toEqual(want)
    expect(told.join()).not.toContain("hunter")
  })

  it("see one registry behind two names", () => {
    const twins = decodeSettings(
      {
        name: "q",
        text: "registries: { a: { url: https://x.example.com }, b: { url: https://x.example.com/ } }",
        directory: "/"
      },
      "/"
    )
    const file = (name: string) => ({ name: `${name}.yaml`, text: `organization: acme\nregistry: ${name}\n` })
    expect(mistakesIn([file("a"), file("b")], { settings: twins })).toEqual([
      'b.yaml:1:1: organization "acme" is declared twice, first at a.yaml:1'
    ])
    expect(mistakes("organization: acme\nregistry: https://x.example.com\n", { settings: twins })).toEqual([
      "acme.yaml:2:11: registry: quaymaster.yaml has several names for https://x.example.com; use one of a, b"
    ])
  })
})
