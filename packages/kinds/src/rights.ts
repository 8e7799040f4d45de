/**
 * What must be allowed beside administering what is changed: to the token, or on the registry at all. No registry tells what a token may do, so each right is
 * found out by reading what takes the same one: once, and only where something that is planned needs it.
 */
import type { QuayFailure } from "@quaymaster/sdk"
import * as Effect from "effect/Effect"

export const rights = [
  "create organizations",
  "rename organizations",
  "set quotas",
  "nest repositories",
  "leave out addresses"
] as const

export type Right = (typeof rights)[number]

export const isRight = (name: string): name is Right => rights.some((right) => right === name)

/** What can be found out of a token and its registry. */
export interface Found {
  /** Whether the token has a superuser's rights. */
  readonly superuser: Effect.Effect<boolean, QuayFailure>
  /** Whether the token may act for its user, as `user:admin` lets it. */
  readonly actsForUser: Effect.Effect<boolean, QuayFailure>
  readonly feature: (name: string) => Effect.Effect<boolean | undefined, QuayFailure>
}

/** A feature that registries tell of from 3.17 on: which of the releases before has the rule of 3.16 does not show. */
const NEWER = "IMMUTABLE_TAGS_CAN_EXPIRE"

const whyNoSuperuser = ({ feature, superuser }: Found) =>
  Effect.gen(function* () {
    if ((yield* feature("SUPER_USERS")) === false) return "and there are none (FEATURE_SUPER_USERS is off)"
    return (yield* superuser) ? undefined : "and the token is not a superuser's, or lacks the scope super:user"
  })

/** Why it is not allowed, as a part of a sentence; undefined if nothing speaks against it. */
export const whyNot = (right: Right, found: Found): Effect.Effect<string | undefined, QuayFailure> =>
  Effect.gen(function* () {
    const { actsForUser, feature } = found
    switch (right) {
      case "create organizations": {
        if (!(yield* actsForUser)) return "the token lacks the scope user:admin"
        if ((yield* feature("SUPERUSERS_ORG_CREATION_ONLY")) !== true) return undefined
        const fault = yield* whyNoSuperuser(found)
        return fault && `only superusers may there (FEATURE_SUPERUSERS_ORG_CREATION_ONLY), ${fault}`
      }
      case "rename organizations": {
        const fault = yield* whyNoSuperuser(found)
        return fault && `only superusers may, ${fault}`
      }
      case "nest repositories":
        return (yield* feature("EXTENDED_REPOSITORY_NAMES")) === false
          ? "names with a slash are switched off there (FEATURE_EXTENDED_REPOSITORY_NAMES)"
          : undefined
      case "leave out addresses":
        return (yield* feature("MAILING")) === true
          ? "an account needs an e-mail address there, because there is mail (FEATURE_MAILING)"
          : undefined
      case "set quotas": {
        const fault = yield* whyNoSuperuser(found)
        if (fault !== undefined) return `only superusers may, ${fault}`
        const full = (yield* feature("SUPERUSERS_FULL_ACCESS")) !== false
        return full || (yield* feature(NEWER)) === undefined
          ? undefined
          : "from Quay 3.16 on superusers may only where FEATURE_SUPERUSERS_FULL_ACCESS is on"
      }
    }
  })
