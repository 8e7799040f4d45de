/**
 * The main job on an example: plans `examples/partner-lab` against an empty simulated Quay, applies it, and plans again.
 * Nothing outside a temporary folder is touched, and no server is asked.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "quaymaster-demo-"))
const registry = `sim:${join(folder, "quay.json")}`
const example = "examples/partner-lab"

/** Runs a command from its sources, as a clone has it; gives what it wrote on stdout. */
const command = (name: string, ...args: ReadonlyArray<string>): string => {
  console.log(`\n$ ${name} ${args.join(" ")}\n`)
  const bin = join(root, "apps/cli/src/bin", `${name}.ts`)
  const { status, stdout } = spawnSync(process.execPath, [bin, ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"]
  })
  process.stdout.write(stdout)
  if (status !== 0) throw new Error(`${name} ended with ${status}`)
  return stdout
}

try {
  command("quay-plan", "--registry", registry, example)
  command("quay-apply", "--yes", "--registry", registry, example)
  const left = command("quay-plan", "--registry", registry, example)
  if (!left.includes("No changes")) throw new Error("The second plan should have had nothing left to do.")
} finally {
  rmSync(folder, { recursive: true, force: true })
}
