// What notifications of repositories and of organizations have in common: their shape, and what their methods need.
import type { Call } from "./call.ts"
import { invalidRequest } from "./errors.ts"
import { isObject, type Json, Reader, StateError } from "./json.ts"
import { uuid } from "./random.ts"
import type { Schema } from "./schema.ts"

export interface Notification {
  readonly uuid: string
  readonly title: string | null
  readonly event: string
  readonly method: string
  readonly config: { [key: string]: Json }
  readonly event_config: { [key: string]: Json }
  number_of_failures: number
}

export const NOTIFICATION: Schema = {
  type: "object",
  required: ["event", "method", "config", "eventConfig"],
  properties: {
    event: { type: "string" },
    method: { type: "string" },
    config: { type: "object" },
    eventConfig: { type: "object" },
    title: { type: "string" }
  }
}

/** The key that a method's configuration must have as a text, and what it is called when it is missing. */
const NEEDS = new Map([
  ["webhook", { key: "url", what: "webhook URL" }],
  ["slack", { key: "url", what: "Slack Callback URL" }],
  ["flowdock", { key: "flow_api_token", what: "Flowdock API token" }],
  ["hipchat", { key: "notification_token", what: "Hipchat Room Notification Token" }]
])

export const isMethod = (method: string): boolean =>
  NEEDS.has(method) || method === "email" || method === "quay_notification"

const isLoopback = (url: string): boolean =>
  URL.canParse(url) && /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)

const checkTarget = (call: Call, namespace: string, config: { readonly [key: string]: Json }): void => {
  const target = config["target"]
  const { kind, name } = isObject(target) ? target : {}
  if (typeof kind !== "string" || typeof name !== "string") throw invalidRequest("Missing target")
  const organization = call.state.organizations.get(namespace)
  if (kind === "team" && organization?.teams.has(name) !== true) throw invalidRequest(`Unknown team ${name}`)
  if (kind === "user" && !call.state.isPerson(name)) throw invalidRequest(`Unknown user ${name}`)
  if (kind === "org" && name !== namespace) throw invalidRequest(`Unknown organization ${name}`)
}

/** Refuses what a method cannot work with. */
export const checkMethod = (
  call: Call,
  namespace: string,
  method: string,
  config: { readonly [key: string]: Json }
): void => {
  if (method === "quay_notification") checkTarget(call, namespace, config)
  const needed = NEEDS.get(method)
  if (needed === undefined) return
  const value = config[needed.key]
  if (typeof value !== "string" || value === "") throw invalidRequest(`Missing ${needed.what}`)
  if (method === "webhook" && isLoopback(value)) throw invalidRequest("Invalid webhook URL")
}

const object = (value: Json | undefined): { [key: string]: Json } => (isObject(value) ? value : {})

/** What the body asks for, unchecked. */
export const wantedNotification = (call: Call): Notification => ({
  uuid: uuid(call.registry.random),
  title: call.body.text("title") ?? null,
  event: call.body.required("event"),
  method: call.body.required("method"),
  config: object(call.body.get("config")),
  event_config: object(call.body.get("eventConfig")),
  number_of_failures: 0
})

export const readNotification = (value: unknown, place: string): Notification => {
  const reader = new Reader(value, place)
  const config = reader.json("config") ?? {}
  const event_config = reader.json("event_config") ?? {}
  if (!isObject(config) || !isObject(event_config)) throw new StateError(place, "must have objects as configuration")
  const notification: Notification = {
    uuid: reader.text("uuid", ""),
    title: reader.text("title", null),
    event: reader.text("event", ""),
    method: reader.text("method", ""),
    config,
    event_config,
    number_of_failures: reader.number("number_of_failures", 0)
  }
  reader.end()
  return notification
}
