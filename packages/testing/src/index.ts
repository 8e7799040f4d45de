// Where tests that speak HTTP to Quay get a registry from: a simulator of their own, or a disposable real Quay when
// QUAY_TEST_URL and QUAY_TEST_TOKEN (a superuser's) name one. Leaves out clients; a test brings the one it tests.
import { randomBytes } from "node:crypto"
import { createSimulator, type Simulator, type SimulatorOptions, serveSimulator } from "@quaymaster/simulator"

export { comparable, registryState } from "./state.ts"

const URL_NAME = "QUAY_TEST_URL"
const TOKEN_NAME = "QUAY_TEST_TOKEN"
const CALLER = "admin"
/** Tests of one live registry may run side by side, so each one's names begin with something of its own. */
const PREFIX = "qt"

/** The live registry that the environment names, if it names one. */
const live = (): { readonly url: string; readonly token: string } | undefined => {
  const url = process.env[URL_NAME]
  const token = process.env[TOKEN_NAME]
  if (url === undefined || url === "") return undefined
  if (token === undefined || token === "") throw new TestRegistryError(`${URL_NAME} is set and ${TOKEN_NAME} is not`)
  return { url: url.replace(/\/+$/, ""), token }
}

/** Whether tests run against a real Quay. */
export const isLive = (): boolean => live() !== undefined

/**
 * Why a test cannot run live, for vitest's `skipIf`, and the name of such a test:
 * `test.skipIf(simulatedOnly)(simulatorTest("retries after a 502"), …)`.
 */
export const simulatedOnly: boolean = isLive()
export const simulatorTest = (name: string): string =>
  simulatedOnly ? `${name} (skipped: needs a simulator, and ${URL_NAME} names a real Quay)` : name

/** The registry cannot be used for tests, or refused what a test needs. */
export class TestRegistryError extends Error {
  override readonly name = "TestRegistryError"
}

export interface TestRegistry {
  readonly url: string
  /** A superuser's, with every scope. */
  readonly token: string
  /** The name of the token's user. */
  readonly caller: string
  readonly live: boolean
  /** What the names of this test's organizations and users begin with. */
  readonly prefix: string
  /** A name that Quay accepts and no other test has. */
  readonly name: (short: string) => string
  /** Makes a user and gives the name. */
  readonly user: (short: string) => Promise<string>
  /** One request with the token, for what a test sets up or looks at behind the back of what it tests. */
  readonly request: (method: string, path: string, body?: unknown) => Promise<Response>
  /** Only when not live: for faults, request counts and the state. */
  readonly simulator?: Simulator
  /** Removes the organizations and users of this test, and stops the simulator. */
  readonly cleanup: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

type Request = TestRegistry["request"]

const requester =
  (url: string, token: string): Request =>
  (method, path, body) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })

const isObject = (value: unknown): value is { [key: string]: unknown } => typeof value === "object" && value !== null

const field = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined

const answered = async (response: Response, what: string): Promise<unknown> => {
  const text = await response.text()
  if (!response.ok) throw new TestRegistryError(`${what} answered ${response.status}: ${text.slice(0, 200)}`)
  return text === "" ? undefined : JSON.parse(text)
}

/** Names from a superuser's list, which is whole without a limit. */
const listed = async (request: Request, what: "users" | "organizations"): Promise<string[]> => {
  const list = field(await answered(await request("GET", `/api/v1/superuser/${what}/`), what), what)
  const names = Array.isArray(list) ? list.map((item) => field(item, "name")) : []
  return names.filter((name) => typeof name === "string")
}

const remove = async (request: Request, prefix: string): Promise<void> => {
  // Organizations first: they may be all that a user is needed for.
  for (const what of ["organizations", "users"] as const) {
    for (const name of (await listed(request, what)).filter((one) => one.startsWith(prefix))) {
      const response = await request("DELETE", `/api/v1/superuser/${what}/${name}`)
      if (response.status !== 404) await answered(response, `deleting ${name}`)
      else await response.body?.cancel()
    }
  }
}

const build = (
  { url, token, caller, simulator }: Pick<TestRegistry, "url" | "token" | "caller" | "simulator">,
  prefix: string,
  stop: () => Promise<void>
): TestRegistry => {
  const request = requester(url, token)
  const name = (short: string) => `${prefix}${short.toLowerCase().replace(/[^a-z0-9]/g, "")}`
  const cleanup = async () => {
    try {
      // A simulator goes away with everything in it, and may be set up to fail every request by now.
      if (simulator === undefined) await remove(request, prefix)
    } finally {
      await stop()
    }
  }
  return {
    url,
    token,
    caller,
    live: simulator === undefined,
    prefix,
    name,
    user: async (short) => {
      const username = name(short)
      const body = { username, email: `${username}@example.com` }
      await answered(await request("POST", "/api/v1/superuser/users/", body), `making the user ${username}`)
      return username
    },
    request,
    ...(simulator === undefined ? {} : { simulator }),
    cleanup,
    [Symbol.asyncDispose]: cleanup
  }
}

const testPrefix = (): string => `${PREFIX}${randomBytes(4).toString("hex")}`

const liveRegistry = async (url: string, token: string): Promise<TestRegistry> => {
  const whoami = await answered(await requester(url, token)("GET", "/api/v1/user/"), "GET /api/v1/user/")
  const caller = field(whoami, "username")
  if (typeof caller !== "string" || field(whoami, "super_user") !== true) {
    throw new TestRegistryError(`${TOKEN_NAME} is not a superuser's`)
  }
  return build({ url, token, caller }, testPrefix(), async () => undefined)
}

/**
 * A registry for one test or one file of tests. The options are for the simulator; a test that relies on them says so
 * with `simulatedOnly`.
 */
export const testRegistry = async (options: SimulatorOptions = {}): Promise<TestRegistry> => {
  const real = live()
  if (real !== undefined) return liveRegistry(real.url, real.token)
  const simulator = createSimulator({
    ...options,
    users: [{ name: CALLER, superuser: true }, ...(options.users ?? [])]
  })
  const token = simulator.addToken({ user: CALLER })
  const served = await serveSimulator(simulator)
  return build({ url: served.url, token, caller: CALLER, simulator }, testPrefix(), served.close)
}
