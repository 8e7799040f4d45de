/** Policies that make tags immutable in all repositories of an organization. */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { eachOrganization } from "./each.ts"
import {
  immutabilityBody,
  immutabilityFields,
  immutabilityFrom,
  immutabilityIdentity,
  immutabilityLeaves,
  immutabilityNode,
  immutabilityNotices,
  immutabilityRequires,
  readImmutability,
  writeImmutability
} from "./immutability.ts"
import { item } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, type Quay } from "./quay.ts"

const schema = item({ organization: Type.String(), ...immutabilityFields })

export type OrganizationImmutability = Static<typeof schema>

const path = ({ organization }: OrganizationImmutability, { uuid }: OrganizationImmutability) => ({
  orgname: organization,
  policy_uuid: uuid ?? ""
})

export const organizationImmutability: Kind<"organization-immutability", typeof schema, ReadError, Quay> = {
  kind: "organization-immutability",
  scopes: ["org:admin"],
  schema,
  identity: ["organization", ...immutabilityIdentity],
  key: ({ organization, tag_pattern }) => `${organization}/${tag_pattern}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  extras: "remove",
  // Tags that it covers can be neither moved nor deleted.
  narrows: () => true,
  requires: immutabilityRequires("createOrgImmutabilityPolicy"),
  notices: immutabilityNotices,
  leaves: immutabilityLeaves,
  section: section({
    under: "organization",
    name: "immutability",
    node: immutabilityNode,
    read: (node, organization) => readImmutability(node, { organization }),
    write: writeImmutability
  }),

  list: (collections) =>
    eachOrganization(collections, (organization) =>
      Effect.map(
        ask((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/immutabilitypolicy/", {
            params: { path: { orgname: organization } },
            signal
          })
        ),
        ({ policies }) => policies.map((view) => ({ organization, ...immutabilityFrom(view) }))
      )
    ),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/immutabilitypolicy/", {
          params: { path: { orgname: after.organization } },
          body: immutabilityBody(after),
          signal
        })
      )
    ),
  update: (after, before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.PUT("/api/v1/organization/{orgname}/immutabilitypolicy/{policy_uuid}", {
          params: { path: path(after, before) },
          body: immutabilityBody(after),
          signal
        })
      )
    ),
  delete: (before) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}/immutabilitypolicy/{policy_uuid}", {
          params: { path: path(before, before) },
          signal
        })
      )
    )
}
