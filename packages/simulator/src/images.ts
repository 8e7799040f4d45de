// Images and tags of repositories: what each holds, how tags begin and end, and how much room the images take.
// Leaves out who may do what to them (tag.ts) and how they come in (push.ts).
import { createHash } from "node:crypto"
import { isObject, Reader, StateError } from "./json.ts"
import { part, type Repository } from "./state.ts"

/** Between so much and so much after its start a tag may expire, in milliseconds. */
export const SHORTEST = 3_600_000
export const LONGEST = 104 * 7 * 86_400_000

export interface Label {
  readonly id: string
  readonly key: string
  readonly value: string
  readonly source_type: "api" | "manifest"
  readonly media_type: string
}

export interface Image {
  /** What the layer is made of: images of the same content share its room. */
  readonly content: string
  readonly size: number
  readonly config_size: number
  /** The images of an index, which takes no room itself. */
  readonly children: readonly string[]
  labels: Label[]
}

/** One stretch of a tag's life. Times are milliseconds since 1970. */
export interface Tag {
  readonly name: string
  readonly digest: string
  readonly start: number
  end: number | null
  immutable: boolean
  readonly reversion: boolean
}

const SIZE = 100
const CONFIG_SIZE = 278

export const digestOf = (text: string): string =>
  /^sha256:[0-9a-f]{64}$/.test(text) ? text : `sha256:${createHash("sha256").update(text).digest("hex")}`

export const newImage = (content: string, more: Partial<Omit<Image, "content">> = {}): Image => ({
  content,
  size: more.size ?? SIZE,
  config_size: more.config_size ?? CONFIG_SIZE,
  children: more.children ?? [],
  labels: more.labels ?? []
})

const readLabel = (value: unknown, place: string): Label => {
  const reader = new Reader(value, place)
  const label: Label = {
    id: reader.text("id", ""),
    key: reader.text("key", ""),
    value: reader.text("value", ""),
    source_type: reader.one("source_type", ["api", "manifest"], "api"),
    media_type: reader.text("media_type", "text/plain")
  }
  reader.end()
  return label
}

/** Known images by digest. A tag of an image that is not named here has one of the usual size. */
export const images = part<Map<string, Image>>({
  owner: "repository",
  key: "images",
  empty: () => new Map(),
  read: (value, place) => {
    const read = new Reader({ images: value }, place).map("images", (item, at) => {
      const reader = new Reader(item, at)
      const image = newImage(reader.text("content", ""), {
        size: reader.number("size", SIZE),
        config_size: reader.number("config_size", CONFIG_SIZE),
        children: reader.texts("children").map(digestOf),
        labels: reader.list("labels", readLabel)
      })
      reader.end()
      return image
    })
    return new Map([...read].map(([name, image]) => [digestOf(name), image]))
  },
  write: (all) =>
    all.size === 0
      ? undefined
      : Object.fromEntries(
          [...all].map(([digest, { content, size, config_size, children, labels }]) => [
            digest,
            {
              content,
              size,
              config_size,
              ...(children.length === 0 ? {} : { children: [...children] }),
              ...(labels.length === 0 ? {} : { labels: labels.map((label) => ({ ...label })) })
            }
          ])
        )
})

const time = (text: string, place: string): number => {
  const parsed = Date.parse(text)
  if (Number.isNaN(parsed)) throw new StateError(place, "must be a date")
  return parsed
}

const readTag = (name: string, value: unknown, place: string): Tag => {
  if (typeof value === "string") {
    return { name, digest: digestOf(value), start: 0, end: null, immutable: false, reversion: false }
  }
  const reader = new Reader(value, place)
  const end = reader.text("end", null)
  const tag: Tag = {
    name,
    digest: digestOf(reader.text("digest", name)),
    start: time(reader.text("start", new Date(0).toISOString()), reader.at("start")),
    end: end === null ? null : time(end, reader.at("end")),
    immutable: reader.flag("immutable", false),
    reversion: reader.flag("reversion", false)
  }
  reader.end()
  return tag
}

/** In the order in which they began. By hand a tag may be no more than the image that it is of: `"v1": "sha256:…"`. */
export const tags = part<Tag[]>({
  owner: "repository",
  key: "tags",
  empty: () => [],
  read: (value, place) => {
    if (!isObject(value)) throw new StateError(place, "must be an object")
    return Object.entries(value)
      .flatMap(([name, item]) =>
        (Array.isArray(item) ? item : [item]).map((one) => readTag(name, one, `${place}.${name}`))
      )
      .sort((a, b) => a.start - b.start)
  },
  write: (all) => {
    if (all.length === 0) return undefined
    const names = [...new Set(all.map(({ name }) => name))]
    return Object.fromEntries(
      names.map((name) => [
        name,
        all
          .filter((tag) => tag.name === name)
          .map(({ digest, start, end, immutable, reversion }) => ({
            digest,
            start: new Date(start).toISOString(),
            ...(end === null ? {} : { end: new Date(end).toISOString() }),
            ...(immutable ? { immutable } : {}),
            ...(reversion ? { reversion } : {})
          }))
      ])
    )
  }
})

export const isAlive = ({ end }: Tag, now: number): boolean => end === null || end > now

export const aliveTag = (repository: Repository, name: string, now: number): Tag | undefined =>
  tags.of(repository).findLast((tag) => tag.name === name && isAlive(tag, now))

/** The newest first. */
export const newestFirst = (all: readonly Tag[]): Tag[] => [...all].reverse().sort((a, b) => b.start - a.start)

/** The image of a digest that the repository has, through whatever tag. */
export const imageOf = (repository: Repository, digest: string): Image | undefined => {
  const known = images.of(repository).get(digest)
  if (known !== undefined) return known
  return tags.of(repository).some((tag) => tag.digest === digest) ? newImage(digest) : undefined
}

/** Ends what was under the name, and begins again: nothing of the earlier tag stays. */
export const setTag = (repository: Repository, name: string, digest: string, now: number, reversion = false): Tag => {
  const before = aliveTag(repository, name, now)
  if (before !== undefined) before.end = now
  const tag: Tag = { name, digest, start: now, end: null, immutable: false, reversion }
  tags.of(repository).push(tag)
  return tag
}

/** The bytes of all blobs, each counted once. */
export const usage = (repositories: Iterable<Repository>): number => {
  const blobs = new Map<string, number>()
  for (const repository of repositories) {
    const digests = new Set([...images.of(repository).keys(), ...tags.of(repository).map(({ digest }) => digest)])
    for (const digest of digests) {
      const image = imageOf(repository, digest)
      if (image === undefined || image.children.length > 0) continue
      blobs.set(`layer ${image.content}`, image.size).set(`config ${digest}`, image.config_size)
    }
  }
  return [...blobs.values()].reduce((sum, size) => sum + size, 0)
}

export const hasImmutableTags = (repositories: Iterable<Repository>, now: number): boolean =>
  [...repositories].some((repository) => tags.of(repository).some((tag) => tag.immutable && isAlive(tag, now)))

/** What ended longer ago than the window goes, and then every image that no tag leads to. */
export const collectImages = (repository: Repository, window: number, now: number): void => {
  const kept = tags.of(repository).filter(({ end }) => end === null || end + window > now)
  tags.set(repository, kept)
  const known = images.of(repository)
  const reached = new Set(kept.flatMap(({ digest }) => [digest, ...(known.get(digest)?.children ?? [])]))
  for (const digest of [...known.keys()]) if (!reached.has(digest)) known.delete(digest)
}
