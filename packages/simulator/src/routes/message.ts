// Messages that superusers show to everyone.
import type { Call } from "../call.ts"
import { json, noContent, message as refusal } from "../errors.ts"
import { Reader } from "../json.ts"
import { uuid } from "../random.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { part } from "../state.ts"

const MEDIA_TYPES = ["text/plain", "text/markdown"]
const SEVERITIES = ["info", "warning", "error"]

interface Message {
  readonly uuid: string
  readonly content: string
  readonly severity: string
  readonly media_type: string
}

const NEW: Schema = {
  type: "object",
  properties: {
    message: {
      type: "object",
      required: ["content", "media_type", "severity"],
      properties: {
        content: { type: "string" },
        media_type: { type: "string", enum: MEDIA_TYPES },
        severity: { type: "string", enum: SEVERITIES }
      }
    }
  }
}

const readMessage = (value: unknown, place: string): Message => {
  const reader = new Reader(value, place)
  const shown: Message = {
    uuid: reader.text("uuid", ""),
    content: reader.text("content", ""),
    severity: reader.one("severity", SEVERITIES, "info"),
    media_type: reader.one("media_type", MEDIA_TYPES, "text/plain")
  }
  reader.end()
  return shown
}

const messages = part<Message[]>({
  owner: "registry",
  key: "messages",
  empty: () => [],
  read: (value, place) => new Reader({ messages: value }, place).list("messages", readMessage),
  write: (all) => (all.length === 0 ? undefined : all.map((one) => ({ ...one })))
})

/** Others than superusers are refused in the web framework's words. */
const onlySuperusers = ({ caller }: Call): void => {
  if (!caller.isSuperuser()) throw refusal("You don't have the permission to access the requested resource.", 403)
}

export const message: Kind = {
  name: "message",
  parts: [messages],
  routes: [
    {
      method: "GET",
      path: "/api/v1/messages",
      operation: "getGlobalMessages",
      features: ["SUPER_USERS"],
      handle: (call) => json(200, { messages: messages.of(call.state) })
    },
    {
      method: "POST",
      path: "/api/v1/messages",
      operation: "createGlobalMessage",
      scope: "super:user",
      features: ["SUPER_USERS"],
      body: { name: "CreateMessage", schema: NEW },
      handle: (call) => {
        onlySuperusers(call)
        const body = call.body.object("message")
        if (body !== undefined) {
          messages.of(call.state).push({
            uuid: uuid(call.registry.random),
            content: body.required("content"),
            severity: body.required("severity"),
            media_type: body.required("media_type")
          })
        }
        return { status: 201, headers: { "content-type": "text/html; charset=utf-8" }, body: "" }
      }
    },
    {
      method: "DELETE",
      path: "/api/v1/message/{uuid}",
      operation: "deleteGlobalMessage",
      scope: "super:user",
      features: ["SUPER_USERS"],
      handle: (call) => {
        onlySuperusers(call)
        messages.set(
          call.state,
          messages.of(call.state).filter(({ uuid }) => uuid !== call.parameter("uuid"))
        )
        return noContent()
      }
    }
  ]
}
