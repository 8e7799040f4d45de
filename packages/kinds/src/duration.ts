/** Lengths of time as Quay's configuration writes them: a number and one unit, such as `2w`. */

const SECONDS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3_600],
  ["d", 86_400],
  ["w", 604_800]
])

/** Seconds. The text has been checked before: a number and one of s, m, h, d, w. */
export const parseDuration = (text: string): number => Number(text.slice(0, -1)) * (SECONDS.get(text.slice(-1)) ?? 1)

/** The shortest text for a number of seconds: `2w` rather than `14d`. */
export const formatDuration = (seconds: number): string => {
  const [unit, length] = [...SECONDS].findLast(([, length]) => seconds > 0 && seconds % length === 0) ?? ["s", 1]
  return `${seconds / length}${unit}`
}
