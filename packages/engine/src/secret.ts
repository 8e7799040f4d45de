/**
 * References to secrets: files and plans say where a secret is, never what it is. A field with one is `writeOnly`: it is sent,
 * never told back, and not compared. Nothing here looks a secret up.
 */
import { type Static, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"

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
  { "x-rule": "{ env: NAME } or { file: PATH }", "x-hint": HINT, writeOnly: true }
)

export type SecretRef = Static<typeof secretRef>

export const isSecretRef = (value: unknown): value is SecretRef => Value.Check(secretRef, value)
