// Notifications of organizations over HTTP: as those of repositories, and gone with the quota that they are about.
import { describe, expect, test } from "vitest"
import { organizationNotification as kind } from "../src/organization-notification.ts"
import { rejection, type Trial, trials } from "./harness.ts"

const { otherwise, rows, simulated, test: tested } = trials(["bob"])

const PATH = "/api/v1/organization/{orgname}/notifications"

const there = async ({ org, quay }: Trial) => {
  const { notifications } = await quay.GET(PATH, { params: { path: { orgname: org } } })
  return notifications
    .map(({ config, event, method, title }) => [event, method, title ?? "-", JSON.stringify(config)].join(" "))
    .sort()
}

const is =
  (...lines: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect(await there(trial)).toEqual([...lines].map(trial.real).sort())

const URL = "https://hooks.example.com/q"
const WARN = "{ event: quota_warning, method: email, config: { email: ops@example.com }, title: nearly full }"
const FULL = "{ event: quota_error, method: quay_notification, config: { target: { kind: user, name: $bob } } }"
const HOOK = "{ event: quota_error, method: webhook, config: { url: { env: HOOK } } }"
const QUOTA = "quota: { limit: 1GiB, warning: 80, reject: 100 }"
const file = (...list: ReadonlyArray<string>) => `notifications: [${list.join(", ")}]`

const WARNED = 'quota_warning email nearly full {"email":"ops@example.com"}'
const TOLD = 'quota_error quay_notification - {"target":{"kind":"user","name":"$bob"}}'
const warning = 'organization-notification:$org/quota_warning/email/title="nearly full",email=ops@example.com'
const told = "organization-notification:$org/quota_error/quay_notification/target=user:$bob"

rows("notifications of an organization", [
  {
    name: "are made after the quota",
    want: `${QUOTA}\n${file(WARN, FULL)}`,
    operations: [`create:${told}`, `create:${warning}`, "create:quota:$org"],
    also: async (trial, plan) => {
      await is(WARNED, TOLD)(trial)
      for (const { kind, needs } of plan.operations)
        if (kind === "organization-notification") expect(needs).toContain(trial.real("create:quota:$org"))
    }
  },
  {
    name: "are made where there is no quota",
    want: file(FULL),
    operations: [`create:${told}`],
    also: is(TOLD)
  },
  {
    name: "that differ are others",
    given: `${QUOTA}\n${file(WARN)}`,
    want: file(WARN.replace("ops@", "all@")),
    operations: [`create:${warning.replace("ops@", "all@")}`, `delete:${warning}`],
    also: is(WARNED.replace("ops@", "all@"))
  },
  {
    name: "that are not in the file are removed, and what was removed is made again",
    given: `${QUOTA}\n${file(WARN)}`,
    drift: async ({ org, quay, real }) => {
      const params = { path: { orgname: org } }
      const { notifications } = await quay.GET(PATH, { params })
      for (const { uuid } of notifications)
        await quay.DELETE(`${PATH}/{uuid}`, { params: { path: { ...params.path, uuid } } })
      for (const _ of [1, 2])
        await quay.POST(PATH, {
          params,
          body: {
            event: "quota_error",
            method: "quay_notification",
            config: { target: { kind: "user", name: real("$bob") } },
            eventConfig: {}
          }
        })
    },
    want: file(WARN),
    operations: [`create:${warning}`, `delete:${told}`, `delete:${told}#2`],
    also: is(WARNED)
  },
  {
    name: "are left alone where the file has no such section",
    given: `${QUOTA}\n${file(WARN)}`,
    want: QUOTA,
    operations: [],
    also: is(WARNED)
  },
  {
    name: "go with the quota",
    given: `${QUOTA}\n${file(WARN, FULL)}`,
    want: `quota: {}\n${file()}`,
    operations: ["delete:quota:$org"],
    also: is()
  }
])

describe("a plan of an organization's notifications", () => {
  tested("is refused where the quota that they would be lost with is deleted", async (trial) => {
    await trial.reach(`${QUOTA}\n${file(FULL)}`)
    expect(String(await rejection(trial.plan(`quota: {}\n${file(FULL)}`)))).toMatch(/lost with quota/)
  })

  tested("has no address that a file refers to", async (trial) => {
    trial.env.set("HOOK", `${URL}?token=hunter2`)
    await trial.reach(QUOTA)
    const plan = await trial.plan(file(HOOK))
    const report = await trial.apply(plan)
    await is(`quota_error webhook - {"url":"${URL}?token=hunter2"}`)(trial)
    expect(trial.ids(await trial.plan(file(HOOK)))).toEqual([])
    trial.env.set("HOOK", URL)
    const moved = await trial.plan(file(HOOK))
    expect(trial.ids(moved)).toHaveLength(2)
    expect(JSON.stringify([plan, report, moved])).not.toMatch(/hunter2/)
  })

  simulated("costs one request for an organization that is there", async (trial) => {
    await trial.reach(QUOTA)
    trial.simulator.requests.reset()
    await trial.plan(`${QUOTA}\n${file(WARN)}`)
    expect(trial.simulator.requests.all()[`GET ${PATH}`]).toBe(1)
    await trial.plan(`organization: ${trial.org}later\n${file(WARN)}`)
    expect(trial.simulator.requests.all()[`GET ${PATH}`]).toBe(1)
  })

  for (const [what, one, words] of [
    ["an event of repositories", WARN.replace("quota_warning", "repo_push"), /quota_warning/],
    ["how an event is narrowed down", WARN.replace("title: nearly full", "event_config: {}"), /"event_config"/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(file(one))))).toMatch(words)
    })

  otherwise("is refused where it is switched off", { features: { QUOTA_NOTIFICATIONS: false } }, async (trial) => {
    await trial.reach("prune: []")
    expect(String(await rejection(trial.plan(file(WARN))))).toMatch("FEATURE_QUOTA_NOTIFICATIONS")
  })
  for (const version of ["3.12.21", "3.17.4"])
    otherwise(`is refused on ${version}`, { version }, async (trial) => {
      await trial.reach("prune: []")
      expect(String(await rejection(trial.plan(file(WARN))))).toMatch("3.18")
      expect(String(await rejection(trial.plan(file())))).toMatch("3.18")
    })
})

describe("the section", () => {
  for (const node of [
    [],
    [
      { event: "quota_error", method: "webhook", config: { url: { env: "HOOK" } } },
      { event: "quota_warning", method: "email", config: { email: "ops@example.com" }, title: "nearly full" }
    ]
  ] as const)
    test(`is written as it was read: ${JSON.stringify(node)}`, () => {
      const items = kind.section.read(node, "acme").map(({ item }) => item)
      expect(kind.section.write?.(items)).toEqual(node)
    })
})
