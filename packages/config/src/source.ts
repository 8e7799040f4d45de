/**
 * What is decoded: texts and values, each with the name that messages show. Where they come from is not known here.
 */
import { treeOf } from "./object.ts"
import type { Located, Report } from "./problem.ts"
import type { Document } from "./tree.ts"
import { parseText } from "./yaml.ts"

/** A file's text. `directory` is what relative paths in it are relative to. */
export interface TextSource {
  readonly name: string
  readonly text: string
  readonly directory?: string
}

/** One document as a program has it: plain objects, arrays, text, numbers, booleans. */
export interface ObjectSource {
  readonly name: string
  readonly value: unknown
}

export type Source = TextSource | ObjectSource

/** What was loaded, with the mistakes that were made before anything was read. They are told with all the others. */
export interface Sources {
  readonly files: ReadonlyArray<Source>
  readonly problems: ReadonlyArray<Located>
}

export const documentsOf = (source: Source, report: Report): ReadonlyArray<Document> =>
  "text" in source
    ? parseText(source.name, source.text, source.directory, report)
    : [{ file: source.name, directory: undefined, root: treeOf(source.name, source.value, report) }]
