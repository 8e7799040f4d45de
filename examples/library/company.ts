/** A company's teams as some other system might give them, and the organizations that they want on the registry. */

export interface Squad {
  readonly name: string
  readonly people: ReadonlyArray<string>
  readonly services: ReadonlyArray<string>
}

export const squads: ReadonlyArray<Squad> = [
  { name: "checkout", people: ["mara.voss", "tomas.reid"], services: ["cart", "payments", "receipts"] },
  {
    name: "catalogue",
    people: ["ines.aldana", "piet.holm"],
    services: ["search", "images", "prices/import", "prices/serve"]
  },
  { name: "platform", people: ["yuki.arden"], services: ["gateway", "metrics"] }
]

/** One organization for each squad, in the shape of an organization file. */
export const organizationOf = (squad: Squad): object => ({
  organization: `brindle-${squad.name}`,
  teams: { developers: { role: "creator", description: "Write the services", members: { users: squad.people } } },
  robots: { ci: { description: "Builds and pushes what is merged" } },
  default_permissions: [{ role: "write", robot: "ci" }],
  repositories: Object.fromEntries(
    squad.services.map((service) => [
      service,
      { visibility: "private", permissions: { robots: { ci: "write" }, teams: { developers: "write" } } }
    ])
  )
})
