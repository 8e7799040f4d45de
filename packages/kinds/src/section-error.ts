/** What a section's schema lets pass and the section cannot take. It is told at its place in the file, like any other mistake. */
import type { Path } from "@quaymaster/engine"

export class SectionError extends Error {
  override readonly name = "SectionError"
  /** Where in the section. */
  readonly path: Path
  constructor(message: string, path: Path) {
    super(message)
    this.path = path
  }
}
