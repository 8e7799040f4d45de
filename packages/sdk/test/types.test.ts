/** The types: what compiles and what must not. Nothing here is sent. */
import { describe, expectTypeOf, it } from "vitest"
import type {
  OrganizationTeam,
  OrganizationView,
  PathsWith,
  PrototypeView,
  QuayClient,
  QuayFailure,
  RepositoryListItem,
  RobotView,
  TeamView
} from "../src/index.ts"
import { paginate } from "../src/index.ts"

const typed = async (quay: QuayClient): Promise<void> => {
  const orgname = "acme"
  const organization = await quay.GET("/api/v1/organization/{orgname}", { params: { path: { orgname } } })
  expectTypeOf(organization).toEqualTypeOf<OrganizationView>()
  expectTypeOf(organization.teams).toEqualTypeOf<{ [key: string]: OrganizationTeam } | undefined>()
  expectTypeOf(await quay.POST("/api/v1/organization/", { body: { name: orgname } })).toEqualTypeOf<"Created">()
  expectTypeOf(
    await quay.DELETE("/api/v1/organization/{orgname}", { params: { path: { orgname } } })
  ).toEqualTypeOf<undefined>()
  const team = quay.PUT("/api/v1/organization/{orgname}/team/{teamname}", {
    params: { path: { orgname, teamname: "dev" } },
    body: { role: "member" },
    signal: AbortSignal.timeout(1)
  })
  expectTypeOf(team).resolves.toEqualTypeOf<TeamView>()
  const robot = { params: { path: { orgname, robot_shortname: "ci" } } }
  expectTypeOf(
    await quay.GET("/api/v1/organization/{orgname}/robots/{robot_shortname}", robot)
  ).toEqualTypeOf<RobotView>()
  const { prototypes } = await quay.GET("/api/v1/organization/{orgname}/prototypes", { params: { path: { orgname } } })
  expectTypeOf(prototypes).toEqualTypeOf<PrototypeView[]>()
  expectTypeOf((await quay.GET("/config")).features).toEqualTypeOf<{ [key: string]: unknown }>()

  const list = paginate({
    path: "/api/v1/repository",
    page: (next) =>
      quay.GET("/api/v1/repository", { params: { query: { namespace: orgname, public: true, ...next } } }),
    items: (page) => page.repositories
  })
  expectTypeOf(list).toEqualTypeOf<AsyncGenerator<RepositoryListItem, void, undefined>>()

  // @ts-expect-error no such path
  await quay.GET("/api/v1/organisation/{orgname}")
  // @ts-expect-error the path's parameters are missing
  await quay.GET("/api/v1/organization/{orgname}")
  // @ts-expect-error no such method there
  await quay.DELETE("/api/v1/organization/{orgname}/members")
  // @ts-expect-error the body's name is missing
  await quay.POST("/api/v1/organization/", { body: { email: "a@acme.example" } })
  // @ts-expect-error no such role
  await quay.PUT("/api/v1/organization/{orgname}/team/{teamname}", { params: robot.params, body: { role: "owner" } })
  // @ts-expect-error a flag is no text
  await quay.GET("/api/v1/repository", { params: { query: { public: "yes" } } })
  // @ts-expect-error no such field
  organization.nothing
}

describe("types", () => {
  it("are the generated ones", () => {
    expectTypeOf(typed).returns.resolves.toBeVoid()
    expectTypeOf<"/api/v1/organization/">().toExtend<PathsWith<"post">>()
    expectTypeOf<"/api/v1/organization/">().not.toExtend<PathsWith<"get">>()
  })

  it("tell every failure by its tag", () => {
    expectTypeOf<QuayFailure["_tag"]>().toEqualTypeOf<
      | "Unauthenticated"
      | "Forbidden"
      | "Missing"
      | "Exists"
      | "Invalid"
      | "FeatureOff"
      | "RateLimited"
      | "ServerError"
      | "Redirected"
      | "TransportError"
      | "DecodeError"
    >()
  })
})
