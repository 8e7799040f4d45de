// What a credential looks like in a file, what is taken for one, and what a section declares. That files are written, and
// kept as they should be, is tested with the library, which has files to write.
import { describe, expect, test } from "vitest"
import { type Credential, formats, manifestName } from "../src/credential-format.ts"
import { robotCredential as kind } from "../src/robot-credential.ts"
import { rejection, trials } from "./harness.ts"

const { test: tested } = trials()

const CREDENTIAL: Credential = { host: "quay.example.com", username: "acme+ci", password: "S3CRET" }
const MANIFEST = { name: "acme-ci", namespace: "ci" }

const types = ["docker_config", "kubernetes_secret", "env_file"] as const

describe("formats", () => {
  test("are what docker, Kubernetes and shells read", () => {
    const auth = btoa("acme+ci:S3CRET")
    expect(JSON.parse(formats.docker_config.write(CREDENTIAL, MANIFEST))).toEqual({
      auths: { "quay.example.com": { auth } }
    })
    const data = btoa(JSON.stringify({ auths: { "quay.example.com": { auth } } }))
    expect(formats.kubernetes_secret.write(CREDENTIAL, MANIFEST)).toBe(
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: "acme-ci"\n  namespace: "ci"\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: "${data}"\n`
    )
    expect(formats.env_file.write(CREDENTIAL, MANIFEST)).toBe(
      "QUAY_REGISTRY=quay.example.com\nQUAY_USERNAME=acme+ci\nQUAY_PASSWORD=S3CRET\n"
    )
  })

  for (const type of types) {
    test(`${type} is read as it was written`, () => {
      const named = type === "kubernetes_secret" ? MANIFEST : {}
      expect(formats[type].read(formats[type].write(CREDENTIAL, MANIFEST))).toEqual({ ...CREDENTIAL, ...named })
    })

    for (const [what, changed] of [
      ["nothing", () => ""],
      ["the half of it", (text: string) => text.slice(0, text.length / 2)],
      ["more than it", (text: string) => `${text}more: true\n`],
      ["something before it", (text: string) => `# mine\n${text}`],
      ["another one's", () => formats[type === "env_file" ? "docker_config" : "env_file"].write(CREDENTIAL, MANIFEST)],
      ["JSON of another kind", () => '{"auths":null}'],
      ["what is no base64", (text: string) => text.replace(/[A-Za-z0-9+/]{16,}=*|S3CRET\n/, "%%%%")]
    ] as const)
      test(`${type} is not read where there is ${what}`, () => {
        expect(formats[type].read(changed(formats[type].write(CREDENTIAL, MANIFEST)))).toBeUndefined()
      })
  }

  test("docker's own file with another registry, or a helper, is somebody's", () => {
    const auth = { auth: btoa("acme+ci:S3CRET") }
    for (const value of [
      { auths: { "quay.example.com": auth, "docker.io": auth } },
      { auths: { "quay.example.com": auth }, credHelpers: {} },
      { auths: { "quay.example.com": { ...auth, email: "x" } } },
      { auths: { "quay.example.com": { auth: btoa("no colon") } } },
      { auths: {} }
    ])
      expect(formats.docker_config.read(JSON.stringify(value))).toBeUndefined()
  })

  test("a manifest without a namespace has none", () => {
    const text = formats.kubernetes_secret.write(CREDENTIAL, { name: "x", namespace: undefined })
    expect(text).not.toContain("namespace")
    expect(formats.kubernetes_secret.read(text)).toEqual({ ...CREDENTIAL, name: "x" })
  })

  test("names are such that Kubernetes takes them", () => {
    expect(manifestName("a_b.c+ci")).toBe("a-b.c-ci")
    expect(manifestName(`${"a".repeat(252)}+ci`)).toBe("a".repeat(252))
  })
})

describe("the section", () => {
  test("names what is written where, and the secret's name where nothing is said", () => {
    const entries = [
      { docker_config: "./ci.json" },
      { kubernetes_secret: "ci.yaml", namespace: "ci" },
      { kubernetes_secret: "other.yaml", name: "pull" },
      { env_file: "/run/ci.env" }
    ]
    const items = kind.section.read(entries, "acme/ci").map(({ item }) => item)
    expect(items).toMatchObject([{}, { name: "acme-ci", namespace: "ci" }, { name: "pull" }, {}])
    expect(items.map(kind.key)).toEqual([
      "acme/ci/docker_config:./ci.json",
      "acme/ci/kubernetes_secret:ci.yaml",
      "acme/ci/kubernetes_secret:other.yaml",
      "acme/ci/env_file:/run/ci.env"
    ])
  })

  test("is not written: files are no part of a registry", () => {
    expect(kind.section.write).toBeUndefined()
  })

  for (const [what, deliver, words] of [
    ["nothing", "null", /deliver/],
    ["a home that no shell fills in", "[{ docker_config: ~/.docker/config.json }]", /~/],
    ["a folder", "[{ env_file: ci/ }]", /path of a file/],
    ["a namespace that none can be", "[{ kubernetes_secret: x, namespace: A_B }]", /lower-case/],
    ["a namespace of what has none", "[{ env_file: x, namespace: ci }]", /namespace/],
    ["two in one", "[{ env_file: x, docker_config: y }]", /docker_config|env_file/],
    ["another form", "[{ netrc: x }]", /one of docker_config, kubernetes_secret, env_file/],
    ["one file for two", "[{ env_file: x }, { docker_config: ./x }]", /one file/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(`robots: { ci: { deliver: ${deliver} } }`)))).toMatch(words)
    })

  tested("has nothing to do where nothing is delivered", async (trial) => {
    await trial.reach("robots: { ci: { deliver: [] } }")
  })
})
