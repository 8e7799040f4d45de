/** `quaymaster export` against a registry in a file: where files go, what is refused, and what is said. */
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ACME, makeWorld, type World } from "./host.ts"

const SIM = "--registry sim:./quay.json"
const OTHER = "organization: other\nrobots: { ci: {} }\n"

let world: World
beforeEach(async () => {
  world = await makeWorld()
  await world.write("acme.yaml", `${ACME}  quiet: {}\n`)
  await world.write("other.yaml", OTHER)
  const { code } = await world.run(`quay-apply --yes -q ${SIM} acme.yaml other.yaml`)
  expect(code).toBe(0)
})
afterEach(() => world[Symbol.asyncDispose]())

const path = (...names: ReadonlyArray<string>): string => join(world.folder, ...names)
const text = (...names: ReadonlyArray<string>): Promise<string> => readFile(path(...names), "utf8")

describe("on stdout", () => {
  test("is a document for each organization, and planning them finds nothing to do", async () => {
    const { code, stderr, stdout } = await world.run(`quaymaster export ${SIM} other acme`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const [acme = "", other = "", ...more] = stdout.split("---\n")
    expect(more).toEqual([])
    expect(acme).toContain("\norganization: acme\n")
    expect(other).toContain("\norganization: other\n")
    await world.write("both.yaml", stdout)
    const planned = await world.run(`quay-plan -q ${SIM} both.yaml`)
    expect(planned.stdout).toMatch(/^No changes\. \d+ objects in \d+ collections match both\.yaml\.\n$/)
    expect(await world.run(`quaymaster export ${SIM} --all`)).toEqual({ code, stderr, stdout })
  })

  test("are the kinds that are asked for, with those that they live in", async () => {
    const { stdout } = await world.run(`quaymaster export ${SIM} acme --kind robot,team --kind team-member`)
    expect(stdout).toContain("\nteams:\n  dev:\n    role: member\n    description: Developers\n    members:\n")
    expect(stdout).toContain("\nrobots:\n")
    expect(stdout).not.toContain("repositories")
  })
})

describe("in a folder", () => {
  test("is a file for each, which anybody may read", async () => {
    const { code, stderr, stdout } = await world.run(`quaymaster export ${SIM} --all -o orgs/of/prod`)
    expect({ code, stderr, stdout }).toEqual({
      code: 0,
      stderr: "",
      stdout: "orgs/of/prod/acme.yaml\norgs/of/prod/other.yaml\n"
    })
    expect(await readdir(path("orgs/of/prod"))).toEqual(["acme.yaml", "other.yaml"])
    expect((await stat(path("orgs/of/prod/acme.yaml"))).mode & 0o777).toBe(0o644)
    expect((await world.run(`quay-plan -q ${SIM} orgs`)).stdout).toContain("No changes.")
    expect((await world.run(`quaymaster export -q ${SIM} --all -o orgs/of/prod --force`)).stdout).toBe("")
  })

  test("never replaces a file, and writes none of the others, unless that is asked for", async () => {
    await mkdir(path("orgs"))
    await writeFile(path("orgs/other.yaml"), "mine")
    for (const what of ["--all", "acme other"]) {
      const { code, stderr, stdout } = await world.run(`quaymaster export ${SIM} ${what} -o orgs`)
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
      expect(stderr).toContain("orgs/other.yaml: there already. Nothing was written; --force replaces what is there.")
      expect(await readdir(path("orgs"))).toEqual(["other.yaml"])
    }
    expect(await text("orgs/other.yaml")).toBe("mine")
    expect((await world.run(`quaymaster export ${SIM} --all -o orgs --force`)).code).toBe(0)
    expect(await text("orgs/other.yaml")).toContain("organization: other\n")
    expect(await readdir(path("orgs"))).toEqual(["acme.yaml", "other.yaml"])
  })

  test("is named so that the organization is not taken for the settings", async () => {
    await world.write("quay.yaml", "organization: quaymaster\n")
    await world.run(`quay-apply --yes -q ${SIM} quay.yaml`)
    expect((await world.run(`quaymaster export ${SIM} quaymaster -o orgs`)).stdout).toBe("orgs/quaymaster.yml\n")
    expect((await world.run(`quay-plan -q ${SIM} orgs`)).stdout).toContain("No changes.")
  })

  test("stays in the folder, and says what is wrong with it", async () => {
    for (const name of ["../acme", "/acme", ".acme", "a\\\\b"]) {
      const { code, stderr } = await world.run(`quaymaster export ${SIM} ${name} -o orgs`)
      expect(code).toBe(1)
      expect(stderr).toContain("No file can be named after the organization")
    }
    const { code, stderr } = await world.run(`quaymaster export ${SIM} acme -o acme.yaml`)
    expect(code).toBe(1)
    expect(stderr).toContain("The folder acme.yaml cannot be made")
    if (process.getuid?.() !== 0) {
      await mkdir(path("closed"))
      await chmod(path("closed"), 0o500)
      expect((await world.run(`quaymaster export ${SIM} acme -o closed`)).stderr).toContain("permission denied")
    }
  })
})

describe("is refused", () => {
  test.each([
    ["", 64, "Name organizations, or give --all."],
    ["--all acme", 64, "cannot stand together"],
    ["acme --force", 64, "--force goes with -o"],
    ["nobody", 1, "There is no organization nobody that the token can see."],
    ["acme --kind teams", 1, '--kind: there is no kind "teams" in organizations; there are organization, team,']
  ])("%s", async (args, code, message) => {
    const ended = await world.run(`quaymaster export ${SIM} ${args}`)
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: "" })
    expect(ended.stderr).toContain(message)
  })

  test("without a registry", async () => {
    const { code, stderr } = await world.run("quaymaster export acme")
    expect(code).toBe(1)
    expect(stderr).toContain("--registry: nothing says which registry; pass --registry, set QUAY_URL")
    expect((await world.run("quaymaster export acme", { env: { QUAY_URL: "sim:./quay.json" } })).code).toBe(0)
  })
})

test("what is left out is said on stderr, and in the file", async () => {
  const state = await text("quay.json")
  const stranger = state.replace(/"quiet": \{/, `"Quiet": {`)
  expect(stranger).not.toBe(state)
  await writeFile(path("quay.json"), stranger)
  const { code, stderr, stdout } = await world.run(`quaymaster export ${SIM} acme`)
  expect(code).toBe(0)
  expect(stderr).toBe("acme: 1 thing left out; the file's first lines say what and why\n")
  expect(stdout).toMatch(
    /^# Not in this file, and so left alone:\n# {3}repository acme\/Quiet: the name "Quiet" should be/m
  )
  expect((await world.run(`quaymaster export -q ${SIM} acme`)).stderr).toBe("")
})
