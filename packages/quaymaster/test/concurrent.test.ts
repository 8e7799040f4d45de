// Two applies at once on the same organization: they may do the same work, and nothing comes of it that is there twice, or that
// nobody wanted. What each reports is what is there.
import { expect } from "vitest"
import { apply, type Event } from "../src/index.ts"
import { type Scene, simulated } from "./harness.ts"

const hook = (name: string) => ({
  event: "repo_push",
  method: "webhook",
  title: name,
  config: { url: `https://hooks.example.com/${name}` }
})
const file = (names: ReadonlyArray<string>) => ({
  teams: { dev: {} },
  robots: Object.fromEntries(names.map((name) => [name, {}])),
  applications: Object.fromEntries(names.map((name) => [name, {}])),
  default_permissions: [{ role: "read", team: "dev" }, ...names.map((robot) => ({ role: "write", robot }))],
  repositories: Object.fromEntries(
    names.map((name) => [
      name,
      { permissions: { robots: { [name]: "write" } }, notifications: [hook("one"), hook(name)] }
    ])
  )
})

/** How often each thing is there that Quay lets be there twice. */
const counts = async ({ org, registry }: Scene, names: ReadonlyArray<string>) => {
  const listed = async (path: string, key: string): Promise<number> => {
    const answer: unknown = await (await registry.request("GET", path)).json()
    const list: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, key) : undefined
    return Array.isArray(list) ? list.length : -1
  }
  return {
    applications: await listed(`/api/v1/organization/${org}/applications`, "applications"),
    prototypes: await listed(`/api/v1/organization/${org}/prototypes`, "prototypes"),
    notifications: await Promise.all(
      names.map((name) => listed(`/api/v1/repository/${org}/${name}/notification/`, "notifications"))
    )
  }
}

const NAMES = ["ci", "cd", "app"]
const ONCE = { applications: 3, prototypes: 4, notifications: [2, 2, 2] }

simulated("two of the same plan end with each thing once", async (scene) => {
  await scene.reach({ teams: { dev: {} } })
  const made = await scene.plan(file(NAMES))
  // Neither looks before it writes, so that both create everything.
  scene.simulator.faults.add({ on: /^(POST|PUT) /, effect: { kind: "latency", ms: 30 } })
  const events: Array<Event> = []
  const onEvent = (event: Event) => events.push(event)
  const reports = await Promise.all([1, 2].map(() => apply(made, { ...scene.options, fresh: true, onEvent })))
  scene.simulator.faults.clear()
  expect(reports.map(({ outcome }) => outcome)).toEqual(["applied", "applied"])
  expect(events.some(({ type }) => type === "duplicate-removed")).toBe(true)
  expect(await counts(scene, NAMES)).toEqual(ONCE)
  expect((await scene.plan(file(NAMES))).summary).toMatchObject({ create: 0, update: 0, delete: 0 })
})

simulated("two of different plans that share things end with what both want, each thing once", async (scene) => {
  await scene.reach({ teams: { dev: {} } })
  const without = (names: ReadonlyArray<string>) => ({ ...file(names), default_permissions: undefined })
  const first = await scene.plan(without(NAMES.slice(0, 2)))
  const second = await scene.plan(without(NAMES.slice(1)))
  scene.simulator.faults.add({ on: /^(POST|PUT) /, effect: { kind: "latency", ms: 30 } })
  const reports = await Promise.all([first, second].map((made) => apply(made, { ...scene.options, fresh: true })))
  scene.simulator.faults.clear()
  expect(reports.map(({ outcome }) => outcome)).toEqual(["applied", "applied"])
  expect(await counts(scene, NAMES)).toEqual({ ...ONCE, prototypes: 0 })
  expect((await scene.plan(without(NAMES))).summary).toMatchObject({ create: 0, update: 0, delete: 0 })
})

simulated("of two that want the same thing otherwise, the one that looks later is refused", async (scene) => {
  await scene.reach({ teams: { dev: { role: "member" } } })
  const first = await scene.plan({ teams: { dev: { role: "admin" } } })
  const second = await scene.plan({ teams: { dev: { role: "creator" } } })
  expect((await scene.apply(first)).outcome).toBe("applied")
  await expect(scene.apply(second)).rejects.toMatchObject({ _tag: "PlanStale" })
})
