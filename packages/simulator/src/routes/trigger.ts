// Build triggers of repositories: list, view, switch on and off, delete. Leaves out how they are made, which is a browser's
// business, so that there are those of the state only; and builds.
import type { Call } from "../call.ts"
import { invalidRequest, json, noContent, notFound } from "../errors.ts"
import { type Json, Reader, StateError } from "../json.ts"
import { readObject } from "../mirrors.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { part } from "../state.ts"
import { foundRepository, requireRole } from "./repository.ts"
import { requireNormal } from "./tag.ts"

const SERVICES = ["github", "gitlab", "bitbucket", "custom-git"] as const
const REASONS = ["user_toggled", "successive_build_failures", "successive_build_internal_errors"] as const
type Reason = (typeof REASONS)[number]

interface Trigger {
  readonly id: string
  readonly service: (typeof SERVICES)[number]
  /** Whether it was set up to the end. */
  readonly is_active: boolean
  /** `build_source` in it says what is built. */
  readonly config: { [key: string]: Json }
  readonly repository_url: string | null
  /** A robot, by its whole name. */
  readonly pull_robot: string | null
  enabled: boolean
  disabled_reason: Reason | null
}

const UPDATE: Schema = {
  type: "object",
  required: ["enabled"],
  properties: { enabled: { type: "boolean" } }
}

const readReason = (reader: Reader): Reason | null => {
  const value = reader.raw("disabled_reason")
  return value === undefined || value === null ? null : reader.one("disabled_reason", REASONS)
}

const readTrigger = (value: unknown, place: string): Trigger => {
  const reader = new Reader(value, place)
  const trigger: Trigger = {
    id: reader.text("id", ""),
    service: reader.one("service", SERVICES),
    is_active: reader.flag("is_active", true),
    config: readObject(reader, "config"),
    repository_url: reader.text("repository_url", null),
    pull_robot: reader.text("pull_robot", null),
    enabled: reader.flag("enabled", true),
    disabled_reason: readReason(reader)
  }
  if (trigger.id === "") throw new StateError(reader.at("id"), "must be given")
  reader.end()
  return trigger
}

const triggers = part<Trigger[]>({
  owner: "repository",
  key: "triggers",
  empty: () => [],
  read: (value, place) => new Reader({ triggers: value }, place).list("triggers", readTrigger),
  write: (all) => (all.length === 0 ? undefined : all.map((trigger) => ({ ...trigger })))
})

const summary = ({ id, service, is_active, enabled, disabled_reason }: Trigger) => ({
  id,
  service,
  is_active,
  build_source: null,
  repository_url: null,
  config: {},
  can_invoke: false,
  enabled,
  disabled_reason
})

const view = (trigger: Trigger) => {
  const { config, repository_url, pull_robot } = trigger
  const build_source = config["build_source"] ?? null
  return {
    ...summary(trigger),
    build_source,
    repository_url: build_source === null ? null : repository_url,
    config,
    can_invoke: true,
    ...(pull_robot === null ? {} : { pull_robot: { name: pull_robot, kind: "user", is_robot: true } })
  }
}

const found = (call: Call) => {
  const path = foundRepository(call)
  const trigger = triggers.of(path.repository).find(({ id }) => id === call.parameter("trigger_uuid"))
  if (trigger === undefined) throw notFound()
  return { ...path, trigger }
}

/** Answers with what anybody may see of it, unlike GET. */
const update = (call: Call) => {
  const { namespace, name, trigger } = found(call)
  if (!trigger.is_active) throw invalidRequest("Cannot update an unactivated trigger")
  const enabled = call.body.flag("enabled") ?? false
  trigger.enabled = enabled
  trigger.disabled_reason = enabled ? null : "user_toggled"
  const { id: trigger_id, service } = trigger
  call.logRepository("toggle_repo_trigger", { namespace, name }, { trigger_id, service, enabled })
  return json(200, summary(trigger))
}

const remove = (call: Call) => {
  const { namespace, name, repository, trigger } = found(call)
  triggers.set(
    repository,
    triggers.of(repository).filter((other) => other !== trigger)
  )
  const { id: trigger_id, service } = trigger
  if (trigger.is_active) call.logRepository("delete_repo_trigger", { namespace, name }, { trigger_id, service })
  return noContent()
}

const ALL = "/api/v1/repository/{repository}/trigger/"
const ONE = `${ALL}{trigger_uuid}`
const shared = { scope: "repo:admin", features: ["BUILD_SUPPORT"], guard: requireRole("admin") } as const

const guardWrite = (call: Call): void => {
  requireRole("admin")(call)
  requireNormal(call)
}

export const trigger: Kind = {
  name: "trigger",
  parts: [triggers],
  routes: [
    {
      ...shared,
      method: "GET",
      path: ALL,
      operation: "listBuildTriggers",
      handle: (call) => {
        const { namespace, name } = call.repositoryPath()
        const repository = call.state.repository(namespace, name)
        return json(200, { triggers: repository === undefined ? [] : triggers.of(repository).map(view) })
      }
    },
    {
      ...shared,
      method: "GET",
      path: ONE,
      operation: "getBuildTrigger",
      handle: (call) => json(200, view(found(call).trigger))
    },
    {
      ...shared,
      guard: guardWrite,
      method: "PUT",
      path: ONE,
      operation: "updateBuildTrigger",
      body: { name: "UpdateTrigger", schema: UPDATE },
      handle: update
    },
    { ...shared, guard: guardWrite, method: "DELETE", path: ONE, operation: "deleteBuildTrigger", handle: remove }
  ]
}
