// Applies that end before their time, while several operations are under way.
import { manyKindsEnding } from "./matrix/matrix.ts"

manyKindsEnding()
