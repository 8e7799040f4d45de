/**
 * Secrets that are planted wherever one can come in, and looked for in all that comes out: stdout, stderr, plans, events, journals,
 * exports, at every verbosity, whether it goes well or not. A registry that says back all it hears is the worst case.
 */
import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { createSimulator, type Simulator, serveSimulator } from "quaymaster/simulator"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Ended, makeWorld, type World } from "./host.ts"

/** Each is found in whatever form it is written; none is part of another. */
const canary = (name: string): string => `canary/${name}+${"z9".repeat(8)}=`

const TOKEN = "CANARYTOKEN0CANARYTOKEN0CANARYTOKEN0AAAA"
const OTHER = "CANARYOTHER0CANARYOTHER0CANARYOTHER0AAAA"

const SECRETS: Readonly<Record<string, string>> = {
  token: TOKEN,
  other: OTHER,
  hook: `https://hooks.example.com/${canary("hook")}`,
  slack: `https://slack.example.com/${canary("slack")}`,
  mirror: canary("mirror"),
  cache: canary("cache"),
  userinfo: "canary-userinfo-z9z9z9",
  inline: "canary-inline-z9z9z9",
  file: "canary-file-z9z9z9"
}

const forms = (secret: string): ReadonlyArray<string> => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString("base64").replace(/=+$/, "")
]

const ORGANIZATION = `organization: acme
robots:
  ci: { description: Builds }
  mirror: {}
applications:
  console: { uri: "https://console.example.com" }
notifications:
  - { event: quota_warning, method: slack, config: { url: { env: SLACK } }, title: quota }
quota: { limit: 1GiB, warning: 80 }
repositories:
  app:
    visibility: private
    permissions: { robots: { ci: write } }
    notifications:
      - { event: repo_push, method: webhook, config: { url: { env: HOOK } }, title: pushes }
  alpine:
    state: mirror
    mirror:
      source: docker.io/library/alpine
      tags: [latest]
      robot: mirror
      username: { env: MIRROR_USER }
      password: { file: ./mirror.txt }
---
organization: cache
proxy_cache:
  upstream: docker.io
  username: { env: MIRROR_USER }
  password: { env: CACHE }
`

let world: World
let simulator: Simulator
let served: Awaited<ReturnType<typeof serveSimulator>>
let told: Array<Ended>

beforeEach(async () => {
  world = await makeWorld()
  told = []
  await world.write("acme.yaml", ORGANIZATION)
  await world.write("mirror.txt", `${SECRETS["mirror"]}\n`)
  await world.write("token.txt", `${OTHER}\n`)
  simulator = createSimulator({
    users: [{ name: "admin", superuser: true }],
    tokens: [TOKEN, OTHER].map((token) => ({ token, user: "admin" }))
  })
  served = await serveSimulator(simulator)
})
afterEach(async () => {
  await served.close()
  await world[Symbol.asyncDispose]()
})

const env = (url: string) => ({
  QUAY_URL: url,
  QUAY_TOKEN: TOKEN,
  HOOK: SECRETS["hook"],
  SLACK: SECRETS["slack"],
  MIRROR_USER: "puller",
  CACHE: SECRETS["cache"]
})

const run = async (line: string, url = served.url, answer?: string): Promise<Ended> => {
  const ended = await world.run(line, { env: env(url), answer })
  told.push(ended)
  return ended
}

/** Files that secrets are in because somebody put them there, or wants them there. */
const GIVEN = new Set(["mirror.txt", "token.txt", "ci.json", "settings-token.txt"])

const filesOf = async (): Promise<ReadonlyArray<readonly [name: string, text: string]>> => {
  const entries = await readdir(world.folder, { recursive: true, withFileTypes: true })
  return await Promise.all(
    entries
      .filter((it) => it.isFile() && !GIVEN.has(it.name))
      .map(async (it) => [it.name, await readFile(join(it.parentPath, it.name), "utf8")] as const)
  )
}

/** What the registry has made: tokens of robot accounts, and the secrets of applications. */
const made = (): ReadonlyArray<string> => {
  const found: Array<string> = []
  const walk = (value: unknown, key: string): void => {
    if (typeof value === "string") {
      if (/token|secret/.test(key) && value.length > 15) found.push(value)
    } else if (typeof value === "object" && value !== null)
      for (const [name, part] of Object.entries(value)) walk(part, name)
  }
  walk(simulator.snapshot().organizations, "")
  return found
}

/** Where a secret stands, in all that came out. */
const leaks = async (...written: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const places = [
    ...told.flatMap(
      ({ stderr, stdout }, i): ReadonlyArray<readonly [string, string]> => [
        [`stdout ${i}`, stdout],
        [`stderr ${i}`, stderr]
      ]
    ),
    ...(await filesOf()).filter(([name]) => !written.includes(name))
  ]
  const secrets = [...Object.entries(SECRETS), ...made().map((it, i) => [`made ${i}`, it] as const)]
  return secrets.flatMap(([name, secret]) =>
    places.flatMap(([place, text]) =>
      forms(secret).some((form) => text.includes(form)) ? [`${name} in ${place}: ${text}`] : []
    )
  )
}

/** A registry that answers with all that it was asked, once it is told to from some request on. */
const echo = async (status: number, when: (request: IncomingMessage) => boolean) => {
  const server: Server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", async () => {
      const body = Buffer.concat(chunks)
      const { host: _host, ...headers } = request.headers
      if (when(request)) {
        const message = JSON.stringify({ headers, url: request.url, body: body.toString() })
        response.writeHead(status, {
          "content-type": "application/json",
          location: `/x?${encodeURIComponent(message)}`
        })
        response.end(JSON.stringify({ message, error_message: message, detail: message }))
        return
      }
      const answer = await fetch(`${served.url}${request.url}`, {
        method: request.method ?? "GET",
        headers: Object.entries(headers).flatMap(
          ([name, value]): Array<[string, string]> =>
            typeof value === "string" && name !== "connection" && name !== "content-length" ? [[name, value]] : []
        ),
        ...(body.byteLength === 0 ? {} : { body })
      })
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" })
      response.end(Buffer.from(await answer.arrayBuffer()))
    })
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    }
  }
}

describe("nothing that is secret comes out", () => {
  test("where all goes well", async () => {
    expect((await run("quay-plan -v --events e1 -o plan.json acme.yaml")).code).toBe(0)
    expect(await run("quay-apply -v --yes --events e2 --journal journal plan.json")).toMatchObject({ code: 0 })
    expect(made().length).toBeGreaterThan(2)
    for (const line of [
      "quay-plan -v --json acme.yaml",
      "quay-plan --token-file token.txt acme.yaml",
      "quay-plan -v --write-secrets proxy-cache:cache --write-secrets repository-mirror:acme/alpine acme.yaml",
      "quay-apply --yes -v --json --events e3 --write-secrets proxy-cache:cache acme.yaml",
      "quaymaster export acme cache -o out",
      "quaymaster export acme",
      "quaymaster validate -v acme.yaml",
      "quaymaster explain"
    ])
      expect(await run(line), line).toMatchObject({ code: 0 })
    // The registry's copies have changed behind our back: what differs is told, and not by what.
    for (const repository of Object.values(simulator.snapshot().organizations)) expect(repository).toBeDefined()
    await world.write(
      "less.yaml",
      "organization: acme\nprune: [robots]\nrobots: {}\nnotifications: []\nrepositories: { app: { notifications: [] } }\n"
    )
    await run("quay-plan -v less.yaml")
    expect(await leaks()).toEqual([])
  })

  test("where a robot account's token is made anew and delivered", async () => {
    await world.write(
      "robots.yaml",
      "organization: acme\nrobots: { ci: { deliver: [{ docker_config: ./ci.json }] } }\n"
    )
    expect(await run("quay-apply --yes -v --events e1 robots.yaml")).toMatchObject({ code: 0 })
    expect((await run("quay-plan -v robots.yaml")).code).toBe(0)
    const before = made()
    expect((await run("quaymaster robot rotate --yes -v --events e2 acme/ci robots.yaml")).code).toBe(0)
    expect(made()).not.toEqual(before)
    await writeFile(join(world.folder, "ci.json"), JSON.stringify({ auths: { x: { auth: SECRETS["file"] } } }))
    await run("quay-plan -v robots.yaml")
    expect(await leaks()).toEqual([])
    for (const token of before) for (const { stderr, stdout } of told) expect(stdout + stderr).not.toContain(token)
  })

  test.each([400, 401, 403, 404, 409, 302])("where the registry says back with %i what it is asked", async (status) => {
    await run("quay-plan -o plan.json acme.yaml")
    {
      await using registry = await echo(status, () => true)
      for (const line of ["quay-plan -v --events e1 acme.yaml", "quaymaster export acme"]) {
        expect((await run(line, registry.url)).code).not.toBe(0)
      }
    }
    await using writes = await echo(status, ({ method }) => method !== "GET")
    await run("quay-plan -o plan2.json acme.yaml", writes.url)
    expect((await run("quay-apply --yes -v --events e2 --journal j2 plan2.json", writes.url)).code).toBe(4)
    await run("quay-apply --yes -v --json --events e3 acme.yaml", writes.url)
    expect(await leaks()).toEqual([])
  })

  test("where a secret of an earlier request is said back by a later one", async () => {
    let seen = ""
    await using registry = await echo(400, ({ method, url }) => {
      if (method !== "GET") seen = url ?? ""
      return method === "GET" && seen !== "" && /repository|organization/.test(url ?? "")
    })
    await run("quay-apply --yes -v --events e acme.yaml", registry.url)
    expect(await leaks()).toEqual([])
  })

  test("where a secret is written in a file instead of a reference to it", async () => {
    const inline = SECRETS["inline"]
    const texts = [
      `organization: acme\nproxy_cache: { upstream: docker.io, username: u, password: ${inline} }\n`,
      `organization: acme\nproxy_cache: { upstream: docker.io, username: u, password: { env: ${inline} } }\n`,
      `organization: acme\nproxy_cache: { upstream: docker.io, username: u, password: { value: ${inline} } }\n`,
      `organization: acme\nproxy_cache: { upstream: docker.io, username: u, password: [${inline}] }\n`,
      `organization: acme\nrepositories: { a: { state: mirror, mirror: { source: d.io/a, tags: [x], robot: r, username: u, password: ${inline} } } }\n`,
      `organization: acme\nrepositories: { a: { state: mirror, mirror: { source: d.io/a, tags: [x], robot: r, proxy: { https: "http://u:${inline}@proxy.example" } } } }\n`,
      `organization: acme\nrepositories: { a: { notifications: [{ event: repo_push, method: slack, config: { url: "https://hooks.example/${inline}" } }] } }\n`,
      `organization: acme\nrepositories: { a: { notifications: [{ event: repo_push, method: webhook, config: { url: "https://u:${inline}@hooks.example/x" } }] } }\n`,
      `organization: acme\nrepositories: { a: { notifications: [{ event: repo_push, method: webhook, config: { url: "https://hooks.example/x?token=${inline}" } }] } }\n`,
      `organization: acme\nrepositories: { a: { notifications: [{ event: repo_push, method: flowdock, config: { flow_api_token: ${inline} } }] } }\n`,
      `organization: acme\nrepositories: { a: { notifications: [{ event: repo_push, method: hipchat, config: { notification_token: ${inline}, room_id: "1" } }] } }\n`,
      `organization: acme\nregistry: "https://u:${inline}@quay.example.com"\n`
    ]
    for (const text of texts) {
      await world.write("inline.yaml", text)
      for (const line of ["quaymaster validate -v inline.yaml", "quay-plan -v -o inline.json inline.yaml"]) {
        const ended = await run(line)
        expect(ended.code, `${line} ${text}`).not.toBe(0)
      }
    }
    expect(await leaks("inline.yaml")).toEqual([])
  })

  test("where settings hold one instead of a reference to it", async () => {
    const inline = SECRETS["inline"]
    const texts = [
      `registries: { x: { url: "https://quay.example.com", token: ${inline} } }\n`,
      `registries: { x: { url: "https://quay.example.com", token: { value: ${inline} } } }\n`,
      `registries: { x: { url: "https://u:${inline}@quay.example.com" } }\n`,
      `registries: { x: { url: "https://quay.example.com?token=${inline}" } }\n`,
      `registries: { x: { url: "https://quay.example.com", proxy: "http://u:${inline}@proxy.example.com" } }\n`
    ]
    for (const text of texts) {
      await world.write("quaymaster.yaml", text)
      expect((await run("quay-plan -v acme.yaml")).code, text).toBe(1)
    }
    expect(await leaks("quaymaster.yaml")).toEqual([])
  })

  test("where a URL has a password in it, or a file is another than it should be", async () => {
    const url = `https://u:${SECRETS["userinfo"]}@quay.example.com`
    await run("quay-plan -o plan.json acme.yaml")
    for (const line of [
      `quay-plan -v --registry ${url} acme.yaml`,
      `quay-apply -v --yes --registry ${url} plan.json`,
      `quaymaster export -v --registry ${url} acme`
    ])
      expect((await run(line)).code, line).not.toBe(0)
    for (const line of ["quay-plan -v acme.yaml", "quay-apply -v --yes acme.yaml"])
      expect((await run(line, url)).code).not.toBe(0)
    await writeFile(
      join(world.folder, "secret.json"),
      `{"format": "quaymaster-plan/1", "token": "${SECRETS["file"]}" ${SECRETS["file"]}`
    )
    await writeFile(join(world.folder, "secret.yaml"), `${SECRETS["file"]}\n`)
    for (const line of [
      "quay-apply -v --yes secret.json",
      "quay-plan -v secret.yaml",
      "quay-plan -v --token-file acme.yaml acme.yaml"
    ])
      expect((await run(line)).code, line).not.toBe(0)
    await rm(join(world.folder, "secret.json"))
    await rm(join(world.folder, "secret.yaml"))
    expect(await leaks()).toEqual([])
  })
})
