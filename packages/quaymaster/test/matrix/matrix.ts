// The fault matrix: every action of every kind, with everything that can go wrong at each of its requests. Either all is as if
// nothing had gone wrong, or the report is exactly true and the same plan, applied again, ends the work; and nothing is there
// twice. And plans: whatever goes wrong while reading, a plan is the right one or none. QUAYMASTER_MATRIX names the kinds to
// look at, with commas between.
import { type AnyOperation, indexKinds, isRecord } from "@quaymaster/engine"
import { comparable, registryState, simulatedOnly, simulatorTest } from "@quaymaster/testing"
import { afterAll, describe, expect, test } from "vitest"
import { type Kind, quayKinds } from "../../src/effect.ts"
import { type Drift, manyKinds, type Step, type Story, stories } from "./stories.ts"
import { type Case, endCases, fileCases, knownReadCases, readCases, writeCases } from "./troubles.ts"
import {
  type Applied,
  applied,
  type Moment,
  openWorld,
  type Plan,
  planned,
  type Standing,
  standings,
  type World
} from "./world.ts"

const TIMEOUT = 120_000
/** Thousands of errors are made, and nobody looks where. */
Error.stackTraceLimit = 0

/** All that the registry and the files hold. Of tokens in files it is told whether they are those that the registry has. */
const stateOf = ({ files, simulator }: World) => {
  const known = JSON.stringify(simulator.snapshot())
  const told = (text: string) =>
    text.replace(
      /^# (application-token:.+) (\S+)\n([\s\S]*)QUAY_TOKEN=(.+)$/m,
      (_, address: string, id: string, between: string, token: string) =>
        `${address} ${known.includes(id)}\n${between}${known.includes(token)}`
    )
  const texts = [...files].map(([path, text]) => [path, told(text)])
  return [registryState(simulator), comparable(Object.fromEntries(texts))]
}

const drifted = async ({ simulator }: World, drift: ReadonlyArray<Drift>): Promise<void> => {
  const token = simulator.addToken({ user: "me" })
  for (const { body = {}, method, path } of drift) {
    const answer = await simulator.fetch(`http://registry.invalid/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    expect(answer.ok, `${method} ${path}`).toBe(true)
  }
}

/** A plan, the registry that it was made for, and what applying it does when nothing goes wrong. */
interface Scene {
  readonly step: Step
  readonly before: World
  /** How the operations stood, and all that there was. */
  readonly then: ReadonlyMap<string, Standing>
  readonly held: unknown
  readonly plan: Plan
  readonly planning: ReadonlyArray<Moment>
  readonly applying: ReadonlyArray<Moment>
  readonly wanted: unknown
}

const good = new Set(["applied", "already", "by-registry"])

const operationsOf = (plan: Plan) => plan.targets.flatMap(({ operations }) => operations)

const scenesOf = async ({ given, simulator = {}, steps }: Story): Promise<ReadonlyArray<Scene>> => {
  const scenes: Array<Scene> = []
  const first: ReadonlyArray<Step> = given === undefined ? [] : [{ want: [given] }]
  let world = openWorld(simulator)
  for (const step of [...first, ...steps]) {
    await drifted(world, step.drift ?? [])
    const { moments: planning, plan } = await planned(world, step.want)
    const before = openWorld(simulator, world)
    world = openWorld(simulator, before)
    const outcome = await applied(world, plan)
    expect(failuresOf(outcome), "what was not done").toEqual([])
    expect(operationsOf((await planned(world, step.want)).plan), "the second plan").toEqual([])
    const [then, held] = [await standings(before, plan), stateOf(before)]
    scenes.push({ step, before, then, held, plan, planning, applying: outcome.moments, wanted: stateOf(world) })
  }
  return scenes.slice(first.length)
}

/** What an apply says of what it has not done. */
const failuresOf = (outcome: Applied): ReadonlyArray<unknown> =>
  outcome.state === "reported" ? outcome.report.results.filter(({ outcome }) => !good.has(outcome)) : [outcome]

const counts = { cases: 0, absorbed: 0, resumed: 0, refused: 0, plans: 0 }

/** What is wrong with how a case ended, if anything. */
const wrongs = async (
  story: Story,
  scene: Scene,
  at: Moment,
  trouble: Case,
  workers = 1
): Promise<ReadonlyArray<string>> => {
  counts.cases++
  const { before, held, plan, wanted } = scene
  const world = openWorld(story.simulator ?? {}, before)
  const controller = new AbortController()
  const fate = trouble.fate(at, () => controller.abort())
  const first = await applied(world, plan, { fate, stop: controller.signal, workers })
  const found: Array<string> = []
  const must = (condition: boolean, message: string) => {
    if (!condition) found.push(message)
  }
  const whole = first.state === "reported" && failuresOf(first).length === 0
  if (whole) counts.absorbed++
  if (trouble.dies) must(first.state === "dead", "it went on after its end")
  // What would be there twice if it were repeated in vain is left to the next apply.
  const patient = trouble.blind && at.write && operationsOf(plan).some(canDouble)
  if (trouble.absorbed && !patient)
    must(whole, `it should have made no difference: ${JSON.stringify(failuresOf(first))}`)
  if (first.state === "refused") {
    counts.refused++
    must(isClear(first.error), `an unclear error: ${String(first.error)}`)
    must(same(stateOf(world), held), "refused, and something was changed")
  }
  if (first.state === "reported") found.push(...(await untruths(world, scene, first.report.results, trouble)))
  if (!whole) {
    const second = await applied(world, plan)
    counts.resumed++
    must(failuresOf(second).length === 0, `not resumed: ${said(failuresOf(second)).replaceAll("\n", " ")}`)
  }
  const end = stateOf(world)
  if (!same(end, wanted)) found.push(`another state in the end: ${difference(wanted, end)}`)
  return found
}

const said = (failures: ReadonlyArray<unknown>): string =>
  failures
    .map((it) => (isRecord(it) && it["error"] instanceof Error ? it["error"].message : JSON.stringify(it)))
    .join("; ")

/** What a report says that is not so. */
const untruths = async (
  world: World,
  { plan, then }: Scene,
  results: ReadonlyArray<{
    readonly id: string
    readonly outcome: string
    readonly uncertain?: boolean
    readonly partly?: boolean
  }>,
  trouble: Case
): Promise<ReadonlyArray<string>> => {
  const operations = new Map(operationsOf(plan).map((operation) => [operation.id, operation]))
  if (
    !same(
      results.map(({ id }) => id),
      [...operations.keys()]
    )
  )
    return ["it does not tell of every operation"]
  const now = await standings(world, plan)
  return results.flatMap(({ id, outcome, partly, uncertain }) => {
    const [old, found, operation] = [then.get(id), now.get(id), operations.get(id)]
    const is = found?.state ?? "unknown"
    if (partly === true && same(old?.item, found?.item)) return [`${id} is called done in part, and nothing of it was`]
    if (uncertain === true) return trouble.blind ? [] : [`${id} is called uncertain, and could be looked up`]
    if (good.has(outcome))
      return is === "done" || sendsSecrets(operation) ? [] : [`${id} is called ${outcome}, and is ${is}`]
    // What the registry does by itself may be there before it is looked at.
    if (operation?.impliedBy !== undefined) return []
    if (is === "done") return [`${id} is called ${outcome}, and is done`]
    return outcome !== "failed" || partly === true || same(alone(old?.item), alone(found?.item))
      ? []
      : [`${id} is called ${outcome}, and something of it was done`]
  })
}

/** An object without what is told of others. */
const alone = (item: unknown): unknown => {
  if (!isRecord(item)) return item
  const { others: _, ...own } = item
  return own
}

/** Nothing ever shows that a secret was sent. */
const sendsSecrets = (operation: object | undefined): boolean => JSON.stringify(operation ?? {}).includes('"env"')

const same = (a: unknown, b: unknown): boolean => JSON.stringify(comparable(a)) === JSON.stringify(comparable(b))

const difference = (wanted: unknown, found: unknown): string => {
  const lines = (value: unknown) => JSON.stringify(value, null, 1).replaceAll("\\", "").split("\n")
  const [a, b] = [lines(wanted), lines(found)]
  const missing = a.filter((line) => !b.includes(line)).slice(0, 6)
  const more = b.filter((line) => !a.includes(line)).slice(0, 6)
  return JSON.stringify({ missing, more, counts: [a.length, b.length] })
}

const writesIn = (moments: ReadonlyArray<Moment>) => moments.filter(({ write }) => write).length

/**
 * What is wrong with plans that are applied a second time, beside what others have done elsewhere, or to any other state of
 * their story: a plan does what it says, finds it done, or is refused before anything is changed.
 */
const outOfTime = async (story: Story, scenes: ReadonlyArray<Scene>): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  const last = scenes.at(-1)
  const states = scenes.map(({ before }) => before)
  if (last !== undefined) {
    const end = openWorld(story.simulator ?? {}, last.before)
    await applied(end, last.plan)
    states.push(end)
  }
  for (const [j, { applying, plan, planning, wanted }] of scenes.entries()) {
    const must = (condition: boolean, message: string) => {
      if (!condition) found.push(`step ${j + 1}: ${message}`)
    }
    const asked = new Set(planning.map(({ what }) => what))
    // Until it is clear that the token is still whose it was.
    const rechecked = applying.slice(0, applying.findLastIndex(({ what }) => what === "GET /api/v1/user/") + 1)
    must(rechecked.length <= planning.length, "it is checked with more requests than it was planned with")
    for (const { what } of rechecked) must(asked.has(what), `it is checked by ${what}, which planning did not ask`)

    const [before] = states.slice(j)
    if (before === undefined) continue
    const twice = openWorld(story.simulator ?? {}, before)
    // What happens elsewhere makes no plan stale.
    await drifted(twice, [{ method: "POST", path: "organization/", body: { name: "elsewhere" } }])
    must(failuresOf(await applied(twice, plan)).length === 0, "a change elsewhere made it stale")
    const held = registryState(twice.simulator)
    const again = await applied(twice, plan)
    const secrets = operationsOf(plan).some(sendsSecrets)
    must(failuresOf(again).length === 0, `not applied twice: ${said(failuresOf(again))}`)
    must(secrets || writesIn(again.moments) === 0, "what was done already was written again")
    must(same(registryState(twice.simulator), held), "the second time changed something")

    for (const [k, state] of states.entries()) {
      const world = openWorld(story.simulator ?? {}, state)
      // Names of what was deleted come free in time.
      world.simulator.collect()
      const there = stateOf(world)
      const outcome = await applied(world, plan)
      if (outcome.state === "refused") {
        must(isRecord(outcome.error) && outcome.error["_tag"] === "PlanStale", `refused for ${String(outcome.error)}`)
        must(same(stateOf(world), there), `refused in state ${k + 1}, and something was changed`)
        const asLeft = k === j || (k === j + 1 && scenes[k]?.step.drift === undefined)
        must(!asLeft, `refused in state ${k + 1}: ${String(outcome.error)}`)
      } else {
        must(failuresOf(outcome).length === 0, `in state ${k + 1}: ${said(failuresOf(outcome))}`)
        const standing = await standings(world, plan)
        for (const operation of operationsOf(plan))
          must(
            standing.get(operation.id)?.state === "done" || sendsSecrets(operation),
            `in state ${k + 1} it was applied, and ${operation.id} is not done`
          )
      }
      if (k === j) must(same(stateOf(world), wanted), "another state in the end")
    }
  }
  return found
}

/** An error that a person can do something with: one of ours, with words. */
const isClear = (error: unknown): boolean =>
  error instanceof Error && "_tag" in error && typeof error._tag === "string" && error.message.length > 10

const kindsByName = indexKinds<Kind>(quayKinds)

const canDouble = (operation: AnyOperation): boolean =>
  operation.action !== "delete" && kindsByName.get(operation.kind)?.duplicates?.(operation.after) === true

/** The actions that a kind can be planned to do. */
const actionsOf = (kind: Kind): ReadonlyArray<string> => {
  const changing = Object.keys(kind.schema.properties).filter(
    (field) => !(kind.identity ?? []).includes(field) && !Object.keys(kind.fixed ?? {}).includes(field)
  )
  const replaced = kind.update === undefined && kind.delete !== undefined && changing.length > 0
  return [
    ...(kind.create === undefined ? [] : ["create"]),
    ...(kind.update === undefined ? [] : ["update"]),
    ...(replaced ? ["replace"] : []),
    ...(kind.delete === undefined ? [] : ["delete"])
  ]
}

const asked = new Set<string>()

/** All that can go wrong at a moment. Requests for the same that are no writes meet all of it once. */
const casesAt = ({ what, write }: Moment, how: "planned" | "applied"): ReadonlyArray<Case> => {
  if (write) return what.startsWith("write ") ? fileCases : writeCases
  const known = asked.has(`${how} ${what}`)
  asked.add(`${how} ${what}`)
  return known ? knownReadCases : readCases
}

const only = process.env["QUAYMASTER_MATRIX"]?.split(",")

/** Whether a kind is about a repository. The others have a file of tests of their own, so that both run side by side. */
export const isOfRepository = (kind: string): boolean => kind.startsWith("repository") || kind === "build-trigger"

export const faultMatrix = (about: string, chosen: (kind: string) => boolean) =>
  describe.skipIf(simulatedOnly)(simulatorTest(`the fault matrix of ${about}`), () => {
    afterAll(() => {
      const { absorbed, cases, plans, refused, resumed } = counts
      process.stdout.write(
        `fault matrix of ${about}: ${cases} applies, ${absorbed} as if nothing had gone wrong and ${resumed} resumed ` +
          `(${refused} had changed nothing), and ${plans} plans\n`
      )
    })

    for (const [name, list] of Object.entries(stories)) {
      if (!chosen(name) || only?.includes(name) === false) continue
      const scenes = list.map((story) => {
        let made: Promise<ReadonlyArray<Scene>> | undefined
        return { story, scenes: () => (made ??= scenesOf(story)) }
      })

      test(`${name}: every action has its case`, { timeout: TIMEOUT }, async () => {
        const planned = (await Promise.all(scenes.map(({ scenes }) => scenes()))).flat()
        const actions = planned.flatMap(({ plan }) =>
          operationsOf(plan).flatMap(({ action, kind }) => (kind === name ? [action] : []))
        )
        const kind = kindsByName.get(name)
        expect(kind).toBeDefined()
        if (kind !== undefined) expect([...new Set<string>(actions)].sort()).toEqual([...actionsOf(kind)].sort())
      })

      for (const [i, { scenes: made, story }] of scenes.entries())
        for (const j of story.steps.keys())
          test(`${name}, story ${i + 1}, step ${j + 1}: applied`, { timeout: TIMEOUT }, async () => {
            const scene = (await made())[j]
            if (scene === undefined) throw new Error("there is no such step")
            const found: Array<string> = []
            for (const at of scene.applying)
              for (const trouble of casesAt(at, "applied").filter(({ name }) => story.except?.includes(name) !== true))
                for (const wrong of await wrongs(story, scene, at, trouble))
                  found.push(`${trouble.name} at ${at.number} ${at.what}: ${wrong}`)
            expect(found).toEqual([])
          })

      test(`${name}: applied twice, and to what it was not made for`, { timeout: TIMEOUT }, async () => {
        const found: Array<string> = []
        for (const { scenes: made, story } of scenes) found.push(...(await outOfTime(story, await made())))
        expect(found).toEqual([])
      })

      for (const [i, { scenes: made, story }] of scenes.entries())
        for (const j of story.steps.keys())
          test(`${name}, story ${i + 1}, step ${j + 1}: planned`, { timeout: TIMEOUT }, async () => {
            const scene = (await made())[j]
            if (scene === undefined) throw new Error("there is no such step")
            const found: Array<string> = []
            for (const at of scene.planning)
              for (const trouble of casesAt(at, "planned")) {
                counts.plans++
                const outcome = await planned(
                  scene.before,
                  scene.step.want,
                  trouble.fate(at, () => {})
                ).catch((error: unknown) => ({ error }))
                const where = `${trouble.name} at ${at.number} ${at.what}`
                if ("error" in outcome) {
                  if (trouble.absorbed) found.push(`${where}: it should have made no difference: ${outcome.error}`)
                  if (!isClear(outcome.error)) found.push(`${where}: an unclear error: ${outcome.error}`)
                } else if (outcome.plan.digest !== scene.plan.digest) found.push(`${where}: another plan`)
              }
            expect(found).toEqual([])
          })
    }
  })

/** A plan of many kinds of which several operations are always under way, and that ends at each of its writes. */
export const manyKindsEnding = () =>
  describe.skipIf(simulatedOnly)(simulatorTest("a plan of many kinds"), () => {
    for (const [j, what] of ["is made", "changes and takes away"].entries())
      test(`that ${what}, interrupted or killed at each write`, { timeout: TIMEOUT }, async () => {
        const scene = (await scenesOf(manyKinds))[j]
        if (scene === undefined) throw new Error("there is no such step")
        const writes = scene.applying.filter(({ write }) => write)
        expect(writes.length).toBeGreaterThan(25)
        const found: Array<string> = []
        for (const at of writes)
          for (const trouble of endCases)
            for (const wrong of await wrongs(manyKinds, scene, at, trouble, 4))
              found.push(`${trouble.name} at ${at.number} ${at.what}: ${wrong}`)
        expect(found).toEqual([])
      })
  })
