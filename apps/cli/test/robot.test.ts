// quaymaster robot rotate, against a registry in a file: what is shown, what is asked, and what it ends with.
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { makeWorld, type World } from "./host.ts"

const ACME = `organization: acme
teams:
  dev: { members: { robots: [ci] } }
robots:
  ci:
    deliver:
      - docker_config: ./ci.json
      - { kubernetes_secret: out/ci.yaml, namespace: ci }
  bare: {}
repositories:
  app: { permissions: { robots: { ci: write } } }
`

const SIM = "--registry sim:./quay.json"

let world: World
beforeEach(async () => {
  world = await makeWorld()
  await world.write("acme.yaml", ACME)
})
afterEach(() => world[Symbol.asyncDispose]())

const text = (file: string) => readFile(join(world.folder, file), "utf8")

/** The token that a docker config has. */
const tokenIn = async (file = "ci.json"): Promise<string> => {
  const [, auth = ""] = /"auth": "(.*)"/.exec(await text(file)) ?? []
  const [, token = ""] = /^acme\+ci:(.+)$/.exec(atob(auth)) ?? []
  expect(token).not.toBe("")
  expect(await text("quay.json")).toContain(`"${token}"`)
  return token
}

const given = async () => {
  expect((await world.run(`quay-apply --yes -q ${SIM} acme.yaml`)).code).toBe(0)
  return tokenIn()
}

test("a plan names the files, and a drift without values", async () => {
  const planned = await world.run(`quay-plan ${SIM} acme.yaml`)
  expect(planned.stdout).toMatch(/^ {2}\+ robot-credential ci\/docker_config:\.\/ci\.json +acme\.yaml:7$/m)
  expect(planned.stdout).toMatch(
    /^ {2}\+ robot-credential ci\/kubernetes_secret:out\/ci\.yaml +name acme-ci, namespace ci +acme\.yaml:8$/m
  )
  await given()
  expect(JSON.parse(await text("ci.json"))).toMatchObject({ auths: { "simulated.example": {} } })
  await writeFile(join(world.folder, "quay.json"), (await text("quay.json")).replaceAll(await tokenIn(), "OTHER"))
  const drifted = await world.run(`quay-plan ${SIM} acme.yaml`)
  expect(drifted.stdout).toMatch(
    /^ {2}~ robot-credential ci\/docker_config:\.\/ci\.json.*\n {6}token +stale → current/m
  )
  expect(drifted.stdout).not.toContain("OTHER")
})

describe("rotate", () => {
  test("shows what stops, asks, and delivers", async () => {
    const before = await given()
    await rm(join(world.folder, "out"), { recursive: true })
    const { code, stderr, stdout } = await world.run(`quaymaster robot rotate ${SIM} acme/ci acme.yaml`, {
      terminal: true,
      answer: "yes",
      env: { NO_COLOR: "1" }
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^robot acme\/ci {2}sim:.*quay\.json\n {2}last used {2}never, as far as the registry tells\n/
    )
    expect(stdout).toContain("  opens      1 repository: app; 1 team: dev\n")
    expect(stdout).toMatch(/^The new one is written to\n {2}~ docker_config \.\/ci\.json\n {2}\+ kubernetes_secret /m)
    expect(stdout).toContain("✓ docker_config ./ci.json\n✓ kubernetes_secret out/ci.yaml\n")
    expect(stdout).toMatch(/The token of acme\/ci is new\. It was written to 2 of 2 files\.\n$/)
    expect(stderr).toContain('Make the token of acme/ci anew? Only "yes" does it: ')
    const after = await tokenIn()
    expect(after).not.toBe(before)
    for (const token of [before, after]) expect(stdout + stderr).not.toContain(token)
    expect((await world.run(`quay-plan --detailed-exitcode ${SIM} acme.yaml`)).code).toBe(0)
  })

  test.each([
    ["no", 1],
    [undefined, 130]
  ] as const)("does nothing for the answer %s", async (answer, code) => {
    const before = await given()
    const ended = await world.run(`quaymaster robot rotate ${SIM} acme/ci acme.yaml`, { terminal: true, answer })
    expect(ended.code).toBe(code)
    expect(ended.stderr).toContain("Nothing was changed.")
    expect(await tokenIn()).toBe(before)
  })

  test("does not ask where nobody is, and tells a program with --json", async () => {
    const before = await given()
    const refused = await world.run(`quaymaster robot rotate ${SIM} acme/ci acme.yaml`)
    expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/--yes/) })
    expect(await tokenIn()).toBe(before)
    const { code, stdout } = await world.run(`quaymaster robot rotate --yes --json ${SIM} acme/ci acme.yaml`)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      robot: "acme/ci",
      outcome: "rotated",
      token: "answered",
      deliveries: [{ type: "docker_config", file: "./ci.json" }, { type: "kubernetes_secret" }]
    })
    expect(stdout).not.toContain(await tokenIn())
  })

  test("says that no file is declared", async () => {
    await given()
    const { code, stdout } = await world.run(`quaymaster robot rotate --yes ${SIM} acme/bare acme.yaml`)
    expect(code).toBe(0)
    expect(stdout).toContain("No file is declared for the new one")
    expect(stdout).toMatch(/^The token of acme\/bare is new\.\n$/m)
    expect(stdout).not.toContain("opens")
  })

  test("does nothing if a file is somebody's", async () => {
    await given()
    await world.write("ci.json", "mine\n")
    const { code, stderr, stdout } = await world.run(`quaymaster robot rotate --yes ${SIM} acme/ci acme.yaml`)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toMatch(/^error: \.\/ci\.json was not written: .*move it away, or name another file\.\n$/)
  })

  test.each([
    ["ci", 64, "Write ORGANIZATION/ROBOT"],
    ["acme/none", 1, "No file declares robot acme/none."],
    ["acme/ci --no-such", 64, "--no-such"]
  ])("refuses %s", async (robot, code, words) => {
    await given()
    const ended = await world.run(`quaymaster robot rotate --yes ${SIM} ${robot} acme.yaml`)
    expect(ended).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(words) })
  })
})
