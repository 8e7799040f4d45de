// What is asked for by hand, for one plan: that a mirror runs now. It is an operation like any other, in a saved plan too, and the
// next plan knows nothing of it.
import { describe, expect } from "vitest"
import { apply, encodePlan, type PlanOptions, plan, readPlan } from "../src/index.ts"
import { rejection, type Scene, scene, simulated } from "./harness.ts"

const MIRROR = { source: "quay.io/libpod/alpine", tags: ["latest"], robot: "ci" }
const ACME = { robots: { ci: {} }, repositories: { alpine: { state: "mirror", mirror: MIRROR }, web: {} } }
const WHOLE = {
  robots: { ci: {} },
  mirror: { type: "quay", url: "https://quay.io", namespace: "libpod", robot: "ci" }
}

const planned = (
  { options, value }: Scene,
  organization: object,
  byHand: Pick<PlanOptions, "syncNow" | "writeSecrets">
) => plan({ ...options, organizations: [value(organization)], ...byHand })

const idsOf = (made: Awaited<ReturnType<typeof plan>>, { org }: Scene) =>
  made.targets.flatMap(({ operations }) => operations.map(({ id }) => id.replaceAll(org, "$org"))).sort()

const statusOf = async ({ org, registry }: Scene, path = `repository/${org}/alpine/mirror`) => {
  const view: unknown = await (await registry.request("GET", `/api/v1/${path}`)).json()
  return typeof view === "object" && view !== null && "sync_status" in view ? view.sync_status : undefined
}

describe("a mirror that is to run now", () => {
  for (const [what, organization, address, path] of [
    ["a repository's", ACME, "repository-mirror:$org/alpine", "repository/$org/alpine/mirror"],
    ["an organization's", WHOLE, "organization-mirror:$org", "organization/$org/mirror"]
  ] as const) {
    scene(`${what}, is asked to, where nothing else is to do, and only then`, async (made) => {
      await made.reach(organization)
      expect(await statusOf(made, made.real(path))).toBe("NEVER_RUN")
      const asked = await planned(made, organization, { syncNow: [made.real(address)] })
      expect(idsOf(asked, made)).toEqual([`update:${address}`])
      expect(asked.targets[0]?.operations[0]).toMatchObject({ changes: [{ field: "sync", after: "now" }] })
      const report = await apply(asked, made.options)
      expect(report.outcome).toBe("applied")
      expect(report.targets[0]?.results).toEqual([{ id: made.real(`update:${address}`), outcome: "applied" }])
      expect(await statusOf(made, made.real(path))).toBe("SYNC_NOW")
      expect(idsOf(await made.plan(organization), made)).toEqual([])
    })

    scene(`${what}, is made first, where it is not there`, async (made) => {
      const asked = await planned(made, organization, { syncNow: [made.real(address)] })
      expect(idsOf(asked, made)).toContain(`create:${address}`)
      expect((await apply(asked, made.options)).outcome).toBe("applied")
      expect(await statusOf(made, made.real(path))).toBe("SYNC_NOW")
    })

    scene(`${what}, is changed first, where it differs`, async (made) => {
      await made.reach(organization)
      const text = JSON.stringify(organization).replace('"robot":"ci"', '"robot":"ci","interval":"6h"')
      const changed: typeof organization = JSON.parse(text)
      const asked = await planned(made, changed, { syncNow: [made.real(address)] })
      expect(asked.targets[0]?.operations[0]).toMatchObject({
        changes: [{ field: "interval" }, { field: "sync", after: "now" }]
      })
      expect((await apply(asked, made.options)).outcome).toBe("applied")
      expect(await statusOf(made, made.real(path))).toBe("SYNC_NOW")
      expect(idsOf(await made.plan(changed), made)).toEqual([])
    })
  }

  scene("does so by a saved plan, each time that it is applied", async (made) => {
    await made.reach(ACME)
    const text = encodePlan(await planned(made, ACME, { syncNow: [`repository-mirror:${made.org}/alpine`] }))
    for (let time = 0; time < 2; time++) {
      await made.registry.request("POST", `/api/v1/repository/${made.org}/alpine/mirror/sync-cancel`)
      expect((await apply(readPlan(text), made.options)).outcome).toBe("applied")
      expect(await statusOf(made)).toBe("SYNC_NOW")
    }
  })

  scene("is sent nothing else", async (made) => {
    await made.reach(ACME)
    const { registry } = made
    registry.simulator?.requests.reset()
    const asked = await planned(made, ACME, { syncNow: [`repository-mirror:${made.org}/alpine`] })
    await apply(asked, { ...made.options, fresh: true })
    expect(registry.simulator?.requests.of("PUT /api/v1/repository/{repository}/mirror") ?? 0).toBe(0)
  })

  scene("is refused where it is off", async (made) => {
    const off = { ...ACME, repositories: { alpine: { mirror: { ...MIRROR, enabled: false } } } }
    await made.reach(off)
    const syncNow = [`repository-mirror:${made.org}/alpine`]
    expect(String(await rejection(planned(made, off, { syncNow })))).toMatch(/It is off, so it cannot run now/)
    // A file that says nothing of it leaves it off.
    expect(String(await rejection(planned(made, ACME, { syncNow })))).toMatch(/It is off, so it cannot run now/)
  })

  for (const effect of [{ kind: "drop", applied: true }, { kind: "drop" }, { kind: "truncate" }] as const)
    simulated(`does so where the answer is lost: ${JSON.stringify(effect)}`, async (made) => {
      await made.reach(ACME)
      const asked = await planned(made, ACME, { syncNow: [`repository-mirror:${made.org}/alpine`] })
      made.simulator.faults.add({ on: /^POST .*\/sync-now$/, times: 1, effect })
      expect((await apply(asked, made.options)).outcome).toBe("applied")
      expect(await statusOf(made)).toBe("SYNC_NOW")
    })

  simulated("is made and runs where the mirror is made and the answer to that is lost", async (made) => {
    const asked = await planned(made, ACME, { syncNow: [`repository-mirror:${made.org}/alpine`] })
    made.simulator.faults.add({ on: /^POST .*\/mirror$/, times: 1, effect: { kind: "drop", applied: true } })
    expect((await apply(asked, made.options)).outcome).toBe("applied")
    expect(await statusOf(made)).toBe("SYNC_NOW")
  })
})

describe("what is asked of", () => {
  for (const [what, byHand, words] of [
    [
      "what no file declares",
      { syncNow: ["repository-mirror:$org/other"] },
      /sync-now is asked of .*\/other, and no file/
    ],
    ["what cannot run", { syncNow: ["repository:$org/web"] }, /nothing that can be asked of a repository/],
    ["no address", { syncNow: ["alpine"] }, /no file declares it/],
    ["a secret of nobody", { writeSecrets: ["proxy-cache:$org"] }, /The secrets of .* no file declares it/]
  ] as const)
    scene(`${what} is refused`, async (made) => {
      const real: typeof byHand = JSON.parse(made.real(JSON.stringify(byHand)))
      const error = await rejection(planned(made, ACME, real))
      expect(error).toMatchObject({ _tag: "PlanRefused" })
      expect(String(error)).toMatch(words)
    })
})
