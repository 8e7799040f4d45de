// Loads the bundle, or says which Node it takes: older ones fail on its syntax with words that help nobody.
import module from "node:module"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

export const start = async (name) => {
  if (major < 22 || (major === 22 && minor < 19)) {
    process.stderr.write(`${name} needs Node 22.19 or newer; this is ${process.versions.node}.\n`)
    process.exitCode = 1
    return
  }
  module.enableCompileCache?.()
  const { main } = await import("../dist/main.js")
  await main(name)
}
