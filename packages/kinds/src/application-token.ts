/**
 * Tokens of an organization's OAuth applications, and the files of this machine that have them. Quay tells the value of a token
 * once, when it is made, so it is made and delivered in one step, and only if every file can be written. What is in no file
 * any more can be had from nobody: then only another token helps, which is asked for by hand, because the old one stops working.
 *
 *            ┌────────── no such token: all files say `being made`, then Quay is asked ──────────┐
 *            ▼                                                                                   │
 *   being made ── the answer has the value ──► delivered ── a file is gone ──► written from another that has it
 *       │                                          │
 *       │ no answer: a token that nobody           │ all files are gone: stuck, until `--renew` asks for another token,
 *       │ can use, taken back and made again       ▼ which is made and delivered before the old one is deleted
 *
 * Quay lets several have one name: then the file means the one that its files have, else the first by its id, and the others are
 * extras. Tokens that have expired are not told, and so made again.
 */
import { type Change, type Collection, type Entry, PlanRefused, type Problem, section } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { type ApplicationTokenView, paginate, type QuayFailure } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError } from "./answers.ts"
import { applicationKey, applicationRef, applicationsOf } from "./application.ts"
import { type ApiToken, begun, type Manifest, manifestName, tokenFormats } from "./credential-format.ts"
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
import { formatDuration, parseDuration } from "./duration.ts"
import type { DeliveryFailed } from "./local-files.ts"
import { item } from "./names.ts"
import { namesakeNeeds, namesakes } from "./namesakes.ts"
import { ask, once, orMissing, pages, Quay } from "./quay.ts"
import { SectionError } from "./section-error.ts"

const Scope = Type.Union([
  Type.Literal("repo:read"),
  Type.Literal("repo:write"),
  Type.Literal("repo:admin"),
  Type.Literal("repo:create"),
  Type.Literal("user:read"),
  Type.Literal("user:admin"),
  Type.Literal("org:admin"),
  Type.Literal("super:user")
])

const sink = item({
  type: Type.Union([Type.Literal("kubernetes_secret"), Type.Literal("env_file")]),
  file: Type.String(),
  /** Of a Kubernetes secret. */
  name: Type.Optional(Type.String()),
  namespace: Type.Optional(Type.String()),
  /** Of a file that others may read. Never declared. */
  mode: Type.Optional(Type.String())
})

type Sink = Static<typeof sink>

const isScope = (text: string): boolean => Scope.anyOf.some((it) => it.const === text)

/** `application` and `name` are names. */
const schema = item({
  organization: Type.String(),
  application: Type.String(),
  name: Type.String(),
  scopes: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
  /** How long it is valid from when it is made, in its shortest form. */
  expiration: Type.Optional(Type.String()),
  /** Of one that is there, the files that have it. */
  deliver: Type.Optional(Type.Array(sink, { uniqueItems: true })),
  /** Asked for by hand: that another one takes the place of the one with this id. No file says it. */
  renew: Type.Optional(Type.String()),
  // From here on nothing is declared.
  /** Quay's ids of the application and of the token, and whether another one of the name is meant. */
  client_id: Type.Optional(Type.String()),
  uuid: Type.Optional(Type.String()),
  further: Type.Optional(Type.Boolean()),
  /** How many others have the name. */
  others: Type.Optional(Type.Integer()),
  /** The day of one that expires soon. */
  expires: Type.Optional(Type.String()),
  /** No file has its value; or its making was broken off, so that nobody ever had it. */
  value: Type.Optional(Type.Literal("lost")),
  making: Type.Optional(Type.Literal("broken off"))
})

export type ApplicationToken = Static<typeof schema>

/** A token's name, without what its key is made with. */
const NAME = "^[^\\s/](?:[^/\\n\\r]{0,253}[^\\s/])?$"
const isName = new RegExp(NAME)

const closed = { additionalProperties: false }

const LONGEST = "3650d"

const entry = Type.Object(
  {
    scopes: Type.Array(Scope, {
      minItems: 1,
      uniqueItems: true,
      description: "What it may do: no more than the token that makes it, and than whom that belongs to."
    }),
    expiration: Type.Optional(
      Type.String({
        pattern: "^[1-9][0-9]{0,6}[mhdw]$",
        "x-rule": "a number and a unit: 12h, 90d, 52w",
        description: `How long it is valid from when it is made. Default, and at most: ${LONGEST}.`
      })
    ),
    deliver: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object(
            {
              kubernetes_secret: filePath("The manifest of a Kubernetes secret with QUAY_URL and QUAY_TOKEN."),
              ...manifestFields("the organization, the application and the token")
            },
            closed
          ),
          Type.Object({ env_file: filePath("Lines that set QUAY_URL and QUAY_TOKEN, for shells and docker.") }, closed)
        ]),
        {
          description:
            "The files that it is written to, readable by their owner only: when it is made, because Quay tells it only then. One " +
            "that is missing later is written from another. A file that is no longer here stays where it is."
        }
      )
    )
  },
  closed
)

const node = Type.Record(Type.String({ pattern: NAME }), entry, {
  ...closed,
  description: "The application's tokens, by name.",
  "x-names": "up to 255 characters on one line without slashes, and without spaces around them"
})

const ANOTHER =
  "another token would have another value, and this one would stop working at once, wherever it is used; ask for that with --renew"

const keyOf = ({ application, further, name, organization, uuid }: ApplicationToken): string =>
  `${applicationKey(organization, application)}/${name}${further === true ? `#${uuid ?? ""}` : ""}`

const readEntry = (
  [organization, application, name]: readonly [string, string, string],
  { deliver, expiration, scopes }: Static<typeof entry>
): ApplicationToken => {
  if (expiration !== undefined && parseDuration(expiration) > parseDuration(LONGEST))
    throw new SectionError(`expiration should be at most ${LONGEST}, is ${expiration}`, [name, "expiration"])
  const sinks = deliver?.map((it): Sink => {
    if ("env_file" in it) return { type: "env_file", file: it.env_file }
    const secret = it.name ?? manifestName(`${organization}-${application}-${name}`)
    const placed = it.namespace === undefined ? {} : { namespace: it.namespace }
    return { type: "kubernetes_secret", file: it.kubernetes_secret, name: secret, ...placed }
  })
  return {
    organization,
    application,
    name,
    scopes,
    ...(expiration === undefined ? {} : { expiration: formatDuration(parseDuration(expiration)) }),
    ...(sinks === undefined ? {} : { deliver: sinks })
  }
}

/** What a file has for a token: its value, or that one is being made. */
type Written = { readonly state: "begun" } | ({ readonly state: "has" } & ApiToken & Partial<Manifest>)

const addressOf = (token: ApplicationToken): string => `application-token:${keyOf({ ...token, further: false })}`

const inspect = (token: ApplicationToken, { file, type }: Sink): Effect.Effect<Inspected<Written>, never, Quay> =>
  Effect.flatMap(Quay, ({ registry: { url } }) => {
    const address = addressOf(token)
    const read = (text: string): Written | undefined => {
      if (text === begun({ address, url })) return { state: "begun" }
      const written = tokenFormats[type].read(text)
      if (written?.address !== address) return undefined
      // What a rehearsal has left opens nothing, so that nobody loses it.
      return written.url === url || written.url.startsWith("sim:") ? { state: "has", ...written } : undefined
    }
    return inspectFile(file, read, `a ${type} of ${address} at ${url}`)
  })

/** The files of a token, each with what is in it. */
const inspectAll = (token: ApplicationToken) =>
  Effect.forEach(token.deliver ?? [], (sink) => Effect.map(inspect(token, sink), (found) => ({ sink, found })), {
    concurrency: SIDE_BY_SIDE
  })

type Look = Effect.Success<ReturnType<typeof inspectAll>>[number]

/** The id of the token whose value a file has. */
const idIn = ({ found }: Look): string | undefined =>
  found.state === "ours" && found.written.state === "has" ? found.written.id : undefined

/** A file with the token's value, as it is. */
const asSink = ({ found, sink: { file, type } }: Look): Sink => {
  const { name, namespace } = found.state === "ours" && found.written.state === "has" ? found.written : {}
  return {
    type,
    file,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(found.state === "ours" ? looseMode(found.mode) : {})
  }
}

/** How long a token is valid from when it was made. Quay takes the two times one after the other. */
const lifetimeOf = ({ created, expires_at }: ApplicationTokenView): number | undefined => {
  const minutes = (Date.parse(expires_at ?? "") - Date.parse(created ?? "")) / 60_000
  return Number.isFinite(minutes) ? Math.max(1, Math.round(minutes)) * 60 : undefined
}

/** Soon is the last quarter of its time, and at most a month. */
const MONTH = 30 * 86_400

const expiresSoon = (view: ApplicationTokenView, now: number): boolean => {
  const left = (Date.parse(view.expires_at ?? "") - now) / 1000
  return left < Math.min(MONTH, (lifetimeOf(view) ?? 0) / 4)
}

const path = ({ client_id, organization }: ApplicationToken) => ({ orgname: organization, client_id: client_id ?? "" })

const tokensOf = (token: ApplicationToken): Effect.Effect<ReadonlyArray<ApplicationTokenView>, QuayFailure, Quay> =>
  pages((run) =>
    paginate({
      path: "/api/v1/organization/{orgname}/applications/{client_id}/tokens",
      page: (next) =>
        run((client, signal) =>
          client.GET("/api/v1/organization/{orgname}/applications/{client_id}/tokens", {
            params: { path: path(token), query: next },
            signal
          })
        ),
      items: ({ tokens }) => tokens,
      key: ({ uuid }) => uuid
    })
  )

const fromView = (of: Pick<ApplicationToken, "organization" | "application" | "client_id">, now: number) => {
  return (view: ApplicationTokenView): ApplicationToken => {
    const lifetime = lifetimeOf(view)
    return {
      ...of,
      name: view.name,
      scopes: view.scope.split(/[ ,]+/).filter((it) => it !== ""),
      ...(lifetime === undefined ? {} : { expiration: formatDuration(lifetime) }),
      uuid: view.uuid,
      ...(expiresSoon(view, now) ? { expires: (view.expires_at ?? "").slice(0, 10) } : {})
    }
  }
}

/** What there is of a token that a file declares with files, as those make it. */
const withFiles = (token: ApplicationToken, wanted: ApplicationToken, looks: ReadonlyArray<Look>): ApplicationToken => {
  if (wanted.deliver === undefined || token.further === true) return token
  const having = looks.filter((look) => idIn(look) === token.uuid)
  if (having.length > 0 || looks.length === 0) return { ...token, deliver: having.map(asSink) }
  const isBegun = looks.some(({ found }) => found.state === "ours" && found.written.state === "begun")
  // Which of several was being made is not known.
  const flaw = isBegun && token.others === undefined ? { making: "broken off" as const } : { value: "lost" as const }
  return { ...token, deliver: wanted.deliver, ...flaw }
}

/** The tokens of one application, given by its key. Of those that are wanted the files are looked at, too. */
const listOf = (
  of: Pick<ApplicationToken, "organization" | "application" | "client_id">,
  looks: ReadonlyMap<string, readonly [ApplicationToken, ReadonlyArray<Look>]>,
  declared: ReadonlySet<string>
) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const views = yield* tokensOf({ ...of, name: "" })
    const delivered = new Set([...looks.values()].flatMap(([, list]) => list.flatMap((look) => idIn(look) ?? [])))
    const tokens = namesakes(
      views.map(fromView(of, now)),
      ({ name }) => (isName.test(name) ? name : undefined),
      ({ uuid = "" }) => `${delivered.has(uuid) ? 0 : 1} ${uuid}`,
      (token) => declared.has(keyOf(token))
    )
    return tokens.map((token) => {
      const [wanted, list] = looks.get(keyOf(token)) ?? []
      return wanted === undefined ? token : withFiles(token, wanted, list ?? [])
    })
  })

/** Files that belong to somebody, before anything is made that would have to go there. */
const refuseForeign = (
  looks: Iterable<readonly [ApplicationToken, ReadonlyArray<Look>]>
): Effect.Effect<void, PlanRefused> => {
  const problems = [...looks].flatMap(([token, list]) =>
    list.flatMap(
      ({ found }): ReadonlyArray<Problem> =>
        found.state === "foreign" ? [{ message: `application-token ${keyOf(token)}: ${found.reason}.` }] : []
    )
  )
  return problems.length === 0 ? Effect.void : Effect.fail(new PlanRefused(problems))
}

/** Writes a token's value to a file. What the declaration leaves open stays as the file has it. */
const deliver = (token: ApplicationToken, { file, name, namespace, type }: Sink, value: ApiToken) =>
  Effect.flatMap(inspect(token, { file, type }), (found) => {
    const old = found.state === "ours" && found.written.state === "has" ? found.written : undefined
    const secret = manifestName(`${token.organization}-${token.application}-${token.name}`)
    const text = tokenFormats[type].write(value, {
      name: name ?? old?.name ?? secret,
      namespace: namespace ?? old?.namespace
    })
    return writeFile(file, text, found)
  })

const remove = (token: ApplicationToken, uuid: string) =>
  Effect.asVoid(
    orMissing(
      ask((client, signal) =>
        client.DELETE("/api/v1/organization/{orgname}/applications/{client_id}/tokens/{token_uuid}", {
          params: { path: { ...path(token), token_uuid: uuid } },
          signal
        })
      )
    )
  )

/** Asks Quay for a token, once. */
const post = (token: ApplicationToken) =>
  once((client, signal) =>
    client.POST("/api/v1/organization/{orgname}/applications/{client_id}/tokens", {
      params: { path: path(token) },
      body: {
        name: token.name,
        scope: [...(token.scopes ?? [])].sort().join(" "),
        expiration: parseDuration(token.expiration ?? LONGEST)
      },
      signal
    })
  )

/**
 * Delivers what Quay has just told. If it could be written nowhere it would be lost, so then the token is taken back; if only
 * somewhere, the rest is written from there the next time.
 */
const deliverNew = (token: ApplicationToken, { token: value = "", uuid }: ApplicationTokenView) =>
  Effect.gen(function* () {
    const { registry } = yield* Quay
    const told: ApiToken = { address: addressOf(token), id: uuid, url: registry.url, token: value }
    const failures = yield* Effect.forEach(token.deliver ?? [], (sink) =>
      Effect.match(deliver(token, sink, told), { onSuccess: () => [], onFailure: (failure) => [failure] })
    )
    const [first] = failures.flat()
    if (first === undefined) return
    const nowhere = failures.every((list) => list.length > 0)
    if (nowhere) yield* remove(token, uuid)
    return yield* Effect.fail(first)
  })

/** The application that a token is of, as it is now: it may have been made a moment ago. */
const inApplication = (token: ApplicationToken): Effect.Effect<ApplicationToken, QuayFailure, Quay> =>
  Effect.map(applicationsOf(token.organization), (applications) => {
    const found = applications.find(({ further, name }) => further !== true && name === token.application)
    return found?.client_id === undefined ? token : { ...token, client_id: found.client_id }
  })

/** Makes a token that is not there. Until it is delivered all its files say that it is being made. */
const make = (wanted: ApplicationToken): Effect.Effect<void, ReadError | DeliveryFailed, Quay> =>
  Effect.gen(function* () {
    const { files, registry } = yield* Quay
    const token = yield* inApplication(wanted)
    const text = begun({ address: addressOf(token), url: registry.url })
    const looks = yield* inspectAll(token)
    for (const { found, sink } of looks) yield* writeFile(sink.file, text, found)
    const forget = Effect.forEach(looks, ({ sink }) =>
      Effect.tryPromise({ try: () => files.remove(sink.file), catch: notWritten(sink.file) })
    )
    const made = yield* Effect.tapError(post(token), (error) =>
      error.mayHaveHappened ? Effect.void : Effect.ignore(forget)
    )
    yield* deliverNew(token, made)
  })

/**
 * Puts another token in the place of one: made and delivered first, so that the old one works for as long as nothing else does.
 * If the answer is lost, what was made meanwhile is looked for and taken back.
 */
const renew = (after: ApplicationToken, before: ApplicationToken) =>
  Effect.gen(function* () {
    const token = { ...after, client_id: before.client_id ?? "" }
    const looks = yield* inspectAll(token)
    for (const { found, sink } of looks) {
      if (found.state === "foreign") return yield* Effect.fail(notWritten(sink.file)(found.reason))
      yield* probeFile(sink.file)
    }
    const known = new Set((yield* tokensOf(token)).map(({ uuid }) => uuid))
    const made = yield* Effect.catch(post(token), (error) =>
      Effect.gen(function* () {
        const strays = error.mayHaveHappened
          ? (yield* tokensOf(token)).filter(({ name, uuid }) => name === token.name && !known.has(uuid))
          : []
        // Whose another one is, that came at the same time, cannot be told.
        const [stray, second] = strays
        if (stray !== undefined && second === undefined) yield* remove(token, stray.uuid)
        return yield* Effect.fail(error)
      })
    )
    yield* deliverNew(token, made)
    yield* remove(token, before.uuid ?? "")
  })

/** Writes the value from a file that has it to those that do not. */
const copy = (after: ApplicationToken, before: ApplicationToken) =>
  Effect.gen(function* () {
    const looks = yield* inspectAll(after)
    const source = looks.find((look) => idIn(look) === before.uuid)?.found
    for (const { sink } of looks) {
      if (source?.state !== "ours" || source.written.state !== "has")
        return yield* Effect.fail(notWritten(sink.file)(new Error("no file has the token's value any more")))
      yield* deliver(after, sink, source.written)
    }
  })

export const applicationToken: Kind<"application-token", typeof schema, ReadError | DeliveryFailed, Quay> = {
  kind: "application-token",
  scopes: ["org:admin", "all that the tokens may do"],
  schema,
  identity: [
    "organization",
    "application",
    "name",
    "client_id",
    "uuid",
    "further",
    "others",
    "expires",
    "value",
    "making",
    "renew"
  ],
  key: keyOf,
  collection: ({ application, organization }) => ({ parent: applicationKey(organization, application) }),
  needs: ({ further, ...token }) => [
    applicationRef(token.organization, token.application),
    ...namesakeNeeds(further, {
      kind: "application-token",
      key: keyOf(token),
      parent: applicationKey(token.organization, token.application)
    })
  ],
  extras: "keep",
  destroys: "credential",
  fixed: {
    scopes: ANOTHER,
    expiration: ANOTHER,
    value: `Quay told it only once, when the token was made, and none of its files has it; ${ANOTHER}`
  },
  request: "renew",
  asked: (before) => (before?.uuid === undefined ? {} : { renew: before.uuid }),
  renews: ({ renew }) => renew !== undefined,
  // Whoever has the old one loses it; to write a file again takes nothing from anybody.
  narrows: ({ renew }, before) => before !== undefined && renew !== undefined,
  setAfterwards: ["making", "deliver"],
  requires: { operation: "createOrganizationApplicationToken", since: "3.18" },
  refuses: ({ deliver = [], renew }, before) =>
    (before === undefined || renew !== undefined) && deliver.length === 0
      ? "Quay tells a token only once, when it is made: say with deliver which file it is written to."
      : undefined,
  notices: ({ renew }, before) => [
    ...(before?.others === undefined
      ? []
      : [`There are ${before.others + 1} tokens of this name; the one with the id ${before.uuid} is meant.`]),
    ...(renew === undefined
      ? before?.expires === undefined
        ? []
        : [`It expires on ${before.expires}. Another one can take its place before that: --renew ${addressOf(before)}`]
      : ["Another token takes its place. This one stops working at once, wherever it is used."])
  ],
  diff: (before, after): ReadonlyArray<Change> => [
    ...(before.value === undefined || after.deliver === undefined
      ? []
      : [{ field: "value", before: before.value, after: "delivered" }]),
    ...(before.making === undefined || after.deliver === undefined
      ? []
      : [{ field: "making", before: before.making, after: "done" }]),
    ...(after.renew !== undefined && after.renew === before.uuid
      ? [{ field: "renew", before: before.uuid, after: "another token" }]
      : [])
  ],
  section: section({
    under: "application",
    name: "tokens",
    node,
    read: (entries, parent): ReadonlyArray<Entry<ApplicationToken>> => {
      // An organization's name has no slash; an application's may.
      const end = parent.indexOf("/")
      const [organization, application] = [parent.slice(0, end), parent.slice(end + 1)]
      return Object.entries(entries).map(([name, given]) => ({
        item: readEntry([organization, application, name], given),
        path: [name]
      }))
    },
    // What lies on a machine is no part of a registry.
    write: (tokens) =>
      Object.fromEntries(
        tokens
          .filter(({ further, scopes = [] }) => further !== true && scopes.length > 0 && scopes.every(isScope))
          .map(({ expiration, name, scopes = [] }) => [
            name,
            {
              scopes: Scope.anyOf.map((it) => it.const).filter((it) => scopes.includes(it)),
              ...(expiration === undefined || expiration === LONGEST ? {} : { expiration })
            }
          ])
      )
  }),

  list: (collections: ReadonlyArray<Collection>, declared, wanted = new Map()) =>
    Effect.gen(function* () {
      const looks = new Map(
        yield* Effect.forEach([...wanted], ([key, token]) =>
          Effect.map(inspectAll(token), (list) => [key, [token, list]] as const)
        )
      )
      const sinks = [...wanted].flatMap(([, token]) =>
        (token.deliver ?? []).map(({ file, type }) => ({ file, name: `${keyOf(token)}/${type}:${file}` }))
      )
      yield* refuseShared(sinks)
      yield* refuseForeign(looks.values())
      const organizations = new Set(collections.map(({ parent }) => parent.slice(0, parent.indexOf("/"))))
      const asked = new Set(collections.map(({ parent }) => parent))
      const lists = yield* Effect.forEach(
        organizations,
        (organization) =>
          Effect.gen(function* () {
            if ((yield* organizationView(organization)) === undefined) return []
            const applications = yield* applicationsOf(organization)
            const own = applications.filter(
              ({ further, name }) => further !== true && asked.has(applicationKey(organization, name))
            )
            return yield* Effect.forEach(
              own,
              ({ client_id, name }) =>
                listOf(
                  { organization, application: name, ...(client_id === undefined ? {} : { client_id }) },
                  looks,
                  declared
                ),
              { concurrency: "unbounded" }
            )
          }),
        { concurrency: "unbounded" }
      )
      return lists.flat(2)
    }),
  duplicates: () => true,
  create: make,
  update: (after, before) => {
    if (after.renew !== undefined && after.renew === before.uuid) return renew(after, before)
    if (before.making !== undefined) return Effect.andThen(remove(before, before.uuid ?? ""), make(after))
    return copy(after, before)
  },
  delete: (before) => remove(before, before.uuid ?? "")
}
