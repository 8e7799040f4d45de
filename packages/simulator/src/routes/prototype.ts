// Default permissions, which the API calls prototypes. Where they take effect is in repository.ts.
import { teamAvatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { invalidRequest, json, message, noContent, notFound } from "../errors.ts"
import { splitRobot } from "../names.ts"
import { uuid } from "../random.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { DELEGATE_KINDS, type DefaultPermission, REPOSITORY_ROLES } from "../state.ts"
import { belongs } from "../views.ts"

const ROLE: Schema = { type: "string", enum: REPOSITORY_ROLES }

const NEW: Schema = {
  type: "object",
  required: ["role", "delegate"],
  properties: {
    role: ROLE,
    activating_user: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
    delegate: {
      type: "object",
      required: ["name", "kind"],
      properties: { name: { type: "string" }, kind: { type: "string", enum: DELEGATE_KINDS } }
    }
  }
}

const UPDATE: Schema = { type: "object", required: ["role"], properties: { role: ROLE } }

const userView = (call: Call, name: string) => ({
  name,
  is_robot: splitRobot(name) !== undefined,
  kind: "user",
  is_org_member: belongs(call.state, call.parameter("orgname"), name),
  avatar: userAvatar(name)
})

const view = (call: Call, { id, role, delegate, activating_user }: DefaultPermission) => ({
  activating_user: activating_user === null ? null : userView(call, activating_user),
  delegate:
    delegate.kind === "user"
      ? userView(call, delegate.name)
      : { name: delegate.name, kind: "team", avatar: teamAvatar(delegate.name) },
  role,
  id
})

const log = (call: Call, kind: string, { id, role, delegate, activating_user }: DefaultPermission): void =>
  call.log(
    kind,
    { namespace: call.parameter("orgname") },
    {
      prototypeid: id,
      username: call.caller.user ?? null,
      activating_username: activating_user,
      role,
      [delegate.kind === "user" ? "delegate_user" : "delegate_team"]: delegate.name
    }
  )

/** Nothing keeps a rule from being made twice. */
const create = (call: Call) => {
  const { name: orgname, organization } = call.administered()
  const { state, body } = call
  const activating = body.object("activating_user")?.required("name") ?? null
  if (activating !== null && !state.isUser(activating)) throw invalidRequest("Unknown activating user")
  const delegate = body.object("delegate")
  const kind = delegate?.one("kind", DELEGATE_KINDS) ?? "user"
  const name = delegate?.required("name") ?? ""
  if (kind === "team" && !organization.teams.has(name)) throw message(`Team does not exist: ${orgname}/${name}`)
  if (kind === "user" && !state.isUser(name)) throw invalidRequest("Missing delegate user or team")
  const rule: DefaultPermission = {
    id: uuid(call.registry.random),
    role: body.one("role", REPOSITORY_ROLES),
    delegate: { kind, name },
    activating_user: activating
  }
  organization.default_permissions.push(rule)
  log(call, "create_prototype_permission", rule)
  return json(200, view(call, rule))
}

const found = (call: Call) => {
  const { organization } = call.administered()
  const id = call.parameter("prototypeid")
  const rule = organization.default_permissions.find((one) => one.id === id)
  if (rule === undefined) throw notFound()
  return { organization, rule }
}

const ALL = "/api/v1/organization/{orgname}/prototypes"
const ONE = `${ALL}/{prototypeid}`

export const prototype: Kind = {
  name: "prototype",
  routes: [
    {
      method: "GET",
      path: ALL,
      operation: "getOrganizationPrototypePermissions",
      scope: "org:admin",
      handle: (call) => {
        const { organization } = call.administered()
        return json(200, { prototypes: organization.default_permissions.map((rule) => view(call, rule)) })
      }
    },
    {
      method: "POST",
      path: ALL,
      operation: "createOrganizationPrototypePermission",
      scope: "org:admin",
      body: { name: "NewPrototype", schema: NEW },
      handle: create
    },
    {
      method: "PUT",
      path: ONE,
      operation: "updateOrganizationPrototypePermission",
      scope: "org:admin",
      body: { name: "PrototypeUpdate", schema: UPDATE },
      handle: (call) => {
        const { rule } = found(call)
        rule.role = call.body.one("role", REPOSITORY_ROLES)
        log(call, "modify_prototype_permission", rule)
        return json(200, view(call, rule))
      }
    },
    {
      method: "DELETE",
      path: ONE,
      operation: "deleteOrganizationPrototypePermission",
      scope: "org:admin",
      handle: (call) => {
        const { organization, rule } = found(call)
        organization.default_permissions = organization.default_permissions.filter((one) => one !== rule)
        log(call, "delete_prototype_permission", rule)
        return noContent()
      }
    }
  ]
}
