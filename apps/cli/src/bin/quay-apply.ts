/** `quay-apply` from a clone, as `pnpm quay-apply` runs it. The published command is bin/quay-apply.js. */
import { main } from "../main.ts"
import { goWhereTheUserIs } from "./here.ts"

goWhereTheUserIs("quay-apply")
await main("quay-apply")
