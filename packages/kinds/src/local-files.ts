/**
 * Files of the machine that a plan is made on, as the kinds that write some see them. Where relative paths start, and how a
 * file is written, is known to whoever opens the connection.
 */
import * as Data from "effect/Data"

export type LocalFile =
  | { readonly state: "none" }
  /** `mode` has the bits of its permissions, where the machine has any. */
  | { readonly state: "file"; readonly text: string; readonly mode: number | undefined }
  /** Something that is not read, and must not be written. The reason follows the path in a sentence: `is a directory`. */
  | { readonly state: "blocked"; readonly reason: string }

/** Nothing here rejects with more than a path and a reason: what is written is secret. */
export interface LocalFiles {
  readonly look: (path: string) => Promise<LocalFile>
  /** Writes whole or not at all, readable by its owner only, and makes the folders. Without `replace` it must not be there. */
  readonly write: (path: string, text: string, options: { readonly replace: boolean }) => Promise<void>
  /** Removes a file, if it is there. */
  readonly remove: (path: string) => Promise<void>
  /** Rejects if a file could not be written there. */
  readonly probe: (path: string) => Promise<void>
}

/** A credential could not be written to its file. The message names the file, never what should be in it. */
export class DeliveryFailed extends Data.TaggedError("DeliveryFailed")<{
  readonly file: string
  readonly message: string
}> {}

const refuse = () => Promise.reject(new Error("there is nowhere to write files"))

/** For a registry whose kinds write none. */
export const noFiles: LocalFiles = {
  look: async () => ({ state: "blocked", reason: "cannot be read: there is nowhere to read files" }),
  write: refuse,
  remove: refuse,
  probe: refuse
}
