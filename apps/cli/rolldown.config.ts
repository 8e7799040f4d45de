/**
 * The published commands: one entry, minified, with what only some commands need (the library, YAML, the simulator, undici) in
 * chunks that are loaded when they are used, so that `--help` stays fast.
 */
import { defineConfig } from "rolldown"

export default defineConfig({
  input: { main: "src/main.ts" },
  platform: "node",
  // The oldest Node that runs it; see "engines" in package.json.
  transform: { target: "node22.19" },
  output: {
    dir: "dist",
    format: "esm",
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: "chunk-[name].js"
  }
})
