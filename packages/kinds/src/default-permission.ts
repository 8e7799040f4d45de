/**
 * Default permissions (Quay calls them prototypes): what is granted on each repository at its creation. Quay knows no name
 * for one but a generated id, and lets the same rule be there twice; the rule for a grantee and a creator is one here.
 */
import { byText, type Entry, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import type { PrototypeView } from "@quaymaster/sdk"
import { type Static, type TProperties, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, prototypes, type ReadError } from "./answers.ts"
import { grantee, granteeFields, granteeKey, granteeNeeds, granteeUser } from "./grantee.ts"
import { item, RepositoryRole, RobotName, TeamName, UserName } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, orMissing, type Quay } from "./quay.ts"
import { userRef } from "./user.ts"
import { raised, unless } from "./widening.ts"

const schema = item({
  organization: Type.String(),
  ...granteeFields,
  created_by: Type.Optional(Type.String()),
  role: RepositoryRole,
  /** Quay's id, and those of further rules that say the same or contradict it. Never declared. */
  id: Type.Optional(Type.String()),
  duplicates: Type.Optional(Type.Array(Type.String()))
})

export type DefaultPermission = Static<typeof schema>

const rule = <Grantee extends TProperties>(to: Grantee) =>
  Type.Object({ role: RepositoryRole, ...to, created_by: Type.Optional(UserName) }, { additionalProperties: false })

const node = Type.Array(Type.Union([rule({ team: TeamName }), rule({ robot: RobotName }), rule({ user: UserName })]), {
  description: "What is granted on each repository when it is created. Rules that are not here are removed."
})

const fromView = (organization: string, view: PrototypeView): DefaultPermission => ({
  organization,
  role: view.role,
  ...grantee(organization, view.delegate.kind, view.delegate.name),
  ...(view.activating_user === null ? {} : { created_by: view.activating_user.name }),
  id: view.id
})

const key = (rule: DefaultPermission): string =>
  `${rule.organization}/${granteeKey(rule)}${rule.created_by === undefined ? "" : `/by:${rule.created_by}`}`

const change = (organization: string, id: string, role: DefaultPermission["role"]) =>
  ask((client, signal) =>
    client.PUT("/api/v1/organization/{orgname}/prototypes/{prototypeid}", {
      params: { path: { orgname: organization, prototypeid: id } },
      body: { role },
      signal
    })
  )

const remove = (organization: string, id: string) =>
  orMissing(
    ask((client, signal) =>
      client.DELETE("/api/v1/organization/{orgname}/prototypes/{prototypeid}", {
        params: { path: { orgname: organization, prototypeid: id } },
        signal
      })
    )
  )

export const defaultPermission: Kind<"default-permission", typeof schema, ReadError, Quay> = {
  kind: "default-permission",
  scopes: ["org:admin"],
  schema,
  // Quay's ids are never compared: a rule made anew, or with fewer duplicates, is the same rule.
  identity: ["organization", "user", "robot", "team", "created_by", "id", "duplicates"],
  key,
  collection: ({ organization }) => ({ parent: organization }),
  needs: (rule) => [
    organizationRef(rule.organization),
    ...granteeNeeds(rule.organization, rule),
    ...(rule.created_by === undefined ? [] : [userRef(rule.created_by)])
  ],
  consults: ({ parent }) => [
    { kind: "robot", parent },
    { kind: "team", parent }
  ],
  extras: "remove",
  narrows: unless({ role: raised("read", "write", "admin") }),
  // A file wants none; what was read and is to be deleted has the ones it has.
  diff: (before, after) =>
    before.duplicates === undefined || after.duplicates !== undefined
      ? []
      : [{ field: "duplicates", before: "several rules", after: "one rule" }],
  section: section({
    under: "organization",
    name: "default_permissions",
    node,
    read: (rules, organization): ReadonlyArray<Entry<DefaultPermission>> =>
      rules.map((rule, i) => ({ item: { organization, ...rule }, path: [i] })),
    write: (items) =>
      items.flatMap(({ created_by, robot, role, team, user }): Static<typeof node> => {
        const creator = created_by === undefined ? {} : { created_by }
        if (team !== undefined) return [{ role, team, ...creator }]
        if (robot !== undefined) return [{ role, robot, ...creator }]
        return user === undefined ? [] : [{ role, user, ...creator }]
      })
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(
        collections,
        ({ parent }) =>
          Effect.gen(function* () {
            if ((yield* organizationView(parent)) === undefined) return []
            const views = yield* prototypes(parent)
            return together(views.map((view) => fromView(parent, view)))
          }),
        { concurrency: "unbounded" }
      ),
      (lists) => lists.flat()
    ),
  duplicates: () => true,
  surplus: (made, found) =>
    found.flatMap(({ id: _first, ...it }) => (key(it) === key(made) && it.duplicates !== undefined ? [it] : [])),
  create: (after) => {
    const { created_by, organization, role, team } = after
    const delegate: { readonly kind: "user" | "team"; readonly name: string } =
      team === undefined ? { kind: "user", name: granteeUser(organization, after) } : { kind: "team", name: team }
    const body = { role, delegate, ...(created_by === undefined ? {} : { activating_user: { name: created_by } }) }
    return Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/prototypes", {
          params: { path: { orgname: organization } },
          body,
          signal
        })
      )
    )
  },
  update: (after, before) =>
    Effect.gen(function* () {
      if (before.id !== undefined && before.role !== after.role)
        yield* change(after.organization, before.id, after.role)
      for (const id of before.duplicates ?? []) yield* remove(after.organization, id)
    }),
  delete: (before) =>
    Effect.gen(function* () {
      // The one that was read as the rule goes last, so that what is left of a deletion that breaks off is still that rule.
      const ids = [...(before.duplicates ?? []), ...(before.id === undefined ? [] : [before.id])]
      for (const id of ids) yield* remove(before.organization, id)
    })
}

/** Rules for the same grantee and creator as one, the others as its duplicates; the same one whatever their order. */
const together = (rules: ReadonlyArray<DefaultPermission>): ReadonlyArray<DefaultPermission> => {
  const first = new Map<string, DefaultPermission>()
  for (const rule of [...rules].sort((a, b) => byText(a.id ?? "", b.id ?? ""))) {
    const known = first.get(key(rule))
    const duplicates = [...(known?.duplicates ?? []), ...(rule.id === undefined ? [] : [rule.id])]
    first.set(key(rule), known === undefined ? rule : { ...known, duplicates })
  }
  return [...first.values()]
}
