/**
 * What is to be planned: organization files or values, with the settings that name registries, for a list of kinds. Nothing
 * is asked of a registry here, and every mistake is told before anything is.
 */
import {
  ConfigError,
  type Decoded,
  decode,
  loadFiles,
  loadSettings,
  parseUrl,
  type Registry,
  type Settings,
  type Source,
  type Sources,
  strangeKinds
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
  const cwd = options.cwd ?? process.cwd()
  const settings = await loadSettings({
    cwd,
    ...(options.settings === undefined ? {} : { path: options.settings }),
    ...(options.signal === undefined ? {} : { signal: options.signal })
  })
  const text = (options.env ?? process.env)["QUAY_URL"]
  if (text === undefined || text === "") return settings
  const url = addressOf(settings, text, cwd)
  if (url === undefined)
    throw new ConfigError([
      {
        file: "QUAY_URL",
        path: [],
        message: "is neither a URL nor a registry that quaymaster.yaml names",
        hint: "write a URL such as https://quay.example.com"
      }
    ])
  const known = [...settings.registries.values()].find((it) => it.name === text || it.url === url)
  if (known !== undefined) return { ...settings, default: known.name }
  const registries = new Map([...settings.registries, [url, { name: url, url, verify: true }]])
  return { ...settings, registries, default: url }
}

/** The files, directories and globs that are meant. */
export const inputsOf = ({ files, organizations = [] }: ProjectOptions, settings: Settings): ReadonlyArray<string> =>
  files ?? (organizations.length === 0 ? settings.sources : [])

/** The URL that a name or a URL stands for, in its one form; undefined if it is neither. */
const addressOf = (settings: Settings, text: string, cwd: string): string | undefined => {
  const named = settings.registries.get(text)
  if (named !== undefined) return named.url
  const parsed = parseUrl(text, cwd)
  return "url" in parsed ? parsed.url : undefined
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
  const loaded: Sources = await loadFiles(inputsOf(options, settings), {
    cwd,
    ...(options.signal === undefined ? {} : { signal: options.signal })
  })
  const sources = {
    files: [...loaded.files, ...values],
    problems: [...loaded.problems, ...strangeKinds(settings, kinds)]
  }
  const decoded = decode(kinds, sources, {
    settings,
    cwd,
    ...(options.registry === undefined ? {} : { registry: options.registry })
  })
  const { policy } = settings
  const targets = decoded.targets.map((target) => ({ ...target, desired: { ...target.desired, policy } }))
  return { ...decoded, targets, settings }
}

/** A plan is for another registry than the one that was said, or than the one that now has its name. */
export class PlanElsewhere extends Error {
  override readonly name = "PlanElsewhere"
  readonly _tag = "PlanElsewhere"
  readonly registry: string
  constructor(registry: string, message: string) {
    super(message)
    this.registry = registry
  }
}

/** What somebody said, unless a password could be in it. */
const sayable = (text: string): string => (/[@?#]/.test(text) && !text.startsWith("sim:") ? "what was said" : text)

/**
 * The registry that a plan's target names, as the settings know it now.
 * @throws {PlanElsewhere} if that name stands for another URL now, or `registry`, a name or a URL, for another registry.
 */
export const registryOf = (
  settings: Settings,
  target: { readonly registry: string; readonly url: string },
  options: Pick<ProjectOptions, "registry" | "cwd"> = {}
): Registry => {
  const known = settings.registries.get(target.registry)
  if (known !== undefined && known.url !== target.url)
    throw new PlanElsewhere(
      target.registry,
      `The plan is for ${target.url}, and ${settings.file ?? "the settings"} says that ${target.registry} is ${known.url}.`
    )
  const said = options.registry
  if (said !== undefined && addressOf(settings, said, options.cwd ?? process.cwd()) !== target.url)
    throw new PlanElsewhere(target.registry, `The plan is for ${target.url}, and not for ${sayable(said)}.`)
  return known ?? { name: target.registry, url: target.url, verify: true }
}
