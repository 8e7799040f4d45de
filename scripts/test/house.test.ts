// The arrows of the house: what each package may import, by its package.json and by the import statements in its source;
// and that kinds call nothing but operations that Quay is known to serve.
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { operationFor } from "../../packages/sdk/src/index.ts"

const ROOT = join(import.meta.dirname, "../..")

/** What source may import, by package: names, and modules of Node. `effect` stands for its deep imports, but for those of commands. */
const MAY: Record<string, { readonly packages: ReadonlyArray<string>; readonly node: ReadonlyArray<string> | "any" }> =
  {
    "packages/engine": { packages: ["@sinclair/typebox"], node: ["node:crypto"] },
    "packages/sdk": { packages: ["openapi-fetch", "undici"], node: "any" },
    "packages/runtime": { packages: ["@quaymaster/engine", "@sinclair/typebox", "effect"], node: [] },
    "packages/kinds": {
      packages: ["@quaymaster/engine", "@quaymaster/runtime", "@quaymaster/sdk", "@sinclair/typebox", "effect"],
      node: ["node:crypto"]
    },
    "packages/config": { packages: ["@quaymaster/engine", "@sinclair/typebox", "yaml"], node: "any" },
    "packages/simulator": { packages: [], node: "any" },
    "packages/testing": { packages: ["@quaymaster/simulator"], node: "any" },
    "packages/quaymaster": {
      packages: [
        "@quaymaster/config",
        "@quaymaster/engine",
        "@quaymaster/kinds",
        "@quaymaster/runtime",
        "@quaymaster/sdk",
        "@quaymaster/simulator",
        "@sinclair/typebox",
        "effect"
      ],
      node: "any"
    },
    "apps/cli": { packages: ["quaymaster", "effect", "@effect/platform-node"], node: "any" }
  }

/** The one who may import the parts of effect that are for commands. */
const COMMANDS = "apps/cli"

interface Import {
  readonly file: string
  readonly from: string
  /** `type` imports are gone when the program runs. */
  readonly types: boolean
}

const sources = async (place: string): Promise<ReadonlyArray<{ readonly file: string; readonly text: string }>> => {
  const entries = await readdir(join(ROOT, place, "src"), { recursive: true, withFileTypes: true })
  const files = entries.filter((it) => it.isFile() && it.name.endsWith(".ts")).map((it) => join(it.parentPath, it.name))
  return await Promise.all(
    files.sort().map(async (file) => ({ file: file.slice(ROOT.length + 1), text: await readFile(file, "utf8") }))
  )
}

const STATEMENT =
  /^(?:import|export)\s+(type\s)?[^"'`;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm

const importsOf = async (place: string): Promise<ReadonlyArray<Import>> =>
  (await sources(place)).flatMap(({ file, text }) =>
    [...text.matchAll(STATEMENT)].map(([, type, from, bare, dynamic]) => ({
      file,
      from: from ?? bare ?? dynamic ?? "",
      types: type !== undefined
    }))
  )

/** `@scope/name` of `@scope/name/part`. */
const packageOf = (from: string): string =>
  from
    .split("/")
    .slice(0, from.startsWith("@") ? 2 : 1)
    .join("/")

const manifest = async (place: string): Promise<Record<string, unknown>> => {
  const value: unknown = JSON.parse(await readFile(join(ROOT, place, "package.json"), "utf8"))
  return typeof value === "object" && value !== null ? { ...value } : {}
}

/** All that our packages export, as others import it. */
const exported = async (): Promise<ReadonlySet<string>> => {
  const manifests = await Promise.all(Object.keys(MAY).map(manifest))
  return new Set(
    manifests.flatMap(({ exports, name }) => names(exports).map((path) => `${String(name)}${path.slice(1)}`))
  )
}

const names = (value: unknown): ReadonlyArray<string> =>
  typeof value === "object" && value !== null ? Object.keys(value).sort() : []

test("every package and app has its place in the house", async () => {
  const found = await Promise.all(
    ["packages", "apps"].map(async (dir) => (await readdir(join(ROOT, dir))).map((name) => `${dir}/${name}`))
  )
  expect(found.flat().sort()).toEqual(Object.keys(MAY).sort())
})

describe.each(Object.entries(MAY))("%s", (place, may) => {
  test("imports what it may and nothing else", async () => {
    const wrong = (await importsOf(place)).filter(({ from }) => {
      if (from.startsWith(".")) return false
      if (from.startsWith("node:")) return may.node !== "any" && !may.node.includes(from)
      return !may.packages.includes(packageOf(from))
    })
    expect(wrong).toEqual([])
  })

  test("stays within its own source where it imports files", async () => {
    const wrong = (await importsOf(place)).filter(({ file, from }) => {
      if (!from.startsWith(".")) return false
      return !join(file, "..", from).startsWith(`${place}/src/`)
    })
    expect(wrong).toEqual([])
  })

  test("uses other packages by what they export, not by their files", async () => {
    const ours = (await importsOf(place)).filter(({ from }) => /^(@quaymaster\/|quaymaster(\/|$))/.test(from))
    const open = await exported()
    expect(ours.filter(({ from }) => !open.has(from))).toEqual([])
  })

  test("imports the parts of effect one by one, and those for commands only in the command", async () => {
    const effect = (await importsOf(place)).filter(({ from }) => packageOf(from) === "effect")
    expect(effect.filter(({ from }) => from === "effect")).toEqual([])
    if (place !== COMMANDS) expect(effect.filter(({ from }) => from.startsWith("effect/cli"))).toEqual([])
  })

  test("depends on exactly what it imports", async () => {
    const { dependencies, devDependencies } = await manifest(place)
    const used = new Set(
      (await importsOf(place))
        .map(({ from }) => from)
        .filter((from) => !/^(\.|node:)/.test(from))
        .map(packageOf)
    )
    // A command is bundled into one file, so all that it uses is needed only to build it.
    const declared = place === COMMANDS ? names(devDependencies) : names(dependencies)
    expect([...used].filter((name) => !declared.includes(name))).toEqual([])
    if (place !== COMMANDS) expect(declared.filter((name) => !used.has(name))).toEqual([])
  })
})

describe("law 8", () => {
  const CALL = /client\.(GET|PUT|POST|DELETE)\(\s*"([^"]+)"/g

  test("every operation that kinds call is one that Quay serves", async () => {
    const calls = (await sources("packages/kinds")).flatMap(({ file, text }) =>
      [...text.matchAll(CALL)].map(([, method = "", path = ""]) => ({ file, method, path }))
    )
    expect(calls.length).toBeGreaterThan(20)
    expect(calls.filter(({ method, path }) => operationFor(method, path) === undefined)).toEqual([])
  })

  test("kinds call nothing in any other way", async () => {
    const other = (await sources("packages/kinds")).filter(({ text }) =>
      /\bfetch\(|\/api\/v1\/[^"`]*\$\{|\.raw\b/.test(text.replace(/^\s*(\*|\/\/).*$/gm, ""))
    )
    expect(other.map(({ file }) => file)).toEqual([])
  })

  test("DELETE repository/{repository}/mirror, which deletes another repository, is never called", async () => {
    const all = await Promise.all(["packages/kinds", "packages/quaymaster"].map(sources))
    expect(all.flat().filter(({ text }) => /DELETE\("[^"]*\/repository\/\{repository\}\/mirror"/.test(text))).toEqual(
      []
    )
  })
})
