// Who goes by a name that begins so: users, robots, teams, organizations, and people whom only the directory knows, for whom
// an account can be made.
import { accountOf, linkAccount } from "../accounts.ts"
import { avatar, teamAvatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { invalidRequest, json } from "../errors.ts"
import { splitRobot } from "../names.ts"
import type { Kind } from "../router.ts"
import { belongs } from "../views.ts"

const LIMIT = 10

const userView = (call: Call, name: string, namespace: string | null) => ({
  name,
  kind: "user",
  is_robot: splitRobot(name) !== undefined,
  avatar: userAvatar(name),
  ...(namespace === null ? {} : { is_org_member: belongs(call.state, namespace, name) })
})

/** Robots and teams are for those who administer the namespace. */
const ofNamespace = (call: Call, namespace: string, prefix: string): object[] => {
  if (!call.caller.administers(namespace)) return []
  const robots = [...(call.state.namespace(namespace)?.robots.keys() ?? [])].map((short) => `${namespace}+${short}`)
  const teams = [...(call.state.organizations.get(namespace)?.teams.keys() ?? [])]
  return [
    ...robots.filter((name) => name.startsWith(prefix)).map((name) => userView(call, name, namespace)),
    ...(call.queryFlag("includeTeams", false) ? teams : [])
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ name, kind: "team", is_org_member: true, avatar: teamAvatar(name) }))
  ]
}

const matching = (call: Call) => {
  const { state, registry } = call
  const prefix = call.parameter("prefix")
  const namespace = call.incoming.query.get("namespace") || null
  const organizations = call.queryFlag("includeOrgs", false) ? [...state.organizations.keys()] : []
  const strangers = (registry.ldap?.startingWith(prefix) ?? []).filter(
    (person) => accountOf(state, person) === undefined
  )
  return json(200, {
    results: [
      ...[...state.users.keys()]
        .filter((name) => name.startsWith(prefix))
        .map((name) => userView(call, name, namespace)),
      ...organizations
        .filter((name) => name.startsWith(prefix))
        .map((name) => ({ name, kind: "org", is_org_member: true, avatar: avatar("org", name) })),
      ...(namespace === null ? [] : ofNamespace(call, namespace, prefix)),
      ...strangers.map(({ name, email }) => ({
        name,
        kind: "external",
        title: email,
        avatar: avatar("user", name, email)
      }))
    ].slice(0, LIMIT)
  })
}

const link = (call: Call) => {
  const { state, registry } = call
  const username = call.parameter("username")
  const person = registry.ldap?.person(username)
  if (person === undefined) {
    throw invalidRequest(registry.ldap?.isDown ? "Username not found" : "Invalid username or password.", { username })
  }
  const name = linkAccount(state, person)
  return json(200, { entity: { name, kind: "user", is_robot: false, avatar: userAvatar(name) } })
}

export const entity: Kind = {
  name: "entity",
  routes: [
    { method: "GET", path: "/api/v1/entities/{prefix}", operation: "getMatchingEntities", handle: matching },
    {
      method: "POST",
      path: "/api/v1/entities/link/{username}",
      operation: "linkExternalUser",
      internal: true,
      handle: link
    }
  ]
}
