// JSON from outside, read with types and without casts: a reader that names the place of what is wrong.
// Leaves out what the values mean; state.ts and the routes know that.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A state that cannot be read. `place` is the path to the value, such as `organizations.acme.teams.dev.role`. */
export class StateError extends Error {
  override readonly name = "StateError"
  readonly place: string
  readonly problem: string
  constructor(place: string, problem: string) {
    super(place === "" ? problem : `${place}: ${problem}`)
    this.place = place
    this.problem = problem
  }
}

export const isObject = (value: unknown): value is { [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const isJson = (value: unknown): value is Json => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true
  if (typeof value === "number") return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isJson)
  return isObject(value) && Object.values(value).every(isJson)
}

export const isOneOf = <const T extends string>(choices: readonly T[], value: unknown): value is T =>
  choices.some((choice) => choice === value)

export const fromMap = <T, U>(map: ReadonlyMap<string, T>, write: (item: T) => U): { [name: string]: U } =>
  Object.fromEntries([...map].map(([name, item]) => [name, write(item)]))

/** Reads one object, key by key; `end` refuses the keys that nobody asked for. */
export class Reader {
  readonly place: string
  readonly #value: { [key: string]: unknown }
  readonly #asked = new Set<string>()

  constructor(value: unknown, place: string) {
    if (!isObject(value)) throw new StateError(place, "must be an object")
    this.#value = value
    this.place = place
  }

  at(key: string): string {
    return this.place === "" ? key : `${this.place}.${key}`
  }

  raw(key: string): unknown {
    this.#asked.add(key)
    return Object.hasOwn(this.#value, key) ? this.#value[key] : undefined
  }

  text(key: string, absent: string): string
  text(key: string, absent: null): string | null
  text(key: string, absent: string | null): string | null {
    const value = this.raw(key)
    if (value === undefined || (value === null && absent === null)) return absent
    if (typeof value !== "string") throw new StateError(this.at(key), "must be a text")
    return value
  }

  number(key: string, absent: number): number {
    const value = this.raw(key)
    if (value === undefined) return absent
    if (typeof value !== "number") throw new StateError(this.at(key), "must be a number")
    return value
  }

  flag(key: string, absent: boolean): boolean {
    const value = this.raw(key)
    if (value === undefined) return absent
    if (typeof value !== "boolean") throw new StateError(this.at(key), "must be true or false")
    return value
  }

  one<const T extends string>(key: string, choices: readonly T[], absent?: T): T {
    const value = this.raw(key)
    if (value === undefined && absent !== undefined) return absent
    if (!isOneOf(choices, value)) throw new StateError(this.at(key), `must be one of ${choices.join(", ")}`)
    return value
  }

  json(key: string): Json | undefined {
    const value = this.raw(key)
    if (value !== undefined && !isJson(value)) throw new StateError(this.at(key), "must be JSON")
    return value
  }

  texts(key: string): string[] {
    return this.list(key, (value, place) => {
      if (typeof value !== "string") throw new StateError(place, "must be a text")
      return value
    })
  }

  list<T>(key: string, read: (value: unknown, place: string) => T): T[] {
    const value = this.raw(key)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw new StateError(this.at(key), "must be a list")
    return value.map((item, index) => read(item, `${this.at(key)}[${index}]`))
  }

  map<T>(key: string, read: (value: unknown, place: string) => T): Map<string, T> {
    const value = this.raw(key)
    if (value === undefined) return new Map()
    if (!isObject(value)) throw new StateError(this.at(key), "must be an object")
    return new Map(Object.entries(value).map(([name, item]) => [name, read(item, `${this.at(key)}.${name}`)]))
  }

  end(): void {
    for (const key of Object.keys(this.#value)) {
      if (!this.#asked.has(key)) throw new StateError(this.at(key), "is not a key of the simulator's state")
    }
  }
}
