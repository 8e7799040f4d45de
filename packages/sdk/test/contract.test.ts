/**
 * The SDK against Prism, which serves openapi/quay.openapi.gen.json: it answers with the document's examples and refuses
 * requests that do not fit the document. Proves that what the SDK sends and reads is what the document says; what Quay
 * itself does is another matter. Prism wants Node 24.18.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createQuayClient, type QuayClient, QuayError, Unauthenticated } from "../src/index.ts"
import { listen, rejection } from "./helpers.ts"

type Tree = { readonly [key: string]: unknown }
type Method = "GET" | "PUT" | "POST" | "DELETE"

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value)
const tree = (value: unknown): Tree => (isTree(value) ? value : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const file = fileURLToPath(new URL("../../../openapi/quay.openapi.gen.json", import.meta.url))
const document = tree(JSON.parse(await readFile(file, "utf8")))
const schemas = tree(tree(document["components"])["schemas"])

/** The least that fits a schema. */
const sample = (given: unknown): unknown => {
  const schema = tree(given)
  if (typeof schema["$ref"] === "string") return sample(schemas[schema["$ref"].replace("#/components/schemas/", "")])
  const [choice] = [...list(schema["oneOf"]), ...list(schema["anyOf"])]
  if (choice !== undefined) return sample({ type: "object", ...tree(choice) })
  const [literal] = list(schema["enum"])
  if (literal !== undefined) return literal
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"]
  if (type === "integer" || type === "number") return schema["minimum"] ?? 1
  if (type === "boolean") return true
  if (type === "array") return [sample(schema["items"])]
  if (type === "string") return schema["pattern"] === undefined ? "text" : "1GiB"
  const properties = tree(schema["properties"])
  return Object.fromEntries(list(schema["required"]).map((name) => [name, sample(properties[String(name)])]))
}

interface Case {
  readonly id: string
  readonly method: Method
  readonly path: string
  readonly body: unknown
  readonly answer: Tree | undefined
}

const methods = ["GET", "PUT", "POST", "DELETE"] as const
const cases: Case[] = Object.entries(tree(document["paths"])).flatMap(([path, item]) =>
  methods.flatMap((method): Case[] => {
    const operation = tree(tree(item)[method.toLowerCase()])
    if (typeof operation["operationId"] !== "string") return []
    const [, success] = Object.entries(tree(operation["responses"])).find(([status]) => status.startsWith("2")) ?? []
    const media = tree(tree(success)["content"])["application/json"]
    const body = tree(tree(tree(operation["requestBody"])["content"])["application/json"])["schema"]
    return [{ id: operation["operationId"], method, path, body, answer: isTree(media) ? media : undefined }]
  })
)
const answered = cases.filter(({ answer }) => answer !== undefined && "example" in answer)
const empty = cases.filter(({ answer, method }) => answer === undefined && method === "DELETE")
const strict = cases.filter(({ body }) => {
  const schema = tree(body)
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].replace("#/components/schemas/", "") : ""
  return list(tree(schemas[name])["required"]).length > 0
})

let prism: ChildProcess | undefined
let quay: QuayClient
let url = ""

/** Calls by name, as the typed methods would not let a table do. */
const call = (client: QuayClient, { method, path }: Case, body: unknown): Promise<unknown> => {
  const values = Object.fromEntries(
    [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => [name, name === "repository" ? "acme/vendor/alpine" : "text"])
  )
  const result: unknown = Reflect.apply(client[method], client, [
    path,
    { params: { path: values }, ...(body === undefined ? {} : { body }) }
  ])
  return Promise.resolve(result)
}

describe.skipIf(Number(process.versions.node.split(".")[0]) < 24)("against the document", () => {
  beforeAll(async () => {
    const probe = createServer()
    const port = await listen(probe)
    await new Promise((done) => probe.close(done))
    url = `http://127.0.0.1:${port}`
    const cli = createRequire(import.meta.url).resolve("@stoplight/prism-cli")
    const child = spawn(process.execPath, [cli, "mock", file, "-h", "127.0.0.1", "-p", String(port)], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    prism = child
    await new Promise<void>((done, fail) => {
      let output = ""
      const heard = (chunk: Buffer): void => {
        output += chunk.toString()
        if (output.includes("Prism is listening")) done()
      }
      child.stdout.on("data", heard)
      child.stderr.on("data", heard)
      child.on("exit", () => fail(new Error(output)))
    })
    quay = createQuayClient({ url, token: "any", encodeSlash: true })
  }, 60_000)

  afterAll(async () => {
    await quay.close()
    prism?.kill()
  })

  it("has enough to prove something with", () => {
    expect(answered.length).toBeGreaterThan(100)
    expect(strict.length).toBeGreaterThan(30)
  })

  it.each(answered.map((item) => [item.id, item] as const))("%s resolves to its example", async (_, item) => {
    const body = item.body === undefined ? undefined : sample(item.body)
    expect(await call(quay, item, body)).toEqual(item.answer?.["example"])
  })

  it.each(empty.map((item) => [item.id, item] as const))("%s resolves to nothing", async (_, item) => {
    expect(await call(quay, item, undefined)).toBeUndefined()
  })

  it.each(strict.map((item) => [item.id, item] as const))(
    "%s refuses a body without what it needs",
    async (_, item) => {
      const error = await rejection(call(quay, item, {}))
      expect(error).toBeInstanceOf(QuayError)
      expect(error).toMatchObject({ status: 400, operation: item.id })
    }
  )

  it("refuses a request without a token", async () => {
    await using anonymous = createQuayClient({ url, encodeSlash: true })
    expect(await rejection(anonymous.GET("/api/v1/user/"))).toBeInstanceOf(Unauthenticated)
    expect(await anonymous.GET("/config")).toHaveProperty("features.SUPER_USERS", true)
  })

  it("types what it answers", async () => {
    const organization = await quay.GET("/api/v1/organization/{orgname}", { params: { path: { orgname: "acme" } } })
    expect(organization.teams?.["owners"]?.role).toBe("admin")
    const page = await quay.GET("/api/v1/repository", { params: { query: { namespace: "acme", public: true } } })
    expect(page.repositories[0]?.is_public).toBe(false)
    const path = { repository: "acme/vendor/alpine", username: "acme+ci" }
    const permission = await quay.PUT("/api/v1/repository/{repository}/permissions/user/{username}", {
      params: { path },
      body: { role: "write" }
    })
    expect(permission.is_robot).toBe(true)
  })
})
