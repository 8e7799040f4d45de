import { defineConfig } from "vitest/config"

const project = (name: string, root: string) => ({ test: { name, root, include: ["test/**/*.test.ts"] } })

export default defineConfig({
  test: {
    projects: [
      ...["engine", "sdk", "runtime", "kinds", "config", "simulator", "quaymaster"].map((name) =>
        project(name, `packages/${name}`)
      ),
      project("cli", "apps/cli"),
      project("openapi", "openapi"),
      { test: { name: "workspace", include: ["scripts/test/**/*.test.ts"] } }
    ]
  }
})
