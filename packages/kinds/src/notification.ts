/**
 * What notifications of repositories and of organizations have in common. Quay knows one by a generated id alone, cannot change it,
 * and lets the same one be there several times, so one is known here by all that it says; of several that say the same, by its
 * number.
 *
 * Quay tells administrators the address or the token that a notification is sent with. Neither leaves this file: what a
 * notification is known by has a digest of it. One that a file refers to is looked up to find the notification that has
 * it. Where that cannot be done, the file is taken at its word, and none of the notifications that could be meant is removed.
 */
import { createHash } from "node:crypto"
import { byText, canonical, isRecord, type Ref, type SecretRef, secretRef } from "@quaymaster/engine"
import type { NotificationView } from "@quaymaster/sdk"
import { type Static, type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import * as Effect from "effect/Effect"
import { item } from "./names.ts"
import { reveal } from "./quay.ts"
import { SectionError } from "./section-error.ts"
import { userRef } from "./user.ts"

/** The fields of the objects, beside where they live. Events and methods may be such as only a newer Quay knows. */
export const notificationFields = {
  event: Type.String(),
  method: Type.String(),
  title: Type.Optional(Type.String()),
  event_config: Type.Optional(
    item({
      level: Type.Optional(Type.Integer()),
      ref_regex: Type.Optional(Type.String()),
      days: Type.Optional(Type.Integer())
    })
  ),
  config: Type.Optional(
    item({
      url: Type.Optional(Type.String()),
      template: Type.Optional(Type.String()),
      email: Type.Optional(Type.String()),
      target: Type.Optional(item({ kind: Type.String(), name: Type.String() })),
      room_id: Type.Optional(Type.String())
    })
  ),
  /** Where the address or the token is; or that there is one, which is not told. */
  secret: Type.Optional(Type.Union([secretRef, Type.Literal("hidden")])),
  // From here on nothing is declared.
  /** Which one this is of several that say the same, from the second on. */
  nth: Type.Optional(Type.Integer({ minimum: 2 })),
  /** What stands for the address or the token. */
  digest: Type.Optional(Type.String()),
  /** The reference could not be looked up, and there are this many others that could be meant. */
  others: Type.Optional(Type.Integer()),
  /** One of these others. */
  uncertain: Type.Optional(Type.Boolean()),
  uuid: Type.Optional(Type.String()),
  number_of_failures: Type.Optional(Type.Integer())
}

export type Notification = Static<TObject<typeof notificationFields>>
type EventConfig = NonNullable<Notification["event_config"]>

/** All of it makes a notification what it is, or is never compared. */
export const notificationIdentity = Object.keys(notificationFields)

/** The setting that is the address or the token, by method. */
const SECRETS: ReadonlyMap<string, string> = new Map([
  ["webhook", "url"],
  ["slack", "url"],
  ["flowdock", "flow_api_token"],
  ["hipchat", "notification_token"]
])

// What a file says

// Whoever knows a Slack webhook's address may post to it, so that one is a secret as a whole. Any other may be public, but for
// the parts of it that passwords and tokens stand in.
const Url = Type.Union([Type.String({ pattern: "^https?://[^\\s/@?#]+(/[^\\s@?#]*)?$" }), secretRef], {
  writeOnly: true,
  "x-rule":
    "an address that begins with https:// or http:// and has no user, no query and no fragment, { env: NAME } or { file: PATH }",
  description: "Where Quay posts what happened."
})

/** An entry of a section: one alternative for each method. `fields` are those of the event. */
export const notificationEntry = <Fields extends TProperties>(fields: Fields) => {
  const entry = <const Method extends string, Config extends TProperties>(method: Method, config: Config) =>
    item({
      ...fields,
      method: Type.Literal(method),
      config: item(config),
      title: Type.Optional(Type.String({ minLength: 1, description: "What people know it by." }))
    })
  return Type.Union([
    entry("webhook", {
      url: Url,
      template: Type.Optional(Type.String({ minLength: 1, description: "A template of the JSON that Quay posts." }))
    }),
    entry("slack", { url: secretRef }),
    entry("email", {
      email: Type.String({
        pattern: "^[^@\\s]+@[^@\\s]+$",
        "x-rule": "an e-mail address",
        description: "Who is sent a mail."
      })
    }),
    entry("quay_notification", {
      target: item({
        kind: Type.Union([Type.Literal("user"), Type.Literal("team"), Type.Literal("org")], {
          description: "Who is told in Quay: a user, a team of the organization, or the organization."
        }),
        name: Type.String({ minLength: 1, description: "The name." })
      })
    }),
    entry("flowdock", { flow_api_token: secretRef }),
    entry("hipchat", {
      notification_token: secretRef,
      room_id: Type.String({ minLength: 1, description: "The room." })
    })
  ])
}

/** An entry as either section has it. */
export type NotificationEntry = {
  readonly event: string
  readonly title?: string
  readonly event_config?: EventConfig
} & (
  | { readonly method: "webhook"; readonly config: { readonly url: string | SecretRef; readonly template?: string } }
  | { readonly method: "slack"; readonly config: { readonly url: SecretRef } }
  | { readonly method: "email"; readonly config: { readonly email: string } }
  | {
      readonly method: "quay_notification"
      readonly config: { readonly target: { readonly kind: "user" | "team" | "org"; readonly name: string } }
    }
  | { readonly method: "flowdock"; readonly config: { readonly flow_api_token: SecretRef } }
  | {
      readonly method: "hipchat"
      readonly config: { readonly notification_token: SecretRef; readonly room_id: string }
    }
)

const settings = (entry: NotificationEntry): Pick<Notification, "config" | "secret"> => {
  switch (entry.method) {
    case "slack":
      return { config: {}, secret: entry.config.url }
    case "webhook": {
      const { url, ...rest } = entry.config
      return typeof url === "string" ? { config: { url, ...rest } } : { config: rest, secret: url }
    }
    case "email":
    case "quay_notification":
      return { config: entry.config }
    case "flowdock":
      return { config: {}, secret: entry.config.flow_api_token }
    case "hipchat": {
      const { notification_token, room_id } = entry.config
      return { config: { room_id }, secret: notification_token }
    }
  }
}

/** What a notification of an event can be narrowed down by, and whether it must be. */
const narrowing = (event: string): { readonly field: keyof EventConfig; readonly must: boolean } | undefined => {
  if (event === "vulnerability_found") return { field: "level", must: false }
  if (event === "repo_image_expiry") return { field: "days", must: true }
  return event.startsWith("build_") ? { field: "ref_regex", must: false } : undefined
}

/** What is wrong with how a notification is narrowed down, if anything. */
const misfit = ({ event, event_config = {} }: Pick<Notification, "event" | "event_config">): string | undefined => {
  const allowed = narrowing(event)
  const other = Object.keys(event_config).find((field) => field !== allowed?.field)
  if (other !== undefined) return `${event} has no ${other} in its event_config`
  return allowed?.must === true && event_config[allowed.field] === undefined
    ? `${event} needs ${allowed.field} in its event_config`
    : undefined
}

/**
 * The notifications that a section declares.
 * @throws {SectionError} if an entry is narrowed down by what its event does not have.
 */
export const readNotifications = (entries: ReadonlyArray<NotificationEntry>) =>
  entries.map((entry, i) => {
    const { event, event_config = {}, method, title } = entry
    const fault = misfit(entry)
    if (fault !== undefined) throw new SectionError(fault, [i])
    const found: Notification = {
      event,
      method,
      ...(title === undefined ? {} : { title }),
      ...(Object.keys(event_config).length === 0 ? {} : { event_config }),
      ...settings(entry)
    }
    return { item: found, path: [i] }
  })

/**
 * The entry that declares a notification, whether a file could have it or not. What is not told becomes an environment
 * variable; `nth` is in the name of that, from two on.
 */
const entryOf = (parent: string, found: Notification, nth = 1): unknown => {
  const { config = {}, event, event_config, method, secret, title } = found
  const name = SECRETS.get(method)
  const words = ["quay", parent, event, title ?? method, name, ...(nth === 1 ? [] : [nth])].join("_")
  const variable = { env: words.toUpperCase().replace(/[^A-Z0-9]+/g, "_") }
  return {
    event,
    method,
    config: {
      ...config,
      ...(secret === undefined || name === undefined ? {} : { [name]: secret === "hidden" ? variable : secret })
    },
    ...(event_config === undefined ? {} : { event_config }),
    ...(title === undefined ? {} : { title })
  }
}

/** Whether a file can declare it. One of an event that is not known here, for one, is left alone. */
export const isDeclarable = (entry: TSchema, parent: string, found: Notification): boolean =>
  misfit(found) === undefined && Value.Check(entry, entryOf(parent, found))

/** The entries that declare these notifications. */
export const writeNotifications = <Entry extends TSchema, Item extends Notification>(
  entry: Entry,
  items: ReadonlyArray<Item>,
  parentOf: (item: Item) => string
): Array<Static<Entry>> => {
  const counts = new Map<string, number>()
  return items
    .filter((it) => isDeclarable(entry, parentOf(it), it))
    .toSorted((a, b) => byText(contentOf(a), contentOf(b)) || (a.nth ?? 1) - (b.nth ?? 1))
    .map((it) => {
      const base = contentOf(it, false)
      const count = (counts.get(base) ?? 0) + 1
      counts.set(base, count)
      return entryOf(parentOf(it), it, count)
    })
    .filter((it) => Value.Check(entry, it))
}

// What it is known by

/** Long enough that nobody can make another text that passes for this one. */
const digest64 = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16)

/** A text as part of a key: as it is where nothing in it could be taken for something else. */
const word = (text: string): string => (/^[\w.:@/+~-]+$/.test(text) ? text : JSON.stringify(text))

/** An address by its host and a digest of it all. */
const digestOf = (address: string): string => {
  const host = URL.parse(address)?.hostname
  return `${host === undefined || host === "" ? "" : `${host}~`}${digest64(address)}`
}

const referenceText = (reference: SecretRef): string =>
  "env" in reference ? `env:${reference.env}` : `file:${reference.file}`

/** All that a notification says: with where it is sent, or with everything else alone. */
const contentOf = (found: Notification, withAddress = true): string => {
  const { config = {}, digest, event, event_config = {}, method, secret, title } = found
  const { email, room_id, target, template, url } = config
  const address =
    secret === undefined || secret === "hidden" ? (digest ?? (url && digestOf(url))) : referenceText(secret)
  const parts: ReadonlyArray<readonly [name: string, value: string | number | undefined]> = [
    ["title", title],
    ["level", event_config.level],
    ["ref_regex", event_config.ref_regex],
    ["days", event_config.days],
    ["email", email],
    ["target", target === undefined ? undefined : `${target.kind}:${target.name}`],
    ["room_id", room_id],
    ["template", template === undefined ? undefined : digest64(template)],
    ["to", withAddress ? address : undefined]
  ]
  const said = parts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${word(String(value))}`]))
  return [event, method, ...(said.length === 0 ? [] : [said.join(",")])].join("/")
}

export const notificationKey = (parent: string, found: Notification): string =>
  `${parent}/${contentOf(found)}${found.nth === undefined ? "" : `#${found.nth}`}`

/** Of several that say the same the last is deleted first: each one's number would else be another's by then. */
export const namesakeNeeds = (kind: string, parent: string, { nth, ...found }: Notification): ReadonlyArray<Ref> => {
  if (nth === undefined) return []
  const before = nth === 2 ? found : { ...found, nth: nth - 1 }
  return [{ kind, key: notificationKey(parent, before), parent, cascades: false }]
}

/** What files name: the keys, and the references in them by the rest of the key. */
export interface Named {
  readonly keys: ReadonlySet<string>
  readonly references: ReadonlyMap<string, ReadonlyArray<SecretRef>>
}

const referenceIn = (text: string): SecretRef | undefined => {
  const [, kind, rest = ""] = /^(env|file):(.+)$/s.exec(text) ?? []
  return kind === undefined ? undefined : kind === "env" ? { env: rest } : { file: rest }
}

export const namedIn = (declared: ReadonlySet<string>): Named => {
  const references = new Map<string, Array<SecretRef>>()
  for (const key of [...declared].sort(byText)) {
    const [, base, value = ""] = /^(.+)[/,]to=("(?:[^"\\]|\\.)*"|[^",]+)$/s.exec(key) ?? []
    const reference = referenceIn(value.startsWith('"') ? String(JSON.parse(value)) : value)
    if (base === undefined || reference === undefined) continue
    references.set(base, [...(references.get(base) ?? []), reference])
  }
  return { keys: declared, references }
}

// What Quay says

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const number = (value: unknown): number | undefined => {
  const count = typeof value === "string" && value !== "" ? Number(value) : value
  return typeof count === "number" && Number.isInteger(count) ? count : undefined
}

const targetOf = (target: unknown): { readonly kind: string; readonly name: string } | undefined => {
  if (!isRecord(target)) return undefined
  const [kind, name] = [text(target["kind"]), text(target["name"])]
  return kind === undefined || name === undefined ? undefined : { kind, name }
}

const eventConfigOf = (event: string, said: Readonly<Record<string, unknown>>): EventConfig => {
  const [level, days, ref_regex] = [number(said["level"]), number(said["days"]), text(said["ref-regex"])]
  switch (narrowing(event)?.field) {
    case "level":
      return level === undefined ? {} : { level }
    case "days":
      return days === undefined ? {} : { days }
    case "ref_regex":
      return ref_regex === undefined ? {} : { ref_regex }
    default:
      return {}
  }
}

/** What Quay has, with a digest of the address or the token, and this itself. */
interface Told {
  readonly found: Notification
  readonly secret: string | undefined
}

const fromView = (view: NotificationView): Told => {
  const { event, method, number_of_failures, uuid } = view
  const { email, room_id, target, template, ...rest } = view.config
  const shown = {
    email: text(email),
    room: typeof room_id === "number" ? String(room_id) : text(room_id),
    target: targetOf(target),
    template: text(template)
  }
  const title = text(view.title)
  const event_config = eventConfigOf(event, view.event_config)
  const secret = Object.keys(rest).length === 1 ? text(rest[SECRETS.get(method) ?? ""]) : undefined
  const found: Notification = {
    event,
    method,
    ...(title === undefined ? {} : { title }),
    ...(Object.keys(event_config).length === 0 ? {} : { event_config }),
    config: {
      ...(shown.template === undefined ? {} : { template: shown.template }),
      ...(shown.email === undefined ? {} : { email: shown.email }),
      ...(shown.target === undefined ? {} : { target: shown.target }),
      ...(shown.room === undefined ? {} : { room_id: shown.room })
    },
    ...(Object.keys(rest).length === 0
      ? {}
      : { secret: "hidden", digest: secret === undefined ? digest64(canonical(rest)) : digestOf(secret) }),
    uuid,
    number_of_failures
  }
  return { found, secret }
}

/** The secret, where it can be had. */
const lookedUp = (reference: SecretRef) => Effect.orElseSucceed(reveal(reference), () => undefined)

/** Of notifications that say the same but for where they are sent, which is which. */
const sorted = (parent: string, group: ReadonlyArray<Told>, { keys, references }: Named) =>
  Effect.gen(function* () {
    const [first] = group
    const base = first === undefined ? "" : `${parent}/${contentOf(first.found, false)}`
    const items: Array<Notification> = []
    const plain = new Map<string, Told>()
    for (const told of group) {
      const key = notificationKey(parent, told.found)
      if (keys.has(key) && !plain.has(key)) plain.set(key, told)
    }
    const free = new Set(group.filter((told) => ![...plain.values()].includes(told)))
    const unknown: Array<SecretRef> = []
    for (const reference of references.get(base) ?? []) {
      const secret = yield* lookedUp(reference)
      if (secret === undefined) {
        unknown.push(reference)
        continue
      }
      const has = (told: Told) => told.secret === secret
      // Two references may stand for the same: then what is there is both.
      const told = [...free].find(has) ?? group.find(has)
      if (told === undefined) continue
      free.delete(told)
      items.push({ ...told.found, secret: reference })
    }
    const others = Math.max(0, free.size - unknown.length)
    for (const reference of unknown) {
      const [told] = free
      if (told === undefined) break
      free.delete(told)
      items.push({ ...told.found, secret: reference, others })
    }
    const counts = new Map<string, number>()
    for (const told of [...plain.values(), ...free]) {
      const key = notificationKey(parent, told.found)
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      items.push({
        ...told.found,
        ...(count === 1 ? {} : { nth: count }),
        ...(unknown.length > 0 && free.has(told) ? { uncertain: true } : {})
      })
    }
    return items
  })

/** The notifications of one repository or organization. */
export const notificationsOf = (parent: string, views: ReadonlyArray<NotificationView>, named: Named) => {
  const groups = new Map<string, Array<Told>>()
  for (const view of views.toSorted((a, b) => byText(a.uuid, b.uuid))) {
    const told = fromView(view)
    const base = contentOf(told.found, false)
    groups.set(base, [...(groups.get(base) ?? []), told])
  }
  return Effect.map(
    Effect.forEach(groups.values(), (group) => sorted(parent, group, named)),
    (lists) => lists.flat()
  )
}

/** Of the notifications of one place, those that say the same as one that was made, from the next number on. */
export const surplusNotifications = <Item extends Notification>(
  made: Item,
  found: ReadonlyArray<Item>,
  parentOf: (item: Item) => string
): ReadonlyArray<Item> => {
  const parent = parentOf(made)
  const own = found.find((it) => notificationKey(parentOf(it), it) === notificationKey(parent, made))
  if (own === undefined) return []
  const said = (it: Notification) => contentOf({ ...it, secret: "hidden" })
  return found.filter(
    (it) => it !== own && parentOf(it) === parent && said(it) === said(own) && (it.nth ?? 1) >= (own.nth ?? 1)
  )
}

/** Who is told has to be there. */
export const targetNeeds = (organization: string, { config }: Notification): ReadonlyArray<Ref> => {
  const target = config?.target
  switch (target?.kind) {
    case "team":
      return [{ kind: "team", key: `${organization}/${target.name}`, parent: organization }]
    case "user":
      return [{ ...userRef(target.name), cascades: false }]
    default:
      return []
  }
}

// What Quay is sent

/** What creates the notification, with its secret looked up. */
export const notificationBody = ({ config = {}, event, event_config = {}, method, secret, title }: Notification) =>
  Effect.map(reveal(secret === "hidden" ? undefined : secret), (revealed) => {
    const { days, level, ref_regex } = event_config
    const name = SECRETS.get(method)
    return {
      event,
      method,
      config: { ...config, ...(revealed === undefined || name === undefined ? {} : { [name]: revealed }) },
      eventConfig: {
        ...(level === undefined ? {} : { level }),
        ...(days === undefined ? {} : { days }),
        ...(ref_regex === undefined ? {} : { "ref-regex": ref_regex })
      },
      ...(title === undefined ? {} : { title })
    }
  })

// What people should know

/** From this many times on Quay gives up. */
const GIVEN_UP = 3

export const notificationNotices = (found: Notification, before: Notification | undefined): ReadonlyArray<string> => {
  const { number_of_failures: failures = 0, others } = before ?? {}
  const { secret } = found
  const notices: Array<string> = []
  if (others !== undefined && secret !== undefined && secret !== "hidden") {
    const taken = `${referenceText(secret)} cannot be looked up here, so what is there is taken for what is wanted`
    const rest = `${others} more that could be meant ${others === 1 ? "is" : "are"} left alone`
    notices.push(others === 0 ? `${taken}.` : `${taken}, and ${rest}.`)
  }
  if (failures >= GIVEN_UP)
    notices.push(
      `It could not be sent ${failures} times in a row, so Quay sends it no more until its failures are reset.`
    )
  return notices
}
