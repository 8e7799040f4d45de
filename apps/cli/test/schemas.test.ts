/** The schemas that are published with the library are what the kinds say. */
import { readFile } from "node:fs/promises"
import { expect, test } from "vitest"
import { schemaText } from "../src/commands/schema.ts"

const folder = new URL("../../../packages/quaymaster/schemas/", import.meta.url)

test.each(["organization", "settings", "plan"] as const)("%s: if this fails, run pnpm generate", async (name) => {
  expect(await readFile(new URL(`${name}.schema.json`, folder), "utf8")).toBe(await schemaText(name))
})
