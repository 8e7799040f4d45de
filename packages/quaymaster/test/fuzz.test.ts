// Texts that are damaged: organization files, settings, plans, references to secrets. Whatever they say, reading them gives a
// value or one error of ours, and the same each time. The corpus has what broke something once, and what is worth being damaged.
import { decode, decodeSettings, resolveSecret } from "@quaymaster/config"
import { quayKinds } from "@quaymaster/kinds"
import { corpus, fuzzing, fuzzTime } from "@quaymaster/testing/fuzz"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { assemble, decodePlan, encodePlan } from "../src/effect.ts"
import { apply, plan } from "../src/index.ts"
import { cut, cuts, damaged, damages } from "./mangle.ts"

const RUNS = 300

const seeds = (name: string) => corpus(new URL(`corpus/${name}/`, import.meta.url).pathname)

/** The tag of what it throws, if it throws. Two runs that differ are a mistake, and so is an error that is none of ours. */
const outcome = (run: () => unknown, ...tags: ReadonlyArray<string>): string | undefined => {
  const once = (): { readonly tag: string | undefined; readonly message: string } => {
    try {
      run()
      return { tag: undefined, message: "" }
    } catch (error) {
      const tag = error instanceof Error && "_tag" in error ? String(error._tag) : "none"
      if (!tags.includes(tag)) throw new Error("not an error of ours", { cause: error })
      const { message } = error instanceof Error ? error : { message: "" }
      return { tag, message }
    }
  }
  const first = once()
  expect(once()).toEqual(first)
  // The cursor stays where it is, whatever a message quotes.
  expect(first.message).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  expect(first.message.length).toBeLessThan(400_000)
  return first.tag
}

const damagedText = (texts: ReadonlyArray<string>, words: ReadonlyArray<string>) =>
  fc
    .record({
      text: fc.constantFrom(...texts),
      other: fc.constantFrom(...texts),
      list: fc.array(cuts(words), { maxLength: 6 }),
      splice: fc.nat(4)
    })
    .map(({ list, other, splice, text }) =>
      cut(splice === 0 ? text.slice(0, text.length / 2) + other.slice(other.length / 2) : text, list)
    )

const YAML = [
  ...[
    "&a ",
    "*a",
    "<<: *a",
    "!!js/function ",
    "!x ",
    "? ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "|\n",
    ">-\n",
    "---\n",
    "...\n"
  ],
  ...[
    "%YAML 1.1\n",
    "\t",
    "\n",
    "  ",
    '"',
    "'",
    "#",
    "null",
    "~",
    "true",
    "1e400",
    ".nan",
    "0x1f",
    "__proto__: ",
    "constructor: "
  ],
  ...[
    "\u202e",
    "\u200d",
    "\ufeff",
    "\u0000",
    "\u001b[2J",
    '"\\ud800"',
    "\r",
    "\u2028",
    "{ env: A }",
    "{ file: /dev/zero }",
    "*"
  ]
]

/** Texts like these, damaged in any way, are read. */
const anyDamage = (texts: ReadonlyArray<readonly [string, string]>, read: (text: string) => unknown) => () => {
  const texted = damagedText(
    texts.map(([, text]) => text),
    YAML
  )
  fc.assert(
    fc.property(texted, (text) => void read(text)),
    fuzzing(RUNS)
  )
}

describe("an organization file", () => {
  const texts = seeds("organization")
  const read = (text: string) =>
    outcome(
      () => decode(quayKinds, { files: [{ name: "a.yaml", text }], problems: [] }, { registry: "sim:" }),
      "ConfigError"
    )

  test.each(texts)("is read or refused as in %s", (_, text) => void read(text))

  test("is read or refused, whatever it says", anyDamage(texts, read), fuzzTime(RUNS))
})

describe("settings", () => {
  const texts = seeds("settings")
  const read = (text: string) => outcome(() => decodeSettings({ name: "quaymaster.yaml", text }, "/tmp"), "ConfigError")

  test.each(texts)("are read or refused as in %s", (_, text) => void read(text))

  test("are read or refused, whatever they say", anyDamage(texts, read), fuzzTime(RUNS))
})

describe("a plan", () => {
  const texts = seeds("plan")
  /** Two plans of ours: one makes all there is, the other changes it and takes some of it away. */
  const whole: Array<string> = []
  const anyOfOurs = fc.nat(1).map((index) => whole[index] ?? "")

  beforeAll(async () => {
    const options = { registry: "sim:?users=alice,bob" }
    const organization = {
      organization: "acme",
      teams: {
        dev: { role: "member", description: "one", members: { users: ["alice"], robots: ["ci"] } },
        ops: { role: "admin" }
      },
      robots: { ci: { description: "" } },
      default_permissions: [{ role: "read", team: "dev" }],
      quota: { limit: "1GiB", warning: 80 },
      repositories: {
        app: {
          visibility: "private",
          permissions: { users: { bob: "admin" }, teams: { dev: "read" } },
          auto_prune: [{ method: "number_of_tags", value: 20 }],
          notifications: [{ event: "repo_push", method: "webhook", config: { url: "https://hooks.acme.example/a" } }]
        },
        old: {}
      }
    }
    const made = await plan({ ...options, organizations: [organization] })
    expect((await apply(made, options)).outcome).toBe("applied")
    const changed = await plan({
      ...options,
      organizations: [
        {
          ...organization,
          prune: ["teams", "repositories"],
          teams: { dev: { role: "creator", description: "two", members: { users: [] } } },
          repositories: { app: { visibility: "public", permissions: {}, auto_prune: [], notifications: [] } }
        }
      ]
    })
    expect(changed.summary.delete).toBeGreaterThan(3)
    whole.push(encodePlan(made), encodePlan(changed))
  })

  const read = (text: string) => outcome(() => decodePlan(quayKinds, text), "PlanUnreadable")

  test.each(texts)("is read or refused as in %s", (_, text) => void read(text))

  test("of ours is read", () => {
    for (const text of whole) expect(read(text)).toBeUndefined()
  })

  test(
    "is read or refused, whatever its text says",
    () => {
      const words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"',
        "null",
        "1e400",
        "-0",
        "\\u0000",
        '"__proto__":{},',
        '"needs":["x"],',
        "\ufeff",
        "NaN"
      ]
      fc.assert(
        fc.property(damagedText([...whole, ...texts.map(([, text]) => text)], words), (text) => void read(text)),
        fuzzing(RUNS)
      )
    },
    fuzzTime(RUNS)
  )

  test(
    "is refused or the same, whatever is changed in its values",
    () => {
      fc.assert(
        fc.property(anyOfOurs, fc.array(damages, { minLength: 1, maxLength: 3 }), (text, list) => {
          const changed = JSON.stringify(damaged(JSON.parse(text), list))
          if (changed === undefined) return
          if (read(changed) === undefined)
            expect(decodePlan(quayKinds, changed).digest).toBe(decodePlan(quayKinds, text).digest)
        }),
        fuzzing(RUNS)
      )
    },
    fuzzTime(RUNS)
  )

  test(
    "is refused or applied as it says, where somebody made a digest for what he changed",
    () => {
      fc.assert(
        fc.property(anyOfOurs, fc.array(damages, { minLength: 1, maxLength: 2 }), (text, list) => {
          const { guard, targets, tool } = decodePlan(quayKinds, text)
          const changed = damaged(targets, list)
          let resigned: string
          try {
            // Whoever writes a document can compute a digest of anything; of what is no plan at all, ours cannot.
            resigned = encodePlan(Reflect.apply(assemble, undefined, [changed, tool, guard.allowances]))
          } catch {
            return
          }
          read(resigned)
        }),
        fuzzing(RUNS)
      )
    },
    fuzzTime(RUNS)
  )
})

describe("a reference to a secret", () => {
  test.each(seeds("secret"))("is looked up or refused as in %s", async (_, text) => {
    await lookUp(JSON.parse(text))
  })

  const lookUp = async ({
    content,
    reference
  }: {
    readonly content: string
    readonly reference: { env: string } | { file: string }
  }) => {
    const found = await resolveSecret(
      reference,
      { [String(Object.values(reference)[0])]: content },
      async () => content
    ).catch((error: unknown) => error)
    if (typeof found === "string") {
      expect(found.trim()).not.toBe("")
      return
    }
    expect(found).toMatchObject({ _tag: "SecretError" })
    if (content.trim().length > 3) expect(String(found)).not.toContain(content.trim())
  }

  test(
    "is looked up or refused, whatever is named and whatever is there",
    async () => {
      const name = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "toString", ""))
      const reference = fc.oneof(fc.record({ env: name }), fc.record({ file: name }))
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            reference,
            content: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", " \n", "s3cret-canary"))
          }),
          lookUp
        ),
        fuzzing(RUNS)
      )
    },
    fuzzTime(RUNS)
  )
})
