/** Why a file of this machine cannot be used, in words. */

export const codeOf = (cause: unknown): unknown => (cause instanceof Error && "code" in cause ? cause.code : undefined)

/** Never the text of the error itself, which could quote anything. */
export const reasonOf = (cause: unknown): string => {
  const code = codeOf(cause)
  switch (code) {
    case "EEXIST":
      return "it is there by now, and was not when it was looked at"
    case "ENOENT":
      return "there is no such file or directory"
    case "EISDIR":
      return "it is a directory"
    case "EACCES":
    case "EPERM":
      return "permission denied"
    case "ENOTDIR":
      return "part of its path is no directory"
    case "ENOSPC":
      return "the disk is full"
    case "EROFS":
      return "the disk is read-only"
    default:
      return typeof code === "string" ? code : "it cannot be reached"
  }
}
