/** Files that are none: devices, pipes, circles of links. None fills the memory, and none holds the process. */
import { execFileSync, spawn } from "node:child_process"
import { createWriteStream } from "node:fs"
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { formatProblem, loadFiles, loadSettings, readBytes, readSecretFile, resolveSecret } from "../src/index.ts"
import { problemsOf } from "./helpers.ts"

let cwd = ""

const pipe = (name: string): string => {
  const path = join(cwd, name)
  execFileSync("mkfifo", [path])
  return path
}

const load = async (inputs: ReadonlyArray<string>, signal = AbortSignal.timeout(20_000)) => {
  const { files, problems } = await loadFiles(inputs, { cwd, signal })
  return { files, problems: problems.map(formatProblem) }
}

describe.skipIf(process.platform === "win32")("a file that is none", () => {
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), "quaymaster-special-"))
    await symlink("b.yaml", join(cwd, "a.yaml"))
    await symlink("a.yaml", join(cwd, "b.yaml"))
    await mkdir(join(cwd, "orgs"))
  })

  afterAll(() => rm(cwd, { recursive: true, force: true }))

  it("but a device without end is read no further than a file may be long", async () => {
    expect((await load(["/dev/zero"])).problems).toEqual(["/dev/zero: larger than 8 MiB; split it"])
    const settings = await loadSettings({ cwd, path: "/dev/zero" }).catch((error: unknown) => error)
    expect(
      problemsOf(() => {
        throw settings
      })
    ).toEqual(["/dev/zero: larger than 8 MiB; split it"])
    await expect(readSecretFile("/dev/zero")).rejects.toMatchObject({ code: "EFBIG" })
    await expect(resolveSecret({ file: "/dev/zero" }, {}, readSecretFile)).rejects.toThrow(
      "The secret in /dev/zero cannot be read: it is too large."
    )
  })

  it("but an empty device is an empty file", async () => {
    const { files, problems } = await load(["/dev/null"])
    expect(problems).toEqual([])
    expect(files).toMatchObject([{ text: "" }])
  })

  it("but links in a circle are told", async () => {
    expect((await load(["a.yaml"])).problems).toEqual(['a.yaml: there is no file or directory "a.yaml"'])
  })

  it("but a pipe is read to its end", async () => {
    const path = pipe("pipe.yaml")
    const loading = load(["pipe.yaml"])
    const writer = createWriteStream(path)
    writer.write("organization: ac")
    setTimeout(() => writer.end("me\n"), 50)
    expect((await loading).files).toMatchObject([{ text: "organization: acme\n" }])
  })

  it("but a pipe without end is read no further than a file may be long", async () => {
    const path = pipe("endless.yaml")
    const writer = spawn("sh", ["-c", `cat /dev/zero > ${path}`], { stdio: "ignore" })
    await expect(readBytes(path, { most: 1_000_000 })).rejects.toMatchObject({ code: "EFBIG" })
    await new Promise((done) => writer.on("exit", done))
  })

  it("but nobody waits for a pipe that nothing writes to longer than he wants", async () => {
    pipe("silent.yaml")
    await expect(load(["silent.yaml"], AbortSignal.timeout(50))).rejects.toMatchObject({ name: "TimeoutError" })
  })

  it("but a pipe in a folder is not waited for at all", async () => {
    pipe("orgs/pipe.yaml")
    expect((await load(["orgs"])).problems).toEqual([
      'orgs: "orgs/pipe.yaml" is no file, and lies where files are read'
    ])
  })
})
