// What Quay says when it refuses: five shapes of error body, and HTML pages. Leaves out when; the routes know that.

export interface Reply {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

const JSON_TYPE = { "content-type": "application/json" }
const HTML_TYPE = { "content-type": "text/html; charset=utf-8" }

export const json = (status: number, value: unknown): Reply => ({
  status,
  headers: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`
})

export const noContent = (): Reply => ({ status: 204, headers: JSON_TYPE, body: "" })

/** An answer that is not a success. The origin is needed because one shape of body names the server. */
export class Refusal extends Error {
  override readonly name = "Refusal"
  readonly reply: (origin: string) => Reply
  constructor(summary: string, reply: (origin: string) => Reply) {
    super(summary)
    this.reply = reply
  }
}

type ErrorType =
  | "invalid_request"
  | "invalid_token"
  | "insufficient_scope"
  | "not_found"
  | "fresh_login_required"
  | "tag_immutable"

const apiError = (status: number, type: ErrorType, text: string, more: { readonly [key: string]: unknown } = {}) =>
  new Refusal(text, (origin) =>
    json(status, {
      ...more,
      detail: text,
      error_message: text,
      error_type: type,
      title: type,
      type: `${origin}/api/v1/error/${type}`,
      status
    })
  )

export const invalidRequest = (text: string, more: { readonly [key: string]: unknown } = {}): Refusal =>
  apiError(400, "invalid_request", text, more)
export const tagImmutable = (text: string): Refusal => apiError(409, "tag_immutable", text)
export const notFound = (): Refusal => apiError(404, "not_found", "Not Found")
export const needsAuthentication = (): Refusal => apiError(401, "invalid_token", "Requires authentication")
export const insufficientScope = (): Refusal => apiError(403, "insufficient_scope", "Unauthorized")

/** For what wants the password to have been given a short while ago. */
export const needsFreshLogin = (): Refusal =>
  apiError(401, "fresh_login_required", "The action requires a fresh login to succeed.")

/** A refusal with a body of its own. */
export const refused = (status: number, body: { readonly message: string; readonly [key: string]: unknown }): Refusal =>
  new Refusal(body.message, () => json(status, body))

/** The caller's own page says this much more. */
export const needsSession = (): Refusal =>
  apiError(401, "invalid_token", "Requires authentication", { session_required: false })

/** `{"message"}`: what the data model and the web framework say. */
export const message = (text: string, status = 400): Refusal => new Refusal(text, () => json(status, { message: text }))

/** `{"message": {parameter: …}}`: a query parameter of the wrong type. */
export const badParameter = (name: string, text: string): Refusal =>
  new Refusal(text, () => json(400, { message: { [name]: text } }))

/** `{"detail"}`: mirrors and repository states. */
export const detail = (status: number, text: string): Refusal => new Refusal(text, () => json(status, { detail: text }))

/** `{"error"}`, sent as HTML although it is JSON: a write without a token that is valid. */
export const csrf = (user?: string): Refusal =>
  new Refusal("csrf", () => ({
    status: 403,
    headers: HTML_TYPE,
    body: JSON.stringify({
      error: `CSRF token was invalid or missing.${user === undefined ? "" : ` (authorized: user ${user})`}`
    })
  }))

const page = (status: number, title: string, headers: { readonly [name: string]: string } = {}): Reply => ({
  status,
  headers: { ...HTML_TYPE, ...headers },
  body: `<!doctype html>\n<html lang=en>\n<title>${title}</title>\n<h1>${title}</h1>\n`
})

export const internalErrorPage = (): Reply => page(500, "Internal Server Error", { connection: "close" })
export const badGatewayPage = (): Reply => page(502, "502 Bad Gateway")
export const loginPage = (): Reply => page(200, "Sign in")
export const notFoundPage = (): Reply => page(404, "404 Not Found")
export const methodNotAllowedPage = (): Reply => page(405, "405 Method Not Allowed")
export const redirectPage = (location: string): Reply => page(308, "Redirecting...", { location })

/** What Quay did not foresee. */
export const internalError = (why: string): Refusal => new Refusal(why, internalErrorPage)

export const tooManyRequests = (retryAfter: number | string | undefined): Reply =>
  page(429, "429 Too Many Requests", retryAfter === undefined ? {} : { "retry-after": String(retryAfter) })

export const methodNotAllowed = (): Refusal => message("The method is not allowed for the requested URL.", 405)
export const unknownUrl = (): Refusal => message("The requested URL was not found on the server.", 404)
