/** Service keys in columns, for people. Pure. */
import type { ServiceKey } from "quaymaster"
import type { Style } from "./style.ts"
import { clean, padded, width } from "./text.ts"

const day = (time: string | null): string => time?.slice(0, 10) ?? "never"

export const serviceKeysText = (keys: ReadonlyArray<ServiceKey>, style: Style): string => {
  if (keys.length === 0) return "There are no service keys.\n"
  const head = ["service", "key", "state", "expires", "name"]
  const rows = keys.map(({ expires, kid, name, service, state }) =>
    [service, kid, state, day(expires), name].map((text) => clean(text))
  )
  const widths = head.map((text, i) => Math.max(...[text, ...rows.map((row) => row[i] ?? "")].map(width)))
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((text, i) => padded(text, widths[i] ?? 0))
      .join("  ")
      .trimEnd()
  const lines = rows.map((row, i) => (keys[i]?.state === "approved" ? line(row) : style.yellow(line(row))))
  return `${[style.bold(line(head)), ...lines].join("\n")}\n`
}
