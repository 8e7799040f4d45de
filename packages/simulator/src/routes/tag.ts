// Tags of repositories and the labels of what they lead to. Leaves out pushing (push.ts) and scanning.
import { atLeast } from "../auth.ts"
import type { Call } from "../call.ts"
import { invalidRequest, json, message, noContent, notFound, tagImmutable } from "../errors.ts"
import {
  aliveTag,
  digestOf,
  type Image,
  imageOf,
  images,
  isAlive,
  type Label,
  LONGEST,
  newestFirst,
  SHORTEST,
  setTag,
  type Tag,
  tags
} from "../images.ts"
import { uuid } from "../random.ts"
import type { Kind, Route, Since } from "../router.ts"
import type { Schema } from "../schema.ts"
import type { Repository } from "../state.ts"
import { mailDate } from "../views.ts"
import { coverNewTag } from "./immutability.ts"
import { foundRepository, requireRole } from "./repository.ts"

const MOST = 100
const NAME = /^[\w][\w.-]{0,127}$/
const LAST_DATE = 253_402_300_800
const RESERVED = ["com.docker.", "io.docker.", "org.dockerproject.", "io.quay", "quay.", "com.coreos.", "com.tectonic."]
const MODES = { NORMAL: 0, READ_ONLY: 1, MIRROR: 2, ORG_MIRROR: 4 } as const

const CHANGE = (since: Since): Schema => ({
  type: "object",
  properties: {
    manifest_digest: { type: ["string", "null"] },
    expiration: { type: ["number", "null"] },
    ...(since("3.17") ? { immutable: { type: "boolean" } } : {})
  }
})
const RESTORE: Schema = { type: "object", properties: { manifest_digest: { type: "string" } } }
const EXPIRE: Schema = {
  type: "object",
  properties: {
    manifest_digest: { type: "string" },
    is_alive: { type: "boolean" },
    include_submanifests: { type: "boolean" }
  }
}
const LABEL: Schema = {
  type: "object",
  required: ["key", "value", "media_type"],
  properties: {
    key: { type: "string" },
    value: { type: "string" },
    media_type: { type: ["string", "null"], enum: ["text/plain", "application/json", null] }
  }
}

const seconds = (time: number): number => Math.floor(time / 1000)
const date = (time: number): string => mailDate(new Date(time).toISOString())

/** Turns away from what takes no writes; that is looked at before whether there is anything. */
export const requireNormal = (call: Call): void => {
  const { namespace, name } = call.repositoryPath()
  const mode = MODES[call.state.repository(namespace, name)?.state ?? "NORMAL"]
  if (mode > 0) throw message(`Repository is in read only or mirror mode: ${mode}`, 503)
}

const writable = (call: Call): void => {
  requireRole("write")(call)
  requireNormal(call)
}

const indexView = (repository: Repository, image: Image) => {
  const presence = image.children.map((child): [string, boolean] => [child, imageOf(repository, child) !== undefined])
  const present = presence.filter(([, isThere]) => isThere).length
  return {
    is_sparse: present < presence.length,
    child_manifest_count: presence.length,
    present_child_count: present,
    child_manifests_presence: Object.fromEntries(presence)
  }
}

const view = (call: Call, repository: Repository, tag: Tag) => {
  const image = imageOf(repository, tag.digest)
  const isIndex = image !== undefined && image.children.length > 0
  return {
    name: tag.name,
    reversion: tag.reversion,
    ...(call.since("3.17") ? { immutable: tag.immutable } : {}),
    start_ts: seconds(tag.start),
    ...(tag.end === null ? {} : { end_ts: seconds(tag.end) }),
    manifest_digest: tag.digest,
    is_manifest_list: isIndex,
    size: isIndex ? null : (image?.size ?? 0),
    last_modified: date(tag.start),
    ...(tag.end === null ? {} : { expiration: date(tag.end) }),
    ...(isIndex && call.since("3.17") ? indexView(repository, image) : {})
  }
}

/** `like:` looks anywhere in the name, in which `_` and `%` stand for others; what is neither that nor `eq:` is ignored. */
const filterOf = (call: Call): ((name: string) => boolean) => {
  const filter = call.incoming.query.get("filter_tag_name")
  if (filter === null) return () => true
  const colon = filter.indexOf(":")
  if (colon < 0) throw message("Unsupported syntax for filter_tag_name. Expected <operation>:<tag_name>")
  const [operation, wanted] = [filter.slice(0, colon), filter.slice(colon + 1)]
  if (operation === "eq") return (name) => name === wanted
  if (operation !== "like") return () => true
  const source = wanted
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("_", ".")
    .replaceAll("%", ".*")
  const pattern = new RegExp(source, "i")
  return (name) => pattern.test(name)
}

const list = (call: Call) => {
  const { repository } = foundRepository(call)
  const now = call.registry.now()
  const onlyActive = call.queryFlag("onlyActiveTags", false)
  const limit = Math.min(MOST, Math.max(1, call.queryNumber("limit") ?? 50))
  const page = Math.max(1, call.queryNumber("page") ?? 1)
  const specific = call.incoming.query.get("specificTag")
  const fits = filterOf(call)
  const all = newestFirst(tags.of(repository)).filter(
    (tag) => (!onlyActive || isAlive(tag, now)) && (specific === null || tag.name === specific) && fits(tag.name)
  )
  return json(200, {
    tags: all.slice((page - 1) * limit, page * limit).map((tag) => view(call, repository, tag)),
    page,
    has_additional: all.length > page * limit
  })
}

const found = (call: Call, repository: Repository): Tag => {
  const tag = aliveTag(repository, call.parameter("tag"), call.registry.now())
  if (tag === undefined) throw notFound()
  return tag
}

const log = (call: Call, kind: string, metadata: Parameters<Call["log"]>[2]): void => {
  const { namespace, name } = call.repositoryPath()
  const tag = call.parameter("tag")
  call.log(
    kind,
    { namespace, repository: name },
    { username: call.caller.user ?? null, repo: name, namespace, tag, ...metadata }
  )
}

const changeExpiration = (call: Call, repository: Repository): void => {
  const tag = found(call, repository)
  const wanted = call.body.number("expiration")
  const now = call.registry.now()
  if (wanted !== undefined && (wanted * 1000 <= now || wanted >= LAST_DATE)) {
    throw message("The browser (or proxy) sent a request that this server could not understand.")
  }
  if (wanted !== undefined && tag.immutable) throw message(`Cannot set expiration on immutable tag '${tag.name}'`)
  const before = tag.end
  tag.end =
    wanted === undefined
      ? null
      : Math.min(tag.start + LONGEST, Math.max(tag.start + SHORTEST, Math.floor(wanted) * 1000))
  if (before === null && wanted === undefined) return
  const expiration_date = wanted === undefined ? null : Math.floor(wanted)
  log(call, "change_tag_expiration", { expiration_date, old_expiration_date: wanted === undefined ? before : null })
}

/** Whoever writes may set it, only who administers may take it away. */
const changeImmutable = (call: Call, repository: Repository, immutable: boolean): void => {
  const tag = found(call, repository)
  const { namespace, name } = call.repositoryPath()
  if (!immutable) call.caller.require(atLeast(call.caller.repositoryRole(namespace, name), "admin"))
  if (immutable && tag.end !== null && !call.feature("IMMUTABLE_TAGS_CAN_EXPIRE")) {
    throw message(`Cannot make tag '${tag.name}' immutable: tag has expiration set. Clear expiration first.`)
  }
  tag.immutable = immutable
  log(call, "change_tag_immutability", { immutable })
}

const point = (call: Call, repository: Repository, digest: string | undefined, reversion: boolean) => {
  if (digest === undefined || imageOf(repository, digest) === undefined) throw notFound()
  const name = call.parameter("tag")
  const before = aliveTag(repository, name, call.registry.now())
  if (before?.immutable === true) throw tagImmutable(`Cannot overwrite immutable tag '${name}'`)
  const tag = setTag(repository, name, digest, call.registry.now(), reversion)
  coverNewTag(call.state, call.repositoryPath(), tag)
  return { before, digest }
}

/** One after the other: what came before a refusal stays. */
const change = (call: Call) => {
  if (!NAME.test(call.parameter("tag"))) {
    throw message('Invalid tag: must match [A-Za-z0-9_.-], NOT start with "." or "-", and can contain 1-128 characters')
  }
  const { repository } = foundRepository(call)
  if (call.body.get("expiration") !== undefined) changeExpiration(call, repository)
  const immutable = call.since("3.17") ? call.body.flag("immutable") : undefined
  if (immutable !== undefined) changeImmutable(call, repository, immutable)
  if (call.body.get("manifest_digest") !== undefined) {
    const { before, digest } = point(call, repository, call.body.text("manifest_digest"), false)
    log(call, before === undefined ? "create_tag" : "move_tag", {
      manifest_digest: digest,
      original_manifest_digest: before?.digest ?? null
    })
  }
  return json(201, "Updated")
}

const remove = (call: Call) => {
  const { repository } = foundRepository(call)
  const tag = found(call, repository)
  if (tag.immutable) throw tagImmutable(`Cannot delete immutable tag '${tag.name}'`)
  tag.end = call.registry.now()
  log(call, "delete_tag", {})
  return noContent()
}

const restore = (call: Call) => {
  const { namespace, name, repository } = foundRepository(call)
  const wanted = call.body.text("manifest_digest")
  if (wanted === undefined) throw invalidRequest("Missing manifest_digest")
  const { digest } = point(call, repository, wanted, true)
  const metadata = {
    username: call.caller.user ?? null,
    repo: name,
    tag: call.parameter("tag"),
    manifest_digest: digest
  }
  call.log("revert_tag", { namespace, repository: name }, metadata)
  return json(200, {})
}

/** Ends a tag so long ago that the collector takes it, in repositories too that take no other writes. */
const expire = (call: Call) => {
  const { namespace, repository } = foundRepository(call)
  const now = call.registry.now()
  const end = now - (call.state.namespace(namespace)?.tag_expiration_s ?? 0) * 1000
  const digest = call.body.text("manifest_digest")
  const wantsAlive = call.body.flag("is_alive") ?? false
  if (!wantsAlive && digest === undefined) {
    throw invalidRequest("manifest_digest required when is_alive set to false")
  }
  const met = tags
    .of(repository)
    .filter(
      (tag) =>
        tag.name === call.parameter("tag") &&
        (wantsAlive ? isAlive(tag, now) && !tag.immutable : !isAlive(tag, now) && tag.digest === digest)
    )
  const [first] = met
  if (first === undefined) throw notFound()
  for (const tag of met) tag.end = end
  log(call, "permanently_delete_tag", { manifest_digest: first.digest })
  return json(200, "")
}

const pullStatistics = (call: Call) => {
  const { namespace, name, repository } = foundRepository(call)
  const tag = found(call, repository)
  const pulls = call.state.log.filter(
    (entry) =>
      entry.kind === "pull_repo" &&
      entry.namespace === namespace &&
      entry.repository === name &&
      entry.metadata["tag"] === tag.name
  )
  const last = pulls.at(-1)
  const last_pull = last === undefined ? null : mailDate(last.datetime)
  return json(200, {
    tag_name: tag.name,
    tag_pull_count: pulls.length,
    last_tag_pull_date: last_pull,
    current_manifest_digest: tag.digest,
    manifest_pull_count: pulls.length,
    last_manifest_pull_date: last_pull
  })
}

// Manifests and their labels

const foundImage = (call: Call) => {
  const { repository } = foundRepository(call)
  const digest = call.parameter("manifestref")
  const image = imageOf(repository, digest)
  if (image === undefined) throw notFound()
  // An image that only a tag told of is kept from here on, with what is noted about it.
  images.of(repository).set(digest, image)
  return { digest, image }
}

const layerView = ({ content, size }: Image) => ({
  index: 0,
  compressed_size: size,
  is_remote: false,
  urls: null,
  command: [content],
  comment: null,
  author: null,
  blob_digest: digestOf(`layer ${content}`),
  created_datetime: date(0)
})

const manifest = (call: Call) => {
  const { digest, image } = foundImage(call)
  const isIndex = image.children.length > 0
  const data = isIndex
    ? { schemaVersion: 2, manifests: image.children.map((child) => ({ digest: child })) }
    : { schemaVersion: 2, config: { size: image.config_size }, layers: [{ size: image.size }] }
  return json(200, {
    digest,
    is_manifest_list: isIndex,
    manifest_data: JSON.stringify(data),
    ...(isIndex
      ? {}
      : {
          config_media_type: "application/vnd.oci.image.config.v1+json",
          layers_compressed_size: image.size,
          layers: [layerView(image)]
        })
  })
}

const addLabel = (call: Call) => {
  const { digest, image } = foundImage(call)
  const key = call.body.required("key")
  if (RESERVED.some((prefix) => key.startsWith(prefix))) throw message("Label has a reserved prefix")
  const label: Label = {
    id: uuid(call.registry.random),
    key,
    value: call.body.required("value"),
    source_type: "api",
    media_type: call.body.text("media_type") ?? "text/plain"
  }
  image.labels.push(label)
  const { source_type: _source, ...logged } = label
  call.logRepository("manifest_label_add", call.repositoryPath(), { ...logged, manifest_digest: digest })
  return json(201, { label })
}

const foundLabel = (call: Call) => {
  const { digest, image } = foundImage(call)
  const label = image.labels.find(({ id }) => id === call.parameter("labelid"))
  if (label === undefined) throw notFound()
  return { digest, image, label }
}

const TAGS = "/api/v1/repository/{repository}/tag/"
const TAG = `${TAGS}{tag}`
const MANIFEST = "/api/v1/repository/{repository}/manifest/{manifestref}"
const reads = { method: "GET", scope: "repo:read", guard: requireRole("read") } as const
const writes = { scope: "repo:write", guard: writable } as const

const routes: readonly Route[] = [
  { ...reads, path: TAGS, operation: "listRepoTags", handle: list },
  {
    ...writes,
    method: "PUT",
    path: TAG,
    operation: "changeTag",
    body: { name: "ChangeTag", schema: CHANGE },
    handle: change
  },
  { ...writes, method: "DELETE", path: TAG, operation: "deleteFullTag", handle: remove },
  {
    ...writes,
    method: "POST",
    path: `${TAG}/restore`,
    operation: "restoreTag",
    body: { name: "RestoreTag", schema: RESTORE },
    handle: restore
  },
  {
    method: "POST",
    path: `${TAG}/expire`,
    operation: "removeTagFromTimemachine",
    scope: "repo:write",
    since: "3.9",
    guard: requireRole("write"),
    body: { name: "ExpireTag", schema: EXPIRE },
    handle: expire
  },
  {
    ...reads,
    path: `${TAG}/pull_statistics`,
    operation: "getTagPullStatistics",
    features: ["IMAGE_PULL_STATS"],
    since: "3.16",
    handle: pullStatistics
  },
  { ...reads, path: MANIFEST, operation: "getRepoManifest", handle: manifest },
  {
    ...reads,
    path: `${MANIFEST}/labels`,
    operation: "listManifestLabels",
    handle: (call) => json(200, { labels: foundImage(call).image.labels })
  },
  {
    ...writes,
    method: "POST",
    path: `${MANIFEST}/labels`,
    operation: "addManifestLabel",
    body: { name: "AddLabel", schema: LABEL },
    handle: addLabel
  },
  {
    ...reads,
    path: `${MANIFEST}/labels/{labelid}`,
    operation: "getManifestLabel",
    handle: (call) => json(200, foundLabel(call).label)
  },
  {
    ...writes,
    method: "DELETE",
    path: `${MANIFEST}/labels/{labelid}`,
    operation: "deleteManifestLabel",
    handle: (call) => {
      const { digest, image, label } = foundLabel(call)
      image.labels = image.labels.filter((one) => one !== label)
      const { id, key, value } = label
      call.logRepository("manifest_label_delete", call.repositoryPath(), { id, key, value, manifest_digest: digest })
      return noContent()
    }
  }
]

export const tag: Kind = { name: "tag", parts: [images, tags], routes }
