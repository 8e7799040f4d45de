// What superusers administer: all users and all organizations. Leaves out logs, and what is a kind of its own.
import { avatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { internalError, invalidRequest, json, message, noContent, notFound } from "../errors.ts"
import { isAmong } from "../features.ts"
import { isEmail, namespaceProblem } from "../names.ts"
import { token as randomToken } from "../random.ts"
import type { Kind, Route } from "../router.ts"
import type { Schema } from "../schema.ts"
import type { Organization, User } from "../state.ts"
import { quotaView } from "../views.ts"

const CREATE_USER: Schema = {
  required: ["username"],
  properties: { username: { type: "string" }, email: { type: "string" } }
}

const UPDATE_USER: Schema = {
  type: "object",
  properties: { password: { type: "string" }, email: { type: "string" }, enabled: { type: "boolean" } }
}

const RENAME: Schema = { type: "object", properties: { name: { type: "string" } } }

const userView = (call: Call, name: string, user: User) => ({
  kind: "user",
  name,
  username: name,
  email: user.email ?? user.uuid,
  verified: user.verified,
  avatar: userAvatar(name),
  super_user: user.superuser,
  ...(call.since("3.16") ? { global_readonly_super_user: false } : {}),
  enabled: user.enabled,
  ...quotaView(call, name)
})

const organizationView = (call: Call, name: string, organization: Organization) => ({
  name,
  email: organization.email ?? organization.uuid,
  avatar: avatar("org", name, organization.email ?? organization.uuid),
  ...quotaView(call, name)
})

const PAGED = ["3.7.14", "3.8.15", "3.9"]

/** Everything without a limit, pages with one. */
const listed = <T>(call: Call, all: ReadonlyMap<string, T>, view: (name: string, item: T) => object) => {
  const limit = call.queryNumber("limit")
  const { items, next } = call.registry.pages.page(
    [...all],
    ([name]) => name,
    limit === undefined || !isAmong(call.registry.version, PAGED)
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.min(limit, 100)),
    call.incoming.query.get("next_page")
  )
  return { items: items.map(([name, item]) => view(name, item)), next }
}

const foundUser = (call: Call) => {
  const name = call.parameter("username")
  const user = call.state.users.get(name)
  if (user === undefined) throw notFound()
  return { name, user }
}

const createUser = (call: Call) => {
  const { state, body, registry } = call
  if (registry.ldap !== undefined) throw invalidRequest("Cannot create a user in a non-database auth system")
  const name = body.required("username")
  const problem = namespaceProblem(name)
  if (problem !== undefined) throw message(`Invalid namespace ${name}: ${problem}`)
  if (state.users.has(name) || state.organizations.has(name)) {
    throw message(`Username has already been taken by user cannot be reused: ${name}`)
  }
  if (state.isReserved(name) && call.reservesNames()) throw message("Username is not available")
  const email = body.text("email")
  if (email !== undefined && [...state.users.values()].some((user) => user.email === email)) {
    throw message(`Email has already been used: ${email}`)
  }
  const mailing = call.feature("MAILING")
  if (mailing && (email === undefined || !isEmail(email))) {
    throw message(`Invalid email address: ${email ?? "None"}`)
  }
  const password = randomToken(registry.random, 32)
  const user = state.newUser({ verified: !mailing, password, ...(email === undefined ? {} : { email }) })
  state.users.set(name, user)
  state.deleted.delete(name)
  call.log("user_create", { namespace: name }, { email: user.email, username: name, superuser: call.caller.user ?? "" })
  // Mail that cannot be sent is an error, and the user is there.
  if (mailing && email !== undefined) registry.mail.send({ to: email, about: "confirm-address" })
  return json(200, {
    username: name,
    email: user.email ?? user.uuid,
    password,
    encrypted_password: randomToken(registry.random, 64)
  })
}

const updateUser = (call: Call) => {
  const { name, user } = foundUser(call)
  if (user.superuser) throw invalidRequest("Cannot update a superuser")
  const { enabled: before, verified } = user
  const email = call.body.text("email")
  if (call.registry.ldap !== undefined) {
    if (call.body.text("password") !== undefined) {
      throw invalidRequest("Cannot change password in non-database auth")
    }
    if (email !== undefined) throw invalidRequest("Cannot change e-mail in non-database auth")
  }
  if (email !== undefined) {
    if ([...call.state.users.values()].some((other) => other !== user && other.email === email)) {
      throw message("E-mail address already used")
    }
    user.verified = true
    call.log("user_change_email", { namespace: name }, { old_email: user.email, email, superuser: true })
    user.email = email
  }
  user.password = call.body.text("password") ?? user.password
  const enabled = call.body.flag("enabled")
  if (enabled !== undefined) {
    user.enabled = enabled
    call.log(enabled ? "user_enable" : "user_disable", { namespace: name }, { username: name, superuser: true })
  }
  // The answer shows the flags as they were.
  return json(200, { ...userView(call, name, user), enabled: before, verified })
}

const deleteUser = (call: Call) => {
  const name = call.parameter("username")
  // A user who waits to be collected can be deleted again.
  if (call.state.isReserved(name)) return noContent()
  if (foundUser(call).user.superuser) throw invalidRequest("Cannot delete a superuser")
  call.log("user_delete", { namespace: name }, { username: name, superuser: call.caller.user ?? "" })
  call.state.deleteNamespace(name)
  return noContent()
}

const rename = (call: Call) => {
  const { state } = call
  const name = call.parameter("name")
  const organization = call.organization(name)
  const wanted = call.body.text("name") ?? name
  if (wanted !== name) {
    const problem = namespaceProblem(wanted)
    if (problem !== undefined) throw invalidRequest(`Invalid namespace ${wanted}: ${problem}`)
    if (state.namespace(wanted) !== undefined || state.isReserved(wanted)) throw internalError("the name is taken")
    state.renameOrganization(name, wanted)
    call.log("org_change_name", { namespace: wanted }, { old_org_name: name, new_org_name: wanted })
  }
  return json(200, organizationView(call, wanted, organization))
}

const onlySuperusers = (route: Route): Route => ({
  ...route,
  features: [...(route.features ?? []), "SUPER_USERS"],
  scope: "super:user",
  fresh: true,
  guard: ({ caller }) => caller.require(caller.isSuperuser())
})

const routes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/superuser/users/",
    operation: "listAllUsers",
    handle: (call) => {
      const { items, next } = listed(call, call.state.users, (name, user) => userView(call, name, user))
      return json(200, { users: items, ...next })
    }
  },
  {
    method: "POST",
    path: "/api/v1/superuser/users/",
    operation: "createInstallUser",
    body: { name: "CreateInstallUser", schema: CREATE_USER },
    handle: createUser
  },
  {
    method: "GET",
    path: "/api/v1/superuser/users/{username}",
    operation: "getInstallUser",
    handle: (call) => {
      const { name, user } = foundUser(call)
      return json(200, userView(call, name, user))
    }
  },
  {
    method: "PUT",
    path: "/api/v1/superuser/users/{username}",
    operation: "changeInstallUser",
    body: { name: "UpdateUser", schema: UPDATE_USER },
    handle: updateUser
  },
  {
    method: "DELETE",
    path: "/api/v1/superuser/users/{username}",
    operation: "deleteInstallUser",
    handle: deleteUser
  },
  {
    method: "GET",
    path: "/api/v1/superuser/organizations/",
    operation: "listAllOrganizations",
    internal: true,
    handle: (call) => {
      const { items, next } = listed(call, call.state.organizations, (name, item) => organizationView(call, name, item))
      return json(200, { organizations: items, ...next })
    }
  },
  {
    method: "GET",
    path: "/api/v1/superuser/registrysize/",
    operation: "getRegistrySize",
    internal: true,
    since: "3.9",
    // Counted only when a superuser asks for it.
    handle: () => json(200, { size_bytes: 0, last_ran: null, running: false, queued: false })
  },
  {
    method: "PUT",
    path: "/api/v1/superuser/organizations/{name}",
    operation: "changeOrganization",
    body: { name: "UpdateOrg", schema: RENAME },
    handle: rename
  },
  {
    method: "DELETE",
    path: "/api/v1/superuser/organizations/{name}",
    operation: "deleteOrganization",
    handle: (call) => {
      const name = call.parameter("name")
      call.organization(name)
      call.log("org_delete", { namespace: name }, { namespace: name })
      call.state.deleteNamespace(name)
      return noContent()
    }
  }
]

export const superuser: Kind = { name: "superuser", routes: routes.map(onlySuperusers) }
