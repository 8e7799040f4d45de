/** References to secrets are found where a schema has room for them, and what a registry does not tell is never called done. */
import { Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import { classify, type Kind, secretRef, secretsIn, section } from "../src/index.ts"

const schema = Type.Object({
  name: Type.String(),
  url: Type.Optional(Type.String()),
  labels: Type.Optional(Type.Object({ env: Type.String() })),
  token: Type.Optional(Type.Union([secretRef, Type.Literal("hidden")])),
  login: Type.Optional(Type.Object({ password: Type.Optional(secretRef) })),
  keys: Type.Optional(Type.Array(secretRef))
})

const kind: Kind<"cache", typeof schema> = {
  kind: "cache",
  schema,
  identity: ["name"],
  key: ({ name }) => name,
  collection: () => ({ parent: "acme" }),
  extras: "remove",
  section: section({ under: "registry", name: "caches", node: Type.Unknown(), read: () => [] }),
  list: () => [],
  create: () => {},
  update: () => {},
  delete: () => {}
}

describe("secretsIn", () => {
  it("finds references, and takes nothing else for one", () => {
    const value = {
      name: "a",
      labels: { env: "PROD" },
      token: { env: "TOKEN" },
      login: { password: { file: "./password" } },
      keys: [{ env: "KEY" }]
    }
    expect(secretsIn(schema, value)).toEqual([{ env: "TOKEN" }, { file: "./password" }, { env: "KEY" }])
    expect(secretsIn(schema, { name: "a", token: "hidden" })).toEqual([])
  })
})

describe("sending a secret again", () => {
  const item = { name: "a", url: "u", login: { password: { env: "PASSWORD" } } }
  const common = { kind: "cache", key: "a", needs: [], before: { name: "a", url: "u" }, after: item }
  const changes = [{ field: "login.password", after: { env: "PASSWORD" } }]

  it("is still to be done, whatever the registry has", () => {
    const update = { ...common, id: "update:cache:a", action: "update" as const, changes }
    expect(classify(kind, update, { name: "a", url: "u" })).toEqual({ state: "pending" })
    const replace = { ...common, id: "replace:cache:a", action: "replace" as const, changes, cascades: [] }
    expect(classify(kind, replace, { name: "a", url: "u" })).toEqual({ state: "pending" })
  })
})
