/** What was checked, where nothing is wrong. */
import type { ValidTarget } from "quaymaster"
import type { Style } from "./style.ts"
import { clean, counted } from "./text.ts"

const MOST_FILES = 20

export const validText = (
  targets: ReadonlyArray<ValidTarget>,
  style: Style,
  { verbose }: { readonly verbose: boolean }
): string => {
  const lines = targets.flatMap(({ collections, files, objects, registry, url }) => {
    const where = registry === url ? clean(url) : `${clean(registry)}  ${clean(url)}`
    const shown = verbose ? files : files.slice(0, MOST_FILES)
    const more = files.length - shown.length
    return [
      style.bold(where),
      ...shown.map((file) => `  ${clean(file)}`),
      ...(more > 0 ? [style.dim(`  and ${more} more; -v lists them`)] : []),
      style.dim(`  ${counted(objects, "object")} in ${counted(collections, "collection")}`),
      ""
    ]
  })
  const files = new Set(targets.flatMap((target) => target.files)).size
  const registries = counted(targets.length, "registry", "registries")
  return `${[...lines, `${style.green("Valid.")} ${counted(files, "file")} for ${registries}. Nothing was asked of a registry.`].join("\n")}\n`
}
