/** The commands against a registry over HTTP: tokens, proxies, failures in the middle. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createSimulator, type Simulator, serveSimulator } from "quaymaster/simulator"
import { afterEach, beforeEach, expect, test } from "vitest"
import { ACME, makeWorld, type World } from "./host.ts"

const TOKEN = "ADMINADMINADMINADMIN"

let world: World
let simulator: Simulator
let served: Awaited<ReturnType<typeof serveSimulator>>

beforeEach(async () => {
  world = await makeWorld()
  await world.write("acme.yaml", ACME)
  simulator = createSimulator({
    users: [{ name: "admin", superuser: true }, { name: "alice" }, { name: "bob" }],
    tokens: [
      { token: TOKEN, user: "admin" },
      { token: "BOBBOBBOBBOB", user: "bob" },
      { token: "READREADREAD", user: "admin", scopes: ["repo:read", "user:read"] }
    ]
  })
  served = await serveSimulator(simulator)
})
afterEach(async () => {
  await served.close()
  await world[Symbol.asyncDispose]()
})

const run = (line: string, token: string | null = TOKEN) =>
  world.run(line, { env: { QUAY_URL: served.url, QUAY_TOKEN: token ?? undefined } })

test("plan, apply, nothing to do; the token is nowhere", async () => {
  const planned = await run("quay-plan --events e acme.yaml")
  expect(planned.code).toBe(0)
  expect(planned.stdout).toContain(`quay-plan  ${served.url}  acme.yaml`)
  const applied = await run("quay-apply --yes -v acme.yaml")
  expect(applied.code).toBe(0)
  simulator.requests.reset()
  const again = await run("quay-plan acme.yaml")
  expect(again.stdout).toContain("No changes.")
  // What the header says is what the registry was asked.
  expect(again.stdout).toContain(`${simulator.requests.total} requests`)
  for (const { stderr, stdout } of [planned, applied, again]) expect(stdout + stderr).not.toContain(TOKEN)
})

test("no token, and one that nobody has", async () => {
  for (const token of [null, "NOBODYSNOBODYS"]) {
    const { code, stderr, stdout } = await run("quay-plan acme.yaml", token)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toContain("Give a valid token with QUAY_TOKEN or --token-file")
    expect(stderr).not.toContain("NOBODYS")
  }
})

test("a token that is not an administrator's", async () => {
  await run("quay-apply --yes -q acme.yaml")
  for (const token of ["BOBBOBBOBBOB", "READREADREAD"]) {
    const { code, stderr, stdout } = await run("quay-plan acme.yaml", token)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toMatch(/administrator's of the organization acme|owner of the organization/)
  }
})

test("a page from a proxy", async () => {
  const proxy = createServer((_, response) => {
    response.setHeader("content-type", "text/html")
    response.end("<html><title>Sign in</title></html>")
  })
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening))
  const address: AddressInfo | string | null = proxy.address()
  const port = typeof address === "object" ? address?.port : undefined
  const { code, stderr, stdout } = await run(`quay-plan --registry http://127.0.0.1:${port} acme.yaml`)
  proxy.close()
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
  expect(stderr).toContain("sign-in page of a proxy")
  expect(stderr).not.toContain("<html>")
})

test("what fails is reported with what waited for it, and the rest goes on", async () => {
  simulator.faults.add({ on: /^PUT .*\/team\/dev$/, effect: { kind: "login-page" } })
  const { code, stderr, stdout } = await run("quay-apply --yes -o plan.json acme.yaml")
  expect(code).toBe(4)
  expect(stderr).toMatch(/^✗ \+ team acme\/dev {2}/m)
  expect(stdout).toContain("  ✗ + team acme/dev\n      ")
  expect(stdout).toContain("  ↷ + team-member acme/dev/alice  skipped: waited for team acme/dev")
  expect(stdout).toMatch(/^Applied \d+ of 12 changes: .*1 failed, \d+ skipped\./m)
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("What is done stays done. Resume with  quay-apply plan.json")
  simulator.faults.clear()
  const resumed = await run("quay-apply plan.json")
  expect(resumed.code).toBe(0)
  expect((await run("quay-plan acme.yaml")).stdout).toContain("No changes.")
})

test("a token that expires in the middle stops the apply", async () => {
  simulator.faults.add({ on: /^PUT .*\/robots\//, effect: { kind: "expire-token" } })
  const { code, stdout } = await run("quay-apply --yes --parallelism 1 acme.yaml")
  expect(code).toBe(4)
  expect(stdout).toContain("does not take the token any more")
})
