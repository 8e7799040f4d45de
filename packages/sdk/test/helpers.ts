/** What the tests share: a client over a handler instead of a network, and real servers on free ports. */
import { createServer, type RequestListener, type Server } from "node:http"
import type { Server as AnyServer } from "node:net"
import { createQuayClient, type QuayClient, type QuayClientOptions } from "../src/index.ts"

/** The least that `/config` answers. */
export const configuration = { features: {}, config: {} }

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } })

export const html = (status = 200, text = "<!doctype html>\n<title>page</title>"): Response =>
  new Response(text, { status, headers: { "content-type": "text/html; charset=utf-8" } })

export const observed = (
  handler: (request: Request) => Response | Promise<Response>,
  options: Partial<QuayClientOptions> = {}
): { quay: QuayClient; requests: Request[] } => {
  const requests: Request[] = []
  const fetch = async (request: Request): Promise<Response> => {
    requests.push(request.clone())
    return handler(request)
  }
  return {
    quay: createQuayClient({ url: "https://quay.example.com", token: "t0k3n-of-the-test", fetch, ...options }),
    requests
  }
}

/** What a promise rejects with; fails if it resolves. */
export const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error })
  )
  if ("error" in outcome) return outcome.error
  throw new Error(`resolved to ${JSON.stringify(outcome.value)}`)
}

export const listen = async (server: AnyServer): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("no port")
  return address.port
}

/** A plain HTTP server that is gone after `use`. */
export const serving = async <Result>(
  listener: RequestListener,
  use: (url: string, server: Server) => Promise<Result>
): Promise<Result> => {
  const server = createServer(listener)
  const port = await listen(server)
  try {
    return await use(`http://127.0.0.1:${port}`, server)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
