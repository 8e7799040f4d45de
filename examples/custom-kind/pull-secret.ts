/**
 * A kind of one's own: the credentials of a robot account as a Docker configuration in a local file, so that a machine can
 * pull without anybody copying a token by hand. It stands in organization files, where the robot account does:
 *
 *   robots:
 *     ci:
 *       pull_secret: ./secrets/ci.json
 *
 * A plan says which file is stale, never which token is in it: tokens are compared here and written here. Only files that hold
 * one robot account's credentials for this registry, and nothing else, are this kind's; any other is left as it is.
 * Everything is in this one file; no Effect is needed.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"
import { type Static, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { defineKind, type KindContext, Missing, section } from "quaymaster"

/** `state` is never declared: what is read says `stale` where the file has another token than the robot account. */
const schema = Type.Object(
  {
    robot: Type.String(),
    file: Type.String(),
    state: Type.Optional(Type.Union([Type.Literal("current"), Type.Literal("stale")]))
  },
  { additionalProperties: false }
)

type PullSecret = Static<typeof schema>

const keyOf = ({ file, robot }: PullSecret): string => `${robot} ${file}`

const organizationOf = (robot: string): string => robot.slice(0, robot.indexOf("/"))

/** A path as plans show it: from where the command runs. */
const shown = (path: string): string => relative(process.cwd(), resolve(path))

// What is in a file.

interface Credentials {
  /** As keys of robot accounts are: `acme/ci`. */
  readonly robot: string
  readonly token: string
}

const configuration = Type.Object(
  { auths: Type.Record(Type.String(), Type.Object({ auth: Type.String() }, { additionalProperties: false })) },
  { additionalProperties: false }
)

/** A simulated registry has no host; nothing pulls from it. */
const hostOf = (url: string): string => new URL(url).host || "simulated.invalid"

const encode = ({ robot, token }: Credentials, url: string): string => {
  const auth = Buffer.from(`${robot.replace("/", "+")}:${token}`).toString("base64")
  return `${JSON.stringify({ auths: { [hostOf(url)]: { auth } } }, null, 2)}\n`
}

/** The credentials in a file's text; undefined if it is anything else. */
const decode = (text: string, url: string): Credentials | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Value.Check(configuration, value) || Object.keys(value.auths).length !== 1) return undefined
  const auth = value.auths[hostOf(url)]?.auth ?? ""
  const [, organization, name, token] = /^([^+]+)\+([^:]+):(.+)$/.exec(Buffer.from(auth, "base64").toString()) ?? []
  return organization === undefined || token === undefined ? undefined : { robot: `${organization}/${name}`, token }
}

/** What the answer is, or undefined where there is no such file or folder. One that cannot be read is not an absent one. */
const orNone = <A>(answer: Promise<A>): Promise<A | undefined> =>
  answer.catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined
    if (code === "ENOENT" || code === "ENOTDIR") return undefined
    throw error
  })

// What Quay has.

/** The tokens of an organization's robot accounts, by their keys: one request for all of them. */
const tokensOf = async (
  orgname: string,
  { quay, signal }: KindContext
): Promise<ReadonlyMap<string, string | undefined>> => {
  const params = { path: { orgname }, query: { token: true, permissions: false } }
  try {
    const { robots } = await quay.GET("/api/v1/organization/{orgname}/robots", { params, signal })
    return new Map(robots.map(({ name, token }) => [name.replace("+", "/"), token]))
  } catch (error) {
    if (error instanceof Missing) return new Map()
    throw error
  }
}

const write = async ({ file, robot }: PullSecret, context: KindContext): Promise<void> => {
  const { url } = context.registry
  const there = await orNone(readFile(file, "utf8"))
  if (there !== undefined && decode(there, url) === undefined)
    throw new Error(`${file} is there and holds something else; move it away.`)
  const token = (await tokensOf(organizationOf(robot), context)).get(robot)
  if (token === undefined) throw new Error(`Quay does not tell the token of ${robot}.`)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  // Whole or not at all, and never readable by others, not even for a moment.
  const temporary = join(dirname(file), `.${process.pid}.${crypto.randomUUID()}.tmp`)
  try {
    await writeFile(temporary, encode({ robot, token }, url), { mode: 0o600, flag: "wx" })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The pull secrets of these robot accounts in a folder, each with its token. */
const secretsIn = async (folder: string, robots: ReadonlySet<string>, url: string) => {
  const found: Array<Credentials & { readonly file: string }> = []
  for (const entry of (await orNone(readdir(folder, { withFileTypes: true }))) ?? []) {
    if (!entry.isFile() || !entry.name.endsWith(".json")) continue
    const file = shown(join(folder, entry.name))
    const credentials = decode((await orNone(readFile(file, "utf8"))) ?? "", url)
    if (credentials !== undefined && robots.has(credentials.robot)) found.push({ ...credentials, file })
  }
  return found
}

export const pullSecret = defineKind({
  kind: "acme.pull-secret",
  schema,
  identity: ["robot", "file"],
  key: keyOf,
  // Presence is ownership: a robot account with `pull_secret` owns its files in the folder, one without owns none.
  collection: ({ robot }) => ({ parent: robot }),
  needs: ({ robot }) => [{ kind: "robot", key: robot, parent: organizationOf(robot), cascades: false }],
  // A file under the old name is removed when the name changes.
  extras: "remove",
  // A file that is stale differs although nothing that is declared does.
  diff: (before) => (before.state === "stale" ? [{ field: "state", before: "stale", after: "current" }] : []),
  section: section({
    under: "robot",
    name: "pull_secret",
    node: Type.String({
      pattern: "[^/]\\.json$",
      description: "Where the robot account's Docker configuration is written; it ends in .json.",
      "x-rule": "a path that ends in .json"
    }),
    read: (node, robot) => [{ item: { robot, file: shown(node) }, path: [] }]
  }),

  async list(collections, context) {
    const robots = new Set(collections.map(({ parent }) => parent))
    const folders = new Set([...context.declared].map((key) => dirname(key.slice(key.indexOf(" ") + 1))))
    const found = []
    for (const folder of folders) found.push(...(await secretsIn(folder, robots, context.registry.url)))
    const tokens = new Map<string, string | undefined>()
    for (const organization of new Set(found.map(({ robot }) => organizationOf(robot))))
      for (const [robot, token] of await tokensOf(organization, context)) tokens.set(robot, token)
    return found.map(({ file, robot, token }): PullSecret => {
      return { robot, file, state: tokens.get(robot) === token ? "current" : "stale" }
    })
  },
  create: (after, context) => write(after, context),
  update: (after, _before, _changes, context) => write(after, context),
  async delete({ file, robot }, { registry }) {
    // Another robot account's may have taken its place.
    const there = decode((await orNone(readFile(file, "utf8"))) ?? "", registry.url)
    if (there?.robot === robot) await rm(file, { force: true })
  }
})

/** What quaymaster.yaml's `plugins:` loads. */
export default pullSecret
