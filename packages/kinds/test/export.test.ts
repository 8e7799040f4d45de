// What sections write of what a registry has: that it reads as it was, and that nothing is said that goes without saying.
import type { Item, Kind } from "@quaymaster/engine"
import { describe, expect, test } from "vitest"
import { defaultPermission } from "../src/default-permission.ts"
import { quayKinds } from "../src/index.ts"
import { repository } from "../src/repository.ts"
import { repositoryPermission } from "../src/repository-permission.ts"
import { team } from "../src/team.ts"

interface Row {
  readonly kind: Kind
  readonly parent: string
  readonly items: ReadonlyArray<Item>
  readonly node: unknown
  /** What the node is read as, where it leaves out what goes without saying. Default: the items. */
  readonly said?: ReadonlyArray<Item>
}

const acme = { organization: "acme" }
const app = { repository: "acme/app" }

const rows: ReadonlyArray<Row> = [
  {
    kind: team,
    parent: "acme",
    items: [
      { ...acme, name: "dev", role: "member", description: "" },
      { ...acme, name: "ops", role: "admin", description: "Operators\nand others" }
    ],
    node: { dev: { role: "member" }, ops: { role: "admin", description: "Operators\nand others" } },
    said: [
      { ...acme, name: "dev", role: "member" },
      { ...acme, name: "ops", role: "admin", description: "Operators\nand others" }
    ]
  },
  { kind: team, parent: "acme", items: [{ ...acme, name: "dev" }], node: { dev: {} } },
  {
    kind: defaultPermission,
    parent: "acme",
    items: [
      { ...acme, role: "read", team: "dev", id: "1" },
      { ...acme, role: "write", robot: "ci", created_by: "alice", id: "2" },
      { ...acme, role: "admin", user: "bob", id: "3", duplicates: ["4"] }
    ],
    node: [
      { role: "read", team: "dev" },
      { role: "write", robot: "ci", created_by: "alice" },
      { role: "admin", user: "bob" }
    ],
    said: [
      { ...acme, role: "read", team: "dev" },
      { ...acme, role: "write", robot: "ci", created_by: "alice" },
      { ...acme, role: "admin", user: "bob" }
    ]
  },
  {
    kind: repositoryPermission,
    parent: "acme/app",
    items: [
      { ...app, user: "alice", role: "admin" },
      { ...app, user: "bob", role: "read" },
      { ...app, robot: "ci", role: "write" },
      { ...app, team: "dev", role: "read" }
    ],
    node: { users: { alice: "admin", bob: "read" }, robots: { ci: "write" }, teams: { dev: "read" } }
  },
  {
    kind: repositoryPermission,
    parent: "acme/app",
    items: [{ ...app, team: "dev", role: "read" }],
    node: { teams: { dev: "read" } }
  },
  { kind: repositoryPermission, parent: "acme/app", items: [], node: {} },
  {
    kind: repository,
    parent: "acme",
    items: [
      { ...acme, name: "app", description: "", visibility: "private" },
      { ...acme, name: "vendor/alpine", description: "# Alpine", visibility: "public" }
    ],
    node: { app: { visibility: "private" }, "vendor/alpine": { description: "# Alpine", visibility: "public" } },
    said: [
      { ...acme, name: "app", visibility: "private" },
      { ...acme, name: "vendor/alpine", description: "# Alpine", visibility: "public" }
    ]
  }
]

describe("what is written", () => {
  for (const { items, kind, node, parent, said = items } of rows)
    test(`of ${kind.kind}: ${JSON.stringify(node)}`, () => {
      const { read, write } = kind.section
      expect(write?.(items)).toEqual(node)
      expect(read(node, parent).map(({ item }) => item)).toEqual(said)
      // What was left out is nobody's loss: the same is written of it.
      expect(write?.(said)).toEqual(node)
    })

  test("parts that are written are owned, and no others", () => {
    const parts = (
      items: ReadonlyArray<{ readonly repository: string; readonly role: "read"; readonly team?: string }>
    ) => repositoryPermission.section.parts?.(repositoryPermission.section.write?.(items))
    expect(parts([{ ...app, team: "dev", role: "read" }])).toEqual(["teams"])
    expect(parts([])).toEqual([])
  })
})

test("every kind can be exported but those that are about something else than the registry", () => {
  const kinds: ReadonlyArray<Kind> = quayKinds
  expect(kinds.filter(({ section }) => section.write === undefined).map(({ kind }) => kind)).toEqual([
    // Where credentials are delivered to on this side.
    "robot-credential"
  ])
})
