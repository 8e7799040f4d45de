/** Ways to plan and apply less than all, and to approve a plan: what is done, what is left, and what the commands end with. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ACME, makeWorld, type World } from "./host.ts"

const SIM = "--registry sim:./quay.json"

let world: World
beforeEach(async () => {
  world = await makeWorld()
  await world.write("acme.yaml", ACME)
  expect((await world.run(`quay-apply --yes -q ${SIM} acme.yaml`)).code).toBe(0)
})
afterEach(() => world[Symbol.asyncDispose]())

/** The file without the team `ops` and without bob in `dev`, and with another team. */
const LESS = ACME.replace("  ops: { role: admin }\n", "  qa: { role: member }\n")
  .replace("[alice, bob]", "[alice]")
  .replace("teams:", "prune: [teams]\nteams:")

describe("--no-delete", () => {
  test("does everything else, and lists what it left", async () => {
    await world.write("acme.yaml", LESS)
    const planned = await world.run(`quay-plan --no-delete ${SIM} acme.yaml`)
    expect(planned.code).toBe(0)
    expect(planned.stdout).toMatch(/^ {2}\+ team qa /m)
    expect(planned.stdout).toMatch(/^ {2}· team ops +left out: would be deleted, not in the file$/m)
    expect(planned.stdout).toMatch(/^ {2}· team-member dev\/bob +left out: would be deleted, not in the file$/m)
    expect(planned.stdout).toContain("Plan: 1 to create. 10 unchanged, 2 left out.")
    const applied = await world.run(`quay-apply --yes --no-delete ${SIM} acme.yaml`)
    expect(applied.code).toBe(0)
    expect(applied.stdout).toContain("Applied 1 of 1 change: 1 created.")
    const again = await world.run(`quay-plan --no-delete --detailed-exitcode ${SIM} acme.yaml`)
    expect(again.code).toBe(0)
    expect(again.stdout).toContain("No changes but what is left out. 11 objects in")
    expect((await world.run(`quay-plan -q ${SIM} acme.yaml`)).stdout).toContain("Plan: 2 to delete.")
  })

  test("of some kinds removes the rest", async () => {
    await world.write("acme.yaml", LESS)
    const { stdout } = await world.run(`quay-plan --no-delete=team ${SIM} acme.yaml`)
    expect(stdout).toContain("Plan: 1 to create, 1 to delete. 10 unchanged, 1 left out.")
    expect(stdout).toMatch(/^ {2}- +team-member dev\/bob/m)
  })

  test("is told in the plan's JSON and in the report's", async () => {
    await world.write("acme.yaml", LESS)
    const left = [
      { action: "delete", kind: "team-member", key: "acme/dev/bob", reason: "not in the file" },
      { action: "delete", kind: "team", key: "acme/ops", reason: "not in the file" }
    ]
    const plan = await world.run(`quay-plan --json --no-delete ${SIM} acme.yaml`)
    expect(JSON.parse(plan.stdout)).toMatchObject({ summary: { delete: 0, left: 2 }, targets: [{ left }] })
    const report = await world.run(`quay-apply --json --yes --no-delete ${SIM} acme.yaml`)
    expect(JSON.parse(report.stdout)).toMatchObject({ outcome: "applied", left })
  })

  test("knows the kinds", async () => {
    const { code, stderr } = await world.run(`quay-plan --no-delete=team,teem ${SIM} acme.yaml`)
    expect(code).toBe(1)
    expect(stderr).toContain('There is no kind named "teem" whose objects are not to be deleted.')
  })

  test("is refused for a plan that was made without", async () => {
    await world.write("acme.yaml", LESS)
    await world.run(`quay-plan -o plan.json ${SIM} acme.yaml`)
    const { code, stderr } = await world.run("quay-apply --no-delete plan.json")
    expect(code).toBe(64)
    expect(stderr).toContain("plan.json is planned already, and --no-delete would change that.")
  })
})

const digestOf = async (flags = ""): Promise<string> => {
  const { stdout } = await world.run(`quay-plan --json ${flags} ${SIM} acme.yaml`)
  return String(JSON.parse(stdout).digest)
}

describe("--digest", () => {
  const MORE = ACME.replace("teams:", "teams:\n  qa: { role: member }")
  const other = `sha256:${"0".repeat(64)}`
  beforeEach(() => world.write("acme.yaml", MORE))

  test("applies the plan that was approved, unasked", async () => {
    const { code, stdout } = await world.run(`quay-apply --digest ${await digestOf()} ${SIM} acme.yaml`)
    expect(code).toBe(0)
    expect(stdout).toContain("Applied 1 of 1 change: 1 created.")
  })

  test("a comment in the file does not void it", async () => {
    const digest = await digestOf()
    await world.write("acme.yaml", `# as agreed\n${MORE}`)
    expect((await world.run(`quay-apply --digest ${digest} ${SIM} acme.yaml`)).code).toBe(0)
  })

  test("refuses another, and shows what it came to", async () => {
    const { code, stderr, stdout } = await world.run(`quay-apply --digest ${other} ${SIM} acme.yaml`)
    expect(code).toBe(5)
    expect(stdout).toMatch(/^ {2}\+ team qa /m)
    expect(stderr).toContain(`${other} was approved`)
    expect(stderr).toContain("Nothing was changed.")
    expect((await world.run(`quay-plan -q ${SIM} acme.yaml`)).stdout).toContain("1 to create")
  })

  test("beside the approved plan, shows what differs", async () => {
    await world.write("acme.yaml", MORE.replace("Developers", "Devs").replace("role: admin", "role: creator"))
    await world.run(`quay-plan -o plan.json ${SIM} acme.yaml`)
    const digest = await digestOf()
    await world.write("acme.yaml", MORE.replace("Developers", "Coders").replace("qa:", "qe:"))
    const { code, stderr } = await world.run(`quay-apply --digest ${digest} ${SIM} plan.json acme.yaml`)
    expect(code).toBe(5)
    expect(stderr).toMatch(/^ {2}new {8}\+ team acme\/qe {2}role member$/m)
    expect(stderr).toMatch(/^ {2}gone {7}\+ team acme\/qa {2}role member$/m)
    expect(stderr).toMatch(/^ {2}gone {7}~ team acme\/ops/m)
    expect(stderr).toMatch(/^ {2}different {2}~ team acme\/dev\n {15}after.description {2}"Devs" → "Coders"$/m)
    await world.write("acme.yaml", MORE.replace("Developers", "Devs").replace("role: admin", "role: creator"))
    expect((await world.run(`quay-apply --digest ${digest} ${SIM} plan.json acme.yaml`)).code).toBe(0)
  })

  test("of a saved plan has to be its own", async () => {
    await world.run(`quay-plan -o plan.json ${SIM} acme.yaml`)
    const alone = await world.run(`quay-apply --digest ${other} plan.json`)
    expect(alone).toMatchObject({ code: 5, stderr: expect.stringContaining(`${other} was approved`) })
    const beside = await world.run(`quay-apply --digest ${other} ${SIM} plan.json acme.yaml`)
    expect(beside).toMatchObject({ code: 1, stderr: expect.stringContaining("plan.json is not the plan with that") })
    expect((await world.run(`quay-apply --digest ${await digestOf()} plan.json`)).code).toBe(0)
  })

  test("is a digest", async () => {
    const { code, stderr } = await world.run(`quay-apply --digest 1234 ${SIM} acme.yaml`)
    expect(code).toBe(64)
    expect(stderr).toContain("Expected sha256:")
  })
})

describe("--rebase", () => {
  /** A plan that changes two teams and removes bob, made before somebody else changes the registry. */
  const CHANGED = ACME.replace("description: Developers", "description: Coders")
    .replace("role: admin", "role: creator")
    .replace("[alice, bob]", "[alice]")
  beforeEach(async () => {
    await world.write("acme.yaml", CHANGED)
    expect((await world.run(`quay-plan -o plan.json ${SIM} acme.yaml`)).stdout).toContain("2 to update, 1 to delete")
  })

  test("does what is left of a stale plan", async () => {
    await world.edit((text) => text.replace(/("ops": \{\s*"role": )"admin"/, '$1"member"'))
    const refused = await world.run("quay-apply plan.json")
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining("--rebase") })
    const { code, stderr, stdout } = await world.run(`quay-apply --rebase ${SIM} plan.json acme.yaml`)
    expect(code).toBe(0)
    expect(stderr).toContain("plan.json is stale: planning again.")
    expect(stdout).toContain("role  member → creator")
    expect(stdout).toContain("Applied 3 of 3 changes")
    expect((await world.run(`quay-plan -q ${SIM} acme.yaml`)).stdout).toContain("No changes.")
  })

  test("is not needed for a plan that is not stale", async () => {
    const { code, stderr, stdout } = await world.run(`quay-apply --rebase ${SIM} plan.json acme.yaml`)
    expect(code).toBe(0)
    expect(stderr).not.toContain("stale")
    expect(stdout).toContain("Applied 3 of 3 changes")
  })

  test("refuses what goes beyond the plan, and changes nothing", async () => {
    await world.edit((text) => text.replace(/("ops": \{\s*"role": )"admin"/, '$1"member"'))
    await world.write(
      "acme.yaml",
      CHANGED.replace("teams:", "teams:\n  qa: { role: member }").replace("Coders", "Devs")
    )
    const before = await readFile(join(world.folder, "quay.json"), "utf8")
    const { code, stderr } = await world.run(`quay-apply --rebase ${SIM} plan.json acme.yaml`)
    expect(code).toBe(5)
    expect(stderr).toContain("  + team acme/qa  it is not in the approved plan\n")
    expect(stderr).toContain("  ~ team acme/dev  it would end differently\n")
    expect(await readFile(join(world.folder, "quay.json"), "utf8")).toBe(before)
  })

  test("says that a plan alone does not tell what it was planned from", async () => {
    const { code, stderr } = await world.run("quay-apply --rebase plan.json")
    expect(code).toBe(64)
    expect(stderr).toContain("plan.json alone does not say what it was planned from.")
    await world.write("quaymaster.yaml", "sources: [acme.yaml]\n")
    expect((await world.run("quay-apply --rebase plan.json")).code).toBe(0)
  })

  test("is for a saved plan", async () => {
    const { code, stderr } = await world.run(`quay-apply --rebase ${SIM} acme.yaml`)
    expect(code).toBe(64)
    expect(stderr).toContain("--rebase is for a saved plan")
    const beside = await world.run("quay-apply plan.json acme.yaml")
    expect(beside).toMatchObject({ code: 64, stderr: expect.stringContaining("With --rebase or --digest") })
  })
})

describe("--approve additive", () => {
  test("applies unasked what only adds", async () => {
    const more = ACME.replace("role: member", "role: creator")
      .replace("description: Developers", "description: Coders")
      .replace("[alice, bob]", "[alice, bob, carol]")
      .replace("dev: read", "dev: write")
    await world.write("acme.yaml", more.replace("robots:\n", "robots:\n  cd: {}\n"))
    const { code, stdout } = await world.run(`quay-apply --approve additive ${SIM} acme.yaml`)
    expect(code).toBe(0)
    expect(stdout).toContain("Applied 4 of 4 changes: 2 created, 2 updated.")
  })

  test("refuses the rest, and says which operations take something away", async () => {
    await world.write(
      "acme.yaml",
      LESS.replace("role: member", "role: creator").replace("ci: write", "ci: read").replace("private", "public")
    )
    const before = await readFile(join(world.folder, "quay.json"), "utf8")
    for (const flags of ["", "--yes", "--allow-deletes team=5"]) {
      const { code, stdout } = await world.run(`quay-apply --approve additive ${flags} ${SIM} acme.yaml`)
      expect(code).toBe(3)
      expect(stdout).toContain("Blocked: not-additive. No flag allows it.")
      expect(stdout).toContain("team acme/ops would be deleted")
      expect(stdout).toContain("team-member acme/dev/bob would be deleted")
      expect(stdout).toContain("repository acme/app would be changed, by which something may be lost: visibility")
      expect(stdout).toMatch(/repository-permission acme\/app\/robot:ci would be changed/)
      expect(stdout).not.toMatch(/team acme\/(dev|qa) would/)
    }
    expect(await readFile(join(world.folder, "quay.json"), "utf8")).toBe(before)
  })

  test("is told in the JSON of the refusal, and is no part of a plan that is saved", async () => {
    await world.write("acme.yaml", LESS)
    const refused = await world.run(`quay-apply --json -o plan.json --approve additive ${SIM} acme.yaml`)
    expect(refused.code).toBe(3)
    const rules = JSON.parse(refused.stdout).targets[0].verdicts.map(({ rule }: { rule: string }) => rule)
    expect(rules).toEqual(["not-additive", "not-additive"])
    expect((await world.run("quay-apply plan.json --approve additive")).code).toBe(3)
    expect((await world.run("quay-apply plan.json")).code).toBe(0)
  })

  test("with --no-delete lets the rest pass", async () => {
    await world.write("acme.yaml", LESS)
    expect((await world.run(`quay-apply --approve additive --no-delete ${SIM} acme.yaml`)).code).toBe(0)
  })

  test("asks no more of a plan that does nothing", async () => {
    expect((await world.run(`quay-apply --approve additive ${SIM} acme.yaml`)).code).toBe(0)
  })
})
