/** What comes before what, as `packages/kinds/src/index.ts` draws it, held against what the kinds say of the objects of files. */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import type { Desired, Item, Kind, Ref, World } from "../../packages/engine/src/index.ts"
import { loadProject, type QuayKind, quayKinds } from "../../packages/quaymaster/src/effect.ts"

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url))

/** What the enterprise example leaves out of what a kind can refer to. */
const BESIDE = {
  organization: "beside",
  robots: { ci: {} },
  teams: { dev: {} },
  notifications: [
    { event: "quota_error", method: "quay_notification", config: { target: { kind: "team", name: "dev" } } }
  ],
  default_permissions: [
    { role: "read", user: "alice" },
    { role: "write", robot: "ci", created_by: "bob" }
  ]
}

const kinds: ReadonlyArray<Kind> = quayKinds
const world: World = { caller: "me", collection: () => [], found: () => undefined }

const VERBS = ["needs", "follows", "excludes", "makes"] as const

/** `repository-mirror needs robot`, of one object. */
const edgesOf = (kind: Kind, item: Item): ReadonlyArray<string> => {
  const told: { readonly [Verb in (typeof VERBS)[number]]: ReadonlyArray<{ readonly kind: string }> } = {
    // What it lives in is told by where it stands; that of several of one name the first is deleted last, by the key.
    needs: (kind.needs?.(item) ?? []).filter((ref: Ref) => ref.kind !== kind.section.under && ref.kind !== kind.kind),
    follows: (kind.follows?.(item) ?? []).filter((it) => it.kind !== kind.kind),
    excludes: kind.excludes?.(item) ?? [],
    makes: kind.implies?.(item, world) ?? []
  }
  return VERBS.flatMap((verb) => told[verb].map((it) => `${kind.kind} ${verb} ${it.kind}`))
}

const said = async (): Promise<ReadonlyArray<string>> => {
  const files = [path("examples/enterprise/orgs"), path("examples/enterprise/directory")]
  const options = { files, organizations: [BESIDE], registry: "sim:", env: {} }
  const { targets } = await loadProject<QuayKind>(quayKinds, options)
  return targets.flatMap(({ desired }) => {
    const declarations: Desired["declarations"] = desired.declarations
    return declarations.flatMap(({ item, kind: name }) => {
      const kind = kinds.find((it) => it.kind === name)
      return kind === undefined ? [] : edgesOf(kind, item)
    })
  })
}

interface Drawn {
  readonly places: ReadonlyArray<string>
  readonly edges: ReadonlyArray<string>
}

/** The lines of the diagram: how deep a kind stands, and what is said beside it. */
const drawn = async (): Promise<Drawn> => {
  const source = await readFile(path("packages/kinds/src/index.ts"), "utf8")
  const places: Array<string> = []
  const edges: Array<string> = []
  const above: Array<string> = []
  for (const [, indent = "", kind = "", rest = ""] of source.matchAll(/^ \* {3}([│ ├└─]*)([a-z-]+)(?: ·+ (.+))?$/gm)) {
    const depth = indent.length / 3
    above.splice(depth, above.length, kind)
    places.push(`${kind} in ${above[depth - 1] ?? "registry"}`)
    for (const part of rest.split("; ").filter((it) => it !== "")) {
      const [verb = "", ...names] = part.split(/,? /)
      edges.push(...names.map((name) => `${kind} ${verb} ${name}`))
    }
  }
  return { places, edges }
}

test("every kind is drawn where it lives", async () => {
  expect([...(await drawn()).places].sort()).toEqual(kinds.map((it) => `${it.kind} in ${it.section.under}`).sort())
})

test("what comes before what is drawn as the kinds say it", async () => {
  expect([...new Set((await drawn()).edges)].sort()).toEqual([...new Set(await said())].sort())
})
