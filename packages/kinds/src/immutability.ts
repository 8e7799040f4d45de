/**
 * What policies of organizations and of repositories have in common that make tags immutable. A pattern is there once, so it
 * is the policy's name. Facts: the whole name of a tag must match; tags that are there become immutable at once, and nothing
 * that is done to a policy later makes one mutable again.
 */
import type { Entry, Requirements } from "@quaymaster/engine"
import type { ImmutabilityPolicyView } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"

/** The fields of a policy beside whose it is. */
export const immutabilityFields = {
  tag_pattern: Type.String(),
  tag_pattern_matches: Type.Boolean(),
  /** Quay's id. Never declared. */
  uuid: Type.Optional(Type.String())
}

/** Quay's id is never compared: a policy made anew is the same policy. */
export const immutabilityIdentity = ["tag_pattern", "uuid"]

export interface ImmutabilityPolicy {
  readonly tag_pattern: string
  readonly tag_pattern_matches: boolean
  readonly uuid?: string
}

/** `operation` is the one that creates a policy. */
export const immutabilityRequires = (operation: string): Requirements => ({
  feature: "IMMUTABLE_TAGS",
  operation,
  since: "3.17"
})

export const immutabilityNode = Type.Array(
  Type.Object(
    {
      tag_pattern: Type.String({
        minLength: 1,
        maxLength: 256,
        description: "A regular expression that the whole name of a tag must match: `v.*`."
      }),
      tag_pattern_matches: Type.Optional(
        Type.Boolean({ description: "false: tags with names that do not match become immutable. Default true." })
      )
    },
    { additionalProperties: false }
  ),
  {
    description:
      "Which tags become immutable, for good. Policies that are not here are removed; their tags stay as they are."
  }
)

export const readImmutability = <Owner extends object>(
  node: Static<typeof immutabilityNode>,
  owner: Owner
): ReadonlyArray<Entry<Owner & ImmutabilityPolicy>> =>
  node.map(({ tag_pattern, tag_pattern_matches }, i) => ({
    item: { ...owner, tag_pattern, tag_pattern_matches: tag_pattern_matches ?? true },
    path: [i]
  }))

export const writeImmutability = (policies: ReadonlyArray<ImmutabilityPolicy>): Static<typeof immutabilityNode> =>
  policies.map(({ tag_pattern, tag_pattern_matches }) => ({
    tag_pattern,
    ...(tag_pattern_matches ? {} : { tag_pattern_matches })
  }))

export const immutabilityFrom = ({
  tagPattern,
  tagPatternMatches,
  uuid
}: ImmutabilityPolicyView): ImmutabilityPolicy => ({
  tag_pattern: tagPattern,
  tag_pattern_matches: tagPatternMatches,
  uuid
})

/** The whole policy, since what is left out is reset. */
export const immutabilityBody = ({ tag_pattern, tag_pattern_matches }: ImmutabilityPolicy) => ({
  tagPattern: tag_pattern,
  tagPatternMatches: tag_pattern_matches
})

export const immutabilityNotices = (
  { tag_pattern, tag_pattern_matches }: ImmutabilityPolicy,
  before: ImmutabilityPolicy | undefined
): ReadonlyArray<string> =>
  before?.tag_pattern_matches === tag_pattern_matches
    ? []
    : [
        `Tags whose whole name ${tag_pattern_matches ? "matches" : "does not match"} ${tag_pattern} become immutable at once, ` +
          "and lose their expiration. No later change of the policy undoes that."
      ]

export const immutabilityLeaves = (): ReadonlyArray<string> => ["The tags that it made immutable stay so."]
