// Service keys, with which parts of a registry know each other: the list of those of the state. Leaves out how they are made,
// approved and deleted.
import { json } from "../errors.ts"
import { Reader } from "../json.ts"
import type { Kind } from "../router.ts"
import { part } from "../state.ts"

interface ServiceKey {
  readonly kid: string
  readonly service: string
  readonly name: string
  readonly created_date: string
  readonly expiration_date: string | null
  /** By whom it was approved, if it was. */
  readonly approver: string | null
}

const readKey = (value: unknown, place: string): ServiceKey => {
  const reader = new Reader(value, place)
  const key: ServiceKey = {
    kid: reader.text("kid", ""),
    service: reader.text("service", ""),
    name: reader.text("name", ""),
    created_date: reader.text("created_date", ""),
    expiration_date: reader.text("expiration_date", null),
    approver: reader.text("approver", null)
  }
  reader.end()
  return key
}

const keys = part<ServiceKey[]>({
  owner: "registry",
  key: "service_keys",
  empty: () => [],
  read: (value, place) => new Reader({ service_keys: value }, place).list("service_keys", readKey),
  write: (all) => (all.length === 0 ? undefined : all.map((key) => ({ ...key })))
})

const view = ({ approver, created_date, ...key }: ServiceKey) => ({
  ...key,
  created_date,
  jwk: {},
  metadata: {},
  rotation_duration: null,
  approval:
    approver === null
      ? null
      : {
          approver: { name: approver, username: approver, kind: "user", is_robot: false },
          approval_type: "Super User API",
          approved_date: created_date,
          notes: ""
        }
})

export const serviceKey: Kind = {
  name: "service-key",
  parts: [keys],
  routes: [
    {
      method: "GET",
      path: "/api/v1/superuser/keys",
      operation: "listServiceKeys",
      features: ["SUPER_USERS"],
      scope: "super:user",
      fresh: true,
      guard: ({ caller }) => caller.require(caller.isSuperuser()),
      handle: (call) => json(200, { keys: keys.of(call.state).map(view) })
    }
  ]
}
