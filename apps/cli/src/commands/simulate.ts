/** `quaymaster simulate`: a simulated Quay on a port, for rehearsals and other people's tests, until it is told to stop. */
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import * as Command from "effect/cli/Command"
import type { Features, LdapOptions, OpenOptions, Scope, Simulator } from "quaymaster/simulator"
import { ExitCode } from "../exit-code.ts"
import { showing, simulation } from "../flags.ts"
import type { Host } from "../host.ts"
import { CommandFailed, UsageError } from "../present/failure.ts"
import { ending } from "../session.ts"

const NAME = "quaymaster simulate"

export const simulateCommand = Command.make(
  "simulate",
  { ...simulation, color: showing.color, verbose: showing.verbose },
  (input) => ending(NAME, input, (host) => run(host, input))
).pipe(
  Command.withDescription(
    "Serve a simulated Quay until Ctrl-C. Its URL is the one line on stdout, printed when it answers.\n\n" +
      "  Once anybody is named, only who is named exists. What it holds is gone when it ends, unless --state keeps it\n" +
      "  in a file."
  ),
  Command.withShortDescription("Serve a simulated Quay"),
  Command.withExamples([
    { command: `${NAME} --superuser admin:TOKEN --user bob:TOKEN`, description: "On http://127.0.0.1:8080" },
    {
      command: `${NAME} --port 0 --token bob:LESS:repo:read,user:read`,
      description: "Any free port; a token that may only read"
    },
    { command: `${NAME} --state quay.json`, description: "Kept in a file, which sim:quay.json opens too" }
  ])
)

interface Input {
  readonly port: number
  readonly host: string
  readonly superuser: ReadonlyArray<string>
  readonly user: ReadonlyArray<string>
  readonly token: ReadonlyArray<string>
  readonly state: string | undefined
  readonly quay: string | undefined
  readonly mailing: boolean
  readonly ldap: string | undefined
  readonly feature: ReadonlyArray<string>
}

interface Account {
  readonly name: string
  readonly token: string
}

const accountOf = (flag: string, text: string): Account => {
  const [, name, token] = /^([^:]+):([^:]+)$/.exec(text) ?? []
  if (name === undefined || token === undefined) throw new UsageError(`${flag} should be NAME:TOKEN`)
  return { name, token }
}

const limitedOf = (text: string, scopes: ReadonlyArray<Scope>): Account & { readonly scopes: ReadonlyArray<Scope> } => {
  const [, name, token, list] = /^([^:]+):([^:]+):(.+)$/.exec(text) ?? []
  if (name === undefined || token === undefined || list === undefined)
    throw new UsageError("--token should be NAME:TOKEN:SCOPES, with commas between the scopes")
  const chosen = list.split(",").map((it) => {
    const scope = scopes.find((known) => known === it.trim())
    if (scope === undefined) throw new UsageError(`There is no scope ${it.trim()}. There are ${scopes.join(", ")}.`)
    return scope
  })
  return { name, token, scopes: chosen }
}

const featureOf = (text: string, known: Features): readonly [name: string, on: boolean] => {
  const [, name, value] = /^(?:FEATURE_)?([A-Z0-9_]+)=(true|false)$/.exec(text) ?? []
  if (name === undefined) throw new UsageError("--feature should be NAME=true or NAME=false, such as PROXY_CACHE=false")
  if (!Object.hasOwn(known, name)) throw new UsageError(`There is no feature ${name}.`)
  return [name, value === "true"]
}

const ADMIN = "admin"

const run = async (host: Host, input: Input): Promise<ExitCode> => {
  const { DEFAULT_FEATURES, SCOPES, serveSimulator } = await import("quaymaster/simulator")
  const superusers = input.superuser.map((text) => accountOf("--superuser", text))
  const users = input.user.map((text) => accountOf("--user", text))
  const limited = input.token.map((text) => limitedOf(text, SCOPES))
  const setup: OpenOptions = {
    features: Object.fromEntries(input.feature.map((text) => featureOf(text, DEFAULT_FEATURES))),
    ...(input.quay === undefined ? {} : { version: input.quay }),
    ...(input.mailing ? { mailing: true } : {}),
    ...(input.ldap === undefined ? {} : { ldap: await directory(host, input.ldap) })
  }
  await using kept = input.state === undefined ? undefined : await open(host, input.state, superusers, setup)
  const simulator = kept?.simulator ?? (await create(input, superusers, users, setup))
  for (const { name, token } of [...superusers, ...users]) simulator.addToken({ user: name, token })
  for (const { name, scopes, token } of limited) simulator.addToken({ user: name, token, scopes })
  const fresh = superusers.length > 0 ? undefined : (kept?.token ?? simulator.addToken({ user: ADMIN }))
  const stopped = new Promise<void>((end) => {
    const stop = host.onInterrupt(() => {
      stop()
      end()
    })
  })
  await using served = await serveSimulator(simulator, { port: input.port, host: input.host }).catch(
    (cause: unknown) => {
      throw new CommandFailed(
        `${cause instanceof Error ? cause.message : String(cause)}. Another --port may be free.`,
        {
          cause
        }
      )
    }
  )
  if (fresh !== undefined) host.stderr.write(`The superuser ${ADMIN} has the token ${fresh}\n`)
  host.stdout.write(`${served.url}\n`)
  await stopped
  return ExitCode.ok
}

const create = async (
  { superuser, token, user }: Input,
  superusers: ReadonlyArray<Account>,
  users: ReadonlyArray<Account>,
  setup: OpenOptions
): Promise<Simulator> => {
  const { createSimulator } = await import("quaymaster/simulator")
  return createSimulator({
    ...setup,
    users: [
      ...(superusers.length === 0 ? [{ name: ADMIN, superuser: true }] : []),
      ...superusers.map(({ name }) => ({ name, superuser: true })),
      // Where there is mail, an address counts when its owner has followed a link, and nobody here has.
      ...users.map(({ name }) => ({ name, verified: setup.mailing !== true }))
    ],
    // Who exists is said as soon as anybody is named.
    acceptAnyUser: [superuser, user, token].every((named) => named.length === 0)
  })
}

/** The directory that a JSON file describes. */
const directory = async (host: Host, file: string): Promise<LdapOptions> => {
  const { readLdap } = await import("quaymaster/simulator")
  const fail = (cause: unknown): never => {
    throw new CommandFailed(
      `${file} describes no directory: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause
      }
    )
  }
  const text = await readFile(resolve(host.cwd, file), "utf8").catch(fail)
  try {
    return readLdap(JSON.parse(text))
  } catch (cause) {
    return fail(cause)
  }
}

/** A registry that is kept in a file has the one superuser that `sim:` URLs have, so that they open it too. */
const open = async (host: Host, state: string, superusers: ReadonlyArray<Account>, setup: OpenOptions) => {
  if (superusers.some(({ name }) => name !== ADMIN))
    throw new UsageError(`With --state the superuser is ${ADMIN}: --superuser ${ADMIN}:TOKEN`)
  const { openSimulator, SimulatorFileError } = await import("quaymaster/simulator")
  return openSimulator(`sim:${resolve(host.cwd, state)}`, setup).catch((cause: unknown) => {
    throw cause instanceof SimulatorFileError ? new CommandFailed(cause.message, { cause }) : cause
  })
}
