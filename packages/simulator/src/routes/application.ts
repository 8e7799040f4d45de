// OAuth applications of an organization and the tokens made for them. Leaves out the sign-in that applications are for.
import type { Call } from "../call.ts"
import { insufficientScope, invalidRequest, json, message, noContent, notFound } from "../errors.ts"
import { type Json, Reader } from "../json.ts"
import { token as randomToken, uuid } from "../random.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"
import { part, SCOPES } from "../state.ts"

/** Quay makes an application of this name for itself. */
const RESERVED = "__quay_bootstrap_app"
const PAGE = 50
const TEN_YEARS = 315_360_000

interface Issued {
  readonly uuid: string
  readonly name: string
  readonly scope: string
  readonly created: string
  readonly expires_at: string
  readonly created_by: string
  readonly token: string
}

interface Application {
  readonly client_id: string
  client_secret: string
  name: string
  description: string
  application_uri: string
  redirect_uri: string
  avatar_email: string | null
  tokens: Issued[]
}

const readIssued = (value: unknown, place: string): Issued => {
  const reader = new Reader(value, place)
  const issued: Issued = {
    uuid: reader.text("uuid", ""),
    name: reader.text("name", ""),
    scope: reader.text("scope", ""),
    created: reader.text("created", ""),
    expires_at: reader.text("expires_at", ""),
    created_by: reader.text("created_by", ""),
    token: reader.text("token", "")
  }
  reader.end()
  return issued
}

const readApplication = (value: unknown, place: string): Application => {
  const reader = new Reader(value, place)
  const application: Application = {
    client_id: reader.text("client_id", ""),
    client_secret: reader.text("client_secret", ""),
    name: reader.text("name", ""),
    description: reader.text("description", ""),
    application_uri: reader.text("application_uri", ""),
    redirect_uri: reader.text("redirect_uri", ""),
    avatar_email: reader.text("avatar_email", null),
    tokens: reader.list("tokens", readIssued)
  }
  reader.end()
  return application
}

const applications = part<Application[]>({
  owner: "organization",
  key: "applications",
  empty: () => [],
  read: (value, place) => new Reader({ applications: value }, place).list("applications", readApplication),
  write: (all) =>
    all.length === 0
      ? undefined
      : all.map((application) => ({ ...application, tokens: application.tokens.map((issued) => ({ ...issued })) }))
})

const TEXT: Schema = { type: "string" }
const NEW: Schema = {
  type: "object",
  required: ["name"],
  properties: { name: TEXT, redirect_uri: TEXT, application_uri: TEXT, description: TEXT, avatar_email: TEXT }
}
const UPDATE: Schema = { ...NEW, required: ["name", "redirect_uri", "application_uri"] }
const NEW_TOKEN: Schema = {
  type: "object",
  required: ["name", "scope"],
  properties: { name: TEXT, scope: TEXT, expiration: { type: "integer", minimum: 1, maximum: TEN_YEARS } }
}

const view = ({ tokens: _tokens, ...shown }: Application) => shown
const tokenView = ({ token: _token, ...shown }: Issued) => ({ ...shown, last_accessed: null })

const found = (call: Call) => {
  const { organization } = call.administered()
  const client = call.parameter("client_id")
  const application = applications.of(organization).find(({ client_id }) => client_id === client)
  if (application === undefined) throw notFound()
  return { organization, application }
}

const log = (call: Call, kind: string, { name, client_id }: Application, more: { readonly [key: string]: Json } = {}) =>
  call.log(kind, { namespace: call.parameter("orgname") }, { application_name: name, client_id, ...more })

const create = (call: Call) => {
  const { organization } = call.administered()
  const { body, registry } = call
  const name = body.required("name")
  if (name === RESERVED && call.since("3.18")) {
    throw invalidRequest("Application name is reserved for bootstrap token provisioning")
  }
  const application: Application = {
    client_id: randomToken(registry.random, 20),
    client_secret: randomToken(registry.random, 40),
    name,
    description: body.text("description") ?? "",
    application_uri: body.text("application_uri") ?? "",
    redirect_uri: body.text("redirect_uri") ?? "",
    avatar_email: body.text("avatar_email") ?? null,
    tokens: []
  }
  applications.of(organization).push(application)
  log(call, "create_application", application)
  return json(200, view(application))
}

/** What is left out of the body is emptied. */
const update = (call: Call) => {
  const { application } = found(call)
  application.name = call.body.required("name")
  application.redirect_uri = call.body.required("redirect_uri")
  application.application_uri = call.body.required("application_uri")
  application.description = call.body.text("description") ?? ""
  application.avatar_email = call.body.text("avatar_email") ?? null
  log(call, "update_application", application)
  return json(200, view(application))
}

const remove = (call: Call) => {
  const { organization, application } = found(call)
  for (const { token } of application.tokens) call.state.tokens.delete(token)
  applications.set(
    organization,
    applications.of(organization).filter((one) => one !== application)
  )
  log(call, "delete_application", application)
  return noContent()
}

/** Nobody makes a token that may do more than the one that is used to make it. */
const createToken = (call: Call) => {
  const { application } = found(call)
  const { body, caller, registry, state } = call
  const scope = body.required("scope")
  const scopes = scope.split(/[ ,]+/).map((wanted) => {
    const known = SCOPES.find((one) => one === wanted)
    if (known === undefined) throw message(`Invalid scope: ${wanted}`)
    return known
  })
  if (scopes.some((one) => !caller.has(one))) throw insufficientScope()
  const user = caller.user ?? ""
  const now = registry.now()
  const issued: Issued = {
    uuid: uuid(registry.random),
    name: body.required("name"),
    scope,
    created: new Date(now).toISOString(),
    expires_at: new Date(now + (body.number("expiration") ?? TEN_YEARS) * 1000).toISOString(),
    created_by: user,
    token: randomToken(registry.random, 40)
  }
  application.tokens.push(issued)
  const { client_id, name } = application
  state.tokens.set(issued.token, { user, scopes, expires: issued.expires_at, application: { client_id, name } })
  log(call, "create_oauth_api_token", application, { token_name: issued.name, scope })
  return json(200, { ...tokenView(issued), token: issued.token })
}

const listTokens = (call: Call) => {
  const { application } = found(call)
  const alive = application.tokens.filter(({ expires_at }) => Date.parse(expires_at) > call.registry.now())
  const { items, next } = call.registry.pages.page(
    alive,
    ({ created, uuid }) => `${created} ${uuid}`,
    PAGE,
    call.incoming.query.get("next_page")
  )
  return json(200, { tokens: items.map(tokenView), ...next })
}

const deleteToken = (call: Call) => {
  const { application } = found(call)
  const id = call.parameter("token_uuid")
  const issued = application.tokens.find((one) => one.uuid === id)
  if (issued === undefined) throw notFound()
  call.state.tokens.delete(issued.token)
  application.tokens = application.tokens.filter((one) => one !== issued)
  log(call, "revoke_oauth_api_token", application, { token_name: issued.name })
  return noContent()
}

const ALL = "/api/v1/organization/{orgname}/applications"
const ONE = `${ALL}/{client_id}`
const scope = "org:admin"

export const application: Kind = {
  name: "application",
  parts: [applications],
  routes: [
    {
      method: "GET",
      path: ALL,
      operation: "getOrganizationApplications",
      scope,
      handle: (call) => {
        const { organization } = call.administered()
        return json(200, { applications: applications.of(organization).map(view) })
      }
    },
    {
      method: "POST",
      path: ALL,
      operation: "createOrganizationApplication",
      scope,
      body: { name: "NewApp", schema: NEW },
      handle: create
    },
    {
      method: "GET",
      path: ONE,
      operation: "getOrganizationApplication",
      scope,
      handle: (call) => json(200, view(found(call).application))
    },
    {
      method: "PUT",
      path: ONE,
      operation: "updateOrganizationApplication",
      scope,
      body: { name: "UpdateApp", schema: UPDATE },
      handle: update
    },
    { method: "DELETE", path: ONE, operation: "deleteOrganizationApplication", scope, handle: remove },
    {
      method: "POST",
      path: `${ONE}/resetclientsecret`,
      operation: "resetOrganizationApplicationClientSecret",
      internal: true,
      scope,
      handle: (call) => {
        const { application } = found(call)
        application.client_secret = randomToken(call.registry.random, 40)
        log(call, "reset_application_client_secret", application)
        return json(200, view(application))
      }
    },
    {
      method: "GET",
      path: `${ONE}/tokens`,
      operation: "listOrganizationApplicationTokens",
      scope,
      since: "3.18",
      handle: listTokens
    },
    {
      method: "POST",
      path: `${ONE}/tokens`,
      operation: "createOrganizationApplicationToken",
      scope,
      since: "3.18",
      body: { name: "NewToken", schema: NEW_TOKEN },
      handle: createToken
    },
    {
      method: "DELETE",
      path: `${ONE}/tokens/{token_uuid}`,
      operation: "deleteOrganizationApplicationToken",
      scope,
      since: "3.18",
      handle: deleteToken
    }
  ]
}
