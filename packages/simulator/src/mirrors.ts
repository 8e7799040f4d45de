// What mirrors of repositories and of organizations have in common: dates, robots, statuses, what proxies are used.
import type { Call } from "./call.ts"
import { message } from "./errors.ts"
import { isObject, type Json, type Reader, StateError } from "./json.ts"
import { splitRobot } from "./names.ts"
import type { Schema } from "./schema.ts"

/** How often a mirror tries again. */
export const RETRIES = 3
export const STATUSES = ["NEVER_RUN", "SUCCESS", "FAIL", "SYNCING", "SYNC_NOW", "CANCEL", "SKIP"] as const
export type Status = (typeof STATUSES)[number]

const NULLABLE: Schema = { type: ["string", "null"] }

export const PROXY: Schema = {
  type: "object",
  properties: { http_proxy: NULLABLE, https_proxy: NULLABLE, no_proxy: NULLABLE }
}

/** The one form of date that Quay reads. */
export const isStartDate = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text) && !Number.isNaN(Date.parse(text))

/** The short name of a robot of the namespace; what is not one is refused. */
export const wantedRobot = (call: Call, namespace: string, name: string): string => {
  const robot = splitRobot(name)
  if (robot === undefined || robot.namespace !== namespace || call.state.robot(name) === undefined) {
    throw message("Could not find robot with specified username")
  }
  return robot.short
}

export const asObject = (value: Json | undefined): { [key: string]: Json } => (isObject(value) ? value : {})

export const readObject = (reader: Reader, key: string): { [key: string]: Json } => {
  const value = reader.json(key) ?? {}
  if (!isObject(value)) throw new StateError(reader.at(key), "must be an object")
  return value
}

export const texts = (value: Json | undefined): string[] =>
  (Array.isArray(value) ? value : []).filter((item) => typeof item === "string")
