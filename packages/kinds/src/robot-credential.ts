/**
 * Where a robot account's token is delivered: files of this machine, in the forms that docker, Kubernetes and shells read. They
 * are objects like any other, planned by comparing what is in them with the robot account's token; the token is compared and
 * written, and stands in no item. A file that is not just such a credential is somebody's, and never overwritten. Files that are
 * not declared are nobody's: which ones were delivered once is not known, so none is ever deleted.
 */
import { section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type Static, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { formats, manifestName, type Written } from "./credential-format.ts"
import {
  filePath,
  type Inspected,
  inspectFile,
  looseMode,
  manifestFields,
  notWritten,
  probeFile,
  refuseShared,
  SIDE_BY_SIDE,
  writeFile
} from "./delivery.ts"
import type { DeliveryFailed } from "./local-files.ts"
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

const closed = { additionalProperties: false }

const node = Type.Array(
  Type.Union([
    Type.Object({ docker_config: filePath("A docker config.json of its own, with this one registry in it.") }, closed),
    Type.Object(
      {
        kubernetes_secret: filePath("The manifest of a Kubernetes pull secret."),
        ...manifestFields("the organization and the robot account")
      },
      closed
    ),
    Type.Object(
      { env_file: filePath("Lines that set QUAY_REGISTRY, QUAY_USERNAME and QUAY_PASSWORD, for shells and docker.") },
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

const inspect = ({ file, organization, robot, type }: Sink): Effect.Effect<Inspected<Written>, never, Quay> =>
  Effect.flatMap(Quay, ({ registry }) => {
    const [host, username] = [hostOf(registry.url), robotUser(organization, robot)]
    const read = (text: string): Written | undefined => {
      const written = formats[type].read(text)
      return written?.host === host && written.username === username ? written : undefined
    }
    return inspectFile(file, read, `a ${type} of ${username} for ${host}`)
  })

/** The object that a file is, or none. Of what is wrong with it, only that it is wrong is told. */
const asItem = (sink: Sink, found: Inspected<Written>, token: string | undefined): ReadonlyArray<RobotCredential> => {
  if (found.state === "none") return []
  if (found.state === "foreign") return [{ ...sink, foreign: found.reason }]
  const { mode, written } = found
  return [
    {
      ...sink,
      ...(written.name === undefined ? {} : { name: written.name }),
      ...(written.namespace === undefined ? {} : { namespace: written.namespace }),
      ...(written.password === token ? {} : { token: "stale" }),
      ...looseMode(mode)
    }
  ]
}

/** Whether a file is there. Fails if it is nothing that may be written over. */
export const deliveryStanding = (sink: RobotCredential): Effect.Effect<"missing" | "there", DeliveryFailed, Quay> =>
  Effect.flatMap(inspect(sink), (found) =>
    found.state === "foreign"
      ? Effect.fail(notWritten(sink.file)(found.reason))
      : Effect.succeed(found.state === "none" ? "missing" : "there")
  )

/** Fails if a credential could not be written to its file now. Makes its folders, and nothing else. */
export const checkDelivery = (sink: RobotCredential): Effect.Effect<void, DeliveryFailed, Quay> =>
  Effect.andThen(deliveryStanding(sink), probeFile(sink.file))

/** Writes a credential to its file. What the declaration leaves open stays as the file has it. */
export const deliver = (sink: RobotCredential, token: string): Effect.Effect<void, DeliveryFailed, Quay> =>
  Effect.gen(function* () {
    const { registry } = yield* Quay
    const { file, organization, robot, type } = sink
    const found = yield* inspect(sink)
    const username = robotUser(organization, robot)
    const old = found.state === "ours" ? found.written : undefined
    const text = formats[type].write(
      { host: hostOf(registry.url), username, password: token },
      { name: sink.name ?? old?.name ?? manifestName(username), namespace: sink.namespace ?? old?.namespace }
    )
    yield* writeFile(file, text, found)
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
      yield* refuseShared(sinks.map((sink) => ({ file: sink.file, name: keyOf(sink) })))
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
