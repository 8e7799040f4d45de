// What the fault matrix does with each kind: documents that one after another are reached, so that every action that the kind
// has is planned by one of them. A kind without a story does not compile, and one whose story leaves out an action fails.
import type { SimulatorOptions } from "@quaymaster/simulator"
import type { QuayKind } from "../../src/effect.ts"
import type { Document } from "./world.ts"

/** One request behind the back of whoever plans. */
export interface Drift {
  readonly method: "POST" | "PUT" | "DELETE"
  /** After `/api/v1/`. */
  readonly path: string
  readonly body?: object
}

export interface Step {
  readonly drift?: ReadonlyArray<Drift>
  readonly want: ReadonlyArray<Document>
}

export interface Story {
  readonly simulator?: SimulatorOptions
  /** Reached without trouble. */
  readonly given?: Document
  readonly steps: ReadonlyArray<Step>
  /** The names of cases that end otherwise, as the story says. */
  readonly except?: ReadonlyArray<string>
}

const acme = (sections: object): Document => ({ organization: "acme", ...sections })
const want = (sections: object): Step => ({ want: [acme(sections)] })
const after = (drift: ReadonlyArray<Drift>, sections: object): Step => ({ drift, want: [acme(sections)] })
const repository = (sections: object) => ({ repositories: { app: sections } })

const hook = { event: "repo_push", method: "webhook", config: { url: { env: "HOOK" } }, title: "pushes" }
const told = { event: "repo_push", method: "quay_notification", config: { target: { kind: "user", name: "bob" } } }
const warned = { event: "quota_warning", method: "email", config: { email: "ops@example.com" } }
const full = { event: "quota_error", method: "slack", config: { url: { env: "HOOK" } }, title: "full" }

const mirror = { source: "docker.io/library/alpine", tags: ["latest"], robot: "sync", start: "2031-01-01T02:00:00Z" }
const secrets = { username: { env: "NAME" }, password: { env: "WORD" } }
const upstream = {
  type: "quay",
  url: "https://quay.partner.example.com",
  namespace: "partner",
  robot: "sync",
  start: "2031-01-01T02:00:00Z"
}

const tokens = (entries: object) => ({ applications: { console: { tokens: entries } } })

const LDAP = { groups: { "cn=dev,ou=groups": ["alice"], "cn=ops,ou=groups": ["bob"] } }
const DEV = "cn=dev,ou=groups"
const OPS = "cn=ops,ou=groups"

export const stories: { readonly [Name in QuayKind["kind"]]: ReadonlyArray<Story> } = {
  organization: [
    {
      steps: [
        want({
          email: "a@example.com",
          tag_expiration: "1w",
          invoice_email: true,
          invoice_email_address: "i@example.com"
        }),
        want({ email: "b@example.com", tag_expiration: "1d", invoice_email: false, invoice_email_address: "" }),
        { want: [{ organization: "acme", state: "absent" }] }
      ]
    },
    {
      given: acme({ teams: { dev: {} } }),
      steps: [{ want: [{ organization: "apex", renamed_from: "acme", tag_expiration: "1d" }] }]
    }
  ],
  team: [
    {
      given: acme({}),
      steps: [
        want({ teams: { dev: { role: "creator", description: "Developers" } } }),
        want({ teams: { dev: { role: "admin", description: "All of them" } } }),
        want({ prune: ["teams"], teams: {} })
      ]
    },
    {
      // A superuser outside the organization cannot delete a team that administers it at once. The change before it makes the
      // team anew if it is carried out after the deletion, and nothing tells that it will be.
      except: ["no answer, and done later"],
      simulator: {
        state: {
          organizations: {
            acme: {
              teams: { owners: { role: "admin", members: ["bob"] }, dev: { role: "admin", members: ["alice"] } }
            }
          }
        }
      },
      steps: [want({ prune: ["teams"], teams: {} })]
    }
  ],
  robot: [
    {
      given: acme({}),
      steps: [
        want({ robots: { ci: { description: "Builds", unstructured_metadata: { team: "dev" } } } }),
        want({ prune: ["robots"], robots: {} })
      ]
    }
  ],
  "robot-credential": [
    {
      given: acme({ robots: { ci: {} } }),
      steps: [
        want({ robots: { ci: { deliver: [{ docker_config: "ci.json" }, { env_file: "ci.env" }] } } }),
        after([{ method: "POST", path: "organization/acme/robots/ci/regenerate" }], {
          robots: { ci: { deliver: [{ docker_config: "ci.json" }, { env_file: "ci.env" }] } }
        })
      ]
    }
  ],
  "robot-federation": [
    {
      given: acme({ robots: { ci: {} } }),
      steps: [
        want({ robots: { ci: { federation: [{ issuer: "https://ci.example.com", subject: "main" }] } } }),
        want({ robots: { ci: { federation: [{ issuer: "https://ci.example.com", subject: "release" }] } } }),
        want({ robots: { ci: { federation: [] } } })
      ]
    }
  ],
  "team-member": [
    {
      given: acme({ robots: { ci: {} }, teams: { dev: {} } }),
      steps: [
        want({ teams: { dev: { members: { users: ["alice", "bob"], robots: ["ci"] } } } }),
        want({ teams: { dev: { members: { users: ["bob"], robots: [] } } } })
      ]
    },
    {
      simulator: { mailing: true },
      given: acme({ email: "a@example.com", teams: { dev: {} } }),
      steps: [
        want({ teams: { dev: { members: { users: ["alice"] } } } }),
        after([{ method: "PUT", path: "organization/acme/team/dev/members/alice" }], {
          teams: { dev: { members: { users: [] } } }
        })
      ]
    }
  ],
  "team-sync": [
    {
      simulator: { ldap: LDAP },
      given: acme({ teams: { dev: {} } }),
      steps: [
        want({ teams: { dev: { sync: { ldap: DEV } } } }),
        want({ teams: { dev: { sync: { ldap: OPS } } } }),
        want({ teams: { dev: { sync: {} } } })
      ]
    }
  ],
  "default-permission": [
    {
      given: acme({ robots: { ci: {} }, teams: { dev: {} } }),
      steps: [
        want({
          default_permissions: [
            { role: "read", team: "dev" },
            { role: "write", robot: "ci", created_by: "alice" }
          ]
        }),
        after(
          [
            {
              method: "POST",
              path: "organization/acme/prototypes",
              body: { role: "write", delegate: { kind: "team", name: "dev" } }
            }
          ],
          {
            default_permissions: [
              { role: "admin", team: "dev" },
              { role: "read", robot: "ci", created_by: "alice" }
            ]
          }
        ),
        after(
          [
            {
              method: "POST",
              path: "organization/acme/prototypes",
              body: { role: "write", delegate: { kind: "team", name: "dev" } }
            }
          ],
          { default_permissions: [] }
        )
      ]
    }
  ],
  repository: [
    {
      given: acme({}),
      steps: [
        want(repository({ description: "x", visibility: "private" })),
        want(repository({ description: "y", visibility: "public" })),
        want({ prune: ["repositories"], repositories: {} })
      ]
    }
  ],
  "repository-state": [
    { given: acme({}), steps: [want(repository({ state: "read_only" })), want(repository({ state: "normal" }))] }
  ],
  "repository-trust": [
    {
      simulator: { features: { SIGNING: true } },
      given: acme({}),
      steps: [want(repository({ trust: true })), want(repository({ trust: false }))]
    }
  ],
  "repository-mirror": [
    {
      given: acme({ robots: { sync: {}, other: {} }, ...repository({}) }),
      steps: [
        want(repository({ mirror: { ...mirror, ...secrets, interval: "24h" } })),
        want(
          repository({
            mirror: {
              ...mirror,
              ...secrets,
              tags: ["3.*", "latest"],
              robot: "other",
              interval: "12h",
              verify_tls: false,
              proxy: { http: "http://proxy.example:1" }
            }
          })
        ),
        want(repository({ mirror: { enabled: false } }))
      ]
    },
    {
      given: acme({}),
      steps: [want({ robots: { sync: {} }, ...repository({ state: "mirror", mirror }) })]
    }
  ],
  "repository-permission": [
    {
      given: acme({ robots: { ci: {} }, teams: { dev: {} }, ...repository({}) }),
      steps: [
        want(
          repository({ permissions: { users: { alice: "read" }, robots: { ci: "write" }, teams: { dev: "admin" } } })
        ),
        want(
          repository({ permissions: { users: { alice: "write" }, robots: { ci: "read" }, teams: { dev: "read" } } })
        ),
        want(repository({ permissions: { users: {}, robots: {}, teams: {} } }))
      ]
    },
    {
      // What Quay does by itself when the repository is made.
      given: acme({ teams: { dev: {} }, default_permissions: [{ role: "read", team: "dev" }] }),
      steps: [want(repository({ permissions: { users: { alice: "read" }, teams: { dev: "read" } } }))]
    }
  ],
  "build-trigger": [
    {
      simulator: {
        state: {
          organizations: {
            acme: {
              teams: { owners: { role: "admin", members: ["me"] } },
              repositories: {
                app: {
                  triggers: ["1", "2"].map((id) => ({ id, service: "github", config: { build_source: "acme/app" } }))
                }
              }
            }
          }
        }
      },
      steps: [
        want(repository({ triggers: [{ service: "github", source: "acme/app", enabled: false }] })),
        want({ prune: ["triggers"], ...repository({ triggers: [] }) })
      ]
    }
  ],
  quota: [
    {
      given: acme({}),
      steps: [
        want({ quota: { limit: "1GiB", warning: [70, 80], reject: 100 } }),
        want({ quota: { limit: "2GiB", warning: [70, 90], reject: [95, 100] } }),
        want({ quota: { limit: "2GiB", warning: 70, reject: 95 } }),
        want({ quota: {} })
      ]
    }
  ],
  "proxy-cache": [
    {
      given: acme({}),
      steps: [
        want({ proxy_cache: { upstream: "docker.io", ...secrets } }),
        want({ proxy_cache: { upstream: "docker.io", ...secrets, expiration: "1w" } }),
        want({ prune: ["proxy_cache"], proxy_cache: {} })
      ]
    }
  ],
  "organization-notification": [
    {
      given: acme({ quota: { limit: "1GiB", warning: 80 } }),
      steps: [want({ notifications: [warned, full] }), want({ notifications: [] })]
    }
  ],
  "repository-notification": [
    {
      given: acme(repository({})),
      steps: [
        want(repository({ notifications: [hook, told] })),
        after(
          [
            {
              method: "POST",
              path: "repository/acme/app/notification/",
              body: { event: "repo_push", method: told.method, config: told.config, eventConfig: {} }
            }
          ],
          repository({ notifications: [] })
        )
      ]
    }
  ],
  "organization-mirror": [
    {
      given: acme({ robots: { sync: {}, other: {} } }),
      steps: [
        want({ mirror: { ...upstream, ...secrets, visibility: "private", interval: "6h" } }),
        want({
          mirror: { ...upstream, ...secrets, robot: "other", visibility: "public", interval: "12h", verify_tls: false }
        }),
        want({ prune: ["mirror"], mirror: {} })
      ]
    }
  ],
  "organization-auto-prune": [
    {
      given: acme({}),
      steps: [
        want({
          auto_prune: [
            { method: "number_of_tags", value: 20, tag_pattern: "^pr-" },
            { method: "creation_date", value: "30d" }
          ]
        }),
        want({
          auto_prune: [
            { method: "number_of_tags", value: 10, tag_pattern: "^pr-" },
            { method: "creation_date", value: "7d" }
          ]
        }),
        want({ auto_prune: [] })
      ]
    }
  ],
  "repository-auto-prune": [
    {
      given: acme(repository({})),
      steps: [
        want(repository({ auto_prune: [{ method: "number_of_tags", value: 20 }] })),
        want(repository({ auto_prune: [{ method: "number_of_tags", value: 10 }] })),
        want(repository({ auto_prune: [] }))
      ]
    }
  ],
  "organization-immutability": [
    {
      given: acme({}),
      steps: [
        want({ immutability: [{ tag_pattern: "v.*" }, { tag_pattern: "r.*" }] }),
        want({ immutability: [{ tag_pattern: "v.*", tag_pattern_matches: false }, { tag_pattern: "r.*" }] }),
        want({ immutability: [] })
      ]
    }
  ],
  "repository-immutability": [
    {
      given: acme(repository({})),
      steps: [
        want(repository({ immutability: [{ tag_pattern: "v.*" }] })),
        want(repository({ immutability: [{ tag_pattern: "v.*", tag_pattern_matches: false }] })),
        want(repository({ immutability: [] }))
      ]
    }
  ],
  application: [
    {
      given: acme({}),
      steps: [
        want({ applications: { console: { uri: "https://a.example", description: "x" } } }),
        want({ applications: { console: { uri: "https://b.example", redirect_uri: "https://b.example/back" } } }),
        after([{ method: "POST", path: "organization/acme/applications", body: { name: "console" } }], {
          prune: ["applications"],
          applications: {}
        })
      ]
    }
  ],
  "application-token": [
    {
      given: acme({ applications: { console: {} } }),
      steps: [
        want(tokens({ ci: { scopes: ["repo:read"], deliver: [{ env_file: "ci.env" }] } })),
        want(tokens({ ci: { scopes: ["repo:read"], deliver: [{ env_file: "ci.env" }, { env_file: "cd.env" }] } })),
        want({ prune: ["tokens"], ...tokens({}) })
      ]
    }
  ],
  "global-message": [
    {
      steps: [
        { want: [{ messages: [{ content: "Maintenance" }, { content: "Hello", severity: "warning" }] }] },
        {
          drift: [
            {
              method: "POST",
              path: "messages",
              body: { message: { content: "Maintenance", severity: "info", media_type: "text/markdown" } }
            }
          ],
          want: [{ messages: [{ content: "Maintenance", severity: "error" }] }]
        },
        { want: [{ messages: [] }] }
      ]
    }
  ],
  user: [
    {
      steps: [
        { want: [{ users: { ann: { email: "ann@example.com", enabled: false } } }] },
        { want: [{ users: { ann: { email: "ann@example.org", enabled: true } } }] },
        { want: [{ users: { alice: {}, bob: {} }, prune: ["users"] }] }
      ]
    }
  ]
}

const policy = (value: number) => ({ method: "number_of_tags", value, tag_pattern: "^pr-" })

/** Much of it at once: made, and then changed or taken away. */
export const manyKinds: Story = {
  simulator: { features: { SIGNING: true } },
  steps: [
    {
      want: [
        acme({
          email: "a@example.com",
          tag_expiration: "1w",
          quota: { limit: "1GiB", warning: [70, 80], reject: 100 },
          auto_prune: [policy(20)],
          immutability: [{ tag_pattern: "v.*" }],
          notifications: [warned],
          teams: {
            dev: { role: "creator", members: { users: ["alice"], robots: ["ci"] } },
            ops: { role: "admin", members: { users: ["bob", "ann"] } }
          },
          robots: { ci: { federation: [{ issuer: "https://ci.example.com", subject: "main" }] }, sync: {} },
          default_permissions: [
            { role: "read", team: "dev" },
            { role: "write", robot: "ci", created_by: "alice" }
          ],
          applications: { console: { uri: "https://a.example" } },
          repositories: {
            app: {
              description: "x",
              trust: true,
              permissions: { users: { alice: "read" }, robots: { ci: "admin" }, teams: { dev: "read", ops: "write" } },
              notifications: [hook, told],
              auto_prune: [policy(10)]
            },
            old: { state: "read_only", immutability: [{ tag_pattern: "r.*" }] },
            alpine: { state: "mirror", mirror: { ...mirror, ...secrets } }
          }
        }),
        { users: { ann: { email: "ann@example.com", enabled: false } } },
        { messages: [{ content: "Maintenance" }] }
      ]
    },
    {
      want: [
        acme({
          prune: ["teams", "robots", "applications", "repositories"],
          email: "b@example.com",
          quota: { limit: "2GiB", warning: 90, reject: [95, 100] },
          auto_prune: [policy(5)],
          immutability: [],
          notifications: [],
          teams: { ops: { role: "member", members: { users: ["bob"] } }, qa: {} },
          robots: { sync: {} },
          default_permissions: [{ role: "admin", team: "qa" }],
          applications: {},
          repositories: {
            app: {
              description: "y",
              visibility: "public",
              trust: false,
              permissions: { users: {}, teams: { qa: "read" } },
              notifications: [{ ...hook, title: "others" }],
              auto_prune: []
            },
            alpine: { mirror: { ...mirror, ...secrets, tags: ["3.*"] } }
          }
        }),
        { users: { ann: { enabled: true } } },
        { messages: [{ content: "Maintenance", severity: "error" }] }
      ]
    }
  ]
}
