/** The commands against a registry in a file, in this process: what they print where, and what they end with. */
import { chmod, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ACME, makeWorld, type World } from "./host.ts"

let world: World
beforeEach(async () => {
  world = await makeWorld()
  await world.write("acme.yaml", ACME)
})
afterEach(() => world[Symbol.asyncDispose]())

const SIM = "--registry sim:./quay.json"

describe("plan and apply", () => {
  test("what was planned and applied leaves nothing to do", async () => {
    const planned = await world.run(`quay-plan ${SIM} acme.yaml`)
    expect(planned).toMatchObject({ code: 0, stderr: "" })
    expect(planned.stdout).toContain("Plan: 12 to create. 0 unchanged.")
    expect(planned.stdout).toMatch(/^ {2}\+ team dev +role member, description "Developers" +acme.yaml:3$/m)
    expect(planned.stdout).toMatch(/^ {2}\+ repository-permission app\/team:dev +role read +by Quay {2}acme.yaml:16$/m)
    const applied = await world.run(`quay-apply --yes ${SIM} acme.yaml`)
    expect(applied.code).toBe(0)
    expect(applied.stdout).toMatch(/^Applied 12 of 12 changes: 11 created, 1 by Quay\. .*requests$/m)
    expect(applied.stderr.trim().split("\n")).toHaveLength(12)
    expect(applied.stderr).toMatch(/^✓ \+ team acme\/dev {2}\d+ ms$/m)
    const again = await world.run(`quay-plan ${SIM} acme.yaml --detailed-exitcode`)
    expect(again.code).toBe(0)
    expect(again.stdout).toMatch(/\nNo changes\. 12 objects in \d+ collections match acme\.yaml\.\n$/)
    const nothing = await world.run(`quay-apply ${SIM} acme.yaml --yes`)
    expect(nothing.code).toBe(0)
    expect(nothing.stdout).toContain("No changes.")
  })

  test("what was changed by hand is exactly what is planned", async () => {
    await world.run(`quay-apply --yes -q ${SIM} acme.yaml`)
    await world.edit((text) =>
      text
        .replace('"visibility": "private"', '"visibility": "public"')
        .replace('"description": "The product"', '"description": "old"')
        .replace(/("ops": \{\s*"role": )"admin"/, '$1"member"')
    )
    const { code, stdout } = await world.run(`quay-plan ${SIM} acme.yaml --detailed-exitcode`)
    expect(code).toBe(2)
    expect(
      stdout
        .split("\n\n")[1]
        ?.split("\n")
        .map((line) => line.trimEnd())
    ).toEqual([
      "acme",
      expect.stringMatching(/^ {2}~ repository app +acme\.yaml:13$/),
      '      description  "old" → "The product"',
      "      visibility   public → private",
      expect.stringMatching(/^ {2}~ team ops +acme\.yaml:7$/),
      "      role  member → admin"
    ])
    expect(stdout).toContain("Plan: 2 to update.")
  })

  test("a mirror runs now where that is asked for: a plan says so, and a saved one is asked nothing more", async () => {
    const mirror = "repository-mirror:mirrored/alpine"
    await world.write(
      "mirrored.yaml",
      "organization: mirrored\nrobots: { ci: {} }\nrepositories:\n" +
        "  alpine: { mirror: { source: quay.io/libpod/alpine, tags: [latest], robot: ci } }\n" +
        "  busybox: { mirror: { source: quay.io/libpod/busybox, tags: [latest], robot: ci } }\n"
    )
    await world.run(`quay-apply ${SIM} --yes mirrored.yaml`)
    const both = `--sync-now ${mirror},repository-mirror:mirrored/busybox`
    const { stdout } = await world.run(`quay-plan ${SIM} ${both} -o sync.json mirrored.yaml`)
    expect(stdout).toMatch(/~ repository-mirror alpine +mirrored.yaml:4\n +sync {2}unset → now/)
    expect(stdout).toContain("Plan: 2 to update.")
    expect(await world.run("quay-apply sync.json")).toMatchObject({ code: 0 })
    const refused = await world.run(`quay-apply sync.json --sync-now ${mirror}`)
    expect(refused).toMatchObject({ code: 64 })
    expect(refused.stderr).toContain("sync.json is planned already, and --sync-now would change that")
    const stranger = await world.run(`quay-plan ${SIM} --sync-now repository-mirror:mirrored/other mirrored.yaml`)
    expect(stranger).toMatchObject({ code: 1 })
    expect(stranger.stderr).toContain("no file declares it")
  })

  test("a plan file is private, whole, and applies without asking", async () => {
    const saved = await world.run(`quay-plan ${SIM} -o plan.json acme.yaml`)
    expect(saved.stdout).toContain("Saved. Apply it with  quay-apply plan.json")
    expect((await stat(join(world.folder, "plan.json"))).mode & 0o777).toBe(0o600)
    const applied = await world.run("quay-apply plan.json")
    expect(applied).toMatchObject({ code: 0 })
    expect(applied.stdout).toContain("Applied 12 of 12 changes")
    const again = await world.run("quay-apply plan.json")
    expect(again.code).toBe(0)
    expect(again.stdout).toContain("11 already so")
  })

  test("--json is the plan on stdout and nothing else", async () => {
    const { code, stderr, stdout } = await world.run(`quay-plan --json ${SIM} acme.yaml`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(JSON.parse(stdout)).toMatchObject({ format: "quaymaster-plan/1", summary: { create: 12 } })
    const again = await world.run(`quay-plan --json ${SIM} acme.yaml`)
    expect(again.stdout).toBe(stdout)
  })

  test("--json of an apply is the report on stdout, and the plan is talk", async () => {
    const { code, stderr, stdout } = await world.run(`quay-apply --yes --json ${SIM} acme.yaml`)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "applied", targets: [{ results: expect.any(Array) }] })
    expect(stderr).toContain("Plan: 12 to create.")
    const nothing = await world.run(`quay-apply --yes --json ${SIM} acme.yaml`)
    expect(JSON.parse(nothing.stdout)).toMatchObject({ outcome: "applied", targets: [] })
  })

  test("--quiet says what it comes to", async () => {
    expect(await world.run(`quay-plan -q ${SIM} acme.yaml`)).toEqual({
      code: 0,
      stdout: "Plan: 12 to create. 0 unchanged.\n",
      stderr: ""
    })
    const applied = await world.run(`quay-apply -q --yes ${SIM} acme.yaml`)
    expect(applied.stderr).toBe("")
    expect(applied.stdout.split("\n")).toHaveLength(3)
  })

  test("--verbose says what was read", async () => {
    const { stdout } = await world.run(`quay-plan -v ${SIM} acme.yaml`)
    expect(stdout).toContain("  read  team of acme: 0\n")
  })

  test("--events are one JSON object a line, with a time", async () => {
    await world.run(`quay-apply --yes --events events.ndjson ${SIM} acme.yaml`)
    const lines = (await readFile(join(world.folder, "events.ndjson"), "utf8")).trimEnd().split("\n")
    const events = lines.map((line): { time: string; type: string } => JSON.parse(line))
    expect(events.every(({ time }) => new Date(time).toISOString() === time)).toBe(true)
    const types = new Set(events.map(({ type }) => type))
    expect([...types]).toEqual(
      expect.arrayContaining(["read-started", "request", "apply-started", "operation-finished", "apply-finished"])
    )
  })

  test("colour is for terminals, and for who asks", async () => {
    const codes = String.fromCharCode(27)
    const plan = (flags: string, options = {}) => world.run(`quay-plan ${flags} ${SIM} acme.yaml`, options)
    expect((await plan("")).stdout).not.toContain(codes)
    expect((await plan("", { terminal: true })).stdout).toContain(codes)
    expect((await plan("", { terminal: true, env: { NO_COLOR: "1" } })).stdout).not.toContain(codes)
    expect((await plan("--color never", { terminal: true })).stdout).not.toContain(codes)
    expect((await plan("--color always")).stdout).toContain(codes)
  })

  test("all of `quaymaster` are the same commands", async () => {
    const { stdout } = await world.run(`quaymaster plan ${SIM} acme.yaml`)
    expect(stdout).toContain("Save it with -o plan.json, then  quaymaster apply plan.json")
    expect((await world.run(`quaymaster apply --yes ${SIM} acme.yaml`)).code).toBe(0)
    expect((await world.run(`quaymaster plan -q ${SIM} acme.yaml`)).stdout).toContain("No changes.")
  })

  test("QUAY_URL names the registry, and quaymaster.yaml the files", async () => {
    await world.write("quaymaster.yaml", "sources: [acme.yaml]\n")
    const { code, stdout } = await world.run("quay-plan", { env: { QUAY_URL: "sim:./quay.json" } })
    expect(code).toBe(0)
    expect(stdout).toContain(`quay-plan  sim:${world.folder}/quay.json  quaymaster.yaml`)
  })

  test("several registries are planned together", async () => {
    await world.write(
      "quaymaster.yaml",
      "registries:\n  dr: { url: sim:./dr.json }\n  prod: { url: sim:./prod.json }\n"
    )
    await world.write("acme.yaml", ACME.replace("teams:", "registries: [prod, dr]\nteams:"))
    const { stdout } = await world.run("quay-plan acme.yaml")
    expect(stdout).toMatch(/\n\ndr {2}sim:[^\n]+dr\.json\n\nacme\n[\s\S]+\n\nprod {2}sim:[^\n]+prod\.json\n\nacme\n/)
    expect(stdout).toContain("Plan: 24 to create.")
    await world.run("quay-apply --yes acme.yaml --registry prod")
    expect((await world.run("quay-plan acme.yaml")).stdout).toContain("no changes")
  })
})

describe("asking", () => {
  test("yes applies", async () => {
    const { code, stderr, stdout } = await world.run(`quay-apply ${SIM} acme.yaml`, { terminal: true, answer: "yes" })
    expect(code).toBe(0)
    expect(stderr).toMatch(/Apply 12 changes to sim:.*quay\.json\? Only "yes" does it: /)
    expect(stdout).toContain("12 of 12 changes")
  })

  test("anything else does not, nor does going away", async () => {
    const no = await world.run(`quay-apply ${SIM} acme.yaml`, { terminal: true, answer: "y" })
    expect(no.code).toBe(1)
    expect(no.stderr).toContain("Nothing was changed.")
    const gone = await world.run(`quay-apply ${SIM} acme.yaml`, { terminal: true, answer: undefined })
    expect(gone.code).toBe(130)
    expect((await world.run(`quay-plan -q ${SIM} acme.yaml`)).stdout).toContain("12 to create")
  })

  test("where nobody can be asked, both ways are named", async () => {
    const { code, stderr, stdout } = await world.run(`quay-apply ${SIM} acme.yaml`)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toContain("quay-plan -o plan.json acme.yaml\n  quay-apply plan.json\n")
    expect(stderr).toContain("--yes")
  })

  test("on a terminal there is a region, with finished lines above it", async () => {
    const { stderr } = await world.run(`quay-apply --yes --color never ${SIM} acme.yaml`, { terminal: true })
    expect(stderr).toContain("✓ + team acme/dev")
    expect(stderr).toMatch(/█+░* {2}\d+\/12/)
    // What is drawn is taken away at the end.
    expect(stderr).toMatch(new RegExp(`${String.fromCharCode(27)}\\[J$`))
  })
})

describe("failures", () => {
  const failing: ReadonlyArray<readonly [string, string, number, ReadonlyArray<string | RegExp>]> = [
    [
      "no such file",
      `quay-plan ${SIM} nope.yaml`,
      1,
      ['nope.yaml: there is no file or directory "nope.yaml"', "1 mistake."]
    ],
    ["a glob that matches nothing", `quay-plan ${SIM} "x/*.yaml"`, 1, ["matches no YAML or JSON file"]],
    ["bad YAML", `quay-plan ${SIM} bad.yaml`, 1, [/^bad\.yaml:\d+:\d+: /]],
    [
      "mistakes",
      `quay-plan ${SIM} wrong.yaml`,
      1,
      [/^wrong\.yaml:3:\d+: .*"rol".*did you mean "role"\?/, "2 mistakes."]
    ],
    ["an unknown registry", "quay-plan --registry prod acme.yaml", 1, ['names no registry "prod"']],
    ["no registry", "quay-plan acme.yaml", 1, ["acme.yaml:1:1: nothing says which registry this is for", "--registry"]],
    [
      "no token file",
      `quay-plan ${SIM} --token-file nope acme.yaml`,
      1,
      ["The token in nope cannot be read: there is no such file"]
    ],
    ["an empty token file", `quay-plan ${SIM} --token-file empty acme.yaml`, 1, ["The file empty is empty"]],
    ["a wrong token", `quay-plan ${SIM} --token-file wrong acme.yaml`, 1, ["QUAY_TOKEN or --token-file"]],
    ["a registry file that is none", "quay-plan --registry sim:./acme.yaml acme.yaml", 1, ["acme.yaml: is not JSON"]],
    [
      "a plan that cannot be written",
      `quay-plan ${SIM} -o nope/plan.json acme.yaml`,
      1,
      ["The plan cannot be written to nope/plan.json"]
    ],
    [
      "events that cannot be written",
      `quay-plan ${SIM} --events nope/e acme.yaml`,
      1,
      ["The events cannot be written to nope/e"]
    ],
    ["settings that are not there", `quay-plan ${SIM} --settings nope.yaml acme.yaml`, 1, ["nope.yaml"]],
    ["a plan cut off", "quay-apply cut.json", 1, ["cut.json: The plan is not JSON", "quay-plan -o cut.json"]],
    [
      "a plan of another version",
      "quay-apply future.json",
      1,
      ['future.json: The plan has the format "quaymaster-plan/9"']
    ],
    [
      "a plan among files",
      "quay-apply future.json acme.yaml",
      64,
      ["future.json is a plan, and a plan is applied by itself"]
    ],
    ["an unknown flag", "quay-plan --bogus acme.yaml", 64, ["Unrecognized flag: --bogus", "Try  quay-plan --help"]],
    ["a flag's typing mistake", "quay-plan --regitsry x acme.yaml", 64, ["--registry"]],
    ["a bad time", `quay-plan ${SIM} --timeout soon acme.yaml`, 64, ["Expected a time such as 500ms, 30s or 2m"]],
    ["a bad number", `quay-plan ${SIM} --parallelism 0 acme.yaml`, 64, ["greater than 0"]],
    ["no files", "quay-plan", 64, ["quay-plan: Name organization files"]],
    ["an unknown subcommand", "quaymaster plna", 64, ["plna", "Try  quaymaster --help"]],
    ["no subcommand", "quaymaster", 64, ["SUBCOMMANDS"]]
  ]

  test.each(failing)("%s", async (_, line, code, words) => {
    await world.write("bad.yaml", "organization: [acme\n")
    await world.write("wrong.yaml", "organization: acme\nteams:\n  dev: { rol: member }\n  ops: { role: boss }\n")
    await world.write("empty", "\n")
    await world.write("wrong", "not-a-token\n")
    await world.write("cut.json", '{\n  "format": "quaymaster-plan/1",\n  "dig')
    await world.write("future.json", '{"targets": [], "format": "quaymaster-plan/9"}')
    const ended = await world.run(line)
    expect(ended.stdout).toBe("")
    for (const word of words) expect(ended.stderr).toMatch(word)
    expect(ended.stderr).not.toMatch(/^ {4}at /m)
    expect(ended.stderr).not.toContain("not-a-token")
    expect(ended.code).toBe(code)
  })

  test("a plan that was edited", async () => {
    await world.run(`quay-plan ${SIM} -o plan.json acme.yaml`)
    const file = join(world.folder, "plan.json")
    await writeFile(file, (await readFile(file, "utf8")).replace('"role": "member"', '"role": "admin"'))
    const { code, stderr, stdout } = await world.run("quay-apply plan.json")
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toContain("plan.json: The plan's operations are not the ones its digest was made of")
  })

  test("a plan of another registry", async () => {
    await world.run(`quay-plan ${SIM} -o plan.json acme.yaml`)
    const { code, stderr } = await world.run("quay-apply --registry sim:./other.json plan.json")
    expect(code).toBe(1)
    expect(stderr).toMatch(/The plan is for sim:.*quay\.json, and not for sim:\.\/other\.json\./)
    expect((await world.run(`quay-apply ${SIM} plan.json`)).code).toBe(0)
  })

  test("a stale plan names what has changed, and changes nothing", async () => {
    await world.run(`quay-apply --yes ${SIM} acme.yaml`)
    await world.write(
      "acme.yaml",
      ACME.replace("The product", "Our product").replace("ops: { role: admin }", "ops: { role: creator }")
    )
    await world.run(`quay-plan ${SIM} -o plan.json acme.yaml`)
    await world.edit((text) => text.replace('"description": "The product"', '"description": "by hand"'))
    const { code, stderr, stdout } = await world.run("quay-apply plan.json")
    expect(code).toBe(5)
    expect(stderr).toContain("is no longer as the plan found it. Nothing was changed.")
    expect(stderr).toContain('  ~ repository acme/app  it was changed to something else (description is "by hand"')
    expect(stdout).not.toContain("Applied")
    expect((await world.run(`quay-plan ${SIM} acme.yaml`)).stdout).toContain("role  admin → creator")
  })

  test("a folder where nothing can be written", async () => {
    await chmod(world.folder, 0o500)
    const { code, stderr } = await world.run(`quay-plan ${SIM} acme.yaml`)
    await chmod(world.folder, 0o700)
    // Root may write everywhere.
    if (process.getuid?.() !== 0) {
      expect(code).toBe(1)
      expect(stderr).toContain("cannot be written")
    }
  })
})

describe("interrupts", () => {
  test("the first lets finish what runs, reports, and ends with 130", async () => {
    const teams = Array.from({ length: 60 }, (_, i) => `  t${i}: { role: member }`).join("\n")
    await world.write("many.yaml", `organization: many\nteams:\n${teams}\n`)
    let pressed = false
    const { code, stderr, stdout } = await world.run(`quay-apply --yes --parallelism 2 ${SIM} many.yaml`, {
      onTalk: (text, interrupt) => {
        if (pressed || !text.includes("✓ + team")) return
        pressed = true
        interrupt()
      }
    })
    expect(code).toBe(130)
    expect(stderr).toMatch(/^Stopping/m)
    expect(stdout).toMatch(/Applied \d+ of 61 changes: \d+ created, \d+ not started\./)
    expect(stdout).toContain("Resume with  quay-apply --yes --parallelism 2 --registry sim:./quay.json many.yaml")
    const again = await world.run(`quay-apply --yes ${SIM} many.yaml`)
    expect(again.code).toBe(0)
  })

  test("a second one leaves at once; the same press, passed on by a runner, does not count", async () => {
    let time = 0
    let pressed = false
    const press = (pause: number) =>
      world.run(`quay-apply --yes ${SIM} acme.yaml`, {
        now: () => time,
        onTalk: (text, interrupt) => {
          if (pressed || !text.includes("✓")) return
          pressed = true
          interrupt()
          time += pause
          interrupt()
        }
      })
    expect((await press(10)).stderr).not.toContain("left")
    pressed = false
    await world.write("acme.yaml", ACME.replaceAll("acme", "beta"))
    expect((await press(1000)).stderr).toContain("left with 130")
  })

  test("while reading nothing is changed", async () => {
    const { code, stderr } = await world.run(`quay-plan -v --rps 1 ${SIM} acme.yaml`, {
      terminal: true,
      onTalk: (text, interrupt) => {
        if (text.includes("Reading")) interrupt()
      }
    })
    expect(stderr).toContain("Interrupted. Nothing was changed.")
    expect(code).toBe(130)
  })
})

describe("the other commands", () => {
  test("validate says what was checked", async () => {
    const { code, stdout } = await world.run(`quaymaster validate ${SIM} acme.yaml`)
    expect(code).toBe(0)
    expect(stdout).toMatch(/acme\.yaml\n {2}12 objects in \d+ collections\n\nValid\. 1 file for 1 registry\./)
    const json = await world.run(`quaymaster validate --json ${SIM} acme.yaml`)
    expect(JSON.parse(json.stdout)).toMatchObject({ targets: [{ objects: 12, files: ["acme.yaml"] }] })
  })

  test.each(["", "settings", "plan"])("schema %s is JSON Schema, the same each time", async (what) => {
    const { code, stdout } = await world.run(`quaymaster schema ${what}`)
    expect(code).toBe(0)
    const schema = JSON.parse(stdout)
    expect(schema.$schema).toContain("draft-07")
    // Documents of several kinds are alternatives.
    expect((schema.anyOf ?? [schema]).map((it: { type?: string }) => it.type)).toContain("object")
    expect((await world.run(`quaymaster schema ${what}`)).stdout).toBe(stdout)
  })

  test("a schema that there is not", async () => {
    const { code, stdout } = await world.run("quaymaster schema team")
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" })
  })

  test.each([
    ["quay-plan", "quay-plan"],
    ["quay-apply", "quay-apply"],
    ["quaymaster", "quaymaster"]
  ])("%s has help, a version and completions", async (name) => {
    const help = await world.run(`${name} --help`)
    expect(help).toMatchObject({ code: 0, stderr: "" })
    expect(help.stdout).toContain("USAGE")
    expect(help.stdout).toContain("EXAMPLES")
    expect(help.stdout).not.toContain("--wizard")
    expect(await world.run(`${name} --version`)).toEqual({ code: 0, stdout: `${name} 0.0.0\n`, stderr: "" })
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stdout } = await world.run(`${name} --completions ${shell}`)
      expect(code).toBe(0)
      expect(stdout).toContain(name)
      expect(stdout).toContain("registry")
    }
  })

  test("help documents the exit codes", async () => {
    const { stdout } = await world.run("quay-apply --help")
    for (const code of ["0 all applied", "1 error", "3 refused", "4 some applied", "5 the registry", "64", "130"])
      expect(stdout).toContain(code)
  })
})
