/** Finding and reading files: what inputs mean, in which order, and what cannot be had. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { decode, formatProblem, loadFiles } from "../src/index.ts"
import { problemsOf } from "./helpers.ts"
import { kinds } from "./kinds.ts"

let cwd = ""

const TREE: { readonly [name: string]: string | Uint8Array } = {
  "acme.yaml": "organization: acme\n",
  "quaymaster.yaml": "sources: [orgs]\n",
  "orgs/b.yml": "organization: b\n",
  "orgs/a.json": '{"organization": "a"}',
  "orgs/quaymaster.yaml": "",
  "orgs/README.md": "# read me\n",
  "orgs/.hidden.yaml": "organization: hidden\n",
  "orgs/.git/config.yaml": "organization: git\n",
  "orgs/deep/er/c.yaml": "organization: c\n",
  "empty/notes.txt": "nothing\n",
  "bad/latin.yaml": new Uint8Array([...Buffer.from("organization: acme\nemail: "), 0xe9, 0x0a]),
  "bad/utf16.yaml": Buffer.from("\ufefforganization: acme\n", "utf16le"),
  "bad/large.yaml": `# ${"x".repeat(8 * 1024 * 1024)}\n`
}

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "quaymaster-config-"))
  for (const [name, content] of Object.entries(TREE)) {
    await mkdir(join(cwd, dirname(name)), { recursive: true })
    await writeFile(join(cwd, name), content)
  }
  await symlink("deep", join(cwd, "orgs/link"))
  await symlink("..", join(cwd, "orgs/deep/up"))
  await symlink("nowhere", join(cwd, "bad/gone.yaml"))
})

afterAll(() => rm(cwd, { recursive: true, force: true }))

const load = async (...inputs: ReadonlyArray<string>) => {
  const { files, problems } = await loadFiles(inputs, { cwd })
  return { files: files.map((it) => it.name), problems: problems.map(formatProblem) }
}

describe("inputs", () => {
  it.each([
    ["a file", ["acme.yaml"], ["acme.yaml"]],
    ["a directory, with what is below", ["orgs"], ["orgs/a.json", "orgs/b.yml", "orgs/deep/er/c.yaml"]],
    ["a directory written otherwise", ["./orgs/"], ["orgs/a.json", "orgs/b.yml", "orgs/deep/er/c.yaml"]],
    ["a glob", ["orgs/*.yml"], ["orgs/b.yml"]],
    ["a glob of everything", ["**/*.{yaml,yml}"], ["acme.yaml", "bad/large.yaml", "orgs/b.yml", "orgs/deep/er/c.yaml"]],
    ["a glob of directories", ["o*"], ["orgs/a.json", "orgs/b.yml", "orgs/deep/er/c.yaml"]],
    [
      "the same twice",
      ["orgs/b.yml", "orgs", "./orgs/../orgs/b.yml"],
      ["orgs/a.json", "orgs/b.yml", "orgs/deep/er/c.yaml"]
    ],
    ["a file that is named outright", ["orgs/README.md", "orgs/.hidden.yaml"], ["orgs/.hidden.yaml", "orgs/README.md"]]
  ])("%s", async (_what, inputs, want) => {
    const { files } = await load(...inputs)
    expect(files).toEqual(want.filter((name) => !name.startsWith("bad/")))
  })

  it("may lie above the working directory", async () => {
    const load = await loadFiles(["../../acme.yaml", "../*.yml"], { cwd: join(cwd, "orgs/deep") })
    expect(load.files.map((it) => it.name)).toEqual(["../../acme.yaml", "../b.yml"])
    expect(load.problems).toEqual([])
  })

  it("keep absolute names absolute", async () => {
    expect((await load(join(cwd, "acme.yaml"))).files).toEqual([join(cwd, "acme.yaml")])
    expect((await load(join(cwd, "a*.yaml"))).files).toEqual([join(cwd, "acme.yaml")])
  })
})

describe("problems", () => {
  it.each([
    ["missing.yaml", 'missing.yaml: there is no file or directory "missing.yaml"'],
    ["empty", 'empty: the directory "empty" has no YAML or JSON files'],
    ["orgs/*.toml", 'orgs/*.toml: "orgs/*.toml" matches no YAML or JSON file'],
    ["bad/latin.yaml", "bad/latin.yaml:2:8: is not UTF-8 text"],
    ["bad/utf16.yaml", "bad/utf16.yaml:1:1: is not UTF-8 text"],
    ["bad/large.yaml", "bad/large.yaml: larger than 8 MiB; split it"],
    ["bad/gone.yaml", 'bad/gone.yaml: there is no file or directory "bad/gone.yaml"']
  ])("%s", async (input, want) => {
    expect(await load(input)).toEqual({ files: [], problems: [want] })
  })

  it("are told with the mistakes in what was read", async () => {
    const sources = await loadFiles(["missing.yaml", "acme.yaml"], { cwd })
    const told = problemsOf(() => decode(kinds, sources, {}))
    expect(told.map((it) => it.split(":")[0])).toEqual(["acme.yaml", "missing.yaml"])
  })

  it("stop when told to", async () => {
    const reason = new Error("enough")
    await expect(loadFiles(["orgs"], { cwd, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
