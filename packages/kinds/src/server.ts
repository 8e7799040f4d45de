/**
 * What a registry is: its features and the operations that it serves, asked for once and only if a kind needs to know. What a
 * server can do is decided by what it offers, not by the version it says it has: that text can be stale, and older releases
 * have none. Facts: `/config` exists from Quay 3.8, `version_number` in it from 3.16.
 */
import { isRecord, type Offers } from "@quaymaster/engine"
import { type Discovery, operationFor, type RegistryConfig } from "@quaymaster/sdk"

export interface Server extends Offers {
  /** How people sign in: `Database`, `LDAP`, `OIDC` …; undefined where the server does not say. */
  readonly authentication: string | undefined
  /** The lengths of time for which an organization may keep deleted tags: `2w`. Undefined where the server does not say. */
  readonly tagExpirations: ReadonlyArray<string> | undefined
}

const valueAt = (value: unknown, key: string): unknown =>
  isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((it) => typeof it === "string")

const METHODS = ["get", "put", "post", "delete"] as const

/** `config` is undefined where there is none (before 3.8). */
export const featureOf = (config: RegistryConfig | undefined, name: string): boolean | undefined => {
  const value = config?.features[name]
  return typeof value === "boolean" ? value : undefined
}

/** What a registry says of itself, taken together. */
export const serverOf = (config: RegistryConfig | undefined, discovery: Discovery): Server => {
  const served = new Set<string>()
  for (const [path, methods] of Object.entries(discovery.paths)) {
    for (const method of METHODS) {
      const operation = Object.hasOwn(methods, method) ? operationFor(method.toUpperCase(), path) : undefined
      if (operation !== undefined) served.add(operation.id)
    }
  }
  return {
    feature: (name) => featureOf(config, name),
    serves: (operation) => served.has(operation),
    accepts: (field) => {
      const [definition = "", property = ""] = field.split(".")
      const properties = valueAt(valueAt(discovery.definitions, definition), "properties")
      return valueAt(properties, property) !== undefined
    },
    options: (setting) => {
      const value = config?.config[setting]
      return typeof value === "string" ? [value] : isTexts(value) ? value : undefined
    },
    authentication: config?.config.AUTHENTICATION_TYPE,
    tagExpirations: config?.config.TAG_EXPIRATION_OPTIONS
  }
}
