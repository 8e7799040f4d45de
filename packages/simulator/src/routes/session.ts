// Signing in and out with a password. Leaves out outside sign-in, lockouts and robots.
import type { Call } from "../call.ts"
import { json, message, needsAuthentication, type Refusal, refused } from "../errors.ts"
import type { Kind } from "../router.ts"
import type { Schema } from "../schema.ts"

const SIGN_IN: Schema = {
  type: "object",
  required: ["username", "password"],
  properties: { username: { type: "string" }, password: { type: "string" }, invite_code: { type: "string" } }
}

const VERIFY: Schema = { type: "object", required: ["password"], properties: { password: { type: "string" } } }

const wrong = (): Refusal =>
  refused(403, {
    needsEmailVerification: false,
    invalidCredentials: true,
    message: "Invalid Username or Password"
  })

const knows = (call: Call, name: string): boolean => {
  const user = call.state.users.get(name)
  return user?.enabled === true && user.password !== null && user.password === call.body.required("password")
}

const signIn = (call: Call) => {
  const { sessions } = call.registry
  const name = call.body.required("username")
  if (!knows(call, name)) throw wrong()
  const reply = json(200, { success: true })
  return { ...reply, headers: { ...reply.headers, ...sessions.headers(sessions.begin(call.session, name)) } }
}

const verify = (call: Call) => {
  const { session } = call
  if (session?.user === undefined) throw needsAuthentication()
  if (!knows(call, session.user)) throw wrong()
  call.registry.sessions.verify(session)
  return json(200, { success: true })
}

export const session: Kind = {
  name: "session",
  routes: [
    {
      method: "GET",
      path: "/csrf_token",
      handle: (call) => {
        const { sessions } = call.registry
        const session = call.session ?? sessions.begin(undefined)
        const reply = json(200, { csrf_token: session.csrf })
        return { ...reply, headers: { ...reply.headers, ...sessions.headers(session) } }
      }
    },
    {
      method: "POST",
      path: "/api/v1/signin",
      operation: "signinUser",
      internal: true,
      features: ["DIRECT_LOGIN"],
      body: { name: "SigninUser", schema: SIGN_IN },
      handle: signIn
    },
    {
      method: "POST",
      path: "/api/v1/signin/verify",
      operation: "verifyUser",
      internal: true,
      scope: "user:admin",
      features: ["DIRECT_LOGIN"],
      body: { name: "VerifyUser", schema: VERIFY },
      handle: verify
    },
    {
      method: "POST",
      path: "/api/v1/signout",
      operation: "logout",
      internal: true,
      handle: (call) => {
        if (call.session === undefined) throw message("There is no session.", 400)
        call.registry.sessions.end(call.session)
        return json(200, { success: true })
      }
    }
  ]
}
