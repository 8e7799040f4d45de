// What a token may not do beside administering organizations is told in the plan, with what it lacks, before anything is sent.
import { createSimulator, type Scope, type SimulatorOptions, serveSimulator } from "@quaymaster/simulator"
import { simulatedOnly, simulatorTest } from "@quaymaster/testing"
import { expect, test } from "vitest"
import { apply, PlanRefused, plan } from "../src/index.ts"

const EVERYTHING: ReadonlyArray<Scope> = ["org:admin", "repo:admin", "repo:create", "user:read"]
const COMPANY = { organization: "acme", email: "platform@acme.example" }
const QUOTA = { organization: "acme", quota: { limit: "50GiB", reject: 100 } }
const NESTED = { organization: "acme", repositories: { "vendor/alpine": {} } }

interface Setup extends Pick<SimulatorOptions, "features"> {
  readonly user?: string
  readonly scopes: ReadonlyArray<Scope>
  /** The organization is there. */
  readonly there?: boolean
}

/** Why the document cannot be planned, or undefined. */
const refusal = async (document: object, { features, scopes, there, user = "admin" }: Setup) => {
  const simulator = createSimulator({
    features: { SUPERUSERS_ORG_CREATION_ONLY: false, ...features },
    users: [{ name: "admin", superuser: true }, { name: "bob" }]
  })
  await using served = await serveSimulator(simulator)
  const whole = simulator.addToken({ user })
  const token = simulator.addToken({ user, scopes })
  const options = { registry: served.url, settings: undefined, env: {} }
  if (there === true) {
    const made = await plan({ ...options, organizations: [COMPANY], token: whole })
    expect((await apply(made, { ...options, token: whole })).outcome).toBe("applied")
  }
  const wanted = { ...options, organizations: [document], token }
  const failure = await plan(wanted).then(
    async (made) => {
      // What is planned can be done.
      expect((await apply(made, { ...options, token, allow: { destroy: ["quota=1"] } })).outcome).toBe("applied")
      return undefined
    },
    (error: unknown) => error
  )
  if (failure !== undefined) expect(failure).toBeInstanceOf(PlanRefused)
  return failure === undefined ? undefined : String(failure)
}

const creator = ["user:admin", ...EVERYTHING] as const
const superuser = ["super:user", ...EVERYTHING] as const

test.skipIf(simulatedOnly).each<readonly [what: string, document: object, setup: Setup, want: RegExp | undefined]>([
  ["creates an organization", COMPANY, { user: "bob", scopes: creator }, undefined],
  [
    "creates none without user:admin",
    COMPANY,
    { user: "bob", scopes: EVERYTHING },
    /organization acme cannot be created: the token lacks the scope user:admin/
  ],
  ["needs no user:admin for one that is there", COMPANY, { user: "bob", scopes: EVERYTHING, there: true }, undefined],
  [
    "creates none where only superusers may",
    COMPANY,
    { user: "bob", scopes: creator, features: { SUPERUSERS_ORG_CREATION_ONLY: true } },
    /FEATURE_SUPERUSERS_ORG_CREATION_ONLY\), and the token is not a superuser's, or lacks the scope super:user/
  ],
  [
    "creates one where only superusers may, as one",
    COMPANY,
    { scopes: ["super:user", ...creator], features: { SUPERUSERS_ORG_CREATION_ONLY: true } },
    undefined
  ],
  ["sets a quota as a superuser", QUOTA, { scopes: superuser, there: true }, undefined],
  [
    "sets none without super:user",
    QUOTA,
    { scopes: EVERYTHING, there: true },
    /quota acme cannot be created: only superusers may, and the token/
  ],
  ["sets none as another user", QUOTA, { user: "bob", scopes: superuser, there: true }, /only superusers may/],
  [
    "sets none where there are no superusers",
    QUOTA,
    { scopes: superuser, there: true, features: { SUPER_USERS: false } },
    /limit_bytes of quota acme: it is switched off there \(FEATURE_SUPER_USERS\)/
  ],
  [
    "sets none where superusers have no full access",
    QUOTA,
    { scopes: superuser, there: true, features: { SUPERUSERS_FULL_ACCESS: false } },
    /FEATURE_SUPERUSERS_FULL_ACCESS/
  ],
  ["names a repository with a slash", NESTED, { scopes: EVERYTHING, there: true }, undefined],
  [
    "names none where that is switched off",
    NESTED,
    { scopes: EVERYTHING, there: true, features: { EXTENDED_REPOSITORY_NAMES: false } },
    /repository acme\/vendor\/alpine cannot be created: .*FEATURE_EXTENDED_REPOSITORY_NAMES/
  ],
  ["makes an account without an address", { users: { erin: {} } }, { scopes: superuser }, undefined],
  [
    "makes none without an address where there is mail",
    { users: { erin: {} } },
    { scopes: superuser, features: { MAILING: true } },
    /user erin cannot be created: an account needs an e-mail address there/
  ],
  [
    "makes one with an address where there is mail",
    { users: { erin: { email: "erin@acme.example" } } },
    { scopes: superuser, features: { MAILING: true } },
    undefined
  ],
  [
    "says all that it may not at once",
    { ...COMPANY, quota: QUOTA.quota },
    { user: "bob", scopes: EVERYTHING },
    /organization acme.*\n.*quota acme/
  ]
])(simulatorTest("a token %s"), async (_, document, setup, want) => {
  const refused = await refusal(document, setup)
  if (want === undefined) expect(refused).toBeUndefined()
  else expect(refused).toMatch(want)
})
