// Immutability policies of organizations and repositories. Leaves out tags, which they are about.
import type { Call } from "../call.ts"
import { invalidRequest, json, noContent, notFound } from "../errors.ts"
import { Reader } from "../json.ts"
import { ORGANIZATION, type Owner, REPOSITORY } from "../owners.ts"
import { uuid } from "../random.ts"
import type { Kind, Route } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Part, part } from "../state.ts"

const LONGEST = 256

interface Policy {
  readonly uuid: string
  tagPattern: string
  tagPatternMatches: boolean
}

const CONFIG: Schema = {
  type: "object",
  required: ["tagPattern"],
  properties: { tagPattern: { type: "string" }, tagPatternMatches: { type: "boolean" } }
}

const readPolicy = (value: unknown, place: string): Policy => {
  const reader = new Reader(value, place)
  const policy: Policy = {
    uuid: reader.text("uuid", ""),
    tagPattern: reader.text("tagPattern", ""),
    tagPatternMatches: reader.flag("tagPatternMatches", true)
  }
  reader.end()
  return policy
}

const kept = (owner: Owner["kind"]) =>
  part<Policy[]>({
    owner,
    key: "immutability",
    empty: () => [],
    read: (value, place) => new Reader({ immutability: value }, place).list("immutability", readPolicy),
    write: (all) => (all.length === 0 ? undefined : all.map((policy) => ({ ...policy })))
  })

const isPattern = (source: string): boolean => {
  try {
    return new RegExp(source) instanceof RegExp
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

const wanted = (call: Call, others: readonly Policy[]): Omit<Policy, "uuid"> => {
  const tagPattern = call.body.required("tagPattern")
  if (tagPattern === "") throw invalidRequest("tag_pattern is required and must be a non-empty string")
  if (tagPattern.length > LONGEST) throw invalidRequest(`tag_pattern must be at most ${LONGEST} characters`)
  if (!isPattern(tagPattern)) throw invalidRequest("Invalid regex pattern")
  if (others.some((other) => other.tagPattern === tagPattern)) {
    throw invalidRequest("A policy with the same tag_pattern already exists")
  }
  return { tagPattern, tagPatternMatches: call.body.flag("tagPatternMatches") ?? true }
}

const routes = (owner: Owner, policies: Part<Policy[]>, prefix: string, listed: string): readonly Route[] => {
  const all = `${owner.base}/immutabilitypolicy/`
  const one = `${all}{policy_uuid}`
  const shared = { ...owner.shared, features: ["IMMUTABLE_TAGS"], since: "3.17" } as const
  const body = { name: "ImmutabilityPolicyConfig", schema: CONFIG }
  const log = (call: Call, verb: string, { tagPattern, tagPatternMatches }: Policy): void =>
    owner.log(call, `${verb}_immutability_policy`, { tag_pattern: tagPattern, tag_pattern_matches: tagPatternMatches })
  const found = (call: Call) => {
    const target = owner.find(call)
    const policy = policies.of(target).find((item) => item.uuid === call.parameter("policy_uuid"))
    if (policy === undefined) throw notFound()
    return { target, policy, others: policies.of(target).filter((other) => other !== policy) }
  }
  return [
    {
      ...shared,
      method: "GET",
      path: all,
      operation: `list${listed}ImmutabilityPolicies`,
      handle: (call) => json(200, { policies: policies.of(owner.find(call)) })
    },
    {
      ...shared,
      method: "POST",
      path: all,
      operation: `create${prefix}ImmutabilityPolicy`,
      body,
      handle: (call) => {
        const known = policies.of(owner.find(call))
        const policy = { uuid: uuid(call.registry.random), ...wanted(call, known) }
        known.push(policy)
        log(call, "create", policy)
        return json(201, { uuid: policy.uuid })
      }
    },
    {
      ...shared,
      method: "GET",
      path: one,
      operation: `get${prefix}ImmutabilityPolicy`,
      handle: (call) => json(200, found(call).policy)
    },
    {
      ...shared,
      method: "PUT",
      path: one,
      operation: `update${prefix}ImmutabilityPolicy`,
      body,
      handle: (call) => {
        const { policy, others } = found(call)
        Object.assign(policy, wanted(call, others))
        log(call, "update", policy)
        return noContent()
      }
    },
    {
      ...shared,
      method: "DELETE",
      path: one,
      operation: `delete${prefix}ImmutabilityPolicy`,
      handle: (call) => {
        const { target, policy, others } = found(call)
        policies.set(target, others)
        log(call, "delete", policy)
        return json(200, { uuid: policy.uuid })
      }
    }
  ]
}

const ofOrganizations = kept("organization")
const ofRepositories = kept("repository")

export const immutability: Kind = {
  name: "immutability",
  parts: [ofOrganizations, ofRepositories],
  routes: [
    ...routes(ORGANIZATION, ofOrganizations, "Org", "Org"),
    ...routes(REPOSITORY, ofRepositories, "Repository", "Repository")
  ]
}
