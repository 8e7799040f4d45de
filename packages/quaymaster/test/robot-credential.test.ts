// Robot accounts' tokens in files: what is written, when it is written again, what is left alone; and that a token is in
// nothing but the files it is for.
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { inspect } from "node:util"
import { describe, expect } from "vitest"
import { apply, type Event, encodePlan, plan } from "../src/index.ts"
import { rejection, type Scene, scene, simulated } from "./harness.ts"

const DELIVER = [
  { docker_config: "./ci.json" },
  { kubernetes_secret: "out/secrets/ci.yaml", namespace: "ci" },
  { env_file: "ci.env" }
]
const ACME = { robots: { ci: { deliver: DELIVER } } }

const OPERATIONS = ["docker_config:./ci.json", "kubernetes_secret:out/secrets/ci.yaml", "env_file:ci.env"]

const at = ({ directory }: Scene, file: string) => join(directory, file)

const textOf = (scene: Scene, file: string) => readFile(at(scene, file), "utf8")

const modeOf = async (scene: Scene, file: string) => (await stat(at(scene, file))).mode & 0o777

const robotPath = ({ org }: Scene, robot = "ci") => `/api/v1/organization/${org}/robots/${robot}`

const tokenIn = async (response: Response): Promise<string> => {
  const view: unknown = await response.json()
  const token = typeof view === "object" && view !== null && "token" in view ? view.token : undefined
  if (typeof token !== "string") throw new Error("the registry tells no token")
  return token
}

const tokenOf = async (scene: Scene, robot?: string) =>
  tokenIn(await scene.registry.request("GET", robotPath(scene, robot)))

const regenerate = async (scene: Scene) =>
  tokenIn(await scene.registry.request("POST", `${robotPath(scene)}/regenerate`))

const hostOf = ({ registry }: Scene) => new URL(registry.url).host

const authOf = (scene: Scene, token: string) => ({
  auths: { [hostOf(scene)]: { auth: btoa(`${scene.org}+ci:${token}`) } }
})

/** That all three files have this token, and nobody else can read them. */
const delivered = async (scene: Scene, token: string) => {
  expect(JSON.parse(await textOf(scene, "ci.json"))).toEqual(authOf(scene, token))
  const manifest = await textOf(scene, "out/secrets/ci.yaml")
  const data = /dockerconfigjson: "(.*)"\n$/.exec(manifest)?.[1] ?? ""
  expect(JSON.parse(atob(data))).toEqual(authOf(scene, token))
  expect(manifest).toContain(`  name: "${scene.org}-ci"\n  namespace: "ci"\n`)
  expect(await textOf(scene, "ci.env")).toBe(
    `QUAY_REGISTRY=${hostOf(scene)}\nQUAY_USERNAME=${scene.org}+ci\nQUAY_PASSWORD=${token}\n`
  )
  for (const file of ["ci.json", "out/secrets/ci.yaml", "ci.env"]) expect(await modeOf(scene, file), file).toBe(0o600)
}

const idsOf = (made: Awaited<ReturnType<typeof plan>>, { org }: Scene) =>
  made.targets.flatMap(({ operations }) => operations.map(({ id }) => id.replaceAll(org, "$org"))).sort()

const ids = (action: string, names: ReadonlyArray<string>) =>
  names.map((name) => `${action}:robot-credential:$org/ci/${name}`).sort()

scene("is delivered with the robot account, and then there is nothing to do", async (made) => {
  const planned = await made.reach(ACME)
  expect(idsOf(planned, made)).toEqual(
    [...ids("create", OPERATIONS), "create:organization:$org", "create:robot:$org/ci"].sort()
  )
  await delivered(made, await tokenOf(made))
  expect(await modeOf(made, "out/secrets")).toBe(0o700)
  expect((await readdir(made.directory)).sort()).toEqual(["ci.env", "ci.json", "out"])
})

scene("is delivered of a robot account that is there", async (made) => {
  await made.reach({ robots: { ci: {} } })
  expect(idsOf(await made.reach(ACME), made)).toEqual(ids("create", OPERATIONS))
  await delivered(made, await tokenOf(made))
})

interface Drift {
  readonly name: string
  readonly drift: (scene: Scene) => Promise<unknown>
  readonly ids: ReadonlyArray<string>
  readonly changes?: ReadonlyArray<object>
  /** What the file wants, if it is something else than before. */
  readonly want?: object
  /** What is there then, if it is not all as delivered. `before` is the text that `ci.env` had. */
  readonly also?: (scene: Scene, before: string) => Promise<unknown>
}

/** That nothing was written. */
const untouched = async (made: Scene, before: string) => expect(await textOf(made, "ci.env")).toBe(before)

const STALE = { field: "token", before: "stale", after: "current" }

const withSecret = (more: object) => ({
  robots: { ci: { deliver: DELIVER.map((it) => ("kubernetes_secret" in it ? { ...it, ...more } : it)) } }
})

const rows: ReadonlyArray<Drift> = [
  {
    name: "a file that is gone",
    drift: (made) => rm(at(made, "ci.json")),
    ids: ids("create", ["docker_config:./ci.json"])
  },
  {
    name: "a folder that is gone",
    drift: (made) => rm(at(made, "out"), { recursive: true }),
    ids: ids("create", ["kubernetes_secret:out/secrets/ci.yaml"])
  },
  {
    name: "a token that was made anew elsewhere",
    drift: regenerate,
    ids: ids("update", OPERATIONS),
    changes: [STALE, STALE, STALE]
  },
  {
    name: "a robot account that was made anew elsewhere",
    drift: async (made) => {
      await made.registry.request("DELETE", robotPath(made))
      await made.registry.request("PUT", robotPath(made), {})
    },
    ids: ids("update", OPERATIONS),
    changes: [STALE, STALE, STALE]
  },
  {
    name: "a robot account that is gone",
    drift: (made) => made.registry.request("DELETE", robotPath(made)),
    ids: ["create:robot:$org/ci", ...ids("update", OPERATIONS)].sort(),
    changes: [STALE, STALE, STALE]
  },
  {
    name: "a token that was edited",
    drift: async (made) =>
      writeFile(at(made, "ci.env"), (await textOf(made, "ci.env")).replace(/PASSWORD=.*/, "PASSWORD=mine")),
    ids: ids("update", ["env_file:ci.env"]),
    changes: [STALE]
  },
  {
    name: "a file that others may read",
    drift: (made) => chmod(at(made, "ci.env"), 0o644),
    ids: ids("update", ["env_file:ci.env"]),
    changes: [{ field: "mode", before: "0644", after: "0600" }]
  },
  {
    name: "a file that its owner may only read",
    drift: (made) => chmod(at(made, "ci.env"), 0o400),
    ids: [],
    also: async (made) => expect(await modeOf(made, "ci.env")).toBe(0o400)
  },
  {
    name: "another namespace",
    drift: async () => {},
    want: withSecret({ namespace: "builds" }),
    ids: ids("update", ["kubernetes_secret:out/secrets/ci.yaml"]),
    changes: [{ field: "namespace", before: "ci", after: "builds" }],
    also: async (made) => expect(await textOf(made, "out/secrets/ci.yaml")).toContain('namespace: "builds"')
  },
  {
    name: "another name",
    drift: async () => {},
    want: withSecret({ name: "pull" }),
    ids: ids("update", ["kubernetes_secret:out/secrets/ci.yaml"]),
    changes: [{ field: "name", before: "$org-ci", after: "pull" }],
    also: async (made) => expect(await textOf(made, "out/secrets/ci.yaml")).toContain('name: "pull"')
  },
  {
    name: "no file any more: those that there are stay",
    drift: async () => {},
    want: { robots: { ci: { deliver: [] } } },
    ids: [],
    also: untouched
  },
  {
    name: "nothing said of files",
    drift: regenerate,
    want: { robots: { ci: {} } },
    ids: [],
    also: untouched
  },
  {
    name: "a namespace that the file leaves open: it stays",
    drift: regenerate,
    want: { robots: { ci: { deliver: [{ kubernetes_secret: "out/secrets/ci.yaml" }] } } },
    ids: ids("update", ["kubernetes_secret:out/secrets/ci.yaml"]),
    also: async (made) => expect(await textOf(made, "out/secrets/ci.yaml")).toContain('namespace: "ci"')
  }
]

describe("is as it should be after", () => {
  for (const { also, changes, drift, ids: expected, name, want = ACME } of rows)
    scene(name, async (made) => {
      await made.reach(ACME)
      const before = await textOf(made, "ci.env")
      await drift(made)
      const planned = await made.reach(want)
      expect(idsOf(planned, made)).toEqual(expected)
      const found = planned.targets.flatMap((target) =>
        target.operations.flatMap((operation) => (operation.action === "update" ? operation.changes : []))
      )
      if (changes !== undefined) expect(JSON.parse(JSON.stringify(found).replaceAll(made.org, "$org"))).toEqual(changes)
      if (also === undefined) await delivered(made, await tokenOf(made))
      else await also(made, before)
    })
})

describe("is not written over", () => {
  const DOCKERS = { auths: { "quay.example.com": { auth: btoa("alice:hers") } } }
  const theirs: ReadonlyArray<readonly [what: string, make: (file: string) => Promise<unknown>, words: RegExp]> = [
    ["somebody's notes", (file) => writeFile(file, "mine\n"), /is there, and is not just a docker_config of \S+\+ci/],
    ["somebody's sign-in", (file) => writeFile(file, JSON.stringify(DOCKERS)), /is there, and is not just/],
    ["an empty file", (file) => writeFile(file, ""), /is there, and is not just/],
    ["a large file", (file) => writeFile(file, "x".repeat(100_000)), /something else than a credential/],
    ["a folder", (file) => mkdir(file), /is a directory/],
    [
      "a link",
      async (file) => {
        await writeFile(`${file}.real`, "")
        await symlink(`${file}.real`, file)
      },
      /is a link/
    ],
    ["a file where a folder should be", (file) => writeFile(dirname(file), ""), /no directory/]
  ]
  for (const [what, make, words] of theirs)
    scene(what, async (made) => {
      await made.reach({ robots: { ci: {} } })
      const nested = what.startsWith("a file where")
      const file = nested ? "folder/ci.json" : "ci.json"
      await make(at(made, file))
      const error = await rejection(made.plan({ robots: { ci: { deliver: [{ docker_config: file }] } } }))
      expect(error).toMatchObject({ _tag: "PlanRefused" })
      expect(String(error)).toMatch(words)
      if (what === "somebody's notes") expect(await textOf(made, file)).toBe("mine\n")
    })

  scene("what another robot account has there", async (made) => {
    await made.reach({ robots: { ci: { deliver: [{ env_file: "ci.env" }] }, other: {} } })
    const error = await rejection(made.plan({ robots: { other: { deliver: [{ env_file: "ci.env" }] } } }))
    expect(String(error)).toMatch(/ci\.env is there, and is not just a env_file of \S+\+other/)
  })

  scene("two that want one file", async (made) => {
    const deliver = [{ env_file: "ci.env" }]
    const error = await rejection(
      made.plan({ robots: { ci: { deliver }, other: { deliver: [{ env_file: "./ci.env" }] } } })
    )
    expect(String(error)).toMatch(/are one file/)
  })

  scene("what appears after the plan was made", async (made) => {
    await made.reach({ robots: { ci: {} } })
    const planned = await made.plan(ACME)
    await writeFile(at(made, "ci.json"), "mine\n")
    expect(await rejection(made.apply(planned))).toMatchObject({ _tag: "PlanStale" })
    const report = await apply(planned, { ...made.options, fresh: true })
    const failed = report.targets.flatMap(({ results }) => results.filter(({ outcome }) => outcome === "failed"))
    expect(failed).toMatchObject([{ error: expect.stringMatching(/^\.\/ci\.json was not written: .*is there/) }])
    expect(await textOf(made, "ci.json")).toBe("mine\n")
    expect(await textOf(made, "ci.env")).toContain(await tokenOf(made))
  })
})

simulated("tells the token to nobody but the files", async (made) => {
  const said: Array<unknown> = []
  const onEvent = (event: Event) => said.push(event)
  const tokens = new Set<string>()
  const organizations = [made.value(ACME)]
  const step = async () => {
    const planned = await plan({ ...made.options, organizations, onEvent })
    said.push(planned, encodePlan(planned), inspect(planned, { depth: 20 }))
    said.push(await apply(planned, { ...made.options, onEvent }))
    tokens.add(await tokenOf(made))
  }
  await step()
  await regenerate(made)
  await step()
  await rm(at(made, "ci.env"))
  await mkdir(at(made, "ci.env"))
  said.push(inspect(await rejection(step()), { depth: 20 }))
  await rm(at(made, "ci.env"), { recursive: true })
  await regenerate(made)
  for (const effect of [{ kind: "garble" }, { kind: "truncate" }, { kind: "server-error" }] as const) {
    made.simulator.faults.add({ on: `GET ${robotPath(made)}`, times: 1, effect })
    await step()
    await rm(at(made, "ci.env"), { force: true })
  }
  for (const effect of [{ kind: "garble" }, { kind: "truncate" }] as const) {
    made.simulator.faults.add({ on: /^GET .*\/robots$/, times: 1, effect })
    said.push(inspect(await rejection(step()), { depth: 20 }))
  }
  expect(tokens.size).toBe(3)
  const heard = `${JSON.stringify(said)}${inspect(said, { depth: 20, maxArrayLength: null, maxStringLength: null })}`
  for (const token of tokens) {
    expect(heard).not.toContain(token)
    expect(heard).not.toContain(btoa(`${made.org}+ci:${token}`))
  }
})

describe("costs", () => {
  const many = (deliver: boolean) => ({
    robots: Object.fromEntries(
      ["ci", "cd", "qa"].map((name) => [name, deliver ? { deliver: [{ env_file: `${name}.env` }] } : {}])
    )
  })
  const requests = async (
    made: Scene & { readonly simulator: { readonly requests: { reset(): void; readonly total: number } } },
    want: object
  ) => {
    made.simulator.requests.reset()
    await made.plan(want)
    return made.simulator.requests.total
  }

  simulated("nothing where there is no file, and one request an organization where there are some", async (made) => {
    await made.reach(many(false))
    const without = await requests(made, many(false))
    expect(await requests(made, many(true))).toBe(without)
    await made.reach(many(true))
    expect(await requests(made, many(true))).toBe(without + 1)
  })
})
