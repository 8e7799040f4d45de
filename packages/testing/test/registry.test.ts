// The registries that tests get, and that a live one is left as it was found. Here "live" is a simulator on a port.
import { createSimulator, serveSimulator } from "@quaymaster/simulator"
import { afterEach, describe, expect, test, vi } from "vitest"
import { isLive, simulatorTest, type TestRegistry, testRegistry } from "../src/index.ts"

const names = async (registry: TestRegistry, what: "users" | "organizations"): Promise<string[]> => {
  const body: unknown = await (await registry.request("GET", `/api/v1/superuser/${what}/`)).json()
  const list = typeof body === "object" && body !== null ? Object.values(body).flat() : []
  return list.map(({ name }) => String(name))
}

afterEach(() => vi.unstubAllEnvs())

describe("without a live registry", () => {
  test("a simulator of one's own, over HTTP, with a superuser's token", async () => {
    vi.stubEnv("QUAY_TEST_URL", "")
    await using registry = await testRegistry()
    expect([registry.live, isLive(), registry.caller]).toEqual([false, false, "admin"])
    expect((await registry.request("GET", "/api/v1/user/")).status).toBe(200)
    const user = await registry.user("alice")
    expect(user).toBe(registry.name("alice"))
    expect(await names(registry, "users")).toEqual(["admin", user])
    expect(registry.simulator?.requests.of("POST /api/v1/superuser/users/")).toBe(1)
  })

  test("names are such as Quay accepts, and each registry's own", async () => {
    vi.stubEnv("QUAY_TEST_URL", "")
    await using one = await testRegistry()
    await using other = await testRegistry()
    expect(one.name("Team-A")).toMatch(/^[a-z0-9]{2,}teama$/)
    expect(one.prefix).not.toBe(other.prefix)
  })

  test("the server is gone afterwards, faults or not", async () => {
    vi.stubEnv("QUAY_TEST_URL", "")
    const registry = await testRegistry({ faults: [{ effect: { kind: "server-error" } }] })
    expect((await registry.request("GET", "/config")).status).toBe(500)
    await registry.cleanup()
    await expect(registry.request("GET", "/config")).rejects.toThrow(TypeError)
  })

  test("a test's name stays as it is", () => {
    expect(simulatorTest("retries")).toBe(isLive() ? expect.stringContaining("skipped") : "retries")
  })
})

describe("with a live registry", () => {
  const live = async (scopes?: "org:admin"[]) => {
    const simulator = createSimulator({ users: [{ name: "root", superuser: true }, { name: "bob" }] })
    const token = simulator.addToken({ user: "root", ...(scopes === undefined ? {} : { scopes }) })
    const served = await serveSimulator(simulator)
    vi.stubEnv("QUAY_TEST_URL", `${served.url}/`)
    vi.stubEnv("QUAY_TEST_TOKEN", token)
    return { simulator, served }
  }

  test("everything of the test is removed, and nothing else", async () => {
    const { simulator, served } = await live()
    const registry = await testRegistry()
    expect([registry.live, registry.caller, registry.url]).toEqual([true, "root", served.url])
    await registry.user("alice")
    await registry.request("POST", "/api/v1/organization/", { name: registry.name("acme") })
    await registry.request("POST", "/api/v1/organization/", { name: "keep" })
    await registry.cleanup()
    const { users, organizations } = simulator.snapshot()
    expect([Object.keys(users), Object.keys(organizations)]).toEqual([["root", "bob"], ["keep"]])
    await served.close()
  })

  test("a token that is no superuser's is refused at once", async () => {
    const { served } = await live(["org:admin"])
    await expect(testRegistry()).rejects.toThrow("401")
    await served.close()
  })

  test("a URL without a token is refused", async () => {
    vi.stubEnv("QUAY_TEST_URL", "https://quay.example.com")
    vi.stubEnv("QUAY_TEST_TOKEN", "")
    await expect(testRegistry()).rejects.toThrow("QUAY_TEST_TOKEN is not")
  })
})
