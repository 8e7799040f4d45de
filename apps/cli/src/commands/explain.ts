/** `quaymaster explain`: what a kind is, what a file may say of it, and what Quay allows. */
import * as Command from "effect/cli/Command"
import { ExitCode } from "../exit-code.ts"
import { kindName, project, showing } from "../flags.ts"
import { explainText } from "../present/explain.ts"
import { UsageError } from "../present/failure.ts"
import { styleOf } from "../present/style.ts"
import { ending, load } from "../session.ts"

const NAME = "quaymaster explain"

export const explainCommand = Command.make(
  "explain",
  { kind: kindName, settings: project.settings, color: showing.color, verbose: showing.verbose },
  ({ kind, settings, ...input }) =>
    ending(NAME, input, async (host) => {
      const { explainKinds } = await import("quaymaster")
      const { kinds } = await load(host, { settings })
      const text = explainText(explainKinds(kinds), kind, styleOf(input.color, host.stdout, host.env))
      if (text === undefined) throw new UsageError(`There is no kind ${kind}. ${NAME} lists them.`)
      host.stdout.write(text)
      return ExitCode.ok
    })
).pipe(
  Command.withDescription(
    "Explain a kind: where it stands in a file, its fields, what can change, and what a registry must have.\n\n" +
      "  Without a name all kinds are listed, those of plugins too."
  ),
  Command.withShortDescription("Explain a kind"),
  Command.withExamples([{ command: `${NAME} repository`, description: "Or the name of its section: repositories" }])
)
