// The Swagger document that `/api/v1/discovery` serves, made from the routes that are served. Leaves out what Quay leaves
// out too: what the answers look like.
import { isAtLeast } from "./features.ts"
import { isJson, isObject, type Json } from "./json.ts"
import type { Served } from "./router.ts"

const parameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    in: "path",
    name: name ?? "",
    required: true,
    type: "string"
  }))

const SUCCESS = { GET: "200", POST: "201", PUT: "200", DELETE: "204" } as const

const operation = (route: Served): { [key: string]: Json } => ({
  operationId: route.operation ?? "",
  parameters: route.body === undefined || route.body.unlisted === true ? [] : [bodyParameter(route.body.name)],
  responses: { [SUCCESS[route.method]]: { description: "Success" } },
  ...(route.scope === undefined ? {} : { security: [{ oauth2_implicit: [route.scope] }] })
})

const bodyParameter = (name: string): Json => ({
  in: "body",
  name: "body",
  required: true,
  schema: { $ref: `#/definitions/${name}` }
})

const isListed = (route: Served, internal: boolean, version: string | undefined): boolean =>
  route.operation !== undefined &&
  (internal || route.internal !== true) &&
  (route.listedSince === undefined || isAtLeast(version, route.listedSince))

/** Of operations that share the name of a body, the last one's schema is shown, as in Quay; before 3.9 the first one's. */
export const swagger = (
  routes: readonly Served[],
  internal: boolean,
  origin: string,
  version: string | undefined
): Json => {
  const listed = routes.filter((route) => isListed(route, internal, version))
  const paths = new Map<string, { [key: string]: Json }>()
  const definitions = new Map<string, Json>()
  for (const route of listed) {
    const known = paths.get(route.path) ?? { parameters: parameters(route.path), "x-path": route.path }
    paths.set(route.path, { ...known, [route.method.toLowerCase()]: operation(route) })
    const schema: unknown = route.body?.schema
    if (route.body === undefined || route.body.unlisted === true || !isObject(schema) || !isJson(schema)) continue
    if (isAtLeast(version, "3.9") || !definitions.has(route.body.name)) definitions.set(route.body.name, schema)
  }
  return {
    swagger: "2.0",
    host: new URL(origin).host,
    basePath: "/",
    schemes: [new URL(origin).protocol.replace(":", "")],
    info: { title: "Quay Frontend", version: "v1" },
    paths: Object.fromEntries(paths),
    definitions: Object.fromEntries(definitions)
  }
}
