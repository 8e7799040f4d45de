/** What is planned for what: each rule of the planner on the smallest registry and file that show it. */
import { type TObject, Type } from "@sinclair/typebox"
import { describe, expect, it } from "vitest"
import {
  type Actual,
  type AnyOperation,
  type Declaration,
  type Desired,
  type Found,
  type Kind,
  type Owned,
  PlanRefused,
  planTarget,
  type TargetPlan
} from "../src/index.ts"
import { target } from "./arbitrary.ts"
import {
  application,
  badge,
  CALLER,
  declare,
  defaultPermission,
  found,
  grant,
  kinds,
  member,
  mirror,
  organization,
  permission,
  repository,
  robot,
  team
} from "./world.ts"

interface Given {
  readonly declared?: ReadonlyArray<Declaration>
  readonly there?: ReadonlyArray<Found>
  readonly scope?: ReadonlyArray<Owned>
  /** What was read; all of the scope if it is not said. */
  readonly read?: Actual["read"]
}

const plan = ({ declared = [], read, scope = [], there = [] }: Given): TargetPlan => {
  const desired: Desired = { declarations: declared, scope }
  return planTarget(kinds, target, desired, { found: there, read: read ?? scope, caller: CALLER })
}

/** Each operation with what it needs: `create:team:acme/dev < create:organization:acme`. */
const lines = (operations: ReadonlyArray<AnyOperation>): ReadonlyArray<string> =>
  operations.map(({ id, needs }) => (needs.length === 0 ? id : `${id} < ${needs.join(", ")}`))

const refusal = (run: () => unknown): ReadonlyArray<string> => {
  try {
    run()
  } catch (error) {
    if (error instanceof PlanRefused)
      return error.problems.map((it) => (it.source === undefined ? it.message : `${it.source}: ${it.message}`))
    throw error
  }
  return []
}

const only = <A>(list: ReadonlyArray<A>): A => {
  const [first] = list
  if (list.length !== 1 || first === undefined) throw new Error(`one is expected, ${list.length} are there`)
  return first
}

const acme = { organization: "acme" }
const org = found(organization, { name: "acme" })
const orgDeclared = declare(organization, { name: "acme" })
const owns = (kind: string, parent = "acme", more: Omit<Owned, "kind" | "parent"> = {}): Owned => ({
  kind,
  parent,
  ...more
})
const dev = { ...acme, name: "dev" }
const ci = { ...acme, name: "ci" }
const app = { ...acme, name: "app" }

describe("the operations", () => {
  it.each<{ name: string; given: Given; want: ReadonlyArray<string> }>([
    { name: "are none for nothing", given: {}, want: [] },
    {
      name: "create what is declared and not there",
      given: { declared: [declare(team, dev)], there: [org] },
      want: ["create:team:acme/dev"]
    },
    {
      name: "create after what is needed",
      given: {
        declared: [
          declare(member, { ...acme, team: "dev", subject: "robot", name: "ci" }),
          declare(robot, ci),
          declare(team, dev)
        ],
        there: [org]
      },
      want: [
        "create:member:acme/dev/robot:ci < create:robot:acme/ci, create:team:acme/dev",
        "create:robot:acme/ci",
        "create:team:acme/dev"
      ]
    },
    {
      name: "update what differs",
      given: {
        declared: [declare(team, { ...dev, role: "admin" })],
        there: [org, found(team, { ...dev, role: "member", description: "d" })]
      },
      want: ["update:team:acme/dev"]
    },
    {
      name: "update after the creation of what is newly needed",
      given: {
        declared: [declare(mirror, { ...acme, repository: "app", robot: "ci" }), declare(robot, ci)],
        there: [org, found(repository, app), found(mirror, { ...acme, repository: "app" })]
      },
      want: ["create:robot:acme/ci", "update:mirror:acme/app < create:robot:acme/ci"]
    },
    {
      name: "delete access that is not declared",
      given: {
        scope: [owns("default-permission")],
        there: [org, found(defaultPermission, { ...acme, subject: "user", name: "alice" })]
      },
      want: ["delete:default-permission:acme/user:alice"]
    },
    {
      name: "delete nothing outside the scope",
      given: { there: [org, found(defaultPermission, { ...acme, subject: "user", name: "alice" })] },
      want: []
    },
    {
      name: "delete nothing in another share of a collection",
      given: {
        scope: [owns("member", "acme/dev", { part: "robots" })],
        there: [org, found(team, dev), found(member, { ...acme, team: "dev", subject: "user", name: "alice" })]
      },
      want: []
    },
    {
      name: "delete nothing from a collection that was not read",
      given: {
        scope: [owns("default-permission")],
        read: [],
        there: [org, found(defaultPermission, { ...acme, subject: "user", name: "alice" })]
      },
      want: []
    },
    {
      name: "delete from a share if the whole collection was read",
      given: {
        scope: [owns("member", "acme/dev", { part: "users" })],
        read: [{ kind: "member", parent: "acme/dev" }],
        there: [org, found(team, dev), found(member, { ...acme, team: "dev", subject: "user", name: "alice" })]
      },
      want: ["delete:member:acme/dev/user:alice"]
    },
    {
      name: "leave alone what nobody need declare",
      given: {
        scope: [owns("team", "acme", { prune: true })],
        there: [org, found(team, { ...acme, name: "owners", role: "admin" })]
      },
      want: []
    },
    {
      name: "manage what nobody need declare where it is declared",
      given: {
        declared: [declare(team, { ...acme, name: "owners", description: "us" })],
        there: [org, found(team, { ...acme, name: "owners" })]
      },
      want: ["update:team:acme/owners"]
    },
    {
      name: "keep a team that nobody declares",
      given: { scope: [owns("team")], there: [org, found(team, dev)] },
      want: []
    },
    {
      name: "delete it where the collection is pruned",
      given: { scope: [owns("team", "acme", { prune: true })], there: [org, found(team, dev)] },
      want: ["delete:team:acme/dev"]
    },
    {
      name: "prune what any file prunes, whichever comes first",
      given: {
        scope: [owns("team"), owns("team", "acme", { prune: true }), owns("team")],
        there: [org, found(team, dev)]
      },
      want: ["delete:team:acme/dev"]
    },
    {
      name: "never delete what the registry cannot",
      given: { scope: [owns("badge", "acme", { prune: true })], there: [org, found(badge, { ...acme, name: "gold" })] },
      want: []
    },
    {
      name: "replace what the registry cannot change",
      given: {
        declared: [declare(application, { ...app, url: "v" })],
        there: [org, found(application, { ...app, url: "u" })]
      },
      want: ["replace:application:acme/app"]
    },
    {
      name: "delete after the update that lets go",
      given: {
        declared: [
          declare(mirror, { ...acme, repository: "app", robot: "new" }),
          declare(robot, { ...acme, name: "new" })
        ],
        scope: [owns("robot", "acme", { prune: true })],
        there: [
          org,
          found(repository, app),
          found(robot, ci),
          found(robot, { ...acme, name: "new" }),
          found(mirror, { ...acme, repository: "app", robot: "ci" })
        ]
      },
      want: ["delete:robot:acme/ci < update:mirror:acme/app", "update:mirror:acme/app"]
    },
    {
      name: "delete after the deletion of what needs it",
      given: {
        scope: [owns("robot", "acme", { prune: true }), owns("mirror", "acme/app")],
        there: [
          org,
          found(repository, app),
          found(robot, ci),
          found(mirror, { ...acme, repository: "app", robot: "ci" })
        ]
      },
      want: ["delete:mirror:acme/app", "delete:robot:acme/ci < delete:mirror:acme/app"]
    },
    {
      name: "delete after what takes along what needs it",
      given: {
        scope: [owns("robot", "acme", { prune: true }), owns("repository", "acme", { prune: true })],
        there: [
          org,
          found(repository, app),
          found(robot, ci),
          found(mirror, { ...acme, repository: "app", robot: "ci" })
        ]
      },
      want: ["delete:repository:acme/app", "delete:robot:acme/ci < delete:repository:acme/app"]
    },
    {
      name: "grant before they revoke",
      given: {
        declared: [declare(permission, { ...acme, repository: "app", subject: "user", name: "bob", role: "read" })],
        scope: [owns("permission", "acme/app", { part: "users" })],
        there: [
          org,
          found(repository, app),
          found(permission, { ...acme, repository: "app", subject: "user", name: "alice", role: "read" })
        ]
      },
      want: [
        "create:permission:acme/app/user:bob",
        "delete:permission:acme/app/user:alice < create:permission:acme/app/user:bob"
      ]
    },
    {
      name: "create after all that is planned for what they follow",
      given: {
        declared: [
          declare(repository, app),
          declare(defaultPermission, { ...acme, subject: "user", name: "alice", role: "read" })
        ],
        scope: [owns("default-permission")],
        there: [
          org,
          found(defaultPermission, { ...acme, subject: "user", name: "alice", role: "write" }),
          found(defaultPermission, { ...acme, subject: "user", name: "bob" })
        ]
      },
      want: [
        "create:repository:acme/app < delete:default-permission:acme/user:bob, update:default-permission:acme/user:alice",
        "delete:default-permission:acme/user:bob",
        "update:default-permission:acme/user:alice"
      ]
    }
  ])("$name", ({ given, want }) => {
    expect(lines(plan(given).operations)).toEqual(want)
  })

  const people = (role: "read" | "write", ...names: ReadonlyArray<string>) =>
    names.map((name) => ({ ...acme, repository: "app", subject: "user" as const, name, role }))

  it("wait at a gate where several wait for the same several", () => {
    const { gates, operations } = plan({
      declared: [declare(repository, app), ...people("read", "carol", "dave").map((it) => declare(permission, it))],
      scope: [owns("permission", "acme/app", { part: "users" })],
      there: [org, found(repository, app), ...people("read", "alice", "bob").map((it) => found(permission, it))]
    })
    expect(lines(operations)).toEqual([
      "create:permission:acme/app/user:carol",
      "create:permission:acme/app/user:dave",
      "delete:permission:acme/app/user:alice < given:permission@acme/app#users",
      "delete:permission:acme/app/user:bob < given:permission@acme/app#users"
    ])
    expect(gates).toEqual([
      {
        id: "given:permission@acme/app#users",
        needs: ["create:permission:acme/app/user:carol", "create:permission:acme/app/user:dave"]
      }
    ])
  })

  it("wait at no gate that they do not share", () => {
    const { gates } = plan({
      declared: [declare(repository, app), ...people("read", "carol", "dave").map((it) => declare(permission, it))],
      scope: [owns("permission", "acme/app", { part: "users" })],
      there: [org, found(repository, app), ...people("read", "alice").map((it) => found(permission, it))]
    })
    expect(gates).toBeUndefined()
  })

  it("are put in order by no more edges than there are operations, however many wait for how many", () => {
    const names = (prefix: string) => Array.from({ length: 200 }, (_, i) => `${prefix}${i}`)
    const { gates = [], operations } = plan({
      declared: [
        ...names("new").map((name) => declare(permission, { ...acme, repository: "app", subject: "user", name })),
        ...names("u").map((name) => declare(defaultPermission, { ...acme, subject: "user", name })),
        ...names("r").map((name) => declare(repository, { ...acme, name }))
      ],
      scope: [owns("permission", "acme/app", { part: "users" }), owns("default-permission")],
      there: [
        org,
        found(repository, app),
        ...names("old").map((name) => found(permission, { ...acme, repository: "app", subject: "user", name }))
      ]
    })
    expect(operations).toHaveLength(800)
    expect(gates.map(({ id, needs }) => [id, needs.length])).toEqual([
      ["done:default-permission@acme", 200],
      ["given:permission@acme/app#users", 200]
    ])
    const edges = [...operations, ...gates].reduce((sum, { needs }) => sum + needs.length, 0)
    expect(edges).toBe(800)
  })

  it("say all that is known of what they do", () => {
    const { operations } = plan({
      declared: [
        declare(team, { ...dev, role: "admin" }, "acme.yaml:3"),
        declare(application, { ...app, url: "v" }, "acme.yaml:9"),
        declare(robot, ci)
      ],
      scope: [owns("repository", "acme", { prune: true })],
      there: [
        org,
        found(team, { ...dev, role: "member" }),
        found(application, { ...app, url: "u" }),
        found(repository, app),
        found(permission, { ...acme, repository: "app", subject: "team", name: "dev", role: "read" })
      ]
    })
    expect(operations).toEqual([
      { id: "create:robot:acme/ci", action: "create", kind: "robot", key: "acme/ci", after: ci, needs: [] },
      {
        id: "delete:repository:acme/app",
        action: "delete",
        kind: "repository",
        key: "acme/app",
        before: app,
        cascades: ["permission:acme/app/team:dev"],
        needs: [],
        reason: "not in the file",
        destroys: "data"
      },
      {
        id: "replace:application:acme/app",
        action: "replace",
        kind: "application",
        key: "acme/app",
        before: { ...app, url: "u" },
        after: { ...app, url: "v" },
        changes: [{ field: "url", before: "u", after: "v" }],
        cascades: [],
        needs: [],
        destroys: "credential",
        source: "acme.yaml:9"
      },
      {
        id: "update:team:acme/dev",
        action: "update",
        kind: "team",
        key: "acme/dev",
        before: { ...dev, role: "member" },
        after: { ...dev, role: "admin" },
        changes: [{ field: "role", before: "member", after: "admin" }],
        needs: [],
        source: "acme.yaml:3"
      }
    ])
  })
})

describe("what the registry does by itself", () => {
  const alice = { ...acme, subject: "user", name: "alice" } as const
  const granted = { ...alice, repository: "app" } as const
  const there = [org, found(defaultPermission, { ...alice, role: "read" })]
  const scope = [owns("permission", "acme/app", { part: "users" })]

  it("is awaited where it is as wanted", () => {
    const { operations } = plan({
      declared: [declare(repository, app), declare(permission, { ...granted, role: "read" })],
      scope,
      there
    })
    expect(lines(operations)).toEqual([
      "create:permission:acme/app/user:alice < create:repository:acme/app",
      "create:repository:acme/app"
    ])
    expect(operations[0]).toMatchObject({
      impliedBy: "create:repository:acme/app",
      reason: "made by the registry itself"
    })
  })

  it("is put right where it differs", () => {
    const { operations } = plan({
      declared: [declare(repository, app), declare(permission, { ...granted, role: "write" })],
      scope,
      there
    })
    expect(operations[0]).toMatchObject({
      action: "create",
      after: { role: "write" },
      impliedBy: "create:repository:acme/app",
      reason: "made by the registry itself, but differently"
    })
  })

  it("is taken away where it is not declared, after what is declared is given", () => {
    const bob = declare(permission, { ...granted, name: "bob", role: "read" })
    const { operations } = plan({ declared: [declare(repository, app), bob], scope, there })
    expect(lines(operations)).toEqual([
      "create:permission:acme/app/user:bob < create:repository:acme/app",
      "create:repository:acme/app",
      "delete:permission:acme/app/user:alice < create:permission:acme/app/user:bob, create:repository:acme/app"
    ])
    expect(operations[2]).toMatchObject({
      impliedBy: "create:repository:acme/app",
      before: { ...granted, role: "read" }
    })
  })

  describe("of something that is there", () => {
    // The mirror lets its robot write, unless that may do more.
    const mayBe = (role: "read" | "write" | "admin") => ({
      ...acme,
      repository: "app",
      subject: "robot" as const,
      name: "ci",
      role
    })
    const id = "permission:acme/app/robot:ci"
    const made = (options: {
      readonly is?: "read" | "write" | "admin"
      readonly want?: "read" | "write" | "admin"
      readonly mirrored?: boolean
    }) => {
      const { is, mirrored = false, want } = options
      const { operations, unchanged } = plan({
        declared: [
          declare(mirror, { ...acme, repository: "app", robot: "ci" }),
          ...(want === undefined ? [] : [declare(permission, mayBe(want))])
        ],
        scope: [owns("permission", "acme/app", { part: "robots" })],
        there: [
          ...there,
          found(robot, ci),
          found(repository, app),
          ...(is === undefined ? [] : [found(permission, mayBe(is))]),
          ...(mirrored ? [found(mirror, { ...acme, repository: "app", robot: "other" })] : [])
        ]
      })
      return { operation: operations.find((it) => it.id.endsWith(id)), unchanged }
    }

    it("is put right after that, whether it was as wanted or not", () => {
      expect(made({ is: "read", want: "read" })).toEqual({
        operation: {
          id: `update:${id}`,
          action: "update",
          kind: "permission",
          key: "acme/app/robot:ci",
          before: mayBe("write"),
          after: mayBe("read"),
          changes: [{ field: "role", before: "write", after: "read" }],
          needs: ["create:mirror:acme/app"],
          impliedBy: "create:mirror:acme/app",
          reason: "changed by the registry itself"
        },
        unchanged: 0
      })
      expect(made({ is: "admin", want: "read" }).operation).toMatchObject({
        changes: [{ field: "role", before: "admin", after: "read" }],
        impliedBy: "create:mirror:acme/app",
        reason: "changed by the registry itself"
      })
    })

    it("is nothing to do where it ends as wanted, and told where it was not so before", () => {
      expect(made({ is: "admin", want: "admin" })).toEqual({ operation: undefined, unchanged: 1 })
      expect(made({ is: "read", want: "write" }).operation).toMatchObject({
        impliedBy: "create:mirror:acme/app",
        reason: "made by the registry itself"
      })
    })

    it("is taken away after that where no file declares it", () => {
      expect(made({ is: "read" }).operation).toMatchObject({
        id: `delete:${id}`,
        before: mayBe("write"),
        was: mayBe("read"),
        needs: ["create:mirror:acme/app"],
        impliedBy: "create:mirror:acme/app"
      })
    })

    it("follows from a change, too, where the kind says so", () => {
      expect(made({ mirrored: true }).operation).toMatchObject({
        id: `delete:${id}`,
        before: mayBe("write"),
        impliedBy: "update:mirror:acme/app"
      })
      expect(made({ mirrored: true, is: "read", want: "read" }).operation).toMatchObject({
        changes: [{ field: "role", before: "write", after: "read" }],
        impliedBy: "update:mirror:acme/app"
      })
    })
  })

  it("is decided by the last of those that make it, each after what it needs", () => {
    const { operations } = plan({
      declared: [
        declare(repository, app),
        declare(robot, ci),
        declare(mirror, { ...acme, repository: "app", robot: "ci" })
      ],
      scope: [owns("permission", "acme/app", { part: "robots" })],
      there: [org, found(defaultPermission, { ...acme, subject: "robot", name: "ci", role: "admin" })]
    })
    expect(operations.find((it) => it.action === "delete")).toMatchObject({
      before: { name: "ci", role: "admin" },
      impliedBy: "create:mirror:acme/app"
    })
  })

  it("is left where nobody owns it", () => {
    expect(lines(plan({ declared: [declare(repository, app)], there }).operations)).toEqual([
      "create:repository:acme/app"
    ])
  })

  it("is foreseen from what will be, not from what was", () => {
    const { operations } = plan({
      declared: [
        declare(repository, app),
        declare(defaultPermission, { ...alice, role: "write" }),
        declare(permission, { ...granted, role: "write" })
      ],
      scope: [...scope, owns("default-permission")],
      there: [...there, found(defaultPermission, { ...acme, subject: "user", name: "gone" })]
    })
    expect(operations.find((it) => it.kind === "permission")).toMatchObject({ reason: "made by the registry itself" })
    expect(operations.filter((it) => it.id.includes("permission:acme/app/user:gone"))).toEqual([])
  })

  it("is foreseen with the fields that are not declared as they are", () => {
    const { operations } = plan({
      declared: [
        declare(repository, app),
        declare(defaultPermission, alice),
        declare(permission, { ...granted, role: "read" })
      ],
      scope,
      there
    })
    expect(operations.find((it) => it.kind === "permission")).toMatchObject({ reason: "made by the registry itself" })
  })

  it("is foreseen without what goes along with a deletion", () => {
    const { operations } = plan({
      declared: [declare(repository, app)],
      scope: [owns("robot", "acme", { prune: true }), owns("permission", "acme/app", { part: "robots" })],
      there: [org, found(robot, ci), found(defaultPermission, { ...acme, subject: "robot", name: "ci", role: "read" })]
    })
    expect(lines(operations)).toEqual(["create:repository:acme/app", "delete:robot:acme/ci"])
  })

  it("is taken away once, after the replacement that would make it again", () => {
    const welcoming: Kind = {
      ...application,
      implies: () => [{ kind: "default-permission", item: { ...alice, role: "read" } }]
    }
    const { operations } = planTarget(
      [organization, defaultPermission, welcoming],
      target,
      { declarations: [declare(application, { ...app, url: "v" })], scope: [owns("default-permission")] },
      { found: [...there, found(application, { ...app, url: "u" })], read: [owns("default-permission")] }
    )
    expect(lines(operations)).toEqual([
      "delete:default-permission:acme/user:alice < replace:application:acme/app",
      "replace:application:acme/app"
    ])
  })

  it("comes before what needs it, although no file declares it", () => {
    const { operations } = plan({
      declared: [orgDeclared, declare(member, { ...acme, team: "owners", subject: "user", name: "bob" })]
    })
    expect(lines(operations)).toEqual([
      "create:member:acme/owners/user:bob < create:organization:acme",
      "create:organization:acme"
    ])
  })
})

describe("what goes along", () => {
  const shop = { ...acme, name: "shop" }
  const note = { ...acme, application: "shop", scope: "repo" }

  it("is folded into the topmost deletion", () => {
    const { operations } = plan({
      scope: [
        { ...owns("organization"), prune: true },
        owns("team", "acme", { prune: true }),
        owns("member", "acme/dev", { part: "users" })
      ],
      there: [
        org,
        found(team, dev),
        found(member, { ...acme, team: "dev", subject: "user", name: "alice" }),
        found(robot, ci)
      ]
    })
    const operation = only(operations)
    expect(operation.id).toBe("delete:organization:acme")
    expect(operation).toMatchObject({
      cascades: ["member:acme/dev/user:alice", "robot:acme/ci", "team:acme/dev"],
      destroys: "data"
    })
  })

  it("is folded into the topmost deletion in whatever order the names come", () => {
    const { operations } = plan({
      scope: [owns("robot", "acme", { prune: true }), owns("application", "acme", { prune: true })],
      there: [org, found(robot, ci), found(application, { ...shop, robot: "ci" }), found(grant, note)]
    })
    expect(only(operations)).toMatchObject({
      id: "delete:robot:acme/ci",
      cascades: ["application:acme/shop", "grant:acme/shop/repo"]
    })
  })

  it("is no extra that is kept", () => {
    const { extras } = plan({
      scope: [{ ...owns("organization"), prune: true }, owns("robot")],
      there: [org, found(robot, ci)]
    })
    expect(extras).toEqual([])
  })

  it("with a replacement is made again where it is declared", () => {
    const { operations } = plan({
      declared: [declare(application, { ...shop, url: "v" }), declare(grant, note)],
      there: [
        org,
        found(application, { ...shop, url: "u" }),
        found(grant, note),
        found(grant, { ...note, scope: "user" })
      ]
    })
    expect(lines(operations)).toEqual([
      "create:grant:acme/shop/repo < replace:application:acme/shop",
      "replace:application:acme/shop"
    ])
    expect(operations).toMatchObject([
      { impliedBy: "replace:application:acme/shop", reason: "lost with application:acme/shop, and made again" },
      { cascades: ["grant:acme/shop/repo", "grant:acme/shop/user"] }
    ])
  })

  it("with a replacement is made again as declared, even what could not change", () => {
    const { operations, stuck } = plan({
      declared: [declare(application, { ...shop, url: "v" }), declare(grant, { ...note, note: "new" })],
      there: [org, found(application, { ...shop, url: "u" }), found(grant, { ...note, note: "old" })]
    })
    expect(stuck).toEqual([])
    expect(operations[0]).toMatchObject({ id: "create:grant:acme/shop/repo", after: { note: "new" } })
  })

  it("with a replacement by a field that is not declared is made again after it", () => {
    const tenant: Kind = {
      ...application,
      kind: "tenant",
      update: () => {},
      needs: ({ owner }) =>
        owner === undefined
          ? []
          : [{ kind: "application", key: `acme/${String(owner)}`, parent: "acme", cascades: true }],
      schema: Type.Object({ name: Type.String() })
    }
    const { operations } = planTarget(
      [...kinds, tenant],
      target,
      {
        declarations: [declare(application, { ...shop, url: "v" }), { kind: "tenant", item: { ...acme, name: "t" } }],
        scope: []
      },
      {
        found: [
          org,
          found(application, { ...shop, url: "u" }),
          { kind: "tenant", item: { ...acme, name: "t", owner: "shop" } }
        ],
        read: []
      }
    )
    expect(lines(operations)).toEqual([
      "create:tenant:acme/t < replace:application:acme/shop",
      "replace:application:acme/shop"
    ])
  })
})

describe("what cannot be done", () => {
  it("is told of a field that never changes, and the others are changed", () => {
    const fixed: Kind = { ...team, fixed: { description: "its members" } }
    const { operations, stuck, unchanged } = planTarget(
      [organization, fixed],
      target,
      { declarations: [declare(team, { ...dev, role: "admin", description: "new" }, "acme.yaml:3")], scope: [] },
      { found: [org, found(team, { ...dev, role: "member", description: "old" })], read: [] }
    )
    expect(only(operations)).toMatchObject({
      action: "update",
      changes: [{ field: "role", before: "member", after: "admin" }]
    })
    expect(stuck).toEqual([
      {
        kind: "team",
        key: "acme/dev",
        changes: [{ field: "description", before: "old", after: "new" }],
        reason: "description cannot change after creation: its members",
        source: "acme.yaml:3"
      }
    ])
    expect(unchanged).toBe(0)
  })

  it("is told of everything that differs where a fixed field forbids the replacement", () => {
    const fixed: Kind = { ...application, fixed: { robot: "its tokens" } }
    const { operations, stuck } = planTarget(
      [organization, robot, fixed],
      target,
      { declarations: [declare(application, { ...app, url: "v", robot: "ci" })], scope: [] },
      { found: [org, found(robot, ci), found(application, { ...app, url: "u" })], read: [] }
    )
    expect(operations).toEqual([])
    expect(stuck).toMatchObject([{ changes: [{ field: "robot" }, { field: "url" }] }])
    expect(only(stuck).reason).toMatch(/^robot cannot change after creation: its tokens; the registry offers no way/)
  })

  it("is told where the registry can neither change nor replace", () => {
    const { operations, stuck } = plan({
      declared: [declare(badge, { ...app, color: "red" })],
      there: [org, found(badge, { ...app, color: "green" })]
    })
    expect(operations).toEqual([])
    expect(stuck).toMatchObject([{ key: "acme/app", reason: "the registry offers no way to change or to replace it" }])
  })

  it("is told of what is missing and cannot be created, and of what needs it", () => {
    const { create: _, ...given } = application
    const kinds: ReadonlyArray<Kind> = [organization, badge, { ...given, madeElsewhere: "ask at the counter" }]
    const shop = declare(application, { ...app, url: "u" }, "acme.yaml:4")
    const there: Actual = { found: [org], read: [] }
    const { operations, stuck, unchanged } = planTarget(kinds, target, { declarations: [shop], scope: [] }, there)
    expect([operations, unchanged]).toEqual([[], 0])
    expect(stuck).toEqual([
      { kind: "application", key: "acme/app", changes: [], reason: "ask at the counter", source: "acme.yaml:4" }
    ])
    const gold = declare(badge, { ...acme, name: "gold", application: "app" })
    expect(refusal(() => planTarget(kinds, target, { declarations: [shop, gold], scope: [] }, there))).toEqual([
      "badge acme/gold needs application acme/app, which is not there, and cannot be created here."
    ])
  })

  it("is told of a replacement of what something that stays still needs", () => {
    const { operations, stuck } = plan({
      declared: [declare(application, { ...app, url: "v" })],
      there: [
        org,
        found(application, { ...app, url: "u" }),
        found(badge, { ...acme, name: "gold", application: "app" })
      ]
    })
    expect(operations).toEqual([])
    expect(stuck).toMatchObject([
      { key: "acme/app", reason: "the registry offers no way to change it, and badge:acme/gold needs it" }
    ])
  })
})

describe("the extras", () => {
  it.each<{ name: string; given: Given; want: ReadonlyArray<{ kind: string; key: string; reason: string }> }>([
    {
      name: "are told with why they stay",
      given: {
        scope: [owns("robot"), owns("badge", "acme", { prune: true })],
        there: [org, found(robot, ci), found(badge, { ...acme, name: "gold" })]
      },
      want: [
        { kind: "badge", key: "acme/gold", reason: "not in the file; the registry offers no way to delete it" },
        { kind: "robot", key: "acme/ci", reason: "not in the file; kept unless the file prunes it" }
      ]
    },
    {
      name: "have what was not read whole",
      given: { scope: [owns("robot", "acme", { prune: true })], read: [], there: [org, found(robot, ci)] },
      want: [
        { kind: "robot", key: "acme/ci", reason: "not in the file; kept because its collection was not read whole" }
      ]
    },
    {
      name: "have what something outside the scope still needs",
      given: {
        scope: [owns("robot", "acme", { prune: true })],
        there: [
          org,
          found(repository, app),
          found(robot, ci),
          found(mirror, { ...acme, repository: "app", robot: "ci" })
        ]
      },
      want: [{ kind: "robot", key: "acme/ci", reason: "not in the file; kept because mirror:acme/app needs it" }]
    },
    {
      name: "have what a declared object still needs by a field that is not declared",
      given: {
        declared: [declare(mirror, { ...acme, repository: "app", source: "t" })],
        scope: [owns("robot", "acme", { prune: true })],
        there: [
          org,
          found(repository, app),
          found(robot, ci),
          found(mirror, { ...acme, repository: "app", source: "s", robot: "ci" })
        ]
      },
      want: [{ kind: "robot", key: "acme/ci", reason: "not in the file; kept because mirror:acme/app needs it" }]
    },
    {
      name: "have no object twice",
      given: { scope: [owns("robot")], there: [org, found(robot, ci), found(robot, ci)] },
      want: [{ kind: "robot", key: "acme/ci", reason: "not in the file; kept unless the file prunes it" }]
    }
  ])("$name", ({ given, want }) => {
    expect(plan(given).extras).toEqual(want)
  })

  it("are counted among what exists, and what is as declared among what is unchanged", () => {
    const { scope, unchanged } = plan({
      declared: [declare(team, dev)],
      scope: [owns("team"), owns("robot")],
      there: [org, found(team, dev), found(team, { ...acme, name: "ops" })]
    })
    expect(scope).toEqual([
      { kind: "robot", parent: "acme", existing: 0 },
      { kind: "team", parent: "acme", existing: 2 }
    ])
    expect(unchanged).toBe(1)
  })
})

describe("a plan is refused", () => {
  it("for all that is wrong at once, with where", () => {
    const broken: Declaration = { kind: "nonsense", item: {}, source: "acme.yaml:1" }
    expect(
      refusal(() =>
        plan({
          declared: [
            broken,
            declare(team, dev, "acme.yaml:2"),
            declare(team, { ...dev, role: "admin" }, "acme.yaml:3"),
            declare(member, { ...acme, team: "nobody", subject: "user", name: "alice" }, "acme.yaml:4"),
            declare(permission, { ...acme, repository: "app", subject: "robot", name: "ci" }, "acme.yaml:5")
          ],
          scope: [owns("robot", "acme", { prune: true }), owns("widget"), owns("team")],
          there: [org, found(repository, app), found(robot, ci)]
        })
      )
    ).toEqual([
      'acme.yaml:1: There is no kind named "nonsense".',
      "acme.yaml:3: team acme/dev is declared twice, first at acme.yaml:2.",
      'There is no kind named "widget".',
      "acme.yaml:4: member acme/nobody/user:alice needs team acme/nobody, which is neither declared nor there.",
      "acme.yaml:5: permission acme/app/robot:ci needs robot acme/ci, which this plan deletes."
    ])
  })

  it("for what a deletion would take along although it is declared", () => {
    expect(
      refusal(() =>
        plan({
          declared: [declare(application, app, "acme.yaml:7")],
          scope: [owns("robot", "acme", { prune: true })],
          there: [org, found(robot, ci), found(application, { ...app, robot: "ci" })]
        })
      )
    ).toEqual(["acme.yaml:7: application acme/app would be lost with robot:acme/ci, which this plan deletes."])
  })

  it("not for what is needed from a collection that nobody has read", () => {
    expect(plan({ declared: [declare(team, dev)] }).operations).toHaveLength(1)
  })

  it("for objects that need each other", () => {
    const knot: Kind = {
      ...badge,
      kind: "knot",
      needs: ({ other }) => [{ kind: "knot", key: `acme/${String(other)}`, parent: "acme" }]
    }
    const item = (name: string, other: string) => ({ kind: "knot", item: { ...acme, name, other } })
    const run =
      (...declarations: ReadonlyArray<Declaration>) =>
      () =>
        planTarget([knot], target, { declarations, scope: [] }, { found: [], read: [] })
    expect(refusal(run(item("b", "a"), item("a", "b")))).toEqual([
      "These operations need each other: create:knot:acme/a → create:knot:acme/b → create:knot:acme/a."
    ])
    expect(refusal(run(item("a", "a")))).toEqual([
      "These operations need each other: create:knot:acme/a → create:knot:acme/a."
    ])
  })

  it("for what its kind does not understand, instead of leaving it out", () => {
    const strict: TObject = Type.Object(
      { organization: Type.String(), name: Type.String() },
      { additionalProperties: false }
    )
    const own: Kind = { ...robot, fixed: {}, schema: strict }
    expect(
      refusal(() =>
        planTarget(
          [organization, own],
          target,
          { declarations: [], scope: [owns("robot", "acme", { prune: true })] },
          { found: [org, { kind: "robot", item: { ...ci, surprise: 1 } }], read: [owns("robot")] }
        )
      )
    ).toEqual(['robot acme/ci is not what the kind "robot" says it is.'])
  })
})
