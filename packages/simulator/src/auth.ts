// Who is asking and what they may do: scopes cap roles, superusers pass where full access is on.
// Leaves out which check a route makes; Quay is not consistent there, so each route says it itself.
import { insufficientScope, needsAuthentication, type Refusal } from "./errors.ts"
import { type Features, isAmong, isAtLeast } from "./features.ts"
import { type RepositoryRole, SCOPES, type Scope, type State, type TeamRole, type Token } from "./state.ts"

const REPOSITORY_RANK = { read: 1, write: 2, admin: 3 } satisfies Record<RepositoryRole, number>
const TEAM_RANK = { member: 1, creator: 2, admin: 3 } satisfies Record<TeamRole, number>

export const atLeast = (role: RepositoryRole | undefined, wanted: RepositoryRole): boolean =>
  role !== undefined && REPOSITORY_RANK[role] >= REPOSITORY_RANK[wanted]

const lower = <R extends string>(rank: Record<R, number>, a: R | undefined, b: R | undefined): R | undefined =>
  a === undefined || b === undefined ? undefined : rank[a] < rank[b] ? a : b

const highest = <R extends string>(rank: Record<R, number>, roles: Iterable<R>): R | undefined => {
  let best: R | undefined
  for (const role of roles) if (best === undefined || rank[role] > rank[best]) best = role
  return best
}

const session = (user: string | undefined): Token | undefined =>
  user === undefined ? undefined : { user, scopes: SCOPES, expires: null }

type Shown = Pick<Caller, "administers" | "isMember" | "viewsTeam" | "readsEmail">

/** The bearer of a request; nobody when there is no token or a wrong one. */
export class Caller {
  readonly user: string | undefined
  readonly #scopes: ReadonlySet<string>
  readonly #state: State
  readonly #features: Features
  readonly #version: string | undefined

  /** By a token, or as somebody who signed in, who may do everything that they may do. */
  constructor(
    state: State,
    features: Features,
    version: string | undefined,
    token: string | undefined,
    signedIn?: string
  ) {
    const known = token === undefined ? session(signedIn) : state.tokens.get(token)
    const expired = known?.expires != null && Date.parse(known.expires) <= state.options.now()
    const alive = known !== undefined && !expired && state.users.get(known.user)?.enabled === true
    this.user = alive ? known.user : undefined
    this.#scopes = new Set(alive ? known.scopes : [])
    this.#state = state
    this.#features = features
    this.#version = version
  }

  has(scope: Scope): boolean {
    return this.#scopes.has(scope)
  }

  /** The refusal for one who may not: nobody is asked to sign in, somebody is turned away. */
  refusal(): Refusal {
    return this.user === undefined ? needsAuthentication() : insufficientScope()
  }

  require(allowed: boolean): void {
    if (!allowed) throw this.refusal()
  }

  isSuperuser(): boolean {
    return (
      this.#features["SUPER_USERS"] === true &&
      this.has("super:user") &&
      this.user !== undefined &&
      this.#state.users.get(this.user)?.superuser === true
    )
  }

  /** A superuser whom every check of organizations and repositories lets pass. */
  hasFullAccess(): boolean {
    return isAtLeast(this.#version, "3.8") && this.#features["SUPERUSERS_FULL_ACCESS"] === true && this.isSuperuser()
  }

  /**
   * The caller as views show them. They were blind to full access: before 3.16 a superuser who is no member could do
   * everything and was shown as an outsider, and the first releases after that showed teams and no more.
   */
  shown(): Shown {
    if (isAmong(this.#version, ["3.16.3", "3.17.1", "3.18"])) return this
    const isHalf = isAtLeast(this.#version, "3.16") && this.hasFullAccess()
    const administers = (namespace: string) => this.#namespaceRole(namespace) === "admin"
    return {
      administers,
      isMember: (namespace) => isHalf || this.#namespaceRole(namespace) !== undefined,
      viewsTeam: (namespace, team) => isHalf || administers(namespace) || this.#isInTeam(namespace, team),
      readsEmail: (namespace) => isHalf || administers(namespace)
    }
  }

  readsEmail(namespace: string): boolean {
    return this.administers(namespace)
  }

  readsUser(): boolean {
    return this.has("user:read") || this.has("user:admin")
  }

  adminsUser(): boolean {
    return this.user !== undefined && this.has("user:admin")
  }

  #maximumTeamRole(): TeamRole | undefined {
    return this.has("org:admin") ? "admin" : this.has("repo:create") ? "creator" : undefined
  }

  #maximumRepositoryRole(): RepositoryRole | undefined {
    return this.has("repo:admin")
      ? "admin"
      : this.has("repo:write")
        ? "write"
        : this.has("repo:read")
          ? "read"
          : undefined
  }

  #teamRoles(namespace: string): Map<string, TeamRole> {
    const mine = new Map<string, TeamRole>()
    if (this.user === undefined) return mine
    for (const [name, team] of this.#state.organizations.get(namespace)?.teams ?? []) {
      if (team.members.has(this.user)) mine.set(name, team.role)
    }
    return mine
  }

  /** The role in a namespace without what superusers may: through teams, or in one's own. */
  #namespaceRole(namespace: string): TeamRole | undefined {
    const role = this.user === namespace ? "admin" : highest<TeamRole>(TEAM_RANK, this.#teamRoles(namespace).values())
    return lower<TeamRole>(TEAM_RANK, role, this.#maximumTeamRole())
  }

  administers(namespace: string): boolean {
    return this.hasFullAccess() || this.#namespaceRole(namespace) === "admin"
  }

  isMember(namespace: string): boolean {
    return this.hasFullAccess() || this.#namespaceRole(namespace) !== undefined
  }

  /** Where full access came late: until then superusers needed to be members here. */
  administersFully(namespace: string): boolean {
    return this.#hasLateAccess() || this.#namespaceRole(namespace) === "admin"
  }

  #hasLateAccess(): boolean {
    return isAtLeast(this.#version, "3.10.25") && this.hasFullAccess()
  }

  createsRepositories(namespace: string): boolean {
    const role = this.#namespaceRole(namespace)
    return this.#hasLateAccess() || role === "admin" || role === "creator"
  }

  viewsTeam(namespace: string, team: string): boolean {
    return this.administers(namespace) || this.#isInTeam(namespace, team)
  }

  #isInTeam(namespace: string, team: string): boolean {
    return this.#maximumTeamRole() !== undefined && this.#teamRoles(namespace).has(team)
  }

  /** Whether lists show it; Quay does not look at scopes there. */
  seesRepository(namespace: string, name: string): boolean {
    return this.hasFullAccess() || grantedRole(this.#state, this.user, namespace, name) !== undefined
  }

  /** Everything but visibility: public repositories are for each route to let in. */
  repositoryRole(namespace: string, name: string): RepositoryRole | undefined {
    if (this.hasFullAccess()) return "admin"
    return lower<RepositoryRole>(
      REPOSITORY_RANK,
      grantedRole(this.#state, this.user, namespace, name),
      this.#maximumRepositoryRole()
    )
  }
}

/** What a person or robot was given on a repository: directly, through teams, by administering its namespace. */
export const grantedRole = (
  state: State,
  user: string | undefined,
  namespace: string,
  name: string
): RepositoryRole | undefined => {
  if (user === undefined) return undefined
  if (user === namespace) return "admin"
  const granted: RepositoryRole[] = []
  const permissions = state.repository(namespace, name)?.permissions
  const direct = permissions?.users.get(user)
  if (direct !== undefined) granted.push(direct)
  for (const [team, { role, members }] of state.organizations.get(namespace)?.teams ?? []) {
    if (!members.has(user)) continue
    if (role === "admin") granted.push("admin")
    const throughTeam = permissions?.teams.get(team)
    if (throughTeam !== undefined) granted.push(throughTeam)
  }
  return highest<RepositoryRole>(REPOSITORY_RANK, granted)
}
