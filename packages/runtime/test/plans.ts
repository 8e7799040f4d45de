/** Plans for the kinds of the store, written by hand, and what applying one tells. */
import { type Operation, planTarget, type TargetPlan } from "@quaymaster/engine"
import * as Effect from "effect/Effect"
import {
  EventSink,
  type PlanStale,
  type RegistryEvent,
  type Result,
  read,
  recheck,
  type TargetReport,
  type WalkOptions,
  walk
} from "../src/index.ts"
import type { Grant, Lease, Node, Seal, Store, StoreError, StoreKind } from "./store.ts"

export type StoreOperation = Operation<StoreKind>
export type StorePlan = TargetPlan<StoreOperation>

interface Common {
  readonly needs?: ReadonlyArray<string>
  readonly impliedBy?: string
}

const fields = (action: string, kind: string, key: string, { impliedBy, needs }: Common) => ({
  id: `${action}:${kind}:${key}`,
  key,
  needs: [...(needs ?? []), ...(impliedBy === undefined ? [] : [impliedBy])],
  ...(impliedBy === undefined ? {} : { impliedBy })
})

const changed = (before: object, after: object) =>
  Object.entries(after).flatMap(([field, value]: readonly [string, unknown]) => {
    const old: unknown = Reflect.get(before, field)
    return old === value ? [] : [{ field, ...(old === undefined ? {} : { before: old }), after: value }]
  })

export const createNode = (after: Node, common: Common = {}): StoreOperation => ({
  ...fields("create", "node", after.name, common),
  action: "create",
  kind: "node",
  after
})

export const updateNode = (before: Node, after: Node, common: Common = {}): StoreOperation => ({
  ...fields("update", "node", after.name, common),
  action: "update",
  kind: "node",
  before,
  after,
  changes: changed(before, after)
})

export const deleteNode = (before: Node, common: Common & { readonly cascades?: ReadonlyArray<string> } = {}) => ({
  ...fields("delete", "node", before.name, common),
  action: "delete" as const,
  kind: "node" as const,
  before,
  cascades: common.cascades ?? []
})

export const replaceSeal = (before: Seal, after: Seal, cascades: ReadonlyArray<string> = []): StoreOperation => ({
  ...fields("replace", "seal", after.name, {}),
  action: "replace",
  kind: "seal",
  before,
  after,
  changes: changed(before, after),
  cascades,
  destroys: "credential"
})

export const createGrant = (after: Grant, common: Common = {}): StoreOperation => ({
  ...fields("create", "grant", after.node, common),
  action: "create",
  kind: "grant",
  after
})

export const deleteGrant = (before: Grant, common: Common = {}): StoreOperation => ({
  ...fields("delete", "grant", before.node, common),
  action: "delete",
  kind: "grant",
  before,
  cascades: []
})

export const plan = (...operations: ReadonlyArray<StoreOperation>): StorePlan => ({
  registry: "test",
  url: "https://quay.example.com",
  scope: [],
  operations,
  extras: [],
  stuck: [],
  notices: [],
  left: [],
  verdicts: [],
  unchanged: 0
})

/** What the store's tables should hold. */
export interface Wanted {
  readonly nodes?: ReadonlyArray<Node>
  readonly seals?: ReadonlyArray<Seal>
  readonly grants?: ReadonlyArray<Grant>
  readonly leases?: ReadonlyArray<Lease>
}

/** Reads the store and plans it, all tables owned. */
export const planned = (store: Store, wanted: Wanted): Effect.Effect<StorePlan, StoreError> => {
  const scope = store.kinds.map(({ kind }) => ({ kind, parent: "all", prune: true }))
  const declarations = [
    ...(wanted.nodes ?? []).map((item) => ({ kind: "node", item })),
    ...(wanted.seals ?? []).map((item) => ({ kind: "seal", item })),
    ...(wanted.grants ?? []).map((item) => ({ kind: "grant", item })),
    ...(wanted.leases ?? []).map((item) => ({ kind: "lease", item }))
  ]
  return Effect.map(read(store.kinds, { scope, declared: new Map() }), (actual) =>
    planTarget(store.kinds, { registry: "test", url: "https://quay.example.com" }, { declarations, scope }, actual)
  )
}

export interface Applied {
  readonly report: TargetReport
  readonly events: ReadonlyArray<RegistryEvent>
}

/** Walks the plan, and collects the events. */
export const walked = (store: Store, target: StorePlan, options: Partial<WalkOptions> = {}): Effect.Effect<Applied> =>
  Effect.suspend(() => {
    const events: Array<RegistryEvent> = []
    return walk(store.kinds, target, { workers: 8, ...options }).pipe(
      Effect.provideService(EventSink, (event) => {
        events.push(event)
      }),
      Effect.map((report) => ({ report, events }))
    )
  })

/** Rechecks the plan and walks it, as an apply does. */
export const applied = (
  store: Store,
  target: StorePlan,
  options: Partial<WalkOptions> = {}
): Effect.Effect<Applied, PlanStale | StoreError> =>
  Effect.flatMap(recheck(store.kinds, target, undefined), (checked) => walked(store, target, { ...options, checked }))

export const outcomes = ({ report }: Applied): Readonly<Record<string, Result["outcome"]>> =>
  Object.fromEntries(report.results.map(({ id, outcome }) => [id, outcome]))
