/** Colours, or none. Who presents says what a text means; whether that shows is decided here. */

export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
}

const same = (text: string): string => text

export const plain: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same }

const wrap =
  (code: number, end: number) =>
  (text: string): string =>
    text === "" ? "" : `\u001b[${code}m${text}\u001b[${end}m`

export const coloured: Style = {
  bold: wrap(1, 22),
  dim: wrap(2, 22),
  red: wrap(31, 39),
  green: wrap(32, 39),
  yellow: wrap(33, 39),
  cyan: wrap(36, 39)
}

export type ColorChoice = "auto" | "always" | "never"

/** `auto` is colour on a terminal, unless `NO_COLOR` says otherwise or the terminal is a dumb one. */
export const styleOf = (
  choice: ColorChoice,
  output: { readonly isTerminal: boolean },
  env: Readonly<Record<string, string | undefined>>
): Style => {
  if (choice !== "auto") return choice === "always" ? coloured : plain
  const wanted = (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb"
  return output.isTerminal && wanted ? coloured : plain
}
