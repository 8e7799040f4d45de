// What the simulator's tests share: a registry with a superuser and a plain user, and short requests to it.
import { createSimulator, type Scope, type Simulator, type SimulatorOptions, seededRandom } from "../src/index.ts"

export const ORIGIN = "http://quay.example.com"

export interface Answer {
  readonly status: number
  readonly type: string
  readonly headers: Headers
  readonly text: string
  /** The JSON, or undefined where it is none. */
  readonly json: unknown
}

export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const sender =
  (fetch: Simulator["fetch"], token: string | undefined, origin = ORIGIN): Send =>
  async (method, path, body, headers = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
    const text = await response.text()
    const type = response.headers.get("content-type") ?? ""
    return { status: response.status, type, headers: response.headers, text, json: parsed(text) }
  }

/** A registry in which `admin` is a superuser and `bob` is not. */
export const house = (options: SimulatorOptions = {}) => {
  const simulator = createSimulator({
    random: seededRandom("house"),
    ...options,
    users: [{ name: "admin", superuser: true }, { name: "bob" }, ...(options.users ?? [])]
  })
  const as = (user: string, ...scopes: Scope[]): Send =>
    sender(simulator.fetch, simulator.addToken({ user, ...(scopes.length === 0 ? {} : { scopes }) }))
  return { simulator, as, admin: as("admin"), bob: as("bob"), nobody: sender(simulator.fetch, undefined) }
}

/** One value deep inside JSON. */
export const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return undefined
    return Object.entries(inner).find(([name]) => name === String(key))?.[1]
  }, value)

export const names = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).map((item) => String(at(item, "name"))).sort()
