/** The benchmark's input: organizations as files would have them, the same for the same numbers. */

export interface Size {
  readonly organizations: number
  readonly repositories: number
  readonly teams: number
  readonly robots: number
}

const numbered = (what: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => `${what}-${String(i).padStart(2, "0")}`)

/** On each repository two of the robots and one of the teams have a permission. */
export const organizations = (size: Size): ReadonlyArray<object> => {
  const teams = numbered("team", size.teams)
  const robots = numbered("robot", size.robots)
  const pick = (names: ReadonlyArray<string>, i: number): string => names[i % names.length] ?? ""
  return numbered("bench", size.organizations).map((organization) => ({
    organization,
    email: `${organization}@acme.example`,
    teams: Object.fromEntries(
      teams.map((team, i) => [team, { role: "member", description: `Team ${i}`, members: { users: ["alice", "bob"] } }])
    ),
    robots: Object.fromEntries(robots.map((robot) => [robot, { description: `Robot account ${robot}` }])),
    repositories: Object.fromEntries(
      numbered("repository", size.repositories).map((repository, i) => [
        repository,
        {
          description: `What ${repository} holds`,
          visibility: i % 3 === 0 ? "public" : "private",
          permissions: {
            robots: { [pick(robots, i)]: "write", [pick(robots, i + 1)]: "read" },
            teams: { [pick(teams, i)]: "read" }
          }
        }
      ])
    )
  }))
}
