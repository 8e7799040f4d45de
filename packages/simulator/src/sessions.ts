// Sign-in with a password, as browsers do it: a cookie, and a token that every write repeats. Nothing of it outlives the process.
import { type RandomSource, token as randomToken } from "./random.ts"

/** How long a sign-in counts as fresh, in milliseconds. */
const FRESH = 600_000
const COOKIE = "_csrf_token"
const LIFE = 31 * 86_400

export interface Session {
  readonly id: string
  readonly csrf: string
  readonly user: string | undefined
  /** When the password was given last. */
  verified: number
}

export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #random: RandomSource
  readonly #now: () => number

  constructor(random: RandomSource, now: () => number) {
    this.#random = random
    this.#now = now
  }

  /** The session that a Cookie header names. */
  named(header: string | undefined): Session | undefined {
    const [, id = ""] = new RegExp(`(?:^|;)\\s*${COOKIE}=([^;\\s]+)`).exec(header ?? "") ?? []
    return this.#sessions.get(id)
  }

  /** Another one in the place of the one before, with a token of its own. */
  begin(before: Session | undefined, user?: string): Session {
    if (before !== undefined) this.#sessions.delete(before.id)
    const session = {
      id: randomToken(this.#random, 48),
      csrf: randomToken(this.#random, 48),
      user,
      verified: this.#now()
    }
    this.#sessions.set(session.id, session)
    return session
  }

  end(session: Session): void {
    this.#sessions.delete(session.id)
  }

  verify(session: Session): void {
    session.verified = this.#now()
  }

  isFresh({ verified }: Session): boolean {
    return this.#now() - verified < FRESH
  }

  headers({ id, csrf }: Session): { readonly [name: string]: string } {
    return { "set-cookie": `${COOKIE}=${id}; HttpOnly; Path=/; Max-Age=${LIFE}`, "x-next-csrf-token": csrf }
  }
}
