#!/usr/bin/env node
// `quay-apply`, as published: the bundle, which Node compiles once and keeps compiled.
import { start } from "./start.js"

await start("quay-apply")
