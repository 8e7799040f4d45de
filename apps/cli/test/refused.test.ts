/** A registry that is not there. In a file of its own, because trying again takes its time. */
import { expect, test } from "vitest"
import { ACME, makeWorld } from "./host.ts"

test("a refused connection is tried again, and told", { timeout: 30_000 }, async () => {
  await using world = await makeWorld()
  await world.write("acme.yaml", ACME)
  const { code, stderr, stdout } = await world.run("quay-plan --registry http://127.0.0.1:9 acme.yaml", {
    env: { QUAY_TOKEN: "not-a-token" }
  })
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
  expect(stderr).toMatch(/^… \S+: retry 3 in .*127\.0\.0\.1:9/m)
  expect(stderr).toMatch(/^error: .*127\.0\.0\.1:9.*\nCheck the URL and the network, and try again\.\n$/m)
})
