// Robots of organizations and of the token's own user: the same operations on two paths.
import { teamAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { invalidRequest, json, message, noContent } from "../errors.ts"
import { isObject } from "../json.ts"
import { namespaceProblem } from "../names.ts"
import { token as randomToken } from "../random.ts"
import type { Kind, Route } from "../router.ts"
import type { Schema } from "../schema.ts"
import type { Namespace, Robot } from "../state.ts"
import { isPublic, mailDate, repositoriesOf } from "../views.ts"

const CREATE: Schema = {
  type: "object",
  properties: { description: { type: "string", maxLength: 255 }, unstructured_metadata: { type: "object" } }
}

const FEDERATION: Schema = {
  type: "array",
  items: {
    type: "object",
    required: ["issuer", "subject"],
    properties: { issuer: { type: "string" }, subject: { type: "string" } }
  }
}

/** Whose robots a path is about, once the caller may manage them. */
type Owner = (call: Call) => { readonly name: string; readonly namespace: Namespace | undefined }

const ofOrganization: Owner = (call) => {
  const name = call.parameter("orgname")
  call.caller.require(call.caller.administers(name))
  return { name, namespace: call.state.organizations.get(name) }
}

const ofCaller: Owner = ({ caller, state }) => {
  caller.require(caller.adminsUser())
  return { name: caller.user ?? "", namespace: state.users.get(caller.user ?? "") }
}

const found = (call: Call, owner: Owner) => {
  const { name, namespace } = owner(call)
  const short = call.parameter("robot_shortname")
  const robot = namespace?.robots.get(short)
  if (namespace === undefined || robot === undefined) throw message("Could not find robot with specified username")
  return { name, namespace, short, full: `${name}+${short}`, robot }
}

const view = (full: string, robot: Robot) => ({
  name: full,
  created: mailDate(robot.created),
  last_accessed: robot.last_accessed === null ? null : mailDate(robot.last_accessed),
  description: robot.description
})

/** Before 3.11 there was nothing but a message. */
const badRobot = (call: Call, text: string) => (call.since("3.11") ? invalidRequest(text) : message(text))

const create = (owner: Owner) => (call: Call) => {
  const { name, namespace } = owner(call)
  const short = call.parameter("robot_shortname")
  const full = `${name}+${short}`
  if (namespace === undefined) throw message(`Organization does not exist: ${name}`)
  if (call.feature("ROBOTS_DISALLOW")) throw message("Robot creation is disabled")
  const problem = namespaceProblem(short)
  if (problem !== undefined) throw badRobot(call, `The name for the robot '${short}' is invalid: ${problem}`)
  if (namespace.robots.has(short)) throw badRobot(call, `Existing robot with name: ${full}`)
  const metadata = call.body.get("unstructured_metadata")
  const robot = call.state.newRobot(call.body.text("description") ?? "", isObject(metadata) ? metadata : null)
  namespace.robots.set(short, robot)
  const { description, unstructured_metadata } = robot
  call.log("create_robot", { namespace: name }, { robot: short, description, unstructured_metadata })
  return json(201, { ...view(full, robot), token: robot.token, unstructured_metadata: robot.unstructured_metadata })
}

/**
 * Quay looks for names LIKE `acme+%`, in which `_` stands for any character: the robots of `a_b` include those of `axb`.
 */
const alike = (call: Call, name: string) => {
  const pattern = new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("_", ".")}$`, "i")
  return [...call.state.organizations, ...call.state.users]
    .filter(([other]) => pattern.test(other))
    .flatMap(([other, namespace]) =>
      [...namespace.robots].map(([short, robot]) => ({ full: `${other}+${short}`, robot, namespace, owner: other }))
    )
}

const list = (name: string, isAdmin: boolean) => (call: Call) => {
  const seesAll = call.since("3.17") ? isAdmin : call.caller.shown().administers(name)
  const withPermissions = seesAll && call.queryFlag("permissions", false)
  const withToken = isAdmin && call.queryFlag("token", true)
  const limit = call.queryNumber("limit")
  const robots = alike(call, name).map(({ full, robot, namespace, owner }) => ({
    ...view(full, robot),
    ...(withToken ? { token: robot.token } : {}),
    ...(withPermissions
      ? {
          teams: [...(call.state.organizations.get(owner)?.teams ?? [])]
            .filter(([, { members }]) => members.has(full))
            .map(([team]) => ({ name: team, avatar: teamAvatar(team) })),
          repositories: repositoriesOf(namespace, full)
        }
      : {})
  }))
  return json(200, { robots: limit === undefined ? robots : robots.slice(0, limit) })
}

const remove = (owner: Owner) => (call: Call) => {
  const { name, namespace, short, full } = found(call, owner)
  for (const { beforeRobotDelete } of call.registry.hooks) beforeRobotDelete?.(call, full)
  namespace.robots.delete(short)
  call.state.forgetUser(full)
  for (const { afterRobotDelete } of call.registry.hooks) afterRobotDelete?.(call, name, short)
  call.log("delete_robot", { namespace: name }, { robot: short })
  return noContent()
}

const permissions = (owner: Owner) => (call: Call) => {
  // In 3.7 it is the web framework that refuses here.
  if (owner === ofOrganization && !call.since("3.8") && !call.caller.administers(call.parameter("orgname"))) {
    throw message("You don't have the permission to access the requested resource.", 403)
  }
  const { namespace, full } = found(call, owner)
  const granted = [...namespace.repositories].flatMap(([name, repository]) => {
    const role = repository.permissions.users.get(full)
    return role === undefined ? [] : [{ repository: { name, is_public: isPublic(repository) }, role }]
  })
  return json(200, { permissions: granted })
}

const setFederation = (owner: Owner) => (call: Call) => {
  const { name, short, robot } = found(call, owner)
  const { value } = call.body
  const entries = (Array.isArray(value) ? value : []).flatMap((entry) =>
    isObject(entry) ? [{ issuer: String(entry["issuer"]), subject: String(entry["subject"]) }] : []
  )
  if (entries.some(({ issuer }) => !/^https?:\/\//.test(issuer))) {
    throw invalidRequest("Issuer must be a URL (http:// or https://)")
  }
  if (new Set(entries.map(({ issuer, subject }) => `${issuer} ${subject}`)).size < entries.length) {
    throw invalidRequest("Duplicate federation config entry")
  }
  robot.federation = entries
  call.log("create_robot_federation", { namespace: name }, { config: entries, robot: short })
  return json(200, entries)
}

const routes = (base: string, prefix: string, owner: Owner, federationSince: string): readonly Route[] => {
  const scope = owner === ofCaller ? "user:admin" : "org:admin"
  const one = `${base}/{robot_shortname}`
  return [
    {
      method: "GET",
      path: one,
      operation: `get${prefix}Robot`,
      scope,
      handle: (call) => {
        const { full, robot } = found(call, owner)
        const metadata = robot.unstructured_metadata ?? {}
        return json(200, { ...view(full, robot), token: robot.token, unstructured_metadata: metadata })
      }
    },
    {
      method: "PUT",
      path: one,
      operation: `create${prefix}Robot`,
      scope,
      body: { name: "CreateRobot", schema: CREATE, optional: true },
      handle: create(owner)
    },
    { method: "DELETE", path: one, operation: `delete${prefix}Robot`, scope, handle: remove(owner) },
    {
      method: "POST",
      path: `${one}/regenerate`,
      operation: `regenerate${prefix}RobotToken`,
      scope,
      handle: (call) => {
        const { name, short, full, robot } = found(call, owner)
        robot.token = randomToken(call.registry.random, 64)
        call.log("regenerate_robot_token", { namespace: name }, { robot: short })
        return json(200, { ...view(full, robot), token: robot.token })
      }
    },
    {
      method: "GET",
      path: `${one}/permissions`,
      operation: `get${prefix}RobotPermissions`,
      scope: "user:admin",
      guard: ({ caller }) => caller.require(caller.adminsUser()),
      handle: permissions(owner)
    },
    {
      method: "GET",
      path: `${one}/federation`,
      operation: `get${prefix}RobotFederation`,
      scope,
      since: federationSince,
      listedSince: "3.17",
      handle: (call) => json(200, found(call, owner).robot.federation)
    },
    {
      method: "POST",
      path: `${one}/federation`,
      operation: `create${prefix}RobotFederation`,
      scope,
      since: federationSince,
      listedSince: "3.17",
      body: { name: "CreateRobotFederation", schema: FEDERATION },
      handle: setFederation(owner)
    },
    {
      method: "DELETE",
      path: `${one}/federation`,
      operation: `delete${prefix}RobotFederation`,
      scope,
      since: federationSince,
      listedSince: "3.17",
      handle: (call) => {
        const { name, short, robot } = found(call, owner)
        robot.federation = []
        call.log("delete_robot_federation", { namespace: name }, { robot: short })
        return noContent()
      }
    }
  ]
}

export const robot: Kind = {
  name: "robot",
  routes: [
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}/robots",
      operation: "getOrgRobots",
      scope: "org:admin",
      handle: (call) => {
        const name = call.parameter("orgname")
        call.caller.require(call.caller.isMember(name))
        return list(name, call.caller.administers(name))(call)
      }
    },
    ...routes("/api/v1/organization/{orgname}/robots", "Org", ofOrganization, "3.13"),
    {
      method: "GET",
      path: "/api/v1/user/robots",
      operation: "getUserRobots",
      scope: "user:admin",
      handle: (call) => list(ofCaller(call).name, true)(call)
    },
    ...routes("/api/v1/user/robots", "User", ofCaller, "3.17")
  ]
}
