/** `quaymaster`: all commands under one name. */
import * as Command from "effect/cli/Command"
import { applyCommand } from "./apply.ts"
import { explainCommand } from "./explain.ts"
import { exportCommand } from "./export.ts"
import { type Names, planCommand } from "./plan.ts"
import { robotCommand } from "./robot.ts"
import { schemaCommand } from "./schema.ts"
import { serviceKeysCommand } from "./service-keys.ts"
import { simulateCommand } from "./simulate.ts"
import { validateCommand } from "./validate.ts"

const names: Names = { plan: "quaymaster plan", apply: "quaymaster apply" }

export const quaymasterCommand = Command.make("quaymaster").pipe(
  Command.withDescription("Keep Quay registries the way files in Git say."),
  Command.withSubcommands([
    planCommand("plan", names),
    applyCommand("apply", names),
    validateCommand,
    exportCommand,
    robotCommand,
    serviceKeysCommand,
    simulateCommand,
    schemaCommand,
    explainCommand
  ]),
  Command.withExamples([
    { command: "quaymaster plan acme.yaml", description: "The same as quay-plan acme.yaml" },
    { command: "quaymaster apply acme.yaml", description: "The same as quay-apply acme.yaml" }
  ])
)
