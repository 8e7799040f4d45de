/**
 * quaymaster.yaml: the registries by name, what to read if nothing is named, and the plugins. Secrets stand in it by
 * reference only; reading them and loading plugins are not done here.
 */
import { stat } from "node:fs/promises"
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path"
import { defaultPolicy, type Path, type Policy, secretRef } from "@quaymaster/engine"
import { type Static, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { Checker } from "./check.ts"
import { loadFile, SETTINGS_FILE } from "./files.ts"
import { jsonSchema } from "./json-schema.ts"
import { about, ConfigError, didYouMean, type Located, quote, Report } from "./problem.ts"
import { type Known, NAME, NAMED, parseUrl, type Registry } from "./registry.ts"
import { ruleOf } from "./rule.ts"
import { documentsOf, type TextSource } from "./source.ts"
import { suggestion } from "./suggest.ts"
import { locate } from "./tree.ts"

const closed = { additionalProperties: false }

const path = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))

const registrySchema = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      description: "Where the registry is, such as https://quay.example.com; sim: or sim:PATH simulates one."
    }),
    token: Type.Optional(secretRef),
    ca: path("A PEM file with certificates to trust beside the system's."),
    cert: path("A PEM file with the client's certificate."),
    key: path("A PEM file with the key of the client's certificate."),
    verify: Type.Optional(Type.Boolean({ default: true, description: "Whether the server's certificate is checked." })),
    parallelism: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 256, description: "How many requests may be under way at once." })
    ),
    rps: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "How many requests may start in a second." })),
    timeout: Type.Optional(
      Type.String({
        pattern: "^[1-9][0-9]{0,5}(ms|s|m)$",
        description: "How long one request may take.",
        "x-rule": "a time such as 30s, 500ms or 2m"
      })
    ),
    proxy: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Literal(false), secretRef], {
        description:
          "The proxy's URL, as a reference if it has a user in it; false for none, whatever the environment says.",
        writeOnly: true,
        "x-rule": "a URL, { env: NAME }, { file: PATH } or false"
      })
    )
  },
  { ...closed, description: "A registry and how to reach it." }
)

/** From how much on the guard speaks up. */
const thresholds = {
  share: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 100,
      default: defaultPolicy.share,
      description: "A plan that deletes more than so many percent of a collection is blocked."
    })
  ),
  of: Type.Optional(
    Type.Integer({
      minimum: 1,
      default: defaultPolicy.of,
      description: "How many objects a collection has at least for that."
    })
  ),
  empties: Type.Optional(
    Type.Integer({
      minimum: 1,
      default: defaultPolicy.empties,
      description: "A plan that empties a collection of at least so many objects is blocked."
    })
  )
}

const guardSchema = Type.Object(
  {
    ...thresholds,
    kinds: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(thresholds, { ...closed, description: "What is different for this kind." }),
        { description: "Other thresholds for some kinds, by name: team-member." }
      )
    ),
    administrators: Type.Optional(
      Type.Object(
        {
          required: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              uniqueItems: true,
              description: "Users who have to administer every organization whose administrators files manage."
            })
          ),
          at_least: Type.Optional(
            Type.Integer({ minimum: 1, description: "How many users have to administer each of them." })
          )
        },
        { ...closed, description: "A plan after which these are missing is blocked, whatever is allowed." }
      )
    )
  },
  { ...closed, description: "What the guard blocks until a flag allows just that." }
)

/** What quaymaster.yaml may say. */
export const settingsSchema = Type.Object(
  {
    registries: Type.Optional(
      Type.Record(Type.String({ pattern: NAME }), registrySchema, {
        ...closed,
        description: "The registries, by the names that files and the command line use.",
        "x-names": "letters, digits, dots, dashes and underscores, a letter or digit first"
      })
    ),
    default: Type.Optional(
      Type.String({
        minLength: 1,
        description: "The registry of files that name none, if the command line names none."
      })
    ),
    sources: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        uniqueItems: true,
        description: "The files, directories and globs to read if the command line names none."
      })
    ),
    plugins: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        uniqueItems: true,
        description: "Modules that bring kinds: paths that start with a dot or a slash, or packages."
      })
    ),
    guard: Type.Optional(guardSchema)
  },
  { ...closed, title: "quaymaster.yaml", description: "Names the registries, and says what to read." }
)

/** What quaymaster.yaml says, with every path resolved. */
export interface Settings extends Known {
  /** The file, as messages show it; undefined if there is none. */
  readonly file: string | undefined
  /** Where packages of plugins are looked up: the file's directory, else the working directory. */
  readonly directory: string
  readonly registries: ReadonlyMap<string, Registry>
  /** Relative to the working directory where they lie in it, absolute otherwise. */
  readonly sources: ReadonlyArray<string>
  /** Absolute paths, and names of packages. */
  readonly plugins: ReadonlyArray<string>
  readonly policy: Policy
  /** The kinds that it names, each with the place, for whoever knows which kinds there are. */
  readonly kinds: ReadonlyMap<string, Omit<Located, "message">>
}

/** What a file that says nothing comes to. */
const nothing = (file: string | undefined, directory: string): Settings => ({
  file,
  directory,
  registries: new Map(),
  sources: [],
  plugins: [],
  policy: defaultPolicy,
  kinds: new Map()
})

/** The JSON Schema of quaymaster.yaml, for editors. */
export const settingsFileSchema = () => ({
  $schema: "http://json-schema.org/draft-07/schema#",
  ...jsonSchema(settingsSchema)
})

export interface SettingsOptions {
  readonly cwd: string
  /** The file to read. Without it, the nearest quaymaster.yaml is taken, from `cwd` upwards; there need be none. */
  readonly path?: string
  readonly signal?: AbortSignal
}

/**
 * Finds and reads quaymaster.yaml. Where there is none, nothing is named and nothing said.
 * @throws {ConfigError} if the file that was asked for cannot be read, or with every mistake in it.
 */
export const loadSettings = async ({ cwd, path, signal }: SettingsOptions): Promise<Settings> => {
  const name = path ?? (await findSettings(cwd))
  if (name === undefined) return nothing(undefined, resolve(cwd))
  const loaded = await loadFile(name, signal === undefined ? { cwd } : { cwd, signal })
  if ("problem" in loaded) throw new ConfigError([loaded.problem])
  return decodeSettings(loaded.source, cwd)
}

/** The nearest quaymaster.yaml at or above a directory, relative to it. */
const findSettings = async (cwd: string): Promise<string | undefined> => {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const file = join(directory, SETTINGS_FILE)
    const info = await stat(file).catch(() => undefined)
    if (info?.isFile() === true) return relative(resolve(cwd), file).split(sep).join("/")
    if (dirname(directory) === directory) return undefined
  }
}

/**
 * Decodes the text of quaymaster.yaml. `source.directory` is what its paths are relative to.
 * @throws {ConfigError} with every mistake in it.
 */
export const decodeSettings = (source: TextSource, cwd: string): Settings => {
  const report = new Report()
  const file = source.name
  const directory = source.directory ?? resolve(cwd)
  const [document, second] = documentsOf(source, report)
  if (second !== undefined)
    report.at(file, second.root.at, [], `${SETTINGS_FILE} is one document, and a second starts here`)
  if (document === undefined) {
    report.settle()
    return nothing(file, directory)
  }
  const { root } = document
  const value = new Checker(file, report).document(root, ruleOf(settingsSchema, SETTINGS_FILE))?.value
  const at = (where: Path) => locate(root, undefined, where).tree.at
  const complain = (where: Path, text: string, hint?: string) => report.at(file, at(where), where, text, hint)
  const settings = Value.Check(settingsSchema, value) ? value : {}
  const registries = new Map<string, Registry>()
  for (const [name, it] of Object.entries(settings.registries ?? {})) {
    const parsed = parseUrl(it.url, directory)
    if ("fault" in parsed) complain(["registries", name, "url"], parsed.fault)
    const proxyFault = typeof it.proxy === "string" ? proxyFaultOf(it.proxy) : undefined
    if (proxyFault !== undefined) complain(["registries", name, "proxy"], ...proxyFault)
    if ((it.cert === undefined) !== (it.key === undefined)) {
      const missing = it.cert === undefined ? "cert" : "key"
      const there = it.cert === undefined ? "key" : "cert"
      complain(["registries", name, there], `${there} needs ${missing} beside it`)
    }
    if ("url" in parsed) registries.set(name, registryOf(name, parsed.url, it, directory))
  }
  const chosen = settings.default
  const written = root.type === "map" ? root.entries.get("registries")?.value : undefined
  const names = written?.type === "map" ? [...written.entries.keys()] : []
  if (chosen !== undefined && !names.includes(chosen))
    complain(["default"], `no registry is named ${quote(chosen)}`, report.didYouMean(chosen, names) ?? listed(names))
  report.settle()
  const here = (it: string): string => {
    const absolute = resolve(directory, it)
    const near = relative(resolve(cwd), absolute)
    return near.startsWith("..") || isAbsolute(near) ? absolute : near === "" ? "." : near
  }
  return {
    file,
    directory,
    registries,
    ...(chosen === undefined ? {} : { default: chosen }),
    sources: (settings.sources ?? []).map(here),
    plugins: (settings.plugins ?? []).map((it) => (/^\.{0,2}\//.test(it) ? resolve(directory, it) : it)),
    policy: policyOf(settings.guard),
    kinds: new Map(
      Object.keys(settings.guard?.kinds ?? {}).map((kind) => {
        const path = ["guard", "kinds", kind]
        return [kind, { file, path, ...at(path) }]
      })
    )
  }
}

const policyOf = ({ administrators, ...said }: Static<typeof guardSchema> = {}): Policy => ({
  ...defaultPolicy,
  ...said,
  ...(administrators === undefined
    ? {}
    : { administrators: { required: administrators.required ?? [], atLeast: administrators.at_least ?? 0 } })
})

/** The mistakes of settings that name kinds which are not there. */
export const strangeKinds = (
  settings: Settings,
  kinds: ReadonlyArray<{ readonly kind: string }>
): ReadonlyArray<Located> => {
  const known = kinds.map(({ kind }) => kind)
  return [...settings.kinds].flatMap(([kind, place]) => {
    if (known.includes(kind)) return []
    const hint = didYouMean(suggestion(kind, known))
    const message = about(place.path, `there is no kind named ${quote(kind)}`)
    return [{ ...place, message, ...(hint === undefined ? {} : { hint }) }]
  })
}

const listed = (names: ReadonlyArray<string>): string =>
  names.length === 0
    ? "registries names none"
    : `named here: ${names.map((name) => (NAMED.test(name) ? name : quote(name))).join(", ")}`

const proxyFaultOf = (text: string): readonly [fault: string, hint?: string] | undefined => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    return ["should be a URL that starts with http:// or https://, or false"]
  if (url.username === "" && url.password === "") return undefined
  return ["has a user or a password in it", "put the whole URL elsewhere and write { env: NAME } or { file: PATH }"]
}

const registryOf = (name: string, url: string, said: Static<typeof registrySchema>, directory: string): Registry => {
  const { ca, cert, key, parallelism, proxy, rps, timeout, token, verify } = said
  const file = (it: string) => resolve(directory, it)
  return {
    name,
    url,
    verify: verify ?? true,
    ...(token === undefined ? {} : { token: "file" in token ? { file: file(token.file) } : token }),
    ...(ca === undefined ? {} : { ca: file(ca) }),
    ...(cert === undefined ? {} : { cert: file(cert) }),
    ...(key === undefined ? {} : { key: file(key) }),
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(rps === undefined ? {} : { rps }),
    ...(timeout === undefined ? {} : { timeout: milliseconds(timeout) }),
    ...(proxy === undefined
      ? {}
      : { proxy: typeof proxy === "object" && "file" in proxy ? { file: file(proxy.file) } : proxy })
  }
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000]
])

const milliseconds = (text: string): number =>
  Number.parseInt(text, 10) * (UNITS.get(text.replace(/^[0-9]+/, "")) ?? 1000)
