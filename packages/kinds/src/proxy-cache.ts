/**
 * The proxy cache of an organization: pulls are answered from another registry, and kept. Quay can make one and delete it, not
 * change it, and never tells the credentials it was made with.
 */
import { type SecretRef, secretRef, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { formatDuration, parseDuration } from "./duration.ts"
import { eachOrganization } from "./each.ts"
import { item } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, orMissing, type Quay, reveal, type SecretUnavailable } from "./quay.ts"

/** Quay does not tell the name either, so it cannot be compared, even where the file has it in plain text. */
const Username = Type.Union([Type.String({ minLength: 1 }), secretRef], {
  writeOnly: true,
  "x-rule": "a name, { env: NAME } or { file: PATH }",
  description: "Who Quay signs in as at the upstream registry. Nobody if it is left out."
})

const schema = item({
  organization: Type.String(),
  upstream: Type.String(),
  username: Type.Optional(Username),
  password: Type.Optional(secretRef),
  expiration_s: Type.Optional(Type.Integer({ minimum: 0 })),
  insecure: Type.Optional(Type.Boolean())
})

export type ProxyCache = Static<typeof schema>

/** What Quay takes where nothing is said. */
const DAY = 86_400

const node = Type.Union(
  [
    Type.Object(
      {
        upstream: Type.String({
          pattern: "^(?!https?:)[^\\s/]+(/[^\\s/]+)*$",
          "x-rule": "a registry, or a part of one, without https://: docker.io/library",
          description: "The registry that is asked, or a part of it: `docker.io/library`."
        }),
        username: Type.Optional(Username),
        password: Type.Optional({ ...secretRef, description: "The password, as a reference." }),
        expiration: Type.Optional(
          Type.String({
            pattern: "^[0-9]+[smhdw]$",
            "x-rule": "a number and a unit: 12h, 1d",
            description: "How long what was pulled is kept: `1d`."
          })
        ),
        insecure: Type.Optional(
          Type.Boolean({
            description: "Whether the upstream registry may be asked over plain HTTP or with any certificate."
          })
        )
      },
      { additionalProperties: false }
    ),
    Type.Object({}, { additionalProperties: false })
  ],
  {
    description:
      "The registry that this organization is a cache of. Empty: it shall be none; a cache that is there is kept unless it is pruned."
  }
)

/** What is plain, or what a reference stands for. */
const plain = (value: string | SecretRef | undefined) =>
  typeof value === "string" ? Effect.succeed(value) : reveal(value)

export const proxyCache: Kind<"proxy-cache", typeof schema, ReadError | SecretUnavailable, Quay> = {
  kind: "proxy-cache",
  scopes: ["org:admin"],
  schema,
  identity: ["organization"],
  key: ({ organization }) => organization,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  // Each of these stands in its way until it is gone.
  follows: ({ organization }) => [
    { kind: "organization-mirror", parent: organization },
    { kind: "organization-immutability", parent: organization }
  ],
  consultsToCreate: ({ parent }) => [{ kind: "organization-mirror", parent }],
  refuses: ({ organization }, before, world) => {
    const isMirror = world.collection({ kind: "organization-mirror", parent: organization }).length > 0
    return before === undefined && isMirror
      ? "The organization is a mirror, and such a one is no cache. Remove the mirror first."
      : undefined
  },
  // It may hold credentials, which nobody could read back to make it again.
  extras: "keep",
  // Nobody can push to a cache.
  narrows: () => true,
  requires: { feature: "PROXY_CACHE", operation: "createProxyCacheConfig", since: "3.7" },
  notices: (after, before) => {
    const differs =
      before !== undefined &&
      (after.upstream !== before.upstream ||
        (after.expiration_s ?? before.expiration_s) !== before.expiration_s ||
        (after.insecure ?? before.insecure) !== before.insecure)
    return differs && (after.username === undefined || after.password === undefined)
      ? [
          "It cannot be changed, only made anew. Credentials that it may have now are lost: the file does not name them, and Quay does not tell them."
        ]
      : []
  },
  section: section({
    under: "organization",
    name: "proxy_cache",
    node,
    read: (entry, organization) => {
      if (!("upstream" in entry)) return []
      const { expiration, ...rest } = entry
      const expiring = expiration === undefined ? {} : { expiration_s: parseDuration(expiration) }
      return [{ item: { organization, ...rest, ...expiring }, path: [] }]
    },
    write: ([found]) => {
      if (found === undefined) return {}
      const { expiration_s = DAY, insecure, password, upstream, username } = found
      return {
        upstream,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(expiration_s === DAY ? {} : { expiration: formatDuration(expiration_s) }),
        ...(insecure === true ? { insecure } : {})
      }
    }
  }),

  list: (collections) =>
    eachOrganization(collections, (organization) =>
      Effect.map(
        ask((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/proxycache", {
            params: { path: { orgname: organization } },
            signal
          })
        ),
        ({ expiration_s, insecure, upstream_registry }): ReadonlyArray<ProxyCache> =>
          // Where there is none, everything is empty.
          upstream_registry === ""
            ? []
            : [
                {
                  organization,
                  upstream: upstream_registry,
                  expiration_s: expiration_s === "" ? DAY : expiration_s,
                  insecure: insecure === true
                }
              ]
      )
    ),
  create: ({ expiration_s = DAY, insecure = false, organization, password, upstream, username }) =>
    Effect.gen(function* () {
      const name = yield* plain(username)
      const word = yield* reveal(password)
      const body = {
        // Some releases take the organization from here and not from the path.
        org_name: organization,
        upstream_registry: upstream,
        expiration_s,
        insecure,
        ...(name === undefined ? {} : { upstream_registry_username: name }),
        ...(word === undefined ? {} : { upstream_registry_password: word })
      }
      yield* once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/proxycache", {
          params: { path: { orgname: organization } },
          body,
          signal
        })
      )
    }),
  delete: ({ organization }) =>
    Effect.asVoid(
      orMissing(
        ask((client, signal) =>
          client.DELETE("/api/v1/organization/{orgname}/proxycache", {
            params: { path: { orgname: organization } },
            signal
          })
        )
      )
    )
}
