/**
 * Credentials as other programs want them in a file, and read back: a robot account's for docker and its like, an application's
 * token for programs that speak to Quay's API. Only exactly what is written here is taken for ours: a file with anything else in
 * it belongs to somebody, and is never overwritten.
 */
import { isRecord } from "@quaymaster/engine"

export interface Credential {
  /** The registry as docker names it: `quay.example.com`. */
  readonly host: string
  /** `acme+ci` */
  readonly username: string
  readonly password: string
}

/** What stands beside a credential in a Kubernetes manifest. */
export interface Manifest {
  readonly name: string
  readonly namespace: string | undefined
}

export type Written = Credential & Partial<Manifest>

export interface Format {
  readonly write: (credential: Credential, manifest: Manifest) => string
  /** What a file says, or undefined if it was not written here. */
  readonly read: (text: string) => Written | undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON, so nothing that was written here.
    return undefined
  }
}

const decoded = (text: unknown): string | undefined => {
  if (typeof text !== "string") return undefined
  try {
    return atob(text)
  } catch {
    return undefined
  }
}

/** The value of an object with this one key. */
const only = (value: unknown, name?: string): readonly [key: string, value: unknown] | undefined => {
  const [first, second] = isRecord(value) ? Object.entries(value) : []
  return first === undefined || second !== undefined || (name !== undefined && first[0] !== name) ? undefined : first
}

const auths = ({ host, password, username }: Credential) => ({
  auths: { [host]: { auth: btoa(`${username}:${password}`) } }
})

const readAuths = (value: unknown): Credential | undefined => {
  const entry = only(only(value, "auths")?.[1])
  const auth = decoded(only(entry?.[1], "auth")?.[1])
  if (entry === undefined || auth === undefined) return undefined
  const end = auth.indexOf(":")
  return end < 0 ? undefined : { host: entry[0], username: auth.slice(0, end), password: auth.slice(end + 1) }
}

const dockerConfig: Format = {
  write: (credential) => `${JSON.stringify(auths(credential), null, 2)}\n`,
  read: (text) => readAuths(parsed(text))
}

const quoted = (text: string | undefined): string | undefined => {
  const value = text === undefined ? undefined : parsed(text)
  return typeof value === "string" ? value : undefined
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")

/** The manifest of a Kubernetes secret with just these keys. A text in JSON's quotes is the same text in YAML, whatever is in it. */
const secretOf = (type: string, keys: ReadonlyArray<string>) => {
  const pattern = new RegExp(
    [
      "^apiVersion: v1",
      "kind: Secret",
      "metadata:",
      '  name: (".*")',
      `(?:  namespace: (".*")\n)?type: ${escaped(type)}`,
      "data:",
      ...keys.map((key) => `  ${escaped(key)}: (".*")`),
      "$"
    ].join("\n")
  )
  return {
    write: (values: ReadonlyArray<string>, { name, namespace }: Manifest): string =>
      [
        "apiVersion: v1",
        "kind: Secret",
        "metadata:",
        `  name: ${JSON.stringify(name)}`,
        ...(namespace === undefined ? [] : [`  namespace: ${JSON.stringify(namespace)}`]),
        `type: ${type}`,
        "data:",
        ...keys.map((key, i) => `  ${key}: ${JSON.stringify(btoa(values[i] ?? ""))}`),
        ""
      ].join("\n"),
    read: (text: string): ({ readonly values: ReadonlyArray<string> } & Partial<Manifest>) | undefined => {
      const [, name, namespace, ...data] = pattern.exec(text) ?? []
      const values = data.map((it) => decoded(quoted(it))).filter((it) => it !== undefined)
      const [named, placed] = [quoted(name), quoted(namespace)]
      if (named === undefined || values.length < keys.length || (namespace !== undefined && placed === undefined))
        return undefined
      return { values, name: named, ...(placed === undefined ? {} : { namespace: placed }) }
    }
  }
}

/** Lines that set these variables, each to a text without line breaks. */
const linesOf = (names: ReadonlyArray<string>) => {
  const pattern = new RegExp(`^${names.map((name) => `${name}=(.+)\n`).join("")}$`)
  return {
    write: (values: ReadonlyArray<string>): string => names.map((name, i) => `${name}=${values[i] ?? ""}\n`).join(""),
    read: (text: string): ReadonlyArray<string> | undefined => pattern.exec(text)?.slice(1)
  }
}

const pullSecret = secretOf("kubernetes.io/dockerconfigjson", [".dockerconfigjson"])

const kubernetesSecret: Format = {
  write: (credential, manifest) => pullSecret.write([JSON.stringify(auths(credential))], manifest),
  read: (text) => {
    const { values, ...manifest } = pullSecret.read(text) ?? { values: [] }
    const credential = readAuths(parsed(values[0] ?? ""))
    return credential === undefined ? undefined : { ...credential, ...manifest }
  }
}

const credentialLines = linesOf(["QUAY_REGISTRY", "QUAY_USERNAME", "QUAY_PASSWORD"])

const envFile: Format = {
  write: ({ host, password, username }) => credentialLines.write([host, username, password]),
  read: (text) => {
    const [host, username, password] = credentialLines.read(text) ?? []
    return host === undefined || username === undefined || password === undefined
      ? undefined
      : { host, username, password }
  }
}

/** By the names that files use. */
export const formats = { docker_config: dockerConfig, kubernetes_secret: kubernetesSecret, env_file: envFile }

/** An application's token, and whose it is. */
export interface ApiToken {
  /** Its address: `application-token:acme/console/ci`. */
  readonly address: string
  /** Quay's id of it, which tells it from others that had the name before. */
  readonly id: string
  /** The registry. */
  readonly url: string
  readonly token: string
}

export interface TokenFormat {
  readonly write: (token: ApiToken, manifest: Manifest) => string
  /** What a file says, or undefined if it was not written here. */
  readonly read: (text: string) => (ApiToken & Partial<Manifest>) | undefined
}

/** What stands first in each file with a token: a comment to whoever reads it. */
const HEAD = /^# (application-token:.+) (\S+)\n/

/** A format of which the first line says whose token it is, of one for its URL and its value alone. */
const headed = (format: {
  readonly write: (values: ReadonlyArray<string>, manifest: Manifest) => string
  readonly read: (text: string) => ({ readonly values: ReadonlyArray<string> } & Partial<Manifest>) | undefined
}): TokenFormat => ({
  write: ({ address, id, token, url }, manifest) => `# ${address} ${id}\n${format.write([url, token], manifest)}`,
  read: (text) => {
    const [head = "", address, id] = HEAD.exec(text) ?? []
    const { values, ...manifest } = format.read(text.slice(head.length)) ?? { values: [] }
    const [url, token] = values
    if (address === undefined || id === undefined || url === undefined || token === undefined) return undefined
    return { address, id, url, token, ...manifest }
  }
})

const VARIABLES = ["QUAY_URL", "QUAY_TOKEN"]
const tokenLines = linesOf(VARIABLES)

/** By the names that files use. */
export const tokenFormats = {
  kubernetes_secret: headed(secretOf("Opaque", VARIABLES)),
  env_file: headed({
    write: (values) => tokenLines.write(values),
    read: (text) => {
      const values = tokenLines.read(text)
      return values === undefined ? undefined : { values }
    }
  })
}

/**
 * What a file says while a token is made whose value will be told once: whoever finds it knows that a token of the name, if there
 * is one, has a value that nobody was told.
 */
export const begun = ({ address, url }: Pick<ApiToken, "address" | "url">): string =>
  `# ${address} is being made at ${url}\n`

/** A name that Kubernetes takes, of another one. */
export const manifestName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, "-")
    .slice(0, 253)
    .replace(/[-.]+$/, "")
