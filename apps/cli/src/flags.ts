/** The flags and arguments, the same names in every command. What their texts mean is checked here, before anything is done. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"

/** A switch: off unless it is there. */
const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

const optional = <A>(flag: Flag.Flag<A>): Flag.Flag<A | undefined> =>
  flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))

const text = (name: string, metavar: string, description: string) =>
  optional(Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description)))

const file = (name: string, description: string) =>
  optional(Flag.File(name, { mustExist: false }).pipe(Flag.withMetavar("FILE"), Flag.withDescription(description)))

const UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000]
])

/** `30s`, `500ms` or `2m` in milliseconds. */
const milliseconds = (written: string): Option.Option<number> => {
  const [, number, unit] = /^([1-9][0-9]{0,5})(ms|s|m)$/.exec(written) ?? []
  const factor = UNITS.get(unit ?? "")
  return number === undefined || factor === undefined ? Option.none() : Option.some(Number(number) * factor)
}

const duration = (name: string, description: string) =>
  optional(
    Flag.String(name).pipe(
      Flag.withMetavar("TIME"),
      Flag.withDescription(description),
      Flag.filterMap(milliseconds, (written) => `Expected a time such as 500ms, 30s or 2m, not "${written}"`)
    )
  )

const positive = (name: string, metavar: string, description: string, whole: boolean) =>
  optional(
    (whole ? Flag.Int(name) : Flag.Finite(name)).pipe(
      Flag.withMetavar(metavar),
      Flag.withDescription(description),
      Flag.filter(
        (number) => number > 0,
        (number) => `Expected a number greater than 0, not ${number}`
      )
    )
  )

export const files = Argument.Path("FILES").pipe(
  Argument.withDescription("Organization files, directories and globs. Default: the sources of quaymaster.yaml"),
  Argument.variadic()
)

export const planOrFiles = Argument.Path("FILES").pipe(
  Argument.withDescription("A plan made with -o; or organization files, directories and globs, as for planning"),
  Argument.variadic()
)

/** Which files are meant, for which registry. */
export const project = {
  registry: text(
    "registry",
    "NAME|URL",
    "The registry: a name of quaymaster.yaml, a URL, or sim: or sim:FILE for a simulated one. Default: what the files say, then QUAY_URL"
  ),
  settings: file("settings", "The quaymaster.yaml to use. Default: the nearest, from here upwards")
}

/** How registries are asked. */
export const connection = {
  tokenFile: file("token-file", "A file with the token. Default: what quaymaster.yaml says, then QUAY_TOKEN"),
  parallelism: positive(
    "parallelism",
    "N",
    "The most requests side by side. Default: as many as it answers fast, to 16",
    true
  ),
  rps: positive("rps", "N", "The most requests a second. Default: no limit of its own", false),
  timeout: duration("timeout", "How long one request may take: 500ms, 30s, 2m. Default: 30s")
}

/** What is kept of an apply, and who may apply at the same time. */
export const keeping = {
  journal: file(
    "journal",
    "Write what is done before and after each operation, so that it is known after a crash; one of the same plan is gone on with"
  ),
  lock: file("lock", "Apply only while nobody else on this machine has this lock"),
  lockTimeout: duration("lock-timeout", "How long to wait for the lock: 500ms, 30s, 2m. Default: not at all")
}

/** What is shown. */
export const showing = {
  color: Flag.Literals("color", ["auto", "always", "never"]).pipe(
    Flag.withDescription("Colours. auto: on a terminal, unless NO_COLOR is set"),
    Flag.withDefault("auto")
  ),
  verbose: toggle("verbose", "List what is folded otherwise, what was read, and retries").pipe(Flag.withAlias("v")),
  quiet: toggle("quiet", "Say only what it comes to; no progress").pipe(Flag.withAlias("q")),
  events: file("events", "Write what happens as it happens: a JSON object a line, with a time")
}

/** What is planned, beside the files. */
export const planning = {
  writeSecrets: addresses(
    "write-secrets",
    "Send the secrets of an object again, such as repository-mirror:acme/alpine: a registry does not tell whether they differ"
  ),
  syncNow: addresses(
    "sync-now",
    "Have a mirror run now, such as repository-mirror:acme/alpine,organization-mirror:acme"
  ),
  renew: addresses(
    "renew",
    "Make another token in the place of one, such as application-token:acme/console/ci: the old one stops working"
  ),
  noDelete: optional(
    Flag.String("no-delete").pipe(
      Flag.withOptionalValue(""),
      Flag.withMetavar("KINDS"),
      Flag.withDescription(
        "Leave out what would delete or replace anything, and list it: of all kinds, or with --no-delete=team,robot of these"
      ),
      Flag.map((kinds) => (kinds === "" ? true : kinds.split(",").map((kind) => kind.trim())))
    )
  )
}

/** What the files said before. */
export const base = text(
  "base",
  "REF",
  "The files as they were on this commit, branch or tag of their Git repository, such as origin/main: tells what was to be done already from what they say since, and guards collections that they did not manage"
)

/** What the guard is against, and is done all the same: by kind and amount, or by address. */
export const allowing = {
  allowDeletes: several(
    "allow-deletes",
    "KIND=AMOUNT",
    "Allow that many deletions of a kind, and not one more, where a collection would lose much or all: team=28"
  ),
  allowDestroy: several(
    "allow-destroy",
    "KIND:KEY|KIND=AMOUNT",
    "Allow data or credentials to be destroyed: repository:acme/old-*, or repository=3 for that many"
  ),
  allowNewlyManaged: several(
    "allow-newly-managed",
    "KIND=AMOUNT",
    "With --base, allow that many deletions of a kind where the files did not manage it before: team-member=4"
  ),
  allowLockout: several(
    "allow-lockout",
    "KIND:KEY|KIND=AMOUNT",
    "Allow to take away your own access, or the last administrator: organization:acme"
  )
}

export const out = file("out", "Write the plan to a file, for quay-apply").pipe(Flag.withAlias("o"))

export const json = (what: string) => toggle("json", `Print ${what} as JSON on stdout, and nothing else`)

export const detailedExitCode = toggle("detailed-exitcode", "Exit with 2 if there is anything to do")

/** How a plan is approved. */
export const approving = {
  approve: optional(
    Flag.Literals("approve", ["additive"]).pipe(
      Flag.withDescription(
        "Apply without asking, but only if nothing is deleted, replaced or narrowed: nobody has less than before"
      )
    )
  ),
  digest: optional(
    Flag.String("digest").pipe(
      Flag.withMetavar("DIGEST"),
      Flag.withDescription(
        "Apply only the plan with this digest. Files are planned again and have to come to it; a saved plan beside them is shown against what they come to"
      ),
      Flag.filter(
        (text) => /^sha256:[0-9a-f]{64}$/.test(text),
        (text) => `Expected sha256: and 64 hexadecimal digits, as a plan's last lines show it, not "${text}"`
      )
    )
  ),
  rebase: toggle(
    "rebase",
    "If the saved plan is stale, plan again from the files beside it, or the sources of quaymaster.yaml, and apply that if it does nothing that the saved one did not"
  )
}

export const yes = toggle("yes", "Apply without asking").pipe(Flag.withAlias("y"))

export const kindName = Argument.String("KIND").pipe(
  Argument.withDescription("A kind, or the name of its section. Default: all of them, a line each"),
  Argument.optional,
  Argument.map(Option.getOrUndefined)
)

export const schemaName = Argument.Literals("WHAT", ["organization", "settings", "plan", "journal"]).pipe(
  Argument.withDescription("Whose schema: organization files, quaymaster.yaml, plan files, or the lines of a journal"),
  Argument.withDefault("organization")
)

/** What is exported, and where to. */
export const exporting = {
  organizations: Argument.String("ORG").pipe(
    Argument.withDescription("The names of organizations"),
    Argument.variadic()
  ),
  all: toggle(
    "all",
    "All of the registry's organizations for a superuser, else those that the token's user administers"
  ),
  out: optional(
    Flag.Directory("out", { mustExist: false }).pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("DIR"),
      Flag.withDescription("Write a file for each organization into this folder. Default: all of them on stdout")
    )
  ),
  force: toggle("force", "With -o: replace files that are there"),
  kind: several("kind", "KIND", "Only these kinds, and those that they live in: team,robot. Default: all")
}

export const robotName = Argument.String("ROBOT").pipe(
  Argument.withDescription("The robot account, with its organization: acme/ci")
)

export const yesRotate = toggle("yes", "Do it without asking").pipe(Flag.withAlias("y"))

/** How a simulated registry is served. */
export const simulation = {
  port: Flag.Int("port").pipe(
    Flag.withMetavar("PORT"),
    Flag.withDescription("The port; 0 takes any that is free"),
    Flag.filter(
      (port) => port >= 0 && port <= 65_535,
      (port) => `Expected a port from 0 to 65535, not ${port}`
    ),
    Flag.withDefault(8080)
  ),
  host: Flag.String("host").pipe(
    Flag.withMetavar("HOST"),
    Flag.withDescription("The address to listen on"),
    Flag.withDefault("127.0.0.1")
  ),
  superuser: several(
    "superuser",
    "NAME:TOKEN",
    "A superuser with a token of every scope. Default: admin, with a new token"
  ),
  user: several("user", "NAME:TOKEN", "A user with a token of every scope. With any, nobody else exists"),
  token: several(
    "token",
    "NAME:TOKEN:SCOPES",
    "One more token of a user, with fewer scopes: bob:TOKEN:org:admin,user:read"
  ),
  state: file("state", "Keep the registry in a file"),
  quay: text("quay", "RELEASE", "Behave as an older release: 3.12"),
  mailing: toggle(
    "mailing",
    "With mail, as Quay is by default: people added to a team are invited, and nothing is sent"
  ),
  ldap: file("ldap", "With LDAP accounts and team synchronization: a JSON file with users and groups"),
  feature: several(
    "feature",
    "NAME=true|false",
    "Switch a feature on or off: PROXY_CACHE=false. Default: as Quay's own"
  )
}

/** Addresses of objects, in one flag or several. A comma is part of one unless a kind follows it. */
function addresses(name: string, description: string) {
  return several(name, "ADDRESS", description).pipe(
    Flag.map((texts) => texts.flatMap((text) => text.split(/\s*,\s*(?=[a-z][a-z.-]*:)/)))
  )
}

/** A flag that may stand several times. */
function several(name: string, metavar: string, description: string) {
  return Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.atLeast(0))
}
