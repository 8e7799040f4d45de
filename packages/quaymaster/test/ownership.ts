// What a document leaves alone, told from the document and from two states of the registry alone: the part of an organization
// that nothing in the document owns is the same before and after, and what holds data, credentials or places is still there
// unless it is pruned. Nothing of kinds or of the planner is used here.
import { isDeepStrictEqual } from "node:util"
import type { Document } from "./organizations.ts"
import { settled } from "./world.ts"

type Fields = { readonly [key: string]: unknown }

const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const has = (owner: Fields, key: string): boolean => Object.hasOwn(owner, key)

/** Whether a name matches a pattern of a rule, in which `*` stands for any text. */
const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`
  ).test(name)

/** What the document says of a repository: its own entry and the rules that it is under, each with all of their sections. */
const saidOf = (document: Fields, name: string): ReadonlyArray<Fields> => {
  const own = fields(document["repositories"])
  const rules = list(document["repository_rules"]).map(fields)
  return [
    ...(has(own, name) ? [fields(own[name])] : []),
    ...rules.filter(
      (rule) => matches(String(rule["match"]), name) && !list(rule["except"]).some((it) => matches(String(it), name))
    )
  ]
}

/** Who is gone, wherever the name stood. */
interface Gone {
  readonly organization: string
  readonly robots: ReadonlySet<string>
  readonly teams: ReadonlySet<string>
}

const isRobot = (name: string): boolean => name.includes("+")

class Comparison {
  readonly faults: Array<string> = []
  readonly gone: Gone
  constructor(gone: Gone) {
    this.gone = gone
  }

  same(place: string, before: unknown, after: unknown): void {
    if (!isDeepStrictEqual(settled(before), settled(after)))
      this.faults.push(`${place} was ${JSON.stringify(before)} and is ${JSON.stringify(after)}`)
  }

  /** The same of some keys. */
  keys(place: string, before: Fields, after: Fields, keys: Iterable<string>): void {
    for (const key of keys) this.same(`${place}.${key}`, before[key], after[key])
  }

  isGone(name: string): boolean {
    const { organization, robots } = this.gone
    return isRobot(name) && robots.has(name.slice(organization.length + 1))
  }

  /** People, or robot accounts, or both: roles by name or names alone, without those that are gone for a reason. */
  names(place: string, before: unknown, after: unknown, which: (name: string) => boolean): void {
    const left = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.filter((name) => which(String(name)) && !this.isGone(String(name)))
        : Object.fromEntries(Object.entries(fields(value)).filter(([name]) => which(name) && !this.isGone(name)))
    this.same(place, left(before), left(after))
  }
}

/** The parts of an organization that stand in its document under a name of their own. */
const PARTS: ReadonlyArray<readonly [section: string, state: ReadonlyArray<string>]> = [
  ["email", ["email"]],
  ["tag_expiration", ["tag_expiration_s"]],
  ["invoice_email", ["invoice_email"]],
  ["invoice_email_address", ["invoice_email_address"]],
  ["quota", ["quota"]],
  ["proxy_cache", ["proxy_cache"]],
  ["mirror", ["mirror"]],
  ["auto_prune", ["auto_prune"]],
  ["immutability", ["immutability"]],
  ["applications", ["applications"]],
  ["notifications", ["notifications"]]
]

const REPOSITORY_PARTS = [
  ["description", "description"],
  ["visibility", "visibility"],
  ["auto_prune", "auto_prune"],
  ["immutability", "immutability"],
  ["notifications", "notifications"],
  ["trust", "trust_enabled"],
  ["triggers", "triggers"],
  ["mirror", "mirror"],
  ["state", "state"]
] as const

const goneFrom = (organization: string, before: Fields, after: Fields): Gone => {
  const missing = (section: string) =>
    new Set(Object.keys(fields(before[section])).filter((name) => !has(fields(after[section]), name)))
  return { organization, robots: missing("robots"), teams: missing("teams") }
}

/** What was done to an organization that is there before and after, and that its document does not allow: a line each. */
export const overreach = (document: Document, before: Fields, after: Fields): ReadonlyArray<string> => {
  const to = new Comparison(goneFrom(String(document["organization"]), before, after))
  const prunes = (section: string) => list(document["prune"]).includes(section)
  for (const [section, keys] of PARTS) {
    // Notifications of a quota go with it.
    const goesAlong = section === "notifications" && has(document, "quota")
    if (!has(document, section) && !goesAlong) to.keys("organization", before, after, keys)
  }
  compareTeams(to, document, fields(before["teams"]), fields(after["teams"]))
  compareRobots(to, document, fields(before["robots"]), fields(after["robots"]))
  if (!has(document, "default_permissions"))
    compareDefaults(to, before["default_permissions"], after["default_permissions"])
  compareRepositories(to, document, fields(before["repositories"]), fields(after["repositories"]))
  for (const section of ["teams", "robots", "repositories"]) {
    const [old, now, said] = [fields(before[section]), fields(after[section]), fields(document[section])]
    for (const name of Object.keys(old))
      if (!has(now, name) && (!prunes(section) || has(said, name))) to.faults.push(`${section}.${name} is gone`)
    for (const name of Object.keys(now))
      if (!has(old, name) && !has(said, name)) to.faults.push(`${section}.${name} was made`)
  }
  return to.faults
}

const compareTeams = (to: Comparison, document: Fields, before: Fields, after: Fields): void => {
  const said = fields(document["teams"])
  for (const name of Object.keys(before)) {
    if (!has(after, name)) continue
    const [old, now, entry] = [fields(before[name]), fields(after[name]), fields(said[name])]
    const members = fields(entry["members"])
    const place = `teams.${name}`
    const untouched = ["role", "description"].filter((field) => !has(entry, field))
    to.keys(place, old, now, untouched)
    if (!has(entry, "sync")) to.same(`${place}.synced`, old["synced"], now["synced"])
    if (!has(members, "users")) to.names(`${place}.members`, old["members"], now["members"], (it) => !isRobot(it))
    if (!has(members, "robots")) to.names(`${place}.members`, old["members"], now["members"], isRobot)
  }
}

const compareRobots = (to: Comparison, document: Fields, before: Fields, after: Fields): void => {
  const said = fields(document["robots"])
  for (const name of Object.keys(before)) {
    if (!has(after, name)) continue
    const [old, now, entry] = [fields(before[name]), fields(after[name]), fields(said[name])]
    // A token that changed is one that somebody uses no more.
    if (old["token"] !== now["token"]) to.faults.push(`robots.${name} has another token`)
    to.keys(`robots.${name}`, old, now, ["description", "unstructured_metadata"])
    if (!has(entry, "federation")) to.same(`robots.${name}.federation`, old["federation"], now["federation"])
  }
}

const compareDefaults = (to: Comparison, before: unknown, after: unknown): void => {
  const left = list(before).filter((rule) => {
    const { kind, name } = fields(fields(rule)["delegate"])
    return kind === "team" ? !to.gone.teams.has(String(name)) : !to.isGone(String(name))
  })
  to.same("default_permissions", left, after)
}

const compareRepositories = (to: Comparison, document: Fields, before: Fields, after: Fields): void => {
  for (const name of Object.keys(before)) {
    if (!has(after, name)) continue
    const [old, now, said] = [fields(before[name]), fields(after[name]), saidOf(document, name)]
    const place = `repositories.${name}`
    const says = (section: string) => said.some((entry) => has(entry, section))
    // To make a mirror changes the state of its repository, and what its robot account may do.
    const mirrors = said.some((entry) => has(fields(entry["mirror"]), "source"))
    for (const [section, key] of REPOSITORY_PARTS)
      if (!says(section) && !(section === "state" && mirrors)) to.same(`${place}.${key}`, old[key], now[key])
    const [granted, grants] = [fields(old["permissions"]), fields(now["permissions"])]
    const shares = said.map((entry) => fields(entry["permissions"]))
    const owns = (part: string) => shares.some((share) => has(share, part))
    if (!owns("users")) to.names(`${place}.users`, granted["users"], grants["users"], (it) => !isRobot(it))
    if (!owns("robots") && !mirrors) to.names(`${place}.robots`, granted["users"], grants["users"], isRobot)
    if (!owns("teams")) to.names(`${place}.teams`, granted["teams"], grants["teams"], (it) => !to.gone.teams.has(it))
  }
}
