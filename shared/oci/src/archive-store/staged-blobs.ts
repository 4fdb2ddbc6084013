import type { Descriptor } from '@carryall/schemas'
import type { BlobReader, BlobWriter } from '../layout/blob-reader.ts'
import type { BlobOutcome } from '../store.ts'

/** The blobs of an archive that is being extended: those staged, then those that it has. */
export class StagedBlobs implements BlobWriter {
  readonly #staged: BlobWriter
  readonly #base: BlobReader | undefined

  constructor(staged: BlobWriter, base: BlobReader | undefined) {
    this.#staged = staged
    this.#base = base
  }

  async size(digest: string): Promise<number | undefined> {
    return (await this.#staged.size(digest)) ?? (await this.#base?.size(digest))
  }

  async *read(digest: string, offset = 0, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const isStaged = this.#base === undefined || (await this.#staged.size(digest)) !== undefined
    yield* (isStaged ? this.#staged : this.#base).read(digest, offset, signal)
  }

  async write(blob: Descriptor, bytes: () => AsyncIterable<Buffer>): Promise<BlobOutcome> {
    // Taken at its word like a registry's; it is hashed when the archive is written.
    if ((await this.#base?.size(blob.digest)) === blob.size) return 'present'
    return this.#staged.write(blob, bytes)
  }
}
