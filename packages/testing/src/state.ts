// What simulated registries hold, so that two of them can be compared: without what is random in each, with sets in order, and
// with how often things were made and taken away, which tells a thing made twice from one made once.
import type { Simulator } from "@quaymaster/simulator"

/** Names of fields that differ between registries of which the same can be said. */
const RANDOM = new Set(
  (
    "id uuid token created status_token client_id client_secret prototype_id prototypeid code password oauth_token_id " +
    "notification_id policy_id policy_uuid"
  ).split(" ")
)

/** A value without what is random in it, with its lists and its fields in order. */
export const comparable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(comparable(item))).sort()
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).filter(([key]) => !RANDOM.has(key))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, comparable(item)]))
}

/** All that a registry holds, and what was made, taken away and mailed there, each as often as it was. */
export const registryState = (simulator: Simulator): unknown => {
  const { log = [], tokens: _, ...holds } = simulator.snapshot()
  // What a robot account trusts is set as a whole, so that setting it twice is nothing more. An application's token that nobody was
  // told is taken back and made again; that none is left over is seen in what the registry holds.
  const made = log.filter(
    ({ kind }) => /create|add|delete|remove|invite/.test(kind) && !/federation|oauth_api_token/.test(kind)
  )
  return comparable({
    holds,
    made: made.map(({ kind, metadata, namespace, repository }) => ({ kind, metadata, namespace, repository })),
    mails: simulator.mail.sent().length
  })
}
