/** The laws of planning, held against random registries and files. A failure prints the seed and the smallest case. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { LAW_TIMEOUT, lawful } from "../../testing/src/laws.ts"
import {
  addressOf,
  assemble,
  type Collection,
  classify,
  collectionId,
  collectionOf,
  type Desired,
  encodePlan,
  findCycle,
  indexActual,
  indexKinds,
  itemOf,
  type Kind,
  mergeTargets,
  planTarget,
  split
} from "../src/index.ts"
import { collectionsOf, declarationOf, model, planFor, planIfAny, scene, target } from "./arbitrary.ts"
import { kindNamed, kinds, linearize, type Model, unchangedBy } from "./world.ts"

const dice = fc.infiniteStream(fc.nat({ max: 1_000_000 }))

const holders = new Map([
  ["member", "team"],
  ["permission", "repository"],
  ["mirror", "repository"],
  ["grant", "application"]
])

const chooser = (stream: Iterator<number>) => (count: number) => (count === 0 ? 0 : Number(stream.next().value) % count)

const differences = (a: Model, b: Model): ReadonlyArray<string> =>
  [...new Set([...a.objects.keys(), ...b.objects.keys()])].filter((address) => {
    const one = a.objects.get(address)
    const other = b.objects.get(address)
    return one === undefined || other === undefined || !unchangedBy(kindNamed(one.kind), one.item, other.item)
  })

/** The plan of a scene; a scene that cannot be planned is drawn again. */
const planned = (model: Model, desired: Desired) => {
  const plan = planIfAny(model, desired)
  fc.pre(plan !== undefined)
  if (plan === undefined) throw new Error("unreachable")
  return plan
}

describe("a plan", { timeout: LAW_TIMEOUT }, () => {
  it("of what is there has no operations", () => {
    fc.assert(
      fc.property(model, (registry) => {
        const there = [...registry.objects.values()]
        const scope = collectionsOf(there).map((collection) => ({ ...collection, prune: true }))
        const plan = planFor(registry, { declarations: there.map((it) => declarationOf(it)), scope })
        expect(plan.operations).toEqual([])
        expect(plan.stuck).toEqual([])
        expect(plan.extras).toEqual([])
        expect(plan.unchanged).toBe(there.length)
      }),
      lawful
    )
  })

  it("is empty once a plan has been applied in any order that its needs allow", () => {
    fc.assert(
      fc.property(scene, dice, ({ desired, model }, stream) => {
        const plan = planned(model, desired)
        const after = model.copy()
        for (const operation of linearize(plan, chooser(stream))) after.execute(operation)
        const second = planFor(after, desired)
        expect(second.operations).toEqual([])
        const fields = (it: typeof plan) => it.stuck.map(({ changes, key, kind }) => ({ changes, key, kind }))
        expect(fields(second)).toEqual(fields(plan))
      }),
      lawful
    )
  })

  it("made again after a stop anywhere leads to the same end", () => {
    fc.assert(
      fc.property(scene, dice, dice, fc.nat(), ({ desired, model }, one, other, stop) => {
        const plan = planned(model, desired)
        const whole = model.copy()
        const order = linearize(plan, chooser(one))
        for (const operation of order) whole.execute(operation)

        const broken = model.copy()
        const count = stop % (order.length + 1)
        for (const operation of order.slice(0, count)) broken.execute(operation)
        const cut = order[count]
        if (cut?.action === "replace") broken.delete(kindNamed(cut.kind), cut.before)
        for (const operation of linearize(planFor(broken, desired), chooser(other))) broken.execute(operation)
        expect(differences(whole, broken)).toEqual([])
      }),
      lawful
    )
  })

  it("has no cycle, and no order that breaks a rule of the registry", () => {
    fc.assert(
      fc.property(scene, fc.array(dice, { minLength: 3, maxLength: 3 }), ({ desired, model }, streams) => {
        const plan = planned(model, desired)
        const nodes = [...plan.operations, ...(plan.gates ?? [])]
        expect(findCycle(new Map(nodes.map((it) => [it.id, new Set(it.needs)])))).toBeUndefined()
        const ids = new Set(nodes.map((it) => it.id))
        expect(ids.size).toBe(nodes.length)
        expect(nodes.flatMap((it) => it.needs).filter((id) => !ids.has(id))).toEqual([])
        const ends = streams.map((stream) => {
          const after = model.copy()
          for (const operation of linearize(plan, chooser(stream))) after.execute(operation)
          return after
        })
        for (const end of ends) for (const other of ends) expect(differences(end, other)).toEqual([])
      }),
      lawful
    )
  })

  it("touches nothing but what is declared, owned, or listed as going along", () => {
    fc.assert(
      fc.property(scene, dice, ({ desired, model }, stream) => {
        const plan = planned(model, desired)
        const owned = new Map(desired.scope.map((it) => [collectionId(it), it]))
        const addresses = (absent: boolean) =>
          desired.declarations
            .filter((it) => (it.absent === true) === absent)
            .map((it) => addressOf(it.kind, kindNamed(it.kind).key(it.item)))
        const declared = new Set(addresses(false))
        const absent = new Set(addresses(true))
        const going = new Set<string>()
        for (const operation of plan.operations) {
          const kind = kindNamed(operation.kind)
          const address = addressOf(operation.kind, operation.key)
          if (operation.action === "delete") {
            const entry = owned.get(collectionId(collectionOf(kind, itemOf(operation))))
            if (!absent.has(address)) {
              expect(entry).toBeDefined()
              expect(kind.extras === "remove" || entry?.prune === true).toBe(true)
            }
            expect(declared.has(address)).toBe(false)
          } else expect(declared.has(address)).toBe(true)
          if (operation.action === "delete" || operation.action === "replace")
            for (const it of [address, ...operation.cascades]) going.add(it)
        }
        const after = model.copy()
        const lost = new Set<string>()
        for (const operation of linearize(plan, chooser(stream))) {
          const before = after.copy()
          if (operation.action === "replace") {
            const half = after.copy()
            half.delete(kindNamed(operation.kind), operation.before)
            for (const address of before.objects.keys()) if (!half.objects.has(address)) lost.add(address)
          }
          after.execute(operation)
          for (const address of before.objects.keys()) if (!after.objects.has(address)) lost.add(address)
        }
        // All that goes is named beforehand, and all that is named goes.
        expect([...lost].filter((it) => model.objects.has(it)).sort()).toEqual(
          [...going].filter((it) => model.objects.has(it)).sort()
        )
        expect([...absent].filter((it) => after.objects.has(it))).toEqual([])
        const untouched = [...model.objects.keys()].filter((it) => !declared.has(it) && !going.has(it))
        const differ = new Set(differences(model, after))
        expect(untouched.filter((it) => differ.has(it) && !after.byItself.has(it))).toEqual([])
        for (const extra of plan.extras) expect(untouched).toContain(addressOf(extra.kind, extra.key))
      }),
      lawful
    )
  })

  it("has the same bytes whatever the order of what went into it", () => {
    fc.assert(
      fc.property(scene, dice, ({ desired, model }, stream) => {
        const plan = planned(model, desired)
        const choose = chooser(stream)
        const shuffled = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> =>
          list
            .map((value) => [choose(1_000_000), value] as const)
            .sort(([a], [b]) => a - b)
            .map(([, value]) => value)
        const other = {
          declarations: shuffled(desired.declarations).map((it) => ({
            ...it,
            item: Object.fromEntries(shuffled(Object.entries(it.item)))
          })),
          scope: shuffled(desired.scope)
        }
        const read = model.read(desired)
        const actual = { ...read, found: shuffled(read.found), read: shuffled(read.read) }
        const again = planTarget(kinds, target, other, actual)
        expect(encodePlan(assemble([again], "1"))).toBe(encodePlan(assemble([plan], "1")))
      }),
      lawful
    )
  })

  it("of each independent part, put together, is the plan of the whole", () => {
    fc.assert(
      fc.property(scene, ({ desired: { declarations: all, scope }, model }) => {
        // In a file, a collection is owned inside the entry of what holds it, and what is declared absent stands in one.
        const wanted = all.filter((it) => it.absent !== true)
        const addresses = new Set(wanted.map((it) => addressOf(it.kind, kindNamed(it.kind).key(it.item))))
        const held = (it: Collection) => addresses.has(addressOf(holders.get(it.kind) ?? "organization", it.parent))
        const declarations = all.filter((it) => it.absent !== true || held(collectionOf(kindNamed(it.kind), it.item)))
        const desired: Desired = { declarations, scope: scope.filter(held) }
        fc.pre(
          declarations.every(({ item }) =>
            addresses.has(`organization:${String(item["organization"] ?? item["name"])}`)
          )
        )
        const whole = planned(model, desired)
        const parts = split<Kind>(kinds, desired).map((part) => planTarget(kinds, target, part, model.read(desired)))
        expect(mergeTargets(target, parts)).toEqual(whole)
      }),
      lawful
    )
  })

  it("says of each operation that it is pending before, and done after", () => {
    fc.assert(
      fc.property(scene, dice, ({ desired, model }, stream) => {
        const plan = planned(model, desired)
        const { operations } = plan
        const standing = (of: Model) =>
          operations.map((operation) => {
            const now = of.get(addressOf(operation.kind, operation.key))
            return [operation, classify(kindNamed(operation.kind), operation, now).state] as const
          })
        // What another operation decides is asked for after that one only.
        for (const [operation, state] of standing(model))
          if (operation.impliedBy === undefined) expect([operation.id, state]).toEqual([operation.id, "pending"])
        const after = model.copy()
        const finished = new Set<string>()
        for (const operation of linearize(plan, chooser(stream))) {
          after.execute(operation)
          finished.add(operation.id)
          for (const [other, state] of standing(after)) {
            if (finished.has(other.id)) expect([other.id, state]).toEqual([other.id, "done"])
            else if (other.impliedBy === undefined) expect([other.id, state]).toEqual([other.id, "pending"])
            else if (finished.has(other.impliedBy)) expect(state).not.toBe("conflict")
          }
        }
      }),
      lawful
    )
  })
})

describe("the index of what is there", () => {
  it("counts an object once although a list tells of it twice", () => {
    fc.assert(
      fc.property(model, (registry) => {
        const found = [...registry.objects.values()]
        const index = indexActual(indexKinds(kinds), { found: [...found, ...found], read: [] })
        expect([...index.byCollection.values()].flat()).toHaveLength(found.length)
      }),
      { numRuns: 100 }
    )
  })
})
