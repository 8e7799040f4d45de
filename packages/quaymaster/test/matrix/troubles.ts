// What goes wrong in the fault matrix: at one request of an apply or at the writing of a file, once or from there on.
import type { Fate, Moment, Trouble } from "./world.ts"

export interface Case {
  readonly name: string
  /** What goes wrong if it goes wrong at this moment. */
  readonly fate: (at: Moment, interrupt: () => void) => Fate
  /** Whether it must make no difference: all of it is done, and said to be done, by the same apply. */
  readonly absorbed?: true
  /** Whether the process ends without a report. */
  readonly dies?: true
  /** Whether nobody can look afterwards what has happened, so that a result may be called uncertain. */
  readonly blind?: true
}

const once =
  (trouble: Trouble): Case["fate"] =>
  (at) =>
  ({ number }) =>
    number === at.number ? trouble : undefined

/** At the moment, and at whatever asks the same later. */
const fromThere =
  (trouble: Trouble): Case["fate"] =>
  (at) =>
  ({ number, what }) =>
    number >= at.number && what === at.what ? trouble : undefined

/** At the moment the one, at everything later, or only the next, another. */
const followed =
  (first: Trouble, then: Trouble, all: boolean): Case["fate"] =>
  (at) =>
  ({ number }) => {
    if (number === at.number) return first
    return number > at.number && (all || number === at.number + 1) ? then : undefined
  }

/** Once, and again and again. */
const anew = (sort: string, trouble: Trouble, ends: Pick<Case, "absorbed" | "blind"> = {}): ReadonlyArray<Case> => [
  { name: sort, fate: once(trouble), ...ends },
  { name: `${sort}, and so on`, fate: fromThere(trouble), ...(ends.blind === true ? { blind: true } : {}) }
]

const ABSORBED = { absorbed: true } as const
/** There was no last word, so that it may be done later still. */
const UNANSWERED = { absorbed: true, blind: true } as const

const DROPPED = { kind: "drop" } as const
const DROPPED_AFTER = { kind: "drop", applied: true } as const
const EXPIRED = { kind: "expire-token" } as const
const FAILING = { kind: "server-error" } as const

/** The process is killed, or told to stop. */
export const endCases: ReadonlyArray<Case> = [
  { name: "killed before", fate: once({ kind: "death", done: false }), dies: true },
  { name: "killed after", fate: once({ kind: "death", done: true }), dies: true },
  {
    name: "interrupted",
    fate:
      (at, interrupt) =>
      ({ number }) => {
        if (number === at.number) interrupt()
        return undefined
      }
  }
]

/** Of a file that is written. */
export const fileCases: ReadonlyArray<Case> = [...anew("no room", DROPPED), ...endCases]

export const writeCases: ReadonlyArray<Case> = [
  ...anew("429", { kind: "rate-limit" }, ABSORBED),
  ...anew("429 with Retry-After", { kind: "rate-limit", retryAfter: 7 }, ABSORBED),
  // Quay says it to writes that can never work, so one is not repeated.
  ...anew("500", FAILING),
  ...anew("500, and done", { kind: "server-error", applied: true }, ABSORBED),
  ...anew("502 with a page", { kind: "bad-gateway" }, UNANSWERED),
  ...anew("502 with a page, and done", { kind: "bad-gateway", applied: true }, UNANSWERED),
  ...anew("dropped before", DROPPED, UNANSWERED),
  ...anew("dropped after", DROPPED_AFTER, UNANSWERED),
  ...anew("no answer", { kind: "no-answer", done: false }, UNANSWERED),
  ...anew("no answer, and done", { kind: "no-answer", done: true }, UNANSWERED),
  { name: "no answer, and done later", fate: once({ kind: "no-answer", done: false, late: 5_000 }), ...UNANSWERED },
  { name: "an answer that breaks off", fate: once({ kind: "truncate" }), absorbed: true },
  { name: "an answer that is no JSON", fate: once({ kind: "garble" }), absorbed: true },
  { name: "a sign-in page", fate: once({ kind: "login-page" }) },
  { name: "the token expired", fate: once(EXPIRED), blind: true },
  { name: "dropped before, and the token expired", fate: followed(DROPPED, EXPIRED, false), blind: true },
  { name: "dropped after, and the token expired", fate: followed(DROPPED_AFTER, EXPIRED, false), blind: true },
  { name: "dropped before, and all fails from there on", fate: followed(DROPPED, FAILING, true), blind: true },
  { name: "dropped after, and all fails from there on", fate: followed(DROPPED_AFTER, FAILING, true), blind: true },
  ...endCases
]

export const readCases: ReadonlyArray<Case> = [
  ...anew("429", { kind: "rate-limit" }, ABSORBED),
  ...anew("500", FAILING, ABSORBED),
  ...anew("502 with a page", { kind: "bad-gateway" }, UNANSWERED),
  ...anew("dropped", DROPPED, UNANSWERED),
  ...anew("no answer", { kind: "no-answer", done: false }, UNANSWERED),
  { name: "an answer that breaks off", fate: once({ kind: "truncate" }) },
  { name: "a sign-in page", fate: once({ kind: "login-page" }) },
  { name: "the token expired", fate: once(EXPIRED) }
].map((it): Case => ({ ...it, blind: true }))

/** Of a request whose like met all of them. */
export const knownReadCases = readCases.filter(({ name }) => name === "500, and so on" || name === "the token expired")
