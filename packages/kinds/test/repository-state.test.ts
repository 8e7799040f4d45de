// The state of repositories over HTTP: who may push to one, and what a mirror or an organization's mirror makes of it.
import { PlanRefused, unknownWorld } from "@quaymaster/engine"
import { describe, expect, test } from "vitest"
import { repositoryState as kind } from "../src/repository-state.ts"
import { operationOf, rejection, type Trial, trials } from "./harness.ts"

const { otherwise, rows, simulated, test: tested } = trials()

type State = "NORMAL" | "READ_ONLY" | "MIRROR"

const set = ({ org, quay }: Trial, name: string, state: State) =>
  quay.PUT("/api/v1/repository/{repository}/changestate", {
    params: { path: { repository: `${org}/${name}` } },
    body: { state }
  })

/** What a row ends with: the state of each repository. */
const are =
  (wanted: { readonly [name: string]: State }) =>
  async ({ org, quay }: Trial) => {
    const { repositories } = await quay.GET("/api/v1/repository", { params: { query: { namespace: org } } })
    expect(Object.fromEntries(repositories.map(({ name, state }) => [name, state]))).toEqual(wanted)
  }

rows("the state of a repository", [
  {
    name: "is normal in a new one, which is not asked for",
    want: "repositories: { app: { state: normal } }",
    operations: ["create:repository:$org/app", "create:repository-state:$org/app"],
    also: async (trial, plan) => {
      const made = operationOf(trial, plan, "create:repository-state:$org/app")
      expect(made?.impliedBy).toBe(trial.real("create:repository:$org/app"))
      await are({ app: "NORMAL" })(trial)
    }
  },
  {
    name: "is set in new ones",
    want: "repositories: { app: { state: read_only }, vendor/alpine: { state: mirror } }",
    operations: [
      "create:repository-state:$org/app",
      "create:repository-state:$org/vendor/alpine",
      "create:repository:$org/app",
      "create:repository:$org/vendor/alpine"
    ],
    also: are({ app: "READ_ONLY", "vendor/alpine": "MIRROR" })
  },
  {
    name: "changes, and the rest of the repository stays",
    given: "repositories: { app: { state: read_only, description: The product, visibility: public } }",
    want: "repositories: { app: { state: normal } }",
    operations: ["update:repository-state:$org/app"],
    becomes: { repositories: { app: { description: "The product", visibility: "public" } } },
    also: are({ app: "NORMAL" })
  },
  {
    name: "changes beside a description, which may be written whatever the state",
    given: "repositories: { app: { state: normal, description: old } }",
    want: "repositories: { app: { state: read_only, description: new } }",
    operations: ["update:repository-state:$org/app", "update:repository:$org/app"],
    becomes: { repositories: { app: { description: "new" } } },
    also: are({ app: "READ_ONLY" })
  },
  {
    name: "that was changed behind our back is put right",
    given: "repositories: { app: { state: read_only }, web: { state: normal } }",
    drift: async (trial) => {
      await set(trial, "app", "NORMAL")
      await set(trial, "web", "MIRROR")
    },
    want: "repositories: { app: { state: read_only }, web: { state: normal } }",
    operations: ["update:repository-state:$org/app", "update:repository-state:$org/web"],
    also: are({ app: "READ_ONLY", web: "NORMAL" })
  },
  {
    name: "of which a file says nothing is left alone",
    given: "repositories: { app: { state: read_only } }",
    want: "repositories: { app: {} }",
    operations: [],
    extras: [],
    also: are({ app: "READ_ONLY" })
  },
  {
    name: "goes along when its repository is deleted",
    given: "repositories: { app: { state: read_only }, web: {} }",
    want: "prune: [repositories]\nrepositories: { web: { state: read_only } }",
    operations: ["delete:repository:$org/app", "update:repository-state:$org/web"],
    also: are({ web: "READ_ONLY" })
  }
])

describe("the state of repositories", () => {
  simulated("costs no request beside the list of repositories", async (trial) => {
    const names = ["a", "b", "c"]
    const file = (fields: object) => ({
      organization: "$org",
      repositories: Object.fromEntries(names.map((name) => [name, fields]))
    })
    const cost = async (fields: object) => {
      trial.simulator.requests.reset()
      await trial.plan(file(fields))
      return (
        trial.simulator.requests.of("GET /api/v1/repository") +
        trial.simulator.requests.of("GET /api/v1/organization/{orgname}")
      )
    }
    await trial.reach(file({ state: "read_only" }))
    expect(await cost({ state: "read_only" })).toBe(await cost({}))
  })

  tested("is none that the file cannot name", async (trial) => {
    for (const state of ["READ_ONLY", "org_mirror", "frozen"])
      expect(String(await rejection(trial.plan(`repositories: { app: { state: ${state} } }`)))).toMatch(/read_only/)
  })

  for (const state of ["read_only", "mirror", "normal"])
    otherwise(
      `is refused where mirrors are switched off (${state})`,
      { features: { REPO_MIRROR: false } },
      async (trial) => {
        const error = await rejection(trial.plan(`repositories: { app: { state: ${state} } }`))
        expect(error).toBeInstanceOf(PlanRefused)
        expect(String(error)).toMatch(/state of .*\/app: .*FEATURE_REPO_MIRROR/)
      }
    )

  otherwise("is the same in older releases", { version: "3.8" }, async (trial) => {
    await trial.reach("repositories: { app: { state: read_only } }")
    await trial.reach("repositories: { app: { state: normal } }")
    await are({ app: "NORMAL" })(trial)
  })
})

describe("in a repository of an organization's mirror", () => {
  test("the state is refused", () => {
    const before = { repository: "acme/app", state: "org_mirror" } as const
    expect(kind.refuses?.({ repository: "acme/app", state: "read_only" }, before, unknownWorld)).toMatch(
      /organization's mirror/
    )
    expect(kind.refuses?.({ repository: "acme/app", state: "read_only" }, undefined, unknownWorld)).toBeUndefined()
  })
})

test("an exported state is read as it was", () => {
  for (const state of ["read_only", "mirror", "normal"] as const) {
    const item = { repository: "acme/app", state }
    expect(kind.section.read(kind.section.write?.([item]), "acme/app")).toEqual([{ item, path: [] }])
  }
})
