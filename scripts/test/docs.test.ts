/** The code in the READMEs runs: each fence marked `run` is a program of its own, with an organization file beside it. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))
const packages = (await readdir(join(root, "packages"))).map((name) => `packages/${name}/README.md`)

const programs = (
  await Promise.all(
    packages.map(async (file) => {
      const text = await readFile(join(root, file), "utf8").catch(() => "")
      return [...text.matchAll(/^```ts run\n(.*?)^```$/gms)].map((match, i) => ({
        file,
        number: i + 1,
        code: match[1] ?? ""
      }))
    })
  )
).flat()

let folder = ""

beforeAll(async () => {
  // Inside the workspace, so that the packages are found; not in node_modules, where Node does not run TypeScript.
  folder = await mkdtemp(join(root, "packages/quaymaster/.docs-"))
  await mkdir(join(folder, "orgs"))
  await writeFile(join(folder, "orgs/acme.yaml"), "organization: acme\nteams:\n  dev: { role: member }\n")
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test("there are programs to run", () => expect(programs.length).toBeGreaterThan(0))

test.each(programs)("$file, program $number, runs", async ({ code, file, number }) => {
  const program = join(folder, `${dirname(file).replaceAll("/", "-")}-${number}.ts`)
  await writeFile(program, code)
  const { stderr, stdout } = await promisify(execFile)(process.execPath, [program], { cwd: folder })
  expect(stderr).toBe("")
  // What a comment after console.log says is what it prints.
  const told = [...code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map((match) => match[1])
  expect(stdout.split("\n")).toEqual(expect.arrayContaining(told))
})
