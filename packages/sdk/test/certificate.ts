/**
 * A self-signed certificate for 127.0.0.1, made when a test needs one: node:crypto signs, and the few structures of X.509 that
 * it takes are written here. Good for tests only.
 */
import { generateKeyPairSync, sign } from "node:crypto"

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const hex = (text: string): Buffer => Buffer.from(text, "hex")
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts)
const oid = (bytes: string): Buffer => tlv(0x06, hex(bytes))
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"))
const name = sequence(tlv(0x31, sequence(oid("550403"), tlv(0x0c, Buffer.from("quaymaster test")))))
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tlv(0x04, value))

export const selfSigned = (): { readonly cert: string; readonly key: string } => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const day = (offset: number): Buffer => {
    const text = new Date(Date.now() + offset * 86_400_000)
      .toISOString()
      .replace(/[-:T]|\.\d+/g, "")
      .slice(2)
    return tlv(0x17, Buffer.from(text))
  }
  const alternative = sequence(tlv(0x87, Buffer.from([127, 0, 0, 1])), tlv(0x82, Buffer.from("localhost")))
  const body = sequence(
    tlv(0xa0, hex("020102")),
    hex("020101"),
    ecdsaWithSha256,
    name,
    sequence(day(-1), day(1)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(extension("551d13", sequence(hex("0101ff"))), extension("551d11", alternative)))
  )
  const signature = sign("sha256", body, privateKey)
  const der = sequence(body, ecdsaWithSha256, tlv(0x03, Buffer.from([0]), signature))
  const lines = der.toString("base64").match(/.{1,64}/g) ?? []
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  }
}
