#!/usr/bin/env node
// `quaymaster`, as published: the bundle, which Node compiles once and keeps compiled.
import { start } from "./start.js"

await start("quaymaster")
