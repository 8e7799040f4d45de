/**
 * Messages that everybody sees who opens the registry in a browser. Quay knows no name for one but a generated id, and cannot
 * change one; here a message is what it says, and one that is there several times is one. With another severity it is replaced.
 */
import { createHash } from "node:crypto"
import { byText, collectionDocument } from "@quaymaster/engine"
import type { Kind } from "@quaymaster/runtime"
import type { MessageView } from "@quaymaster/sdk"
import { type Static, Type } from "@sinclair/typebox"
import * as Effect from "effect/Effect"
import type { ReadError } from "./answers.ts"
import { item } from "./names.ts"
import { ask, once, type Quay } from "./quay.ts"
import { THE_REGISTRY } from "./registry.ts"

const severity = Type.Union([Type.Literal("info"), Type.Literal("warning"), Type.Literal("error")], {
  description: "How the message looks. Default info."
})
const mediaType = Type.Union([Type.Literal("text/plain"), Type.Literal("text/markdown")], {
  description: "Whether the message is plain text or Markdown. Default text/markdown."
})

const schema = item({
  content: Type.String(),
  severity,
  media_type: mediaType,
  /** Quay's ids: of the message, and of the same one again. Never declared. */
  uuid: Type.Optional(Type.String()),
  duplicates: Type.Optional(Type.Array(Type.String()))
})

export type GlobalMessage = Static<typeof schema>

const DEFAULTS = { severity: "info", media_type: "text/markdown" } as const

const node = Type.Array(
  Type.Object(
    {
      content: Type.String({ minLength: 1, description: "What the message says." }),
      severity: Type.Optional(severity),
      media_type: Type.Optional(mediaType)
    },
    { additionalProperties: false }
  ),
  { description: "The messages, in any order. Messages that are not here are removed." }
)

const MOST_SHOWN = 60

/** What the message says, if that is one short line; else its beginning, and what tells it from others that begin alike. */
const nameOf = (content: string): string => {
  if (content.length <= MOST_SHOWN && !/[\r\n]/.test(content)) return content
  const beginning = content.replace(/\s+/g, " ").slice(0, MOST_SHOWN).trimEnd()
  return `${beginning}… ${createHash("sha256").update(content).digest("hex").slice(0, 8)}`
}

/** Messages that say the same as one, the others as its duplicates; the same one whatever their order. */
const together = (views: ReadonlyArray<MessageView>): ReadonlyArray<GlobalMessage> => {
  const first = new Map<string, GlobalMessage>()
  for (const view of [...views].sort((a, b) => byText(a.uuid, b.uuid))) {
    const known = first.get(view.content)
    const duplicates = [...(known?.duplicates ?? []), view.uuid]
    first.set(view.content, known === undefined ? view : { ...known, duplicates })
  }
  return [...first.values()].map(({ content, duplicates, media_type, severity, uuid }) => ({
    content,
    severity,
    media_type,
    ...(uuid === undefined ? {} : { uuid }),
    ...(duplicates === undefined ? {} : { duplicates })
  }))
}

export const globalMessage: Kind<"global-message", typeof schema, ReadError, Quay> = {
  kind: "global-message",
  scopes: ["super:user"],
  schema,
  // Quay's ids are never compared: a message made anew is the same message.
  identity: ["content", "uuid", "duplicates"],
  key: ({ content }) => `messages/${nameOf(content)}`,
  collection: () => ({ parent: THE_REGISTRY }),
  extras: "remove",
  requires: { feature: "SUPER_USERS", operation: "createGlobalMessage" },
  diff: (before, after) =>
    before.duplicates === undefined || after.duplicates !== undefined
      ? []
      : [{ field: "duplicates", before: "several messages", after: "one message" }],
  section: collectionDocument({
    name: "messages",
    owns: THE_REGISTRY,
    description: "The messages that everybody sees in the registry's web interface. Only superusers can change them.",
    node,
    read: (messages) => messages.map((message, i) => ({ item: { ...DEFAULTS, ...message }, path: [i] })),
    write: (messages) =>
      messages.map(({ content, media_type, severity }) => ({
        content,
        ...(severity === DEFAULTS.severity ? {} : { severity }),
        ...(media_type === DEFAULTS.media_type ? {} : { media_type })
      }))
  }),

  list: () =>
    Effect.map(
      ask((client, signal) => client.GET("/api/v1/messages", { signal })),
      ({ messages }) => together(messages)
    ),
  duplicates: () => true,
  surplus: ({ content }, found) =>
    found.flatMap(({ uuid: _first, ...it }) => (it.content === content && it.duplicates !== undefined ? [it] : [])),
  create: ({ content, media_type, severity }) =>
    Effect.asVoid(
      once((client, signal) =>
        client.POST("/api/v1/messages", { body: { message: { content, media_type, severity } }, signal })
      )
    ),
  // The one that was read as the message goes last, so that what is left of a deletion that breaks off is still that message.
  delete: ({ duplicates, uuid }) =>
    Effect.forEach(
      [...(duplicates ?? []), ...(uuid === undefined ? [] : [uuid])],
      (id) =>
        ask((client, signal) => client.DELETE("/api/v1/message/{uuid}", { params: { path: { uuid: id } }, signal })),
      { concurrency: 1, discard: true }
    )
}
