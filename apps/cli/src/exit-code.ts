/** The exit codes, the same for all commands. Scripts rely on them: their meaning does not change. */

export const ExitCode = {
  /** Planned, applied, or nothing to do. */
  ok: 0,
  /** An error, before any change: a file, the token, reading. A mistake of ours too. */
  error: 1,
  /** There are changes, and `--detailed-exitcode` asked to be told so. */
  changes: 2,
  /** A guard refuses the plan. */
  blocked: 3,
  /** Some of the plan was applied, and some of it failed or was skipped. */
  partial: 4,
  /** The registry is no longer as the plan found it. Nothing was changed. */
  stale: 5,
  /** The command line makes no sense. */
  usage: 64,
  /** Interrupted. What was done until then has been reported. */
  interrupted: 130
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
