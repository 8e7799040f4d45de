/**
 * Where the user is, when a command runs from a clone: `pnpm quay-plan` runs it in the clone's root and leaves the directory
 * it was called in to INIT_CWD. A command that is run directly, and every published one, is where the user is anyway.
 */
import { relative } from "node:path"
import { chdir, cwd, env } from "node:process"
import { fileURLToPath } from "node:url"
import type { CommandName } from "../main.ts"

const root = fileURLToPath(new URL("../../../..", import.meta.url))

/** `name` is the script's, too: in any other script INIT_CWD is somebody else's affair. */
export const goWhereTheUserIs = (name: CommandName): void => {
  const called = env["INIT_CWD"]
  if (called !== undefined && env["npm_lifecycle_event"] === name && relative(root, cwd()) === "") chdir(called)
}
