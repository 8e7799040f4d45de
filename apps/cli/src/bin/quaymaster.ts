/** `quaymaster` from a clone, as `pnpm quaymaster` runs it. The published command is bin/quaymaster.js. */
import { main } from "../main.ts"
import { goWhereTheUserIs } from "./here.ts"

goWhereTheUserIs("quaymaster")
await main("quaymaster")
