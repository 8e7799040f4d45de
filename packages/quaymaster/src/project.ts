/**
 * What is to be planned: organization files or values, with the settings that name registries, for a list of kinds. Nothing
 * is asked of a registry here, and every mistake is told before anything is.
 */
import {
  type Decoded,
  decode,
  loadFiles,
  loadSettings,
  type Registry,
  type Settings,
  type Source,
  type Sources
} from "@quaymaster/config"
import type { Kind } from "@quaymaster/runtime"

export interface ProjectOptions {
  /** Files, directories and globs. Default: the `sources` of quaymaster.yaml, unless `organizations` are given. */
  readonly files?: ReadonlyArray<string> | undefined
  /** Organizations as values, in the shape of a file's document. */
  readonly organizations?: ReadonlyArray<unknown> | undefined
  /** The quaymaster.yaml to use. Default: the nearest one, from `cwd` upwards. */
  readonly settings?: string | undefined
  /** A registry by the name that quaymaster.yaml gives it, or by URL. Default: what the files say, then `QUAY_URL`. */
  readonly registry?: string | undefined
  /** Where relative paths start. Default: the process's working directory. */
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Project<K extends Kind> extends Decoded<K> {
  readonly settings: Settings
}

/** The settings, with the registry of the environment as the default. */
export const settingsOf = async (options: ProjectOptions): Promise<Settings> => {
  const settings = await loadSettings({
    cwd: options.cwd ?? process.cwd(),
    ...(options.settings === undefined ? {} : { path: options.settings }),
    ...(options.signal === undefined ? {} : { signal: options.signal })
  })
  const url = (options.env ?? process.env)["QUAY_URL"]
  return url === undefined || url === "" ? settings : { ...settings, default: url }
}

/**
 * Loads and decodes.
 * @throws {ConfigError} with every mistake in the files.
 */
export const loadProject = async <K extends Kind>(
  kinds: ReadonlyArray<K>,
  options: ProjectOptions
): Promise<Project<K>> => {
  const cwd = options.cwd ?? process.cwd()
  const settings = await settingsOf(options)
  const values = (options.organizations ?? []).map((value, i): Source => ({ name: `organizations[${i}]`, value }))
  const inputs = options.files ?? (values.length === 0 ? settings.sources : [])
  const loaded: Sources = await loadFiles(inputs, {
    cwd,
    ...(options.signal === undefined ? {} : { signal: options.signal })
  })
  const sources = { files: [...loaded.files, ...values], problems: loaded.problems }
  const decoded = decode(kinds, sources, {
    settings,
    cwd,
    ...(options.registry === undefined ? {} : { registry: options.registry })
  })
  return { ...decoded, settings }
}

/** The registry that a plan's target names, as the settings know it now. */
export const registryOf = (settings: Settings, target: { readonly registry: string; readonly url: string }): Registry =>
  settings.registries.get(target.registry) ?? { name: target.registry, url: target.url, verify: true }
