/**
 * A kind's place in an organization file: under which key it stands, what may stand there, and which objects that means.
 * Reading a section is pure; where each object came from is told as a path, so that errors can point at the line.
 */
import { type Static, type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox"

export type Path = ReadonlyArray<string | number>

/** An object that a section declares, and where in the section's node it stands. */
export interface Entry<Item> {
  readonly item: Item
  readonly path: Path
  /** The object shall not be there: the keys of its entry that name it, and last the one that says so. No other may stand there. */
  readonly absent?: ReadonlyArray<string>
}

/**
 * Rules over the objects of a section: a list beside it, in which each rule says by name whom it speaks of, and then what an
 * entry may say. What rules mean for each object is worked out where files are decoded.
 */
export interface Ruled<Item> {
  /** The key that the list stands under. */
  readonly name: string
  /** The schema of the list, with the sections that stand inside entries. */
  schema(nested: TProperties): TSchema
  /** What an object is called among its section's entries. */
  nameOf(item: Item): string
}

/**
 * `under` is `registry` for a document of its own, else the kind whose entries hold this section.
 * A section under `registry` is given the whole document that has its key.
 */
export interface Section<Item, Node = unknown> {
  readonly under: string
  readonly name: string
  /** The schema of the node, with the sections that stand inside its entries. */
  schema(nested: TProperties): TSchema
  /** The objects that a node declares. The node has been checked against the schema before. */
  read(node: Node, parent: string): ReadonlyArray<Entry<Item>>
  /**
   * Of a document about several objects, the parent of the collection that they are in. It owns that collection, even if it
   * declares none of them. Left out: a document is about one object, and owns the collection that this is in.
   */
  readonly owns?: string
  /** The shares of the collection that the node owns, if the kind's collections have parts. */
  parts?(node: Node): ReadonlyArray<string>
  /**
   * The node that declares these objects, all of one collection: `read` gives them back. What is as it would be if it were left
   * out is left out. A section that cannot be written is not exported.
   */
  write?(items: ReadonlyArray<Item>): Node
  /** Its objects can be spoken of by rules. The node of a single object is then a map from its name to its entry. */
  readonly rules?: Ruled<Item>
}

const closed = { additionalProperties: false }

/** The `write` of a section, where its author gave one. */
const writing = <Given, Write>(given: Given | undefined, make: (given: Given) => Write): { readonly write?: Write } =>
  given === undefined ? {} : { write: make(given) }

/** A document of its own, such as `organization: acme` with all that stands beside it. */
export const documentSection = <Fields extends TProperties, Item>(options: {
  readonly name: keyof Fields & string
  readonly fields: Fields
  readonly description: string
  readonly read: (node: Static<TObject<Fields>>) => Item
  readonly write?: (item: Item) => Static<TObject<Fields>>
  /** The key which says that the object shall not be there, if one does. */
  readonly absent?: (node: Static<TObject<Fields>>) => (keyof Fields & string) | undefined
}): Section<Item, Static<TObject<Fields>>> => ({
  under: "registry",
  name: options.name,
  schema: (nested) =>
    Type.Object({ ...options.fields, ...nested }, { ...closed, title: options.name, description: options.description }),
  read: (node) => {
    const absent = options.absent?.(node)
    return [{ item: options.read(node), path: [], ...(absent === undefined ? {} : { absent: [options.name, absent] }) }]
  },
  ...writing(options.write, (write) => ([item]: ReadonlyArray<Item>) => {
    if (item === undefined) throw new RangeError("a document is written of one object")
    return write(item)
  })
})

/**
 * A document about several objects that live in no other, such as `users: { alice: {} }`. `owns` is the parent of their
 * collection; `read` and `write` are about what stands under the key.
 */
export const collectionDocument = <const Name extends string, Node extends TSchema, Item>(options: {
  readonly name: Name
  readonly owns: string
  readonly node: Node
  readonly description: string
  readonly read: (node: Static<Node>) => ReadonlyArray<Entry<Item>>
  readonly write?: (items: ReadonlyArray<Item>) => Static<Node>
}): Section<Item, { readonly [name: string]: Static<Node> }> => ({
  under: "registry",
  name: options.name,
  owns: options.owns,
  schema: (nested) =>
    Type.Object(
      { [options.name]: options.node, ...nested },
      { ...closed, title: options.name, description: options.description }
    ),
  read: (document) => {
    const node = document[options.name]
    if (node === undefined) return []
    return options.read(node).map(({ item, path }) => ({ item, path: [options.name, ...path] }))
  },
  ...writing(options.write, (write) => (items: ReadonlyArray<Item>) => ({ [options.name]: write(items) }))
})

const NAME_PATTERN = "a name, in which * stands for any text without a slash, ** for any text, and ? for one character"

/** A pattern of names. Signs that mean something in other patterns are refused, because here they would mean themselves. */
const namePattern = Type.String({ pattern: "^[^\\s,!\\[\\]{}()]+$", maxLength: 255, "x-rule": NAME_PATTERN })

const ruleFields = {
  match: { ...namePattern, description: `Whom it speaks of: ${NAME_PATTERN}.` },
  except: Type.Optional(
    Type.Array(namePattern, {
      uniqueItems: true,
      description: "Names and patterns of those that it does not speak of."
    })
  )
}

/** A map from names to entries: `teams: { dev: { role: member } }`. An entry may be left empty where no field is required. */
export const mapSection = <Fields extends TProperties, Item>(options: {
  readonly under: string
  readonly name: string
  readonly names: { readonly pattern: string; readonly description: string }
  readonly fields: Fields
  readonly description: string
  readonly read: (name: string, entry: Static<TObject<Fields>>, parent: string) => Item
  readonly write?: (item: Item) => readonly [name: string, entry: Static<TObject<Fields>>]
  /** The key of a list of rules over the entries, and what an object is called among them. */
  readonly rules?: { readonly name: string; readonly description: string; readonly nameOf: (item: Item) => string }
}): Section<Item, { readonly [name: string]: Static<TObject<Fields>> }> => ({
  under: options.under,
  name: options.name,
  schema: (nested) =>
    Type.Record(
      Type.String({ pattern: options.names.pattern }),
      Type.Object({ ...options.fields, ...nested }, closed),
      {
        ...closed,
        description: options.description,
        "x-names": options.names.description
      }
    ),
  read: (node, parent) =>
    Object.keys(node).flatMap((name) => {
      const entry = node[name]
      return entry === undefined ? [] : [{ item: options.read(name, entry, parent), path: [name] }]
    }),
  ...writing(options.write, (write) => (items: ReadonlyArray<Item>) => Object.fromEntries(items.map(write))),
  ...(options.rules === undefined ? {} : { rules: ruled(options.rules, options.fields) })
})

const ruled = <Item>(
  given: { readonly name: string; readonly description: string; readonly nameOf: (item: Item) => string },
  fields: TProperties
): Ruled<Item> => {
  const taken = Object.keys(ruleFields).find((key) => Object.hasOwn(fields, key))
  if (taken !== undefined) throw new RangeError(`an entry that rules speak of cannot have a field "${taken}"`)
  return {
    name: given.name,
    schema: (nested) =>
      Type.Array(Type.Object({ ...ruleFields, ...fields, ...nested }, closed), { description: given.description }),
    nameOf: given.nameOf
  }
}

/** Anything else: lists, and maps whose values are not entries. */
export const section = <Node extends TSchema, Item>(options: {
  readonly under: string
  readonly name: string
  readonly node: Node
  readonly read: (node: Static<Node>, parent: string) => ReadonlyArray<Entry<Item>>
  readonly parts?: (node: Static<Node>) => ReadonlyArray<string>
  readonly write?: (items: ReadonlyArray<Item>) => Static<Node>
}): Section<Item, Static<Node>> => ({
  under: options.under,
  name: options.name,
  schema: () => options.node,
  read: options.read,
  ...(options.parts === undefined ? {} : { parts: options.parts }),
  ...writing(options.write, (write) => write)
})
