// Robot federation over HTTP: whom a robot account trusts, as one list, read for the robot accounts of which a file says it.
import { describe, expect } from "vitest"
import { robotFederation } from "../src/robot-federation.ts"
import { type Row, rejection, type Trial, trials } from "./harness.ts"

const { otherwise, rows, simulated, test: tested } = trials()

const FEDERATION = "/api/v1/organization/{orgname}/robots/{robot_shortname}/federation"
const ISSUER = "https://ci.example.com"
const of = (subject: string, issuer = ISSUER) => ({ issuer, subject })

const params = ({ org }: Trial, robot = "ci") => ({ path: { orgname: org, robot_shortname: robot } })

const trusts = async (trial: Trial) => {
  const list = await trial.quay.GET(FEDERATION, { params: params(trial) })
  return list.map(({ subject }) => subject).sort()
}

const file = (...list: ReadonlyArray<ReturnType<typeof of>>) =>
  `robots: { ci: { federation: ${JSON.stringify(list)} }, cd: {} }`

const becoming = (row: Row, ...subjects: ReadonlyArray<string>): Row => ({
  ...row,
  also: async (trial) => expect(await trusts(trial)).toEqual(subjects)
})

rows("whom a robot account trusts", [
  becoming(
    {
      name: "is set after it is made",
      want: file(of("a"), of("b")),
      operations: ["create:robot-federation:$org/ci", "create:robot:$org/cd", "create:robot:$org/ci"]
    },
    "a",
    "b"
  ),
  becoming({
    name: "is nobody for a new one",
    want: file(),
    operations: ["create:robot:$org/cd", "create:robot:$org/ci"]
  }),
  becoming(
    {
      name: "does not depend on the order",
      given: file(of("a"), of("b")),
      want: file(of("b"), of("a")),
      operations: []
    },
    "a",
    "b"
  ),
  becoming(
    {
      name: "is replaced whole",
      given: file(of("a"), of("b")),
      want: file(of("b"), of("c")),
      operations: ["update:robot-federation:$org/ci"]
    },
    "b",
    "c"
  ),
  becoming(
    {
      name: "differs by issuer as well",
      given: file(of("a")),
      want: file(of("a", "http://other.example.com/realm")),
      operations: ["update:robot-federation:$org/ci"]
    },
    "a"
  ),
  becoming({
    name: "is nobody any more where the list is empty",
    given: file(of("a")),
    want: file(),
    operations: ["delete:robot-federation:$org/ci"]
  }),
  becoming(
    {
      name: "is left alone where a file says nothing of it",
      given: file(of("a")),
      want: "robots: { ci: {}, cd: {} }",
      operations: []
    },
    "a"
  ),
  becoming(
    {
      name: "is put right where it was changed behind our back",
      given: file(of("a")),
      drift: (trial) => trial.quay.POST(FEDERATION, { params: params(trial), body: [of("a"), of("evil")] }),
      want: file(of("a")),
      operations: ["update:robot-federation:$org/ci"]
    },
    "a"
  ),
  becoming(
    {
      name: "is set again where it was taken away behind our back",
      given: file(of("a")),
      drift: (trial) => trial.quay.DELETE(FEDERATION, { params: params(trial) }),
      want: file(of("a")),
      operations: ["create:robot-federation:$org/ci"]
    },
    "a"
  ),
  {
    name: "goes along with the robot account",
    given: file(of("a")),
    want: "prune: [robots]\nrobots: { cd: {} }",
    operations: ["delete:robot:$org/ci"],
    becomes: { robots: { cd: "" } }
  }
])

describe("reading it", () => {
  simulated("costs a request for each robot account that is there and of which a file says it", async (trial) => {
    await trial.reach("robots: { ci: {}, cd: {}, cx: {} }")
    const asked = async (robots: string) => {
      trial.simulator.requests.reset()
      await trial.plan(`robots: ${robots}`)
      return trial.simulator.requests.of(`GET ${FEDERATION}`)
    }
    const one = `{ federation: [${JSON.stringify(of("a"))}] }`
    expect(await asked("{ ci: {}, cd: {} }")).toBe(0)
    expect(await asked(`{ ci: ${one}, cd: { federation: [] }, cx: {} }`)).toBe(2)
    // Where none is there, one request finds out whether the registry serves it.
    expect(await asked(`{ new: ${one}, newer: ${one} }`)).toBe(1)
  })
})

describe("an older release", () => {
  for (const version of ["3.7", "3.12"]) {
    otherwise(
      `${version} refuses the plan, for robot accounts that are there and for new ones`,
      { version },
      async (trial) => {
        const words = /federation of .*ci: it came with Quay 3.13, and this registry does not serve it/
        for (let round = 0; round < 2; round++) {
          const error = await rejection(trial.plan(file(of("a"))))
          expect(error).toMatchObject({ _tag: "PlanRefused" })
          expect(String(error)).toMatch(words)
          await trial.reach(round === 0 ? "prune: []" : "robots: { ci: {} }")
        }
        expect(String(await rejection(trial.plan(file(of("a")))))).toMatch(words)
        expect(String(await rejection(trial.plan(file())))).toMatch(words)
      }
    )
  }

  otherwise("that serves it without listing it is not refused", { version: "3.13" }, async (trial) => {
    await trial.reach(file(of("a")))
    await trial.reach(file(of("b")))
    await trial.reach(file())
  })
})

describe("whom a robot account trusts, as a file", () => {
  tested("has every one of them", async () => {
    const item = { organization: "acme", robot: "ci", trusts: [of("a"), of("b")] }
    const node = robotFederation.section.write?.([item])
    expect(node).toEqual(item.trusts)
    expect(robotFederation.section.read(node, "acme/ci").map((entry) => entry.item)).toEqual([item])
    expect([robotFederation.section.write?.([]), robotFederation.section.read([], "acme/ci")]).toEqual([[], []])
  })

  for (const [what, list, words] of [
    ["an issuer that is no URL", [of("a", "ci.example.com")], /should be a URL that starts with https/],
    ["no subject", [{ issuer: ISSUER }], /"subject" is missing/],
    ["an empty subject", [of("")], /should not be empty/],
    ["one twice", [of("a"), of("a")], /listed twice/],
    ["another key", [{ ...of("a"), audience: "x" }], /unknown key "audience"/]
  ] as const)
    tested(`refuses ${what}`, async (trial) => {
      expect(String(await rejection(trial.plan(`robots: { ci: { federation: ${JSON.stringify(list)} } }`)))).toMatch(
        words
      )
    })
})
