/** What a registry is compared with, as a person says it. */

const MOST = 3

/** `given` are the files of the command line; without any the settings say which. */
export const filesText = (given: ReadonlyArray<string>, settings: string | undefined): string => {
  if (given.length === 0) return settings ?? "no file"
  return given.length <= MOST ? given.join(", ") : `${given.length} files`
}
