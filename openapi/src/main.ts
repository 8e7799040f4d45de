/**
 * `pnpm openapi`: writes the OpenAPI document, the SDK's types, its table of operations and its checks of answers.
 * `--check` writes nothing and says which of them are not current (exit 1); `--url URL` writes nothing and reports how a
 * server's own description differs from the captured one, for people or with `--json`.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { differences, report } from "./drift.ts"
import { isObject, type JsonObject, parse } from "./json.ts"
import { readSources } from "./sources.ts"

const root = new URL("../../", import.meta.url)
const usage = "usage: pnpm openapi [--check] [--url URL [--json]]"

const generate = async (check: boolean): Promise<number> => {
  // The compiler behind the types takes a second to load, which comparing does not need.
  const [{ build }, { problems }, { filesOf }] = await Promise.all([
    import("./build.ts"),
    import("./check.ts"),
    import("./output.ts")
  ])
  const document = build(await readSources())
  const wrong = problems(document)
  if (wrong.length > 0) {
    for (const line of wrong) console.error(line)
    return 1
  }
  const manifest = parse(
    await readFile(new URL("packages/sdk/package.json", root), "utf8"),
    "packages/sdk/package.json"
  )
  const stale: string[] = []
  for (const [name, text] of await filesOf(document, String(manifest["version"]))) {
    const file = fileURLToPath(new URL(name, root))
    if ((await readFile(file, "utf8").catch(() => undefined)) === text) continue
    stale.push(name)
    if (check) continue
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  if (check) for (const name of stale) console.error(`${name} is not current: run pnpm openapi`)
  else console.log(stale.length === 0 ? "All generated files are current." : `Written: ${stale.join(", ")}`)
  return check && stale.length > 0 ? 1 : 0
}

const describeFailure = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

const fetchDiscovery = async (url: URL): Promise<JsonObject> => {
  const response = await fetch(url, {
    redirect: "manual",
    signal: AbortSignal.timeout(60_000),
    headers: { "User-Agent": "quaymaster-openapi", Accept: "application/json" }
  }).catch((error: unknown) => {
    throw new Error(`${url.href}: ${describeFailure(error)}`, { cause: error })
  })
  const type = response.headers.get("content-type") ?? "no content type"
  if (!response.ok || !type.includes("json"))
    throw new Error(`${url.href}: ${response.status}, ${type}, not a discovery document`)
  const document = parse(await response.text(), url.href)
  if (!isObject(document["paths"])) throw new Error(`${url.href}: a JSON document without paths`)
  return document
}

const compareWith = async (address: string, json: boolean): Promise<number> => {
  const base = URL.parse(address)
  if (base === null || (base.protocol !== "https:" && base.protocol !== "http:"))
    throw new Error(`${address} is no http(s) URL`)
  base.search = ""
  base.hash = ""
  if (!base.pathname.endsWith("/")) base.pathname += "/"
  const { discovery, internal } = await readSources()
  const theirs = await fetchDiscovery(new URL("api/v1/discovery", base))
  const theirInternal = await fetchDiscovery(new URL("api/v1/discovery?internal=true", base)).catch(() => undefined)
  const list = theirInternal === undefined ? differences(discovery, theirs) : differences(internal, theirInternal)
  console.log(
    json
      ? JSON.stringify({ url: base.href, internal: theirInternal !== undefined, differences: list }, null, 2)
      : report(list, base.href)
  )
  return 0
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--"),
    options: {
      check: { type: "boolean" },
      url: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" }
    }
  })
  if (values.help === true) {
    console.log(usage)
    return 0
  }
  if (values.url !== undefined) return compareWith(values.url, values.json === true)
  return generate(values.check === true)
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(`openapi: ${error instanceof Error ? error.message : String(error)}`)
  return 1
})
