/**
 * Whether a registry offers what is wanted of it: found out before anything is read or written, so that a plan never fails in
 * the middle for want of a feature. What a requirement means is the registry's affair; here they are only compared.
 */
import { collectionId } from "./address.ts"
import { equal } from "./json.ts"
import { indexKinds, type Kind } from "./kind.ts"
import type { Problem } from "./plan.ts"
import { collectionOf, type Declaration, type Desired } from "./state.ts"

/** What the registry must offer. All that is named must be there. */
export interface Requirement {
  /** A feature that can be switched off: `REPO_MIRROR`. */
  readonly feature?: string | ReadonlyArray<string>
  /** An operation by its name in the registry's description of itself: `createRepoMirrorConfig`. */
  readonly operation?: string
  /** A field of a request by its names in that description: `AutoPrunePolicyConfig.tagPattern`. */
  readonly accepts?: string
  /** A feature that the registry tells of, on or off, from the same release on: where nothing else shows which one it is. */
  readonly tellsOf?: string
  /** The first release that has it, for the message. */
  readonly since?: string
}

/** What a field asks of the registry, or some values of it. */
export interface FieldRequirement extends Requirement {
  /** The values that ask for it. Left out: all do. */
  readonly when?: (value: unknown) => boolean
  /** A setting of the registry which lists what the field may be, and the field's value that such a text stands for. */
  readonly among?: { readonly setting: string; readonly value: (option: string) => unknown }
}

/** Requirements of a kind, and of single fields of its objects beside that. */
export interface Requirements extends Requirement {
  readonly fields?: { readonly [field: string]: FieldRequirement }
  /** Requirements of a collection with more than one object. */
  readonly several?: Requirement
}

/** What a registry offers. A feature that it says nothing of is undefined. */
export interface Offers {
  feature(name: string): boolean | undefined
  serves(operation: string): boolean
  accepts(field: string): boolean
  /** The texts that a setting lists; undefined where the registry does not tell. */
  options(setting: string): ReadonlyArray<string> | undefined
}

export const featuresOf = (feature: Requirement["feature"]): ReadonlyArray<string> =>
  feature === undefined ? [] : typeof feature === "string" ? [feature] : feature

/** What is missing, in words, or undefined. */
export const lacking = (requirement: Requirement, offers: Offers): string | undefined => {
  const { accepts, feature, operation, since, tellsOf } = requirement
  const off = featuresOf(feature).find((name) => offers.feature(name) === false)
  if (off !== undefined) return `it is switched off there (FEATURE_${off})`
  const isServed = operation === undefined || offers.serves(operation)
  const isKnown =
    (accepts === undefined || offers.accepts(accepts)) &&
    (tellsOf === undefined || offers.feature(tellsOf) !== undefined)
  if (isServed && isKnown) return undefined
  const fault = `this registry does not ${isServed ? "know" : "serve"} it`
  return since === undefined ? fault : `it came with Quay ${since}, and ${fault}`
}

const asks = ({ when }: FieldRequirement, value: unknown): boolean => value !== undefined && when?.(value) !== false

/** The same of a field with a value. */
const lackingFor = (requirement: FieldRequirement, value: unknown, offers: Offers): string | undefined => {
  const { among } = requirement
  if (!asks(requirement, value)) return undefined
  const fault = lacking(requirement, offers)
  if (fault !== undefined || among === undefined) return fault
  const options = offers.options(among.setting)
  if (options === undefined || options.some((option) => equal(among.value(option), value))) return undefined
  return `this registry allows only ${options.join(", ")} (${among.setting})`
}

/** Whether anything that is wanted depends on what the registry offers. Of most kinds, only some fields do. */
export const needsOffers = <K extends Kind>(kinds: ReadonlyArray<K>, desired: Desired<K>): boolean => {
  const known = indexKinds<Kind>(kinds)
  const whole = (name: string): boolean => {
    const { fields: _fields, ...rest } = known.get(name)?.requires ?? {}
    return Object.keys(rest).length > 0
  }
  const declarations: ReadonlyArray<Declaration> = desired.declarations
  return (
    desired.scope.some(({ kind }) => whole(kind)) ||
    declarations.some(({ item, kind }) => {
      const fields = known.get(kind)?.requires?.fields ?? {}
      return whole(kind) || Object.entries(fields).some(([field, requirement]) => asks(requirement, item[field]))
    })
  )
}

/** Every declared object, and every owned collection, that the registry does not offer: one problem for each place. */
export const preflight = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  desired: Desired<K>,
  offers: Offers
): ReadonlyArray<Problem> => {
  const known = indexKinds<Kind>(kinds)
  const declarations: ReadonlyArray<Declaration> = desired.declarations
  const problems: Array<Problem> = []
  const told = new Set<string>()
  const counts = new Map<string, number>()
  const report = (message: string, source: string | undefined) => {
    if (told.has(message)) return
    told.add(message)
    problems.push(source === undefined ? { message } : { message, source })
  }
  for (const { item, kind: name, source } of declarations) {
    const kind = known.get(name)
    if (kind?.requires === undefined) continue
    const collection = collectionOf(kind, item)
    const { parent } = collection
    const whole = lacking(kind.requires, offers)
    if (whole !== undefined) {
      report(`${kind.section.name} of ${parent}: ${whole}.`, source)
      continue
    }
    for (const [field, requirement] of Object.entries(kind.requires.fields ?? {})) {
      const fault = lackingFor(requirement, Object.hasOwn(item, field) ? item[field] : undefined, offers)
      if (fault !== undefined) report(`${field} of ${name} ${kind.key(item)}: ${fault}.`, source)
    }
    const id = collectionId(collection)
    const count = (counts.get(id) ?? 0) + 1
    counts.set(id, count)
    const several =
      count < 2 || kind.requires.several === undefined ? undefined : lacking(kind.requires.several, offers)
    if (several !== undefined) report(`more than one of ${kind.section.name} of ${parent}: ${several}.`, source)
  }
  // An empty collection is owned too, and cannot be read where it is not served.
  for (const { kind: name, parent } of desired.scope) {
    const kind = known.get(name)
    const fault = kind?.requires === undefined ? undefined : lacking(kind.requires, offers)
    if (kind !== undefined && fault !== undefined) report(`${kind.section.name} of ${parent}: ${fault}.`, undefined)
  }
  return problems
}
