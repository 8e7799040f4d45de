/** The report on how a server's description differs, on made-up documents and over HTTP. */
import { execFile } from "node:child_process"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { differences, report } from "../src/drift.ts"
import type { Json, JsonObject } from "../src/json.ts"
import { readSources } from "../src/sources.ts"

const made = (paths: JsonObject, definitions: JsonObject = {}): JsonObject => ({ swagger: "2.0", paths, definitions })
const get = (id: string, parameters: Json = []): JsonObject => ({ get: { operationId: id, parameters, responses: {} } })
const post = (schema: Json): JsonObject => ({
  post: { operationId: "createA", parameters: [{ in: "body", name: "body", schema }], responses: {} }
})
const lines = (ours: JsonObject, theirs: JsonObject) =>
  report(differences(ours, theirs), "https://quay.example.com").split("\n")

describe("what differs", () => {
  it.each<[string, JsonObject, JsonObject, string[]]>([
    ["nothing", made({ "/a": get("getA") }), made({ "/a": get("getA") }), []],
    ["an operation that came", made({}), made({ "/a": get("getA") }), ["+ GET /a  getA"]],
    ["an operation that went", made({ "/a": get("getA") }), made({}), ["- GET /a  getA"]],
    [
      "a parameter that came",
      made({ "/a": get("getA") }),
      made({ "/a": get("getA", [{ in: "query", name: "limit", type: "integer", required: true }]) }),
      ["~ GET /a  parameter limit is new (integer, required)"]
    ],
    [
      "a body's fields",
      made(
        { "/a": post({ $ref: "#/definitions/A" }) },
        {
          A: {
            properties: {
              old: { type: "string" },
              kept: { type: "string" },
              deep: { properties: { x: { type: "string" } } }
            }
          }
        }
      ),
      made(
        { "/a": post({ $ref: "#/definitions/B" }) },
        {
          B: {
            required: ["kept"],
            properties: {
              kept: { type: "string" },
              deep: { properties: { x: { type: ["null", "string"] } } },
              fresh: { enum: ["a", "b"] }
            }
          }
        }
      ),
      [
        "~ POST /a  body field deep.x is null | string, was string",
        '~ POST /a  body field fresh is new ("a" | "b")',
        "~ POST /a  body field kept is string, required, was string",
        "~ POST /a  body field old is gone (string)"
      ]
    ]
  ])("%s", (_, ours, theirs, want) => {
    expect(lines(ours, theirs).slice(0, -1)).toEqual(want)
  })

  it("sums up in the last line", () => {
    expect(lines(made({}), made({})).at(-1)).toMatch(/same operations/)
    expect(lines(made({}), made({ "/a": get("getA") })).at(-1)).toMatch(/1 operations that we lack, 0 that it lacks/)
  })
})

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

const run = async (listener: RequestListener, ...flags: string[]) => {
  const server = createServer(listener)
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const address: AddressInfo | string | null = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  try {
    return await new Promise<{ code: number; out: string; err: string }>((done) => {
      execFile(
        process.execPath,
        [main, "--url", `http://127.0.0.1:${port}`, ...flags],
        { maxBuffer: 1 << 24 },
        (error, out, err) => done({ code: typeof error?.code === "number" ? error.code : 0, out, err })
      )
    })
  } finally {
    server.close()
  }
}

describe("pnpm openapi --url", () => {
  it("finds no difference in the captured server, and one in a changed one, without writing", async () => {
    const { discovery, internal } = await readSources()
    const serve =
      (change: boolean): RequestListener =>
      (request, response) => {
        const given = request.url?.includes("internal") ? internal : discovery
        const paths = given["paths"]
        if (typeof paths !== "object" || paths === null || Array.isArray(paths)) throw new Error("no paths")
        const body = change ? { ...given, paths: { ...paths, "/api/v1/new": get("getNew") } } : given
        response.setHeader("content-type", "application/json").end(JSON.stringify(body))
      }
    const same = await run(serve(false))
    expect(same).toMatchObject({ code: 0, err: "" })
    expect(same.out).toMatch(/describes the same operations/)
    const changed = await run(serve(true), "--json")
    expect(changed.code).toBe(0)
    expect(JSON.parse(changed.out)).toMatchObject({
      internal: true,
      differences: [{ kind: "operation-added", operation: "GET /api/v1/new", id: "getNew" }]
    })
  }, 60_000)

  it.each<[string, RequestListener, RegExp]>([
    [
      "a page",
      (_, response) => response.setHeader("content-type", "text/html").end("<html>"),
      /200, text\/html, not a discovery document/
    ],
    ["a refusal", (_, response) => response.writeHead(403, { "content-type": "application/json" }).end("{}"), /403/],
    ["other JSON", (_, response) => response.setHeader("content-type", "application/json").end("{}"), /without paths/],
    ["a closed connection", (request) => request.socket.destroy(), /http:\/\/127/]
  ])(
    "says in one line that it got %s",
    async (_, listener, want) => {
      const { code, out, err } = await run(listener)
      expect({ code, out }).toEqual({ code: 1, out: "" })
      expect(err.trim().split("\n")).toHaveLength(1)
      expect(err).toMatch(want)
    },
    60_000
  )
})
