/**
 * Documents to desired state: what each file declares, what it owns, and for which registries. Presence is ownership: a
 * section that is there owns its collection, even if it is empty; one that is absent is nobody's. All the mistakes of all
 * the files are told together. Nothing is read or asked here; what a registry has is compared elsewhere.
 */
import {
  type AddressPattern,
  addressOf,
  byText,
  type Collection,
  collectionId,
  collectionOf,
  type Desired,
  type Item,
  isRecord,
  type Kind,
  type Owned,
  type Path,
  patternFinder,
  type Rule,
  type RuleSection,
  type World
} from "@quaymaster/engine"
import { Checker } from "./check.ts"
import { type AnyDeclaration, declarationOf } from "./declaration.ts"
import { kindsIn, type Layout, layoutOf, type Place, type Root } from "./layout.ts"
import { dotted, type Position, quote, Report } from "./problem.ts"
import { type Known, type Registry, Targets } from "./registry.ts"
import { clashesOf, expandRules } from "./rules.ts"
import { documentsOf, type Sources } from "./source.ts"
import { type Document, locate, type Tree } from "./tree.ts"

export interface DecodeOptions {
  /** The registries that are known by name, and the default: what quaymaster.yaml says. */
  readonly settings?: Known
  /** A registry by name or URL, as the command line gives it. */
  readonly registry?: string
  /** Where relative paths of `registry` start. */
  readonly cwd?: string
}

/** What the files want of one registry. */
export interface Target<K extends Kind = Kind> {
  readonly registry: Registry
  readonly desired: Desired<K>
  /** The sources that say so, sorted. */
  readonly files: ReadonlyArray<string>
}

/** What the files want, by registry; sorted by the registry's name. */
export interface Decoded<K extends Kind = Kind> {
  readonly targets: ReadonlyArray<Target<K>>
}

/**
 * Decodes files for a list of kinds.
 * @throws {ConfigError} with every mistake in the files.
 * @throws {SchemaError} if the kinds do not go together.
 */
export const decode = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  sources: Sources,
  options: DecodeOptions = {}
): Decoded<K> => {
  const layout = layoutOf(kinds)
  const report = new Report()
  report.take(sources.problems)
  const targets = new Targets(options.settings, options.registry, options.cwd, report)
  const gathered = new Map<string, Gathered<K>>()
  const astray: Array<Gathered<K>> = []
  for (const source of sources.files) {
    for (const document of documentsOf(source, report)) {
      const read = readDocument(layout, document, report)
      if (read === undefined) continue
      const registries = targets.of(document, read)
      if (registries.length === 0) {
        // A document for no registry is still looked at, by itself.
        const alone = new Gathered(layout.kinds, undefined)
        gather(alone, read, report)
        astray.push(alone)
      }
      for (const registry of registries) {
        const known = gathered.get(registry.name) ?? new Gathered(layout.kinds, registry)
        gathered.set(registry.name, known)
        gather(known, read, report)
      }
    }
  }
  sameRegistry(gathered.values(), report)
  for (const it of [...gathered.values(), ...astray]) {
    checkIgnored(it, report)
    checkReferences(it, layout, report)
    checkRules(it, report)
  }
  report.settle()
  return {
    targets: [...gathered.values()]
      .flatMap((it) => (it.registry === undefined ? [] : [it.target(it.registry)]))
      .sort((a, b) => byText(a.registry.name, b.registry.name))
  }
}

/**
 * Decodes one document that a program has as a value. `name` stands in messages where a file's name would.
 * @throws {ConfigError} with every mistake in it; paths take the place of lines.
 */
export const decodeObject = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  value: unknown,
  name: string,
  options: DecodeOptions = {}
): Decoded<K> => decode(kinds, { files: [{ name, value }], problems: [] }, options)

/** An object that a document declares. */
interface Declared<K extends Kind> {
  readonly kind: K
  readonly key: string
  readonly item: Item
  readonly file: string
  readonly at: Position | undefined
  readonly path: Path
  /** Something of it was left out as a mistake, so what it refers to or is like says nothing. */
  readonly partial: boolean
  /** It shall not be there. */
  readonly absent: boolean
}

/** The names of what was left out, where it had any. */
type Lost = ReadonlyArray<string | undefined>

/** What a document is about: an object, or a collection of some that live in no other. */
interface About {
  /** An object's address or a collection's id: no other document of a registry is about it. */
  readonly id: string
  /** The same as people say it. */
  readonly name: string
  readonly file: string
  readonly at: Position | undefined
  readonly path: Path
}

/** What is declared and owned. */
interface Says<K extends Kind> {
  readonly declared: Array<Declared<K>>
  readonly owned: Array<Owned>
  /** Collections of which something was left out as a mistake. */
  readonly partial: Map<string, Lost>
}

const nothingYet = <K extends Kind>(): Says<K> => ({ declared: [], owned: [], partial: new Map() })

/** A rule, with what it says of an object whose name is the rule's pattern. */
interface Ruling<K extends Kind> extends Says<K> {
  readonly rule: Rule
  readonly stand: Declared<K>
  /** Nothing of it was left out as a mistake. */
  readonly whole: boolean
}

/** What one document declares and owns. */
interface Read<K extends Kind> extends Says<K> {
  readonly root: About
  readonly rulings: ReadonlyArray<Ruling<K>>
  readonly protect: ReadonlyArray<AddressPattern>
  readonly ignore: ReadonlyArray<AddressPattern>
  readonly registry: unknown
  readonly registries: unknown
}

const readDocument = <K extends Kind>(layout: Layout<K>, document: Document, report: Report): Read<K> | undefined => {
  const { file, root: tree } = document
  const root = rootOf(layout, document, report)
  if (root === undefined) return undefined
  const checker = new Checker(file, report)
  const value = checker.document(tree, root.rule)?.value
  if (!isRecord(value)) return undefined
  const common = checker.sections.get(value)
  const pruned = common?.get("prune")
  const prune = new Set(Array.isArray(pruned) ? pruned : [])
  const own = (into: Says<K>, kind: K, collection: Collection, lost: Lost) => {
    into.owned.push(prune.has(kind.section.name) ? { ...collection, prune: true } : collection)
    if (lost.length > 0) into.partial.set(collectionId({ kind: collection.kind, parent: collection.parent }), lost)
  }
  const rulings: Array<Ruling<K>> = []
  const section = (
    into: Says<K>,
    place: Place<K>,
    node: unknown,
    at: Standing,
    parent: string | undefined
  ): RuleSection => {
    const { kind } = place
    const entries = readSection(kind, node, parent ?? "", at, checker, report)
    const standing = entries.map(({ absent, item, path }) => {
      const written = checker.written(node, path)
      const found = locate(at.tree, at.key, written)
      const inDocument = parent === undefined && path.length === 0
      const mark = inDocument ? locate(at.tree, undefined, [kind.section.name]) : found
      const one: Declared<K> = {
        kind,
        key: kind.key(item),
        item,
        file,
        at: mark.at,
        path: inDocument ? [kind.section.name] : [...at.path, ...written],
        partial: checker.damaged.has(found.tree) && !inDocument,
        absent: absent !== undefined
      }
      into.declared.push(one)
      if (absent !== undefined) {
        const beside = inDocument ? [...absent, "registry", "registries"] : absent
        alone(found.tree, absent.at(-1) ?? "", beside, [...at.path, ...path], file, report)
      }
      return { one, tree: found.tree, value: valueAt(node, path), path: [...at.path, ...written] }
    })
    const inside = new Set(standing.map((it) => it.tree))
    const lost = lostIn(at.tree, inside, checker.damaged)
    const whole = kind.section.owns
    if (parent === undefined && whole !== undefined) own(into, kind, { kind: kind.kind, parent: whole }, lost)
    else if (parent === undefined) for (const { one } of standing) own(into, kind, collectionOf(kind, one.item), lost)
    else {
      const parts = kind.section.parts?.(node)
      if (parts === undefined) own(into, kind, { kind: kind.kind, parent }, lost)
      else for (const part of parts) own(into, kind, { kind: kind.kind, parent, part }, lost)
    }
    return {
      kind: kind.kind,
      node,
      prune: prune.has(kind.section.name),
      entries: standing.map(({ one, path, tree: entry, value: fields }) => ({
        source: sourceOf(one),
        sections: one.absent ? [] : within(into, place, one.key, fields, entry, path)
      }))
    }
  }
  /** The sections in an entry, and the rules. */
  const within = (
    into: Says<K>,
    place: Place<K>,
    parent: string,
    fields: unknown,
    entry: Tree,
    path: Path
  ): ReadonlyArray<RuleSection> => {
    const nested = checker.sections.get(fields)
    if (entry.type !== "map" || nested === undefined) return []
    const there = <A>(
      children: ReadonlyMap<string, Place<K>>,
      each: (child: Place<K>, node: unknown, at: Standing) => A
    ) =>
      [...children].flatMap(([name, child]) => {
        const found = entry.entries.get(name)
        if (found === undefined || !nested.has(name)) return []
        return [each(child, nested.get(name), { tree: found.value, key: found.key, path: [...path, name] })]
      })
    there(place.rules, (child, node, at) => rules(child, node, at, parent))
    return there(place.sections, (child, node, at) => section(into, child, node, at, parent))
  }
  const rules = (place: Place<K>, node: unknown, at: Standing, parent: string) => {
    const { kind } = place
    for (const [index, value] of Array.isArray(node) ? node.entries() : []) {
      if (!isRecord(value)) continue
      const { except, match, ...entry } = value
      const patterns = Array.isArray(except) ? except.filter((it) => typeof it === "string") : []
      if (typeof match !== "string") continue
      const step = checker.written(node, [index])
      const { at: position, tree } = locate(at.tree, at.key, step)
      const path = [...at.path, ...step]
      // As if it stood in the section, under its pattern.
      const map: Tree = { type: "map", at: position, entries: new Map([[match, { key: position, value: tree }]]) }
      const [read] = readSection(kind, { [match]: entry }, parent, { tree: map, key: position, path }, checker, report)
      if (read === undefined) continue
      const { absent, item } = read
      if (absent !== undefined) {
        const key = locate(tree, undefined, absent.slice(-1)).at
        report.at(file, key, [...path, ...absent.slice(-1)], "a rule makes nothing, and deletes nothing")
      }
      const partial = checker.damaged.has(tree)
      const stand = { kind, key: kind.key(item), item, file, at: position, path, partial, absent: false }
      const says = nothingYet<K>()
      says.declared.push(stand)
      const sections = within(says, place, stand.key, value, tree, path)
      const whole = lostIn(tree, new Set(), checker.damaged).length === 0
      if (whole && Object.keys(entry).length === 0 && sections.length === 0)
        report.at(file, position, path, "this rule says nothing of those that it is over")
      const rule = { kind: kind.kind, parent, match, except: patterns, source: sourceOf(stand), entry, sections }
      rulings.push({ ...says, rule, stand, whole })
    }
  }
  const says = nothingYet<K>()
  section(says, root, value, { tree, key: undefined, path: [] }, undefined)
  const about = aboutOf(root.kind, says.declared, document)
  if (about === undefined) return undefined
  const holder = root.kind.section.owns === undefined ? says.declared[0]?.key : undefined
  const patterns = (name: "protect" | "ignore") =>
    readPatterns(root, document, textsIn(common?.get(name), name, checker), holder, report)
  return {
    root: about,
    ...says,
    rulings,
    protect: patterns("protect"),
    ignore: patterns("ignore"),
    registry: common?.get("registry"),
    registries: common?.get("registries")
  }
}

/** The texts of a list, each with where it is written. */
const textsIn = (node: unknown, name: string, checker: Checker) =>
  (Array.isArray(node) ? node : []).flatMap((text: unknown, i) =>
    typeof text === "string" ? [{ text, path: [name, ...checker.written(node, [i])] }] : []
  )

/** Patterns of what a document names beside its sections: `repository/app`, of kinds that it can name. */
const readPatterns = (
  root: Root,
  { file, root: tree }: Document,
  written: ReadonlyArray<{ readonly text: string; readonly path: Path }>,
  within: string | undefined,
  report: Report
): ReadonlyArray<AddressPattern> => {
  const kinds = kindsIn(root)
  return written.flatMap(({ path, text }): ReadonlyArray<AddressPattern> => {
    const [kind = ""] = text.split("/", 1)
    const { at } = locate(tree, undefined, path)
    if (kinds.some((it) => it.kind === kind))
      return [
        {
          kind,
          match: text.slice(kind.length + 1),
          source: sourceOf({ file, at, path }),
          ...(within === undefined ? {} : { within })
        }
      ]
    const bySection = kinds.find(({ section }) => section.name === kind)?.kind
    report.at(
      file,
      at,
      path,
      `there is no kind named ${quote(kind)} here`,
      bySection === undefined
        ? report.didYouMean(
            kind,
            kinds.map((it) => it.kind)
          )
        : `did you mean ${quote(bySection)}?`
    )
    return []
  })
}

/** An entry that says that its object shall not be there says nothing else of it. */
const alone = (tree: Tree, absent: string, beside: ReadonlyArray<string>, path: Path, file: string, report: Report) => {
  if (tree.type !== "map") return
  const value = tree.entries.get(absent)?.value
  const said = value?.type === "scalar" ? `${absent}: ${String(value.value)}` : absent
  for (const [name, { key }] of tree.entries)
    if (!beside.includes(name)) report.at(file, key, [...path, name], `cannot stand beside ${said}`)
}

const aboutOf = (
  kind: Kind,
  declared: ReadonlyArray<Pick<Declared<Kind>, "at" | "key" | "path">>,
  { file, root }: Document
): About | undefined => {
  const { name, owns } = kind.section
  if (owns !== undefined) {
    const { at } = locate(root, undefined, [name])
    return { id: collectionId({ kind: kind.kind, parent: owns }), name: quote(name), file, at, path: [name] }
  }
  const [first] = declared
  if (first === undefined) return undefined
  const { at, key, path } = first
  return { id: addressOf(kind.kind, key), name: `${kind.kind} ${quote(key)}`, file, at, path }
}

/** Where a section stands. */
interface Standing {
  readonly tree: Tree
  readonly key: Position | undefined
  readonly path: Path
}

/** The kind of a document, by the key that marks it. */
const rootOf = <K extends Kind>(layout: Layout<K>, document: Document, report: Report): Root<K> | undefined => {
  const { file, root: tree } = document
  const names = [...layout.roots.keys()]
  if (tree.type === "broken") return undefined
  if (tree.type !== "map") {
    report.at(file, tree.at, [], `a document should be a map with one of: ${names.join(", ")}`)
    return undefined
  }
  const [name, second] = names.filter((it) => tree.entries.has(it))
  if (name === undefined) {
    const near = [...tree.entries.keys()].map((key) => report.didYouMean(key, names)).find((it) => it !== undefined)
    report.at(file, tree.at, [], `this document declares nothing known: expected one of: ${names.join(", ")}`, near)
    return undefined
  }
  if (second !== undefined) {
    const at = tree.entries.get(second)?.key
    report.at(
      file,
      at,
      [],
      `a document is about one thing: ${name} and ${second} cannot stand together`,
      "put --- between"
    )
    return undefined
  }
  return layout.roots.get(name)
}

/**
 * The objects of a section. A section may refuse what its schema lets pass by throwing an error that has a `path` within
 * the section; any other error is a fault of the kind, and not caught.
 */
const readSection = (kind: Kind, node: unknown, parent: string, at: Standing, checker: Checker, report: Report) => {
  try {
    return kind.section.read(node, parent)
  } catch (cause) {
    if (!(cause instanceof Error) || !("path" in cause) || !Array.isArray(cause.path)) throw cause
    const path = cause.path.filter(isStep)
    report.at(checker.file, locate(at.tree, at.key, path).at, [...at.path, ...path], cause.message)
    checker.lose(at.tree)
    return []
  }
}

const isStep = (step: unknown): step is string | number => typeof step === "string" || typeof step === "number"

const valueAt = (node: unknown, path: Path): unknown => {
  let value = node
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)]
    else value = isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined
  }
  return value
}

/** What was left out of a section, its entries' own fields aside. */
const lostIn = (tree: Tree, entries: ReadonlySet<Tree>, damaged: ReadonlyMap<Tree, Lost>): Lost => {
  if (entries.has(tree)) return []
  const parts =
    tree.type === "map" ? [...tree.entries.values()].map((it) => it.value) : tree.type === "list" ? tree.items : []
  return [...(damaged.get(tree) ?? []), ...parts.flatMap((part) => lostIn(part, entries, damaged))]
}

const sourceOf = ({ at, file, path }: Pick<About, "at" | "file" | "path">): string =>
  at === undefined ? `${file}: ${dotted(path)}` : `${file}:${at.line}`

/** What all the documents of one registry declare and own. */
class Gathered<K extends Kind> {
  readonly kinds: ReadonlyMap<string, K>
  readonly registry: Registry | undefined
  readonly declared = new Map<string, Declared<K>>()
  readonly roots = new Map<string, About>()
  readonly documents: Array<Read<K>> = []
  readonly owned = new Set<string>()
  readonly partial = new Map<string, Lost>()

  constructor(kinds: ReadonlyMap<string, K>, registry: Registry | undefined) {
    this.kinds = kinds
    this.registry = registry
  }

  /** @throws {SchemaError} if a kind's section reads what is no object of the kind. */
  target(registry: Registry): Target<K> {
    const rules = this.documents.flatMap(({ rulings }) => rulings.map(({ rule }) => rule))
    const protect = this.documents.flatMap((it) => it.protect)
    const ignore = this.documents.flatMap((it) => it.ignore)
    const said: Desired<K> = {
      declarations: this.documents.flatMap(({ declared }) =>
        declared.map((one) => declarationOf(this.kinds, plainly(one)))
      ),
      scope: this.documents.flatMap(({ owned }) => unique(owned)),
      ...(rules.length === 0 ? {} : { rules }),
      ...(protect.length === 0 ? {} : { protect }),
      ...(ignore.length === 0 ? {} : { ignore })
    }
    const { desired } = expandRules([...this.kinds.values()], said, said.declarations)
    const files = [...new Set(this.documents.map(({ root }) => root.file))].sort(byText)
    return { registry, desired, files }
  }
}

const plainly = (one: Declared<Kind>): AnyDeclaration => {
  const absent: { absent?: true } = one.absent ? { absent: true } : {}
  return { kind: one.kind.kind, item: one.item, source: sourceOf(one), ...absent }
}

/** Each collection once; pruned if anything says so. */
const unique = (owned: ReadonlyArray<Owned>): ReadonlyArray<Owned> => {
  const known = new Map<string, Owned>()
  for (const entry of owned) if (known.get(collectionId(entry))?.prune !== true) known.set(collectionId(entry), entry)
  return [...known.values()]
}

const twice = (
  name: string,
  one: Pick<About, "at" | "file" | "path">,
  first: Pick<About, "at" | "file" | "path">,
  report: Report
) =>
  report.at(
    one.file,
    one.at,
    one.at === undefined ? one.path : [],
    `${name} is declared twice, first at ${sourceOf(first)}`
  )

/** Adds a document. A document that declares what another one does is left out whole: one mistake, told once. */
const gather = <K extends Kind>(into: Gathered<K>, read: Read<K>, report: Report): void => {
  const { root } = read
  const first = into.roots.get(root.id)
  if (first !== undefined) {
    twice(root.name, root, first, report)
    return
  }
  into.roots.set(root.id, root)
  into.documents.push(read)
  for (const one of read.declared) keep(into.declared, one, report)
  for (const { declared } of read.rulings) {
    const known = new Map<string, Declared<K>>()
    for (const one of declared) keep(known, one, report)
  }
  for (const entry of read.owned) into.owned.add(collectionId(entry))
  for (const [id, lost] of read.partial) into.partial.set(id, [...(into.partial.get(id) ?? []), ...lost])
}

const keep = <K extends Kind>(known: Map<string, Declared<K>>, one: Declared<K>, report: Report): void => {
  const address = addressOf(one.kind.kind, one.key)
  const first = known.get(address)
  if (first === undefined) known.set(address, one)
  else if (!one.partial && !first.partial) twice(`${one.kind.kind} ${quote(one.key)}`, one, first, report)
}

/** Two names may stand for one registry: then a document must not be there under both. */
const sameRegistry = (all: Iterable<Gathered<Kind>>, report: Report): void => {
  const seen = new Map<string, About>()
  for (const { documents, registry } of all) {
    if (registry === undefined) continue
    for (const { root } of documents) {
      const id = `${registry.url} ${root.id}`
      const first = seen.get(id)
      if (first === undefined) seen.set(id, root)
      else twice(root.name, root, first, report)
    }
  }
}

/** Whether a key may be that of something that was left out. What a key looks like is its kind's affair. */
const mayBe = (key: string, lost: string | undefined): boolean =>
  lost === undefined || key === lost || (lost !== "" && [`/${lost}`, `:${lost}`].some((end) => key.endsWith(end)))

/** What is somebody else's is not to be declared. */
const checkIgnored = <K extends Kind>({ declared, documents }: Gathered<K>, report: Report): void => {
  const find = patternFinder(documents.flatMap(({ ignore }) => ignore))
  for (const { at, file, key, kind, path } of declared.values()) {
    const pattern = find(kind.kind, key)
    if (pattern === undefined) continue
    const text = `${kind.kind} ${quote(key)} is declared, and ignored as somebody else's at ${pattern.source}`
    report.at(file, at, at === undefined ? path : [], text, "leave out one of the two")
  }
}

/**
 * Whatever an object needs must be declared where the files own the collection that it would be in, and what an object
 * excludes must not be owned.
 */
const checkReferences = <K extends Kind>(all: Gathered<K>, layout: Layout<K>, report: Report): void => {
  const byCollection = new Map<string, Array<Declared<K>>>()
  for (const one of all.declared.values()) {
    if (one.absent) continue
    const id = collectionId(collectionOf(one.kind, one.item))
    const together = byCollection.get(id)
    if (together === undefined) byCollection.set(id, [one])
    else together.push(one)
  }
  const world: World = {
    caller: undefined,
    collection: (collection) => (byCollection.get(collectionId(collection)) ?? []).map((it) => it.item),
    found: () => undefined
  }
  let implied: Set<string> | undefined
  const impliedByAny = () => {
    if (implied !== undefined) return implied
    implied = new Set()
    for (const { absent, item, kind } of all.declared.values()) {
      if (absent) continue
      for (const made of kind.implies?.(item, world) ?? []) {
        const maker = layout.kinds.get(made.kind)
        if (maker !== undefined) implied.add(addressOf(made.kind, maker.key(made.item)))
      }
    }
    return implied
  }
  const ignored = patternFinder(all.documents.flatMap(({ ignore }) => ignore))
  const check = (one: Declared<K>, ruling?: Ruling<K>) => {
    if (one.partial || one.absent) return
    const ruled = new Set(ruling?.owned.map(collectionId))
    const stands = new Set(ruling?.declared.map((it) => addressOf(it.kind.kind, it.key)))
    for (const collection of one.kind.excludes?.(one.item) ?? []) {
      if (!all.owned.has(collectionId(collection)) && !ruled.has(collectionId(collection))) continue
      const name = layout.kinds.get(collection.kind)?.section.name ?? collection.kind
      const excluded = collection.part === undefined ? name : `${name}.${collection.part}`
      report.at(one.file, one.at, one.path, `${excluded} cannot stand beside this`)
    }
    for (const ref of one.kind.needs?.(one.item) ?? []) {
      const address = addressOf(ref.kind, ref.key)
      const id = collectionId({ kind: ref.kind, parent: ref.parent })
      if (ref.orThere === true || !all.owned.has(id) || stands.has(address)) continue
      // Somebody else's may be there.
      if (ignored(ref.kind, ref.key) !== undefined) continue
      if (all.declared.get(address)?.absent === false || impliedByAny().has(address)) continue
      if (all.partial.get(id)?.some((name) => mayBe(ref.key, name)) === true) continue
      const where = layout.kinds.get(ref.kind)?.section.name ?? ref.kind
      const names = (byCollection.get(id) ?? []).map((it) => it.key)
      report.at(
        one.file,
        one.at,
        one.at === undefined ? one.path : [],
        `${ref.kind} ${quote(ref.key)} is not declared under ${where}`,
        report.didYouMean(ref.key, names)
      )
    }
  }
  for (const one of all.declared.values()) check(one)
  for (const { rulings } of all.documents)
    for (const ruling of rulings) for (const one of ruling.declared) check(one, ruling)
}

const SAY_WHICH = "say it in an entry of its own, or leave it out of one of them by except"

/** Whether rules contradict each other about what the files declare, or wherever they meet. */
const checkRules = <K extends Kind>(all: Gathered<K>, report: Report): void => {
  const rulings = all.documents.flatMap((document) => document.rulings.filter(({ whole }) => whole))
  const clashes = clashesOf([...all.kinds.values()], {
    declarations: [...all.declared.values()].map(plainly),
    scope: all.documents.flatMap(({ owned }) => owned),
    rules: rulings.map(({ rule }) => rule)
  })
  for (const { message, rules } of clashes) {
    const stand = rulings.find(({ rule }) => rule === rules[1])?.stand
    if (stand !== undefined)
      report.at(stand.file, stand.at, stand.at === undefined ? stand.path : [], message, SAY_WHICH)
  }
}
