/**
 * Reading collections that Quay tells one at a time: those of each organization, or of each repository. Of what is not there
 * nothing is asked; of what is there, all or a failure.
 */
import type { Collection } from "@quaymaster/engine"
import * as Effect from "effect/Effect"
import { organizationView, type ReadError, repositories } from "./answers.ts"
import type { Quay } from "./quay.ts"
import { organizationOf } from "./repository.ts"

type Read<A> = (parent: string) => Effect.Effect<ReadonlyArray<A>, ReadError, Quay>

const all = <A>(parents: ReadonlyArray<string>, read: Read<A>): Effect.Effect<ReadonlyArray<A>, ReadError, Quay> =>
  Effect.map(Effect.forEach(parents, read, { concurrency: "unbounded" }), (lists) => lists.flat())

/** What `read` finds in each organization that is there. */
export const eachOrganization = <A>(collections: ReadonlyArray<Collection>, read: Read<A>) =>
  all(
    collections.map(({ parent }) => parent),
    (organization) =>
      Effect.flatMap(
        organizationView(organization),
        (view): ReturnType<Read<A>> => (view === undefined ? Effect.succeed([]) : read(organization))
      )
  )

/** What `read` finds in each repository that is there. The list of repositories has been asked for already, as a rule. */
export const eachRepository = <A>(collections: ReadonlyArray<Collection>, read: Read<A>) => {
  const asked = new Map<string, Array<string>>()
  for (const { parent } of collections) {
    const organization = organizationOf(parent)
    asked.set(organization, [...(asked.get(organization) ?? []), parent])
  }
  return all([...asked.keys()], (organization) =>
    Effect.gen(function* () {
      if ((yield* organizationView(organization)) === undefined) return []
      const there = new Set((yield* repositories(organization)).map(({ name }) => `${organization}/${name}`))
      return yield* all(
        (asked.get(organization) ?? []).filter((repository) => there.has(repository)),
        read
      )
    })
  )
}
