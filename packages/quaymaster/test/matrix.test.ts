// What a registry does not offer is told in the plan: every kind on every release, and with features switched off. A plan is
// either applied whole, and the next one is empty, or it is refused with the feature or the release that is missing. Nothing
// fails in the apply.
import type { Kind } from "@quaymaster/engine"
import { quayKinds } from "@quaymaster/kinds"
import { DEFAULT_FEATURES } from "@quaymaster/simulator"
import { simulatedOnly, simulatorTest } from "@quaymaster/testing"
import { expect, test } from "vitest"
import { type Document, type Documents, everything } from "./organizations.ts"
import { applied, desiredOf, idsOf, planned, undone, World, type WorldOptions } from "./world.ts"

const ORGANIZATION = "acme"
const RELEASES = ["3.7", "3.10", "3.12", "3.15", "3.18"]

type Fields = { readonly [key: string]: unknown }
const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}

const kinds: ReadonlyArray<Kind> = quayKinds
const ROOT = "organization"
const sectionsUnder = (kind: string): ReadonlyArray<string> =>
  kinds.filter(({ section }) => section.under === kind).map(({ section }) => section.name)

const without = (value: Fields, keys: ReadonlyArray<string>): Fields =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))

const bare = (value: unknown): Fields => Object.fromEntries(Object.keys(fields(value)).map((name) => [name, {}]))

/** Of a whole document, what concerns one kind, with the names that it may refer to. */
const about = ({ kind, section: { name, under } }: Kind, document: Document): Fields | undefined => {
  const own = sectionsUnder(ROOT)
  const names = {
    organization: document["organization"],
    ...("teams" in document ? { teams: bare(document["teams"]) } : {}),
    robots: bare(document["robots"])
  }
  if (under === "registry") {
    if (!(name in document)) return undefined
    return kind === ROOT ? without(document, [...own, "repository_rules"]) : document
  }
  if (!(ROOT in document)) return undefined
  if (under === ROOT) {
    if (!(name in document)) return undefined
    const within = sectionsUnder(kind)
    const said = document[name]
    if (within.length === 0) return { ...names, [name]: said }
    const entries = Object.entries(fields(said)).map(([key, entry]) => [key, without(fields(entry), within)])
    return { ...names, [name]: Object.fromEntries(entries) }
  }
  const holder = kinds.find((it) => it.kind === under)?.section.name ?? ""
  const entries = Object.entries(fields(document[holder])).map(([key, entry]) => {
    const said = fields(entry)[name]
    return [key, said === undefined ? {} : { [name]: said }] as const
  })
  return entries.every(([, entry]) => Object.keys(entry).length === 0)
    ? undefined
    : { ...names, [holder]: Object.fromEntries(entries) }
}

/** What not every release knows, or a feature of its own decides about. */
const DEMANDING = ["timeout", "architecture_filter", "tag_expiration", "tag_pattern", "tag_pattern_matches"]

/** The same document without that, as far as something is left. */
const modest = (value: unknown, place = ""): unknown => {
  if (Array.isArray(value))
    return value.filter((it) => fields(it)["event"] !== "repo_image_expiry").map((it) => modest(it, place))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !DEMANDING.includes(key) || place === "immutability")
      .map(([key, it]) => [key, modest(it, key)])
  )
}

interface Subject {
  readonly kind: string
  readonly documents: Documents
  readonly directory: boolean
}

/** For each kind, documents about it alone: with all that can be said, and with what goes without saying. */
const subjects: ReadonlyArray<Subject> = kinds.flatMap((kind) => {
  const found = [false, true].flatMap((directory) =>
    everything(ORGANIZATION, { directory, mailing: false }).flatMap((document) => {
      const own = about(kind, document)
      return own === undefined ? [] : [{ kind: kind.kind, documents: [own], directory }]
    })
  )
  const whole = found.filter(({ documents }) => {
    const { declarations, scope } = desiredOf(documents)
    return [...declarations, ...scope].some((it) => it.kind === kind.kind)
  })
  const first = whole.filter(
    ({ documents }, i) => whole.findIndex((it) => JSON.stringify(it.documents) === JSON.stringify(documents)) === i
  )
  return first.flatMap((subject) => {
    const less = subject.documents.map((it) => fields(modest(it)))
    return JSON.stringify(less) === JSON.stringify(subject.documents)
      ? [subject]
      : [subject, { ...subject, documents: less }]
  })
})

interface Cell extends Subject {
  readonly where: string
  readonly world: WorldOptions
}

/** Words that tell somebody what is missing. */
const PRECISE =
  /FEATURE_[A-Z_]+|Quay 3\.\d+|(org|repo|user):(admin|create|read)|super:user|superuser|AUTHENTICATION_TYPE|TAG_EXPIRATION_OPTIONS/

/** What is wrong with how a cell ends, if anything. */
const fault = async ({ directory, documents, world: options }: Cell): Promise<string | undefined> => {
  const world = new World({ ...options, registry: { directory, mailing: false } })
  const outcome = await planned(world, documents).then(
    (plan) => ({ plan }),
    (error: unknown) => ({ error })
  )
  if ("error" in outcome) return PRECISE.test(String(outcome.error)) ? undefined : `refused: ${String(outcome.error)}`
  const failed = undone(await applied(world, outcome.plan))
  if (failed.length > 0) return `failed: ${failed.map(({ error, id }) => `${id}: ${error ?? ""}`).join("; ")}`
  const left = idsOf(await planned(world, documents))
  return left.length === 0 ? undefined : `left: ${left.join(", ")}`
}

const faults = async (cells: ReadonlyArray<Cell>): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const cell of cells) {
    const wrong = await fault(cell).catch((error: unknown) => `broke off: ${String(error)}`)
    if (wrong !== undefined) found.push(`${cell.kind} ${cell.where}: ${wrong} (${JSON.stringify(cell.documents)})`)
  }
  return found
}

/** Features that some kind says it needs, and those that decide who may do what. */
const DECISIVE = new Set([
  ...[...JSON.stringify(kinds.map(({ requires }) => requires)).matchAll(/"(?:feature|tellsOf)":"(\w+)"/g)].map(
    ([, flag = ""]) => flag
  ),
  "EXTENDED_REPOSITORY_NAMES",
  "NONSUPERUSER_TEAM_SYNCING_SETUP",
  "SUPERUSERS_FULL_ACCESS",
  "SUPERUSERS_ORG_CREATION_ONLY",
  "SUPER_USERS"
])

/** Features that are on where everything is. The others are no matter of any kind, so all kinds are tried at once. */
const FLAGS = [...Object.entries(DEFAULT_FEATURES).flatMap(([name, on]) => (on ? [name] : [])), "SIGNING"]

const all: ReadonlyArray<Subject> = [false, true].map((directory) => ({
  kind: "everything",
  documents: everything(ORGANIZATION, { directory, mailing: false }),
  directory
}))

const releases: ReadonlyArray<Cell> = RELEASES.flatMap((version) =>
  subjects.map((subject) => ({ ...subject, where: `on ${version}`, world: { version } }))
)

const features: ReadonlyArray<Cell> = FLAGS.flatMap((flag) =>
  (DECISIVE.has(flag) ? subjects : all).map((subject) => ({
    ...subject,
    where: `without ${flag}`,
    world: { features: { [flag]: false } }
  }))
)

const matrix = (name: string, cells: ReadonlyArray<Cell>): void =>
  test.skipIf(simulatedOnly)(
    simulatorTest(`${name}: ${cells.length} cells`),
    async () => {
      expect(await faults(cells)).toEqual([])
    },
    300_000
  )

test("every kind is in the matrix", () => {
  expect(kinds.map(({ kind }) => kind).filter((name) => !subjects.some(({ kind }) => kind === name))).toEqual([])
})

matrix("on every release", releases)
matrix("with each feature switched off", features)
