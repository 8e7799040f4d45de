/** Plans that the guard is against: shown whole, saved, refused with 3, and applied when just that is allowed. */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { ACME, makeWorld, type World } from "./host.ts"

const SIM = "--registry sim:./quay.json"
const FLAG = "--allow-destroy repository:acme/app"

let world: World
beforeEach(async () => {
  world = await makeWorld()
  await world.write("acme.yaml", ACME)
  await world.run(`quay-apply --yes -q ${SIM} acme.yaml`)
  const [kept = ""] = ACME.split("repositories:")
  await world.write("acme.yaml", `${kept.replace("teams:", "prune: [repositories]\nteams:")}repositories: {}\n`)
})
afterEach(() => world[Symbol.asyncDispose]())

const state = () => readFile(join(world.folder, "quay.json"), "utf8")

test("planning shows and saves the whole plan, says what would allow it, and ends with 3", async () => {
  const { code, stderr, stdout } = await world.run(`quay-plan ${SIM} -o plan.json acme.yaml --detailed-exitcode`)
  expect({ code, stderr }).toEqual({ code: 3, stderr: "" })
  expect(stdout).toMatch(/^ {2}! repository app +DESTROYS DATA +not in the file$/m)
  expect(stdout.split("\n").slice(-6)).toEqual([
    "Plan: 1 to delete (1 destroys data). 8 unchanged.",
    `Blocked: destroys-data. Allow with  ${FLAG}`,
    "  repository acme/app would be deleted: its data is lost for good",
    expect.stringMatching(/^digest sha256:/),
    "A blocked plan is not applied. Flags that allow it are given here, and saved with -o; or to  quay-apply plan.json",
    ""
  ])
  const quiet = await world.run(`quay-plan -q ${SIM} acme.yaml`)
  expect(quiet).toMatchObject({
    code: 3,
    stdout: `Plan: 1 to delete (1 destroys data). 8 unchanged.\nBlocked: destroys-data. Allow with  ${FLAG}\n`
  })
})

test.each([
  ["a saved plan", `quay-plan ${SIM} -o plan.json acme.yaml`, "quay-apply plan.json"],
  ["a plan made now", "", `quay-apply --yes ${SIM} acme.yaml`]
])("%s is refused before anything is changed", async (_, before, command) => {
  if (before !== "") await world.run(before)
  const was = await state()
  const { code, stderr, stdout } = await world.run(command)
  expect(code).toBe(3)
  expect(stdout).toContain(`Blocked: destroys-data. Allow with  ${FLAG}\n`)
  expect(stderr).toBe(
    `error: the guard is against this plan. Nothing was changed.\n  destroys-data: allow with  ${FLAG}\n`
  )
  expect(await state()).toBe(was)
})

test("nobody is asked about a plan that is blocked", async () => {
  const { code, stderr } = await world.run(`quay-apply ${SIM} acme.yaml`, { terminal: true, answer: "yes" })
  expect(code).toBe(3)
  expect(stderr).not.toContain('Only "yes" does it')
})

test("what was allowed when planning is in the file, and needs no second flag", async () => {
  const { code, stdout } = await world.run(`quay-plan ${SIM} -o plan.json ${FLAG} acme.yaml`)
  expect(code).toBe(0)
  expect(stdout).toContain(`Allowed: destroys-data, by ${FLAG}\n`)
  expect(JSON.parse(await readFile(join(world.folder, "plan.json"), "utf8"))).toMatchObject({
    summary: { blocked: 0 },
    guard: { allowances: { destroy: ["repository:acme/app"] } }
  })
  expect(await world.run("quay-apply plan.json")).toMatchObject({ code: 0 })
  expect((await world.run(`quay-plan -q ${SIM} acme.yaml`)).stdout).toContain("No changes.")
})

test("a saved plan takes further flags, by amount or address, and not one less", async () => {
  await world.run(`quay-plan ${SIM} -o plan.json acme.yaml`)
  expect((await world.run("quay-apply plan.json --allow-destroy repository=0")).code).toBe(3)
  expect((await world.run("quay-apply plan.json --allow-deletes repository=1")).code).toBe(3)
  expect((await world.run("quay-apply plan.json --allow-destroy robot:acme/*")).code).toBe(3)
  expect((await world.run('quay-apply plan.json --allow-destroy "repository:acme/a*"')).code).toBe(0)
})

test("a plan made now takes the flags as well", async () => {
  expect((await world.run(`quay-apply --yes ${SIM} acme.yaml --allow-destroy repository=1`)).code).toBe(0)
})

test("members and permissions that all go are counted by kind", async () => {
  await world.write(
    "acme.yaml",
    ACME.replace("users: [alice, bob]", "users: [alice, bob, carl]").replace("alice: admin", "alice: admin, bob: read")
  )
  await world.run(`quay-apply --yes -q ${SIM} acme.yaml`)
  await world.write("acme.yaml", ACME.replace("users: [alice, bob]", "users: []"))
  const { code, stdout } = await world.run(`quay-plan -q ${SIM} acme.yaml`)
  expect({ code, stdout }).toMatchObject({
    code: 3,
    stdout: expect.stringContaining("Blocked: emptied. Allow with  --allow-deletes team-member=3\n")
  })
  expect((await world.run(`quay-plan -q ${SIM} acme.yaml --allow-deletes team-member=2`)).code).toBe(3)
  expect((await world.run(`quay-plan -q ${SIM} acme.yaml --allow-deletes team-member=3`)).code).toBe(0)
})

test("--json has the verdicts: in the plan, and in place of the report", async () => {
  const verdict = {
    rule: "destroys-data",
    kind: "repository",
    key: "acme/app",
    operations: ["delete:repository:acme/app"],
    message: "repository acme/app would be deleted: its data is lost for good",
    allowance: "destroy",
    allow: FLAG
  }
  const planned = await world.run(`quay-plan --json ${SIM} acme.yaml`)
  expect(planned.code).toBe(3)
  expect(JSON.parse(planned.stdout)).toMatchObject({ summary: { blocked: 1 }, targets: [{ verdicts: [verdict] }] })
  const applied = await world.run(`quay-apply --yes --json ${SIM} acme.yaml`)
  expect(applied.code).toBe(3)
  expect(JSON.parse(applied.stdout)).toMatchObject({ outcome: "blocked", targets: [{ verdicts: [verdict] }] })
})

test("--events have the verdicts", async () => {
  await world.run(`quay-plan --events events.ndjson ${SIM} acme.yaml`)
  const lines = (await readFile(join(world.folder, "events.ndjson"), "utf8")).trimEnd().split("\n")
  const told = lines.map((line): unknown => JSON.parse(line))
  expect(told).toContainEqual(
    expect.objectContaining({
      type: "verdict",
      verdict: expect.objectContaining({ rule: "destroys-data", allow: FLAG })
    })
  )
})

test.each([
  ["--allow-deletes team", 'quay-plan: --allow-deletes team: Expected KIND=AMOUNT, such as team=28, not "team".'],
  ["--allow-deletes team:acme/dev", "Expected KIND=AMOUNT, such as team=28"],
  ["--allow-destroy acme/app", "Expected KIND=AMOUNT or KIND:KEY, such as robot=3 or robot:acme/ci-*"],
  ["--allow-destroy repo=3", 'There is no kind named "repo"']
])("%s is told before anything is read", async (flag, words) => {
  const { code, stderr, stdout } = await world.run(`quay-plan ${SIM} ${flag} acme.yaml`)
  expect({ code, stdout }).toEqual({ code: 64, stdout: "" })
  expect(stderr).toContain(words)
  expect(stderr).toContain("Try  quay-plan --help")
})

test.each([
  ["its verdicts taken out", (text: string) => text.replace(/"verdicts": \[[^\]]*\][^\]]*\]/, '"verdicts": []')],
  ["a verdict allowed by hand", (text: string) => text.replace('"allow":', '"allowed": "--yes", "allow":')],
  [
    "an allowance written into it",
    (text: string) => text.replace('"allowances": {}', '"allowances": { "destroy": ["repository=1"] }')
  ]
])("a plan file with %s is refused as edited", async (_, change) => {
  await world.run(`quay-plan ${SIM} -o plan.json acme.yaml`)
  const file = join(world.folder, "plan.json")
  const text = await readFile(file, "utf8")
  const changed = change(text)
  expect(changed).not.toBe(text)
  await writeFile(file, changed)
  const { code, stderr } = await world.run("quay-apply plan.json")
  expect(code).toBe(1)
  expect(stderr).toContain("it was edited")
})

test("quaymaster.yaml has the thresholds", async () => {
  const members = ACME.replace("users: [alice, bob]", "users: [alice]")
  await world.write("acme.yaml", members)
  expect((await world.run(`quay-plan -q ${SIM} acme.yaml`)).code).toBe(0)
  await world.write("quaymaster.yaml", "guard: { kinds: { team-member: { of: 2, share: 20 } } }\n")
  const { code, stdout } = await world.run(`quay-plan ${SIM} acme.yaml`)
  expect(code).toBe(3)
  expect(stdout).toContain("  1 of the 2 members.users of acme/dev would be deleted, 50 % and more than 20 %\n")
  await world.write("quaymaster.yaml", "guard: { kinds: { team-membr: { of: 2 } } }\n")
  expect(await world.run(`quay-plan ${SIM} acme.yaml`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      'quaymaster.yaml:1:31: guard.kinds.team-membr: there is no kind named "team-membr"; did you mean "team-member"?'
    )
  })
})
