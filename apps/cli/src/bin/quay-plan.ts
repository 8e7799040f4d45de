/** `quay-plan` from a clone, as `pnpm quay-plan` runs it. The published command is bin/quay-plan.js. */
import { main } from "../main.ts"
import { goWhereTheUserIs } from "./here.ts"

goWhereTheUserIs("quay-plan")
await main("quay-plan")
