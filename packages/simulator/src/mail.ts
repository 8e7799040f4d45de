// The mail that a registry sends: kept, so that tests can follow what is in it, and refused while it cannot be sent.
// Leaves out what the links in it do; the kinds know that.
import { message } from "./errors.ts"

export interface Mail {
  readonly to: string
  readonly about: "team-invitation" | "confirm-address" | "confirm-notifications"
  /** What a team invitation is accepted with. */
  readonly code?: string
}

export class Mailbox {
  readonly #sent: Mail[] = []
  #isDown = false

  /** While mail cannot be sent, what needs it is refused, and was done all the same. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown
  }

  send(mail: Mail): void {
    if (this.#isDown) {
      throw message("Could not send email. Please contact an administrator and report this problem.")
    }
    this.#sent.push(mail)
  }

  /** The oldest first. */
  sent(): readonly Mail[] {
    return [...this.#sent]
  }
}
