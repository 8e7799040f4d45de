// The caller's own page, and what anyone may see of a user.
import { avatar, userAvatar } from "../avatar.ts"
import type { Call } from "../call.ts"
import { json, needsSession, unknownUrl } from "../errors.ts"
import type { Kind } from "../router.ts"
import { isInSomeTeam, isPublic, quotaView } from "../views.ts"

/** Superusers see who else is one. */
const superuserMark = (call: Call, name: string) =>
  call.caller.isSuperuser() ? { super_user: call.state.users.get(name)?.superuser ?? false } : {}

const organizations = (call: Call, user: string) =>
  [...call.state.organizations]
    .filter(([, organization]) => isInSomeTeam(organization, user))
    .map(([name, organization]) => ({
      name,
      avatar: avatar("org", name, organization.email ?? organization.uuid),
      can_create_repo: call.caller.createsRepositories(name),
      public: [...organization.repositories.values()].some(isPublic),
      is_org_admin: call.caller.administers(name),
      preferred_namespace: false
    }))

const self = (call: Call) => {
  const name = call.caller.user
  const user = name === undefined ? undefined : call.state.users.get(name)
  if (name === undefined || user === undefined || !call.caller.readsUser()) throw needsSession()
  return json(200, {
    anonymous: false,
    username: name,
    avatar: userAvatar(name),
    can_create_repo: true,
    is_me: true,
    verified: user.verified,
    email: user.email ?? user.uuid,
    logins: user.login === null ? [] : [{ service: "ldap", service_identifier: user.login, metadata: {} }],
    invoice_email: false,
    invoice_email_address: null,
    preferred_namespace: false,
    tag_expiration_s: user.tag_expiration_s,
    prompts: [...(user.login === null ? [] : ["confirm_username"]), "enter_name", "enter_company"],
    company: null,
    family_name: null,
    given_name: null,
    location: null,
    is_free_account: true,
    has_password_set: true,
    ...quotaView(call, name),
    organizations: organizations(call, name),
    ...(user.superuser ? superuserMark(call, name) : {})
  })
}

export const user: Kind = {
  name: "user",
  routes: [
    { method: "GET", path: "/api/v1/user/", operation: "getLoggedInUser", scope: "user:read", handle: self },
    {
      method: "GET",
      path: "/api/v1/users/{username}",
      operation: "getUserInformation",
      handle: (call) => {
        const name = call.parameter("username")
        if (!call.state.isPerson(name)) throw unknownUrl()
        return json(200, {
          anonymous: false,
          username: name,
          avatar: userAvatar(name),
          ...superuserMark(call, name)
        })
      }
    }
  ]
}
