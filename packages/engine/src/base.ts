/**
 * What files said before, to be held against what they say: which collections they managed already, and what would have been
 * done for them as well. It is planned with what is read for the files as they are, so nothing more is asked of a registry;
 * of what is not read, nothing is compared.
 */
import { type Collection, collectionId } from "./address.ts"
import { indexKinds, type Kind } from "./kind.ts"
import { groupBy } from "./lists.ts"
import { collectionOf, type Declaration, type Desired } from "./state.ts"

/** What files said before. */
export type Base<K extends Kind = Kind> = Pick<Desired<K>, "declarations" | "scope" | "rules" | "ignore">

/** Gives what was said of some collections. */
export const indexBase = <K extends Kind>(
  kinds: ReadonlyArray<K>,
  base: Base<K>
): ((read: ReadonlyArray<Collection>) => Base<K>) => {
  const known = indexKinds<Kind>(kinds)
  const placeOf = ({ item, kind: name }: Declaration): string => {
    const kind = known.get(name)
    return kind === undefined ? name : collectionId(collectionOf(kind, item))
  }
  const declarations = groupBy(base.declarations, placeOf)
  const scope = groupBy(base.scope, collectionId)
  const rules = groupBy(base.rules ?? [], ({ kind, parent }) => collectionId({ kind, parent }))
  return (read) => {
    const ids = [...new Set(read.map(collectionId))]
    const of = <A>(lists: ReadonlyMap<string, ReadonlyArray<A>>) => ids.flatMap((id) => lists.get(id) ?? [])
    const ignore = base.ignore === undefined ? {} : { ignore: base.ignore }
    return { declarations: of(declarations), scope: of(scope), rules: of(rules), ...ignore }
  }
}
