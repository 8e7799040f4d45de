/**
 * An error as a person needs it: what happened, where, what to do, and the code the command ends with. Errors are told apart
 * by their `_tag`, so that nothing heavy is loaded to say that a flag was wrong. What has no tag is a mistake of ours.
 */
import { ExitCode } from "../exit-code.ts"
import { advice } from "./advice.ts"
import { idText } from "./operation.ts"
import type { Style } from "./style.ts"
import { clean, cleanLines, counted } from "./text.ts"

/** The command was told to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted"
  readonly _tag = "Interrupted"
}

/** What was asked for makes no sense as a whole, although each flag does. */
export class UsageError extends Error {
  override readonly name = "UsageError"
  readonly _tag = "UsageError"
}

/** Something that a command needs of this machine cannot be had, such as a file. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed"
  readonly _tag = "CommandFailed"
}

export interface FailureContext {
  readonly command: string
  readonly verbose: boolean
}

export interface Failure {
  readonly code: ExitCode
  readonly text: string
}

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null && name in error ? Reflect.get(error, name) : undefined

const messageOf = (error: unknown): string => {
  const message = field(error, "message")
  return typeof message === "string" && message !== "" ? message : String(error)
}

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Errors without a tag that tell of what people wrote, and not of a mistake of ours. */
const NAMED: ReadonlySet<string> = new Set(["DuplicateKind"])

const tagOf = (error: unknown): string | undefined => {
  const tag = field(error, "_tag")
  if (typeof tag === "string") return tag
  return error instanceof Error && NAMED.has(error.name) ? error.name : undefined
}

export const failureText = (error: unknown, style: Style, context: FailureContext): Failure => {
  const tag = tagOf(error)
  const head = style.bold(style.red("error:"))
  const end = (text: string, code: ExitCode = ExitCode.error): Failure => ({ code, text: `${text}\n` })
  const told = (message: string, hint: string | undefined, code: ExitCode = ExitCode.error): Failure =>
    end([`${head} ${cleanLines(message)}`, ...(hint === undefined ? [] : [hint])].join("\n"), code)
  if (tag === undefined) return bug(error, style, context)
  switch (tag) {
    case "Interrupted":
      return end("Interrupted. Nothing was changed.", ExitCode.interrupted)
    case "UsageError":
      return end(usage(messageOf(error), context.command), ExitCode.usage)
    case "ConfigError": {
      const problems = list(field(error, "problems"))
      const count = counted(problems.length, "mistake")
      return end(
        `${cleanLines(messageOf(error))}\n${style.bold(style.red(`${count}.`))} Nothing was asked of a registry.`
      )
    }
    case "PlanRefused": {
      const count = counted(list(field(error, "problems")).length, "problem")
      return end(`${cleanLines(messageOf(error))}\n${style.bold(style.red(`${count}:`))} this cannot be planned.`)
    }
    case "PlanBlocked": {
      const what = `${head} the guard is against this plan. Nothing was changed.`
      return end([what, ...ways(field(error, "verdicts"))].join("\n"), ExitCode.blocked)
    }
    case "AllowanceInvalid":
      return end(usage(messageOf(error), context.command), ExitCode.usage)
    case "PlanStale": {
      const lines = list(field(error, "conflicts")).map(
        (it) => `  ${idText(String(field(it, "id")))}  ${clean(String(field(it, "reason")))}`
      )
      const registry = clean(String(field(error, "registry")))
      const what = `${head} ${registry} is no longer as the plan found it. Nothing was changed.`
      return end([what, ...lines, advice(tag)].join("\n"), ExitCode.stale)
    }
    case "PlanDiffers":
      return told(`${messageOf(error)}\nNothing was changed.`, advice(tag), ExitCode.stale)
    case "PlanExceeds": {
      const lines = list(field(error, "excess")).map((it) => {
        const id = String(field(field(it, "operation"), "id"))
        return `  ${idText(id)}  ${clean(String(field(it, "reason")))}`
      })
      const what = `${head} the saved plan is stale, and what was planned again goes beyond it. Nothing was changed.`
      return end([what, ...lines, advice(tag)].join("\n"), ExitCode.stale)
    }
    case "ConnectionFailed":
      return told(`${String(field(error, "registry"))}: ${messageOf(error)}`, connectionAdvice(field(error, "cause")))
    case "KindFailed":
      return told(`the kind ${String(field(error, "kind"))} failed: ${messageOf(error)}`, undefined)
    default: {
      const operation = field(error, "operation")
      const status = field(error, "status")
      const where =
        typeof operation === "string" && typeof field(error, "method") === "string"
          ? ` (${operation}${typeof status === "number" ? `, ${status}` : ""})`
          : ""
      return told(`${messageOf(error)}${where}`, advice(tag))
    }
  }
}

/** The flags that would allow what blocks a plan, each once: by amount where there are several alike. */
const ways = (verdicts: unknown): ReadonlyArray<string> => {
  const lines = list(verdicts).map((it) => {
    const verdict = field(it, "verdict")
    const flag = field(verdict, "allowAlike") ?? field(verdict, "allow")
    const rule = String(field(verdict, "rule"))
    return clean(flag === undefined ? `  ${rule}: no flag allows it` : `  ${rule}: allow with  ${String(flag)}`)
  })
  return [...new Set(lines)]
}

const connectionAdvice = (cause: unknown): string | undefined => {
  const tag = field(cause, "_tag")
  if (tag === "SecretError") return "Set it, or give the token with QUAY_TOKEN or --token-file."
  return typeof tag === "string" ? advice(tag) : undefined
}

export const usage = (message: string, command: string): string =>
  `${command}: ${cleanLines(message)}\nTry  ${command} --help`

/** Where to tell us of a mistake of ours. */
const ISSUES = "the project's issue tracker"

const bug = (error: unknown, style: Style, { command, verbose }: FailureContext): Failure => {
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  return {
    code: ExitCode.error,
    text: [
      `${style.bold(style.red("bug:"))} ${command} made a mistake of its own: ${clean(messageOf(error))}`,
      `Please report it to ${ISSUES}, with what you did and what --verbose says.`,
      ...(verbose ? [cleanLines(stack)] : []),
      ""
    ].join("\n")
  }
}
