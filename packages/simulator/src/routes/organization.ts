// Organizations: create, view, change, delete. Leaves out who is in them (member.ts) and superusers' lists (superuser.ts).
import { avatar, teamAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { invalidRequest, json, message, noContent } from "../errors.ts"
import { isAmong, tagExpirationSeconds } from "../features.ts"
import { fromMap, type Json } from "../json.ts"
import { isEmail, namespaceProblem } from "../names.ts"
import type { Kind, Since } from "../router.ts"
import type { Schema } from "../schema.ts"
import type { Organization } from "../state.ts"
import { quotaView } from "../views.ts"

const NEW = (since: Since): Schema => ({
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string" },
    email: { type: "string" },
    ...(since("3.18") ? { contact_email: { type: "string" } } : {}),
    recaptcha_response: { type: "string" }
  }
})

const UPDATE = (since: Since): Schema => ({
  type: "object",
  properties: {
    email: { type: "string" },
    ...(since("3.18") ? { contact_email: { type: ["string", "null"] } } : {}),
    invoice_email: { type: "boolean" },
    invoice_email_address: { type: ["string", "null"] },
    tag_expiration_s: { type: "integer", minimum: 0 }
  }
})

const visibleEmail = (call: Call, organization: Organization): string =>
  organization.email ?? (call.since("3.18") ? "" : organization.uuid)

/** Quay hides from outsiders that there are teams at all. */
const view = (call: Call, name: string, organization: Organization, seesSynced = true) => {
  const { state } = call
  const caller = call.caller.shown()
  const isAdmin = caller.administers(name)
  const isMember = caller.isMember(name)
  const readsEmail = caller.readsEmail(name)
  const teams = () => ({
    teams: fromMap(
      new Map([...organization.teams].map(([team, item]) => [team, { team, item }])),
      ({ team, item }) => ({
        name: team,
        description: item.description,
        role: item.role,
        avatar: teamAvatar(team),
        can_view: caller.viewsTeam(name, team),
        repo_count: [...organization.repositories.values()].filter(({ permissions }) => permissions.teams.has(team))
          .length,
        member_count: [...item.members].filter((member) => state.isUser(member)).length,
        is_synced: seesSynced && item.synced !== null
      })
    ),
    ordered_teams: [...organization.teams.keys()]
  })
  return {
    name,
    email: readsEmail ? visibleEmail(call, organization) : "",
    avatar: avatar("user", name, organization.email ?? organization.uuid),
    is_admin: isAdmin,
    is_member: isMember,
    ...(isMember ? teams() : {}),
    ...(isAdmin
      ? {
          invoice_email: organization.invoice_email,
          invoice_email_address: organization.invoice_email_address,
          tag_expiration_s: organization.tag_expiration_s,
          is_free_account: true
        }
      : {}),
    ...(isAdmin || (isMember && !readsEmail && call.since("3.12")) ? quotaView(call, name) : {})
  }
}

/** Before 3.18 an address was anyone's only once, and never looked at closely. */
const isTaken = ({ state }: Call, email: string, name: string): boolean =>
  [...state.organizations, ...state.users].some(([other, namespace]) => other !== name && namespace.email === email)

/** The address in a body; undefined leaves it alone, null takes it away. */
const wantedEmail = (call: Call, name: string): string | null | undefined => {
  const contact = call.since("3.18") ? call.body.get("contact_email") : undefined
  const wanted = contact === null ? null : typeof contact === "string" ? contact : call.body.text("email")
  if (wanted === undefined || wanted === null) return wanted
  if (wanted === "") return null
  if (!call.since("3.18")) {
    if (isTaken(call, wanted, name)) throw invalidRequest("A user with this email address already exists")
  } else if (!isEmail(wanted)) throw invalidRequest("Invalid email address")
  return wanted
}

const create = (call: Call) => {
  const { state, caller } = call
  const name = call.body.required("name")
  if (call.feature("SUPERUSERS_ORG_CREATION_ONLY") && call.since("3.8")) caller.require(caller.isSuperuser())
  if (state.users.has(name) || state.organizations.has(name)) {
    throw invalidRequest("A user or organization with this name already exists")
  }
  const problem = namespaceProblem(name)
  if (problem !== undefined) throw invalidRequest(`Invalid namespace ${name}: ${problem}`)
  if (state.isReserved(name) && call.reservesNames()) throw invalidRequest("Username is not available")
  const email = wantedEmail(call, name) ?? null
  if (email === null && call.feature("MAILING") && !call.since("3.18")) throw invalidRequest("Invalid email address")
  if (email !== null && [...state.users.values()].some((user) => user.email === email)) {
    throw invalidRequest(`Email has already been used: ${email}`)
  }
  const organization = state.newOrganization(email)
  // Whoever creates an organization becomes one of its owners.
  organization.teams.set("owners", state.newTeam("admin", "", caller.user === undefined ? [] : [caller.user]))
  state.organizations.set(name, organization)
  state.deleted.delete(name)
  call.log("org_create", { namespace: name }, { email: organization.email, namespace: name })
  return json(201, "Created")
}

/** Until the releases named, an organization that is not there was refused before it was looked for. */
const checked = (call: Call) => {
  const name = call.parameter("orgname")
  if (!isAmong(call.registry.version, ["3.9.25", "3.10.25", "3.11"])) {
    call.caller.require(call.state.organizations.has(name))
  }
  return call.administered()
}

/** Field by field, as Quay does: what comes before a bad field is kept. */
const update = (call: Call) => {
  const { name, organization } = checked(call)
  const email = wantedEmail(call, name)
  const log = (kind: string, metadata: { readonly [key: string]: Json }) =>
    call.log(kind, { namespace: name }, { ...metadata, namespace: name })
  if (email !== undefined) {
    organization.email = email
    log("org_change_email", { email })
  }
  const invoice = call.body.flag("invoice_email")
  if (invoice !== undefined) {
    organization.invoice_email = invoice
    log("org_change_invoicing", { invoice_email: invoice })
  }
  const address = call.body.get("invoice_email_address")
  if (address !== undefined) {
    organization.invoice_email_address = call.body.text("invoice_email_address") || null
    log("org_change_invoicing", { invoice_email_address: organization.invoice_email_address })
  }
  const expiration = call.body.number("tag_expiration_s")
  if (expiration !== undefined && call.feature("CHANGE_TAG_EXPIRATION")) {
    if (!tagExpirationSeconds.includes(expiration)) throw message("Invalid tag expiration option")
    organization.tag_expiration_s = expiration
    log("org_change_tag_expiration", { tag_expiration: expiration })
  }
  // What a change answers was not asked for which teams are synchronized.
  return json(200, view(call, name, organization, false))
}

export const organization: Kind = {
  name: "organization",
  routes: [
    {
      method: "POST",
      path: "/api/v1/organization/",
      operation: "createOrganization",
      scope: "user:admin",
      body: { name: "NewOrg", schema: NEW },
      guard: ({ caller }) => caller.require(caller.adminsUser()),
      handle: create
    },
    {
      method: "GET",
      path: "/api/v1/organization/{orgname}",
      operation: "getOrganization",
      handle: (call) => {
        const name = call.parameter("orgname")
        return json(200, view(call, name, call.organization(name)))
      }
    },
    {
      method: "PUT",
      path: "/api/v1/organization/{orgname}",
      operation: "changeOrganizationDetails",
      scope: "org:admin",
      body: { name: "UpdateOrg", schema: UPDATE },
      handle: update
    },
    {
      method: "DELETE",
      path: "/api/v1/organization/{orgname}",
      operation: "deleteAdminedOrganization",
      fresh: true,
      scope: "org:admin",
      handle: (call) => {
        const { name } = checked(call)
        call.caller.require(call.caller.administersFully(name))
        call.log("org_delete", { namespace: name }, { namespace: name })
        call.state.deleteNamespace(name)
        return noContent()
      }
    }
  ]
}
