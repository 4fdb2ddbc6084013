import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'
import type { VolumeEntry } from '@carryall/schemas'
import { FileProof } from './file-proof.ts'
import type { Sources } from './open-sources.ts'

/** Bytes of an entry, in chunks that are valid until the next one is asked for, and the proof that each has to go into. */
export type UseEntry<T> = (chunks: AsyncIterable<Buffer>, proof: FileProof) => Promise<T>

/**
 * Reads files and parts from their shipments, each byte once, and proves each file as a whole. Parts of a file come in order; what
 * lies between them is read for the proof alone.
 */
export class SourceReader {
  readonly #sources: Sources
  readonly #signal: AbortSignal
  /** Of files whose parts are under way. */
  readonly #proofs = new Map<string, FileProof>()

  constructor(sources: Sources, signal: AbortSignal) {
    this.#sources = sources
    this.#signal = signal
  }

  /** Gives the bytes of an entry to `use`. A whole file is proven then: DIGEST_MISMATCH. */
  async read<T>(entry: VolumeEntry, use: UseEntry<T>): Promise<T> {
    return this.#open(entry, async (handle) => {
      const proof = await this.#proofUpTo(entry, handle)
      const result = await use(this.#chunks(entry, handle, entry.offset ?? 0, entry.size_bytes), proof)
      if (entry.part === undefined) proof.finish()
      return result
    })
  }

  /** The proof of the file of a part, with all before the part in it: for who has the bytes of the part from elsewhere. */
  async proofOf(part: VolumeEntry): Promise<FileProof> {
    return this.#open(part, (handle) => this.#proofUpTo(part, handle))
  }

  /** Reads what is left of the file of a part, and proves it. Throws DIGEST_MISMATCH. */
  async finish(part: VolumeEntry): Promise<void> {
    await this.#open(part, async (handle) => {
      const proof = await this.#proofUpTo({ ...part, offset: part.file_size_bytes }, handle)
      this.#proofs.delete(fileKey(part))
      proof.finish()
    })
  }

  async #proofUpTo(entry: VolumeEntry, handle: FileHandle): Promise<FileProof> {
    const key = fileKey(entry)
    const proof = this.#proofs.get(key) ?? new FileProof(entry, this.#sources.pathOf(entry))
    if (entry.part !== undefined) this.#proofs.set(key, proof)
    const missing = (entry.offset ?? 0) - proof.position
    for await (const chunk of this.#chunks(entry, handle, proof.position, missing)) proof.update(chunk)
    return proof
  }

  async #open<T>(entry: VolumeEntry, use: (handle: FileHandle) => Promise<T>): Promise<T> {
    const path = this.#sources.pathOf(entry)
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
      throw unreadable(error, path)
    })
    try {
      return await use(handle)
    } finally {
      await handle.close()
    }
  }

  async *#chunks(
    entry: VolumeEntry,
    handle: FileHandle,
    offset: number,
    size: number,
  ): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* readChunks(handle, offset, size, { signal: this.#signal })
    } catch (error) {
      throw unreadable(error, this.#sources.pathOf(entry))
    }
  }
}

function unreadable(error: unknown, path: string): unknown {
  return fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
}

/** Of each file in parts, the last part that these volumes have: after it the file is proven as a whole. */
export function lastParts(
  jobs: readonly { readonly entries: readonly VolumeEntry[] }[],
): ReadonlySet<VolumeEntry> {
  const parts = jobs.flatMap((job) => job.entries).filter((entry) => entry.part !== undefined)
  return new Set(new Map(parts.map((part) => [fileKey(part), part])).values())
}

/** The same for all parts of one file. */
export function fileKey(entry: VolumeEntry): string {
  return `${entry.chain}/${entry.shipment}/${entry.path}`
}
