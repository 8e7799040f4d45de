// The names that Quay accepts, and how it says that it does not.

const NAMESPACE = /^([a-z0-9]+(?:[._-][a-z0-9]+)*)$/
const REPOSITORY = /^(?=.{0,255}$)[a-z0-9][.a-z0-9_-]*(?:\/[a-z0-9][.a-z0-9_-]*)*$/

/** What is wrong with the name of an organization, user, robot or team; undefined for a good one. */
export const namespaceProblem = (name: string, what = "Namespace"): string | undefined => {
  if (name.length < 2 || name.length > 255) return `${what} must be between 2 and 255 characters in length`
  return NAMESPACE.test(name) ? undefined : `Namespace must match expression ${NAMESPACE.source}`
}

export const isRepositoryName = (name: string, nested: boolean): boolean =>
  REPOSITORY.test(name) && (nested || !name.includes("/"))

export const isEmail = (text: string): boolean => /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text)

/** `acme+ci` is the robot `ci` of `acme`; undefined for a person's name. */
export const splitRobot = (name: string): { readonly namespace: string; readonly short: string } | undefined => {
  const plus = name.indexOf("+")
  return plus < 0 ? undefined : { namespace: name.slice(0, plus), short: name.slice(plus + 1) }
}
