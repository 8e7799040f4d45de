// The avatars that Quay puts beside every name: a hash and a colour, no picture.
import { createHash } from "node:crypto"

const COLORS = ["#969696", "#aec7e8", "#ff7f0e", "#ffbb78", "#2ca02c", "#98df8a", "#d62728", "#ff9896", "#9467bd"]

export interface Avatar {
  readonly name: string
  readonly hash: string
  readonly color: string
  readonly kind: "user" | "org" | "team" | "robot"
}

export const avatar = (kind: Avatar["kind"], name: string, id: string = name): Avatar => {
  const digest = createHash("sha256").update(id.trim().toLowerCase()).digest()
  return { name, hash: digest.toString("hex"), color: COLORS[(digest[0] ?? 0) % COLORS.length] ?? "#969696", kind }
}

/** The avatar of someone who may be a person or a robot. */
export const userAvatar = (name: string): Avatar =>
  name.includes("+") ? avatar("robot", name, `robot:${name}`) : avatar("user", name)

export const teamAvatar = (name: string): Avatar => avatar("team", name, `team:${name}`)
