/** Declarations as kinds' sections give them, and as the planner takes them: of a kind that is known, in that kind's shape. */
import { type Declaration, type Item, type Kind, matches } from "@quaymaster/engine"
import { SchemaError } from "./rule.ts"

export interface AnyDeclaration {
  readonly kind: string
  readonly item: Item
  readonly source?: string
  readonly absent?: true
}

const isDeclarationOf =
  <K extends Kind>(kinds: ReadonlyMap<string, K>) =>
  (declaration: AnyDeclaration): declaration is AnyDeclaration & Declaration<K> => {
    const kind = kinds.get(declaration.kind)
    return kind !== undefined && matches(kind.schema, declaration.item)
  }

/** @throws {SchemaError} if a kind's section reads what is no object of the kind. */
export const declarationOf = <K extends Kind>(
  kinds: ReadonlyMap<string, K>,
  declaration: AnyDeclaration
): Declaration<K> => {
  if (isDeclarationOf(kinds)(declaration)) return declaration
  const { item, kind: name } = declaration
  throw new SchemaError(
    `${name}: the section reads an object that the kind's schema refuses: ${kinds.get(name)?.key(item) ?? ""}.`
  )
}
