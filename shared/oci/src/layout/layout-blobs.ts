import { open, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile, readChunks } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { isDigest, type Descriptor } from '@carryall/schemas'
import type { BlobOutcome } from '../store.ts'
import { verified } from '../verified.ts'
import type { BlobWriter } from './blob-reader.ts'
import { unknownBlob } from './refusals.ts'
import type { BlobPlace } from './serving.ts'

const READ = 1024 * 1024

/** The blobs of a layout, shared by all its repositories. A file under its digest has been hashed before it got there. */
export class LayoutBlobs implements BlobWriter {
  readonly #directory: string
  readonly #arriving = new Map<string, Promise<BlobOutcome>>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Bytes of a blob; undefined where there is none. */
  async size(digest: string): Promise<number | undefined> {
    if (!isDigest(digest)) return undefined
    try {
      const found = await stat(this.#path(digest))
      return found.isFile() ? found.size : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw fromSystemError(error, `look for the blob ${digest}`)
    }
  }

  async place(digest: string): Promise<BlobPlace | undefined> {
    const size = await this.size(digest)
    return size === undefined ? undefined : { file: this.#path(digest), offset: 0, size }
  }

  /** The bytes from `offset` to the end, 1 MiB at a time, one read ahead. Throws REG_BLOB_UNKNOWN. */
  async *read(digest: string, offset = 0, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const file = await open(this.#path(digest), 'r').catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? unknownBlob(digest)
        : fromSystemError(error, `open the blob ${digest}`)
    })
    let ahead: Promise<Buffer> | undefined
    try {
      const { size } = await file.stat()
      let at = offset
      const next = async (): Promise<Buffer> => {
        const buffer = Buffer.allocUnsafeSlow(Math.min(READ, size - at))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
        at += bytesRead
        return buffer.subarray(0, bytesRead)
      }
      ahead = at < size ? next() : undefined
      while (ahead !== undefined) {
        const chunk = await ahead
        ahead = chunk.length > 0 && at < size ? next() : undefined
        // A consumer that stops early never awaits it.
        ahead?.catch(() => undefined)
        signal?.throwIfAborted()
        if (chunk.length > 0) yield chunk
      }
    } catch (error) {
      throw fromSystemError(error, `read the blob ${digest}`)
    } finally {
      await ahead?.catch(() => undefined)
      await file.close()
    }
  }

  /** Writes a blob unless it is there. One digest is written once, however many ask. Throws DIGEST_MISMATCH, SIZE_MISMATCH. */
  async write(blob: Descriptor, bytes: () => AsyncIterable<Buffer>): Promise<BlobOutcome> {
    return this.#once(blob, async () => {
      await commitFile(this.#path(blob.digest), verified(bytes(), blob))
    })
  }

  /** Takes a file that has been hashed. Throws SIZE_MISMATCH. */
  async adopt(blob: Descriptor, file: string): Promise<BlobOutcome> {
    const outcome = await this.#once(blob, async () => {
      const handle = await open(file, 'r')
      try {
        const { size } = await handle.stat()
        if (size !== blob.size) throw otherSize(blob, size)
        await commitFile(this.#path(blob.digest), readChunks(handle, 0, size))
      } finally {
        await handle.close()
      }
    })
    await unlink(file)
    return outcome
  }

  /** The grammar is checked before a digest becomes a path. */
  #path(digest: string): string {
    if (!isDigest(digest)) throw unknownBlob(digest)
    return join(this.#directory, digest.slice('sha256:'.length))
  }

  async #once(blob: Descriptor, put: () => Promise<void>): Promise<BlobOutcome> {
    // A file of another size is not this blob (a crash of another program): it is replaced by what hashes.
    if ((await this.size(blob.digest)) === blob.size) return 'present'
    const other = this.#arriving.get(blob.digest)
    if (
      other !== undefined &&
      (await other.then(
        () => true,
        () => false,
      ))
    )
      return 'present'
    const own = put().then((): BlobOutcome => 'uploaded')
    this.#arriving.set(blob.digest, own)
    try {
      return await own
    } finally {
      if (this.#arriving.get(blob.digest) === own) this.#arriving.delete(blob.digest)
    }
  }
}

function otherSize({ digest, size }: Descriptor, actual: number): CarryallError {
  return new CarryallError(
    'SIZE_MISMATCH',
    `The file for the blob ${digest} has ${actual} bytes, not ${size}`,
    {
      subject: { kind: 'blob', name: digest, digest },
      expected: size,
      actual,
    },
  )
}
