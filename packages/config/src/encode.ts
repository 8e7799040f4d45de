/**
 * What a registry has, as a document that declares it: the way back from `decode`. It says what a file has to say for nothing
 * to be done, and no more. What no file can say is left out, together with what would be taken away for standing beside it,
 * and told in a comment. Pure: the same objects give the same bytes, in whatever order they come.
 */
import {
  addressOf,
  byText,
  type Collection,
  canonical,
  collectionId,
  collectionOf,
  diff,
  type Found,
  type Item,
  isRecord,
  type Kind,
  type Offers,
  type Path,
  preflight,
  secretsIn,
  unknownWorld,
  type World
} from "@quaymaster/engine"
import { Checker } from "./check.ts"
import { type Layout, layoutOf, type Place } from "./layout.ts"
import { treeOf } from "./object.ts"
import { Report } from "./problem.ts"
import { type Rule, ruleOf, SchemaError } from "./rule.ts"
import { yamlText } from "./yaml-text.ts"

export interface EncodeOptions {
  /** The kind that documents are about: `organization`. */
  readonly root: string
  /** The kinds that are written. Default: all. What others keep everybody out of is left out all the same. */
  readonly only?: ReadonlySet<string> | undefined
  /** Who read. What is there for the caller alone is left out; where it is not known who that is, nothing is. */
  readonly caller?: string | undefined
  /** What the registry offers. What it has and would refuse to be asked for is left out. */
  readonly offers?: Offers | undefined
  /** Where the schema is that editors check a file with. */
  readonly schema?: string | undefined
}

export interface Encoded {
  readonly text: string
  /** What is not in it although it is there, and why: a line each. The text says so as well. */
  readonly omitted: ReadonlyArray<string>
}

/** There is nothing that a document could be about. */
export class EncodeError extends Error {
  override readonly name = "EncodeError"
  readonly _tag = "EncodeError"
}

/**
 * Encodes documents for a list of kinds: each from the parent of the collection that its object is in, all that was found, and
 * what the reader knows to be left out.
 * @throws {SchemaError} if the kinds do not go together.
 */
export const encoder = (
  kinds: ReadonlyArray<Kind>,
  options: EncodeOptions
): ((parent: string, found: ReadonlyArray<Found>, omitted?: ReadonlyArray<string>) => Encoded) => {
  const layout = layoutOf(kinds)
  const root = [...layout.roots.values()].find(({ kind }) => kind.kind === options.root)
  if (root === undefined) throw new SchemaError(`The kind ${options.root} has no document of its own.`)
  const rules = new Map(
    kinds.map((kind) => [kind.kind, ruleOf(kind.section.schema({}), `${kind.kind}, ${kind.section.name}`)])
  )
  return (parent, found, omitted = []) => {
    const draft = new Draft(layout, rules, options, found)
    const value = draft.document(root, parent)
    const { guessed } = draft
    const unwritten = [...draft.unwritten].sort(byText)
    const notes = [...new Set([...omitted, ...draft.omitted])].sort(byText)
    return {
      text: yamlText(value, root.rule, { guessed, omitted: notes, schema: options.schema, unwritten }),
      omitted: notes
    }
  }
}

/** Stands for the caller where that is not known. Nobody has this name. */
const NOBODY = ""

const NOT_SAID = "no file can say it"

/** An object that is written. */
interface Entry {
  readonly kind: Kind
  readonly key: string
  readonly address: string
  /** Its collection's id. */
  readonly collection: string
  /** What the section writes, and what is understood when that is read. */
  readonly item: Item
  readonly said: Item
  readonly branches: ReadonlyArray<Branch>
}

/** A section in an entry, or the document itself. */
interface Branch {
  readonly place: Place
  readonly parent: string
  entries: ReadonlyArray<Entry>
}

/** What can be said of an object: what is written, and what that is read as. */
interface Said {
  readonly item: Item
  readonly said: Item
}

interface Fault {
  readonly fault: string
}

/** Decides what of one document is written. */
class Draft {
  readonly #layout: Layout
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #options: EncodeOptions
  readonly #found: ReadonlyMap<string, ReadonlyArray<Item>>
  readonly #excluded: ReadonlySet<string>
  /** What was found, of what is written with less or more than was found. */
  readonly #originals = new WeakMap<Item, Item>()
  /** The sections that no kind writes. */
  readonly unwritten = new Set<string>()
  /** What is left out, in words. */
  readonly omitted = new Set<string>()
  /** The names of variables for secrets that may not be there at all. */
  readonly guessed = new Set<string>()

  constructor(layout: Layout, rules: ReadonlyMap<string, Rule>, options: EncodeOptions, found: ReadonlyArray<Found>) {
    this.#layout = layout
    this.#rules = rules
    this.#options = options
    this.#found = byHolder(layout, found)
    this.#excluded = new Set(
      found.flatMap(({ item, kind }) => (layout.kinds.get(kind)?.excludes?.(item) ?? []).map(collectionId))
    )
  }

  /** @throws {EncodeError} if there is nothing to write about. */
  document(place: Place, parent: string): unknown {
    const root = this.#branch(place, parent)
    while (this.#dropBroken(root)) {}
    this.#dropImplicit(root)
    if (root.entries.length === 0)
      throw new EncodeError([...this.omitted][0] ?? `There is no ${place.kind.kind} ${parent}.`)
    return nodeOf(root)
  }

  #branch(place: Place, parent: string): Branch {
    const { kind } = place
    const items = (this.#found.get(`${kind.kind} ${parent}`) ?? []).filter((item) => !this.#isExcluded(kind, item))
    const entries = this.#sayable(kind, items, parent).map(({ item, said }): Entry => {
      const key = kind.key(item)
      return {
        kind,
        key,
        address: addressOf(kind.kind, key),
        collection: collectionId(collectionOf(kind, item)),
        item,
        said,
        branches: this.#branches(place, key)
      }
    })
    return { place, parent, entries }
  }

  #branches(place: Place, parent: string): ReadonlyArray<Branch> {
    const { only } = this.#options
    return [...place.sections.values()].flatMap((child) => {
      if (only?.has(child.kind.kind) === false) return []
      if (child.kind.section.write === undefined) {
        this.unwritten.add(child.kind.section.name)
        return []
      }
      const branch = this.#branch(child, parent)
      return branch.entries.length === 0 ? [] : [branch]
    })
  }

  #isExcluded(kind: Kind, item: Item): boolean {
    const { part: _part, ...whole } = collectionOf(kind, item)
    return this.#excluded.has(collectionId(collectionOf(kind, item))) || this.#excluded.has(collectionId(whole))
  }

  #isImplicit(kind: Kind, item: Item): boolean {
    return kind.implicit?.(item, this.#options.caller ?? NOBODY) === true
  }

  /** What of a collection can be written without anything being done. */
  #sayable(kind: Kind, items: ReadonlyArray<Item>, parent: string): ReadonlyArray<Said> {
    if (items.length === 0) return []
    const whole = this.#say(kind, items, parent)
    if (!("fault" in whole)) return whole.map((it) => this.#withSecrets(kind, it, parent))
    const spoiled = new Set<string>()
    const alone = items.flatMap((item): ReadonlyArray<Said> => {
      const found = this.#partly(kind, item, parent)
      if (!("fault" in found)) return [found]
      const taken = isTakenAway(kind) && !this.#isImplicit(kind, item)
      this.#omit(kind, kind.key(item), found.fault, taken)
      if (taken) spoiled.add(collectionId(collectionOf(kind, item)))
      return []
    })
    const left = alone.filter(({ item }) => !spoiled.has(collectionId(collectionOf(kind, item))))
    if (left.length === 0) return []
    const together = this.#say(
      kind,
      left.map(({ item }) => item),
      parent
    )
    if (!("fault" in together)) return together.map((it) => this.#withSecrets(kind, it, parent))
    this.#note(`${kind.section.name} of ${parent}`, together.fault)
    return []
  }

  /** An object that would be taken away for not being in the file leaves no room for the others of its collection. */
  #omit(kind: Kind, key: string, fault: string, taken: boolean): void {
    const others = taken ? `; so the others of these ${kind.section.name} are left out as well` : ""
    this.#note(`${kind.kind} ${key}`, `${fault}${others}`)
  }

  /** Some reasons tell themselves what they are about. */
  #note(about: string, reason: string): void {
    const told = reason.startsWith(`${about}: `) ? reason : `${about}: ${reason}`
    this.omitted.add(told)
  }

  /** The object as far as a file can say it: without the fields that none can. */
  #partly(kind: Kind, item: Item, parent: string): Said | Fault {
    const whole = this.#sayOne(kind, item, parent)
    if (!("fault" in whole)) return whole
    const required: unknown = kind.schema["required"]
    const must = new Set([...(Array.isArray(required) ? required : []), ...kind.identity])
    const optional = Object.keys(item).filter((field) => item[field] !== undefined && !must.has(field))
    const left = Object.entries(item).filter(([field]) => !optional.includes(field))
    let kept = this.#instead(item, Object.fromEntries(left))
    let best = this.#sayOne(kind, kept, parent)
    if ("fault" in best) return whole
    for (const field of optional) {
      const more = this.#instead(item, { ...kept, [field]: item[field] })
      const tried = this.#sayOne(kind, more, parent)
      if ("fault" in tried) this.#note(`${field} of ${kind.kind} ${kind.key(item)}`, tried.fault)
      else {
        kept = more
        best = tried
      }
    }
    return best
  }

  #original(item: Item): Item {
    return this.#originals.get(item) ?? item
  }

  /** To be written instead of what was found. */
  #instead(found: Item, written: Item): Item {
    this.#originals.set(written, this.#original(found))
    return written
  }

  #sayOne(kind: Kind, item: Item, parent: string): Said | Fault {
    const said = this.#say(kind, [item], parent)
    if ("fault" in said) return said
    return said[0] ?? { fault: NOT_SAID }
  }

  /** What the objects of a collection are understood as when they are written and read, if that comes to the same. */
  #say(kind: Kind, items: ReadonlyArray<Item>, parent: string): ReadonlyArray<Said> | Fault {
    const { section } = kind
    if (section.write === undefined) return { fault: "its section cannot be exported" }
    const checked = this.#checked(kind, section.write(items))
    if ("fault" in checked) return checked
    const entries = readOf(kind, checked.value, parent)
    if ("fault" in entries) return entries
    if (entries.length !== items.length) return { fault: NOT_SAID }
    const paired = pairs(kind, items, entries)
    if (paired === undefined) return { fault: NOT_SAID }
    const fault =
      firstOf(paired, ({ item, said }) => differenceOf(kind, this.#original(item), said)) ??
      this.#lacking(kind, entries)
    return fault === undefined ? paired : { fault }
  }

  #checked(kind: Kind, node: unknown): { readonly value: unknown } | Fault {
    const rule = this.#rules.get(kind.kind)
    if (rule === undefined) throw new SchemaError(`There is no kind ${kind.kind}.`)
    const report = new Report()
    const checked = new Checker("", report).document(treeOf("", node, report), rule)
    const [problem] = report.sorted()
    return problem === undefined && checked !== undefined ? checked : { fault: problem?.message ?? NOT_SAID }
  }

  /** Why the registry would refuse to be asked for what it has. */
  #lacking(kind: Kind, items: ReadonlyArray<Item>): string | undefined {
    const { offers } = this.#options
    if (offers === undefined || kind.requires === undefined) return undefined
    const declarations = items.map((item) => ({ kind: kind.kind, item }))
    return preflight([kind], { declarations, scope: [] }, offers)[0]?.message.replace(/\.$/, "")
  }

  /** With a reference for each secret that the section has room for. Whether there is one, no registry tells. */
  #withSecrets(kind: Kind, { item, said }: Said, parent: string): Said {
    let now = { item, said }
    for (const [field, schema] of Object.entries(kind.schema.properties)) {
      if (schema["writeOnly"] !== true || item[field] !== undefined) continue
      const env = variable(kind.kind, kind.key(item), field)
      const reference = { env }
      const more = this.#instead(item, { ...now.item, [field]: reference })
      const tried = this.#sayOne(kind, more, parent)
      const expected = { ...now.said, [field]: reference }
      if ("fault" in tried || canonical(tried.said) !== canonical(expected)) continue
      now = tried
      this.guessed.add(env)
    }
    return now
  }

  /**
   * Drops what needs something that is not written although the document owns the collection it would be in. Tells whether
   * there was anything.
   */
  #dropBroken(root: Branch): boolean {
    const all = entriesOf(root)
    const there = new Set(all.map(({ address }) => address))
    const owned = new Set(
      all.map(({ item, kind }) => collectionId({ kind: kind.kind, parent: kind.collection(item).parent }))
    )
    const implied = this.#implied(all)
    const dropped = new Set<Entry>()
    const spoiled = new Set<string>()
    for (const entry of all) {
      const { collection, key, kind, said } = entry
      const missing = (kind.needs?.(said) ?? []).find((ref) => {
        const address = addressOf(ref.kind, ref.key)
        return (
          owned.has(collectionId({ kind: ref.kind, parent: ref.parent })) &&
          !there.has(address) &&
          !implied.has(address)
        )
      })
      if (missing === undefined) continue
      dropped.add(entry)
      if (isTakenAway(kind)) spoiled.add(collection)
      this.#omit(kind, key, `it needs ${missing.kind} ${missing.key}, which is left out`, isTakenAway(kind))
    }
    if (dropped.size > 0) keep(root, (entry) => !dropped.has(entry) && !spoiled.has(entry.collection))
    return dropped.size > 0
  }

  /** What the registry makes by itself for what is written. */
  #implied(all: ReadonlyArray<Entry>): ReadonlySet<string> {
    const items = new Map<string, Array<Item>>()
    for (const { collection, item } of all) {
      const known = items.get(collection)
      if (known === undefined) items.set(collection, [item])
      else known.push(item)
    }
    const world: World = {
      caller: undefined,
      collection: (collection: Collection) => items.get(collectionId(collection)) ?? [],
      found: () => undefined
    }
    return new Set(
      all.flatMap(({ kind, said }) =>
        (kind.implies?.(said, world) ?? []).flatMap((made) => {
          const maker = this.#layout.kinds.get(made.kind)
          return maker === undefined ? [] : [addressOf(made.kind, maker.key(made.item))]
        })
      )
    )
  }

  /** Drops what is there without anybody having asked for it, unless something lives in it or cannot be without it. */
  #dropImplicit(root: Branch): void {
    const implied = this.#implied(entriesOf(root))
    for (let dropped = true; dropped; ) {
      const all = entriesOf(root)
      const needed = new Set(
        all.flatMap(({ kind, said }) => (kind.needs?.(said) ?? []).map((ref) => addressOf(ref.kind, ref.key)))
      )
      const silent = new Set(
        all.filter(
          (entry) =>
            !root.entries.includes(entry) &&
            this.#isImplicit(entry.kind, entry.item) &&
            entry.branches.every((branch) => branch.entries.length === 0) &&
            (!needed.has(entry.address) || implied.has(entry.address))
        )
      )
      keep(root, (entry) => !silent.has(entry))
      dropped = silent.size > 0
    }
  }
}

/** What was found, by kind and by what holds it, sorted by key; each object once. */
const byHolder = (layout: Layout, found: ReadonlyArray<Found>): ReadonlyMap<string, ReadonlyArray<Item>> => {
  const holders = new Map<string, Map<string, Item>>()
  for (const { item, kind: name } of found) {
    const kind = layout.kinds.get(name)
    if (kind === undefined) continue
    const holder = `${name} ${kind.collection(item).parent}`
    const items = holders.get(holder) ?? new Map<string, Item>()
    holders.set(holder, items)
    const key = kind.key(item)
    if (!items.has(key)) items.set(key, item)
  }
  return new Map(
    [...holders].map(([holder, items]) => [holder, [...items].sort(([a], [b]) => byText(a, b)).map(([, item]) => item)])
  )
}

/** Whether what is there and not in a file is removed by itself. */
const isTakenAway = (kind: Kind): boolean => kind.extras === "remove" && kind.delete !== undefined

/** The objects that a node is read as. Sections refuse what their schemas let pass by errors with a path. */
const readOf = (kind: Kind, node: unknown, parent: string): ReadonlyArray<Item> | Fault => {
  try {
    return kind.section.read(node, parent).map(({ item }) => item)
  } catch (cause) {
    if (cause instanceof Error && "path" in cause) return { fault: cause.message }
    throw cause
  }
}

/** What a plan would find to do about an object that is declared as it was read. */
const differenceOf = (kind: Kind, item: Item, said: Item): string | undefined => {
  const fields = diff(kind, item, said).map(({ field }) => field)
  if (fields.length > 0) return `no file can say what is there of ${fields.join(", ")}`
  return kind.refuses?.(said, item, unknownWorld)
}

/**
 * Each object with what it is understood as: what has the same key. A secret may be part of what a registry tells objects apart
 * by, and a file only refers to it; so what refers to one may stand for any that is left.
 */
const pairs = (
  kind: Kind,
  items: ReadonlyArray<Item>,
  entries: ReadonlyArray<Item>
): ReadonlyArray<Said> | undefined => {
  const byKey = new Map(entries.map((said) => [kind.key(said), said]))
  const same = items.flatMap((item): ReadonlyArray<Said> => {
    const said = byKey.get(kind.key(item))
    return said === undefined ? [] : [{ item, said }]
  })
  const known = new Set<Item>(same.flatMap(({ item, said }) => [item, said]))
  const left = entries.filter((said) => !known.has(said))
  if (left.some((said) => secretsIn(kind.schema, said).length === 0)) return undefined
  const others = items
    .filter((item) => !known.has(item))
    .flatMap((item, i): ReadonlyArray<Said> => {
      const said = left[i]
      return said === undefined ? [] : [{ item, said }]
    })
  return same.length + others.length === items.length ? [...same, ...others] : undefined
}

const firstOf = <A>(list: ReadonlyArray<A>, of: (it: A) => string | undefined): string | undefined => {
  for (const it of list) {
    const found = of(it)
    if (found !== undefined) return found
  }
  return undefined
}

/** The name of an environment variable for what an address stands for. */
const variable = (...words: ReadonlyArray<string>): string =>
  words
    .join("_")
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")

/** All that is written, what holds before what is held. */
const entriesOf = (branch: Branch): ReadonlyArray<Entry> =>
  branch.entries.flatMap((entry) => [entry, ...entry.branches.flatMap(entriesOf)])

const keep = (branch: Branch, wanted: (entry: Entry) => boolean): void => {
  branch.entries = branch.entries.filter(wanted)
  for (const entry of branch.entries) for (const inner of entry.branches) keep(inner, wanted)
}

/** A section's node with what stands inside its entries. */
const nodeOf = ({ entries, parent, place }: Branch): unknown => {
  const { kind } = place
  const node: unknown = structuredClone(kind.section.write?.(entries.map(({ item }) => item)))
  const places = new Map(kind.section.read(node, parent).map(({ item, path }) => [kind.key(item), path]))
  for (const { branches, key } of entries) {
    for (const branch of branches) {
      if (branch.entries.length === 0) continue
      const path = places.get(key)
      const entry = path === undefined ? undefined : valueAt(node, path)
      if (!isRecord(entry)) throw new SchemaError(`${kind.kind}: the section has no entry for ${key}.`)
      Object.assign(entry, { [branch.place.kind.section.name]: nodeOf(branch) })
    }
  }
  return node
}

const valueAt = (node: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return at[Number(step)]
    return isRecord(at) && Object.hasOwn(at, step) ? at[step] : undefined
  }, node)
