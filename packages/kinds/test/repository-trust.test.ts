// Content trust of repositories. The simulator does not sign, so what is asked of a registry that does is held against one that
// answers from here.
import { PlanRefused } from "@quaymaster/engine"
import { makeLimiter } from "@quaymaster/runtime"
import { createQuayClient } from "@quaymaster/sdk"
import * as Effect from "effect/Effect"
import { describe, expect, test } from "vitest"
import { makeQuay, Quay } from "../src/index.ts"
import { repositoryTrust as kind } from "../src/repository-trust.ts"
import { rejection, trials } from "./harness.ts"
import { written } from "./written.ts"

const { otherwise, test: tested } = trials()

/** A registry with one organization; `trusted` are the repositories that sign. */
const signing = (names: ReadonlyArray<string>, trusted: Set<string>) => {
  const asked: Array<string> = []
  const avatar = { name: "acme", hash: "0", color: "#000000", kind: "org" }
  const view = { name: "acme", is_admin: true, is_member: true, teams: {}, ordered_teams: [], email: "", avatar }
  const repository = (name: string) => ({
    namespace: "acme",
    name,
    description: null,
    is_public: false,
    kind: "image",
    state: "NORMAL"
  })
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    asked.push(`${request.method} ${pathname}`)
    const name = pathname.split("/")[5]
    if (pathname === "/api/v1/organization/acme") return Response.json(view)
    if (pathname === "/api/v1/repository") return Response.json({ repositories: names.map(repository) })
    if (name === undefined) return Response.json({ status: 404 }, { status: 404 })
    if (!pathname.endsWith("/changetrust"))
      return Response.json({
        ...repository(name),
        is_organization: true,
        is_starred: false,
        status_token: "",
        tag_expiration_s: null,
        is_free_account: true,
        can_write: true,
        can_admin: true,
        trust_enabled: trusted.has(name),
        ...(searchParams.get("includeTags") === "false" ? {} : { tags: {} })
      })
    if (JSON.stringify(await request.json()) === '{"trust_enabled":true}') trusted.add(name)
    else trusted.delete(name)
    return Response.json({ success: true })
  }
  const client = createQuayClient({ url: "http://signing.example", token: "t", fetch: answer })
  const quay = makeQuay({ registry: { name: "test", url: "http://signing.example" }, client, limiter: makeLimiter() })
  const run = <A, E>(effect: Effect.Effect<A, E, Quay>) => Effect.runPromise(Effect.provideService(effect, Quay, quay))
  return { asked, run }
}

const collection = (name: string) => ({ kind: kind.kind, parent: `acme/${name}` })
const item = (name: string, trust_enabled: boolean) => ({ repository: `acme/${name}`, trust_enabled })

for (const trust of [true, false])
  otherwise(
    `of a repository that was made meanwhile becomes ${trust}`,
    { features: { SIGNING: true } },
    async (trial) => {
      await trial.reach("prune: []")
      const file = `repositories: { app: { trust: ${trust} } }`
      const plan = await trial.plan(file)
      await trial.reach("repositories: { app: {} }")
      const { results } = await trial.apply(plan)
      expect(results.map(({ outcome }) => outcome)).not.toContain("failed")
      expect(trial.ids(await trial.plan(file))).toEqual([])
    }
  )

describe("content trust", () => {
  test("is asked only of the repositories that a file names", async () => {
    const { asked, run } = signing(["app", "web", "old"], new Set(["app"]))
    const found = await run(
      kind.list(
        [collection("app"), collection("web"), collection("gone")],
        new Set(["acme/app", "acme/web", "acme/gone"])
      )
    )
    expect(found).toEqual([item("app", true), item("web", false)])
    expect(asked.filter((it) => it.startsWith("GET /api/v1/repository/")).sort()).toEqual([
      "GET /api/v1/repository/acme/app",
      "GET /api/v1/repository/acme/web"
    ])
  })

  test("is spoken of where no file names it only if it is there", async () => {
    const { run } = signing(["app", "web"], new Set(["app"]))
    expect(await run(kind.list([collection("app"), collection("web")], new Set()))).toEqual([item("app", true)])
  })

  test("is switched on and off", async () => {
    const trusted = new Set<string>()
    const { run } = signing(["app"], trusted)
    await run(kind.create?.(item("app", true)) ?? Effect.void)
    expect([...trusted]).toEqual(["app"])
    await run(kind.update?.(item("app", false), item("app", true), []) ?? Effect.void)
    expect([...trusted]).toEqual([])
  })

  tested("is a yes or a no", async (trial) => {
    expect(String(await rejection(trial.plan("repositories: { app: { trust: maybe } }")))).toMatch(/true or false/)
  })

  otherwise("is refused where nothing signs", { features: { SIGNING: false } }, async (trial) => {
    const error = await rejection(trial.plan("repositories: { app: { trust: true } }"))
    expect(error).toBeInstanceOf(PlanRefused)
    expect(String(error)).toMatch(/trust of .*\/app: .*FEATURE_SIGNING/)
  })

  test("is read as it was exported", () => {
    for (const enabled of [true, false])
      expect(written(kind.section, [item("app", enabled)], "acme/app")).toEqual({
        node: enabled,
        items: [item("app", enabled)]
      })
  })
})
