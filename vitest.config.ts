import { randomInt } from "node:crypto"
import { defineConfig } from "vitest/config"

/** Tests over HTTP repeat requests after pauses, start processes, and share their processors with others. */
const testTimeout = 60_000

const project = (name: string, root: string) => ({ test: { name, root, include: ["test/**/*.test.ts"], testTimeout } })

/** Run by `pnpm test:live` and by nothing else: a bare `vitest run` needs no registry. */
const live = process.argv.some((argument) => argument === "live" || argument === "--project=live")

// What random cases begin with, told in every run, so that each can be repeated. Each project loads this file.
if (process.env["LAW_SEED"] === undefined) {
  process.env["LAW_SEED"] = String(randomInt(2 ** 31))
  process.stdout.write(`Random cases begin with LAW_SEED=${process.env["LAW_SEED"]}\n`)
}

export default defineConfig({
  test: {
    projects: [
      ...["engine", "sdk", "runtime", "kinds", "config", "simulator", "testing", "quaymaster"].map((name) =>
        project(name, `packages/${name}`)
      ),
      project("cli", "apps/cli"),
      project("openapi", "openapi"),
      { test: { name: "workspace", include: ["scripts/test/**/*.test.ts"], testTimeout } },
      ...(live
        ? [
            {
              test: {
                name: "live",
                include: ["packages/{kinds,quaymaster}/test/**/*.test.ts"],
                globalSetup: ["packages/testing/src/live.ts"],
                // Requests are what a real server is slow at, so files take turns and have time.
                fileParallelism: false,
                testTimeout: 120_000,
                hookTimeout: 120_000
              }
            }
          ]
        : [])
    ]
  }
})
