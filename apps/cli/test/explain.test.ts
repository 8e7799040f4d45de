/** What `quaymaster explain` says. */
import { afterEach, beforeEach, expect, test } from "vitest"
import { makeWorld, type World } from "./host.ts"

let world: World
beforeEach(async () => {
  world = await makeWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

test("lists the kinds and where they stand", async () => {
  const { code, stdout } = await world.run("quaymaster explain")
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}team +organization\.teams$/m)
  expect(stdout).toMatch(/^ {2}team-member +team\.members$/m)
})

test.each(["robot", "robots"])("explains a kind by its name and its section's: %s", async (name) => {
  const { code, stdout } = await world.run(`quaymaster explain ${name}`)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^robot {2}The organization's robot accounts/)
  expect(stdout).toContain("a deletion loses: credential\n")
  expect(stdout).toContain("changes: no: a new robot account would have a new token")
})

test("a kind that there is not", async () => {
  const { code, stderr, stdout } = await world.run("quaymaster explain teem")
  expect({ code, stdout }).toEqual({ code: 64, stdout: "" })
  expect(stderr).toContain("There is no kind teem.")
})
