/** The client over a handler: what it sends, what it resolves to, what it rejects with. */
import { readFile } from "node:fs/promises"
import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import {
  createQuayClient,
  DecodeError,
  FeatureOff,
  Invalid,
  Missing,
  OptionError,
  QuayError,
  Redirected,
  TransportError,
  version
} from "../src/index.ts"
import { configuration, html, json, observed, rejection, serving } from "./helpers.ts"

const path = { orgname: "acme" }
const secret = "t0k3n-of-the-test"

describe("a request", () => {
  it("carries the token, a name that is no browser's, and JSON", async () => {
    const { quay, requests } = observed(() => json("Created", 201))
    expect(await quay.POST("/api/v1/organization/", { body: { name: "acme" } })).toBe("Created")
    const [request] = requests
    expect(request?.headers.get("authorization")).toBe(`Bearer ${secret}`)
    expect(request?.headers.get("user-agent")).toBe(`quaymaster/${version}`)
    expect(request?.headers.get("content-type")).toBe("application/json")
    expect(await request?.json()).toEqual({ name: "acme" })
    expect(request?.redirect).toBe("manual")
  })

  it("has no type without a body", async () => {
    const { quay, requests } = observed(() => json(configuration))
    await quay.GET("/config")
    expect(requests[0]?.headers.get("content-type")).toBeNull()
  })

  it("asks for the token each time if it is a function", async () => {
    let count = 0
    const { quay, requests } = observed(() => json(configuration), { token: async () => `token-${++count}\n` })
    await quay.GET("/config")
    await quay.GET("/config")
    expect(requests.map((request) => request.headers.get("authorization"))).toEqual([
      "Bearer token-1",
      "Bearer token-2"
    ])
  })

  it("carries none for an anonymous visitor", async () => {
    const requests: Request[] = []
    const quay = createQuayClient({
      url: "https://quay.example.com",
      fetch: async (request) => {
        requests.push(request)
        return json(configuration)
      }
    })
    await quay.GET("/config")
    expect(requests[0]?.headers.get("authorization")).toBeNull()
  })

  it("carries none to another origin", async () => {
    const { quay, requests } = observed(() => json({}))
    await quay.raw.GET("/config", { baseUrl: "https://elsewhere.example.com" })
    expect(requests[0]?.headers.get("authorization")).toBeNull()
  })

  it("has a version that its package has", async () => {
    const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"))
    expect(manifest).toMatchObject({ version })
  })
})

describe("options that cannot work", () => {
  it.each([
    ["a browser's name", { userAgent: "Mozilla/5.0" }],
    ["a timeout of nothing", { timeout: 0 }],
    ["an empty token", { token: " " }],
    ["a token with a line break", { token: "a\nb" }],
    ["a proxy that is no URL", { proxy: "proxy" }]
  ])("%s", (_, options) => {
    expect(() => createQuayClient({ url: "https://quay.example.com", ...options })).toThrow(OptionError)
  })
})

describe("an answer", () => {
  it("without a body is undefined", async () => {
    const { quay } = observed(() => new Response(null, { status: 204 }))
    expect(await quay.DELETE("/api/v1/organization/{orgname}", { params: { path } })).toBeUndefined()
    const created = observed(() => html(201, ""))
    const body = { message: { content: "x", media_type: "text/plain", severity: "info" } } as const
    expect(await created.quay.POST("/api/v1/messages", { body })).toBeUndefined()
  })

  it.each<
    [string, () => Response, typeof DecodeError | typeof Redirected | typeof FeatureOff | typeof Missing, RegExp]
  >([
    ["a sign-in page", () => html(200), DecodeError, /page came/],
    [
      "broken JSON",
      () => new Response('{"name": "ac', { headers: { "content-type": "application/json" } }),
      DecodeError,
      /broken JSON/
    ],
    ["too much", () => json("x".repeat(2000)), DecodeError, /larger than 1000 bytes/],
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "https://sso.example.com/login?next=x" } }),
      Redirected,
      /sso\.example\.com\/login,/
    ],
    [
      "a route that is not there",
      () =>
        new Response("", { status: 308, headers: { location: "https://quay.example.com/api/v1/organization/acme/" } }),
      FeatureOff,
      /does not serve/
    ],
    ["a JSON 404", () => json({ detail: "Not Found" }, 404), Missing, /Not found/],
    ["an HTML 404", () => html(404), FeatureOff, /does not serve/]
  ])("that is %s is an error", async (_, response, type, message) => {
    const { quay } = observed(response, { maxBytes: 1000 })
    const error = await rejection(quay.GET("/api/v1/organization/{orgname}", { params: { path } }))
    expect(error).toBeInstanceOf(type)
    expect(error).toBeInstanceOf(QuayError)
    expect(error).toMatchObject({
      operation: "getOrganization",
      path: "/api/v1/organization/{orgname}",
      message: expect.stringMatching(message)
    })
  })

  it("is left to the caller by the raw client", async () => {
    const { quay } = observed(() => json({ message: "no" }, 400))
    const { data, error, response } = await quay.raw.GET("/api/v1/organization/{orgname}", { params: { path } })
    expect(data).toBeUndefined()
    expect(error).toEqual({ message: "no" })
    expect(response.status).toBe(400)
  })

  it("that never comes is a transport error", async () => {
    const { quay } = observed(() =>
      Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNRESET" }) }))
    )
    const error = await rejection(quay.PUT("/api/v1/organization/{orgname}", { params: { path }, body: {} }))
    expect(error).toMatchObject({ _tag: "TransportError", reason: "reset", transient: true, mayHaveHappened: true })
  })
})

describe("secrets", () => {
  it("are in no error, however it is printed", async () => {
    const says = (text: string) => () => json({ message: text }, 400)
    const robot = { robot_shortname: "ci", orgname: "acme" }
    const errors = [
      await rejection(
        observed(says(`Bearer ${secret} is bad`)).quay.GET("/api/v1/organization/{orgname}", { params: { path } })
      ),
      await rejection(
        observed(() => html(200, `<p>${secret}</p>`)).quay.GET("/api/v1/organization/{orgname}", { params: { path } })
      ),
      await rejection(
        observed(
          () => new Response(`{"token": "robot-s3cret`, { headers: { "content-type": "application/json" } })
        ).quay.GET("/api/v1/organization/{orgname}/robots/{robot_shortname}", { params: { path: robot } })
      ),
      await rejection(
        observed(says("{'upstream_registry_password': 'hunter2-pass'} is wrong")).quay.POST(
          "/api/v1/organization/{orgname}/proxycache",
          {
            params: { path },
            body: { upstream_registry: "docker.io", upstream_registry_password: "hunter2-pass" }
          }
        )
      ),
      await rejection(
        observed(
          () => new Response(null, { status: 302, headers: { location: `https://x.example/${secret}?t=${secret}` } })
        ).quay.GET("/config")
      )
    ]
    for (const error of errors) {
      expect(error).toBeInstanceOf(QuayError)
      const printed = `${inspect(error, { depth: 9, showHidden: true })} ${String(error)} ${JSON.stringify(error)}`
      expect(printed).not.toContain(secret)
      expect(printed).not.toContain("hunter2-pass")
      expect(printed).not.toContain("robot-s3cret")
    }
    expect(errors[3]).toBeInstanceOf(Invalid)
  })

  it("that were sent once are in no later error, in whatever form they are written", async () => {
    const password = 'hunter2 "pass" ü/+='
    let said = ""
    const { quay } = observed(() => (said === "" ? json({}, 201) : json({ message: said }, 400)))
    const url = "https://hooks.example.com/s3cret"
    const repository = "acme/app"
    const body = { event: "repo_push", method: "webhook", config: { url }, eventConfig: {} }
    await quay
      .POST("/api/v1/repository/{repository}/notification/", { params: { path: { repository } }, body })
      .catch(() => {})
    await quay
      .POST("/api/v1/organization/{orgname}/proxycache", {
        params: { path },
        body: { upstream_registry: "docker.io", upstream_registry_password: password }
      })
      .catch(() => {})
    const forms = [
      password,
      JSON.stringify(password),
      encodeURIComponent(password),
      Buffer.from(password).toString("base64")
    ]
    said = `${forms.join(" ")} and ${url} for bob`
    const error = await rejection(quay.GET("/api/v1/organization/{orgname}", { params: { path } }))
    expect(error).toMatchObject({ message: '<secret> "<secret>" <secret> <secret>= and <secret> for bob' })
  })

  it("of a proxy are in no error, whatever it answers", async () => {
    const credentials = `bob:${encodeURIComponent("pr0xy/s3cret")}`
    await serving(
      (request, response) =>
        void response
          .writeHead(400, { "content-type": "application/json" })
          .end(JSON.stringify({ message: request.headers })),
      async (proxy, server) => {
        server.on("connect", (request, socket) => socket.end(`HTTP/1.1 407 ${JSON.stringify(request.headers)}\r\n\r\n`))
        for (const at of [proxy, "http://127.0.0.1:9"])
          for (const url of ["http://quay.example.com", "https://quay.example.com"]) {
            await using quay = createQuayClient({
              url,
              proxy: at.replace("//", `//${credentials}@`),
              timeout: 5000,
              token: secret
            })
            const error = await rejection(quay.GET("/config"))
            expect(error).toBeInstanceOf(QuayError)
            for (const thing of [error, quay]) {
              const printed = inspect(thing, { depth: 12, showHidden: true })
              for (const form of ["pr0xy", Buffer.from("bob:pr0xy/s3cret").toString("base64"), secret])
                expect(printed).not.toContain(form)
            }
          }
      }
    )
  })

  it("are not in the client itself", () => {
    expect(inspect(observed(() => json({})).quay, { depth: 9, showHidden: true })).not.toContain(secret)
  })
})

describe("an abort", () => {
  it("rejects with the caller's reason, before and while waiting", async () => {
    const reason = { mine: true }
    const { quay, requests } = observed(() => new Promise(() => {}))
    expect(await rejection(quay.GET("/config", { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(requests).toHaveLength(0)
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 5)
    expect(await rejection(quay.GET("/config", { signal: controller.signal }))).toBe(reason)
  })

  it("differs from a limit that has passed", async () => {
    const { quay } = observed(() => new Promise(() => {}), { timeout: 10 })
    const error = await rejection(quay.PUT("/api/v1/organization/{orgname}", { params: { path }, body: {} }))
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({
      reason: "timeout",
      transient: true,
      mayHaveHappened: true,
      message: expect.stringMatching(/10 ms/)
    })
  })
})
