// Rules over repositories, as people use them: repositories that others make get what the rules say, and nothing else happens.
import { describe, expect } from "vitest"
import { apply, encodePlan, exportOrganizations, PlanRefused, plan } from "../src/index.ts"
import { rejection, type Scene, scene, simulated } from "./harness.ts"

const RULES = {
  teams: { dev: {}, ops: {} },
  repository_rules: [
    { match: "**", visibility: "private" },
    { match: "team-a/*", except: ["team-a/legacy"], description: "Of team A", permissions: { teams: { dev: "write" } } }
  ]
}

/** A repository that somebody makes without asking us. */
const born = async ({ org, registry }: Scene, name: string, visibility = "public") => {
  const body = { namespace: org, repository: name, visibility, description: "" }
  expect((await registry.request("POST", "/api/v1/repository", body)).ok).toBe(true)
}

const grant = async ({ org, registry }: Scene, name: string, to: string, role: string) => {
  const path = `/api/v1/repository/${org}/${name}/permissions/${to}`
  expect((await registry.request("PUT", path, { role })).ok).toBe(true)
}

const idsOf = async (made: Scene, organization: object) => {
  const { targets } = await made.plan(organization)
  return targets.flatMap(({ operations }) => operations.map(({ id }) => id.replaceAll(made.org, "$org")))
}

describe("rules over repositories", () => {
  scene("reach those that are made behind our back, and leave the others alone", async (made) => {
    await made.reach(RULES)
    await born(made, "team-a/app")
    await born(made, "team-a/legacy", "private")
    await born(made, "other", "private")
    expect(await idsOf(made, RULES)).toEqual([
      "create:repository-permission:$org/team-a/app/team:dev",
      "update:repository:$org/team-a/app"
    ])
    await made.reach(RULES)
    expect((await made.plan(RULES)).summary).toMatchObject({ extras: 0, stuck: 0 })
  })

  scene("mend what drifts, and remove access that they do not name", async (made) => {
    await made.reach(RULES)
    await born(made, "team-a/app")
    await born(made, "free")
    await made.reach(RULES)
    await grant(made, "team-a/app", "team/ops", "admin")
    await grant(made, "team-a/app", "team/dev", "read")
    await grant(made, "team-a/app", `user/${made.registry.name("bob")}`, "read")
    await grant(made, "free", "team/ops", "admin")
    const path = `/api/v1/repository/${made.org}/free/changevisibility`
    expect((await made.registry.request("POST", path, { visibility: "public" })).ok).toBe(true)
    expect(await idsOf(made, RULES)).toEqual([
      "delete:repository-permission:$org/team-a/app/team:ops",
      "update:repository-permission:$org/team-a/app/team:dev",
      "update:repository:$org/free"
    ])
    await made.reach(RULES)
  })

  scene("hold for new repositories from their first day; what an entry says wins", async (made) => {
    const organization = {
      ...RULES,
      repositories: {
        "team-a/new": {},
        "team-a/own": { visibility: "public", permissions: { teams: { ops: "admin" }, users: { $bob: "read" } } }
      }
    }
    const { targets } = await made.reach(organization)
    const after = Object.fromEntries(
      (targets[0]?.operations ?? []).flatMap((it) =>
        it.action === "create" ? [[it.key.replace(made.org, "$org"), it.after]] : []
      )
    )
    expect(after).toMatchObject({
      "$org/team-a/new": { visibility: "private", description: "Of team A" },
      "$org/team-a/own": { visibility: "public", description: "Of team A" },
      "$org/team-a/new/team:dev": { role: "write" },
      "$org/team-a/own/team:ops": { role: "admin" }
    })
    expect(after["$org/team-a/own/team:dev"]).toBeUndefined()
  })

  scene("make no extras of the repositories that they alone speak of, nor prune them", async (made) => {
    const organization = { ...RULES, prune: ["repositories"], repositories: { app: {} } }
    const narrow = { ...organization, repository_rules: RULES.repository_rules.slice(1) }
    await made.reach(organization)
    await born(made, "team-a/app")
    expect((await made.plan(organization)).summary).toMatchObject({ delete: 0, extras: 0 })
    await born(made, "stray")
    expect(await idsOf(made, narrow)).toContain("delete:repository:$org/stray")
    expect(await idsOf(made, narrow)).not.toContain("delete:repository:$org/team-a/app")
  })

  scene("that contradict each other about what is there are refused, with both places", async (made) => {
    await made.reach({})
    await born(made, "ap")
    const organization = {
      repository_rules: [
        { match: "a*", visibility: "private" },
        { match: "*p", visibility: "public" }
      ]
    }
    const error = await rejection(made.plan(organization))
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error)).toContain(`visibility of repository ${made.org}/ap: the rules "a*" (`)
    expect(error).toMatchObject({ problems: [{ source: expect.stringContaining("repository_rules[1]") }] })
    await made.reach({ ...organization, repositories: { ap: { visibility: "public" } } })
  })

  simulated("cost no request more than the same said of each repository", async (made) => {
    const { requests } = made.simulator
    await made.reach(RULES)
    for (const name of ["team-a/one", "team-a/two", "three"]) await born(made, name)
    await made.reach(RULES)
    const plain = {
      teams: RULES.teams,
      repositories: {
        three: { visibility: "private" },
        ...Object.fromEntries(
          ["team-a/one", "team-a/two"].map((name) => [
            name,
            { visibility: "private", description: "Of team A", permissions: { teams: { dev: "write" } } }
          ])
        )
      }
    }
    const cost = async (organization: object) => {
      requests.reset()
      expect((await made.plan(organization)).summary).toMatchObject({ create: 0, update: 0, delete: 0 })
      return requests.total
    }
    expect(await cost(RULES)).toBe(await cost(plain))
    expect(await cost({ teams: RULES.teams, repository_rules: [{ match: "none", visibility: "public" }] })).toBe(
      await cost({ teams: RULES.teams, repositories: {} })
    )
  })

  simulated(
    "that ask for what the registry lacks are refused before it is known of whom they speak",
    async (made) => {
      const organization = { repository_rules: [{ match: "*", auto_prune: [{ method: "number_of_tags", value: 5 }] }] }
      const error = await rejection(made.plan(organization))
      expect(error).toBeInstanceOf(PlanRefused)
      expect(String(error)).toContain(`auto_prune of ${made.org}/*`)
    },
    { version: "3.9" }
  )

  scene("say whose secrets can be sent again, of what is there", async (made) => {
    const organization = {
      robots: { sync: {} },
      repository_rules: [
        {
          match: "vendor/*",
          mirror: {
            source: "registry.example.com/library/alpine",
            tags: ["latest"],
            robot: "sync",
            username: "puller",
            password: { env: "PULLER" }
          }
        }
      ]
    }
    const options = { ...made.options, env: { PULLER: "hunter2" }, organizations: [made.value(organization)] }
    await made.reach({ robots: { sync: {} } })
    await born(made, "vendor/alpine")
    await born(made, "other")
    expect(await apply(await plan(options), options)).toMatchObject({ outcome: "applied" })
    expect((await plan(options)).summary).toMatchObject({ create: 0, update: 0 })
    const sent = (...names: ReadonlyArray<string>) =>
      plan({ ...options, writeSecrets: names.map((name) => `repository-mirror:${made.org}/${name}`) })
    expect((await sent("vendor/alpine")).targets[0]?.operations).toMatchObject([
      { id: `update:repository-mirror:${made.org}/vendor/alpine`, changes: [{ field: "password" }] }
    ])
    const error = await rejection(sent("vendor/alpine", "other", "vendor/nothing"))
    expect(String(error).split("\n")).toEqual([
      expect.stringContaining(`repository-mirror:${made.org}/other are to be sent, and no file declares it`),
      expect.stringContaining(`repository-mirror:${made.org}/vendor/nothing are to be sent, and no file declares it`)
    ])
  })

  scene("are not exported: what they led to is", async (made) => {
    await made.reach(RULES)
    await born(made, "team-a/app")
    await made.reach(RULES)
    const [exported] = await exportOrganizations([made.org], made.options)
    expect(exported?.text).toContain("Of team A")
    expect(exported?.text).not.toContain("repository_rules")
    const name = await made.file("exported.yaml", exported?.text ?? "")
    expect((await plan({ ...made.options, files: [name] })).summary).toMatchObject({ create: 0, update: 0, delete: 0 })
  })

  scene("are in no plan: what follows from them is", async (made) => {
    await made.reach(RULES)
    await born(made, "team-a/app")
    const planned = await plan({ ...made.options, organizations: [made.value(RULES)] })
    expect(encodePlan(planned)).not.toContain("team-a/*")
    expect(planned.targets[0]?.scope).toContainEqual({
      kind: "repository-permission",
      parent: `${made.org}/team-a/app`,
      part: "teams",
      existing: 0
    })
    expect(planned.targets[0]?.scope.some(({ kind }) => kind === "repository")).toBe(false)
  })
})
