// Notifications of repositories over HTTP: known by what they say, with addresses in plain text or by reference.
import type { NotificationView } from "@quaymaster/sdk"
import { describe, expect, test } from "vitest"
import { notificationKey, notificationNotices } from "../src/notification.ts"
import { repositoryNotification as kind } from "../src/repository-notification.ts"
import { type Plan, type Row, rejection, type Trial, trials } from "./harness.ts"

const { otherwise, simulated, test: tested } = trials(["bob"])

type Body = Pick<NotificationView, "event" | "method" | "config"> & { eventConfig?: object; title?: string }

const PATH = "/api/v1/repository/{repository}/notification/"
const parameters = (trial: Trial) => ({ path: { repository: `${trial.org}/app` } })

const views = async (trial: Trial) => (await trial.quay.GET(PATH, { params: parameters(trial) })).notifications

/** What is there, a line each: event, method, title, and the settings as Quay tells them. */
const there = async (trial: Trial): Promise<string[]> =>
  (await views(trial))
    .map(({ config, event, event_config, method, title }) =>
      [event, method, title ?? "-", JSON.stringify(config), JSON.stringify(event_config)].join(" ")
    )
    .sort()

const is =
  (...lines: ReadonlyArray<string>) =>
  async (trial: Trial) =>
    expect(await there(trial)).toEqual([...lines].map(trial.real).sort())

/** Made behind our back. */
const made = (trial: Trial, { eventConfig = {}, ...body }: Body) =>
  trial.quay.POST(PATH, { params: parameters(trial), body: { ...body, eventConfig: { ...eventConfig } } })

const file = (...notifications: ReadonlyArray<string>) =>
  `repositories: { app: { notifications: [${notifications.join(", ")}] } }`

const A = "https://hooks.example.com/a/hunter2"
const B = "https://hooks.example.com/b"
const plain = (url: string, rest = "") => `{ event: repo_push, method: webhook, config: { url: "${url}" }${rest} }`
const byReference = (name: string, rest = "") =>
  `{ event: repo_push, method: webhook, config: { url: { env: ${name} } }${rest} }`
const hook = (url: string): Body => ({ event: "repo_push", method: "webhook", config: { url } })
const line = (url: string, title = "-") => `repo_push webhook ${title} {"url":"${url}"} {}`
const MAIL = "{ event: repo_push, method: quay_notification, config: { target: { kind: user, name: $bob } } }"
const OTHER = `teams: { dev: {} }\nrepositories: { app: {} }`

/** The ids of a plan's operations on notifications, without their organization, and a digest as `~`. */
const shortIds = (trial: Trial, plan: Plan) =>
  trial
    .ids(plan)
    .map((id) => id.replace(":repository-notification:$org/app/", " ").replace(/([~=])[0-9a-f]{16}/g, "$1"))
    .sort()

/** A row whose operations are written short. */
interface Case extends Omit<Row, "operations" | "name"> {
  readonly ids: ReadonlyArray<string>
}

const cases = (list: Readonly<Record<string, Case>>) => {
  for (const [name, { drift, given = OTHER, ids, want, also }] of Object.entries(list))
    tested(name, async (trial) => {
      trial.env.set("A", A).set("B", B).set("TOKEN", "secret-token")
      await trial.reach(given)
      await drift?.(trial)
      const plan = await trial.plan(want)
      expect(shortIds(trial, plan)).toEqual([...ids].sort())
      const report = await trial.apply(plan)
      expect(report.results.map(({ outcome }) => outcome)).toEqual(ids.map(() => "applied"))
      expect(trial.ids(await trial.plan(want)), "the second plan").toEqual([])
      await also?.(trial, plan)
    })
}

describe("a notification", () => {
  cases({
    "of each method is made": {
      want: `teams: { dev: {} }\n${file(
        plain(B, ", title: pushes"),
        `{ event: build_failure, method: webhook, config: { url: "${B}", template: '{"a": 1}' }, event_config: { ref_regex: main } }`,
        `{ event: vulnerability_found, method: slack, config: { url: { env: A } }, event_config: { level: 2 }, title: bad news }`,
        "{ event: repo_mirror_sync_failed, method: quay_notification, config: { target: { kind: team, name: dev } } }",
        "{ event: repo_push, method: quay_notification, config: { target: { kind: org, name: $org } } }",
        MAIL,
        "{ event: build_start, method: flowdock, config: { flow_api_token: { env: TOKEN } } }",
        "{ event: build_success, method: hipchat, config: { notification_token: { env: TOKEN }, room_id: '12' } }",
        `{ event: repo_image_expiry, method: webhook, config: { url: "${B}" }, event_config: { days: 3 } }`
      )}`,
      ids: [
        "create repo_push/webhook/title=pushes,to=hooks.example.com~",
        "create build_failure/webhook/ref_regex=main,template=,to=hooks.example.com~",
        'create vulnerability_found/slack/title="bad news",level=2,to=env:A',
        "create repo_mirror_sync_failed/quay_notification/target=team:dev",
        "create repo_push/quay_notification/target=org:$org",
        "create repo_push/quay_notification/target=user:$bob",
        "create build_start/flowdock/to=env:TOKEN",
        "create build_success/hipchat/room_id=12,to=env:TOKEN",
        "create repo_image_expiry/webhook/days=3,to=hooks.example.com~"
      ],
      also: is(
        line(B, "pushes"),
        `build_failure webhook - {"url":"${B}","template":"{\\"a\\": 1}"} {"ref-regex":"main"}`,
        `vulnerability_found slack bad news {"url":"${A}"} {"level":2}`,
        'repo_mirror_sync_failed quay_notification - {"target":{"kind":"team","name":"dev"}} {}',
        'repo_push quay_notification - {"target":{"kind":"org","name":"$org"}} {}',
        'repo_push quay_notification - {"target":{"kind":"user","name":"$bob"}} {}',
        'build_start flowdock - {"flow_api_token":"secret-token"} {}',
        'build_success hipchat - {"room_id":"12","notification_token":"secret-token"} {}',
        `repo_image_expiry webhook - {"url":"${B}"} {"days":3}`
      )
    },
    "is made with its repository": {
      given: "prune: []",
      want: file(plain(B)),
      ids: ["create repo_push/webhook/to=hooks.example.com~", "create:repository:$org/app"]
    },
    "that is there is left alone": {
      given: file(plain(A), plain(B), MAIL, byReference("B", ", title: t")),
      want: file(byReference("B", ", title: t"), MAIL, plain(B), plain(A)),
      ids: []
    },
    "with another address is another one": {
      given: file(plain(A)),
      want: file(plain(B)),
      ids: ["create repo_push/webhook/to=hooks.example.com~", "delete repo_push/webhook/to=hooks.example.com~"],
      also: is(line(B))
    },
    "with another title is another one": {
      given: file(plain(A, ", title: old")),
      want: file(plain(A, ", title: new")),
      ids: [
        "create repo_push/webhook/title=new,to=hooks.example.com~",
        "delete repo_push/webhook/title=old,to=hooks.example.com~"
      ],
      also: is(line(A, "new"))
    },
    "with another event, method or narrowing is another one": {
      given: file(
        "{ event: build_start, method: webhook, config: { url: { env: A } }, event_config: { ref_regex: main } }",
        "{ event: build_failure, method: webhook, config: { url: { env: A } } }"
      ),
      want: file(
        "{ event: build_start, method: webhook, config: { url: { env: A } }, event_config: { ref_regex: dev } }",
        "{ event: build_failure, method: slack, config: { url: { env: A } } }"
      ),
      ids: [
        "create build_failure/slack/to=env:A",
        "create build_start/webhook/ref_regex=dev,to=env:A",
        "delete build_failure/webhook/to=hooks.example.com~",
        "delete build_start/webhook/ref_regex=main,to=hooks.example.com~"
      ]
    },
    "that is not in the file is removed": {
      given: file(plain(A), MAIL),
      want: file(MAIL),
      ids: ["delete repo_push/webhook/to=hooks.example.com~"]
    },
    "goes with all others where the list is empty": {
      given: file(plain(A), MAIL),
      want: file(),
      ids: ["delete repo_push/quay_notification/target=user:$bob", "delete repo_push/webhook/to=hooks.example.com~"],
      also: is()
    },
    "stays where the file has no such section": {
      given: file(plain(A)),
      want: "repositories: { app: {} }",
      ids: [],
      also: is(line(A))
    },
    "that was made or deleted behind our back is put right": {
      given: file(plain(A), MAIL),
      drift: async (trial) => {
        for (const { method, uuid } of await views(trial))
          if (method === "quay_notification")
            await trial.quay.DELETE(`${PATH}{uuid}`, { params: { path: { ...parameters(trial).path, uuid } } })
        await made(trial, hook(B))
      },
      want: file(plain(A), MAIL),
      ids: ["create repo_push/quay_notification/target=user:$bob", "delete repo_push/webhook/to=hooks.example.com~"],
      also: is(line(A), 'repo_push quay_notification - {"target":{"kind":"user","name":"$bob"}} {}')
    },
    "that was made with more than Quay needs is the same": {
      drift: async (trial) => {
        const target = { kind: "user", name: trial.real("$bob"), avatar: { color: "red" }, is_robot: false }
        await made(trial, { event: "repo_push", method: "quay_notification", config: { target } })
        await made(trial, {
          event: "vulnerability_found",
          method: "webhook",
          config: { url: B },
          eventConfig: { level: "3" }
        })
      },
      want: file(
        MAIL,
        `{ event: vulnerability_found, method: webhook, config: { url: "${B}" }, event_config: { level: 3 } }`
      ),
      ids: []
    }
  })
})

describe("several that say the same", () => {
  const twice = async (trial: Trial, ...urls: ReadonlyArray<string>) => {
    for (const url of urls) await made(trial, hook(url))
  }
  cases({
    "are one, in plain text": {
      drift: (trial) => twice(trial, A, A, A),
      want: file(plain(A)),
      ids: ["delete repo_push/webhook/to=hooks.example.com~#2", "delete repo_push/webhook/to=hooks.example.com~#3"],
      also: is(line(A))
    },
    "are one, without an address": {
      drift: async (trial) => {
        const target = { kind: "user", name: trial.real("$bob") }
        for (const _ of [1, 2])
          await made(trial, { event: "repo_push", method: "quay_notification", config: { target } })
      },
      want: file(MAIL),
      ids: ["delete repo_push/quay_notification/target=user:$bob#2"]
    },
    "are known by what the file refers to": {
      drift: (trial) => twice(trial, A, B),
      want: file(byReference("A"), byReference("B")),
      ids: [],
      also: is(line(A), line(B))
    },
    "are made, each from what the file refers to": {
      want: file(byReference("A"), byReference("B")),
      ids: ["create repo_push/webhook/to=env:A", "create repo_push/webhook/to=env:B"],
      also: is(line(A), line(B))
    },
    "lose those that the file does not refer to, whichever came first": {
      drift: (trial) => twice(trial, B, A, "https://hooks.example.com/c", A),
      want: file(byReference("A")),
      ids: [
        "delete repo_push/webhook/to=hooks.example.com~",
        "delete repo_push/webhook/to=hooks.example.com~",
        "delete repo_push/webhook/to=hooks.example.com~"
      ],
      also: is(line(A))
    },
    "are one where two references stand for the same": {
      drift: (trial) => {
        trial.env.set("SAME", A)
        return twice(trial, A)
      },
      want: file(byReference("A"), byReference("SAME")),
      ids: [],
      also: is(line(A))
    },
    "may be plain or referred to": {
      drift: (trial) => twice(trial, A, A),
      want: file(plain(B), byReference("A")),
      ids: ["create repo_push/webhook/to=hooks.example.com~", "delete repo_push/webhook/to=hooks.example.com~"],
      also: is(line(A), line(B))
    },
    "are made anew where what the file refers to has changed": {
      given: file(byReference("A")),
      drift: async (trial) => void trial.env.set("A", B),
      want: file(byReference("A")),
      ids: ["create repo_push/webhook/to=env:A", "delete repo_push/webhook/to=hooks.example.com~"],
      also: is(line(B))
    },
    "are taken for what is wanted where the reference cannot be looked up": {
      drift: (trial) => twice(trial, A),
      want: file(byReference("GHOST")),
      ids: [],
      also: is(line(A))
    },
    "are none of them removed where the reference cannot be looked up": {
      drift: (trial) => twice(trial, A, B),
      want: file(byReference("GHOST")),
      ids: [],
      also: is(line(A), line(B))
    },
    "are still known by what can be looked up": {
      drift: (trial) => twice(trial, A, B, "https://hooks.example.com/c"),
      want: file(byReference("GHOST"), byReference("A"), plain(B)),
      ids: [],
      also: is(line(A), line(B), line("https://hooks.example.com/c"))
    },
    "are all removed where the file has none": {
      drift: (trial) => twice(trial, A, A, B),
      want: file(),
      ids: [
        "delete repo_push/webhook/to=hooks.example.com~",
        "delete repo_push/webhook/to=hooks.example.com~",
        "delete repo_push/webhook/to=hooks.example.com~#2"
      ],
      also: is()
    },
    "are told apart by their titles": {
      given: file(byReference("A", ", title: a"), byReference("B", ", title: b")),
      want: file(byReference("B", ", title: b"), plain(B, ", title: c")),
      ids: [
        "create repo_push/webhook/title=c,to=hooks.example.com~",
        "delete repo_push/webhook/title=a,to=hooks.example.com~"
      ],
      also: is(line(B, "b"), line(B, "c"))
    },
    "are not mistaken for those that are in order": {
      drift: (trial) => twice(trial, A, B),
      want: file(plain(B), plain("https://hooks.example.com/c")),
      ids: ["create repo_push/webhook/to=hooks.example.com~", "delete repo_push/webhook/to=hooks.example.com~"],
      also: is(line(B), line("https://hooks.example.com/c"))
    }
  })

  tested("and cannot be looked up are told of", async (trial) => {
    trial.env.set("A", A)
    await trial.reach(OTHER)
    const notices = async (...list: ReadonlyArray<string>) =>
      (await trial.plan(file(...list))).notices.map(({ message }) => message)
    expect(await notices(byReference("GHOST"))).toEqual([])
    await twice(trial, A)
    expect(await notices(byReference("A"))).toEqual([])
    expect(await notices(byReference("GHOST"))).toEqual([expect.stringMatching(/GHOST cannot be looked up.*wanted\.$/)])
    await twice(trial, B, B)
    expect(await notices(byReference("GHOST"))).toEqual([expect.stringMatching(/2 more .* are left alone/)])
  })

  tested("go on being removed where it broke off, by the same plan", async (trial) => {
    await trial.reach(OTHER)
    await twice(trial, A, A, A)
    const plan = await trial.plan(file(plain(A)))
    expect(trial.ids(plan)).toHaveLength(2)
    const [, , last] = await views(trial)
    await trial.quay.DELETE(`${PATH}{uuid}`, {
      params: { path: { ...parameters(trial).path, uuid: String(last?.uuid) } }
    })
    const report = await trial.apply(plan)
    expect(report.results.map(({ outcome }) => outcome).sort()).toEqual(["already", "applied"])
    expect(await there(trial)).toEqual([line(A)])
  })
})

describe("addresses and tokens", () => {
  tested("are in no plan and no report, whoever made them", async (trial) => {
    trial.env.set("A", A).set("TOKEN", "secret-token")
    await trial.reach(OTHER)
    const TOKEN = "{ event: build_start, method: flowdock, config: { flow_api_token: { env: TOKEN } } }"
    const plan = await trial.plan(file(byReference("A"), TOKEN))
    const texts: Array<unknown> = [plan, await trial.apply(plan)]
    await made(trial, { ...hook("https://hooks.example.com/secret-path"), title: "theirs" })
    const removal = await trial.plan(file())
    expect(trial.ids(removal)).toHaveLength(3)
    const again = await trial.plan(file(byReference("A"), TOKEN))
    texts.push(removal, again, await trial.apply(removal))
    expect(JSON.stringify(texts)).not.toMatch(/hunter2|secret-token|secret-path/)
    expect(again.notices).toEqual([])
  })

  tested("that cannot be had fail alone", async (trial) => {
    await trial.reach(OTHER)
    const report = await trial.apply(await trial.plan(file(byReference("GHOST", ", title: t"), plain(B))))
    expect(report.results.map(({ outcome }) => outcome).sort()).toEqual(["applied", "failed"])
    expect(JSON.stringify(report)).toMatch(/GHOST/)
  })
})

describe("a plan of notifications", () => {
  simulated("asks once for each repository that is there and has the section", async (trial) => {
    await trial.reach("repositories: { app: {}, web: {}, old: {} }")
    trial.simulator.requests.reset()
    await trial.plan(
      "repositories: { app: { notifications: [] }, web: { notifications: [] }, old: {}, new: { notifications: [] } }"
    )
    expect(trial.simulator.requests.all()[`GET ${PATH}`]).toBe(2)
  })

  for (const effect of [
    { kind: "drop", applied: true },
    { kind: "bad-gateway", applied: true },
    { kind: "drop", appliedAfter: 800 },
    { kind: "truncate" }
  ] as const)
    for (const [what, one] of [
      ["plain", plain(B)],
      ["by reference", byReference("B")]
    ] as const)
      simulated(`makes one, not two, when the answer is lost: ${what}, ${JSON.stringify(effect)}`, async (trial) => {
        trial.env.set("B", B)
        await trial.reach(file(MAIL))
        const plan = await trial.plan(file(MAIL, one))
        trial.simulator.faults.add({ on: `POST ${PATH}`, times: 1, effect })
        const report = await trial.apply(plan)
        trial.simulator.faults.clear()
        expect(report.results.map(({ outcome }) => outcome)).toEqual(["applied"])
        expect(await there(trial)).toHaveLength(2)
      })

  simulated("is not made again by the same apply when it cannot be found, but by the next one", async (trial) => {
    await trial.reach(file())
    const plan = await trial.plan(file(MAIL))
    trial.simulator.faults.add({ on: `POST ${PATH}`, times: 1, effect: { kind: "drop" } })
    trial.simulator.requests.reset()
    const report = await trial.apply(plan)
    expect(report.results).toMatchObject([{ outcome: "failed", tag: "TransportError", uncertain: true }])
    expect(trial.simulator.requests.of(`POST ${PATH}`)).toBe(1)
    expect((await trial.apply(plan)).results).toMatchObject([{ outcome: "applied" }])
    expect(await there(trial)).toHaveLength(1)
  })

  tested("does nothing the second time it is applied", async (trial) => {
    trial.env.set("A", A).set("B", B)
    await trial.reach(file(plain("https://hooks.example.com/c", ", title: c")))
    const plan = await trial.plan(file(byReference("A"), byReference("B"), MAIL))
    await trial.apply(plan)
    const report = await trial.apply(plan)
    expect(report.results.map(({ outcome }) => outcome)).toEqual(["already", "already", "already", "already"])
    expect(await there(trial)).toHaveLength(3)
  })

  tested("keeps a team that a notification is for, and makes it before", async (trial) => {
    await trial.reach("prune: []")
    const TEAM = "{ event: repo_push, method: quay_notification, config: { target: { kind: team, name: dev } } }"
    await trial.reach(`teams: { dev: {} }\n${file(TEAM)}`)
    const plan = await trial.plan(`prune: [teams]\nteams: {}\n${file()}`)
    expect(shortIds(trial, plan)).toEqual([
      "delete repo_push/quay_notification/target=team:dev",
      "delete:team:$org/dev"
    ])
    expect(String(await rejection(trial.plan(`prune: [teams]\nteams: {}\n${file(TEAM)}`)))).toMatch(/dev/)
    expect(String(await rejection(trial.plan(file(TEAM.replace("dev", "ghost")))))).toMatch(/ghost/)
  })

  const EMAIL = "{ event: repo_push, method: email, config: { email: a@example.com } }"

  otherwise(
    "refuses an address that nobody has confirmed, and takes one that somebody has",
    { mailing: true },
    async (trial) => {
      const words = /a@example.com cannot be told by mail .* in the repository's settings/
      expect(String(await rejection(trial.plan(file(EMAIL))))).toMatch(words)
      await trial.reach(OTHER)
      expect(String(await rejection(trial.plan(file(EMAIL))))).toMatch(words)
      const { registry } = trial
      await registry.request("POST", `/api/v1/repository/${trial.org}/app/authorizedemail/a@example.com`)
      expect(String(await rejection(trial.plan(file(EMAIL))))).toMatch(words)
      registry.simulator?.mail.confirm("a@example.com")
      await trial.reach(file(EMAIL))
    }
  )

  otherwise("refuses an address where no mail is sent", {}, async (trial) => {
    await trial.reach(OTHER)
    expect(String(await rejection(trial.plan(file(EMAIL))))).toMatch("FEATURE_MAILING")
  })

  for (const [what, one, words] of [
    ["an event that is none", "{ event: push, method: webhook, config: { url: https://x.example.com } }", /repo_push/],
    ["a method that is none", "{ event: repo_push, method: pigeon, config: {} }", /webhook, slack, email/],
    ["an address that is none", "{ event: repo_push, method: webhook, config: { url: hunter2 } }", /begins with https/],
    ["a webhook without one", "{ event: repo_push, method: webhook, config: {} }", /"url" is missing/],
    ["a query, which may hold a token", plain("https://hooks.example.com/a?token=x"), /no user, no query/],
    ["a password in an address", plain("https://bob:x@hooks.example.com/a"), /no user, no query/],
    [
      "a Slack address, which is a secret as a whole",
      '{ event: repo_push, method: slack, config: { url: "https://hooks.example.com/a" } }',
      /url: a secret stays out of the file|should be \{ env: NAME \} or \{ file: PATH \}/
    ],
    ["another method's settings", "{ event: repo_push, method: slack, config: { email: a@b.c } }", /"email"/],
    ["no settings at all", "{ event: repo_push, method: slack }", /"config" is missing/],
    ["no method", "{ event: repo_push, config: { url: https://x.example.com } }", /"method" is missing/],
    ["a token in the file", "{ event: repo_push, method: flowdock, config: { flow_api_token: hunter2 } }", /env: NAME/],
    ["a target that is none", "{ event: repo_push, method: quay_notification, config: { target: dev } }", /target/],
    [
      "another event's narrowing",
      `{ event: repo_push, method: webhook, config: { url: "${B}" }, event_config: { level: 3 } }`,
      /repo_push has no level/
    ],
    ["an expiry of no days", `{ event: repo_image_expiry, method: webhook, config: { url: "${B}" } }`, /needs days/],
    ["the same one twice", `${plain(B)}, ${plain(B)}`, /declared twice/],
    ["the same reference twice", `${byReference("A")}, ${byReference("A")}`, /declared twice/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      const error = String(await rejection(trial.plan(file(one))))
      expect(error).toMatch(words)
      expect(error).not.toMatch(/hunter2/)
    })

  const EXPIRY = `{ event: repo_image_expiry, method: webhook, config: { url: "${B}" }, event_config: { days: 3 } }`
  otherwise("refuses an event that is switched off", { features: { IMAGE_EXPIRY_TRIGGER: false } }, async (trial) => {
    await trial.reach(OTHER)
    await trial.reach(file(plain(B)))
    expect(String(await rejection(trial.plan(file(EXPIRY))))).toMatch("FEATURE_IMAGE_EXPIRY_TRIGGER")
  })

  for (const version of ["3.7.14", "3.10.25"])
    otherwise(`is the same on ${version}, but for an event that it does not know`, { version }, async (trial) => {
      await trial.reach(OTHER)
      await trial.reach(file(plain(B), plain(A, ", title: a")))
      expect(String(await rejection(trial.plan(file(plain(B), EXPIRY))))).toMatch(/it came with Quay 3.12/)
    })

  for (const version of ["3.12.21", "3.18.0"])
    otherwise(`knows of images that expire on ${version}`, { version }, (trial) => trial.reach(file(EXPIRY)))
})

describe("the section", () => {
  const nodes = [
    [],
    [{ event: "repo_push", method: "webhook", config: { url: "https://hooks.example.com/x" }, title: "pushes" }],
    [
      {
        event: "build_failure",
        method: "webhook",
        config: { url: { env: "URL" }, template: "{}" },
        event_config: { ref_regex: "main" }
      },
      { event: "repo_push", method: "email", config: { email: "a@example.com" } },
      { event: "repo_push", method: "slack", config: { url: { env: "OTHER" } } },
      { event: "repo_push", method: "slack", config: { url: { file: "slack" } } },
      {
        event: "vulnerability_found",
        method: "quay_notification",
        config: { target: { kind: "team", name: "dev" } },
        event_config: { level: 2 }
      }
    ],
    [
      { event: "build_start", method: "flowdock", config: { flow_api_token: { env: "TOKEN" } } },
      { event: "build_start", method: "hipchat", config: { notification_token: { env: "TOKEN" }, room_id: "1" } }
    ]
  ] as const
  for (const node of nodes)
    test(`is written as it was read: ${JSON.stringify(node)}`, () => {
      const items = kind.section.read(node, "acme/app").map(({ item }) => item)
      expect(kind.section.write?.(items)).toEqual(node)
    })

  const UUIDS = ["1", "2", "3"]
  test("refers to an environment variable for what is not told", () => {
    const items = UUIDS.map((uuid, i) => ({
      repository: "acme/app",
      event: "repo_push",
      method: "webhook",
      config: {},
      secret: "hidden" as const,
      digest: uuid,
      ...(i === 0 ? { title: "all pushes" } : {})
    }))
    expect(kind.section.write?.(items)).toMatchObject([
      { title: "all pushes", config: { url: { env: "QUAY_ACME_APP_REPO_PUSH_ALL_PUSHES_URL" } } },
      { config: { url: { env: "QUAY_ACME_APP_REPO_PUSH_WEBHOOK_URL" } } },
      { config: { url: { env: "QUAY_ACME_APP_REPO_PUSH_WEBHOOK_URL_2" } } }
    ])
  })

  test("leaves out what no file could have, and what is left out is no extra", () => {
    const odd = {
      repository: "acme/app",
      event: "moon_rose",
      method: "webhook",
      config: {},
      secret: "hidden" as const
    }
    expect(kind.section.write?.([odd])).toEqual([])
    expect(kind.implicit?.(odd, undefined)).toBe(true)
    expect(kind.implicit?.({ ...odd, event: "repo_push" }, undefined)).toBe(false)
  })

  test("a notification that Quay gave up is told of", () => {
    const found = { event: "repo_push", method: "webhook" }
    expect(notificationNotices(found, { ...found, number_of_failures: 2 })).toEqual([])
    expect(notificationNotices(found, { ...found, number_of_failures: 3 })).toEqual([expect.stringMatching(/3 times/)])
  })

  test("keys say nothing of an address but its host", () => {
    const found = { event: "repo_push", method: "webhook", config: { url: A }, title: 'a "title", of sorts' }
    expect(notificationKey("acme/app", found)).toMatch(
      /^acme\/app\/repo_push\/webhook\/title="a \\"title\\", of sorts",to=hooks\.example\.com~[0-9a-f]{16}$/
    )
  })
})
