/** Random registries and random files for them: few names, so that what is there and what is wanted often meet. */
import fc from "fast-check"
import {
  type AnyOperation,
  addressOf,
  collectionId,
  type Declaration,
  type Desired,
  type Found,
  type Item,
  type Owned,
  PlanRefused,
  planTarget,
  type TargetPlan
} from "../src/index.ts"
import { CALLER, kindNamed, kinds, Model } from "./world.ts"

const pick = (...values: ReadonlyArray<string>) => fc.constantFrom(...values)
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const organization = pick("acme", "acme", "zeta")
const name = pick("a", "b")
const level = maybe(pick("read", "write", "admin"))
const subject = fc.oneof(
  fc.record({ subject: fc.constant("user"), name: pick("alice", CALLER) }),
  fc.record({ subject: pick("team", "robot"), name })
)
const set = maybe(fc.shuffledSubarray(["x", "y", "z"], { maxLength: 2 }))

/** For each kind, its objects. The fields that are not identity are often missing: not declared, or not told. */
const items: ReadonlyArray<readonly [kind: string, most: number, item: fc.Arbitrary<Item>]> = [
  ["organization", 2, fc.record({ name: organization, email: maybe(pick("e", "f")), labels: set })],
  [
    "team",
    4,
    fc.record({
      organization,
      name: pick("a", "b", "owners"),
      role: maybe(pick("member", "creator", "admin")),
      description: maybe(pick("", "d")),
      sync: maybe(fc.record({ service: maybe(pick("ldap", "oidc")), groups: set }))
    })
  ],
  ["robot", 4, fc.record({ organization, name, description: maybe(pick("d", "e")) })],
  [
    "member",
    5,
    fc.tuple(organization, pick("a", "b", "owners"), subject).map(([organization, team, it]) => ({
      organization,
      team,
      ...it,
      subject: it.subject === "team" ? "user" : it.subject
    }))
  ],
  [
    "default-permission",
    4,
    fc.tuple(organization, subject, level).map(([organization, it, role]) => ({ organization, ...it, role }))
  ],
  [
    "repository",
    4,
    fc.record({
      organization,
      name,
      visibility: maybe(pick("public", "private")),
      description: maybe(fc.constantFrom(null, "d"))
    })
  ],
  [
    "permission",
    6,
    fc
      .tuple(organization, name, subject, level)
      .map(([organization, repository, it, role]) => ({ organization, repository, ...it, role }))
  ],
  ["mirror", 3, fc.record({ organization, repository: name, source: maybe(pick("s", "t")), robot: maybe(name) })],
  ["application", 4, fc.record({ organization, name, url: maybe(pick("u", "v")), robot: maybe(name) })],
  [
    "grant",
    4,
    fc.record({ organization, application: name, scope: pick("repo", "user"), note: maybe(pick("n", "m")) })
  ],
  ["badge", 3, fc.record({ organization, name, color: maybe(pick("red", "green")), application: maybe(name) })]
]

const without = (item: Item): Item =>
  Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined))

/** Objects without duplicates, in an order in which what is needed comes first. There is nothing without an organization. */
const objects: fc.Arbitrary<ReadonlyArray<Found>> = fc
  .tuple(
    ...items.map(([kind, maxLength, item]) => {
      const minLength = kind === "organization" ? 1 : 0
      return fc.uniqueArray(item.map(without), { minLength, maxLength, selector: (it) => kindNamed(kind).key(it) })
    })
  )
  .map((lists) => lists.flatMap((list, i) => list.map((item): Found => ({ kind: items[i]?.[0] ?? "", item }))))

/** Only those whose needs are met by others of them, or by what `also` knows. */
const closed = (objects: ReadonlyArray<Found>, also: (address: string) => boolean): ReadonlyArray<Found> => {
  const known = new Set<string>()
  return objects.filter(({ item, kind: name }) => {
    const kind = kindNamed(name)
    const met = (kind.needs?.(item) ?? []).every((ref) => {
      const address = addressOf(ref.kind, ref.key)
      return known.has(address) || also(address)
    })
    if (met) known.add(addressOf(name, kind.key(item)))
    return met
  })
}

export interface Scene {
  readonly model: Model
  readonly desired: Desired
}

export const declarationOf = ({ item, kind }: Found, source?: string): Declaration => ({
  kind,
  item,
  ...(source === undefined ? {} : { source })
})

export const collectionsOf = (objects: Iterable<Found>): ReadonlyArray<Owned> => [
  ...new Map(
    [...objects].map(({ item, kind }) => {
      const collection = { kind, ...kindNamed(kind).collection(item) }
      return [collectionId(collection), collection]
    })
  ).values()
]

export const model: fc.Arbitrary<Model> = objects.map((all) => new Model(closed(all, () => false)))

/** A registry, and files for it that may own any of the collections there are, or would be. */
export const scene: fc.Arbitrary<Scene> = fc
  .tuple(model, objects, fc.infiniteStream(fc.nat({ max: 99 })))
  .map(([model, all, dice]) => {
    const roll = () => Number(dice.next().value)
    // Mostly what is there is declared as well, with some fields left out.
    const there = [...model.objects.values()].filter(() => roll() < 55)
    const merged = new Map(
      [...all, ...there].map((found) => [addressOf(found.kind, kindNamed(found.kind).key(found.item)), found])
    )
    const order = new Map(items.map(([kind], i) => [kind, i]))
    const sorted = [...merged.values()].sort((a, b) => (order.get(a.kind) ?? 0) - (order.get(b.kind) ?? 0))
    const declared = closed(sorted, (address) => model.objects.has(address) && roll() < 70)
    const scope = collectionsOf([...declared, ...model.objects.values(), ...all]).flatMap(
      (collection): ReadonlyArray<Owned> => {
        const owned = roll() < (collection.kind === "organization" ? 20 : 75)
        if (!owned) return []
        return [roll() < 40 ? { ...collection, prune: true } : collection]
      }
    )
    // Some of the rest shall not be there, whether it is or not.
    const wanted = new Set(declared.map((found) => addressOf(found.kind, kindNamed(found.kind).key(found.item))))
    const rest = [...new Map([...model.objects, ...merged])].filter(([address]) => !wanted.has(address) && roll() < 4)
    const absent = rest.map(([, it]): Declaration => ({ ...declarationOf(it), absent: true }))
    return { model, desired: { declarations: [...declared.map((it) => declarationOf(it)), ...absent], scope } }
  })

export const target = { registry: "test", url: "https://quay.example.com" }

/** The plan of these operations, and of nothing else. */
export const planOf = (...operations: ReadonlyArray<AnyOperation>): TargetPlan => ({
  ...target,
  scope: [],
  operations,
  extras: [],
  stuck: [],
  notices: [],
  left: [],
  verdicts: [],
  unchanged: 0
})

export const planFor = (model: Model, desired: Desired) => planTarget(kinds, target, desired, model.read(desired))

/** The plan, or undefined where the files ask for what cannot be. */
export const planIfAny = (model: Model, desired: Desired): TargetPlan | undefined => {
  try {
    return planFor(model, desired)
  } catch (error) {
    if (error instanceof PlanRefused) return undefined
    throw error
  }
}
