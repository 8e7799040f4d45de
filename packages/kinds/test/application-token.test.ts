// What a token looks like in a file, what is taken for one, what a section declares and an export writes, and which releases have
// tokens. That they are made and delivered is tested with the library, which has files to write.
import { describe, expect, test } from "vitest"
import { type ApplicationToken, applicationToken as kind } from "../src/application-token.ts"
import { type ApiToken, begun, tokenFormats } from "../src/credential-format.ts"
import { rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, test: tested } = trials()

const TOKEN: ApiToken = {
  address: "application-token:acme/my app / 2/ci",
  id: "85251913-de4e-46ac-9de8-b93272278d82",
  url: "https://quay.example.com",
  token: "S3CRETS3CRETS3CRET"
}
const MANIFEST = { name: "acme-ci", namespace: "ci" }
const HEAD = `# ${TOKEN.address} ${TOKEN.id}\n`

describe("formats", () => {
  test("are what Kubernetes and shells read", () => {
    expect(tokenFormats.env_file.write(TOKEN, MANIFEST)).toBe(
      `${HEAD}QUAY_URL=https://quay.example.com\nQUAY_TOKEN=S3CRETS3CRETS3CRET\n`
    )
    expect(tokenFormats.kubernetes_secret.write(TOKEN, MANIFEST)).toBe(
      `${HEAD}apiVersion: v1\nkind: Secret\nmetadata:\n  name: "acme-ci"\n  namespace: "ci"\ntype: Opaque\ndata:\n` +
        `  QUAY_URL: "${btoa(TOKEN.url)}"\n  QUAY_TOKEN: "${btoa(TOKEN.token)}"\n`
    )
  })

  for (const type of ["env_file", "kubernetes_secret"] as const) {
    const { read, write } = tokenFormats[type]
    test(`${type} is read as it was written`, () => {
      expect(read(write(TOKEN, MANIFEST))).toEqual({ ...TOKEN, ...(type === "env_file" ? {} : MANIFEST) })
    })

    for (const [what, changed] of [
      ["nothing", () => ""],
      ["the half of it", (text: string) => text.slice(0, text.length / 2)],
      ["more than it", (text: string) => `${text}more: true\n`],
      ["something before it", (text: string) => `\n${text}`],
      ["no word of whose it is", (text: string) => text.slice(HEAD.length)],
      [
        "another one's",
        () => tokenFormats[type === "env_file" ? "kubernetes_secret" : "env_file"].write(TOKEN, MANIFEST)
      ],
      ["one that is being made", () => begun(TOKEN)]
    ] as const)
      test(`${type} is not read where there is ${what}`, () => {
        expect(read(changed(write(TOKEN, MANIFEST)))).toBeUndefined()
      })
  }
})

describe("the section", () => {
  const entry = { scopes: ["repo:read"], expiration: "14d" }

  test("names what is written where, and the secret's name where nothing is said", () => {
    const deliver = [{ env_file: "ci.env" }, { kubernetes_secret: "ci.yaml", namespace: "ci" }]
    const [first] = kind.section.read({ "ci 1": { ...entry, deliver } }, "acme/My App / 2")
    expect(first?.item).toEqual({
      organization: "acme",
      application: "My App / 2",
      name: "ci 1",
      scopes: ["repo:read"],
      expiration: "2w",
      deliver: [
        { type: "env_file", file: "ci.env" },
        { type: "kubernetes_secret", file: "ci.yaml", name: "acme-my-app---2-ci-1", namespace: "ci" }
      ]
    })
    expect(first === undefined ? "" : kind.key(first.item)).toBe("acme/My App / 2/ci 1")
  })

  test("is exported without files and ids, and without what a file cannot say", () => {
    const of = { organization: "acme", application: "console" }
    const items: ReadonlyArray<ApplicationToken> = [
      { ...of, name: "ci", scopes: ["repo:write", "repo:read"], expiration: "90d", uuid: "1", others: 1 },
      { ...of, name: "ci", scopes: ["repo:read"], expiration: "90d", uuid: "2", further: true },
      { ...of, name: "ever", scopes: ["org:admin"], expiration: "3650d", uuid: "3" },
      { ...of, name: "odd", scopes: ["openid"], uuid: "4" }
    ]
    expect(written(kind.section, items, "acme/console")).toEqual({
      node: { ci: { scopes: ["repo:read", "repo:write"], expiration: "90d" }, ever: { scopes: ["org:admin"] } },
      items: [
        { ...of, name: "ci", scopes: ["repo:read", "repo:write"], expiration: "90d" },
        { ...of, name: "ever", scopes: ["org:admin"] }
      ]
    })
  })

  for (const [what, tokens, words] of [
    ["no scopes", "{ ci: {} }", /scopes/],
    ["an empty list of them", "{ ci: { scopes: [] } }", /scopes/],
    ["a scope that is none", "{ ci: { scopes: [repo] } }", /one of repo:read, repo:write/],
    ["a scope twice", "{ ci: { scopes: [repo:read, repo:read] } }", /scopes/],
    ["a name with a slash", "{ a/b: { scopes: [repo:read] } }", /slashes/],
    ["seconds", "{ ci: { scopes: [repo:read], expiration: 90s } }", /a number and a unit/],
    ["more than ten years", "{ ci: { scopes: [repo:read], expiration: 522w } }", /at most 3650d, is 522w/],
    ["a home that no shell fills in", "{ ci: { scopes: [repo:read], deliver: [{ env_file: ~/ci.env }] } }", /~/],
    [
      "docker's form",
      "{ ci: { scopes: [repo:read], deliver: [{ docker_config: x }] } }",
      /kubernetes_secret, env_file/
    ],
    ["nowhere to write it", "{ ci: { scopes: [repo:read] } }", /Quay tells a token only once/],
    ["null", "null", /tokens/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(`applications: { console: { tokens: ${tokens} } }`)))).toMatch(words)
    })

  tested("of an application that has none is nothing to do", async (trial) => {
    await trial.reach("applications: { console: { tokens: {} } }")
  })

  tested("manages a token that is there without a word of files", async (trial) => {
    await trial.reach("applications: { console: {} }")
    const { applications } = await trial.quay.GET("/api/v1/organization/{orgname}/applications", {
      params: { path: { orgname: trial.org } }
    })
    await trial.quay.POST("/api/v1/organization/{orgname}/applications/{client_id}/tokens", {
      params: { path: { orgname: trial.org, client_id: applications[0]?.client_id ?? "" } },
      body: { name: "ci", scope: "repo:write,repo:read", expiration: 86_400 }
    })
    const want = (scopes: string) =>
      `applications: { console: { tokens: { ci: { scopes: ${scopes}, expiration: 24h } } } }`
    expect((await trial.reach(want("[repo:read, repo:write]"))).stuck).toEqual([])
    expect((await trial.reach(want("[repo:read]"))).stuck).toMatchObject([{ changes: [{ field: "scopes" }] }])
  })
})

describe("releases", () => {
  // Up to 3.16 a superuser who is no member is not shown an organization as its administrators are.
  const owned = { organizations: { acme: { teams: { owners: { role: "admin", members: ["admin"] } } } } } as const
  const want = "organization: acme\napplications: { console: { tokens: {} } }"
  const without = async (trial: Trial) => {
    expect(String(await rejection(trial.plan(want)))).toMatch(/tokens of acme\/console: it came with Quay 3\.18/)
    await trial.reach("organization: acme\napplications: { console: {} }")
  }
  for (const version of ["3.7", "3.10", "3.12", "3.15", "3.17"])
    otherwise(`${version} has none, and says so before anything is done`, { version, state: owned }, without)
  otherwise("3.18 has them", { version: "3.18", state: owned }, async (trial) => void (await trial.reach(want)))
})
