// The fault matrix of organizations, of what is in them, and of the registry's own.
import { faultMatrix, isOfRepository } from "./matrix/matrix.ts"

faultMatrix("organizations", (kind) => !isOfRepository(kind))
