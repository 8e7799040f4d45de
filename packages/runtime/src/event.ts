/** What happens while a registry is read and a plan is applied, told to whoever listens. Events carry no secrets. */
import type { Verdict } from "@quaymaster/engine"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** How an operation ended. */
export type Outcome =
  /** Done by this apply. */
  | "applied"
  /** It was so already. */
  | "already"
  /** The registry did it by itself, as predicted. */
  | "by-registry"
  | "failed"
  /** Something that it needs failed or was not done. */
  | "skipped"
  /** The apply was stopped before its turn. */
  | "not-started"

export type Event =
  | { readonly type: "read-started"; readonly registry: string; readonly collections: number }
  | { readonly type: "read-finished"; readonly registry: string; readonly objects: number }
  | { readonly type: "request"; readonly registry: string; readonly operation: string; readonly milliseconds: number }
  | {
      readonly type: "request-retried"
      readonly registry: string
      readonly operation: string
      readonly attempt: number
      readonly delay: number
      readonly error: string
    }
  /** What the guard has against the plan that was made. */
  | { readonly type: "verdict"; readonly registry: string; readonly verdict: Verdict }
  /** An earlier apply of the same plan broke off, or left in the dark whether these happened. They are looked for first. */
  | { readonly type: "apply-resumed"; readonly registry: string; readonly unsettled: ReadonlyArray<string> }
  | { readonly type: "apply-started"; readonly registry: string; readonly operations: number }
  | { readonly type: "operation-started"; readonly registry: string; readonly id: string }
  | {
      readonly type: "operation-finished"
      readonly registry: string
      readonly id: string
      readonly outcome: Outcome
      readonly milliseconds: number
      /** Why it failed, or the operation that it waited for in vain. */
      readonly error?: string
      readonly because?: string
    }
  /** Somebody else had created the same at the same time: one of the two was removed. */
  | { readonly type: "duplicate-removed"; readonly registry: string; readonly id: string }
  | { readonly type: "apply-finished"; readonly registry: string; readonly interrupted: boolean }

type WithoutRegistry<E> = E extends Event ? Omit<E, "registry"> : never

/** An event before it is known which registry it is about. */
export type RegistryEvent = WithoutRegistry<Event>

/** Where the events of one registry go. By default nobody listens. */
export const EventSink = Context.Reference<(event: RegistryEvent) => void>("@quaymaster/runtime/EventSink", {
  defaultValue: () => () => {}
})

/** Tells an event. A listener that throws does not stop what it listens to. */
export const emit = (event: RegistryEvent): Effect.Effect<void> =>
  Effect.catchDefect(
    Effect.map(EventSink, (sink) => sink(event)),
    (defect) => Effect.logError("A listener to events failed", defect)
  )
