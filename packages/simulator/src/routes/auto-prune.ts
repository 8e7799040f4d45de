// Auto-prune policies of organizations and repositories. Leaves out pruning.
import type { Call } from "../call.ts"
import { invalidRequest, json, noContent, notFound } from "../errors.ts"
import { Reader, StateError } from "../json.ts"
import { ORGANIZATION, type Owner, REPOSITORY } from "../owners.ts"
import { uuid } from "../random.ts"
import type { Kind, Route, Since } from "../router.ts"
import type { Schema } from "../schema.ts"
import { type Part, part } from "../state.ts"

const METHODS = ["number_of_tags", "creation_date"]

interface Policy {
  readonly uuid: string
  method: string
  value: number | string
  tagPattern: string | null
  tagPatternMatches: boolean
}

const CONFIG = (since: Since): Schema => ({
  type: "object",
  required: ["method", "value"],
  properties: {
    method: { type: "string" },
    value: { type: ["integer", "string"] },
    ...(since("3.13") ? { tagPattern: { type: "string" }, tagPatternMatches: { type: "boolean" } } : {})
  }
})

const readPolicy = (value: unknown, place: string): Policy => {
  const reader = new Reader(value, place)
  const amount = reader.raw("value")
  if (typeof amount !== "number" && typeof amount !== "string") {
    throw new StateError(reader.at("value"), "must be a number or a text")
  }
  const policy: Policy = {
    uuid: reader.text("uuid", ""),
    method: reader.one("method", METHODS),
    value: amount,
    tagPattern: reader.text("tagPattern", null),
    tagPatternMatches: reader.flag("tagPatternMatches", true)
  }
  reader.end()
  return policy
}

const kept = (owner: Owner["kind"]) =>
  part<Policy[]>({
    owner,
    key: "auto_prune",
    empty: () => [],
    read: (value, place) => new Reader({ auto_prune: value }, place).list("auto_prune", readPolicy),
    write: (all) => (all.length === 0 ? undefined : all.map((policy) => ({ ...policy })))
  })

/** Everything of a policy but its id: what is left out of a change is reset. */
const wanted = (call: Call): Omit<Policy, "uuid"> => {
  const method = call.body.required("method")
  if (!METHODS.includes(method)) throw invalidRequest("Invalid method provided")
  const value = call.body.number("value") ?? call.body.text("value") ?? ""
  const good = method === "number_of_tags" ? typeof value === "number" && value > 0 : isPeriod(value)
  if (!good) throw invalidRequest("Invalid value given for method type")
  // Before patterns there were, they were dropped without a word.
  const patterns = call.since("3.13")
  return {
    method,
    value,
    tagPattern: patterns ? (call.body.text("tagPattern") ?? null) : null,
    tagPatternMatches: patterns ? (call.body.flag("tagPatternMatches") ?? true) : true
  }
}

const isPeriod = (value: number | string): boolean => typeof value === "string" && /^\d+[smhdwMy]$/.test(value)

const isSame = (a: Omit<Policy, "uuid">, b: Omit<Policy, "uuid">): boolean =>
  a.method === b.method &&
  a.value === b.value &&
  a.tagPattern === b.tagPattern &&
  a.tagPatternMatches === b.tagPatternMatches

const view = (call: Call, { tagPattern, tagPatternMatches, ...policy }: Policy) =>
  call.since("3.13") ? { ...policy, tagPattern, tagPatternMatches } : policy

const routes = (owner: Owner, policies: Part<Policy[]>, prefix: string, since: string): readonly Route[] => {
  const all = `${owner.base}/autoprunepolicy/`
  const one = `${all}{policy_uuid}`
  const shared = { ...owner.shared, features: ["AUTO_PRUNE"], since, listedSince: "3.10.25" } as const
  const body = { name: "AutoPrunePolicyConfig", schema: CONFIG }
  const log = (call: Call, verb: string, { method, value, tagPattern, tagPatternMatches }: Policy): void =>
    owner.log(call, `${verb}_${owner.kind === "organization" ? "namespace" : "repository"}_autoprune_policy`, {
      method,
      value,
      tag_pattern: tagPattern,
      tag_pattern_matches: tagPatternMatches
    })
  const found = (call: Call) => {
    const target = owner.find(call)
    const policy = policies.of(target).find((item) => item.uuid === call.parameter("policy_uuid"))
    if (policy === undefined) throw notFound()
    return { target, policy }
  }
  return [
    {
      ...shared,
      method: "GET",
      path: all,
      operation: `list${prefix}AutoPrunePolicies`,
      handle: (call) => json(200, { policies: policies.of(owner.find(call)).map((policy) => view(call, policy)) })
    },
    {
      ...shared,
      method: "POST",
      path: all,
      operation: `create${prefix}AutoPrunePolicy`,
      body,
      handle: (call) => {
        const known = policies.of(owner.find(call))
        const policy = { uuid: uuid(call.registry.random), ...wanted(call) }
        if (call.since("3.13") ? known.some((other) => isSame(other, policy)) : known.length > 0) {
          throw invalidRequest(
            "Existing policy with same values for this namespace, duplicate policies are not permitted"
          )
        }
        known.push(policy)
        log(call, "create", policy)
        return json(201, { uuid: policy.uuid })
      }
    },
    {
      ...shared,
      method: "GET",
      path: one,
      operation: `get${prefix}AutoPrunePolicy`,
      handle: (call) => json(200, view(call, found(call).policy))
    },
    {
      ...shared,
      method: "PUT",
      path: one,
      operation: `update${prefix}AutoPrunePolicy`,
      body,
      handle: (call) => {
        const { target, policy } = found(call)
        const change = wanted(call)
        if (policies.of(target).some((other) => other !== policy && isSame(other, change))) {
          throw invalidRequest(
            "Existing policy with same values for this namespace, duplicate policies are not permitted"
          )
        }
        Object.assign(policy, change)
        log(call, "update", policy)
        return noContent()
      }
    },
    {
      ...shared,
      method: "DELETE",
      path: one,
      operation: `delete${prefix}AutoPrunePolicy`,
      handle: (call) => {
        const { target, policy } = found(call)
        policies.set(
          target,
          policies.of(target).filter((other) => other !== policy)
        )
        log(call, "delete", policy)
        return json(200, { uuid: policy.uuid })
      }
    }
  ]
}

const ofOrganizations = kept("organization")
const ofRepositories = kept("repository")

export const autoPrune: Kind = {
  name: "auto-prune",
  parts: [ofOrganizations, ofRepositories],
  routes: [
    ...routes(ORGANIZATION, ofOrganizations, "Organization", "3.10"),
    ...routes(REPOSITORY, ofRepositories, "Repository", "3.11")
  ]
}
