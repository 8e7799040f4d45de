/**
 * Values of a program to the same trees that files give: plain objects, arrays, text, numbers, booleans and null. A field
 * that is undefined is absent. Anything else, such as a Date, a Map or a value that contains itself, is a mistake.
 */
import type { Path } from "@quaymaster/engine"
import type { Report } from "./problem.ts"
import { DEEPEST, type MapEntry, type Tree, textFault } from "./tree.ts"

const MOST_VALUES = 1_000_000

/** The tree of a value. Mistakes go to the report, with paths and no positions. */
export const treeOf = (file: string, value: unknown, report: Report): Tree => {
  const within = new Set<object>()
  let count = 0
  let stopped = false
  const fail = (path: Path, text: string): Tree => {
    if (!stopped) report.at(file, undefined, path, text)
    return { type: "broken", at: undefined }
  }
  const convert = (part: unknown, path: Path): Tree => {
    count += 1
    if (count > MOST_VALUES || path.length > DEEPEST) {
      const text = count > MOST_VALUES ? `more than ${MOST_VALUES} values` : `nested deeper than ${DEEPEST} levels`
      const broken = fail([], text)
      stopped = true
      return broken
    }
    if (stopped) return { type: "broken", at: undefined }
    const fault = typeof part === "string" ? textFault(part) : undefined
    if (fault !== undefined) return fail(path, fault)
    if (part === null || typeof part === "string" || typeof part === "boolean")
      return { type: "scalar", at: undefined, value: part }
    if (typeof part === "number")
      return Number.isFinite(part)
        ? { type: "scalar", at: undefined, value: part }
        : fail(path, "should be a finite number")
    if (typeof part !== "object") return fail(path, `is ${describe(part)}, which no file can hold`)
    if (within.has(part)) return fail(path, "contains itself")
    within.add(part)
    const tree = Array.isArray(part) ? list(part, path) : map(part, path)
    within.delete(part)
    return tree
  }
  const list = (part: ReadonlyArray<unknown>, path: Path): Tree => ({
    type: "list",
    at: undefined,
    items: Array.from(part, (item, index) => convert(item, [...path, index]))
  })
  const map = (part: object, path: Path): Tree => {
    const prototype: unknown = Object.getPrototypeOf(part)
    // The prototype of a plain object has none itself; that holds for objects from another realm too.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      return fail(path, `is a ${part.constructor.name}, which no file can hold`)
    const entries = new Map<string, MapEntry>()
    for (const [name, field] of Object.entries(part)) {
      if (field !== undefined) entries.set(name, { key: undefined, value: convert(field, [...path, name]) })
    }
    return { type: "map", at: undefined, entries }
  }
  const tree = convert(value, [])
  return stopped ? { type: "broken", at: undefined } : tree
}

const describe = (value: unknown): string => (value === undefined ? "undefined" : `a ${typeof value}`)
