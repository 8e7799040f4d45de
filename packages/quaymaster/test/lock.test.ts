/** Locks in files: one at a time, whoever it is, and none that a dead process keeps. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { acquireLock, LockFailed, LockHeld } from "../src/lock.ts"
import { rejection } from "./harness.ts"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quaymaster-lock-"))
})
afterEach(() => rm(folder, { recursive: true }))

const FILE = "apply.lock"
const here = () => ({ cwd: folder })
const source = fileURLToPath(new URL("../src/lock.ts", import.meta.url))

/** A process that runs a script with the lock's module, and what it says line by line. */
const start = (script: string) => {
  const code = `import { acquireLock } from ${JSON.stringify(source)}; const file = ${JSON.stringify(FILE)}; ${script}`
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"]
  })
  const lines: Array<string> = []
  child.stdout.on("data", (chunk) => lines.push(...String(chunk).split("\n").filter(Boolean)))
  return { child, lines, closed: once(child, "close") }
}

/** A process that has the lock until it is killed. */
const holder = async (): Promise<ChildProcess> => {
  const { child, lines } = start('await acquireLock(file); console.log("has it"); setInterval(() => {}, 1000)')
  await expect.poll(() => lines, { timeout: 20_000 }).toEqual(["has it"])
  return child
}

const kill = async (child: ChildProcess) => {
  child.kill("SIGKILL")
  await once(child, "close")
}

describe("a lock", () => {
  test("says who has it, and is gone when it is given back", async () => {
    const lock = await acquireLock(FILE, here())
    expect(JSON.parse(await readFile(join(folder, FILE), "utf8"))).toMatchObject({ pid: process.pid })
    await lock.release()
    expect(await readdir(folder)).toEqual([])
    await lock.release()
    await (await acquireLock(FILE, here())).release()
  })

  test("is one's own alone", async () => {
    await using _ = await acquireLock(FILE, here())
    const error = await rejection(acquireLock(FILE, here()))
    expect(error).toBeInstanceOf(LockHeld)
    expect(String(error)).toMatch(new RegExp(`${FILE} is locked by process ${process.pid} on .+ since 20`))
  })

  test("is waited for as long as one wants, and who has it is told once", async () => {
    const lock = await acquireLock(FILE, here())
    const waited: Array<number> = []
    const onWait = ({ pid }: { readonly pid: number }) => waited.push(pid)
    expect(await rejection(acquireLock(FILE, { ...here(), timeout: 300, onWait }))).toBeInstanceOf(LockHeld)
    const second = acquireLock(FILE, { ...here(), timeout: 20_000, onWait })
    await expect.poll(() => waited.length).toBe(2)
    await lock.release()
    await (await second).release()
    expect(waited).toEqual([process.pid, process.pid])
  })

  test("is not waited for once the waiting is aborted", async () => {
    await using _ = await acquireLock(FILE, here())
    const controller = new AbortController()
    const waiting = rejection(acquireLock(FILE, { ...here(), timeout: 60_000, signal: controller.signal }))
    controller.abort(new Error("enough"))
    expect(await waiting).toMatchObject({ message: "enough" })
  })

  test.each([
    ["somebody else's file", "hello"],
    ["somebody else's JSON", "{}"],
    ["a name that leads elsewhere", JSON.stringify({ format: "quaymaster-lock/1", id: "../x", pid: 1 })]
  ])("is not %s", async (_, text) => {
    await writeFile(join(folder, FILE), text)
    const error = await rejection(acquireLock(FILE, here()))
    expect(error).toBeInstanceOf(LockFailed)
    expect(String(error)).toMatch(/is no lock/)
    expect(await readFile(join(folder, FILE), "utf8")).toBe(text)
  })

  test("cannot be where there is no folder", async () => {
    const error = await rejection(acquireLock(join("nowhere", FILE), here()))
    expect(error).toBeInstanceOf(LockFailed)
    expect(String(error)).toMatch(/no such file or directory/)
  })

  test("of a living process is respected, and given back when that ends", { timeout: 60_000 }, async () => {
    const child = await holder()
    expect(await rejection(acquireLock(FILE, here()))).toMatchObject({ _tag: "LockHeld", holder: { pid: child.pid } })
    await kill(child)
    const { closed, lines } = start('await acquireLock(file); console.log("has it"); process.exit(3)')
    await closed
    expect(lines).toEqual(["has it"])
    expect(await readdir(folder)).toEqual([])
  })

  const changed = async (change: Readonly<Record<string, unknown>>) => {
    const lock = await acquireLock(FILE, here())
    const mark: unknown = JSON.parse(await readFile(join(folder, FILE), "utf8"))
    await lock.release()
    await writeFile(join(folder, FILE), JSON.stringify(Object.assign({}, mark, change)))
  }

  test.each([
    ["a process that another one has the id of by now", { born: "1" }],
    ["a machine that has been started anew", { boot: "long ago" }]
  ])("of %s is taken over", async (_, change) => {
    await changed(change)
    await (await acquireLock(FILE, here())).release()
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    ["another machine", { host: "elsewhere", pid: 1 }],
    ["another container", { space: "pid:[1]", pid: 2 ** 22 + 1 }]
  ])("of %s is never taken over", async (_, change) => {
    await changed(change)
    expect(await rejection(acquireLock(FILE, here()))).toBeInstanceOf(LockHeld)
  })

  test("of a dead process goes to one of many, also if one dies while it takes it over", {
    timeout: 120_000
  }, async () => {
    await kill(await holder())
    // What a process leaves that dies when it has just claimed the dead one's lock.
    const dead: unknown = JSON.parse(await readFile(join(folder, FILE), "utf8"))
    const id = String(Object.assign({ id: "" }, dead).id)
    await writeFile(join(folder, `${FILE}.${id}`), JSON.stringify(Object.assign({}, dead, { id: "abc" })))
    const script = `
      for (let i = 0; i < 25; i++) {
        const lock = await acquireLock(file, { timeout: 60000 })
        const { readFileSync, writeFileSync } = await import("node:fs")
        const count = Number(readFileSync("count", "utf8"))
        await new Promise((go) => setTimeout(go, 1))
        writeFileSync("count", String(count + 1))
        await lock.release()
      }`
    await writeFile(join(folder, "count"), "0")
    await Promise.all(Array.from({ length: 4 }, () => start(script).closed))
    expect(await readFile(join(folder, "count"), "utf8")).toBe("100")
    expect(await readdir(folder)).toEqual(["count"])
  })
})
