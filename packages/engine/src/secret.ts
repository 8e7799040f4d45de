/**
 * References to secrets: files and plans say where a secret is, never what it is. A field with one is `writeOnly`: it is sent,
 * never told back, and not compared. Nothing here looks a secret up.
 */
import { type Static, type TSchema, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { isRecord } from "./json.ts"
import { isSchema } from "./schema.ts"

const HINT = "a secret stays out of the file: write { env: NAME } or { file: PATH }"

/** A reference to a secret: an environment variable, or a file whose text is the secret. */
export const secretRef = Type.Union(
  [
    Type.Object(
      {
        env: Type.String({
          pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
          description: "The environment variable that holds the secret.",
          writeOnly: true,
          "x-rule": "the name of an environment variable"
        })
      },
      { additionalProperties: false }
    ),
    Type.Object(
      { file: Type.String({ minLength: 1, description: "The file that holds the secret.", writeOnly: true }) },
      { additionalProperties: false }
    )
  ],
  { "x-rule": "{ env: NAME } or { file: PATH }", "x-hint": HINT, "x-secret": true, writeOnly: true }
)

export type SecretRef = Static<typeof secretRef>

const isSecretRef = (value: unknown): value is SecretRef => Value.Check(secretRef, value)

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Whether a reference may stand where the schema is asked for. */
const takesSecret = (schema: TSchema): boolean =>
  schema["x-secret"] === true || list(schema["anyOf"]).some((option) => isSchema(option) && takesSecret(option))

/** The references in a value, where its schema has room for them. */
export const secretsIn = (schema: TSchema, value: unknown): ReadonlyArray<SecretRef> => {
  if (isSecretRef(value) && takesSecret(schema)) return [value]
  if (Array.isArray(value)) {
    const items: unknown = schema["items"]
    return isSchema(items) ? value.flatMap((item) => secretsIn(items, item)) : []
  }
  const properties: unknown = schema["properties"]
  if (!isRecord(value) || !isRecord(properties)) return []
  return Object.keys(value).flatMap((key) => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined
    return isSchema(property) ? secretsIn(property, value[key]) : []
  })
}
