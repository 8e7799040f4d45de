/**
 * The mirror of a repository: which tags of which repository elsewhere Quay copies here, and how often. Making one makes the
 * repository a mirror, to which nobody can push, and lets the robot account write to it. Quay has no way to remove one.
 */
import {
  type Change,
  type Collection,
  diff,
  type Entry,
  type Implied,
  PlanRefused,
  section,
  type World
} from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import type { MirrorView } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError } from "./answers.ts"
import { formatDuration, parseDuration } from "./duration.ts"
import {
  changedFields,
  credentialsOf,
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
import { item } from "./names.ts"
import { ask, once, orMissing, Quay, type SecretUnavailable } from "./quay.ts"
import { organizationOf, repositoryRef } from "./repository.ts"
import { permissionKey } from "./repository-permission.ts"
import { repositoryStates } from "./repository-state.ts"
import { robotRef, robotUser } from "./robot.ts"
import { SectionError } from "./section-error.ts"

const Architecture = Type.Union([
  Type.Literal("amd64"),
  Type.Literal("arm64"),
  Type.Literal("ppc64le"),
  Type.Literal("s390x")
])

/** `repository` is a repository's key, `robot` a short name. Without a source it is only about whether the mirror runs. */
const schema = item({
  repository: Type.String(),
  source: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
  ...mirroringFields,
  unsigned_images: Type.Optional(Type.Boolean()),
  architecture_filter: Type.Optional(Type.Array(Type.String(), { uniqueItems: true }))
})

export type RepositoryMirror = Static<typeof schema>

const node = Type.Object(
  {
    source: Type.Optional(
      Type.String({
        pattern: "^(?!.*://)[^\\s/]+(?:/[^\\s/]+)+$",
        "x-rule": "a repository with its registry and without a scheme: docker.io/library/alpine",
        description: "The repository that is copied: `docker.io/library/alpine`."
      })
    ),
    tags: Type.Optional(
      Type.Array(Type.String({ pattern: "^[^\\s,]+$", "x-rule": "a tag, or a pattern such as 3.*" }), {
        minItems: 1,
        uniqueItems: true,
        description: "The tags that are copied. `*` stands for any text."
      })
    ),
    ...mirroringNode,
    unsigned_images: Type.Optional(
      Type.Boolean({ description: "Whether images without a signature are copied, too. Default false." })
    ),
    architecture_filter: Type.Optional(
      Type.Array(Architecture, {
        uniqueItems: true,
        description: "Of images for several architectures, those that are copied. Empty: all."
      })
    )
  },
  {
    additionalProperties: false,
    description:
      "What is copied here from elsewhere. To turn a mirror off: `{ enabled: false }`; to leave it alone: no key."
  }
)

/** Quay's limits, and the field that tells whether the server knows of timeouts. */
const LIMITS = { interval: "1s", timeout: ["5m", "52w"] } as const
const TIMEOUT = "CreateMirrorConfig.skopeo_timeout_interval"
const DEFAULT_TIMEOUT = "5m"

/** A file may own a mirror, or only that there is none that runs, or a mirror with a user name that no plan shall tell. */
const OFF = "off"
const DISCREET = "discreet"
const partOf = ({ source, username_secret }: Pick<RepositoryMirror, "source" | "username_secret">): string =>
  source === undefined ? OFF : username_secret === undefined ? "open" : DISCREET

const fromView = (repository: string, view: MirrorView): RepositoryMirror => {
  const { architecture_filter, external_reference, external_registry_config, root_rule, skopeo_timeout_interval } = view
  const { proxy, unsigned_images, verify_tls } = external_registry_config
  return {
    repository,
    source: external_reference,
    tags: root_rule.rule_value,
    ...mirroringFrom(organizationOf(repository), view),
    verify_tls: verify_tls ?? true,
    unsigned_images: unsigned_images ?? false,
    proxy: {
      http: told(proxy?.http_proxy ?? ""),
      https: told(proxy?.https_proxy ?? ""),
      no_proxy: proxy?.no_proxy ?? ""
    },
    ...(skopeo_timeout_interval === undefined ? {} : { timeout: formatDuration(skopeo_timeout_interval) }),
    ...(architecture_filter === undefined ? {} : { architecture_filter: architecture_filter ?? [] })
  }
}

const viewOf = (repository: string) =>
  orMissing(
    ask((client, signal) =>
      client.GET("/api/v1/repository/{repository}/mirror", { params: { path: { repository } }, signal })
    )
  )

const mirrorOf = (repository: string) =>
  Effect.map(viewOf(repository), (view) => (view === undefined ? undefined : fromView(repository, view)))

const runNow = (repository: string) =>
  syncNow(
    ask((client, signal) =>
      client.POST("/api/v1/repository/{repository}/mirror/sync-now", { params: { path: { repository } }, signal })
    ),
    Effect.map(viewOf(repository), (view) => view?.sync_status)
  )

const rule = (tags: ReadonlyArray<string>) => ({ rule_kind: "tag_glob_csv" as const, rule_value: [...tags] })

/** What of a mirror is sent to change these fields. */
const bodyOf = (after: RepositoryMirror, changes: ReadonlyArray<Change>) => {
  const { architecture_filter, proxy, repository, robot, source, tags, timeout, unsigned_images, verify_tls } = after
  const fields = changedFields(changes)
  const config = {
    ...(fields.has("verify_tls") && verify_tls !== undefined ? { verify_tls } : {}),
    ...(fields.has("unsigned_images") && unsigned_images !== undefined ? { unsigned_images } : {}),
    ...(fields.has("proxy") && proxy !== undefined ? { proxy: proxyBody(proxy) } : {})
  }
  return {
    ...mirroringBody(after, fields),
    ...(fields.has("source") && source !== undefined ? { external_reference: source } : {}),
    ...(fields.has("tags") && tags !== undefined ? { root_rule: rule(tags) } : {}),
    ...(fields.has("robot") && robot !== undefined
      ? { robot_username: robotUser(organizationOf(repository), robot) }
      : {}),
    ...(fields.has("timeout") && timeout !== undefined ? { skopeo_timeout_interval: parseDuration(timeout) } : {}),
    ...(fields.has("architecture_filter") && architecture_filter !== undefined ? { architecture_filter } : {}),
    ...(Object.keys(config).length === 0 ? {} : { external_registry_config: config })
  }
}

const AS_A_WHOLE = "Quay mirrors the organization as a whole, so its repositories have no mirrors of their own."

/** Quay gives the robot account write, unless it may do more. */
const letWrite = ({ repository, robot }: RepositoryMirror, world: World): ReadonlyArray<Implied> => {
  if (robot === undefined) return []
  const held = world.found({ kind: "repository-permission", key: permissionKey({ repository, robot }) })
  const role = held?.["role"] === "admin" ? "admin" : "write"
  return [{ kind: "repository-permission", item: { repository, robot, role } }]
}

const change = (repository: string, body: ReturnType<typeof bodyOf>) =>
  ask((client, signal) =>
    client.PUT("/api/v1/repository/{repository}/mirror", { params: { path: { repository } }, body, signal })
  )

export const repositoryMirror: Kind<"repository-mirror", typeof schema, ReadError | SecretUnavailable, Quay> = {
  kind: "repository-mirror",
  scopes: ["repo:admin"],
  schema,
  // The date of the next run moves on by itself; it is compared by `diff`.
  identity: ["repository", "start"],
  key: ({ repository }) => repository,
  collection: (mirror) => ({ parent: mirror.repository, part: partOf(mirror) }),
  needs: ({ repository, robot }) => [
    repositoryRef(repository),
    // Quay deletes no robot account that a mirror uses.
    ...(robot === undefined ? [] : [{ ...robotRef(organizationOf(repository), robot), cascades: false }])
  ],
  consults: ({ parent, part }) => (part === OFF ? [] : [{ kind: "robot", parent: organizationOf(parent) }]),
  implies: (mirror, world) => [
    { kind: "repository-state", item: { repository: mirror.repository, state: "mirror" } },
    ...letWrite(mirror, world)
  ],
  impliesOnUpdate: (mirror, before, world) => (mirror.robot === before.robot ? [] : letWrite(mirror, world)),
  extras: "remove",
  // Nobody can push to a mirror.
  narrows: () => true,
  ...mirroringRequest,
  setAfterwards: ["sync"],
  refuses: (mirror, before, world) => {
    const organization = organizationOf(mirror.repository)
    const ofOrganization = world.collection({ kind: "organization-mirror", parent: organization })
    return before === undefined && ofOrganization.length > 0 ? AS_A_WHOLE : refusesToRun(mirror, before)
  },
  requires: {
    feature: "REPO_MIRROR",
    operation: "createRepoMirrorConfig",
    fields: {
      timeout: { accepts: TIMEOUT, since: "3.15" },
      architecture_filter: { feature: "SPARSE_INDEX", accepts: "CreateMirrorConfig.architecture_filter", since: "3.17" }
    }
  },
  diff: mirroringChanges,
  section: section({
    under: "repository",
    name: "mirror",
    node,
    parts: ({ source, username }) => [
      partOf({
        ...(source === undefined ? {} : { source }),
        ...(typeof username === "object" ? { username_secret: username } : {})
      })
    ],
    read: (given, repository): ReadonlyArray<Entry<RepositoryMirror>> => {
      const { architecture_filter, robot, source, tags, unsigned_images } = given
      if (source === undefined && given.enabled === false && Object.keys(given).length === 1)
        return [{ item: { repository, enabled: false }, path: [] }]
      if (source === undefined || tags === undefined || robot === undefined)
        throw new SectionError("a mirror needs source, tags and robot; { enabled: false } alone turns one off", [])
      const mirror = {
        repository,
        source,
        tags,
        ...readMirroring(given, LIMITS),
        ...(unsigned_images === undefined ? {} : { unsigned_images }),
        ...(architecture_filter === undefined ? {} : { architecture_filter })
      }
      return [{ item: mirror, path: [] }]
    },
    write: ([found]) => {
      if (found === undefined) return { enabled: false }
      const { architecture_filter, source, tags, unsigned_images } = found
      const architectures = node.properties.architecture_filter.items.anyOf
        .map((it) => it.const)
        .filter((it) => architecture_filter?.includes(it) === true)
      return {
        ...(source === undefined ? {} : { source }),
        ...(tags === undefined ? {} : { tags }),
        ...writeMirroring(found),
        ...(unsigned_images === true ? { unsigned_images } : {}),
        ...(architectures.length === 0 ? {} : { architecture_filter: architectures })
      }
    }
  }),

  list: (collections, declared) =>
    Effect.map(
      Effect.forEach(byOrganization(collections), ([organization, asked]) => listOf(organization, asked, declared), {
        concurrency: "unbounded"
      }),
      (lists) => lists.flat()
    ),
  create: (after) =>
    Effect.gen(function* () {
      const { architecture_filter, enabled, proxy, repository, robot, source, tags, timeout } = after
      // Turning off what is not there is nothing to do, and never planned.
      if (source === undefined || tags === undefined || robot === undefined) return
      const server = yield* (yield* Quay).server
      const body = {
        is_enabled: enabled ?? true,
        external_reference: source,
        ...(yield* credentialsOf(after)),
        // Whole, so that there is room for proxies that come later.
        external_registry_config: {
          verify_tls: after.verify_tls ?? true,
          unsigned_images: after.unsigned_images ?? false,
          proxy: proxyBody({ ...NO_PROXY, ...proxy })
        },
        ...(yield* scheduleOf(after)),
        root_rule: rule(tags),
        robot_username: robotUser(organizationOf(repository), robot),
        // Needed where the server knows it, and an error where it does not.
        ...(server.accepts(TIMEOUT) ? { skopeo_timeout_interval: parseDuration(timeout ?? DEFAULT_TIMEOUT) } : {}),
        ...(architecture_filter === undefined ? {} : { architecture_filter })
      }
      yield* once((client, signal) =>
        client.POST("/api/v1/repository/{repository}/mirror", { params: { path: { repository } }, body, signal })
      )
      if (after.sync !== undefined) yield* runNow(repository)
    }),
  update: ({ sync, ...after }, _before, changes) =>
    Effect.gen(function* () {
      const fields = changedFields(changes)
      if (fields.size > (fields.has("sync") ? 1 : 0)) {
        const credentials = yield* credentialsOf(after, fields)
        yield* change(after.repository, { ...bodyOf(after, changes), ...credentials })
        // Quay says that it is done also where it is not: while the mirror runs, and of the first proxy that there is.
        const now = yield* mirrorOf(after.repository)
        const left = now === undefined ? [] : diff(repositoryMirror, now, after)
        if (left.length > 0) yield* change(after.repository, { ...bodyOf(after, left), ...credentials })
      }
      if (sync !== undefined) yield* runNow(after.repository)
    })
}

interface Asked {
  readonly repository: string
  readonly part: string | undefined
}

const byOrganization = (collections: ReadonlyArray<Collection>): ReadonlyMap<string, ReadonlyArray<Asked>> => {
  const asked = new Map<string, Array<Asked>>()
  for (const { parent, part } of collections) {
    const organization = organizationOf(parent)
    const known = asked.get(organization) ?? []
    asked.set(organization, known)
    known.push({ repository: parent, part })
  }
  return asked
}

/**
 * One request for each repository that is a mirror, or that a file wants to be one: a mirror may be left behind in a repository
 * whose state was changed. Where a file asks only that no mirror runs, that there is none is as good as one that is off.
 */
const listOf = (
  organization: string,
  asked: ReadonlyArray<Asked>,
  declared: ReadonlySet<string>
): Effect.Effect<ReadonlyArray<RepositoryMirror>, ReadError, Quay> =>
  Effect.gen(function* () {
    const view = yield* organizationView(organization)
    const states = view === undefined ? undefined : yield* repositoryStates(organization)
    const mirrored = asked.filter(
      ({ part, repository }) => part !== OFF && declared.has(repository) && states?.get(repository) === "org_mirror"
    )
    if (mirrored.length > 0)
      return yield* Effect.fail(
        new PlanRefused(mirrored.map((it) => ({ message: `repository-mirror ${it.repository}: ${AS_A_WHOLE}` })))
      )
    const found = yield* Effect.forEach(
      asked,
      ({ part, repository }) => {
        const state = states?.get(repository)
        const looked = state !== undefined && (state === "mirror" || declared.has(repository))
        return Effect.map(looked ? mirrorOf(repository) : Effect.succeed(undefined), (mirror) => {
          if (mirror === undefined) return part === OFF ? [{ repository, enabled: false }] : []
          const { username: _, ...rest } = mirror
          return [part === DISCREET ? rest : mirror]
        })
      },
      { concurrency: "unbounded" }
    )
    return found.flat()
  })
