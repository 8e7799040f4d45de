// Injected faults, as a client meets them: in the process and over a real connection.
import { describe, expect, test } from "vitest"
import { type Fault, type FaultEffect, serveSimulator } from "../src/index.ts"
import { at, house, ORIGIN, type Send, sender } from "./client.ts"

const CREATE = "POST /api/v1/organization/"
const create = (send: Send) => send("POST", "/api/v1/organization/", { name: "acme" })

const broken = async (fault: Fault) => {
  const rig = house()
  rig.simulator.faults.add(fault)
  const exists = () => Object.hasOwn(rig.simulator.snapshot().organizations, "acme")
  return { ...rig, exists }
}

describe("what goes wrong", () => {
  const cases: [FaultEffect, number, string | undefined][] = [
    [{ kind: "rate-limit" }, 429, undefined],
    [{ kind: "rate-limit", retryAfter: 2 }, 429, "2"],
    [{ kind: "server-error" }, 500, undefined],
    [{ kind: "bad-gateway" }, 502, undefined],
    [{ kind: "login-page" }, 200, undefined]
  ]
  for (const [effect, status, retryAfter] of cases) {
    test(`${JSON.stringify(effect)}: ${status} and HTML, nothing is done`, async () => {
      const { admin, exists } = await broken({ on: CREATE, effect })
      const answer = await create(admin)
      expect([answer.status, answer.type.split(";")[0], answer.json]).toEqual([status, "text/html", undefined])
      expect(answer.headers.get("retry-after") ?? undefined).toBe(retryAfter)
      expect(exists()).toBe(false)
    })
  }

  for (const kind of ["server-error", "bad-gateway"] as const) {
    test(`${kind} after the work was done`, async () => {
      const { admin, exists } = await broken({ on: CREATE, effect: { kind, applied: true } })
      expect((await create(admin)).status).toBeGreaterThanOrEqual(500)
      expect(exists()).toBe(true)
    })
  }

  for (const applied of [false, true]) {
    test(`a connection that breaks ${applied ? "after" : "before"} the write`, async () => {
      const { admin, exists } = await broken({ on: CREATE, effect: { kind: "drop", applied } })
      await expect(create(admin)).rejects.toThrow(TypeError)
      expect(exists()).toBe(applied)
    })

    test(`no answer ever, the write ${applied ? "was" : "was not"} done`, async () => {
      const { simulator, exists } = await broken({ on: CREATE, effect: { kind: "time-out", applied } })
      const asked = simulator.fetch(`${ORIGIN}/api/v1/organization/`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${simulator.addToken({ user: "admin" })}`,
          "content-type": "application/json"
        },
        body: JSON.stringify({ name: "acme" }),
        signal: AbortSignal.timeout(30)
      })
      await expect(asked).rejects.toHaveProperty("name", "TimeoutError")
      expect(exists()).toBe(applied)
    })
  }

  test("a request that is carried out when nobody waits for it any more", async () => {
    const { admin, exists } = await broken({ on: CREATE, effect: { kind: "drop", appliedAfter: 20 } })
    await expect(create(admin)).rejects.toThrow(TypeError)
    expect(exists()).toBe(false)
    await expect.poll(exists).toBe(true)
  })

  test("an answer that breaks off, and one that is not JSON: the work was done", async () => {
    for (const kind of ["truncate", "garble"] as const) {
      const { admin, exists } = await broken({ on: CREATE, effect: { kind } })
      const answer = await create(admin)
      expect([answer.status, answer.type, answer.json]).toEqual([201, "application/json", undefined])
      expect(exists()).toBe(true)
    }
  })

  test("an answer that comes later", async () => {
    const { admin } = await broken({ effect: { kind: "latency", ms: 40 } })
    const start = performance.now()
    expect((await create(admin)).status).toBe(201)
    expect(performance.now() - start).toBeGreaterThan(35)
  })

  test("a token that expires in the middle: reads go on as nobody", async () => {
    const { admin } = await broken({ skip: 2, times: 1, effect: { kind: "expire-token" } })
    expect((await create(admin)).status).toBe(201)
    const view = async () => at((await admin("GET", "/api/v1/organization/acme")).json, "is_admin")
    expect([await view(), await view(), await view()]).toEqual([true, false, false])
    expect((await admin("DELETE", "/api/v1/organization/acme")).status).toBe(403)
  })
})

describe("rights that are gone", () => {
  test("of a user: no superuser any more, and in no team", async () => {
    const { admin } = await broken({ skip: 1, times: 1, effect: { kind: "lose-rights" } })
    await create(admin)
    const view = async () => (await admin("GET", "/api/v1/organization/acme")).json
    const after = await view()
    expect([at(after, "is_admin"), at(after, "is_member"), at(after, "teams")]).toEqual([false, false, undefined])
    expect(at((await admin("GET", "/api/v1/user/")).json, "super_user")).not.toBe(true)
  })

  test("of one request: refused, or answered as if there were nothing", async () => {
    for (const [kind, status, type] of [
      ["forbid", 403, "insufficient_scope"],
      ["missing", 404, "not_found"]
    ] as const) {
      const { admin, exists } = await broken({ on: CREATE, times: 1, effect: { kind } })
      const answer = await create(admin)
      expect([answer.status, at(answer.json, "error_type"), exists()]).toEqual([status, type, false])
      expect((await create(admin)).status).toBe(201)
    }
  })
})

describe("which requests meet it", () => {
  const statuses = async (fault: Omit<Fault, "effect">, count = 4) => {
    const { admin } = await broken({ ...fault, effect: { kind: "bad-gateway" } })
    const seen: number[] = []
    for (let index = 0; index < count; index += 1) seen.push((await admin("GET", "/api/v1/users/bob")).status)
    return seen
  }

  const cases: [string, Omit<Fault, "effect">, number[]][] = [
    ["all", {}, [502, 502, 502, 502]],
    ["the first two", { times: 2 }, [502, 502, 200, 200]],
    ["the second", { skip: 1, times: 1 }, [200, 502, 200, 200]],
    ["by method", { on: "GET", times: 1 }, [502, 200, 200, 200]],
    ["by another method", { on: "PUT" }, [200, 200, 200, 200]],
    ["by operation", { on: "GET /api/v1/users/{username}", times: 1 }, [502, 200, 200, 200]],
    ["by path", { on: "GET /api/v1/users/bob", times: 1 }, [502, 200, 200, 200]],
    ["by another path", { on: "GET /api/v1/users/alice" }, [200, 200, 200, 200]],
    ["by pattern", { on: /users\/b/g, times: 3 }, [502, 502, 502, 200]]
  ]
  for (const [name, fault, want] of cases) {
    test(name, async () => {
      expect(await statuses(fault)).toEqual(want)
    })
  }

  test("a share of them, the same every time", async () => {
    const seen = await statuses({ probability: 0.5, seed: "coin" }, 100)
    const met = seen.filter((status) => status === 502).length
    expect(met).toBeGreaterThan(25)
    expect(met).toBeLessThan(75)
    expect(await statuses({ probability: 0.5, seed: "coin" }, 100)).toEqual(seen)
  })

  test("none once it is taken back", async () => {
    const { admin, simulator } = house()
    const takeBack = simulator.faults.add({ effect: { kind: "server-error" } })
    expect((await create(admin)).status).toBe(500)
    takeBack()
    expect((await create(admin)).status).toBe(201)
  })
})

describe("over a connection", () => {
  test("a drop closes the socket, and the server goes on", async () => {
    const { simulator } = house()
    await using served = await serveSimulator(simulator)
    const send = sender(fetch, simulator.addToken({ user: "admin" }), served.url)
    simulator.faults.add({ on: CREATE, times: 1, effect: { kind: "drop", applied: true } })
    await expect(create(send)).rejects.toThrow(TypeError)
    expect((await create(send)).status).toBe(400)
  })

  test("answers are as they are in the process", async () => {
    const { simulator, admin } = house()
    await create(admin)
    await using served = await serveSimulator(simulator)
    const token = simulator.addToken({ user: "admin" })
    const [near, far] = [sender(simulator.fetch, token, served.url), sender(fetch, token, served.url)]
    for (const [method, path] of [
      ["GET", "/api/v1/organization/acme"],
      ["GET", "/api/v1/organization/none"],
      ["HEAD", "/api/v1/organization/acme"],
      ["GET", "/api/v1/nosuch?a=b%20c"],
      ["GET", "/config"],
      ["GET", "/api/v1/repository?public=true"]
    ] as const) {
      const [a, b] = [await near(method, path), await far(method, path)]
      expect([b.status, b.type, b.text]).toEqual([a.status, a.type, a.text])
      expect(b.headers.get("location")).toBe(a.headers.get("location"))
    }
  })

  test("a client that gives up does not stop the write", async () => {
    const { simulator } = house({ costPerRequest: 60 })
    await using served = await serveSimulator(simulator)
    const headers = {
      authorization: `Bearer ${simulator.addToken({ user: "admin" })}`,
      "content-type": "application/json"
    }
    const body = JSON.stringify({ name: "acme" })
    const signal = AbortSignal.timeout(20)
    await expect(
      fetch(`${served.url}/api/v1/organization/`, { method: "POST", headers, body, signal })
    ).rejects.toThrow()
    await expect.poll(() => Object.keys(simulator.snapshot().organizations)).toEqual(["acme"])
  })

  test("closing does not wait for who is left hanging", async () => {
    const { simulator } = house()
    const served = await serveSimulator(simulator)
    simulator.faults.add({ effect: { kind: "time-out" } })
    const hanging = fetch(`${served.url}/config`).catch((error: unknown) => error)
    await expect.poll(() => simulator.requests.total).toBe(1)
    await served.close()
    expect(await hanging).toBeInstanceOf(TypeError)
  })
})

describe("what a request costs", () => {
  test("those with a token queue for a worker, those without do not", async () => {
    const { simulator } = house({ costPerRequest: 30, workers: 2 })
    const send = sender(simulator.fetch, simulator.addToken({ user: "admin" }))
    const nobody = sender(simulator.fetch, undefined)
    const start = performance.now()
    const elapsed = (answer: Promise<unknown>) => answer.then(() => performance.now() - start)
    const ask = (as: Send) => elapsed(as("GET", "/api/v1/users/bob"))
    const times = await Promise.all([ask(nobody), ask(send), ask(send), ask(send), ask(send)])
    expect(times[0]).toBeLessThan(25)
    expect(times[4]).toBeGreaterThanOrEqual(55)
  })

  test("requests are counted by operation", async () => {
    const { admin, simulator } = house()
    await create(admin)
    await admin("GET", "/api/v1/organization/acme")
    await admin("GET", "/api/v1/organization/none")
    await admin("GET", "/nosuch")
    expect(simulator.requests.all()).toEqual({
      "POST /api/v1/organization/": 1,
      "GET /api/v1/organization/{orgname}": 2,
      "GET (no route)": 1
    })
    expect(simulator.requests.of("GET /api/v1/organization/{orgname}")).toBe(2)
    simulator.requests.reset()
    expect(simulator.requests.total).toBe(0)
  })
})
