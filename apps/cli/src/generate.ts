/**
 * Writes what follows from the kinds: the JSON Schemas that are published with the library, and the reference page. With
 * `--check` nothing is written, and the exit code is 1 if what is there is not what the kinds say.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { generated } from "./generated.ts"

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } })
const stale: Array<string> = []
for (const { file, text } of await generated()) {
  if ((await readFile(file, "utf8").catch(() => undefined)) === text) continue
  stale.push(fileURLToPath(file))
  if (values.check) continue
  await mkdir(new URL(".", file), { recursive: true })
  await writeFile(file, text)
}
if (values.check && stale.length > 0) {
  process.stderr.write(`Not current, run  pnpm generate\n${stale.map((file) => `  ${file}\n`).join("")}`)
  process.exitCode = 1
}
