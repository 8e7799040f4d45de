/** What follows from the kinds is what the kinds say: the published schemas, and the reference page. */
import { readFile } from "node:fs/promises"
import { basename } from "node:path"
import { expect, test } from "vitest"
import { generated } from "../src/generated.ts"

const files = (await generated()).map(({ file, text }) => ({ name: basename(file.pathname), file, text }))

test.each(files)("$name: if this fails, run pnpm generate", async ({ file, text }) => {
  expect(await readFile(file, "utf8")).toBe(text)
})
