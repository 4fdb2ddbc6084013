import type { Descriptor } from '@carryall/schemas'
import type { BlobOutcome } from '../store.ts'

/** The blobs of a layout, wherever they are. */
export interface BlobReader {
  /** Bytes of a blob; undefined where there is none. */
  size(digest: string): Promise<number | undefined>

  /** The bytes from `offset` to the end. A chunk is valid until the next one is asked for. Throws REG_BLOB_UNKNOWN. */
  read(digest: string, offset?: number, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined>
}

/** Blobs that more can be added to. */
export interface BlobWriter extends BlobReader {
  /** Writes a blob unless it is there, all or nothing. Throws DIGEST_MISMATCH, SIZE_MISMATCH. */
  write(blob: Descriptor, bytes: () => AsyncIterable<Buffer>): Promise<BlobOutcome>
}
