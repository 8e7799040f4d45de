#!/usr/bin/env node
// `quay-plan`, as published: the bundle, which Node compiles once and keeps compiled.
import { start } from "./start.js"

await start("quay-plan")
