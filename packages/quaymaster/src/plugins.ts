/** Kinds from modules that quaymaster.yaml names under `plugins`. */
import { createRequire } from "node:module"
import { isAbsolute, join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Settings } from "@quaymaster/config"
import { fieldOf } from "@quaymaster/engine"
import type { LibraryKind } from "@quaymaster/kinds"

/** A plugin could not be loaded, or is none. */
export class PluginFailed extends Error {
  override readonly name = "PluginFailed"
  readonly _tag = "PluginFailed"
  readonly plugin: string
  constructor(plugin: string, message: string, options?: ErrorOptions) {
    super(`The plugin ${plugin} ${message}`, options)
    this.plugin = plugin
  }
}

/**
 * The kinds of the plugins, in their order. A plugin's module exports, by default or as `kinds`, one kind or a list of them.
 * @throws {PluginFailed} if a module cannot be loaded or exports no kinds.
 */
export const loadPlugins = async (settings: Settings): Promise<ReadonlyArray<LibraryKind>> => {
  const kinds: Array<LibraryKind> = []
  for (const plugin of settings.plugins) kinds.push(...(await loadPlugin(plugin, settings.directory)))
  return kinds
}

const loadPlugin = async (plugin: string, directory: string): Promise<ReadonlyArray<LibraryKind>> => {
  const module: unknown = await importFrom(plugin, directory).catch((cause: unknown) => {
    throw new PluginFailed(plugin, `cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause
    })
  })
  const exported = fieldOf(module, "kinds") ?? fieldOf(module, "default")
  const kinds: ReadonlyArray<unknown> = Array.isArray(exported) ? exported : [exported]
  return kinds.map((kind) => {
    if (isKind(kind)) return kind
    throw new PluginFailed(
      plugin,
      "exports no kind. Export one made with defineKind, or a list of them, as the default."
    )
  })
}

const importFrom = (plugin: string, directory: string): Promise<unknown> =>
  import(pathToFileURL(isAbsolute(plugin) ? plugin : createRequire(join(directory, "plugin.js")).resolve(plugin)).href)

/** What a kind must have to be worked with. Whether its methods keep their promises shows when they are called. */
const isKind = (value: unknown): value is LibraryKind => {
  const section = fieldOf(value, "section")
  return (
    typeof fieldOf(value, "kind") === "string" &&
    typeof fieldOf(value, "schema") === "object" &&
    Array.isArray(fieldOf(value, "identity")) &&
    ["key", "collection", "list", "create"].every((name) => typeof fieldOf(value, name) === "function") &&
    typeof fieldOf(section, "under") === "string" &&
    typeof fieldOf(section, "name") === "string" &&
    ["schema", "read"].every((name) => typeof fieldOf(section, name) === "function")
  )
}
