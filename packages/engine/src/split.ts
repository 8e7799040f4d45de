/**
 * A desired state as its independent parts: objects that need each other, or live in each other, stay together. Each part
 * can be read and planned by itself, so that a plan over many organizations holds only a few of them at a time. Of what is
 * needed, only what files declare, or own the collection of, keeps parts together: nothing is done to anything else.
 */
import { addressOf, collectionId } from "./address.ts"
import type { AddressPattern } from "./address-pattern.ts"
import { byHandOf } from "./by-hand.ts"
import { indexKinds, type Kind } from "./kind.ts"
import { collectionOf, type Declaration, type Desired, type Owned, type Rule } from "./state.ts"

/** Groups of names, joined step by step (union by the first name, with path halving). */
class Groups {
  readonly #parent = new Map<string, string>()

  find(name: string): string {
    let at = name
    for (let up = this.#parent.get(at); up !== undefined && up !== at; up = this.#parent.get(at)) {
      const over = this.#parent.get(up) ?? up
      this.#parent.set(at, over)
      at = over
    }
    return at
  }

  join(a: string, b: string): void {
    const [first, second] = [this.find(a), this.find(b)]
    if (first !== second) this.#parent.set(second, first)
  }
}

interface Part<K extends Kind> {
  readonly declarations: Array<Declaration<K>>
  readonly scope: Array<Owned>
  readonly rules: Array<Rule>
  readonly protect: Array<AddressPattern>
  readonly ignore: Array<AddressPattern>
}

const inside = (key: string): string => `in ${key}`

export const split = <K extends Kind>(kinds: ReadonlyArray<K>, desired: Desired<K>): ReadonlyArray<Desired<K>> => {
  const known = indexKinds<Kind>(kinds)
  const groups = new Groups()
  const placeOf = ({ item, kind: name }: { readonly kind: string; readonly item: Declaration["item"] }): string => {
    const kind = known.get(name)
    return kind === undefined ? name : inside(collectionOf(kind, item).parent)
  }
  const declared = new Set(
    desired.declarations.map(({ item, kind }: Declaration) => addressOf(kind, known.get(kind)?.key(item) ?? ""))
  )
  const owned = new Set(desired.scope.map(({ kind, parent }) => collectionId({ kind, parent })))
  for (const declaration of desired.declarations) {
    const { item, kind: name }: Declaration = declaration
    const kind = known.get(name)
    if (kind === undefined) continue
    const address = addressOf(name, kind.key(item))
    groups.join(placeOf(declaration), address)
    groups.join(address, inside(kind.key(item)))
    for (const ref of kind.needs?.(item) ?? []) {
      const needed = addressOf(ref.kind, ref.key)
      if (declared.has(needed)) groups.join(address, needed)
      else if (owned.has(collectionId({ kind: ref.kind, parent: ref.parent }))) groups.join(address, inside(ref.parent))
    }
  }
  const parts = new Map<string, Part<K>>()
  const partOf = (place: string) => {
    const group = groups.find(place)
    const part = parts.get(group) ?? { declarations: [], scope: [], rules: [], protect: [], ignore: [] }
    parts.set(group, part)
    return part
  }
  for (const declaration of desired.declarations) partOf(placeOf(declaration)).declarations.push(declaration)
  for (const owned of desired.scope) partOf(inside(owned.parent)).scope.push(owned)
  for (const rule of desired.rules ?? []) partOf(inside(rule.parent)).rules.push(rule)
  // What is said of whole keys may be of any part.
  for (const name of ["protect", "ignore"] as const)
    for (const pattern of desired[name] ?? [])
      if (pattern.within !== undefined) partOf(inside(pattern.within))[name].push(pattern)
      else for (const part of parts.values()) part[name].push(pattern)
  const common = {
    ...byHandOf(desired),
    ...(desired.spared === undefined ? {} : { spared: desired.spared }),
    ...(desired.policy === undefined ? {} : { policy: desired.policy })
  }
  return [...parts.values()].map(({ ignore, protect, rules, ...part }) => ({
    ...part,
    ...(rules.length === 0 ? {} : { rules }),
    ...(protect.length === 0 ? {} : { protect }),
    ...(ignore.length === 0 ? {} : { ignore }),
    ...common
  }))
}
