/**
 * User accounts, where superusers administer them: that one exists, its address, and whether it can be used. Passwords are
 * never managed, and nobody is made a superuser here. Facts: Quay makes up a password for a new user; it refuses to change or
 * delete superusers; without an address given it shows an id of its own instead.
 */
import { collectionDocument, type World } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import { paginate, type SuperuserUser } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { item, userNames } from "./names.ts"
import { ask, once, pages, type Quay } from "./quay.ts"
import { THE_REGISTRY } from "./registry.ts"
import type { Right } from "./rights.ts"

const schema = item({
  name: Type.String(),
  email: Type.Optional(Type.String()),
  enabled: Type.Optional(Type.Boolean()),
  /** Whether the registry's configuration names the user as a superuser. Never declared. */
  superuser: Type.Optional(Type.Boolean())
})

export type UserAccount = Static<typeof schema>

const node = Type.Record(
  Type.String({ pattern: userNames.pattern }),
  Type.Object(
    {
      email: Type.Optional(
        Type.String({
          pattern: "^[^@\\s]+@[^@\\s]+$",
          "x-rule": "an e-mail address",
          description: "The user's address. No two users have the same."
        })
      ),
      enabled: Type.Optional(Type.Boolean({ description: "Whether the account can be used. A new one can." }))
    },
    { additionalProperties: false }
  ),
  {
    additionalProperties: false,
    "x-names": userNames.description,
    description: "User accounts, by name. Others are kept, unless `prune: [users]` says otherwise."
  }
)

/** A user account that something is said of. Not everybody who is there is in a file; what names them goes with them. */
export const userRef = (name: string) => ({
  kind: "user",
  key: name,
  parent: THE_REGISTRY,
  cascades: true,
  orThere: true
})

/** An address, or nothing where Quay shows an id in its place. */
const addressOf = (email: string | null): string => (email?.includes("@") === true ? email : "")

const fromView = ({ email, enabled, super_user, username }: SuperuserUser): UserAccount => ({
  name: username,
  email: addressOf(email),
  enabled,
  ...(super_user ? { superuser: true } : {})
})

const change = (username: string, body: { readonly email?: string; readonly enabled?: boolean }) =>
  ask((client, signal) =>
    client.PUT("/api/v1/superuser/users/{username}", { params: { path: { username } }, body, signal })
  )

const differs = (item: UserAccount, before: UserAccount): boolean =>
  (item.email !== undefined && item.email !== before.email) ||
  (item.enabled !== undefined && item.enabled !== before.enabled)

/** Another user who has, or shall have, the same address. */
const namesake = ({ email, name }: UserAccount, world: World): string | undefined => {
  const others = world.collection({ kind: "user", parent: THE_REGISTRY })
  const other = others.find((it) => it["email"] === email && it["name"] !== name)
  return typeof other?.["name"] === "string" ? other["name"] : undefined
}

export const user: Kind<"user", typeof schema, ReadError, Quay> = {
  kind: "user",
  scopes: ["super:user"],
  schema,
  identity: ["name", "superuser"],
  key: ({ name }) => name,
  rights: ({ email }, action): ReadonlyArray<Right> =>
    action === "create" && email === undefined ? ["leave out addresses"] : [],
  collection: () => ({ parent: THE_REGISTRY }),
  // The registry's configuration says who is a superuser; Quay neither changes nor deletes one.
  implicit: ({ superuser }) => superuser === true,
  extras: "keep",
  destroys: "data",
  setAfterwards: ["enabled"],
  requires: { feature: "SUPER_USERS", operation: "createInstallUser" },
  refuses: (item, before, world) => {
    if (before?.superuser === true && differs(item, before))
      return `${item.name} is a superuser, and Quay changes no superuser. Leave out what is to differ.`
    const other = item.email === undefined ? undefined : namesake(item, world)
    return other === undefined
      ? undefined
      : `${other} has the address ${item.email}, and Quay gives it to one user only.`
  },
  notices: ({ name }, before) =>
    before === undefined
      ? [`Quay makes up a password for ${name} that nobody is shown: it has to be reset, by mail or by a superuser.`]
      : [],
  section: collectionDocument({
    name: "users",
    owns: THE_REGISTRY,
    description: "User accounts of the registry. Only superusers can change them; passwords are not managed.",
    node,
    read: (users) => Object.entries(users).map(([name, entry]) => ({ item: { name, ...entry }, path: [name] })),
    write: (items) =>
      Object.fromEntries(
        items.map(({ email, enabled, name }) => [
          name,
          { ...(email === undefined || email === "" ? {} : { email }), ...(enabled === false ? { enabled } : {}) }
        ])
      )
  }),

  list: () =>
    Effect.map(
      pages((run) =>
        paginate({
          path: "/api/v1/superuser/users/",
          page: (next) =>
            run((client, signal) =>
              client.GET("/api/v1/superuser/users/", { params: { query: { limit: 100, ...next } }, signal })
            ),
          items: (page) => page.users,
          key: (it) => it.username
        })
      ),
      (users) => users.map(fromView)
    ),
  create: ({ email, enabled, name }) =>
    Effect.gen(function* () {
      // The answer has the password that Quay made up, so nothing is kept of it.
      yield* once((client, signal) =>
        client.POST("/api/v1/superuser/users/", {
          body: { username: name, ...(email === undefined ? {} : { email }) },
          signal
        })
      )
      if (enabled === false) yield* change(name, { enabled })
    }),
  update: ({ email, enabled, name }, _before, changes) => {
    const fields = new Set(changes.map(({ field }) => field))
    return Effect.asVoid(
      change(name, {
        ...(fields.has("email") && email !== undefined ? { email } : {}),
        ...(fields.has("enabled") && enabled !== undefined ? { enabled } : {})
      })
    )
  },
  delete: ({ name }) =>
    Effect.asVoid(
      ask((client, signal) =>
        client.DELETE("/api/v1/superuser/users/{username}", { params: { path: { username: name } }, signal })
      )
    )
}
