/** `quaymaster schema`: the JSON Schemas of the files that people and programs write, for editors and checks. */
import * as Command from "effect/cli/Command"
import { ExitCode } from "../exit-code.ts"
import { project, schemaName, showing } from "../flags.ts"
import { ending, load } from "../session.ts"

export type SchemaName = "organization" | "settings" | "plan" | "journal"

const DRAFT = "http://json-schema.org/draft-07/schema#"

/** A schema's text. The same kinds give the same bytes. */
export const schemaText = async (
  name: SchemaName,
  kinds: Awaited<ReturnType<typeof load>>["kinds"] = []
): Promise<string> => {
  const { JournalLineSchema, organizationSchema, PlanSchema, settingsFileSchema } = await import("quaymaster")
  const schemas: Record<SchemaName, () => object> = {
    organization: () => organizationSchema(kinds),
    settings: settingsFileSchema,
    plan: () => ({ $schema: DRAFT, ...PlanSchema }),
    journal: () => ({ $schema: DRAFT, ...JournalLineSchema })
  }
  return `${JSON.stringify(schemas[name](), null, 2)}\n`
}

const NAME = "quaymaster schema"

export const schemaCommand = Command.make(
  "schema",
  { what: schemaName, settings: project.settings, color: showing.color, verbose: showing.verbose },
  ({ settings, what, ...input }) =>
    ending(NAME, input, async (host) => {
      // Plugins add sections to organization files, and to nothing else.
      const kinds = what === "organization" ? (await load(host, { settings })).kinds : []
      host.stdout.write(await schemaText(what, kinds))
      return ExitCode.ok
    })
).pipe(
  Command.withDescription(
    "Print the JSON Schema of organization files, of quaymaster.yaml, of plan files, or of a journal's lines.\n\n" +
      "  The sections of the plugins that quaymaster.yaml names are in it."
  ),
  Command.withShortDescription("Print a JSON Schema"),
  Command.withExamples([
    {
      command: `${NAME} > organization.schema.json`,
      description: "Then: # yaml-language-server: $schema=organization.schema.json"
    },
    { command: `${NAME} settings`, description: "Of quaymaster.yaml" }
  ])
)
