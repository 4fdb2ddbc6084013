import { isOwnFile } from './own-files.ts'
import { fileUnexpected } from './volume-invalid.ts'

/**
 * Sees to it that of the files that make a volume (`SHA256SUMS`, `volume.json` …) none is there twice, in another case of letters: of
 * content that may be meant, of these it could only deceive whoever looks on another file system.
 */
export class Doubles {
  readonly #place: string
  readonly #seen = new Set<string>()

  constructor(place: string) {
    this.#place = place
  }

  /** Takes a path of the volume. Throws FILE_UNEXPECTED. */
  add(path: string): void {
    if (!isOwnFile(path)) return
    const key = path.toLowerCase()
    if (this.#seen.has(key)) throw fileUnexpected('the double', path, this.#place)
    this.#seen.add(key)
  }
}
