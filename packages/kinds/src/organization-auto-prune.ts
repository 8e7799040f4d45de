/** Policies that remove tags in all repositories of an organization. */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import {
  autoPruneBody,
  autoPruneDiff,
  autoPruneFields,
  autoPruneFrom,
  autoPruneIdentity,
  autoPruneKey,
  autoPruneNode,
  autoPruneRequires,
  changeAutoPrune,
  readAutoPrune,
  removeAutoPrune,
  writeAutoPrune
} from "./auto-prune.ts"
import { eachOrganization } from "./each.ts"
import { item } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, orMissing, type Quay } from "./quay.ts"

const schema = item({ organization: Type.String(), ...autoPruneFields })

export type OrganizationAutoPrune = Static<typeof schema>

const path = (organization: string, uuid: string) => ({ orgname: organization, policy_uuid: uuid })

const remove = (organization: string) => (uuid: string) =>
  orMissing(
    ask((client, signal) =>
      client.DELETE("/api/v1/organization/{orgname}/autoprunepolicy/{policy_uuid}", {
        params: { path: path(organization, uuid) },
        signal
      })
    )
  )

export const organizationAutoPrune: Kind<"organization-auto-prune", typeof schema, ReadError, Quay> = {
  kind: "organization-auto-prune",
  scopes: ["org:admin"],
  schema,
  identity: ["organization", ...autoPruneIdentity],
  key: (policy) => `${policy.organization}/${autoPruneKey(policy)}`,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  // Before 3.13 there is room for one.
  follows: ({ organization }) => [{ kind: "organization-auto-prune", parent: organization }],
  extras: "remove",
  // It deletes tags.
  narrows: () => true,
  requires: autoPruneRequires("createOrganizationAutoPrunePolicy", "3.10"),
  diff: autoPruneDiff,
  section: section({
    under: "organization",
    name: "auto_prune",
    node: autoPruneNode,
    read: (node, organization) => readAutoPrune(node, { organization }),
    write: writeAutoPrune
  }),

  list: (collections) =>
    eachOrganization(collections, (organization) =>
      Effect.map(
        ask((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/autoprunepolicy/", {
            params: { path: { orgname: organization } },
            signal
          })
        ),
        ({ policies }) => autoPruneFrom(policies).map((policy) => ({ organization, ...policy }))
      )
    ),
  create: (after) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/autoprunepolicy/", {
          params: { path: { orgname: after.organization } },
          body: autoPruneBody(after),
          signal
        })
      )
    ),
  update: (after, before) =>
    changeAutoPrune(
      after,
      before,
      (uuid) =>
        ask((client, signal) =>
          client.PUT("/api/v1/organization/{orgname}/autoprunepolicy/{policy_uuid}", {
            params: { path: path(after.organization, uuid) },
            body: autoPruneBody(after),
            signal
          })
        ),
      remove(after.organization)
    ),
  delete: (before) => removeAutoPrune(before, remove(before.organization))
}
