/** `quaymaster service-keys`: the keys with which parts of a registry know each other. Changes nothing. */
import * as Command from "effect/cli/Command"
import { ExitCode } from "../exit-code.ts"
import { connection, json, project, showing } from "../flags.ts"
import { serviceKeysText } from "../present/service-keys.ts"
import { styleOf } from "../present/style.ts"
import { ending, interruptible, load } from "../session.ts"

const NAME = "quaymaster service-keys"

export const serviceKeysCommand = Command.make(
  "service-keys",
  { ...project, ...connection, json: json("the keys"), color: showing.color, verbose: showing.verbose },
  (input) =>
    ending(NAME, input, (host) =>
      interruptible(host, async (signal) => {
        const { serviceKeys } = await import("quaymaster")
        const { options } = await load(host, input, signal)
        const keys = await serviceKeys({ ...options, signal })
        host.stdout.write(
          input.json
            ? `${JSON.stringify(keys, null, 2)}\n`
            : serviceKeysText(keys, styleOf(input.color, host.stdout, host.env))
        )
        return ExitCode.ok
      })
    )
).pipe(
  Command.withDescription(
    "List a registry's service keys: which are approved, which wait for it, and when they expire. For superusers.\n\n" +
      "  Exit codes: 0 listed; 1 error; 64 wrong usage; 130 interrupted."
  ),
  Command.withShortDescription("List a registry's service keys"),
  Command.withExamples([
    { command: `${NAME} --registry prod`, description: "In columns" },
    { command: `${NAME} --json`, description: "For a program" }
  ])
)
