/**
 * The value of a document with the place of each part: one shape for what comes from YAML, from JSON and from a program.
 * Keys come from outside, so maps are Maps. What is checked and read afterwards never sees where it came from.
 */
import type { Path } from "@quaymaster/engine"
import type { Position } from "./problem.ts"

interface Placed {
  /** Where the value starts; where its key starts if nothing is written there. */
  readonly at: Position | undefined
}

export interface MapEntry {
  readonly key: Position | undefined
  readonly value: Tree
}

export interface MapTree extends Placed {
  readonly type: "map"
  readonly entries: ReadonlyMap<string, MapEntry>
}

export interface ListTree extends Placed {
  readonly type: "list"
  readonly items: ReadonlyArray<Tree>
}

export interface ScalarTree extends Placed {
  readonly type: "scalar"
  readonly value: string | number | boolean | null
}

/** What could not be read as a value. It has been reported, so nobody reports it again. */
export interface BrokenTree extends Placed {
  readonly type: "broken"
}

export type Tree = MapTree | ListTree | ScalarTree | BrokenTree

/** One document of a source. `name` is the source's, as messages show it. */
export interface Document {
  readonly file: string
  /** What relative paths in it are relative to. */
  readonly directory: string | undefined
  readonly root: Tree
}

/** Values nested deeper than this are not what a configuration looks like. */
export const DEEPEST = 64

/** A value in one word, as messages name it. */
export const nameOf = (tree: Tree): string => {
  if (tree.type === "map") return "a map"
  if (tree.type === "list") return "a list"
  if (tree.type === "broken" || tree.value === null) return "empty"
  return typeof tree.value === "string" ? "text" : typeof tree.value === "number" ? "a number" : String(tree.value)
}

/** The tree at a path, and where it stands: its key's place in a map, its own in a list. Stops at the last step there is. */
export const locate = (tree: Tree, key: Position | undefined, path: Path): { tree: Tree; at: Position | undefined } => {
  let here = { tree, at: key ?? tree.at }
  for (const step of path) {
    if (here.tree.type === "map") {
      const entry = here.tree.entries.get(String(step))
      if (entry === undefined) break
      here = { tree: entry.value, at: entry.key ?? entry.value.at }
    } else if (here.tree.type === "list") {
      const item = here.tree.items[Number(step)]
      if (item === undefined) break
      here = { tree: item, at: item.at }
    } else break
  }
  return here
}

/** What is wrong with a text that no registry can store, whatever it is for; undefined if nothing is. */
export const textFault = (text: string): string | undefined =>
  text.includes("\0")
    ? "has a NUL character in it"
    : text.isWellFormed()
      ? undefined
      : "has half a character in it: a surrogate without its other half"
