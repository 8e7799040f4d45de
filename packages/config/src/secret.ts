/**
 * Looking up secrets by reference. No message here shows more than the reference.
 */
import type { SecretRef } from "@quaymaster/engine"
import { readBytes } from "./read-bytes.ts"

/** No secret is nearly as long, and neither is a chain of certificates. In bytes. */
const LONGEST = 1024 * 1024

/** The text of a file that holds a secret or a certificate. Rejects with the system's error. */
export const readSecretFile = async (path: string, signal?: AbortSignal): Promise<string> =>
  (await readBytes(path, { most: LONGEST, signal })).toString("utf8")

/** A secret that could not be had. The message names the reference. */
export class SecretError extends Error {
  override readonly name = "SecretError"
  readonly _tag = "SecretError"
  readonly reference: SecretRef
  constructor(reference: SecretRef, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reference = reference
  }
}

/**
 * The secret that a reference stands for. What a file holds is trimmed.
 * @throws {SecretError} if the variable is unset, the file cannot be read, or nothing is in either.
 */
export const resolveSecret = async (
  reference: SecretRef,
  env: { readonly [name: string]: string | undefined },
  readFile: (path: string) => Promise<string>
): Promise<string> => {
  if ("env" in reference) {
    const name = reference.env
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value === undefined) throw new SecretError(reference, `The environment variable ${name} is not set.`)
    if (value.trim() === "") throw new SecretError(reference, `The environment variable ${name} is empty.`)
    return value
  }
  const text = await readFile(reference.file).catch((cause: unknown) => {
    throw new SecretError(reference, `The secret in ${reference.file} cannot be read: ${reasonOf(cause)}.`, { cause })
  })
  const value = text.trim()
  if (value === "")
    throw new SecretError(reference, `The file ${reference.file} is empty, and a secret should be in it.`)
  return value
}

/** Why a file could not be read, in words where the reason is a common one. */
export const reasonOf = (cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  switch (code) {
    case "ENOENT":
      return "there is no such file"
    case "EACCES":
    case "EPERM":
      return "permission denied"
    case "EISDIR":
      return "it is a directory"
    case "ENOTDIR":
      return "part of its path is no directory"
    case "EFBIG":
      return "it is too large"
    case "ELOOP":
      return "its links lead in a circle"
    default:
      return typeof code === "string" ? code : "reading failed"
  }
}
