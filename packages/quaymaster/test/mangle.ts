// Small damage to JSON values and to texts, as values: what was done where, so that it can be kept in a corpus and done again.
import fc from "fast-check"

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What is done to the part of a value. `at` chooses the part, by number, modulo how many there are. */
export type Damage =
  | { readonly at: number; readonly do: "drop" | "twice" | "wrap" | "empty" | "rename" }
  | { readonly at: number; readonly do: "put"; readonly value: unknown }

const junk: ReadonlyArray<unknown> = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  2 ** 60,
  "",
  "x",
  "admin",
  "acme+ci",
  "../..",
  "__proto__",
  "\u001b[2J\u202e",
  "\ud800",
  "x".repeat(5000),
  [],
  {},
  [null],
  [[]],
  [{}],
  { name: null },
  { __proto__: null, constructor: { prototype: 1 }, toString: 1 }
]

export const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    at: fc.nat(10_000),
    do: fc.constantFrom("drop" as const, "twice" as const, "wrap" as const, "empty" as const, "rename" as const)
  }),
  fc.record({ at: fc.nat(10_000), do: fc.constant("put" as const), value: fc.constantFrom(...junk) })
)

interface Slot {
  readonly holder: Record<string, unknown> | Array<unknown>
  readonly key: string | number
}

const slotsOf = (root: { readonly value: unknown }): ReadonlyArray<Slot> => {
  const slots: Array<Slot> = []
  const walk = (holder: Record<string, unknown> | Array<unknown>): void => {
    const keys = Array.isArray(holder) ? holder.keys() : Object.keys(holder)
    for (const key of keys) {
      slots.push({ holder, key })
      const part: unknown = Reflect.get(holder, key)
      if (Array.isArray(part) || isObject(part)) walk(part)
    }
  }
  walk({ ...root })
  return slots
}

const set = (holder: object, key: string | number, value: unknown): void =>
  void Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })

/** A copy of the value with the damage done. */
export const damaged = (value: unknown, list: ReadonlyArray<Damage>): unknown => {
  const root: { value: unknown } = { value: structuredClone(value) }
  for (const damage of list) {
    const top: Record<string, unknown> = { value: root.value }
    const slots = slotsOf({ value: root.value })
    const chosen = slots[damage.at % slots.length]
    if (chosen === undefined) continue
    const { key } = chosen
    // The first slot is the value itself, which stands in no holder of its own.
    const holder = damage.at % slots.length === 0 ? top : chosen.holder
    const part: unknown = Reflect.get(holder, key)
    if (damage.do === "put") set(holder, key, structuredClone(damage.value))
    else if (damage.do === "wrap") set(holder, key, [part])
    else if (damage.do === "empty") set(holder, key, Array.isArray(part) ? [] : isObject(part) ? {} : "")
    else if (damage.do === "drop") {
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else Reflect.deleteProperty(holder, key)
    } else if (damage.do === "twice") {
      if (Array.isArray(holder)) holder.splice(Number(key), 0, structuredClone(part))
      else set(holder, `${key}2`, structuredClone(part))
    } else if (!Array.isArray(holder)) {
      Reflect.deleteProperty(holder, key)
      set(holder, "__proto__", part)
    }
    root.value = Object.values(top)[0]
  }
  return root.value
}

/** What is done to a text. Places are per mille of its length. */
export type Cut =
  | { readonly do: "remove" | "repeat"; readonly from: number; readonly length: number }
  | { readonly do: "insert"; readonly from: number; readonly text: string }

export const cuts = (words: ReadonlyArray<string>): fc.Arbitrary<Cut> =>
  fc.oneof(
    fc.record({
      do: fc.constantFrom("remove" as const, "repeat" as const),
      from: fc.nat(1000),
      length: fc.integer({ min: 1, max: 60 })
    }),
    fc.record({
      do: fc.constant("insert" as const),
      from: fc.nat(1000),
      text: fc.oneof(fc.constantFrom(...words), fc.string({ unit: "binary", maxLength: 4 }))
    })
  )

export const cut = (text: string, list: ReadonlyArray<Cut>): string =>
  list.reduce((before, one) => {
    const from = Math.floor((before.length * one.from) / 1000)
    if (one.do === "insert") return before.slice(0, from) + one.text + before.slice(from)
    const part = before.slice(from, from + one.length)
    return before.slice(0, from) + (one.do === "repeat" ? part + part : "") + before.slice(from + one.length)
  }, text)
