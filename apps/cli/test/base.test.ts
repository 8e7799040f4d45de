/** Plans against the files as they were on a commit of a Git repository. */
import { execFile } from "node:child_process"
import { mkdir, readdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { makeWorld, type World } from "./host.ts"

const SIM = "--registry sim:./quay.json"

let world: World
beforeEach(async () => {
  world = await makeWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const git = (...args: ReadonlyArray<string>) =>
  promisify(execFile)("git", ["-c", "user.name=A", "-c", "user.email=a@example.com", ...args], { cwd: world.folder })

const commit = async (files: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(files)) await write(name, text)
  await git("add", "-A", ":!quay.json")
  await git("commit", "-q", "--allow-empty", "-m", "files")
}
const write = async (name: string, text: string) => {
  await mkdir(join(world.folder, name, ".."), { recursive: true })
  await world.write(name, text)
}

const WHOLE = `organization: acme
teams:
  dev: { role: member, members: { users: [alice, bob, carol] } }
  ops: { role: admin }
`
/** The members of dev are nobody's. */
const PARTLY = `organization: acme
teams:
  dev: { role: member }
  ops: { role: admin }
`
const ALICE = WHOLE.replace("[alice, bob, carol]", "[alice]")

/** A registry as WHOLE has it, and a commit on main with these files. */
const scene = async (files: Readonly<Record<string, string>>) => {
  await write("whole.yaml", WHOLE)
  expect((await world.run(`quay-apply --yes -q ${SIM} whole.yaml`)).code).toBe(0)
  await git("init", "-q", "-b", "main")
  await git("rm", "-q", "--cached", "--ignore-unmatch", "whole.yaml")
  await commit(files)
}

describe("what the files did not manage", () => {
  test("is not deleted from unless so many are allowed", async () => {
    await scene({ "acme.yaml": PARTLY })
    await write("acme.yaml", ALICE)
    const plan = (flags = "") => world.run(`quay-plan --base main ${flags} ${SIM} acme.yaml`)
    const { code, stdout } = await plan()
    expect(code).toBe(3)
    expect(stdout).toContain("Blocked: newly-managed. Allow with  --allow-newly-managed team-member=2")
    expect(stdout).toContain(
      "2 of the 3 members.users of acme/dev would be deleted, and the files did not manage them before"
    )
    expect((await plan("--allow-newly-managed team-member=1")).code).toBe(3)
    expect((await plan("--allow-newly-managed team-member=2")).code).toBe(0)
    const apply = (flags: string) => world.run(`quay-apply --yes --base main ${flags} ${SIM} acme.yaml`)
    expect((await apply("")).code).toBe(3)
    expect((await apply("--allow-newly-managed team-member=2")).code).toBe(0)
  })

  test("is told in a plan that is saved, which is blocked until it is allowed", async () => {
    await scene({ "acme.yaml": PARTLY })
    await write("acme.yaml", ALICE)
    await world.run(`quay-plan --base main -o plan.json ${SIM} acme.yaml`)
    expect((await world.run("quay-apply plan.json")).code).toBe(3)
    expect((await world.run("quay-apply --base main plan.json")).code).toBe(64)
    expect((await world.run("quay-apply --allow-newly-managed team-member=2 plan.json")).code).toBe(0)
  })

  test("is silent where they managed it, and where there is no base", async () => {
    await scene({ "acme.yaml": WHOLE })
    await write("acme.yaml", ALICE)
    const managed = await world.run(`quay-plan --base main ${SIM} acme.yaml`)
    expect(managed).toMatchObject({ code: 0, stdout: expect.stringContaining("2 to delete") })
    await git("checkout", "-q", "--orphan", "other")
    await commit({ "acme.yaml": PARTLY })
    await write("acme.yaml", ALICE)
    expect((await world.run(`quay-plan --base other ${SIM} acme.yaml`)).code).toBe(3)
    expect((await world.run(`quay-plan ${SIM} acme.yaml`)).code).toBe(0)
  })

  test("are all the organizations of files that are new", async () => {
    await scene({ "README.md": "" })
    await write("orgs/acme.yaml", ALICE)
    expect((await world.run(`quay-plan --base main ${SIM} orgs`)).code).toBe(3)
  })
})

describe("what was to be done already", () => {
  test("is told from what the files say since", async () => {
    await scene({ "acme.yaml": WHOLE })
    await world.edit((text) => text.replace(/("ops": \{\s*"role": )"admin"/, '$1"member"'))
    await write("acme.yaml", WHOLE.replace("role: member,", "role: creator,").replace(", carol", ""))
    const { stdout } = await world.run(`quay-plan --base main ${SIM} acme.yaml`)
    expect(stdout).toMatch(/^ {2}~ team ops +drift {2}acme\.yaml:4$/m)
    expect(stdout).toMatch(/^ {2}~ team dev +acme\.yaml:3$/m)
    expect(stdout).toMatch(/^ {2}- team-member dev\/carol +not in the file$/m)
    expect(stdout).toContain("Plan: 2 to update, 1 to delete, 1 of them drift.")
    const json = await world.run(`quay-plan --base main --json ${SIM} acme.yaml`)
    const origins = JSON.parse(json.stdout).targets[0].operations.map((it: { id: string; origin: string }) => [
      it.id,
      it.origin
    ])
    expect(origins).toEqual([
      ["delete:team-member:acme/dev/carol", "change"],
      ["update:team:acme/dev", "change"],
      ["update:team:acme/ops", "drift"]
    ])
    const without = await world.run(`quay-plan --json ${SIM} acme.yaml`)
    expect(JSON.parse(without.stdout).digest).toBe(JSON.parse(json.stdout).digest)
    expect(without.stdout).not.toContain('"origin"')
  })

  test("costs no request more", async () => {
    await scene({ "acme.yaml": WHOLE })
    await write("acme.yaml", ALICE)
    const requests = async (flags: string) =>
      /([0-9]+) requests/.exec((await world.run(`quay-plan ${flags} ${SIM} acme.yaml`)).stdout)?.[1]
    expect(await requests("--base main")).toBe(await requests(""))
  })
})

describe("the files as they were", () => {
  const SETTINGS = "registries:\n  lab: { url: sim:./quay.json }\ndefault: lab\nsources: [orgs]\n"

  test("are what the settings named then", async () => {
    await scene({
      "quaymaster.yaml": SETTINGS.replace("orgs", "old"),
      "old/acme.yaml": WHOLE,
      "orgs/acme.yaml": PARTLY
    })
    await write("quaymaster.yaml", SETTINGS)
    await write("orgs/acme.yaml", ALICE)
    // What was in old managed the members, and what was in orgs did not count.
    expect((await world.run("quay-plan --base main")).code).toBe(0)
    await commit({ "quaymaster.yaml": SETTINGS, "orgs/acme.yaml": PARTLY })
    await write("orgs/acme.yaml", ALICE)
    expect((await world.run("quay-plan --base HEAD")).code).toBe(3)
    expect((await world.run("quay-plan --base HEAD~1")).code).toBe(0)
  })

  test("are looked up from a folder below, by globs, and by paths from the root of the disk", async () => {
    await scene({ "sub/quaymaster.yaml": SETTINGS.replace("./quay", "../quay"), "sub/orgs/acme.yaml": WHOLE })
    await write("sub/orgs/acme.yaml", ALICE)
    const inputs = ["--settings sub/quaymaster.yaml", "--settings sub/quaymaster.yaml sub/orgs/*.yaml"]
    for (const input of [...inputs, `${SIM} ${world.folder}/sub/orgs/acme.yaml`]) {
      const { code, stdout } = await world.run(`quay-plan --base main ${input}`)
      expect([input, code]).toEqual([input, 0])
      expect(stdout).toContain("2 to delete")
    }
  })

  test("of rules count as well", async () => {
    const rules = `${PARTLY}repositories: { app: {} }\nrepository_rules: [{ match: "*", permissions: { users: {} } }]\n`
    await write("rules.yaml", rules.replace("users: {}", "users: { bob: read }"))
    expect((await world.run(`quay-apply --yes -q ${SIM} rules.yaml`)).code).toBe(0)
    await scene({ "rules.yaml": rules })
    const managed = await world.run(`quay-plan --base main ${SIM} rules.yaml`)
    expect(managed).toMatchObject({ code: 0, stdout: expect.stringContaining("1 to delete, 1 of it drift.") })
    await git("checkout", "-q", "--orphan", "other")
    await commit({ "rules.yaml": `${PARTLY}repositories: { app: {} }\n` })
    await write("rules.yaml", rules)
    expect((await world.run(`quay-plan --base other ${SIM} rules.yaml`)).code).toBe(3)
  })

  test("leave nothing behind, neither beside the checkout nor in it", async () => {
    await scene({ "acme.yaml": WHOLE })
    await write("acme.yaml", ALICE)
    await git("add", "acme.yaml")
    const before = await git("status", "--porcelain")
    const left = async () => (await readdir(tmpdir())).filter((it) => it.startsWith("quaymaster-base-"))
    const folders = await left()
    await world.run(`quay-plan --base main ${SIM} acme.yaml`)
    expect((await git("status", "--porcelain")).stdout).toBe(before.stdout)
    expect((await left()).filter((it) => !folders.includes(it))).toEqual([])
  })

  const failing: ReadonlyArray<readonly [string, string, string]> = [
    ["a commit that is not there", "--base nowhere", 'Git knows no commit "nowhere" here.'],
    ["what would be a flag to Git", "--base=--all", 'Git knows no commit "--all" here.'],
    ["files of another place", "--base main /nowhere/acme.yaml", "there is no file or directory"],
    ["mistakes in the files as they were", "--base broken", "broken:acme.yaml:1:15: "]
  ]
  test.each(failing)("%s", async (_, flags, message) => {
    await scene({ "acme.yaml": WHOLE })
    await git("checkout", "-q", "--orphan", "broken")
    await commit({ "acme.yaml": "organization: [acme]\n" })
    await write("acme.yaml", ALICE)
    const { code, stderr, stdout } = await world.run(`quay-plan ${flags} ${SIM} acme.yaml`)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toContain(message)
  })

  test("need a Git checkout", async () => {
    await write("acme.yaml", WHOLE)
    const { code, stderr } = await world.run(`quay-plan --base main ${SIM} acme.yaml`)
    expect(code).toBe(1)
    expect(stderr).toContain("is not in a Git checkout")
  })
})
