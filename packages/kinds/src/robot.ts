/**
 * Robot accounts of an organization. Their tokens are neither read nor kept; what is said of them is fixed at creation. Whom
 * they trust instead of a token is a kind of its own.
 */
import { mapSection } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError, robots } from "./answers.ts"
import { describedAs, item, shortNames } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, type Quay } from "./quay.ts"

/** `name` is the short name: `ci` of `acme+ci`. */
const schema = item({
  organization: Type.String(),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  unstructured_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown()))
})

export type RobotAccount = Static<typeof schema>

export const robotRef = (organization: string, name: string) => ({
  kind: "robot",
  key: `${organization}/${name}`,
  parent: organization,
  cascades: true
})

/** A robot account's name where Quay expects a user's. */
export const robotUser = (organization: string, name: string): string => `${organization}+${name}`

/** A robot account's key is its organization and its short name, and neither has a slash. */
export const splitRobot = (key: string): { readonly organization: string; readonly robot: string } => {
  const [organization = "", robot = ""] = key.split("/")
  return { organization, robot }
}

const NEW = "a new robot account would have a new token, and none of its permissions, teams and default permissions"

const path = ({ name, organization }: RobotAccount) => ({ orgname: organization, robot_shortname: name })

export const robot: Kind<"robot", typeof schema, ReadError, Quay> = {
  kind: "robot",
  scopes: ["org:admin"],
  schema,
  // Quay tells the metadata of one robot account at a time, and its token with it: so it is not asked for, and not compared.
  identity: ["organization", "name", "unstructured_metadata"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  extras: "keep",
  destroys: "credential",
  fixed: { description: NEW, unstructured_metadata: NEW },
  notices: ({ unstructured_metadata }, before) =>
    unstructured_metadata === undefined || before === undefined
      ? []
      : ["Its unstructured_metadata was given when it was made: it cannot change, and is not compared."],
  section: mapSection({
    under: "organization",
    name: "robots",
    names: shortNames,
    description: "The organization's robot accounts, by short name.",
    fields: {
      description: Type.Optional(
        describedAs("What the robot account is for. It cannot change later.", { maxLength: 255 })
      ),
      unstructured_metadata: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), {
          description: "Anything that is to be kept with the robot account. It cannot change later."
        })
      )
    },
    read: (name, entry, organization) => ({ organization, name, ...entry }),
    write: ({ description, name }) => [name, description === undefined || description === "" ? {} : { description }]
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(
        collections,
        ({ parent }) =>
          Effect.gen(function* () {
            if ((yield* organizationView(parent)) === undefined) return []
            const found = yield* robots(parent)
            return found.map(({ description, name }): RobotAccount => ({ organization: parent, name, description }))
          }),
        { concurrency: "unbounded" }
      ),
      (lists) => lists.flat()
    ),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.PUT("/api/v1/organization/{orgname}/robots/{robot_shortname}", {
          params: { path: path(after) },
          body: {
            description: after.description ?? "",
            ...(after.unstructured_metadata === undefined ? {} : { unstructured_metadata: after.unstructured_metadata })
          },
          signal
        })
      )
    ),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}/robots/{robot_shortname}", {
          params: { path: path(before) },
          signal
        })
      )
    )
}
