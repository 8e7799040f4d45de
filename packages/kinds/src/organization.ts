/**
 * Organizations: that one exists, its addresses, and how long deleted tags can be brought back. An organization is never
 * deleted because a file is silent about it, only where one says `state: absent`.
 */
import { documentSection } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import type { OrganizationView } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError } from "./answers.ts"
import { formatDuration, parseDuration } from "./duration.ts"
import { item, OrganizationName } from "./names.ts"
import { ask, once, orMissing, type Quay } from "./quay.ts"
import type { Right } from "./rights.ts"
import { grown, unless } from "./widening.ts"

const schema = item({
  name: Type.String(),
  /** Empty for none; so is the invoices' address. */
  email: Type.Optional(Type.String()),
  tag_expiration_s: Type.Optional(Type.Integer({ minimum: 0 })),
  invoice_email: Type.Optional(Type.Boolean()),
  invoice_email_address: Type.Optional(Type.String()),
  /** The name that it had. */
  renamed_from: Type.Optional(Type.String()),
  /** Where a file says `renamed_from`: only the old name is there, or both are. Never declared. */
  names: Type.Optional(Type.Union([Type.Literal("old"), Type.Literal("both")]))
})

export type Organization = Static<typeof schema>

export const organizationRef = (name: string) => ({ kind: "organization", key: name, parent: name, cascades: true })

const address = (description: string) =>
  Type.String({ pattern: "^(?:[^@\\s]+@[^@\\s]+)?$", "x-rule": 'an e-mail address, or "" for none', description })

const fields = {
  organization: OrganizationName,
  state: Type.Optional(
    Type.Literal("absent", {
      description:
        "The organization shall not be there: it is deleted with all that is in it. Nothing else may be said of it."
    })
  ),
  renamed_from: Type.Optional(
    Type.String({
      ...OrganizationName,
      description: "The name that the organization had: it is renamed, with all that is in it. Only superusers may."
    })
  ),
  email: Type.Optional(address("The contact address.")),
  tag_expiration: Type.Optional(
    Type.String({
      pattern: "^[0-9]+[smhdw]$",
      "x-rule": "a number and a unit: 0s, 1d, 2w",
      description: "How long deleted or overwritten tags can be brought back (time machine): `2w`."
    })
  ),
  invoice_email: Type.Optional(Type.Boolean({ description: "Whether invoices are sent by mail." })),
  invoice_email_address: Type.Optional(address("Where invoices are sent to."))
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

const fromView = (view: OrganizationView): Organization => ({
  name: view.name,
  // Before 3.18 an organization without an address has a text in its place that is no address.
  email: UUID.test(view.email) ? "" : view.email,
  ...(view.tag_expiration_s === undefined ? {} : { tag_expiration_s: view.tag_expiration_s }),
  ...(view.invoice_email === undefined ? {} : { invoice_email: view.invoice_email }),
  ...(view.invoice_email_address === undefined ? {} : { invoice_email_address: view.invoice_email_address ?? "" })
})

/** The organization under a name, or under the one it had. The other name is looked at, whoever's it is. */
const found = (name: string, old: string | undefined): Effect.Effect<ReadonlyArray<Organization>, ReadError, Quay> =>
  Effect.gen(function* () {
    const view = yield* organizationView(name)
    if (old === undefined) return view === undefined ? [] : [fromView(view)]
    if (view === undefined) {
      const former = yield* organizationView(old)
      return former === undefined ? [] : [{ ...fromView(former), name, renamed_from: old, names: "old" as const }]
    }
    const other = yield* orMissing(
      ask((client, signal) =>
        client.GET("/api/v1/organization/{orgname}", { params: { path: { orgname: old } }, signal })
      )
    )
    return [{ ...fromView(view), renamed_from: old, ...(other === undefined ? {} : { names: "both" as const }) }]
  })

type Details = Pick<Organization, "email" | "tag_expiration_s" | "invoice_email" | "invoice_email_address">

/** Quay takes the address under a second name from 3.18 on, and heeds that one first; older releases do not look at it. */
const emails = (email: string | undefined) => (email === undefined ? {} : { email, contact_email: email })

const change = (orgname: string, { email, ...details }: Details) =>
  Object.values({ email, ...details }).every((value) => value === undefined)
    ? Effect.void
    : Effect.asVoid(
        ask((client, signal) =>
          client.PUT("/api/v1/organization/{orgname}", {
            params: { path: { orgname } },
            body: { ...emails(email), ...details },
            signal
          })
        )
      )

export const organization: Kind<"organization", typeof schema, ReadError, Quay> = {
  kind: "organization",
  scopes: ["org:admin", "user:admin to create", "super:user to create, where only superusers may, and to rename"],
  schema,
  // What it was named is no difference of its own: `names` tells whether there is one.
  identity: ["name", "renamed_from", "names"],
  key: ({ name }) => name,
  // Each organization is a collection of its own, so that others on the registry are nobody's extras. The part tells the name
  // under which it is looked for as well.
  rights: (_, action, changes): ReadonlyArray<Right> => {
    if (action === "create") return ["create organizations"]
    return changes.some(({ field }) => field === "name") ? ["rename organizations"] : []
  },
  collection: ({ name, renamed_from }) => ({
    parent: name,
    ...(renamed_from === undefined ? {} : { part: renamed_from })
  }),
  implies: ({ name }, { caller }) => [
    { kind: "team", item: { organization: name, name: "owners", role: "admin", description: "" } },
    ...(caller === undefined
      ? []
      : [{ kind: "team-member", item: { organization: name, team: "owners", name: caller } }])
  ],
  extras: "keep",
  destroys: "data",
  renaming: "write renamed_from: with its name in the file of the new one",
  narrows: unless({ tag_expiration_s: grown }),
  setAfterwards: ["tag_expiration_s", "invoice_email", "invoice_email_address"],
  requires: {
    fields: {
      renamed_from: { operation: "changeOrganization" },
      // An older release wants another address for each organization, and nothing is an address.
      email: { when: (value) => value === "", accepts: "NewOrg.contact_email", since: "3.18" },
      tag_expiration_s: {
        feature: "CHANGE_TAG_EXPIRATION",
        among: { setting: "TAG_EXPIRATION_OPTIONS", value: parseDuration }
      }
    }
  },
  refuses: ({ renamed_from }, before) => {
    if (renamed_from === undefined) return undefined
    if (before === undefined) return `there is neither this one nor ${renamed_from}, which it was named.`
    return before.names === "both" ? `it and ${renamed_from}, which it was named, are both there.` : undefined
  },
  holdsBack: (_after, before) => before.names === "old",
  notices: (after, before) =>
    before?.names === "old"
      ? [
          `It is ${after.renamed_from} until it is renamed; what is in it is compared under its new name. Plan again after this one.`
        ]
      : [],
  leaves: () => [
    "All that is in it is deleted with it: repositories with their images, teams, robot accounts and the rest."
  ],
  diff: (before, after) =>
    before.names === "old" && after.names === undefined
      ? [{ field: "name", before: before.renamed_from, after: after.name }]
      : [],
  section: documentSection({
    name: "organization",
    description: "An organization and what it shall have. A part that is left out is neither read nor touched.",
    fields,
    absent: ({ state }) => (state === "absent" ? "state" : undefined),
    read: ({ organization, state, tag_expiration, ...node }) =>
      state === "absent"
        ? { name: organization }
        : {
            name: organization,
            ...node,
            ...(tag_expiration === undefined ? {} : { tag_expiration_s: parseDuration(tag_expiration) })
          },
    write: ({ email, invoice_email, invoice_email_address, name, tag_expiration_s }) => ({
      organization: name,
      ...(email === undefined || email === "" ? {} : { email }),
      ...(tag_expiration_s === undefined ? {} : { tag_expiration: formatDuration(tag_expiration_s) }),
      ...(invoice_email === true ? { invoice_email } : {}),
      ...(invoice_email_address === undefined || invoice_email_address === "" ? {} : { invoice_email_address })
    })
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(collections, ({ parent, part }) => found(parent, part), { concurrency: "unbounded" }),
      (lists) => lists.flat()
    ),
  create: ({ email, name, names: _names, renamed_from: _old, ...later }) =>
    Effect.gen(function* () {
      // To create it without an address is to say nothing of one.
      const body = { name, ...(email === "" ? {} : emails(email)) }
      yield* once((client, signal) => client.POST("/api/v1/organization/", { body, signal }))
      yield* change(name, later)
    }),
  update: ({ name, names: _names, renamed_from, ...details }, _before, changes) =>
    Effect.gen(function* () {
      const fields = new Set(changes.map((it) => it.field))
      if (fields.has("name") && renamed_from !== undefined)
        yield* once((client, signal) =>
          client.PUT("/api/v1/superuser/organizations/{name}", {
            params: { path: { name: renamed_from } },
            body: { name },
            signal
          })
        )
      yield* change(name, Object.fromEntries(Object.entries(details).filter(([field]) => fields.has(field))))
    }),
  delete: ({ name }) =>
    Effect.asVoid(
      once((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}", { params: { path: { orgname: name } }, signal })
      )
    )
}
