/**
 * What a person asks for once, beside what files say: to send secrets again, to have a mirror run now. It is planned like
 * everything else, as an operation that says so; the next plan knows nothing of it.
 */
import { addressOf } from "./address.ts"
import { type Item, indexKinds, type Kind } from "./kind.ts"
import type { Desired } from "./state.ts"
import type { Problem, TargetPlan } from "./target-plan.ts"

/** Addresses of declared objects. */
export interface ByHand {
  /** Their secrets are sent again although nothing shows that they differ. */
  readonly resend?: ReadonlySet<string>
  /** By the names that kinds give to what can be asked of their objects: `sync-now`. */
  readonly requests?: ReadonlyMap<string, ReadonlySet<string>>
}

/** What is asked for by hand, of all that is desired. */
export const byHandOf = ({ requests, resend }: ByHand): ByHand => ({
  ...(requests === undefined ? {} : { requests }),
  ...(resend === undefined ? {} : { resend })
})

/** The object as it is wanted with all that is asked of it. `before` is undefined where it is not there. */
export const requested = (
  kind: Kind,
  item: Item,
  before: Item | undefined,
  address: string,
  requests: ReadonlyMap<string, ReadonlySet<string>>
): Item => {
  const isAsked = kind.request !== undefined && requests.get(kind.request)?.has(address) === true
  return isAsked ? { ...item, ...kind.asked?.(before) } : item
}

/** `undeclared` is the address, where no file declares anything itself: a rule may. */
export interface Misaddressed extends Problem {
  readonly undeclared?: string
}

/** What is asked of objects that no file declares, or that cannot be asked of their kind. */
export const misaddressed = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  wanted: ReadonlyArray<Desired<K>>,
  { requests = new Map(), resend = new Set() }: ByHand
): ReadonlyArray<Misaddressed> => {
  const known = indexKinds<Kind>(kinds)
  const declared = new Map(
    wanted.flatMap((desired) => {
      const declarations: Desired["declarations"] = desired.declarations
      return declarations.flatMap(({ absent, item, kind: name }): ReadonlyArray<readonly [string, Kind]> => {
        const kind = known.get(name)
        return kind === undefined || absent === true ? [] : [[addressOf(name, kind.key(item)), kind]]
      })
    })
  )
  const stranger = (what: string, address: string) => ({
    message: `${what}, and no file declares it.`,
    undeclared: address
  })
  const strangers = [...resend].filter((address) => !declared.has(address))
  const asked = [...requests].flatMap(([request, addresses]) =>
    [...addresses].flatMap((address): ReadonlyArray<Misaddressed> => {
      const kind = declared.get(address)
      if (kind === undefined) return [stranger(`${request} is asked of ${address}`, address)]
      const message = `${request} is asked of ${address}, which is nothing that can be asked of a ${kind.kind}.`
      return kind.request === request ? [] : [{ message }]
    })
  )
  return [...strangers.map((it) => stranger(`The secrets of ${it} are to be sent`, it)), ...asked]
}

/** Whether a plan does to an object what was asked for, or says that it cannot be done. */
const speaksOf = ({ operations, stuck }: TargetPlan, address: string): boolean =>
  [...operations.filter(({ action }) => action !== "delete"), ...stuck].some(
    ({ key, kind }) => addressOf(kind, key) === address
  )

/** Of those that no file declares itself, the ones that no rule turned out to speak of either. */
export const unspoken = (
  problems: ReadonlyArray<Misaddressed>,
  plans: ReadonlyArray<TargetPlan>
): ReadonlyArray<Misaddressed> =>
  problems.filter(({ undeclared }) => undeclared === undefined || !plans.some((plan) => speaksOf(plan, undeclared)))
