/**
 * The library with promises: plan what organization files want of a registry, and apply the plan.
 *
 * Errors are classes with a `_tag`: `ConfigError` (mistakes in files, all of them, with places), `PlanRefused` (the wanted
 * state contradicts itself or what is there), `PlanStale` (the registry is no longer as the plan found it),
 * `PlanBlocked` (the guard is against it), `PlanDiffers` and `PlanExceeds` (it is not what was approved), `NotAdministrator`,
 * `ConnectionFailed`, `IdentityChanged`, and the SDK's errors for what Quay answers.
 */
import { fileSchema } from "@quaymaster/config"
import {
  type Allowances,
  additiveOnly,
  allowing,
  assemble,
  blockingOf,
  checkAllowances,
  decodePlan,
  indexKinds,
  type Kind,
  misaddressed,
  type Plan,
  PlanBlocked,
  type PlanOf,
  PlanRefused,
  type Spared,
  type TargetPlan,
  unspoken
} from "@quaymaster/engine"
import { type LibraryKind, type Quay, type QuayKind, quayKinds } from "@quaymaster/kinds"
import {
  type Event,
  EventSink,
  emit,
  isWhole,
  PlanStale,
  type RegistryEvent,
  type TargetReport
} from "@quaymaster/runtime"
import { version } from "@quaymaster/sdk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { checkRegistry, checkSecrets, walkRegistry } from "./apply.ts"
import { requireDigest, requireWithin } from "./approval.ts"
import { type BaseOptions, loadBase } from "./base.ts"
import { type ConnectionOptions, connect } from "./connection.ts"
import { type Exported, exportRegistry, kindsToExport, registryFor, type Skipped } from "./export.ts"
import type { Failure } from "./failure.ts"
import { type OpenJournal, openJournal } from "./journal.ts"
import { planRegistry } from "./plan.ts"
import { loadProject, type ProjectOptions, registryOf, settingsOf } from "./project.ts"
import { type KindReference, referenceOf, referencePage } from "./reference.ts"
import { type Rotation, type RotationReport, rotate, rotationTarget } from "./rotate.ts"
import { listServiceKeys, type ServiceKey } from "./service-keys.ts"

export interface CommonOptions<K extends LibraryKind> extends ProjectOptions, ConnectionOptions {
  /** Kinds beside the built-in ones, made with `defineKind`. */
  readonly kinds?: ReadonlyArray<K> | undefined
  /** Hears what happens. It is called synchronously; what it throws is lost. */
  readonly onEvent?: ((event: Event) => void) | undefined
}

export interface PlanOptions<K extends LibraryKind = never> extends CommonOptions<K> {
  /**
   * Addresses of objects whose secrets are sent again, such as `repository-mirror:acme/alpine`: a registry does not tell its
   * secrets, so that nothing shows whether they differ.
   */
  readonly writeSecrets?: ReadonlyArray<string> | undefined
  /**
   * Leaves out what would delete or replace objects, of all kinds or of those named, and what waits for that. The plan tells
   * what it `left`.
   */
  readonly noDelete?: boolean | ReadonlyArray<string> | undefined
  /** Addresses of mirrors that run now, whenever else they do, such as `repository-mirror:acme/alpine`. Applying the plan asks for it. */
  readonly syncNow?: ReadonlyArray<string> | undefined
  /**
   * What the files said before: at a commit of their Git repository, such as `origin/main`, or as files and values of their own.
   * The plan then tells of each operation whether it was to be done already, and the guard is against deletions in collections
   * that were not managed.
   */
  readonly base?: BaseOptions | undefined
  /**
   * What is done although the guard is against it, as the commands' flags say it: `{ deletes: ["team=28"], destroy:
   * ["repository:acme/old-*"] }`. It stays with the plan.
   */
  readonly allow?: Allowances | undefined
  /**
   * Addresses of tokens in whose place others are made, such as `application-token:acme/console/ci`. The old ones stop working as
   * soon as the new ones are delivered.
   */
  readonly renew?: ReadonlyArray<string> | undefined
}

export interface ApplyOptions<K extends LibraryKind = never>
  extends Omit<CommonOptions<K>, "files" | "organizations" | "registry"> {
  /** The registry that the plan has to be for, by name or URL. A plan for another is refused. */
  readonly registry?: string | undefined
  /** After so many operations in a row that failed because the registry did (5xx, no connection), no further one starts. Default 5. */
  readonly breaker?: number | undefined
  /**
   * For how many milliseconds a write is looked for whose answer was lost, where sending it again could make a second object:
   * a notification, a default permission, an application, an invitation. It is never sent again by the same apply.
   * Default: as long as one request may take.
   */
  readonly patience?: number | undefined
  /**
   * A file that a journal is written to: NDJSON, on the disk before and after each operation, so that it tells after a crash what
   * was under way. If it is there already it has to be this plan's; what it left in the dark is looked for first, and the rest is
   * appended.
   */
  readonly journal?: string | undefined
  /** The plan was made just now, so that nothing need be read again before it is applied. Default false. */
  readonly fresh?: boolean | undefined
  /** What is done although the guard is against it, beside what the plan was made with. */
  readonly allow?: Allowances | undefined
  /**
   * `additive`: the plan is refused with `PlanBlocked` unless nothing is deleted, replaced or narrowed by it, so that nobody has
   * less than before.
   */
  readonly approve?: "additive" | undefined
  /** The digest that was approved, `sha256:…`. A plan with another is refused with `PlanDiffers`. */
  readonly digest?: string | undefined
  /**
   * Plans again, if the plan turns out to be stale: `() => plan({ files })`. What comes of it is applied if it does nothing
   * that the stale plan did not, and is refused with `PlanExceeds` otherwise.
   */
  readonly rebase?: ((stale: PlanStale) => Promise<LibraryPlan<K>>) | undefined
}

/** The plan of the built-in kinds and of kinds of one's own. */
export type LibraryPlan<K extends LibraryKind = never> = PlanOf<QuayKind | K>

export interface ApplyReport {
  readonly targets: ReadonlyArray<TargetReport>
  /** `applied`: all of it holds now. `partial`: something failed or was skipped. `interrupted`: it was stopped before its end. */
  readonly outcome: "applied" | "partial" | "interrupted"
}

const allKinds = <K extends LibraryKind>(kinds: ReadonlyArray<K> | undefined): ReadonlyArray<QuayKind | K> => [
  ...quayKinds,
  ...(kinds ?? [])
]

/**
 * Reads what the files own and works out what is to be done. Changes nothing.
 * Rejects with a `Failure`; with the signal's reason if it aborts.
 */
export const plan = async <K extends LibraryKind = never>(options: PlanOptions<K> = {}): Promise<LibraryPlan<K>> => {
  const kinds = allKinds(options.kinds)
  const { allow = {} } = options
  checkAllowances(allow, indexKinds<Kind>(kinds))
  const project = await loadProject(kinds, options)
  const { targets } = project
  const before = options.base === undefined ? undefined : await loadBase(kinds, options.base, options, project)
  const byHand = {
    resend: new Set(options.writeSecrets),
    requests: new Map([
      ["sync-now", new Set(options.syncNow)],
      ["renew", new Set(options.renew)]
    ])
  }
  const problems = misaddressed(
    kinds,
    targets.map(({ desired }) => desired),
    byHand
  )
  // Of whom rules speak is known once it is planned.
  const ruled = targets.some(({ desired }) => desired.rules !== undefined)
  if (problems.some(({ undeclared }) => !ruled || undeclared === undefined)) throw new PlanRefused(problems)
  const spared = sparedOf(kinds, options.noDelete)
  const planned = Effect.forEach(
    targets,
    (target) =>
      listening(
        Effect.flatMap(connect(target.registry, options), (connection) =>
          planRegistry<QuayKind | K, Failure, Quay>(kinds, connection, {
            ...target.desired,
            ...byHand,
            ...(before === undefined ? {} : { base: before(target) }),
            ...(spared === undefined ? {} : { spared })
          })
        ),
        target.registry.name,
        options.onEvent
      ),
    { concurrency: "unbounded" }
  )
  const plans = await run(planned, options.signal)
  const left = unspoken(problems, plans)
  if (left.length > 0) throw new PlanRefused(left)
  const plan = assemble(plans, version, allow)
  tellVerdicts(plan, options.onEvent)
  return plan
}

/** Tells what the guard has against a plan. */
const tellVerdicts = ({ targets }: Plan, onEvent: ((event: Event) => void) | undefined): void => {
  for (const { registry, verdicts } of targets)
    for (const verdict of verdicts) tell({ type: "verdict", registry, verdict }, onEvent)
}

/** @throws {PlanRefused} if one of the kinds is not known: it would be deleted. */
const sparedOf = (kinds: ReadonlyArray<Kind>, noDelete: PlanOptions["noDelete"]): Spared | undefined => {
  if (noDelete === undefined || noDelete === false) return undefined
  if (noDelete === true) return "all"
  const known = indexKinds(kinds)
  const strangers = noDelete.filter((name) => !known.has(name))
  if (strangers.length === 0) return new Set(noDelete)
  throw new PlanRefused(
    strangers.map((name) => ({ message: `There is no kind named "${name}" whose objects are not to be deleted.` }))
  )
}

/**
 * Applies a plan. What the operations touch is read again first: if anything is no longer as the plan found it, the promise
 * rejects with `PlanStale` and nothing is changed, unless `rebase` plans again; so it does with `PlanElsewhere` for a plan of
 * another registry, and with `PlanBlocked` for one that the guard is against. What is done already is left out, so that the
 * same plan resumes.
 *
 * When the signal aborts, no further operation starts, those under way finish, and the report says so: it does not reject.
 */
export const apply = async <K extends LibraryKind = never>(
  plan: LibraryPlan<K>,
  options: ApplyOptions<K> = {}
): Promise<ApplyReport> => {
  const { digest, rebase } = options
  if (digest !== undefined) requireDigest(plan, digest)
  if (rebase === undefined) return await applyOnce(plan, options)
  try {
    return await applyOnce(plan, options)
  } catch (error) {
    if (!(error instanceof PlanStale)) throw error
    const again = await rebase(error)
    requireWithin(plan, again)
    // What was allowed of the whole is allowed of what is left of it.
    return await applyOnce(allowing(again, plan.guard.allowances), { ...options, fresh: true })
  }
}

const applyOnce = async <K extends LibraryKind = never>(
  planned: LibraryPlan<K>,
  options: ApplyOptions<K>
): Promise<ApplyReport> => {
  const kinds = allKinds(options.kinds)
  const { allow = {}, cwd = process.cwd(), signal } = options
  checkAllowances(allow, indexKinds<Kind>(kinds))
  const plan = allowing(planned, allow)
  const settings = await settingsOf(options)
  const targets = plan.targets
    .filter((target) => target.operations.length > 0)
    .map((target) => ({ target, registry: registryOf(settings, target, options) }))
  const blocking = blockingOf(options.approve === "additive" ? additiveOnly(kinds, plan.targets) : plan.targets)
  if (blocking.length > 0) throw new PlanBlocked(blocking)
  const journal =
    options.journal === undefined || targets.length === 0 ? undefined : await openJournal(options.journal, cwd, plan)
  const unsettled = unsettledOf(journal)
  const checks = Effect.forEach(
    targets,
    ({ registry, target }) =>
      listening(
        Effect.gen(function* () {
          const left = unsettled.get(target.registry)
          if (left !== undefined) yield* emit({ type: "apply-resumed", unsettled: [...left.keys()] })
          const connection = yield* connect(registry, options)
          // What an earlier apply began is no longer as the plan found it.
          const standing =
            options.fresh === true && left === undefined
              ? undefined
              : yield* Effect.result(checkRegistry<QuayKind | K, Failure, Quay>(kinds, connection, target))
          yield* checkSecrets<QuayKind | K>(kinds, connection, target)
          return { connection, standing, target }
        }),
        target.registry,
        options.onEvent
      ),
    { concurrency: "unbounded" }
  )
  const applied = Effect.gen(function* () {
    const checked = yield* unlessAborted(checks, signal)
    if (checked === undefined) return targets.map(({ target }) => untouched(target))
    const stale = checked.flatMap(({ standing }) =>
      standing !== undefined && Result.isFailure(standing) ? [standing.failure] : []
    )
    const [first] = stale
    if (first !== undefined) return yield* Effect.fail(stale.find((it) => it instanceof PlanStale) ?? first)
    if (journal !== undefined) yield* journal.begin
    return yield* Effect.forEach(
      checked,
      ({ connection, standing, target }) =>
        listening(
          walkRegistry<QuayKind | K, Failure, Quay>(kinds, connection, target, {
            stop: signal,
            workers: options.parallelism,
            breaker: options.breaker,
            patience: options.patience,
            recorder: journal?.recorder(target.registry),
            unsettled: unsettled.get(target.registry),
            checked: standing !== undefined && Result.isSuccess(standing) ? standing.success : undefined
          }),
          target.registry,
          options.onEvent
        ),
      { concurrency: "unbounded" }
    )
  })
  try {
    const reports = await run(applied, undefined)
    const outcome = outcomeOf(reports)
    // The report is true without this line, and worth more.
    await journal?.finish(outcome, reports).catch(() => {})
    return { targets: reports, outcome }
  } finally {
    await journal?.close()
  }
}

/** What earlier applies left in the dark, by registry and operation: how many milliseconds ago each was begun. */
const unsettledOf = (journal: OpenJournal | undefined): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const now = Date.now()
  const byRegistry = new Map<string, Map<string, number>>()
  for (const { id, registry, time } of journal?.found?.unsettled ?? []) {
    const own = byRegistry.get(registry) ?? new Map<string, number>()
    // A clock that was put back tells nothing of how long ago it was.
    byRegistry.set(registry, own.set(id, Math.max(0, now - (Date.parse(time) || now))))
  }
  return byRegistry
}

/** What the effect gives; undefined if the signal aborts before, and then the effect is broken off. */
const unlessAborted = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  signal: AbortSignal | undefined
): Effect.Effect<A | undefined, E, R> =>
  signal === undefined
    ? effect
    : Effect.raceFirst(
        effect,
        Effect.callback<undefined>((resume) => {
          const abort = () => resume(Effect.succeed(undefined))
          if (signal.aborted) abort()
          else signal.addEventListener("abort", abort, { once: true })
          return Effect.sync(() => signal.removeEventListener("abort", abort))
        })
      )

/** The report of a registry on which nothing was begun. */
const untouched = ({ operations, registry, url }: TargetPlan): TargetReport => ({
  registry,
  url,
  results: operations.map(({ id }) => ({ id, outcome: "not-started" })),
  stopped: "interrupted"
})

export interface ExportOptions<K extends LibraryKind = never>
  extends Omit<CommonOptions<K>, "files" | "organizations"> {
  /** The kinds to be exported, by name, with those that they live in. Default: all. */
  readonly only?: ReadonlyArray<string> | undefined
  /** Hears of each organization that the token cannot export, where all were asked for. */
  readonly onSkipped?: ((skipped: Skipped) => void) | undefined
}

/**
 * Organizations as files that declare all that can be read of them, sorted by name: those named, or all that the token can
 * export. Planning such a file for the same registry finds nothing to do. Changes nothing.
 *
 * Rejects with a `Failure`: with `ExportFailed` or `NotAdministrator` if one that is named is not there, or not the token's to
 * administer. Of all, such ones are skipped.
 */
export const exportOrganizations = async <K extends LibraryKind = never>(
  names: ReadonlyArray<string> | "all",
  options: ExportOptions<K> = {}
): Promise<ReadonlyArray<Exported>> => {
  const kinds = allKinds(options.kinds)
  const registry = registryFor(await settingsOf(options), options)
  kindsToExport(kinds, options.only)
  const work = Effect.flatMap(connect(registry, options), (connection) =>
    exportRegistry<QuayKind | K, Failure, Quay>(kinds, connection, names, { only: options.only })
  )
  const { exported, skipped } = await run(listening(work, registry.name, options.onEvent), options.signal)
  for (const one of skipped) options.onSkipped?.(one)
  return exported
}

/**
 * The service keys of a registry, for superusers, sorted by service. Changes nothing. Rejects with a `Failure`: with
 * `ConnectionFailed` if the token is not a superuser's.
 */
export const serviceKeys = async (
  options: Omit<CommonOptions<never>, "files" | "organizations" | "kinds"> = {}
): Promise<ReadonlyArray<ServiceKey>> => {
  const registry = registryFor(await settingsOf(options), options)
  const work = Effect.flatMap(connect(registry, options), listServiceKeys)
  return await run(listening(work, registry.name, options.onEvent), options.signal)
}

export interface RotateOptions<K extends LibraryKind = never> extends CommonOptions<K> {
  /** Hears what is known of the robot account before anything is done, and says whether to go on. Left out: goes on. */
  readonly confirm?: ((rotation: Rotation) => boolean | Promise<boolean>) | undefined
}

/**
 * Makes the token of a robot account anew, such as `acme/ci`, and delivers it to the files that are declared for it. From then on
 * the old token is worth nothing, wherever it is. Without `files` and `organizations` the sources of quaymaster.yaml are
 * looked through; a robot account that they do not declare is delivered nowhere.
 *
 * Rejects with `RotationFailed` if the token is as it was, and with `DeliveryFailed`, before anything is done, if a file could
 * not be written. An abort counts until the token is made anew; from there on all is seen to its end.
 */
export const rotateRobot = async <K extends LibraryKind = never>(
  robot: string,
  options: RotateOptions<K> = {}
): Promise<RotationReport> => {
  const target = await rotationTarget(allKinds(options.kinds), robot, options)
  const { signal } = options
  signal?.throwIfAborted()
  const stop = new AbortController()
  const abort = () => stop.abort(signal?.reason)
  signal?.addEventListener("abort", abort)
  // An abort that comes later would take away the report, and the token would be nobody's.
  const begun = () => signal?.removeEventListener("abort", abort)
  const agreed = async (rotation: Rotation) => (await options.confirm?.(rotation)) ?? true
  const rotated = listening(
    Effect.flatMap(connect(target.registry, options), (connection) => rotate(connection, target, { agreed, begun })),
    target.registry.name,
    options.onEvent
  )
  try {
    return await run(rotated, stop.signal)
  } finally {
    begun()
  }
}

/** What the files declare for one registry. */
export interface ValidTarget {
  readonly registry: string
  readonly url: string
  readonly files: ReadonlyArray<string>
  readonly objects: number
  readonly collections: number
}

/**
 * Checks the files without asking a registry.
 * @throws {ConfigError} with every mistake in them.
 */
export const validate = async <K extends LibraryKind = never>(
  options: PlanOptions<K> = {}
): Promise<ReadonlyArray<ValidTarget>> => {
  const { targets } = await loadProject(allKinds(options.kinds), options)
  return targets.map(({ desired, files, registry }) => ({
    registry: registry.name,
    url: registry.url,
    files,
    objects: desired.declarations.length,
    collections: desired.scope.length
  }))
}

/**
 * The plan with what speaks against applying it unattended among its verdicts: each operation by which somebody may have less
 * than before. To be looked at; `apply` with `approve: "additive"` refuses such a plan by itself.
 */
export const judgeAdditive = <K extends LibraryKind = never>(
  plan: LibraryPlan<K>,
  options: { readonly kinds?: ReadonlyArray<K> | undefined } = {}
): LibraryPlan<K> => ({ ...plan, targets: additiveOnly(allKinds(options.kinds), plan.targets) })

/**
 * Reads a plan document for the built-in kinds and those given. `allow` is allowed beside what the plan was made with.
 * @throws {PlanUnreadable}
 * @throws {AllowanceInvalid}
 */
export const readPlan = <K extends LibraryKind = never>(
  text: string,
  options: { readonly kinds?: ReadonlyArray<K> | undefined; readonly allow?: Allowances | undefined } = {}
): LibraryPlan<K> => {
  const kinds = allKinds(options.kinds)
  const { allow = {} } = options
  checkAllowances(allow, indexKinds<Kind>(kinds))
  return allowing(decodePlan<QuayKind | K>(kinds, text), allow)
}

/** The reference page of the built-in kinds and those given beside them, as Markdown. */
export const kindsReference = (kinds: ReadonlyArray<LibraryKind> = []): string => referencePage(allKinds(kinds))

/** The reference of each kind, by name. */
export const explainKinds = (kinds: ReadonlyArray<LibraryKind> = []): ReadonlyArray<KindReference> =>
  allKinds(kinds).map(referenceOf)

/** The JSON Schema of organization files, with the sections of the kinds given beside the built-in ones. */
export const organizationSchema = (kinds: ReadonlyArray<LibraryKind> = []): object => fileSchema(allKinds(kinds))

const outcomeOf = (reports: ReadonlyArray<TargetReport>): ApplyReport["outcome"] =>
  reports.some((report) => report.stopped === "interrupted")
    ? "interrupted"
    : reports.every(isWhole)
      ? "applied"
      : "partial"

/** Tells the listener which registry each event is about. */
const listening = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  registry: string,
  onEvent: ((event: Event) => void) | undefined
): Effect.Effect<A, E, R> =>
  onEvent === undefined
    ? effect
    : Effect.provideService(effect, EventSink, (event: RegistryEvent) => tell({ ...event, registry }, onEvent))

const tell = (event: Event, onEvent: ((event: Event) => void) | undefined): void => {
  try {
    onEvent?.(event)
  } catch {
    // A listener's own trouble changes nothing of what it is told about.
  }
}

/** Runs to a promise that rejects with the typed failure, or with the signal's reason. */
const run = async <A, E>(effect: Effect.Effect<A, E, Scope.Scope>, signal: AbortSignal | undefined): Promise<A> => {
  signal?.throwIfAborted()
  const exit = await Effect.runPromiseExit(Effect.scoped(effect), signal === undefined ? {} : { signal })
  if (Exit.isFailure(exit)) signal?.throwIfAborted()
  return await Effect.runPromise(exit)
}

export {
  ConfigError,
  type Located,
  loadSettings,
  readBytes,
  readSecretFile,
  SchemaError,
  SecretError,
  type Settings,
  settingsFileSchema
} from "@quaymaster/config"
export {
  AllowanceInvalid,
  type AllowanceName,
  type Allowances,
  type AnyOperation,
  allowanceFault,
  allowanceNames,
  allowing,
  type Blocking,
  blockingOf,
  type Change,
  type Collection,
  collectionDocument,
  comparePlans,
  documentSection,
  type Extra,
  encodePlan,
  isBlocking,
  type Journal,
  type JournalLine,
  JournalLineSchema,
  JournalUnreadable,
  type Left,
  mapSection,
  type Notice,
  type Operation,
  type Plan,
  PlanBlocked,
  type PlanDifference,
  PlanRefused,
  PlanSchema,
  PlanUnreadable,
  type Problem,
  type Ref,
  readJournal,
  type Stuck,
  type Summary,
  section,
  type TargetPlan,
  type Unapproved,
  unapproved,
  type Verdict
} from "@quaymaster/engine"
export {
  DeliveryFailed,
  defineKind,
  type KindContext,
  type KindDefinition,
  KindFailed,
  type LibraryKind,
  NotAdministrator,
  type QuayKind
} from "@quaymaster/kinds"
export {
  type Event,
  isWhole,
  type Outcome,
  PlanStale,
  type Result,
  type Stopped,
  succeeded,
  type TargetReport
} from "@quaymaster/runtime"
export * from "@quaymaster/sdk"
export { PlanDiffers, PlanExceeds, requireDigest, requireWithin } from "./approval.ts"
export { type BaseOptions, BaseUnavailable } from "./base.ts"
export { ConnectionFailed, type ConnectionOptions, IdentityChanged } from "./connection.ts"
export { type Exported, ExportFailed, type Skipped } from "./export.ts"
export type { Failure } from "./failure.ts"
export { JournalFailed } from "./journal.ts"
export { acquireLock, type Lock, LockFailed, LockHeld, type LockHolder, type LockOptions } from "./lock.ts"
export { loadPlugins, PluginFailed } from "./plugins.ts"
export { PlanElsewhere, type ProjectOptions } from "./project.ts"
export type { FieldReference, KindReference } from "./reference.ts"
export { type Delivery, type Rotation, RotationFailed, type RotationReport, type RotationSink } from "./rotate.ts"
export type { ServiceKey } from "./service-keys.ts"
