import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { fromSystemError, isCarryallError } from '@carryall/errors'
import { verified } from '@carryall/oci'
import type { HeldBlob } from '@carryall/schemas'
import type { Location } from '@carryall/sequence'

const TAIL = 4096
// There is nothing to fetch.
const EMPTY = `sha256:${createHash('sha256').digest('hex')}`

/** Blobs that are on this disk already. */
export interface LocalBlobs {
  /** True if the staged archive holds the blob, proven by its digest. */
  isWhole(path: string, blob: HeldBlob): Promise<boolean>
  /** A copy in an earlier sequence or another run's staging, verified as it is read; undefined where there is none. Throws as `hashFile` does. */
  read(blob: HeldBlob, signal: AbortSignal): AsyncIterable<Buffer> | undefined
}

/** `resumed` says whether staging may hold anything at all; `memory` is what was read already. */
export function localBlobs(
  resumed: boolean,
  copies: ReadonlyMap<string, Pick<Location, 'file' | 'offset' | 'size'>>,
  memory: ReadonlyMap<string, Buffer>,
): LocalBlobs {
  return {
    isWhole: async (path, blob) =>
      blob.size === 0
        ? blob.digest === EMPTY
        : resumed && (await holds(path, blob).catch((error: unknown) => unreadable(error, path))),
    read(blob, signal) {
      const bytes = memory.get(blob.digest)
      if (bytes !== undefined) return inMemory(bytes)
      const copy = copies.get(blob.digest)
      if (copy === undefined || copy.size !== blob.size) return undefined
      return verified(readAt(copy.file, copy.offset, copy.size, signal), {
        mediaType: blob.media_type,
        digest: blob.digest,
        size: blob.size,
      })
    },
  }
}

async function holds(path: string, blob: HeldBlob): Promise<boolean> {
  await using handle = await open(path, 'r')
  // A blob is written front to back: where its tail is zero it never arrived, and the rest need not be read. Only a tar ends so.
  const tail = Buffer.alloc(Math.min(TAIL, blob.size))
  await handle.read(tail, 0, tail.length, blob.offset + blob.size - tail.length)
  if (!blob.media_type.endsWith('tar') && tail.every((byte) => byte === 0)) return false
  const hash = createHash('sha256')
  for await (const chunk of readChunks(handle, blob.offset, blob.size)) hash.update(chunk)
  return `sha256:${hash.digest('hex')}` === blob.digest
}

/** What cannot be read counts as missing: writing it again is what helps. That we may not read, or not so much, does not go away so. */
function unreadable(error: unknown, path: string): false {
  const known = fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  if (isCarryallError(known, 'IO_FAILED', 'SIZE_MISMATCH', 'INPUT_NOT_FOUND')) return false
  throw known
}

/** Bytes whose digest was taken when they were read. */
async function* inMemory(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function* readAt(
  file: string,
  offset: number,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    await using handle = await open(file, 'r')
    yield* readChunks(handle, offset, size, { signal })
  } catch (error) {
    throw fromSystemError(error, `read ${file}`, { subject: { kind: 'file', name: file } })
  }
}
