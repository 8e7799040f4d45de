/**
 * A kind of one's own: the credentials of a robot account as a Docker configuration in a local file, so that a machine can
 * pull without anybody copying a token by hand. It stands in organization files, where the robot account does:
 *
 *   robots:
 *     ci:
 *       pull_secret: ./secrets/ci.json
 *
 * The token is read when the file is written, and whether the file is current is told by comparing it with the robot account:
 * neither a plan nor an error ever holds it. Everything is in this one file; no Effect is needed.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"
import { Type } from "@sinclair/typebox"
import { defineKind, Invalid, type KindContext, Missing, section } from "quaymaster"

/** `state` is never declared: what is read says `stale` where the file has another token than the robot account. */
const schema = Type.Object(
  {
    robot: Type.String(),
    file: Type.String(),
    state: Type.Optional(Type.Union([Type.Literal("current"), Type.Literal("stale")]))
  },
  { additionalProperties: false }
)

/** The robot account of a key such as `acme/ci`. */
const split = (key: string): { readonly orgname: string; readonly robot_shortname: string } => {
  const [orgname = "", robot_shortname = ""] = key.split("/")
  return { orgname, robot_shortname }
}

/** What the file should hold; undefined if there is no such robot account. */
const configuration = async (key: string, { quay, registry, signal }: KindContext): Promise<string | undefined> => {
  const path = split(key)
  try {
    const robot = await quay.GET("/api/v1/organization/{orgname}/robots/{robot_shortname}", {
      params: { path },
      signal
    })
    const auth = Buffer.from(`${robot.name}:${robot.token}`).toString("base64")
    const host = registry.url.replace(/^https?:\/\//, "")
    return `${JSON.stringify({ auths: { [host]: { auth } } }, null, 2)}\n`
  } catch (error) {
    // Quay says of a robot account that is not there that the request is wrong.
    if (error instanceof Missing || error instanceof Invalid) return undefined
    throw error
  }
}

/** Beside each file it writes, the kind notes for which robot account it did: a file of somebody else's is never touched. */
const note = (file: string): string => join(dirname(file), `.${relative(dirname(file), file)}.robot`)

const textOf = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined)

/** The files that this kind wrote, in the folders where declared files are. */
const written = async (declared: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> => {
  const folders = new Set([...declared].map((key) => dirname(resolve(key.slice(key.indexOf(" ") + 1)))))
  const found = new Map<string, string>()
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      const file = /^\.(.+)\.robot$/.exec(name)?.[1]
      const robot = file === undefined ? undefined : await textOf(join(folder, name))
      if (file !== undefined && robot !== undefined)
        found.set(relative(process.cwd(), join(folder, file)), robot.trim())
    }
  }
  return found
}

const write = async (robot: string, file: string, context: KindContext): Promise<void> => {
  const text = await configuration(robot, context)
  if (text === undefined) throw new Error(`There is no robot account ${robot} whose credentials could be written.`)
  await mkdir(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}`
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, file)
  await writeFile(note(file), `${robot}\n`, { mode: 0o600 })
}

export const pullSecret = defineKind({
  kind: "acme.pull-secret",
  schema,
  identity: ["robot", "file"],
  key: ({ file, robot }) => `${robot} ${file}`,
  collection: ({ robot }) => ({ parent: robot }),
  needs: ({ robot }) => [{ kind: "robot", key: robot, parent: split(robot).orgname, cascades: false }],
  extras: "remove",
  // A file that is stale differs although nothing that is declared does.
  diff: (before) => (before.state === "stale" ? [{ field: "state", before: "stale", after: "current" }] : []),
  section: section({
    under: "robot",
    name: "pull_secret",
    node: Type.String({ minLength: 1, description: "Where the robot account's Docker configuration is written." }),
    read: (node, robot) => [{ item: { robot, file: relative(process.cwd(), resolve(node)) }, path: [] }]
  }),

  async list(collections, context) {
    const robots = new Set(collections.map(({ parent }) => parent))
    const items = []
    for (const [file, robot] of await written(context.declared)) {
      if (!robots.has(robot)) continue
      const [there, wanted] = await Promise.all([textOf(file), configuration(robot, context)])
      if (there === undefined) continue
      items.push({ robot, file, state: there === wanted ? ("current" as const) : ("stale" as const) })
    }
    return items
  },
  create: ({ file, robot }, context) => write(robot, file, context),
  update: ({ file, robot }, _before, _changes, context) => write(robot, file, context),
  async delete({ file }) {
    await rm(file, { force: true })
    await rm(note(file), { force: true })
  }
})

/** What quaymaster.yaml's `plugins:` loads. */
export default pullSecret
