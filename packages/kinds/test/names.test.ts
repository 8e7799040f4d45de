// Names: what a file may say is exactly what Quay takes, found out by asking it.
import { describe, expect } from "vitest"
import { rejection, type Trial, trials } from "./harness.ts"

const { test: tested } = trials()

const LONG = "x".repeat(255)
const SHORT = [
  "ab",
  "a",
  "0",
  "00",
  "a-b",
  "a_b",
  "a.b",
  "a--b",
  "a__b",
  "a..b",
  "a._b",
  "-ab",
  "ab-",
  "ab.",
  "Ab",
  "äb",
  "a b",
  LONG,
  `${LONG}x`
]
const NESTED = [
  "a",
  "A",
  "a/b",
  "a/b/c",
  "a//b",
  "/ab",
  "ab/",
  ".ab",
  "-ab",
  "_ab",
  "a..b",
  "a__b",
  "ab-",
  "ab.",
  "a/.b",
  "a/-b",
  "ä",
  "a b",
  LONG,
  `${LONG}x`
]

/** Whether a file may name it. A mistake in a file is found before any request. */
const allowed = async (trial: Trial, section: string, name: string): Promise<boolean> =>
  await trial.plan({ organization: "$org", [section]: { [name]: {} } }).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ _tag: "ConfigError" })
      return false
    }
  )

const taken = async (trial: Trial, method: string, path: string, body: object): Promise<boolean> => {
  const response = await trial.registry.request(method, path, body)
  await response.body?.cancel()
  expect([200, 201, 400, 404]).toContain(response.status)
  return response.ok
}

describe("a name that files may say is one that the registry takes", () => {
  tested("of a team", async (trial) => {
    await trial.reach("prune: []")
    const path = `/api/v1/organization/${trial.org}/team`
    for (const name of SHORT)
      expect([name, await allowed(trial, "teams", name)]).toEqual([
        name,
        await taken(trial, "PUT", `${path}/${encodeURIComponent(name)}`, { role: "member" })
      ])
  })

  tested("of a robot", async (trial) => {
    await trial.reach("prune: []")
    const path = `/api/v1/organization/${trial.org}/robots`
    for (const name of SHORT)
      expect([name, await allowed(trial, "robots", name)]).toEqual([
        name,
        await taken(trial, "PUT", `${path}/${encodeURIComponent(name)}`, {})
      ])
  })

  tested("of a repository", async (trial) => {
    await trial.reach("prune: []")
    for (const name of NESTED)
      expect([name, await allowed(trial, "repositories", name)]).toEqual([
        name,
        await taken(trial, "POST", "/api/v1/repository", {
          namespace: trial.org,
          repository: name,
          visibility: "private",
          description: ""
        })
      ])
  })

  tested("of an organization", async (trial) => {
    for (const name of ["-", "--x", "_", ".x", "X", "-x-", "é"]) {
      const whole = `${trial.org}${name}`
      const mine = rejection(trial.plan(`organization: "${whole}"`)).then(
        () => false,
        () => true
      )
      expect([name, await mine]).toEqual([name, await taken(trial, "POST", "/api/v1/organization/", { name: whole })])
    }
  })
})
