import { isSafePath, safePath } from '@carryall/schemas'
import { volumeInvalid } from './volume-invalid.ts'

const MAX_ENTRIES = 1_000_000
const MAX_NAMES = 256 * 1024 * 1024
const MAX_DEPTH = 64

/** Counts what was found at one place, so that nothing there can use up memory or time, or be two things by one name. */
export class Census {
  readonly #place: string
  readonly #maxBytes: number
  readonly #paths = new Set<string>()
  #names = 0
  #bytes = 0

  /** `maxBytes`: what all files may have together. */
  constructor(place: string, maxBytes = Infinity) {
    this.#place = place
    this.#maxBytes = maxBytes
  }

  /**
   * Takes a file or directory into account. Throws PATH_UNSAFE; VOLUME_INVALID for a path that is there already, also where only
   * the normal form of Unicode differs, and for too many, too deep, too large.
   */
  add(path: string, size: number): void {
    if (!isSafePath(path)) safePath(path, this.#place)
    const key = path.normalize('NFC')
    const shown = JSON.stringify(path)
    if (this.#paths.has(key)) throw volumeInvalid(`${shown} is there twice`, this.#place)
    this.#names += path.length
    this.#bytes += size
    if (this.#paths.size >= MAX_ENTRIES || this.#names > MAX_NAMES)
      throw volumeInvalid(
        `there are more than ${MAX_ENTRIES} files, or their names are too long`,
        this.#place,
      )
    if (path.split('/').length > MAX_DEPTH)
      throw volumeInvalid(`${shown.slice(0, 200)} is more than ${MAX_DEPTH} directories deep`, this.#place)
    if (this.#bytes > this.#maxBytes)
      throw volumeInvalid('its files have more bytes than it has itself', this.#place, {
        expected: this.#maxBytes,
        actual: this.#bytes,
      })
    this.#paths.add(key)
  }
}
