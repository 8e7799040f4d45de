/**
 * Tells on stderr how far a command is: on a terminal a region that is drawn over, with finished lines scrolling above it;
 * elsewhere a line for each finished operation, and one after ten seconds of silence. It also counts what the report says.
 */
import type { AnyOperation, Event, Plan } from "quaymaster"
import type { Host } from "./host.ts"
import {
  duplicateLine,
  finishedLine,
  heartbeat,
  region,
  resumedLines,
  retryLine,
  type Standing
} from "./present/progress.ts"
import { type Style, styleOf } from "./present/style.ts"
import type { Showing } from "./session.ts"

const FRAME = 100
const SILENCE = 10_000
const WIDTH = 80
const PERSISTENT = 3

export interface Progress {
  readonly onEvent: (event: Event) => void
  /** From here on the plan is applied. */
  readonly applying: (plan: Plan) => void
  /** Says a line that stays. */
  readonly say: (line: string) => void
  /** The command was told to stop, and what runs is seen to its end. */
  readonly stopping: () => void
  /** The operations that are under way. */
  readonly running: () => ReadonlyArray<string>
  /** Takes away what is drawn. */
  readonly end: () => void
  readonly counts: () => { readonly requests: number; readonly retries: number; readonly milliseconds: number }
}

export const startProgress = (host: Host, { color, quiet, verbose }: Showing): Progress => {
  const style: Style = styleOf(color, host.stderr, host.env)
  const live = host.stderr.isTerminal && !quiet && host.env["TERM"] !== "dumb"
  const operations = new Map<string, AnyOperation>()
  const running = new Map<string, { operation: AnyOperation | undefined; id: string; since: number }>()
  const start = host.now()
  let phase: Standing["phase"] = "reading"
  let began = start
  let [requests, retries, done, failed, total] = [0, 0, 0, 0, 0]
  let stopping = false
  let height = 0
  let spoken = start
  let drawn = Number.NEGATIVE_INFINITY

  const standing = (): Standing => ({
    phase,
    requests,
    running: [...running.values()],
    done,
    failed,
    total,
    stopping,
    began
  })
  const erase = (): string => (height === 0 ? "" : `\u001b[${height}A\r\u001b[J`)
  const draw = (above: string) => {
    const lines = region(standing(), host.now(), host.stderr.columns() ?? WIDTH, style)
    host.stderr.write(`${erase()}${above}${lines.map((line) => `${line}\n`).join("")}`)
    height = lines.length
    drawn = host.now()
  }
  const say = (line: string) => {
    if (quiet) return
    spoken = host.now()
    if (live) draw(`${line}\n`)
    else host.stderr.write(`${line}\n`)
  }
  const tick = () => {
    if (live) draw("")
    else if (!quiet && host.now() - spoken >= SILENCE) say(heartbeat(standing(), host.now()))
  }
  const timer = setInterval(tick, live ? FRAME : 1000)
  timer.unref()

  const onEvent = (event: Event): void => {
    switch (event.type) {
      case "request":
        requests++
        break
      case "request-retried":
        retries++
        // The first ones are nobody's business; one that does not help is.
        if (verbose || event.attempt >= PERSISTENT) say(retryLine(event, style))
        break
      case "apply-resumed":
        say(resumedLines(event.unsettled))
        break
      case "duplicate-removed":
        say(duplicateLine(event.id, style))
        break
      case "operation-started":
        running.set(key(event), { id: event.id, operation: operations.get(key(event)), since: host.now() })
        break
      case "operation-finished": {
        running.delete(key(event))
        // What was left out because the command was told to stop is a number in the report, and no news.
        if (event.outcome === "not-started") break
        done++
        if (event.outcome === "failed") failed++
        say(finishedLine(event, operations.get(key(event)), style))
        break
      }
    }
    // An apply can be so busy that timers come late.
    if (live && host.now() - drawn > 2 * FRAME) draw("")
  }

  return {
    onEvent,
    applying: (plan) => {
      phase = "applying"
      began = host.now()
      for (const target of plan.targets)
        for (const operation of target.operations) {
          operations.set(key({ registry: target.registry, id: operation.id }), operation)
          total++
        }
    },
    say,
    stopping: () => {
      stopping = true
      say(
        running.size === 0
          ? "Stopping. Press Ctrl-C again to leave at once."
          : `Stopping: ${running.size} under way will finish. Press Ctrl-C again to leave at once.`
      )
    },
    running: () => [...running.values()].map(({ id }) => id),
    end: () => {
      clearInterval(timer)
      if (height > 0) host.stderr.write(erase())
      height = 0
    },
    counts: () => ({ requests, retries, milliseconds: host.now() - began })
  }
}

const key = ({ id, registry }: { readonly id: string; readonly registry: string }): string => `${registry}\n${id}`
