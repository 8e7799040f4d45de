/**
 * Runs a command by its name and arguments to an exit code. What effect/cli brings is shaped here: help and version on stdout,
 * wrong usage as two lines on stderr and 64, completions for the name that was called.
 */
import { readFileSync } from "node:fs"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { applyCommand } from "./commands/apply.ts"
import { planCommand } from "./commands/plan.ts"
import { quaymasterCommand } from "./commands/quaymaster.ts"
import { environment } from "./environment.ts"
import { ExitCode } from "./exit-code.ts"
import { type Host, processHost, Session } from "./host.ts"
import { failureText, usage } from "./present/failure.ts"
import { styleOf } from "./present/style.ts"

export const commandNames = ["quay-plan", "quay-apply", "quaymaster"] as const

export type CommandName = (typeof commandNames)[number]

const names = { plan: "quay-plan", apply: "quay-apply" }

const runner = (name: CommandName): ReturnType<typeof of> => {
  switch (name) {
    case "quay-plan":
      return of(planCommand("quay-plan", names))
    case "quay-apply":
      return of(applyCommand("quay-apply", names))
    case "quaymaster":
      return of(quaymasterCommand)
  }
}

const of = <Name extends string, Input, ContextInput>(
  command: Command.Command<Name, Input, ContextInput, never, Session>
) => Command.runWith(command, { version: version() })

/** Runs a command. Never rejects. */
export const run = async (name: CommandName, args: ReadonlyArray<string>, host: Host): Promise<ExitCode> => {
  let code: ExitCode = ExitCode.ok
  const end = (ended: ExitCode) => {
    code = ended
  }
  const program = runner(name)(args).pipe(
    // What is wrong was presented already.
    Effect.catchTag("ShowHelp", () => Effect.sync(() => end(ExitCode.usage))),
    Effect.provideService(Session, { host, end, line: [name, ...args] }),
    Effect.provide(Layer.mergeAll(environment, CliConfig.layer({ builtIns: builtIns(host) }), presenting(host)))
  )
  const exit = await Effect.runPromiseExit(program)
  if (Exit.isSuccess(exit)) return code
  const style = styleOf("auto", host.stderr, host.env)
  const failure = failureText(Cause.squash(exit.cause), style, { command: name, verbose: args.includes("--verbose") })
  host.stderr.write(failure.text)
  return failure.code
}

/** The package's own version; the file lies beside the sources and beside what is built of them. */
const version = (): string => {
  const text: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  return typeof text === "object" && text !== null && "version" in text ? String(text.version) : "unknown"
}

const presenting = (host: Host) => {
  const formatter = CliOutput.defaultFormatter({ colors: styleOf("auto", host.stdout, host.env).bold("x") !== "x" })
  return CliOutput.layerPresenter({
    present: (event) =>
      Effect.sync(() => {
        switch (event._tag) {
          case "Help":
            // Help that nobody asked for, because the command needs more words, is no data.
            return (event.reason === "Requested" ? host.stdout : host.stderr).write(
              `${formatter.formatHelpDoc(event.helpDoc).trimEnd()}\n`
            )
          case "Version":
            return host.stdout.write(`${event.name} ${event.version}\n`)
          case "InvalidInvocation": {
            const [first] = event.errors
            const more = event.errors.slice(1).map((error) => `\n${error.message}`)
            return host.stderr.write(
              `${usage(`${first?.message ?? ""}${more.join("")}`, event.commandPath.join(" "))}\n`
            )
          }
        }
      })
  })
}

const SHELLS: ReadonlyArray<readonly [string, Completions.Shell]> = [
  ["bash", "bash"],
  ["zsh", "zsh"],
  ["fish", "fish"]
]

/** The flags that every command has. `-v` is for more words, so the version has no letter. */
const builtIns = (host: Host): ReadonlyArray<GlobalFlag.BuiltIn> => [
  GlobalFlag.Help,
  GlobalFlag.Action({
    flag: Flag.Boolean("version").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Show the version"),
      Flag.withDefault(false)
    ),
    run: (_, { command }) => Effect.sync(() => host.stdout.write(`${command.name} ${version()}\n`))
  }),
  GlobalFlag.Action({
    flag: Flag.ChoiceWithValue("completions", SHELLS).pipe(
      Flag.optional,
      Flag.withMetavar("bash|zsh|fish"),
      Flag.withDescription("Print a completion script for a shell")
    ),
    run: (shell, { command }) =>
      Effect.sync(() => {
        if (Option.isNone(shell)) return
        const script = Completions.generate(command.name, shell.value, Completions.fromCommand(command))
        host.stdout.write(`${script.trimEnd()}\n`)
      })
  })
]

/** Runs a command as this process: its arguments, its streams, its exit code. */
export const main = async (name: CommandName): Promise<void> => {
  let broken: Error | undefined
  const host = processHost((error) => {
    broken = error
  })
  const code = await run(name, process.argv.slice(2), host)
  process.exitCode = code
  process.once("exit", () => {
    if (broken === undefined) return
    host.stderr.write(`error: the output cannot be written: ${broken.message}\n`)
    if (code === ExitCode.ok || code === ExitCode.changes) process.exitCode = ExitCode.error
  })
}
