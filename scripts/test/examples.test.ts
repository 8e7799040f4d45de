/** Every example does what it says: the files by the library against simulated registries, the programs as processes. */
import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { apply, explainKinds, exportOrganizations, loadPlugins, loadSettings, plan } from "quaymaster"
import { createSimulator, serveSimulator } from "quaymaster/simulator"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const examples = fileURLToPath(new URL("../../examples", import.meta.url))
let folder = ""

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quaymaster-examples-"))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const operations = (planned: Awaited<ReturnType<typeof plan>>) => planned.targets.flatMap((target) => target.operations)

describe.each(["partner-lab", "release-org"])("%s", (name) => {
  test("is planned and applied, and nothing is left to do", async () => {
    const options = { files: [join(examples, name)], registry: `sim:${join(folder, `${name}.json`)}` }
    const planned = await plan(options)
    expect(operations(planned).length).toBeGreaterThan(50)
    expect((await apply(planned)).outcome).toBe("applied")
    expect(operations(await plan(options))).toEqual([])
  })

  test("names a schema that is there", async () => {
    const { targets } = await plan({ files: [join(examples, name)], registry: "sim:" })
    const file = targets[0]?.operations.find((operation) => operation.source !== undefined)?.source?.split(":")[0] ?? ""
    const [first = ""] = (await readFile(file, "utf8")).split("\n")
    const schema = /\$schema=(.+)$/.exec(first)?.[1] ?? ""
    expect((await stat(join(file, "..", schema))).isFile()).toBe(true)
  })
})

test("release-org: a role, a description and a visibility changed by hand are exactly the drift", async () => {
  const state = join(folder, "drift.json")
  const options = { files: [join(examples, "release-org")], registry: `sim:${state}` }
  expect((await apply(await plan(options))).outcome).toBe("applied")

  const registry = JSON.parse(await readFile(state, "utf8"))
  const organization = registry.organizations["fjordline-42"]
  organization.teams.testers.role = "creator"
  organization.repositories["base/micro"].description = "Something else"
  organization.repositories["databases/valkey"].visibility = "private"
  await writeFile(state, JSON.stringify(registry))

  const drift = operations(await plan(options))
  expect(
    drift.flatMap((operation) => (operation.action === "update" ? [[operation.id, operation.changes]] : []))
  ).toEqual([
    [
      "update:repository:fjordline-42/base/micro",
      [{ field: "description", before: "Something else", after: "A base without a package manager" }]
    ],
    ["update:repository:fjordline-42/databases/valkey", [{ field: "visibility", before: "private", after: "public" }]],
    ["update:team:fjordline-42/testers", [{ field: "role", before: "creator", after: "member" }]]
  ])
  expect(drift).toHaveLength(3)
})

describe("enterprise", () => {
  const secrets = {
    HALDEN_SLACK_URL: "https://hooks.example.com/canary-slack",
    HALDEN_HOOK_URL: "https://hooks.example.com/canary-hook",
    HALDEN_MIRROR_PASSWORD: "canary-mirror",
    HALDEN_CACHE_USER: "canary-user",
    HALDEN_CACHE_PASSWORD: "canary-cache"
  }
  const declared = new Set<string>()
  let copy = ""
  // A copy whose credentials are delivered beside it, wherever the tests run.
  beforeAll(async () => {
    copy = join(folder, "enterprise")
    await cp(join(examples, "enterprise"), copy, { recursive: true })
    const file = join(copy, "orgs/halden.yaml")
    await writeFile(file, (await readFile(file, "utf8")).replaceAll("./secrets/", `${copy}/secrets/`))
  })

  /** Plans, applies and plans again; gives the plan that was applied. */
  const keep = async (options: Parameters<typeof plan>[0]) => {
    const planned = await plan({ ...options, env: secrets })
    const report = await apply(planned, { ...options, registry: undefined, env: secrets })
    expect(report.outcome).toBe("applied")
    expect(operations(await plan({ ...options, env: secrets }))).toEqual([])
    expect(JSON.stringify([planned, report])).not.toContain("canary")
    for (const { kind } of operations(planned)) declared.add(kind)
    return planned
  }

  test("is planned and applied, and nothing is left to do", async () => {
    await keep({ files: [join(copy, "orgs")], registry: `sim:${join(folder, "enterprise.json")}` })
    for (const file of ["deployer.json", "reporting.env"])
      expect((await stat(join(copy, "secrets", file))).mode & 0o777).toBe(0o600)
  })

  test("is exported to files that leave nothing to do", async () => {
    const options = { registry: `sim:${join(folder, "enterprise.json")}`, env: secrets }
    const exported = await exportOrganizations("all", options)
    expect(exported.map(({ organization }) => organization)).toEqual(["halden", "halden-cache", "halden-upstream"])
    const written = join(folder, "exported")
    await mkdir(written)
    for (const { organization, text } of exported) await writeFile(join(written, `${organization}.yaml`), text)
    expect(operations(await plan({ ...options, files: [written] }))).toEqual([])
    expect(exported.map(({ text }) => text).join()).not.toContain("canary")
  })

  test("has teams from a directory, signed repositories and build triggers, where a registry has those", async () => {
    const simulator = createSimulator({
      users: [{ name: "admin", superuser: true }],
      state: {
        organizations: {
          "halden-lab": {
            repositories: {
              firmware: { triggers: [{ id: "1", service: "github", config: { build_source: "halden/firmware" } }] }
            }
          }
        }
      },
      tokens: [{ token: "directory-token", user: "admin" }],
      ldap: { groups: { "cn=operators,ou=groups": ["iris.falk"] } },
      features: { SIGNING: true }
    })
    await using served = await serveSimulator(simulator)
    await keep({ files: [join(copy, "directory")], registry: served.url, token: "directory-token" })
  })

  test("uses every kind", () => {
    expect(explainKinds().filter(({ kind }) => !declared.has(kind))).toEqual([])
  })

  test("changes nothing while a secret is missing", async () => {
    const options = { files: [join(copy, "orgs")], registry: `sim:${join(folder, "missing.json")}` }
    const { HALDEN_CACHE_PASSWORD: _left, ...env } = secrets
    const planned = await plan({ ...options, env })
    await expect(apply(planned, { env })).rejects.toThrow("HALDEN_CACHE_PASSWORD is not set")
    expect(operations(await plan({ ...options, env }))).toHaveLength(operations(planned).length)
  })
})

const run = async (cwd: string, file: string): Promise<string> => {
  const { stderr, stdout } = await promisify(execFile)(process.execPath, [file], { cwd })
  expect(stderr).toBe("")
  return stdout
}

test.each(["main.ts", "effect.ts"])("library/%s leaves nothing to do", async (file) => {
  expect(await run(join(examples, "library"), file)).toContain("left to do: 0\n")
})

describe("custom-kind", () => {
  // A copy in the workspace, so that what it writes is not in the example, and its dependencies are found.
  let copy = ""
  beforeAll(async () => {
    copy = await mkdtemp(join(examples, ".custom-kind-"))
    await cp(join(examples, "custom-kind"), copy, { recursive: true, verbatimSymlinks: true })
  })
  afterAll(() => rm(copy, { recursive: true, force: true }))

  test("the program writes credentials that only their owner can read, and leaves nothing to do", async () => {
    const told = await run(copy, "main.ts")
    expect(told).toContain("credentials of heron-labs/builder go to secrets/builder.json\n")
    expect(told).toContain("left to do: 0\n")
    const file = join(copy, "secrets/builder.json")
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const { auths } = JSON.parse(await readFile(file, "utf8"))
    const [{ auth = "" } = {}] = Object.values<{ auth?: string }>(auths)
    expect(Buffer.from(auth, "base64").toString()).toMatch(/^heron-labs\+builder:.+/)
  })

  test("is written again when it is stale, follows its name, and never takes the place of another file", async () => {
    const settings = await loadSettings({ cwd: copy })
    const kinds = await loadPlugins(settings)
    const secrets = join(folder, "secrets")
    const file = join(copy, "orgs/heron-labs.yaml")
    const text = (await readFile(file, "utf8")).replaceAll("./secrets/", `${secrets}/`)
    const registry = `sim:${join(folder, "custom-kind.json")}`
    const keep = async () => {
      await writeFile(file, text)
      const planned = await plan({ cwd: copy, files: ["orgs"], registry, kinds })
      const own = operations(planned).filter(({ kind }) => kind === "acme.pull-secret")
      return { own: own.map(({ action }) => action), report: await apply(planned, { cwd: copy, kinds }) }
    }
    const builder = join(secrets, "builder.json")
    expect((await keep()).own).toEqual(["create", "create"])
    const written = await readFile(builder, "utf8")

    const { auths } = JSON.parse(written)
    const stale = Buffer.from("heron-labs+builder:another").toString("base64")
    const hosts = Object.keys(auths).map((host) => [host, { auth: stale }])
    await writeFile(builder, JSON.stringify({ auths: Object.fromEntries(hosts) }))
    expect((await keep()).own).toEqual(["update"])
    expect(await readFile(builder, "utf8")).toBe(written)

    await rename(builder, join(secrets, "renamed.json"))
    expect((await keep()).own).toEqual(["create", "delete"])
    expect((await readdir(secrets)).sort()).toEqual(["builder.json", "cluster.json"])

    await writeFile(builder, "somebody's")
    expect((await keep()).report.outcome).toBe("partial")
    expect(await readFile(builder, "utf8")).toBe("somebody's")
  })

  test("is loaded as a plugin", async () => {
    const settings = await loadSettings({ cwd: copy })
    const kinds = await loadPlugins(settings)
    const planned = await plan({ cwd: copy, files: ["orgs"], registry: "sim:", kinds })
    expect(operations(planned).map((operation) => operation.kind)).toContain("acme.pull-secret")
  })
})
