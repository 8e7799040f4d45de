// What a user is told on their own page: invitations into teams. They stay when the invitation is taken back.
import type { Call } from "../call.ts"
import { json, notFound } from "../errors.ts"
import { Reader } from "../json.ts"
import { uuid } from "../random.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { part, type State } from "../state.ts"
import { mailDate } from "../views.ts"

const LIMIT = 5

interface Invited {
  readonly code: string
  readonly inviter: string
  readonly org: string
  readonly team: string
}

interface Note {
  readonly id: string
  readonly created: string
  readonly invited: Invited
  dismissed: boolean
}

const readNote = (value: unknown, place: string): Note => {
  const reader = new Reader(value, place)
  const invited = new Reader(reader.raw("invited"), reader.at("invited"))
  const note: Note = {
    id: reader.text("id", ""),
    created: reader.text("created", ""),
    invited: {
      code: invited.text("code", ""),
      inviter: invited.text("inviter", ""),
      org: invited.text("org", ""),
      team: invited.text("team", "")
    },
    dismissed: reader.flag("dismissed", false)
  }
  invited.end()
  reader.end()
  return note
}

/** The oldest first. */
const notes = part<Note[]>({
  owner: "user",
  key: "inbox",
  empty: () => [],
  read: (value, place) => new Reader({ inbox: value }, place).list("inbox", readNote),
  write: (all) => (all.length === 0 ? undefined : all.map((note) => ({ ...note, invited: { ...note.invited } })))
})

export const notifyInvited = (call: Call, name: string, invited: Invited): void => {
  const user = call.state.users.get(name)
  if (user === undefined) return
  const created = new Date(call.registry.now()).toISOString()
  notes.of(user).push({ id: uuid(call.registry.random), created, invited, dismissed: false })
}

/** Takes away what is about one organization. */
export const dismissInvitations = (state: State, name: string, organization: string): void => {
  const user = state.users.get(name)
  if (user === undefined) return
  notes.set(
    user,
    notes.of(user).filter(({ invited }) => invited.org !== organization)
  )
}

const view = ({ id, created, invited, dismissed }: Note) => ({
  id,
  organization: null,
  kind: "org_team_invite",
  created: mailDate(created),
  metadata: invited,
  dismissed
})

const mine = (call: Call): Note[] => {
  const user = call.state.users.get(call.caller.user ?? "")
  return user === undefined ? [] : notes.of(user)
}

const found = (call: Call): Note => {
  const note = mine(call).find(({ id }) => id === call.parameter("uuid"))
  if (note === undefined) throw notFound()
  return note
}

const UPDATE: Schema = { type: "object", properties: { dismissed: { type: "boolean" } } }
const ALL = "/api/v1/user/notifications"
const shared = {
  internal: true,
  scope: "user:admin",
  guard: ({ caller }: Call) => caller.require(caller.adminsUser())
} as const

export const inbox: Kind = {
  name: "inbox",
  parts: [notes],
  routes: [
    {
      ...shared,
      method: "GET",
      path: ALL,
      operation: "listUserNotifications",
      handle: (call) => {
        const limit = call.queryNumber("limit") ?? LIMIT
        const from = (call.queryNumber("page") ?? 0) * limit
        const shown = mine(call)
          .filter(({ dismissed }) => !dismissed)
          .toReversed()
        return json(200, {
          notifications: shown.slice(from, from + limit).map(view),
          additional: shown.length > from + limit
        })
      }
    },
    {
      ...shared,
      method: "GET",
      path: `${ALL}/{uuid}`,
      operation: "getUserNotification",
      handle: (call) => json(200, view(found(call)))
    },
    {
      ...shared,
      method: "PUT",
      path: `${ALL}/{uuid}`,
      operation: "updateUserNotification",
      body: { name: "UpdateNotification", schema: UPDATE },
      handle: (call) => {
        const note = found(call)
        note.dismissed = call.body.flag("dismissed") ?? note.dismissed
        return json(200, view(note))
      }
    }
  ]
}
