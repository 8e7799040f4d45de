/** `quay-plan`: what would change, on stdout, as text or as the plan's JSON. Changes nothing. */
import * as Command from "effect/cli/Command"
import type { Plan } from "quaymaster"
import { ExitCode } from "../exit-code.ts"
import { allowing, base, connection, detailedExitCode, files, json, out, planning, project, showing } from "../flags.ts"
import type { Host } from "../host.ts"
import { UsageError } from "../present/failure.ts"
import { filesText } from "../present/files.ts"
import { planText } from "../present/plan.ts"
import { styleOf } from "../present/style.ts"
import { type Progress, startProgress } from "../progress.ts"
import {
  ending,
  eventLog,
  interruptible,
  type Loaded,
  load,
  type Planning,
  type Showing,
  writeWhole
} from "../session.ts"

/** What files want of registries, as planned. */
export interface Planned {
  readonly plan: Plan
  readonly files: string
}

/** Plans from files. Shared with `quay-apply`, which shows and applies what comes of it. */
export const planFiles = async (
  loaded: Loaded,
  given: ReadonlyArray<string>,
  onEvent: Progress["onEvent"],
  signal: AbortSignal
) => {
  const { kinds, options, settings } = loaded
  if (given.length === 0 && settings.sources.length === 0)
    throw new UsageError(
      settings.file === undefined
        ? "Name organization files, directories or globs; or write a quaymaster.yaml with sources."
        : `Name organization files, directories or globs; or give ${settings.file} sources.`
    )
  const { plan } = await import("quaymaster")
  return {
    plan: await plan({
      ...options,
      ...(given.length === 0 ? {} : { files: given }),
      kinds,
      onEvent,
      signal
    }),
    files: filesText(given, settings.file)
  }
}

/** The names that the commands go by: `quay-plan` with `quay-apply`, and `quaymaster plan` with `quaymaster apply`. */
export interface Names {
  readonly plan: string
  readonly apply: string
}

export const planCommand = <const Name extends string>(name: Name, names: Names) =>
  Command.make(
    name,
    {
      files,
      ...project,
      ...connection,
      ...planning,
      base,
      ...allowing,
      out,
      json: json("the plan"),
      detailedExitCode,
      ...showing
    },
    (input) => ending(names.plan, input, (host) => interruptible(host, (signal) => run(host, names, input, signal)))
  ).pipe(
    Command.withDescription(
      "Show what would change on a Quay registry for it to be as the organization files say. Changes nothing.\n\n" +
        "  The plan is on stdout, progress and errors on stderr.\n" +
        "  Exit codes: 0 planned, or no changes; 1 error; 2 changes, with --detailed-exitcode; 3 blocked by the guard;\n" +
        "  64 wrong usage; 130 interrupted."
    ),
    Command.withShortDescription("Show what would change"),
    Command.withExamples([
      { command: `${names.plan} acme.yaml`, description: "What would change, field by field" },
      {
        command: `${names.plan} -o plan.json orgs/`,
        description: `Save the plan for review, then ${names.apply} plan.json`
      },
      {
        command: `${names.plan} --detailed-exitcode -q "orgs/*.yaml"`,
        description: "Drift check: exit code 2 if anything differs"
      },
      { command: `${names.plan} --registry sim:./quay.json acme.yaml`, description: "Rehearse without a server" }
    ])
  )

interface Input extends Showing, Planning {
  readonly files: ReadonlyArray<string>
  readonly out: string | undefined
  readonly json: boolean
  readonly detailedExitCode: boolean
}

const run = async (host: Host, names: Names, input: Input, signal: AbortSignal): Promise<ExitCode> => {
  const { encodePlan } = await import("quaymaster")
  const loaded = await load(host, input, signal)
  const log = eventLog(host, input.events)
  const progress = startProgress(host, input)
  try {
    const { files, plan } = await planFiles(
      loaded,
      input.files,
      (event) => {
        log.write(event)
        progress.onEvent(event)
      },
      signal
    )
    progress.end()
    if (input.out !== undefined) await writeWhole(host, input.out, encodePlan(plan))
    host.stdout.write(
      input.json
        ? encodePlan(plan)
        : planText(plan, styleOf(input.color, host.stdout, host.env), {
            command: names.plan,
            apply: names.apply,
            files,
            ...progress.counts(),
            saved: input.out,
            hints: true,
            verbose: input.verbose,
            quiet: input.quiet
          })
    )
    if (plan.summary.blocked > 0) return ExitCode.blocked
    const changes = plan.targets.some((target) => target.operations.length > 0)
    return changes && input.detailedExitCode ? ExitCode.changes : ExitCode.ok
  } finally {
    progress.end()
    log.close()
  }
}
