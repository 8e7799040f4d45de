// Images that come in and go out beside the API, as with a container client: simulated, without layers or sign-in.

import { aliveTag, digestOf, imageOf, images, type Label, newImage, setTag, usage } from "./images.ts"
import { uuid } from "./random.ts"
import { coverNewTag } from "./routes/immutability.ts"
import { organizationMirrorOf } from "./routes/organization-mirror.ts"
import { isOverQuota } from "./routes/quota.ts"
import type { Repository, State } from "./state.ts"

export interface Push {
  /** `acme/app`; it is made, private, if there is none. */
  readonly repository: string
  /** Without one the image is there by its digest only, as the images of an index are. */
  readonly tag?: string
  /** What the image is made of; the same text is the same image. The tag's name by default. */
  readonly image?: string
  /** What the digest is to be, if not made of the image and its labels. */
  readonly digest?: string
  /** Bytes of the layer and of the configuration. */
  readonly size?: number
  readonly configSize?: number
  /** `quay.expires-after` gives the tag an end. */
  readonly labels?: { readonly [key: string]: string }
  /** Makes an index of images that are there, by digest or by what they are made of. */
  readonly index?: readonly string[]
  /** A user or a robot; the first superuser by default. */
  readonly by?: string
}

/** The registry would not have taken the image. */
export class PushRefused extends Error {
  override readonly name = "PushRefused"
}

const UNITS = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000]
])

const period = (text: string | undefined): number | undefined => {
  const [, amount, unit] = /^(\d+)([smhdw])$/.exec(text ?? "") ?? []
  const factor = UNITS.get(unit ?? "")
  return factor === undefined ? undefined : Number(amount) * factor
}

const logged = (namespace: string, name: string, tag: string, by: string, index: boolean) => ({
  repo: name,
  namespace,
  "user-agent": "quaymaster-simulator",
  tag,
  mediaType: `application/vnd.oci.image.${index ? "index" : "manifest"}.v1+json`,
  username: by,
  is_robot: by.includes("+"),
  resolved_ip: {
    provider: "internet",
    service: null,
    sync_token: "0",
    country_iso_code: null,
    aws_region: null,
    continent: null
  }
})

const splitPath = (path: string) => {
  const slash = path.indexOf("/")
  if (slash < 1) throw new PushRefused(`${path} is not a namespace and a name`)
  return { namespace: path.slice(0, slash), name: path.slice(slash + 1) }
}

const pusher = (state: State, by: string | undefined): string =>
  by ?? [...state.users].find(([, { superuser }]) => superuser)?.[0] ?? [...state.users.keys()][0] ?? ""

const note = (
  state: State,
  kind: string,
  path: ReturnType<typeof splitPath>,
  by: string,
  metadata: ReturnType<typeof logged>
) => {
  const datetime = new Date(state.options.now()).toISOString()
  state.log.push({ datetime, kind, performer: by, namespace: path.namespace, repository: path.name, metadata })
  const robot = state.robot(by)
  if (robot !== undefined) robot.last_accessed = datetime
}

const target = (state: State, namespace: string, name: string, by: string): Repository => {
  const owner = state.namespace(namespace)
  if (owner === undefined) throw new PushRefused(`there is no namespace ${namespace}`)
  const known = owner.repositories.get(name)
  const organization = state.organizations.get(namespace)
  const mirror = organization === undefined ? undefined : organizationMirrorOf(organization)
  const mirrors = mirror !== undefined && by === `${namespace}+${mirror.robot}`
  if ((known?.state === "ORG_MIRROR" || (known === undefined && mirror !== undefined)) && !mirrors) {
    throw new PushRefused(`only the mirror of ${namespace} pushes to ${namespace}/${name}`)
  }
  if (known !== undefined) return known
  const made = state.newRepository(mirror?.visibility ?? "private", null)
  if (mirrors) made.state = "ORG_MIRROR"
  if (!by.includes("+")) made.permissions.users.set(by, "admin")
  owner.repositories.set(name, made)
  return made
}

/** Gives the digest. */
export const push = (state: State, wanted: Push): string => {
  const path = splitPath(wanted.repository)
  const by = pusher(state, wanted.by)
  const now = state.options.now()
  const repository = target(state, path.namespace, path.name, by)
  if (repository.state === "READ_ONLY") throw new PushRefused(`${wanted.repository} is read-only`)
  if (wanted.tag !== undefined && aliveTag(repository, wanted.tag, now)?.immutable === true) {
    throw new PushRefused(`${wanted.repository}:${wanted.tag} is immutable`)
  }
  const content = wanted.image ?? wanted.tag ?? ""
  const labels = Object.entries(wanted.labels ?? {}).map(
    ([key, value]): Label => ({
      id: uuid(state.options.random),
      key,
      value,
      source_type: "manifest",
      media_type: "text/plain"
    })
  )
  const children = (wanted.index ?? []).map(digestOf)
  for (const child of children) {
    if (imageOf(repository, child) === undefined) images.of(repository).set(child, newImage(child))
  }
  const image = newImage(content, {
    children,
    labels,
    ...(wanted.size === undefined ? {} : { size: wanted.size }),
    ...(wanted.configSize === undefined ? {} : { config_size: wanted.configSize })
  })
  const name = [content, ...children, ...labels.map(({ key, value }) => `${key}=${value}`)].join(" ")
  const digest = digestOf(wanted.digest ?? name)
  const owner = state.organizations.get(path.namespace)
  const room = imageOf(repository, digest) === undefined ? image.size + image.config_size : 0
  if (owner !== undefined && isOverQuota(owner, usage(owner.repositories.values()) + room)) {
    throw new PushRefused(`the quota of ${path.namespace} is used up`)
  }
  if (!images.of(repository).has(digest)) images.of(repository).set(digest, image)
  if (wanted.tag === undefined) return digest
  const tag = setTag(repository, wanted.tag, digest, now)
  const life = period(wanted.labels?.["quay.expires-after"])
  if (life !== undefined) tag.end = now + life
  coverNewTag(state, path, tag)
  note(state, "push_repo", path, by, logged(path.namespace, path.name, wanted.tag, by, children.length > 0))
  return digest
}

/** Gives the digest, or undefined where there is no such tag. */
export const pull = (
  state: State,
  { repository, tag, by }: { readonly repository: string; readonly tag: string; readonly by?: string }
): string | undefined => {
  const path = splitPath(repository)
  const known = state.repository(path.namespace, path.name)
  const found = known === undefined ? undefined : aliveTag(known, tag, state.options.now())
  if (known === undefined || found === undefined) return undefined
  const who = pusher(state, by)
  const isIndex = (imageOf(known, found.digest)?.children.length ?? 0) > 0
  note(state, "pull_repo", path, who, logged(path.namespace, path.name, tag, who, isIndex))
  return found.digest
}
