/**
 * Making a robot account's token anew, and delivering it to the files that are declared for it, in one step. The old token stops
 * working at once, wherever it is, so what can be found out about that is told before; and nothing is done that could not be
 * delivered afterwards. The token itself is told to nobody.
 */
import type { Registry } from "@quaymaster/config"
import type { Desired } from "@quaymaster/engine"
import {
  checkDelivery,
  type DeliveryFailed,
  deliver,
  deliveryStanding,
  isRobotCredential,
  Quay,
  type ReadError,
  type RobotAccess,
  type RobotCredential,
  regenerateToken,
  robotAccess,
  robotWithToken
} from "@quaymaster/kinds"
import type { Kind } from "@quaymaster/runtime"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Connection } from "./connection.ts"
import { loadProject, type ProjectOptions } from "./project.ts"

/** The token was not made anew. */
export class RotationFailed extends Data.TaggedError("RotationFailed")<{
  readonly robot: string
  readonly message: string
}> {}

/** A file that the token is delivered to. */
export interface RotationSink extends Pick<RobotCredential, "type" | "file" | "name" | "namespace"> {
  readonly state: "missing" | "there"
}

/** What is known before a token is made anew. */
export interface Rotation extends RobotAccess {
  /** `acme/ci` */
  readonly robot: string
  readonly registry: string
  readonly url: string
  /** The files that will have the new token. Every other copy of the old one is worth nothing from then on. */
  readonly sinks: ReadonlyArray<RotationSink>
}

export interface Delivery extends Pick<RobotCredential, "type" | "file"> {
  /** Why it was not written; left out if it was. */
  readonly error?: string
}

export interface RotationReport extends Rotation {
  /**
   * `rotated`: the token is new, and delivered. `partial`: it is new and not delivered everywhere, or it is not known whether it
   * is new. `declined`: nothing was done, because nobody agreed.
   */
  readonly outcome: "rotated" | "partial" | "declined"
  /** How the new token was had: from Quay's answer; or, the answer being lost, by looking it up; or not at all, for a reason. */
  readonly token?: "answered" | "seen" | "unknown"
  readonly reason?: string
  readonly deliveries: ReadonlyArray<Delivery>
}

/** Whose token is made anew, where, and what is declared for it. */
export interface RotationTarget {
  readonly organization: string
  readonly name: string
  readonly registry: Registry
  readonly sinks: ReadonlyArray<RobotCredential>
}

/**
 * Finds a robot account in the files. One that is in none of the sources can be meant as well: then nothing is delivered.
 * @throws {ConfigError} with every mistake in the files.
 * @throws {RotationFailed} if files are named and it is in none of them, or in those of several registries.
 */
export const rotationTarget = async <K extends Kind>(
  kinds: ReadonlyArray<K>,
  robot: string,
  options: ProjectOptions
): Promise<RotationTarget> => {
  const [, organization, name] = /^([^/+]+)[/+]([^/+]+)$/.exec(robot) ?? []
  const fail = (message: string): never => {
    throw new RotationFailed({ robot, message })
  }
  if (organization === undefined || name === undefined)
    return fail(`${robot} names no robot account: write ORGANIZATION/ROBOT, such as acme/ci.`)
  const key = `${organization}/${name}`
  const found = (await loadProject(kinds, options)).targets.flatMap(({ desired, registry }) => {
    const declarations: Desired["declarations"] = desired.declarations
    const own = declarations.filter(({ absent }) => absent !== true)
    const declared = own.some(
      ({ item, kind }) => kind === "robot" && item["organization"] === organization && item["name"] === name
    )
    const sinks = own.flatMap(({ item, kind }) =>
      kind === "robot-credential" &&
      isRobotCredential(item) &&
      item.organization === organization &&
      item.robot === name
        ? [item]
        : []
    )
    return declared ? [{ organization, name, registry, sinks }] : []
  })
  const [first, second] = found
  if (second !== undefined)
    return fail(
      `${key} is declared for ${found.map(({ registry }) => registry.name).join(" and ")}: say which registry is meant.`
    )
  if (first !== undefined) return first
  if (options.files !== undefined || options.organizations !== undefined) return fail(`No file declares robot ${key}.`)
  // The registry is found as it would be for a file that says nothing of it.
  const document = { organization, robots: { [name]: {} } }
  const [alone] = (await loadProject(kinds, { ...options, organizations: [document] })).targets
  return alone === undefined
    ? fail(`Nothing says which registry has ${key}.`)
    : { organization, name, registry: alone.registry, sinks: [] }
}

export interface RotateHooks {
  /** Hears what is known before anything is done, and says whether to go on. */
  readonly agreed: (rotation: Rotation) => Promise<boolean>
  /** Called just before the token is made anew. From then on nothing must interrupt it. */
  readonly begun: () => void
}

/**
 * Makes the token anew and delivers it, if that is agreed to.
 * Fails with `RotationFailed` if there is no such robot account, or Quay did not do it; with `DeliveryFailed` before anything is
 * done, if a file could not be written.
 */
export const rotate = (
  connection: Connection,
  { name, organization, registry, sinks }: RotationTarget,
  { agreed, begun }: RotateHooks
): Effect.Effect<RotationReport, ReadError | DeliveryFailed | RotationFailed> =>
  Effect.gen(function* () {
    const robot = `${organization}/${name}`
    const access = yield* robotAccess(organization, name)
    if (access === undefined)
      return yield* new RotationFailed({ robot, message: `There is no robot account ${robot} on ${registry.url}.` })
    const rotation: Rotation = {
      robot,
      registry: registry.name,
      url: registry.url,
      ...access,
      sinks: yield* Effect.forEach(sinks, ({ organization: _, robot: __, ...sink }) =>
        Effect.map(deliveryStanding({ organization, robot: name, ...sink }), (state) => ({ ...sink, state }))
      )
    }
    const declined: RotationReport = { ...rotation, outcome: "declined", deliveries: [] }
    if (!(yield* Effect.promise(() => agreed(rotation)))) return declined
    yield* Effect.forEach(sinks, checkDelivery, { discard: true })
    // Looked up again: whoever was asked took time to answer.
    const { token: before } = yield* robotWithToken(organization, name)
    begun()
    return yield* Effect.uninterruptible(regenerated(rotation, { name, organization, registry, sinks }, before))
  }).pipe(Effect.provideService(Quay, connection.quay))

const regenerated = (
  rotation: Rotation,
  { name, organization, sinks }: RotationTarget,
  before: string
): Effect.Effect<RotationReport, ReadError | RotationFailed, Quay> =>
  Effect.gen(function* () {
    const made = yield* regenerateToken(organization, name, before)
    switch (made.state) {
      case "unchanged":
        return yield* new RotationFailed({
          robot: rotation.robot,
          message: `Quay did not say that it made the token anew (${made.reason}), and it is still the old one. Try again.`
        })
      case "unknown":
        return { ...rotation, outcome: "partial", token: "unknown", reason: made.reason, deliveries: [] }
      default: {
        const deliveries = yield* Effect.forEach(sinks, (sink) =>
          Effect.match(deliver(sink, made.token), {
            onSuccess: (): Delivery => ({ type: sink.type, file: sink.file }),
            onFailure: ({ message }): Delivery => ({ type: sink.type, file: sink.file, error: message })
          })
        )
        const whole = deliveries.every(({ error }) => error === undefined)
        return { ...rotation, outcome: whole ? "rotated" : "partial", token: made.state, deliveries }
      }
    }
  })
