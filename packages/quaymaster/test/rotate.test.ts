// A token that is made anew: what is told before, what is delivered, and what becomes of it when something goes wrong.
import { mkdirSync, rmSync } from "node:fs"
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inspect } from "node:util"
import type { FaultEffect } from "@quaymaster/simulator"
import { describe, expect } from "vitest"
import { type Event, type RotateOptions, rotateRobot } from "../src/index.ts"
import { rejection, type Scene, scene, simulated } from "./harness.ts"

const ACME = {
  teams: { dev: { members: { robots: ["ci"] } } },
  robots: { ci: { deliver: [{ docker_config: "./ci.json" }, { env_file: "ci.env" }] }, other: {} },
  repositories: { app: { permissions: { robots: { ci: "write" } } } }
}

const pathOf = ({ org }: Scene) => `/api/v1/organization/${org}/robots/ci`

const tokenOf = async (scene: Scene): Promise<string> => {
  const view: unknown = await (await scene.registry.request("GET", pathOf(scene))).json()
  if (typeof view !== "object" || view === null || !("token" in view)) throw new Error("the registry tells no token")
  return String(view.token)
}

/** The token that the files have, which is one. */
const delivered = async ({ directory, org }: Scene): Promise<string> => {
  const env = await readFile(join(directory, "ci.env"), "utf8")
  const token = /QUAY_PASSWORD=(.*)\n/.exec(env)?.[1] ?? ""
  expect(await readFile(join(directory, "ci.json"), "utf8")).toContain(btoa(`${org}+ci:${token}`))
  return token
}

const rotate = (scene: Scene, options: RotateOptions = {}, organization: object = ACME) =>
  rotateRobot(`${scene.org}/ci`, { ...scene.options, organizations: [scene.value(organization)], ...options })

const SINKS = [
  { type: "docker_config", file: "./ci.json" },
  { type: "env_file", file: "ci.env" }
]

scene("is told what it opens, and then made anew and delivered", async (made) => {
  await made.reach(ACME)
  const before = await tokenOf(made)
  const heard: Array<unknown> = []
  const confirm = async (rotation: unknown) => {
    heard.push(rotation)
    expect(await tokenOf(made)).toBe(before)
    return true
  }
  const report = await rotate(made, { confirm })
  const known = {
    robot: `${made.org}/ci`,
    url: made.registry.url,
    teams: ["dev"],
    repositories: ["app"],
    sinks: SINKS.map((it) => ({ ...it, state: "there" }))
  }
  expect(heard).toMatchObject([known])
  expect(report).toMatchObject({ ...known, outcome: "rotated", token: "answered", deliveries: SINKS })
  const after = await tokenOf(made)
  expect(after).not.toBe(before)
  expect(await delivered(made)).toBe(after)
  expect((await made.plan(ACME)).summary).toMatchObject({ create: 0, update: 0 })
})

scene("is delivered to files that are not there yet", async (made) => {
  await made.reach({ robots: { ci: {} } })
  const report = await rotate(made)
  expect(report.sinks.map(({ state }) => state)).toEqual(["missing", "missing"])
  expect(await delivered(made)).toBe(await tokenOf(made))
})

scene("is found in files, and in the sources of quaymaster.yaml", async (made) => {
  await made.reach({ robots: { ci: {} } })
  await made.file("acme.yaml", "organization: $org\nrobots: { ci: { deliver: [{ env_file: out/ci.env }] } }")
  expect((await rotateRobot(`${made.org}/ci`, { ...made.options, files: ["acme.yaml"] })).outcome).toBe("rotated")
  await made.file("quaymaster.yaml", "sources: [acme.yaml]")
  expect(await rotateRobot(`${made.org}+ci`, made.options)).toMatchObject({ outcome: "rotated", deliveries: [{}] })
  expect(await readFile(join(made.directory, "out/ci.env"), "utf8")).toContain(await tokenOf(made))
})

scene("is made anew without any file, if none is named", async (made) => {
  await made.reach(ACME)
  const before = await tokenOf(made)
  const report = await rotateRobot(`${made.org}/ci`, made.options)
  expect(report).toMatchObject({ outcome: "rotated", sinks: [], deliveries: [] })
  expect(await tokenOf(made)).not.toBe(before)
})

describe("stays as it is", () => {
  scene("if nobody agrees", async (made) => {
    await made.reach(ACME)
    const before = await tokenOf(made)
    await rm(join(made.directory, "ci.env"))
    const report = await rotate(made, { confirm: () => false })
    expect(report).toMatchObject({ outcome: "declined", deliveries: [] })
    expect(report.token).toBeUndefined()
    expect(await tokenOf(made)).toBe(before)
    expect(await readdir(made.directory)).toEqual(["ci.json"])
  })

  scene("if a file is somebody's", async (made) => {
    await made.reach(ACME)
    const before = await tokenOf(made)
    await writeFile(join(made.directory, "ci.env"), "mine\n")
    const error = await rejection(rotate(made))
    expect(error).toMatchObject({ _tag: "DeliveryFailed", file: "ci.env", message: expect.stringMatching(/is there/) })
    expect(await tokenOf(made)).toBe(before)
  })

  scene("if a file could not be written", async (made) => {
    const organization = { robots: { ci: { deliver: [{ env_file: "out/ci.env" }] } } }
    await made.reach(organization)
    const before = await tokenOf(made)
    const confirm = async () => {
      await rm(join(made.directory, "out"), { recursive: true })
      await writeFile(join(made.directory, "out"), "")
      return true
    }
    expect(await rejection(rotate(made, { confirm }, organization))).toMatchObject({
      _tag: "DeliveryFailed",
      message: expect.stringMatching(/^out\/ci\.env was not written: /)
    })
    expect(await tokenOf(made)).toBe(before)
  })

  scene("if it is stopped before", async (made) => {
    await made.reach(ACME)
    const before = await tokenOf(made)
    const controller = new AbortController()
    const confirm = () => {
      controller.abort(new Error("stopped"))
      return true
    }
    expect(await rejection(rotate(made, { confirm, signal: controller.signal }))).toMatchObject({ message: "stopped" })
    expect(await tokenOf(made)).toBe(before)
  })

  for (const [what, robot, organization, words] of [
    ["there is no such robot account", "$org/other", { robots: { other: {} } }, /no robot account \S+\/other on http/],
    ["there is no such organization", "$none/ci", { organization: "$none", robots: { ci: {} } }, /no robot account/],
    ["no file declares it", "$org/ci", { robots: {} }, /No file declares robot \S+\/ci/],
    ["it is no robot account's name", "ci", {}, /write ORGANIZATION\/ROBOT/]
  ] as const)
    scene(`if ${what}`, async (made) => {
      await made.reach({ robots: { ci: {} } })
      const options = { ...made.options, organizations: [made.value(organization)] }
      const error = await rejection(rotateRobot(made.real(robot), options))
      expect(error).toMatchObject({ _tag: "RotationFailed" })
      expect(String(error)).toMatch(words)
    })

  scene("if it is declared for two registries, and none is said", async (made) => {
    await made.reach({ robots: { ci: {} } })
    await made.file(
      "quaymaster.yaml",
      `registries: { prod: { url: "${made.registry.url}" }, dr: { url: "https://dr.example.com" } }`
    )
    await made.file("acme.yaml", "organization: $org\nregistries: [prod, dr]\nrobots: { ci: {} }")
    const { registry: _, ...options } = made.options
    const files = ["acme.yaml"]
    expect(String(await rejection(rotateRobot(`${made.org}/ci`, { ...options, files })))).toMatch(/for dr and prod/)
    const report = await rotateRobot(`${made.org}/ci`, { ...options, files, registry: "prod" })
    expect(report).toMatchObject({ outcome: "rotated", registry: "prod" })
  })

  simulated("if the token that asks is no administrator's", async (made) => {
    await made.reach(ACME)
    const before = await tokenOf(made)
    const token = made.simulator.addToken({ user: made.real("$alice") })
    expect(await rejection(rotate(made, { token }))).toBeInstanceOf(Error)
    expect(await tokenOf(made)).toBe(before)
  })
})

/** What happens on the way, by what the registry does. */
const LOST: ReadonlyArray<readonly [FaultEffect, done: boolean]> = [
  [{ kind: "drop", applied: true }, true],
  [{ kind: "server-error", applied: true }, true],
  [{ kind: "bad-gateway", applied: true }, true],
  [{ kind: "truncate" }, true],
  [{ kind: "garble" }, true],
  [{ kind: "drop" }, false],
  [{ kind: "server-error" }, false],
  [{ kind: "bad-gateway" }, false]
]

describe("an answer that is lost", () => {
  for (const [effect, done] of LOST)
    simulated(`${JSON.stringify(effect)}: the token is looked up, and asked for once`, async (made) => {
      await made.reach(ACME)
      const before = await tokenOf(made)
      made.simulator.faults.add({ on: "POST", times: 1, effect })
      made.simulator.requests.reset()
      const outcome = await rotate(made).catch((error: unknown) => error)
      const after = await tokenOf(made)
      if (done) {
        expect(outcome).toMatchObject({ outcome: "rotated", token: "seen" })
        expect(after).not.toBe(before)
      } else {
        expect(outcome).toMatchObject({ _tag: "RotationFailed", message: expect.stringMatching(/still the old one/) })
        expect(after).toBe(before)
      }
      expect(await delivered(made)).toBe(after)
      const posts = Object.entries(made.simulator.requests.all()).filter(([name]) => name.startsWith("POST"))
      expect(posts.map(([, count]) => count)).toEqual([1])
    })

  simulated("and cannot be looked up: it is said that nothing is known", async (made) => {
    await made.reach(ACME)
    const before = await delivered(made)
    made.simulator.faults.add({ on: "POST", times: 1, effect: { kind: "drop", applied: true } })
    made.simulator.faults.add({ on: `GET ${pathOf(made)}`, skip: 2, effect: { kind: "garble" } })
    const report = await rotate(made)
    expect(report).toMatchObject({ outcome: "partial", token: "unknown", deliveries: [] })
    expect(await delivered(made)).toBe(before)
    made.simulator.faults.clear()
    // What is declared is what heals it.
    expect((await made.reach(ACME)).summary).toMatchObject({ update: 2 })
    expect(await delivered(made)).toBe(await tokenOf(made))
  })

  simulated("too many requests are none that was done", async (made) => {
    await made.reach(ACME)
    made.simulator.faults.add({ on: "POST", times: 1, effect: { kind: "rate-limit", retryAfter: 0 } })
    expect(await rotate(made)).toMatchObject({ outcome: "rotated", token: "answered" })
    expect(await delivered(made)).toBe(await tokenOf(made))
  })
})

simulated("what is not delivered is said, and the rest is; a stop does not hold it up", async (made) => {
  await made.reach(ACME)
  const file = join(made.directory, "ci.json")
  const controller = new AbortController()
  const onEvent = (event: Event) => {
    if (event.type !== "request" || event.operation !== "regenerateOrgRobotToken") return
    controller.abort()
    rmSync(file)
    mkdirSync(file)
  }
  const report = await rotate(made, { onEvent, signal: controller.signal })
  expect(report).toMatchObject({
    outcome: "partial",
    token: "answered",
    deliveries: [{ ...SINKS[0], error: expect.stringMatching(/is a directory/) }, SINKS[1]]
  })
  expect(await readFile(join(made.directory, "ci.env"), "utf8")).toContain(await tokenOf(made))
})

simulated("nobody hears a token", async (made) => {
  await made.reach(ACME)
  const tokens = new Set([await tokenOf(made)])
  const said: Array<unknown> = []
  const listen: RotateOptions = {
    onEvent: (event) => said.push(event),
    confirm: (rotation) => said.push(rotation) > 0
  }
  const attempt = async () => {
    said.push(await rotate(made, listen).catch((error: unknown) => inspect(error, { depth: 20 })))
    tokens.add(await tokenOf(made))
  }
  await attempt()
  for (const [effect] of LOST) {
    made.simulator.faults.add({ on: "POST", times: 1, effect })
    await attempt()
  }
  await chmod(join(made.directory, "ci.env"), 0o644)
  await attempt()
  await writeFile(join(made.directory, "ci.env"), `QUAY_PASSWORD=${await tokenOf(made)}`)
  await attempt()
  expect(tokens.size).toBe(1 + 1 + 5 + 1)
  const heard = `${JSON.stringify(said)}${inspect(said, { depth: 20, maxArrayLength: null, maxStringLength: null })}`
  for (const token of tokens) {
    expect(heard).not.toContain(token)
    expect(heard).not.toContain(btoa(`${made.org}+ci:${token}`))
  }
})
