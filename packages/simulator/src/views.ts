// Pieces of answers that several kinds show: quotas, dates, and whether someone belongs to an organization.
import type { Call, Quotas } from "./call.ts"
import { usage } from "./images.ts"
import { splitRobot } from "./names.ts"
import type { Organization, Repository, State } from "./state.ts"

const quotasOf = (call: Call, namespace: string): Quotas => {
  const hook = call.registry.hooks.find(({ quotas }) => quotas !== undefined)
  return hook?.quotas?.(call, namespace) ?? { quotas: [], bytes: null }
}

const namespaceUsage = (state: State, namespace: string): number =>
  usage(state.namespace(namespace)?.repositories.values() ?? [])

export const configuredQuota = (call: Call, namespace: string): number | null => quotasOf(call, namespace).bytes

/** The keys that views of organizations and users have where quotas can be edited. */
export const quotaView = (call: Call, namespace: string) => {
  if (!call.feature("QUOTA_MANAGEMENT") || !call.feature("EDIT_QUOTA")) return {}
  const { quotas, bytes } = quotasOf(call, namespace)
  const quota_bytes = namespaceUsage(call.state, namespace)
  // What was pushed is counted as it comes; until then the worker that counts what is there has not looked.
  const backfill = quota_bytes > 0 ? "complete" : "waiting"
  return {
    quotas,
    quota_report: {
      quota_bytes,
      configured_quota: bytes,
      ...(call.since("3.9") ? { running_backfill: backfill, backfill_status: backfill } : {})
    }
  }
}

/** A date as e-mail writes it, in Python's manner. */
export const mailDate = (iso: string): string => new Date(iso).toUTCString().replace("GMT", "-0000")

export const isInSomeTeam = (organization: Organization, user: string): boolean =>
  [...organization.teams.values()].some(({ members }) => members.has(user))

/** A robot of the organization, or a person in one of its teams. */
export const belongs = (state: State, namespace: string, user: string): boolean => {
  const robot = splitRobot(user)
  if (robot !== undefined) return robot.namespace === namespace
  const organization = state.organizations.get(namespace)
  return organization !== undefined && isInSomeTeam(organization, user)
}

export const repositoriesOf = (
  owner: { readonly repositories: ReadonlyMap<string, Repository> },
  user: string
): string[] =>
  [...owner.repositories].filter(([, { permissions }]) => permissions.users.has(user)).map(([name]) => name)

export const isPublic = (repository: Repository): boolean => repository.visibility === "public"
