/**
 * Where a robot account's token is delivered: files of this machine, in the forms that docker, Kubernetes and shells read. They
 * are objects like any other, planned by comparing what is in them with the robot account's token; the token is compared and
 * written, and stands in no item. A file that is not just such a credential is somebody's, and never overwritten. Files that are
 * not declared are nobody's: which ones were delivered once is not known, so none is ever deleted.
 */
import { PlanRefused, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { formats, manifestName, type Written } from "./credential-format.ts"
import { DeliveryFailed } from "./local-files.ts"
import { item } from "./names.ts"
import { Quay } from "./quay.ts"
import { robotRef, robotUser } from "./robot.ts"
import { robotTokens, robotWithToken } from "./robot-token.ts"

const schema = item({
  organization: Type.String(),
  robot: Type.String(),
  type: Type.Union([Type.Literal("docker_config"), Type.Literal("kubernetes_secret"), Type.Literal("env_file")]),
  file: Type.String(),
  /** Of a Kubernetes secret. */
  name: Type.Optional(Type.String()),
  namespace: Type.Optional(Type.String()),
  /** What is wrong with a file that is there. Never declared. */
  token: Type.Optional(Type.Literal("stale")),
  mode: Type.Optional(Type.String()),
  foreign: Type.Optional(Type.String())
})

export type RobotCredential = Static<typeof schema>

export const isRobotCredential = (value: unknown): value is RobotCredential => Value.Check(schema, value)

const file = (description: string) =>
  Type.String({
    pattern: "^(?!~)[^\\u0000-\\u001f\\u007f]*[^\\u0000-\\u001f\\u007f/]$",
    "x-rule": "the path of a file, in which ~ stands for nothing",
    description: `${description} A relative path starts where the command runs.`
  })

const closed = { additionalProperties: false }

const node = Type.Array(
  Type.Union([
    Type.Object({ docker_config: file("A docker config.json of its own, with this one registry in it.") }, closed),
    Type.Object(
      {
        kubernetes_secret: file("The manifest of a Kubernetes pull secret."),
        name: Type.Optional(
          Type.String({
            pattern: "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$",
            "x-rule": "up to 253 lower-case letters, digits, dashes and dots, a letter or digit at both ends",
            description: "The secret's name. Default: the organization and the robot account, with a dash between."
          })
        ),
        namespace: Type.Optional(
          Type.String({
            pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
            "x-rule": "up to 63 lower-case letters, digits and dashes, a letter or digit at both ends",
            description: "The secret's namespace."
          })
        )
      },
      closed
    ),
    Type.Object(
      { env_file: file("Lines that set QUAY_REGISTRY, QUAY_USERNAME and QUAY_PASSWORD, for shells and docker.") },
      closed
    )
  ]),
  {
    description:
      "The files that the robot account's token is written to, readable by their owner only: again when one is missing or has another token. A file that is no longer here stays where it is."
  }
)

/** What a key tells of a file that is declared. */
type Sink = Pick<RobotCredential, "organization" | "robot" | "type" | "file">

const keyOf = ({ file, organization, robot, type }: Sink): string => `${organization}/${robot}/${type}:${file}`

const KEY = /^([^/]+)\/([^/]+)\/(docker_config|kubernetes_secret|env_file):(.+)$/

const sinkOf = (key: string): ReadonlyArray<Sink> => {
  const [, organization = "", robot = "", type, file = ""] = KEY.exec(key) ?? []
  const found = { organization, robot, type, file }
  return isRobotCredential(found) ? [found] : []
}

/** A registry as docker names it. One that is simulated in this process has no host. */
const hostOf = (url: string): string => (URL.parse(url)?.host || undefined) ?? "simulated.example"

/** What a file has, if there is one: a credential for this robot account, or a reason to leave it alone. */
type Inspected =
  | { readonly state: "none" }
  | { readonly state: "ours"; readonly written: Written; readonly mode: number | undefined }
  | { readonly state: "foreign"; readonly reason: string }

const inspect = ({ file, organization, robot, type }: Sink): Effect.Effect<Inspected, never, Quay> =>
  Effect.flatMap(Quay, ({ files, registry }) =>
    Effect.map(
      Effect.promise(() => files.look(file)),
      (found): Inspected => {
        if (found.state === "none") return found
        if (found.state === "blocked") return { state: "foreign", reason: `${file} ${found.reason}` }
        const [host, username] = [hostOf(registry.url), robotUser(organization, robot)]
        const written = formats[type].read(found.text)
        if (written?.host === host && written.username === username) return { state: "ours", written, mode: found.mode }
        const reason =
          `${file} is there, and is not just a ${type} of ${username} for ${host}. It is left as it is: ` +
          "move it away, or name another file"
        return { state: "foreign", reason }
      }
    )
  )

/** Who else than its owner may read or write a file. */
const OTHERS = 0o077

const octal = (mode: number): string => `0${(mode & 0o777).toString(8).padStart(3, "0")}`

/** The object that a file is, or none. Of what is wrong with it, only that it is wrong is told. */
const asItem = (sink: Sink, found: Inspected, token: string | undefined): ReadonlyArray<RobotCredential> => {
  if (found.state === "none") return []
  if (found.state === "foreign") return [{ ...sink, foreign: found.reason }]
  const { mode, written } = found
  return [
    {
      ...sink,
      ...(written.name === undefined ? {} : { name: written.name }),
      ...(written.namespace === undefined ? {} : { namespace: written.namespace }),
      ...(written.password === token ? {} : { token: "stale" }),
      ...(mode === undefined || (mode & OTHERS) === 0 ? {} : { mode: octal(mode) })
    }
  ]
}

/** Two that write one file would take turns for ever. A file can have many names; the plain ones are seen through. */
const refuseShared = (sinks: ReadonlyArray<Sink>): Effect.Effect<void, PlanRefused> => {
  const keys = new Map<string, string>()
  const problems = sinks.flatMap((sink) => {
    const path = sink.file.replace(/\/(?:\.?\/)+/g, "/").replace(/^(?:\.\/)+/, "")
    const [other, key] = [keys.get(path), keyOf(sink)]
    keys.set(path, key)
    return other === undefined ? [] : [{ message: `${key} and ${other} are one file.` }]
  })
  return problems.length === 0 ? Effect.void : Effect.fail(new PlanRefused(problems))
}

const SIDE_BY_SIDE = 8

const failed = (file: string) => (cause: unknown) =>
  new DeliveryFailed({
    file,
    message: `${file} was not written: ${cause instanceof Error ? cause.message : String(cause)}.`
  })

/** Whether a file is there. Fails if it is nothing that may be written over. */
export const deliveryStanding = (sink: RobotCredential): Effect.Effect<"missing" | "there", DeliveryFailed, Quay> =>
  Effect.flatMap(inspect(sink), (found) =>
    found.state === "foreign"
      ? Effect.fail(failed(sink.file)(found.reason))
      : Effect.succeed(found.state === "none" ? "missing" : "there")
  )

/** Fails if a credential could not be written to its file now. Makes its folders, and nothing else. */
export const checkDelivery = (sink: RobotCredential): Effect.Effect<void, DeliveryFailed, Quay> =>
  Effect.gen(function* () {
    const { files } = yield* Quay
    yield* deliveryStanding(sink)
    yield* Effect.tryPromise({ try: () => files.probe(sink.file), catch: failed(sink.file) })
  })

/** Writes a credential to its file. What the declaration leaves open stays as the file has it. */
export const deliver = (sink: RobotCredential, token: string): Effect.Effect<void, DeliveryFailed, Quay> =>
  Effect.gen(function* () {
    const { files, registry } = yield* Quay
    const { file, organization, robot, type } = sink
    const found = yield* inspect(sink)
    if (found.state === "foreign") return yield* Effect.fail(failed(file)(found.reason))
    const username = robotUser(organization, robot)
    const old = found.state === "ours" ? found.written : undefined
    const text = formats[type].write(
      { host: hostOf(registry.url), username, password: token },
      { name: sink.name ?? old?.name ?? manifestName(username), namespace: sink.namespace ?? old?.namespace }
    )
    yield* Effect.tryPromise({
      try: () => files.write(file, text, { replace: found.state === "ours" }),
      catch: failed(file)
    })
  })

/** Writes what the robot account's token is now. */
const deliverNow = (sink: RobotCredential): Effect.Effect<void, ReadError | DeliveryFailed, Quay> =>
  Effect.flatMap(robotWithToken(sink.organization, sink.robot), ({ token }) => deliver(sink, token))

export const robotCredential: Kind<"robot-credential", typeof schema, ReadError | DeliveryFailed, Quay> = {
  kind: "robot-credential",
  scopes: ["org:admin"],
  schema,
  identity: ["organization", "robot", "type", "file"],
  key: keyOf,
  collection: ({ organization, robot }) => ({ parent: `${organization}/${robot}` }),
  needs: ({ organization, robot }) => [robotRef(organization, robot)],
  extras: "remove",
  refuses: (_, before) => (before?.foreign === undefined ? undefined : `${before.foreign}.`),
  diff: ({ foreign, mode, token }) => [
    ...(foreign === undefined ? [] : [{ field: "content", before: "something else", after: "a credential" }]),
    ...(token === undefined ? [] : [{ field: "token", before: token, after: "current" }]),
    ...(mode === undefined ? [] : [{ field: "mode", before: mode, after: "0600" }])
  ],
  // What lies on a machine is no part of a registry, so it is not exported: there is no `write`.
  section: section({
    under: "robot",
    name: "deliver",
    node,
    read: (entries, parent) => {
      const [organization = "", robot = ""] = parent.split("/")
      const itemOf = (entry: (typeof entries)[number]): RobotCredential => {
        if ("docker_config" in entry) return { organization, robot, type: "docker_config", file: entry.docker_config }
        if ("env_file" in entry) return { organization, robot, type: "env_file", file: entry.env_file }
        const { kubernetes_secret, name = manifestName(robotUser(organization, robot)), namespace } = entry
        const placed = namespace === undefined ? {} : { namespace }
        return { organization, robot, type: "kubernetes_secret", file: kubernetes_secret, name, ...placed }
      }
      return entries.map((entry, i) => ({ item: itemOf(entry), path: [i] }))
    }
  }),

  // Nothing but the declared files is looked at, and where there is none of them no token is asked for.
  list: (_, declared) =>
    Effect.gen(function* () {
      const sinks = [...declared].flatMap(sinkOf)
      yield* refuseShared(sinks)
      const lists = yield* Effect.forEach(
        sinks,
        (sink) =>
          Effect.gen(function* () {
            const found = yield* inspect(sink)
            const tokens = found.state === "ours" ? yield* robotTokens(sink.organization) : undefined
            return asItem(sink, found, tokens?.get(sink.robot))
          }),
        { concurrency: SIDE_BY_SIDE }
      )
      return lists.flat()
    }),
  create: deliverNow,
  update: deliverNow
}
