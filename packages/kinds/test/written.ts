// A section as an export writes it, and what reading that gives.
import type { Section } from "@quaymaster/engine"

export const written = <Item>(section: Section<Item>, items: ReadonlyArray<Item>, parent: string) => {
  const node = section.write?.(items)
  return { node, items: node === undefined ? [] : section.read(node, parent).map(({ item }) => item) }
}
