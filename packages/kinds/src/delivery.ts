/**
 * Files of this machine that credentials are delivered to, whatever these open: how they are declared, what is taken for one of
 * ours, and how one is written. A file that is not just the credential that it is for is somebody's, and never overwritten.
 */
import { PlanRefused } from "@quaymaster/engine"
import { Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import { DeliveryFailed } from "./local-files.ts"
import { Quay } from "./quay.ts"

/** The path of a file, as a field of a section. */
export const filePath = (description: string) =>
  Type.String({
    pattern: "^(?!~)[^\\u0000-\\u001f\\u007f]*[^\\u0000-\\u001f\\u007f/]$",
    "x-rule": "the path of a file, in which ~ stands for nothing",
    description: `${description} A relative path starts where the command runs.`
  })

/** What stands beside a credential in a Kubernetes manifest, as fields of a section. */
export const manifestFields = (defaultName: string) => ({
  name: Type.Optional(
    Type.String({
      pattern: "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$",
      "x-rule": "up to 253 lower-case letters, digits, dashes and dots, a letter or digit at both ends",
      description: `The secret's name. Default: ${defaultName}, with a dash between.`
    })
  ),
  namespace: Type.Optional(
    Type.String({
      pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
      "x-rule": "up to 63 lower-case letters, digits and dashes, a letter or digit at both ends",
      description: "The secret's namespace."
    })
  )
})

/** What a file has, if there is one: something that was written here, or a reason to leave it alone. */
export type Inspected<Written> =
  | { readonly state: "none" }
  | { readonly state: "ours"; readonly written: Written; readonly mode: number | undefined }
  | { readonly state: "foreign"; readonly reason: string }

/** @param what what should be in it, for the reason why something else is left alone: `a env_file of acme+ci` */
export const inspectFile = <Written>(
  file: string,
  read: (text: string) => Written | undefined,
  what: string
): Effect.Effect<Inspected<Written>, never, Quay> =>
  Effect.flatMap(Quay, ({ files }) =>
    Effect.map(
      Effect.promise(() => files.look(file)),
      (found): Inspected<Written> => {
        if (found.state === "none") return found
        if (found.state === "blocked") return { state: "foreign", reason: `${file} ${found.reason}` }
        const written = read(found.text)
        if (written !== undefined) return { state: "ours", written, mode: found.mode }
        const reason = `${file} is there, and is not just ${what}. It is left as it is: move it away, or name another file`
        return { state: "foreign", reason }
      }
    )
  )

/** Who else than its owner may read or write a file. */
const OTHERS = 0o077

/** The mode of a file that others than its owner may read or write, as people write it; undefined if none may. */
export const looseMode = (mode: number | undefined): { readonly mode?: string } =>
  mode === undefined || (mode & OTHERS) === 0 ? {} : { mode: `0${(mode & 0o777).toString(8).padStart(3, "0")}` }

/** Two that write one file would take turns for ever. A file can have many names; the plain ones are seen through. */
export const refuseShared = (
  sinks: ReadonlyArray<{ readonly file: string; readonly name: string }>
): Effect.Effect<void, PlanRefused> => {
  const names = new Map<string, string>()
  const problems = sinks.flatMap(({ file, name }) => {
    const path = file.replace(/\/(?:\.?\/)+/g, "/").replace(/^(?:\.\/)+/, "")
    const other = names.get(path)
    names.set(path, name)
    return other === undefined ? [] : [{ message: `${name} and ${other} are one file.` }]
  })
  return problems.length === 0 ? Effect.void : Effect.fail(new PlanRefused(problems))
}

/** Files that are looked at side by side. */
export const SIDE_BY_SIDE = 8

export const notWritten = (file: string) => (cause: unknown) =>
  new DeliveryFailed({
    file,
    message: `${file} was not written: ${cause instanceof Error ? cause.message : String(cause)}.`
  })

/** Fails if a file could not be written there. Makes its folders, and nothing else. */
export const probeFile = (file: string): Effect.Effect<void, DeliveryFailed, Quay> =>
  Effect.flatMap(Quay, ({ files }) => Effect.tryPromise({ try: () => files.probe(file), catch: notWritten(file) }))

/** Writes a file that was inspected before, unless there is one by now that was not there. */
export const writeFile = (
  file: string,
  text: string,
  found: Inspected<unknown>
): Effect.Effect<void, DeliveryFailed, Quay> =>
  found.state === "foreign"
    ? Effect.fail(notWritten(file)(found.reason))
    : Effect.flatMap(Quay, ({ files }) =>
        Effect.tryPromise({
          try: () => files.write(file, text, { replace: found.state === "ours" }),
          catch: notWritten(file)
        })
      )
