/** The journal of an apply: what is in it, when it is on the disk, and what is done with one that is there already. */
import { readFileSync } from "node:fs"
import { readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect } from "vitest"
import { apply, type Event, type JournalLine, readJournal } from "../src/index.ts"
import { rejection, type Scene, simulated } from "./harness.ts"

const FILE = "journal.ndjson"
const TEAMS = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`t${i}`, {}]))

const textOf = (scene: Scene) => readFile(join(scene.directory, FILE), "utf8")
const linesOf = async (scene: Scene): Promise<ReadonlyArray<JournalLine>> =>
  (await textOf(scene))
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))

describe("the journal of an apply", () => {
  simulated("has each operation before anything of it is sent, and how it ended", async (scene) => {
    const made = await scene.plan({ teams: TEAMS, robots: { ci: {} } })
    const operations = made.targets.flatMap((target) => target.operations)
    const early: Array<string> = []
    const recorded: Array<number> = []
    scene.simulator.onChange(() => {
      recorded.push(readFileSync(join(scene.directory, FILE), "utf8").split('"started"').length - 1)
    })
    const report = await apply(made, {
      ...scene.options,
      journal: FILE,
      onEvent: (event) => {
        if (event.type === "operation-started") early.push(event.id)
      }
    })
    expect(report.outcome).toBe("applied")
    expect(recorded.length).toBeGreaterThan(12)
    // As each write came to the registry, so many starts were in the file already.
    for (const [writes, starts] of recorded.entries()) expect(starts).toBeGreaterThan(writes)
    const lines = await linesOf(scene)
    expect(lines[0]).toMatchObject({
      type: "begun",
      digest: made.digest,
      targets: [{ url: scene.options.registry, operations: operations.length }]
    })
    expect(lines.at(-1)).toMatchObject({ type: "finished", outcome: "applied", counts: { applied: early.length } })
    for (const id of early) {
      const own = lines.flatMap((line) => ("id" in line && line.id === id ? [line.type] : []))
      expect(own).toEqual(["started", "ended"])
    }
    expect((await stat(join(scene.directory, FILE))).mode & 0o777).toBe(0o600)
  })

  simulated("is gone on with, and what is in the dark is looked for as long as it may still come", async (scene) => {
    await scene.reach({ teams: { dev: {} } })
    const made = await scene.plan({ default_permissions: [{ role: "read", team: "dev" }] })
    const id = `create:default-permission:${scene.org}/team:dev`
    const time = new Date().toISOString()
    const { registry = "", url = "" } = made.targets[0] ?? {}
    const begun = {
      type: "begun",
      format: "quaymaster-journal/1",
      tool: "0",
      digest: made.digest,
      targets: [{ registry, url, operations: 1 }],
      time
    }
    const started = { type: "started", registry, id, time }
    const broken = `${JSON.stringify(begun)}\n${JSON.stringify(started)}\n{"type":"ended","regis`
    await writeFile(join(scene.directory, FILE), broken)
    // The one that was under way when the other apply was killed.
    setTimeout(() => {
      void scene.registry.request("POST", `/api/v1/organization/${scene.org}/prototypes`, {
        role: "read",
        delegate: { kind: "team", name: "dev" }
      })
    }, 1_200)
    const events: Array<Event> = []
    const report = await apply(made, {
      ...scene.options,
      fresh: true,
      journal: FILE,
      patience: 10_000,
      onEvent: (event) => events.push(event)
    })
    expect(events[0]).toEqual({ type: "apply-resumed", registry, unsettled: [id] })
    expect(report.targets[0]?.results).toEqual([{ id, outcome: "already" }])
    expect(scene.simulator.snapshot().organizations[scene.org]?.default_permissions).toHaveLength(1)
    const lines = await linesOf(scene)
    expect(lines.map(({ type }) => type)).toEqual(["begun", "started", "begun", "ended", "finished"])
    expect(readJournal(await textOf(scene))?.unsettled).toEqual([])
  })

  simulated("of another plan is left as it is, and nothing is done", async (scene) => {
    const first = await scene.plan({ teams: { dev: {} } })
    await apply(first, { ...scene.options, journal: FILE })
    const before = await textOf(scene)
    const second = await scene.plan({ teams: { dev: {}, ops: {} } })
    const error = await rejection(apply(second, { ...scene.options, journal: FILE }))
    expect(error).toMatchObject({ _tag: "JournalFailed" })
    expect(String(error)).toMatch(/journal of another plan \(sha256:.*came to its end/)
    expect(await textOf(scene)).toBe(before)
    expect(Object.keys(scene.simulator.snapshot().organizations[scene.org]?.teams ?? {})).not.toContain("ops")
  })

  simulated("is nothing else's file, nor where none can be", async (scene) => {
    const made = await scene.plan({ teams: { dev: {} } })
    await writeFile(join(scene.directory, FILE), "notes\n")
    expect(String(await rejection(apply(made, { ...scene.options, journal: FILE })))).toMatch(/This is not a journal/)
    expect(await textOf(scene)).toBe("notes\n")
    const nowhere = rejection(apply(made, { ...scene.options, journal: join("nowhere", FILE) }))
    expect(String(await nowhere)).toMatch(/nowhere.*no such file or directory/)
    expect(scene.simulator.snapshot().organizations[scene.org]).toBeUndefined()
  })

  simulated("is not begun by an apply that is refused", async (scene) => {
    await scene.reach({ teams: { dev: { role: "member" } } })
    const made = await scene.plan({ teams: { dev: { role: "admin" } } })
    await scene.reach({ teams: { dev: { role: "creator" } } })
    expect(await rejection(apply(made, { ...scene.options, journal: FILE }))).toMatchObject({ _tag: "PlanStale" })
    await expect(textOf(scene)).rejects.toThrow(/ENOENT/)
    expect(readJournal("")).toBeUndefined()
  })
})
