// A simulator on a port, over plain HTTP/1.1. Leaves out TLS and HTTP/2.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Incoming } from "./call.ts"
import { internalErrorPage } from "./errors.ts"
import { bearer, ConnectionDropped, decodePath, type Simulator } from "./simulator.ts"

/** A real server closes kept-alive connections after about so many milliseconds. */
const IDLE = 2_000

export interface ServedSimulator {
  readonly url: string
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** The port could not be had. */
export class ServeError extends Error {
  override readonly name = "ServeError"
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk)))
  return Buffer.concat(chunks).toString("utf8")
}

const fromMessage = async (request: IncomingMessage, url: string, signal: AbortSignal): Promise<Incoming> => {
  const [path = "/", ...query] = (request.url ?? "/").split("?")
  return {
    method: request.method ?? "GET",
    path: decodePath(path),
    query: new URLSearchParams(query.join("?")),
    origin: url,
    token: bearer(request.headers.authorization),
    contentType: request.headers["content-type"],
    cookie: request.headers.cookie,
    csrf: [request.headers["x-csrf-token"]].flat()[0],
    body: await readBody(request),
    signal
  }
}

const respond = async (
  simulator: Simulator,
  url: string,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> => {
  const gone = new AbortController()
  response.on("close", () => gone.abort())
  try {
    const reply = await simulator.answer(await fromMessage(request, url, gone.signal))
    const length = request.method === "HEAD" ? {} : { "content-length": Buffer.byteLength(reply.body) }
    response.writeHead(reply.status, { ...reply.headers, ...length })
    response.end(reply.body)
  } catch (error) {
    if (error instanceof ConnectionDropped || gone.signal.aborted) {
      request.socket.destroy()
      return
    }
    const reply = internalErrorPage()
    response.writeHead(reply.status, reply.headers)
    response.end(reply.body)
  }
}

const listen = (server: Server, port: number, host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new ServeError(`cannot serve on ${host}:${port}`, { cause })))
    server.listen(port, host, () => {
      const address = server.address()
      const chosen = typeof address === "object" && address !== null ? address.port : port
      resolve(`http://${host.includes(":") ? `[${host}]` : host}:${chosen}`)
    })
  })

/** Serves a simulator; port 0 takes any that is free. */
export const serveSimulator = async (
  simulator: Simulator,
  { port = 0, host = "127.0.0.1" }: { readonly port?: number; readonly host?: string } = {}
): Promise<ServedSimulator> => {
  let url = ""
  const server = createServer({ keepAliveTimeout: IDLE }, (request, response) => {
    void respond(simulator, url, request, response)
  })
  url = await listen(server, port, host)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url, close, [Symbol.asyncDispose]: close }
}
