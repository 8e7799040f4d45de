#!/usr/bin/env node
// `quay-plan`, as published: the bundle, compiled once and kept by Node.
import module from "node:module"

module.enableCompileCache?.()
const { main } = await import("../dist/main.js")
await main("quay-plan")
