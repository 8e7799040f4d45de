// Quay's habits that a client stumbles over, as tables: what is sent, what comes back.
import { describe, expect, test } from "vitest"
import { at, house, names, type Send } from "./client.ts"

const withOrganization = async (options: Parameters<typeof house>[0] = {}) => {
  const rig = house(options)
  await rig.admin("POST", "/api/v1/organization/", { name: "acme", email: "platform@acme.example" })
  await rig.admin("PUT", "/api/v1/organization/acme/team/dev", { role: "member", description: "Developers" })
  await rig.admin("PUT", "/api/v1/organization/acme/robots/ci", { description: "Builds" })
  const repository = { namespace: "acme", repository: "app", visibility: "private", description: "The app" }
  await rig.admin("POST", "/api/v1/repository", repository)
  return rig
}

const repository = (send: Send, namespace: string, name: string, visibility = "private") =>
  send("POST", "/api/v1/repository", { namespace, repository: name, visibility, description: "" })

describe("what exists already or is not there is rarely 409 or 404", () => {
  const cases: [string, string, unknown, number][] = [
    ["POST", "organization/ acme", { name: "acme" }, 400],
    ["POST", "organization/ bob", { name: "bob" }, 400],
    ["PUT", "organization/acme/robots/ci", {}, 400],
    ["GET", "organization/acme/robots/none", undefined, 400],
    ["DELETE", "organization/acme/robots/none", undefined, 400],
    ["DELETE", "organization/acme/team/none", undefined, 400],
    ["GET", "organization/acme/team/none/members", undefined, 404],
    ["PUT", "organization/acme/team/none/members/bob", undefined, 404],
    ["PUT", "organization/acme/team/dev/members/nosuch", undefined, 400],
    ["DELETE", "organization/acme/team/dev/members/nosuch", undefined, 404],
    ["DELETE", "organization/acme/team/dev/members/bob", undefined, 400],
    ["PUT", "organization/none/team/dev", { role: "member" }, 400],
    ["PUT", "organization/none/robots/ci", {}, 400],
    ["GET", "organization/none", undefined, 404],
    ["GET", "repository/acme/none", undefined, 404],
    ["DELETE", "repository/acme/none", undefined, 204],
    ["DELETE", "repository/acme/app/permissions/user/bob", undefined, 400],
    ["GET", "repository/acme/app/permissions/user/bob", undefined, 400],
    ["PUT", "repository/acme/app/permissions/user/nosuch", { role: "read" }, 400],
    ["PUT", "repository/acme/app/permissions/team/nosuch", { role: "read" }, 400],
    ["PUT", "repository/acme/none/permissions/team/dev", { role: "read" }, 500],
    ["DELETE", "organization/acme/prototypes/00000000-0000-4000-8000-000000000000", undefined, 404],
    ["GET", "repository?namespace=none&public=true", undefined, 200],
    ["GET", "organization/none/proxycache", undefined, 200],
    ["GET", "organization/acme/mirror", undefined, 404]
  ]
  for (const [method, path, body, status] of cases) {
    test(`${method} ${path}: ${status}`, async () => {
      const { admin } = await withOrganization()
      expect((await admin(method, `/api/v1/${path.split(" ")[0]}`, body)).status).toBe(status)
    })
  }

  test("showing a repository that is not there: 200 and null", async () => {
    const { admin } = await withOrganization()
    const answer = await admin("POST", "/api/v1/repository/acme/none/changevisibility", { visibility: "public" })
    expect([answer.status, answer.json]).toEqual([200, null])
  })
})

describe("five shapes of error body, and pages", () => {
  test("the whole ApiError", async () => {
    const { admin } = house()
    const answer = await admin("GET", "/api/v1/organization/none")
    expect(answer.json).toEqual({
      detail: "Not Found",
      error_message: "Not Found",
      error_type: "not_found",
      title: "not_found",
      type: "http://quay.example.com/api/v1/error/not_found",
      status: 404
    })
  })

  test("message: the data model", async () => {
    const { admin } = await withOrganization()
    const answer = await admin("PUT", "/api/v1/organization/acme/team/X", { role: "member" })
    expect([answer.status, Object.keys(answer.json ?? {})]).toEqual([400, ["message"]])
  })

  test("message with a parameter: a query that is no number", async () => {
    const { admin } = house()
    const answer = await admin("GET", "/api/v1/superuser/users/?limit=many")
    expect([answer.status, typeof at(answer.json, "message", "limit")]).toEqual([400, "string"])
  })

  test("detail: the state of a repository", async () => {
    const { admin } = await withOrganization()
    const answer = await admin("PUT", "/api/v1/repository/acme/none/changestate", { state: "NORMAL" })
    expect([answer.status, Object.keys(answer.json ?? {})]).toEqual([400, ["detail"]])
  })

  test("error: JSON that says it is HTML", async () => {
    const { nobody } = house()
    const answer = await nobody("POST", "/api/v1/organization/", { name: "acme" })
    expect([answer.status, answer.type.split(";")[0], Object.keys(answer.json ?? {})]).toEqual([
      403,
      "text/html",
      ["error"]
    ])
  })

  test("a page, and the connection is closed: a repository in a missing namespace", async () => {
    const { admin } = house()
    const answer = await repository(admin, "none", "app")
    expect([answer.status, answer.json, answer.headers.get("connection")]).toEqual([500, undefined, "close"])
  })
})

describe("bodies", () => {
  const cases: [string, unknown, string][] = [
    ["nothing required", {}, "'name' is a required property"],
    ["a wrong type", { name: 7 }, "7 is not of type 'string'"],
    ["null", { name: null }, "None is not of type 'string'"],
    ["true", { name: true }, "True is not of type 'string'"],
    ["a list", { name: ["a", { b: 1 }] }, "['a', {'b': 1}] is not of type 'string'"],
    ["no object", [], "[] is not of type 'object'"]
  ]
  for (const [name, body, text] of cases) {
    test(`${name}: 400`, async () => {
      const answer = await house().admin("POST", "/api/v1/organization/", body)
      expect([answer.status, at(answer.json, "detail")]).toEqual([400, text])
    })
  }

  test("without its content type: 415", async () => {
    const answer = await house().admin("POST", "/api/v1/organization/", "{}", { "content-type": "text/plain" })
    expect(answer.status).toBe(415)
  })

  test("not JSON: 400", async () => {
    expect((await house().admin("POST", "/api/v1/organization/", "{")).status).toBe(400)
  })

  test("unknown properties are ignored", async () => {
    const answer = await house().admin("POST", "/api/v1/organization/", { name: "acme", colour: "blue" })
    expect(answer.status).toBe(201)
  })
})

describe("names", () => {
  const cases: [string, string, number][] = [
    ["organization", "ab", 201],
    ["organization", "a", 400],
    ["organization", "Acme", 400],
    ["organization", "a..b", 400],
    ["organization", "-ab", 400],
    ["organization", "__proto__", 400],
    ["organization", "constructor", 201],
    ["organization", "a".repeat(255), 201],
    ["organization", "a".repeat(256), 400],
    ["repository", "app", 201],
    ["repository", "a", 201],
    ["repository", "vendor/alpine", 201],
    ["repository", "a..b", 201],
    ["repository", "App", 400],
    ["repository", "/app", 400],
    ["repository", "constructor", 201],
    ["repository", "__proto__", 400]
  ]
  for (const [kind, name, status] of cases) {
    test(`${kind} ${name.length > 20 ? `of ${name.length} letters` : name}: ${status}`, async () => {
      const { admin } = await withOrganization({})
      await admin("DELETE", "/api/v1/repository/acme/app")
      const answer =
        kind === "organization"
          ? await admin("POST", "/api/v1/organization/", { name })
          : await repository(admin, "acme", name)
      expect(answer.status).toBe(status)
    })
  }

  test("names of things that JavaScript has: nothing is found, nothing breaks", async () => {
    const { admin } = await withOrganization()
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect((await admin("GET", `/api/v1/organization/${name}`)).status).toBe(404)
      expect((await admin("GET", `/api/v1/organization/acme/robots/${name}`)).status).toBe(400)
      expect((await admin("GET", `/api/v1/organization/acme/team/${name}/members`)).status).toBe(404)
      expect((await admin("GET", `/api/v1/repository/acme/${name}`)).status).toBe(404)
      expect((await admin("PUT", `/api/v1/organization/acme/team/dev/members/${name}`)).status).toBe(400)
    }
  })

  test("an organization called constructor is like any other", async () => {
    const { admin, simulator } = house()
    await admin("POST", "/api/v1/organization/", { name: "constructor" })
    await admin("PUT", "/api/v1/organization/constructor/team/valueof", { role: "member" })
    const view = await admin("GET", "/api/v1/organization/constructor")
    expect(at(view.json, "teams", "valueof", "role")).toBe("member")
    expect(at(simulator.snapshot(), "organizations", "constructor", "teams", "valueof", "role")).toBe("member")
  })
})

describe("organizations", () => {
  test("whoever makes one owns it", async () => {
    const { admin } = await withOrganization()
    const view = await admin("GET", "/api/v1/organization/acme")
    expect(at(view.json, "teams", "owners", "role")).toBe("admin")
    expect(at(view.json, "ordered_teams")).toEqual(["owners", "dev"])
  })

  test("a bad tag expiration is 400 after the address was changed", async () => {
    const { admin } = await withOrganization()
    const change = { email: "new@acme.example", tag_expiration_s: 5 }
    expect((await admin("PUT", "/api/v1/organization/acme", change)).status).toBe(400)
    expect(at((await admin("GET", "/api/v1/organization/acme")).json, "email")).toBe("new@acme.example")
  })

  test("a deleted one is gone at once and keeps its name until it is collected", async () => {
    const { admin, simulator } = await withOrganization()
    expect((await admin("DELETE", "/api/v1/organization/acme")).status).toBe(204)
    expect((await admin("GET", "/api/v1/organization/acme")).status).toBe(404)
    const early = await admin("POST", "/api/v1/organization/", { name: "acme" })
    expect([early.status, at(early.json, "detail")]).toEqual([400, "Username is not available"])
    simulator.collect()
    expect((await admin("POST", "/api/v1/organization/", { name: "acme" })).status).toBe(201)
  })

  test("names can come free by time", async () => {
    let now = 0
    const { admin } = await withOrganization({ now: () => now, collectAfter: 1000 })
    await admin("DELETE", "/api/v1/organization/acme")
    now = 999
    expect((await admin("POST", "/api/v1/organization/", { name: "acme" })).status).toBe(400)
    now = 1000
    expect((await admin("POST", "/api/v1/organization/", { name: "acme" })).status).toBe(201)
  })

  test("an organization renamed: its robots go along; a taken name is a page with 500", async () => {
    const { admin } = await withOrganization()
    await admin("PUT", "/api/v1/organization/acme/team/dev/members/acme+ci")
    await admin("POST", "/api/v1/organization/", { name: "other" })
    expect((await admin("PUT", "/api/v1/superuser/organizations/acme", { name: "other" })).status).toBe(500)
    expect((await admin("PUT", "/api/v1/superuser/organizations/acme", { name: "umbrella" })).status).toBe(200)
    const members = await admin("GET", "/api/v1/organization/umbrella/team/dev/members")
    expect(names(at(members.json, "members"))).toEqual(["umbrella+ci"])
  })
})

describe("the last administrator", () => {
  test("cannot leave, demote or delete the team that makes them one", async () => {
    const { admin } = await withOrganization()
    const base = "/api/v1/organization/acme/team/owners"
    expect((await admin("DELETE", `${base}/members/admin`)).status).toBe(400)
    expect((await admin("PUT", base, { role: "member" })).status).toBe(400)
    expect((await admin("DELETE", base)).status).toBe(400)
  })

  test("a superuser who is no member meets 500 on deleting an admin team, and can demote it first", async () => {
    const { admin, bob } = await withOrganization()
    await admin("PUT", "/api/v1/organization/acme/team/owners/members/bob")
    await bob("DELETE", "/api/v1/organization/acme/team/owners/members/admin")
    await bob("PUT", "/api/v1/organization/acme/team/qa", { role: "admin" })
    expect((await admin("DELETE", "/api/v1/organization/acme/team/qa")).status).toBe(500)
    await admin("PUT", "/api/v1/organization/acme/team/qa", { role: "member" })
    expect((await admin("DELETE", "/api/v1/organization/acme/team/qa")).status).toBe(204)
    expect((await admin("DELETE", "/api/v1/organization/acme/team/owners/members/bob")).status).toBe(204)
  })
})

describe("default permissions", () => {
  const rules = async (send: Send, ...all: [string, string, string, string?][]) => {
    for (const [role, kind, name, activating] of all) {
      const activated = activating === undefined ? {} : { activating_user: { name: activating } }
      const body = { role, delegate: { kind, name }, ...activated }
      expect((await send("POST", "/api/v1/organization/acme/prototypes", body)).status).toBe(200)
    }
  }
  const roles = async (send: Send, kind: string) => {
    const { json } = await send("GET", `/api/v1/repository/acme/fresh/permissions/${kind}/`)
    return Object.entries(at(json, "permissions") ?? {}).map(([name, view]) => [name, at(view, "role")])
  }

  test("they are applied when a repository is made, besides its maker's own", async () => {
    const { admin } = await withOrganization()
    await rules(admin, ["write", "user", "acme+ci"], ["read", "team", "dev"], ["read", "user", "admin"])
    await repository(admin, "acme", "fresh")
    expect(await roles(admin, "user")).toEqual([
      ["admin", "admin"],
      ["acme+ci", "write"]
    ])
    expect(await roles(admin, "team")).toEqual([["dev", "read"]])
  })

  test("one for this maker beats one for all, whatever came first; another maker's does not count", async () => {
    const { admin } = await withOrganization()
    await rules(admin, ["admin", "team", "dev", "admin"], ["read", "team", "dev"], ["write", "user", "bob", "bob"])
    await repository(admin, "acme", "fresh")
    expect(await roles(admin, "team")).toEqual([["dev", "admin"]])
    expect(await roles(admin, "user")).toEqual([["admin", "admin"]])
  })

  test("the same one twice is two, and of two for all the first counts", async () => {
    const { admin } = await withOrganization()
    await rules(admin, ["read", "team", "dev"], ["write", "team", "dev"], ["read", "team", "dev"])
    const { json } = await admin("GET", "/api/v1/organization/acme/prototypes")
    expect(at(json, "prototypes")).toHaveLength(3)
    await repository(admin, "acme", "fresh")
    expect(await roles(admin, "team")).toEqual([["dev", "read"]])
  })

  test("they go with the robot and the team that they name, and so do permissions", async () => {
    const { admin } = await withOrganization()
    await rules(admin, ["write", "user", "acme+ci"], ["read", "team", "dev"], ["read", "user", "bob"])
    await repository(admin, "acme", "fresh")
    await admin("DELETE", "/api/v1/organization/acme/robots/ci")
    await admin("DELETE", "/api/v1/organization/acme/team/dev")
    const { json } = await admin("GET", "/api/v1/organization/acme/prototypes")
    expect(at(json, "prototypes")).toHaveLength(1)
    expect(await roles(admin, "team")).toEqual([])
    expect((await roles(admin, "user")).map(([name]) => name)).toEqual(["admin", "bob"])
  })
})

describe("robots", () => {
  test("a_b's list has the robots of axb, too", async () => {
    const { admin } = house()
    for (const name of ["a_b", "axb", "aab2"]) {
      await admin("POST", "/api/v1/organization/", { name })
      await admin("PUT", `/api/v1/organization/${name}/robots/ci`)
    }
    const list = async (name: string) =>
      names(at((await admin("GET", `/api/v1/organization/${name}/robots`)).json, "robots"))
    expect(await list("a_b")).toEqual(["a_b+ci", "axb+ci"])
    expect(await list("axb")).toEqual(["axb+ci"])
  })

  test("another organization's robot joins a team and gets no permission", async () => {
    const { admin } = await withOrganization()
    await admin("POST", "/api/v1/organization/", { name: "other" })
    await admin("PUT", "/api/v1/organization/other/robots/ci")
    expect((await admin("PUT", "/api/v1/organization/acme/team/dev/members/other+ci")).status).toBe(200)
    const permission = await admin("PUT", "/api/v1/repository/acme/app/permissions/user/other+ci", { role: "read" })
    expect(permission.status).toBe(400)
  })

  test("a new token replaces the old one", async () => {
    const { admin } = await withOrganization()
    const token = async () => at((await admin("GET", "/api/v1/organization/acme/robots/ci")).json, "token")
    const before = await token()
    await admin("POST", "/api/v1/organization/acme/robots/ci/regenerate")
    expect(await token()).not.toBe(before)
  })

  test("a user has robots of their own", async () => {
    const { bob } = house()
    expect((await bob("PUT", "/api/v1/user/robots/laptop", {})).status).toBe(201)
    expect(names(at((await bob("GET", "/api/v1/user/robots")).json, "robots"))).toEqual(["bob+laptop"])
  })
})

describe("repositories", () => {
  test("nested names work raw and encoded", async () => {
    const { admin } = await withOrganization()
    await repository(admin, "acme", "vendor/alpine")
    for (const path of ["acme/vendor/alpine", "acme%2Fvendor%2Falpine"]) {
      const answer = await admin("GET", `/api/v1/repository/${path}?includeTags=false`)
      expect([answer.status, at(answer.json, "name")]).toEqual([200, "vendor/alpine"])
    }
  })

  test("deleting what an absent route would be deletes the repository of that name", async () => {
    const { admin } = await withOrganization()
    await repository(admin, "acme", "app/mirror")
    expect((await admin("DELETE", "/api/v1/repository/acme/app/mirror")).status).toBe(204)
    const list = await admin("GET", "/api/v1/repository?namespace=acme")
    expect(names(at(list.json, "repositories"))).toEqual(["app"])
  })

  test("a name is free at once, and nothing of the old one is left", async () => {
    const { admin } = await withOrganization()
    await admin("PUT", "/api/v1/repository/acme/app/permissions/team/dev", { role: "read" })
    await admin("DELETE", "/api/v1/repository/acme/app")
    expect((await repository(admin, "acme", "app")).status).toBe(201)
    const teams = await admin("GET", "/api/v1/repository/acme/app/permissions/team/")
    expect(at(teams.json, "permissions")).toEqual({})
  })

  test("outsiders with a permission are collaborators, members are not", async () => {
    const { admin } = await withOrganization()
    await admin("PUT", "/api/v1/repository/acme/app/permissions/user/bob", { role: "read" })
    await admin("PUT", "/api/v1/repository/acme/app/permissions/user/acme+ci", { role: "write" })
    const collaborators = await admin("GET", "/api/v1/organization/acme/collaborators")
    expect(names(at(collaborators.json, "collaborators"))).toEqual(["bob"])
    const members = await admin("GET", "/api/v1/organization/acme/members")
    expect(at(members.json, "members", 0, "repositories")).toEqual(["app"])
  })
})

describe("pages", () => {
  const filled = async (count: number) => {
    const rig = house()
    await rig.admin("POST", "/api/v1/organization/", { name: "pages" })
    for (let index = 0; index < count; index += 1) await repository(rig.admin, "pages", `r${1000 + index}`)
    const page = async (token?: string) => {
      const next = token === undefined ? "" : `&next_page=${token}`
      const { json } = await rig.admin("GET", `/api/v1/repository?namespace=pages${next}`)
      const token2 = at(json, "next_page")
      return { names: names(at(json, "repositories")), next: typeof token2 === "string" ? token2 : undefined }
    }
    return { ...rig, page }
  }

  test("a hundred a page, each once, and no token on the last", async () => {
    const { page } = await filled(201)
    const seen: string[] = []
    let token: string | undefined
    do {
      const { names, next } = await page(token)
      seen.push(...names)
      token = next
    } while (token !== undefined)
    expect([seen.length, new Set(seen).size]).toEqual([201, 201])
  })

  test("exactly one page has no next", async () => {
    const { page } = await filled(100)
    expect((await page()).next).toBeUndefined()
  })

  test("a token that is not one begins again, so that following blindly never ends", async () => {
    const { page } = await filled(101)
    const first = await page()
    for (const bad of ["nonsense", `${first.next}x`, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]) {
      expect((await page(bad)).names[0]).toBe("r1000")
    }
    expect((await page("nonsense")).next).not.toBe(first.next)
  })

  test("what is deleted between two pages makes nothing fall out", async () => {
    const { admin, page } = await filled(101)
    const first = await page()
    await admin("DELETE", "/api/v1/repository/pages/r1000")
    expect((await page(first.next)).names).toEqual(["r1100"])
  })
})

describe("anybody exists", () => {
  test("where any user is accepted, well-formed names are users when they are named", async () => {
    const { admin, simulator } = house({ acceptAnyUser: true })
    await admin("POST", "/api/v1/organization/", { name: "acme" })
    const add = (name: string) => admin("PUT", `/api/v1/organization/acme/team/owners/members/${name}`)
    expect((await add("alice")).status).toBe(200)
    expect((await add("Alice")).status).toBe(400)
    expect((await add("acme")).status).toBe(400)
    expect((await add("acme+none")).status).toBe(400)
    expect((await admin("GET", "/api/v1/users/carol")).status).toBe(200)
    expect(Object.keys(simulator.snapshot().users)).toEqual(["admin", "bob"])
  })

  test("naming someone makes no namespace", async () => {
    const { admin } = house({ acceptAnyUser: true })
    expect((await repository(admin, "alice", "app")).status).toBe(500)
    expect((await admin("POST", "/api/v1/organization/", { name: "alice" })).status).toBe(201)
  })

  test("otherwise only those who were made", async () => {
    const { admin } = await withOrganization()
    const add = () => admin("PUT", "/api/v1/organization/acme/team/dev/members/alice")
    expect((await add()).status).toBe(400)
    await admin("POST", "/api/v1/superuser/users/", { username: "alice", email: "alice@acme.example" })
    expect((await add()).status).toBe(200)
    expect((await admin("DELETE", "/api/v1/superuser/users/alice")).status).toBe(204)
    expect((await admin("DELETE", "/api/v1/superuser/users/alice")).status).toBe(204)
    const members = await admin("GET", "/api/v1/organization/acme/team/dev/members")
    expect(at(members.json, "members")).toEqual([])
  })
})
