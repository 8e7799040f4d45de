/**
 * Writes the JSON Schemas that are published with the library: `pnpm --filter @quaymaster/cli generate`. With `--check` nothing is
 * written, and the exit code is 1 if what is there is not what the kinds say.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { type SchemaName, schemaText } from "./commands/schema.ts"

const names: ReadonlyArray<SchemaName> = ["organization", "settings", "plan"]
const folder = new URL("../../../packages/quaymaster/schemas/", import.meta.url)

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } })
const stale: Array<string> = []
for (const name of names) {
  const file = new URL(`${name}.schema.json`, folder)
  const text = await schemaText(name)
  if ((await readFile(file, "utf8").catch(() => undefined)) === text) continue
  stale.push(fileURLToPath(file))
  if (values.check) continue
  await mkdir(folder, { recursive: true })
  await writeFile(file, text)
}
if (values.check && stale.length > 0) {
  process.stderr.write(`Not current, run  pnpm generate\n${stale.map((file) => `  ${file}\n`).join("")}`)
  process.exitCode = 1
}
