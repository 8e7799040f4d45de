/** `quaymaster validate`: checks organization files without asking a registry, and says what was checked. */
import * as Command from "effect/cli/Command"
import { ExitCode } from "../exit-code.ts"
import { files, json, project, showing } from "../flags.ts"
import type { Host } from "../host.ts"
import { UsageError } from "../present/failure.ts"
import { styleOf } from "../present/style.ts"
import { validText } from "../present/valid.ts"
import { ending, load, type Showing } from "../session.ts"

const NAME = "quaymaster validate"

export const validateCommand = Command.make(
  "validate",
  {
    files,
    ...project,
    json: json("what was checked"),
    color: showing.color,
    verbose: showing.verbose,
    quiet: showing.quiet
  },
  (input) => ending(NAME, input, (host) => run(host, input))
).pipe(
  Command.withDescription(
    "Check organization files without asking a registry: every mistake at once, each with file, line and column.\n\n" +
      "  Exit codes: 0 valid; 1 not; 64 wrong usage."
  ),
  Command.withShortDescription("Check organization files"),
  Command.withExamples([
    { command: `${NAME} orgs/`, description: "All files below a directory" },
    {
      command: `${NAME} --registry sim: acme.yaml`,
      description: "A file that names no registry, where no default says which"
    }
  ])
)

interface Input extends Omit<Showing, "events"> {
  readonly files: ReadonlyArray<string>
  readonly registry: string | undefined
  readonly settings: string | undefined
  readonly json: boolean
}

const run = async (host: Host, input: Input): Promise<ExitCode> => {
  const { validate } = await import("quaymaster")
  const { kinds, options, settings } = await load(host, input)
  if (input.files.length === 0 && settings.sources.length === 0)
    throw new UsageError("Name organization files, directories or globs; or give quaymaster.yaml sources.")
  const targets = await validate({ ...options, ...(input.files.length === 0 ? {} : { files: input.files }), kinds })
  if (input.json) host.stdout.write(`${JSON.stringify({ targets }, null, 2)}\n`)
  else if (!input.quiet) host.stdout.write(validText(targets, styleOf(input.color, host.stdout, host.env), input))
  return ExitCode.ok
}
