/**
 * The kind through the library: given as one of `kinds`, its operations are in the plan beside the built-in ones, with their
 * types.
 *
 *   node main.ts [REGISTRY]
 */
import { apply, plan } from "quaymaster"
import { pullSecret } from "./pull-secret.ts"

const registry = process.argv[2] ?? "sim:"
const options = { files: ["orgs"], registry, kinds: [pullSecret] }

const planned = await plan(options)
for (const operation of planned.targets.flatMap((target) => target.operations)) {
  // `kind` and `action` tell the type of `after`: here the kind's own fields, as its schema has them.
  if (operation.kind === "acme.pull-secret" && operation.action !== "delete")
    console.log(`credentials of ${operation.after.robot} go to ${operation.after.file}`)
  else console.log(operation.id)
}
const report = await apply(planned, { registry, kinds: [pullSecret] })
console.log(`apply: ${report.outcome}`)
if (report.outcome !== "applied") process.exitCode = 4
const left = await plan(options)
console.log(`left to do: ${left.targets.flatMap((target) => target.operations).length}`)
