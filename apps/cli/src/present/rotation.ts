/** A token that is made anew, for people and for programs: what stops working, and what became of it. */
import type { Delivery, Rotation, RotationReport } from "quaymaster"
import type { Style } from "./style.ts"
import { clean, counted, short } from "./text.ts"

const LONGEST = 100

const namesText = (what: string, names: ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  names === undefined || names.length === 0
    ? []
    : [short(`${counted(names.length, what, `${what.replace(/y$/, "ie")}s`)}: ${clean(names.join(", "))}`, LONGEST)]

const sinkText = ({ file, type }: Pick<Delivery, "type" | "file">): string => `${type} ${clean(file)}`

/** What a person should know before saying yes. */
export const rotationText = (rotation: Rotation, style: Style): string => {
  const { lastUsed, repositories, robot, sinks, teams, url } = rotation
  const opens = [...namesText("repository", repositories), ...namesText("team", teams)]
  const written = sinks.map(
    (sink) => `  ${sink.state === "missing" ? style.green("+") : style.yellow("~")} ${sinkText(sink)}`
  )
  return `${[
    `${style.bold(`robot ${clean(robot)}`)}  ${clean(url)}`,
    `  last used  ${lastUsed === undefined ? "never, as far as the registry tells" : clean(lastUsed)}`,
    ...(opens.length === 0 ? [] : [`  opens      ${opens.join("; ")}`]),
    "",
    "Its token is made anew. The old one stops working at once, wherever it is: in pipelines, in pull secrets of clusters,",
    "and where somebody has signed in with it.",
    ...(written.length === 0
      ? ["No file is declared for the new one: every copy has to be replaced by hand."]
      : ["The new one is written to", ...written, "Every other copy has to be replaced by hand."]),
    ...(sinks.some(({ type }) => type === "kubernetes_secret") ? ["A secret in a cluster is one of these."] : [])
  ].join("\n")}\n`
}

/** What became of it. `apply` is the command that delivers what was not. */
export const rotatedText = (report: RotationReport, style: Style, { apply }: { readonly apply: string }): string => {
  const { deliveries, outcome, reason, robot, token } = report
  if (outcome === "declined") return "Nothing was changed.\n"
  if (token === "unknown")
    return (
      `${style.bold(style.red("Not known:"))} Quay did not say whether the token of ${clean(robot)} is new ` +
      `(${clean(reason ?? "no answer")}).\nDeliver what it is now with  ${clean(apply)}\n`
    )
  const failed = deliveries.filter(({ error }) => error !== undefined)
  const lines = deliveries.map((delivery) =>
    delivery.error === undefined
      ? `${style.green("✓")} ${sinkText(delivery)}`
      : `${style.red("✗")} ${sinkText(delivery)}  ${clean(delivery.error)}`
  )
  const seen = token === "seen" ? " Quay's answer was lost, so it was looked up." : ""
  const written = deliveries.length - failed.length
  const delivered =
    deliveries.length === 0 ? "" : ` It was written to ${written} of ${counted(deliveries.length, "file")}.`
  return `${[
    ...lines,
    `The token of ${clean(robot)} is new.${seen}${delivered}`,
    ...(failed.length === 0 ? [] : [`Deliver the rest with  ${clean(apply)}`])
  ].join("\n")}\n`
}
