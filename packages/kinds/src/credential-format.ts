/**
 * A robot account's credential as other programs want it in a file, and read back. Only exactly what is written here is taken
 * for ours: a file with anything else in it belongs to somebody, and is never overwritten.
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

const MANIFEST = new RegExp(
  [
    "^apiVersion: v1",
    "kind: Secret",
    "metadata:",
    '  name: (?<name>".*")',
    '(?:  namespace: (?<namespace>".*")\n)?type: kubernetes\\.io/dockerconfigjson',
    "data:",
    '  \\.dockerconfigjson: (?<data>".*")',
    "$"
  ].join("\n")
)

const quoted = (text: string | undefined): string | undefined => {
  const value = text === undefined ? undefined : parsed(text)
  return typeof value === "string" ? value : undefined
}

// A text in JSON's quotes is the same text in YAML, whatever is in it.
const kubernetesSecret: Format = {
  write: (credential, { name, namespace }) =>
    [
      "apiVersion: v1",
      "kind: Secret",
      "metadata:",
      `  name: ${JSON.stringify(name)}`,
      ...(namespace === undefined ? [] : [`  namespace: ${JSON.stringify(namespace)}`]),
      "type: kubernetes.io/dockerconfigjson",
      "data:",
      `  .dockerconfigjson: ${JSON.stringify(btoa(JSON.stringify(auths(credential))))}`,
      ""
    ].join("\n"),
  read: (text) => {
    const { data, name, namespace } = MANIFEST.exec(text)?.groups ?? {}
    const credential = readAuths(parsed(decoded(quoted(data)) ?? ""))
    const [named, placed] = [quoted(name), quoted(namespace)]
    if (credential === undefined || named === undefined || (namespace !== undefined && placed === undefined))
      return undefined
    return { ...credential, name: named, ...(placed === undefined ? {} : { namespace: placed }) }
  }
}

const ENV = /^QUAY_REGISTRY=(.+)\nQUAY_USERNAME=(.+)\nQUAY_PASSWORD=(.+)\n$/

const envFile: Format = {
  write: ({ host, password, username }) =>
    `QUAY_REGISTRY=${host}\nQUAY_USERNAME=${username}\nQUAY_PASSWORD=${password}\n`,
  read: (text) => {
    const [, host, username, password] = ENV.exec(text) ?? []
    return host === undefined || username === undefined || password === undefined
      ? undefined
      : { host, username, password }
  }
}

/** By the names that files use. */
export const formats = { docker_config: dockerConfig, kubernetes_secret: kubernetesSecret, env_file: envFile }

/** A name that Kubernetes takes, of a robot account's. */
export const manifestName = (username: string): string =>
  username
    .replace(/[^a-z0-9.-]/g, "-")
    .slice(0, 253)
    .replace(/[-.]+$/, "")
