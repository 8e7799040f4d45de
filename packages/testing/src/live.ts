// Before tests run live: says at once what is missing, and makes sure that the registry is one to be tested on. For
// vitest's `globalSetup`; leaves out the tests themselves.
import { isLive, TestRegistryError, testRegistry } from "./index.ts"

/** @throws {TestRegistryError} if the environment names no registry, or not one with a superuser's token. */
export default async (): Promise<void> => {
  if (!isLive())
    throw new TestRegistryError(
      "Live tests need a disposable Quay: set QUAY_TEST_URL to where it is and QUAY_TEST_TOKEN to a superuser's token with every scope"
    )
  const registry = await testRegistry()
  await registry.cleanup()
}
