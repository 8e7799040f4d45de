/**
 * What policies of organizations and of repositories have in common that remove tags by themselves: the newest so many are
 * kept, or those of a certain age are removed. Quay knows no name for one but a generated id; here a policy is what it does
 * (the method) to which tags (the pattern), and the value can change. Facts: a change resets what it leaves out; from 3.13 on
 * there are patterns and several policies, before that a pattern is dropped without a word.
 */
import { byText, type Change, type Entry, type Requirements } from "@quaymaster/engine"
import type { AutoPrunePolicyView } from "@quaymaster/sdk"
import { type Static, type TSchema, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { SectionError } from "./section-error.ts"

/** The fields of a policy beside whose it is. */
export const autoPruneFields = {
  method: Type.Union([Type.Literal("number_of_tags"), Type.Literal("creation_date")]),
  value: Type.Union([Type.Integer(), Type.String()]),
  tag_pattern: Type.Optional(Type.String()),
  tag_pattern_matches: Type.Optional(Type.Boolean()),
  /** Quay's id, and those of further policies for the same method and pattern. Never declared. */
  uuid: Type.Optional(Type.String()),
  duplicates: Type.Optional(Type.Array(Type.String()))
}

/** All but the value. Quay's ids are never compared: a policy made anew is the same policy. */
export const autoPruneIdentity = ["method", "tag_pattern", "tag_pattern_matches", "uuid", "duplicates"]

export interface AutoPrunePolicy {
  readonly method: AutoPrunePolicyView["method"]
  readonly value: number | string
  readonly tag_pattern?: string
  readonly tag_pattern_matches?: boolean
  readonly uuid?: string
  readonly duplicates?: string[]
}

/** `operation` is the one that creates a policy, and `since` the release it came with. */
export const autoPruneRequires = (operation: string, since: string): Requirements => {
  const patterns = { accepts: "AutoPrunePolicyConfig.tagPattern", since: "3.13" }
  return { feature: "AUTO_PRUNE", operation, since, fields: { tag_pattern: patterns }, several: patterns }
}

const policy = <Method extends AutoPrunePolicy["method"], Value extends TSchema>(method: Method, value: Value) =>
  Type.Object(
    {
      method: Type.Literal(method),
      value,
      tag_pattern: Type.Optional(
        Type.String({
          minLength: 1,
          description: "A regular expression: only tags with such names are counted and removed."
        })
      ),
      tag_pattern_matches: Type.Optional(
        Type.Boolean({ description: "false: only tags with names that do not match. Default true." })
      )
    },
    { additionalProperties: false }
  )

export const autoPruneNode = Type.Array(
  Type.Union([
    policy(
      "number_of_tags",
      Type.Integer({ minimum: 1, "x-rule": "how many tags are kept: 20", description: "How many tags are kept." })
    ),
    policy(
      "creation_date",
      Type.String({
        pattern: "^[1-9][0-9]*[smhdwMy]$",
        "x-rule": "an age with a unit (s, m, h, d, w, M, y): 7d",
        description: "The age at which tags are removed: `7d`."
      })
    )
  ]),
  { description: "What removes tags by itself. Policies that are not here are removed." }
)

export const readAutoPrune = <Owner extends object>(
  node: Static<typeof autoPruneNode>,
  owner: Owner
): ReadonlyArray<Entry<Owner & AutoPrunePolicy>> =>
  node.map(({ method, tag_pattern, tag_pattern_matches, value }, i) => {
    if (tag_pattern === undefined && tag_pattern_matches !== undefined)
      throw new SectionError("tag_pattern_matches says nothing without tag_pattern", [i, "tag_pattern_matches"])
    return { item: { ...owner, method, value, ...pattern(tag_pattern, tag_pattern_matches) }, path: [i] }
  })

/** What is left out of a policy matches all tags, and a pattern is for those that match. */
const pattern = (tag_pattern: string | null | undefined, matches: boolean | undefined) =>
  tag_pattern === undefined || tag_pattern === null || tag_pattern === ""
    ? {}
    : { tag_pattern, tag_pattern_matches: matches ?? true }

export const writeAutoPrune = (policies: ReadonlyArray<AutoPrunePolicy>): Static<typeof autoPruneNode> =>
  policies.map(({ method, tag_pattern, tag_pattern_matches, value }) => {
    const tags = {
      ...(tag_pattern === undefined ? {} : { tag_pattern }),
      ...(tag_pattern_matches === false ? { tag_pattern_matches } : {})
    }
    return method === "number_of_tags"
      ? { method, value: Number(value), ...tags }
      : { method, value: `${value}`, ...tags }
  })

/** `number_of_tags`, `creation_date/matching:^pr-`. */
export const autoPruneKey = ({ method, tag_pattern, tag_pattern_matches }: AutoPrunePolicy): string =>
  tag_pattern === undefined
    ? method
    : `${method}/${tag_pattern_matches === false ? "not-matching" : "matching"}:${tag_pattern}`

/** Policies that do the same to the same tags as one, the others as its duplicates; the same one whatever their order. */
export const autoPruneFrom = (views: ReadonlyArray<AutoPrunePolicyView>): ReadonlyArray<AutoPrunePolicy> => {
  const first = new Map<string, AutoPrunePolicy>()
  for (const view of [...views].sort((a, b) => byText(a.uuid, b.uuid))) {
    const { method, tagPattern, tagPatternMatches, uuid, value } = view
    const found = { method, value, ...pattern(tagPattern, tagPatternMatches), uuid }
    const known = first.get(autoPruneKey(found))
    const duplicates = [...(known?.duplicates ?? []), uuid]
    first.set(autoPruneKey(found), known === undefined ? found : { ...known, duplicates })
  }
  return [...first.values()]
}

export const autoPruneDiff = (before: AutoPrunePolicy, after: AutoPrunePolicy): ReadonlyArray<Change> =>
  before.duplicates === undefined || after.duplicates !== undefined
    ? []
    : [{ field: "duplicates", before: "several policies", after: "one policy" }]

/** The whole policy, since what is left out is reset. A release that knows no patterns is sent none. */
export const autoPruneBody = ({ method, tag_pattern, tag_pattern_matches, value }: AutoPrunePolicy) => ({
  method,
  value,
  ...(tag_pattern === undefined ? {} : { tagPattern: tag_pattern, tagPatternMatches: tag_pattern_matches ?? true })
})

/** The others go first: Quay refuses to make two policies alike. */
export const changeAutoPrune = <E, R>(
  after: AutoPrunePolicy,
  { duplicates, uuid, value }: AutoPrunePolicy,
  put: (uuid: string) => Effect.Effect<unknown, E, R>,
  remove: (uuid: string) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    for (const id of duplicates ?? []) yield* remove(id)
    if (uuid !== undefined && value !== after.value) yield* put(uuid)
  })

/** The one that was read as the policy goes last, so that what is left of a deletion that breaks off is still that policy. */
export const removeAutoPrune = <E, R>(
  { duplicates, uuid }: AutoPrunePolicy,
  remove: (uuid: string) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, E, R> =>
  Effect.forEach([...(duplicates ?? []), ...(uuid === undefined ? [] : [uuid])], remove, {
    concurrency: 1,
    discard: true
  })
