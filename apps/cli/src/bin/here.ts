/**
 * Where the user is, when a command runs from a clone: `pnpm quay-plan` runs it in the clone's root and leaves the directory
 * it was called in to INIT_CWD. A command that is run directly, and every published one, is where the user is anyway.
 */
import { relative, sep } from "node:path"
import { chdir, cwd, env } from "node:process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../../..", import.meta.url))

export const goWhereTheUserIs = (): void => {
  const called = env["INIT_CWD"]
  const byScript = env["npm_lifecycle_event"] !== undefined && relative(root, cwd()) === ""
  if (called === undefined || !byScript) return
  // Somebody else's script may have set INIT_CWD for a directory that is not in the clone.
  if (relative(root, called).split(sep)[0] === "..") return
  chdir(called)
}
