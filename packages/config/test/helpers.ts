/** Short ways to decode a text, and to see what it says or what is wrong with it. */
import { collectionId, indexKinds, type Kind } from "@quaymaster/engine"
import { ConfigError, type DecodeOptions, decode, formatProblem, type Source } from "../src/index.ts"
import { kinds } from "./kinds.ts"

const AT: DecodeOptions = { registry: "https://quay.example.com" }

export const decodeText = (text: string, options: DecodeOptions = AT) =>
  decode(kinds, { files: [{ name: "acme.yaml", text }], problems: [] }, options)

/** The mistakes that something makes, one line each. */
export const problemsOf = (run: () => unknown): ReadonlyArray<string> => {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem)
    throw error
  }
  return []
}

export const mistakes = (text: string, options: DecodeOptions = AT) => problemsOf(() => decodeText(text, options))

export const mistakesIn = (files: ReadonlyArray<Source>, options: DecodeOptions = AT) =>
  problemsOf(() => decode(kinds, { files, problems: [] }, options))

/** What a text owns, as collection ids; a pruned one ends in `!`. */
export const scopeOf = (text: string) =>
  decodeText(text).targets.flatMap((it) =>
    it.desired.scope.map((owned) => `${collectionId(owned)}${owned.prune === true ? "!" : ""}`)
  )

const index = indexKinds<Kind>(kinds)

/** What a text declares: kind, key and source. */
export const declaredIn = (text: string) =>
  decodeText(text).targets.flatMap((it) =>
    it.desired.declarations.map((one) => `${one.kind} ${index.get(one.kind)?.key(one.item)} ${one.source}`)
  )
