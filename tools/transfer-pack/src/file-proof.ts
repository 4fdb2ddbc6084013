import { createHash } from 'node:crypto'
import { CarryallError } from '@carryall/errors'
import type { VolumeEntry } from '@carryall/schemas'

/** The proof that a file is what the metadata says: its bytes are hashed in order, in one go or part by part. */
export class FileProof {
  readonly #entry: VolumeEntry
  readonly #path: string
  readonly #hash = createHash('sha256')
  #position = 0

  constructor(entry: VolumeEntry, path: string) {
    this.#entry = entry
    this.#path = path
  }

  /** Bytes that were hashed. */
  get position(): number {
    return this.#position
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.#position += chunk.length
  }

  /** Throws DIGEST_MISMATCH where the bytes are not those of the metadata. */
  finish(): void {
    const actual = this.#hash.digest('hex')
    if (actual === this.#entry.sha256) return
    throw new CarryallError(
      'DIGEST_MISMATCH',
      `${this.#path} is damaged: it does not have the sum of its metadata`,
      {
        subject: { kind: 'file', name: this.#path },
        expected: this.#entry.sha256,
        actual,
        hint: `Make or carry ${this.#entry.shipment} again; seq-meta verify names all that is damaged`,
      },
    )
  }
}
