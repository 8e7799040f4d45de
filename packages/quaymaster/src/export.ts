/**
 * What organizations have, as the files that declare it. They are read as planning such a file reads them: level by level, from
 * the organizations to what lives in them, with answers that several kinds need asked for once. What the registry does not
 * offer is left out without a word; what the token may not read is left out, too, and the text says so.
 */
import { ConfigError, type Encoded, encoder, parseUrl, type Registry, type Settings } from "@quaymaster/config"
import { addressOf, byText, type Collection, type Found, lacking, PlanRefused } from "@quaymaster/engine"
import { Quay } from "@quaymaster/kinds"
import { type Failure, type Kind, Reading, read, type Services, type Uniform } from "@quaymaster/runtime"
import { isQuayFailure, paginate, type QuayFailure } from "@quaymaster/sdk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type Connection, ConnectionFailed, type IdentityChanged } from "./connection.ts"
import type { ProjectOptions } from "./project.ts"

/** An organization that was to be exported is not there, or cannot be written as a file. */
export class ExportFailed extends Data.TaggedError("ExportFailed")<{
  readonly organization: string
  readonly message: string
}> {}

/** An organization as a file. */
export interface Exported {
  readonly organization: string
  readonly text: string
  /** What is not in the text although it may be there, and why: a line each. The text says so as well. */
  readonly omitted: ReadonlyArray<string>
}

/** Of all organizations, one that the token cannot export. */
export interface Skipped {
  readonly organization: string
  readonly reason: string
}

export interface ExportedRegistry {
  /** Sorted by name. */
  readonly exported: ReadonlyArray<Exported>
  readonly skipped: ReadonlyArray<Skipped>
}

export interface ExportRegistryOptions {
  /** The kinds to be exported, by name, with those that they live in. Default: all. */
  readonly only?: ReadonlyArray<string> | undefined
  /** Where the schema is that editors check the files with. */
  readonly schema?: string | undefined
}

const ROOT = "organization"
const SCHEMA = "node_modules/quaymaster/schemas/organization.schema.json"

/** Organizations that are read side by side. */
const SIDE_BY_SIDE = 4

/** What this token may not read, or this registry does not have, in words; undefined for failures of another sort. */
const outOfReach = (error: unknown): string | undefined => {
  if (error instanceof PlanRefused) return error.problems.map(({ message }) => message).join("; ")
  return tagOf(error) === "Forbidden" || tagOf(error) === "FeatureOff" ? messageOf(error) : undefined
}

/**
 * The kinds to be exported: what lives in organizations, and of that what is asked for, with what it lives in.
 * @throws {ConfigError} if `only` names what is none of them.
 */
export const kindsToExport = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  only: ReadonlyArray<string> | undefined
): ReadonlyArray<K> => {
  const known = new Map(kinds.map((kind) => [kind.kind, kind]))
  const lineOf = (name: string): ReadonlyArray<string> => {
    const line: Array<string> = []
    for (let at = known.get(name); at !== undefined && !line.includes(at.kind); at = known.get(at.section.under))
      line.push(at.kind)
    return line.at(-1) === ROOT ? line : []
  }
  const within = kinds.filter(({ kind }) => lineOf(kind).length > 0)
  const strangers = (only ?? []).filter((name) => lineOf(name).length === 0)
  if (strangers.length > 0)
    throw new ConfigError(
      strangers.map((name) => ({
        file: "--kind",
        path: [],
        message: `there is no kind ${JSON.stringify(name)} in organizations`,
        hint: `there are ${within.map(({ kind }) => kind).join(", ")}`
      }))
    )
  const wanted = new Set(only?.flatMap(lineOf) ?? within.map(({ kind }) => kind))
  return within.filter(({ kind }) => wanted.has(kind))
}

/**
 * Exports organizations by name, or all that the token can export. Fails if one that is named is not there, or not the token's
 * to administer; of all, those are skipped.
 * @throws {ConfigError} if `only` names a kind that is not known.
 */
export const exportRegistry = <K extends Kind, E = Failure<K>, R = Services<K>>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  connection: Connection,
  organizations: ReadonlyArray<string> | "all",
  options: ExportRegistryOptions = {}
): Effect.Effect<
  ExportedRegistry,
  E | ExportFailed | ConnectionFailed | IdentityChanged | QuayFailure,
  Exclude<R, Quay>
> => {
  const wanted = kindsToExport(kinds, options.only)
  const { caller, quay, stillUs } = connection
  return Effect.gen(function* () {
    const server = yield* quay.server
    const offered = wanted.filter(({ requires }) => requires === undefined || lacking(requires, server) === undefined)
    const encode = encoder(kinds, {
      root: ROOT,
      only: new Set(offered.map(({ kind }) => kind)),
      caller,
      offers: server,
      schema: options.schema ?? SCHEMA
    })
    const { names, skipped } = yield* namesOf(connection, organizations)
    const results = yield* Effect.forEach(
      names,
      (organization) => {
        const exported = Effect.flatMap(readOrganization<K, E, R>(kinds, offered, organization, caller), (it) =>
          encoded(encode, organization, it)
        )
        return organizations === "all" ? skipping(organization, exported) : exported
      },
      { concurrency: SIDE_BY_SIDE }
    )
    yield* stillUs
    return {
      exported: results.flatMap((it) => ("text" in it ? [it] : [])),
      skipped: [...skipped, ...results.flatMap((it) => ("text" in it ? [] : [it]))].sort((a, b) =>
        byText(a.organization, b.organization)
      )
    }
  }).pipe(Effect.provideService(Quay, quay))
}

const tagOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What cannot be exported because of who asks, or what it is, is no failure where all is asked for. */
const skipping = <A, E, R>(organization: string, exported: Effect.Effect<A, E, R>): Effect.Effect<A | Skipped, E, R> =>
  Effect.catch(exported, (error): Effect.Effect<Skipped, E> => {
    const tag = tagOf(error)
    return tag === "NotAdministrator" || tag === "ExportFailed"
      ? Effect.succeed({ organization, reason: messageOf(error) })
      : Effect.fail(error)
  })

/** What was read of an organization, and what could not be. */
interface Organization {
  readonly found: ReadonlyArray<Found>
  readonly unread: ReadonlyArray<string>
}

const encoded = (
  encode: ReturnType<typeof encoder>,
  organization: string,
  { found, unread }: Organization
): Effect.Effect<Exported, ExportFailed> =>
  Effect.suspend((): Effect.Effect<Exported, ExportFailed> => {
    if (!found.some(({ kind }) => kind === ROOT))
      return Effect.fail(
        new ExportFailed({ organization, message: `There is no organization ${organization} that the token can see.` })
      )
    return Effect.catch(
      Effect.try({ try: (): Encoded => encode(organization, found, unread), catch: (error) => error }),
      (error) =>
        tagOf(error) === "EncodeError"
          ? Effect.fail(new ExportFailed({ organization, message: `${organization}: ${messageOf(error)}` }))
          : Effect.die(error)
    ).pipe(Effect.map((it) => ({ organization, ...it })))
  })

/** Reads level by level: what was found is where the next level lives. All levels share their answers. */
const readOrganization = <K extends Kind, E, R>(
  kinds: ReadonlyArray<Uniform<K, E, R>>,
  offered: ReadonlyArray<Kind>,
  organization: string,
  caller: string | undefined
): Effect.Effect<Organization, E, R> =>
  Effect.gen(function* () {
    const known = new Map<string, Kind>(kinds.map((kind) => [kind.kind, kind]))
    const written = offered.filter(({ section }) => section.write !== undefined)
    const reading = new Reading()
    const found = new Map<string, Found>()
    const unread: Array<string> = []
    const readKind = (kind: string, scope: ReadonlyArray<Collection>) => {
      const list = Effect.map(
        read<K, E, R>(kinds, { scope, declared: new Map(), caller, reading }),
        (actual): ReadonlyArray<Found> => actual.found
      )
      return Effect.catch(list, (error): Effect.Effect<ReadonlyArray<Found>, E> => {
        const reason = outOfReach(error)
        if (kind === ROOT || reason === undefined) return Effect.fail(error)
        unread.push(`${known.get(kind)?.section.name ?? kind}: ${reason}`)
        return Effect.succeed([])
      })
    }
    let level = new Map<string, ReadonlyArray<Collection>>([[ROOT, [{ kind: ROOT, parent: organization }]]])
    while (level.size > 0) {
      const lists = yield* Effect.forEach(
        level,
        ([kind, scope]) => Effect.map(readKind(kind, scope), (list) => ({ kind, scope, list })),
        { concurrency: "unbounded" }
      )
      const below = new Map<string, Map<string, Collection>>()
      for (const { kind: name, list, scope } of lists) {
        const asked = new Set(scope.map(({ parent }) => parent))
        for (const one of list) {
          const kind = known.get(one.kind)
          if (kind === undefined) continue
          const key = kind.key(one.item)
          const address = addressOf(one.kind, key)
          if (!found.has(address)) found.set(address, one)
          // What was only consulted, or came along, is not what was asked for.
          if (one.kind !== name || !asked.has(kind.collection(one.item).parent)) continue
          for (const child of written) {
            if (child.section.under !== name) continue
            const collections = below.get(child.kind) ?? new Map<string, Collection>()
            below.set(child.kind, collections.set(key, { kind: child.kind, parent: key }))
          }
        }
      }
      level = new Map([...below].map(([kind, collections]) => [kind, [...collections.values()]]))
    }
    return { found: [...found.values()], unread: unread.sort(byText) }
  })

/** The names to export, each once and sorted, and what is known beforehand to be out of reach. */
const namesOf = (
  connection: Connection,
  organizations: ReadonlyArray<string> | "all"
): Effect.Effect<
  { readonly names: ReadonlyArray<string>; readonly skipped: ReadonlyArray<Skipped> },
  QuayFailure | ConnectionFailed
> =>
  organizations === "all"
    ? everyOrganization(connection)
    : Effect.succeed({ names: [...new Set(organizations)].sort(byText), skipped: [] })

/** All of the registry's organizations for a superuser, else those that the user is in. */
const everyOrganization = ({ quay, registry }: Connection) =>
  Effect.gen(function* () {
    const asUser = quay.ask((client, signal) => client.GET("/api/v1/user/", { signal }))
    const user = yield* Effect.catch(
      asUser,
      (error): Effect.Effect<never, ConnectionFailed | QuayFailure> =>
        error._tag === "Unauthenticated"
          ? Effect.fail(
              new ConnectionFailed({
                registry: registry.name,
                message:
                  "The token may not say whose it is, and so not which organizations there are. " +
                  "Give it the scope user:read, or name the organizations."
              })
            )
          : Effect.fail(error)
    )
    const all = user.super_user === true ? yield* asSuperuser(quay) : undefined
    const own = user.organizations ?? []
    const names = all ?? own.flatMap(({ is_org_admin, name }) => (is_org_admin === false ? [] : [name]))
    const skipped = own.flatMap(
      ({ is_org_admin, name }): ReadonlyArray<Skipped> =>
        all === undefined && is_org_admin === false
          ? [{ organization: name, reason: `The token is not an administrator's of the organization ${name}.` }]
          : []
    )
    return { names: [...new Set(names)].sort(byText), skipped }
  })

/** Undefined where the token lacks the scope for it. */
const asSuperuser = (quay: Connection["quay"]) =>
  Effect.flatMap(Effect.context<never>(), (context) =>
    Effect.tryPromise({
      try: async (signal) => {
        const pages = paginate({
          path: "/api/v1/superuser/organizations/",
          page: (next) =>
            Effect.runPromiseWith(context)(
              quay.ask((client, stop) =>
                client.GET("/api/v1/superuser/organizations/", {
                  params: { query: { limit: 100, ...next } },
                  signal: stop
                })
              ),
              { signal }
            ),
          items: (page) => page.organizations,
          key: ({ name }) => name
        })
        const names: Array<string> = []
        for await (const { name } of pages) names.push(name)
        return names
      },
      catch: (error) => error
    }).pipe(
      Effect.catch((error): Effect.Effect<undefined, QuayFailure> => {
        if (!isQuayFailure(error)) return Effect.die(error)
        const lacks = ["Forbidden", "Unauthenticated", "Missing", "FeatureOff"].includes(error._tag)
        return lacks ? Effect.succeed(undefined) : Effect.fail(error)
      })
    )
  )

/**
 * The registry that is said, or that the settings name as the default.
 * @throws {ConfigError} if nothing says which, or what is said is none.
 */
export const registryFor = (
  settings: Settings,
  { cwd = process.cwd(), registry: text = settings.default }: Pick<ProjectOptions, "cwd" | "registry">
): Registry => {
  const fail = (message: string, hint: string): never => {
    throw new ConfigError([{ file: "--registry", path: [], message, hint }])
  }
  if (text === undefined)
    return fail("nothing says which registry", "pass --registry, set QUAY_URL, or write default: in quaymaster.yaml")
  const named = settings.registries.get(text)
  if (named !== undefined) return named
  const parsed = parseUrl(text, cwd)
  if ("fault" in parsed)
    return fail(parsed.fault, "a name of quaymaster.yaml, or a URL such as https://quay.example.com")
  const known = [...settings.registries.values()].find(({ url }) => url === parsed.url)
  return known ?? { name: parsed.url, url: parsed.url, verify: true }
}
