/**
 * Files in, desired state out, for whatever kinds are given. Finding files and reading them is apart from decoding, which
 * is pure.
 */
export { type Decoded, type DecodeOptions, decode, decodeObject, type Target } from "./decode.ts"
export { type Encoded, EncodeError, type EncodeOptions, encoder } from "./encode.ts"
export { type LoadOptions, loadFiles, SETTINGS_FILE } from "./files.ts"
export { fileSchema } from "./json-schema.ts"
export { ConfigError, formatProblem, type Located, type Position } from "./problem.ts"
export { readBytes } from "./read-bytes.ts"
export { type Known, parseUrl, type Registry } from "./registry.ts"
export { SchemaError } from "./rule.ts"
export { type Clash, type Expanded, expandRules, ruledCollections, standIns } from "./rules.ts"
export { readSecretFile, reasonOf, resolveSecret, SecretError } from "./secret.ts"
export {
  decodeSettings,
  loadSettings,
  type Settings,
  type SettingsOptions,
  settingsFileSchema,
  settingsSchema,
  strangeKinds
} from "./settings.ts"
export type { ObjectSource, Source, Sources, TextSource } from "./source.ts"
