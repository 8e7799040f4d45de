// Hosts that a registry does not ask: its own, those of private networks, and names that never resolve.
// Leaves out looking names up.
import { isIP, isIPv6 } from "node:net"
import { invalidRequest } from "./errors.ts"

const PRIVATE = [/^0\./, /^10\./, /^127\./, /^169\.254\./, /^172\.(1[6-9]|2\d|3[01])\./, /^192\.168\./]

/** The host of `registry.example.com:5000/some/where`, with or without a scheme. */
const hostOf = (reference: string): string => {
  const url = `https://${reference.replace(/^[a-z]+:\/\//i, "")}`
  return URL.canParse(url) ? new URL(url).hostname.toLowerCase() : ""
}

const isPrivate = (host: string): boolean => {
  const bare = host.replace(/^\[|\]$/g, "")
  if (isIPv6(bare)) return /^(::1?$|::ffff:|f[cd]|fe[89ab])/.test(bare)
  if (isIP(bare) !== 0) return PRIVATE.some((pattern) => pattern.test(bare))
  return bare === "" || /(^|\.)(localhost|invalid)$/.test(bare)
}

export const refusePrivateHost = (reference: string): void => {
  if (isPrivate(hostOf(reference))) throw invalidRequest("The host of the other registry is not allowed")
}
