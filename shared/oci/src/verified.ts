import { createHash } from 'node:crypto'
import { CarryallError } from '@carryall/errors'
import type { Descriptor } from '@carryall/schemas'

/**
 * Yields the chunks of a blob as they come and throws at the end unless size and digest are those of `blob`; a byte too
 * many ends it at once. Throws SIZE_MISMATCH, DIGEST_MISMATCH (DESIGN §6.2).
 */
export async function* verified(stream: AsyncIterable<Buffer>, blob: Descriptor): AsyncGenerator<Buffer> {
  const meter = blobMeter(blob)
  for await (const chunk of stream) {
    meter.add(chunk)
    yield chunk
  }
  meter.finish()
}

/** Counts and hashes the bytes of one blob. */
export interface BlobMeter {
  /** Bytes taken so far. */
  readonly size: number
  /** Throws SIZE_MISMATCH with the first byte too many. */
  add(chunk: Buffer): void
  /** Throws SIZE_MISMATCH where bytes are missing and DIGEST_MISMATCH where they are others; may be called again. */
  finish(): void
}

export function blobMeter(blob: Descriptor): BlobMeter {
  const hash = createHash('sha256')
  let size = 0
  return {
    get size() {
      return size
    },
    add(chunk) {
      size += chunk.length
      if (size > blob.size) throw sizeMismatch(blob, size)
      hash.update(chunk)
    },
    finish() {
      if (size !== blob.size) throw sizeMismatch(blob, size)
      const actual = `sha256:${hash.copy().digest('hex')}`
      if (actual !== blob.digest) throw digestMismatch(blob, actual)
    },
  }
}

/** The error for a blob of another size than its descriptor says. */
export function sizeMismatch(blob: Descriptor, actual: number): CarryallError {
  const than = actual > blob.size ? 'more' : 'fewer'
  return new CarryallError('SIZE_MISMATCH', `Blob ${blob.digest} has ${than} than its ${blob.size} bytes`, {
    subject: { kind: 'blob', name: blob.digest, digest: blob.digest },
    expected: blob.size,
    actual,
    hint: 'Fetch it again; if it stays so, the copy at its source is damaged',
  })
}

function digestMismatch(blob: Descriptor, actual: string): CarryallError {
  return new CarryallError('DIGEST_MISMATCH', `Blob ${blob.digest} reads as ${actual}`, {
    subject: { kind: 'blob', name: blob.digest, digest: blob.digest },
    expected: blob.digest,
    actual,
    hint: 'Fetch it again; if it stays so, the copy at its source is damaged',
  })
}
