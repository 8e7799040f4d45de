/**
 * Service keys: with these, parts of a registry know each other. Nothing of them is configured here; whoever administers a
 * registry wants to see which wait for approval, and which expire. Only superusers may. Their private halves are not read.
 */
import { byText } from "@quaymaster/engine"
import { isQuayFailure, type QuayFailure, type ServiceKeyView } from "@quaymaster/sdk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Connection, ConnectionFailed } from "./connection.ts"

export interface ServiceKey {
  readonly kid: string
  readonly service: string
  /** Empty where it has none. */
  readonly name: string
  /** Times in ISO 8601; null where it never expires. */
  readonly created: string | null
  readonly expires: string | null
  /** `unapproved`: it waits for a superuser. `expired`: it is of no use any more, whoever approved it. */
  readonly state: "approved" | "unapproved" | "expired"
}

const timeOf = (text: string | null): string | null => {
  const time = Date.parse(text ?? "")
  return Number.isNaN(time) ? null : new Date(time).toISOString()
}

const keyOf = ({ approval, created_date, expiration_date, kid, name, service }: ServiceKeyView, now: number) => {
  const expires = timeOf(expiration_date)
  const isExpired = expires !== null && Date.parse(expires) <= now
  const state = isExpired ? "expired" : approval === null ? "unapproved" : "approved"
  return { kid, service, name: name ?? "", created: timeOf(created_date), expires, state } satisfies ServiceKey
}

/** Sorted by service, then by id. Fails with `ConnectionFailed` if the token is not a superuser's, or the registry has no superusers. */
export const listServiceKeys = ({
  quay,
  registry
}: Connection): Effect.Effect<ReadonlyArray<ServiceKey>, QuayFailure | ConnectionFailed> =>
  Effect.gen(function* () {
    const asked = quay.ask((client, signal) => client.GET("/api/v1/superuser/keys", { signal }))
    const { keys } = yield* Effect.catch(asked, (error): Effect.Effect<never, QuayFailure | ConnectionFailed> => {
      const why: { readonly [tag: string]: string } = {
        Forbidden: "Only superusers see service keys: use the token of one, with the scope super:user.",
        FeatureOff: "The registry has no superusers (FEATURE_SUPER_USERS), and only they see service keys.",
        Missing: "The registry has no superusers (FEATURE_SUPER_USERS), and only they see service keys."
      }
      const message = isQuayFailure(error) ? why[error._tag] : undefined
      return Effect.fail(
        message === undefined ? error : new ConnectionFailed({ registry: registry.name, message, cause: error })
      )
    })
    const now = yield* Clock.currentTimeMillis
    return keys.map((key) => keyOf(key, now)).sort((a, b) => byText(a.service, b.service) || byText(a.kid, b.kid))
  })
