/**
 * What users, robot accounts and teams may do with a repository. The permissions of an organization are a matrix; it is
 * read along its shorter side, by who has them or by repository, whichever takes fewer requests.
 */
import { type Collection, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { collaborators, members, organizationView, type ReadError, repositories, robots } from "./answers.ts"
import { type Grantee, grantee, granteeFields, granteeKey, granteeNeeds, granteeUser } from "./grantee.ts"
import { item, RepositoryRole, shortNames } from "./names.ts"
import { ask, Quay } from "./quay.ts"
import { organizationOf, repositoryRef } from "./repository.ts"
import { raised, unless } from "./widening.ts"

/** `repository` is a repository's key: `acme/vendor/alpine`. */
const schema = item({ repository: Type.String(), ...granteeFields, role: RepositoryRole })

export type RepositoryPermission = Static<typeof schema>

const roles = (what: string) =>
  Type.Optional(
    Type.Record(Type.String({ pattern: shortNames.pattern }), RepositoryRole, {
      additionalProperties: false,
      description: `${what}, each with a role. Others lose their permission.`,
      "x-names": shortNames.description
    })
  )

const node = Type.Object(
  { users: roles("Users"), robots: roles("Robot accounts, by short name"), teams: roles("Teams") },
  { additionalProperties: false, description: "Who may do what with the repository." }
)

const parts = [
  ["users", "user"],
  ["robots", "robot"],
  ["teams", "team"]
] as const

const partOf = (to: Grantee): string => (to.team !== undefined ? "teams" : to.robot !== undefined ? "robots" : "users")

/** The key of what somebody may do with a repository, whatever it is. */
export const permissionKey = ({ repository, ...to }: Grantee & { readonly repository: string }): string =>
  `${repository}/${granteeKey(to)}`

export const repositoryPermission: Kind<"repository-permission", typeof schema, ReadError, Quay> = {
  kind: "repository-permission",
  scopes: ["repo:admin", "user:admin to read by robot account"],
  schema,
  identity: ["repository", "user", "robot", "team"],
  key: permissionKey,
  collection: (permission) => ({ parent: permission.repository, part: partOf(permission) }),
  needs: (permission) => [
    repositoryRef(permission.repository),
    ...granteeNeeds(organizationOf(permission.repository), permission)
  ],
  consults: ({ parent, part }) => {
    const organization = organizationOf(parent)
    return [
      { kind: "default-permission", parent: organization },
      ...(part === "robots" ? [{ kind: "robot", parent: organization }] : []),
      ...(part === "teams" ? [{ kind: "team", parent: organization }] : [])
    ]
  },
  // Quay grants one to whoever creates a repository. Its role is not looked at: reading by subject does not tell it. A token that
  // may not say whose it is could belong to any administrator.
  implicit: ({ role, user }, caller) =>
    user !== undefined && (caller === undefined ? role === "admin" : user === caller),
  extras: "remove",
  narrows: unless({ role: raised("read", "write", "admin") }),
  section: section({
    under: "repository",
    name: "permissions",
    node,
    parts: (given) => parts.flatMap(([part]) => (given[part] === undefined ? [] : [part])),
    read: (given, repository) =>
      parts.flatMap(([part, field]) =>
        Object.entries(given[part] ?? {}).map(([name, role]) => ({
          item: { repository, [field]: name, role },
          path: [part, name]
        }))
      ),
    // A share that nobody is in is left out, and so not managed.
    write: (items) =>
      Object.fromEntries(
        parts.flatMap(([part, field]) => {
          const roles = items.flatMap((it) => {
            const name = it[field]
            return name === undefined ? [] : [[name, it.role] as const]
          })
          return roles.length === 0 ? [] : [[part, Object.fromEntries(roles)]]
        })
      )
  }),

  list: (collections, declared) =>
    Effect.map(
      Effect.forEach(byOrganization(collections), (asked) => listOf(asked, declared), { concurrency: "unbounded" }),
      (lists) => lists.flat()
    ),
  create: (after) => put(after),
  update: (after) => put(after),
  delete: (before) => {
    const { repository, team } = before
    return Effect.asVoid(
      team === undefined
        ? ask((client, signal) =>
            client.DELETE("/api/v1/repository/{repository}/permissions/user/{username}", {
              params: { path: { repository, username: granteeUser(organizationOf(repository), before) } },
              signal
            })
          )
        : ask((client, signal) =>
            client.DELETE("/api/v1/repository/{repository}/permissions/team/{teamname}", {
              params: { path: { repository, teamname: team } },
              signal
            })
          )
    )
  }
}

const put = (permission: RepositoryPermission) => {
  const { repository, role, team } = permission
  return Effect.asVoid(
    team === undefined
      ? ask((client, signal) =>
          client.PUT("/api/v1/repository/{repository}/permissions/user/{username}", {
            params: { path: { repository, username: granteeUser(organizationOf(repository), permission) } },
            body: { role },
            signal
          })
        )
      : ask((client, signal) =>
          client.PUT("/api/v1/repository/{repository}/permissions/team/{teamname}", {
            params: { path: { repository, teamname: team } },
            body: { role },
            signal
          })
        )
  )
}

/** The repositories of one organization whose permissions are asked for, by part. */
interface Asked {
  readonly organization: string
  readonly users: ReadonlySet<string>
  readonly robots: ReadonlySet<string>
  readonly teams: ReadonlySet<string>
}

const byOrganization = (collections: ReadonlyArray<Collection>): ReadonlyArray<Asked> => {
  const known = new Map<string, { organization: string; users: Set<string>; robots: Set<string>; teams: Set<string> }>()
  for (const { parent, part } of collections) {
    const organization = organizationOf(parent)
    const asked = known.get(organization) ?? { organization, users: new Set(), robots: new Set(), teams: new Set() }
    known.set(organization, asked)
    for (const [name] of parts) if (part === undefined || part === name) asked[name].add(parent)
  }
  return [...known.values()]
}

type Permissions = ReadonlyArray<RepositoryPermission>

const each = <A, E, R>(over: Iterable<A>, f: (a: A) => Effect.Effect<Permissions, E, R>) =>
  Effect.map(Effect.forEach(over, f, { concurrency: "unbounded" }), (lists) => lists.flat())

const listOf = (asked: Asked, declared: ReadonlySet<string>): Effect.Effect<Permissions, ReadError, Quay> =>
  Effect.gen(function* () {
    const { organization } = asked
    const view = yield* organizationView(organization)
    if (view === undefined) return []
    const there = new Set((yield* repositories(organization)).map(({ name }) => `${organization}/${name}`))
    const existing = (wanted: ReadonlySet<string>) => new Set([...wanted].filter((repository) => there.has(repository)))

    const teamRepositories = existing(asked.teams)
    const teams = Object.values(view.teams).filter((team) => team.repo_count > 0)
    const byTeam = teams.length < teamRepositories.size
    return (yield* Effect.all(
      [
        byTeam
          ? each(teams, (team) => ofTeam(organization, team.name))
          : each(teamRepositories, (repository) => teamsOn(repository)),
        usersAndRobots(organization, existing(asked.users), existing(asked.robots), declared)
      ],
      { concurrency: "unbounded" }
    )).flat()
  })

/**
 * A repository's user permissions include robot accounts. By subject, robots are asked one by one, and of the repositories
 * only those on which somebody else than the caller has a permission of their own.
 */
const usersAndRobots = (
  organization: string,
  forUsers: ReadonlySet<string>,
  forRobots: ReadonlySet<string>,
  declared: ReadonlySet<string>
): Effect.Effect<Permissions, ReadError, Quay> =>
  Effect.gen(function* () {
    const byRepository = new Set([...forUsers, ...forRobots])
    if (byRepository.size === 0) return []
    const asked = forRobots.size === 0 ? [] : yield* robots(organization)
    const personal =
      forUsers.size === 0 ? new Set<string>() : yield* personalRepositories(organization, forUsers, declared)
    const holders = asked.filter(
      (robot) =>
        robot.repositories === undefined ||
        robot.repositories.some(
          (name) => forRobots.has(`${organization}/${name}`) && !personal.has(`${organization}/${name}`)
        )
    )
    if (byRepository.size <= holders.length + personal.size) return yield* each(byRepository, usersOn)
    const bySubject = Effect.map(
      Effect.all([each(holders, (robot) => ofRobot(organization, robot.name)), each(personal, usersOn)], {
        concurrency: "unbounded"
      }),
      (lists) => lists.flat()
    )
    // Reading by robot wants the scope user:admin; by repository, the organization's administrator may read all the same.
    return yield* Effect.catch(bySubject, (error) =>
      error._tag === "Forbidden" ? each(byRepository, usersOn) : Effect.fail(error)
    )
  })

/** Of these repositories, those on which a person has a direct permission, the caller's undeclared ones aside. */
const personalRepositories = (organization: string, among: ReadonlySet<string>, declared: ReadonlySet<string>) =>
  Effect.gen(function* () {
    const { caller } = yield* Quay
    const [inside, outside] = yield* Effect.all([members(organization), collaborators(organization)], {
      concurrency: "unbounded"
    })
    const found = new Set<string>()
    for (const { name, repositories: names } of [...inside, ...outside]) {
      for (const short of names) {
        const repository = `${organization}/${short}`
        const ours = name === caller && !declared.has(permissionKey({ repository, user: name }))
        if (!ours && among.has(repository)) found.add(repository)
      }
    }
    return found
  })

const ofTeam = (organization: string, team: string): Effect.Effect<Permissions, ReadError, Quay> =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/team/{teamname}/permissions", {
        params: { path: { orgname: organization, teamname: team } },
        signal
      })
    ),
    (answer) =>
      answer.permissions.map(({ repository, role }) => ({
        repository: `${organization}/${repository.name}`,
        team,
        role
      }))
  )

const ofRobot = (organization: string, robot: string): Effect.Effect<Permissions, ReadError, Quay> =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/organization/{orgname}/robots/{robot_shortname}/permissions", {
        params: { path: { orgname: organization, robot_shortname: robot } },
        signal
      })
    ),
    (answer) =>
      answer.permissions.map(({ repository, role }) => ({
        repository: `${organization}/${repository.name}`,
        robot,
        role
      }))
  )

const usersOn = (repository: string): Effect.Effect<Permissions, ReadError, Quay> =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/repository/{repository}/permissions/user/", { params: { path: { repository } }, signal })
    ),
    (answer) =>
      Object.values(answer.permissions).map(({ name, role }) => ({
        repository,
        ...grantee(organizationOf(repository), "user", name),
        role
      }))
  )

const teamsOn = (repository: string): Effect.Effect<Permissions, ReadError, Quay> =>
  Effect.map(
    ask((client, signal) =>
      client.GET("/api/v1/repository/{repository}/permissions/team/", { params: { path: { repository } }, signal })
    ),
    (answer) => Object.values(answer.permissions).map(({ name, role }) => ({ repository, team: name, role }))
  )
