/**
 * From a refused answer to the error that it means. Quay says 400 for what exists and for much that does not, and has five
 * shapes of body (see openapi/patches/03-errors.yaml), so the meaning of a text is looked up by operation. The texts were
 * seen in answers of releases 3.7 to 3.18 and of master. Leaves out answers that never came: transport.ts has those.
 */
import {
  DecodeError,
  Exists,
  FeatureOff,
  Forbidden,
  Invalid,
  Missing,
  type QuayError,
  type QuayErrorInfo,
  RateLimited,
  Redirected,
  ServerError,
  Unauthenticated
} from "./errors.ts"
import { operationFor } from "./operations.ts"

export interface Refusal {
  readonly method: string
  /** The path with its parameters in braces. */
  readonly path: string
  readonly status: number
  readonly headers: Headers
  /** The body: parsed if it was JSON, else its text. */
  readonly body: unknown
  /** Values that no message may show. */
  readonly secrets: readonly string[]
}

const exists: readonly (readonly [operations: RegExp, text: RegExp])[] = [
  [/^createOrganization$/, /name already exists/],
  [/^create(Org|User)Robot$/, /^Existing robot/],
  [/^createRepo$/, /^Repository already exists/],
  [/^updateOrganizationTeamMember$/, /is already a member of team/],
  [/^createInstallUser$/, /^Username has already been taken/],
  [/^create\w*Quota(Limit|SuperUser)?$/, /already exists/],
  [/^createOrgMirrorConfig$/, /already exists/],
  [/^createRepoMirrorConfig$/, /already exi(s)?ts/],
  [/^createProxyCacheConfig$/, /already exists/],
  [/^create(Org|Repository)ImmutabilityPolicy$/, /already exists/],
  [/^create(Organization|Repository|User)AutoPrunePolicy$/, /^Existing policy/]
]

const missing: readonly (readonly [operations: RegExp, text: RegExp])[] = [
  [/Robot|MirrorConfig$/, /^Could not find robot/],
  [/^(createOrgRobot|updateOrganizationTeam)$/, /^Organization does not exist/],
  [/^deleteOrganizationTeam$/, /is not a team in org/],
  [/^deleteOrganizationTeamMember$/, /does not belong to team/],
  [/^updateOrganizationTeamMember$/, /^Unknown user/],
  [/^change(User|Team)Permissions$/, /^(Invalid username|No team)/],
  [/^(get|delete)(User|Team)Permissions$/, /does not have permission for repo/],
  [/^createOrganizationPrototypePermission$/, /Unknown activating user|Missing delegate|Team does not exist/],
  [/^deleteRepoNotification$/, /^No repository notification found/],
  [/^createRepoNotification$/, /^Unknown (team|user|organization)/],
  [/^linkExternalUser$/, /^Username not found/]
]

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** The words of any of Quay's error bodies; undefined for a page or for nothing. */
export const wordsOf = (body: unknown): string | undefined => {
  if (!isRecord(body)) return undefined
  const { message } = body
  const parameters = isRecord(message)
    ? Object.entries(message)
        .map(([name, problem]) => `${name}: ${typeof problem === "string" ? problem : JSON.stringify(problem)}`)
        .join("; ")
    : undefined
  return text(body["error_message"]) ?? text(body["detail"]) ?? text(message) ?? text(parameters) ?? text(body["error"])
}

const SECRET_NAME = /password|secret|token|api_key/i

/** The strings in a request's body that must not be repeated: passwords, tokens, and where a notification is sent. */
export const secretsIn = (body: unknown, path = ""): string[] => {
  const found: string[] = []
  const walk = (value: unknown, secret: boolean): void => {
    if (typeof value === "string") {
      if (secret && value.length >= 3) found.push(value)
    } else if (Array.isArray(value)) for (const item of value) walk(item, secret)
    else if (isRecord(value))
      for (const [key, item] of Object.entries(value))
        walk(item, secret || SECRET_NAME.test(key) || (key === "url" && path.includes("notification")))
  }
  walk(body, false)
  return found
}

/** A secret as it stands in a text: itself, in JSON, in a URL, and packed as headers and Kubernetes do. */
const writtenForms = (secret: string): readonly string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret.toWellFormed()),
  Buffer.from(secret).toString("base64").replace(/=+$/, "")
]

/** The text with every secret replaced, in whichever form it is written. */
export const redact = (message: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret.length >= 3)
    .flatMap(writtenForms)
    .toSorted((a, b) => b.length - a.length)
    .reduce((result, secret) => result.replaceAll(secret, "<secret>"), message)

const LONGEST_WORDS = 2000

/** What a server says, as it may be repeated: without secrets, and not longer than anybody reads. */
const repeated = (said: string, secrets: readonly string[]): string => {
  const text = redact(said, secrets)
  return text.length <= LONGEST_WORDS ? text : `${text.slice(0, LONGEST_WORDS).toWellFormed()}…`
}

/** Nobody is made to wait longer for a next try, whatever a server says. In milliseconds. */
const LONGEST_WAIT = 5 * 60_000

/** `Retry-After` in milliseconds, at most five minutes: seconds or a date; undefined if there is none. */
export const retryAfterOf = (headers: Headers, now = Date.now()): number | undefined => {
  const value = headers.get("retry-after")
  if (value === null || value.trim() === "") return undefined
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.min(LONGEST_WAIT, Math.round(Number(value) * 1000))
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.min(LONGEST_WAIT, Math.max(0, date - now))
}

/** The address without user, query and fragment. */
const plainLocation = (location: string, base?: string): string => {
  const url = URL.parse(location, base)
  return url === null ? "an address that is no URL" : `${url.origin}${url.pathname}`
}

// What the framework under Quay says when Quay itself says nothing.
const SAYS_NOTHING =
  /^(Not Found|Unauthorized|Forbidden|Bad Request)$|^(The requested URL was not found|You don't have the permission to access|The browser \(or proxy\) sent)/

const has = (table: typeof exists, operation: string, words: string): boolean =>
  table.some(([operations, pattern]) => operations.test(operation) && pattern.test(words))

/** The error that a redirect means. A route that is not there redirects to itself with a slash. */
export const redirectOf = (refusal: Refusal, url: string): QuayError => {
  const { method, path, status, headers } = refusal
  const operation = operationFor(method, path)?.id
  const info: QuayErrorInfo = { method, path, operation, status }
  const location = repeated(plainLocation(headers.get("location") ?? "", url), refusal.secrets)
  const asked = plainLocation(url)
  if (location === `${asked}/`) return new FeatureOff(`This registry does not serve ${method} ${path}`, info)
  return new Redirected(`The registry points to ${location}, and redirects are not followed`, { ...info, location })
}

/** The error that an answer with a status of 300 or more means. */
export const problemOf = (refusal: Refusal): QuayError => {
  const { method, path, status, headers, body, secrets } = refusal
  const operation = operationFor(method, path)?.id
  const said = wordsOf(body)
  const page = said === undefined && !isRecord(body)
  const words = said === undefined || SAYS_NOTHING.test(said) ? undefined : repeated(said, secrets)
  const write = method !== "GET" && method !== "HEAD"
  const detail = isRecord(body) ? text(body["detail"]) : undefined
  const info: QuayErrorInfo = {
    method,
    path,
    operation,
    status,
    detail: detail === undefined ? undefined : repeated(detail, secrets),
    retryAfter: retryAfterOf(headers)
  }
  const subject = `${method} ${path}`
  switch (status) {
    case 400:
    case 409: {
      const name = operation ?? ""
      if (said !== undefined && words !== undefined) {
        if (has(exists, name, said)) return new Exists(words, info)
        if (has(missing, name, said)) return new Missing(words, info)
        // The invitation or the user is there when Quay finds that it cannot send the mail about it.
        if (/^Could not send email/.test(said)) return new Invalid(words, { ...info, mayHaveHappened: write })
        // A deleted organization keeps its name until it is collected; then it is free again.
        if (name === "createOrganization" && /^Username is not available/.test(said))
          return new Invalid(words, { ...info, transient: true })
      }
      return new Invalid(words ?? `Refused: ${subject}`, info)
    }
    case 401:
      return new Unauthenticated(words ?? "Nobody is signed in", info)
    case 403:
      // A write with a token that is not valid counts as a browser's, which would have a token of its session.
      return said !== undefined && /CSRF/.test(said)
        ? new Unauthenticated("The token is not valid or has expired", { ...info, detail: words })
        : new Forbidden(words ?? `Not allowed: ${subject}`, info)
    case 404:
      if (page) return new FeatureOff(`This registry does not serve ${subject}`, info)
      // What stands before the registry may say it in words of its own, and of something else.
      if (isRecord(body) && body["error_type"] !== "not_found" && words !== undefined)
        return new DecodeError(`Something else than the registry says that ${subject} is not found: ${words}`, info)
      return new Missing(words ?? `Not found: ${subject}`, info)
    case 405:
      return new FeatureOff(`This registry does not serve ${subject}`, info)
    case 429:
      return new RateLimited(words ?? "Too many requests", { ...info, transient: true })
    default:
      break
  }
  if (status < 500) return new Invalid(words ?? `Refused with status ${status}: ${subject}`, info)
  // A repository or a registry that is read only stays so until someone changes it.
  const readOnly = isRecord(body) && (body["is_readonly"] === true || /read only/i.test(said ?? ""))
  return new ServerError(words ?? `The server failed with status ${status}: ${subject}`, {
    ...info,
    // 500 is what Quay says to writes that can never work; the others come from what stands before it or behind it.
    transient: !readOnly && (!write || status !== 500),
    mayHaveHappened: write && status !== 503
  })
}
