/** Looking into schemas, whose parts TypeBox types as anything. */
import type { TSchema } from "@sinclair/typebox"
import { isRecord } from "./json.ts"

export const isSchema = (value: unknown): value is TSchema => isRecord(value)
