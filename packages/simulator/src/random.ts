// Everything random that a registry makes: ids, tokens, passwords. One source of bytes, so that a test can make it repeat.
import { createHash, randomBytes } from "node:crypto"

/** Gives that many bytes. */
export type RandomSource = (bytes: number) => Uint8Array

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

export const realRandom: RandomSource = (bytes) => randomBytes(bytes)

/** A source that gives the same bytes for the same seed, for tests. */
export const seededRandom = (seed: string): RandomSource => {
  let block = 0
  let left: number[] = []
  return (bytes) => {
    while (left.length < bytes) left = [...left, ...createHash("sha256").update(`${seed}:${block++}`).digest()]
    const given = Uint8Array.from(left.slice(0, bytes))
    left = left.slice(bytes)
    return given
  }
}

/** A number from 0 up to 1, not including 1. */
export const fraction = (random: RandomSource): number => {
  const [a = 0, b = 0, c = 0, d = 0] = random(4)
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32
}

export const uuid = (random: RandomSource): string => {
  const bytes = [...random(16)].map((byte, index) =>
    index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte
  )
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}

/** Upper-case letters and digits, as Quay's tokens are. */
export const token = (random: RandomSource, length: number): string =>
  [...random(length)].map((byte) => LETTERS.charAt(byte % LETTERS.length)).join("")
