/**
 * OAuth applications of an organization. Their client secrets are neither read nor kept. Quay lets several have one name, and
 * each has credentials of its own: then the file means the first by client id, and the others are extras like any other.
 */
import { mapSection } from "@quaymaster/engine"
import { type Kind, shared } from "@quaymaster/runtime"
import type { ApplicationView, QuayFailure } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachOrganization } from "./each.ts"
import { describedAs, item } from "./names.ts"
import { namesakeNeeds, namesakes } from "./namesakes.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, type Quay } from "./quay.ts"

/** Quay makes an application of this name for itself: nobody's to manage. */
const RESERVED = "__quay_bootstrap_app"

const schema = item({
  organization: Type.String(),
  name: Type.String(),
  uri: Type.Optional(Type.String()),
  redirect_uri: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  avatar_email: Type.Optional(Type.String()),
  /** Quay's id, and whether another one of the name comes first. Never declared. */
  client_id: Type.Optional(Type.String()),
  further: Type.Optional(Type.Boolean()),
  /** How many others have the name. Never declared. */
  others: Type.Optional(Type.Integer())
})

export type Application = Static<typeof schema>

const fields = {
  uri: Type.Optional(describedAs("The application's home page.")),
  redirect_uri: Type.Optional(describedAs("What the addresses begin with to which people are sent back.")),
  description: Type.Optional(describedAs("What the application is for.")),
  avatar_email: Type.Optional(
    Type.String({
      pattern: "^([^@\\s]+@[^@\\s]+)?$",
      "x-rule": "an e-mail address, or nothing",
      description: "The address whose avatar is shown."
    })
  )
}

const fromView = (organization: string, view: ApplicationView): Application => ({
  organization,
  name: view.name,
  uri: view.application_uri ?? "",
  redirect_uri: view.redirect_uri ?? "",
  description: view.description ?? "",
  avatar_email: view.avatar_email ?? "",
  client_id: view.client_id
})

const entryOf = ({ avatar_email = "", description = "", name, redirect_uri = "", uri = "" }: Application) =>
  [
    name,
    {
      ...(uri === "" ? {} : { uri }),
      ...(redirect_uri === "" ? {} : { redirect_uri }),
      ...(description === "" ? {} : { description }),
      ...(avatar_email === "" ? {} : { avatar_email })
    }
  ] as const

/** All of it, since what is left out is reset. No address is how one is left out. */
const body = ({ avatar_email, description, name, redirect_uri, uri }: Application) => ({
  name,
  application_uri: uri ?? "",
  redirect_uri: redirect_uri ?? "",
  description: description ?? "",
  ...(avatar_email === undefined || avatar_email === "" ? {} : { avatar_email })
})

/** An application's key. */
export const applicationKey = (organization: string, name: string): string => `${organization}/${name}`

export const applicationRef = (organization: string, name: string) => ({
  kind: "application",
  key: applicationKey(organization, name),
  parent: organization,
  cascades: true
})

/** An organization's applications, all of them. */
export const applicationsOf: (organization: string) => Effect.Effect<ReadonlyArray<Application>, QuayFailure, Quay> =
  shared((organization) =>
    Effect.map(
      ask((client, signal) =>
        client.GET("/api/v1/organization/{orgname}/applications", {
          params: { path: { orgname: organization } },
          signal
        })
      ),
      ({ applications }) =>
        namesakes(
          applications.filter(({ name }) => name !== RESERVED).map((view) => fromView(organization, view)),
          ({ name }) => name,
          ({ client_id }) => client_id
        )
    )
  )

const path = ({ client_id, organization }: Application) => ({ orgname: organization, client_id: client_id ?? "" })

export const application: Kind<"application", typeof schema, ReadError, Quay> = {
  kind: "application",
  scopes: ["org:admin"],
  schema,
  // Quay's ids are never compared: an application made anew is the same application.
  identity: ["organization", "name", "client_id", "further", "others"],
  key: ({ client_id, further, name, organization }) =>
    `${applicationKey(organization, name)}${further === true ? `#${client_id ?? ""}` : ""}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ further, name, organization }) => [
    organizationRef(organization),
    ...namesakeNeeds(further, { kind: "application", key: applicationKey(organization, name), parent: organization })
  ],
  extras: "keep",
  destroys: "credential",
  notices: ({ name }, before) =>
    before?.others === undefined
      ? []
      : [
          `There are ${before.others + 1} applications named ${name}; the one with client id ${before.client_id} is meant.`
        ],
  section: {
    ...mapSection({
      under: "organization",
      name: "applications",
      names: {
        pattern: `^(?!${RESERVED}$)\\S(?:.{0,253}\\S)?$`,
        description: `up to 255 characters on one line without spaces around them, and not ${RESERVED}`
      },
      description: "The organization's OAuth applications, by name.",
      fields,
      read: (name, entry, organization): Application => ({ organization, name, ...entry })
    }),
    // A name can be there once.
    write: (items) => Object.fromEntries(items.filter(({ further }) => further !== true).map(entryOf))
  },

  list: (collections) => eachOrganization(collections, applicationsOf),
  duplicates: () => true,
  surplus: ({ name, organization }, found) =>
    found.filter((it) => it.organization === organization && it.name === name && it.further === true),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/applications", {
          params: { path: { orgname: after.organization } },
          body: body(after),
          signal
        })
      )
    ),
  update: (after, before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.PUT("/api/v1/organization/{orgname}/applications/{client_id}", {
          params: { path: path(before) },
          body: body({ ...before, ...after }),
          signal
        })
      )
    ),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}/applications/{client_id}", {
          params: { path: path(before) },
          signal
        })
      )
    )
}
