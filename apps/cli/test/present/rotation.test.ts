/** What is said of a token that was made anew, where not all went well. */
import type { RotationReport } from "quaymaster"
import { expect, test } from "vitest"
import { rotatedText, rotationText } from "../../src/present/rotation.ts"
import { plain } from "../../src/present/style.ts"

const REPORT: RotationReport = {
  robot: "acme/ci",
  registry: "prod",
  url: "https://quay.example.com",
  lastUsed: "Sun, 22 Nov 2026 02:21:50 -0000",
  teams: [],
  repositories: ["app", "web"],
  sinks: [{ type: "kubernetes_secret", file: "ci.yaml", state: "there" }],
  outcome: "partial",
  token: "answered",
  deliveries: [
    { type: "docker_config", file: "ci.json" },
    { type: "env_file", file: "ci.env", error: "ci.env was not written: the disk is full." }
  ]
}

const APPLY = { apply: "quaymaster apply acme.yaml" }

test("what a person should know before", () => {
  const text = rotationText(REPORT, plain)
  expect(text).toContain("  last used  Sun, 22 Nov 2026 02:21:50 -0000\n  opens      2 repositories: app, web\n")
  expect(text).toMatch(/^ {2}~ kubernetes_secret ci\.yaml$/m)
  expect(text).toMatch(/A secret in a cluster is one of these\.\n$/)
})

test("what was not delivered, and how it will be", () => {
  expect(rotatedText(REPORT, plain, APPLY)).toBe(
    "✓ docker_config ci.json\n✗ env_file ci.env  ci.env was not written: the disk is full.\n" +
      "The token of acme/ci is new. It was written to 1 of 2 files.\n" +
      "Deliver the rest with  quaymaster apply acme.yaml\n"
  )
})

test("an answer that was lost, and a token that was seen", () => {
  const report: RotationReport = { ...REPORT, outcome: "rotated", token: "seen", deliveries: [] }
  expect(rotatedText(report, plain, APPLY)).toBe(
    "The token of acme/ci is new. Quay's answer was lost, so it was looked up.\n"
  )
})

test("a token of which nothing is known", () => {
  const report: RotationReport = { ...REPORT, token: "unknown", reason: "no answer", deliveries: [] }
  expect(rotatedText(report, plain, APPLY)).toBe(
    "Not known: Quay did not say whether the token of acme/ci is new (no answer).\n" +
      "Deliver what it is now with  quaymaster apply acme.yaml\n"
  )
})
