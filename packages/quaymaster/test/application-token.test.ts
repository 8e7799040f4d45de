// Tokens of applications and the files that have them: what is made and written, what is written again, what is only done if it is
// asked for, and that no token is ever left behind that nobody knows of, nor told to anybody but the files.
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inspect } from "node:util"
import { describe, expect } from "vitest"
import { apply, type Event, encodePlan, type PlanOptions, plan, readPlan } from "../src/index.ts"
import { rejection, type Scene, scene, simulated } from "./harness.ts"

const DELIVER = [{ env_file: "./ci.env" }, { kubernetes_secret: "out/ci.yaml", namespace: "ci" }]
const CI = { scopes: ["repo:read", "repo:write"], expiration: "90d", deliver: DELIVER }
const withToken = (token: object, more: object = {}) => ({
  applications: { console: { tokens: { ci: token } } },
  ...more
})
const ACME = withToken(CI)
/** What the guard has to be told where tokens are pruned. */
const PRUNED = { destroy: ["application-token:**"] }
const KEY = "application-token:$org/console/ci"

const at = ({ directory }: Scene, file: string) => join(directory, file)
const textOf = (scene: Scene, file: string) => readFile(at(scene, file), "utf8")
const modeOf = async (scene: Scene, file: string) => (await stat(at(scene, file))).mode & 0o777

interface Token {
  readonly uuid: string
  readonly name: string
  readonly scope: string
  readonly created: string
  readonly expires_at: string
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

const listIn = (value: unknown, key: string): ReadonlyArray<Record<string, unknown>> => {
  const list = isRecord(value) ? value[key] : undefined
  return Array.isArray(list) ? list.filter(isRecord) : []
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const applicationPath = async ({ org, registry }: Scene, name = "console") => {
  const all = `/api/v1/organization/${org}/applications`
  const found = listIn(await (await registry.request("GET", all)).json(), "applications").find(
    (it) => it["name"] === name
  )
  return `${all}/${text(found?.["client_id"])}`
}

const tokens = async (scene: Scene): Promise<ReadonlyArray<Token>> => {
  const answer = await scene.registry.request("GET", `${await applicationPath(scene)}/tokens`)
  return listIn(await answer.json(), "tokens").map((it) => ({
    uuid: text(it["uuid"]),
    name: text(it["name"]),
    scope: text(it["scope"]),
    created: text(it["created"]),
    expires_at: text(it["expires_at"])
  }))
}

const mintByHand = async (scene: Scene, name = "ci", scope = "repo:read") => {
  const body = { name, scope, expiration: 86_400 }
  const answer: unknown = await (
    await scene.registry.request("POST", `${await applicationPath(scene)}/tokens`, body)
  ).json()
  return isRecord(answer) ? text(answer["uuid"]) : ""
}

const valueIn = (file: string): string => /^QUAY_TOKEN=(.+)$/m.exec(file)?.[1] ?? ""

/** That both files have the one token that there is, that it works, and nobody else can read it. Gives its value. */
const delivered = async (made: Scene): Promise<string> => {
  const [only, second] = await tokens(made)
  expect(second).toBeUndefined()
  const head = `# application-token:${made.org}/console/ci ${only?.uuid}\n`
  const env = await textOf(made, "ci.env")
  const value = valueIn(env)
  expect(env).toBe(`${head}QUAY_URL=${made.registry.url}\nQUAY_TOKEN=${value}\n`)
  expect(await textOf(made, "out/ci.yaml")).toBe(
    `${head}apiVersion: v1\nkind: Secret\nmetadata:\n  name: "${made.org}-console-ci"\n  namespace: "ci"\ntype: Opaque\ndata:\n` +
      `  QUAY_URL: "${btoa(made.registry.url)}"\n  QUAY_TOKEN: "${btoa(value)}"\n`
  )
  for (const file of ["ci.env", "out/ci.yaml"]) expect(await modeOf(made, file), file).toBe(0o600)
  expect((await readdir(made.directory)).sort()).toEqual(["ci.env", "out"])
  const known = await fetch(`${made.registry.url}/api/v1/repository?namespace=${made.org}`, {
    headers: { authorization: `Bearer ${value}` }
  })
  expect(known.status).toBe(200)
  return value
}

const idsOf = (made: Awaited<ReturnType<typeof plan>>, { org }: Scene) =>
  made.targets.flatMap(({ operations }) => operations.map(({ id }) => id.replaceAll(org, "$org"))).sort()

const planned = ({ options, value }: Scene, organization: object, byHand: Pick<PlanOptions, "renew"> = {}) =>
  plan({ ...options, organizations: [value(organization)], ...byHand })

const renewal = (made: Scene, organization: object = ACME) => planned(made, organization, { renew: [made.real(KEY)] })

/** `≠ key: reason` of what cannot converge. */
const stuckIn = (made: Awaited<ReturnType<typeof plan>>) =>
  made.targets.flatMap(({ stuck }) => stuck.map(({ changes, reason }) => [changes.map(({ field }) => field), reason]))

const noticesIn = (made: Awaited<ReturnType<typeof plan>>) =>
  made.targets.flatMap(({ notices }) => notices.map(({ message }) => message))

scene("is made and delivered with its application, and then there is nothing to do", async (made) => {
  const first = await made.reach(ACME)
  expect(idsOf(first, made)).toEqual([`create:${KEY}`, "create:application:$org/console", "create:organization:$org"])
  await delivered(made)
  const [token] = await tokens(made)
  expect([...(token?.scope.split(" ") ?? [])].sort()).toEqual(["repo:read", "repo:write"])
  const days = (Date.parse(token?.expires_at ?? "") - Date.parse(token?.created ?? "")) / 86_400_000
  expect(Math.round(days * 100) / 100).toBe(90)
})

interface Drift {
  readonly name: string
  readonly drift: (scene: Scene) => Promise<unknown>
  /** What the file wants, if it is something else than before. */
  readonly want?: object
  readonly ids: ReadonlyArray<string>
  readonly changes?: ReadonlyArray<string>
  /** Whether the token is another one then. */
  readonly anew?: boolean
}

const rows: ReadonlyArray<Drift> = [
  {
    name: "one of its files is gone",
    drift: (made) => rm(at(made, "ci.env")),
    ids: [`update:${KEY}`],
    changes: ["deliver"]
  },
  {
    name: "a folder is gone",
    drift: (made) => rm(at(made, "out"), { recursive: true }),
    ids: [`update:${KEY}`],
    changes: ["deliver"]
  },
  {
    name: "others may read a file",
    drift: (made) => chmod(at(made, "ci.env"), 0o644),
    ids: [`update:${KEY}`],
    changes: ["deliver"]
  },
  {
    name: "the token was deleted elsewhere",
    drift: async (made) => {
      const [token] = await tokens(made)
      await made.registry.request("DELETE", `${await applicationPath(made)}/tokens/${token?.uuid}`)
    },
    ids: [`create:${KEY}`],
    anew: true
  },
  {
    name: "the application was deleted elsewhere",
    drift: async (made) => made.registry.request("DELETE", await applicationPath(made)),
    ids: [`create:${KEY}`, "create:application:$org/console"],
    anew: true
  },
  {
    name: "its making was broken off after Quay had made it",
    drift: async (made) => {
      const text = `# application-token:${made.org}/console/ci is being made at ${made.registry.url}\n`
      await writeFile(at(made, "ci.env"), text)
      await writeFile(at(made, "out/ci.yaml"), text)
    },
    ids: [`update:${KEY}`],
    changes: ["making"],
    anew: true
  }
]

describe("is as it should be after", () => {
  for (const { anew = false, changes, drift, ids, name, want = ACME } of rows)
    scene(name, async (made) => {
      await made.reach(ACME)
      const before = await delivered(made)
      await drift(made)
      const next = await made.reach(want)
      expect(idsOf(next, made)).toEqual([...ids].sort())
      const found = next.targets.flatMap(({ operations }) =>
        operations.flatMap((operation) => (operation.action === "update" ? operation.changes : []))
      )
      if (changes !== undefined) expect(found.map(({ field }) => field)).toEqual(changes)
      expect((await delivered(made)) !== before).toBe(anew)
    })

  scene("another file is named: it is written from one that has the token", async (made) => {
    await made.reach(withToken({ ...CI, deliver: [{ env_file: "ci.env" }] }))
    const before = valueIn(await textOf(made, "ci.env"))
    await made.reach(withToken({ ...CI, deliver: [{ env_file: "ci.env" }, { env_file: "more/ci.env" }] }))
    expect(valueIn(await textOf(made, "more/ci.env"))).toBe(before)
  })

  scene("another namespace is said", async (made) => {
    await made.reach(ACME)
    const [, secret] = DELIVER
    await made.reach(withToken({ ...CI, deliver: [DELIVER[0], { ...secret, namespace: "builds", name: "quay" }] }))
    const text = await textOf(made, "out/ci.yaml")
    expect(text).toContain('  name: "quay"\n  namespace: "builds"\n')
  })

  scene("nothing is said of files any more: those that there are stay", async (made) => {
    await made.reach(ACME)
    const before = await textOf(made, "ci.env")
    expect(idsOf(await made.reach(withToken({ scopes: CI.scopes })), made)).toEqual([])
    expect(idsOf(await made.reach(withToken({ ...CI, deliver: [] })), made)).toEqual([])
    expect(await textOf(made, "ci.env")).toBe(before)
  })
})

describe("cannot be had again", () => {
  const lose = async (made: Scene) => {
    await rm(at(made, "ci.env"))
    await rm(at(made, "out"), { recursive: true })
  }

  scene("where all its files are gone, and that is said with what another one would lose", async (made) => {
    await made.reach(ACME)
    const before = await tokens(made)
    await lose(made)
    const next = await planned(made, ACME)
    expect(idsOf(next, made)).toEqual([])
    expect(stuckIn(next)).toEqual([
      [["value"], expect.stringMatching(/told it only once.*would stop working at once.*--renew/)]
    ])
    expect(await tokens(made)).toEqual(before)
  })

  scene("where it was made by hand", async (made) => {
    await made.reach({ applications: { console: {} } })
    await mintByHand(made)
    expect(stuckIn(await planned(made, withToken({ ...CI, scopes: ["repo:read"], expiration: "1d" })))).toEqual([
      [["value"], expect.any(String)]
    ])
  })

  scene("where its file has what another one of the name had", async (made) => {
    await made.reach(ACME)
    const [token] = await tokens(made)
    await made.registry.request("DELETE", `${await applicationPath(made)}/tokens/${token?.uuid}`)
    await mintByHand(made, "ci", "repo:read repo:write")
    expect(stuckIn(await planned(made, withToken({ ...CI, expiration: "1d" })))).toEqual([
      [["value"], expect.any(String)]
    ])
  })

  for (const [field, change] of [
    ["scopes", { scopes: ["repo:read"] }],
    ["expiration", { expiration: "30d" }]
  ] as const)
    scene(`with other ${field}, which is said`, async (made) => {
      await made.reach(ACME)
      const next = await planned(made, withToken({ ...CI, ...change }))
      expect(idsOf(next, made)).toEqual([])
      expect(stuckIn(next)).toEqual([[[field], expect.stringMatching(/another token would have another value/)]])
    })

  scene("but another one takes its place where that is asked for, with all that is declared", async (made) => {
    await made.reach(ACME)
    const [old] = await tokens(made)
    await lose(made)
    const want = withToken({ ...CI, scopes: ["repo:read"], expiration: "30d" })
    const next = await renewal(made, want)
    expect(idsOf(next, made)).toEqual([`update:${KEY}`])
    expect(stuckIn(next)).toEqual([])
    expect(noticesIn(next)).toEqual([
      "Another token takes its place. This one stops working at once, wherever it is used."
    ])
    expect((await apply(next, made.options)).outcome).toBe("applied")
    await delivered(made)
    const [now] = await tokens(made)
    expect(now?.uuid).not.toBe(old?.uuid)
    expect(now?.scope).toBe("repo:read")
    expect(idsOf(await planned(made, want), made)).toEqual([])
  })
})

describe("another one takes its place", () => {
  scene("once for a plan, however often that is applied", async (made) => {
    await made.reach(ACME)
    const before = await delivered(made)
    const text = encodePlan(await renewal(made))
    expect((await apply(readPlan(text), made.options)).outcome).toBe("applied")
    const after = await delivered(made)
    expect(after).not.toBe(before)
    const again = await apply(readPlan(text), made.options)
    expect(again.targets[0]?.results).toEqual([{ id: made.real(`update:${KEY}`), outcome: "already" }])
    expect(await delivered(made)).toBe(after)
  })

  scene("and the old one does not work any more", async (made) => {
    await made.reach(ACME)
    const before = await delivered(made)
    await apply(await renewal(made), made.options)
    const answer = await fetch(`${made.registry.url}/api/v1/organization/${made.org}/robots`, {
      headers: { authorization: `Bearer ${before}` }
    })
    expect(answer.status).toBe(401)
  })

  scene("is no more than making it where it is not there", async (made) => {
    expect(idsOf(await renewal(made), made)).toContain(`create:${KEY}`)
  })

  scene("not where it would be delivered nowhere", async (made) => {
    await made.reach(ACME)
    const error = await rejection(renewal(made, withToken({ scopes: CI.scopes })))
    expect(String(error)).toMatch(/Quay tells a token only once/)
  })

  scene("not while one of its files cannot be written: the old one stays as it is", async (made) => {
    await made.reach(ACME)
    const before = await delivered(made)
    const next = await renewal(made)
    await rm(at(made, "ci.env"))
    await mkdir(at(made, "ci.env"))
    const report = await apply(next, { ...made.options, fresh: true })
    expect(report.targets[0]?.results).toMatchObject([{ outcome: "failed", error: expect.stringMatching(/ci\.env/) }])
    await rm(at(made, "ci.env"), { recursive: true })
    await made.reach(ACME)
    expect(await delivered(made)).toBe(before)
  })

  for (const effect of [{ kind: "drop", applied: true }, { kind: "truncate" }, { kind: "drop" }] as const)
    simulated(`not where the answer is lost, and nothing is left of it: ${JSON.stringify(effect)}`, async (made) => {
      await made.reach(ACME)
      const before = await delivered(made)
      const next = await renewal(made)
      made.simulator.faults.add({ on: /^POST .*\/tokens$/, effect })
      const report = await apply(next, made.options)
      made.simulator.faults.clear()
      expect(report.outcome).toBe("partial")
      expect(await delivered(made)).toBe(before)
      expect((await apply(next, made.options)).outcome).toBe("applied")
      expect(await delivered(made)).not.toBe(before)
    })
})

describe("is not made", () => {
  scene("where it would be delivered nowhere", async (made) => {
    const error = await rejection(planned(made, withToken({ scopes: CI.scopes })))
    expect(String(error)).toMatch(/Quay tells a token only once, when it is made: say with deliver/)
    expect(String(await rejection(planned(made, withToken({ ...CI, deliver: [] }))))).toMatch(/only once/)
  })

  scene("where its file is somebody's, before anything is asked of Quay", async (made) => {
    await made.reach({ applications: { console: {} } })
    await writeFile(at(made, "ci.env"), "mine\n")
    const error = await rejection(planned(made, ACME))
    expect(error).toMatchObject({ _tag: "PlanRefused" })
    expect(String(error)).toMatch(/ci\.env is there, and is not just a env_file of application-token:/)
    expect(await textOf(made, "ci.env")).toBe("mine\n")
  })

  scene("where its file has another token", async (made) => {
    const two = (more: object) => ({
      applications: {
        console: { tokens: { ci: { ...CI, deliver: [{ env_file: "ci.env" }] } } },
        other: { tokens: { ...more } }
      }
    })
    await made.reach(two({}))
    const error = await rejection(
      planned(made, { applications: { other: { tokens: { ci: { ...CI, deliver: [{ env_file: "ci.env" }] } } } } })
    )
    expect(String(error)).toMatch(/is there, and is not just/)
    const both = await rejection(planned(made, two({ ci: { ...CI, deliver: [{ env_file: "./ci.env" }] } })))
    expect(String(both)).toMatch(/are one file/)
  })

  scene("where a robot account's file has its name", async (made) => {
    const clash = {
      robots: { ci: { deliver: [{ env_file: "ci.env" }] } },
      ...withToken({ ...CI, deliver: [{ env_file: "ci.env" }] })
    }
    const report = await apply(await planned(made, clash), made.options)
    expect(report.outcome).toBe("partial")
    // Whichever came first: no token is there without a file that has it.
    const env = await textOf(made, "ci.env")
    const ours = (await tokens(made)).map(({ uuid }) => env.includes(uuid))
    expect(ours.every((it) => it)).toBe(true)
  })

  scene("where a file cannot be written", async (made) => {
    await made.reach({ applications: { console: {} } })
    const next = await planned(made, ACME)
    await writeFile(at(made, "out"), "")
    const report = await apply(next, { ...made.options, fresh: true })
    expect(report.targets[0]?.results).toMatchObject([
      { outcome: "failed", error: expect.stringMatching(/out\/ci\.yaml/) }
    ])
    expect(await tokens(made)).toEqual([])
  })

  simulated("where Quay refuses, and its files are gone again", async (made) => {
    await made.reach({ applications: { console: {} } })
    const token = made.simulator.addToken({ user: made.registry.caller, scopes: ["org:admin", "user:read"] })
    const next = await planned(made, ACME)
    const report = await apply(next, { ...made.options, token })
    expect(report.targets[0]?.results).toMatchObject([{ outcome: "failed", tag: "Forbidden" }])
    expect(await readdir(made.directory)).toEqual(["out"])
    expect(await readdir(at(made, "out"))).toEqual([])
    await made.reach(ACME)
    await delivered(made)
  })
})

describe("of several of one name", () => {
  scene("the one is meant that its files have, and the others are kept and told", async (made) => {
    await made.reach(ACME)
    const before = await textOf(made, "ci.env")
    const others = [await mintByHand(made), await mintByHand(made)].sort()
    const next = await planned(made, ACME)
    expect(idsOf(next, made)).toEqual([])
    expect(next.targets[0]?.extras.map(({ key }) => key)).toEqual(
      others.map((uuid) => `${made.org}/console/ci#${uuid}`)
    )
    expect(noticesIn(next)).toEqual([expect.stringMatching(/There are 3 tokens of this name; the one with the id/)])
    await made.reach({ ...ACME, prune: ["tokens"] }, PRUNED)
    expect(await textOf(made, "ci.env")).toBe(before)
    await delivered(made)
  })
})

describe("where no file declares it", () => {
  scene("it is kept and told; and deleted, which loses a credential, where the file prunes it", async (made) => {
    await made.reach(ACME)
    const none = { applications: { console: { tokens: {} } } }
    const kept = await planned(made, none)
    expect(kept.targets[0]?.extras.map(({ key }) => key)).toEqual([`${made.org}/console/ci`])
    const pruned = await made.reach({ ...none, prune: ["tokens"] }, PRUNED)
    expect(pruned.targets[0]?.operations).toMatchObject([{ action: "delete", destroys: "credential" }])
    expect(await tokens(made)).toEqual([])
  })

  scene("it goes along with its application", async (made) => {
    await made.reach(ACME)
    const gone = await planned(made, { applications: {}, prune: ["applications"] })
    expect(idsOf(gone, made)).toEqual(["delete:application:$org/console"])
  })
})

describe("an answer that is lost", () => {
  for (const effect of [{ kind: "drop", applied: true }, { kind: "truncate" }, { kind: "garble" }] as const)
    simulated(`leaves no token that nobody knows of: ${JSON.stringify(effect)}`, async (made) => {
      await made.reach({ applications: { console: {} } })
      const text = encodePlan(await planned(made, ACME))
      made.simulator.faults.add({ on: /^POST .*\/tokens$/, times: 1, effect })
      const report = await apply(readPlan(text), made.options)
      made.simulator.faults.clear()
      // What cannot be repeated at once is left as it is, and told; the same plan goes on from there.
      if (report.outcome !== "applied") {
        expect(report.targets[0]?.results).toMatchObject([{ outcome: "failed" }])
        expect((await apply(readPlan(text), made.options)).outcome).toBe("applied")
      }
      await delivered(made)
      expect(idsOf(await planned(made, ACME), made)).toEqual([])
    })
})

describe("one that expires", () => {
  const DAY = 86_400_000
  for (const [what, age, notices, ids] of [
    ["is nothing to speak of while there is time", 60, [], []],
    ["soon is told", 80, [expect.stringMatching(/^It expires on \d{4}-\d\d-\d\d\..*: --renew application-token:/)], []],
    ["is made again when it has", 100, [], [`create:${KEY}`]]
  ] as const) {
    // The registry's clock, in days that have passed since the token was made.
    let late: number = age
    simulated(
      what,
      async (made) => {
        await made.reach(ACME)
        const before = valueIn(await textOf(made, "ci.env"))
        late = 0
        const next = await planned(made, ACME)
        expect(noticesIn(next)).toEqual(notices)
        expect(idsOf(next, made)).toEqual(ids)
        await made.reach(ACME)
        expect((await delivered(made)) === before).toBe(ids.length === 0)
      },
      { now: () => Date.now() - late * DAY }
    )
  }
})

simulated("tells the value to nobody but the files", async (made) => {
  const said: Array<unknown> = []
  const onEvent = (event: Event) => said.push(event)
  const values = new Set<string>()
  const step = async (byHand: Pick<PlanOptions, "renew"> = {}) => {
    const next = await plan({ ...made.options, organizations: [made.value(ACME)], onEvent, ...byHand })
    said.push(next, encodePlan(next), inspect(next, { depth: 20 }))
    said.push(await apply(next, { ...made.options, onEvent }))
    values.add(valueIn(await textOf(made, "ci.env").catch(() => "")))
  }
  await step()
  await step({ renew: [made.real(KEY)] })
  await rm(at(made, "out"), { recursive: true })
  await step()
  for (const effect of [{ kind: "garble" }, { kind: "truncate" }, { kind: "server-error", applied: true }] as const) {
    made.simulator.faults.add({ on: /^POST .*\/tokens$/, times: 1, effect })
    await step({ renew: [made.real(KEY)] })
    made.simulator.faults.clear()
    await step()
  }
  values.delete("")
  expect(values.size).toBeGreaterThan(1)
  const heard = `${JSON.stringify(said)}${inspect(said, { depth: 20, maxArrayLength: null, maxStringLength: null })}`
  for (const value of values) {
    expect(heard).not.toContain(value)
    expect(heard).not.toContain(btoa(value))
  }
})
