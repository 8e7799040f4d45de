/** Names and roles as Quay checks them, worded for people. Facts: Quay's `util/validation.py`, `util/names.py`. */
import { type TProperties, type TString, Type } from "@sinclair/typebox"

/** A text with a pattern, and the rule in words for when it does not match. */
const named = (pattern: string, rule: string, description: string): TString =>
  Type.String({ pattern, "x-rule": rule, description })

const SHORT = "(?=.{2,255}$)[a-z0-9]+(?:[._-][a-z0-9]+)*"
const SHORT_RULE =
  "2 to 255 characters: lower-case letters and digits, with single dots, dashes or underscores between them"

/** The names of teams and robots as keys of a map. */
export const shortNames = { pattern: `^${SHORT}$`, description: SHORT_RULE }

export const repositoryNames = {
  pattern: "^(?=.{1,255}$)[a-z0-9][.a-z0-9_-]*(?:/[a-z0-9][.a-z0-9_-]*)*$",
  description:
    "lower-case letters, digits, dots, dashes and underscores; parts are separated by slashes and start with a letter or digit"
}

export const userNames = shortNames

export const OrganizationName = named(`^${SHORT}$`, SHORT_RULE, "The organization's name.")
export const TeamName = named(`^${SHORT}$`, SHORT_RULE, "The name of a team of this organization.")
export const RobotName = named(
  `^${SHORT}$`,
  SHORT_RULE,
  "The short name of a robot account of this organization: `ci`, not `acme+ci`."
)
export const UserName = named(`^${SHORT}$`, SHORT_RULE, "A user's name.")

export const TeamRole = Type.Union([Type.Literal("member"), Type.Literal("creator"), Type.Literal("admin")], {
  description: "What the team may do in the organization."
})
export const RepositoryRole = Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")], {
  description: "What may be done with the repository."
})
export const Visibility = Type.Union([Type.Literal("public"), Type.Literal("private")], {
  description: "Who may see and pull it."
})

/** Fields for text that people write about an object. */
export const describedAs = (what: string, options: { readonly maxLength?: number } = {}) =>
  Type.String({ description: what, ...options })

/** All fields of a kind's objects, closed against others. */
export const item = <Fields extends TProperties>(fields: Fields) => Type.Object(fields, { additionalProperties: false })
