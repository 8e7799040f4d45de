/** Ways to plan and apply less than all, and to approve a plan: what is done, what is left, and what the commands end with. */
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
