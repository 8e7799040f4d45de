/**
 * Robot federation: the identities of other issuers that a robot account takes in the place of its token. Quay keeps them as
 * one list, told for one robot account at a time, so only those are asked about of which a file says something.
 */
import { type Collection, PlanRefused, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { FeatureOff } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError, robots } from "./answers.ts"
import { item } from "./names.ts"
import { ask, type Quay } from "./quay.ts"
import { robotRef, splitRobot } from "./robot.ts"

const trust = item({
  issuer: Type.String({
    pattern: "^https?://\\S+$",
    "x-rule": "a URL that starts with https:// or http://",
    description: "Who vouches for the identity: the URL of an OpenID Connect issuer."
  }),
  subject: Type.String({ minLength: 1, description: "The identity, as the issuer names it." })
})

const node = Type.Array(trust, {
  uniqueItems: true,
  description:
    "Identities of other issuers that can be used in the place of the robot account's token. Others are removed."
})

const schema = item({
  organization: Type.String(),
  robot: Type.String(),
  trusts: Type.Array(item({ issuer: Type.String(), subject: Type.String() }), { uniqueItems: true })
})

export type RobotFederation = Static<typeof schema>

const FEDERATION = "/api/v1/organization/{orgname}/robots/{robot_shortname}/federation"

const params = ({ organization, robot }: Pick<RobotFederation, "organization" | "robot">) => ({
  path: { orgname: organization, robot_shortname: robot }
})

const key = ({ organization, robot }: Pick<RobotFederation, "organization" | "robot">): string =>
  `${organization}/${robot}`

/** Discovery lists this four releases after it works, so what a registry serves is found out by asking for it. */
const trustsOf = (of: Pick<RobotFederation, "organization" | "robot">) =>
  Effect.catch(
    ask((client, signal) => client.GET(FEDERATION, { params: params(of), signal })),
    (error) =>
      Effect.fail(
        error instanceof FeatureOff
          ? new PlanRefused([
              { message: `federation of ${key(of)}: it came with Quay 3.13, and this registry does not serve it.` }
            ])
          : error
      )
  )

/** Whether the registry serves it at all. That the robot account is not there, or may not be seen, is no answer to that. */
const served = (of: Pick<RobotFederation, "organization" | "robot">) =>
  Effect.catch(Effect.asVoid(trustsOf(of)), (error) =>
    error instanceof PlanRefused || error._tag === "Unauthenticated" || error.transient
      ? Effect.fail(error)
      : Effect.void
  )

const federationsOf = (
  organization: string,
  asked: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<RobotFederation>, ReadError, Quay> =>
  Effect.gen(function* () {
    const view = yield* organizationView(organization)
    const there = new Set(view === undefined ? [] : (yield* robots(organization)).map(({ name }) => name))
    const known = asked.filter((robot) => there.has(robot))
    const [first] = asked
    if (known.length === 0 && first !== undefined) yield* served({ organization, robot: first })
    const lists = yield* Effect.forEach(
      known,
      (robot) => Effect.map(trustsOf({ organization, robot }), (trusts) => ({ organization, robot, trusts })),
      { concurrency: "unbounded" }
    )
    return lists.filter(({ trusts }) => trusts.length > 0)
  })

const set = (after: RobotFederation) =>
  Effect.asVoid(ask((client, signal) => client.POST(FEDERATION, { params: params(after), body: after.trusts, signal })))

export const robotFederation: Kind<"robot-federation", typeof schema, ReadError, Quay> = {
  kind: "robot-federation",
  scopes: ["org:admin"],
  since: "3.13",
  schema,
  identity: ["organization", "robot"],
  key,
  collection: (it) => ({ parent: key(it) }),
  needs: ({ organization, robot }) => [robotRef(organization, robot)],
  extras: "remove",
  section: section({
    under: "robot",
    name: "federation",
    node,
    // None at all is not an empty list of some.
    read: (given, parent) => (given.length === 0 ? [] : [{ item: { ...splitRobot(parent), trusts: given }, path: [] }]),
    write: (items) => items.flatMap((it) => it.trusts)
  }),

  list: (collections) =>
    Effect.map(
      Effect.forEach(byOrganization(collections), ([organization, asked]) => federationsOf(organization, asked), {
        concurrency: "unbounded"
      }),
      (lists) => lists.flat()
    ),
  create: set,
  update: set,
  delete: (before) =>
    Effect.asVoid(ask((client, signal) => client.DELETE(FEDERATION, { params: params(before), signal })))
}

/** Each organization once, with the robot accounts that are asked about. */
const byOrganization = (
  collections: ReadonlyArray<Collection>
): ReadonlyArray<readonly [string, ReadonlyArray<string>]> => {
  const organizations = new Map<string, Array<string>>()
  for (const { parent } of collections) {
    const { organization, robot } = splitRobot(parent)
    organizations.set(organization, [...(organizations.get(organization) ?? []), robot])
  }
  return [...organizations]
}
