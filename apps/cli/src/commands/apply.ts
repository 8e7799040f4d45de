/**
 * `quay-apply`: does what a plan says. The plan comes from a file that `quay-plan -o` wrote, which is the approval; or it is
 * made here from organization files, shown, and approved by a person or by `--yes`. The report is on stdout.
 */
import { resolve } from "node:path"
import * as Command from "effect/cli/Command"
import type { ApplyReport, LibraryKind, LibraryPlan, Plan } from "quaymaster"
import { ExitCode } from "../exit-code.ts"
import {
  allowing,
  approving,
  base,
  connection,
  json,
  keeping,
  out,
  planning,
  planOrFiles,
  project,
  showing,
  yes
} from "../flags.ts"
import type { Host } from "../host.ts"
import { commandLine } from "../present/command-line.ts"
import { differencesText } from "../present/differences.ts"
import { CommandFailed, UsageError } from "../present/failure.ts"
import { planText } from "../present/plan.ts"
import { leftText, refusalJson, reportJson, reportText } from "../present/report.ts"
import { styleOf } from "../present/style.ts"
import { clean, counted } from "../present/text.ts"
import { type Progress, startProgress } from "../progress.ts"
import {
  type EventLog,
  ending,
  eventLog,
  interruptible,
  type Leaving,
  type Loaded,
  load,
  type Planning,
  type Showing,
  writeWhole
} from "../session.ts"
import { type Names, type Planned, planFiles } from "./plan.ts"

export const applyCommand = <const Name extends string>(name: Name, names: Names) =>
  Command.make(
    name,
    {
      files: planOrFiles,
      yes,
      ...approving,
      ...project,
      ...connection,
      ...planning,
      base,
      ...allowing,
      ...keeping,
      out,
      json: json("the report"),
      ...showing
    },
    (input) =>
      ending(names.apply, input, (host, line) =>
        interruptible(host, (signal, leaving) => run({ host, names, input, line, signal, leaving }))
      )
  ).pipe(
    Command.withDescription(
      "Do what a plan says: one that was saved, or one made now from organization files.\n\n" +
        "  On a terminal the plan is shown and you are asked. Elsewhere give a saved plan or --yes.\n" +
        "  Before a saved plan is applied, what it touches is read again: if anything has changed since, nothing is done; with\n" +
        "  --rebase the files beside it are planned again, and what comes of it is applied if the saved plan covers it.\n" +
        "  With --digest the files are planned again too, and have to come to the plan that was approved.\n" +
        "  Ctrl-C starts nothing more and lets finish what runs; a second one leaves at once, and says what was under way.\n" +
        "  With --journal it is known even after a crash what was under way; the same command goes on from there.\n" +
        "  The plan and the report are on stdout, progress, questions and errors on stderr.\n" +
        "  Exit codes: 0 all applied, or nothing to do; 1 error before any change; 3 refused by the guard; 4 some applied, some\n" +
        "  failed or skipped; 5 the registry is no longer as the plan found it, or the plan is\n" +
        "  not the approved one; 64 wrong usage; 130 interrupted."
    ),
    Command.withShortDescription("Do what a plan says"),
    Command.withExamples([
      {
        command: `${names.apply} plan.json`,
        description: `Apply what ${names.plan} -o plan.json saved; again to resume`
      },
      { command: `${names.apply} acme.yaml`, description: "Plan, look, say yes" },
      {
        command: `${names.apply} --digest sha256:… orgs/`,
        description: "Plan again, and apply if it comes to the plan that was approved"
      },
      {
        command: `${names.apply} --rebase plan.json orgs/`,
        description: "If plan.json is stale, plan again, and do what is left of it"
      },
      { command: `${names.apply} --yes orgs/`, description: "Plan and apply without asking" },
      {
        command: `${names.apply} --approve additive orgs/`,
        description: "The same, but only if nothing is deleted, replaced or narrowed"
      },
      {
        command: `${names.apply} --journal apply.ndjson --lock /var/lock/quay plan.json`,
        description: "Safe against crashes, and one at a time on this machine"
      },
      { command: `${names.apply} --yes --json orgs/ > report.json`, description: "The report for a program" }
    ])
  )

interface Input extends Showing, Planning {
  readonly files: ReadonlyArray<string>
  readonly yes: boolean
  readonly approve: "additive" | undefined
  readonly digest: string | undefined
  readonly rebase: boolean
  readonly journal: string | undefined
  readonly lock: string | undefined
  readonly lockTimeout: number | undefined
  readonly out: string | undefined
  readonly json: boolean
}

interface Saved {
  readonly file: string
  readonly text: string
}

/** What the arguments name: a plan, organization files, or both. */
interface Given {
  readonly saved: Saved | undefined
  readonly files: ReadonlyArray<string>
}

/** What is larger is no plan. */
const MOST_BYTES = 256 * 1024 * 1024

const given = async (host: Host, { digest, files, rebase }: Input): Promise<Given> => {
  const saved: Array<Saved> = []
  for (const file of files) {
    if (!file.endsWith(".json")) continue
    const { readBytes } = await import("quaymaster")
    const bytes = await readBytes(resolve(host.cwd, file), { most: MOST_BYTES }).catch(() => undefined)
    const text = bytes?.toString("utf8")
    if (text !== undefined && isPlan(text)) saved.push({ file, text })
  }
  const [first, second] = saved
  if (first !== undefined && second !== undefined)
    throw new UsageError(`${first.file} and ${second.file} are plans, and one is applied at a time.`)
  const others = files.filter((file) => file !== first?.file)
  if (first !== undefined && others.length > 0 && !rebase && digest === undefined)
    throw new UsageError(
      `${first.file} is a plan, and a plan is applied by itself. With --rebase or --digest the files beside it are planned again.`
    )
  if (rebase && first === undefined)
    throw new UsageError("--rebase is for a saved plan: name it, and beside it the files that it was made from.")
  return { saved: first, files: others }
}

/** A plan that was cut off, or that somebody broke, calls itself one all the same. */
const CALLS_ITSELF_PLAN = /^\s*\{\s*"format"\s*:\s*"quaymaster-plan\//

const isPlan = (text: string): boolean => {
  if (CALLS_ITSELF_PLAN.test(text)) return true
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== "object" || value === null || !("format" in value)) return false
    return typeof value.format === "string" && value.format.startsWith("quaymaster-plan")
  } catch {
    // No JSON, so no plan: whoever reads it as an organization file will say what is wrong with it.
    return false
  }
}

const readSaved = async (
  { kinds, options: { allow } }: Loaded,
  { file, text }: Saved,
  names: Names
): Promise<LibraryPlan<LibraryKind>> => {
  const { PlanUnreadable, readPlan } = await import("quaymaster")
  try {
    return readPlan(text, { kinds, allow })
  } catch (error) {
    if (!(error instanceof PlanUnreadable)) throw error
    throw new CommandFailed(`${file}: ${error.message}\nMake a new plan with  ${names.plan} -o ${file}`, {
      cause: error
    })
  }
}

/** How the command was called. */
interface Called {
  readonly host: Host
  readonly names: Names
  readonly input: Input
  /** The command line, word by word. */
  readonly line: ReadonlyArray<string>
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal
  readonly leaving: Leaving
}

const run = async (called: Called): Promise<ExitCode> => {
  const { host, input, leaving, names, signal } = called
  leaving(() => host.stderr.write("Left at once. Nothing was changed.\n"))
  const { files, saved } = await given(host, input)
  const again = saved !== undefined && (input.rebase || files.length > 0)
  if (saved !== undefined && !again) refusePlanning(saved, input)
  // What is approved is named already: by a plan file, by a digest, by what it may do, or because anything is.
  const approved = input.yes || saved !== undefined || input.digest !== undefined || input.approve !== undefined
  const canAsk = host.stdinIsTerminal && host.stderr.isTerminal && !input.json
  if (!approved && !canAsk)
    throw new CommandFailed(
      "Nobody is here to say yes to the plan. Either save it, look at it, and apply just that:\n" +
        `  ${[names.plan, "-o plan.json", ...input.files].join(" ")}\n  ${names.apply} plan.json\n` +
        "or have it applied unseen, with --yes."
    )
  if (input.lockTimeout !== undefined && input.lock === undefined)
    throw new UsageError("--lock-timeout says how long to wait for a lock, and there is no --lock.")
  await using _ = await locked(called)
  const loaded = await load(host, input, signal)
  if (input.rebase && files.length === 0 && loaded.settings.sources.length === 0)
    throw new UsageError(
      `${saved?.file} alone does not say what it was planned from. Name the organization files beside it, or give quaymaster.yaml sources.`
    )
  const log = eventLog(host, input.events)
  try {
    const work = { ...called, loaded, log, files }
    const { made, plan } = await planned(work, saved)
    const operations = plan.targets.reduce((sum, target) => sum + target.operations.length, 0)
    if (operations === 0) {
      if (input.json) host.stdout.write(reportJson(plan, { targets: [], outcome: "applied" }))
      return ExitCode.ok
    }
    const judged = await judge(work, plan)
    const blocking = await blockingIn(judged)
    if (blocking !== undefined) {
      if (input.json) host.stdout.write(refusalJson(judged))
      throw blocking
    }
    if (!approved) {
      const refused = await ask(called, plan, operations)
      if (refused !== undefined) return refused
    }
    signal.throwIfAborted()
    // Who was asked took time to answer, in which the registry may have changed.
    return await walk(work, plan, { fresh: made && approved, saved: made ? undefined : saved })
  } finally {
    log.close()
  }
}

/** Waits for the lock, if one is wanted, and has it until it is disposed of. */
const locked = async ({ host, input, signal }: Called): Promise<AsyncDisposable> => {
  const { lock, lockTimeout, quiet } = input
  if (lock === undefined) return { [Symbol.asyncDispose]: async () => {} }
  const { acquireLock } = await import("quaymaster")
  return acquireLock(lock, {
    cwd: host.cwd,
    timeout: lockTimeout,
    signal,
    onWait: ({ host: machine, pid }) => {
      if (quiet) return
      host.stderr.write(`Waiting for ${clean(lock)}, which process ${pid} on ${clean(machine)} has.\n`)
    }
  })
}

/** A plan, and what it was made of. */
interface Made extends Planned {
  readonly plan: LibraryPlan<LibraryKind>
}

/** What a run has at hand. `files` are those to be planned. */
interface Work extends Called {
  readonly loaded: Loaded
  readonly log: EventLog
  readonly files: ReadonlyArray<string>
}

/** What a plan comes to is settled once it is saved: flags that would change it are not for it. */
const refusePlanning = ({ file }: Saved, { base, noDelete, renew, syncNow, writeSecrets }: Input): void => {
  const said = [
    ...(noDelete === undefined ? [] : ["--no-delete"]),
    ...(writeSecrets.length === 0 ? [] : ["--write-secrets"]),
    ...(base === undefined ? [] : ["--base"]),
    ...(syncNow.length === 0 ? [] : ["--sync-now"]),
    ...(renew.length === 0 ? [] : ["--renew"])
  ]
  if (said.length > 0)
    throw new UsageError(
      `${file} is planned already, and ${said.join(" and ")} would change that. Plan with it instead.`
    )
}

/** The plan, read or made, shown, and held against the digest. */
const planned = async (
  work: Work,
  saved: Saved | undefined
): Promise<{ readonly plan: LibraryPlan<LibraryKind>; readonly made: boolean }> => {
  const { files, host, input, loaded, names, signal } = work
  const { digest } = input
  const before = saved === undefined ? undefined : await readSaved(loaded, saved, names)
  // A digest says what the files beside a plan have to come to; without one they are for when it turns out to be stale.
  const made = before === undefined || (!input.rebase && files.length > 0)
  if (made && before !== undefined && before.digest !== digest)
    throw new CommandFailed(`${saved?.file} is not the plan with that digest: its own is ${before.digest}.`)
  const progress = startProgress(host, input)
  try {
    const plan = made
      ? await planFiles(loaded, files, heard(work.log, progress), signal)
      : { files: saved?.file ?? "", plan: before }
    progress.end()
    await show(work, plan, made ? progress.counts() : {})
    if (digest !== undefined) await approve(work, digest, plan.plan, made ? before : undefined)
    return { plan: plan.plan, made }
  } finally {
    progress.end()
  }
}

/** The plan with what speaks against it as it is to be approved. */
const judge = async (
  { input, loaded: { kinds } }: Work,
  plan: LibraryPlan<LibraryKind>
): Promise<LibraryPlan<LibraryKind>> => {
  if (input.approve === undefined) return plan
  const { judgeAdditive } = await import("quaymaster")
  return judgeAdditive(plan, { kinds })
}

/** What the guard has against the plan, if nobody allowed it. */
const blockingIn = async (plan: Plan): Promise<Error | undefined> => {
  const { blockingOf, PlanBlocked } = await import("quaymaster")
  const blocking = blockingOf(plan.targets)
  return blocking.length === 0 ? undefined : new PlanBlocked(blocking)
}

/** Saves the plan if that is wanted, and shows it. With --json the report alone is data, and the plan is talk. */
const show = async (
  work: Work,
  { files, plan }: Made,
  counts: { readonly requests?: number; readonly milliseconds?: number }
): Promise<void> => {
  const { host, input, names } = work
  if (input.out !== undefined) {
    const { encodePlan } = await import("quaymaster")
    await writeWhole(host, input.out, encodePlan(plan))
  }
  const shown = input.json ? host.stderr : host.stdout
  if (!input.json || !input.quiet)
    shown.write(
      planText(await judge(work, plan), styleOf(input.color, shown, host.env), {
        command: names.apply,
        apply: names.apply,
        files,
        ...counts,
        hints: false,
        verbose: input.verbose,
        quiet: input.quiet
      })
    )
}

/** Holds that the plan has the digest, and shows what differs as far as it can be told. */
const approve = async ({ host, input }: Work, digest: string, plan: Plan, before: Plan | undefined): Promise<void> => {
  const { PlanDiffers, requireDigest } = await import("quaymaster")
  try {
    requireDigest(plan, digest, before)
  } catch (error) {
    if (error instanceof PlanDiffers && error.differences !== undefined)
      host.stderr.write(differencesText(error.differences, styleOf(input.color, host.stderr, host.env), input.verbose))
    throw error
  }
}

/** Asks whether to go on; gives the code to end with if not. */
const ask = async ({ host, signal }: Called, plan: Plan, operations: number): Promise<ExitCode | undefined> => {
  const where = plan.targets.filter((target) => target.operations.length > 0).map((target) => clean(target.url))
  host.stderr.write("\n")
  const question = `Apply ${counted(operations, "change")} to ${where.join(", ")}? Only "yes" does it: `
  const answer = await host.ask(question, signal)
  if (answer?.trim().toLowerCase() === "yes") return undefined
  host.stderr.write(answer === undefined ? "\nNothing was changed.\n" : "Nothing was changed.\n")
  return answer === undefined ? ExitCode.interrupted : ExitCode.error
}

const walk = async (
  work: Work,
  plan: LibraryPlan<LibraryKind>,
  { fresh, saved }: { readonly fresh: boolean; readonly saved: Saved | undefined }
): Promise<ExitCode> => {
  const { files, host, input, leaving, loaded, log, signal } = work
  const { kinds, options } = loaded
  const { apply } = await import("quaymaster")
  const progress = startProgress(host, input)
  const resume = resuming(work, saved)
  let applied = plan
  /** Plans again from the files, where the saved plan is stale. */
  const rebase = async () => {
    progress.say(`${clean(saved?.file ?? "")} is stale: planning again.`)
    const again = await planFiles(loaded, files, heard(log, progress), signal)
    progress.end()
    await show(work, again, {})
    applied = again.plan
    progress.applying(applied)
    return applied
  }
  try {
    progress.applying(plan)
    signal.addEventListener("abort", progress.stopping)
    leaving(() => {
      progress.end()
      host.stderr.write(leftText(progress.running(), styleOf(input.color, host.stderr, host.env), resume))
    })
    const report = await apply(plan, {
      ...options,
      registry: saved === undefined ? undefined : options.registry,
      kinds,
      fresh,
      approve: input.approve,
      rebase: input.rebase ? rebase : undefined,
      journal: input.journal,
      onEvent: heard(log, progress),
      signal
    })
    progress.end()
    host.stdout.write(
      input.json
        ? reportJson(applied, report, resume)
        : `${input.quiet ? "" : "\n"}${reportText(report, styleOf(input.color, host.stdout, host.env), {
            resume,
            ...progress.counts(),
            verbose: input.verbose
          })}`
    )
    return codeOf(report)
  } finally {
    signal.removeEventListener("abort", progress.stopping)
    progress.end()
  }
}

/** The command that goes on where this one ended: with the plan, where it was saved. Without, the same command plans the rest. */
const resuming = ({ input, line, names }: Work, saved: Saved | undefined): string => {
  if (saved !== undefined || input.out === undefined) return commandLine(line)
  const time = (milliseconds: number | undefined) => (milliseconds === undefined ? undefined : `${milliseconds}ms`)
  return commandLine([
    ...names.apply.split(" "),
    ["--registry", input.registry],
    ["--settings", input.settings],
    ["--token-file", input.tokenFile],
    ["--parallelism", input.parallelism],
    ["--rps", input.rps],
    ["--timeout", time(input.timeout)],
    ["--journal", input.journal],
    ["--lock", input.lock],
    ["--lock-timeout", time(input.lockTimeout)],
    input.out
  ])
}

const heard =
  (log: EventLog, progress: Progress): Progress["onEvent"] =>
  (event) => {
    log.write(event)
    progress.onEvent(event)
  }

const codeOf = ({ outcome }: ApplyReport): ExitCode =>
  ({ applied: ExitCode.ok, partial: ExitCode.partial, interrupted: ExitCode.interrupted })[outcome]
