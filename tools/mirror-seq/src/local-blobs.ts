import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { verified } from '@carryall/oci'
import type { HeldBlob } from '@carryall/schemas'
import type { Location } from '@carryall/sequence'

const TAIL = 4096

/** Blobs that are on this disk already. */
export interface LocalBlobs {
  /** True if the staged archive holds the blob, proven by its digest. */
  isWhole(path: string, blob: HeldBlob): Promise<boolean>
  /** A copy in an earlier sequence or another run's staging, verified as it is read; undefined where there is none. */
  read(blob: HeldBlob, signal: AbortSignal): AsyncIterable<Buffer> | undefined
}

/** `resumed` says whether staging may hold anything at all; `memory` is what was read already. */
export function localBlobs(
  resumed: boolean,
  copies: ReadonlyMap<string, Pick<Location, 'file' | 'offset' | 'size'>>,
  memory: ReadonlyMap<string, Buffer>,
): LocalBlobs {
  return {
    isWhole: async (path, blob) => resumed && blob.size > 0 && (await holds(path, blob)),
    read(blob, signal) {
      const bytes = memory.get(blob.digest)
      if (bytes !== undefined) return inMemory(bytes)
      const copy = copies.get(blob.digest)
      if (copy === undefined || copy.size !== blob.size) return undefined
      return verified(readAt(copy.file, copy.offset, copy.size, signal), { mediaType: blob.media_type, digest: blob.digest, size: blob.size })
    },
  }
}

async function holds(path: string, blob: HeldBlob): Promise<boolean> {
  await using handle = await open(path, 'r')
  // A blob is written front to back: where its tail is zero it never arrived, and the rest need not be read.
  const tail = Buffer.alloc(Math.min(TAIL, blob.size))
  await handle.read(tail, 0, tail.length, blob.offset + blob.size - tail.length)
  if (tail.every((byte) => byte === 0)) return false
  const hash = createHash('sha256')
  for await (const chunk of readChunks(handle, blob.offset, blob.size)) hash.update(chunk)
  return `sha256:${hash.digest('hex')}` === blob.digest
}

/** Bytes whose digest was taken when they were read. */
async function* inMemory(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function* readAt(file: string, offset: number, size: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  await using handle = await open(file, 'r')
  yield* readChunks(handle, offset, size, { signal })
}
