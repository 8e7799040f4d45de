/** `quaymaster robot`: what is done to robot accounts that no plan does. So far: making a token anew. */
import * as Command from "effect/cli/Command"
import type { Event, RotationReport } from "quaymaster"
import { ExitCode } from "../exit-code.ts"
import { connection, files, json, project, robotName, showing, yesRotate } from "../flags.ts"
import type { Host } from "../host.ts"
import { CommandFailed, UsageError } from "../present/failure.ts"
import { rotatedText, rotationText } from "../present/rotation.ts"
import { styleOf } from "../present/style.ts"
import { clean } from "../present/text.ts"
import { startProgress } from "../progress.ts"
import { ending, eventLog, interruptible, load, type Reaching, type Showing } from "../session.ts"

const NAME = "quaymaster robot rotate"

const rotateCommand = Command.make(
  "rotate",
  { robot: robotName, files, yes: yesRotate, ...project, ...connection, json: json("the report"), ...showing },
  (input) => ending(NAME, input, (host) => run(host, input))
).pipe(
  Command.withDescription(
    "Make the token of a robot account anew, and write it to the files that are declared for it under deliver.\n\n" +
      "  The old token stops working at once, wherever it is. What is known of that is shown before, and you are asked; where\n" +
      "  nobody can be asked, give --yes. Nothing is done if one of the files could not be written. The token is never shown.\n" +
      "  Exit codes: 0 the token is new, and in all its files; 1 error, or no: nothing was changed; 4 it is new, and not in all\n" +
      "  of its files, or it is not known whether it is new; 64 wrong usage; 130 interrupted."
  ),
  Command.withShortDescription("Make a robot account's token anew, and deliver it"),
  Command.withExamples([
    { command: `${NAME} acme/ci acme.yaml`, description: "Look, say yes, and have the files written" },
    {
      command: `${NAME} --yes acme/ci`,
      description: "Without asking; the files that quaymaster.yaml names say where to"
    }
  ])
)

export const robotCommand = Command.make("robot").pipe(
  Command.withDescription("Work with robot accounts beyond what files say of them."),
  Command.withShortDescription("Make a robot account's token anew"),
  Command.withSubcommands([rotateCommand])
)

interface Input extends Showing, Reaching {
  readonly robot: string
  readonly files: ReadonlyArray<string>
  readonly yes: boolean
  readonly json: boolean
}

const CODES: Readonly<Record<RotationReport["outcome"], ExitCode>> = {
  rotated: ExitCode.ok,
  partial: ExitCode.partial,
  declined: ExitCode.error
}

const run = async (host: Host, input: Input): Promise<ExitCode> => {
  if (!/^[^/+]+[/+][^/+]+$/.test(input.robot))
    throw new UsageError(`${input.robot} names no robot account. Write ORGANIZATION/ROBOT, such as acme/ci.`)
  const canAsk = host.stdinIsTerminal && host.stderr.isTerminal && !input.json
  if (!input.yes && !canAsk)
    throw new CommandFailed("Nobody is here to say yes. With --yes the token is made anew without asking.")
  const { rotateRobot } = await import("quaymaster")
  const { kinds, options } = await load(host, input)
  const log = eventLog(host, input.events)
  const progress = startProgress(host, input)
  // With --json the report alone is data, and the rest is talk.
  const shown = input.json ? host.stderr : host.stdout
  const style = styleOf(input.color, shown, host.env)
  let left = false
  let reading = true
  try {
    const report = await interruptible(host, (signal) =>
      rotateRobot(input.robot, {
        ...options,
        ...(input.files.length === 0 ? {} : { files: input.files }),
        kinds,
        signal,
        onEvent: (event: Event) => {
          log.write(event)
          if (reading) progress.onEvent(event)
        },
        confirm: async (rotation) => {
          reading = false
          progress.end()
          if (!input.quiet || !input.yes) shown.write(rotationText(rotation, style))
          if (input.yes) return true
          const answer = await host.ask(`Make the token of ${clean(rotation.robot)} anew? Only "yes" does it: `, signal)
          left = answer === undefined
          if (left) host.stderr.write("\n")
          return answer?.trim().toLowerCase() === "yes"
        }
      })
    )
    const { files, registry } = input
    const apply = ["quaymaster apply", ...(registry === undefined ? [] : ["--registry", registry]), ...files].join(" ")
    if (report.outcome === "declined") host.stderr.write(rotatedText(report, style, { apply }))
    else host.stdout.write(input.json ? `${JSON.stringify(report, null, 2)}\n` : rotatedText(report, style, { apply }))
    return left ? ExitCode.interrupted : CODES[report.outcome]
  } finally {
    progress.end()
    log.close()
  }
}
