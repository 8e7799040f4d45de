// Messages that superusers show to everyone, over HTTP: a document of the registry's own. On a real Quay these tests remove
// whatever messages there are.
import { PlanRefused } from "@quaymaster/engine"
import { describe, expect } from "vitest"
import { type GlobalMessage, globalMessage } from "../src/global-message.ts"
import { rejection, type Trial, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, rows, simulated, test: tested } = trials()

type Message = Partial<GlobalMessage> & { readonly content: string }

const file = (...messages: ReadonlyArray<Message>) => ({ messages })

const becomes =
  (...messages: ReadonlyArray<string>) =>
  async ({ quay }: Trial) => {
    const all = (await quay.GET("/api/v1/messages")).messages
    expect(all.map((it) => `${it.severity} ${it.media_type} ${it.content}`).sort()).toEqual([...messages].sort())
  }

const make = ({ quay }: Trial, content: string, severity: GlobalMessage["severity"] = "info") =>
  quay.POST("/api/v1/messages", { body: { message: { content, severity, media_type: "text/markdown" } } })

const M = "global-message:messages"
const SUNDAY = { content: "Maintenance on Sunday" }

rows("messages", [
  {
    name: "are made, as they look by default and otherwise",
    given: file(),
    want: file(SUNDAY, { content: "Disk is full", severity: "error", media_type: "text/plain" }),
    operations: [`create:${M}/Disk is full`, `create:${M}/Maintenance on Sunday`],
    also: becomes("info text/markdown Maintenance on Sunday", "error text/plain Disk is full")
  },
  {
    name: "are replaced where they look otherwise",
    given: file({ ...SUNDAY, severity: "info" }, { content: "x", media_type: "text/plain" }),
    want: file({ ...SUNDAY, severity: "warning" }, { content: "x" }),
    operations: [`replace:${M}/Maintenance on Sunday`, `replace:${M}/x`],
    also: becomes("warning text/markdown Maintenance on Sunday", "info text/markdown x")
  },
  {
    name: "that are not in the file are removed",
    given: file(SUNDAY, { content: "old" }),
    want: file(SUNDAY),
    operations: [`delete:${M}/old`],
    also: becomes("info text/markdown Maintenance on Sunday")
  },
  {
    name: "are all removed by an empty list",
    given: file(SUNDAY),
    want: file(),
    operations: [`delete:${M}/Maintenance on Sunday`],
    also: becomes()
  },
  {
    name: "that came or went behind our back are removed or made again",
    given: file(SUNDAY),
    drift: async (trial) => {
      for (const { uuid } of (await trial.quay.GET("/api/v1/messages")).messages)
        await trial.quay.DELETE("/api/v1/message/{uuid}", { params: { path: { uuid } } })
      await make(trial, "from somebody")
    },
    want: file(SUNDAY),
    operations: [`create:${M}/Maintenance on Sunday`, `delete:${M}/from somebody`],
    also: becomes("info text/markdown Maintenance on Sunday")
  },
  {
    name: "that are there several times become one",
    given: file(SUNDAY),
    drift: async (trial) => {
      for (const severity of ["info", "error"] as const) await make(trial, SUNDAY.content, severity)
    },
    want: file(SUNDAY),
    operations: [`replace:${M}/Maintenance on Sunday`],
    also: becomes("info text/markdown Maintenance on Sunday")
  },
  {
    name: "that are there several times are removed together",
    given: file(),
    drift: async (trial) => {
      for (const severity of ["info", "error"] as const) await make(trial, "again", severity)
    },
    want: file(),
    operations: [`delete:${M}/again`],
    also: becomes()
  }
])

describe("a plan of messages", () => {
  tested("names a long message by its beginning, and apart from one that begins alike", async (trial) => {
    await trial.reach(file())
    const long = "All repositories move to another region\nin the night from Saturday to Sunday. "
    const plan = await trial.reach(file({ content: `${long}1` }, { content: `${long}2` }))
    const keys = plan.operations.map(({ key }) => key)
    expect(new Set(keys).size).toBe(2)
    for (const key of keys)
      expect(key).toMatch(/^messages\/All repositories move to another region in the .*… [0-9a-f]{8}$/)
    await trial.reach(file())
  })

  simulated("asks one question", async (trial) => {
    trial.simulator.requests.reset()
    await trial.plan(file())
    expect(trial.simulator.requests.of("GET /api/v1/messages")).toBe(1)
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "drop", appliedAfter: 800 },
    { kind: "server-error", applied: true }
  ] as const)
    simulated(`makes one message when the answer is lost: ${JSON.stringify(effect)}`, async (trial) => {
      await trial.reach(file())
      const plan = await trial.plan(file(SUNDAY))
      trial.simulator.faults.add({ on: "POST /api/v1/messages", times: 1, effect })
      const report = await trial.apply(plan)
      trial.simulator.faults.clear()
      expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
      await becomes("info text/markdown Maintenance on Sunday")(trial)
      await trial.reach(file())
    })

  otherwise("is refused where nobody is a superuser", { features: { SUPER_USERS: false } }, async (trial) => {
    const error = await rejection(trial.plan(file()))
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error)).toMatch(/messages of the registry: .*FEATURE_SUPER_USERS/)
  })

  for (const [what, messages, words] of [
    ["nothing to say", [{ content: "" }], /content/],
    ["a severity that is none", [{ content: "x", severity: "loud" }], /info, warning/],
    ["a message twice", [{ content: "x" }, { content: "x", severity: "error" }], /twice/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan({ messages })))).toMatch(words)
    })

  tested("is exported as it is read, without ids", async () => {
    const items: ReadonlyArray<GlobalMessage> = [
      { content: "a", severity: "info", media_type: "text/markdown" },
      { content: "b", severity: "error", media_type: "text/plain" }
    ]
    const withIds = items.map((it) => ({ ...it, uuid: "1", duplicates: ["2"] }))
    expect(written(globalMessage.section, withIds, "")).toEqual({
      node: { messages: [{ content: "a" }, { content: "b", severity: "error", media_type: "text/plain" }] },
      items
    })
  })
})
