/** What `quaymaster simulate` refuses, before it serves anything. */
import { afterEach, beforeEach, expect, test } from "vitest"
import { makeWorld, type World } from "./host.ts"

let world: World
beforeEach(async () => {
  world = await makeWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

test.each([
  ["--superuser admin", "--superuser should be NAME:TOKEN"],
  ["--user a:b:c", "--user should be NAME:TOKEN"],
  ["--token bob:TOKEN", "--token should be NAME:TOKEN:SCOPES"],
  ["--token bob:TOKEN:repo:fly", "There is no scope repo:fly"],
  ["--feature PROXY_CACHE", "--feature should be NAME=true or NAME=false"],
  ["--feature NO_SUCH=false", "There is no feature NO_SUCH"],
  ["--state quay.json --superuser root:TOKEN", "With --state the superuser is admin"],
  ["--port 99999", "Expected a port from 0 to 65535"]
])("simulate %s", async (flags, message) => {
  const { code, stderr, stdout } = await world.run(`quaymaster simulate ${flags}`)
  expect({ code, stdout }).toEqual({ code: 64, stdout: "" })
  expect(stderr).toContain(message)
})

test("a file that is no simulator's", async () => {
  await world.write("other.json", "{}")
  const { code, stderr } = await world.run("quaymaster simulate --state other.json")
  expect(code).toBe(1)
  expect(stderr).toContain("is not a simulator's state")
})

test("a directory that is none", async () => {
  await world.write("ldap.json", '{ "groups": 7 }')
  const { code, stderr } = await world.run("quaymaster simulate --ldap ldap.json")
  expect(code).toBe(1)
  expect(stderr).toContain("ldap.json describes no directory: groups")
})

test("mailing, features, a directory and an older release are set up together", async () => {
  await world.write("ldap.json", '{ "groups": { "cn=dev,ou=groups": ["alice"] } }')
  let config: unknown
  const ended = await world.run(
    "quaymaster simulate --port 0 --quay 3.15 --mailing --feature PROXY_CACHE=false --ldap ldap.json --state quay.json",
    {
      onOut: async (text, interrupt) => {
        config = await (await fetch(`${text.trim()}/config`)).json()
        interrupt()
      }
    }
  )
  expect(ended.code).toBe(0)
  expect(config).toMatchObject({
    features: { MAILING: true, PROXY_CACHE: false },
    config: { AUTHENTICATION_TYPE: "LDAP" }
  })
})

test("with --state the registry is kept, and sim: opens it too", async () => {
  const talked: Array<string> = []
  const ended = await world.run("quaymaster simulate --port 0 --state quay.json", {
    onTalk: (text, interrupt) => {
      talked.push(text)
      setTimeout(interrupt, 50)
    }
  })
  expect(ended.code).toBe(0)
  expect(talked.join("")).toMatch(/^The superuser admin has the token \S+\n$/)
  await world.write("acme.yaml", "organization: acme\n")
  expect((await world.run("quay-plan -q --registry sim:quay.json acme.yaml")).code).toBe(0)
})
