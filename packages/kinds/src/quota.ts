/**
 * The quota of an organization: how much it may store, and at which shares of that Quay warns or refuses. Quay gives a quota and
 * each of its thresholds an id of its own; there is one quota at most, so here it is one object.
 */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { Forbidden, type QuayFailure, type QuotaLimit } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError } from "./answers.ts"
import { item } from "./names.ts"
import { organizationRef } from "./organization.ts"
import { ask, once, orMissing, type Quay } from "./quay.ts"
import type { Right } from "./rights.ts"
import { SectionError } from "./section-error.ts"
import { formatSize, parseSize, SIZE_PATTERN } from "./size.ts"
import { grown, unless } from "./widening.ts"

const Percent = Type.Integer({ minimum: 1, maximum: 100 })
const Percents = Type.Array(Percent, { uniqueItems: true })

const schema = item({
  organization: Type.String(),
  limit_bytes: Type.Integer({ minimum: 1 }),
  warning: Type.Optional(Percents),
  reject: Type.Optional(Percents),
  /** Quay's ids, of the quota and of its thresholds. Never declared. */
  id: Type.Optional(Type.Integer()),
  limits: Type.Optional(
    Type.Array(
      item({
        id: Type.Integer(),
        type: Type.Union([Type.Literal("Warning"), Type.Literal("Reject")]),
        limit_percent: Type.Integer()
      })
    )
  )
})

export type Quota = Static<typeof schema>

export const quotaRef = (organization: string) => ({
  kind: "quota",
  key: organization,
  parent: organization,
  cascades: true
})

const threshold = (description: string) =>
  Type.Optional(
    Type.Union([Percent, Percents], { "x-rule": "a percentage from 1 to 100, or a list of some", description })
  )

const node = Type.Union(
  [
    Type.Object(
      {
        limit: Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: SIZE_PATTERN })], {
          "x-rule": "a size such as 50GiB, or a number of bytes",
          description: "How much the organization may store: `50GiB`."
        }),
        warning: threshold("At which share of the limit, in percent, Quay warns."),
        reject: threshold("At which share of the limit, in percent, Quay refuses pushes. Without one it refuses none.")
      },
      { additionalProperties: false }
    ),
    Type.Object({}, { additionalProperties: false })
  ],
  { description: "How much the organization may store. Empty: it has no quota of its own." }
)

/** Quay keeps sizes as signed integers of 64 bits. */
const TOO_MUCH = 2 ** 63

const percentsOf = (value: number | ReadonlyArray<number>): Array<number> =>
  typeof value === "number" ? [value] : [...value].sort((a, b) => a - b)

/** What the file says of thresholds, where there are any. */
const percentsFor = (percents: ReadonlyArray<number> | undefined): number | Array<number> | undefined => {
  const [only, second] = percents ?? []
  if (percents === undefined || only === undefined) return undefined
  return second === undefined ? only : [...percents]
}

/** Who may write quotas is not who administers an organization, which nothing says before it is tried. */
const bySuperuser = <A, R>(write: Effect.Effect<A, QuayFailure, R>): Effect.Effect<A, QuayFailure, R> =>
  Effect.catch(write, (error): Effect.Effect<never, QuayFailure> => {
    if (!(error instanceof Forbidden)) return Effect.fail(error)
    const { detail, method, operation, path, status } = error
    const message =
      "Only a superuser may set quotas, with a token that has the scope super:user; from Quay 3.16 on only where " +
      "FEATURE_SUPERUSERS_FULL_ACCESS is on, too"
    return Effect.fail(new Forbidden(message, { method, path, operation, status, detail, cause: error }))
  })

type ThresholdType = QuotaLimit["type"]

const fromView = (
  organization: string,
  view: { readonly id: number | null; readonly limit_bytes: number; readonly limits: ReadonlyArray<QuotaLimit> }
): ReadonlyArray<Quota> => {
  const { id, limit_bytes, limits } = view
  // What has no id is the registry's own default.
  if (id === null) return []
  const percents = (type: ThresholdType) =>
    limits
      .filter((limit) => limit.type === type)
      .map((limit) => limit.limit_percent)
      .sort((a, b) => a - b)
  return [
    {
      organization,
      limit_bytes,
      warning: percents("Warning"),
      reject: percents("Reject"),
      id,
      limits: limits.map((limit) => ({ id: limit.id, type: limit.type, limit_percent: limit.limit_percent }))
    }
  ]
}

/** The quota as Quay has it now. */
const quotaOf = (orgname: string): Effect.Effect<ReadonlyArray<Quota>, QuayFailure, Quay> =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/quota", { params: { path: { orgname } }, signal })
    ),
    (views) => views.flatMap((view) => fromView(orgname, view))
  )

/** The quota, from the organization's view where that tells it: some releases leave it out for superusers who are no members. */
export const quotaIn = (organization: string): Effect.Effect<ReadonlyArray<Quota>, ReadError, Quay> =>
  Effect.flatMap(organizationView(organization), (view): Effect.Effect<ReadonlyArray<Quota>, ReadError, Quay> => {
    if (view === undefined) return Effect.succeed([])
    return view.quotas === undefined
      ? // What tells of quotas asks for them where there may be none at all.
        Effect.catch(quotaOf(organization), (error) =>
          error._tag === "FeatureOff" ? Effect.succeed([]) : Effect.fail(error)
        )
      : Effect.succeed(view.quotas.flatMap((it) => fromView(organization, it)))
  })

const addThreshold = (orgname: string, id: number, type: ThresholdType, percent: number) =>
  once((client, signal) =>
    client.POST("/api/v1/organization/{orgname}/quota/{quota_id}/limit", {
      params: { path: { orgname, quota_id: String(id) } },
      body: { type, threshold_percent: percent },
      signal
    })
  )

/** Moves what can be moved, adds what is missing and only then takes away, so that a quota is never without for a while. */
const setThresholds = (
  before: Quota & { readonly id: number },
  type: ThresholdType,
  wanted: ReadonlyArray<number>
): Effect.Effect<void, QuayFailure, Quay> =>
  Effect.gen(function* () {
    const { id, limits = [], organization } = before
    const there = limits.filter((limit) => limit.type === type)
    const added = wanted.filter((percent) => !there.some((limit) => limit.limit_percent === percent))
    const freed = there.filter((limit) => !wanted.includes(limit.limit_percent))
    const path = (limit: { readonly id: number }) => ({
      orgname: organization,
      quota_id: String(id),
      limit_id: String(limit.id)
    })
    for (const [i, percent] of added.entries()) {
      const limit = freed[i]
      if (limit === undefined) yield* addThreshold(organization, id, type, percent)
      else
        yield* ask((client, signal) =>
          client.PUT("/api/v1/organization/{orgname}/quota/{quota_id}/limit/{limit_id}", {
            params: { path: path(limit) },
            body: { type, threshold_percent: percent },
            signal
          })
        )
    }
    for (const limit of freed.slice(added.length))
      yield* orMissing(
        ask((client, signal) =>
          client.DELETE("/api/v1/organization/{orgname}/quota/{quota_id}/limit/{limit_id}", {
            params: { path: path(limit) },
            signal
          })
        )
      )
  })

/** With its ids, asked for where they are not known. */
const identified = (quota: Quota): Effect.Effect<(Quota & { readonly id: number }) | undefined, QuayFailure, Quay> =>
  Effect.gen(function* () {
    const [found] = quota.id === undefined ? yield* quotaOf(quota.organization) : [quota]
    return found?.id === undefined ? undefined : { ...found, id: found.id }
  })

export const quota: Kind<"quota", typeof schema, ReadError, Quay> = {
  kind: "quota",
  scopes: ["org:admin to read", "super:user to write"],
  schema,
  identity: ["organization", "id", "limits"],
  rights: (): ReadonlyArray<Right> => ["set quotas"],
  key: ({ organization }) => organization,
  collection: ({ organization }) => ({ parent: organization }),
  needs: ({ organization }) => [organizationRef(organization)],
  // It holds nothing and grants nothing: a file that says there is none is taken at its word.
  extras: "remove",
  // A quota limits what was unlimited; a larger one takes nothing.
  narrows: (after, before, changes) => before === undefined || unless({ limit_bytes: grown })(after, before, changes),
  setAfterwards: ["warning", "reject"],
  changedStepwise: ["warning", "reject"],
  requires: {
    feature: "QUOTA_MANAGEMENT",
    fields: { limit_bytes: { feature: ["SUPER_USERS", "EDIT_QUOTA"], operation: "createOrganizationQuota" } }
  },
  notices: ({ reject, warning }, before) => {
    const thresholds = [...(warning ?? before?.warning ?? []), ...(reject ?? before?.reject ?? [])]
    return thresholds.length > 0
      ? []
      : ["It has neither a warning nor a reject threshold, so nothing happens when it is exceeded."]
  },
  leaves: () => ["From Quay 3.18 on, the organization's notifications about its quota are deleted with it."],
  section: section({
    under: "organization",
    name: "quota",
    node,
    read: (entry, organization) => {
      if (!("limit" in entry)) return []
      const { limit, reject, warning } = entry
      const limit_bytes = typeof limit === "number" ? limit : parseSize(limit)
      if (limit_bytes >= TOO_MUCH) throw new SectionError("limit should be less than 8EiB", ["limit"])
      const found = {
        organization,
        limit_bytes,
        ...(warning === undefined ? {} : { warning: percentsOf(warning) }),
        ...(reject === undefined ? {} : { reject: percentsOf(reject) })
      }
      return [{ item: found, path: [] }]
    },
    write: ([found]) => {
      if (found === undefined) return {}
      const warning = percentsFor(found.warning)
      const reject = percentsFor(found.reject)
      return {
        limit: formatSize(found.limit_bytes),
        ...(warning === undefined ? {} : { warning }),
        ...(reject === undefined ? {} : { reject })
      }
    }
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(collections, ({ parent }) => quotaIn(parent), { concurrency: "unbounded" }),
      (lists) => lists.flat()
    ),
  create: ({ limit_bytes, organization, reject = [], warning = [] }) =>
    bySuperuser(
      Effect.gen(function* () {
        yield* once((client, signal) =>
          client.POST("/api/v1/organization/{orgname}/quota", {
            params: { path: { orgname: organization } },
            body: { limit_bytes },
            signal
          })
        )
        if (reject.length + warning.length === 0) return
        // The answer does not say the id.
        for (const { id } of yield* quotaOf(organization)) {
          if (id === undefined) continue
          for (const percent of warning) yield* addThreshold(organization, id, "Warning", percent)
          for (const percent of reject) yield* addThreshold(organization, id, "Reject", percent)
        }
      })
    ),
  update: (after, before, changes) =>
    bySuperuser(
      Effect.gen(function* () {
        const known = yield* identified(before)
        if (known === undefined) return
        const fields = new Set(changes.map(({ field }) => field))
        const { limit_bytes, organization, reject, warning } = after
        if (fields.has("limit_bytes"))
          yield* ask((client, signal) =>
            client.PUT("/api/v1/organization/{orgname}/quota/{quota_id}", {
              params: { path: { orgname: organization, quota_id: String(known.id) } },
              body: { limit_bytes },
              signal
            })
          )
        if (fields.has("warning") && warning !== undefined) yield* setThresholds(known, "Warning", warning)
        if (fields.has("reject") && reject !== undefined) yield* setThresholds(known, "Reject", reject)
      })
    ),
  delete: (before) =>
    bySuperuser(
      Effect.gen(function* () {
        const known = yield* identified(before)
        if (known === undefined) return
        yield* orMissing(
          ask((client, signal) =>
            client.DELETE("/api/v1/organization/{orgname}/quota/{quota_id}", {
              params: { path: { orgname: before.organization, quota_id: String(known.id) } },
              signal
            })
          )
        )
      })
    )
}
