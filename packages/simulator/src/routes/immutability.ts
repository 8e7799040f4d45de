// Immutability policies of organizations and repositories, and what they do to tags: mark them, for good.
import type { Call } from "../call.ts"
import { invalidRequest, json, noContent, notFound } from "../errors.ts"
import { isAlive, type Tag, tags } from "../images.ts"
import { type Json, Reader } from "../json.ts"
import { ORGANIZATION, type Owner, REPOSITORY } from "../owners.ts"
import { uuid } from "../random.ts"
import type { Kind, Route } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Part, part, type Repository, type State } from "../state.ts"
import { foundRepository } from "./repository.ts"

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

/** The whole name must match. */
const covers = ({ tagPattern, tagPatternMatches }: Omit<Policy, "uuid">, name: string): boolean =>
  new RegExp(`^(?:${tagPattern})$`).test(name) === tagPatternMatches

const logByItself = (
  state: State,
  kind: string,
  namespace: string,
  repository: string | null,
  metadata: { readonly [key: string]: Json }
): void => {
  const datetime = new Date(state.options.now()).toISOString()
  state.log.push({ datetime, kind, performer: null, namespace, repository, metadata })
}

/** Tags that are there already are marked too, and expire no more. */
const coverTags = (call: Call, repositories: Iterable<Repository>, policy: Policy, where: Where): void => {
  const met = [...repositories]
    .flatMap((repository) => tags.of(repository))
    .filter((tag) => !tag.immutable && isAlive(tag, call.registry.now()) && covers(policy, tag.name))
  for (const tag of met) {
    tag.immutable = true
    if (!call.feature("IMMUTABLE_TAGS_CAN_EXPIRE")) tag.end = null
  }
  if (met.length === 0) return
  const { tagPattern: tag_pattern, tagPatternMatches: tag_pattern_matches } = policy
  const metadata = { namespace: where.namespace, tag_pattern, tag_pattern_matches, count: met.length }
  const { repository } = where
  const named = repository === undefined ? metadata : { ...metadata, repo: repository }
  logByItself(call.state, "tags_made_immutable_by_policy", where.namespace, repository ?? null, named)
}

interface Where {
  readonly namespace: string
  readonly repository?: string
}

const routes = (owner: Owner, policies: Part<Policy[]>, prefix: string, listed: string): readonly Route[] => {
  const all = `${owner.base}/immutabilitypolicy/`
  const one = `${all}{policy_uuid}`
  const shared = { ...owner.shared, features: ["IMMUTABLE_TAGS"], since: "3.17" } as const
  const body = { name: "ImmutabilityPolicyConfig", schema: CONFIG }
  const cover = (call: Call, policy: Policy): void => {
    if (owner.kind === "organization") {
      const { name, organization } = call.administered()
      coverTags(call, organization.repositories.values(), policy, { namespace: name })
    } else {
      const { namespace, name, repository } = foundRepository(call)
      coverTags(call, [repository], policy, { namespace, repository: name })
    }
  }
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
        cover(call, policy)
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
        cover(call, policy)
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

export const organizationPolicies = kept("organization")
const ofRepositories = kept("repository")

/** A tag that is made where a policy covers its name is immutable from the start. */
export const coverNewTag = (
  state: State,
  path: { readonly namespace: string; readonly name: string },
  tag: Tag
): void => {
  const organization = state.organizations.get(path.namespace)
  const repository = state.repository(path.namespace, path.name)
  const policy = [
    ...(organization === undefined ? [] : organizationPolicies.of(organization)),
    ...(repository === undefined ? [] : ofRepositories.of(repository))
  ].find((one) => covers(one, tag.name))
  if (policy === undefined) return
  tag.immutable = true
  tag.end = null
  const { tagPattern: tag_pattern, tagPatternMatches: tag_pattern_matches } = policy
  logByItself(state, "tag_made_immutable_by_policy", path.namespace, path.name, {
    namespace: path.namespace,
    repo: path.name,
    tag: tag.name,
    tag_pattern,
    tag_pattern_matches
  })
}

export const immutability: Kind = {
  name: "immutability",
  parts: [organizationPolicies, ofRepositories],
  routes: [
    ...routes(ORGANIZATION, organizationPolicies, "Org", "Org"),
    ...routes(REPOSITORY, ofRepositories, "Repository", "Repository")
  ]
}
