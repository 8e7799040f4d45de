// The fault matrix of repositories.
import { faultMatrix, isOfRepository } from "./matrix/matrix.ts"

faultMatrix("repositories", isOfRepository)
