/**
 * Addresses: where the registry is, and paths with their parameters filled in.
 */
/** What is wrong with a client's options or with a path's parameters. No request was made. */
export class OptionError extends Error {
  readonly _tag = "OptionError"
  override readonly name = "OptionError"
}

/**
 * The base of all requests, without a trailing slash. `url` may have a path, with or without a slash at its end; a path that
 * ends in `/api/v1` is taken as the registry's own.
 */
export const baseOf = (url: string): URL => {
  const base = URL.parse(url)
  if (base === null) throw new OptionError("The registry's URL is no URL: it looks like https://quay.example.com")
  if (base.protocol !== "https:" && base.protocol !== "http:")
    throw new OptionError(`The registry's URL starts with http:// or https://, not with ${base.protocol}//`)
  if (base.username !== "" || base.password !== "")
    throw new OptionError("The registry's URL holds a user or a password: give a token instead")
  if (base.search !== "" || base.hash !== "") throw new OptionError("The registry's URL has a query or a fragment")
  base.pathname = base.pathname.replace(/\/+$/, "").replace(/\/api\/v1$/, "")
  return base
}

/** A base as text, for putting a path behind it. */
export const textOf = (base: URL): string => base.href.replace(/\/+$/, "")

/**
 * Fills in a path. `{repository}` keeps its slashes, which Quay needs and proxies pass on, unless `encodeSlash` is set. What
 * would lead to another route (an empty value, `.`, `..`, a slash elsewhere), and half a character, is refused, before anything is sent.
 */
export const fillPath = (template: string, values: Readonly<Record<string, unknown>>, encodeSlash: boolean): string =>
  template.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    const text = typeof value === "string" || typeof value === "number" ? String(value) : ""
    const segments = name === "repository" ? text.split("/") : [text]
    if (
      segments.some(
        (part) => part === "" || part === "." || part === ".." || part.includes("/") || !part.isWellFormed()
      )
    )
      throw new OptionError(`${name} cannot be ${JSON.stringify(text)} in ${template}`)
    return segments.map(encodeURIComponent).join(encodeSlash ? "%2F" : "/")
  })
