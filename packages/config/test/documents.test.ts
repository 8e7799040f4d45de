/** Documents about several objects that live in no other. */
import { collectionDocument, collectionId, type Kind } from "@quaymaster/engine"
import { Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import { type DecodeOptions, decode, fileSchema } from "../src/index.ts"
import { problemsOf } from "./helpers.ts"
import { kinds as others } from "./kinds.ts"

const closed = { additionalProperties: false }
const inert = { list: () => [], create: () => undefined, delete: () => undefined }
const userSchema = Type.Object({ name: Type.String(), email: Type.Optional(Type.String()) }, closed)

const user: Kind<"user", typeof userSchema> = {
  kind: "user",
  schema: userSchema,
  identity: ["name"],
  key: (item) => item.name,
  collection: () => ({ parent: "the registry" }),
  extras: "keep",
  section: collectionDocument({
    name: "users",
    owns: "the registry",
    description: "The users.",
    node: Type.Record(
      Type.String({ pattern: "^[a-z]+$" }),
      Type.Object({ email: Type.Optional(Type.String()) }, closed),
      closed
    ),
    read: (users) => Object.entries(users).map(([name, entry]) => ({ item: { name, ...entry }, path: [name] })),
    write: (items) => Object.fromEntries(items.map(({ name, ...entry }) => [name, entry]))
  }),
  ...inert
}

const messageSchema = Type.Object({ text: Type.String() }, closed)

const message: Kind<"message", typeof messageSchema> = {
  kind: "message",
  schema: messageSchema,
  identity: ["text"],
  key: (item) => item.text,
  collection: () => ({ parent: "the registry" }),
  extras: "remove",
  section: collectionDocument({
    name: "messages",
    owns: "the registry",
    description: "The messages.",
    node: Type.Array(Type.String()),
    read: (texts) => texts.map((text, i) => ({ item: { text }, path: [i] }))
  }),
  ...inert
}

const kinds = [...others, user, message] as const
const AT: DecodeOptions = { registry: "https://quay.example.com" }

const decoded = (...texts: ReadonlyArray<string>) =>
  decode<(typeof kinds)[number]>(
    kinds,
    { files: texts.map((text, i) => ({ name: `${i + 1}.yaml`, text })), problems: [] },
    AT
  ).targets

const desiredOf = (...texts: ReadonlyArray<string>) => {
  const [target] = decoded(...texts)
  return {
    declared: target?.desired.declarations.map(({ kind, source }) => `${kind} ${source}`) ?? [],
    scope: target?.desired.scope.map((it) => `${collectionId(it)}${it.prune === true ? "!" : ""}`) ?? [],
    files: target?.files ?? []
  }
}

const mistakes = (...texts: ReadonlyArray<string>) => problemsOf(() => decoded(...texts))

describe("a document about several objects", () => {
  it("declares each with its line, and owns the collection they are in once", () => {
    expect(desiredOf("users:\n  alice: { email: a@b }\n  bob:\n---\nmessages:\n  - hello\n  - there\n")).toEqual({
      declared: ["user 1.yaml:2", "user 1.yaml:3", "message 1.yaml:6", "message 1.yaml:7"],
      scope: ["user@the registry", "message@the registry"],
      files: ["1.yaml"]
    })
  })

  it("owns the collection even if it declares none", () => {
    expect(desiredOf("users: {}", "messages: []")).toEqual({
      declared: [],
      scope: ["user@the registry", "message@the registry"],
      files: ["1.yaml", "2.yaml"]
    })
  })

  it("prunes its collection where its extras would be kept, and only there", () => {
    expect(desiredOf("users: {}\nprune: [users]").scope).toEqual(["user@the registry!"])
    expect(mistakes("messages: []\nprune: [messages]")).toHaveLength(1)
    expect(mistakes("organization: acme\nprune: [organization]")).toHaveLength(1)
  })

  it("is there once for a registry", () => {
    expect(mistakes("users: { alice: {} }", "users: { bob: {} }")).toEqual([
      '2.yaml:1:1: "users" is declared twice, first at 1.yaml:1'
    ])
    expect(mistakes("users: {}\n---\nusers: {}")).toEqual(['1.yaml:3:1: "users" is declared twice, first at 1.yaml:1'])
  })

  it("says where a mistake is", () => {
    expect(mistakes("users: { alice: { mail: x } }")).toEqual([
      '1.yaml:1:19: users.alice: unknown key "mail"; did you mean "email"?'
    ])
    expect(mistakes("users:")).toEqual(["1.yaml:1:1: users: is empty; should be a map"])
    expect(mistakes("organization: acme\nusers: {}")).toHaveLength(1)
  })

  it("has its schema beside the others", () => {
    const schema = fileSchema([user, message])
    expect(schema["anyOf"]).toMatchObject([
      { title: "users", required: ["users"] },
      { title: "messages", required: ["messages"] }
    ])
  })

  it("is written as it is read", () => {
    const items = [{ name: "alice", email: "a@b" }, { name: "bob" }]
    const written = user.section.write?.(items)
    expect(written).toEqual({ users: { alice: { email: "a@b" }, bob: {} } })
    expect(user.section.read(written, "").map(({ item }) => item)).toEqual(items)
  })
})
