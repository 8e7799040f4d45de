// Permissions on one repository: of users and robots, and of teams.
import { grantedRole } from "../auth.ts"
import { teamAvatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { internalError, invalidRequest, json, message, noContent, notFound } from "../errors.ts"
import { fromMap, type Json } from "../json.ts"
import { splitRobot } from "../names.ts"
import type { Kind, Route } from "../router.ts"
import type { Schema } from "../schema.ts"
import { REPOSITORY_ROLES, type Repository, type RepositoryRole } from "../state.ts"
import { belongs } from "../views.ts"
import { foundRepository, requireRole } from "./repository.ts"

const PERMISSION: Schema = {
  type: "object",
  required: ["role"],
  properties: { role: { type: "string", enum: REPOSITORY_ROLES } }
}

interface Subject {
  readonly kind: "user" | "team"
  readonly parameter: string
  readonly operation: string
  /** What the audit log says of it. */
  readonly logged: (namespace: string, name: string) => { readonly [key: string]: Json }
  readonly absent: string
  readonly granted: (repository: Repository) => Map<string, RepositoryRole>
  readonly view: (call: Call, name: string, role: RepositoryRole) => object
  /** Refuses a subject that cannot be given a permission here. */
  readonly check: (call: Call, namespace: string, name: string) => void
}

const user: Subject = {
  kind: "user",
  parameter: "username",
  operation: "User",
  logged: (namespace, username) => ({ namespace, username }),
  absent: "User does not have permission for repo.",
  granted: ({ permissions }) => permissions.users,
  view: (call, name, role) => {
    const { namespace } = call.repositoryPath()
    const inOrganization = call.state.organizations.has(namespace)
    return {
      role,
      name,
      is_robot: splitRobot(name) !== undefined,
      avatar: userAvatar(name),
      ...(inOrganization ? { is_org_member: belongs(call.state, namespace, name) } : {})
    }
  },
  check: (call, namespace, name) => {
    if (!call.state.isUser(name)) throw invalidRequest(`Invalid username: ${name}`)
    if (name === namespace) throw message("Namespace owner must always be admin.")
    const robot = splitRobot(name)
    if (robot !== undefined && robot.namespace !== namespace) {
      throw message("Cannot add robot under another namespace to this repository")
    }
  }
}

const team: Subject = {
  kind: "team",
  parameter: "teamname",
  operation: "Team",
  logged: (_namespace, team) => ({ team }),
  absent: "Team does not have permission for repo.",
  granted: ({ permissions }) => permissions.teams,
  view: (_call, name, role) => ({ role, name, avatar: teamAvatar(name) }),
  check: (call, namespace, name) => {
    if (call.state.organizations.get(namespace)?.teams.has(name) !== true) {
      throw invalidRequest(`No team ${name} in organization ${namespace}`)
    }
  }
}

const grant = (subject: Subject) => (call: Call) => {
  const { namespace, name } = call.repositoryPath()
  const who = call.parameter(subject.parameter)
  const role = call.body.one("role", REPOSITORY_ROLES)
  subject.check(call, namespace, who)
  const repository = call.state.repository(namespace, name)
  if (repository === undefined) throw internalError("a permission on a missing repository")
  subject.granted(repository).set(who, role)
  const where = { namespace, repository: name }
  call.log("change_repo_permission", where, { ...subject.logged(namespace, who), repo: name, role })
  return json(200, subject.view(call, who, role))
}

const routes = (subject: Subject): readonly Route[] => {
  const base = `/api/v1/repository/{repository}/permissions/${subject.kind}/`
  const one = `${base}{${subject.parameter}}`
  const shared = { scope: "repo:admin", guard: requireRole("admin") } as const
  return [
    {
      ...shared,
      method: "GET",
      path: base,
      operation: `listRepo${subject.operation}Permissions`,
      handle: (call) => {
        const granted = subject.granted(foundRepository(call).repository)
        const views = new Map([...granted].map(([name, role]) => [name, subject.view(call, name, role)]))
        return json(200, { permissions: fromMap(views, (view) => view) })
      }
    },
    {
      ...shared,
      method: "GET",
      path: one,
      operation: `get${subject.operation}Permissions`,
      handle: (call) => {
        const name = call.parameter(subject.parameter)
        const role = subject.granted(foundRepository(call).repository).get(name)
        if (role === undefined) throw message(subject.absent)
        return json(200, subject.view(call, name, role))
      }
    },
    {
      ...shared,
      method: "PUT",
      path: one,
      operation: `change${subject.operation}Permissions`,
      body: { name: `${subject.operation}Permission`, schema: PERMISSION },
      handle: grant(subject)
    },
    {
      ...shared,
      method: "DELETE",
      path: one,
      operation: `delete${subject.operation}Permissions`,
      handle: (call) => {
        const path = foundRepository(call)
        const who = call.parameter(subject.parameter)
        if (!subject.granted(path.repository).delete(who)) throw invalidRequest(subject.absent)
        const { namespace, name } = path
        const where = { namespace, repository: name }
        call.log("delete_repo_permission", where, { ...subject.logged(namespace, who), repo: name })
        return noContent()
      }
    }
  ]
}

export const permission: Kind = {
  name: "permission",
  routes: [
    ...routes(user),
    ...routes(team),
    {
      method: "GET",
      path: "/api/v1/repository/{repository}/permissions/user/{username}/transitive",
      operation: "getUserTransitivePermission",
      scope: "repo:admin",
      guard: requireRole("admin"),
      handle: (call) => {
        const { namespace, name } = foundRepository(call)
        const who = call.parameter("username")
        const role = call.state.isUser(who) ? grantedRole(call.state, who, namespace, name) : undefined
        if (role === undefined) throw notFound()
        return json(200, { permissions: [{ role }] })
      }
    }
  ]
}
