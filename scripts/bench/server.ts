/**
 * The registry of the benchmark, in a process of its own so that its memory and time are not the tool's. It answers its
 * parent: `counts` gives the requests by operation since the last time.
 */
import { createSimulator, serveSimulator } from "@quaymaster/simulator"

const [cost = "0", workers = "2"] = process.argv.slice(2)
const simulator = createSimulator({
  users: [{ name: "admin", superuser: true }],
  tokens: [{ token: "bench-token", user: "admin" }],
  acceptAnyUser: true,
  costPerRequest: Number(cost),
  workers: Number(workers)
})
const { url } = await serveSimulator(simulator)
process.on("message", () => {
  process.send?.({ counts: simulator.requests.all() })
  simulator.requests.reset()
})
process.on("disconnect", () => process.exit())
process.send?.({ url })
