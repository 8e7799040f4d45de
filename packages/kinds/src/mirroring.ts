/**
 * What mirrors of repositories and of organizations have in common: whose robot account writes, when they run, and how the
 * other registry is reached. Quay moves the date of the next run on by itself, and never tells a password.
 */
import { type Change, type SecretRef, secretRef } from "@quaymaster/engine"
import { Type } from "@sinclair/typebox"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { formatDuration, parseDuration } from "./duration.ts"
import { RobotName } from "./names.ts"
import { type Quay, reveal, type SecretUnavailable } from "./quay.ts"
import { SectionError } from "./section-error.ts"

const closed = { additionalProperties: false }

/** Stands for a user and a password that somebody put into an address elsewhere. */
const HIDDEN = "hidden@"

/** An address as it may be told. */
export const told = (address: string): string => address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, `$1${HIDDEN}`)

const isHidden = (address: string | undefined): boolean => /^([a-z][a-z0-9+.-]*:\/\/)?hidden@/i.test(address ?? "")

/** Whether there is more to the proxies than is told. */
export const hidesUser = ({ http, https }: Proxy): boolean => isHidden(http) || isHidden(https)

/** An address in a file. Nothing that is wrong with one is quoted: it may be the password. */
export const plainAddress = {
  pattern: "^[^@]*$",
  "x-rule": "an address without a user and a password in it",
  writeOnly: true
} as const

const texts = (options: object, http: string, https: string, no_proxy: string) =>
  Type.Object(
    {
      http: Type.Optional(Type.String({ ...options, description: http })),
      https: Type.Optional(Type.String({ ...options, description: https })),
      no_proxy: Type.Optional(Type.String({ description: no_proxy }))
    },
    { ...closed, description: "Through what the other registry is reached. Empty text: directly." }
  )

const PROXY = [
  "The proxy for http.",
  "The proxy for https: `http://proxy.example.com:3128`.",
  "Hosts that are reached directly, with commas between them."
] as const

/** The fields of an object. Lengths of time are in their shortest form; no user name, and no proxy, is an empty text. */
export const mirroringFields = {
  robot: Type.Optional(Type.String()),
  interval: Type.Optional(Type.String()),
  /** When it runs next, or shall run first. Never compared as it is: see `mirroringChanges`. */
  start: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  /** Where the user name is, if that is a secret, too. */
  username_secret: Type.Optional(secretRef),
  password: Type.Optional(secretRef),
  verify_tls: Type.Optional(Type.Boolean()),
  proxy: Type.Optional(texts({}, ...PROXY)),
  enabled: Type.Optional(Type.Boolean()),
  timeout: Type.Optional(Type.String()),
  /** Asked for by hand: that it runs now. No file says it. */
  sync: Type.Optional(Type.Literal("now", { writeOnly: true }))
}

/** What can be asked of any mirror by hand. */
export const mirroringRequest = {
  request: "sync-now",
  asked: (): { readonly sync: "now" } => ({ sync: "now" })
}

const duration = (description: string) =>
  Type.Optional(
    Type.String({ pattern: "^[1-9][0-9]{0,8}[smhdw]$", "x-rule": "a number and a unit: 30m, 24h, 7d", description })
  )

const DEFAULT_INTERVAL = "24h"

/** The same in a file. */
export const mirroringNode = {
  robot: Type.Optional(RobotName),
  interval: duration(
    `How long from one run to the next: \`24h\`. A new mirror has ${DEFAULT_INTERVAL} if it is left out.`
  ),
  start: Type.Optional(
    Type.String({
      pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
      "x-rule": "a time such as 2027-01-01T02:00:00Z",
      description: "When it runs first. Later runs follow at the interval, so later only the rhythm is compared."
    })
  ),
  username: Type.Optional(
    Type.Union([Type.String(), secretRef], {
      "x-rule": "text, { env: NAME } or { file: PATH }",
      description: "Who signs in to the other registry. Empty text: nobody."
    })
  ),
  password: Type.Optional(secretRef),
  verify_tls: Type.Optional(
    Type.Boolean({ description: "Whether the other registry's certificate is checked. Default true." })
  ),
  proxy: Type.Optional(texts(plainAddress, ...PROXY)),
  enabled: Type.Optional(Type.Boolean({ description: "false: it stays, and does not run." })),
  timeout: duration("How long one run may take to copy an image: `5m`.")
}

export interface Proxy {
  readonly http?: string
  readonly https?: string
  readonly no_proxy?: string
}

/** What a file or a registry says of any mirror. */
export interface Mirroring {
  readonly robot?: string
  readonly interval?: string
  readonly start?: string
  readonly username?: string
  readonly username_secret?: SecretRef
  readonly password?: SecretRef
  readonly verify_tls?: boolean
  readonly proxy?: Proxy
  readonly enabled?: boolean
  readonly timeout?: string
  readonly sync?: "now"
}

export interface MirroringNode extends Omit<Mirroring, "username" | "username_secret" | "sync"> {
  readonly username?: string | SecretRef
}

const shortest = (text: string): string => formatDuration(parseDuration(text))

/** @throws {SectionError} for what a schema cannot say. */
export const readMirroring = (
  node: MirroringNode,
  limits: { readonly timeout: readonly [least: string, most: string]; readonly interval: string }
): Mirroring => {
  const { enabled, interval, password, proxy, robot, start, timeout, username, verify_tls } = node
  if (interval !== undefined && parseDuration(interval) < parseDuration(limits.interval))
    throw new SectionError(`interval should be at least ${limits.interval}, is ${interval}`, ["interval"])
  if (start !== undefined && Number.isNaN(Date.parse(start)))
    throw new SectionError(`start should be a time such as 2027-01-01T02:00:00Z, is ${start}`, ["start"])
  const [least, most] = limits.timeout
  const seconds = timeout === undefined ? undefined : parseDuration(timeout)
  if (seconds !== undefined && (seconds < parseDuration(least) || seconds > parseDuration(most)))
    throw new SectionError(`timeout should be from ${least} to ${most}, is ${timeout}`, ["timeout"])
  if (password !== undefined && (username === undefined || username === ""))
    throw new SectionError("password needs a username: Quay takes the one only together with the other", ["password"])
  return {
    ...(robot === undefined ? {} : { robot }),
    ...(interval === undefined ? {} : { interval: shortest(interval) }),
    ...(start === undefined ? {} : { start }),
    ...(username === undefined ? {} : typeof username === "string" ? { username } : { username_secret: username }),
    ...(password === undefined ? {} : { password }),
    ...(verify_tls === undefined ? {} : { verify_tls }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(timeout === undefined ? {} : { timeout: shortest(timeout) })
  }
}

/** Without the date of the next run, which is another one in each export. */
export const writeMirroring = ({
  enabled,
  interval,
  password,
  proxy,
  robot,
  timeout,
  username,
  verify_tls
}: Mirroring): MirroringNode => {
  const proxies = Object.fromEntries(
    Object.entries(proxy ?? {}).filter(([, value]) => value !== "" && !isHidden(value))
  )
  return {
    ...(robot === undefined ? {} : { robot }),
    ...(interval === undefined ? {} : { interval }),
    ...(username === undefined || username === "" ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(verify_tls === false ? { verify_tls } : {}),
    ...(Object.keys(proxies).length === 0 ? {} : { proxy: proxies }),
    ...(enabled === false ? { enabled } : {}),
    ...(timeout === undefined || timeout === DEFAULT_TIMEOUT ? {} : { timeout })
  }
}

const DEFAULT_TIMEOUT = shortest("5m")

/** What Quay tells of any mirror, as far as it has the same names for it. */
interface View {
  readonly is_enabled: boolean
  readonly external_registry_username: string | null
  readonly robot_username: string | null
  readonly sync_interval: number
  readonly sync_start_date: string | null
}

export const mirroringFrom = (organization: string, view: View): Mirroring => {
  const { external_registry_username, is_enabled, robot_username, sync_interval, sync_start_date } = view
  return {
    ...(robot_username === null ? {} : { robot: robot_username.slice(organization.length + 1) }),
    interval: formatDuration(sync_interval),
    ...(sync_start_date === null ? {} : { start: sync_start_date }),
    username: external_registry_username ?? "",
    enabled: is_enabled
  }
}

const dateOf = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(".000Z", "Z")

/**
 * The difference of two dates as far as they are not the same rhythm. Quay's is told as the last run before the wanted one, so
 * that it is the same whenever it is asked for.
 */
const startChanges = (before: Mirroring, after: Mirroring): ReadonlyArray<Change> => {
  if (after.start === undefined) return []
  if (before.start === undefined) return [{ field: "start", after: after.start }]
  const interval = parseDuration(after.interval ?? before.interval ?? DEFAULT_INTERVAL) * 1000
  const wanted = Date.parse(after.start)
  const late = (((wanted - Date.parse(before.start)) % interval) + interval) % interval
  return late === 0 ? [] : [{ field: "start", before: dateOf(wanted - late), after: after.start }]
}

/** What differs, beside what the schema tells. That it runs now is nothing that is ever so already. */
export const mirroringChanges = (before: Mirroring, after: Mirroring): ReadonlyArray<Change> => [
  ...startChanges(before, after),
  ...(after.sync === undefined ? [] : [{ field: "sync", after: after.sync }])
]

/** One that is off does not run, whoever asks. */
export const refusesToRun = ({ enabled, sync }: Mirroring, before: Mirroring | undefined): string | undefined =>
  sync === undefined || (enabled ?? before?.enabled ?? true) ? undefined : "It is off, so it cannot run now."

/** Asks that a mirror runs now. One that is running already is as good as that, and Quay says that there is none. */
export const syncNow = <E extends { readonly _tag: string }, R, E2, R2>(
  request: Effect.Effect<unknown, E, R>,
  status: Effect.Effect<string | undefined, E2, R2>
): Effect.Effect<void, E | E2, R | R2> =>
  Effect.catch(Effect.asVoid(request), (error) =>
    error._tag === "Missing"
      ? Effect.flatMap(status, (now) => (now === "SYNCING" ? Effect.void : Effect.fail(error)))
      : Effect.fail(error)
  )

/** When a new mirror runs, and how often: from now on, where no file says it. */
export const scheduleOf = ({ interval, start }: Mirroring) =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    sync_interval: parseDuration(interval ?? DEFAULT_INTERVAL),
    sync_start_date: start ?? dateOf(now - (now % 1000))
  }))

/** The fields that changes are in, without what is inside them. */
export const changedFields = (changes: ReadonlyArray<Change>): ReadonlySet<string> =>
  new Set(changes.map(({ field }) => field.split(".")[0] ?? field))

/** The part of a change that both kinds send alike. */
export const mirroringBody = ({ enabled, interval, start }: Mirroring, fields: ReadonlySet<string>) => ({
  ...(fields.has("enabled") && enabled !== undefined ? { is_enabled: enabled } : {}),
  ...(fields.has("interval") && interval !== undefined ? { sync_interval: parseDuration(interval) } : {}),
  ...(fields.has("start") && start !== undefined ? { sync_start_date: start } : {})
})

interface Credentials {
  readonly external_registry_username?: string | null
  readonly external_registry_password?: string
}

/** What signs in. A secret is sent whenever anything is; Quay takes a password only with a user name beside it. */
export const credentialsOf = (
  after: Mirroring,
  fields?: ReadonlySet<string>
): Effect.Effect<Credentials, SecretUnavailable, Quay> =>
  Effect.gen(function* () {
    const { username } = after
    const secret = yield* reveal(after.username_secret)
    const password = yield* reveal(after.password)
    const name = secret ?? (password !== undefined || fields?.has("username") !== false ? username : undefined)
    return {
      ...(name === undefined ? {} : { external_registry_username: name === "" ? null : name }),
      ...(password === undefined ? {} : { external_registry_password: password })
    }
  })

/** Proxies as Quay names them; an empty one is none. */
export const proxyBody = (proxy: Proxy) => {
  const { http, https, no_proxy } = proxy
  return {
    ...(http === undefined ? {} : { http_proxy: http === "" ? null : http }),
    ...(https === undefined ? {} : { https_proxy: https === "" ? null : https }),
    ...(no_proxy === undefined ? {} : { no_proxy: no_proxy === "" ? null : no_proxy })
  }
}

export const NO_PROXY: Required<Proxy> = { http: "", https: "", no_proxy: "" }
