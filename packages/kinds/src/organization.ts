/**
 * Organizations: that one exists, its contact address, and how long deleted tags can be brought back.
 * An organization is never deleted because a file is silent about it.
 */
import { documentSection } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError } from "./answers.ts"
import { parseDuration } from "./duration.ts"
import { item, OrganizationName } from "./names.ts"
import { ask, once, type Quay } from "./quay.ts"

const schema = item({
  name: Type.String(),
  email: Type.Optional(Type.String()),
  tag_expiration_s: Type.Optional(Type.Integer({ minimum: 0 }))
})

export type Organization = Static<typeof schema>

export const organizationRef = (name: string) => ({ kind: "organization", key: name, parent: name, cascades: true })

const change = (orgname: string, body: { readonly email?: string; readonly tag_expiration_s?: number }) =>
  ask((client, signal) => client.PUT("/api/v1/organization/{orgname}", { params: { path: { orgname } }, body, signal }))

export const organization: Kind<"organization", typeof schema, ReadError, Quay> = {
  kind: "organization",
  schema,
  identity: ["name"],
  key: ({ name }) => name,
  // Each organization is a collection of its own, so that others on the registry are nobody's extras.
  collection: ({ name }) => ({ parent: name }),
  implies: ({ name }, { caller }) => [
    { kind: "team", item: { organization: name, name: "owners", role: "admin", description: "" } },
    ...(caller === undefined
      ? []
      : [{ kind: "team-member", item: { organization: name, team: "owners", name: caller } }])
  ],
  extras: "keep",
  destroys: "data",
  setAfterwards: ["tag_expiration_s"],
  section: documentSection({
    name: "organization",
    description: "An organization and what it shall have. A part that is left out is neither read nor touched.",
    fields: {
      organization: OrganizationName,
      email: Type.Optional(
        Type.String({
          pattern: "^[^@\\s]+@[^@\\s]+$",
          "x-rule": "an e-mail address",
          description: "The contact address."
        })
      ),
      tag_expiration: Type.Optional(
        Type.String({
          pattern: "^[0-9]+[smhdw]$",
          "x-rule": "a number and a unit: 0s, 1d, 2w",
          description: "How long deleted or overwritten tags can be brought back (time machine): `2w`."
        })
      )
    },
    read: (node) => ({
      name: node.organization,
      ...(node.email === undefined ? {} : { email: node.email }),
      ...(node.tag_expiration === undefined ? {} : { tag_expiration_s: parseDuration(node.tag_expiration) })
    })
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(collections, ({ parent }) => organizationView(parent), { concurrency: "unbounded" }),
      (views) =>
        views.flatMap((view): ReadonlyArray<Organization> => {
          if (view === undefined) return []
          const { email, name, tag_expiration_s } = view
          return [{ name, email, ...(tag_expiration_s === undefined ? {} : { tag_expiration_s }) }]
        })
    ),
  create: ({ email, name, tag_expiration_s }) =>
    Effect.gen(function* () {
      const body = { name, ...(email === undefined ? {} : { email }) }
      yield* once((client, signal) => client.POST("/api/v1/organization/", { body, signal }))
      if (tag_expiration_s !== undefined) yield* change(name, { tag_expiration_s })
    }),
  update: ({ email, name, tag_expiration_s }, _before, changes) => {
    const fields = new Set(changes.map((it) => it.field))
    return Effect.asVoid(
      change(name, {
        ...(fields.has("email") && email !== undefined ? { email } : {}),
        ...(fields.has("tag_expiration_s") && tag_expiration_s !== undefined ? { tag_expiration_s } : {})
      })
    )
  }
}
