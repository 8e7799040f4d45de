// The registry of kinds: one line each.
import type { Kind } from "./router.ts"
import { application } from "./routes/application.ts"
import { autoPrune } from "./routes/auto-prune.ts"
import { discovery } from "./routes/discovery.ts"
import { entity } from "./routes/entity.ts"
import { immutability } from "./routes/immutability.ts"
import { inbox } from "./routes/inbox.ts"
import { invitation } from "./routes/invitation.ts"
import { log } from "./routes/log.ts"
import { member } from "./routes/member.ts"
import { message } from "./routes/message.ts"
import { mirror } from "./routes/mirror.ts"
import { notification } from "./routes/notification.ts"
import { organization } from "./routes/organization.ts"
import { organizationMirror } from "./routes/organization-mirror.ts"
import { organizationNotification } from "./routes/organization-notification.ts"
import { permission } from "./routes/permission.ts"
import { prototype } from "./routes/prototype.ts"
import { proxyCache } from "./routes/proxy-cache.ts"
import { quota } from "./routes/quota.ts"
import { repository } from "./routes/repository.ts"
import { robot } from "./routes/robot.ts"
import { serviceKey } from "./routes/service-key.ts"
import { session } from "./routes/session.ts"
import { superuser } from "./routes/superuser.ts"
import { tag } from "./routes/tag.ts"
import { team } from "./routes/team.ts"
import { trigger } from "./routes/trigger.ts"
import { user } from "./routes/user.ts"

export const KINDS: readonly Kind[] = [
  discovery,
  user,
  organization,
  superuser,
  serviceKey,
  member,
  team,
  robot,
  prototype,
  repository,
  permission,
  application,
  message,
  mirror,
  notification,
  quota,
  proxyCache,
  autoPrune,
  immutability,
  organizationNotification,
  organizationMirror,
  log,
  inbox,
  invitation,
  entity,
  tag,
  trigger,
  session
]
