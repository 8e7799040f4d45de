/** Robot accounts of an organization. Their tokens are neither read nor kept; their description is fixed at creation. */
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
  description: Type.Optional(Type.String())
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

const path = ({ name, organization }: RobotAccount) => ({ orgname: organization, robot_shortname: name })

export const robot: Kind<"robot", typeof schema, ReadError, Quay> = {
  kind: "robot",
  schema,
  identity: ["organization", "name"],
  key: ({ name, organization }) => `${organization}/${name}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  extras: "keep",
  destroys: "credential",
  fixed: {
    description:
      "a new robot account would have a new token, and none of its permissions, teams and default permissions"
  },
  section: mapSection({
    under: "organization",
    name: "robots",
    names: shortNames,
    description: "The organization's robot accounts, by short name.",
    fields: {
      description: Type.Optional(
        describedAs("What the robot account is for. It cannot change later.", { maxLength: 255 })
      )
    },
    read: (name, entry, organization) => ({ organization, name, ...entry })
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
          body: { description: after.description ?? "" },
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
