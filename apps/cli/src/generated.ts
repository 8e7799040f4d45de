/** The files of the repository that follow from the kinds, with what should be in them. */
import { kindsReference } from "quaymaster"
import { type SchemaName, schemaText } from "./commands/schema.ts"

const root = new URL("../../../", import.meta.url)
const schemas: ReadonlyArray<SchemaName> = ["organization", "settings", "plan", "journal"]

export const generated = async (): Promise<ReadonlyArray<{ readonly file: URL; readonly text: string }>> => [
  ...(await Promise.all(
    schemas.map(async (name) => ({
      file: new URL(`packages/quaymaster/schemas/${name}.schema.json`, root),
      text: await schemaText(name)
    }))
  )),
  { file: new URL("docs/kinds.md", root), text: kindsReference() }
]
