/** What effect/cli asks of the platform, although the flags here read neither files nor the terminal. */
export { layer as environment } from "@effect/platform-node/NodeServices"
