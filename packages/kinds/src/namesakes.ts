/**
 * Objects to which Quay lets one name be given several times, each with an id of Quay's. A file means the first of them by its
 * id, the same one in whatever order Quay tells them; the others are extras like any other.
 */
import { byText, type Ref } from "@quaymaster/engine"

export interface Namesake {
  /** Another one of the name comes first. */
  readonly further?: true
  /** Of the first one: how many others have the name. */
  readonly others?: number
}

/** The first one is deleted last, for whichever is left would else be taken for it. `key` is the first one's. */
export const namesakeNeeds = (
  further: boolean | undefined,
  first: Pick<Ref, "kind" | "key" | "parent">
): ReadonlyArray<Ref> => (further === true ? [{ ...first, cascades: false }] : [])

/**
 * The first of each name with how many others there are, and the others marked, by their ids. One that goes by its id, because an
 * operation is about it as one of the others, is no first, whoever is still there beside it.
 * @param nameOf undefined is nobody's name
 */
export const namesakes = <A extends object>(
  all: ReadonlyArray<A>,
  nameOf: (item: A) => string | undefined,
  idOf: (item: A) => string | undefined,
  goesById: (item: A & Namesake) => boolean = () => false
): ReadonlyArray<A & Namesake> => {
  const others = all.map((item) => ({ ...item, further: true as const })).filter(goesById)
  const items = all.filter((item) => !goesById({ ...item, further: true }))
  return [...firstAndFurther(items, nameOf, idOf), ...others]
}

const firstAndFurther = <A extends object>(
  items: ReadonlyArray<A>,
  nameOf: (item: A) => string | undefined,
  idOf: (item: A) => string | undefined
): ReadonlyArray<A & Namesake> => {
  const counts = new Map<string | undefined, number>()
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1)
  const seen = new Set<string | undefined>([undefined])
  return [...items]
    .sort((a, b) => byText(idOf(a) ?? "", idOf(b) ?? ""))
    .map((item): A & Namesake => {
      const name = nameOf(item)
      if (seen.has(name)) return { ...item, further: true }
      seen.add(name)
      const others = (counts.get(name) ?? 1) - 1
      return others === 0 ? item : { ...item, others }
    })
}
