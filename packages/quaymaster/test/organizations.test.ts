// The random documents say all that a file may say: a kind, a field or a value that they leave out would be held to no law.
import { quayKinds } from "@quaymaster/kinds"
import fc from "fast-check"
import { expect, test } from "vitest"
import { organizationSchema } from "../src/index.ts"
import { absent, type Documents, documents, everything, ORGANIZATION, REGISTRIES } from "./organizations.ts"
import { desiredOf } from "./world.ts"

const ELSEWHERE = { addresses: ["ops@example.com"], sources: ["https://git.example.com/a"] }

/** So many that what is rare is among them. */
const drawn: ReadonlyArray<Documents> = [
  [absent(ORGANIZATION)],
  ...REGISTRIES.flatMap((registry) => [
    everything(ORGANIZATION, registry),
    ...fc.sample(documents(ORGANIZATION, registry, ELSEWHERE), { numRuns: 600, seed: 1 })
  ])
]

const declared = new Set(drawn.flatMap((it) => desiredOf(it).declarations.map(({ kind }) => kind)))

test.each(quayKinds.map(({ kind }) => kind))("%s is declared by some", (kind) => {
  expect([...declared]).toContain(kind)
})

type Schema = { readonly [keyword: string]: unknown }

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const members = (value: unknown): ReadonlyArray<readonly [string, unknown]> =>
  isObject(value) ? Object.entries(value) : []

const options = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Everything that the schema of a file has a place for: fields, and the values of enumerations, by their paths. */
const placesIn = (schema: unknown, path: string): ReadonlyArray<string> =>
  isObject(schema)
    ? [
        ...options(schema["enum"]).map((value) => `${path}=${String(value)}`),
        ...("const" in schema ? [`${path}=${String(schema["const"])}`] : []),
        ...options(schema["anyOf"]).flatMap((it) => placesIn(it, path)),
        ...members(schema["properties"]).flatMap(([name, it]) => [
          `${path}.${name}`,
          ...placesIn(it, `${path}.${name}`)
        ]),
        ...members(schema["patternProperties"]).flatMap(([, it]) => placesIn(it, `${path}.*`)),
        ...placesIn(schema["items"], `${path}[]`)
      ]
    : []

/** The same of a document, where the schema has maps of names. */
const placesOf = (value: unknown, known: ReadonlySet<string>, path: string): ReadonlyArray<string> => {
  if (Array.isArray(value)) return value.flatMap((it) => placesOf(it, known, `${path}[]`))
  if (!isObject(value)) return [`${path}=${String(value)}`]
  return Object.entries(value).flatMap(([name, it]) => {
    const place = known.has(`${path}.${name}`) ? `${path}.${name}` : `${path}.*`
    return [place, ...placesOf(it, known, place)]
  })
}

/** What a rule says of repositories is made of what an entry says of one. */
const one = (place: string): string => place.replace(/^\.repository_rules\[\]/, ".repositories.*")

/** Said by no random document, and held by tests of their own. */
const LEFT_OUT = [
  // Which registry it is for: the laws know one.
  /^\.registr(y|ies)/,
  // A rename leaves what is in the organization to the next plan.
  /^\.renamed_from$/,
  // Who may do what to this plan, not what it is.
  /^\.(protect|ignore)/,
  // A secret is looked up, wherever it is.
  /\.file$/,
  // Only where people sign in by other services.
  /\.sync\.(oidc|keystone)$/,
  /\.triggers\[\]\.service=/
]

test("every field that a file may have, and every word that it may be, is said by some", () => {
  const known = new Set(placesIn(organizationSchema(), ""))
  const said = new Set(drawn.flatMap((it) => it.flatMap((document) => placesOf(document, known, "").map(one))))
  const unsaid = [...new Set([...known].map(one))].filter(
    (place) => !said.has(place) && !LEFT_OUT.some((it) => it.test(place))
  )
  expect(unsaid).toEqual([])
})
