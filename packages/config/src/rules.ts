/**
 * Rules to declarations. A rule speaks of objects by the pattern of their names; who is there is known only once somebody has
 * looked, so that this is done twice: for what the files declare when they are decoded, and for the rest when it has been read.
 *
 * Of each field, and of each collection, the object's own entry has the first word, then the most specific rule that says
 * anything: the one with more literal characters, else the one whose wildcards reach less far. A rule declares objects that
 * are there and owns collections in them; it makes none, deletes none, and does not own the collection that they are in.
 */
import {
  type AddressPattern,
  addressOf,
  bySpecificity,
  byText,
  type Collection,
  canonical,
  collectionId,
  collectionOf,
  type Desired,
  type Found,
  groupBy,
  type Item,
  indexKinds,
  type Kind,
  namesLike,
  type Owned,
  patternFinder,
  type Rule,
  type RuleSection
} from "@quaymaster/engine"
import { type AnyDeclaration, declarationOf } from "./declaration.ts"

/** Two rules that are as specific as each other, and say different things of one object. */
export interface Clash {
  readonly rules: readonly [Rule, Rule]
  readonly message: string
}

export interface Expanded<K extends Kind> {
  readonly desired: Desired<K>
  readonly clashes: ReadonlyArray<Clash>
}

/** The collections whose objects must be known before rules mean anything. */
export const ruledCollections = ({ rules = [] }: Pick<Desired, "rules">): ReadonlyArray<Collection> => [
  ...new Map(rules.map(({ kind, parent }) => [collectionId({ kind, parent }), { kind, parent }])).values()
]

/**
 * For each rule an object that has its pattern for a name. No object has such a name: what a rule says of this one can be
 * looked at before it is known of whom else it says so.
 */
export const standIns = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  { rules = [] }: Pick<Desired, "rules">
): ReadonlyArray<Found> => {
  const known = indexKinds<Kind>(kinds)
  return rules.flatMap((rule) => {
    const item = itemOf(known, rule, rule.match)
    return item === undefined ? [] : [{ kind: rule.kind, item }]
  })
}

/** What a rule says of an object itself. */
const itemOf = (kinds: ReadonlyMap<string, Kind>, rule: Rule, name: string): Item | undefined =>
  kinds.get(rule.kind)?.section.read({ [name]: rule.entry }, rule.parent)[0]?.item

/** Whether a rule speaks of a name. */
const speaksOf = ({ except, match }: Rule): ((name: string) => boolean) => {
  const matching = namesLike(match)
  const excepted = except.map(namesLike)
  return (name) => matching(name) && !excepted.some((it) => it(name))
}

const asSpecific = (a: Rule, b: Rule): boolean => bySpecificity(a.match, b.match) === 0

/**
 * Says of each object what the rules say of it. Objects that nobody spoke of before are declared now, so that they are no
 * extras. Expanding what was expanded before changes nothing.
 * @throws {SchemaError} if a kind's section reads what is no object of the kind.
 */
export const expandRules = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  desired: Desired<K>,
  objects: ReadonlyArray<Found>
): Expanded<K> => {
  if (desired.rules === undefined) return { desired, clashes: [] }
  const known = indexKinds(kinds)
  const { clashes, declarations, scope } = expand(known, desired, objects)
  return { clashes, desired: { ...desired, scope, declarations: declarations.map((it) => declarationOf(known, it)) } }
}

/** What rules contradict each other in: about what is declared, and wherever one is about all that another is about. */
export const clashesOf = (kinds: ReadonlyArray<Kind>, said: Said): ReadonlyArray<Clash> =>
  said.rules === undefined || said.rules.length < 2
    ? []
    : expand(indexKinds(kinds), said, [...said.declarations, ...standIns(kinds, said)]).clashes

/** A desired state, of whatever kinds. */
interface Said {
  readonly declarations: ReadonlyArray<AnyDeclaration>
  readonly scope: ReadonlyArray<Owned>
  readonly rules?: ReadonlyArray<Rule>
  readonly ignore?: ReadonlyArray<AddressPattern>
}

const expand = (kinds: ReadonlyMap<string, Kind>, said: Said, objects: ReadonlyArray<Found>): Expansion => {
  const expansion = new Expansion(kinds, said)
  const byCollection = groupBy(objects, ({ item, kind: name }) => {
    const kind = kinds.get(name)
    return kind === undefined ? "" : collectionId({ kind: name, parent: collectionOf(kind, item).parent })
  })
  const idOf = ({ kind, parent }: Rule) => collectionId({ kind, parent })
  const ignored = patternFinder(said.ignore ?? [])
  for (const [id, rules] of groupBy(said.rules ?? [], idOf)) {
    const kind = rules[0] === undefined ? undefined : kinds.get(rules[0].kind)
    const nameOf = kind?.section.rules?.nameOf
    if (kind === undefined || nameOf === undefined) continue
    const ours = (byCollection.get(id) ?? []).filter(({ item }) => ignored(kind.kind, kind.key(item)) === undefined)
    const names = new Set(ours.map(({ item }) => nameOf(item)))
    const sorted = rules
      .map((rule) => ({ rule, over: speaksOf(rule) }))
      .sort((a, b) => bySpecificity(a.rule.match, b.rule.match))
    for (const name of [...names].sort(byText))
      expansion.say(
        name,
        sorted.flatMap(({ over, rule }) => (over(name) ? [rule] : []))
      )
  }
  return expansion
}

class Expansion {
  readonly #kinds: ReadonlyMap<string, Kind>
  /** By address. */
  readonly #declarations = new Map<string, AnyDeclaration>()
  readonly scope: Array<Owned>
  readonly #owned: Set<string>
  /** The rule that spoke first, and what it said: by a field of an object, an address, a collection. */
  readonly #said = new Map<string, { readonly rule: Rule; readonly text: string }>()
  readonly #clashes = new Map<string, Clash>()

  constructor(kinds: ReadonlyMap<string, Kind>, { declarations, scope }: Said) {
    this.#kinds = kinds
    for (const it of declarations) this.#declarations.set(this.#addressOf(it), it)
    this.scope = [...scope]
    this.#owned = new Set(scope.map(collectionId))
  }

  get clashes(): ReadonlyArray<Clash> {
    return [...this.#clashes.values()]
  }

  get declarations(): ReadonlyArray<AnyDeclaration> {
    return [...this.#declarations.values()]
  }

  /** What all the rules over one object say of it, the most specific first. */
  say(name: string, rules: ReadonlyArray<Rule>): void {
    for (const rule of rules) {
      const item = itemOf(this.#kinds, rule, name)
      const kind = this.#kinds.get(rule.kind)
      if (item === undefined || kind === undefined) continue
      const one = { kind: rule.kind, item, source: rule.source }
      const address = this.#addressOf(one)
      const before = this.#declarations.get(address)
      // Nothing is said of what shall not be there.
      if (before?.absent === true) return
      this.#declarations.set(address, before === undefined ? one : { ...before, item: { ...item, ...before.item } })
      for (const [field, value] of Object.entries(item)) {
        if (kind.identity.includes(field)) continue
        const what = `${field} of ${kind.kind} ${kind.key(item)}`
        if (before === undefined || !Object.hasOwn(before.item, field))
          this.#said.set(what, { rule, text: canonical(value) })
        else this.#again(what, rule, canonical(value))
      }
      this.#sections(rule, rule.sections, kind.key(item))
    }
  }

  #sections(rule: Rule, sections: ReadonlyArray<RuleSection>, parent: string): void {
    for (const section of sections) {
      const kind = this.#kinds.get(section.kind)
      if (kind === undefined) continue
      const entries = kind.section.read(section.node, parent).map(({ absent, item }, i) => {
        const said = section.entries[i]
        const mark: { absent?: true } = absent === undefined ? {} : { absent: true }
        const one: AnyDeclaration = { kind: kind.kind, item, source: said?.source ?? rule.source, ...mark }
        return { one, address: this.#addressOf(one), sections: said?.sections ?? [] }
      })
      const parts = kind.section.parts?.(section.node)
      for (const part of parts ?? [undefined]) {
        const collection = { kind: kind.kind, parent, ...(part === undefined ? {} : { part }) }
        const inside = entries.filter(({ one }) => part === undefined || collectionOf(kind, one.item).part === part)
        this.#collection(rule, section, collection, inside)
      }
      for (const { address, one, sections: deeper } of entries) {
        const there = this.#declarations.get(address)
        if (there !== undefined && there.absent !== true) this.#sections(rule, deeper, kind.key(one.item))
      }
    }
  }

  /** What a rule says of a collection counts as a whole, or not at all: of one that is owned, or an object that is declared, it has been said. */
  #collection(
    rule: Rule,
    section: RuleSection,
    collection: Collection,
    entries: ReadonlyArray<{ readonly one: AnyDeclaration; readonly address: string }>
  ): void {
    const id = collectionId(collection)
    const name = this.#kinds.get(collection.kind)?.section.name ?? collection.kind
    const what = `${collection.part === undefined ? name : `${name}.${collection.part}`} of ${collection.parent}`
    const text = textOf(entries.map(({ one }) => one))
    const taken = entries.filter(({ address }) => this.#declarations.has(address))
    if (this.#owned.has(id)) this.#again(id, rule, text, what)
    else if (taken.length > 0) for (const { address } of taken) this.#again(address, rule, text, what)
    else {
      this.#owned.add(id)
      this.scope.push(section.prune ? { ...collection, prune: true } : collection)
      for (const { address, one } of entries) this.#declarations.set(address, one)
      for (const it of [id, ...entries.map(({ address }) => address)]) this.#said.set(it, { rule, text })
    }
  }

  /** A rule speaks of what has been spoken of. To say otherwise is a mistake, unless the first one comes before it. */
  #again(about: string, rule: Rule, text: string, what = about): void {
    const said = this.#said.get(about)
    if (said === undefined || said.text === text || !asSpecific(said.rule, rule)) return
    const first = said.rule
    const field = what.slice(0, what.indexOf(" of "))
    const id = canonical([field, first.source, first.match, rule.source, rule.match])
    if (this.#clashes.has(id)) return
    const [one, other] = [first, rule].map(({ match, source }) => `"${match}" (${source})`)
    this.#clashes.set(id, {
      rules: [first, rule],
      message: `${what}: the rules ${one} and ${other} are as specific as each other, and disagree`
    })
  }

  #addressOf({ item, kind }: AnyDeclaration): string {
    return addressOf(kind, this.#kinds.get(kind)?.key(item) ?? "")
  }
}

/** What is declared in a collection, whatever the order. */
const textOf = (declarations: ReadonlyArray<AnyDeclaration>): string =>
  declarations
    .map(({ absent, item }) => canonical([item, absent ?? false]))
    .sort(byText)
    .join("\n")
