/** Answers that are not what the document says: told as such, with the place, and never trusted. */
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { faultIn } from "../src/answers.ts"
import { answerShapes } from "../src/generated/answers.gen.ts"
import { createQuayClient, DecodeError, QuayError, ServerError } from "../src/index.ts"
import { configuration, json, observed, rejection, serving } from "./helpers.ts"

const path = { orgname: "acme" }
const avatar = { name: "x", hash: "0", color: "#000", kind: "org" }
const team = {
  name: "dev",
  description: "",
  role: "member",
  avatar,
  can_view: true,
  repo_count: 0,
  member_count: 1,
  is_synced: false
}
const organization = {
  name: "acme",
  email: "a@acme.example",
  avatar,
  is_admin: true,
  is_member: true,
  teams: { dev: team }
}

const getOrganization = (body: unknown): Promise<unknown> =>
  observed(() => json(body)).quay.GET("/api/v1/organization/{orgname}", { params: { path } })

const text = (body: string, headers: Record<string, string> = {}): Response =>
  new Response(body, { headers: { "content-type": "application/json", ...headers } })

describe("an answer", () => {
  it("that is what the document says resolves, with what newer releases add", async () => {
    const newer = { ...organization, colour: "blue", teams: { dev: { ...team, mood: 1 } } }
    expect(await getOrganization(newer)).toEqual(newer)
  })

  it.each<[unknown, string]>([
    [null, "it should be an object, and is null"],
    [[], "it should be an object, and is a list"],
    ["acme", "it should be an object, and is text"],
    [{ ...organization, name: undefined }, "name is missing"],
    [{ ...organization, name: 7 }, "name should be text, and is a whole number"],
    [{ ...organization, is_admin: "true" }, "is_admin should be true or false, and is text"],
    [{ ...organization, tag_expiration_s: 1.5 }, "tag_expiration_s should be a whole number, and is a fraction"],
    [{ ...organization, teams: null }, "teams should be an object, and is null"],
    [{ ...organization, teams: [team] }, "teams should be an object, and is a list"],
    [{ ...organization, teams: { dev: null } }, "teams.dev should be an object, and is null"],
    [
      { ...organization, teams: { dev: { ...team, role: "owner" } } },
      'teams.dev.role should be "member" or "creator" or "admin"'
    ],
    [
      { ...organization, teams: { "a b\u001b[2J": { ...team, name: undefined } } },
      'teams["a b\\u001b[2J"].name is missing'
    ],
    [{ ...organization, ordered_teams: ["dev", null] }, "ordered_teams[1] should be text, and is null"],
    [{ ...organization, name: "\ud800" }, "name should be text, and is text with half a character in it"]
  ])("%j is told with its place", async (body, message) => {
    const error = await rejection(getOrganization(body))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({
      message: `The answer is not what Quay gives: ${message}`,
      operation: "getOrganization",
      status: 200,
      transient: false,
      mayHaveHappened: false
    })
  })

  it("is told by the shape that fits it best, where there are several", async () => {
    const member = { name: "bob", kind: "user", is_robot: false, invited: false, avatar: 7 }
    const { quay } = observed(() => json({ name: "dev", can_edit: true, members: [member] }))
    const error = await rejection(
      quay.GET("/api/v1/organization/{orgname}/team/{teamname}/members", {
        params: { path: { ...path, teamname: "dev" } }
      })
    )
    expect(error).toMatchObject({ message: expect.stringMatching(/members\[0\]\.avatar should be an object/) })
  })

  it("with keys that objects already have is an answer like others", async () => {
    const odd = `{"__proto__":${JSON.stringify(team)},"constructor":${JSON.stringify(team)}}`
    const body = JSON.stringify(organization).replace(/"teams":.*$/, `"teams":${odd}}`)
    const { quay } = observed(() => text(body))
    const answer = await quay.GET("/api/v1/organization/{orgname}", { params: { path } })
    expect(Object.keys(answer.teams ?? {})).toEqual(["__proto__", "constructor"])
    expect(Object.hasOwn(Object.prototype, "role")).toBe(false)
    const bad = observed(() => text(body.replace('"__proto__":{"name":"dev"', '"__proto__":{"name":7')))
    expect(await rejection(bad.quay.GET("/api/v1/organization/{orgname}", { params: { path } }))).toMatchObject({
      message: expect.stringMatching(/teams\.__proto__\.name should be text/)
    })
  })

  it("shows nothing of what it holds", async () => {
    const error = await rejection(getOrganization({ ...organization, name: ["s3cret-of-a-robot"] }))
    expect(String(error)).not.toContain("s3cret")
    const keyed = await rejection(getOrganization({ ...organization, teams: { "t0k3n-of-the-test": 7 } }))
    expect(String(keyed)).not.toContain("t0k3n-of-the-test")
  })

  it("to a read that is empty is no answer, and to a write it is", async () => {
    const { quay } = observed(() => new Response(null, { status: 204 }))
    expect(await rejection(quay.GET("/config"))).toMatchObject({
      message: "The answer is not what Quay gives: it should be an object, and is nothing"
    })
    expect(await quay.PUT("/api/v1/organization/{orgname}", { params: { path }, body: {} })).toBeUndefined()
  })

  it("to a write may have come after it was done", async () => {
    const { quay } = observed(() => json({ name: 7 }))
    const error = await rejection(quay.PUT("/api/v1/organization/{orgname}", { params: { path }, body: {} }))
    expect(error).toMatchObject({ _tag: "DecodeError", mayHaveHappened: true })
  })

  it.each([
    ["lists", "[".repeat(1e6)],
    ["objects", '{"a":'.repeat(1e6)],
    ["closed lists", `${"[".repeat(1e5)}${"]".repeat(1e5)}`]
  ])("of %s without end in each other is refused unparsed", async (_, body) => {
    const { quay } = observed(() => text(body))
    expect(await rejection(quay.GET("/config"))).toMatchObject({
      _tag: "DecodeError",
      message: "The answer is nested deeper than 100 levels"
    })
  })

  it("may have brackets and quotes in its texts", async () => {
    const body = { features: {}, config: { x: `${"[{".repeat(500)}"\\"` } }
    expect(await observed(() => json(body)).quay.GET("/config")).toEqual(body)
  })

  it.each([
    ['{"features": {}, "config": {"a": 1e400}}', { a: Number.POSITIVE_INFINITY }],
    ['\ufeff{"features": {}, "config": {"a": 1}}', { a: 1 }]
  ])("%s is read as JSON is", async (body, config) => {
    expect(await observed(() => text(body)).quay.GET("/config")).toEqual({ features: {}, config })
  })

  it("that is no UTF-8 is refused, and a refusal that is none still is one", async () => {
    const bytes = Buffer.from('{"features": {}, "config": {"a": "\xff\xfe"}}', "latin1")
    const headers = { "content-type": "application/json" }
    expect(await rejection(observed(() => new Response(bytes, { headers })).quay.GET("/config"))).toMatchObject({
      _tag: "DecodeError",
      message: expect.stringMatching(/^The answer is not UTF-8 text/)
    })
    expect(
      await rejection(observed(() => new Response(bytes, { status: 502, headers })).quay.GET("/config"))
    ).toBeInstanceOf(ServerError)
  })
})

it("no operation takes an answer that is not its own, or fails with anything but a fault", () => {
  const junk: readonly unknown[] = [null, 7, "x", true, [], {}, [null], { a: null }, [[{}]], { name: {}, teams: [] }]
  expect(Object.keys(answerShapes).length).toBeGreaterThan(130)
  for (const id of Object.keys(answerShapes)) {
    expect(faultIn(id, undefined), id).toMatch(/^it should be/)
    for (const value of junk) expect(["undefined", "string"], id).toContain(typeof faultIn(id, value))
  }
})

describe("a refusal", () => {
  it.each([
    ["nested without end", "[".repeat(1e5)],
    ["more than it can have to say", JSON.stringify({ message: "x".repeat(2_000_000) })],
    ["of values that are no text", '{"message": {"a": {"toString": 1, "valueOf": 2}}, "detail": 7, "error": {}}']
  ])("%s is one by its status", async (_, body) => {
    const { quay } = observed(
      () => new Response(body, { status: 500, headers: { "content-type": "application/json" } })
    )
    const error = await rejection(quay.GET("/config"))
    expect(error).toBeInstanceOf(ServerError)
    expect(error instanceof QuayError && error.message.length).toBeLessThan(2100)
  })
})

describe("a server", () => {
  const over = (
    listener: Parameters<typeof serving>[0],
    options: { readonly maxBytes?: number; readonly timeout?: number } = {}
  ): Promise<unknown> =>
    serving(listener, async (url) => {
      await using quay = createQuayClient({ url, ...options })
      return await rejection(quay.GET("/config"))
    })
  const type = { "content-type": "application/json" }

  it("that unpacks to more than may be read is stopped there", async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000, " "))
    expect(bomb.byteLength).toBeLessThan(1_000_000)
    const before = process.memoryUsage().rss
    const error = await over(
      (_, response) => response.writeHead(200, { ...type, "content-encoding": "gzip" }).end(bomb),
      {
        maxBytes: 1_000_000
      }
    )
    expect(error).toMatchObject({ _tag: "DecodeError", message: "The answer is larger than 1000000 bytes" })
    expect(process.memoryUsage().rss - before).toBeLessThan(80_000_000)
  })

  it("that announces too much is not listened to", async () => {
    let sent = 0
    const error = await over(
      (_, response) => {
        response.writeHead(200, { ...type, "content-length": "100000000" })
        response.write("{", () => sent++)
      },
      { maxBytes: 1_000_000 }
    )
    expect(error).toMatchObject({ message: "The answer is larger than 1000000 bytes" })
    expect(sent).toBe(1)
  })

  it.each<[string, Parameters<typeof serving>[0], object]>([
    [
      "lies about its packing",
      (_, response) => response.writeHead(200, { ...type, "content-encoding": "gzip" }).end("{}"),
      { _tag: "DecodeError", message: expect.stringMatching(/not compressed as its headers say/) }
    ],
    [
      "has headers without end",
      (request) => {
        request.socket.write("HTTP/1.1 200 OK\r\n")
        for (let i = 0; i < 1000; i++) request.socket.write(`x-${i}: ${"x".repeat(1000)}\r\n`)
      },
      { _tag: "DecodeError", message: expect.stringMatching(/headers are too large/) }
    ],
    [
      "promises more than it gives",
      (_, response) => {
        response.writeHead(200, { ...type, "content-length": "1000" }).write('{"features": {}, "config": {}}')
        setTimeout(() => response.destroy(), 20)
      },
      { _tag: "TransportError", transient: true }
    ],
    [
      "gives more than it promises",
      (request) =>
        request.socket.end(
          'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"features": {}, "config": {}}'
        ),
      { _tag: "DecodeError", message: "The answer is broken JSON" }
    ]
  ])("that %s is told of", async (_, listener, want) => {
    const error = await over(listener)
    expect(error).toBeInstanceOf(QuayError)
    expect(error).toMatchObject({ operation: "getConfig", ...want })
  })

  it("that drips is given up when the whole answer's time is over", async () => {
    const error = await over(
      (_, response) => {
        response.writeHead(200, type).write("{")
        const drip = setInterval(() => response.write(" "), 20)
        response.on("close", () => clearInterval(drip))
      },
      { timeout: 200 }
    )
    expect(error).toMatchObject({ _tag: "TransportError", reason: "timeout" })
  })

  it.each([301, 302, 303, 307, 308])(
    "that answers %i is not followed: not elsewhere, not to another path of its own",
    async (status) => {
      const reached: unknown[] = []
      await serving(
        (request, response) => void reached.push(request.headers, response.end("{}")),
        async (elsewhere) => {
          for (const location of [
            `${elsewhere}/config`,
            "/api/v1/user/",
            "//127.0.0.1/x",
            "ftp://x.example/",
            "\u00ff"
          ])
            await serving(
              (request, response) => {
                if (request.url !== "/config") reached.push(request.url)
                response.writeHead(status, { location }).end(JSON.stringify(configuration))
              },
              async (url) => {
                await using quay = createQuayClient({ url, token: "t0k3n-of-the-test" })
                expect(await rejection(quay.GET("/config"))).toMatchObject({ _tag: "Redirected", status })
              }
            )
        }
      )
      expect(reached).toEqual([])
    }
  )
})
