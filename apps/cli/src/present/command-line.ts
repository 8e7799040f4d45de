/** Command lines as a person can paste them into a shell. */
import { clean } from "./text.ts"

const PLAIN = /^[\w@%+=:,./-]+$/

const quoted = (word: string): string => (PLAIN.test(word) ? word : `'${clean(word).replaceAll("'", "'\\''")}'`)

/** A flag with what was given for it, if anything was; `quay-apply` itself as its first words. */
export type Words = ReadonlyArray<string | readonly [flag: string, value: string | number | undefined]>

export const commandLine = (words: Words): string =>
  words
    .flatMap((word) => {
      if (typeof word === "string") return [word]
      const [flag, value] = word
      return value === undefined ? [] : [flag, String(value)]
    })
    .map(quoted)
    .join(" ")
