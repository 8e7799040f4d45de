// The audit log: what was done to an organization, a repository or the whole registry, line by line and counted by day.
// Leaves out exporting it, and every store but Quay's own database.
import { avatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { json } from "../errors.ts"
import { splitRobot } from "../names.ts"
import type { Kind, Route } from "../router.ts"
import type { LogEntry } from "../state.ts"
import { mailDate } from "../views.ts"
import { foundRepository, requireRole } from "./repository.ts"

const PAGE = 20
const DAY = 86_400_000
/** Keys count down from here, so that pages begin with what is newest. */
const LAST = 9_000_000_000_000

/** A day as `MM/DD/YYYY`; anything else counts as not given. */
const dayIn = (text: string | null): number | undefined => {
  const [, month, day, year] = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text ?? "") ?? []
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day))
  return Number.isNaN(date) || new Date(date).getUTCDate() !== Number(day) ? undefined : date
}

/** From the first day to the end of the last one; by default since yesterday. */
const range = (call: Call) => {
  const { query } = call.incoming
  const now = call.registry.now()
  const start = dayIn(query.get("starttime")) ?? now - DAY
  const end = (dayIn(query.get("endtime")) ?? now) + DAY
  return { start, end }
}

type Belongs = (entry: LogEntry) => boolean

/** The lines of the range that a request is about, each with its place in the log. */
const selected = (call: Call, belongs: Belongs) => {
  const { start, end } = range(call)
  const performer = call.incoming.query.get("performer")
  return call.state.log
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => {
      const time = Date.parse(entry.datetime)
      return time >= start && time < end && (performer === null || entry.performer === performer) && belongs(entry)
    })
}

const namespaceView = (call: Call, name: string) => {
  const organization = call.state.organizations.get(name)
  return organization === undefined
    ? { kind: "user", name, avatar: userAvatar(name) }
    : { kind: "org", name, avatar: avatar("org", name, organization.email ?? organization.uuid) }
}

const view = (call: Call, { kind, metadata, datetime, performer, namespace }: LogEntry, withNamespace: boolean) => ({
  kind,
  metadata,
  ip: performer === null ? null : "127.0.0.1",
  datetime: mailDate(datetime),
  ...(performer === null
    ? {}
    : {
        performer: {
          kind: "user",
          name: performer,
          is_robot: splitRobot(performer) !== undefined,
          avatar: userAvatar(performer)
        }
      }),
  ...(withNamespace && namespace !== null ? { namespace: namespaceView(call, namespace) } : {})
})

/** The last page that has anything still names a next one, which is empty: Quay looks through older tables there. */
const lines = (call: Call, belongs: Belongs, withNamespace: boolean) => {
  const { start, end } = range(call)
  const { pages } = call.registry
  const { items, next } = pages.page(
    selected(call, belongs),
    ({ index }) => String(LAST - index),
    PAGE,
    call.incoming.query.get("next_page")
  )
  return json(200, {
    start_time: mailDate(new Date(start).toISOString()),
    end_time: mailDate(new Date(end).toISOString()),
    logs: items.map(({ entry }) => view(call, entry, withNamespace)),
    ...(items.length > 0 && next.next_page === undefined ? { next_page: pages.seal(String(LAST + 1)) } : next)
  })
}

/** One count for each kind and day. */
const counts = (call: Call, belongs: Belongs) => {
  const days = new Map<string, { readonly kind: string; count: number; readonly datetime: string }>()
  for (const { entry } of selected(call, belongs)) {
    const day = entry.datetime.slice(0, 10)
    const known = days.get(`${entry.kind} ${day}`)
    if (known === undefined) {
      days.set(`${entry.kind} ${day}`, { kind: entry.kind, count: 1, datetime: mailDate(`${day}T00:00:00Z`) })
    } else known.count += 1
  }
  return json(200, { aggregated: [...days.values()] })
}

/** Whose log it is, once the caller may read it. */
interface Place {
  readonly base: string
  readonly shared: Pick<Route, "scope" | "guard" | "features">
  readonly operations: { readonly lines: string; readonly counts: string; readonly internal?: boolean }
  readonly belongs: (call: Call) => Belongs
  readonly withNamespace?: boolean
}

const PLACES: readonly Place[] = [
  {
    base: "/api/v1/organization/{orgname}",
    shared: { scope: "org:admin" },
    operations: { lines: "listOrgLogs", counts: "getAggregateOrgLogs" },
    belongs: (call) => {
      const { name } = call.administered()
      return ({ namespace }) => namespace === name
    }
  },
  {
    base: "/api/v1/repository/{repository}",
    shared: { scope: "repo:admin", guard: requireRole("admin") },
    operations: { lines: "listRepoLogs", counts: "getAggregateRepoLogs" },
    belongs: (call) => {
      const path = foundRepository(call)
      return ({ namespace, repository }) => namespace === path.namespace && repository === path.name
    }
  },
  {
    base: "/api/v1/user",
    shared: { scope: "user:admin", guard: ({ caller }) => caller.require(caller.adminsUser()) },
    operations: { lines: "listUserLogs", counts: "getAggregateUserLogs" },
    belongs: ({ caller }) => {
      return ({ namespace }) => namespace === caller.user
    }
  },
  {
    base: "/api/v1/superuser",
    shared: {
      scope: "super:user",
      features: ["SUPER_USERS"],
      guard: ({ caller }) => caller.require(caller.isSuperuser())
    },
    operations: { lines: "listAllLogs", counts: "listAllAggregateLogs", internal: true },
    belongs: () => () => true,
    withNamespace: true
  }
]

const routes = ({ base, shared, operations, belongs, withNamespace = false }: Place): readonly Route[] => [
  {
    ...shared,
    method: "GET",
    path: `${base}/logs`,
    operation: operations.lines,
    handle: (call) => lines(call, belongs(call), withNamespace)
  },
  {
    ...shared,
    method: "GET",
    path: `${base}/aggregatelogs`,
    operation: operations.counts,
    internal: operations.internal ?? false,
    features: [...(shared.features ?? []), "AGGREGATED_LOG_COUNT_RETRIEVAL"],
    handle: (call) => counts(call, belongs(call))
  }
]

export const log: Kind = { name: "log", routes: PLACES.flatMap(routes) }
