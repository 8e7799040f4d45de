/** Sizes as people write them: `50GiB` counts in powers of 1024, `50GB` in powers of 1000, as Quay reads them. */

const BYTES: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ...["K", "M", "G", "T", "P", "E"].flatMap(
    (letter, i): ReadonlyArray<readonly [string, number]> => [
      [`${letter}iB`, 1024 ** (i + 1)],
      [`${letter}B`, 1000 ** (i + 1)]
    ]
  )
])

export const SIZE_PATTERN = "^[1-9][0-9]* ?([KMGTPE]i?B?|B)$"

/** Bytes. The text has been checked before. The `B` may be left out: `50Gi`. */
export const parseSize = (text: string): number => {
  const [, amount = "0", unit = "B"] = /^(\d+) ?(\w+)$/.exec(text) ?? []
  return Number(amount) * (BYTES.get(unit) ?? BYTES.get(`${unit}B`) ?? 1)
}

/** The size in the unit that makes the shortest text, or the bytes where no unit does. */
export const formatSize = (bytes: number): string | number => {
  let best = String(bytes)
  for (const [unit, length] of BYTES) {
    const text = `${bytes / length}${unit}`
    if (unit !== "B" && bytes % length === 0 && text.length <= best.length) best = text
  }
  return best === String(bytes) ? bytes : best
}
