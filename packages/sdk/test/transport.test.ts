/** Connections of our own, against real servers: limits, aborts, certificates, proxies, redirects. */
import { execFile } from "node:child_process"
import { createServer as createHttpServer } from "node:http"
import { createSecureServer } from "node:http2"
import { createServer as createTlsServer } from "node:https"
import { connect, createServer as createTcpServer } from "node:net"
import { afterEach, describe, expect, it, vi } from "vitest"
import { createQuayClient, DecodeError, Redirected } from "../src/index.ts"
import { selfSigned } from "./certificate.ts"
import { configuration, listen, rejection, serving } from "./helpers.ts"

const path = { orgname: "acme" }
const answer = JSON.stringify(configuration)
const token = "t0k3n-of-the-test"

afterEach(() => vi.unstubAllEnvs())

describe("a plain server", () => {
  it("is spoken to with the token, and connections are reused and closed", async () => {
    let connections = 0
    const seen: unknown[] = []
    await serving(
      (request, response) => {
        seen.push(request.headers.authorization, request.headers["user-agent"])
        response.setHeader("content-type", "application/json").end(answer)
      },
      async (url, server) => {
        server.on("connection", () => connections++)
        await using quay = createQuayClient({ url, token, userAgent: "test/1" })
        for (let count = 0; count < 10; count++) expect(await quay.GET("/config")).toEqual(configuration)
      }
    )
    expect(new Set(seen)).toEqual(new Set([`Bearer ${token}`, "test/1"]))
    // A call that follows at once can find the first connection not yet free.
    expect(connections).toBeLessThanOrEqual(2)
  })

  it("gets a new connection when the old one was idle for longer than we keep it", async () => {
    let connections = 0
    await serving(
      (_, response) => response.setHeader("content-type", "application/json").end(answer),
      async (url, server) => {
        server.on("connection", () => connections++)
        await using quay = createQuayClient({ url, keepAlive: 20 })
        await quay.GET("/config")
        await new Promise((done) => setTimeout(done, 300))
        await quay.GET("/config")
        await using other = createQuayClient({ url, keepAlive: false })
        await other.GET("/config")
        await other.GET("/config")
      }
    )
    expect(connections).toBe(4)
  })

  it("that is slow is given up, and an abort closes the socket", async () => {
    let closed = 0
    await serving(
      (_, response) => response.on("close", () => closed++),
      async (url) => {
        await using quay = createQuayClient({ url, timeout: 50 })
        expect(await rejection(quay.GET("/config"))).toMatchObject({
          _tag: "TransportError",
          reason: "timeout",
          mayHaveHappened: false
        })
        const controller = new AbortController()
        setTimeout(() => controller.abort("enough"), 20)
        await using patient = createQuayClient({ url })
        expect(await rejection(patient.GET("/config", { signal: controller.signal }))).toBe("enough")
        await vi.waitFor(() => expect(closed).toBe(2), 10_000)
      }
    )
  })

  it("that is slow in the middle of its answer is given up too", async () => {
    await serving(
      (_, response) => void response.setHeader("content-type", "application/json").write('{"features'),
      async (url) => {
        await using quay = createQuayClient({ url, timeout: 50 })
        expect(await rejection(quay.GET("/config"))).toMatchObject({ _tag: "TransportError", reason: "timeout" })
      }
    )
  })

  it("that drops the connection, or is not there, is a transport error", async () => {
    const gone = await serving(
      (request) => request.socket.destroy(),
      async (url) => {
        await using quay = createQuayClient({ url })
        const error = await rejection(quay.PUT("/api/v1/organization/{orgname}", { params: { path }, body: {} }))
        expect(error).toMatchObject({ _tag: "TransportError", reason: "reset", transient: true, mayHaveHappened: true })
        return url
      }
    )
    await using quay = createQuayClient({ url: gone })
    const error = await rejection(quay.PUT("/api/v1/organization/{orgname}", { params: { path }, body: {} }))
    expect(error).toMatchObject({
      reason: "refused",
      transient: true,
      mayHaveHappened: false,
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ refused/)
    })
    await using nameless = createQuayClient({ url: "http://quay.invalid" })
    expect(await rejection(nameless.GET("/config"))).toMatchObject({ reason: "dns" })
  })

  it("that answers without end is stopped", async () => {
    await serving(
      (_, response) => {
        response.setHeader("content-type", "application/json")
        const more = (): void => {
          if (!response.destroyed) response.write("x".repeat(65_536), () => setImmediate(more))
        }
        more()
      },
      async (url) => {
        await using quay = createQuayClient({ url, maxBytes: 1_000_000 })
        expect(await rejection(quay.GET("/config"))).toBeInstanceOf(DecodeError)
      }
    )
  })

  it("that points elsewhere is not followed, and the token stays here", async () => {
    const reached: unknown[] = []
    await serving(
      (request, response) => void reached.push(request.headers.authorization, response.end("{}")),
      async (elsewhere) => {
        await serving(
          (_, response) => response.writeHead(307, { location: `${elsewhere}/api/v1/user/` }).end(),
          async (url) => {
            await using quay = createQuayClient({ url, token })
            const error = await rejection(quay.GET("/api/v1/user/"))
            expect(error).toBeInstanceOf(Redirected)
            expect(error).toMatchObject({ location: `${elsewhere}/api/v1/user/`, status: 307 })
          }
        )
      }
    )
    expect(reached).toEqual([])
  })
})

describe("TLS", () => {
  it("trusts what it is told to, and nothing else", async () => {
    const { cert, key } = selfSigned()
    const server = createTlsServer({ cert, key }, (_, response) =>
      response.setHeader("content-type", "application/json").end(answer)
    )
    const url = `https://127.0.0.1:${await listen(server)}`
    try {
      await using wary = createQuayClient({ url })
      expect(await rejection(wary.PUT("/api/v1/organization/{orgname}", { params: { path }, body: {} }))).toMatchObject(
        {
          _tag: "TransportError",
          reason: "tls",
          transient: false,
          mayHaveHappened: false
        }
      )
      await using trusting = createQuayClient({ url, tls: { ca: cert } })
      expect(await trusting.GET("/config")).toEqual(configuration)
      await using other = createQuayClient({ url, tls: { ca: [selfSigned().cert] } })
      expect(await rejection(other.GET("/config"))).toMatchObject({ reason: "tls" })
      await using careless = createQuayClient({ url, tls: { verify: false } })
      expect(await careless.GET("/config")).toEqual(configuration)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it("speaks HTTP/2 where it is asked to", async () => {
    const { cert, key } = selfSigned()
    const versions: string[] = []
    const server = createSecureServer({ cert, key, allowHTTP1: true }, (request, response) => {
      versions.push(request.httpVersion)
      response.setHeader("content-type", "application/json")
      response.end(answer)
    })
    const url = `https://127.0.0.1:${await listen(server)}`
    try {
      for (const http2 of [true, false]) {
        await using quay = createQuayClient({ url, http2, tls: { ca: cert } })
        await quay.GET("/config")
      }
      expect(versions).toEqual(["2.0", "1.1"])
    } finally {
      server.close()
    }
  })
})

describe("a proxy", () => {
  /** A proxy that tunnels and forwards, and notes for whom. */
  const withProxy = async (use: (proxy: string, asked: string[]) => Promise<void>): Promise<void> => {
    const asked: string[] = []
    const proxy = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.setHeader("content-type", "application/json").end(answer)
    })
    proxy.on("connect", (request, socket) => {
      asked.push(`CONNECT ${request.url}`)
      const [host = "", port = ""] = (request.url ?? "").split(":")
      const upstream = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
        upstream.pipe(socket)
        socket.pipe(upstream)
      })
      for (const end of [upstream, socket]) end.on("error", () => socket.destroy())
    })
    const port = await listen(proxy)
    try {
      await use(`http://127.0.0.1:${port}`, asked)
    } finally {
      proxy.closeAllConnections()
      proxy.close()
    }
  }

  const server = <Result>(use: (url: string) => Promise<Result>): Promise<Result> =>
    serving((_, response) => response.setHeader("content-type", "application/json").end(answer), use)

  it("is taken from the environment, with its exceptions", async () => {
    await withProxy(async (proxy, asked) =>
      server(async (url) => {
        vi.stubEnv("HTTP_PROXY", proxy)
        vi.stubEnv("http_proxy", proxy)
        vi.stubEnv("NO_PROXY", "")
        vi.stubEnv("no_proxy", "")
        await using quay = createQuayClient({ url })
        await quay.GET("/config")
        expect(asked).toHaveLength(1)
        vi.stubEnv("NO_PROXY", "127.0.0.1")
        vi.stubEnv("no_proxy", "127.0.0.1")
        await using direct = createQuayClient({ url })
        await direct.GET("/config")
        expect(asked).toHaveLength(1)
      })
    )
  })

  it("is the one that is named, or none", async () => {
    await withProxy(async (proxy, asked) =>
      server(async (url) => {
        vi.stubEnv("HTTP_PROXY", "http://127.0.0.1:9")
        vi.stubEnv("http_proxy", "http://127.0.0.1:9")
        vi.stubEnv("NO_PROXY", "*")
        await using quay = createQuayClient({ url, proxy })
        await quay.GET("/config")
        expect(asked).toHaveLength(1)
        vi.stubEnv("NO_PROXY", "")
        await using none = createQuayClient({ url, proxy: false })
        await none.GET("/config")
        expect(asked).toHaveLength(1)
      })
    )
  })

  it("does not see the token on its way to an https registry", async () => {
    const { cert, key } = selfSigned()
    const secure = createTlsServer({ cert, key }, (_, response) =>
      response.setHeader("content-type", "application/json").end(answer)
    )
    const port = await listen(secure)
    try {
      await withProxy(async (proxy, asked) => {
        await using quay = createQuayClient({ url: `https://127.0.0.1:${port}`, proxy, token, tls: { ca: cert } })
        expect(await quay.GET("/config")).toEqual(configuration)
        expect(asked).toEqual([`CONNECT 127.0.0.1:${port}`])
      })
    } finally {
      secure.closeAllConnections()
      secure.close()
    }
  })
})

it("undici is loaded with the first request that needs it, and not before", async () => {
  const program = `
    import { createRequire } from "node:module"
    const { createQuayClient } = await import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)})
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes("undici"))
    const answer = async () => new Response(${JSON.stringify(answer)}, { headers: { "content-type": "application/json" } })
    await createQuayClient({ url: "https://quay.example.com", fetch: answer }).GET("/config")
    const quay = createQuayClient({ url: "http://127.0.0.1:9" })
    const before = loaded()
    await quay.GET("/config").catch(() => {})
    console.log(before, loaded())`
  const output = await new Promise((done, fail) => {
    execFile(process.execPath, ["--input-type=module", "-e", program], (error, out) =>
      error ? fail(error) : done(out.trim())
    )
  })
  expect(output).toBe("false true")
})

it("a server that speaks something else is a transport error", async () => {
  const server = createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n"))
  const port = await listen(server)
  try {
    await using quay = createQuayClient({ url: `http://127.0.0.1:${port}` })
    expect(await rejection(quay.GET("/config"))).toMatchObject({ _tag: "TransportError" })
  } finally {
    server.close()
  }
})
