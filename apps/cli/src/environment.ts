/**
 * What effect/cli asks of the platform. A path stays as it was typed: it is relative to the host's folder, is shown in messages,
 * and may be a glob; whether it is there is found out by whoever opens it. It is a path to effect/cli so that shells complete it.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"

const asTyped = Layer.mergeAll(
  Layer.effect(
    Path.Path,
    Effect.map(Path.Path, (path) => Path.make({ ...path, isAbsolute: () => true }))
  ).pipe(Layer.provide(Path.layer)),
  FileSystem.layerNoop({ exists: () => Effect.succeed(false) })
)

export const environment = Layer.merge(NodeServices.layer, asTyped)
