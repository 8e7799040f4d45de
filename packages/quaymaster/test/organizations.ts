// Random documents over every kind: an organization with whatever can be said of one, and what belongs to the registry alone.
// A document is valid by itself: what it refers to it declares, or everybody has. Names are few, so that a second document is
// about what the first one made. A test holds that nothing that a file may say is never said here.
import fc from "fast-check"

export type Document = { readonly [section: string]: unknown }

/** What belongs together: files that are planned at once. */
export type Documents = ReadonlyArray<Document>

/** What of a registry decides what can be said of it. */
export interface Registry {
  /** People come from a directory, whose groups teams can be synchronized with; no accounts are made by hand. */
  readonly directory: boolean
  /** Mail is sent: people are invited into teams, and can be told of what happens by mail. */
  readonly mailing: boolean
}

/** What others have done to every repository that is there, and nobody can do here. */
export interface Elsewhere {
  /** Addresses that were confirmed for it. */
  readonly addresses: ReadonlyArray<string>
  /** Sources of which it is built. */
  readonly sources: ReadonlyArray<string>
}

export const NOTHING_ELSEWHERE: Elsewhere = { addresses: [], sources: [] }

export const REGISTRIES: ReadonlyArray<Registry> = [
  { directory: false, mailing: false },
  { directory: true, mailing: false },
  { directory: false, mailing: true }
]

interface Place {
  readonly registry: Registry
  readonly elsewhere: Elsewhere
}

export const ORGANIZATION = "acme"
export const TEAMS = ["dev", "ops", "owners"]
export const ROBOTS = ["ci", "cd"]
/** Those who have accounts from the beginning; the first is who asks. */
export const USERS = ["me", "alice", "bob"]
/** Those whom only documents make. */
export const NEWCOMERS = ["carol", "dave"]
export const REPOSITORIES = ["app", "web", "vendor/alpine"]
export const GROUPS = ["cn=dev,ou=groups", "cn=ops,ou=groups"]
/** What secrets are called, and what they are. */
export const SECRETS: Readonly<Record<string, string>> = {
  HOOK_A: "https://hooks.example.com/canary-a",
  HOOK_B: "https://hooks.example.com/canary-b",
  FLOW: "canary-flow",
  HIPCHAT: "canary-hipchat",
  PULLER: "canary-puller",
  PULLER_PASSWORD: "canary-password"
}

// What documents are made of

const some = <A>(items: ReadonlyArray<A>, most = items.length) => fc.subarray([...items], { maxLength: most })
const maybe = <A>(arbitrary: fc.Arbitrary<A>, freq = 2) => fc.option(arbitrary, { nil: undefined, freq })
const rarely = <A>(arbitrary: fc.Arbitrary<A>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const pick = fc.constantFrom
const env = (...names: ReadonlyArray<string>) => pick(...names).map((name) => ({ env: name }))
const each = <A>(names: ReadonlyArray<string>, entry: (name: string) => fc.Arbitrary<A>) =>
  fc.tuple(...names.map(entry)).map((made) => Object.fromEntries(names.map((name, i) => [name, made[i]])))
const mapOf = <A>(names: ReadonlyArray<string>, entry: (name: string) => fc.Arbitrary<A>, most = names.length) =>
  some(names, most).chain((chosen) => each(chosen, entry))

/** Of what is in the same place, one of each. */
const distinct = <A>(arbitrary: fc.Arbitrary<A>, selector: (value: A) => unknown, maxLength = 2) =>
  fc.uniqueArray(arbitrary, { maxLength, selector: (value) => JSON.stringify(selector(value)) })

const role = pick("read", "write", "admin")
const visibility = pick("public", "private")
/** What people write, and what YAML could take for something else. */
const text = fc.oneof(
  pick("", "one", "no", "~", "1e3", "- a", "a: b # c", "two\nlines\n", " spaces ", "'\"", "{}", "2w", "#"),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 8 })
)

const autoPrune = distinct(
  fc
    .record({ tag_pattern: maybe(pick("^pr-", "[a-z]+$")), tag_pattern_matches: maybe(fc.boolean()) })
    .chain(({ tag_pattern, tag_pattern_matches }) => {
      const tags = tag_pattern === undefined ? {} : { tag_pattern, tag_pattern_matches }
      return fc.oneof(
        fc.integer({ min: 1, max: 50 }).map((value) => ({ method: "number_of_tags", value, ...tags })),
        pick("7d", "2w", "1M").map((value) => ({ method: "creation_date", value, ...tags }))
      )
    }),
  ({ method, tag_pattern, tag_pattern_matches = true }) => [
    method,
    tag_pattern,
    tag_pattern === undefined || tag_pattern_matches
  ]
)

const immutability = distinct(
  fc.record({ tag_pattern: pick("v.*", "release-.*"), tag_pattern_matches: maybe(fc.boolean()) }),
  ({ tag_pattern }) => tag_pattern
)

const url = fc.oneof(pick("https://a.example.com/1", "https://b.example.com/2"), env("HOOK_A", "HOOK_B"))

/** Where a notification goes: a method with what it needs. */
const destination = (organization: string, teams: ReadonlyArray<string>, addresses: ReadonlyArray<string>) => {
  const target = pick(
    { kind: "user", name: "alice" },
    { kind: "org", name: organization },
    ...teams.map((name) => ({ kind: "team", name }))
  )
  return fc.oneof(
    fc.record({ method: fc.constant("webhook"), config: url.map((it) => ({ url: it })) }),
    fc.record({ method: fc.constant("slack"), config: env("HOOK_A", "HOOK_B").map((it) => ({ url: it })) }),
    fc.record({ method: fc.constant("webhook"), config: url.map((it) => ({ url: it, template: '{"a":1}' })) }),
    ...addresses.map((email) => fc.record({ method: fc.constant("email"), config: fc.constant({ email }) })),
    fc.record({ method: fc.constant("quay_notification"), config: target.map((it) => ({ target: it })) }),
    fc.record({ method: fc.constant("flowdock"), config: fc.constant({ flow_api_token: { env: "FLOW" } }) }),
    fc.record({
      method: fc.constant("hipchat"),
      config: pick("1", "lobby").map((room_id) => ({ notification_token: { env: "HIPCHAT" }, room_id }))
    })
  )
}

const happening = fc.oneof(
  fc.record({ event: pick("repo_push", "repo_mirror_sync_failed", "repo_mirror_sync_started") }),
  fc.record({ event: pick("repo_mirror_sync_success", "build_queued", "build_start") }),
  fc.record({
    event: pick("build_success", "build_failure", "build_cancelled"),
    event_config: maybe(fc.constant({ ref_regex: "main" }))
  }),
  fc.record({
    event: fc.constant("vulnerability_found"),
    event_config: maybe(fc.nat(6).map((level) => ({ level })))
  }),
  fc.record({
    event: fc.constant("repo_image_expiry"),
    event_config: fc.integer({ min: 1, max: 30 }).map((days) => ({ days }))
  })
)

const notifications = (
  event: fc.Arbitrary<{ readonly event: string; readonly event_config?: unknown }>,
  organization: string,
  teams: ReadonlyArray<string>,
  addresses: ReadonlyArray<string>
) =>
  distinct(
    fc
      .tuple(event, destination(organization, teams, addresses), maybe(pick("hook", "pushes")))
      .map(([when, where, title]) => ({ ...when, ...where, title })),
    (it) => it
  )

/** What mirrors of repositories and of organizations have in common. A password goes with a name. */
const mirroring = (robot: string) =>
  fc
    .record({
      robot: fc.constant(robot),
      interval: maybe(pick("24h", "90m", "1d")),
      start: rarely(fc.constant("2027-01-01T02:00:00Z")),
      username: maybe(fc.oneof(pick("", "puller"), env("PULLER"))),
      password: maybe(env("PULLER_PASSWORD")),
      verify_tls: maybe(fc.boolean()),
      proxy: maybe(
        fc.record({
          http: maybe(pick("", "http://proxy.example.com:3128")),
          https: maybe(pick("", "http://proxy.example.com:3129")),
          no_proxy: maybe(pick("", "localhost"))
        })
      ),
      enabled: maybe(fc.boolean()),
      timeout: maybe(pick("5m", "10m"))
    })
    .map(({ password, ...it }) => (it.username === undefined || it.username === "" ? it : { ...it, password }))

/** The one that mirrors use, which is never pruned: of a mirror that nobody speaks of, nobody asks which it uses. */
const MIRRORING = "ci"

const repositoryMirror = (robots: ReadonlyArray<string>) =>
  !robots.includes(MIRRORING)
    ? fc.constant({ enabled: false })
    : fc.oneof(
        { weight: 1, arbitrary: fc.constant({ enabled: false }) },
        {
          weight: 5,
          arbitrary: fc
            .tuple(
              mirroring(MIRRORING),
              fc.record({
                source: pick("docker.io/library/alpine", "ghcr.io/a/b"),
                tags: pick(["latest"], ["3.*", "latest"]),
                unsigned_images: maybe(fc.boolean()),
                architecture_filter: maybe(some(["amd64", "arm64", "ppc64le", "s390x"]))
              })
            )
            .map(([common, own]) => ({ ...common, ...own }))
        }
      )

const organizationMirror = fc
  .tuple(
    mirroring(MIRRORING),
    fc.record({
      type: pick("harbor", "quay"),
      url: pick("https://registry.example.com", "https://other.example.com"),
      namespace: pick("partner", "library"),
      visibility: maybe(visibility),
      repository_filters: maybe(some(["team-*", "release"]))
    })
  )
  .map(([common, own]) => ({ ...common, ...own }))

const permissions = (robots: ReadonlyArray<string>, teams: ReadonlyArray<string>) =>
  fc.record({
    users: maybe(mapOf(USERS, () => role)),
    robots: maybe(mapOf(robots, () => role)),
    teams: maybe(mapOf(teams, () => role))
  })

// Documents

interface Names {
  readonly organization: string
  readonly teams: ReadonlyArray<string>
  readonly robots: ReadonlyArray<string>
}

const repository = ({ organization, robots, teams }: Names, { elsewhere: { addresses, sources } }: Place) =>
  fc.record({
    description: maybe(text),
    visibility: maybe(visibility),
    permissions: maybe(permissions(robots, teams)),
    auto_prune: rarely(autoPrune),
    immutability: rarely(immutability),
    notifications: rarely(notifications(happening, organization, teams, addresses)),
    mirror: rarely(repositoryMirror(robots)),
    state: rarely(pick("normal", "read_only", "mirror")),
    trust: rarely(fc.boolean()),
    triggers: rarely(
      some(sources).chain((chosen) =>
        fc.tuple(
          ...chosen.map((source) =>
            fc.record({ service: fc.constant("custom-git"), source: fc.constant(source), enabled: maybe(fc.boolean()) })
          )
        )
      )
    )
  })

/** One rule, or two of which one is more specific: rules that contradict each other are refused. */
const rules = (names: Names, at: Place) =>
  fc
    .tuple(maybe(pick("*", "vendor/*")), maybe(pick("web", "app")), some(REPOSITORIES, 1))
    .chain(([wide, narrow, except]) =>
      fc.tuple(
        ...[wide, narrow]
          .filter((match) => match !== undefined)
          .map((match) =>
            fc.tuple(repository(names, at), visibility).map(([said, visible]) => ({
              match,
              ...(except.length > 0 && match === wide ? { except } : {}),
              ...said,
              visibility: visible
            }))
          )
      )
    )

const robot = (name: string) =>
  fc.record({
    description: maybe(pick("", "builds: all", "pulls")),
    unstructured_metadata: rarely(fc.constant({ owner: "dev", tags: [1, null] })),
    federation: rarely(
      distinct(
        fc.record({ issuer: pick("https://a.example.com", "https://b.example.com"), subject: pick("one", "two") }),
        (it) => it
      )
    ),
    deliver: rarely(
      distinct(
        fc.oneof(
          fc.constant({ docker_config: `./${name}.json` }),
          fc
            .record({ name: maybe(pick("pull", "other")), namespace: maybe(pick("apps", "web")) })
            .map((it) => ({ kubernetes_secret: `./${name}.yaml`, ...it })),
          fc.constant({ env_file: `./${name}.env` })
        ),
        (it) => Object.keys(it)[0]
      )
    )
  })

const team = (name: string, robots: ReadonlyArray<string>, { directory }: Registry) =>
  fc
    .record({
      role: name === "owners" ? fc.constant("admin") : maybe(pick("member", "creator", "admin")),
      description: maybe(text),
      // Who asks stays an administrator, as far as it is a document's to say.
      users: maybe(some(USERS).map((it) => (name === "owners" ? [...new Set([...it, "me"])] : it))),
      robots: maybe(some(robots)),
      sync:
        directory && name !== "owners"
          ? maybe(
              fc.oneof(
                fc.constant({}),
                pick(...GROUPS).map((ldap) => ({ ldap }))
              )
            )
          : fc.constant(undefined)
    })
    .map(({ robots, sync, users, ...it }) => ({
      ...it,
      // Nobody says who is in a team that a directory fills.
      members: sync === undefined || Object.keys(sync).length === 0 ? { users, robots } : { robots },
      sync
    }))
    .map((it) => (Object.values(it.members).every((value) => value === undefined) ? { ...it, members: undefined } : it))

const defaultPermissions = ({ robots, teams }: Names) => {
  const grantees = [
    ...teams.map((name) => ({ team: name })),
    ...robots.map((name) => ({ robot: name })),
    ...USERS.slice(0, 2).map((name) => ({ user: name }))
  ]
  return some(
    grantees.flatMap((to) => [to, { ...to, created_by: "me" }, { ...to, created_by: "alice" }]),
    4
  ).chain((chosen) =>
    fc
      .array(role, { minLength: chosen.length, maxLength: chosen.length })
      .map((roles) => chosen.map((rule, i) => ({ ...rule, role: roles[i] })))
  )
}

const quota = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  {
    weight: 5,
    arbitrary: fc.record({
      limit: pick("1GiB", "1500MB", 123),
      warning: maybe(pick(50, [60, 70])),
      reject: maybe(pick(90, [95, 100]))
    })
  }
)

const proxyCache = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.record({
      upstream: pick("docker.io", "docker.io/library"),
      username: maybe(fc.oneof(fc.constant("puller"), env("PULLER"))),
      password: maybe(env("PULLER_PASSWORD")),
      expiration: maybe(pick("1d", "12h")),
      insecure: maybe(fc.boolean())
    })
  }
)

const SCOPES = [
  "repo:read",
  "repo:write",
  "repo:admin",
  "repo:create",
  "user:read",
  "user:admin",
  "org:admin",
  "super:user"
]

/** A token's value is told once, so it goes into a file. */
const token = (application: string) => (name: string) => {
  const file = `./${application.replace(/\W/g, "")}-${name}`
  return fc.record({
    scopes: fc.subarray(SCOPES, { minLength: 1 }),
    expiration: maybe(pick("90d", "52w")),
    deliver: pick(
      [{ env_file: `${file}.env` }],
      [{ kubernetes_secret: `${file}.yaml`, name: "quay", namespace: "apps" }, { env_file: `${file}.env` }]
    )
  })
}

const application = (name: string) =>
  fc.record({
    tokens: rarely(mapOf(["portal", "reader"], token(name))),
    uri: maybe(fc.constant("https://x.example.com")),
    redirect_uri: maybe(fc.constant("https://x.example.com/callback")),
    description: maybe(text),
    avatar_email: maybe(pick("", "a@example.com"))
  })

/** An organization is a place for repositories of its own, or it is the copy of another one: such a one is empty. */
const contents = (names: Names, at: Place) => {
  const closed = fc.constant(undefined)
  const own = fc.record({
    repositories: maybe(
      mapOf(REPOSITORIES, () => repository(names, at)),
      6
    ),
    repository_rules: rarely(rules(names, at)),
    immutability: rarely(immutability),
    proxy_cache: rarely(proxyCache),
    mirror: rarely(fc.constant({}))
  })
  if (!names.robots.includes(MIRRORING)) return own
  const copy = fc.record({
    repositories: closed,
    repository_rules: closed,
    immutability: closed,
    proxy_cache: closed,
    mirror: organizationMirror
  })
  return fc.oneof({ weight: 9, arbitrary: own }, { weight: 1, arbitrary: copy })
}

const PRUNABLE = ["teams", "robots", "repositories", "applications", "proxy_cache", "mirror", "triggers", "tokens"]

/** Whether a document has a section, or one of its repositories has. */
const speaksOf = (document: object, section: string): boolean => JSON.stringify(document).includes(`"${section}":`)

const present = (name: string, at: Place) =>
  fc.record({ teams: maybe(some(TEAMS), 6), robots: maybe(some(ROBOTS), 6) }).chain((there) => {
    const { robots = [], teams = [] } = there
    const names = { organization: name, robots, teams: teams.filter((it) => it !== "owners") }
    return fc
      .tuple(
        contents(names, at),
        fc.record({
          organization: fc.constant(name),
          email: maybe(pick("", "a@example.com", "b@example.com")),
          tag_expiration: maybe(pick("0s", "1d", "2w")),
          invoice_email: maybe(fc.boolean()),
          invoice_email_address: maybe(pick("", "invoices@example.com")),
          prune: maybe(some(PRUNABLE)),
          teams:
            there.teams === undefined ? fc.constant(undefined) : each(teams, (it) => team(it, robots, at.registry)),
          robots: there.robots === undefined ? fc.constant(undefined) : each(robots, robot),
          default_permissions: maybe(defaultPermissions({ ...names, teams })),
          quota: rarely(quota),
          notifications: rarely(
            notifications(
              pick("quota_warning", "quota_error").map((event) => ({ event })),
              name,
              names.teams,
              ["ops@example.com"]
            )
          ),
          auto_prune: rarely(autoPrune),
          applications: rarely(mapOf(["CI portal", "a: b"], application))
        })
      )
      .map(([inside, own]) => ({ ...own, ...inside }))
      .map((it) => {
        const prunes = it.prune?.filter(
          (section) => speaksOf(it, section) && (section !== "robots" || robots.includes(MIRRORING))
        )
        return { ...it, prune: prunes?.length === 0 ? undefined : prunes }
      })
  })

const plain = (value: unknown): Document => JSON.parse(JSON.stringify(value))

/** One organization. */
export const organizations = (
  name: string,
  registry: Registry,
  elsewhere: Elsewhere = NOTHING_ELSEWHERE
): fc.Arbitrary<Document> => present(name, { registry, elsewhere }).map(plain)

/** One that shall not be there. */
export const absent = (name: string): Document => ({ organization: name, state: "absent" })

const messages = distinct(
  fc.record({
    content: pick("Maintenance on Sunday.", "# Read\n\nthis", "x".repeat(80)),
    severity: maybe(pick("info", "warning", "error")),
    media_type: maybe(pick("text/plain", "text/markdown"))
  }),
  ({ content }) => content,
  3
)

const account = (name: string) =>
  fc.record({ email: maybe(pick(`${name}@one.example`, `${name}@two.example`)), enabled: maybe(fc.boolean()) })

/** Whom organizations may name is never pruned. */
const users = fc
  .tuple(each(USERS.slice(1), account), mapOf(NEWCOMERS, account), rarely(fc.constant(["users"])))
  .map(([those, newcomers, prune]) => ({ users: { ...those, ...newcomers }, prune }))

/** What belongs to no organization. */
export const registryDocuments = ({ directory }: Registry): fc.Arbitrary<Documents> =>
  fc
    .tuple(rarely(messages.map((it) => ({ messages: it }))), directory ? fc.constant(undefined) : rarely(users))
    .map((made) => made.filter((it) => it !== undefined).map(plain))

/** An organization with what is said of the registry beside it. */
export const documents = (
  name: string,
  registry: Registry,
  elsewhere: Elsewhere = NOTHING_ELSEWHERE
): fc.Arbitrary<Documents> =>
  fc
    .tuple(organizations(name, registry, elsewhere), registryDocuments(registry))
    .map(([organization, others]) => [organization, ...others])

/** All that can be said, said once: an organization, another one that is a copy, and what belongs to the registry. */
export const everything = (name: string, { directory }: Registry): Documents => [
  {
    organization: name,
    email: `${name}@example.com`,
    tag_expiration: "1d",
    invoice_email: true,
    invoice_email_address: "invoices@example.com",
    quota: { limit: "50GiB", warning: 80, reject: 100 },
    proxy_cache: {
      upstream: "docker.io",
      username: { env: "PULLER" },
      password: { env: "PULLER_PASSWORD" },
      expiration: "1d",
      insecure: false
    },
    auto_prune: [{ method: "creation_date", value: "90d", tag_pattern: "^pr-", tag_pattern_matches: true }],
    immutability: [{ tag_pattern: "release-.*", tag_pattern_matches: true }],
    notifications: [{ event: "quota_warning", method: "slack", config: { url: { env: "HOOK_A" } }, title: "quota" }],
    applications: {
      console: {
        uri: "https://x.example.com",
        redirect_uri: "https://x.example.com/callback",
        description: "The console",
        avatar_email: "a@example.com",
        tokens: {
          portal: { scopes: ["repo:read"], expiration: "90d", deliver: [{ env_file: `./${name}/portal.env` }] }
        }
      }
    },
    teams: {
      owners: { members: { users: ["me", "bob"] } },
      dev: { role: "creator", description: "Developers", members: { users: ["alice"], robots: ["ci"] } },
      ...(directory ? { synced: { role: "member", members: { robots: ["cd"] }, sync: { ldap: GROUPS[0] } } } : {})
    },
    robots: {
      ci: {
        description: "Builds",
        unstructured_metadata: { owner: "dev" },
        federation: [{ issuer: "https://token.example.com", subject: "repo:main" }],
        deliver: [
          { docker_config: `./${name}/ci.json` },
          { kubernetes_secret: `./${name}/ci.yaml`, name: "pull", namespace: "apps" },
          { env_file: `./${name}/ci.env` }
        ]
      },
      cd: { description: "Deploys" }
    },
    default_permissions: [
      { role: "write", robot: "ci" },
      { role: "read", team: "dev", created_by: "alice" },
      { role: "admin", user: "bob" }
    ],
    repositories: {
      app: {
        description: "The product",
        visibility: "private",
        permissions: { users: { alice: "admin" }, robots: { ci: "write" }, teams: { dev: "read" } },
        auto_prune: [{ method: "number_of_tags", value: 50 }],
        immutability: [{ tag_pattern: "v.*" }],
        triggers: [],
        trust: true,
        state: "normal",
        notifications: [
          { event: "repo_push", method: "webhook", config: { url: { env: "HOOK_B" } }, title: "deploy" },
          {
            event: "repo_image_expiry",
            method: "quay_notification",
            config: { target: { kind: "team", name: "dev" } },
            event_config: { days: 7 }
          }
        ]
      },
      archive: { visibility: "private", state: "read_only" },
      "vendor/alpine": {
        visibility: "public",
        state: "mirror",
        mirror: {
          source: "docker.io/library/alpine",
          tags: ["3.*", "latest"],
          robot: "cd",
          interval: "24h",
          start: "2027-01-01T02:00:00Z",
          username: "puller",
          password: { env: "PULLER_PASSWORD" },
          verify_tls: true,
          proxy: { http: "", https: "http://proxy.example.com:3128", no_proxy: "localhost" },
          enabled: true,
          timeout: "10m",
          unsigned_images: false,
          architecture_filter: ["amd64", "arm64"]
        }
      }
    }
  },
  {
    organization: `${name}-copy`,
    robots: { sync: {} },
    mirror: {
      type: "quay",
      url: "https://registry.example.com",
      namespace: "partner",
      robot: "sync",
      visibility: "private",
      interval: "6h",
      repository_filters: ["release-*"]
    }
  },
  { messages: [{ content: "Maintenance on Sunday.", severity: "warning", media_type: "text/plain" }] },
  ...(directory
    ? []
    : [{ users: { carol: { email: "carol@one.example" }, dave: { email: "dave@one.example", enabled: false } } }])
]
