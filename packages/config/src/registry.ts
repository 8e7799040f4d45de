/**
 * Registries: what a name or a URL in a file means, and which registries a document is for. A document's own word comes
 * first, then the command line, then the default of quaymaster.yaml; the command line may narrow a document's list, and
 * may not contradict it.
 */
import { resolve } from "node:path"
import type { Path, SecretRef } from "@quaymaster/engine"
import { quote, type Report } from "./problem.ts"
import { type Document, locate } from "./tree.ts"

/** A registry and how to reach it. Paths are absolute. */
export interface Registry {
  /** The name that quaymaster.yaml gives it, else its URL. */
  readonly name: string
  /** Without a slash at the end. `sim:`, `sim:PATH` and either with `?users=…` stand for a simulated registry. */
  readonly url: string
  readonly token?: SecretRef
  /** PEM files: certificates to trust beside the system's, and the client's own certificate with its key. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Whether the server's certificate is checked. */
  readonly verify: boolean
  readonly parallelism?: number
  readonly rps?: number
  /** How long one request may take, in milliseconds. */
  readonly timeout?: number
  /** The proxy's URL, or where it is; false for none, whatever the environment says. */
  readonly proxy?: string | SecretRef | false
}

/** The registries that are known by name. */
export interface Known {
  readonly registries: ReadonlyMap<string, Registry>
  readonly default?: string
}

export const NAME = "^[A-Za-z0-9][A-Za-z0-9._-]*$"

export const NAMED = new RegExp(NAME)

/** A URL in its one form, or what is wrong with it. Nothing of the URL is repeated: it may hold a password. */
export const parseUrl = (text: string, directory: string | undefined): { url: string } | { fault: string } => {
  if (text.startsWith("sim:")) {
    const path = text.slice("sim:".length)
    return {
      url: path === "" || path.startsWith("?") || directory === undefined ? text : `sim:${resolve(directory, path)}`
    }
  }
  if (!URL.canParse(text)) return { fault: "is no URL" }
  const url = new URL(text)
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return { fault: "should start with https://, http:// or sim:" }
  if (url.username !== "" || url.password !== "")
    return { fault: "has a user or a password in it, which belong elsewhere" }
  if (url.search !== "" || url.hash !== "") return { fault: "should end before ? and #" }
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}` }
}

interface Fault {
  readonly fault: string
  readonly hint?: string | undefined
}

/** The registry that a name or a URL stands for. A URL that quaymaster.yaml names brings along what is said of it there. */
const lookUp = (
  text: string,
  directory: string | undefined,
  known: Known | undefined,
  report: Report
): Registry | Fault => {
  if (NAMED.test(text)) {
    const registry = known?.registries.get(text)
    if (registry !== undefined) return registry
    const names = [...(known?.registries.keys() ?? [])]
    const hint =
      report.didYouMean(text, names) ??
      (names.length > 0 ? `named there: ${names.join(", ")}` : `name it there, or write a URL such as https://${text}`)
    return { fault: `quaymaster.yaml names no registry ${quote(text)}`, hint }
  }
  const parsed = parseUrl(text, directory)
  if ("fault" in parsed) return { fault: `the registry ${parsed.fault}` }
  const same = [...(known?.registries.values() ?? [])].filter((it) => it.url === parsed.url)
  const [only] = same
  if (same.length > 1)
    return {
      fault: `quaymaster.yaml has several names for ${parsed.url}`,
      hint: `use one of ${same.map((it) => it.name).join(", ")}`
    }
  return only ?? { name: parsed.url, url: parsed.url, verify: true }
}

/**
 * Decides for each document which registries it is for. What is wrong goes to the report, and the document to no registry.
 */
export class Targets {
  readonly #known: Known | undefined
  readonly #flag: Registry | undefined
  readonly #spoiled: boolean
  readonly #report: Report

  /** `flag` is what the command line says: a name or a URL. Its relative paths start at `cwd`. */
  constructor(known: Known | undefined, flag: string | undefined, cwd: string | undefined, report: Report) {
    this.#known = known
    this.#report = report
    const found = flag === undefined ? undefined : lookUp(flag, cwd, known, report)
    this.#spoiled = found !== undefined && "fault" in found
    if (found !== undefined && "fault" in found) report.at("--registry", undefined, [], found.fault, found.hint)
    else this.#flag = found
  }

  /** `registry` and `registries` are the document's own, where they were usable. */
  of(document: Document, said: { readonly registry: unknown; readonly registries: unknown }): ReadonlyArray<Registry> {
    const { file, root } = document
    const written = root.type === "map" ? root.entries : undefined
    const one = written?.get("registry")
    const several = written?.get("registries")
    if (one !== undefined && several !== undefined) {
      const later = (one.key?.line ?? 0) > (several.key?.line ?? 0) ? one : several
      this.#report.at(file, later.key, [], "registry and registries cannot stand together", "keep registries")
      return []
    }
    if (one === undefined && several === undefined) return this.#fallback(document)
    const named: Array<{ readonly text: string; readonly path: Path }> = []
    if (typeof said.registry === "string") named.push({ text: said.registry, path: ["registry"] })
    if (Array.isArray(said.registries)) {
      for (const [index, text] of said.registries.entries())
        if (typeof text === "string") named.push({ text, path: ["registries", index] })
    }
    const found = new Map<string, Registry>()
    let faulty = false
    for (const { path, text } of named) {
      const registry = lookUp(text, document.directory, this.#known, this.#report)
      const at = this.#at(document, path)
      if ("fault" in registry) {
        faulty = true
        this.#report.at(file, at, path, registry.fault, registry.hint)
        continue
      }
      const same = [...found.values()].find((it) => it.url === registry.url)
      if (same !== undefined) {
        this.#report.at(file, at, path, `${quote(text)} is the registry ${quote(same.name)} once more`)
        continue
      }
      found.set(registry.name, registry)
    }
    const flag = this.#flag
    if (flag === undefined || found.size === 0) return [...found.values()]
    const chosen = [...found.values()].filter((it) => it.url === flag.url && it.name === flag.name)
    if (chosen.length > 0) return chosen
    if (!faulty) {
      const path = one === undefined ? ["registries"] : ["registry"]
      const says = [...found.keys()].join(", ")
      this.#report.at(
        file,
        this.#at(document, path),
        [],
        `this is for ${says}, and --registry says ${flag.name}`,
        "leave the flag out, or name a registry of the file"
      )
    }
    return []
  }

  #fallback({ file, root }: Document): ReadonlyArray<Registry> {
    if (this.#flag !== undefined) return [this.#flag]
    if (this.#spoiled) return []
    const name = this.#known?.default
    const registry = name === undefined ? undefined : this.#known?.registries.get(name)
    if (registry !== undefined) return [registry]
    this.#report.at(
      file,
      root.at,
      [],
      "nothing says which registry this is for",
      "write registry: NAME here or default: NAME in quaymaster.yaml, or pass --registry"
    )
    return []
  }

  #at({ root }: Document, path: Path) {
    return locate(root, undefined, path).tree.at
  }
}
