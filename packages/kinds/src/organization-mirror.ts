/**
 * The mirror of an organization: Quay finds the repositories of a namespace elsewhere by itself, and keeps a copy of each in
 * the organization, where nobody can make any then. It wants an organization of its own: an empty one.
 */
import { PlanRefused, section, type World } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import type { OrganizationMirrorView } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { type ReadError, repositories } from "./answers.ts"
import { formatDuration, parseDuration } from "./duration.ts"
import { eachOrganization } from "./each.ts"
import {
  changedFields,
  credentialsOf,
  hidesUser,
  mirroringBody,
  mirroringChanges,
  mirroringFields,
  mirroringFrom,
  mirroringNode,
  mirroringRequest,
  NO_PROXY,
  proxyBody,
  readMirroring,
  refusesToRun,
  scheduleOf,
  syncNow,
  told,
  writeMirroring
} from "./mirroring.ts"
import { item, Visibility } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, orNowhere, Quay, type SecretUnavailable } from "./quay.ts"
import { robotRef, robotUser } from "./robot.ts"
import { SectionError } from "./section-error.ts"

const RegistryType = Type.Union([Type.Literal("harbor"), Type.Literal("quay")], {
  description: "What the other registry is. It cannot change later."
})

/** `robot` is a short name. */
const schema = item({
  organization: Type.String(),
  type: RegistryType,
  url: Type.String(),
  namespace: Type.String(),
  visibility: Type.Optional(Visibility),
  repository_filters: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
  ...mirroringFields
})

export type OrganizationMirror = Static<typeof schema>

const node = Type.Object(
  {
    type: Type.Optional(RegistryType),
    url: Type.Optional(
      Type.String({
        pattern: "^https?://[^\\s/]+(?:/\\S*)?$",
        "x-rule": "a URL such as https://registry.example.com",
        description: "Where the other registry is."
      })
    ),
    namespace: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: "The organization or project there that is copied." })
    ),
    visibility: Type.Optional(
      Type.Union([Type.Literal("public"), Type.Literal("private")], {
        description: "Who may see and pull the repositories that it makes. A new mirror makes private ones."
      })
    ),
    repository_filters: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        uniqueItems: true,
        description: "The repositories that are copied, as names or patterns: `team-*`. Empty: all."
      })
    ),
    ...mirroringNode
  },
  {
    additionalProperties: false,
    description:
      "What is copied into the organization from elsewhere. Empty: nothing; a mirror that is there is kept unless it is pruned."
  }
)

/** A file may keep the user name secret, which Quay does not: then no plan shall tell it. */
const DISCREET = "discreet"
const partOf = ({ username_secret }: Pick<OrganizationMirror, "username_secret">): string =>
  username_secret === undefined ? "open" : DISCREET

const LIMITS = { interval: "1m", timeout: ["30s", "1h"] } as const
const DEFAULT_TIMEOUT = "5m"

const textOf = (config: OrganizationMirrorView["external_registry_config"], key: string): string => {
  const { proxy } = config
  const value: unknown = typeof proxy === "object" && proxy !== null ? Reflect.get(proxy, key) : undefined
  return typeof value === "string" ? value : ""
}

const fromView = (organization: string, view: OrganizationMirrorView): OrganizationMirror => {
  const config = view.external_registry_config
  return {
    organization,
    type: view.external_registry_type,
    url: told(view.external_registry_url),
    namespace: view.external_namespace,
    visibility: view.visibility,
    repository_filters: view.repository_filters,
    ...mirroringFrom(organization, view),
    verify_tls: config["verify_tls"] !== false,
    proxy: {
      http: told(textOf(config, "http_proxy")),
      https: told(textOf(config, "https_proxy")),
      no_proxy: textOf(config, "no_proxy")
    },
    timeout: formatDuration(view.skopeo_timeout)
  }
}

const path = (organization: string) => ({ path: { orgname: organization } })

/** Where no file wants one, it is asked for although the registry may not have any. */
const viewOf = (organization: string) =>
  orNowhere(
    ask((client, signal) => client.GET("/api/v1/organization/{orgname}/mirror", { params: path(organization), signal }))
  )

const runNow = (organization: string) =>
  syncNow(
    ask((client, signal) =>
      client.POST("/api/v1/organization/{orgname}/mirror/sync-now", { params: path(organization), signal })
    ),
    Effect.map(viewOf(organization), (view) => view?.sync_status)
  )

/** What of an organization that is to become a mirror stands in the way. */
const obstacles = (organization: string): Effect.Effect<ReadonlyArray<string>, ReadError, Quay> =>
  Effect.gen(function* () {
    const server = yield* (yield* Quay).server
    const found = yield* repositories(organization)
    const cache = server.serves("getProxyCacheConfig")
      ? yield* ask((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/proxycache", { params: path(organization), signal })
        )
      : undefined
    const { policies } = server.serves("listOrgImmutabilityPolicies")
      ? yield* ask((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/immutabilitypolicy/", { params: path(organization), signal })
        )
      : { policies: [] }
    return [
      ...(found.length === 0 ? [] : [`${found.length} ${found.length === 1 ? "repository" : "repositories"}`]),
      ...(cache === undefined || cache.upstream_registry === "" ? [] : ["a proxy cache"]),
      ...(policies.length === 0 ? [] : ["immutability policies"])
    ]
  })

const refusal = (organization: string, found: ReadonlyArray<string>): PlanRefused =>
  new PlanRefused([
    {
      message:
        `The organization ${organization} cannot become a mirror while it has ${found.join(" and ")}: ` +
        "Quay mirrors into an empty organization only. Remove what is there first, or mirror into another organization."
    }
  ])

/** Why there can be no mirror beside what else files declare, if there cannot. */
const crowded = (organization: string, world: World): string | undefined => {
  const { length } = world.collection({ kind: "repository", parent: organization })
  return length === 0
    ? undefined
    : `The files declare ${length === 1 ? "a repository" : `${length} repositories`} of ${organization} as well, and Quay ` +
        "mirrors into an empty organization only. Leave them out: the mirror makes those that it finds."
}

/** A mirror with its proxies as the registry has them, which are more than is told where there is a user in them. */
const untold = (mirror: OrganizationMirror): Effect.Effect<Partial<OrganizationMirror>, ReadError, Quay> =>
  mirror.proxy === undefined || !hidesUser(mirror.proxy)
    ? Effect.succeed(mirror)
    : Effect.map(
        ask((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/mirror", { params: path(mirror.organization), signal })
        ),
        ({ external_registry_config: config }) => ({
          ...mirror,
          proxy: {
            http: textOf(config, "http_proxy"),
            https: textOf(config, "https_proxy"),
            no_proxy: textOf(config, "no_proxy")
          }
        })
      )

/** Quay replaces it as a whole. */
const configOf = ({ proxy, verify_tls }: OrganizationMirror, before: Partial<OrganizationMirror> = {}) => ({
  verify_tls: verify_tls ?? before.verify_tls ?? true,
  proxy: proxyBody({ ...NO_PROXY, ...before.proxy, ...proxy })
})

export const organizationMirror: Kind<"organization-mirror", typeof schema, ReadError | SecretUnavailable, Quay> = {
  kind: "organization-mirror",
  scopes: ["org:admin"],
  schema,
  // The date of the next run moves on by itself; it is compared by `diff`.
  identity: ["organization", "start"],
  key: ({ organization }) => organization,
  collection: (mirror) => ({ parent: mirror.organization, part: partOf(mirror) }),
  // Quay removes the mirror with its robot account, without a word.
  needs: ({ organization, robot }) => [
    organizationRef(organization),
    ...(robot === undefined ? [] : [robotRef(organization, robot)])
  ],
  consults: ({ parent }) => [{ kind: "robot", parent }],
  excludes: ({ organization }) => [
    { kind: "proxy-cache", parent: organization },
    { kind: "organization-immutability", parent: organization }
  ],
  // It may hold credentials, which nobody could read back to make it again.
  extras: "keep",
  // Nobody can push to its repositories.
  narrows: () => true,
  fixed: {
    type: "without the mirror its repositories become normal ones, and a new mirror needs an empty organization"
  },
  requires: { feature: "ORG_MIRROR", operation: "createOrgMirrorConfig", since: "3.17" },
  leaves: () => ["The repositories that it made stay, as normal ones."],
  ...mirroringRequest,
  setAfterwards: ["sync"],
  refuses: (mirror, before, world) =>
    before === undefined ? crowded(mirror.organization, world) : refusesToRun(mirror, before),
  diff: mirroringChanges,
  section: section({
    under: "organization",
    name: "mirror",
    node,
    parts: ({ username }) => [partOf(typeof username === "object" ? { username_secret: username } : {})],
    read: (given, organization) => {
      if (Object.keys(given).length === 0) return []
      const { namespace, repository_filters, robot, type, url, visibility } = given
      if (type === undefined || url === undefined || namespace === undefined || robot === undefined)
        throw new SectionError("a mirror needs type, url, namespace and robot; {} is for none", [])
      const mirror = {
        organization,
        type,
        url,
        namespace,
        ...readMirroring(given, LIMITS),
        ...(visibility === undefined ? {} : { visibility }),
        ...(repository_filters === undefined ? {} : { repository_filters })
      }
      return [{ item: mirror, path: [] }]
    },
    write: ([found]) => {
      if (found === undefined) return {}
      const { namespace, repository_filters, type, url, visibility } = found
      return {
        type,
        url,
        namespace,
        ...(visibility === "public" ? { visibility } : {}),
        ...(repository_filters === undefined || repository_filters.length === 0 ? {} : { repository_filters }),
        ...writeMirroring(found)
      }
    }
  }),

  list: (collections, declared) =>
    Effect.gen(function* () {
      const discreet = new Set(collections.filter(({ part }) => part === DISCREET).map(({ parent }) => parent))
      const found = yield* eachOrganization(collections, (organization) =>
        Effect.map(viewOf(organization), (view) => {
          if (view === undefined) return []
          const { username, ...rest } = fromView(organization, view)
          return [discreet.has(organization) || username === undefined ? rest : { ...rest, username }]
        })
      )
      const there = new Set(found.map(({ organization }) => organization))
      const wanted = collections.filter(({ parent }) => declared.has(parent) && !there.has(parent))
      const hindered = yield* eachOrganization(wanted, (organization) =>
        Effect.map(obstacles(organization), (list) => (list.length === 0 ? [] : [refusal(organization, list)]))
      )
      const problems = hindered.flatMap((it) => it.problems)
      return problems.length === 0 ? found : yield* Effect.fail(new PlanRefused(problems))
    }),
  create: (after) =>
    Effect.gen(function* () {
      const { enabled, namespace, organization, repository_filters, robot, timeout, type, url, visibility } = after
      const body = {
        is_enabled: enabled ?? true,
        external_registry_type: type,
        external_registry_url: url,
        external_namespace: namespace,
        ...(yield* credentialsOf(after)),
        external_registry_config: configOf(after),
        ...(yield* scheduleOf(after)),
        robot_username: robotUser(organization, robot ?? ""),
        visibility: visibility ?? "private",
        repository_filters: repository_filters ?? [],
        skopeo_timeout: parseDuration(timeout ?? DEFAULT_TIMEOUT)
      }
      yield* once((client, signal) =>
        client.POST("/api/v1/organization/{orgname}/mirror", { params: path(organization), body, signal })
      )
      if (after.sync !== undefined) yield* runNow(organization)
    }),
  update: (after, before, changes) =>
    Effect.gen(function* () {
      const { namespace, organization, repository_filters, robot, sync, timeout, url, visibility } = after
      const fields = changedFields(changes)
      if (fields.size === 1 && fields.has("sync")) return yield* runNow(organization)
      const body = {
        ...mirroringBody(after, fields),
        ...(yield* credentialsOf(after, fields)),
        ...(fields.has("url") ? { external_registry_url: url } : {}),
        ...(fields.has("namespace") ? { external_namespace: namespace } : {}),
        ...(fields.has("visibility") && visibility !== undefined ? { visibility } : {}),
        ...(fields.has("repository_filters") && repository_filters !== undefined ? { repository_filters } : {}),
        ...(fields.has("robot") && robot !== undefined ? { robot_username: robotUser(organization, robot) } : {}),
        ...(fields.has("timeout") && timeout !== undefined ? { skopeo_timeout: parseDuration(timeout) } : {}),
        ...(fields.has("verify_tls") || fields.has("proxy")
          ? { external_registry_config: configOf(after, yield* untold(before)) }
          : {})
      }
      yield* ask((client, signal) =>
        client.PUT("/api/v1/organization/{orgname}/mirror", { params: path(organization), body, signal })
      )
      if (sync !== undefined) yield* runNow(organization)
    }),
  delete: ({ organization }) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}/mirror", { params: path(organization), signal })
      )
    )
}
