// A directory of people and groups in the place of an LDAP server: read from a few lines of JSON, changed by tests.
// Leaves out signing in, nested groups and attributes.
import { Reader, StateError } from "./json.ts"

/** Names of people are those of the directory: `Grace.Hill` signs in to Quay as `grace_hill`. */
export interface LdapOptions {
  /** `dc=example,dc=com` by default. */
  readonly baseDn?: string
  /** Members by group; the names of groups are relative to the base: `cn=dev,ou=groups`. */
  readonly groups?: { readonly [dn: string]: readonly string[] }
  /** E-mail addresses of people. Who is in a group only gets one at the base's domain. */
  readonly users?: { readonly [name: string]: string }
}

export interface Person {
  readonly name: string
  readonly email: string
}

/** Names are compared without case, and without the spaces around their parts. */
const normal = (dn: string): string =>
  dn
    .split(",")
    .map((piece) =>
      piece
        .split("=")
        .map((side) => side.trim().toLowerCase())
        .join("=")
    )
    .join(",")

export class Directory {
  readonly baseDn: string
  readonly #groups = new Map<string, readonly string[]>()
  readonly #people = new Map<string, Person>()
  #isDown = false

  constructor({ baseDn = "dc=example,dc=com", groups = {}, users = {} }: LdapOptions) {
    this.baseDn = baseDn
    for (const [name, email] of Object.entries(users)) this.#people.set(name.toLowerCase(), { name, email })
    for (const [dn, members] of Object.entries(groups)) this.setGroup(dn, members)
  }

  setGroup(dn: string, members: readonly string[]): void {
    for (const name of members) this.#add(name)
    this.#groups.set(normal(dn), [...members])
  }

  removeGroup(dn: string): void {
    this.#groups.delete(normal(dn))
  }

  /** A server that does not answer knows nobody and no group. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown
  }

  get isDown(): boolean {
    return this.#isDown
  }

  #add(name: string): void {
    if (this.#people.has(name.toLowerCase())) return
    const domain = [...this.baseDn.matchAll(/dc=([^,]+)/gi)].map(([, piece = ""]) => piece.trim()).join(".")
    this.#people.set(name.toLowerCase(), { name, email: `${name.toLowerCase()}@${domain || "example.com"}` })
  }

  /** The people in a group; nobody where there is no such group. */
  members(dn: string): readonly Person[] {
    const names = this.#isDown ? [] : (this.#groups.get(normal(dn)) ?? [])
    return names.flatMap((name) => this.#people.get(name.toLowerCase()) ?? [])
  }

  /** Someone by name or by address. */
  person(wanted: string): Person | undefined {
    if (this.#isDown) return undefined
    const key = wanted.toLowerCase()
    return this.#people.get(key) ?? [...this.#people.values()].find(({ email }) => email.toLowerCase() === key)
  }

  startingWith(prefix: string): readonly Person[] {
    if (this.#isDown) return []
    return [...this.#people.values()].filter(({ name }) => name.toLowerCase().startsWith(prefix.toLowerCase()))
  }
}

const text = (value: unknown, place: string): string => {
  if (typeof value !== "string") throw new StateError(place, "must be a text")
  return value
}

const members = (value: unknown, place: string): readonly string[] =>
  new Reader({ members: value }, place).texts("members")

/** Reads what a JSON file says of a directory; what is wrong is a StateError that names the place. */
export const readLdap = (value: unknown): LdapOptions => {
  const reader = new Reader(value, "")
  const baseDn = reader.text("baseDn", null)
  const options: LdapOptions = {
    ...(baseDn === null ? {} : { baseDn }),
    groups: Object.fromEntries(reader.map("groups", members)),
    users: Object.fromEntries(reader.map("users", text))
  }
  reader.end()
  return options
}
