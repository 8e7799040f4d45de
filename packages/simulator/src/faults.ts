// Faults that a test or a rehearsal injects: which requests they meet, how often, and what goes wrong.
// Leaves out doing it; simulator.ts does.
import { fraction, type RandomSource, seededRandom } from "./random.ts"

/**
 * What goes wrong. `applied` says whether the request is carried out all the same: the answer is what is lost. `appliedAfter`
 * is in how many milliseconds that will be, when nobody waits for it any more.
 * - `latency`: the request is carried out later, and answered, whether or not somebody still waits.
 * - `rate-limit`: 429, with or without Retry-After.
 * - `server-error`: 500 and an HTML page; `bad-gateway`: 502 and one.
 * - `drop`: the connection breaks; `time-out`: no answer ever.
 * - `expire-token`: the token of the request is worth nothing from here on.
 * - `lose-rights`: the token's user is no superuser from here on, and in no team.
 * - `forbid`: 403; `missing`: 404, as Quay says that there is no such thing.
 * - `truncate`: the answer breaks off in the middle; `garble`: it is not JSON.
 * - `login-page`: 200 and an HTML page, as a proxy in front answers.
 */
export type FaultEffect =
  | { readonly kind: "latency"; readonly ms: number }
  | { readonly kind: "rate-limit"; readonly retryAfter?: number | string }
  | { readonly kind: "server-error"; readonly applied?: boolean }
  | { readonly kind: "bad-gateway"; readonly applied?: boolean }
  | { readonly kind: "drop"; readonly applied?: boolean; readonly appliedAfter?: number }
  | { readonly kind: "time-out"; readonly applied?: boolean; readonly appliedAfter?: number }
  | { readonly kind: "expire-token" }
  | { readonly kind: "lose-rights" }
  | { readonly kind: "forbid" }
  | { readonly kind: "missing" }
  | { readonly kind: "truncate" }
  | { readonly kind: "garble" }
  | { readonly kind: "login-page" }

export interface Fault {
  /**
   * Which requests: a method ("PUT"), an operation ("PUT /api/v1/organization/{orgname}"), a concrete request
   * ("PUT /api/v1/organization/acme"), or a pattern over the latter. All requests by default.
   */
  readonly on?: string | RegExp
  /** So many requests that match pass first. */
  readonly skip?: number
  /** So many requests are met; every one by default. */
  readonly times?: number
  /** The share of the matching requests that is met; all by default. */
  readonly probability?: number
  /** Makes the same requests meet the fault every time. */
  readonly seed?: string
  readonly effect: FaultEffect
}

interface Armed {
  readonly fault: Fault
  readonly random: RandomSource
  seen: number
  met: number
}

const matches = (on: Fault["on"], method: string, operation: string, concrete: string): boolean => {
  if (on === undefined) return true
  if (typeof on === "string") return on === method || on === operation || on === concrete
  // A fresh pattern, because one with a global flag remembers where it was.
  return new RegExp(on.source, on.flags.replace(/[gy]/g, "")).test(concrete)
}

export class Faults {
  readonly #armed = new Set<Armed>()

  /** Adds a fault and gives the way to take it back. */
  add(fault: Fault): () => void {
    const armed = { fault, random: seededRandom(fault.seed ?? "fault"), seen: 0, met: 0 }
    this.#armed.add(armed)
    return () => void this.#armed.delete(armed)
  }

  clear(): void {
    this.#armed.clear()
  }

  /** The effects that this request meets, in the order in which they were added. */
  take(method: string, operation: string, concrete: string): FaultEffect[] {
    const effects: FaultEffect[] = []
    for (const armed of this.#armed) {
      const { on, skip = 0, times = Number.POSITIVE_INFINITY, probability = 1, effect } = armed.fault
      if (armed.met >= times || !matches(on, method, operation, concrete)) continue
      armed.seen += 1
      if (armed.seen <= skip || (probability < 1 && fraction(armed.random) >= probability)) continue
      armed.met += 1
      effects.push(effect)
    }
    return effects
  }
}
