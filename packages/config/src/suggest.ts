/**
 * "Did you mean": the nearest of some known words. Near is counted in typing mistakes (a letter too many, too few, wrong,
 * or two swapped), and how many are forgiven grows with the length of the word.
 */

const LONGEST = 100

const forgiven = (length: number): number => (length <= 2 ? 0 : length <= 4 ? 1 : length <= 8 ? 2 : 3)

// Case and the choice of separator are how people misremember a name, so they count for little.
const plain = (word: string): string => word.toLowerCase().replaceAll("-", "_")

/** The typing mistakes between two words, or Infinity as soon as there are more than `most`. */
const distance = (a: string, b: string, most: number): number => {
  if (Math.abs(a.length - b.length) > most) return Number.POSITIVE_INFINITY
  let beforeLast: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      row.push(cost)
      least = Math.min(least, cost)
    }
    if (least > most) return Number.POSITIVE_INFINITY
    beforeLast = last
    last = row
  }
  return last[b.length] ?? Number.POSITIVE_INFINITY
}

/** The candidate nearest to `word`, the first of them where several are as near; undefined if none is near. */
export const suggestion = (word: string, candidates: Iterable<string>): string | undefined => {
  if (word.length > LONGEST) return undefined
  let best: string | undefined
  let least = forgiven(word.length) + 0.5
  for (const candidate of candidates) {
    if (candidate === word) continue
    const mistakes = distance(plain(word), plain(candidate), Math.floor(least))
    if (mistakes < least) {
      best = candidate
      least = mistakes
    }
  }
  return best
}
