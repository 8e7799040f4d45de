/** Planning less than all, and what a plan has to be to be applied: approved by its digest, or within one that is stale. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect } from "vitest"
import { apply, comparePlans, PlanDiffers, PlanExceeds, plan } from "../src/index.ts"
import { rejection, scene } from "./harness.ts"

const ACME = {
  teams: { dev: { role: "member" }, ops: { role: "admin" } },
  repositories: { app: { description: "Old", permissions: { users: { $bob: "write" }, teams: { dev: "read" } } } }
}
const WANTED = {
  teams: { dev: { role: "creator" }, ops: { role: "admin" } },
  repositories: { app: { description: "New", permissions: { users: {}, teams: { dev: "read" } } } }
}

describe("a stale plan", () => {
  scene("is planned again, and what is left of it is done", async (it) => {
    await it.reach(ACME)
    const made = await it.plan(WANTED)
    await it.registry.request("PUT", `/api/v1/organization/${it.org}/team/dev`, { role: "admin" })
    const again = () => it.plan(WANTED)
    expect(await rejection(apply(made, it.options))).toMatchObject({ _tag: "PlanStale" })
    const report = await apply(made, { ...it.options, rebase: again })
    expect(report.outcome).toBe("applied")
    expect((await again()).targets[0]?.operations).toEqual([])
  })

  scene("is not applied beyond itself, and nothing is changed", async (it) => {
    await it.reach(ACME)
    const made = await it.plan(WANTED)
    const bob = `repository/${it.org}/app/permissions/user/${it.registry.name("bob")}`
    await it.registry.request("PUT", `/api/v1/${bob}`, { role: "read" })
    const more = { ...WANTED, robots: { ci: {} } }
    const before = JSON.stringify(it.registry.simulator?.snapshot())
    const error = await rejection(apply(made, { ...it.options, rebase: () => it.plan(more) }))
    expect(error).toBeInstanceOf(PlanExceeds)
    expect(error).toMatchObject({
      excess: [
        { operation: { id: `create:robot:${it.org}/ci` }, reason: "it is not in the approved plan" },
        {
          operation: { id: `delete:repository-permission:${it.org}/app/user:${it.registry.name("bob")}` },
          reason: "what would be lost has changed"
        }
      ]
    })
    expect(JSON.stringify(it.registry.simulator?.snapshot())).toBe(before)
  })

  scene("that was broken off resumes, and is not planned again for that", async (it) => {
    const made = await it.plan(ACME)
    const stop = new AbortController()
    const broken = await apply(made, { ...it.options, signal: stop.signal, onEvent: () => stop.abort() })
    expect(broken.outcome).toBe("interrupted")
    let planned = 0
    const rebase = () => {
      planned += 1
      return it.plan(ACME)
    }
    expect((await apply(made, { ...it.options, rebase })).outcome).toBe("applied")
    expect(planned).toBe(0)
  })
})

describe("a digest", () => {
  scene("approves just its plan", async (it) => {
    const approved = await it.plan(ACME)
    const other = await it.plan(WANTED)
    const error = await rejection(apply(other, { ...it.options, digest: approved.digest }))
    expect(error).toBeInstanceOf(PlanDiffers)
    expect(error).toMatchObject({ approved: approved.digest, planned: other.digest })
    const [difference] = comparePlans(approved, other)
    expect(difference?.changed.map(({ planned }) => planned.id)).toEqual([
      `create:repository:${it.org}/app`,
      `create:team:${it.org}/dev`
    ])
    expect(difference?.gone.map(({ id }) => id)).toEqual([
      `create:repository-permission:${it.org}/app/user:${it.registry.name("bob")}`
    ])
    const again = await it.plan(ACME)
    expect((await apply(again, { ...it.options, digest: approved.digest })).outcome).toBe("applied")
  })
})

describe("without deleting", () => {
  scene("the rest is done, and what stays is told", async (it) => {
    await it.reach(ACME)
    const wanted = it.value({ ...WANTED, prune: ["teams"], teams: { dev: { role: "creator" } } })
    const made = await plan({ ...it.options, organizations: [wanted], noDelete: true })
    expect(made.targets[0]?.left.map(({ action, key, kind }) => `${action}:${kind}:${key}`)).toEqual([
      `delete:repository-permission:${it.org}/app/user:${it.registry.name("bob")}`,
      `delete:team:${it.org}/ops`
    ])
    expect((await apply(made, it.options)).outcome).toBe("applied")
    const next = await plan({ ...it.options, organizations: [wanted] })
    expect(next.summary).toMatchObject({ create: 0, update: 0, delete: 2, left: 0 })
  })
})

describe("the files as they were", () => {
  scene("can be values, and tell what was to be done already", async (it) => {
    await it.reach(ACME)
    await it.registry.request("PUT", `/api/v1/organization/${it.org}/team/ops`, { role: "member" })
    const made = await plan({
      ...it.options,
      organizations: [it.value(WANTED)],
      base: { organizations: [it.value({ teams: ACME.teams })] }
    })
    const bob = `delete:repository-permission:${it.org}/app/user:${it.registry.name("bob")}`
    expect(made.targets[0]?.operations.map(({ id, origin }) => [id, origin])).toEqual([
      [bob, "change"],
      [`update:repository:${it.org}/app`, "change"],
      [`update:team:${it.org}/dev`, "change"],
      [`update:team:${it.org}/ops`, "drift"]
    ])
    expect(made.targets[0]?.verdicts).toMatchObject([{ rule: "newly-managed", operations: [bob] }])
    expect(await rejection(apply(made, it.options))).toMatchObject({ _tag: "PlanBlocked" })
    const allow = { "newly-managed": ["repository-permission=1"] }
    expect((await apply(made, { ...it.options, allow })).outcome).toBe("applied")
  })

  scene("are looked up from a folder below the checkout's", async (it) => {
    const git = (...args: ReadonlyArray<string>) =>
      promisify(execFile)("git", ["-c", "user.name=A", "-c", "user.email=a@example.com", ...args], {
        cwd: it.directory
      })
    const text = "organization: $org\nteams: { dev: { role: member } }\n"
    await it.file("quaymaster.yaml", "sources: [lab/orgs]\n")
    await it.file("lab/orgs/acme.yaml", text)
    await git("init", "-q")
    await git("add", "-A")
    await git("commit", "-q", "-m", "files")
    await it.file("lab/orgs/acme.yaml", text.replace("dev:", "qa: { role: admin }, dev:"))
    const options = { ...it.options, cwd: join(it.directory, "lab"), base: "HEAD" }
    for (const files of [{}, { files: ["orgs"] }, { files: ["../lab/orgs/*.yaml"] }]) {
      const made = await plan({ ...options, ...files })
      const teams = made.targets[0]?.operations.filter(({ kind }) => kind === "team")
      expect(teams?.map(({ key, origin }) => [key, origin])).toEqual([
        [`${it.org}/dev`, "drift"],
        [`${it.org}/qa`, "change"]
      ])
    }
    expect(await rejection(plan({ ...options, files: ["../../elsewhere.yaml"] }))).toMatchObject({
      _tag: "ConfigError"
    })
  })

  scene("have to be in a Git checkout", async (it) => {
    await it.file("acme.yaml", "organization: $org\n")
    const error = await rejection(plan({ ...it.options, files: ["acme.yaml"], base: "main" }))
    expect(error).toMatchObject({ _tag: "BaseUnavailable", message: expect.stringContaining("not in a Git checkout") })
  })
})
