/**
 * Reads the captured documents and the patches from this folder. Patches apply in the order of their names.
 */
import { readdir, readFile } from "node:fs/promises"
import { parse as parseYaml } from "yaml"
import type { Sources } from "./build.ts"
import { parse } from "./json.ts"
import { type Patch, patchOf } from "./patch.ts"

const here = (path: string): URL => new URL(`../${path}`, import.meta.url)

export const readPatches = async (): Promise<Patch[]> => {
  const names = (await readdir(here("patches"))).filter((name) => name.endsWith(".yaml")).sort()
  return Promise.all(
    names.map(async (name) => patchOf(name, parseYaml(await readFile(here(`patches/${name}`), "utf8"))))
  )
}

export const readSources = async (): Promise<Sources> => {
  const document = async (name: string) => parse(await readFile(here(`discovery/${name}`), "utf8"), name)
  const [discovery, internal, patches] = await Promise.all([
    document("discovery.json"),
    document("discovery-internal.json"),
    readPatches()
  ])
  return { discovery, internal, patches }
}
