// Pages of a list, with tokens that nobody can read. A token that is not ours starts again at page one, as Quay does.
import { createCipheriv, createDecipheriv } from "node:crypto"
import { type RandomSource, realRandom } from "./random.ts"

const ALGORITHM = "aes-128-gcm"
const NONCE = 12
const TAG = 16

export interface Page<T> {
  readonly items: readonly T[]
  /** Empty on the last page, so that it can be spread into an answer. */
  readonly next: { readonly next_page?: string }
}

export class Pages {
  readonly #random: RandomSource
  readonly #key: Uint8Array

  constructor(random: RandomSource = realRandom) {
    this.#random = random
    this.#key = random(16)
  }

  /** The token of the page that begins with a key. */
  seal(text: string): string {
    const nonce = this.#random(NONCE)
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce)
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url")
  }

  #open(token: string): string | undefined {
    const bytes = Buffer.from(token, "base64url")
    // Decoding forgives what does not belong there; a token that was tampered with is not to pass for that.
    if (bytes.length < NONCE + TAG || bytes.toString("base64url") !== token) return undefined
    const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, NONCE))
    decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString("utf8")
    } catch (error) {
      // Node has no name of its own for a tag that does not match.
      if (error instanceof Error) return undefined
      throw error
    }
  }

  /** One page, in the order of the keys, so that what is deleted between two pages moves nothing else. */
  page<T>(items: readonly T[], key: (item: T) => string, size: number, token: string | null): Page<T> {
    const from = token === null ? undefined : this.#open(token)
    const sorted = items
      .map((item) => ({ item, key: key(item) }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    const rest = from === undefined ? sorted : sorted.filter((entry) => entry.key >= from)
    const following = rest[size]
    return {
      items: rest.slice(0, size).map(({ item }) => item),
      next: following === undefined ? {} : { next_page: this.seal(following.key) }
    }
  }
}
